"""The matching engines against a model that scans lists: event by event, for any commands."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engines import engines

from krakenwire.model import OrderSide
from krakenwire.venue.matching.matching import MatchingEngine
from krakenwire.venue.matching.orders import (
    SLICES_MAX,
    Accepted,
    Amended,
    Changed,
    EngineEvent,
    Finished,
    Refused,
    Removed,
    Rested,
    Traded,
)

both = pytest.mark.parametrize("engine_class", engines())


@dataclass
class Listed:
    """An order in the list: `left` in all, `shown` of it."""

    order_id: int
    side: OrderSide
    price: int | None
    left: int
    force: str = "gtc"
    post_only: bool = False
    owner: int = 0
    self_trade: str = "cancel_newest"
    display: int | None = None
    bound: int | None = None
    shown: int = 0

    def show(self) -> None:
        self.shown = self.left if self.display is None else min(self.left, self.display)


class NaiveEngine:
    """Orders in one list, oldest place first; every question is a scan."""

    def __init__(self) -> None:
        self.orders: list[Listed] = []

    def candidates(self, side: OrderSide, price: int | None) -> list[Listed]:
        other = [o for o in self.orders if o.side != side]
        if side == "buy":
            return sorted((o for o in other if price is None or o.price <= price), key=lambda o: o.price)
        return sorted((o for o in other if price is None or o.price >= price), key=lambda o: -o.price)

    def find(self, order_id: int) -> Listed | None:
        return next((o for o in self.orders if o.order_id == order_id), None)

    def would_fill(self, order: Listed) -> bool:
        """Try it on a copy."""
        copied = deepcopy(self)
        taker = deepcopy(order)
        return copied.match([], taker, 0) and taker.left == 0

    def place(
        self, order_id: int, side: OrderSide, qty: int, price: int | None, time_ns: int, *rest: Any
    ) -> list[EngineEvent]:
        order = Listed(order_id, side, price, qty, *rest)
        reason = ""
        if self.find(order_id):
            reason = "duplicate order"
        elif qty <= 0 or (price is not None and price <= 0) or (order.display is not None and order.display <= 0):
            reason = "not positive"
        elif order.bound is not None and order.bound <= 0:
            reason = "nothing to reduce"
        else:
            order.left = min(qty, qty if order.bound is None else order.bound)
            reason = self.doubt(order, price is None or bool(self.candidates(side, price)))
        if reason:
            return [Refused(order_id, reason, time_ns)]
        events: list[EngineEvent] = [Accepted(order_id, side, price, order.left, time_ns)]
        return self.carry_out(events, order, time_ns)

    def doubt(self, order: Listed, crosses: bool) -> str:
        if order.display is not None and order.left > order.display * SLICES_MAX:
            return "display too small"
        if order.post_only and crosses:
            return "post only"
        return "cannot fill" if order.force == "fok" and not self.would_fill(order) else ""

    def carry_out(self, events: list[EngineEvent], order: Listed, time_ns: int) -> list[EngineEvent]:
        alive = self.match(events, order, time_ns)
        if order.left == 0:
            return [*events, Finished(order.order_id, order.side, 0, time_ns, "filled")]
        if alive and order.price is not None and order.force == "gtc":
            order.show()
            self.orders.append(order)
            return [*events, Rested(order.side, order.price, order.order_id, order.shown, time_ns)]
        reason = "self trade" if not alive else "no liquidity" if order.price is None else "ioc"
        return [*events, Finished(order.order_id, order.side, order.left, time_ns, reason)]

    def match(self, events: list[EngineEvent], taker: Listed, time_ns: int) -> bool:
        while taker.left and (found := self.candidates(taker.side, taker.price)):
            maker = found[0]
            if taker.owner and maker.owner == taker.owner:
                if taker.self_trade in ("cancel_oldest", "cancel_both"):
                    self.take_out(events, maker, time_ns, "self trade")
                if taker.self_trade in ("cancel_newest", "cancel_both"):
                    return False
            else:
                self.trade(events, maker, taker, min(taker.left, maker.shown), time_ns)
        return True

    def trade(self, events: list[EngineEvent], maker: Listed, taker: Listed, qty: int, time_ns: int) -> None:
        for order in (maker, taker):
            order.left -= qty
            order.bound = None if order.bound is None else order.bound - qty
        assert maker.price is not None
        events.append(
            Traded(maker.order_id, taker.order_id, taker.side, maker.price, qty, maker.left, taker.left, time_ns)
        )
        if maker.shown > qty:
            maker.shown -= qty
            events.append(Changed(maker.side, maker.price, maker.order_id, maker.shown, time_ns, "trade"))
        elif maker.left == 0:
            self.take_out(events, maker, time_ns, "trade")
        else:
            self.take_out(events, maker, time_ns, "refill")
            maker.show()
            self.orders.append(maker)
            events.append(Rested(maker.side, maker.price, maker.order_id, maker.shown, time_ns))

    def take_out(self, events: list[EngineEvent], order: Listed, time_ns: int, reason: str) -> None:
        assert order.price is not None
        self.orders.remove(order)
        events.append(Removed(order.side, order.price, order.order_id, order.shown, time_ns, reason))

    def cancel(self, order_id: int, time_ns: int) -> list[EngineEvent]:
        order = self.find(order_id)
        if order is None:
            return [Refused(order_id, "unknown order", time_ns)]
        events: list[EngineEvent] = []
        self.take_out(events, order, time_ns, "cancel")
        return events

    def amend(
        self,
        order_id: int,
        time_ns: int,
        qty: int | None,
        price: int | None,
        post_only: bool = False,
        display: int | None = None,
        bound: int | None = None,
    ) -> list[EngineEvent]:
        order = self.find(order_id)
        if order is None:
            return [Refused(order_id, "unknown order", time_ns)]
        wanted = deepcopy(order)
        wanted.left = order.left if qty is None else qty
        wanted.price = order.price if price is None else price
        wanted.display = order.display if display is None else display
        wanted.bound = order.bound if bound is None else bound
        wanted.post_only = (post_only or order.post_only) and wanted.price != order.price
        reason = self.amend_doubt(order, wanted, display, bound)
        if reason:
            return [Refused(order_id, reason, time_ns)]
        order.display, order.bound = wanted.display, wanted.bound
        if wanted.price == order.price and wanted.left <= order.left:
            shown, order.left = order.shown, wanted.left
            order.shown = min(shown, order.left)
            if order.shown == shown:
                return [Amended(order_id, order.left, time_ns)]
            assert order.price is not None
            return [Changed(order.side, order.price, order_id, order.shown, time_ns, "amend")]
        events: list[EngineEvent] = []
        self.take_out(events, order, time_ns, "amend")
        order.price, order.left = wanted.price, wanted.left
        return self.carry_out(events, order, time_ns)

    def amend_doubt(self, order: Listed, wanted: Listed, display: int | None, bound: int | None) -> str:
        if display is not None and order.display is None:
            return "not an iceberg"
        if bound is not None and order.bound is None:
            return "not reduce-only"
        if min(wanted.left, wanted.price or 0, 1 if display is None else display) <= 0:
            return "not positive"
        if wanted.bound is not None:
            if wanted.bound <= 0:
                return "nothing to reduce"
            wanted.left = min(wanted.left, wanted.bound)
        same = (order.left, order.price, order.display, order.bound)
        reason = self.doubt(wanted, bool(self.candidates(order.side, wanted.price)))
        if reason != "display too small" and (wanted.left, wanted.price, wanted.display, wanted.bound) == same:
            return "no change"
        return reason


sides = st.sampled_from(["buy", "sell"])
which = st.integers(0, 30)
"""Points at one of the resting orders."""

small = st.none() | st.none() | st.integers(0, 4)
places = st.tuples(
    st.just("place"),
    sides,
    st.sampled_from([0, *range(1, 6)] * 2 + [12, 4_500]),
    st.sampled_from([None, 0, *range(1, 7), *range(1, 7)]),
    st.sampled_from(["gtc", "gtc", "gtc", "gtc", "ioc", "fok"]),
    st.sampled_from([False, False, True]),
    st.sampled_from([0, 0, 1, 2]),
    st.sampled_from(["cancel_newest", "cancel_oldest", "cancel_both"]),
    small,
    small,
)
cancels = st.tuples(st.just("cancel"), which)
amends = st.tuples(
    st.just("amend"), which, st.none() | st.integers(0, 6), st.none() | st.integers(0, 6), st.booleans(), small, small
)
commands = st.lists(st.one_of(places, places, places, cancels, amends), min_size=10, max_size=50)


def perform(engine: Any, command: tuple, number: int, resting: list[int]) -> list[EngineEvent]:
    time_ns = number * 1_000
    match command:
        case ("place", side, qty, price, *rest):
            order_id = resting[0] if resting and number % 17 == 0 else number
            return engine.place(order_id, side, qty, price, time_ns, *rest)
        case ("cancel", place):
            return engine.cancel(named(resting, place), time_ns)
        case (_, place, *rest):
            return engine.amend(named(resting, place), time_ns, *rest)
    raise AssertionError(command)


def named(resting: list[int], place: int) -> int:
    """Mostly an order that is there, sometimes one that never was."""
    return resting[place % len(resting)] if resting and place < 30 else 9_999


def random_commands(random: Random, count: int) -> list[tuple]:
    kinds = ["place", "place", "place", "cancel", "amend"]
    found: list[tuple] = []
    for _ in range(count):
        kind = random.choice(kinds)
        place, price = random.randrange(31), random.choice([None, *range(1, 13)])
        display, bound = (random.choice([None, None, None, *range(5)]) for _ in range(2))
        if kind == "place":
            side, force = random.choice(["buy", "sell"]), random.choice(["gtc"] * 5 + ["ioc", "fok"])
            owned = random.choice([0, 0, 1, 2]), random.choice(["cancel_newest", "cancel_oldest", "cancel_both"])
            qty = random.choice([*range(1, 9), 5_000])
            found.append((kind, side, qty, price, force, random.random() < 0.2, *owned, display, bound))
        elif kind == "cancel":
            found.append((kind, place))
        else:
            post_only = random.random() < 0.1
            found.append((kind, place, random.choice([None, *range(9)]), price, post_only, display, bound))
    return found


def shown(engine: Any, side: OrderSide) -> list[tuple[int, int, int, int]]:
    return [(o.order_id, o.price, o.qty, o.remaining) for level in engine.side(side).top(99) for o in level]


def check_readable(engine: MatchingEngine) -> None:
    """Its inner structure hangs together."""
    for book in (engine.bids, engine.asks):
        assert book.keys == sorted(set(book.keys))
        assert {book.sign * key for key in book.keys} == book.levels.keys()
        for price, level in book.levels.items():
            orders = list(level)
            assert all(o.price == price and o.qty > 0 and engine.orders[o.order_id] is o for o in orders)
            assert [o.previous for o in orders] == [None, *orders[:-1]]


def check_structure(engine: Any) -> None:
    if isinstance(engine, MatchingEngine):
        check_readable(engine)
    levels = [level for side in (engine.bids, engine.asks) for level in side.top(99)]
    for level in levels:
        orders = list(level)
        assert orders
        sums = (len(orders), sum(o.qty for o in orders), sum(o.hidden for o in orders))
        assert (level.count, level.qty, level.hidden) == sums
    assert len(engine.orders) == sum(level.count for level in levels)
    best_bid, best_ask = engine.bids.best(), engine.asks.best()
    assert best_bid is None or best_ask is None or best_bid.price < best_ask.price


def compare(engine: Any, given_commands: list[tuple]) -> Counter[str]:
    """Run an engine beside the model; return how often each kind of event happened."""
    naive = NaiveEngine()
    seen: Counter[str] = Counter()
    for number, command in enumerate(given_commands, start=1):
        resting = sorted(engine.orders)
        events = perform(engine, command, number, resting)
        assert events == perform(naive, command, number, resting)
        check_structure(engine)
        for side in ("buy", "sell"):
            reverse = side == "buy"
            listed = sorted((o for o in naive.orders if o.side == side), key=lambda o: o.price, reverse=reverse)
            assert shown(engine, side) == [(o.order_id, o.price, o.shown, o.left) for o in listed]
        seen.update(f"{type(event).__name__} {getattr(event, 'reason', '')}".strip() for event in events)
    return seen


@both
@given(given_commands=commands)
def test_any_commands_give_the_events_and_queues_of_a_list_scan(engine_class: Any, given_commands: list[tuple]) -> None:
    compare(engine_class(), given_commands)


@both
def test_long_random_runs_give_the_same_events_and_meet_every_kind_of_them(engine_class: Any, nightly: bool) -> None:
    seen: Counter[str] = Counter()
    for seed in range(200 if nightly else 6):
        seen += compare(engine_class(), random_commands(Random(seed), 500))
    refused = ("unknown order", "duplicate order", "post only", "cannot fill", "no change", "not positive")
    reasons = {
        "Refused": (*refused, "nothing to reduce", "display too small", "not an iceberg", "not reduce-only"),
        "Changed": ("trade", "amend"),
        "Removed": ("trade", "cancel", "amend", "self trade", "refill"),
        "Finished": ("filled", "ioc", "no liquidity", "self trade"),
    }
    expected = {f"{name} {reason}" for name, some in reasons.items() for reason in some}
    assert seen.keys() == expected | {"Accepted", "Rested", "Traded", "Amended"}


@both
@given(given_commands=commands)
def test_every_lot_is_accounted_for(engine_class: Any, given_commands: list[tuple]) -> None:
    """What was accepted or added equals what traded, was taken back, ended unfilled, or still rests."""
    engine = engine_class()
    owed: Counter[int] = Counter()
    for number, command in enumerate(given_commands, start=1):
        before = {order_id: (order.remaining, order.reduce_qty) for order_id, order in engine.orders.items()}
        for event in perform(engine, command, number, sorted(engine.orders)):
            match event:
                case Accepted():
                    owed[event.order_id] += event.qty
                case Traded():
                    owed[event.maker_id] -= event.qty
                    owed[event.taker_id] -= event.qty
                case Removed(reason="cancel" | "self trade"):
                    owed[event.order_id] -= before[event.order_id][0]
                case Removed(reason="amend"):
                    owed[event.order_id] = amended(command, *before[event.order_id])
                case Changed(reason="amend"):
                    owed[event.order_id] = amended(command, *before[event.order_id])
                case Amended():
                    assert event.qty == amended(command, *before[event.order_id])
                    owed[event.order_id] = event.qty
                case Finished():
                    owed[event.order_id] -= event.qty
        assert +owed == Counter({order_id: order.remaining for order_id, order in engine.orders.items()})


def amended(command: tuple, remaining: int, bound: int | None) -> int:
    """What an amended order is to have left."""
    _, _, qty, _, _, _, new_bound = command
    wanted = remaining if qty is None else qty
    limit = bound if new_bound is None else new_bound
    return wanted if limit is None else min(wanted, limit)


@both
@given(given_commands=commands)
def test_the_book_can_be_rebuilt_from_its_changes(engine_class: Any, given_commands: list[tuple]) -> None:
    engine = engine_class()
    rebuilt: dict[int, tuple[str, int, int]] = {}
    for number, command in enumerate(given_commands, start=1):
        for event in perform(engine, command, number, sorted(engine.orders)):
            if isinstance(event, Rested):
                assert event.order_id not in rebuilt
                rebuilt[event.order_id] = (event.side, event.price, event.qty)
            elif isinstance(event, Changed):
                rebuilt[event.order_id] = (event.side, event.price, event.qty)
            elif isinstance(event, Removed):
                assert rebuilt.pop(event.order_id)[:2] == (event.side, event.price)
        assert rebuilt == {o.order_id: (o.side, o.price, o.qty) for o in engine.orders.values()}
