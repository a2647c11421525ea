"""Recorded v2 frames and ours: same members, same order, same kind of number and time text.

Recordings of several years differ in a few members; for each kind of frame the
newest month counts. Prices and quantities are compared per symbol, so that
their number of decimals must agree too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from krakenwire.protocol.v2.venue import PUBLIC_CHANNELS
from krakenwire.venue.config.venue_config import VenueConfig
from krakenwire.venue.gateways.publisher import Publisher
from krakenwire.venue.gateways.v2 import Gateway
from krakenwire.venue.venue import Venue

SYMBOLS = ("BTC/USD", "ETH/USD", "XRP/USD")
START_NS = 1_800_000_000_000_000_000
SECOND = 1_000_000_000

Shape = dict[str, set[object]]
"""By path: the orders of members of its objects, or the kinds of its values."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d+))?Z")
_DATE = re.compile(r"20\d\d-\d\d(?:-\d\d)?")
_ELSEWHERE = (
    *("EGeneral:", "EOrder:", "ESession:", "Token(s) not found", "Public market data subscriptions"),
    *("Cash_order_qty field", "Limit_price field"),
)
"""Refusals of trading, of the private host, of accounts: this venue has none of them yet."""


class Number(str):
    """The text of a JSON number."""

    __slots__ = ()


class Members(dict[str, Any]):
    """A JSON object; dicts keep the order of the text."""

    __slots__ = ()


def parsed(frame: str) -> Any:
    return json.loads(frame, parse_float=Number, parse_int=Number, object_pairs_hook=Members)


def value_kind(value: object) -> str:
    if isinstance(value, Number):
        assert "e" not in value.lower(), value
        return f"{len(value.partition('.')[2])} decimals" if "." in value else "integer"
    if isinstance(value, str) and (time := _TIME.fullmatch(value)):
        return f"time of {len(time[1] or '')} digits"
    return type(value).__name__


def describe(value: Any, shape: Shape, path: str = "") -> None:
    """Add what a JSON value looks like to a shape."""
    if isinstance(value, Members):
        shape.setdefault(path, set()).add(tuple(value))
        for name, member in value.items():
            side = "side" if name in ("bids", "asks") else name  # some recorded frames changed one side only
            describe(member, shape, f"{path}.{side}")
    elif isinstance(value, list):
        shape.setdefault(path, set()).add("array")
        for item in value:
            describe(item, shape, f"{path}[]")
    else:
        shape.setdefault(path, set()).add(value_kind(value))


def frame_kind(frame: Any) -> tuple[str, str] | None:
    """What a frame is and the symbol that gives its decimals; None for what is not public."""
    numbered = " with req_id" if "req_id" in frame else ""
    if "error" in frame:
        error = frame["error"].replace(frame.get("symbol", "\0"), "SYMBOL")
        return None if error.startswith(_ELSEWHERE) else (f"refusal {error}{numbered}", "")
    if "method" in frame:
        if frame["method"] == "pong":
            return f"pong{numbered}", ""
        result = frame.get("result")
        public = isinstance(result, Members) and result.get("channel") in PUBLIC_CHANNELS
        return (f"{frame['method']} {result['channel']}{numbered}", "") if public else None
    channel = frame["channel"]
    if channel in ("executions", "balances"):
        return None
    if channel in ("book", "level3"):
        return f"{channel} {frame['type']}", frame["data"][0]["symbol"]
    return channel, frame["data"][0]["symbol"] if channel in ("ticker", "trade", "ohlc") else ""


# -- recordings ------------------------------------------------------------------


def captured(path: Path) -> Iterator[str]:
    """The payloads of a capture: a line with time and length, then that many bytes and a newline."""
    content = path.read_bytes()
    at = content.index(b"\n") + 1
    while at < len(content):
        end = content.index(b"\n", at)
        length = int(content[at:end].split()[1])
        yield content[end + 1 : end + 1 + length].decode()
        at = end + 1 + length + 1


def recorded(shared: Path) -> Iterator[tuple[str, str]]:
    """Every recorded server frame, with the latest date that it or its label names."""
    for path in sorted((shared / "protocol/vectors").glob("v2-*-recorded*.json")):
        content = json.loads(path.read_text())
        for row in content.get("frames", []):
            old = "older service version" in row.get("label", "")
            if row.get("from", "server") == "server" and "raw" in row and not old:
                about = " ".join((row["raw"], row.get("label", ""), row.get("source", content["source"])))
                yield row["raw"], max(_DATE.findall(about))
    for line in (shared / "data/real/messages_v2/kraken-async-rs_frames.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["whole_frame"]:
            yield row["text"].strip(), max(_DATE.findall(row["text"]), default="2024-05")
    for path in sorted((shared / "data/real/book_v2").glob("*.cbcap")):
        for frame in captured(path):
            yield frame, max(_DATE.findall(frame), default="2026-08")


def newest_shapes(frames: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Shape]:
    """Shapes by kind and symbol, from the newest month in which that kind was recorded."""
    found: dict[str, list[tuple[str, str, Any]]] = {}
    for text, date in frames:
        frame = parsed(text)
        kind = frame_kind(frame)
        if kind is not None:
            found.setdefault(kind[0], []).append((date[:7], kind[1], frame))
    shapes: dict[tuple[str, str], Shape] = {}
    for name, rows in found.items():
        newest = max(month for month, _, _ in rows)
        for month, symbol, frame in rows:
            if month == newest:
                describe(frame, shapes.setdefault((name, symbol), {}))
    return shapes


# -- ours --------------------------------------------------------------------------


def said_by_the_venue() -> list[str]:
    """Every kind of frame our venue sends, and some seconds of its market."""
    venue = Venue(VenueConfig(start_ns=START_NS, symbols=SYMBOLS, rate=100, seed=11))
    publisher: Publisher[Gateway] = Publisher()
    gateway = Gateway(venue, publisher, 987_654_321)
    frames = gateway.feed_open(START_NS)
    now_ns = START_NS
    for request in requests():
        now_ns += 1_234_000
        frames += gateway.feed_frame(request, now_ns)
    for _ in range(200):
        now_ns += 50_000_000
        for symbol in venue.step(now_ns):
            frames += [frame for frame, _ in publisher.advance(symbol, now_ns)]
        frames += gateway.poll(now_ns)
    frames += gateway.feed_frame('{"method":"unsubscribe","params":{"channel":"book","symbol":["BTC/USD"]}}', now_ns)
    return frames


def requests() -> Iterator[str]:
    for channel in ("ticker", "book", "level3", "ohlc"):
        params = {"channel": channel, "symbol": SYMBOLS, **({"token": "t"} if channel == "level3" else {})}
        yield json.dumps({"method": "subscribe", "params": params, "req_id": 7})
    yield '{"method":"subscribe","params":{"channel":"instrument"},"req_id":0}'
    yield '{"method":"subscribe","params":{"channel":"trade","symbol":["ETH/USD"],"snapshot":true},"req_id":0}'
    yield '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"]}}'
    yield '{"method":"unsubscribe","params":{"channel":"book","symbol":["XRP/USD"]}}'
    yield '{"method":"subscribe","params":{"channel":"book","symbol":["XRP/USD"],"depth":25}}'
    yield '{"method":"subscribe","params":{"channel":"book","symbol":["XRP/USD"],"depth":25},"req_id":2}'
    yield '{"method":"subscribe","params":{"channel":"book","symbol":["XBT/USD"]}}'
    yield '{"method":"subscribe","params":{"channel":"book","symbol":["WWW/USD"]},"req_id":0}'
    yield '{"method":"subscribe","params":{"channel":"executions","token":"t"}}'
    yield '{"method":"ping","params":{},"req_id":0}'
    yield '{"method":"ping","req_id":1}'
    yield '{"method":"jump","req_id":0}'
    yield "{malformed"


@pytest.fixture(scope="module")
def ours() -> list[str]:
    return said_by_the_venue()


@pytest.fixture(scope="module")
def shapes(ours: list[str]) -> dict[tuple[str, str], Shape]:
    return newest_shapes((frame, "2026-09") for frame in ours)


# -- comparison ----------------------------------------------------------------------


def test_every_recorded_kind_of_public_frame_has_the_same_shape_here(
    shared: Path, shapes: dict[tuple[str, str], Shape]
) -> None:
    compared: set[str] = set()
    for (name, symbol), theirs in newest_shapes(recorded(shared)).items():
        if name == "instrument":
            continue  # its rows are compared below, with newer ones
        mine = shapes.get((name, symbol))
        assert mine is not None, f"the venue never sends: {name} {symbol}"
        assert mine == theirs, f"{name} {symbol}"
        compared.add(name)
    assert compared >= {
        *("status", "heartbeat", "pong with req_id", "ticker", "trade", "ohlc"),
        *("book snapshot", "book update", "level3 snapshot", "level3 update"),
        *(
            f"subscribe {channel} with req_id"
            for channel in ("ticker", "book", "level3", "ohlc", "trade", "instrument")
        ),
        *("subscribe book", "subscribe trade", "unsubscribe book"),
        *("refusal Malformed request", "refusal Currency pair not supported SYMBOL"),
        *("refusal Currency pair not supported SYMBOL with req_id", "refusal Already subscribed with req_id"),
        *(
            "refusal Unsupported event with req_id",
            "refusal Unsupported field: 'params' for the given msg type: ping with req_id",
        ),
        "refusal Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com",
    }


def test_instrument_rows_have_the_newest_shape(shared: Path, ours: list[str]) -> None:
    vectors = json.loads((shared / "protocol/vectors/v2-public-recorded.json").read_text())
    (older,) = (parsed(row["raw"]) for row in vectors["frames"] if row["label"].startswith("instrument snapshot"))
    (mine,) = (frame for frame in map(parsed, ours) if frame.get("channel") == "instrument")
    assert [list(mine), list(mine["data"])] == [list(older), list(older["data"])]

    theirs: Shape = {}
    for row in vectors["instrument_rows_2026_01"]["asset_rows"]:
        if '"borrowable":true' in row:
            describe(parsed(row), theirs)
    found: Shape = {}
    for asset in mine["data"]["assets"]:
        describe(asset, found)
    assert found == theirs

    margin = ("margin_initial", "position_limit_long", "position_limit_short")
    plain = parsed(vectors["instrument_rows_2026_01"]["pair_rows"][0])
    (marginable,) = (row for row in older["data"]["pairs"] if row["marginable"])
    for pair in mine["data"]["pairs"]:
        assert pair["marginable"]
        assert [name for name in pair if name not in margin] == list(plain)
        assert [name for name in pair if name != "ws_display_price_precision"] == list(marginable)
        for name, value in plain.items():
            assert type(pair[name]) is type(value)
            if isinstance(value, Number):
                assert ("." in pair[name]) == ("." in value), name
        assert value_kind(pair["qty_min"]) == f"{pair['qty_precision']} decimals"
        assert value_kind(pair["price_increment"]) == f"{pair['price_precision']} decimals"
        assert value_kind(pair["margin_initial"]) == value_kind(marginable["margin_initial"])


def test_refusals_known_by_their_members_have_them_here(shared: Path) -> None:
    rows = json.loads((shared / "protocol/vectors/v2-errors-recorded.json").read_text())["shape_only"]
    venue = Venue(VenueConfig(start_ns=START_NS, symbols=["BTC/USD"], seed=1))
    gateway = Gateway(venue, Publisher(), 1)
    asked = (
        '{"method":"unsubscribe","params":{"channel":"book","symbol":["BTC/USD"]},"req_id":9}',
        '{"method":"subscribe","channel":"trade","params":{"channel":"trade","symbol":["ETH/USDC"]}}',
    )
    for row, request in zip(rows, asked, strict=True):
        (reply,) = map(json.loads, gateway.feed_frame(request, START_NS))
        expected = {name: 9 if value == "<echo>" else value for name, value in row["members"].items()}
        assert {name: value for name, value in reply.items() if not name.startswith("time_")} == expected
        assert list(reply) == sorted(reply)


def test_connection_ids_fit_a_double_and_frames_have_no_blanks(ours: list[str]) -> None:
    for frame in ours:
        outside_strings = re.sub(r'"[^"]*"', '""', frame)
        assert not re.search(r"\s", outside_strings)
    assert int(parsed(ours[0])["data"][0]["connection_id"]) < 2**53
