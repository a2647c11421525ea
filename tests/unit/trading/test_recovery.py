"""What records add up to: the life of an order, money, stops."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.trading.journal_scene import (
    HEAD,
    NOON,
    SECOND,
    STARTED,
    ack,
    ended,
    fill,
    intended,
    name_of,
    refused,
    unknown,
)
from tests.unit.trading.risk_scene import Scene, intent

from krakenwire.trading import records
from krakenwire.trading.records import Record
from krakenwire.trading.recovery import recover, restore_risk
from krakenwire.trading.risk import Risk
from krakenwire.trading.risk_limits import RiskLimits
from krakenwire.trading.stops import StopLevel


def resolved(accepted: bool) -> records.Resolved:
    return records.Resolved(
        time_ns=NOON, id=name_of(1), accepted=accepted, evidence="REST", order_id="O-1" if accepted else ""
    )


@pytest.mark.parametrize(
    ("after", "step"),
    [
        ([], "intent"),
        ([unknown(1)], "unknown"),
        ([ack(1)], "open"),
        ([ack(1), unknown(1)], "open"),
        ([unknown(1), resolved(True)], "open"),
        ([unknown(1), fill(1, "T-1", "0.5")], "open"),
        ([unknown(1), resolved(False)], "never"),
        ([unknown(1), resolved(False), ack(1)], "never"),
        ([refused(1)], "refused"),
        ([refused(1), unknown(1), ended(1)], "refused"),
        ([ack(1), refused(1)], "open"),
        ([ack(1), fill(1, "T-1"), ended(1)], "filled"),
        ([ack(1), ended(1, "canceled", "0"), ack(1), unknown(1), ended(1, "expired", "0")], "canceled"),
    ],
)
def test_an_order_only_ever_goes_on(after: list[Record], step: str) -> None:
    known = recover([HEAD, intended(1), *after])
    assert known.orders[name_of(1)].step == step
    assert (name_of(1) in known.open) == (step in ("intent", "unknown", "open"))
    assert bool(known.unresolved) == (step in ("intent", "unknown"))


def test_fills_are_applied_once_and_add_up_to_positions_and_money() -> None:
    known = recover(
        [
            HEAD,
            intended(1, qty="3"),
            ack(1),
            fill(1, "T-1", "1", "100"),
            fill(1, "T-2", "2", "101", fees={"BTC": Decimal("0.01")}),
            fill(1, "T-1", "1", "100"),
            intended(2, side="sell"),
            fill(2, "T-3", "1", "110", side="sell"),
        ]
    )
    assert (known.orders[name_of(1)].filled, known.orders[name_of(1)].cost) == (Decimal(3), Decimal(302))
    assert known.positions == {"BTC/USD": Decimal("1.99")}
    assert known.changes == {"BTC": Decimal("1.99"), "USD": Decimal("-192.50")}
    assert known.exec_ids == {"T-1", "T-2", "T-3"}
    assert known.order_of(None, "O-2") is known.orders[name_of(2)]
    assert known.order_of("somebody-else", "O-9") is None


def test_a_fill_of_an_order_that_never_was_counts_and_is_a_surprise() -> None:
    known = recover([HEAD, intended(1), unknown(1), resolved(False), fill(1, "T-1")])
    assert known.positions == {"BTC/USD": Decimal(1)}
    assert len(known.surprises) == 1


def test_an_amendment_that_was_taken_changes_the_terms_and_one_that_was_not_does_not() -> None:
    amends = [
        records.AmendIntended(time_ns=NOON, id=name_of(1), number=1, limit=Decimal(101)),
        records.AmendEnded(time_ns=NOON, id=name_of(1), number=1, outcome="accepted"),
        records.AmendIntended(time_ns=NOON, id=name_of(1), number=2, qty=Decimal(5)),
        records.AmendEnded(time_ns=NOON, id=name_of(1), number=2, outcome="refused"),
        records.AmendIntended(time_ns=NOON, id=name_of(1), number=3, qty=Decimal(6)),
        records.AmendEnded(time_ns=NOON, id=name_of(1), number=3, outcome="unknown"),
    ]
    order = recover([HEAD, intended(1), ack(1), *amends]).orders[name_of(1)]
    assert (order.intent.limit, order.intent.qty) == (Decimal(101), Decimal(1))
    assert list(order.amends) == [3]


def test_a_stop_stands_until_it_is_lifted_and_a_softer_one_does_not_replace_it() -> None:
    hard = records.Stopped(time_ns=NOON, level=StopLevel.CANCEL_ALL, reason="loss", who="bot")
    soft = records.Stopped(time_ns=NOON, level=StopLevel.PAUSED, reason="coffee", who="ann")
    known = recover([HEAD, hard, soft])
    assert known.stops.stop is not None
    assert (known.stops.stop.level, known.stops.stop.reason) == (StopLevel.CANCEL_ALL, "loss")
    known.apply(records.Resumed(time_ns=NOON, who="ann"))
    assert known.stops.allows_orders


def test_a_baseline_is_where_changes_count_from() -> None:
    baseline = records.Baseline(time_ns=NOON, balances={"USD": Decimal(900)})
    known = recover([HEAD, intended(1), fill(1, "T-1"), baseline, baseline, fill(1, "T-2"), baseline])
    assert known.baseline == {"USD": Decimal(900)}
    assert known.changes == {"BTC": Decimal(1), "USD": Decimal("-100.25")}


def test_the_rest_is_as_it_was_last_said() -> None:
    day = records.DayBegan(time_ns=NOON, equity=Decimal(1), peak=Decimal(2))
    known = recover([HEAD, STARTED, records.StateSaved(time_ns=NOON, state={"a": 1}), day, intended(7), intended(3)])
    assert (known.head, known.started, known.state, known.day) == (HEAD, STARTED, {"a": 1}, day)
    assert known.last_number == 7


def test_new_limits_know_what_an_earlier_life_has_left_behind() -> None:
    late = NOON + 3_600 * SECOND
    known = recover(
        [
            HEAD,
            records.DayBegan(time_ns=late, equity=Decimal(1_000), peak=Decimal(1_000)),
            intended(1, at_ns=NOON - 2 * 86_400 * SECOND),
            ack(1),
            fill(1, "T-1", "0.6", traded_ns=late),
            intended(2),
            fill(2, "T-2"),
            ended(2),
            intended(3, at_ns=late),
        ]
    )
    limits = RiskLimits(turnover_day_max=Decimal(350), orders_per_day_max=3, daily_loss_max=Decimal(1))
    risk, scene = Risk(limits, ("BTC/USD",)), Scene(now_ns=late + SECOND, price=Decimal(100))
    restore_risk(risk, known)
    assert (risk.open_orders(), risk.open_qty("BTC", "buy"), risk.traded("USD", scene.now_ns)) == (
        2,
        Decimal("1.4"),
        Decimal(160),
    )
    assert risk.check(intent("b9", qty="0.5", limit="100"), scene) is None
    refusal = risk.check(intent("b9", qty="0.6", limit="100"), scene)
    assert refusal is not None
    assert refusal.rule == "turnover_day_max"
    risk.observe_sent(intent("b9", qty="0.5", limit="100"), scene)
    refusal = risk.check(intent("b10", qty="0.1", limit="99"), scene)
    assert refusal is not None
    assert [refusal.rule, *(other.rule for other in refusal.others)] == ["turnover_day_max", "orders_per_day_max"]
    assert risk.observe_equity(scene.now_ns, Decimal(998)) is not None
