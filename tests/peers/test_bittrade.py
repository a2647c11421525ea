"""bittrade-kraken-rest and -websocket: version 1 as streams of reactivex; their hosts are constants, over TLS."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import bittrade_kraken_rest as rest
import pytest
import reactivex
import requests
from bittrade_kraken_rest.connection import observable
from bittrade_kraken_websocket import (
    initial_details_to_order,
    is_cancel_message,
    is_close_message,
    is_initial_details,
    is_open_message,
    parse_own_trade,
    private_websocket_connection,
    public_websocket_connection,
    subscribe_ohlc,
    subscribe_open_orders,
    subscribe_own_trades,
    subscribe_spread,
    subscribe_ticker,
    subscribe_trade,
)
from bittrade_kraken_websocket.connection.connection_operators import connected_socket
from bittrade_kraken_websocket.messages.listen import keep_messages_only
from reactivex import operators

WAIT_S = 20


class Heard:
    """What streams have said, by name, and a wait for it."""

    def __init__(self) -> None:
        self._said: dict[str, list[Any]] = {}
        self._changed = threading.Condition()

    def listen(self, name: str, stream: reactivex.Observable[Any]) -> None:
        stream.subscribe(lambda value: self._note(name, value), lambda error: self._note("error", error))

    def _note(self, name: str, value: Any) -> None:
        with self._changed:
            self._said.setdefault(name, []).append(value)
            self._changed.notify_all()

    def first(self, name: str, wanted: Any = lambda _: True) -> Any:
        """The first thing a stream says that is wanted."""

        def found() -> list[Any]:
            return [value for value in self._said.get(name, []) if wanted(value)]

        with self._changed:
            assert self._changed.wait_for(lambda: found() or "error" in self._said, WAIT_S), f"{name}: nothing"
            assert "error" not in self._said, self._said["error"]
            return found()[0]


def signed(request: Any, hosts: Any) -> Any:
    """A request with the signature that these clients leave to their user."""
    prepared, path, data = request
    body = json.dumps(data) if "json" in prepared.headers["Content-Type"] else urlencode(data)
    digest = hashlib.sha256(f"{data['nonce']}{body}".encode()).digest()
    mac = hmac.new(base64.b64decode(hosts.secret), path.encode() + digest, hashlib.sha512)
    prepared.headers["API-Key"] = hosts.key
    prepared.headers["API-Sign"] = base64.b64encode(mac.digest()).decode()
    return prepared


def asked(request: Any, result: Any, hosts: Any) -> Any:
    return request.pipe(operators.map(lambda made: signed(made, hosts)), result(), operators.timeout(WAIT_S)).run()


@pytest.fixture(autouse=True)
def _trust(led_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its REST half sends what is prepared, and `requests` reads the environment only before."""
    monkeypatch.setattr(observable, "_session", requests.Session())
    observable._session.verify = led_here.environ["REQUESTS_CA_BUNDLE"]


@pytest.fixture
def token(led_here: Any) -> str:
    return asked(rest.get_websockets_token_request(), rest.get_websockets_token_result, led_here).token


def test_the_public_channels_come_as_streams() -> None:
    connection, heard = public_websocket_connection(), Heard()
    messages = connection.pipe(keep_messages_only(), operators.share())
    socket = connection.pipe(connected_socket(), operators.share())
    for name, subscribe in (
        ("ticker", subscribe_ticker),
        ("trade", subscribe_trade),
        ("spread", subscribe_spread),
        ("ohlc", subscribe_ohlc),
    ):
        heard.listen(name, socket.pipe(subscribe("XBT/USD", messages=messages)))
    running = connection.connect()
    try:
        assert float(heard.first("ticker")["b"][0]) < float(heard.first("ticker")["a"][0])
        assert heard.first("trade")[0].side in ("b", "s")
        assert heard.first("spread")[0]
        assert heard.first("ohlc").count >= 0
    finally:
        running.dispose()


@pytest.fixture
def private(token: str) -> Iterator[Any]:
    connection = private_websocket_connection()
    sockets: list[Any] = []

    def tell(socket: Any) -> None:
        socket.token = token
        sockets.append(socket)

    socket = connection.pipe(connected_socket(), operators.do_action(tell), operators.share())
    messages = connection.pipe(keep_messages_only(), operators.share())
    heard = Heard()
    heard.listen("orders", socket.pipe(subscribe_open_orders(messages)))
    heard.listen("trades", socket.pipe(subscribe_own_trades(messages)))
    heard.listen("messages", messages)
    running = connection.connect()
    heard.first("orders")
    yield heard, sockets[0]
    running.dispose()


def test_an_order_lives_through_the_states_it_tells_apart(private: Any) -> None:
    heard, socket = private
    order = {"event": "addOrder", "reqid": 5, "pair": "XBT/USD", "type": "buy", "volume": "0.01"}

    def life(order_id: str, stage: Any) -> Any:
        told = heard.first("orders", lambda rows: any(stage(row.get(order_id, {})) for row in rows))
        return next(row[order_id] for row in told if order_id in row)

    socket.send_json({**order, "ordertype": "limit", "price": "20000"})
    order_id = heard.first("messages", lambda said: isinstance(said, dict) and said.get("reqid") == 5)["txid"]
    begun = initial_details_to_order(life(order_id, is_initial_details), order_id)
    assert (begun.volume, begun.price) == ("0.01000000", 20_000)
    life(order_id, is_open_message)
    socket.send_json({"event": "cancelOrder", "reqid": 6, "txid": [order_id]})
    assert life(order_id, is_cancel_message)["cancel_reason"] == "User requested"

    socket.send_json({**order, "reqid": 7, "ordertype": "market"})
    market_id = heard.first("messages", lambda said: isinstance(said, dict) and said.get("reqid") == 7)["txid"]
    life(market_id, is_close_message)
    trades = heard.first("trades", lambda rows: any(t["ordertxid"] == market_id for row in rows for t in row.values()))
    assert all(parse_own_trade(trade).vol > 0 for row in trades for trade in row.values())


def test_rest_places_and_cancels(led_here: Any) -> None:
    order = rest.AddOrderRequest(
        pair="XBTUSD", type=rest.OrderSide.buy, ordertype=rest.OrderType.limit, price="20000", volume="0.01"
    )
    (order_id,) = asked(rest.add_order_request(order), rest.add_order_result, led_here)["txid"]
    assert asked(rest.cancel_order_request(txid=order_id), rest.cancel_order_result, led_here).count == 1
    assert asked(rest.get_account_balance_request(), rest.get_account_balance_result, led_here)
