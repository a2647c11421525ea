"""Orders that are amended, replaced, canceled or asked for in batches."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.venue.trading.desks import Floor

from krakenwire.model.answers import Added, AllCanceled, Amended, BatchAdded, BatchCanceled, Edited, OrderRefused
from krakenwire.model.orders import (
    AddOrder,
    AmendOrder,
    BatchAdd,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    EditOrder,
)

FUNDS = "EOrder:Insufficient funds"


@pytest.fixture
def floor() -> Floor:
    return Floor()


def queue(floor: Floor) -> list[str | None]:
    """The cl_ord_ids at the best ask, in queue order."""
    desk = floor.exchange.desks["BTC/USD"]
    return [desk.orders[order.order_id].cl_ord_id for order in desk.market.levels("sell", 1)[0]]


@pytest.mark.parametrize(
    ("change", "order"),
    [
        ({"order_qty": Decimal("0.05")}, ["one", "two"]),
        ({"order_qty": Decimal("0.2")}, ["two", "one"]),
        ({"limit_price": Decimal("49999.0")}, ["one"]),
        ({"limit_price": Decimal("50000.0")}, ["one", "two"]),
    ],
)
def test_an_amended_order_keeps_its_place_only_when_it_asks_for_less(
    floor: Floor, change: dict[str, Decimal], order: list[str]
) -> None:
    bob = floor.account("bob", BTC="2")
    first = floor.place(bob, "sell", "0.1", "50000.0", cl_ord_id="one")
    floor.place(bob, "sell", "0.1", "50000.0", cl_ord_id="two")
    answer = floor.ask(bob, AmendOrder(cl_ord_id="one", **change))[0]
    assert isinstance(answer, Amended)
    assert (answer.cl_ord_id, answer.order_id) == ("one", None)
    assert queue(floor) == order
    assert first.order_id in bob.open_orders


def test_an_amendment_needs_the_money_for_what_it_adds(floor: Floor) -> None:
    ann = floor.account("ann", USD="10040")
    order = floor.place(ann, "buy", "0.1", "50000.0")
    assert floor.ask(ann, AmendOrder(order_id=order.order_id, order_qty=Decimal("0.3"))) == (OrderRefused(FUNDS),)
    assert order.qty == 10_000_000
    floor.ask(ann, AmendOrder(order_id=order.order_id, order_qty=Decimal("0.2")))
    assert floor.available(ann, "USD") == 0
    floor.ask(ann, AmendOrder(order_id=order.order_id, limit_price=Decimal("25000.0")))
    assert floor.available(ann, "USD") == 5_020


def test_amending_below_what_has_traded_ends_the_order_there(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="10000"), floor.account("bob", BTC="2")
    order = floor.place(bob, "sell", "0.5", "50000.0")
    floor.place(ann, "buy", "0.1")
    floor.exchange.take_reports()
    floor.ask(bob, AmendOrder(order_id=order.order_id, order_qty=Decimal("0.05")))
    assert (order.phase, order.qty, order.filled) == ("canceled", 10_000_000, 10_000_000)
    assert floor.events(bob) == ["amended", "canceled"]


def test_an_amendment_without_a_change_names_no_parameters(floor: Floor) -> None:
    bob = floor.account("bob", BTC="2")
    order = floor.place(bob, "sell", "0.5", "50000.0")
    assert floor.ask(bob, AmendOrder(order_id=order.order_id)) == (
        OrderRefused("EOrder:No amendable parameters specified"),
    )


def test_an_edited_order_is_canceled_and_a_new_one_placed_for_the_rest(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="10000"), floor.account("bob", BTC="0.5")
    order = floor.place(bob, "sell", "0.5", "50000.0", order_userref=3)
    floor.place(ann, "buy", "0.1")
    floor.exchange.take_reports()
    answer = floor.ask(bob, EditOrder(order_id=order.order_id, limit_price=Decimal("51000.0")))[0]
    assert isinstance(answer, Edited)
    assert (answer.original_order_id, order.phase, order.reason) == (order.order_id, "canceled", "Order replaced")
    new = bob.open_orders[answer.order_id]
    assert (new.qty, new.price, new.userref) == (40_000_000, 510_000, 3)
    assert floor.events(bob) == ["canceled", "pending_new", "new"]


def test_an_edit_that_cannot_be_paid_leaves_the_old_order_where_it_is(floor: Floor) -> None:
    bob = floor.account("bob", BTC="0.5")
    order = floor.place(bob, "sell", "0.5", "50000.0")
    assert floor.ask(bob, EditOrder(order_id=order.order_id, order_qty=Decimal("0.6"))) == (OrderRefused(FUNDS),)
    assert order.resting


# -- ends ----------------------------------------------------------------------------


def test_a_finished_order_is_unknown_and_an_id_that_never_was_is_invalid(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="10000"), floor.account("bob", BTC="0.5")
    order = floor.place(bob, "sell", "0.1", "50000.0")
    floor.place(ann, "buy", "0.1")
    answers = floor.ask(bob, CancelOrders(order_ids=(order.order_id, "OAAAAA-AAAAA-AAAAAA", "nonsense")))
    assert answers == (
        OrderRefused("EOrder:Unknown order"),
        OrderRefused("EOrder:Invalid order"),
        OrderRefused("EOrder:Invalid order"),
    )


def test_a_text_that_no_order_can_have_as_cl_ord_id_is_invalid_and_one_that_none_has_is_unknown(floor: Floor) -> None:
    bob = floor.account("bob", BTC="0.5")
    answers = floor.ask(bob, CancelOrders(cl_ord_ids=("longer than free ids are", "never used")))
    assert answers == (OrderRefused("EOrder:Invalid order"), OrderRefused("EOrder:Unknown order"))


def test_nobody_can_touch_anothers_orders(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="10000"), floor.account("bob", BTC="0.5")
    order = floor.place(bob, "sell", "0.1", "50000.0", cl_ord_id="mine")
    for request in (
        CancelOrders(order_ids=(order.order_id,), cl_ord_ids=("mine",)),
        AmendOrder(order_id=order.order_id, order_qty=Decimal("0.05")),
        EditOrder(order_id=order.order_id, limit_price=Decimal("1.0")),
    ):
        assert all(isinstance(answer, OrderRefused) for answer in floor.ask(ann, request))
    assert floor.ask(ann, CancelAll()) == (AllCanceled(0),)
    assert floor.ask(ann, BatchCancel(order_ids=(order.order_id, order.order_id))) == (BatchCanceled(0),)
    assert (order.phase, order.qty) == ("live", 10_000_000)


def test_a_userref_means_every_open_order_that_has_it(floor: Floor) -> None:
    bob = floor.account("bob", BTC="0.5")
    for price in ("50000.0", "51000.0", "52000.0"):
        floor.place(bob, "sell", "0.1", price, order_userref=7 if price != "52000.0" else 8)
    floor.ask(bob, CancelOrders(order_userrefs=(7,)))
    assert [order.userref for order in bob.open_orders.values()] == [8]
    floor.ask(bob, CancelOrders(order_ids=("8",)))
    assert not bob.open_orders


def test_the_dead_mans_switch_cancels_everything_once_unless_it_is_set_again(floor: Floor) -> None:
    bob = floor.account("bob", BTC="0.5")
    floor.place(bob, "sell", "0.1", "50000.0")
    floor.ask(bob, CancelAllAfter(timeout_s=60))
    floor.pass_time(45)
    floor.ask(bob, CancelAllAfter(timeout_s=60))
    floor.pass_time(59)
    assert bob.open_orders
    floor.pass_time(2)
    assert not bob.open_orders
    floor.place(bob, "sell", "0.1", "50000.0")
    floor.pass_time(600)
    assert bob.open_orders, "it is off until it is set again"


# -- batches -------------------------------------------------------------------------


def sell(qty: str, price: str, **more: object) -> AddOrder:
    return AddOrder(
        symbol="BTC/USD",
        side="sell",
        order_type="limit",
        order_qty=Decimal(qty),
        limit_price=Decimal(price),
        **more,  # type: ignore[arg-type]  # members of the request
    )


def test_a_batch_with_one_bad_order_is_refused_as_a_whole(floor: Floor) -> None:
    bob = floor.account("bob", BTC="0.5")
    batch = BatchAdd(symbol="BTC/USD", orders=(sell("0.1", "50000.0"), sell("0.1", "50000.05")))
    assert floor.ask(bob, batch) == (OrderRefused("EOrder:Tick size check failed"),)
    assert not bob.open_orders


def test_a_batch_is_answered_order_by_order_when_the_money_does_not_reach_for_all(floor: Floor) -> None:
    bob = floor.account("bob", BTC="0.5")
    orders = (sell("0.4", "50000.0"), sell("0.4", "50001.0"), sell("0.1", "50002.0", cl_ord_id="c"))
    answer = floor.ask(bob, BatchAdd(symbol="BTC/USD", orders=orders))[0]
    assert isinstance(answer, BatchAdded)
    assert [type(row) for row in answer.orders] == [Added, OrderRefused, Added]
    assert len(bob.open_orders) == 2
