"""Whatever a client sends, on any path: an error with a known form, a living connection, and no money moved."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.house import House, Version

from krakenwire.limits import REQUEST_BYTES_MAX
from krakenwire.protocol.rest_body import form_body
from krakenwire.protocol.v1 import venue_requests as v1_requests
from krakenwire.protocol.v1 import venue_trading as v1_trading
from krakenwire.protocol.v2 import venue as v2_venue
from krakenwire.protocol.v2 import venue_private as v2_private
from krakenwire.protocol.v2 import venue_trading as v2_trading
from krakenwire.protocol.v2.refusals import MemberKind
from krakenwire.venue.access.permissions import REST_NEEDS
from krakenwire.venue.gateways import v1, v2

HOUSE = House()
TOKEN = HOUSE.token("ann")
GATEWAYS: dict[Version, v1.Gateway | v2.Gateway] = {"v1": HOUSE.connect("v1"), "v2": HOUSE.connect("v2")}
PINGS: dict[Version, dict[str, Any]] = {"v1": {"event": "ping", "reqid": 3}, "v2": {"method": "ping", "req_id": 3}}


def holdings() -> list[tuple[object, ...]]:
    return [
        (account.name, dict(account.balances), sorted(account.open_orders))
        for account in HOUSE.venue.ledger.accounts
        if account.keeps_history
    ]


def survives(version: Version, frame: str | bytes) -> list[Any]:
    """Send a frame; return the answers, after which the connection must still be there."""
    gateway = GATEWAYS[version]
    answers = HOUSE.feed(gateway, frame)
    assert answers, "every request is answered"
    assert gateway.should_close is None
    (pong,) = HOUSE.send(gateway, PINGS[version])
    assert pong.get("method", pong.get("event")) == "pong"
    return answers


def is_refusal(version: Version, answer: Any) -> bool:
    if version == "v2":
        return answer.get("success") is False and isinstance(answer["error"], str)
    return isinstance(answer.get("errorMessage"), str) and answer["event"].endswith(("Status", "error"))


def refused(version: Version, frame: str | bytes) -> None:
    """Send a frame that must be refused, and nothing but refused."""
    before = holdings()
    assert all(is_refusal(version, answer) for answer in survives(version, frame))
    assert holdings() == before


# -- frames that are none ------------------------------------------------------------

NO_FRAMES: dict[str, str | bytes] = {
    "nothing": "",
    "blanks": "   ",
    "a text": '"ping"',
    "a number": "1",
    "null": "null",
    "an array": "[]",
    "an array of requests": '[{"event":"ping"},{"method":"ping"}]',
    "an empty object": "{}",
    "half a frame": '{"method":"ping","req_id":1',
    "two frames": '{"method":"ping"}{"event":"ping"}',
    "a comma too many": '{"method":"ping","event":"ping",}',
    "other quotes": "{'method':'ping','event':'ping'}",
    "a mark in front": b"\xef\xbb\xbf" + b'{"method":"ping","event":"ping"}',
    "no UTF-8": b'{"method":"\xff\xfe","event":"\xff\xfe"}',
    "half a surrogate": b'{"method":"\\ud800","event":"\\ud800"}',
    "a long encoding of a slash": b'{"method":"\xc0\xaf","event":"\xc0\xaf"}',
    "NUL": b'{"method":"pi\x00ng","event":"pi\x00ng"}',
    "only NUL": b"\x00" * 64,
    "not a number": '{"method":"ping","event":"ping","req_id":NaN,"reqid":NaN}',
    "without end": '{"method":"ping","event":"ping","req_id":Infinity,"reqid":-Infinity}',
    "a req_id like a float": '{"method":"ping","event":"ping","req_id":1e3,"reqid":1e3}',
    "a huge req_id": f'{{"method":"ping","event":"ping","req_id":{"9" * 400},"reqid":{"9" * 400}}}',
    "deep arrays": '{"method":"ping","event":"ping","params":' + "[" * 30_000 + "]" * 30_000 + "}",
    "deep objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "as long as can be": '{"method":"' + "m" * (REQUEST_BYTES_MAX - 14) + '"}',
    "longer than can be": '{"method":"ping","event":"ping","pad":"' + "x" * REQUEST_BYTES_MAX + '"}',
}


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("frame", NO_FRAMES.values(), ids=NO_FRAMES)
def test_what_is_no_request_is_refused(version: Version, frame: str | bytes) -> None:
    refused(version, frame)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_of_a_member_that_is_there_twice_one_counts_and_the_request_is_one(version: Version) -> None:
    order = msgspec.json.encode(REQUESTS[version]["add_order" if version == "v2" else "addOrder"]).decode()
    for twice in ('"token":"none"', '"side":"sell"', '"volume":"-1"', '"order_qty":-1'):
        before = HOUSE.account("ann").balances.copy()
        answers = survives(version, order.replace('"token":', f'{twice},"token":', 1))
        assert len(answers) == 1
        assert HOUSE.account("ann").balances == before


# -- members of the wrong kind --------------------------------------------------------------

_ORDER_V2 = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.01, "limit_price": 100.0}
_ROW_V2 = {"order_type": "limit", "side": "buy", "order_qty": 0.01, "limit_price": 100.0}
_NO_ORDER = "OAAAAA-AAAAA-AAAAAA"
_PARAMS_V2: dict[str, dict[str, Any]] = {
    "add_order": _ORDER_V2,
    "amend_order": {"order_id": _NO_ORDER, "order_qty": 0.01},
    "edit_order": {"order_id": _NO_ORDER, "symbol": "BTC/USD", "order_qty": 0.01},
    "cancel_order": {"order_id": [_NO_ORDER]},
    "cancel_all": {},
    "cancel_all_orders_after": {"timeout": 0},
    "batch_add": {"symbol": "BTC/USD", "orders": [_ROW_V2, _ROW_V2]},
    "batch_cancel": {"orders": [_NO_ORDER, _NO_ORDER]},
}
_MEMBERS_V1: dict[str, dict[str, Any]] = {
    "addOrder": {"pair": "XBT/USD", "type": "buy", "ordertype": "limit", "price": "100.0", "volume": "0.01"},
    "editOrder": {"orderid": _NO_ORDER, "pair": "XBT/USD", "volume": "0.01"},
    "amendOrder": {"txid": _NO_ORDER, "volume": "0.01"},
    "cancelOrder": {"txid": [_NO_ORDER]},
    "cancelAll": {},
    "cancelAllOrdersAfter": {"timeout": 0},
}
REQUESTS: dict[Version, dict[str, dict[str, Any]]] = {
    "v1": {event: {"event": event, **members, "token": TOKEN} for event, members in _MEMBERS_V1.items()},
    "v2": {method: {"method": method, "params": {**_PARAMS_V2[method], "token": TOKEN}} for method in _PARAMS_V2},
}
"""A request of each kind that is understood."""

ANYTHING: tuple[Any, ...] = (
    *(True, False, 0, -1, 1, 2**63, -(2**63), 0.5, -0.5, 1e300, "", "x", "NaN", "Infinity", "-1", "1e400", "9" * 70),
    *("\x00", "\ud7ff", "💥" * 40, [], [1], [None], ["x"], [[]], [{}], {}, {"x": 1}, {"price": {}}),
)


def wrong_kind(kind: MemberKind, value: Any) -> bool:
    """Whether a value is none of a member's kind."""
    if kind.of is Decimal:
        return type(value) not in (int, float)
    if type(value) is not kind.of:
        return True
    return kind.item is not None and any(type(item) is not kind.item for item in value)


def wrong_v2() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every member of every method and channel with everything that is not of its kind."""
    for method, (kinds, _) in v2_trading._METHODS.items():
        for name, kind in kinds.items():
            for value in ANYTHING:
                if wrong_kind(kind, value):
                    yield name, {"method": method, "params": {**_PARAMS_V2[method], "token": TOKEN, name: value}}
    channels = {"ticker": v2_venue._MEMBERS, "executions": v2_private._MEMBERS}
    for channel, kinds in channels.items():
        plain = {"channel": channel, "symbol": ["BTC/USD"]} if channel == "ticker" else {"channel": channel}
        for name, kind in kinds.items():
            for value in ANYTHING:
                if wrong_kind(kind, value):
                    yield name, {"method": "subscribe", "params": {**plain, "token": TOKEN, name: value}}


def test_every_member_of_version_2_that_is_not_of_its_kind_is_refused_by_name() -> None:
    before, count = holdings(), 0
    for name, request in wrong_v2():
        (answer,) = HOUSE.send(GATEWAYS["v2"], request)
        assert is_refusal("v2", answer), request
        assert answer["error"].startswith(f"{name.capitalize()} field must be ") or name == "channel", (request, answer)
        count += 1
    assert count > 1_500
    assert holdings() == before
    assert survives("v2", "{}")


def wrong_v1() -> Iterator[dict[str, Any]]:
    """Every member of every event and subscription with everything that has no text of its own."""
    nested = [value for value in ANYTHING if isinstance(value, list | dict)]
    for event, (members, _) in v1_trading._EVENTS.items():
        for name in (*members, "token"):
            for value in nested:
                if not (event == "cancelOrder" and name in ("txid", "cl_ord_id") and isinstance(value, list)):
                    yield {"event": event, **_MEMBERS_V1[event], "token": TOKEN, name: value}
    for name in sorted(v1_requests._SUBSCRIPTION_FIELDS):
        for value in nested:
            asked = {"name": "openOrders", "token": TOKEN, name: value}
            yield {"event": "subscribe", "subscription": asked}
    for value in ANYTHING:
        yield {"event": "subscribe", "pair": ["XBT/USD"], "subscription": value}
        if not isinstance(value, list):
            yield {"event": "subscribe", "pair": value, "subscription": {"name": "ticker"}}


def test_every_member_of_version_1_that_has_no_text_is_refused() -> None:
    before, count = holdings(), 0
    for request in wrong_v1():
        for answer in HOUSE.send(GATEWAYS["v1"], request):
            assert is_refusal("v1", answer), (request, answer)
        count += 1
    assert count > 500
    assert holdings() == before
    assert survives("v1", "{}")


# -- everything at once --------------------------------------------------------------------

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from([value for value in ANYTHING if not isinstance(value, list | dict)]),
    st.sampled_from(["BTC/USD", "XBT/USD", "limit", "market", "buy", "sell", "gtc", "post", "2027-01-01T00:00:00Z"]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
names_v2 = sorted({name for kinds, _ in v2_trading._METHODS.values() for name in kinds} - {"token"})
names_v1 = sorted({name for members, _ in v1_trading._EVENTS.values() for name in members})


@given(st.sampled_from(sorted(_PARAMS_V2)), st.dictionaries(st.sampled_from(names_v2), values, max_size=4))
def test_any_value_of_any_member_of_version_2_is_answered(method: str, changes: dict[str, Any]) -> None:
    params = {**_PARAMS_V2[method], "token": TOKEN, **changes}
    for answer in survives("v2", encoded({"method": method, "params": params})):
        assert answer["method"] == method
        assert answer["success"] or is_refusal("v2", answer) or "result" in answer
    no_money_is_made()


@given(st.sampled_from(sorted(_MEMBERS_V1)), st.dictionaries(st.sampled_from(names_v1), values, max_size=4))
def test_any_value_of_any_member_of_version_1_is_answered(event: str, changes: dict[str, Any]) -> None:
    for answer in survives("v1", encoded({"event": event, **_MEMBERS_V1[event], "token": TOKEN, **changes})):
        assert answer["event"] == f"{event}Status"
        assert answer["status"] == "ok" or is_refusal("v1", answer)
    no_money_is_made()


@given(st.sampled_from(["v1", "v2"]), st.data())
def test_a_request_with_some_bytes_changed_is_answered(version: Version, data: st.DataObject) -> None:
    request = bytearray(encoded(data.draw(st.sampled_from(list(REQUESTS[version].values())))))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(request) - 1))
        request[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    survives(version, bytes(request))
    no_money_is_made()


def encoded(request: Any) -> bytes:
    return msgspec.json.encode(request)


def no_money_is_made() -> None:
    ledger = HOUSE.venue.ledger
    assert not any(map(ledger.total, ledger.decimals))


# -- REST -------------------------------------------------------------------------------

names_rest = st.sampled_from(
    [
        *("pair", "type", "ordertype", "price", "price2", "volume", "displayvol", "leverage", "oflags", "timeinforce"),
        *("starttm", "expiretm", "deadline", "userref", "cl_ord_id", "validate", "trigger", "stptype", "txid", "asset"),
        *("orders[0][price]", "orders[0][volume]", "orders[1]", "orders[]", "close[ordertype]", "close[price]"),
        *("order_id", "order_qty", "limit_price", "timeout", "ofs", "start", "end", "trades", "id", "cl_ord_ids[0]"),
    ]
)
texts = st.one_of(st.text(max_size=20), st.sampled_from([v for v in ANYTHING if isinstance(v, str)]))
methods_rest = st.sampled_from(sorted(REST_NEEDS))


@given(methods_rest, st.dictionaries(names_rest, texts, max_size=6))
def test_any_form_of_any_call_is_answered(method: str, params: dict[str, str]) -> None:
    answered(HOUSE.rest("ann", method, **params))


@given(methods_rest, st.dictionaries(names_rest, values, max_size=6))
def test_any_json_of_any_call_is_answered(method: str, params: dict[str, Any]) -> None:
    answered(HOUSE.call("ann", method, encoded({"nonce": HOUSE.nonce(), **params})))


@given(methods_rest, st.binary(max_size=60))
def test_any_bytes_behind_the_nonce_are_answered(method: str, rest: bytes) -> None:
    nonce = HOUSE.nonce()
    answered(HOUSE.call("ann", method, b"nonce=%s&" % nonce.encode() + rest.replace(b"nonce", b"")))


BODIES = {
    "nothing": b"",
    "no UTF-8": b"nonce=\xff\xfe",
    "a nonce below zero": b"nonce=-1",
    "a nonce with a point": b"nonce=1.5",
    "a nonce beyond 64 bits": b"nonce=" + b"9" * 40,
    "a nonce that is a list": b'{"nonce":[1]}',
    "JSON that is cut": b'{"nonce":1,',
    "JSON not a number": b'{"nonce":NaN}',
    "deep JSON": b'{"nonce":1,"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_without_a_nonce_that_can_be_is_refused(body: bytes) -> None:
    (error,) = HOUSE.call("ann", "Balance", body)["error"]
    assert error in ("EAPI:Invalid nonce", "EGeneral:Invalid arguments", "EAPI:Invalid signature")


def test_too_many_parameters_and_too_much_of_everything_are_refused() -> None:
    for more in ({str(number): "x" for number in range(3_000)}, {"pad": "x" * REQUEST_BYTES_MAX}):
        assert HOUSE.call("ann", "Balance", form_body({"nonce": HOUSE.nonce(), **more})) == {
            "error": ["EGeneral:Invalid arguments"]
        }


@given(
    st.sampled_from(["Ticker", "Depth", "Trades", "OHLC", "Spread", "Assets", "AssetPairs", "Time", "x" * 50]),
    st.data(),
)
def test_any_public_call_is_answered(method: str, data: st.DataObject) -> None:
    names = st.sampled_from(["pair", "count", "since", "interval", "asset", "info", "aclass", "aclass_base"])
    params = data.draw(st.dictionaries(names, texts | st.sampled_from(["XBTUSD", "BTC/USD", "XXBTZUSD"]), max_size=4))
    answered(msgspec.json.decode(HOUSE.served.rest(method, params, HOUSE.tick())))


def answered(answer: dict[str, Any]) -> None:
    """An answer is a result or one error of a known form."""
    assert set(answer) == ({"error", "result"} if not answer["error"] else {"error"})
    assert all(error[0] == "E" and ":" in error for error in answer["error"])
    assert len(answer["error"]) <= 1
    no_money_is_made()
