"""The limits of a bot: each one alone, what they count, and how they are read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.unit.trading.risk_scene import NOON, SECOND, Scene, intent

from krakenwire.errors import ConfigError, InternalError
from krakenwire.trading.risk import Risk
from krakenwire.trading.risk_limits import RiskLimits, risk_limits_from

SYMBOLS = ("BTC/USD", "BTC/EUR", "ETH/USD")
WIDE: dict[str, Any] = {
    "order_notional_max": Decimal(10**9),
    "open_notional_max": Decimal(10**9),
    "position_notional_max": Decimal(10**9),
    "turnover_day_max": Decimal(10**9),
    "orders_per_second_max": 10**6,
    "orders_per_minute_max": 10**6,
    "lookalike_window_ms": 0,
}


def risk_of(**limits: Any) -> Risk:
    return Risk(RiskLimits(**(WIDE | limits)), SYMBOLS)


def rule(risk: Risk, scene: Scene, *args: Any, **more: Any) -> str | None:
    refusal = risk.check(intent(*args, **more), scene)
    return None if refusal is None else refusal.rule


# -- each rule --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "fits", "breaks"),
    [
        ({"order_qty_max": Decimal("0.01")}, {"qty": "0.01"}, {"qty": "0.010001"}),
        ({"order_notional_max": Decimal(500)}, {"qty": "0.01"}, {"qty": "0.01001"}),
        ({"order_notional_max": Decimal(500)}, {"qty": "0.01", "limit": None}, {"qty": "0.0101", "limit": None}),
        ({"open_notional_max": Decimal(500)}, {"qty": "0.01"}, {"qty": "0.01001"}),
        ({"position_notional_max": Decimal(500)}, {"qty": "0.01"}, {"qty": "0.01001"}),
        ({"turnover_day_max": Decimal(500)}, {"qty": "0.01"}, {"qty": "0.01001"}),
        ({"price_band_bps": Decimal(100)}, {"limit": "50500"}, {"limit": "50500.1"}),
        ({"price_band_bps": Decimal(100)}, {"side": "sell", "limit": "49500"}, {"side": "sell", "limit": "49499.9"}),
        ({"price_far_bps": Decimal(2_000)}, {"limit": "40000"}, {"limit": "39999.9"}),
        ({"price_far_bps": Decimal(2_000)}, {"side": "sell", "limit": "60000"}, {"side": "sell", "limit": "60000.1"}),
        ({"symbols": ("BTC/USD",)}, {}, {"symbol": "ETH/USD"}),
        ({"order_types": ("limit",)}, {}, {"order_type": "market", "limit": None}),
    ],
)
def test_an_order_at_the_limit_passes_and_one_beyond_it_is_refused_by_its_name(
    limits: dict[str, Any], fits: dict[str, Any], breaks: dict[str, Any]
) -> None:
    risk, scene = risk_of(**limits), Scene()
    assert rule(risk, scene, "b1", **fits) is None
    assert rule(risk, scene, "b1", **breaks) == next(iter(limits))


def test_a_trigger_is_judged_beside_the_mid_and_its_limit_beside_the_trigger() -> None:
    risk, scene = risk_of(price_band_bps=Decimal(100), price_far_bps=Decimal(1_000)), Scene()
    stop: dict[str, Any] = {"side": "sell", "order_type": "stop-loss-limit", "trigger": Decimal(46_000)}
    assert rule(risk, scene, "b1", limit="45600", **stop) is None
    assert rule(risk, scene, "b1", limit="45500", **stop) == "price_band_bps"
    assert rule(risk, scene, "b1", limit="44000", **(stop | {"trigger": Decimal(44_000)})) == "price_far_bps"


def test_without_a_verified_price_nothing_passes() -> None:
    refusal = risk_of().check(intent("b1"), Scene(price=None))
    assert refusal is not None
    assert refusal.rule == "price_band_bps"


@pytest.mark.parametrize(
    ("scene", "broken"),
    [
        ({"age_ns": 5 * SECOND}, None),
        ({"age_ns": 5 * SECOND + 1}, "book_age_max_ms"),
        ({"age_ns": None}, None),
        ({"clock_skew_ns": -SECOND}, None),
        ({"clock_skew_ns": -SECOND - 1}, "clock_skew_max_ms"),
    ],
)
def test_an_old_book_and_a_wrong_clock_let_nothing_pass(scene: dict[str, Any], broken: str | None) -> None:
    assert rule(risk_of(), Scene(**scene), "b1") == broken


@pytest.mark.parametrize(
    ("limit", "span_s"), [("orders_per_second_max", 1), ("orders_per_minute_max", 60), ("orders_per_day_max", 86_400)]
)
def test_orders_and_amendments_are_counted_in_a_rolling_window(limit: str, span_s: int) -> None:
    risk, scene = risk_of(**{limit: 2}), Scene()
    risk.observe_sent(intent("b1"), scene)
    risk.observe_amended(intent("b1", limit="50001"), scene)
    assert rule(risk, scene, "b2") == limit
    scene.now_ns += span_s * SECOND - 1
    assert rule(risk, scene, "b2") == limit
    scene.now_ns += 1
    assert rule(risk, scene, "b2") is None


def test_a_limit_of_no_orders_allows_none() -> None:
    assert rule(risk_of(orders_per_day_max=0), Scene(), "b1") == "orders_per_day_max"


def test_the_like_of_an_order_is_refused_within_the_window_and_its_twin_at_another_price_is_not() -> None:
    risk, scene = risk_of(lookalike_window_ms=500), Scene()
    risk.observe_sent(intent("b1"), scene)
    assert rule(risk, scene, "b2") == "lookalike_window_ms"
    assert rule(risk, scene, "b2", limit="50000.1") is None
    scene.now_ns += SECOND // 2
    assert rule(risk, scene, "b2") is None


# -- what counts ------------------------------------------------------------------


def test_open_orders_count_as_filled_and_the_way_back_is_always_open() -> None:
    risk, scene = risk_of(position_notional_max=Decimal(1_000)), Scene(positions={"BTC/USD": Decimal("0.01")})
    risk.observe_sent(intent("b1"), scene)
    assert rule(risk, scene, "b2", qty="0.0001") == "position_notional_max"
    assert rule(risk, scene, "b2", side="sell", qty="0.03") is None
    assert rule(risk, scene, "b2", side="sell", qty="0.0301") == "position_notional_max"


def test_positions_of_an_asset_count_over_all_its_symbols() -> None:
    risk, scene = risk_of(position_notional_max=Decimal(1_000)), Scene()
    risk.observe_sent(intent("b1", qty="0.015", symbol="BTC/EUR"), scene)
    assert rule(risk, scene, "b2", qty="0.0051") == "position_notional_max"


def test_an_unknown_order_counts_until_there_is_evidence_and_too_many_stop_the_bot() -> None:
    risk, scene = risk_of(open_orders_max=2, unknown_orders_max=1), Scene()
    for name in ("b1", "b2"):
        risk.observe_sent(intent(name), scene)
    assert risk.observe_unknown("b1") is None
    assert risk.observe_unknown("b1") is None
    assert rule(risk, scene, "b3") == "open_orders_max"
    risk.observe_known("b1")
    assert risk.observe_unknown("b2") is None
    refusal = risk.observe_unknown("b1")
    assert refusal is not None
    assert (refusal.rule, refusal.stops) == ("unknown_orders_max", True)


def test_an_end_gives_back_what_an_order_held_and_fills_stay_in_the_turnover_for_a_day() -> None:
    risk, scene = risk_of(open_notional_max=Decimal(1_000), turnover_day_max=Decimal(1_200)), Scene()
    risk.observe_sent(intent("b1", qty="0.02"), scene)
    assert rule(risk, scene, "b2") == "open_notional_max"
    assert risk.observe_fill("b1", Decimal("0.015"), Decimal(50_000), scene.now_ns) is None
    assert rule(risk, scene, "b2") == "turnover_day_max"
    risk.observe_end("b1")
    assert rule(risk, scene, "b2", qty="0.009") is None
    assert rule(risk, scene, "b2", qty="0.0091") == "turnover_day_max"
    scene.now_ns += 86_400 * SECOND
    assert rule(risk, scene, "b2", qty="0.02") is None


def test_more_fills_than_the_intent_stop_the_bot_for_good() -> None:
    risk, scene = risk_of(), Scene()
    risk.observe_sent(intent("b1"), scene)
    assert risk.observe_fill("b1", Decimal("0.01"), Decimal(50_000), scene.now_ns) is None
    refusal = risk.observe_fill("b1", Decimal("0.00000001"), Decimal(50_000), scene.now_ns)
    assert refusal is not None
    assert (refusal.rule, refusal.stops) == ("fills_of_intent", True)
    assert rule(risk, scene, "b2") == "fills_of_intent"
    risk.lift()
    assert rule(risk, scene, "b2") is None


def test_a_fill_of_an_order_that_is_not_open_stops_the_bot() -> None:
    risk = risk_of()
    assert risk.observe_fill("b9", Decimal(1), Decimal(1), NOON) is not None
    assert rule(risk, Scene(), "b1") == "fills_of_intent"


def test_an_intent_is_sent_once() -> None:
    risk, scene = risk_of(), Scene()
    risk.observe_sent(intent("b1"), scene)
    refusal = risk.check(intent("b1", limit="49000"), scene)
    assert refusal is not None
    assert (refusal.rule, refusal.stops) == ("intent_once", True)
    with pytest.raises(InternalError, match="twice"):
        risk.observe_sent(intent("b1"), scene)


def test_orders_of_others_count_as_long_as_they_are_open() -> None:
    risk, scene = risk_of(open_notional_max=Decimal(1_000), open_orders_max=2), Scene()
    risk.observe_foreign((intent("OTHER-1", qty="0.015"),))
    assert rule(risk, scene, "b1") == "open_notional_max"
    assert rule(risk, scene, "b1", qty="0.001") is None
    risk.observe_foreign((intent("OTHER-1", qty="0.001"), intent("OTHER-2", qty="0.001")))
    assert rule(risk, scene, "b1", qty="0.001") == "open_orders_max"
    risk.observe_foreign(())
    assert rule(risk, scene, "b1", qty="0.02") is None


# -- amendments -------------------------------------------------------------------


def test_an_amendment_is_judged_like_a_new_order_in_place_of_the_old_one() -> None:
    risk, scene = risk_of(open_orders_max=1, open_notional_max=Decimal(1_000)), Scene()
    risk.observe_sent(intent("b1", qty="0.015"), scene)
    assert risk.check_amend(intent("b1", qty="0.02"), scene) is None
    refusal = risk.check_amend(intent("b1", qty="0.0201"), scene)
    assert refusal is not None
    assert refusal.rule == "open_notional_max"
    refusal = risk.check_amend(intent("b2"), scene)
    assert refusal is not None
    assert refusal.rule == "amend_open"


def test_until_the_fate_of_an_amendment_is_known_the_worse_figures_count() -> None:
    risk, scene = risk_of(open_notional_max=Decimal(1_000)), Scene()
    risk.observe_sent(intent("b1", qty="0.015"), scene)
    risk.observe_amended(intent("b1", qty="0.005"), scene)
    assert rule(risk, scene, "b2") == "open_notional_max"
    risk.observe_terms(intent("b1", qty="0.005"), scene)
    assert rule(risk, scene, "b2", qty="0.015") is None
    risk.observe_end("b1")
    assert rule(risk, scene, "b2", qty="0.02") is None


def test_a_fill_that_comes_before_an_amendment_to_less_is_not_taken_for_too_much() -> None:
    risk, scene = risk_of(), Scene()
    risk.observe_sent(intent("b1", qty="0.01"), scene)
    risk.observe_amended(intent("b1", qty="0.004"), scene)
    assert risk.observe_fill("b1", Decimal("0.006"), Decimal(50_000), scene.now_ns) is None
    risk.observe_terms(intent("b1", qty="0.01"), scene)  # it came too late and was refused
    assert risk.open_qty("BTC", "buy") == Decimal("0.004")
    risk.observe_amended(intent("b1", qty="0.007"), scene)
    risk.observe_terms(intent("b1", qty="0.007"), scene)
    assert risk.observe_fill("b1", Decimal("0.002"), Decimal(50_000), scene.now_ns) is not None


# -- losses -----------------------------------------------------------------------


def test_a_days_loss_counts_from_its_beginning_and_stops_the_bot() -> None:
    risk = risk_of(daily_loss_max=Decimal(100), drawdown_max_bps=Decimal(9_000))
    assert risk.observe_equity(NOON, Decimal(1_000)) is None
    assert risk.observe_equity(NOON + 1, Decimal(900)) is None
    assert risk.observe_equity(NOON + 86_400 * SECOND, Decimal(850)) is None
    refusal = risk.observe_equity(NOON + 86_401 * SECOND, Decimal("749.99"))
    assert refusal is not None
    assert (refusal.rule, refusal.stops) == ("daily_loss_max", True)
    assert rule(risk, Scene(), "b1") == "daily_loss_max"


def test_a_fall_below_the_highest_equity_stops_the_bot_and_a_person_lets_it_begin_anew() -> None:
    risk = risk_of(daily_loss_max=Decimal(10**6), drawdown_max_bps=Decimal(1_000))
    for equity in (1_000, 2_000, 1_800):
        assert risk.observe_equity(NOON, Decimal(equity)) is None
    refusal = risk.observe_equity(NOON, Decimal(1_799))
    assert refusal is not None
    assert refusal.rule == "drawdown_max_bps"
    risk.lift(Decimal(1_799))
    assert risk.observe_equity(NOON, Decimal(1_620)) is None


def test_a_day_goes_on_where_an_earlier_life_left_it() -> None:
    risk = risk_of(daily_loss_max=Decimal(100))
    risk.restore_day(NOON, Decimal(1_000), Decimal(1_000))
    refusal = risk.observe_equity(NOON + 1, Decimal(899))
    assert refusal is not None
    assert refusal.rule == "daily_loss_max"


def test_orders_of_an_earlier_life_count() -> None:
    risk, scene = risk_of(open_notional_max=Decimal(1_000), unknown_orders_max=0), Scene()
    risk.restore_live(intent("b1", qty="0.03"), Decimal("0.02"), unknown=True)
    assert rule(risk, scene, "b2", qty="0.0101") == "unknown_orders_max"
    risk.observe_known("b1")
    risk.lift()
    assert rule(risk, scene, "b2", qty="0.0101") == "open_notional_max"
    assert rule(risk, scene, "b2", qty="0.01") is None


# -- several at once ---------------------------------------------------------------


def test_all_rules_look_and_the_one_that_stops_wins() -> None:
    risk = risk_of(order_notional_max=Decimal(1), daily_loss_max=Decimal(1))
    risk.observe_equity(NOON, Decimal(1_000))
    risk.observe_equity(NOON, Decimal(1))
    refusal = risk.check(intent("b1", symbol="DOGE/USD"), Scene())
    assert refusal is not None
    assert (refusal.rule, refusal.stops) == ("daily_loss_max", True)
    assert [other.rule for other in refusal.others] == ["symbols", "order_notional_max"]
    assert "also symbols; also order_notional_max" in str(refusal)


def test_the_defaults_are_all_on() -> None:
    limits = RiskLimits()
    for name in (field.name for field in msgspec.structs.fields(RiskLimits)):
        value = getattr(limits, name)
        assert value is None or value, name
    assert limits.symbols is None
    assert Risk(limits).check(intent("b1", qty="0.001"), Scene()) is not None


# -- reading ------------------------------------------------------------------------


def test_limits_are_read_by_their_types_and_the_rest_keeps_its_default() -> None:
    read = risk_limits_from({"order_notional_max": Decimal("250.5"), "open_orders_max": 3, "symbols": ["BTC/USD"]})
    assert read == RiskLimits(order_notional_max=Decimal("250.5"), open_orders_max=3, symbols=("BTC/USD",))


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"order_notional": 5}, 'Did you mean "order_notional_max"'),
        ({"book_age_max_s": 5}, 'Did you mean "book_age_max_ms"'),
        ({"daily_loss_max": "5%"}, "without a unit"),
        ({"daily_loss_max": -1}, "at least zero"),
        ({"daily_loss_max": True}, "a number"),
        ({"daily_loss_max": Decimal("nan")}, "a number"),
        ({"open_orders_max": Decimal("1.5")}, "a whole number"),
        ({"book_age_max_ms": "5s"}, "without a unit"),
        ({"symbols": "BTC/USD"}, "a list of texts"),
        ({"symbols": []}, "a list of texts"),
    ],
)
def test_a_limit_that_is_not_known_or_cannot_be_is_an_error_that_names_it(table: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        risk_limits_from(table, "bot.toml: [risk]")
    assert f'bot.toml: [risk]: "{next(iter(table))}"' in str(caught.value)
