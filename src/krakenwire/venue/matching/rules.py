"""The rules of matching: price, then time, and what orders may ask beyond that.

The half of the readable engine that decides; `matching.py` gives it commands
and checks what comes from outside. It changes nothing before it has refused
all it must refuse. Queues and sides: `book_side.py`; events: `orders.py`.
"""

from __future__ import annotations

from typing import Final

from krakenwire.model import OrderSide
from krakenwire.venue.matching.book_side import BookSide, PriceLevel, RestingOrder
from krakenwire.venue.matching.orders import (
    OPPOSITE,
    PRICE_MAX,
    QTY_MAX,
    REFUSALS,
    SLICES_MAX,
    Accepted,
    Amended,
    Changed,
    EngineEvent,
    Finished,
    OrderFlag,
    Removed,
    Rested,
    SelfTrade,
    Traded,
)

__all__ = ["CODES", "MatchingRules"]

CODES: Final = {reason: code for code, reason in enumerate(REFUSALS)}

_FOK: Final = int(OrderFlag.FOK)
_POST_ONLY: Final = int(OrderFlag.POST_ONLY)
_MARKET: Final = int(OrderFlag.MARKET)
_ENDS: Final = int(OrderFlag.MARKET | OrderFlag.IOC | OrderFlag.FOK)
"""Orders that never rest."""


class MatchingRules:
    """A book and what happens in it.

    What the engine promises beyond price and time:

    - **Iceberg** (`display_qty`): the book and its events show no more than
      that. When the shown part has traded the order shows the next one at the
      end of the queue at its price, so a taker meets everybody else there first;
      the hidden rest is within reach of the same taker.
    - **Self-trade prevention** (`owner`, not 0): an order never trades with one of the same
      owner. When it meets one, its own `self_trade` says which is cancelled:
      itself (*newest*: it ends with what it traded before), the resting one
      (*oldest*: it goes on) or both.
    - **FOK** is refused unless it can trade in full under these rules: with *oldest*,
      own resting orders do not count (and are cancelled on the way only
      if the order can be filled without them); else only what stands before the first own order counts.
    - **Post-only** is refused if it would meet any order on arrival, its owner's too.
    - **Reduce-only** (`reduce_qty`, the bound): on arrival the order is cut to the bound, and what
      it trades is taken from the bound; an amendment cannot lift the order over what
      is left of it, but can set a new one, which cuts the order and keeps its place.
      Positions are the account layer's: it gives the bound, and gives a new one (or cancels)
      whenever something else has changed the position.

    Where a list of events is passed in, what happens is told there; without
    one nothing is told, and trades are kept if `record_trades` is set.
    """

    __slots__ = ("_recorded", "_sides", "_trades", "asks", "bids", "orders", "record_trades")

    def __init__(self, record_trades: bool = False) -> None:
        self.bids = BookSide("buy")
        self.asks = BookSide("sell")
        self.orders: dict[int, RestingOrder] = {}
        self.record_trades = record_trades
        self._sides: dict[OrderSide, BookSide] = {"buy": self.bids, "sell": self.asks}
        self._recorded: list[Traded] = []
        self._trades = 0

    # -- reading -----------------------------------------------------------------

    def side(self, side: OrderSide) -> BookSide:
        """Return the bids for ``buy``, the asks for ``sell``."""
        return self._sides[side]

    def crosses(self, side: OrderSide, price: int) -> bool:
        """Return whether a limit order at this price would trade at once."""
        other = self._sides[OPPOSITE[side]]
        return bool(other.keys) and other.keys[-1] >= other.sign * price

    def fillable(
        self,
        side: OrderSide,
        price: int | None,
        enough: int,
        owner: int = 0,
        self_trade: SelfTrade = "cancel_newest",
    ) -> int:
        """Return how many lots an order could trade at once, counting no further than `enough`.

        Cost: O(levels touched), with an owner O(orders touched).
        """
        other = self._sides[OPPOSITE[side]]
        limit = None if price is None else other.sign * price
        found = 0
        for key in reversed(other.keys):
            if found >= enough or (limit is not None and key < limit):
                break
            level = other.levels[other.sign * key]
            if owner == 0:
                found += level.qty + level.hidden
                continue
            reachable, ended = _reachable(level, owner, self_trade)
            found += reachable
            if ended:
                break
        return min(found, enough)

    # -- inside --------------------------------------------------------------------

    def enter(self, events: list[EngineEvent] | None, order: RestingOrder, flags: int) -> int:
        """Take in an order; return the lots it traded, less than zero if it is refused."""
        market = bool(flags & _MARKET)
        refusal = self._refusal(order, market, flags)
        if refusal:
            return -CODES[refusal]
        if order.reduce_qty is not None:
            order.qty = min(order.qty, order.reduce_qty)
        wanted = order.qty
        if events is not None:
            events.append(Accepted(order.order_id, order.side, None if market else order.price, wanted, order.time_ns))
        alive = self._match(events, order, market)
        traded = wanted - order.qty
        if order.qty and alive and not flags & _ENDS:
            self._rest(events, order)
        elif events is not None:
            reason = "filled" if order.qty == 0 else "self trade" if not alive else "no liquidity" if market else "ioc"
            events.append(Finished(order.order_id, order.side, order.qty, order.time_ns, reason))
        return traded

    def _refusal(self, order: RestingOrder, market: bool, flags: int) -> str:
        """Return why an order is not taken in, "" when it is."""
        qty, price, display, bound = order.qty, order.price, order.display_qty, order.reduce_qty
        if order.order_id in self.orders:
            return "duplicate order"
        reason = _range_refusal(qty, 1 if market else price, display, bound)
        if reason == "" and order.order_id <= 0:
            reason = "not positive"
        qty = qty if bound is None else min(qty, bound)
        reason = reason or _slices_refusal(qty, display)
        if reason:
            return reason
        if flags & _POST_ONLY and (market or self.crosses(order.side, price)):
            return "post only"
        limit = None if market else price
        if flags & _FOK and self.fillable(order.side, limit, qty, order.owner, order.self_trade) < qty:
            return "cannot fill"
        return ""

    def alter(
        self,
        events: list[EngineEvent] | None,
        order_id: int,
        time_ns: int,
        qty: int | None,
        price: int | None,
        post_only: bool,
        display: int | None,
        bound: int | None,
    ) -> int:
        """Amend an order; return the lots it traded, less than zero if it is refused."""
        order = self.orders.get(order_id)
        if order is None:
            return -CODES["unknown order"]
        if display is not None and order.display_qty is None:
            return -CODES["not an iceberg"]
        if bound is not None and order.reduce_qty is None:
            return -CODES["not reduce-only"]
        qty = order.remaining if qty is None else qty
        price = order.price if price is None else price
        display = order.display_qty if display is None else display
        bound = order.reduce_qty if bound is None else bound
        reason = _range_refusal(qty, price, display, bound)
        qty = qty if bound is None else min(qty, bound)
        reason = reason or self._amend_refusal(order, qty, price, post_only, display, bound)
        if reason:
            return -CODES[reason]
        order.display_qty, order.reduce_qty = display, bound
        if price == order.price and qty <= order.remaining:
            self._shrink(events, order, qty, time_ns)
            return 0
        return self._move(events, order, qty, price, time_ns)

    def _amend_refusal(
        self, order: RestingOrder, qty: int, price: int, post_only: bool, display: int | None, bound: int | None
    ) -> str:
        if reason := _slices_refusal(qty, display):
            return reason
        if (qty, price, display, bound) == (order.remaining, order.price, order.display_qty, order.reduce_qty):
            return "no change"
        if (post_only or order.post_only) and price != order.price and self.crosses(order.side, price):
            return "post only"
        return ""

    def _match(self, events: list[EngineEvent] | None, taker: RestingOrder, market: bool) -> bool:
        """Trade against the other side, best price and oldest order first; False if self-trade prevention ended it."""
        other = self._sides[OPPOSITE[taker.side]]
        limit = other.sign * taker.price
        while taker.qty and other.keys and (market or other.keys[-1] >= limit):
            maker = other.levels[other.sign * other.keys[-1]].first
            assert maker is not None
            if taker.owner == 0 or maker.owner != taker.owner:
                self._trade(events, maker, taker, min(taker.qty, maker.qty))
                continue
            if taker.self_trade != "cancel_newest":
                self.remove(events, maker, taker.time_ns, "self trade")
            if taker.self_trade != "cancel_oldest":
                return False
        return True

    def _trade(self, events: list[EngineEvent] | None, maker: RestingOrder, taker: RestingOrder, qty: int) -> None:
        """Trade `qty` lots, at most what the maker shows."""
        time_ns = taker.time_ns
        taker.qty -= qty
        if taker.reduce_qty is not None:
            taker.reduce_qty -= qty
        if maker.reduce_qty is not None:
            maker.reduce_qty -= qty
        self._trades += 1
        if events is not None or self.record_trades:
            trade = Traded(
                maker.order_id,
                taker.order_id,
                taker.side,
                maker.price,
                qty,
                maker.remaining - qty,
                taker.qty,
                time_ns,
            )
            (self._recorded if events is None else events).append(trade)
        if qty < maker.qty:
            self._reduce(events, maker, maker.qty - qty, time_ns, "trade")
        elif maker.hidden:
            self._refill(events, maker, time_ns)
        else:
            self.remove(events, maker, time_ns, "trade")

    def _rest(self, events: list[EngineEvent] | None, order: RestingOrder) -> None:
        order.hide()
        self.orders[order.order_id] = order
        self._sides[order.side].join(order)
        if events is not None:
            events.append(Rested(order.side, order.price, order.order_id, order.qty, order.time_ns))

    def remove(self, events: list[EngineEvent] | None, order: RestingOrder, time_ns: int, reason: str) -> None:
        """Take an order out of the book, told as a removal for this reason."""
        del self.orders[order.order_id]
        self._sides[order.side].leave(order, time_ns)
        if events is not None:
            events.append(Removed(order.side, order.price, order.order_id, order.qty, time_ns, reason))

    def _reduce(
        self, events: list[EngineEvent] | None, order: RestingOrder, qty: int, time_ns: int, reason: str
    ) -> None:
        """Show less and keep the place."""
        level = order.level
        assert level is not None
        level.qty -= order.qty - qty
        level.time_ns = time_ns
        order.qty = qty
        if events is not None:
            events.append(Changed(order.side, order.price, order.order_id, qty, time_ns, reason))

    def _refill(self, events: list[EngineEvent] | None, order: RestingOrder, time_ns: int) -> None:
        """Show an iceberg's next part at the end of the queue: what it showed has traded."""
        level = order.level
        assert level is not None
        if events is not None:
            events.append(Removed(order.side, order.price, order.order_id, order.qty, time_ns, "refill"))
        level.remove(order)
        order.qty = 0
        order.hide()
        order.time_ns = level.time_ns = time_ns
        level.append(order)
        if events is not None:
            events.append(Rested(order.side, order.price, order.order_id, order.qty, time_ns))

    def _shrink(self, events: list[EngineEvent] | None, order: RestingOrder, qty: int, time_ns: int) -> None:
        """Leave `qty` lots of an order in its place; what it hides goes first."""
        level = order.level
        assert level is not None
        hidden = max(0, qty - order.qty)
        level.hidden -= order.hidden - hidden
        order.hidden = hidden
        if qty < order.qty:
            self._reduce(events, order, qty, time_ns, "amend")
        elif events is not None:
            events.append(Amended(order.order_id, qty, time_ns))

    def _move(self, events: list[EngineEvent] | None, order: RestingOrder, qty: int, price: int, time_ns: int) -> int:
        """Give up the place in the queue and come in again at the new price and quantity; return the lots traded."""
        self.remove(events, order, time_ns, "amend")
        order.price, order.qty, order.hidden, order.time_ns = price, qty, 0, time_ns
        alive = self._match(events, order, False)
        traded = qty - order.qty
        if order.qty and alive:
            self._rest(events, order)
        elif events is not None:
            reason = "self trade" if order.qty else "filled"
            events.append(Finished(order.order_id, order.side, order.qty, time_ns, reason))
        return traded


def _range_refusal(qty: int, price: int, display: int | None, bound: int | None) -> str:
    if qty <= 0 or price <= 0 or (display is not None and display <= 0):
        return "not positive"
    if qty > QTY_MAX or price > PRICE_MAX or (display is not None and display > QTY_MAX):
        return "too large"
    return "nothing to reduce" if bound is not None and bound <= 0 else ""


def _slices_refusal(qty: int, display: int | None) -> str:
    return "display too small" if display is not None and (qty - 1) // SLICES_MAX >= display else ""


def _reachable(level: PriceLevel, owner: int, self_trade: SelfTrade) -> tuple[int, bool]:
    """Return what an owner's order could trade at a level, and whether it ends there.

    An iceberg's next part comes behind an own order, so before that only what is shown counts.
    """
    found = hidden = 0
    for order in level:
        if order.owner != owner:
            found += order.qty
            hidden += order.hidden
        elif self_trade != "cancel_oldest":
            return found, True
    return found + hidden, False
