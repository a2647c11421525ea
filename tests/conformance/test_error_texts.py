"""Every documented error text comes about in its place, in the shape of its version.

The tables are `error_texts` and `error_frames`; what is provoked goes through the gateways that the
server uses, and faults are fired at a running venue. Whether the table is complete is held against the reference, where
that is at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conformance.error_frames import CALLS, FRAMES_V1, FRAMES_V2, Call, Frame
from tests.conformance.error_texts import CALLERS, FAULTS, NEVER, ORDERS, REASONS, Caller, Fault, Order, Reason
from tests.conformance.house import REQ_ID, VERSIONS, Door, House, Version, refusal
from tests.e2e.peers import Peer, limit_order, peer, signed

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.model.rates import RateLimit
from krakenwire.protocol.rest_body import form_body
from krakenwire.protocol.rest_sign import SignedCall
from krakenwire.testing import local_kraken
from krakenwire.venue.config.local_config import ServiceConfig


@pytest.fixture(scope="module")
def built() -> House:
    return House()


@pytest.fixture(scope="module")
def hurried() -> House:
    """Where a connection may send one message at once."""
    return House(ServiceConfig(message_rate=RateLimit(Decimal(1), Decimal("0.001"))))


@pytest.fixture
def house(built: House) -> House:
    built.rest_a_while()
    return built


@pytest.mark.parametrize(
    ("row", "version"),
    [pytest.param(row, version, id=f"{version} {row.text}") for row in ORDERS for version in row.on],
)
def test_a_request_about_orders_is_refused_with_the_documented_text(house: House, row: Order, version: Version) -> None:
    door = Door(house, version, row.by)
    request = row.ask(door)
    house.set_status(row.mode)
    assert door.refused(request) == row.text


def _fed(house: House, version: Version, row: Frame) -> list[Any]:
    gateway = house.connect_outside(version) if row.outside else house.connect(version, row.host)
    token = house.token(row.by)
    for frame in row.before:
        house.send(gateway, frame)
    text = row.sent if isinstance(row.sent, str) else msgspec.json.encode(row.sent).decode()
    answers = house.feed(gateway, text.replace("TOKEN", token))
    return msgspec.json.decode(msgspec.json.encode(answers).replace(token.encode(), b"TOKEN"))


@pytest.mark.parametrize("row", [pytest.param(row, id=row.text) for row in FRAMES_V2])
def test_a_frame_of_version_2_is_refused_with_the_documented_text(house: House, hurried: House, row: Frame) -> None:
    (answer,) = _fed(hurried if row.hurried else house, "v2", row)
    assert answer.pop("error") == row.text
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", answer.pop("time_in"))
    assert answer.pop("time_out")
    assert answer == row.members


@pytest.mark.parametrize("row", [pytest.param(row, id=row.text) for row in FRAMES_V1])
def test_a_frame_of_version_1_is_refused_with_the_documented_text(house: House, hurried: House, row: Frame) -> None:
    (answer,) = _fed(hurried if row.hurried else house, "v1", row)
    assert answer == {"errorMessage": row.text, **row.members}


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.method} {row.text}") for row in CALLS])
def test_a_call_is_refused_with_the_documented_text(house: House, row: Call) -> None:
    if row.by is None:
        answer = msgspec.json.decode(house.served.rest(row.method, row.params, house.tick()))
    else:
        answer = house.rest(row.by, row.method, **row.params)
    assert answer == {"error": [row.text]}


# -- who calls --------------------------------------------------------------------


@pytest.mark.parametrize("row", [pytest.param(row, id=row.text) for row in CALLERS])
def test_whoever_calls_is_refused_with_the_documented_text(house: House, row: Caller) -> None:
    assert row.call(house) == {"error": [row.text]}


def test_too_many_wrong_keys_lock_an_address_out_and_a_right_one_is_still_served() -> None:
    house = House()
    wrong = SignedCall("/0/private/Balance", "nobody", "", form_body({"nonce": house.nonce()}), "", "127.0.0.1")
    texts = [house.signed(wrong)["error"][0] for _ in range(25)]
    assert set(texts) == {"EAPI:Invalid key", "EGeneral:Temporary lockout"}
    assert texts == sorted(texts), "first the one, then the other"
    assert house.rest("ann", "Balance")["error"] == []


def test_too_many_calls_of_one_key_are_refused(house: House) -> None:
    texts = [house.rest("hasty", "Balance")["error"] for _ in range(5)]
    assert texts == [[], [], [], ["EAPI:Rate limit exceeded"], ["EAPI:Rate limit exceeded"]]


# -- reasons and faults ---------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", [pytest.param(row, id=row.text) for row in REASONS])
def test_an_order_is_canceled_with_the_documented_text(house: House, row: Reason, version: Version) -> None:
    order_id = row.ended(Door(house, version, row.by))
    record = house.rest(row.by, "QueryOrders", txid=order_id)["result"][order_id]
    assert (record["status"], record["reason"]) == ("canceled", row.told)


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD"], rate=1) as running:
        yield running


@pytest.fixture(scope="module")
def peers(venue: LocalVenue) -> Iterator[Mapping[Version, Peer]]:
    with peer(venue.ws_v1) as old, peer(venue.ws_v2) as new:
        yield {"v1": old, "v2": new}


_FLAT = {"pair": "XBT/USD", "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.01"}
_ASKS: Mapping[tuple[str, Version], dict[str, Any]] = {
    ("add_order", "v1"): {"event": "addOrder", **_FLAT, "token": "T"},
    ("add_order", "v2"): {"method": "add_order", "params": limit_order(token="T")},
    ("add_order", "rest"): {"method": "AddOrder", **_FLAT, "pair": "XBTUSD"},
    ("Balance", "rest"): {"method": "Balance"},
    ("private", "v1"): {"event": "subscribe", "subscription": {"name": "ownTrades", "token": "T"}},
    ("private", "v2"): {"method": "subscribe", "params": {"channel": "executions", "token": "T"}},
    ("public", "v1"): {"event": "subscribe", "pair": ["XBT/USD"], "subscription": {"name": "ticker"}},
}
"""What a fault refuses, as each version asks for it."""

_TEXT_MEMBER: Mapping[Version, str] = {"v1": "errorMessage", "v2": "error", "rest": "error"}


def _asked(venue: LocalVenue, peers: Mapping[Version, Peer], row: Fault, version: Version) -> Any:
    """Fire a fault at what it refuses, and return the answer."""
    request = _ASKS[row.asks, version]
    venue.fail(request.get("event") or request["method"], row.text)
    if version == "rest":
        return signed(venue, **request)
    number = "reqid" if version == "v1" else "req_id"
    peers[version].send(**request, **{number: REQ_ID})
    return peers[version].until(lambda frame: isinstance(frame, dict) and frame.get(number) == REQ_ID)


@pytest.mark.parametrize(
    ("row", "version"),
    [pytest.param(row, version, id=f"{version} {row.text}") for row in FAULTS for version in row.on],
)
def test_a_fault_is_said_with_the_documented_text(
    venue: LocalVenue, peers: Mapping[Version, Peer], row: Fault, version: Version
) -> None:
    answer = _asked(venue, peers, row, version)
    if row.asks == "add_order":
        assert refusal(version, answer, "add_order") == row.text
    else:
        assert answer[_TEXT_MEMBER[version]] == ([row.text] if version == "rest" else row.text)


# -- completeness -------------------------------------------------------------------

SECTIONS = (("v2.md", "## 12. ", "## 13. "), ("v1.md", "## 11. ", "## 12. "))
"""Where the reference lists texts of errors."""

_PLACEHOLDERS = {
    "<Field> field must be a number_float": "Limit_price field must be a number_float",
    "<Field>(s) not found": "Token(s) not found",
    "Currency pair not supported <symbol>": "Currency pair not supported XBT/USD",
    "Currency pair not supported <pair>": "Currency pair not supported XBT/FOO",
    "Currency pair not in ISO 4217-A3 format <text>": "Currency pair not in ISO 4217-A3 format XBTUSD",
    "Unsupported field: '<name>' for the given msg type: <method>": (
        "Unsupported field: 'params' for the given msg type: ping"
    ),
    "Subscription <name> doesn't require depth": "Subscription spread doesn't require depth",
    "EGeneral:Internal error[:<code>]": "EGeneral:Internal error",
    "... post_only mode": "EService:Market in post_only mode",
    "... limit_only mode": "EService:Market in limit_only mode",
    "… doesn't require interval": "Subscription trade doesn't require interval",
    "Invalid timeout argument": "EGeneral:Invalid arguments:Invalid timeout argument",
    "EOrder:Insufficient funds (insufficient user funds)": "EOrder:Insufficient funds",
    "Currency pair not in ISO 4217-A3 format": "Currency pair not in ISO 4217-A3 format XBTUSD",
    "EService: Throttled: <unix time>": "EService: Throttled: 1790000000",
}
"""Texts that the reference writes with a gap in them, and one that fills it."""

_TEXT = re.compile(r"E[A-Z][A-Za-z]+: ?[A-Z].*|[A-Z…<.].* .*")


def _documented(shared: Path) -> set[str]:
    found: set[str] = set()
    for name, begin, end in SECTIONS:
        section = (shared / "protocol" / name).read_text().split(f"\n{begin}")[1].split(f"\n{end}")[0]
        for line in section.splitlines():
            where = line.split("|")[1] if line.startswith("|") else line
            found.update(text for text in re.findall(r"`([^`]+)`", where) if _TEXT.fullmatch(text))
    return found


PROVOKED = {row.text for table in (ORDERS, FRAMES_V1, FRAMES_V2, CALLS, CALLERS, REASONS) for row in table}
"""Texts that requests bring about by themselves."""


def test_the_table_has_every_text_that_the_reference_lists(shared: Path) -> None:
    known = PROVOKED | {row.text for row in FAULTS} | NEVER.keys()
    documented = _documented(shared)
    assert len(documented) > 80
    missing = sorted(text for text in documented if _PLACEHOLDERS.get(text, text) not in known)
    assert missing == []


def test_every_text_comes_about_by_itself_or_by_a_fault_or_is_counted_here() -> None:
    fired = {row.text for row in FAULTS}
    assert PROVOKED.isdisjoint(fired), "a fault is for what nothing else brings about"
    assert (PROVOKED | fired).isdisjoint(NEVER)
    assert all(row.why for row in FAULTS)
    assert all(NEVER.values())
    assert (len(fired), len(NEVER)) == (19, 6), "texts that take a fault, and texts that are never said"
