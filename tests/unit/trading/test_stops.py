"""Stops of a bot only get harder, until a person lifts them."""

from __future__ import annotations

import pytest

from krakenwire.errors import UsageError
from krakenwire.trading.stops import BOT, Stop, StopLevel, Stops


def allowed(stops: Stops) -> tuple[bool, bool, bool, bool]:
    return stops.calls_strategy, stops.allows_orders, stops.cancels_own, stops.cancels_all


def stop(level: StopLevel) -> Stop:
    return Stop(time_ns=1, level=level, reason="a test")


@pytest.mark.parametrize(
    ("level", "orders", "own", "all_"),
    [
        (StopLevel.PAUSED, True, False, False),
        (StopLevel.NO_ORDERS, False, False, False),
        (StopLevel.CANCEL_OWN, False, True, False),
        (StopLevel.CANCEL_ALL, False, True, True),
    ],
)
def test_each_level_includes_what_stands_before_it(level: StopLevel, orders: bool, own: bool, all_: bool) -> None:
    stops = Stops()
    assert allowed(stops) == (
        True,
        True,
        False,
        False,
    )
    assert stops.raise_to(stop(level))
    assert allowed(stops) == (
        False,
        orders,
        own,
        all_,
    )


def test_a_softer_stop_changes_nothing() -> None:
    stops = Stops(stop(StopLevel.CANCEL_OWN))
    assert not stops.raise_to(stop(StopLevel.NO_ORDERS))
    assert not stops.raise_to(stop(StopLevel.CANCEL_OWN))
    assert stops.raise_to(stop(StopLevel.CANCEL_ALL))
    assert stops.cancels_all


def test_only_a_person_lifts_a_stop() -> None:
    stops = Stops(stop(StopLevel.PAUSED))
    with pytest.raises(UsageError, match="by a person"):
        stops.lift(BOT)
    assert stops.lift("ann")
    assert not stops.lift("ann")
    assert stops.allows_orders
