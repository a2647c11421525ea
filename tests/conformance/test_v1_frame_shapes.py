"""Our version 1 venue writes every kind of public frame as the recorded one did.

A shape is what is left of a frame when its values are forgotten: members in
their order, lengths of rows, the kind of each number and time. Recordings of
different years differ in one place, the system status; there the newest wins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from krakenwire.model import BookUpdate, Refused, Unknown
from krakenwire.protocol.v1 import ClientCodec
from krakenwire.protocol.v1.venue import PrivateSubscribe, PrivateUnsubscribe, Refusal, parse_request
from krakenwire.session.feed import Feed
from krakenwire.venue import Market, Publisher, instruments
from krakenwire.venue.gateways.v1 import Gateway

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND

PUBLIC = ("v1-system", "v1-subscription", "v1-public", "v1-book-depth10", "v1-session-trade", "v1-session-ticker",
          "v1-session-book")  # fmt: skip
RECORDED_2021 = ("KRAKEN.ws.48.0", "KRAKEN.ws.49.0", "KRAKEN.ws.50.0")

OLD_SYSTEM_STATUS = re.compile(r'systemStatus.*"version":"(?:0|1\.[0-8]|1\.9\.[0-5])')
ELSEWHERE = ("ownTrades", "openOrders", "Private subscriptions", "Public market data")
"""Frames of the private host, and one of version 2."""

TEXTS = (
    ("time", re.compile(r"\d{10}\.\d{6}")),
    ("decimal", re.compile(r"\d+\.\d+")),
    ("digits", re.compile(r"\d+")),
    ("side", re.compile(r"[bs]")),
    ("type", re.compile(r"[ml]")),
    ("flag", re.compile(r"r")),
    ("nothing", re.compile(r"")),
)


def shape(value: Any) -> Any:
    """The frame without its values."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        inner = [shape(member) for member in value]
        rows = bool(value) and all(isinstance(member, list) for member in value)
        return sorted({json.dumps(row) for row in inner}) if rows else inner
    if isinstance(value, str):
        return next((name for name, pattern in TEXTS if pattern.fullmatch(value)), "word")
    return type(value).__name__


def kind(message: Any) -> str:
    """What sort of frame it is: its name and, for books, which containers it has."""
    if isinstance(message, list):
        name = re.sub(r"-\d+", "", message[-2])
        return name + "".join(f" {side}" for part in message[1:-2] if name == "book" for side in part if side != "c")
    status = f"{message.get('event')} {message.get('status', '')}"
    told = [name for name in ("channelName", "pair", "reqid", "subscription") if name in message]
    name = message.get("subscription", {}).get("name", "") if message.get("status") != "error" else ""
    return " ".join([status, *told, name])


def in_file(shared: Path, name: str) -> Iterator[tuple[str, bool]]:
    """Frames of a vector file that a server sent, and whether they are the text that was on the wire."""
    for vector in json.loads((shared / "protocol/vectors" / f"{name}.json").read_text())["vectors"]:
        for entry in vector.get("frames", [vector]):
            if isinstance(entry, str):
                yield entry, True
            elif entry.get("direction", "server->client") == "server->client":
                exact = "raw" in entry and "hand-edited" not in entry.get("note", "")
                yield entry["raw"] if "raw" in entry else json.dumps(entry["message"]), exact


def in_session(shared: Path, name: str) -> Iterator[str]:
    """Frames received in a recorded session."""
    for line in (shared / "data/real/session_v1_2021-04-17" / name).read_text().splitlines():
        if line.startswith("1"):
            yield line.partition(": ")[2]


def recorded(shared: Path) -> dict[str, list[tuple[Any, bool]]]:
    """Every public server frame we have, by kind."""
    found: dict[str, list[tuple[Any, bool]]] = {}
    frames = [pair for name in PUBLIC for pair in in_file(shared, name)]
    frames += [(frame, True) for name in RECORDED_2021 for frame in in_session(shared, name)]
    for frame, exact in frames:
        if not any(word in frame for word in ELSEWHERE if "Try ws-auth" not in frame):
            message = json.loads(frame)
            if isinstance(message, list) or "event" in message or "Error" in message:
                found.setdefault(kind(message), []).append((message, exact and not OLD_SYSTEM_STATUS.search(frame)))
    return found


def ours() -> dict[str, list[Any]]:
    """Every kind of frame our venue writes, from one client who asks for everything and makes every mistake."""
    (instrument,) = instruments(["BTC/USD"])
    market = Market(instrument, time_ns=NOW - 100 * SECOND)
    for step in range(20):
        market.place("buy", 100_000_000 + step, 600_000 - step, NOW - 90 * SECOND)
        market.place("sell", 200_000_000 + step, 600_010 + step, NOW - 90 * SECOND)
    market.place("buy", 5, None, NOW - SECOND)
    publisher: Publisher[Gateway] = Publisher()
    gateway = Gateway({"BTC/USD": market}, publisher, lambda: "online", 2**53 - 1, trade_snapshot=True)
    frames = gateway.feed_open(NOW)
    for event in ("subscribe", "unsubscribe", "subscribe"):
        for name in ("ticker", "trade", "spread", "book", "ohlc"):
            for reqid in ({}, {"reqid": 3}):
                request = {"event": event, "pair": ["XBT/USD"], "subscription": {"name": name}, **reqid}
                frames += gateway.feed_frame(json.dumps(request), NOW)
                if event == "unsubscribe":
                    frames += gateway.feed_frame(json.dumps(request | {"event": "subscribe"}), NOW)
    frames += gateway.poll(NOW + 2 * SECOND)
    for side, qty, price in (
        ("buy", 7, 600_005),
        ("sell", 8, 600_009),
        ("sell", 7, None),
        ("buy", 500_000_000, 600_011),  # takes two levels and rests with what is left: both sides change
    ):
        market.place(side, qty, price, NOW + SECOND)  # type: ignore[arg-type] # a table of literals
        frames += [frame for frame, _ in publisher.advance("BTC/USD", NOW + SECOND)]
    for mistake in (
        "{",
        "{}",
        '{"reqid":1}',
        '{"event":"ping","reqid":"a"}',
        '{"event":"ping","reqid":1}',
        '{"event":"ping"}',
        '{"event":"subscribe","pair":["MAG/USD"],"subscription":{"name":"trade"}}',
        '{"event":"subscribe","reqid":1,"pair":["XBT/USDT"],"subscription":{"depth":10}}',
        '{"event":"subscribe","subscription":{"name":"ownTrades","token":"x"}}',
    ):
        frames += gateway.feed_frame(mistake, NOW)
    found: dict[str, list[Any]] = {}
    for message in map(json.loads, frames):
        found.setdefault(kind(message), []).append(message)
    return found


NOT_OURS = {
    "error  reqid ": "the rate limit, which the local venue does not have",
    "None  ": "the undocumented form of the rate limit",
}


def test_our_frames_of_every_recorded_kind_have_the_recorded_shape(shared: Path) -> None:
    mine, theirs = ours(), recorded(shared)
    assert set(theirs) - set(mine) == set(NOT_OURS)
    for name in sorted(set(theirs) & set(mine)):
        exact = [json.dumps(shape(message)) for message, raw in theirs[name] if raw]
        loose = [shape(message) for message, _ in theirs[name]]
        for message in mine[name]:
            found = shape(message)
            if name.startswith("book"):
                assert containers(found) in map(containers, loose), name
            elif exact:
                assert json.dumps(found) in exact, name
            else:
                assert found in loose, name


@pytest.mark.parametrize("names", [("book as bs",), ("book a", "book b", "book a b")], ids=["snapshot", "update"])
def test_our_book_rows_have_recorded_shapes(shared: Path, names: tuple[str, ...]) -> None:
    mine, theirs = ours(), recorded(shared)
    known = {row for name in names for message, _ in theirs[name] for row in rows(shape(message))}
    found = {row for name in names for message in mine[name] for row in rows(shape(message))}
    assert found
    assert found == known


def containers(found: Any) -> str:
    """The shape of a book frame without its rows."""
    return json.dumps([list(part) if isinstance(part, dict) else part for part in found])


def rows(found: Any) -> Iterator[str]:
    """The shapes of the levels of a book frame."""
    for part in found[1:-2]:
        for side, levels in part.items():
            if side == "c":
                assert levels == "digits"
            else:
                yield from levels


def test_our_volumes_have_eight_decimals_and_our_prices_those_of_the_pair() -> None:
    mine = ours()
    (ticker, *_), (trade, *_), (candle, *_), (spread, *_) = mine["ticker"], mine["trade"], mine["ohlc"], mine["spread"]
    books = [level for name in mine if name.startswith("book") for m in mine[name] for part in m[1:-2]
             for side, levels in part.items() if side != "c" for level in levels]  # fmt: skip
    body = ticker[1]
    volumes = [body["a"][2], body["b"][2], body["c"][1], *body["v"], trade[1][0][1], candle[1][7], *spread[1][3:]]
    volumes += [level[1] for level in books]
    prices = [body["a"][0], body["b"][0], body["c"][0], *body["p"], *body["l"], *body["h"], *body["o"], trade[1][0][0]]
    prices += [*candle[1][2:7], *spread[1][:2], *(level[0] for level in books)]
    assert {len(text.partition(".")[2]) for text in volumes} == {8}
    assert {len(text.partition(".")[2]) for text in prices} == {5}


def test_every_recorded_public_server_frame_decodes(shared: Path) -> None:
    codec = ClientCodec()
    counted: dict[str, int] = {}
    for name in PUBLIC:
        for frame, _ in in_file(shared, name):
            (event,) = codec.decode(frame)
            assert not isinstance(event, Unknown) or "subscriptionStatus of" in event.what or "without" in event.what
            assert ("rror" in frame) == isinstance(event, Refused)
            counted[name] = counted.get(name, 0) + 1
    assert set(counted) == set(PUBLIC)


@pytest.mark.parametrize(("name", "updates"), [("v1-session-book", 1), ("v1-book-depth10", 16)])
def test_every_recorded_book_update_matches_its_checksum(shared: Path, name: str, updates: int) -> None:
    verified = 0
    for vector in json.loads((shared / "protocol/vectors" / f"{name}.json").read_text())["vectors"]:
        feed = Feed(ClientCodec())
        for entry in vector["frames"]:
            frame = entry if isinstance(entry, str) else entry["raw"]
            if isinstance(entry, str) or entry["direction"] == "server->client":
                for event in feed.feed(frame):
                    if isinstance(event, BookUpdate) and event.kind == "update":
                        assert event.verified
                        verified += 1
    assert verified >= updates


def test_the_recorded_session_of_ten_books_verifies_update_by_update(shared: Path) -> None:
    feed = Feed(ClientCodec())
    events = [event for frame in in_session(shared, "KRAKEN.ws.50.0") for event in feed.feed(frame)]
    updates = [event for event in events if isinstance(event, BookUpdate) and event.kind == "update"]
    assert len(updates) == 4_269
    assert all(event.verified for event in updates)


def requests(shared: Path) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Recorded and documented client requests, with the refusal where one is known."""
    by_id = {}
    for name in ("v1-system", "v1-subscription"):
        for vector in json.loads((shared / "protocol/vectors" / f"{name}.json").read_text())["vectors"]:
            message = json.loads(vector["raw"]) if "raw" in vector else vector["message"]
            by_id[vector["id"]] = (message, vector["direction"] == "client->server")
            if "request" in vector:
                yield json.dumps(vector["request"]), message
            if vector.get("in_reply_to"):
                yield json.dumps(by_id[vector["in_reply_to"]][0]), message
    for message, asked in by_id.values():
        if asked:
            yield json.dumps(message), None


def test_documented_requests_are_taken_or_refused_as_the_venue_does(shared: Path) -> None:
    taken = refused = 0
    for frame, reply in requests(shared):
        parsed = parse_request(frame)
        error = (reply or {}).get("errorMessage", "")
        if error and "Currency pair" not in error:
            answers = Gateway({}, Publisher(), lambda: "online", 1).feed_frame(frame, NOW)
            assert answers == [json.dumps(reply, sort_keys=True, separators=(",", ":"))], frame
            refused += 1
        elif isinstance(parsed, Refusal):
            assert "reqid" in frame  # the vectors of the refusals above
        else:
            private = isinstance(parsed, PrivateSubscribe | PrivateUnsubscribe)
            assert private == ("ownTrades" in frame or "openOrders" in frame)
            taken += 1
    assert (taken >= 9, refused >= 8) == (True, True)


def test_the_gateway_refuses_an_unknown_pair_as_recorded(shared: Path) -> None:
    replies = [(frame, reply) for frame, reply in requests(shared) if "Currency pair" in str(reply)]
    assert replies
    for frame, reply in replies:
        gateway = Gateway({}, Publisher(), lambda: "online", 1)
        gateway.feed_open(NOW)
        assert gateway.feed_frame(frame, NOW) == [json.dumps(reply, sort_keys=True, separators=(",", ":"))]
