"""Whatever a strategy does on whatever market, the money of its run is what its fills say, to the last digit."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines import simulators
from tests.unit.trading.money_world import BALANCES, Anything, Ledger, live, run_world, world

from krakenwire.apps import backtest
from krakenwire.model.rows import LAST
from krakenwire.trading import sim_broker
from krakenwire.trading.orders import ENDED, Order
from krakenwire.trading.risk_limits import RiskLimits
from krakenwire.trading.run_records import DecisionRow, EquityRow, FillRow, NoteRow, OrderRow, RunHead, RunRow, rule_of
from krakenwire.trading.run_result import RunResult

SEEDS = st.integers(0, 2**32)


def held_by_orders(strategy: Anything, rates: tuple[Decimal, Decimal]) -> dict[str, Fraction]:
    """Return what the open orders say that they hold, by asset."""
    held: defaultdict[str, Fraction] = defaultdict(Fraction)
    for order in strategy.orders:
        base, _, quote = order.symbol.partition("/")
        held[quote if order.side == "buy" else base] += Fraction(order.held)
        assert order.held > 0
        if order.side == "sell" or order.limit is not None:
            assert Fraction(order.held) == may_take(order, rates)
    return held


def may_take(order: Order, rates: tuple[Decimal, Decimal]) -> Fraction:
    """Return what an order may still take of the account; with an amendment under way the worse of before and after."""
    rate = Fraction(rates[0] if order.intent.post_only else max(rates))
    terms = [(order.limit, order.qty)] + ([] if order.wanted is None else [order.wanted])
    if order.side == "sell":
        return max(Fraction(qty) for _, qty in terms) - Fraction(order.filled)
    return max(Fraction(limit or 0) * (1 + rate) * (Fraction(qty) - Fraction(order.filled)) for limit, qty in terms)


def holds_are_those_of_open_orders(strategy: Anything, rates: tuple[Decimal, Decimal]) -> None:
    portfolio, held = strategy.portfolio, held_by_orders(strategy, rates)
    for asset, balance in portfolio.balances.items():
        assert Fraction(balance) - Fraction(portfolio.available(asset)) == held.get(asset, 0), asset


def live_through(twin: Any, seed: int, frames: int) -> None:
    """Run from a seed, and hold all that the run and its account tell to its fills."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtest, "Simulator", twin.Simulator)
        patch.setattr(sim_broker, "SimOrder", twin.Order)
        data, model, margin = world(seed, frames)
        rates = model.maker_fee, model.taker_fee
        result, strategy = run_world(
            seed, data, model, margin, look=lambda strategy: holds_are_those_of_open_orders(strategy, rates)
        )
    assert result.error is None
    ledger = Ledger(result)
    for row in result.rows:
        if isinstance(row, FillRow):
            ledger.fill(row)
            assert margin or min(ledger.balances.values()) >= 0 or "overdrawn" in result.summary()["notes"]
        elif isinstance(row, EquityRow):
            ledger.check(row)
    assert {asset: Fraction(held) for asset, held in strategy.portfolio.balances.items()} == {
        asset: ledger.balances[asset] for asset in ("USD", "BTC", "EUR")
    }
    assert result.open_orders == 0
    for asset in BALANCES:
        assert strategy.portfolio.available(asset) == strategy.portfolio.balances[asset]
    summary = result.summary()
    for name, sums in (("fees", ledger.fees), ("turnover", ledger.turnover)):
        told = summary[name] if isinstance(summary[name], dict) else {"one": summary[name]}
        assert sorted(map(Fraction, told.values())) == sorted(sums.values()) or not any(sums.values())
    in_dollars = [fill for fill in result.fills if fill.symbol.endswith("/USD")]
    made = sum((Fraction(fill.price) * Fraction(fill.qty) for fill in in_dollars if fill.maker), Fraction(0))
    if turnover := ledger.turnover["USD"]:
        assert abs(Fraction(summary["maker_share"]) - made / turnover) <= Fraction(1, 10**8)
    if result.equity:
        assert summary["net_profit"] == result.equity[-1].equity - result.equity[0].equity


@pytest.mark.parametrize("twin", simulators())
@given(seed=SEEDS)
@settings(max_examples=60)
def test_balances_holds_equity_and_sums_are_the_fold_of_the_fills(twin: Any, seed: int) -> None:
    live_through(twin, seed, 150)


@pytest.mark.nightly
@pytest.mark.parametrize("twin", simulators())
@pytest.mark.parametrize("part", range(4))
def test_it_is_so_over_longer_runs(twin: Any, part: int) -> None:
    for seed in range(part * 20, part * 20 + 20):
        live_through(twin, seed, 2_000)


def told_ns(row: RunRow) -> int:
    assert not isinstance(row, RunHead)
    return row.time_ns


def known_before(result: RunResult, time_ns: int) -> list[RunRow]:
    """Return what a run told before a time; fills are told later than they happen, so the last of them may not be."""
    told = list(itertools.takewhile(lambda row: isinstance(row, FillRow) or told_ns(row) < time_ns, result.rows))
    while told and isinstance(told[-1], FillRow):
        told.pop()
    return told


@given(seed=SEEDS, share=st.floats(0.05, 0.95))
@settings(max_examples=40)
def test_nothing_is_decided_filled_or_counted_by_what_comes_later(seed: int, share: float) -> None:
    data, model, margin = world(seed)
    ends = np.flatnonzero(data.rows["flags"] & LAST) + 1
    cut = int(ends[int(len(ends) * share)])
    now_ns = int(data.rows["time_ns"][cut])
    later = world(seed + 1)[0].rows.copy()
    later["time_ns"] += now_ns - later["time_ns"][0]
    other = replace(data, rows=np.concatenate((data.rows[:cut], later)))
    past, _ = run_world(seed, data, model, margin)
    same, _ = run_world(seed, other, model, margin)
    assert known_before(past, now_ns) == known_before(same, now_ns)


@given(seed=SEEDS)
@settings(max_examples=60)
def test_no_order_fills_beyond_its_quantity_and_what_ended_stays_so(seed: int) -> None:
    result, strategy = live(seed)
    filled: defaultdict[str, Fraction] = defaultdict(Fraction)
    for fill in result.fills:
        filled[fill.id] += Fraction(fill.qty)
    for order in strategy.placed:
        assert filled[order.id] == Fraction(order.filled) <= Fraction(order.qty)
        assert order.state in ENDED
        assert order.state != "filled" or order.filled == order.qty


# -- limits -----------------------------------------------------------------------------

LIMITS = RiskLimits(
    order_qty_max=Decimal("0.2"),
    order_notional_max=Decimal(2),
    open_orders_max=3,
    open_notional_max=Decimal(3),
    position_notional_max=Decimal(8),
    turnover_day_max=Decimal(6),
    orders_per_second_max=5,
    orders_per_minute_max=20,
    orders_per_day_max=25,
    price_band_bps=Decimal(40),
    price_far_bps=Decimal(60),
    lookalike_window_ms=200,
    daily_loss_max=Decimal("0.2"),
    book_age_max_ms=500,
    order_types=("limit", "market", "stop-loss", "take-profit"),
)
"""So tight that random strategies run into them."""
OTHER_LIMITS = msgspec.structs.replace(
    LIMITS,
    orders_per_minute_max=1_000,
    orders_per_day_max=15,
    open_orders_max=10,
    open_notional_max=Decimal(2),
    daily_loss_max=Decimal("0.02"),
    lookalike_window_ms=2_000,
)
"""Into those that others of these came before."""


class Counted:
    """Counts, from the rows of a run alone, what limits are about."""

    def __init__(self, limits: RiskLimits) -> None:
        self.spans = (
            (limits.orders_per_second_max, 1),
            (limits.orders_per_minute_max, 60),
            (limits.orders_per_day_max, 86_400),
        )
        self.sent_ns: list[int] = []
        self.open: set[str] = set()
        self.traded: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.asked: DecisionRow | None = None

    def take(self, row: RunRow) -> None:
        """Take a row; an amendment was sent if no refusal follows it."""
        if isinstance(row, NoteRow) and row.kind == "risk":
            self.asked = None
        elif self.asked is not None:
            self.sent(self.asked.time_ns)
            self.asked = None
        if isinstance(row, DecisionRow) and row.action == "amend":
            self.asked = row
        elif isinstance(row, OrderRow) and row.state == "sent" and row.id not in self.open:
            self.sent(row.time_ns)
            self.open.add(row.id)
        elif isinstance(row, OrderRow) and row.state in ENDED:
            self.open.discard(row.id)
        elif isinstance(row, FillRow):
            self.traded[row.symbol.partition("/")[2]] += row.price * row.qty

    def sent(self, now_ns: int) -> None:
        self.sent_ns.append(now_ns)
        for most, span_s in self.spans:
            assert len([at for at in self.sent_ns if at > now_ns - span_s * 1_000_000_000]) <= most


@pytest.fixture(scope="module")
def limited() -> list[tuple[RiskLimits, RunResult]]:
    return [
        (limits, live(seed, frames=400, limits=limits)[0]) for limits in (LIMITS, OTHER_LIMITS) for seed in range(20)
    ]


def test_each_limit_is_on_and_refuses_by_its_name(limited: list[tuple[RiskLimits, RunResult]]) -> None:
    refusals = {rule for _, result in limited for rule in result.summary()["refusals"]}
    stops = {rule_of(result.summary()["stopped"]) for _, result in limited}
    counted = set(RiskLimits.__struct_fields__) - {"symbols", "clock_skew_max_ms", "unknown_orders_max"}
    assert counted - refusals - stops == {"drawdown_max_bps"}  # a loss of the day comes first


def test_what_the_rows_count_keeps_within_the_limits(limited: list[tuple[RiskLimits, RunResult]]) -> None:
    for limits, result in limited:
        counted = Counted(limits)
        for row in result.rows:
            counted.take(row)
            assert len(counted.open) <= limits.open_orders_max
            assert max(counted.traded.values(), default=0) <= limits.turnover_day_max
            if isinstance(row, FillRow):
                assert row.qty <= limits.order_qty_max


@pytest.mark.parametrize("limit", ["daily_loss_max", "drawdown_max_bps"])
def test_the_first_sample_that_shows_too_much_loss_is_the_end_of_sending(limit: str) -> None:
    loose = {"daily_loss_max": Decimal(10**9), "drawdown_max_bps": Decimal(10_000)}
    most = {"daily_loss_max": Decimal("0.02"), "drawdown_max_bps": Decimal(10)}[limit]
    stopped = 0
    for seed in range(30):
        result, _ = live(
            seed, limits=RiskLimits(**{**loose, limit: most}, book_age_max_ms=10**9, orders_per_second_max=10**6)
        )
        start, peak, over = None, Decimal(0), False
        for row in result.rows:
            if isinstance(row, EquityRow):
                start = row.equity if start is None else start
                peak = max(peak, row.equity)
                fall = start - row.equity if limit == "daily_loss_max" else (peak - row.equity) * 10_000 / peak
                over = over or fall > most
            assert not (over and isinstance(row, OrderRow) and row.state == "intent")
        assert over == (limit in result.summary()["stopped"])
        stopped += over
    assert 0 < stopped < 30


# -- the same again ---------------------------------------------------------------------

_TOLD = """
import hashlib, msgspec
from tests.unit.trading.money_world import live
for seed in range(20):
    result, _ = live(seed, frames=100)
    print(hashlib.sha256(msgspec.json.encode(result.all_rows())).hexdigest(), len(result.rows))
"""


def test_a_run_is_the_same_in_every_process() -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", _TOLD],
            env={**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hashes in ("1", "2")
    ]
    assert told[0] == told[1]
    assert len(set(told[0].splitlines())) == 20
