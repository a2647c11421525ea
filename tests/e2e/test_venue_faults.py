"""Every fault of the local Kraken over real sockets, each reached in one line."""

from __future__ import annotations

import itertools
import json
import urllib.error
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import websocket
from tests.e2e.peers import Peer, http, limit_order, peer, signed

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.errors import ConfigError
from krakenwire.model import Added, AddOrder, CancelAll, ChecksumFailed, Level3Update
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol import v2
from krakenwire.server import Clock
from krakenwire.session.feed import Feed
from krakenwire.testing import local_kraken

SECOND = 1_000_000_000
UNAVAILABLE = "EService:Unavailable"
V1_ORDER = {"pair": "XBT/USD", "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.01"}
QTY_PRICE: dict[str, Any] = {"order_qty": Decimal("0.01"), "limit_price": Decimal(20_000)}
REST_ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.01"}


@pytest.fixture(scope="module")
def running() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD", "ETH/USD"], rate=100) as venue:
        yield venue


@pytest.fixture
def venue(running: LocalVenue) -> Iterator[LocalVenue]:
    yield running
    running.clear_faults()
    running.set_status("online")
    running.resume()
    running.act("demo", CancelAll())


@pytest.fixture
def client(venue: LocalVenue) -> Iterator[Peer]:
    with peer(venue.ws_v2) as connected:
        connected.of("status")
        yield connected


@pytest.fixture
def token(venue: LocalVenue) -> str:
    return venue.token().reveal()


def follow(client: Peer, token: str) -> None:
    assert client.call("subscribe", channel="executions", token=token)["success"]
    assert client.of("executions")["sequence"] == 1


# -- what is said ----------------------------------------------------------------


def test_an_update_is_swallowed(venue: LocalVenue, client: Peer) -> None:
    client.call("subscribe", channel="trade", symbol=["BTC/USD"], snapshot=False)
    first = client.of("trade")["data"][-1]["trade_id"]
    venue.drop_updates(channel="trade")
    ids = [row["trade_id"] for _ in range(5) for row in client.of("trade")["data"]]
    assert ids[-1] - first > len(ids), "one message of trades is missing"


def test_an_update_is_said_twice(venue: LocalVenue, client: Peer) -> None:
    client.call("subscribe", channel="trade", symbol=["BTC/USD"], snapshot=False)
    client.of("trade")
    venue.duplicate_updates(channel="trade")
    ids = [row["trade_id"] for _ in range(5) for row in client.of("trade")["data"]]
    assert len(ids) > len(set(ids))


def test_a_private_sequence_has_a_gap(venue: LocalVenue, client: Peer, token: str) -> None:
    follow(client, token)
    venue.drop_updates(channel="executions")
    venue.act("demo", AddOrder(symbol="BTC/USD", side="buy", order_type="limit", **QTY_PRICE))
    assert client.of("executions")["sequence"] == 3


def test_a_private_sequence_of_version_one_has_a_gap(venue: LocalVenue, token: str) -> None:
    with peer(venue.ws_v1) as old:
        old.ask(event="subscribe", subscription={"name": "openOrders", "token": token})
        venue.drop_updates(channel="openOrders")
        venue.act("demo", AddOrder(symbol="BTC/USD", side="buy", order_type="limit", **QTY_PRICE))
        frames = [old.until(lambda frame: isinstance(frame, list)) for _ in range(2)]
        assert [frame[-1]["sequence"] for frame in frames] == [1, 3]


def test_a_level3_checksum_is_wrong_by_one(venue: LocalVenue, client: Peer, token: str) -> None:
    feed = Feed(v2.ClientCodec())
    subscribe = {"channel": "level3", "symbol": ["BTC/USD"], "token": token}
    client.send(method="subscribe", params=subscribe, req_id=1)
    events = (event for _ in itertools.count() for event in feed.feed(client.text()))
    assert all(event.verified for event in itertools.islice((e for e in events if isinstance(e, Level3Update)), 10))
    venue.corrupt_checksums(channel="level3")
    failed = next(event for event in events if isinstance(event, ChecksumFailed))
    assert failed.expected == (failed.found + 1) % (1 << 32)


@pytest.mark.parametrize("how", ["cut", "not_json"])
def test_a_frame_is_garbled(venue: LocalVenue, client: Peer, how: str) -> None:
    (facts,) = venue.connections()
    assert venue.garble(2, how, connection=facts.connection) == 1
    for _ in range(2):
        client.send(method="ping")
        with pytest.raises(json.JSONDecodeError):
            json.loads(client.text())
    assert client.ask(method="ping")["method"] == "pong"


def test_one_bit_is_turned_over(venue: LocalVenue, client: Peer) -> None:
    venue.garble(how="flip", version=2)
    client.send(method="ping", req_id=1)
    garbled = client.text()
    client.send(method="ping", req_id=1)
    sound = client.text()
    assert sum(a != b for a, b in zip(garbled[:24], sound[:24], strict=True)) <= 1
    assert len(garbled) == len(sound)


# -- what is answered --------------------------------------------------------------


def test_an_answer_is_lost_after_the_order_was_accepted(venue: LocalVenue, client: Peer, token: str) -> None:
    follow(client, token)
    venue.lose_ack()
    client.send(method="add_order", params={"token": token, **limit_order(cl_ord_id="lost")}, req_id=5)
    assert client.of("executions")["data"][0]["cl_ord_id"] == "lost"
    assert client.ask(method="ping")["method"] == "pong"
    assert not [frame for frame in client.seen if frame.get("req_id") == 5]
    assert client.call("cancel_order", token=token, cl_ord_id=["lost"])["success"]


def test_an_answer_comes_late_and_the_execution_at_once(venue: LocalVenue, client: Peer, token: str) -> None:
    follow(client, token)
    venue.delay_ack(0.3)
    client.send(method="add_order", params={"token": token, **limit_order()}, req_id=6)
    assert client.until(lambda frame: frame.get("req_id") == 6)["success"]
    assert [frame["data"][0]["exec_type"] for frame in client.seen if frame.get("channel") == "executions"][:2] == [
        "pending_new",
        "new",
    ]


def test_a_request_is_lost_before_it_takes_effect(venue: LocalVenue, client: Peer, token: str) -> None:
    venue.lose_request(method="add_order")
    client.send(method="add_order", params={"token": token, **limit_order(cl_ord_id="never")}, req_id=7)
    refused = client.call("cancel_order", token=token, cl_ord_id=["never"])
    assert refused["error"] == "EOrder:Unknown order"
    assert not [frame for frame in client.seen if frame.get("req_id") == 7]


@pytest.mark.parametrize("spelling", ["add_order", "addOrder", "AddOrder"])
def test_a_request_fails_with_the_text_of_your_choice(
    venue: LocalVenue, client: Peer, token: str, spelling: str
) -> None:
    venue.fail(spelling, "EGeneral:Internal error", count=3)
    answer = client.call("add_order", token=token, **limit_order())
    assert (answer["success"], answer["error"]) == (False, "EGeneral:Internal error")
    with peer(venue.ws_v1) as old:
        answer = old.ask(event="addOrder", token=token, **V1_ORDER)
        assert (answer["event"], answer["errorMessage"]) == ("addOrderStatus", "EGeneral:Internal error")
    assert signed(venue, "AddOrder", **REST_ORDER) == {"error": ["EGeneral:Internal error"]}
    assert client.call("add_order", token=token, **limit_order())["success"], "three, and no more"


def test_each_cancelled_order_has_its_refusal(venue: LocalVenue, client: Peer, token: str) -> None:
    venue.fail(error=UNAVAILABLE)
    client.send(method="cancel_order", params={"token": token, "order_id": ["O1", "O2"]}, req_id=8)
    errors = [client.until(lambda frame: frame.get("req_id") == 8)["error"] for _ in range(2)]
    assert errors == [UNAVAILABLE] * 2


@pytest.mark.parametrize(
    ("method", "ask", "symbol"),
    [
        ("subscribe", lambda client, _: client.call("subscribe", channel="book", symbol=["BTC/USD"]), "BTC/USD"),
        ("subscribe", lambda client, token: client.call("subscribe", channel="balances", token=token), None),
        ("ping", lambda client, _: client.ask(method="ping"), None),
    ],
)
def test_other_requests_fail_too(
    venue: LocalVenue, client: Peer, token: str, method: str, ask: Callable[[Peer, str], Any], symbol: str | None
) -> None:
    venue.fail(method, UNAVAILABLE)
    refused = ask(client, token)
    assert (refused["error"], refused["method"], refused.get("symbol")) == (UNAVAILABLE, method, symbol)
    assert "error" not in ask(client, token)


@pytest.mark.parametrize("method", ["Ticker", "GetWebSocketsToken", "Balance"])
def test_rest_calls_fail_by_their_name(venue: LocalVenue, method: str) -> None:
    venue.fail(method, "EAPI:Rate limit exceeded")

    def call() -> Any:
        if method == "Ticker":
            return http(f"{venue.rest}/0/public/Ticker?pair=XBTUSD")[1]
        return signed(venue, method)

    assert call() == {"error": ["EAPI:Rate limit exceeded"]}
    assert call()["error"] == []


def test_a_rest_answer_is_lost_and_the_order_is_there(venue: LocalVenue) -> None:
    venue.lose_ack(method="AddOrder")
    with pytest.raises((OSError, urllib.error.URLError)):
        signed(venue, "AddOrder", cl_ord_id="unsure", **REST_ORDER)
    orders = signed(venue, "OpenOrders")["result"]["open"].values()
    assert [order["cl_ord_id"] for order in orders] == ["unsure"]


def test_a_rest_request_is_lost_and_no_order_is_there(venue: LocalVenue) -> None:
    venue.lose_request(method="AddOrder")
    with pytest.raises((OSError, urllib.error.URLError)):
        signed(venue, "AddOrder", **REST_ORDER)
    assert signed(venue, "OpenOrders")["result"]["open"] == {}


def test_a_rest_answer_comes_late(venue: LocalVenue, client: Peer, token: str) -> None:
    follow(client, token)
    venue.delay_ack(0.2, "AddOrder")
    assert signed(venue, "AddOrder", **REST_ORDER)["error"] == []
    assert client.of("executions")["sequence"] == 2


# -- connections ---------------------------------------------------------------------


def test_connections_are_listed_without_tokens(venue: LocalVenue, client: Peer, token: str) -> None:
    follow(client, token)
    client.call("subscribe", channel="ohlc", symbol=["ETH/USD"], interval=5)
    with peer(venue.ws_v1) as old:
        old.ask(event="subscribe", pair=["XBT/USD"], subscription={"name": "book"})
        new, other = venue.connections()
    assert (new.version, new.host, new.accounts) == (2, "any", ("demo",))
    assert new.subscriptions == ("ohlc ETH/USD 5", "executions")
    assert (other.version, other.subscriptions, other.accounts) == (1, ("book BTC/USD 10",), ())
    assert new.connection < other.connection
    assert token not in repr((new, other))


@pytest.mark.parametrize("choice", [{"version": 1}, {"host": "any", "version": 1}, {"connection": None}])
def test_chosen_connections_are_cut_and_others_stay(venue: LocalVenue, client: Peer, choice: dict[str, Any]) -> None:
    with peer(venue.ws_v1) as old:
        old.text()
        chosen = {"connection": venue.connections()[1].connection} if "connection" in choice else choice
        assert venue.cut_connections(**chosen) == 1
        assert old.ended()
    assert client.ask(method="ping")["method"] == "pong"


def test_the_connections_of_an_account_are_cut(venue: LocalVenue, client: Peer, token: str) -> None:
    with peer(venue.ws_v2) as stranger:
        stranger.of("status")
        follow(client, token)
        assert venue.cut_connections(account="demo") == 1
        assert client.ended()
        assert stranger.ask(method="ping")["method"] == "pong"


def test_a_chosen_connection_is_stalled_and_then_told_everything(venue: LocalVenue, client: Peer, token: str) -> None:
    follow(client, token)
    with peer(venue.ws_v2) as other:
        other.of("status")
        assert venue.stall(2, account="demo") == 1
        client.send(method="ping", req_id=9)
        venue.act("demo", AddOrder(symbol="BTC/USD", side="buy", order_type="limit", **QTY_PRICE))
        assert other.ask(method="ping")["method"] == "pong"
        client.ws.settimeout(0.1)
        with pytest.raises(websocket.WebSocketTimeoutException):
            client.text()
        client.ws.settimeout(20)
        assert [client.of("executions")["sequence"] for _ in range(2)] == [2, 3]
        assert client.until(lambda frame: frame.get("req_id") == 9)["method"] == "pong"


# -- tokens, money, orders of others ----------------------------------------------------


def test_tokens_end_and_the_subscription_goes_on(venue: LocalVenue, client: Peer, token: str) -> None:
    follow(client, token)
    venue.expire_tokens()
    assert client.call("cancel_all", token=token)["error"] == "ESession:Invalid session"
    venue.act("demo", AddOrder(symbol="BTC/USD", side="buy", order_type="limit", **QTY_PRICE))
    assert client.of("executions")["sequence"] == 2


def test_a_deposit_is_told_and_owned(venue: LocalVenue, client: Peer, token: str) -> None:
    client.call("subscribe", channel="balances", token=token)
    client.of("balances")
    before = Decimal(signed(venue, "Balance")["result"]["ZUSD"])
    venue.deposit("demo", "ZUSD", "12.5")
    row = client.of("balances")["data"][0]
    assert (row["type"], row["asset"], row["amount"]) == ("deposit", "USD", 12.5)
    assert Decimal(signed(venue, "Balance")["result"]["ZUSD"]) == before + Decimal("12.5")


def test_somebody_new_trades_with_you(venue: LocalVenue, client: Peer, token: str) -> None:
    follow(client, token)
    best = int(float(http(f"{venue.rest}/0/public/Ticker?pair=XBTUSD")[1]["result"]["XXBTZUSD"]["a"][0]))
    venue.freeze()
    placed = client.call("add_order", token=token, **limit_order("0.5", best + 50))
    assert placed["success"]
    (answer,) = venue.act("whale", AddOrder(symbol="BTC/USD", side="sell", order_type="market", order_qty=Decimal(1)))
    assert isinstance(answer, Added)
    done = client.until(
        lambda frame: frame.get("channel") == "executions" and frame["data"][0]["exec_type"] == "filled"
    )
    assert done["data"][0]["order_id"] == placed["result"]["order_id"]


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda venue: venue.deposit("nobody", "USD", 1), "configured or has acted"),
        (lambda venue: venue.deposit("outside", "USD", 1), "configured or has acted"),
        (lambda venue: venue.deposit("demo", "GOLD", 1), "asset of the venue"),
        (lambda venue: venue.deposit("demo", "USD", "0.00001"), "4 decimals"),
        (lambda venue: venue.deposit("demo", "USD", -1), "above 0"),
        (lambda venue: venue.deposit("demo", "USD", 0.1), "exact"),
        (lambda venue: venue.act("makers of BTC/USD", CancelAll()), "venue's own"),
        (lambda venue: venue.advance(-1), "seconds to advance"),
        (lambda venue: venue.stall(float("nan")), "seconds to stall"),
        (lambda venue: venue.garble(0), "count"),
        (lambda venue: venue.garble(how="sing"), "one of cut, flip, not_json"),
        (lambda venue: venue.drop_updates(True), "count"),
        (lambda venue: venue.set_status("asleep"), "one of online"),
    ],
)
def test_what_cannot_be_is_a_typed_error(venue: LocalVenue, mistake: Callable[[LocalVenue], Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        mistake(venue)


# -- time ---------------------------------------------------------------------------------


def test_a_frozen_clock_holds_the_market_and_not_the_heartbeats(venue: LocalVenue, client: Peer) -> None:
    venue.freeze()
    now_ns = venue.now_ns
    client.call("subscribe", channel="book", symbol=["BTC/USD"])
    client.of("book")
    for _ in range(2):
        client.of("heartbeat")
    assert venue.now_ns == now_ns
    assert [frame for frame in client.seen if frame.get("channel") == "book"] == []
    venue.advance(2)
    assert venue.now_ns == now_ns + 2_000_000_000
    assert client.of("book")["type"] == "update"
    venue.resume()
    assert client.of("book")["type"] == "update"


def test_orders_and_tokens_end_when_the_clock_is_moved(venue: LocalVenue, client: Peer, token: str) -> None:
    with peer(venue.ws_v2) as other:
        idle = venue.token().reveal()
        follow(client, token)
        expires = rfc3339_from_ns(venue.now_ns + 60 * SECOND, 0)
        placed = client.call("add_order", token=token, **limit_order(time_in_force="gtd", expire_time=expires))
        assert placed["success"]
        venue.advance(1_000)
        ended = client.until(
            lambda frame: frame.get("channel") == "executions" and frame["data"][0]["exec_type"] == "expired"
        )
        assert ended["data"][0]["order_id"] == placed["result"]["order_id"]
        assert client.call("cancel_all", token=token)["success"], "its subscription keeps it alive"
        assert other.call("cancel_all", token=idle)["error"] == "ESession:Invalid session"


def test_the_dead_mans_switch_follows_the_clock(venue: LocalVenue, client: Peer, token: str) -> None:
    assert client.call("add_order", token=token, **limit_order())["success"]
    assert client.call("cancel_all_orders_after", token=token, timeout=60)["success"]
    venue.advance(59)
    assert len(signed(venue, "OpenOrders")["result"]["open"]) == 1
    venue.advance(2)
    assert signed(venue, "OpenOrders")["result"]["open"] == {}


# -- from a file, and over a restart ---------------------------------------------------------


def test_faults_of_a_file_are_there_from_the_start(tmp_path: Path) -> None:
    config = tmp_path / "venue.toml"
    config.write_text("[faults]\nrefuse_request = 1\ncut_connection = 1\ngarble_frame = 1\nlose_ack = 1\n")
    with local_kraken(symbols=["BTC/USD"], config=config) as venue:
        with peer(venue.ws_v2) as cut:
            assert cut.ended()
        with peer(venue.ws_v2) as client:
            client.of("status")
            client.send(method="ping")
            with pytest.raises(json.JSONDecodeError):
                json.loads(client.text())
            token = venue.token().reveal()
            client.send(method="cancel_all", params={"token": token}, req_id=1)
            assert client.call("cancel_all", token=token)["error"] == UNAVAILABLE
            assert client.call("cancel_all", token=token)["success"]
            assert not [frame for frame in client.seen if frame.get("req_id") == 1]


def test_what_was_done_to_a_kept_venue_is_there_when_it_begins_again(tmp_path: Path) -> None:
    with LocalVenue(symbols=["BTC/USD"], data=tmp_path) as venue:
        venue.advance(3_600)
        venue.deposit("demo", "USD", 1_000)
        venue.act("whale", AddOrder(symbol="BTC/USD", side="buy", order_type="limit", **QTY_PRICE))
        venue.set_status("cancel_only")
        before, then_ns = signed(venue, "Balance"), venue.now_ns
    with LocalVenue(symbols=["BTC/USD"], data=tmp_path) as venue:
        assert signed(venue, "Balance") == before
        assert venue.now_ns >= then_ns
        assert http(f"{venue.rest}/0/public/SystemStatus")[1]["result"]["status"] == "cancel_only"
        (answer,) = venue.act("whale", CancelAll())
        assert answer.count == 1


def as_it_is(_: LocalVenue) -> None:
    """Nobody touches the clock."""


def moved(venue: LocalVenue) -> None:
    venue.advance(3_600)


def moved_while_held(venue: LocalVenue) -> None:
    venue.freeze()
    venue.advance(3_600)


def moved_while_held_and_let_go(venue: LocalVenue) -> None:
    moved_while_held(venue)
    PassingClock.passed_ns += 60 * SECOND
    venue.resume()


def held_after_it_was_moved(venue: LocalVenue) -> None:
    venue.advance(3_600)
    venue.freeze()


class PassingClock(Clock):
    """A clock for which real time passes when a test says so."""

    passed_ns = 0

    def line_ns(self) -> int:
        return super().line_ns() + self.passed_ns


@pytest.mark.parametrize(
    "move", [as_it_is, moved, moved_while_held, moved_while_held_and_let_go, held_after_it_was_moved]
)
def test_the_time_of_a_kept_venue_never_runs_backwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, move: Callable[[LocalVenue], None]
) -> None:
    monkeypatch.setattr("krakenwire.server.Clock", PassingClock)
    monkeypatch.setattr(PassingClock, "passed_ns", 0)
    with LocalVenue(symbols=["BTC/USD"], data=tmp_path) as venue:
        move(venue)
        venue.deposit("demo", "USD", 1_000)
        PassingClock.passed_ns += 30 * SECOND
        then_ns = venue.now_ns
    for _ in range(2):
        with LocalVenue(symbols=["BTC/USD"], data=tmp_path) as venue:
            assert venue.now_ns >= then_ns
            assert venue.now_ns < then_ns + 3_600 * SECOND, "nor does it leap"
            PassingClock.passed_ns += 30 * SECOND
            then_ns = venue.now_ns
