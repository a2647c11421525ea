"""How fast an account may trade: counted for each instrument, refused in the venue's words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.venue.trading.desks import Floor

from krakenwire.model.answers import Amended, BatchCanceled, Canceled, OrderRefused
from krakenwire.model.orders import AmendOrder, BatchCancel, CancelAll, CancelOrders
from krakenwire.venue.access.pace import AccountLimits, AccountPace
from krakenwire.venue.trading import Account

RATE = OrderRefused("EOrder:Rate limit exceeded")


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture
def bob(floor: Floor) -> Account:
    account = floor.account("bob", BTC="100", ETH="100")
    account.pace = AccountPace(AccountLimits.of("starter"))
    return account


def points(account: Account, floor: Floor) -> int:
    assert account.pace is not None
    return round(account.pace.rate_count("BTC/USD", floor.now_ns))


def test_each_order_costs_a_point_and_points_decay(floor: Floor, bob: Account) -> None:
    for number in range(60):
        floor.place(bob, "sell", "0.01", f"{50_000 + number}.0")
        floor.now_ns -= 1_000_000
    for order in tuple(bob.open_orders.values()):
        order.desk.cancel(order, "", floor.now_ns)
    assert floor.refusal(bob, "sell", "0.01", "50000.0") == RATE.error
    floor.now_ns += 1_000_000_000
    floor.place(bob, "sell", "0.01", "50000.0")


def test_another_instrument_has_a_counter_of_its_own(floor: Floor, bob: Account) -> None:
    for number in range(60):
        floor.place(bob, "sell", "0.01", f"{50_000 + number}.0")
    assert floor.refusal(bob, "sell", "0.01", "50000.0") == RATE.error
    floor.place(bob, "sell", "1", "0.03000", symbol="ETH/BTC")


def test_touching_young_orders_costs_more_than_touching_old_ones(floor: Floor, bob: Account) -> None:
    young = floor.place(bob, "sell", "0.01", "50000.0")
    assert isinstance(floor.ask(bob, AmendOrder(order_id=young.order_id, order_qty=Decimal("0.02")))[0], Amended)
    assert points(bob, floor) == 5, "one for placing it, one and three for amending it at once"
    assert isinstance(floor.ask(bob, CancelOrders(order_ids=(young.order_id,)))[0], Canceled)
    assert points(bob, floor) == 13
    old = floor.place(bob, "sell", "0.01", "50000.0")
    floor.pass_time(400)
    floor.ask(bob, CancelOrders(order_ids=(old.order_id,)))
    assert points(bob, floor) == 0


def test_a_cancellation_beyond_the_threshold_is_refused_but_a_batch_of_them_is_not(floor: Floor, bob: Account) -> None:
    orders = [floor.place(bob, "sell", "0.01", f"{50_000 + number}.0") for number in range(59)]
    assert floor.ask(bob, CancelOrders(order_ids=(orders[0].order_id,))) == (RATE,)
    assert floor.ask(bob, BatchCancel(order_ids=tuple(order.order_id for order in orders[:5]))) == (BatchCanceled(5),)
    assert floor.ask(bob, BatchCancel(order_ids=tuple(order.order_id for order in orders[5:]))) == (BatchCanceled(54),)


def test_a_tier_bounds_the_open_orders_of_each_instrument(floor: Floor, bob: Account) -> None:
    for number in range(60):
        floor.place(bob, "sell", "0.01", f"{50_000 + number}.0")
        floor.now_ns += 2_000_000_000
    assert floor.refusal(bob, "sell", "0.01", "50000.0") == "EOrder:Orders limit exceeded"
    floor.place(bob, "sell", "1", "0.03000", symbol="ETH/BTC")
    floor.ask(bob, CancelAll())
    floor.place(bob, "sell", "0.01", "50000.0")


def test_an_account_without_a_pace_is_never_refused_for_it(floor: Floor) -> None:
    eve = floor.account("eve", BTC="100")
    for number in range(300):
        floor.place(eve, "sell", "0.01", f"{50_000 + number}.0")
