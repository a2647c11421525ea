"""What evidence makes of a bot's orders, and what it does not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.unit.trading.journal_scene import HEAD, NOON, SECOND, ack, ended, fill, intended, name_of, unknown

from krakenwire.model import Fee, Fill, OrderState
from krakenwire.trading import records
from krakenwire.trading.reconcile import Difference, Evidence, Patience, Reconciliation, audit, reconcile
from krakenwire.trading.records import Record
from krakenwire.trading.recovery import Recovered, recover

PATIENCE = Patience(lag_s=90, again_s=5, look_s=30)
TELLING = NOON + 95 * SECOND
"""From then on an absence says something: the deadline is 5 s after the intent."""


def state(number: int, status: Any = "new", filled: str = "0", **more: Any) -> OrderState:
    values = {
        "order_id": f"O-{number}",
        "status": status,
        "cl_ord_id": name_of(number),
        "order_qty": Decimal(1),
        "limit_price": Decimal(100),
        "cum_qty": Decimal(filled),
    }
    return OrderState(**(values | more))


def traded(number: int, exec_id: str, qty: str = "1", **more: Any) -> Fill:
    values = {
        "exec_id": exec_id,
        "order_id": f"O-{number}",
        "time_ns": NOON,
        "symbol": "BTC/USD",
        "side": "buy",
        "qty": Decimal(qty),
        "price": Decimal(100),
        "cost": Decimal(qty) * 100,
        "fees": (Fee(asset="USD", qty=Decimal("0.2")), Fee(asset="USD", qty=Decimal("0.05"))),
        "maker": False,
    }
    return Fill(**(values | more))


def told(*what: OrderState | Fill, at_ns: int = NOON, thorough: bool = True) -> Evidence:
    orders = tuple(item for item in what if isinstance(item, OrderState))
    fills = tuple(item for item in what if isinstance(item, Fill))
    return Evidence(orders, fills, at_ns, thorough, "REST")


def settle(known: Recovered, evidence: Evidence) -> Reconciliation:
    """Reconcile, apply what comes of it, and see that doing it again changes nothing."""
    result = reconcile(known, evidence, evidence.asked_ns, PATIENCE)
    for record in result.records:
        known.apply(record)
    assert reconcile(known, evidence, evidence.asked_ns, PATIENCE).records == ()
    return result


def known_of(*written: Record) -> Recovered:
    return recover([HEAD, *written])


def test_an_open_order_with_our_id_resolves_an_unknown_one() -> None:
    known = known_of(intended(1), unknown(1))
    result = settle(known, told(state(1)))
    assert [type(record) for record in result.records] == [records.Resolved]
    assert (known.orders[name_of(1)].step, known.orders[name_of(1)].order_id) == ("open", "O-1")
    assert result.again_ns is None


def test_a_fill_alone_is_evidence_too_and_its_fees_are_summed() -> None:
    known = known_of(intended(1), unknown(1))
    settle(known, told(traded(1, "T-1", "0.5", cl_ord_id=name_of(1)), thorough=False))
    order = known.orders[name_of(1)]
    assert (order.step, order.filled, order.order_id) == ("open", Decimal("0.5"), "O-1")
    assert known.changes["USD"] == Decimal("-50.25")


def test_an_order_that_ended_while_away_is_resolved_filled_and_ended_in_this_order() -> None:
    known = known_of(intended(1))
    result = settle(known, told(state(1, "filled", "1"), traded(1, "T-1", "0.4"), traded(1, "T-2", "0.6")))
    kinds = [records.Resolved, records.Filled, records.Filled, records.Ended]
    assert [type(record) for record in result.records] == kinds
    assert known.orders[name_of(1)].step == "filled"


def test_an_order_ends_only_when_every_fill_up_to_its_end_is_known() -> None:
    known = known_of(intended(1), ack(1))
    result = settle(known, told(state(1, "canceled", "0.7"), traded(1, "T-1", "0.4")))
    assert known.orders[name_of(1)].step == "open"
    assert result.again_ns == NOON + 5 * SECOND
    settle(known, told(state(1, "canceled", "0.7", reason="User requested"), traded(1, "T-2", "0.3")))
    order = known.orders[name_of(1)]
    assert (order.step, order.filled, order.reason) == ("canceled", Decimal("0.7"), "User requested")


def test_absence_says_nothing_before_deadline_and_lag_and_nothing_when_not_all_was_asked() -> None:
    known = known_of(intended(1), unknown(1))
    for evidence in (told(at_ns=TELLING - 1), told(at_ns=TELLING + SECOND, thorough=False)):
        result = settle(known, evidence)
        assert result.records == ()
        assert result.again_ns is not None
        assert evidence.asked_ns < result.again_ns <= evidence.asked_ns + 30 * SECOND
    assert known.orders[name_of(1)].absences == []


def test_an_order_never_was_when_it_is_absent_twice_a_while_apart() -> None:
    known = known_of(intended(1), unknown(1))
    first = settle(known, told(at_ns=TELLING))
    assert (known.orders[name_of(1)].step, first.again_ns) == ("unknown", TELLING + 5 * SECOND)
    settle(known, told(at_ns=TELLING + 5 * SECOND - 1))
    assert known.orders[name_of(1)].step == "unknown"
    result = settle(known, told(at_ns=TELLING + 5 * SECOND))
    assert (known.orders[name_of(1)].step, result.again_ns) == ("never", None)


def test_an_absence_counts_in_the_next_life_too() -> None:
    known = known_of(intended(1), unknown(1), records.Absent(time_ns=TELLING, id=name_of(1)))
    settle(known, told(at_ns=TELLING + 5 * SECOND))
    assert known.orders[name_of(1)].step == "never"


def test_an_order_that_was_accepted_is_never_ended_by_absence() -> None:
    known = known_of(intended(1), ack(1))
    for seconds in (0, 100, 1_000):
        result = settle(known, told(at_ns=TELLING + seconds * SECOND))
        assert result.records == ()
        assert result.again_ns is not None
    assert known.orders[name_of(1)].step == "open"


def test_terms_show_which_amendment_was_taken_and_after_the_lag_which_was_not() -> None:
    amend = records.AmendIntended(time_ns=NOON, id=name_of(1), number=1, limit=Decimal(101))
    taken, pending, lost = (known_of(intended(1), ack(1), amend) for _ in range(3))
    settle(taken, told(state(1, limit_price=Decimal(101))))
    assert taken.orders[name_of(1)].intent.limit == Decimal(101)
    settle(pending, told(state(1)))
    assert list(pending.orders[name_of(1)].amends) == [1]
    settle(lost, told(state(1), at_ns=NOON + 90 * SECOND))
    assert (lost.orders[name_of(1)].intent.limit, lost.orders[name_of(1)].amends) == (Decimal(100), {})


def test_orders_and_fills_of_others_are_listed_and_change_nothing() -> None:
    known = known_of(intended(1), ack(1), fill(1, "T-1"), ended(1))
    foreign = state(9, cl_ord_id="manual")
    gone = state(8, "canceled", cl_ord_id=None)
    result = settle(known, told(foreign, gone, traded(9, "T-9"), traded(1, "T-1")))
    assert (result.records, result.foreign) == ((), (foreign,))
    assert known.positions == {"BTC/USD": Decimal(1)}


def test_a_late_fill_of_an_order_that_never_was_is_applied_and_a_surprise() -> None:
    never = records.Resolved(time_ns=NOON, id=name_of(1), accepted=False, evidence="absent twice")
    known = known_of(intended(1), unknown(1), never)
    settle(known, told(traded(1, "T-1", cl_ord_id=name_of(1))))
    assert known.positions == {"BTC/USD": Decimal(1)}
    assert known.surprises


def test_an_audit_tells_every_asset_that_fills_do_not_explain_to_the_last_digit() -> None:
    baseline = records.Baseline(time_ns=NOON, balances={"USD": Decimal(1_000), "EUR": Decimal(5)})
    known = known_of(baseline, intended(1), fill(1, "T-1"))
    right = {"USD": Decimal("899.75"), "BTC": Decimal(1), "EUR": Decimal(5)}
    assert audit(known, right) == ()
    wrong = right | {"USD": Decimal("899.7499"), "ETH": Decimal(1)}
    assert audit(known, wrong) == (
        Difference("ETH", Decimal(0), Decimal(1)),
        Difference("USD", Decimal("899.75"), Decimal("899.7499")),
    )
    assert [found.asset for found in audit(known, wrong, {"USD": Decimal("0.001")})] == ["ETH"]
    assert audit(known_of(), wrong) == ()
