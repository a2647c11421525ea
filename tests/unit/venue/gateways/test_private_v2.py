"""A v2 connection of an account: requests about orders, and what it is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.venue.gateways import member_floor
from tests.unit.venue.gateways.member_floor import INVALID, SECOND

from krakenwire.model.orders import AddOrder
from krakenwire.venue.access.pace import AccountLimits, AccountPace
from krakenwire.venue.gateways.v2 import Gateway


class Floor(member_floor.Floor):
    """A floor whose connections speak v2."""

    def connect(self, private: bool = True) -> Gateway:
        return self.connect_v2(private)

    def ask(self, gateway: Gateway, method: str, req_id: int | None = 7, **params: Any) -> list[dict[str, Any]]:
        request = {"method": method, "params": params} | ({} if req_id is None else {"req_id": req_id})
        return self.send(gateway, request)

    def events(self, gateway: Gateway) -> list[tuple[int, str]]:
        """Sequence and kind of what a connection was told on `executions` since the last look."""
        told = [f for f in self.got[gateway] if f["channel"] == "executions"]
        self.got[gateway] = [f for f in self.got[gateway] if f["channel"] != "executions"]
        return [(frame["sequence"], row["exec_type"]) for frame in told for row in frame["data"]]


@pytest.fixture
def floor() -> Floor:
    return Floor()


def buy(floor: Floor, gateway: Gateway, token: str, price: float = 50_000.0, **more: Any) -> dict[str, Any]:
    params = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.01, "limit_price": price}
    (answer,) = floor.ask(gateway, "add_order", **params, token=token, **more)
    return answer


def test_a_subscription_is_confirmed_and_begins_with_a_snapshot_even_if_that_is_empty(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect()
    confirmed, snapshot = floor.ask(gateway, "subscribe", channel="executions", token=ann)
    assert (confirmed["success"], confirmed["req_id"]) == (True, 7)
    assert confirmed["result"]["maxratecount"] == 180
    assert snapshot == {"channel": "executions", "type": "snapshot", "data": [], "sequence": 1}
    confirmed, snapshot = floor.ask(gateway, "subscribe", channel="balances", token=ann)
    assert confirmed["result"] == {"channel": "balances", "snapshot": True}
    assert [(row["asset"], row["balance"]) for row in snapshot["data"]] == [("USD", 10_000)]


def test_an_order_is_answered_first_and_then_told_in_its_states(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect()
    floor.ask(gateway, "subscribe", channel="executions", token=ann)
    answer = buy(floor, gateway, ann, cl_ord_id="mine")
    assert answer["success"]
    assert answer["result"]["cl_ord_id"] == "mine"
    assert floor.events(gateway) == [(2, "pending_new"), (3, "new")]
    (canceled,) = floor.ask(gateway, "cancel_order", order_id=[answer["result"]["order_id"]], token=ann)
    assert canceled["result"] == {"order_id": answer["result"]["order_id"]}
    assert floor.events(gateway) == [(4, "canceled")]


def test_a_cancellation_of_several_orders_is_answered_one_by_one(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect()
    ids = [buy(floor, gateway, ann)["result"]["order_id"] for _ in range(2)]
    answers = floor.ask(gateway, "cancel_order", req_id=9, order_id=[ids[0], ids[0], ids[1]], token=ann)
    assert [answer["success"] for answer in answers] == [True, False, True]
    assert {answer["req_id"] for answer in answers} == {9}
    assert answers[1]["error"] == "EOrder:Unknown order"


def test_two_connections_follow_one_account_each_in_a_sequence_of_its_own(floor: Floor) -> None:
    ann = floor.account("ann", USD=10_000)
    one, other, trader = floor.connect(), floor.connect(), floor.connect()
    floor.ask(one, "subscribe", channel="executions", token=ann)
    buy(floor, trader, ann)
    _, snapshot = floor.ask(other, "subscribe", channel="executions", token=ann)
    assert [row["exec_type"] for row in snapshot["data"]] == ["new"]
    buy(floor, trader, ann)
    assert floor.events(one) == [(2, "pending_new"), (3, "new"), (4, "pending_new"), (5, "new")]
    assert floor.events(other) == [(2, "pending_new"), (3, "new")]
    assert floor.events(trader) == []


def test_fills_change_balances_leg_by_leg_and_the_last_ones_stand_in_a_snapshot(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect()
    floor.ask(gateway, "subscribe", channel="balances", token=ann)
    floor.ask(gateway, "add_order", order_type="market", side="buy", symbol="BTC/USD", order_qty=0.05, token=ann)
    told = floor.got[gateway]
    assert [frame["sequence"] for frame in told] == list(range(2, len(told) + 2))
    assert [frame["data"][0]["asset"] for frame in told[:2]] == ["BTC", "USD"]
    assert len({frame["data"][0]["ref_id"] for frame in told[:2]}) == 1
    _, snapshot = floor.ask(floor.connect(), "subscribe", channel="executions", snap_trades=True, token=ann)
    rows = snapshot["data"]
    assert {row["exec_type"] for row in rows} == {"trade"}
    assert {row["order_status"] for row in rows} == {"filled"}
    assert len(rows) == len(told) // 2


def test_without_order_status_only_beginning_end_and_fills_are_told(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect()
    floor.ask(gateway, "subscribe", channel="executions", order_status=False, token=ann)
    order_id = buy(floor, gateway, ann)["result"]["order_id"]
    floor.ask(gateway, "amend_order", order_id=order_id, order_qty=0.02, token=ann)
    floor.ask(gateway, "cancel_all", token=ann)
    assert floor.events(gateway) == [(2, "new"), (3, "canceled")]


def test_the_rate_counter_is_told_to_who_asks_for_it(floor: Floor) -> None:
    ann, gateway, other = floor.account("ann", USD=10_000), floor.connect(), floor.connect()
    floor.tokens.accounts[ann].pace = AccountPace(AccountLimits.of("starter"))
    confirmed, _ = floor.ask(gateway, "subscribe", channel="executions", ratecounter=True, token=ann)
    floor.ask(other, "subscribe", channel="executions", token=ann)
    assert confirmed["result"]["maxratecount"] == 60
    for _ in range(3):
        buy(floor, gateway, ann)
    counts = [frame["data"][0]["ratecount"] for frame in floor.got[gateway]]
    assert counts == [1, 1, 1, 1, 2, 2], "points decay as they are counted"
    assert all("ratecount" not in frame["data"][0] for frame in floor.got[other])


def test_nobody_is_told_about_another_account(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD=10_000), floor.account("bob", USD=10_000)
    one, other = floor.connect(), floor.connect()
    for gateway, token in ((one, ann), (other, bob)):
        for channel in ("executions", "balances"):
            floor.ask(gateway, "subscribe", channel=channel, token=token)
    order_id = buy(floor, one, ann)["result"]["order_id"]
    assert floor.got[other] == []
    for method, params in (
        ("cancel_order", {"order_id": [order_id]}),
        ("amend_order", {"order_id": order_id, "order_qty": 1}),
        ("edit_order", {"order_id": order_id, "symbol": "BTC/USD", "order_qty": 1}),
    ):
        (answer,) = floor.ask(other, method, **params, token=bob)
        assert not answer["success"]
    assert len(floor.tokens.accounts[ann].open_orders) == 1


def test_a_token_that_is_wrong_or_may_not_is_refused_in_the_venues_words(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect()
    assert buy(floor, gateway, "stolen")["error"] == INVALID
    (refused,) = floor.ask(gateway, "subscribe", channel="executions", token="stolen")
    assert (refused["error"], refused["channel"], refused["status"]) == (INVALID, "executions", "error")
    floor.tokens.readers.add(ann)
    assert buy(floor, gateway, ann)["error"] == "EGeneral:Permission denied"
    assert floor.ask(gateway, "subscribe", channel="balances", token=ann)[0]["success"]


def test_a_connection_that_closes_or_unsubscribes_is_told_no_more(floor: Floor) -> None:
    ann = floor.account("ann", USD=10_000)
    one, other = floor.connect(), floor.connect()
    for gateway in (one, other):
        floor.ask(gateway, "subscribe", channel="executions", token=ann)
    assert len(floor.tokens.kept) == 2, "each subscription keeps its token alive"
    one.feed_close()
    (left,) = floor.ask(other, "unsubscribe", channel="executions", token=ann)
    assert left["success"]
    assert not floor.tokens.accounts[ann].followed
    assert not floor.tokens.kept
    (refused,) = floor.ask(other, "unsubscribe", channel="executions", token=ann)
    assert (refused["error"], refused["method"]) == ("Subscription Not Found", "subscribe")
    buy(floor, other, ann)
    assert floor.events(one) == floor.events(other) == []


def test_a_private_subscription_alone_brings_heartbeats(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect()
    floor.ask(gateway, "subscribe", channel="balances", token=ann)
    assert gateway.poll(floor.now_ns + SECOND) == ['{"channel":"heartbeat"}']
    floor.ask(gateway, "unsubscribe", channel="balances", token=ann)
    assert gateway.poll(floor.now_ns + 2 * SECOND) == []


def test_asking_again_changes_the_options_and_goes_on_counting(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect()
    assert len(floor.ask(gateway, "subscribe", channel="executions", snap_orders=False, token=ann)) == 1
    buy(floor, gateway, ann)
    _, snapshot = floor.ask(gateway, "subscribe", channel="executions", snap_orders=True, token=ann)
    assert (snapshot["sequence"], len(snapshot["data"])) == (3, 1)


def test_an_address_without_accounts_sends_private_requests_elsewhere(floor: Floor) -> None:
    ann, public = floor.account("ann", USD=10_000), floor.connect(private=False)
    text = "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"
    assert buy(floor, public, ann)["error"] == text
    assert floor.ask(public, "subscribe", channel="executions", token=ann)[0]["error"] == text


def test_what_the_crowd_does_to_a_resting_order_is_told_too(floor: Floor) -> None:
    ann, gateway = floor.account("ann", BTC=10), floor.connect()
    floor.ask(gateway, "subscribe", channel="executions", token=ann)
    quote = floor.venue.markets[0].quote
    request = AddOrder(
        symbol="BTC/USD",
        side="sell",
        order_type="limit",
        order_qty=Decimal("0.5"),
        limit_price=Decimal(quote.ask - 1).scaleb(-1),
    )
    floor.venue.exchange.execute(floor.tokens.accounts[ann], request, floor.now_ns)
    for second in range(1, 3_000):
        for _ in floor.venue.step(floor.now_ns + second * SECOND):
            floor.tell()
        if len(floor.got[gateway]) > 2:
            break
    kinds = [kind for _, kind in floor.events(gateway)]
    assert kinds[:3] == ["pending_new", "new", "trade"]
