"""A strategy over a whole recorded market at once, on the market's own time, with pretended fills.

The same rows, strategy and settings give the same run, byte for byte.
"""

from __future__ import annotations

import contextlib
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace as replaced
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from msgspec.structs import replace

from krakenwire.apps.bot_config import BotConfig
from krakenwire.apps.candle_intervals import check_intervals
from krakenwire.errors import ConfigError
from krakenwire.limits import BOT_SAMPLE_S, BOT_SAMPLES_MAX
from krakenwire.model.market import Candles, Ticker
from krakenwire.model.rows import BUY, EVENT, LAST, SELL, Rows
from krakenwire.trading.desk import FeeRates
from krakenwire.trading.engine import Engine, EngineSettings
from krakenwire.trading.market_feed import CandlesFrom
from krakenwire.trading.ports import RiskCheck
from krakenwire.trading.risk import Risk
from krakenwire.trading.run_records import Mode, RunHead
from krakenwire.trading.run_result import RunResult
from krakenwire.trading.simulator import FillModel, Simulator
from krakenwire.trading.strategy import Strategy
from krakenwire.version import VERSION

if TYPE_CHECKING:
    from krakenwire.apps.market_data import MarketData

__all__ = [
    "Progress",
    "candles_from",
    "few_collections",
    "first_market_row",
    "head_of",
    "json_values",
    "read_market_of",
    "run_backtest",
    "sample_ns_of",
    "settings_of",
    "symbols_of",
]

_SECOND: Final = 1_000_000_000
_SLICE_ROWS: Final = 20_000
_SLICE_S: Final = 0.1
"""Rows between two reports of progress at first, and how long they are to take from then on."""
_AHEAD_ROWS: Final = 4_096
_TOLD_OF_TRADES: Final = ("on_trade", "on_book")
_MADE_UP: Final = (
    "trades made up from candles give each other away: what on_trade and on_book gain by them is no evidence"
)
_ALLOCATIONS: Final = 200_000
"""Between two looks for garbage. With Python's 700 they were a third of a busy run's time."""

Progress: TypeAlias = Callable[[int, int, int], None]
"""Called with rows done, rows there are, and the market's time, about ten times a second."""


def run_backtest(
    strategy: type[Strategy],
    data: MarketData,
    *,
    parameters: Mapping[str, object] | None = None,
    config: BotConfig | None = None,
    run: str = "backtest",
    risk: RiskCheck | None = None,
    progress: Progress | None = None,
) -> RunResult:
    """Run a strategy over a market and return everything that happened.

    Args:
        strategy: the class.
        data: of its symbols; others are left out of account.
        parameters: count more than those of the configuration.
        config: everything else; None for defaults.
        run: its name.
        risk: other limits than those of the configuration.
        progress: see `Progress`; what happens is the same with it.

    Raises:
        ConfigError: a parameter or balance that cannot be, a symbol or an interval of candles that the data
            does not have, no data.
    """
    config = BotConfig() if config is None else config
    if not len(data.rows):
        raise ConfigError(data.source, expected="market data", found="none")
    made = strategy(**{**config.parameters, **(parameters or {})})
    symbols = symbols_of(made)
    start_ns = int(data.rows["time_ns"][first_market_row(data.rows, data.objects)])
    settings = settings_of(config, symbols, candles_from(data), sample_ns_of(data.end_ns - data.start_ns))
    if settings.candles_from == "ohlc":
        check_intervals(strategy, data.objects)
    simulator = Simulator(data.listings, config.model, now_ns=start_ns)
    engine = Engine(made, simulator, settings, risk=Risk(config.limits, symbols) if risk is None else risk)
    engine.use_simulated_broker(config.model)
    if data.counters.made_up and any(made.overrides(name) for name in _TOLD_OF_TRADES):
        engine.log.note(start_ns, "made up", _MADE_UP, count=data.counters.made_up)
    with few_collections():
        engine.start()
        for rows in [data.rows] if progress is None else _slices(data.rows, progress):
            engine.run(rows, data.objects)
            if engine.stopped:
                break
        engine.finish(config.model.entry_latency_ns + config.model.report_latency_ns)
    head = head_of(made, config, settings, run, "backtest", data.source, start_ns)
    if risk is not None:
        head = replace(head, limits={})
    return RunResult(head, engine.log, error=engine.error, open_orders=len(engine.desk.open))


def _slices(rows: Rows, progress: Progress) -> Iterator[Rows]:
    """Yield all rows, so many whole frames at a time as take a tenth of a second."""
    done, size = 0, _SLICE_ROWS
    while done < len(rows):
        end = _frame_end(rows, min(done + size, len(rows)))
        began_s = time.perf_counter()
        yield rows[done:end]
        took_s = time.perf_counter() - began_s
        size = max(1_000, min(4 * size, int((end - done) * _SLICE_S / max(took_s, 1e-6))))
        done = end
        progress(done, len(rows), int(rows["time_ns"][done - 1]))


def _frame_end(rows: Rows, end: int) -> int:
    """Return the first place at or after `end` where a frame ends."""
    for place in range(end, len(rows), _AHEAD_ROWS):
        ends = np.flatnonzero(rows["flags"][place - 1 : place - 1 + _AHEAD_ROWS] & LAST)
        if len(ends):
            return place + int(ends[0])
    return len(rows)


@contextlib.contextmanager
def few_collections() -> Iterator[None]:
    """Look for garbage in cycles seldom: nearly all that a run makes is kept, and would be looked through in vain.

    What it made counts as old afterwards, unless somebody else keeps objects out of the collector's sight.
    """
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        gc.set_threshold(*before)


def read_market_of(
    source: str | os.PathLike[str], symbols: Sequence[str], progress: Callable[[int, int], None] | None = None
) -> MarketData:
    """Return the market of a tape's folder, or of a file of trades or candles of one symbol.

    Args:
        source: the folder, or a CSV file.
        symbols: the only ones that get rows.
        progress: called with records read and records there are, now and then.

    Raises:
        ConfigError: no such thing, a bad row in a file, or a file for several symbols.
        TapeError: it is no tape, or cannot be read.
    """
    from krakenwire.apps.market_data import market_data
    from krakenwire.storage.tape_reader import Tape

    path = Path(source)
    if path.is_file():
        return _market_of_file(path, symbols, progress)
    if not path.is_dir():
        raise ConfigError(str(source), expected="the folder of a tape, or a CSV file", found="no such thing")
    return market_data(Tape(path), symbols=tuple(symbols), progress=progress)


def _market_of_file(
    path: Path, symbols: Sequence[str], progress: Callable[[int, int], None] | None = None
) -> MarketData:
    from krakenwire.apps.market_data import market_data
    from krakenwire.apps.tape_import import import_files
    from krakenwire.storage.tape_reader import Tape

    if len(symbols) != 1:
        hint = "Import each file, and merge the tapes"
        raise ConfigError(
            str(path), expected="a strategy of one symbol beside a file", found=", ".join(symbols), hint=hint
        )
    with tempfile.TemporaryDirectory(prefix="krakenwire-") as folder:
        tape = Path(folder) / "tape"
        import_files([path], symbols[0], tape, as_trades=True)
        return replaced(market_data(Tape(tape), symbols=tuple(symbols), progress=progress), source=str(path))


def json_values(values: Mapping[str, object]) -> dict[str, object]:
    """Return values as JSON has them; what it has no word for becomes text."""
    return {
        name: value if isinstance(value, bool | int | float | str | None) else _json_value(value)
        for name, value in values.items()
    }


def _json_value(value: object) -> object:
    return [str(each) for each in value] if isinstance(value, tuple | list) else str(value)


def _fields(struct: object) -> dict[str, object]:
    return {name: getattr(struct, name) for name in type(struct).__struct_fields__}  # type: ignore[attr-defined]  # a Struct


def _model_values(model: FillModel) -> dict[str, object]:
    return json_values(_fields(model))


def symbols_of(strategy: Strategy) -> tuple[str, ...]:
    """Return what a strategy trades.

    Raises:
        ConfigError: nothing.
    """
    if not strategy.symbols:
        raise ConfigError(f"{type(strategy).__name__}.symbols", expected="at least one symbol, such as BTC/USD")
    return tuple(strategy.symbols)


def settings_of(config: BotConfig, symbols: tuple[str, ...], candles: CandlesFrom, sample_ns: int) -> EngineSettings:
    """Return what an engine is told of a configuration."""
    return EngineSettings(
        balances=config.balances_of(symbols),
        quote=config.quote_of(symbols),
        fees=FeeRates(config.model.maker_fee, config.model.taker_fee),
        margin=config.margin,
        on_error=config.on_error,
        candles_from=candles,
        sample_ns=sample_ns,
    )


def first_market_row(rows: Rows, objects: Sequence[object]) -> int:
    """Return the first row that tells of the market, and not of the venue or its instruments; 0 where none does.

    There a run begins, whatever else was said before, and to whom.
    """
    kinds = rows["kind"]
    for row in range(len(rows)):
        if kinds[row] != EVENT or isinstance(objects[rows["aux"][row]], Candles | Ticker):
            return row
    return 0


def sample_ns_of(span_ns: int) -> int:
    """Return how often equity is sampled in a market of that length."""
    return max(BOT_SAMPLE_S * _SECOND, -(-span_ns // (BOT_SAMPLES_MAX * _SECOND)) * _SECOND)


def head_of(
    strategy: Strategy, config: BotConfig, settings: EngineSettings, run: str, mode: Mode, source: str, start_ns: int
) -> RunHead:
    """Return the first row of a run."""
    return RunHead(
        run=run,
        strategy=type(strategy).__name__,
        mode=mode,
        source=source,
        symbols=tuple(strategy.symbols),
        start_ns=start_ns,
        version=VERSION,
        quote=settings.quote,
        parameters=json_values(strategy.parameters),
        balances=settings.balances,
        model=_model_values(config.model),
        limits=json_values(_fields(config.limits)),
        candle_s=settings.sample_ns / _SECOND,
    )


def candles_from(data: MarketData) -> CandlesFrom:
    """Of trades where there are any; else the venue's own, if it told some."""
    kinds = data.rows["kind"]
    for place in range(0, len(kinds), _AHEAD_ROWS):
        ahead = kinds[place : place + _AHEAD_ROWS]
        if (ahead == BUY).any() or (ahead == SELL).any():
            return "trades"
    return "ohlc" if any(isinstance(each, Candles) for each in data.objects) else "trades"
