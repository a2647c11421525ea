"""What the exchange refuses, in which words, and what a trading mode or a mere check lets be."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.venue.trading.desks import Floor

from krakenwire.model.answers import Added, Canceled, OrderRefused
from krakenwire.model.orders import CancelAll, CancelOrders, Trigger

INVALID = "EGeneral:Invalid arguments"


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"symbol": "XBT/EUR"}, "EQuery:Unknown asset pair"),
        ({"qty": "0.00004"}, f"{INVALID}:volume minimum not met"),
        ({"qty": "0.000000001"}, f"{INVALID}:volume"),
        ({"qty": "-1"}, f"{INVALID}:volume"),
        ({"qty": "1e30"}, f"{INVALID}:volume"),
        ({"qty": None}, f"{INVALID}:volume"),
        ({"price": "50000.01"}, "EOrder:Tick size check failed"),
        ({"price": "0"}, "EOrder:Invalid price"),
        ({"price": "-5.0"}, "EOrder:Invalid price"),
        ({"price": "1e30"}, "EOrder:Invalid price"),
        ({"price": "1000.0", "qty": "0.0001"}, "EOrder:Cost minimum not met"),
        ({"price": None, "order_type": "limit"}, f"{INVALID}:price"),
        ({"order_type": "market"}, f"{INVALID}:price"),
        ({"order_type": "stop-loss-limit"}, f"{INVALID}:price"),
        ({"triggers": Trigger(price=Decimal(1))}, f"{INVALID}:price"),
        ({"order_type": "iceberg"}, f"{INVALID}:displayvol"),
        ({"display_qty": Decimal("0.1")}, f"{INVALID}:displayvol"),
        ({"cash_order_qty": Decimal(5)}, f"{INVALID}:volume"),
        ({"time_in_force": "gtd"}, f"{INVALID}:expiretm"),
        ({"post_only": True, "time_in_force": "ioc"}, f"{INVALID}:timeinforce"),
        ({"cl_ord_id": "a", "order_userref": 1}, INVALID),
        ({"margin": True}, "EOrder:Cannot open position"),
        ({"leverage": 2}, "EOrder:Cannot open position"),
        ({"reduce_only": True}, "EOrder:Reduce only:No position exists"),
        ({"order_type": "settle-position", "price": None}, "EOrder:Unknown position"),
        ({"deadline_ns": 1}, "EService:Deadline elapsed"),
    ],
)
def test_what_cannot_be_is_refused_in_the_venues_words(floor: Floor, asked: dict[str, object], text: str) -> None:
    ann = floor.account("ann", USD="1000000", BTC="10")
    more = {"qty": "1", "price": "50000.0", "order_type": "limit", **asked}
    assert floor.refusal(ann, "buy", more.pop("qty"), more.pop("price"), **more) == text  # type: ignore[arg-type]


def test_a_price_far_through_the_other_side_is_taken_for_a_typing_error(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="100000000"), floor.account("bob", BTC="10")
    floor.place(bob, "sell", "1", "50000.0")
    assert floor.refusal(ann, "buy", "0.1", "500000.1") == "EOrder:Invalid price"
    floor.place(ann, "buy", "0.1", "500000.0")
    floor.place(ann, "buy", "0.1", "100.0")


def test_a_client_order_id_is_unique_among_open_orders_only(floor: Floor) -> None:
    bob = floor.account("bob", BTC="10")
    order = floor.place(bob, "sell", "1", "50000.0", cl_ord_id="again")
    assert floor.refusal(bob, "sell", "1", "50000.0", cl_ord_id="again") == f"{INVALID}:cl_ord_id not unique"
    floor.ask(bob, CancelOrders(order_ids=(order.order_id,)))
    floor.place(bob, "sell", "1", "50000.0", cl_ord_id="again")


@pytest.mark.parametrize(
    ("mode", "allowed"),
    [
        ("online", {"limit", "post-only", "market"}),
        ("post_only", {"post-only"}),
        ("limit_only", {"limit", "post-only"}),
        ("cancel_only", set[str]()),
        ("maintenance", set[str]()),
    ],
)
def test_a_trading_mode_lets_in_what_it_says(floor: Floor, mode: str, allowed: set[str]) -> None:
    bob = floor.account("bob", BTC="10")
    asked = {
        "limit": floor.try_to_place,
        "post-only": lambda *args: floor.try_to_place(*args, post_only=True),
        "market": lambda *args: floor.try_to_place(*args[:3]),
    }
    floor.mode = mode
    answers = {name: place(bob, "sell", "0.1", "50000.0") for name, place in asked.items()}
    assert {name for name, answer in answers.items() if isinstance(answer, Added)} == allowed
    text = "EService:Unavailable" if mode == "maintenance" else f"EService:Market in {mode} mode"
    assert {answer.error for answer in answers.values() if isinstance(answer, OrderRefused)} <= {text}


def test_an_order_that_is_only_checked_changes_nothing(floor: Floor) -> None:
    bob = floor.account("bob", BTC="10")
    answer = floor.try_to_place(bob, "sell", "1", "50000.0", validate=True)
    assert answer == Added(order_id="")
    assert not bob.open_orders
    assert floor.told(bob) == []


def test_a_userref_means_all_open_orders_that_have_it_and_is_forgotten_with_the_last(floor: Floor) -> None:
    ann = floor.account("ann", USD="100000")
    orders = [floor.place(ann, "buy", "0.1", "40000.0", order_userref=userref) for userref in (7, 7, 8, 7)]
    floor.ask(ann, CancelOrders(order_ids=(orders[1].order_id,)))
    (answer,) = floor.ask(ann, CancelOrders(order_userrefs=(7,)))
    assert (answer, [order.is_open for order in orders]) == (
        Canceled(order_userref=7, count=2),
        [False, False, True, False],
    )
    floor.ask(ann, CancelAll())
    assert ann.by_userref == {}
