"""Accounts at the local Kraken over real sockets: signed REST calls, tokens, orders, fills, balances."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from websocket import WebSocket, create_connection

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.model.secrets import Secret
from krakenwire.protocol.rest_sign import sign
from krakenwire.testing import local_kraken
from krakenwire.venue.access.keys import ApiKey
from krakenwire.venue.access.permissions import Permission
from krakenwire.venue.config.accounts_config import AccountConfig

SECRET = "c2VjcmV0IG9mIGEgdGVzdA=="
NOTHING: frozenset[Permission] = frozenset()
READ_ONLY = frozenset({Permission.QUERY_FUNDS, Permission.QUERY_OPEN_ORDERS, Permission.WEBSOCKET})


def key(name: str, account: str, **more: Any) -> ApiKey:
    return ApiKey(key=name, secret=Secret(SECRET), account=account, **more)


ACCOUNTS = (
    AccountConfig(
        name="ann",
        balances={"USD": Decimal(100_000), "BTC": Decimal(2)},
        keys=(
            key("ann", "ann"),
            key("ann reads", "ann", permissions=READ_ONLY),
            key("ann may nothing", "ann", permissions=NOTHING),
        ),
    ),
    AccountConfig(name="bob", balances={"USD": Decimal(50)}, keys=(key("bob", "bob"),)),
)


class Trader:
    """A client written by hand: one API key, REST calls with rising nonces, one v2 connection."""

    nonces = itertools.count(1)

    def __init__(self, venue: LocalVenue, name: str) -> None:
        self.venue, self.name = venue, name
        self._socket: WebSocket | None = None
        self.told: list[dict[str, Any]] = []

    def rest(self, method: str, nonce: int | None = None, secret: str = SECRET, **params: str) -> dict[str, Any]:
        number = str(next(self.nonces) if nonce is None else nonce)
        path, body = f"/0/private/{method}", urlencode({"nonce": number, **params}).encode()
        headers = {"API-Key": self.name, "API-Sign": sign(path, number, body, secret)}
        with urlopen(Request(self.venue.rest + path, body, headers)) as answer:
            assert answer.status == 200
            found = json.loads(answer.read())
        assert isinstance(found, dict)
        return found

    def result(self, method: str, **params: str) -> Any:
        answer = self.rest(method, **params)
        assert answer["error"] == []
        return answer["result"]

    def token(self) -> str:
        token = self.result("GetWebSocketsToken")["token"]
        assert isinstance(token, str)
        return token

    @property
    def socket(self) -> WebSocket:
        if self._socket is None:
            self._socket = create_connection(self.venue.ws_v2, timeout=10)
        return self._socket

    def ask(self, method: str, token: str, **params: Any) -> dict[str, Any]:
        """Send a request and return its answer; what comes before it is kept in `told`."""
        req_id = next(self.nonces)
        self.socket.send(json.dumps({"method": method, "params": {**params, "token": token}, "req_id": req_id}))
        while True:
            frame = json.loads(self.socket.recv())
            if frame.get("req_id") == req_id:
                assert isinstance(frame, dict)
                return frame
            self.told.append(frame)

    def wait(self, channel: str, count: int) -> list[dict[str, Any]]:
        """Return the first messages of a channel."""
        while len(found := [frame for frame in self.told if frame.get("channel") == channel]) < count:
            self.told.append(json.loads(self.socket.recv()))
        return found

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD"], rate=1, accounts=ACCOUNTS) as running:
        yield running


@pytest.fixture
def ann(venue: LocalVenue) -> Iterator[Trader]:
    trader = Trader(venue, "ann")
    yield trader
    trader.close()


def test_an_order_is_placed_filled_and_paid(ann: Trader) -> None:
    before = {asset: Decimal(amount) for asset, amount in ann.result("Balance").items()}
    token = ann.token()
    for channel in ("executions", "balances"):
        assert ann.ask("subscribe", token, channel=channel)["success"]
    answer = ann.ask("add_order", token, order_type="market", side="buy", symbol="BTC/USD", order_qty=0.02)
    assert answer["success"]
    messages = ann.wait("executions", 4)
    while messages[-1]["data"][0]["exec_type"] != "filled":
        messages = ann.wait("executions", len(messages) + 1)
    rows = [row for message in messages[1:] for row in message["data"]]
    assert [row["exec_type"] for row in rows[:3]] == ["pending_new", "new", "trade"]
    assert {row["order_id"] for row in rows} == {answer["result"]["order_id"]}
    assert [message["sequence"] for message in messages] == list(range(1, len(messages) + 1))
    after = {asset: Decimal(amount) for asset, amount in ann.result("Balance").items()}
    assert after["XXBT"] == before["XXBT"] + Decimal("0.02")
    paid = sum(Decimal(str(row["cost"])) for row in rows if row["exec_type"] == "trade")
    fees = sum(Decimal(str(row["fees"][0]["qty"])) for row in rows if row["exec_type"] == "trade")
    assert abs(before["ZUSD"] - after["ZUSD"] - paid - fees) < Decimal("0.001")
    changes = ann.wait("balances", 2)[1:]
    assert {row["asset"] for message in changes for row in message["data"]} <= {"BTC", "USD"}


def test_version_one_trades_with_the_same_token_and_sees_the_same_orders(ann: Trader, venue: LocalVenue) -> None:
    token, old = ann.token(), create_connection(venue.ws_v1, timeout=10)
    old.send(json.dumps({"event": "subscribe", "subscription": {"name": "openOrders", "token": token}}))
    ann.ask("subscribe", token, channel="executions")
    order = {"pair": "XBT/USD", "type": "sell", "ordertype": "limit", "price": "99000", "volume": "0.1"}
    old.send(json.dumps({"event": "addOrder", "token": token, "reqid": 5, **order}))
    frames = (json.loads(old.recv()) for _ in itertools.count())
    placed = next(frame for frame in frames if isinstance(frame, dict) and frame.get("event") == "addOrderStatus")
    assert (placed["status"], placed["descr"]) == ("ok", "sell 0.10000000 XBTUSD @ limit 99000.0")
    told = next(frame for frame in frames if isinstance(frame, list))
    assert told[0][0][placed["txid"]]["status"] == "pending"
    assert ann.wait("executions", 3)[1]["data"][0]["order_id"] == placed["txid"]
    assert ann.ask("cancel_order", token, order_id=[placed["txid"]])["success"]
    ended = next(frame for frame in frames if isinstance(frame, list) and "canceled" in json.dumps(frame))
    assert ended[1] == "openOrders"
    old.close()


def test_what_an_open_order_needs_is_held_until_it_is_gone(ann: Trader) -> None:
    token = ann.token()
    before = ann.result("BalanceEx")["ZUSD"]
    placed = ann.ask(
        "add_order", token, order_type="limit", side="buy", symbol="BTC/USD", order_qty=0.1, limit_price=10_000
    )
    held = Decimal(ann.result("BalanceEx")["ZUSD"]["hold_trade"]) - Decimal(before["hold_trade"])
    assert Decimal(1_000) < held < Decimal(1_005)
    assert ann.ask("cancel_order", token, order_id=[placed["result"]["order_id"]])["success"]
    assert ann.result("BalanceEx")["ZUSD"] == before


def test_orders_are_shown_in_the_public_book(ann: Trader, venue: LocalVenue) -> None:
    token = ann.token()
    ann.ask("add_order", token, order_type="limit", side="buy", symbol="BTC/USD", order_qty=0.123, limit_price=5_000)
    market = create_connection(venue.ws_v2, timeout=10)
    market.send(json.dumps({"method": "subscribe", "params": {"channel": "trade", "symbol": ["BTC/USD"]}}))
    ann.ask("add_order", token, order_type="market", side="sell", symbol="BTC/USD", order_qty=0.01234567)
    frames = (json.loads(market.recv()) for _ in itertools.count())
    trades = next(frame["data"] for frame in frames if frame.get("channel") == "trade")
    market.close()
    assert sum(Decimal(str(trade["qty"])) for trade in trades) == Decimal("0.01234567")
    assert {trade["side"] for trade in trades} == {"sell"}
    ann.ask("cancel_all", token)


def test_calls_that_are_not_signed_right_are_refused_and_use_no_nonce_up(ann: Trader) -> None:
    nonce = next(Trader.nonces)
    assert ann.rest("Balance", nonce, secret="bm90IGl0") == {"error": ["EAPI:Invalid signature"]}
    assert ann.rest("Balance", nonce)["error"] == []
    assert ann.rest("Balance", nonce) == {"error": ["EAPI:Invalid nonce"]}
    assert ann.rest("Balance", nonce - 1) == {"error": ["EAPI:Invalid nonce"]}
    assert ann.rest("NoSuchCall") == {"error": ["EGeneral:Unknown method"]}


def test_a_stranger_is_refused(venue: LocalVenue) -> None:
    stranger = Trader(venue, "nobody")
    assert stranger.rest("Balance") == {"error": ["EAPI:Invalid key"]}
    assert stranger.ask("cancel_all", "made up")["error"] == "ESession:Invalid session"
    refused = stranger.ask("subscribe", "made up", channel="executions")
    assert refused["error"] == "ESession:Invalid session"
    stranger.close()


def test_a_key_may_do_what_it_was_given_and_no_more(venue: LocalVenue) -> None:
    reader = Trader(venue, "ann reads")
    token = reader.token()
    assert reader.rest("Balance")["error"] == []
    assert reader.ask("subscribe", token, channel="executions")["success"]
    refused = reader.ask("add_order", token, order_type="market", side="buy", symbol="BTC/USD", order_qty=0.001)
    assert refused["error"] == "EGeneral:Permission denied"
    reader.close()


def test_a_key_without_any_permission_may_do_nothing(venue: LocalVenue) -> None:
    idle = Trader(venue, "ann may nothing")
    for call in ("Balance", "CancelAll", "GetWebSocketsToken"):
        assert idle.rest(call) == {"error": ["EGeneral:Permission denied"]}


def test_one_account_sees_nothing_of_another(ann: Trader, venue: LocalVenue) -> None:
    bob = Trader(venue, "bob")
    his, hers = bob.token(), ann.token()
    bob.ask("subscribe", his, channel="executions")
    order_id = ann.ask(
        "add_order", hers, order_type="limit", side="sell", symbol="BTC/USD", order_qty=0.1, limit_price=99_999
    )["result"]["order_id"]
    refused = bob.ask("cancel_order", his, order_id=[order_id])
    assert not refused["success"]
    assert bob.ask("cancel_all", his)["result"] == {"count": 0}
    assert ann.ask("cancel_order", hers, order_id=[order_id])["success"]
    assert [frame["data"] for frame in bob.told if frame.get("channel") == "executions"] in ([], [[]])
    assert bob.result("Balance") == {"ZUSD": "50.0000"}
    bob.close()


def test_broken_frames_and_bodies_are_answered_and_the_connection_lives(ann: Trader, venue: LocalVenue) -> None:
    for frame in ("{", "[]", '{"method":"add_order"}', '{"method":"add_order","params":{"token":5}}'):
        ann.socket.send(frame)
    token = ann.token()
    assert ann.ask("cancel_all", token)["success"]
    assert len([frame for frame in ann.told if "error" in frame]) == 4
    request = Request(venue.rest + "/0/private/Balance", b"x" * 2_000_000, {"API-Key": "ann", "API-Sign": "x"})
    with pytest.raises(Exception, match=r"413|reset|Broken"):
        urlopen(request)


def test_the_demo_account_is_there_without_any_configuration() -> None:
    with local_kraken(symbols=["BTC/USD"], rate=1) as venue:
        demo = Trader(venue, venue.key)
        body = urlencode({"nonce": "1"}).encode()
        headers = {"API-Key": venue.key, "API-Sign": sign("/0/private/Balance", "1", body, venue.secret)}
        with urlopen(Request(venue.rest + "/0/private/Balance", body, headers)) as answer:
            balances = json.loads(answer.read())["result"]
        assert Decimal(balances["ZUSD"]) > 10_000
        assert venue.secret.reveal() not in repr(venue.keys)
        demo.close()
