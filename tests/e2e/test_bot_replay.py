"""A strategy over the wire on a tape's clock: row by row what a backtest of the same tape gives, and twice the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import websocket
from tests.e2e.command import PATIENCE_S, one_line, run_here

from krakenwire.apps.backtest import read_market_of, run_backtest
from krakenwire.apps.bot_config import BotConfig
from krakenwire.apps.bot_replay import Replay, run_replay
from krakenwire.apps.local_venue import LocalVenue
from krakenwire.apps.strategy_file import load_strategy
from krakenwire.bot import Strategy
from krakenwire.cli.exit_codes import OK, USAGE
from krakenwire.errors import ConnectionLost, UsageError
from krakenwire.model import AddOrder
from krakenwire.model.market import OrderSide
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.record import Kind
from krakenwire.testing import local_kraken, replayed_tape
from krakenwire.trading.risk_limits import RiskLimits
from krakenwire.trading.run_result import RunResult

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "strategies"
SYMBOLS = ["BTC/USD", "ETH/USD"]
FRAMES = 1_500
STEP_NS = 2_400_000_000
"""From one frame to the next on the tape: candles close, and an hour passes."""

LIVELY_FRAMES = 50
"""After so many frames somebody trades much: prices move."""

PARAMETERS: dict[str, dict[str, object]] = {
    "grid": {"step_bps": 1, "size": "0.01"},
    "ma_cross": {"fast": 2, "slow": 3},
    "market_maker": {"half_spread_bps": "0.5", "most": 10},
    "price_alert_buyer": {"below": 1_000_000},
    "rebalancer": {"drift": "0.0001"},
    "twap": {"slices": 7},
}
CONFIG = BotConfig(
    balances={"USD": Decimal(100_000), "BTC": Decimal(1)},
    limits=RiskLimits(
        book_age_max_ms=3_600_000,
        order_notional_max=Decimal(100_000),
        position_notional_max=Decimal(500_000),
        open_notional_max=Decimal(500_000),
        daily_loss_max=Decimal(50_000),
        turnover_day_max=Decimal(50_000_000),
    ),
)


class Recording:
    """Puts what plain connections receive on a tape, with a time of its own."""

    def __init__(self, tape: TapeWriter, venue: LocalVenue) -> None:
        self.tape, self.venue, self.connections = tape, venue, 0
        self.time_ns = 1_700_000_000 * 1_000_000_000

    def now_ns(self) -> int:
        self.time_ns += STEP_NS
        return self.time_ns

    def trade(self, turn: int) -> None:
        """Let somebody move the prices to and fro."""
        for symbol, qty in (("BTC/USD", 4), ("ETH/USD", 40)):
            side: OrderSide = "sell" if turn % 2 else "buy"
            self.venue.act("whale", AddOrder(symbol=symbol, side=side, order_type="market", order_qty=Decimal(qty)))

    def connection(self, url: str, requests: list[dict[str, object]], frames: int) -> None:
        """Record one connection until it has received so many frames."""
        self.connections += 1
        number = self.connections
        client = websocket.create_connection(url, timeout=PATIENCE_S)
        opened = {"url": url, "version": 2 if url.endswith("/v2") else 1, "name": "public"}
        self.tape.write(self.now_ns(), number, Kind.OPENED, json.dumps(opened))
        for request in requests:
            client.send(json.dumps(request))
        for place in range(frames):
            if not place % LIVELY_FRAMES:
                self.trade(place // LIVELY_FRAMES)
            self.tape.write(self.now_ns(), number, Kind.FRAME_IN, str(client.recv()))
        client.shutdown()  # type: ignore[no-untyped-call]  # websocket-client leaves it out
        self.tape.write(self.now_ns(), number, Kind.CLOSED, json.dumps({"reason": "cut", "code": 1006}))


def wanted(*, instruments: bool = True) -> list[dict[str, object]]:
    channels: list[dict[str, object]] = [{"channel": "instrument"}] if instruments else []
    channels += [{"channel": "book", "symbol": SYMBOLS, "depth": 25}, {"channel": "trade", "symbol": SYMBOLS}]
    return [
        {"method": "subscribe", "params": each, "req_id": number}
        for number, each in enumerate([*channels, {"channel": "ticker", "symbol": SYMBOLS}])
    ]


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A whole tape; one with a book that went wrong, a gap, a lost connection and its successor; others."""
    folder = tmp_path_factory.mktemp("tapes")
    folders = {name: folder / name for name in ("whole", "broken", "undescribed", "v1")}
    with local_kraken(symbols=SYMBOLS, rate=1_000) as venue:
        with TapeWriter(folders["whole"]) as tape:
            Recording(tape, venue).connection(venue.ws_v2, wanted(), FRAMES)
        with TapeWriter(folders["broken"]) as tape:
            recording = Recording(tape, venue)
            venue.corrupt_checksums(40)
            recording.connection(venue.ws_v2, wanted(), FRAMES // 2)
            mark = {"mark": "gap", "symbol": "BTC/USD", "channel": "book", "reason": "silence"}
            recording.connection(venue.ws_v2, wanted(), FRAMES // 4)
            tape.write(recording.now_ns(), 2, Kind.MARK, json.dumps(mark))
            recording.connection(venue.ws_v2, wanted(), FRAMES // 2)
        with TapeWriter(folders["undescribed"]) as tape:
            Recording(tape, venue).connection(venue.ws_v2, wanted(instruments=False), FRAMES // 2)
        with TapeWriter(folders["v1"]) as tape:
            names = ({"name": "book", "depth": 25}, {"name": "trade"})
            requests = [{"event": "subscribe", "pair": ["XBT/USD", "ETH/USD"], "subscription": each} for each in names]
            Recording(tape, venue).connection(venue.ws_v1, [dict(each) for each in requests], FRAMES // 2)
    return folders


@pytest.fixture(scope="module")
def strategies() -> dict[str, type[Strategy]]:
    return {path.stem: load_strategy(path) for path in sorted(EXAMPLES.glob("*.py"))}


def settings(name: str) -> dict[str, object]:
    return {"parameters": PARAMETERS[name], "config": CONFIG}


def agree(ours: RunResult, theirs: RunResult) -> None:
    """The rows are the same, one by one."""
    for place, (our, their) in enumerate(zip(ours.rows, theirs.rows, strict=False)):
        assert our == their, f"row {place}"
    assert len(ours.rows) == len(theirs.rows)
    sums = [result.summary() for result in (ours, theirs)]
    assert {name for name in sums[0] if sums[0][name] != sums[1][name]} <= {"run", "mode", "source"}


@pytest.mark.parametrize("tape", ["whole", "broken"])
@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_every_example_decides_in_a_replay_what_it_decides_in_a_backtest_and_twice_the_same(
    tapes: dict[str, Path], strategies: dict[str, type[Strategy]], tape: str, name: str
) -> None:
    assert strategies.keys() == PARAMETERS.keys()
    strategy = strategies[name]
    data = read_market_of(tapes[tape], strategy.symbols)
    backtest = run_backtest(strategy, data, parameters=PARAMETERS[name], config=CONFIG)
    replays = [run_replay(strategy, tapes[tape], parameters=PARAMETERS[name], config=CONFIG) for _ in range(2)]
    for replay in replays:
        agree(replay, backtest)
    assert backtest.error is None
    assert backtest.fills
    gaps = [note for note in backtest.notes if note.kind == "gap" and note.symbol == strategy.symbols[0]]
    assert (len(gaps) > 3) == (tape == "broken")  # one where each connection ends


@pytest.mark.parametrize("tape", ["undescribed", "v1"])
def test_a_tape_of_version_1_or_without_a_list_of_instruments_gives_the_same_runs_too(
    tapes: dict[str, Path], strategies: dict[str, type[Strategy]], tape: str
) -> None:
    for name in ("market_maker", "grid"):
        data = read_market_of(tapes[tape], strategies[name].symbols)
        backtest = run_backtest(strategies[name], data, parameters=PARAMETERS[name], config=CONFIG)
        agree(run_replay(strategies[name], tapes[tape], parameters=PARAMETERS[name], config=CONFIG), backtest)
        assert backtest.fills


def test_a_replay_that_somebody_else_plays_gives_the_same_run(
    tapes: dict[str, Path], strategies: dict[str, type[Strategy]]
) -> None:
    strategy = strategies["grid"]
    with replayed_tape(tapes["whole"], speed=0) as player:
        replay = run_replay(strategy, on=player.ws_v2, parameters=PARAMETERS["grid"], config=CONFIG)
    data = read_market_of(tapes["whole"], strategy.symbols)
    agree(replay, run_backtest(strategy, data, parameters=PARAMETERS["grid"], config=CONFIG))


def test_a_replay_can_be_stopped_and_tells_its_rows_as_they_come(
    tapes: dict[str, Path], strategies: dict[str, type[Strategy]]
) -> None:
    begun: list[Replay] = []
    told: list[object] = []

    def rows(new: list[object]) -> None:
        told.extend(new)
        if len(told) > 20:
            begun[0].request_stop("enough")

    result = run_replay(
        strategies["market_maker"],
        tapes["whole"],
        parameters=PARAMETERS["market_maker"],
        config=CONFIG,
        on_begin=begun.append,
        on_rows=rows,  # type: ignore[arg-type]  # any rows will do
    )
    assert told == result.all_rows()
    assert [note.text for note in result.notes if note.kind == "stop"] == ["enough"]
    assert result.open_orders == 0


def test_the_command_replays_a_tape(tapes: dict[str, Path]) -> None:
    file, tape = str(EXAMPLES / "twap.py"), str(tapes["whole"])
    sums = []
    for mode in ("replay", "backtest"):
        code, out, errors = run_here("bot", "run", file, "--mode", mode, "--tape", tape, "--json")
        assert (code, errors) == (OK, "")
        sums.append(json.loads(out.splitlines()[-1]))
    assert {name for name in sums[0] if sums[0][name] != sums[1][name]} == {"run", "mode"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--tape DIR beside it"),
        (("--tape", "x", "--on", "ws://127.0.0.1:1"), "--tape DIR beside it"),
        (("--tape", "x", "--seconds", "3"), "--seconds"),
    ],
)
def test_a_replay_needs_one_tape_and_no_end(arguments: tuple[str, ...], said: str) -> None:
    code, _, errors = run_here("bot", "run", str(EXAMPLES / "twap.py"), "--mode", "replay", *arguments)
    assert code == USAGE
    assert said in one_line(errors)


def test_a_tape_without_the_symbols_is_refused(tapes: dict[str, Path]) -> None:
    class Elsewhere(Strategy):
        symbols = ("SOL/EUR",)

    with pytest.raises(UsageError, match="SOL/EUR"):
        run_replay(Elsewhere, tapes["whole"])


def test_a_replay_that_goes_away_is_an_error(tapes: dict[str, Path], strategies: dict[str, type[Strategy]]) -> None:
    with replayed_tape(tapes["whole"], speed=1) as player:

        def leave(_: Replay) -> Iterator[None]:
            player.stop()
            return iter(())

        with pytest.raises(ConnectionLost):
            run_replay(strategies["grid"], on=player.ws_v2, config=CONFIG, on_begin=leave)  # type: ignore[arg-type]  # what it returns is nobody's
