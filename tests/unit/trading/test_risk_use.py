"""How much of each limit is used: a limit that is used up is the one that refuses."""

from __future__ import annotations

from decimal import Decimal

from tests.unit.trading.risk_scene import NOON, SECOND, Scene, intent

from krakenwire.trading.risk import Risk
from krakenwire.trading.risk_limits import RiskLimits
from krakenwire.trading.risk_use import risk_use

SYMBOLS = ("BTC/USD", "ETH/USD")


def used(risk: Risk, scene: Scene, equity: int | None = None) -> dict[str, Decimal]:
    found = risk_use(risk, scene, SYMBOLS, None if equity is None else Decimal(equity))
    return {use.rule: use.used for use in found}


def test_nothing_is_used_at_the_beginning_and_the_limits_are_the_users() -> None:
    limits = RiskLimits(open_orders_max=7)
    found = risk_use(Risk(limits, SYMBOLS), Scene(), SYMBOLS, None)
    assert {use.rule for use in found if use.used} <= {"book_age_max_ms"}
    assert all(use.limit == getattr(limits, use.rule) for use in found)


def test_open_orders_use_what_they_would_be_refused_by() -> None:
    risk, scene = Risk(RiskLimits(), SYMBOLS), Scene()
    risk.observe_sent(intent("b1", qty="0.01", limit="49000"), scene)
    told = used(risk, scene)
    assert (told["open_orders_max"], told["open_notional_max"]) == (1, Decimal(500))
    assert (told["position_notional_max"], told["turnover_day_max"]) == (Decimal(500), Decimal(500))
    assert (told["orders_per_second_max"], told["orders_per_day_max"]) == (1, 1)
    risk.observe_unknown("b1")
    assert used(risk, scene)["unknown_orders_max"] == 1


def test_rates_are_used_as_long_as_their_time() -> None:
    risk = Risk(RiskLimits(), SYMBOLS)
    risk.observe_sent(intent("b1", qty="0.01"), Scene())
    told = used(risk, Scene(now_ns=NOON + SECOND))
    assert (told["orders_per_second_max"], told["orders_per_minute_max"], told["orders_per_day_max"]) == (0, 1, 1)


def test_a_loss_uses_the_days_limit_and_the_falls() -> None:
    risk = Risk(RiskLimits(), SYMBOLS)
    risk.observe_equity(NOON, Decimal(10_000))
    risk.observe_equity(NOON, Decimal(10_100))
    told = used(risk, Scene(), 9_999)
    assert (told["daily_loss_max"], told["drawdown_max_bps"]) == (1, Decimal(101) * 10_000 / 10_100)
    assert used(risk, Scene(), 10_200)["daily_loss_max"] == 0
