"""Every documented error text comes about in its place, in the shape of its version.

The table is `error_texts`; what is provoked goes through the gateways that the
server uses. Whether the table is complete is held against the reference, where
that is at hand.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conformance.error_texts import (
    CALLS,
    ELSEWHERE,
    FRAMES_V1,
    FRAMES_V2,
    NEVER,
    ORDERS,
    Call,
    Frame,
    Order,
)
from tests.conformance.house import Door, House, Version

from krakenwire.protocol.rest_body import form_body
from krakenwire.protocol.rest_sign import SignedCall


@pytest.fixture(scope="module")
def built() -> House:
    return House()


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
    gateway = house.connect_outside(version) if row.outside else house.connect(version)
    token = house.token(row.by)
    for frame in row.before:
        house.send(gateway, frame)
    text = row.sent if isinstance(row.sent, str) else msgspec.json.encode(row.sent).decode()
    answers = house.feed(gateway, text.replace("TOKEN", token))
    return msgspec.json.decode(msgspec.json.encode(answers).replace(token.encode(), b"TOKEN"))


@pytest.mark.parametrize("row", [pytest.param(row, id=row.text) for row in FRAMES_V2])
def test_a_frame_of_version_2_is_refused_with_the_documented_text(house: House, row: Frame) -> None:
    (answer,) = _fed(house, "v2", row)
    assert answer.pop("error") == row.text
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", answer.pop("time_in"))
    assert answer.pop("time_out")
    assert answer == row.members


@pytest.mark.parametrize("row", [pytest.param(row, id=row.text) for row in FRAMES_V1])
def test_a_frame_of_version_1_is_refused_with_the_documented_text(house: House, row: Frame) -> None:
    (answer,) = _fed(house, "v1", row)
    assert answer == {"errorMessage": row.text, **row.members}


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.method} {row.text}") for row in CALLS])
def test_a_call_is_refused_with_the_documented_text(house: House, row: Call) -> None:
    if row.by is None:
        answer = msgspec.json.decode(house.served.rest(row.method, row.params, house.tick()))
    else:
        answer = house.rest(row.by, row.method, **row.params)
    assert answer == {"error": [row.text]}


# -- who calls --------------------------------------------------------------------


def test_a_call_is_refused_without_the_right_key_signature_or_nonce(house: House) -> None:
    body = form_body({"nonce": house.nonce()})
    assert house.signed(_signed(body, "nobody", "")) == {"error": ["EAPI:Invalid key"]}
    assert house.signed(_signed(body, None, None)) == {"error": ["EAPI:Invalid key"]}
    assert house.signed(_signed(body, "ann", "AAAA")) == {"error": ["EAPI:Invalid signature"]}
    assert house.call("ann", "Balance", body)["error"] == []
    assert house.call("ann", "Balance", body) == {"error": ["EAPI:Invalid nonce"]}
    assert house.call("ann", "Balance", b"") == {"error": ["EAPI:Invalid nonce"]}


def test_too_many_wrong_keys_lock_an_address_out_and_a_right_one_is_still_served() -> None:
    house = House()
    wrong = _signed(form_body({"nonce": house.nonce()}), "nobody", "")
    texts = [house.signed(wrong)["error"][0] for _ in range(25)]
    assert set(texts) == {"EAPI:Invalid key", "EGeneral:Temporary lockout"}
    assert texts == sorted(texts), "first the one, then the other"
    assert house.rest("ann", "Balance")["error"] == []


def test_too_many_calls_of_one_key_are_refused(house: House) -> None:
    texts = [house.rest("hasty", "Balance")["error"] for _ in range(5)]
    assert texts == [[], [], [], ["EAPI:Rate limit exceeded"], ["EAPI:Rate limit exceeded"]]


def _signed(body: bytes, key: str | None, signature: str | None) -> SignedCall:
    return SignedCall("/0/private/Balance", key, signature, body, "", "127.0.0.1")


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


def test_the_table_has_every_text_that_the_reference_lists(shared: Path) -> None:
    known = {row.text for row in (*ORDERS, *FRAMES_V1, *FRAMES_V2, *CALLS)} | {*ELSEWHERE, *NEVER}
    documented = _documented(shared)
    assert len(documented) > 80
    missing = sorted(text for text in documented if _PLACEHOLDERS.get(text, text) not in known)
    assert missing == []


def test_what_is_never_said_is_not_said() -> None:
    said = {row.text for row in (*ORDERS, *FRAMES_V1, *FRAMES_V2, *CALLS)}
    assert said.isdisjoint(NEVER)
    assert said.isdisjoint(ELSEWHERE)
