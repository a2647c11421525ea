"""The control port: every operation over HTTP, and nothing for those who should not be there."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.peers import Peer, limit_order, peer, signed
from tests.e2e.peers import http as fetch

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.errors import ConfigError, UsageError
from krakenwire.limits import REQUEST_BYTES_MAX
from krakenwire.testing import local_kraken


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD"], rate=50, control=0) as running:
        yield running


@pytest.fixture
def client(venue: LocalVenue) -> Iterator[Peer]:
    with peer(venue.ws_v2) as connected:
        connected.of("status")
        yield connected


def control(venue: LocalVenue, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
    """Return status and JSON; with a body it is a POST."""
    given = {"Authorization": f"Bearer {venue.control_token.reveal()}"} | headers
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return fetch(f"{venue.control}/{path}", content, given)


def test_what_there_is_is_listed(venue: LocalVenue) -> None:
    status, listed = control(venue, "")
    assert status == 200
    assert set(listed["get"]) == {"clock", "connections", "faults"}
    assert listed["post"]["advance"] == {"does": "move the venue's clock forward", "members": {"seconds": "required"}}
    assert listed["post"]["lose_ack"]["members"] == {"count": 1, "method": None}


# -- who may not ---------------------------------------------------------------------


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic {token}", "{token}", "Bearer {token}x"])
def test_without_the_token_nothing_is_done(venue: LocalVenue, given: str) -> None:
    header = given.format(token=venue.control_token.reveal())
    for path, body in (("", None), ("connections", None), ("set_status", {"status": "maintenance"})):
        status, answer = control(venue, path, body, Authorization=header)
        assert status == 401
        assert "Authorization: Bearer" in answer["error"]
    assert fetch(f"{venue.rest}/0/public/SystemStatus")[1]["result"]["status"] == "online"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "evil.example"),
        ("Host", "127.0.0.1.evil.example"),
        ("Host", "192.0.2.1"),
        ("Host", "[::1"),
        ("Origin", "https://evil.example"),
        ("Origin", "http://127.0.0.1:8080"),
        ("Origin", "null"),
    ],
)
def test_a_web_page_is_refused_even_with_the_token(venue: LocalVenue, name: str, value: str) -> None:
    connection = http.client.HTTPConnection(venue.control.removeprefix("http://"), timeout=20)
    connection.putrequest("GET", "/connections", skip_host=name == "Host")
    connection.putheader("Authorization", f"Bearer {venue.control_token.reveal()}")
    connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status in (400, 403)
    assert "no web page" in answer.read().decode() or answer.status == 400
    connection.close()


# -- mistakes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("nothing", {}, 404, "GET / lists"),
        ("nothing", None, 404, "GET / lists"),
        ("advance/more", {}, 404, "GET / lists"),
        ("advance", None, 404, "GET / lists"),
        ("connections", {}, 404, "GET / lists"),
        ("", {}, 405, "POST"),
        ("advance", b"{", 400, "JSON"),
        ("advance", b"\xff\xfe", 400, ""),
        ("advance", [1], 400, "object"),
        ("advance", {}, 400, "seconds"),
        ("advance", {"seconds": "1"}, 400, "float"),
        ("advance", {"seconds": -1}, 400, "seconds to advance"),
        ("advance", {"seconds": 1, "minutes": 1}, 400, "minutes"),
        ("set_status", {"status": "asleep"}, 400, "one of online"),
        ("deposit", {"account": "nobody", "asset": "USD", "amount": "1"}, 400, "configured"),
        ("deposit", {"account": "demo", "asset": "USD", "amount": "NaN"}, 400, "amount"),
        ("act", {"account": "demo", "method": "add_order", "params": {"side": "buy"}}, 400, "not found"),
        ("act", {"account": "demo", "method": "subscribe"}, 400, "subscribe"),
        ("act", {"account": "fees", "method": "cancel_all"}, 400, "venue's own"),
        ("garble", {"how": "sing"}, 400, "one of cut"),
        ("fail", {"count": -1}, 400, "count"),
        ("lose_ack", b"[" * 50_000, 400, ""),
        ("act", b'{"params":{"a":' + b"[" * 50_000, 400, "JSON"),
        ("advance", b" " * (REQUEST_BYTES_MAX + 1), 413, "bytes"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(
    venue: LocalVenue, path: str, body: object, status: int, words: str
) -> None:
    answered, answer = control(venue, path, body)
    assert (answered, list(answer)) == (status, ["error"])
    assert words in answer["error"]
    assert control(venue, "faults")[1] == {"faults": []}


def test_a_venue_without_a_control_port_says_so() -> None:
    with local_kraken(symbols=["BTC/USD"]) as venue, pytest.raises(UsageError, match="control=0"):
        _ = venue.control
    with pytest.raises(ConfigError, match="control"):
        LocalVenue(control=-1)


def test_the_token_is_new_for_each_venue_and_in_no_text() -> None:
    first, second = LocalVenue(symbols=["BTC/USD"]), LocalVenue(symbols=["BTC/USD"])
    assert first.control_token.reveal() != second.control_token.reveal()
    assert first.control_token.reveal() not in f"{first.control_token!r} {first.control_token}"


# -- operations --------------------------------------------------------------------------


def test_the_clock_is_held_moved_and_let_go(venue: LocalVenue) -> None:
    assert control(venue, "freeze", {}) == (200, {})
    before = control(venue, "clock")[1]
    assert control(venue, "advance", {"seconds": 90.5}) == (200, {})
    after = control(venue, "clock")[1]
    assert (before["frozen"], after["now_ns"] - before["now_ns"]) == (True, 90_500_000_000)
    assert control(venue, "resume", {}) == (200, {})
    assert control(venue, "clock")[1]["frozen"] is False


def test_connections_are_seen_stalled_garbled_and_cut(venue: LocalVenue, client: Peer) -> None:
    (seen,) = control(venue, "connections")[1]["connections"]
    assert (seen["version"], seen["host"], seen["subscriptions"]) == (2, "any", [])
    assert control(venue, "garble", {"connection": seen["connection"], "how": "not_json"}) == (200, {"connections": 1})
    client.send(method="ping")
    assert "CloudFlare" in client.text()
    assert control(venue, "stall", {"seconds": 0.05, "version": 2}) == (200, {"connections": 1})
    assert client.ask(method="ping")["method"] == "pong"
    assert control(venue, "cut", {"account": "demo"}) == (200, {"connections": 0})
    assert control(venue, "cut", {}) == (200, {"connections": 1})
    assert client.ended()


def test_the_status_is_set_and_told(venue: LocalVenue, client: Peer) -> None:
    assert control(venue, "set_status", {"status": "cancel_only"}) == (200, {})
    assert client.of("status")["data"][0]["system"] == "cancel_only"
    control(venue, "set_status", {"status": "online"})


def test_orders_are_placed_and_cancelled_as_anybody(venue: LocalVenue) -> None:
    status, answer = control(venue, "act", {"account": "whale", "method": "add_order", "params": limit_order()})
    assert status == 200
    (placed,) = answer["answers"]
    assert (placed["method"], placed["success"]) == ("add_order", True)
    cancel = {"order_id": [placed["result"]["order_id"], "OAAAAA-AAAAA-AAAAAA"]}
    answers = control(venue, "act", {"account": "whale", "method": "cancel_order", "params": cancel})[1]["answers"]
    assert [answer["success"] for answer in answers] == [True, False]


def test_money_comes_in_exactly(venue: LocalVenue) -> None:
    before = signed(venue, "Balance")["result"]["ZUSD"]
    assert control(venue, "deposit", b'{"account":"demo","asset":"USD","amount":0.1}') == (200, {})
    assert control(venue, "deposit", {"account": "demo", "asset": "USD", "amount": "0.0001"}) == (200, {})
    assert float(signed(venue, "Balance")["result"]["ZUSD"]) == pytest.approx(float(before) + 0.1001, abs=1e-9)


FAULTS = [
    ("corrupt_checksums", {"count": 3}, {"kind": "corrupt_checksums", "channel": "book", "count": 3}),
    ("drop_updates", {"channel": "trade"}, {"kind": "drop_updates", "channel": "trade", "count": 1}),
    ("duplicate_updates", {"channel": "ohlc"}, {"kind": "duplicate_updates", "channel": "ohlc", "count": 1}),
    ("delay_ack", {"seconds": 2}, {"kind": "delay_ack", "method": None, "count": 1, "seconds": 2.0, "error": ""}),
    ("lose_ack", {"method": "AddOrder"}, {"kind": "lose_ack", "method": "AddOrder", "count": 1}),
    ("lose_request", {"count": 2}, {"kind": "lose_request", "method": None, "count": 2}),
    ("fail", {"method": "ping", "error": "no"}, {"kind": "fail", "method": "ping", "count": 1, "error": "no"}),
]


@pytest.mark.parametrize(("name", "body", "expected"), FAULTS, ids=[name for name, _, _ in FAULTS])
def test_each_fault_is_set_seen_and_cleared(name: str, body: dict[str, Any], expected: dict[str, Any]) -> None:
    with local_kraken(symbols=["BTC/USD"], rate=1, control=0) as quiet:
        assert control(quiet, name, body) == (200, {})
        (fault,) = control(quiet, "faults")[1]["faults"]
        assert {member: fault[member] for member in expected} == expected
        assert control(quiet, "clear_faults", {}) == (200, {})
        assert control(quiet, "faults")[1] == {"faults": []}


def test_a_fault_set_over_http_is_committed(venue: LocalVenue, client: Peer) -> None:
    control(venue, "fail", {"method": "ping", "error": "EService:Unavailable"})
    assert client.ask(method="ping")["error"] == "EService:Unavailable"
    token = venue.token().reveal()
    control(venue, "expire_tokens", {})
    assert client.call("cancel_all", token=token)["error"] == "ESession:Invalid session"


def test_a_venue_with_strict_hosts_has_one_control_port_for_all() -> None:
    with (
        local_kraken(symbols=["BTC/USD"], strict_hosts=True, control=0) as venue,
        peer(venue.ws_v2) as public,
        peer(venue.ws_v2_private) as private,
    ):
        public.of("status"), private.of("status")
        assert control(venue, "cut", {"host": "private"}) == (200, {"connections": 1})
        assert private.ended()
        assert public.ask(method="ping")["method"] == "pong"
