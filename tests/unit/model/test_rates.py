"""Rate counters: the documented examples, the table of costs, and the arithmetic whoever looks."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.errors import ConfigError
from krakenwire.model.rates import (
    ALWAYS_ACCEPTED,
    POINT,
    TIERS,
    RateCounter,
    RateLimit,
    Tier,
    Transaction,
    cost,
    rest_cost,
)

SECOND = 1_000_000_000
START_NS = 1_800_000_000 * SECOND


def counter(tier: Tier = "intermediate") -> RateCounter:
    return RateCounter(TIERS[tier].trading)


def limit(threshold: str, decay_per_s: str) -> RateLimit:
    return RateLimit(Decimal(threshold), Decimal(decay_per_s))


def test_first_documented_example_costs_eight_points_before_decay() -> None:
    add = cost("add")
    amend = cost("amend", [7 * SECOND])
    cancel = cost("cancel", [36 * SECOND])
    assert (add, amend, cancel) == (POINT, 3 * POINT, 4 * POINT)


def test_second_documented_example_leaves_26_6_points() -> None:
    pair = counter("intermediate")
    for _ in range(50):
        assert pair.take(cost("add"), START_NS)
    assert pair.value(START_NS) == 50
    assert pair.value(START_NS + 10 * SECOND) == Decimal("26.6")


@pytest.mark.parametrize(
    ("tier", "threshold", "decay_per_s", "open_orders"),
    [("starter", 60, "1.00", 60), ("intermediate", 125, "2.34", 80), ("pro", 180, "3.75", 225)],
)
def test_tiers_have_the_documented_figures(tier: Tier, threshold: int, decay_per_s: str, open_orders: int) -> None:
    limits = TIERS[tier]
    assert (limits.trading.threshold, limits.trading.decay_per_s) == (threshold, Decimal(decay_per_s))
    assert limits.open_orders == open_orders


COSTS: list[tuple[Transaction, tuple[int, ...]]] = [
    ("add", (1, 1, 1, 1, 1, 1, 1)),
    ("amend", (4, 3, 2, 1, 1, 1, 1)),
    ("edit", (7, 6, 5, 3, 2, 1, 1)),
    ("cancel", (8, 6, 5, 4, 2, 1, 0)),
    ("batch_cancel", (8, 6, 5, 4, 2, 1, 0)),
]


@pytest.mark.parametrize(("transaction", "points"), COSTS)
def test_younger_orders_cost_more(transaction: Transaction, points: tuple[int, ...]) -> None:
    bounds = [s * SECOND for s in (5, 10, 15, 45, 90, 300)]
    youngest, oldest = [0, *bounds], [*(bound - 1 for bound in bounds), 10**6 * SECOND]
    for ages in (youngest, oldest):
        assert tuple(cost(transaction, [age]) // POINT for age in ages) == points


def test_batches_cost_by_their_orders() -> None:
    assert cost("batch_add", orders=15) == 15 * POINT // 2
    assert cost("batch_cancel", [SECOND, 7 * SECOND, 400 * SECOND]) == 14 * POINT
    assert cost("cancel_all") == cost("cancel_all_after") == POINT


def test_only_the_fixed_part_is_due_when_no_order_is_touched() -> None:
    assert [cost(kind) for kind in ("amend", "edit", "cancel", "batch_cancel")] == [POINT, POINT, 0, 0]


def test_batch_cancel_alone_is_accepted_whatever_it_costs() -> None:
    assert {"batch_cancel"} == ALWAYS_ACCEPTED


def test_request_is_refused_at_the_threshold_and_costs_nothing_then() -> None:
    pair = counter("starter")
    assert all(pair.take(POINT, START_NS) for _ in range(60))
    assert not pair.take(POINT, START_NS)
    assert not pair.take(0, START_NS)
    assert pair.value(START_NS) == 60
    assert pair.take(0, START_NS + 1)
    assert not pair.take(POINT, START_NS + SECOND - 1)
    assert pair.take(POINT, START_NS + SECOND)


def test_request_that_would_go_over_the_threshold_is_refused_before_it_is_reached() -> None:
    pair = counter("starter")
    pair.charge(55 * POINT, START_NS)
    assert pair.would_exceed(8 * POINT, START_NS)
    assert not pair.would_exceed(5 * POINT, START_NS)


def test_charge_may_go_over_the_threshold() -> None:
    pair = counter("starter")
    pair.charge(400 * POINT, START_NS)
    assert pair.value(START_NS + 10 * SECOND) == 390


def test_pacer_learns_when_a_request_will_be_taken() -> None:
    pair = counter("intermediate")
    pair.charge(125 * POINT, START_NS)
    free_ns = pair.free_at(POINT, START_NS)
    assert free_ns is not None
    assert not pair.take(POINT, free_ns - 1)
    assert pair.take(POINT, free_ns)
    assert pair.free_at(126 * POINT, START_NS) is None
    assert counter().free_at(POINT, START_NS) == START_NS


def test_counter_that_never_falls_is_never_free_again() -> None:
    still = RateCounter(limit("2", "0"))
    still.charge(2 * POINT, START_NS)
    assert still.free_at(POINT, START_NS) is None
    assert still.below_at(Decimal(1), START_NS) is None
    assert still.below_at(Decimal(3), START_NS) == START_NS


def test_pacer_learns_when_the_counter_is_below_a_figure() -> None:
    pair = counter("pro")
    pair.charge(100 * POINT, START_NS)
    below_ns = pair.below_at(Decimal("62.5"), START_NS)
    assert below_ns == START_NS + 10 * SECOND + 1
    assert pair.value(below_ns - 1) == Decimal("62.5")
    assert pair.value(below_ns) < Decimal("62.5")
    assert pair.below_at(Decimal(0), START_NS) is None


@pytest.mark.parametrize(
    ("threshold", "decay_per_s"),
    [("0", "1"), ("-1", "1"), ("1", "-1"), ("0.0000001", "1"), ("1", "0.0000001"), ("NaN", "1"), ("1", "Infinity")],
)
def test_impossible_limit_is_refused(threshold: str, decay_per_s: str) -> None:
    with pytest.raises(ConfigError, match=r"threshold|decay_per_s"):
        limit(threshold, decay_per_s)


@pytest.mark.parametrize(
    ("method", "points"),
    [
        *((name, 0) for name in ("AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder")),
        *((name, 0) for name in ("CancelOrder", "CancelOrderBatch", "CancelAll", "CancelAllOrdersAfter")),
        *((name, 4) for name in ("Ledgers", "QueryLedgers", "TradesHistory", "QueryTrades", "ClosedOrders")),
        *((name, 1) for name in ("Balance", "OpenOrders", "GetWebSocketsToken", "NoSuchCall")),
    ],
)
def test_rest_calls_cost_by_what_they_read(method: str, points: int) -> None:
    assert rest_cost(method) == points * POINT


STEPS = st.lists(st.tuples(st.integers(0, 40 * SECOND), st.integers(0, 9 * POINT)), max_size=20)
TIER = st.sampled_from(sorted(TIERS))


@given(TIER, STEPS)
def test_counter_falls_by_its_rate_and_never_below_zero(tier: Tier, steps: list[tuple[int, int]]) -> None:
    pair, now_ns, expected = counter(tier), START_NS, Decimal(0)
    for pause_ns, paid in steps:
        now_ns += pause_ns
        expected = max(Decimal(0), expected - TIERS[tier].trading.decay_per_s * Decimal(pause_ns).scaleb(-9))
        assert pair.value(now_ns) == expected >= 0
        pair.charge(paid, now_ns)
        expected += Decimal(paid).scaleb(-6)


@given(TIER, STEPS, st.lists(st.integers(0, 40 * SECOND), max_size=20))
def test_looking_changes_nothing(tier: Tier, steps: list[tuple[int, int]], looks: list[int]) -> None:
    watched, alone, now_ns = counter(tier), counter(tier), START_NS
    for pause_ns, paid in steps:
        for look in sorted(looks):
            if look <= pause_ns:
                watched.value(now_ns + look)
                watched.would_exceed(paid, now_ns + look)
                watched.free_at(paid, now_ns + look)
        now_ns += pause_ns
        assert watched.take(paid, now_ns) == alone.take(paid, now_ns)
        assert watched.value(now_ns) == alone.value(now_ns)


@given(TIER, STEPS, st.integers(0, 60 * SECOND), st.integers(0, 60 * SECOND))
def test_counter_falls_monotonously(tier: Tier, steps: list[tuple[int, int]], first: int, second: int) -> None:
    pair, now_ns = counter(tier), START_NS
    for pause_ns, paid in steps:
        now_ns += pause_ns
        pair.charge(paid, now_ns)
    sooner, later = sorted((first, second))
    assert pair.value(now_ns + sooner) >= pair.value(now_ns + later)


@given(TIER, STEPS, st.integers(0, 200 * POINT))
def test_free_time_is_the_first_one(tier: Tier, steps: list[tuple[int, int]], wanted: int) -> None:
    pair, now_ns = counter(tier), START_NS
    for pause_ns, paid in steps:
        now_ns += pause_ns
        pair.charge(paid, now_ns)
    free_ns = pair.free_at(wanted, now_ns)
    if free_ns is None:
        assert wanted > TIERS[tier].trading.threshold * POINT
        return
    assert not pair.would_exceed(wanted, free_ns)
    assert free_ns == now_ns or pair.would_exceed(wanted, free_ns - 1)


def test_time_that_goes_back_gives_nothing_back() -> None:
    pair = counter("starter")
    pair.charge(10 * POINT, START_NS)
    assert pair.value(START_NS - SECOND) == 10
    pair.charge(POINT, START_NS - SECOND)
    assert pair.value(START_NS + SECOND) == 10


def test_free_time_counts_from_the_latest_time_that_was_told() -> None:
    pair = counter("starter")
    pair.charge(60 * POINT, START_NS)
    assert pair.free_at(POINT, START_NS - 5 * SECOND) == START_NS + SECOND
