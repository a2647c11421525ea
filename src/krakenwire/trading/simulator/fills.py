"""One symbol's fill engine: own orders that meet a market which does not know of them.

It takes the market row by row and commands when they act, and tells what became
of own orders through `tell`. Quantity of others is used once: what was taken of
a level stays taken as long as the level is there, and one trade serves own
orders in their order of price and time. While the book is not live
nothing is filled and nothing that needs the book is taken in. The rules, and
why: docs/decisions/0009-fill-model.md. Next: `simulator`, which owns the time.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from typing import Final, TypeAlias

from krakenwire.model.rows import ASK, BID, BUY, SNAPSHOT, Listing
from krakenwire.trading.simulator import orders as words
from krakenwire.trading.simulator.book import Ladder, SimBook
from krakenwire.trading.simulator.model import AHEAD_UNKNOWN, FillModel, OrderFlag, OrderType, ReportKind
from krakenwire.trading.simulator.orders import Order

__all__ = ["Fills", "Tell"]

Tell: TypeAlias = Callable[[ReportKind, Order, int, int, bool, str], None]
"""Called with the kind, the order, price, quantity, whether as maker, and the reason."""

_STOPS: Final = (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT)
_OTHER: Final = {BID: ASK, ASK: BID}
_SIGN: Final = {BID: -1, ASK: 1}


def _priority(order: Order) -> tuple[int, int]:
    return order.price * _SIGN[order.side], order.place


class Fills:
    """The fill engine of one symbol.

    Args:
        listing: of the symbol.
        model: what is assumed.
        tell: hears what becomes of orders, at the time when it happens.

    Attributes:
        book: as the venue displays it.
        own: resting orders by side, best first.
        waiting: orders that wait for their trigger, oldest first.
        last: price of the last trade, 0 before the first; until one comes, of the youngest of a snapshot.
    """

    def __init__(self, listing: Listing, model: FillModel, tell: Tell) -> None:
        self.book = SimBook(listing)
        self.own: dict[int, list[Order]] = {BID: [], ASK: []}
        self.waiting: list[Order] = []
        self.last = 0
        self._tell = tell
        self._model, self._spread = model, model.trades_only_spread_ticks * listing.tick
        self._taken: dict[int, dict[int, int]] = {BID: {}, ASK: {}}
        self._snapshot = self._traded = False
        self._places = self._last_ns = 0

    # -- the market ------------------------------------------------------------------

    def level(self, side: int, price: int, qty: int, venue_ns: int) -> None:
        """Take a level of the book."""
        if not (self.book.live and self.book.depth):
            return
        old = self.book.ladder(side).set(price, qty)
        if price in self._taken[side]:
            self._keep_taken(side, price, qty if old else 0)
        for order in self.own[side]:
            if order.price == price:
                self._requeue(order, old, max(qty, 0), venue_ns)

    def clear(self) -> None:
        """Take a snapshot's beginning."""
        if not self.book.depth:
            return
        self.book.begin()
        self._snapshot = True
        for side in (BID, ASK):
            self._taken[side].clear()
            for order in self.own[side]:
                order.told, order.credit, order.traded = False, 0, 0

    def gap(self) -> None:
        """Freeze own orders until the next snapshot, or where there is no book until the next trade."""
        self.book.end()
        self._snapshot = False

    def trade(self, kind: int, price: int, qty: int, flags: int, time_ns: int, venue_ns: int) -> None:
        """Take a public trade: it may fill orders that rest, and trigger those that wait."""
        if flags & SNAPSHOT and (self._traded or venue_ns < self._last_ns):
            return
        self.last, self._last_ns, self._traded = price, venue_ns, not flags & SNAPSHOT
        if not self.book.depth:
            self.book.show_last(price, self._spread, time_ns)
        if flags & SNAPSHOT or not self.book.live:
            return
        self._serve(ASK if kind == BUY else BID, price, qty, venue_ns)
        if self.waiting:
            self._trigger_all()

    def whole(self, time_ns: int) -> None:
        """Take the end of a message of the book: orders that the other side has reached are filled."""
        book = self.book
        if not (book.live and book.depth):
            return
        book.time_ns = time_ns
        book.bids_ladder.truncate(book.depth)
        book.asks_ladder.truncate(book.depth)
        if self._snapshot:
            self._snapshot = False
            self._settle_queues()
        for side in (BID, ASK):
            self._meet(side)

    def _keep_taken(self, side: int, price: int, qty: int) -> None:
        """Learn of a level that we took of: only what came to it since is new, and a level that was gone is new."""
        taken = self._taken[side]
        if qty > 0:
            taken[price] = min(taken[price], qty)
        else:
            del taken[price]

    def _requeue(self, order: Order, old: int, new: int, venue_ns: int) -> None:
        """Learn from a level of ours that was told anew how much is before us.

        What shrank at the time of a trade that is told later is remembered as `credit`, so
        that it does not shorten the queue twice.
        """
        ahead, seen = order.queue_ahead, old - order.traded
        order.told, order.traded = True, 0
        if self._model.queue == "proportional" and new < seen and ahead != AHEAD_UNKNOWN:
            ahead = -(-ahead * new // seen)
        ahead = min(ahead, new)
        if order.queue_ahead != AHEAD_UNKNOWN and ahead < order.queue_ahead:
            order.credit += order.queue_ahead - ahead
            order.credit_ns = venue_ns
        order.queue_ahead = ahead

    def _settle_queues(self) -> None:
        """Where a snapshot would have displayed a level of ours and did not, nobody is before us."""
        for side in (BID, ASK):
            ladder = self.book.ladder(side)
            for order in self.own[side]:
                if not order.told and ladder.displays(order.price, self.book.depth):
                    order.queue_ahead = 0

    def _serve(self, side: int, price: int, qty: int, venue_ns: int) -> None:
        """Let a trade fill own orders of the side that it was with."""
        sign = _SIGN[side]
        for order in tuple(self.own[side]):
            if qty <= 0 or order.price * sign > price * sign:
                return
            reached = qty if order.price != price else self._eat_queue(order, qty, venue_ns)
            if reached > 0:
                filled = min(order.left, reached)
                qty -= filled
                self._fill(order, order.price, filled, maker=True)

    def _eat_queue(self, order: Order, qty: int, venue_ns: int) -> int:
        """Shorten the queue by a trade at the order's price, and return what of the trade comes to the order."""
        if order.queue_ahead == AHEAD_UNKNOWN:
            return 0
        if venue_ns and venue_ns <= order.credit_ns:
            known = min(order.credit, qty)
            order.credit -= known
            qty -= known
        else:
            order.credit = 0
        order.traded += qty
        eaten = min(order.queue_ahead, qty)
        order.queue_ahead -= eaten
        return qty - eaten

    def _meet(self, side: int) -> None:
        """Fill own orders of a side, at their own price, where the other side is displayed at or through it."""
        ladder, sign = self.book.ladder(_OTHER[side]), _SIGN[side]
        if not (self.own[side] and ladder.keys):
            return
        best = ladder.keys[0] * ladder.sign
        for order in tuple(self.own[side]):
            if best * sign < order.price * sign:
                return
            self._take(order, ladder, None, maker=True)

    # -- commands, when they act ----------------------------------------------------

    def enter(self, order: Order) -> None:
        """Take in a new order."""
        waits = order.order_type >= OrderType.STOP_LOSS
        if not (self.book.live or waits):
            self.refuse(order, words.UNAVAILABLE)
            return
        self._tell(ReportKind.ACCEPTED, order, order.price, order.left, False, "")
        if waits:
            order.state = "waiting"
            self.waiting.append(order)
            self._trigger(order)
        else:
            self._match(order)

    def refuse(self, order: Order, reason: str) -> None:
        """Turn a new order away."""
        order.state = "refused"
        self._tell(ReportKind.REFUSED, order, order.price, order.left, False, reason)

    def amend(self, order: Order, price: int, qty: int) -> None:
        """Give an order another limit or quantity; only less quantity at the same price keeps its place."""
        reason = self._amend_refusal(order, price, qty)
        if reason:
            self._tell(ReportKind.AMEND_REFUSED, order, price, qty, False, reason)
            return
        stays = order.state == "waiting" or (price == order.price and qty <= order.qty)
        if not stays:
            self._remove(order)
        order.price, order.qty, order.left = price, qty, qty - order.filled
        self._tell(ReportKind.AMENDED, order, price, qty, False, "")
        if not stays:
            self._match(order)

    def _amend_refusal(self, order: Order, price: int, qty: int) -> str:
        if order.state not in {"open", "waiting"}:
            return words.UNKNOWN
        if qty <= order.filled:
            return words.INVALID
        if order.state == "waiting" or (price == order.price and qty <= order.qty):
            return ""
        if not self.book.live:
            return words.UNAVAILABLE
        crosses = order.flags & OrderFlag.POST_ONLY and self._crosses(order.side, price)
        return words.AMEND_POST_ONLY if crosses else ""

    def cancel(self, order: Order) -> None:
        """End an order that is open or waits."""
        if order.state not in {"open", "waiting"}:
            self._tell(ReportKind.CANCEL_REFUSED, order, order.price, order.left, False, words.UNKNOWN)
            return
        self._remove(order)
        self._end(order, ReportKind.CANCELED, words.CANCELED)

    def expire(self, order: Order) -> None:
        """End an order whose time is over, if nothing else has ended it."""
        if order.state in {"open", "waiting"}:
            self._remove(order)
            self._end(order, ReportKind.EXPIRED, words.TIME_OVER)

    def open_orders(self) -> list[Order]:
        """Return what is open or waits, oldest first."""
        return sorted((*self.own[BID], *self.own[ASK], *self.waiting), key=lambda order: order.ref)

    # -- matching --------------------------------------------------------------------

    def _trigger_all(self) -> None:
        for order in tuple(self.waiting):
            self._trigger(order)

    def _trigger(self, order: Order) -> None:
        """Send a waiting order to the book if the last trade has reached its trigger."""
        rising = (order.order_type in _STOPS) == (order.side == BID)
        reached = self.last >= order.trigger if rising else self.last <= order.trigger
        if not (reached and self.last and self.book.live):
            return
        self._remove(order)
        self._tell(ReportKind.TRIGGERED, order, order.price, order.left, False, "")
        self._match(order)

    def _match(self, order: Order) -> None:
        """Trade what can be traded at once; rest, or end, what is left."""
        ladder = self.book.ladder(_OTHER[order.side])
        rival = self._rival(order)
        if order.flags & OrderFlag.POST_ONLY and self._crosses(order.side, order.price):
            self._end(order, ReportKind.CANCELED, words.POST_ONLY)
            return
        if order.flags & OrderFlag.FOK and self._take(order, ladder, rival, dry=True) < order.left:
            self._end(order, ReportKind.EXPIRED, words.CANNOT_FILL)
            return
        self._take(order, ladder, rival)
        if not order.left:
            return
        if rival is not None:
            self._end(order, ReportKind.CANCELED, words.SELF_TRADE)
        elif order.flags & OrderFlag.IOC or not order.price:
            self._end(order, ReportKind.EXPIRED, words.IOC if order.price else words.NO_LIQUIDITY)
        else:
            self._rest(order)

    def _rival(self, order: Order) -> int | None:
        """Return the price of an own order that this one would trade with, if it got so far."""
        resting = self.own[_OTHER[order.side]]
        if not resting:
            return None
        price, sign = resting[0].price, _SIGN[order.side]
        return price if not order.price or price * sign >= order.price * sign else None

    def _crosses(self, side: int, price: int) -> bool:
        """Return whether a limit order would trade at once, with others or ourselves."""
        ladder, resting, sign = self.book.ladder(_OTHER[side]), self.own[_OTHER[side]], _SIGN[side]
        prices = [ladder.keys[0] * ladder.sign] if ladder.keys else []
        prices += [order.price for order in resting[:1]]
        return any(other * sign >= price * sign for other in prices)

    def _take(self, order: Order, ladder: Ladder, rival: int | None, *, maker: bool = False, dry: bool = False) -> int:
        """Trade with displayed levels, best first, up to the order's limit or an own order, and return how much.

        Args:
            order: it trades at the levels' prices as a taker, at its own as a maker.
            ladder: the other side.
            rival: price of an own order that ends it.
            maker: the other side has come to the order, not the order to it.
            dry: only count.
        """
        sign, side = _SIGN[order.side], _OTHER[order.side]
        taken, total, left = self._taken[side], 0, order.left
        for key, lots in zip(tuple(ladder.keys), tuple(ladder.lots), strict=True):
            price = key * ladder.sign
            beyond = order.price and price * sign < order.price * sign
            if beyond or not left or (rival is not None and price * sign <= rival * sign):
                break
            here = min(left, lots - taken.get(price, 0)) if self.book.depth else left
            if here <= 0:
                continue
            left -= here
            total += here
            if dry:
                continue
            if self.book.depth:
                taken[price] = taken.get(price, 0) + here
            self._fill(order, order.price if maker else price, here, maker=maker)
        return total

    def _fill(self, order: Order, price: int, qty: int, *, maker: bool) -> None:
        order.filled += qty
        order.left -= qty
        if not order.left:
            if order.state == "open":
                self._remove(order)
            order.state = "filled"
        self._tell(ReportKind.FILL, order, price, qty, maker, "")

    def _rest(self, order: Order) -> None:
        """Join the end of the queue at the order's price."""
        self._places += 1
        order.place, order.state = self._places, "open"
        order.credit = order.credit_ns = order.traded = 0
        order.queue_ahead = self._queue_at(order.side, order.price)
        insort(self.own[order.side], order, key=_priority)

    def _queue_at(self, side: int, price: int) -> int:
        """Return how much is before a new order: what is displayed, unknown where nothing can be displayed."""
        if not self.book.depth:
            queue = self._model.trades_only_queue_lots
            return AHEAD_UNKNOWN if queue is None else queue
        ladder = self.book.ladder(side)
        return ladder.at(price) if ladder.displays(price, self.book.depth) else AHEAD_UNKNOWN

    def _remove(self, order: Order) -> None:
        """Take an order from where it rests or waits; what becomes of it then, decides the caller."""
        (self.waiting if order.state == "waiting" else self.own[order.side]).remove(order)
        order.state = "sent"

    def _end(self, order: Order, kind: ReportKind, reason: str) -> None:
        order.state = "canceled" if kind == ReportKind.CANCELED else "expired"
        self._tell(kind, order, order.price, order.left, False, reason)
