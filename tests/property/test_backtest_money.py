"""Whatever a strategy does on whatever market, the money of its run is what its fills say, to the last digit."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines import simulators
from tests.unit.trading.money_world import BALANCES, Anything, Ledger, live

from krakenwire.apps import backtest
from krakenwire.trading import sim_broker
from krakenwire.trading.orders import ENDED
from krakenwire.trading.run_records import EquityRow, FillRow

SEEDS = st.integers(0, 2**32)


def held_by_orders(strategy: Anything) -> dict[str, Fraction]:
    """Return what the open orders say that they hold, by asset."""
    held: defaultdict[str, Fraction] = defaultdict(Fraction)
    for order in strategy.orders:
        base, _, quote = order.symbol.partition("/")
        held[quote if order.side == "buy" else base] += Fraction(order.held)
        assert order.held > 0
    return held


def holds_are_those_of_open_orders(strategy: Anything) -> None:
    portfolio, held = strategy.portfolio, held_by_orders(strategy)
    for asset, balance in portfolio.balances.items():
        assert Fraction(balance) - Fraction(portfolio.available(asset)) == held.get(asset, 0), asset


@pytest.mark.parametrize("twin", simulators())
@given(seed=SEEDS)
@settings(max_examples=60)
def test_balances_holds_equity_and_sums_are_the_fold_of_the_fills(twin: Any, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtest, "Simulator", twin.Simulator)
        patch.setattr(sim_broker, "SimOrder", twin.Order)
        result, strategy = live(seed, look=holds_are_those_of_open_orders)
    assert result.error is None
    ledger = Ledger(result)
    for row in result.rows:
        if isinstance(row, FillRow):
            ledger.fill(row)
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
    if result.equity:
        assert summary["net_profit"] == result.equity[-1].equity - result.equity[0].equity


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
