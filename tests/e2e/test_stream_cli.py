"""`krakenwire stream` as a process: every channel, exact numbers, its ends and its mistakes."""

from __future__ import annotations

import json
import re
import shlex
import signal
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.e2e.command import one_line, run, run_here, start

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.apps.verify import verify_lines
from krakenwire.cli.exit_codes import CONNECTION, OK, REFUSED, USAGE
from krakenwire.cli.stream_lines import json_lines, plain_lines
from krakenwire.model import Candle, Instrument, Instruments, Spread, Status, Ticker, Trade
from krakenwire.testing import local_kraken


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD", "ETH/USD", "DOGE/USD"], seed=3, rate=60) as running:
        yield running


def lines_of(venue: LocalVenue, arguments: str) -> list[dict[str, Any]]:
    done = run("stream", *shlex.split(arguments), "--on", venue.ws_v2, "--seconds", "40")
    assert done.returncode == OK, done.stderr
    assert "Traceback" not in done.stderr
    return [json.loads(line, parse_float=str, parse_int=int) for line in done.stdout.splitlines()]


# -- channels --------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    ("channel", "members"),
    [
        ("trades", {"channel", "symbol", "side", "price", "qty", "ord_type", "time"}),
        ("ticker", {"channel", "symbol", "bid", "bid_qty", "ask", "ask_qty", "last", "volume", "vwap", "low", "high"}),
        ("books", {"channel", "symbol", "depth", "best_bid", "best_ask", "verified", "checksum", "bids", "asks"}),
        ("candles", {"channel", "symbol", "interval", "begin", "end", "open", "high", "low", "close", "closed"}),
        ("spreads", {"channel", "symbol", "bid", "bid_qty", "ask", "ask_qty"}),
    ],
)
def test_every_channel_of_either_version_is_json_lines(
    venue: LocalVenue, version: str, channel: str, members: set[str]
) -> None:
    first, second = lines_of(venue, f"{channel} BTC/USD XDGUSD --count 2 --api {version}")
    assert first.keys() >= members
    assert (
        first["channel"] == second["channel"] == {"books": "book", "candles": "ohlc"}.get(channel, channel.rstrip("s"))
    )
    assert {first["symbol"], second["symbol"]} <= {"BTC/USD", "DOGE/USD"}


def test_book_lines_carry_the_proof_and_the_top_levels(venue: LocalVenue) -> None:
    for line in lines_of(venue, "book BTC/USD --depth 25 --count 5"):
        assert (line["verified"], line["depth"]) == (True, 25)
        assert isinstance(line["checksum"], int)
        assert len(line["bids"]) == len(line["asks"]) == 10
        assert line["bids"][0][0] == line["best_bid"] < line["best_ask"] == line["asks"][0][0]
        assert re.fullmatch(r"\d+\.\d{8}", line["bids"][0][1]), "trailing zeros are kept"


def test_level3_lines_carry_orders(venue: LocalVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRAKEN_WS_TOKEN", venue.token().reveal())
    (line,) = lines_of(venue, "level3 BTC/USD --count 1")
    assert line["verified"]
    assert line["bids"][0].keys() == {"order_id", "price", "qty", "time"}


def test_level3_of_the_embedded_venue_needs_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KRAKEN_WS_TOKEN", raising=False)
    code, out, _ = run_here("stream", "level3", "BTC/USD", "--count", "1", "--json", "--on", "local")
    assert code == OK
    assert json.loads(out)["verified"]


def test_instruments_are_one_line_a_row(venue: LocalVenue) -> None:
    lines = lines_of(venue, "instruments --count 7")
    assert {"asset", "instrument"} == {line["channel"] for line in lines}
    assert {line["symbol"] for line in lines if line["channel"] == "instrument"} == {"BTC/USD", "ETH/USD", "DOGE/USD"}


def test_the_status_is_a_channel(venue: LocalVenue) -> None:
    (line,) = lines_of(venue, "status --count 1")
    assert line["system"] == "online"


def test_without_a_snapshot_candles_begin_with_the_present_one(venue: LocalVenue) -> None:
    (line,) = lines_of(venue, "ohlc BTC/USD --no-snapshot --count 1")
    assert line["closed"] is False


def test_raw_frames_are_as_they_came_and_can_be_verified(venue: LocalVenue) -> None:
    done = run("stream", "book", "BTC/USD", "--raw", "--count", "20", "--on", venue.ws_v2)
    frames = done.stdout.splitlines()
    assert (done.returncode, len(frames)) == (OK, 20)
    assert frames[0].startswith('{"channel":"status"')
    report = verify_lines([frame.encode() for frame in frames])
    assert report.ok
    assert report.malformed == 0


# -- ends ------------------------------------------------------------------------


def test_seconds_end_it_with_code_0(venue: LocalVenue) -> None:
    done = run("stream", "trades", "BTC/USD", "--seconds", "0.3", "--on", venue.ws_v2)
    assert (done.returncode, done.stderr) == (OK, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_code_0(venue: LocalVenue, number: signal.Signals) -> None:
    process = start("stream", "ticker", "BTC/USD", "--on", venue.ws_v2)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (OK, "")


def test_a_reader_that_goes_away_is_a_quiet_end(venue: LocalVenue) -> None:
    process = start("stream", "book", "BTC/USD", "--on", venue.ws_v2)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert (process.stderr.read(), process.wait(30)) == ("", OK)
    process.stderr.close()


def test_what_went_wrong_is_counted_on_stderr() -> None:
    with local_kraken(symbols=["BTC/USD"], rate=60) as venue:
        process = start("stream", "book", "BTC/USD", "--on", venue.ws_v2)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        venue.corrupt_checksums()
        told = ""
        while "complete again" not in told:
            told += process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=30)
    assert process.returncode == OK
    assert "checksum failed: BTC/USD" in told
    assert re.search(r"krakenwire: gaps 1, .*checksum failures 1", rest)
    assert all(json.loads(line)["verified"] for line in out.splitlines())


# -- mistakes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("trads BTC/USD", ["unknown channel", "Did you mean trades?"]),
        ("trades", ["at least one symbol", "BTC/USD"]),
        ("status BTC/USD", ["no symbol"]),
        ("trades BTC_USD", ["BTC/USD", "BTC_USD"]),
        ("book BTC/USD --depth 7", ["10, 25, 100, 500, 1000", "7"]),
        ("trades BTC/USD --depth 10", ["no depth"]),
        ("ohlc BTC/USD --interval 7", ["1, 5, 15", "7"]),
        ("book BTC/USD --interval 5", ["no interval"]),
        ("instruments --api 1", ["version 2"]),
        ("level3 BTC/USD", ["account", "KRAKEN_API_KEY"]),
        ("trades BTC/USD --raw --json", ["--raw and --json"]),
        ("trades BTC/USD --count 0", ["--count", "at least 1"]),
        ("trades BTC/USD --seconds x", ["--seconds", "x"]),
        ("trades BTC/USD --jsn", ["--jsn", "--json"]),
        ("trades BTC/USD --on nowhere", ["live", "local", "nowhere"]),
    ],
)
def test_a_mistake_is_one_line_and_code_2(arguments: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KRAKEN_WS_TOKEN", raising=False)
    on = () if "--on" in arguments else ("--on", "ws://127.0.0.1:9")
    code, _, errors = run_here("stream", *shlex.split(arguments), *on)
    assert code == USAGE
    assert all(word in one_line(errors) for word in words), errors


@pytest.mark.parametrize("raw", [(), ("--raw",)])
def test_a_symbol_that_is_not_listed_is_code_5(venue: LocalVenue, raw: tuple[str, ...]) -> None:
    done = run("stream", "trades", "FOO/BAR", "--on", venue.ws_v2, "--seconds", "20", *raw)
    assert done.returncode == REFUSED
    assert "Currency pair not supported FOO/BAR" in done.stderr


def test_no_connection_is_code_3() -> None:
    done = run("stream", "trades", "BTC/USD", "--on", "ws://127.0.0.1:9")
    assert done.returncode == CONNECTION
    assert "refused" in one_line(done.stderr)


# -- lines ---------------------------------------------------------------------------

D = Decimal
TRADE = Trade(symbol="BTC/USD", side="buy", price=D("1E-8"), qty=D("0.10"), ord_type="limit", time_ns=1, trade_id=2**63)
ITEMS = [
    (TRADE, "00:00:00.000  BTC/USD   buy              0.10 at 0.00000001"),
    (
        Spread(symbol="BTC/USD", bid=D("1.0"), bid_qty=D(1), ask=D("1.5"), ask_qty=D(2)),
        "BTC/USD   bid 1.0 (1)  ask 1.5 (2)  spread 0.5",
    ),
    (
        Ticker(
            symbol="BTC/USD", kind="update", bid=D(1), bid_qty=D(1), ask=D(2), ask_qty=D(1), last=D("1.50"),
            volume=D(9), vwap=D(1), low=D(1), high=D(2), change_pct=D("-0.50"),
        ),
        "BTC/USD   last 1.50  bid 1  ask 2  24 h -0.50 %  volume 9",
    ),
    (
        Candle(
            symbol="BTC/USD", interval=5, begin_ns=0, end_ns=1, open=D(1), high=D(4), low=D("0.5"), close=D(2),
            vwap=D(1), volume=D(3), trades=1, closed=True,
        ),
        "1970-01-01T00:00  BTC/USD   5m O 1  H 4  L 0.5  C 2  volume 3  closed",
    ),
    (Status(system="maintenance", api_version="v2"), "trading mode maintenance, API v2"),
    (
        Instruments(
            kind="update",
            assets=(),
            pairs=(
                Instrument(
                    symbol="BTC/USD", base="BTC", quote="USD", status="online", price_precision=1, qty_precision=8,
                    cost_precision=5, price_increment=D("0.1"), qty_increment=D("1E-8"), qty_min=D("0.0001"),
                ),
            ),
        ),
        "BTC/USD      online       price step 0.1, least 0.0001 BTC",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("item", "plain"), ITEMS)
def test_lines_for_people(item: Trade, plain: str) -> None:
    assert [line.strip() for line in plain_lines(item)] == [plain]


def test_numbers_are_exact_and_without_exponent() -> None:
    (line,) = json_lines(TRADE)
    assert '"price":0.00000001,"qty":0.10,' in line
    assert f'"trade_id":{2**63}' in line
    assert '"time":"1970-01-01T00:00:00.000000001Z"' in line


@pytest.mark.parametrize("item", [item for item, _ in ITEMS])
def test_no_line_has_an_exponent_or_a_float(item: Trade) -> None:
    for line in json_lines(item):
        assert not re.search(r"\d[eE][+-]?\d", line)
        json.loads(line)
