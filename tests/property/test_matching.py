"""The matching engine against a model that scans lists: event by event, for any commands."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from krakenwire.model import OrderSide
from krakenwire.venue.matching import MatchingEngine
from krakenwire.venue.orders import (
    Accepted,
    Changed,
    EngineEvent,
    Finished,
    Refused,
    Removed,
    Rested,
    TimeInForce,
    Traded,
)


class ListedOrder:
    def __init__(self, order_id: int, side: OrderSide, price: int, qty: int, post_only: bool) -> None:
        self.order_id, self.side, self.price, self.qty, self.post_only = order_id, side, price, qty, post_only


class NaiveEngine:
    """Orders in one list, oldest place first; every question is a scan."""

    def __init__(self) -> None:
        self.orders: list[ListedOrder] = []

    def candidates(self, side: OrderSide, price: int | None) -> list[ListedOrder]:
        other = [o for o in self.orders if o.side != side]
        if side == "buy":
            return sorted((o for o in other if price is None or o.price <= price), key=lambda o: o.price)
        return sorted((o for o in other if price is None or o.price >= price), key=lambda o: -o.price)

    def find(self, order_id: int) -> ListedOrder | None:
        return next((o for o in self.orders if o.order_id == order_id), None)

    def place(
        self,
        order_id: int,
        side: OrderSide,
        qty: int,
        price: int | None,
        time_ns: int,
        time_in_force: TimeInForce = "gtc",
        post_only: bool = False,
    ) -> list[EngineEvent]:
        reason = ""
        if self.find(order_id):
            reason = "duplicate order"
        elif qty <= 0 or (price is not None and price <= 0):
            reason = "not positive"
        elif post_only and (price is None or self.candidates(side, price)):
            reason = "post only"
        elif time_in_force == "fok" and sum(o.qty for o in self.candidates(side, price)) < qty:
            reason = "cannot fill"
        if reason:
            return [Refused(order_id, reason, time_ns)]
        events: list[EngineEvent] = [Accepted(order_id, side, price, qty, time_ns)]
        left = self.match(events, order_id, side, qty, price, time_ns)
        if left == 0:
            return [*events, Finished(order_id, side, 0, time_ns, "filled")]
        if price is None:
            return [*events, Finished(order_id, side, left, time_ns, "no liquidity")]
        if time_in_force != "gtc":
            return [*events, Finished(order_id, side, left, time_ns, "ioc")]
        self.orders.append(ListedOrder(order_id, side, price, left, post_only))
        return [*events, Rested(side, price, order_id, left, time_ns)]

    def match(
        self, events: list[EngineEvent], taker: int, side: OrderSide, left: int, price: int | None, time_ns: int
    ) -> int:
        for maker in self.candidates(side, price):
            if left == 0:
                break
            qty = min(left, maker.qty)
            left -= qty
            shown, maker.qty = maker.qty, maker.qty - qty
            events.append(Traded(maker.order_id, taker, side, maker.price, qty, maker.qty, left, time_ns))
            if maker.qty == 0:
                self.orders.remove(maker)
                events.append(Removed(maker.side, maker.price, maker.order_id, shown, time_ns, "trade"))
            else:
                events.append(Changed(maker.side, maker.price, maker.order_id, maker.qty, time_ns, "trade"))
        return left

    def cancel(self, order_id: int, time_ns: int) -> list[EngineEvent]:
        order = self.find(order_id)
        if order is None:
            return [Refused(order_id, "unknown order", time_ns)]
        self.orders.remove(order)
        return [Removed(order.side, order.price, order_id, order.qty, time_ns, "cancel")]

    def amend(self, order_id: int, time_ns: int, qty: int | None, price: int | None) -> list[EngineEvent]:
        order = self.find(order_id)
        if order is None:
            return [Refused(order_id, "unknown order", time_ns)]
        qty = order.qty if qty is None else qty
        price = order.price if price is None else price
        reason = ""
        if qty <= 0 or price <= 0:
            reason = "not positive"
        elif (qty, price) == (order.qty, order.price):
            reason = "no change"
        elif order.post_only and price != order.price and self.candidates(order.side, price):
            reason = "post only"
        if reason:
            return [Refused(order_id, reason, time_ns)]
        if price == order.price and qty < order.qty:
            order.qty = qty
            return [Changed(order.side, price, order_id, qty, time_ns, "amend")]
        self.orders.remove(order)
        events: list[EngineEvent] = [Removed(order.side, order.price, order_id, order.qty, time_ns, "amend")]
        left = self.match(events, order_id, order.side, qty, price, time_ns)
        if left == 0:
            return [*events, Finished(order_id, order.side, 0, time_ns, "filled")]
        self.orders.append(ListedOrder(order_id, order.side, price, left, order.post_only))
        return [*events, Rested(order.side, price, order_id, left, time_ns)]


sides = st.sampled_from(["buy", "sell"])
which = st.integers(0, 30)
"""Points at one of the resting orders."""

places = st.tuples(
    st.just("place"),
    sides,
    st.sampled_from([0, *range(1, 6)] * 2 + [12]),
    st.sampled_from([None, 0, *range(1, 7), *range(1, 7)]),
    st.sampled_from(["gtc", "gtc", "gtc", "gtc", "ioc", "fok"]),
    st.sampled_from([False, False, True]),
)
cancels = st.tuples(st.just("cancel"), which)
amends = st.tuples(st.just("amend"), which, st.none() | st.integers(0, 6), st.none() | st.integers(0, 6))
commands = st.lists(st.one_of(places, places, places, cancels, amends), min_size=10, max_size=50)


def perform(engine: MatchingEngine | NaiveEngine, command: tuple, number: int, resting: list[int]) -> list[EngineEvent]:
    time_ns = number * 1_000
    match command:
        case ("place", side, qty, price, time_in_force, post_only):
            order_id = resting[0] if resting and number % 17 == 0 else number
            return engine.place(order_id, side, qty, price, time_ns, time_in_force, post_only)
        case ("cancel", place):
            return engine.cancel(named(resting, place), time_ns)
        case (_, place, qty, price):
            return engine.amend(named(resting, place), time_ns, qty, price)
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
        if kind == "place":
            side, force = random.choice(["buy", "sell"]), random.choice(["gtc"] * 5 + ["ioc", "fok"])
            found.append((kind, side, random.randrange(1, 9), price, force, random.random() < 0.2))
        elif kind == "cancel":
            found.append((kind, place))
        else:
            found.append((kind, place, random.choice([None, *range(9)]), price))
    return found


def shown(engine: MatchingEngine, side: OrderSide) -> list[tuple[int, int, int]]:
    return [(o.order_id, o.price, o.qty) for level in engine.side(side).top(99) for o in level]


def check_structure(engine: MatchingEngine) -> None:
    for book in (engine.bids, engine.asks):
        assert book.keys == sorted(set(book.keys))
        assert {book.sign * key for key in book.keys} == book.levels.keys()
        for price, level in book.levels.items():
            orders = list(level)
            assert orders
            assert (level.count, level.qty) == (len(orders), sum(o.qty for o in orders))
            assert all(o.price == price and o.qty > 0 and engine.orders[o.order_id] is o for o in orders)
            assert [o.previous for o in orders] == [None, *orders[:-1]]
    assert len(engine.orders) == sum(level.count for b in (engine.bids, engine.asks) for level in b.levels.values())
    best_bid, best_ask = engine.bids.best(), engine.asks.best()
    assert best_bid is None or best_ask is None or best_bid.price < best_ask.price


def compare(given_commands: list[tuple]) -> Counter[str]:
    """Run both engines side by side; return how often each kind of event happened."""
    engine, naive = MatchingEngine(), NaiveEngine()
    seen: Counter[str] = Counter()
    for number, command in enumerate(given_commands, start=1):
        resting = list(engine.orders)
        events = perform(engine, command, number, resting)
        assert events == perform(naive, command, number, resting)
        check_structure(engine)
        for side in ("buy", "sell"):
            reverse = side == "buy"
            listed = sorted((o for o in naive.orders if o.side == side), key=lambda o: o.price, reverse=reverse)
            assert shown(engine, side) == [(o.order_id, o.price, o.qty) for o in listed]
        seen.update(f"{type(event).__name__} {getattr(event, 'reason', '')}".strip() for event in events)
    return seen


@given(commands)
def test_any_commands_give_the_events_and_queues_of_a_list_scan(given_commands: list[tuple]) -> None:
    compare(given_commands)


def test_long_random_runs_give_the_same_events_and_meet_every_kind_of_them(nightly: bool) -> None:
    seen: Counter[str] = Counter()
    for seed in range(200 if nightly else 6):
        seen += compare(random_commands(Random(seed), 500))
    reasons = {
        "Refused": ("unknown order", "duplicate order", "post only", "cannot fill", "no change", "not positive"),
        "Changed": ("trade", "amend"),
        "Removed": ("trade", "cancel", "amend"),
        "Finished": ("filled", "ioc", "no liquidity"),
    }
    expected = {f"{name} {reason}" for name, some in reasons.items() for reason in some}
    assert seen.keys() == expected | {"Accepted", "Rested", "Traded"}


@given(commands)
def test_every_lot_is_accounted_for(given_commands: list[tuple]) -> None:
    """What was accepted or added equals what traded, was taken back, ended unfilled, or still rests."""
    engine = MatchingEngine()
    owed: Counter[int] = Counter()
    for number, command in enumerate(given_commands, start=1):
        before = {order_id: order.qty for order_id, order in engine.orders.items()}
        for event in perform(engine, command, number, list(engine.orders)):
            match event:
                case Accepted():
                    owed[event.order_id] += event.qty
                case Traded():
                    owed[event.maker_id] -= event.qty
                    owed[event.taker_id] -= event.qty
                case Removed(reason="cancel"):
                    owed[event.order_id] -= event.qty
                case Removed(reason="amend"):
                    owed[event.order_id] += command[2] - before[event.order_id] if command[2] is not None else 0
                case Changed(reason="amend"):
                    owed[event.order_id] += event.qty - before[event.order_id]
                case Finished():
                    owed[event.order_id] -= event.qty
        assert +owed == Counter({order_id: order.qty for order_id, order in engine.orders.items()})


@given(commands)
def test_the_book_can_be_rebuilt_from_its_changes(given_commands: list[tuple]) -> None:
    engine = MatchingEngine()
    rebuilt: dict[int, tuple[str, int, int]] = {}
    for number, command in enumerate(given_commands, start=1):
        for event in perform(engine, command, number, list(engine.orders)):
            if isinstance(event, Rested):
                assert event.order_id not in rebuilt
                rebuilt[event.order_id] = (event.side, event.price, event.qty)
            elif isinstance(event, Changed):
                rebuilt[event.order_id] = (event.side, event.price, event.qty)
            elif isinstance(event, Removed):
                assert rebuilt.pop(event.order_id)[:2] == (event.side, event.price)
        assert rebuilt == {o.order_id: (o.side, o.price, o.qty) for o in engine.orders.values()}
