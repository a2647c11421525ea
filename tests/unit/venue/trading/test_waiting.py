"""Waiting orders fire as if each of them were asked at every move of the market."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.venue.trading.desks import Floor

from krakenwire.model.orders import TriggerReference
from krakenwire.venue.trading.account_order import AccountOrder, Trigger
from krakenwire.venue.trading.waiting import Waiting

FLOOR = Floor("BTC/USD")
ACCOUNT = FLOOR.account("ann")
DESK = FLOOR.exchange.desks["BTC/USD"]

Move = tuple[Literal["move"], TriggerReference, int]
New = tuple[Literal["new"], TriggerReference, bool, int, int]
"""Reference, whether it rises, trigger price, distance of a trailing one or 0."""
Change = tuple[Literal["drop", "amend"], int, int]

prices = st.integers(1, 60)
references = st.sampled_from(["last", "index"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("move"), references, prices),
        st.tuples(st.just("new"), references, st.booleans(), prices, st.sampled_from([0, 0, 3, 9])),
        st.tuples(st.sampled_from(["drop", "amend"]), st.integers(0, 50), prices),
    ),
    max_size=60,
)


def waiting_order(number: int, reference: TriggerReference, rises: bool, price: int, distance: int) -> AccountOrder:
    order = AccountOrder(ACCOUNT, DESK, "buy", "stop-loss", 1, None)
    order.number = number
    order.trigger = Trigger(price, "static", reference, price, rises, distance=distance)
    return order


@dataclass
class Asked:
    """The same, asking every order every time."""

    orders: dict[int, AccountOrder] = field(default_factory=dict)

    def move(self, kind: str, price: int) -> tuple[list[int], list[int]]:
        """Numbers of the orders whose trigger followed, and of those that fire, oldest first."""
        watching = [o for _, o in sorted(self.orders.items()) if o.trigger and o.trigger.reference == kind]
        moved = [o.number for o in watching if o.trigger and o.trigger.trails and o.trigger.follow(price)]
        fired = [o.number for o in watching if o.trigger and o.trigger.reached(price)]
        for number in fired:
            del self.orders[number]
        return moved, fired


@given(steps)
def test_what_follows_and_what_fires_is_what_asking_each_order_tells(steps: list[Move | New | Change]) -> None:
    waiting, asked, at = Waiting(), Asked(), {"last": 30, "index": 30}
    for number, step in enumerate(steps):
        if step[0] == "new":
            _, kind, rises, price, distance = step
            for keep in (waiting.add, lambda order: asked.orders.update({order.number: order})):
                order = waiting_order(number, kind, rises, price, distance)
                assert order.trigger is not None
                if distance:
                    order.trigger.follow(at[kind])
                keep(order)
        elif step[0] == "move":
            at[step[1]] = step[2]
        else:
            change(waiting, asked, step)
        expected = [asked.move(kind, at[kind]) for kind in ("last", "index")]
        moved, fired = everything_due(waiting, at)
        assert sorted(moved) == sorted(expected[0][0] + expected[1][0])
        assert fired == sorted(expected[0][1] + expected[1][1])
        assert len(waiting) == len(asked.orders)


def everything_due(waiting: Waiting, at: dict[str, int]) -> tuple[list[int], list[int]]:
    """Numbers of the orders whose trigger followed, and of those that fired, in that order."""
    moved: list[AccountOrder] = []
    fired: list[int] = []
    while (found := waiting.due(at.__getitem__, moved.append)) is not None:
        order, price = found
        assert order.trigger is not None
        assert price == at[order.trigger.reference]
        fired.append(order.number)
    return [order.number for order in moved], fired


def change(waiting: Waiting, asked: Asked, step: Change) -> None:
    """Drop an order, or change its trigger price if it does not trail."""
    kind, place, price = step
    if not asked.orders:
        return
    number = sorted(asked.orders)[place % len(asked.orders)]
    order = waiting._orders[number]
    if kind == "drop":
        waiting.discard(order)
        del asked.orders[number]
    else:
        for each in (order, asked.orders[number]):
            assert each.trigger is not None
            if not each.trigger.trails:
                each.trigger.price = price
        waiting.add(order)


def test_nothing_fires_before_there_is_a_price() -> None:
    waiting = Waiting()
    waiting.add(waiting_order(1, "last", False, 10, 0))
    waiting.add(waiting_order(2, "last", True, 10, 0))
    assert waiting.due(lambda _: 0, lambda _: None) is None
    assert len(waiting) == 2


def test_what_was_reached_fires_though_the_market_turns_before_its_turn() -> None:
    waiting = Waiting()
    for number in (3, 1, 2):
        waiting.add(waiting_order(number, "last", False, 10, 0))
    found = [waiting.due(lambda _, price=price: price, lambda _: None) for price in (5, 50, 50, 50)]
    assert [None if due is None else (due[0].number, due[1]) for due in found] == [(1, 5), (2, 5), (3, 5), None]


def test_orders_that_came_and_went_leave_nothing_behind() -> None:
    waiting = Waiting()
    for number in range(20_000):
        order = waiting_order(number, "last", True, 1_000 + number, 0)
        waiting.add(order)
        waiting.discard(order)
    assert sum(map(len, waiting._triggers.values())) < 2_000
