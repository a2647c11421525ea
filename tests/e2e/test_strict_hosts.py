"""Public, private and level3 addresses of their own, each refusing what Kraken's host refuses, in its words."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import websocket
from tests.e2e.command import start
from tests.e2e.peers import http, limit_order, peer, signed

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.errors import ConfigError
from krakenwire.testing import local_kraken

PRIVATE = "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"
PUBLIC = "Public market data subscriptions are unavailable on this endpoint. Try ws.kraken.com"
LEVEL3 = "Level3 market data subscriptions are unavailable on this endpoint. Try ws-l3.kraken.com"

BOOK = {"channel": "book", "symbol": ["BTC/USD"]}


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD"], strict_hosts=True) as running:
        yield running


def test_each_host_has_an_address_of_its_own(venue: LocalVenue) -> None:
    ports = {url.split(":")[2].split("/")[0] for url in (venue.ws_v2, venue.ws_v2_private, venue.ws_v2_level3)}
    assert len(ports | {venue.rest.rsplit(":", 1)[1]}) == 4
    assert venue.ws_v1_private.removesuffix("/") == venue.ws_v2_private.removesuffix("/v2")


V2 = [
    ("ws_v2", "subscribe", {"channel": "executions", "token": "{token}"}, PRIVATE),
    ("ws_v2", "unsubscribe", {"channel": "balances", "token": "{token}"}, PRIVATE),
    ("ws_v2", "subscribe", {"channel": "executions"}, PRIVATE),
    ("ws_v2", "add_order", {"token": "{token}", **limit_order()}, PRIVATE),
    ("ws_v2", "cancel_all", {}, PRIVATE),
    ("ws_v2", "subscribe", {"channel": "level3", "symbol": ["BTC/USD"], "token": "{token}"}, LEVEL3),
    ("ws_v2_private", "subscribe", BOOK, PUBLIC),
    ("ws_v2_private", "unsubscribe", BOOK, PUBLIC),
    ("ws_v2_private", "subscribe", {"channel": "instrument"}, PUBLIC),
    ("ws_v2_private", "subscribe", {"channel": "book", "symbol": "BTC/USD"}, PUBLIC),
    ("ws_v2_private", "subscribe", {"channel": "level3", "symbol": ["BTC/USD"], "token": "{token}"}, LEVEL3),
    ("ws_v2_level3", "subscribe", BOOK, PUBLIC),
    ("ws_v2_level3", "subscribe", {"channel": "balances", "token": "{token}"}, PRIVATE),
    ("ws_v2_level3", "add_order", {"token": "{token}", **limit_order()}, PRIVATE),
]


@pytest.mark.parametrize(("address", "method", "params", "error"), V2)
def test_version_two_refuses_what_belongs_elsewhere(
    venue: LocalVenue, address: str, method: str, params: dict[str, Any], error: str
) -> None:
    given = params | ({"token": venue.token().reveal()} if "token" in params else {})
    with peer(getattr(venue, address)) as client:
        answer = client.call(method, **given)
        assert (answer["error"], answer["method"], answer["success"]) == (error, method, False)
        assert "symbol" not in answer
        assert client.ask(method="ping")["method"] == "pong"


V1: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "ws_v1",
        {"event": "subscribe", "subscription": {"name": "ownTrades", "token": "x"}},
        {"event": "subscriptionStatus", "errorMessage": PRIVATE, "subscription": {"name": "ownTrades", "token": "x"}},
    ),
    ("ws_v1", {"event": "cancelAll", "token": "x"}, {"event": "cancelAllStatus", "errorMessage": PRIVATE}),
    ("ws_v1", {"event": "addOrder"}, {"event": "addOrderStatus", "errorMessage": PRIVATE}),
    (
        "ws_v1_private",
        {"event": "subscribe", "pair": ["XBT/USD"], "subscription": {"name": "book"}},
        {"event": "subscriptionStatus", "errorMessage": PUBLIC, "pair": "XBT/USD", "subscription": {"name": "book"}},
    ),
    (
        "ws_v1_private",
        {"event": "unsubscribe", "channelID": 7},
        {"event": "subscriptionStatus", "errorMessage": PUBLIC, "channelID": 7},
    ),
]


@pytest.mark.parametrize(("address", "request_", "expected"), V1)
def test_version_one_refuses_what_belongs_elsewhere(
    venue: LocalVenue, address: str, request_: dict[str, Any], expected: dict[str, Any]
) -> None:
    with peer(getattr(venue, address)) as client:
        answer = client.ask(**request_)
        assert answer.pop("reqid")
        assert answer == expected | {"status": "error"}
        assert client.ask(event="ping")["event"] == "pong"


def test_what_belongs_there_is_served_there(venue: LocalVenue) -> None:
    token = venue.token().reveal()
    with peer(venue.ws_v2) as public, peer(venue.ws_v2_private) as private, peer(venue.ws_v2_level3) as level3:
        assert public.call("subscribe", **BOOK)["success"]
        assert public.of("book")["type"] == "snapshot"
        assert private.call("subscribe", channel="executions", token=token)["success"]
        assert private.call("add_order", token=token, **limit_order(validate=True))["success"]
        assert level3.call("subscribe", channel="level3", symbol=["BTC/USD"], token=token)["success"]
        assert level3.of("level3")["type"] == "snapshot"
        assert [facts.host for facts in venue.connections()][-3:] == ["public", "private", "level3"]
    with peer(venue.ws_v1_private) as old:
        assert old.ask(event="subscribe", subscription={"name": "openOrders", "token": token})["status"] == "subscribed"


def test_rest_is_on_its_own_port_only(venue: LocalVenue) -> None:
    assert http(f"{venue.rest}/0/public/Time")[0] == 200
    assert signed(venue, "Balance")["error"] == []
    public = venue.ws_v1.replace("ws://", "http://")
    with pytest.raises(json.JSONDecodeError):
        http(f"{public}0/public/Time")
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(venue.rest.replace("http://", "ws://") + "/v2")


def test_by_default_every_address_is_the_same_one() -> None:
    with local_kraken(symbols=["BTC/USD"]) as venue:
        assert venue.ws_v2 == venue.ws_v2_private == venue.ws_v2_level3
        assert venue.ws_v1 == venue.ws_v1_private
        assert venue.rest == f"http://127.0.0.1:{venue.port}"


def test_a_port_that_leaves_no_room_for_the_others_is_refused() -> None:
    with pytest.raises(ConfigError, match="65532"):
        LocalVenue(symbols=["BTC/USD"], strict_hosts=True, port=65_533)


@pytest.mark.parametrize("arguments", [("--json",), ()])
def test_the_command_names_every_address_when_it_is_ready(arguments: tuple[str, ...]) -> None:
    process = start("venue", "--port", "0", "--symbols", "BTC/USD", "--strict-hosts", "--control", *arguments)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    names = ("ws_v1", "ws_v2", "ws_v1_private", "ws_v2_private", "ws_v2_level3", "rest", "control", "control_token")
    if arguments:
        assert set(json.loads(line)) == {*names, "key", "secret"}
    else:
        assert line.count("ws://127.0.0.1:") == 5
        assert line.count("http://127.0.0.1:") == 2
        assert "level3 ws://" in line
        assert " token " in line
