"""A v1 connection of an account: requests about orders, `openOrders` and `ownTrades`."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.venue.gateways import member_floor
from tests.unit.venue.gateways.member_floor import INVALID, SECOND

from krakenwire.venue.access.pace import AccountLimits, AccountPace
from krakenwire.venue.gateways.v1 import Gateway


class Floor(member_floor.Floor):
    """A floor whose connections speak v1."""

    def ask(self, gateway: Gateway, event: str, **members: Any) -> list[Any]:
        return self.send(gateway, {"event": event, "reqid": 7, **members})

    def follow(self, gateway: Gateway, token: str, channel: str, **options: Any) -> list[Any]:
        return self.ask(gateway, "subscribe", subscription={"name": channel, "token": token, **options})

    def entries(self, gateway: Gateway, channel: str) -> list[tuple[int, dict[str, Any]]]:
        """Sequence and entry of what a connection was told on a channel since the last look, ids left out."""
        told = [frame for frame in self.got[gateway] if frame[1] == channel]
        self.got[gateway] = [frame for frame in self.got[gateway] if frame[1] != channel]
        return [(frame[2]["sequence"], value) for frame in told for entry in frame[0] for value in entry.values()]


@pytest.fixture
def floor() -> Floor:
    return Floor()


def buy(floor: Floor, gateway: Gateway, token: str, **more: Any) -> dict[str, Any]:
    order = {"pair": "XBT/USD", "type": "buy", "ordertype": "limit", "price": "50000", "volume": "0.01", **more}
    (answer,) = floor.ask(gateway, "addOrder", token=token, **order)
    assert isinstance(answer, dict)
    return answer


def test_an_order_is_answered_in_words_and_then_told_pending_and_open(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect_v1()
    confirmed, snapshot = floor.follow(gateway, ann, "openOrders")
    assert (confirmed["status"], confirmed["channelName"], confirmed["reqid"]) == ("subscribed", "openOrders", 7)
    assert snapshot == [[], "openOrders", {"sequence": 1}]
    answer = buy(floor, gateway, ann, userref="42")
    assert (answer["event"], answer["status"], answer["reqid"]) == ("addOrderStatus", "ok", 7)
    assert answer["descr"] == "buy 0.01000000 XBTUSD @ limit 50000.0"
    (first, pending), (second, opened) = floor.entries(gateway, "openOrders")
    assert (first, second) == (2, 3)
    assert (pending["status"], pending["descr"]["pair"], pending["vol"]) == ("pending", "XBT/USD", "0.01000000")
    assert (pending["userref"], pending["timeinforce"], pending["oflags"]) == (42, "GTC", "fciq")
    assert opened == {"status": "open", "userref": 42}
    (canceled,) = floor.ask(gateway, "cancelOrder", token=ann, txid=[answer["txid"]])
    assert canceled == {"event": "cancelOrderStatus", "reqid": 7, "status": "ok"}
    ((_, ended),) = floor.entries(gateway, "openOrders")
    assert (ended["status"], ended["cancel_reason"], ended["vol_exec"]) == ("canceled", "User requested", "0.00000000")


def test_fills_are_told_with_totals_and_as_trades_of_their_own(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect_v1()
    for channel in ("openOrders", "ownTrades"):
        floor.follow(gateway, ann, channel)
    answer = buy(floor, gateway, ann, ordertype="market", price="", volume="0.05", userref=9)
    trades = [entry for _, entry in floor.entries(gateway, "ownTrades")]
    assert {trade["ordertxid"] for trade in trades} == {answer["txid"]}
    assert {(trade["pair"], trade["type"], trade["userref"]) for trade in trades} == {("XBT/USD", "buy", 9)}
    entries = [entry for _, entry in floor.entries(gateway, "openOrders")]
    fills, last = entries[2:-1], entries[-1]
    assert len(fills) == len(trades)
    assert all("status" not in fill for fill in fills), "a fill is told without a status"
    assert (last["status"], last["vol_exec"]) == ("closed", "0.05000000")
    assert sum(float(trade["vol"]) for trade in trades) == pytest.approx(0.05)
    assert sum(float(trade["fee"]) for trade in trades) == pytest.approx(float(last["fee"]))


def test_the_last_trades_stand_in_the_snapshot_newest_first_unless_nobody_wants_them(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect_v1()
    for _ in range(3):
        buy(floor, gateway, ann, ordertype="market", price="", volume="0.0001")
    _, (rows, name, sequence) = floor.follow(floor.connect_v1(), ann, "ownTrades")
    assert (name, sequence) == ("ownTrades", {"sequence": 1})
    times = [float(trade["time"]) for row in rows for trade in row.values()]
    assert len(times) == 3
    assert times == sorted(times, reverse=True)
    assert len(floor.follow(floor.connect_v1(), ann, "ownTrades", snapshot=False)) == 1


def test_an_amended_order_is_told_in_full_and_an_edited_one_as_replaced(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect_v1()
    floor.follow(gateway, ann, "openOrders")
    txid = buy(floor, gateway, ann)["txid"]
    floor.entries(gateway, "openOrders")
    (amended,) = floor.ask(gateway, "amendOrder", token=ann, txid=txid, volume="0.02")
    assert (amended["status"], amended["txid"]) == ("ok", txid)
    ((_, entry),) = floor.entries(gateway, "openOrders")
    assert (entry["vol"], entry["amended"], entry["status"]) == ("0.02000000", True, "open")
    assert entry["amend_reason"] == "User requested"
    (edited,) = floor.ask(gateway, "editOrder", token=ann, orderid=txid, pair="XBT/USD", price="49000", volume="0.02")
    assert (edited["status"], edited["originaltxid"]) == ("ok", txid)
    assert edited["descr"] == "buy 0.02000000 XBTUSD @ limit 49000.0"
    (_, replaced), (_, pending), _ = floor.entries(gateway, "openOrders")
    assert (replaced["status"], replaced["cancel_reason"]) == ("canceled", "Order replaced")
    assert pending["descr"]["price"] == "49000.00000"


def test_an_amendment_is_told_as_the_order_was_before_what_came_of_it(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect_v1()
    floor.follow(gateway, ann, "openOrders")
    txid = buy(floor, gateway, ann)["txid"]
    floor.entries(gateway, "openOrders")
    floor.ask(gateway, "amendOrder", token=ann, txid=txid, limit_price="90000")
    (_, amended), *_, (_, ended) = floor.entries(gateway, "openOrders")
    assert (amended["status"], amended["vol_exec"], amended["cost"], amended["fee"]) == (
        "open",
        "0.00000000",
        "0.00000",
        "0.00000",
    )
    assert amended["descr"]["price"] == "90000.00000"
    assert "cancel_reason" not in amended
    assert (ended["status"], ended["vol_exec"]) == ("closed", "0.01000000")


def test_each_id_of_a_cancellation_is_answered_and_everything_can_go_at_once(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect_v1()
    ids = [buy(floor, gateway, ann)["txid"] for _ in range(3)]
    answers = floor.ask(gateway, "cancelOrder", token=ann, txid=[ids[0], ids[0]])
    assert [answer["status"] for answer in answers] == ["ok", "error"]
    assert answers[1]["errorMessage"] == "EOrder:Unknown order"
    (answer,) = floor.ask(gateway, "cancelAll", token=ann)
    assert answer == {"count": 2, "event": "cancelAllStatus", "reqid": 7, "status": "ok"}
    (timer,) = floor.ask(gateway, "cancelAllOrdersAfter", token=ann, timeout=60)
    assert (timer["event"], timer["status"]) == ("cancelAllOrdersAfterStatus", "ok")
    (timer,) = floor.ask(gateway, "cancelAllOrdersAfter", token=ann, timeout=0)
    assert timer["triggerTime"] == "0"


def test_a_checked_order_has_words_but_no_id(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect_v1()
    answer = buy(floor, gateway, ann, validate="true")
    assert answer["status"] == "ok"
    assert "txid" not in answer
    assert not floor.tokens.accounts[ann].open_orders


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"token": "stolen"}, INVALID),
        ({"volume": "0.00001"}, "EOrder:Order minimum not met"),
        ({"volume": "10"}, "EOrder:Insufficient funds"),
        ({"price": "50000.05"}, "EOrder:Tick size check failed"),
        ({"leverage": "5"}, "EOrder:Cannot open position"),
    ],
)
def test_what_cannot_be_is_refused_in_v1s_words(floor: Floor, change: dict[str, str], text: str) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect_v1()
    answer = buy(floor, gateway, **{"token": ann, **change})
    assert (answer["event"], answer["status"], answer["errorMessage"]) == ("addOrderStatus", "error", text)


def test_the_rate_counter_is_told_to_who_asks_for_it(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect_v1()
    floor.tokens.accounts[ann].pace = AccountPace(AccountLimits.of("intermediate"))
    confirmed, _ = floor.follow(gateway, ann, "openOrders", ratecounter=True)
    assert confirmed["subscription"]["maxratecount"] == 125
    buy(floor, gateway, ann)
    assert [entry["ratecount"] for _, entry in floor.entries(gateway, "openOrders")] == [1, 1]


def test_what_is_left_is_not_told_any_more_and_heartbeats_end(floor: Floor) -> None:
    ann, gateway = floor.account("ann", USD=10_000), floor.connect_v1()
    floor.follow(gateway, ann, "openOrders")
    assert gateway.poll(floor.now_ns + SECOND) == ['{"event":"heartbeat"}']
    (left,) = floor.ask(gateway, "unsubscribe", subscription={"name": "openOrders", "token": ann})
    assert left["status"] == "unsubscribed"
    assert gateway.poll(floor.now_ns + 2 * SECOND) == []
    assert not floor.tokens.kept
    buy(floor, gateway, ann)
    assert floor.got[gateway] == []


def test_both_versions_tell_of_the_same_order(floor: Floor) -> None:
    ann, old, new = floor.account("ann", USD=10_000), floor.connect_v1(), floor.connect_v2()
    floor.follow(old, ann, "openOrders")
    floor.send(new, {"method": "subscribe", "params": {"channel": "executions", "token": ann}})
    txid = buy(floor, old, ann)["txid"]
    assert [next(iter(frame[0][0])) for frame in floor.got[old]] == [txid, txid]
    assert [frame["data"][0]["order_id"] for frame in floor.got[new]] == [txid, txid]


def test_an_address_without_accounts_sends_private_requests_elsewhere(floor: Floor) -> None:
    ann, public = floor.account("ann", USD=10_000), floor.connect_v1(private=False)
    text = "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"
    assert buy(floor, public, ann)["errorMessage"] == text
    assert floor.follow(public, ann, "openOrders")[0]["errorMessage"] == text
