"""The account as a client keeps it: sparse events merged, each fill once, orders that ended unseen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import pytest

from krakenwire.model import (
    AccountChange,
    BalanceChange,
    BalanceChanges,
    Balances,
    ExecType,
    Execution,
    Executions,
    Fee,
    Fill,
    Kind,
    OrderRecord,
    OrderState,
    OrderStatus,
    TradeRecord,
    TriggerState,
    WalletBalance,
)
from krakenwire.session.account import AccountState

D = Decimal
V1 = ("openOrders", "ownTrades")


class Line:
    """Feeds a state, numbering the messages of each channel."""

    def __init__(self, *sources: str, **bounds: int) -> None:
        self.state = AccountState(sources or ("executions",), **bounds)
        self.sequences: dict[str, int] = {}

    def tell(
        self,
        *rows: Execution,
        kind: Kind = "update",
        source: Literal["executions", "openOrders", "ownTrades"] = "executions",
    ) -> tuple[AccountChange, ...]:
        sequence = self.sequences[source] = self.sequences.get(source, 0) + 1
        return self.state.feed(Executions(kind=kind, executions=rows, sequence=sequence, source=source))

    def reconnect(self) -> None:
        self.state.disconnected()
        self.sequences.clear()


@pytest.fixture
def line() -> Line:
    line = Line()
    line.tell(kind="snapshot")
    return line


def event(exec_type: ExecType, status: OrderStatus | None = None, order_id: str = "O1", **more: Any) -> Execution:
    told: dict[str, OrderStatus] = {"trade": "partially_filled", "status": "new", "amended": "new"}
    return Execution(
        order_id=order_id,
        exec_type=exec_type,
        order_status=status or told.get(exec_type) or exec_type,  # type: ignore[arg-type]  # the other words are both
        time_ns=more.pop("time_ns", 5),
        **more,
    )


def pending(order_id: str = "O1", **more: Any) -> Execution:
    told: dict[str, Any] = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": D(2)}
    return event("pending_new", order_id=order_id, **(told | {"limit_price": D(100), "post_only": True} | more))


def trade(exec_id: str = "T1", qty: int = 1, order_id: str = "O1", **more: Any) -> Execution:
    told: dict[str, Any] = {"symbol": "BTC/USD", "side": "buy", "last_price": D(100), "last_qty": D(qty)}
    return event("trade", order_id=order_id, exec_id=exec_id, **(told | more))


# -- orders ------------------------------------------------------------------------


def told_by_rest(exec_id: str) -> TradeRecord:
    """A fill of one lot of O1 at 100, as REST has it."""
    return TradeRecord(
        exec_id=exec_id, order_id="O1", symbol="BTC/USD", time_ns=6, side="buy", order_type="limit",
        price=D(100), cost=D(100), fee=D(1), qty=D(1),
    )  # fmt: skip


def test_what_an_event_does_not_carry_stays_as_it_was(line: Line) -> None:
    line.tell(pending(cl_ord_id="mine"))
    line.tell(event("new", time_ns=6))
    (order,) = line.tell(event("amended", limit_price=D(101), amended=True, reason="User requested", time_ns=7))
    assert order == OrderState(
        order_id="O1",
        status="new",
        opened_ns=5,
        changed_ns=7,
        symbol="BTC/USD",
        side="buy",
        order_type="limit",
        order_qty=D(2),
        limit_price=D(101),
        post_only=True,
        cl_ord_id="mine",
        amended=True,
        reason="User requested",
    )
    assert line.state.open_orders == {"O1": order}


def test_the_trade_that_completes_an_order_does_not_end_it_whatever_word_it_carries(line: Line) -> None:
    line.tell(pending())
    for status in ("partially_filled", "filled"):
        line.tell(trade(f"T{status}", status=status, cum_qty=D(2)))
        assert line.state.open_orders["O1"].remaining_qty == 0
    line.tell(event("filled", cum_qty=D(2), avg_price=D(100)))
    assert not line.state.open_orders
    assert (line.state.closed_orders["O1"].status, line.state.closed_orders["O1"].avg_price) == ("filled", 100)


def test_an_order_ends_straight_from_pending_when_the_engine_does_not_take_it(line: Line) -> None:
    line.tell(pending())
    line.tell(event("canceled", reason="Post only order"))
    assert line.state.closed_orders["O1"].reason == "Post only order"


def test_a_reason_of_an_amendment_is_not_the_reason_of_the_end(line: Line) -> None:
    line.tell(pending())
    line.tell(event("amended", reason="User requested"))
    line.tell(event("filled"))
    assert line.state.closed_orders["O1"].reason is None


def test_a_refill_and_a_moved_trigger_leave_the_rest_alone(line: Line) -> None:
    line.tell(pending(triggers=TriggerState(reference="index", price=D(3), price_type="pct"), display_qty=D(1)))
    line.tell(event("iceberg_refill", "partially_filled", display_qty_remain=D(1)))
    (order,) = line.tell(event("status", triggers=TriggerState(actual_price=D(96))))
    assert isinstance(order, OrderState)
    assert order.triggers is not None
    assert (order.triggers.status, order.triggers.actual_price) == ("untriggered", 96)
    line.tell(event("status", triggers=TriggerState(actual_price=D(97), status="triggered", time_ns=8)))
    (order,) = line.tell(event("status", triggers=TriggerState(peak_price=D(99))))
    assert isinstance(order, OrderState)
    assert order.display_qty_remain == 1
    assert order.triggers == TriggerState(
        reference="index",
        price=D(3),
        price_type="pct",
        actual_price=D(97),
        peak_price=D(99),
        status="triggered",
        time_ns=8,
    )


def test_an_order_first_seen_in_mid_life_is_kept_as_far_as_it_was_told_and_counted(line: Line) -> None:
    (order,) = line.tell(event("amended", order_qty=D(3)))
    assert order == OrderState(order_id="O1", status="new", changed_ns=5, order_qty=D(3))
    assert (line.state.open_orders["O1"].remaining_qty, line.state.counters.unknown_orders) == (3, 1)
    assert OrderState(order_id="O1", status="new").remaining_qty is None


def test_what_comes_after_the_end_changes_nothing_and_is_counted(line: Line) -> None:
    line.tell(pending())
    line.tell(event("canceled"))
    assert line.tell(event("new")) == ()
    assert (line.state.closed_orders["O1"].status, line.state.counters.late) == ("canceled", 1)


def test_only_the_newest_ended_orders_are_kept() -> None:
    line = Line("executions", closed_kept=2)
    for order_id in ("O1", "O2", "O3"):
        line.tell(pending(order_id))
        line.tell(event("canceled", order_id=order_id))
    assert list(line.state.closed_orders) == ["O2", "O3"]


# -- fills ---------------------------------------------------------------------------


def test_a_fill_is_known_once_and_its_order_takes_the_totals_as_they_are_told(line: Line) -> None:
    line.tell(pending())
    told = trade(cum_qty=D(1), fees=(Fee(asset="USD", qty=D("0.1")),), liquidity_ind="m", trade_id=9)
    fill, order = line.tell(told)
    assert fill == Fill(
        exec_id="T1",
        order_id="O1",
        time_ns=5,
        symbol="BTC/USD",
        side="buy",
        qty=D(1),
        price=D(100),
        cost=D(100),
        fees=(Fee(asset="USD", qty=D("0.1")),),
        maker=True,
        trade_id=9,
    )
    assert isinstance(order, OrderState)
    assert (order.cum_qty, order.status) == (1, "partially_filled")
    line.tell(trade("T2", cum_qty=D(2)))
    assert line.tell(told) == ()
    assert (line.state.open_orders["O1"].cum_qty, line.state.counters.duplicates) == (2, 1)
    assert list(line.state.fills) == ["T1", "T2"]


def test_fills_of_a_snapshot_add_what_was_missed_oldest_first_and_touch_no_order(line: Line) -> None:
    line.tell(pending())
    line.tell(trade("T1", cum_qty=D(1)))
    line.reconnect()
    rows = [trade("T3", status="filled", order_id="O0", time_ns=9), trade("T2", time_ns=8), trade("T1")]
    line.tell(pending(cum_qty=D(2)), *rows, kind="snapshot")
    assert list(line.state.fills) == ["T1", "T2", "T3"]
    assert line.state.open_orders["O1"].cum_qty == 2
    assert (line.state.counters.duplicates, line.state.counters.unknown_orders) == (0, 0)


def test_a_snapshot_full_of_new_fills_only_says_that_some_may_be_missing(line: Line) -> None:
    line.tell(trade("T0", time_ns=4))
    line.reconnect()
    line.tell(*(trade(f"T{n}") for n in range(1, 51)), kind="snapshot")
    assert (line.state.counters.fill_gaps, line.state.missed_since_ns) == (1, 4)
    record = told_by_rest("T99")
    assert [fill.fees for fill in line.state.learn([record, record]) if isinstance(fill, Fill)] == [
        (Fee(asset="USD", qty=D(1)),)
    ]
    assert "T99" in line.state.fills
    assert line.state.missed_since_ns is None


def test_fills_may_be_missing_though_none_was_known_before(line: Line) -> None:
    line.reconnect()
    line.tell(*(trade(f"T{n}") for n in range(50)), kind="snapshot")
    assert (line.state.counters.fill_gaps, line.state.missed_since_ns) == (1, 0)


def test_the_first_snapshot_misses_nothing() -> None:
    line = Line()
    line.tell(*(trade(f"T{n}") for n in range(50)), kind="snapshot")
    assert (line.state.counters.fill_gaps, line.state.missed_since_ns) == (0, None)


def test_an_order_hears_of_a_trade_of_which_rest_was_told_first(line: Line) -> None:
    line.tell(pending(), event("new"))
    record = told_by_rest("T1")
    line.state.learn([record])
    (order,) = line.tell(trade("T1", cum_qty=D(1)))
    assert isinstance(order, OrderState)
    assert (order.status, order.cum_qty, list(line.state.fills)) == ("partially_filled", 1, ["T1"])
    assert line.tell(trade("T1", cum_qty=D(1))) == ()


def test_only_the_newest_fills_are_kept() -> None:
    line = Line("executions", fills_kept=2)
    for exec_id in ("T1", "T2", "T3"):
        line.tell(trade(exec_id))
    assert list(line.state.fills) == ["T2", "T3"]


def test_a_trade_without_what_a_fill_needs_is_no_fill_but_its_totals_count(line: Line) -> None:
    line.tell(pending())
    line.tell(trade(last_price=None, cum_qty=D(1)))
    assert (dict(line.state.fills), line.state.counters.incomplete) == ({}, 1)
    assert line.state.open_orders["O1"].cum_qty == 1


# -- snapshots and reconnects -----------------------------------------------------------


def test_it_is_live_with_the_snapshots_and_stale_when_the_line_or_a_message_is_lost() -> None:
    state = AccountState()
    balances = Balances(balances=(WalletBalance(asset="USD", balance=D(5)),), sequence=1)
    snapshot = Executions(kind="snapshot", executions=(), sequence=1)
    assert state.state == "waiting"
    state.feed(balances)
    assert (state.state, state.step("balances")) == ("waiting", "live")
    state.feed(snapshot)
    assert state.in_step
    state.feed(Executions(kind="update", executions=(pending(),), sequence=3))
    assert (state.state, state.counters.gaps) == ("stale", 1)
    assert "O1" in state.open_orders, "what comes after a gap is taken in all the same"
    state.feed(Executions(kind="update", executions=(event("new"),), sequence=4))
    assert (state.state, state.counters.gaps) == ("stale", 1)
    state.feed(Executions(kind="snapshot", executions=(pending(),), sequence=5))
    assert state.in_step
    state.disconnected()
    assert (state.state, state.balances) == ("stale", {"USD": D(5)})
    state.feed(balances)
    assert state.state == "stale"
    state.feed(snapshot)
    assert state.in_step


def test_an_order_that_a_snapshot_does_not_show_is_adrift_until_a_record_tells_its_end(line: Line) -> None:
    line.tell(pending("O1"), pending("O2"))
    line.reconnect()
    line.tell(pending("O2"), kind="snapshot")
    assert (list(line.state.open_orders), list(line.state.adrift)) == (["O2"], ["O1"])
    record = OrderRecord(
        order_id="O1",
        status="open",
        symbol="BTC/USD",
        side="buy",
        order_type="limit",
        order_qty=D(2),
        open_time_ns=5,
        cum_qty=D(1),
    )
    still = line.state.settle(record)
    assert still is not None
    assert (still.status, still.changed_ns, list(line.state.adrift)) == ("partially_filled", 5, ["O1"])
    ended = line.state.settle(
        OrderRecord(**{**members(record), "status": "canceled", "reason": "User requested", "close_time_ns": 9})
    )
    assert ended is not None
    assert ended.changed_ns == 9
    assert (ended.status, ended.cum_qty, ended.reason) == ("canceled", 1, "User requested")
    assert (dict(line.state.adrift), line.state.closed_orders) == ({}, {"O1": ended})
    assert line.state.settle(record) is None


def test_an_order_adrift_is_filled_when_its_fills_account_for_all_of_it(line: Line) -> None:
    line.tell(pending())
    line.tell(trade("T1", cum_qty=D(1)))
    line.reconnect()
    line.tell(kind="snapshot")
    assert list(line.state.adrift) == ["O1"]
    fill, order = line.tell(trade("T2", last_price=D(90), time_ns=8))[0], line.state.closed_orders["O1"]
    assert isinstance(fill, Fill)
    assert (order.status, order.cum_qty, order.cum_cost, order.avg_price) == ("filled", 2, 190, 95)
    assert not line.state.adrift


def test_an_order_adrift_that_is_heard_of_again_was_not_gone(line: Line) -> None:
    line.tell(pending("O1"), pending("O2"))
    line.reconnect()
    line.tell(kind="snapshot")
    line.tell(event("amended", order_qty=D(3)))
    line.reconnect()
    line.tell(pending("O2"), pending("O1"), kind="snapshot")
    assert sorted(line.state.open_orders) == ["O1", "O2"]
    assert (dict(line.state.adrift), line.state.open_orders["O1"].opened_ns) == ({}, 5)


def test_a_long_snapshot_may_come_in_several_messages(line: Line) -> None:
    line.tell(pending("O1"), pending("O2"))
    line.reconnect()
    line.tell(event("new", order_id="O1"), kind="snapshot")
    line.tell(event("new", order_id="O2"), kind="snapshot")
    assert (sorted(line.state.open_orders), dict(line.state.adrift)) == (["O1", "O2"], {})


def test_a_snapshot_that_was_asked_for_again_begins_anew_in_the_running_sequence(line: Line) -> None:
    line.tell(pending("O1"), pending("O2"))
    assert line.tell(pending("O1"), kind="snapshot") == (), "what is as it was is no news"
    assert (list(line.state.open_orders), list(line.state.adrift)) == (["O1"], ["O2"])


def test_an_ended_order_that_a_snapshot_shows_is_open(line: Line) -> None:
    line.tell(pending())
    line.tell(event("canceled"))
    line.reconnect()
    line.tell(pending(), kind="snapshot")
    assert (list(line.state.open_orders), dict(line.state.closed_orders)) == (["O1"], {})


# -- v1 and balances ----------------------------------------------------------------------


def test_where_a_fee_comes_without_its_asset_the_order_says_which() -> None:
    line, told = Line(*V1), Fee(asset="USD", qty=D("0.004"))
    line.tell(kind="snapshot", source="openOrders")
    line.tell(pending(fee_preference="base"), pending("O2", fee_preference="quote"), source="openOrders")
    line.tell(trade(fees=(told,)), trade("T2", order_id="O2", fees=(told,)), source="ownTrades")
    assert [fill.fees for fill in line.state.fills.values()] == [(Fee(asset="BTC", qty=D("0.004")),), (told,)]


def test_on_v1_orders_come_from_one_channel_and_fills_from_the_other() -> None:
    line = Line(*V1)
    line.tell(source="openOrders", kind="snapshot")
    assert line.state.state == "waiting"
    line.tell(trade("T0"), source="ownTrades", kind="snapshot")
    assert line.state.in_step
    line.tell(trade("T1"), source="ownTrades")
    line.tell(pending(), source="openOrders")
    line.tell(event("status", "partially_filled", cum_qty=D(1), time_ns=0), source="openOrders")
    order = line.state.open_orders["O1"]
    assert (order.cum_qty, order.changed_ns, list(line.state.fills)) == (1, 5, ["T0", "T1"])


def test_own_trades_without_a_snapshot_are_in_step_from_the_first_on() -> None:
    line = Line("ownTrades")
    line.tell(trade("T0"), source="ownTrades")
    assert line.state.in_step
    line.reconnect()
    line.tell(trade("T1"), source="ownTrades")
    assert line.state.state == "stale", "nobody told what was missed"


def test_a_ledger_entry_sets_the_total_of_its_asset() -> None:
    state = AccountState(("balances",))
    state.feed(Balances(balances=(WalletBalance(asset="USD", balance=D(5)),), sequence=1))
    entry = BalanceChange(
        ledger_id="L1", ref_id="T1", time_ns=1, type="trade", asset="BTC", amount=D(1), fee=D(0), balance=D(3)
    )
    assert state.feed(BalanceChanges(changes=(entry,), sequence=2)) == ()
    assert state.balances == {"USD": D(5), "BTC": D(3)}


def members(record: OrderRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}
