"""The account's channels: numbered messages, snapshots that begin anew, tokens that run out, requests on their way."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs
from tests.unit.session.fake import TIME, URL, Driver, accepted, refused

from krakenwire.errors import ConnectError, ConnectionLost, UsageError, VenueRefusal
from krakenwire.model import (
    AccountChanged,
    Added,
    AddOrder,
    BatchCancel,
    CancelAll,
    CancelOrders,
    Executions,
    Gap,
    OrderRecord,
    OrderState,
    Outcome,
    Refused,
    Resynced,
    Subscription,
    TradingRequest,
)
from krakenwire.session.lookup import Missing
from krakenwire.session.orders import Pending

EXECUTIONS, BALANCES = Subscription(channel="executions"), Subscription(channel="balances")
ORDER = AddOrder(symbol="BTC/USD", side="buy", order_type="limit", order_qty=Decimal("0.1"), limit_price=Decimal(9))
INVALID = "ESession:Invalid session"


def row(order_id: str = "O1", exec_type: str = "new", **members: object) -> dict[str, object]:
    return {"order_id": order_id, "exec_type": exec_type, "order_status": "new", "timestamp": TIME, **members}


def told(sequence: int, *rows: dict[str, object], kind: str = "update") -> str:
    return json.dumps({"channel": "executions", "type": kind, "data": rows, "sequence": sequence})


def v1_told(channel: str, sequence: int, *entries: dict[str, object]) -> str:
    return json.dumps([entries, channel, {"sequence": sequence}])


def live(**config: Any) -> Driver:
    driver = Driver(token="t1", name="private", **config).open()
    driver.subscribe(EXECUTIONS)
    driver.accept()
    driver.frame(told(1, kind="snapshot"))
    return driver


def ask(driver: Driver, request: Any = ORDER, timeout_s: float = 5.0) -> Pending:
    pending = driver.session.ask(request, driver.now_ns, timeout_s)
    driver._effects()
    return pending


def added(req_id: object, order_id: str = "O1") -> str:
    result = {"order_id": order_id}
    return json.dumps({"method": "add_order", "req_id": req_id, "result": result, "success": True, "time_in": TIME})


def outcome(pending: Pending) -> Outcome:
    assert pending.outcome is not None
    return pending.outcome


# -- subscriptions -------------------------------------------------------------


def test_the_account_is_asked_for_with_its_token_its_orders_its_fills_and_its_counter() -> None:
    driver = Driver(token="t1", name="private").open()
    driver.subscribe(EXECUTIONS, BALANCES)
    assert [request["params"] for request in driver.take_sent()] == [
        {
            "channel": "executions",
            "snap_orders": True,
            "snap_trades": True,
            "order_status": True,
            "ratecounter": True,
            "token": "t1",
        },
        {"channel": "balances", "snapshot": True, "token": "t1"},
    ]


def test_on_version_1_two_feeds_bring_the_executions_together() -> None:
    driver = Driver(token="t1", name="private", version=1).open()
    driver.subscribe(EXECUTIONS)
    asked = [request["subscription"] for request in driver.accept_all()]
    assert [subscription["name"] for subscription in asked] == ["openOrders", "ownTrades"]  # type: ignore[index]
    assert list(driver.session.confirmed) == [EXECUTIONS.key]
    driver.unsubscribe(EXECUTIONS)
    assert [request["event"] for request in driver.take_sent()] == ["unsubscribe", "unsubscribe"]


def test_on_version_1_a_gap_is_closed_by_the_second_of_the_two_snapshots() -> None:
    driver = Driver(token="t1", name="private", version=1).open()
    driver.subscribe(EXECUTIONS)
    driver.accept()
    driver.frame(v1_told("openOrders", 1), v1_told("ownTrades", 1))
    driver.cut(ConnectionLost(URL, "reset"))
    driver.wait(20)
    driver.open()
    driver.accept()
    driver.frame(v1_told("openOrders", 1))
    assert not driver.of("resynced")
    driver.frame(v1_told("ownTrades", 1))
    assert [event.channel_name for event in driver.of("resynced") if isinstance(event, Resynced)] == ["executions"]


def test_balances_do_not_exist_on_version_1() -> None:
    with pytest.raises(UsageError, match="version 2"):
        Driver(token="t1", version=1).session.check(BALANCES)


def test_what_needs_a_token_is_not_asked_for_without_one() -> None:
    driver = Driver().open()
    with pytest.raises(UsageError, match="token"):
        driver.subscribe(EXECUTIONS)


def test_a_number_left_out_is_a_gap_and_the_snapshot_is_asked_for_again() -> None:
    driver = live()
    driver.frame(told(2, row()))
    assert not driver.of("gap")
    events = driver.frame(told(5, row("O2")))
    assert [(gap.reason, gap.dropped) for gap in events if isinstance(gap, Gap)] == [("sequence", 2)]
    assert any(isinstance(event, Executions) for event in events)
    assert [request["method"] for request in driver.accept_all()] == ["unsubscribe"]
    assert [request["method"] for request in driver.accept_all()] == ["subscribe"]
    assert not driver.of("resynced")
    driver.frame(told(1, row("O2"), kind="snapshot"))
    assert len(driver.of("resynced")) == 1
    assert driver.frame(told(2, row("O2")))[0].channel != "gap"


def test_a_long_snapshot_in_several_messages_is_no_gap() -> None:
    driver = live()
    driver.frame(told(1, row("O1"), kind="snapshot"), told(2, row("O2"), kind="snapshot"), told(3, row("O3")))
    assert not driver.of("gap")
    assert driver.session.orders is not None
    assert list(driver.session.orders.account.open_orders) == ["O1", "O2", "O3"]


def test_a_snapshot_that_does_not_come_is_asked_for_again() -> None:
    driver = Driver(token="t1", name="private").open()
    driver.subscribe(EXECUTIONS)
    driver.accept()
    driver.wait(16, heartbeats=True)
    assert [request["method"] for request in driver.accept_all()] == ["unsubscribe"]


def test_changes_of_the_account_are_told_beside_the_rows() -> None:
    driver = live()
    events = driver.frame(told(2, row(symbol="BTC/USD", side="buy")))
    assert [type(event) for event in events] == [Executions, AccountChanged]


def test_fills_of_before_are_no_news_and_those_that_a_reconnect_brings_are() -> None:
    def fill(exec_id: str) -> dict[str, object]:
        return row(
            exec_type="trade", exec_id=exec_id, symbol="BTC/USD", side="buy", last_qty=1.0, last_price=2.0, cost=2.0
        )

    driver = Driver(token="t1", name="private").open()
    driver.subscribe(EXECUTIONS)
    driver.accept()
    driver.frame(told(1, fill("T1"), kind="snapshot"))
    driver.cut(ConnectionLost(URL, "reset"))
    driver.wait(20)
    driver.open()
    driver.accept()
    driver.frame(told(1, fill("T1"), fill("T2"), kind="snapshot"))
    changes = [change for event in driver.events if isinstance(event, AccountChanged) for change in event.changes]
    assert [change.exec_id for change in changes if hasattr(change, "exec_id")] == ["T2"]


# -- tokens ----------------------------------------------------------------------


def test_a_subscription_refused_for_its_token_is_asked_for_again_with_another() -> None:
    driver = Driver(token="t1", name="private").open()
    driver.now_ns = 60_000_000_000
    driver.subscribe(EXECUTIONS)
    (request,) = driver.take_sent()
    driver.frame(refused(INVALID, req_id=request["req_id"]))  # type: ignore[arg-type]
    assert (driver.tokens_asked, driver.take_sent(), driver.of("refused")) == (1, [], [])
    driver._took(driver.session.token_fetched("t2", None, driver.now_ns))
    (request,) = driver.take_sent()
    assert request["params"]["token"] == "t2"  # type: ignore[index]
    driver.frame(accepted(request, None))
    assert list(driver.session.confirmed) == [EXECUTIONS.key]


def test_a_new_token_that_is_refused_too_is_a_refusal() -> None:
    driver = Driver(token="t1", name="private").open()
    driver.now_ns = 60_000_000_000
    driver.subscribe(EXECUTIONS)
    driver.frame(refused(INVALID, req_id=driver.take_sent()[0]["req_id"]))  # type: ignore[arg-type]
    driver._took(driver.session.token_fetched("t2", None, driver.now_ns))
    driver.frame(refused(INVALID, req_id=driver.take_sent()[0]["req_id"]))  # type: ignore[arg-type]
    assert [event.error for event in driver.events if isinstance(event, Refused)] == [INVALID]
    assert driver.tokens_asked == 1


def test_without_another_token_the_connection_is_renewed() -> None:
    driver = live()
    driver.now_ns += 60_000_000_000
    pending = ask(driver)
    driver.frame(refused(INVALID, method="add_order", req_id=driver.take_sent()[0]["req_id"]))  # type: ignore[arg-type]
    driver._took(driver.session.token_fetched(None, ConnectError(URL, "no token"), driver.now_ns))
    assert driver.closes == [1001]
    assert pending.outcome is None


# -- requests --------------------------------------------------------------------


def test_a_request_waits_for_the_connection_and_is_sent_once() -> None:
    driver = Driver(token="t1", name="private").start()
    pending = ask(driver)
    assert driver.take_sent() == []
    driver.open()
    (request,) = driver.take_sent()
    assert (request["method"], request["params"]["token"]) == ("add_order", "t1")  # type: ignore[index]
    driver.frame(added(request["req_id"]))
    assert outcome(pending).answers == (Added(order_id="O1"),)
    assert outcome(pending).accepted


def test_an_order_refused_for_its_token_is_sent_again_with_another_and_only_then() -> None:
    driver = live()
    pending = ask(driver)
    (first,) = driver.take_sent()
    driver.frame(refused(INVALID, method="add_order", req_id=first["req_id"]))  # type: ignore[arg-type]
    assert (driver.tokens_asked, driver.take_sent()) == (1, [])
    driver._took(driver.session.token_fetched("t2", None, driver.now_ns))
    (second,) = driver.take_sent()
    assert second["params"]["token"] == "t2"  # type: ignore[index]
    driver.frame(refused(INVALID, method="add_order", req_id=second["req_id"]))  # type: ignore[arg-type]
    assert outcome(pending).error == INVALID
    assert driver.take_sent() == []


def test_requests_refused_for_their_token_go_again_in_their_order() -> None:
    driver = live()
    for number in range(3):
        ask(driver, structs.replace(ORDER, order_userref=number))
    for request in driver.take_sent():
        driver.frame(refused(INVALID, method="add_order", req_id=request["req_id"]))  # type: ignore[arg-type]
    ask(driver, structs.replace(ORDER, order_userref=3))
    driver._took(driver.session.token_fetched("t2", None, driver.now_ns))
    assert [request["params"]["order_userref"] for request in driver.take_sent()] == [0, 1, 2, 3]  # type: ignore[index]


def test_until_the_venue_has_told_its_limit_no_more_is_sent_than_every_account_may() -> None:
    driver = Driver(token="t1", name="private").open()
    driver.subscribe(EXECUTIONS)
    (subscribe,) = driver.take_sent()
    for _ in range(200):
        ask(driver)
    assert len(driver.take_sent()) == 54, "sixty, less the tenth that is left for cancellations"
    result = {"channel": "executions", "maxratecount": 180}
    reply = {"method": "subscribe", "result": result, "success": True, "req_id": subscribe["req_id"]}
    driver.frame(json.dumps(reply))
    assert len(driver.take_sent()) == 162 - 54


def test_what_is_dearer_than_every_account_may_waits_for_the_limit() -> None:
    driver = Driver(token="t1", name="private").open()
    driver.subscribe(EXECUTIONS)
    (subscribe,) = driver.take_sent()
    fits, never = (CancelOrders(order_ids=tuple(f"O{number}" for number in range(count))) for count in (20, 30))
    dear, too_dear = ask(driver, fits), ask(driver, never)
    assert driver.take_sent() == []
    result = {"channel": "executions", "maxratecount": 180}
    reply = {"method": "subscribe", "result": result, "success": True, "req_id": subscribe["req_id"]}
    driver.frame(json.dumps(reply))
    assert [request["method"] for request in driver.take_sent()] == ["cancel_order"]
    assert dear.outcome is None
    assert (outcome(too_dear).sent_ns, outcome(too_dear).error.partition(":")[0]) == (None, "not sent")
    with pytest.raises(UsageError, match="rate cost"):
        ask(driver, never)


RECORD = OrderRecord(
    order_id="O1",
    status="canceled",
    symbol="BTC/USD",
    side="buy",
    order_type="limit",
    order_qty=Decimal(1),
    open_time_ns=5,
    reason="User requested",
)


def adrift(driver: Driver) -> Driver:
    """An order has ended while the line was cut."""
    driver.frame(told(2, row(symbol="BTC/USD", side="buy", order_type="limit", order_qty=1)))
    driver.cut(ConnectionLost(URL, "reset"))
    driver.wait(20)
    driver.open()
    driver.accept()
    driver.frame(told(1, kind="snapshot"))
    return driver


@pytest.mark.parametrize("hub", [False, True])
def test_an_order_that_ended_unseen_is_asked_of_rest_and_told_like_anything_else(hub: bool) -> None:
    driver = adrift(live(hub=hub))
    assert driver.looked_up == [Missing(("O1",), None)]
    (changed,) = driver.found(RECORD)
    assert isinstance(changed, AccountChanged)
    assert [(change.order_id, change.status) for change in changed.changes if isinstance(change, OrderState)] == [
        ("O1", "canceled")
    ]
    assert (driver.found(RECORD), driver.wait(0.1), driver.looked_up[1:]) == ([], [], [])


def test_on_version_1_rest_is_asked_when_both_feeds_are_there() -> None:
    driver = Driver(token="t1", name="private", version=1).open()
    driver.subscribe(EXECUTIONS)
    driver.accept()
    order = {"O1": {"status": "open", "vol": "1", "descr": {"pair": "XBT/USD", "type": "buy", "ordertype": "limit"}}}
    driver.frame(v1_told("openOrders", 1, order), v1_told("ownTrades", 1))
    driver.cut(ConnectionLost(URL, "reset"))
    driver.wait(20)
    driver.open()
    driver.accept()
    driver.frame(v1_told("openOrders", 1))
    assert driver.looked_up == []
    driver.frame(v1_told("ownTrades", 1))
    assert driver.looked_up == [Missing(("O1",), None)]


def test_rest_that_did_not_answer_is_asked_again_later_or_at_once_when_somebody_waits() -> None:
    driver = adrift(live())
    for pause_s in (1, 2, 4):
        driver._took(driver.session.looked_up(None, ConnectError(URL, "refused"), driver.now_ns))
        asked = len(driver.looked_up)
        driver.wait(pause_s - 0.1, heartbeats=True)
        assert len(driver.looked_up) == asked
        driver.wait(0.2, heartbeats=True)
        assert len(driver.looked_up) == asked + 1
    driver._took(driver.session.looked_up(None, ConnectError(URL, "refused"), driver.now_ns))
    driver.session.look_again(driver.now_ns)
    driver._effects()
    assert len(driver.looked_up) == asked + 2
    assert [type(event) for event in driver.found(RECORD)] == [AccountChanged]


def test_an_answer_that_comes_when_the_line_is_cut_again_counts_all_the_same() -> None:
    driver = adrift(live())
    driver.cut(ConnectionLost(URL, "reset"))
    assert [type(event) for event in driver.found(RECORD)] == [AccountChanged]
    driver.wait(20)
    driver.open()
    driver.accept()
    driver.frame(told(1, kind="snapshot"))
    assert len(driver.looked_up) == 1


def test_a_question_is_not_lost_with_the_connection_that_brought_it_up() -> None:
    driver = live()
    driver.frame(told(2, row(symbol="BTC/USD", side="buy", order_type="limit", order_qty=1)))
    driver.cut(ConnectionLost(URL, "reset"))
    driver.wait(20)
    driver.open()
    driver.accept()
    driver.session.feed_frame(told(1, kind="snapshot"), driver.now_ns)
    driver.cut(ConnectionLost(URL, "reset"))
    assert driver.looked_up == [Missing(("O1",), None)]


def test_a_cut_makes_what_was_sent_unknown_and_it_is_not_sent_again() -> None:
    driver = live()
    pending = ask(driver)
    assert len(driver.take_sent()) == 1
    driver.cut(ConnectionLost(URL, "reset"))
    assert outcome(pending).unknown
    driver.wait(20)
    driver.open()
    assert [request["method"] for request in driver.take_sent()] == ["subscribe"]


def test_what_was_not_sent_in_time_is_refused_and_never_sent() -> None:
    driver = Driver(token="t1", name="private", retry_initial=True).start()
    pending = ask(driver, timeout_s=2)
    driver.cut(ConnectError(URL, "refused"))
    driver.wait(3)
    assert (outcome(pending).refused, outcome(pending).sent_ns) == (True, None)
    assert outcome(pending).error == "not sent: no connection in time"
    driver.wait(60)
    driver.open()
    assert driver.take_sent() == []


def test_a_reply_that_does_not_come_in_time_leaves_the_outcome_unknown() -> None:
    driver = live()
    pending = ask(driver, timeout_s=2)
    driver.wait(3, heartbeats=True)
    assert outcome(pending).unknown
    assert len(driver.take_sent()) == 1


def test_each_order_of_a_cancellation_has_its_answer() -> None:
    driver = live()
    pending = ask(driver, CancelOrders(order_ids=("O1", "O2")))
    (request,) = driver.take_sent()
    yes = {"method": "cancel_order", "req_id": request["req_id"], "result": {"order_id": "O1"}, "success": True}
    driver.frame(json.dumps(yes))
    assert pending.outcome is None
    driver.frame(refused("EOrder:Unknown order", method="cancel_order", req_id=request["req_id"]))  # type: ignore[arg-type]
    assert (outcome(pending).accepted, outcome(pending).error) == (True, "EOrder:Unknown order")


def test_when_no_connection_will_come_what_waits_is_not_sent() -> None:
    driver = Driver(token="t1", name="private").start()
    pending = ask(driver)
    driver.cut(VenueRefusal("EAPI:Invalid key"))
    assert driver.session.state == "down"
    assert "EAPI:Invalid key" in outcome(pending).error
    assert "EAPI:Invalid key" in outcome(ask(driver)).error


def test_a_connection_without_an_account_takes_no_orders() -> None:
    with pytest.raises(UsageError, match="account"):
        Driver().open().session.ask(ORDER, 0, 1.0)


def test_the_account_is_behind_until_it_shows_what_an_answer_has_said() -> None:
    driver = live()
    orders = driver.session.orders
    assert orders is not None
    ask(driver)
    driver.frame(added(driver.take_sent()[0]["req_id"], "O7"))
    assert orders.behind()
    driver.frame(told(2, row("O7")))
    assert not orders.behind()
    ask(driver, CancelOrders(order_ids=("O7",)))
    yes = {"method": "cancel_order", "req_id": driver.take_sent()[0]["req_id"], "result": {"order_id": "O7"}}
    driver.frame(json.dumps(yes | {"success": True}))
    assert orders.behind()
    driver.frame(told(3, row("O7", "canceled", order_status="canceled")))
    assert not orders.behind()


@pytest.mark.parametrize(
    ("request_", "method"),
    [(BatchCancel(order_ids=("O7", "O8")), "batch_cancel"), (CancelAll(), "cancel_all")],
)
def test_the_account_is_behind_until_it_shows_the_end_of_all_that_were_canceled_together(
    request_: TradingRequest, method: str
) -> None:
    driver = live()
    orders = driver.session.orders
    assert orders is not None
    driver.frame(told(2, row("O7"), row("O8")))
    ask(driver, request_)
    yes = {"method": method, "req_id": driver.take_sent()[0]["req_id"], "result": {"count": 2}, "success": True}
    driver.frame(json.dumps(yes))
    assert orders.behind()
    driver.frame(told(3, row("O7", "canceled", order_status="canceled")))
    assert orders.behind()
    driver.frame(told(4, row("O8", "canceled", order_status="canceled")))
    assert not orders.behind()


def test_the_account_is_behind_for_a_moment_only() -> None:
    driver = live()
    orders = driver.session.orders
    assert orders is not None
    ask(driver)
    driver.frame(added(driver.take_sent()[0]["req_id"], "O7"))
    driver.wait(1.1, heartbeats=True)
    assert not orders.behind()
