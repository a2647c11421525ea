"""The simulated crowd of one instrument: makers, takers, cancellations, bursts and trends.

A fair price wanders around where it began; makers quote around it, takers
push the book towards it, stale orders are taken or withdrawn, and the deep
levels are kept up. One action is one command to the market, at an offset from
the start that depends on the random generator alone, so the same generator
gives the same market however time is cut. All prices and quantities are whole
numbers; the generator is passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple, Protocol

from krakenwire.model import OrderSide
from krakenwire.venue.market.chance import Chance
from krakenwire.venue.market.instruments import FULL_BOOK_LEVELS
from krakenwire.venue.market.market import Market
from krakenwire.venue.matching.matching import BookSide, PriceLevel, RestingOrder
from krakenwire.venue.matching.orders import OPPOSITE, SIDES, EngineEvent, Removed, Rested, TimeInForce

__all__ = ["DEEP", "THIN", "BookShape", "Traders"]

SECOND_NS: Final = 1_000_000_000
MICRO: Final = 1_000_000
"""The fair price is kept in millionths of a tick, so that slow drifts are not lost."""


class BookShape(NamedTuple):
    """How many levels a side a book is kept at, and how many orders in all.

    Args:
        target: levels at start; `floor`, `ceiling`: when makers add or withdraw deep ones.
        orders: resting orders aimed at, both sides together.
        widen: factor on the usual distance between levels.
    """

    target: int
    floor: int
    ceiling: int
    orders: int
    widen: int


DEEP: Final = BookShape(target=FULL_BOOK_LEVELS, floor=1_150, ceiling=1_450, orders=3_000, widen=1)
"""Depth 1000 stays full, whatever a burst takes."""

THIN: Final = BookShape(target=6, floor=4, ceiling=8, orders=16, widen=20)
"""Fewer levels than the checksum covers."""

_REACH: Final = 4
"""Levels a taker reaches at most."""

_BITE: Final = 40
"""Usual quantities a taker takes at once from a stale level: somebody else's wall holds for a while."""


class TraderHand(Protocol):
    """What a trader commands a market through."""

    @property
    def market(self) -> Market: ...

    def place(
        self,
        side: OrderSide,
        qty: int,
        price: int | None,
        now_ns: int,
        time_in_force: TimeInForce = "gtc",
        post_only: bool = False,
    ) -> list[EngineEvent]: ...

    def cancel(self, order_id: int, now_ns: int) -> list[EngineEvent]: ...

    def amend(self, order_id: int, now_ns: int, qty: int | None = None, price: int | None = None) -> object: ...


class Traders:
    """Everybody who trades one instrument.

    Args:
        makers, takers: the hands of those who quote and of those who take, at the same empty market.
        random: generator of this instrument's flow; nobody else may use it.
        actions_per_s: average number of actions.
        shape: `DEEP` or `THIN`.
    """

    def __init__(
        self, makers: TraderHand, takers: TraderHand, random: Random, actions_per_s: float, shape: BookShape = DEEP
    ) -> None:
        self._makers, self._takers = makers, takers
        self.market = market = makers.market
        self._action_offset_ns = 0
        self._shape = shape
        self._chance = Chance(random)
        self._pause_ns = round(SECOND_NS / actions_per_s)
        self._own: set[int] = set()
        instrument = market.instrument
        self._gap = instrument.level_gap * shape.widen
        self._tight = 1 + self._gap // 10
        self._lot = instrument.typical_qty
        self._qty_min = int(instrument.qty_min.scaleb(instrument.qty_precision))
        self._step = instrument.step_micro
        self._drift = 0
        self._settle_at(instrument.start_price)
        self._trend_left = self._burst_left = 0
        self._schedule()

    # -- life --------------------------------------------------------------

    def open(self, start_ns: int) -> None:
        """Fill the empty book as it stands at `start_ns`, oldest orders deepest."""
        ladders = {side: self._ladder(side, self._shape.target) for side in SIDES}
        time_ns = start_ns - 2 * self._shape.target * SECOND_NS // 4
        for rank in range(self._shape.target - 1, -1, -1):
            for side, prices in ladders.items():
                time_ns += SECOND_NS // 8 + self._chance.below(SECOND_NS // 8)
                for order in range(1 + self._chance.exponential() * (2 if rank < 50 else 1) // 1_600):
                    self._place(side, self._size(rank), prices[rank], time_ns + order * 7_000_000)

    def act(self, now_ns: int) -> None:
        """Take the action that is due, at engine time `now_ns`, and plan the next one."""
        self._wander()
        self._schedule()
        if not (self._keep_up(now_ns) or self._correct(now_ns) or self._narrow(now_ns)):
            self._choose()(now_ns)
        if len(self._own) > 2 * len(self.market.engine.orders) + 64:
            self._own &= self.market.engine.orders.keys()

    @property
    def next_offset_ns(self) -> int:
        """When the next action is due, since the start."""
        return self._action_offset_ns

    @property
    def fair_price(self) -> int:
        """What the crowd thinks the instrument is worth, in ticks."""
        return self._fair // MICRO

    # -- time, price, size ---------------------------------------------------

    def _schedule(self) -> None:
        """Plan the next action: bursts come five times as fast, the rest a little slower to keep the average."""
        pause = self._pause_ns // 5 if self._burst_left else self._pause_ns * 1_130 // 1_000
        self._action_offset_ns += max(1_000, pause * self._chance.exponential() // 1_000 // 1_000 * 1_000)

    def _settle_at(self, price: int) -> None:
        """Wander around a price from now on."""
        self._anchor = self._fair = price * MICRO
        self._reach = self._anchor * self.market.instrument.wander_permille // 1_000
        self._pull = 12 * (min(self._reach, self._anchor // 25) // self._step) ** 2

    def _wander(self) -> None:
        """Move the fair price: noise, a trend for a while, a pull back to where it began, and hard bounds."""
        self._burst_left = (
            self._burst_left - 1 if self._burst_left else (40 + self._chance.below(120)) * self._chance.one_in(800)
        )
        if self._trend_left:
            self._trend_left -= 1
        elif self._chance.one_in(900):
            self._trend_left = 150 + self._chance.below(600)
            self._drift = self._chance.centred(self._step) // 3
        else:
            self._drift = 0
        step = self._step * (2 if self._burst_left else 1)
        fair = self._fair + self._chance.centred(step) + self._drift + (self._anchor - self._fair) // self._pull
        self._fair = min(max(fair, self._anchor - self._reach), self._anchor + self._reach)

    def _size(self, rank: int) -> int:
        """A quantity in lots: heavy-tailed, larger deep in the book, sometimes a round one."""
        qty = self._lot * self._chance.exponential() // 1_000 * (200 + self._chance.exponential()) // 1_000
        qty = qty * (100 + min(rank, 400)) // 100
        if self._chance.one_in(3):
            unit = max(self._lot // 20, 1)
            qty = (qty // unit + 1) * unit
        return max(qty, self._qty_min)

    def _side(self) -> OrderSide:
        return SIDES[self._chance.below(2)]

    # -- the book ----------------------------------------------------------

    def _book(self, side: OrderSide) -> BookSide:
        return self.market.engine.side(side)

    def _ladder(self, side: OrderSide, levels: int) -> list[int]:
        """Prices of a new book, best first, denser at the touch."""
        sign = -1 if side == "buy" else 1
        price = self.fair_price + sign * (1 + self._gap // 8)
        prices = [price]
        for rank in range(1, levels):
            gap = self._gap if rank > 20 else (self._gap + 1) // 2
            price += sign * (1 + (gap - 1) * self._chance.exponential() // 1_000)
            prices.append(price)
        assert prices[-1] > 0
        return prices

    def _place(self, side: OrderSide, qty: int, price: int, now_ns: int) -> None:
        """Rest a maker's order, as near to the price as it can be without trading."""
        other = self._book(OPPOSITE[side]).best()
        if other is not None:
            price = min(price, other.price - 1) if side == "buy" else max(price, other.price + 1)
        if price <= 0:
            return
        for event in self._makers.place(side, qty, price, now_ns, post_only=True):
            if isinstance(event, Rested):
                self._own.add(event.order_id)

    def _cancel(self, order: RestingOrder, now_ns: int) -> None:
        for event in self._makers.cancel(order.order_id, now_ns):
            if isinstance(event, Removed):
                self._own.discard(event.order_id)

    def _own_order(self, level: PriceLevel) -> RestingOrder | None:
        """One of our orders of a level; the newest of the first few."""
        found = None
        for place, order in enumerate(level):
            if order.order_id in self._own:
                found = order
            if place == 3:
                break
        return found

    def _some_order(self, side: OrderSide) -> RestingOrder | None:
        """An order that may go without emptying the side: mostly near the touch."""
        book = self._book(side)
        if len(book) < 2:
            return None
        scale = len(book) // 3 if self._chance.one_in(4) else 8
        return self._own_order(book.at(min(scale * self._chance.exponential() // 1_000, len(book) - 1)))

    # -- what traders do -----------------------------------------------------

    def _choose(self) -> Callable[[int], None]:
        """Pick an ordinary action; makers add more when the book is thin and cancel more when it is full."""
        takers = 250 if self._burst_left else 80
        draw = self._chance.below(1_000)
        if draw < takers:
            return self._take
        if draw > 950:
            return self._reduce
        if draw > 890:
            return self._reprice
        wanted = self._shape.orders
        adds = 500 + 300 * (wanted - len(self.market.engine.orders)) // wanted
        return self._quote if self._chance.below(1_000) < adds else self._withdraw

    def _keep_up(self, now_ns: int) -> bool:
        """Keep the number of levels: add a deep one where they are few, take one back where they are many."""
        first = self._side()
        for side in (first, OPPOSITE[first]):
            book = self._book(side)
            if len(book) < self._shape.floor:
                self._deepen(side, book, now_ns)
                return True
            if len(book) > self._shape.ceiling:
                order = self._own_order(book.at(len(book) - 1))
                if order is not None:
                    self._cancel(order, now_ns)
                    return True
        return False

    def _deepen(self, side: OrderSide, book: BookSide, now_ns: int) -> None:
        """Add a level: in a hole of the deep book when there is one, else behind the last."""
        away = -1 if side == "buy" else 1
        if not book:
            self._place(side, self._size(0), self.fair_price + away * self._gap, now_ns)
            return
        worst = book.at(len(book) - 1).price
        behind = max(0, worst + away * (1 + (self._gap - 1) * self._chance.exponential() // 1_000))
        far = abs(worst - self.fair_price) > self._shape.target * self._gap * 3 // 2
        price = behind if not far and self._chance.one_in(2) else self._hole(book) or behind
        self._place(side, self._size(len(book)), price, now_ns)

    def _hole(self, book: BookSide) -> int:
        """A free price between two neighbouring levels, 0 when a few tries find none."""
        for _ in range(12):
            rank = self._chance.below(len(book))
            if rank + 1 < len(book):
                near, far = book.at(rank).price, book.at(rank + 1).price
                if abs(near - far) > 1:
                    return min(near, far) + 1 + self._chance.below(abs(near - far) - 1)
        return 0

    def _correct(self, now_ns: int) -> bool:
        """Deal with orders on the wrong side of the fair price: take them or withdraw them."""
        fair = self.fair_price
        for side in SIDES:
            book = self._book(side)
            best = book.best()
            if best is None or len(book) < 2 or (best.price - fair) * book.sign <= self._gap // 2:
                continue
            order = self._own_order(best)
            if order is not None and self._chance.below(100) < 80:
                self._cancel(order, now_ns)
            elif order is not None or self._chance.one_in(3):
                qty = min(best.qty * (1 + self._chance.below(4)) // 4, _BITE * self._lot)
                self._sweep(OPPOSITE[side], qty, now_ns)
            else:
                return False
            return True
        return False

    def _narrow(self, now_ns: int) -> bool:
        """Now and then quote into a wide spread, on the side that is farther from the fair price."""
        quote = self.market.quote
        if quote.ask - quote.bid <= 2 * self._tight or self._chance.below(5) < 2:
            return False
        side: OrderSide = "buy" if self.fair_price * 2 > quote.bid + quote.ask else "sell"
        distance = 1 + self._chance.below(self._tight)
        self._place(side, self._size(0), self.fair_price + (-distance if side == "buy" else distance), now_ns)
        return True

    def _sweep(self, side: OrderSide, qty: int, now_ns: int) -> None:
        """Trade at once, at most a few levels deep and never the last level."""
        book = self._book(OPPOSITE[side])
        reach = min(_REACH, len(book) - 1)
        if reach <= 0:
            return
        reachable = sum(level.qty for level in book.top(reach))
        qty = min(max(qty, self._qty_min), reachable)
        if self._chance.below(5) < 3:
            self._takers.place(side, qty, None, now_ns)
        else:
            self._takers.place(side, qty, book.at(reach - 1).price, now_ns, "ioc")

    def _take(self, now_ns: int) -> None:
        """A taker trades, more likely in the direction of the fair price."""
        quote = self.market.quote
        lean = 2 * self.fair_price - quote.bid - quote.ask
        chance = 500 + max(-350, min(350, 100 * lean // self._gap))
        side: OrderSide = "buy" if self._chance.below(1_000) < chance else "sell"
        self._sweep(side, self._size(0) * (1 + self._chance.below(6)) // 20, now_ns)

    def _quote(self, now_ns: int) -> None:
        """A maker rests an order: mostly near the touch, sometimes a tick better, sometimes deep."""
        side = self._side()
        away = -1 if side == "buy" else 1
        best = self._book(side).best()
        if best is not None and self._chance.one_in(7) and (best.price - self.fair_price) * away > 1:
            self._place(side, self._size(0), best.price - away, now_ns)
            return
        reach = 250 if self._chance.one_in(5) else 7
        rank = (1_000 + reach * self._chance.exponential()) // 1_000
        distance = 1 + self._gap * (rank - 1) + self._chance.below(self._gap)
        self._place(side, self._size(rank), self.fair_price + away * distance, now_ns)

    def _withdraw(self, now_ns: int) -> None:
        """A maker cancels."""
        order = self._some_order(self._side())
        if order is not None:
            self._cancel(order, now_ns)

    def _reduce(self, now_ns: int) -> None:
        """A maker takes part of an order back and keeps its place."""
        order = self._some_order(self._side())
        if order is not None and order.qty // 2 >= self._qty_min:
            self._makers.amend(order.order_id, now_ns, qty=order.qty - 1 - self._chance.below(order.qty // 2))

    def _reprice(self, now_ns: int) -> None:
        """A maker moves an order nearer to the fair price without trading."""
        side = self._side()
        order = self._some_order(side)
        if order is None:
            return
        away = -1 if side == "buy" else 1
        price = self.fair_price + away * (1 + self._chance.below(6 * self._gap))
        if price > 0 and not self.market.engine.crosses(side, price):
            self._makers.amend(order.order_id, now_ns, price=price)
