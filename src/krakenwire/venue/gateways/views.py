"""What a subscriber sees of a book: the best N levels, and how they change.

A view remembers what it has published, so its snapshot and its updates always
fit together, whoever joins when. It follows the market's list of changes:
advancing costs by what changed, not by the depth. Wire text is made by the
gateways. Source: v1 reference, section 7.5; v2 reference, sections 6.2, 6.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple
from zlib import crc32

from krakenwire.limits import CHECKSUM_LEVELS
from krakenwire.model import OrderSide
from krakenwire.venue.market.market import Market
from krakenwire.venue.matching.matching import BookSide, PriceLevel
from krakenwire.venue.matching.orders import BookChange, Removed

__all__ = ["BookDiff", "BookRow", "BookView", "Level3Diff", "Level3Row", "Level3View", "LevelChange", "OrderChange"]

_EVERYTHING = -(1 << 62)
"""Key below every price: the side is shorter than the view is deep."""


OrderEvent = Literal["add", "modify", "delete"]


class BookRow(NamedTuple):
    """One visible level: ticks, lots, engine time of its last change."""

    price: int
    qty: int
    time_ns: int


class LevelChange(NamedTuple):
    """One changed level of an update, absolute quantity, 0 for a removal.

    `republished`: the level did not change, it came back into view; its time is the old one.
    """

    price: int
    qty: int
    time_ns: int
    republished: bool


class BookDiff(NamedTuple):
    """One update: changed levels a side in wire order, and the engine time of the latest change."""

    bids: Sequence[LevelChange]
    asks: Sequence[LevelChange]
    time_ns: int


class Level3Row(NamedTuple):
    """One visible order: ticks, number, lots, when it took its place."""

    price: int
    order_id: int
    qty: int
    time_ns: int


class OrderChange(NamedTuple):
    """One changed order of a level3 update; on ``delete`` the quantity is the last one."""

    event: OrderEvent
    price: int
    order_id: int
    qty: int
    time_ns: int


class Level3Diff(NamedTuple):
    """One level3 update: order events a side in wire order, and the engine time."""

    bids: Sequence[OrderChange]
    asks: Sequence[OrderChange]
    time_ns: int


class _Window:
    """Which prices of one side are in view, as last published.

    `worst` is the key of the worst price in view, `_EVERYTHING` while the
    whole side fits.
    """

    __slots__ = ("depth", "side", "worst")

    def __init__(self, side: BookSide, depth: int) -> None:
        self.side = side
        self.depth = depth
        self.worst = self.worst_now()

    def worst_now(self) -> int:
        side = self.side
        return side.sign * side.price_at(self.depth - 1) if len(side) > self.depth else _EVERYTHING

    def levels(self) -> list[PriceLevel]:
        return self.side.top(self.depth)

    def move(self) -> tuple[list[PriceLevel], list[PriceLevel]]:
        """Go along with the book: return the levels that came into view and those pushed out, best first.

        Both hold every such level that exists now, changed or not.
        """
        before, now = self.worst, self.worst_now()
        self.worst = now
        side = self.side
        came: list[PriceLevel] = []
        went: list[PriceLevel] = []
        rank = min(self.depth, len(side))
        if now < before:
            while rank > 0 and side.sign * side.price_at(rank - 1) < before:
                rank -= 1
                came.append(side.at(rank))
            came.reverse()
        elif now > before:
            while rank < len(side) and side.sign * side.price_at(rank) >= before:
                went.append(side.at(rank))
                rank += 1
        return came, went


class _L2Side:
    """One side of an L2 view: the window and the rows as last published."""

    __slots__ = ("rows", "window")

    def __init__(self, side: BookSide, depth: int) -> None:
        self.window = _Window(side, depth)
        self.rows = {level.price: _row(level) for level in self.window.levels()}

    def published(self) -> list[BookRow]:
        return sorted(self.rows.values(), reverse=self.window.side.sign > 0)

    def advance(self, touched: dict[int, int]) -> list[LevelChange]:
        """Publish the changed prices (with the time of their change) and what the window shows anew."""
        came, went = self.window.move()
        for level in went:
            self.rows.pop(level.price, None)
        removed: list[LevelChange] = []
        changed: list[LevelChange] = []
        for price, time_ns in touched.items():
            self._publish(price, time_ns, removed, changed)
        for level in came:
            if level.price not in self.rows:
                row = self.rows[level.price] = _row(level)
                changed.append(LevelChange(*row, True))
        return removed + changed

    def restart(self, time_ns: int) -> list[LevelChange]:
        """Publish whatever differs, without knowing what changed: O(depth)."""
        window = self.window
        prices = [*self.rows, *(level.price for level in window.levels())]
        return self.advance(dict.fromkeys(prices, time_ns))

    def _publish(self, price: int, time_ns: int, removed: list[LevelChange], changed: list[LevelChange]) -> None:
        side = self.window.side
        known = self.rows.get(price)
        level = side.level(price)
        if level is None:
            if known is not None:
                del self.rows[price]
                removed.append(LevelChange(price, 0, time_ns, False))
        elif side.sign * price >= self.window.worst:
            row = self.rows[price] = _row(level)
            if known is None or known.qty != level.qty:
                changed.append(LevelChange(*row, False))


class BookView:
    """The best `depth` levels a side of a market, as its subscribers have them.

    Args:
        market: the market followed, as it is now.
        depth: levels a side.
    """

    def __init__(self, market: Market, depth: int) -> None:
        self.market = market
        self.depth = depth
        self.time_ns = market.time_ns
        self._position = market.changes_end
        self._bids = _L2Side(market.engine.bids, depth)
        self._asks = _L2Side(market.engine.asks, depth)

    def snapshot(self) -> tuple[list[BookRow], list[BookRow]]:
        """Return bids and asks as last published, best first."""
        return self._bids.published(), self._asks.published()

    def advance(self) -> BookDiff | None:
        """Publish what changed since the last call; None when nothing visible did.

        Each side lists removals before the levels that replace them, then
        levels that came back into view. Levels pushed out are silent: who
        follows cuts its sides to `depth` after each update.

        Cost: O(changes + levels entering or leaving the view).
        """
        market = self.market
        if market.changes_end == self._position:
            return None
        changes = market.changes_since(self._position)
        self._position = market.changes_end
        if changes is None:
            bids, asks = self._bids.restart(market.time_ns), self._asks.restart(market.time_ns)
        else:
            bids, asks = _advance(self._bids, "buy", changes), _advance(self._asks, "sell", changes)
        if not bids and not asks:
            return None
        self.time_ns = market.time_ns
        return BookDiff(bids, asks, market.time_ns)

    def top(self, levels: int = CHECKSUM_LEVELS) -> tuple[list[BookRow], list[BookRow]]:
        """Return the best published bids and asks, best first."""
        bids, asks = self.snapshot()
        return bids[:levels], asks[:levels]

    def checksum(self, price_decimals: int) -> int:
        """Return the CRC-32 of the best ten published levels a side; see `Market.checksum`."""
        if self._position == self.market.changes_end:
            return self.market.checksum(price_decimals)
        bids, asks = self.top()
        zeros = "0" * (price_decimals - self.market.instrument.price_precision)
        return crc32("".join(f"{row.price}{zeros}{row.qty}" for row in asks + bids).encode())


class _L3Side:
    """One side of a level3 view: the window and the orders of each level as last published."""

    __slots__ = ("levels", "window")

    def __init__(self, side: BookSide, depth: int) -> None:
        self.window = _Window(side, depth)
        self.levels = {level.price: _orders(level) for level in self.window.levels()}

    def published(self) -> list[Level3Row]:
        prices = sorted(self.levels, reverse=self.window.side.sign > 0)
        return [row for price in prices for row in self.levels[price].values()]

    def advance(self, changes: Sequence[BookChange]) -> list[OrderChange]:
        """Publish the changes of levels in view one by one, then levels that came into view in full."""
        came, went = self.window.move()
        entered = {level.price: level for level in came}
        events: list[OrderChange] = []
        for change in changes:
            if change.price in self.levels:
                self._publish(change, events)
            elif (level := self._visible(change.price)) is not None:
                entered[change.price] = level
        for level in went:
            self.levels.pop(level.price, None)
        for change in changes:
            if not self.levels.get(change.price, True):
                del self.levels[change.price]
        for level in entered.values():
            self._enter(level, events)
        return events

    def restart(self, time_ns: int) -> list[OrderChange]:
        """Take everything back and publish it anew, without knowing what changed."""
        self.window.move()
        events = [
            OrderChange("delete", row.price, row.order_id, row.qty, time_ns)
            for level in self.levels.values()
            for row in level.values()
        ]
        self.levels = {}
        for level in self.window.levels():
            self._enter(level, events)
        return events

    def _visible(self, price: int) -> PriceLevel | None:
        side = self.window.side
        return side.level(price) if side.sign * price >= self.window.worst else None

    def _publish(self, change: BookChange, events: list[OrderChange]) -> None:
        """Pass on one change of a published level, also when the level is about to be pushed out.

        An order may go from such a level to a better one, and followers know
        orders by their number: they must hear that it left.
        """
        level = self.levels[change.price]
        if isinstance(change, Removed):
            del level[change.order_id]
            events.append(OrderChange("delete", change.price, change.order_id, change.qty, change.time_ns))
            return
        known = level.get(change.order_id)
        time_ns = known.time_ns if known else change.time_ns
        level[change.order_id] = Level3Row(change.price, change.order_id, change.qty, time_ns)
        event: OrderEvent = "modify" if known else "add"
        events.append(OrderChange(event, change.price, change.order_id, change.qty, time_ns))

    def _enter(self, level: PriceLevel, events: list[OrderChange]) -> None:
        orders = self.levels[level.price] = _orders(level)
        events += [OrderChange("add", *row) for row in orders.values()]


class Level3View:
    """Every order of the best `depth` levels a side, as its subscribers have them.

    Args:
        market: the market followed, as it is now.
        depth: price levels a side.
    """

    def __init__(self, market: Market, depth: int) -> None:
        self.market = market
        self.depth = depth
        self.time_ns = market.time_ns
        self._position = market.changes_end
        self._bids = _L3Side(market.engine.bids, depth)
        self._asks = _L3Side(market.engine.asks, depth)

    def snapshot(self) -> tuple[list[Level3Row], list[Level3Row]]:
        """Return the orders of bids and asks as last published: levels best first, queues oldest first."""
        return self._bids.published(), self._asks.published()

    def advance(self) -> Level3Diff | None:
        """Publish what changed since the last call; None when nothing visible did.

        ``modify`` keeps the order's place and time; an order that lost its
        place is deleted and added. The orders of a level that comes into view
        are added in queue order, levels pushed out are silent.

        Cost: O(changes + orders entering the view).
        """
        market = self.market
        if market.changes_end == self._position:
            return None
        changes = market.changes_since(self._position)
        self._position = market.changes_end
        if changes is None:
            bids, asks = self._bids.restart(market.time_ns), self._asks.restart(market.time_ns)
        else:
            bids = self._bids.advance([change for change in changes if change.side == "buy"])
            asks = self._asks.advance([change for change in changes if change.side == "sell"])
        if not bids and not asks:
            return None
        self.time_ns = market.time_ns
        return Level3Diff(bids, asks, market.time_ns)

    def checksum(self, price_decimals: int) -> int:
        """Return the CRC-32 of the published orders of the best ten levels; see `Market.level3_checksum`."""
        if self._position == self.market.changes_end:
            return self.market.level3_checksum(price_decimals)
        zeros = "0" * (price_decimals - self.market.instrument.price_precision)
        rows = [row for side in (self._asks, self._bids) for row in _best_levels(side.published())]
        return crc32("".join(f"{row.price}{zeros}{row.qty}" for row in rows).encode())


def _row(level: PriceLevel) -> BookRow:
    return BookRow(level.price, level.qty, level.time_ns)


def _orders(level: PriceLevel) -> dict[int, Level3Row]:
    return {order.order_id: Level3Row(order.price, order.order_id, order.qty, order.time_ns) for order in level}


def _advance(side: _L2Side, name: OrderSide, changes: Sequence[BookChange]) -> list[LevelChange]:
    touched = {change.price: change.time_ns for change in changes if change.side == name}
    return side.advance(touched) if touched else []


def _best_levels(rows: list[Level3Row]) -> list[Level3Row]:
    prices = list(dict.fromkeys(row.price for row in rows))[:CHECKSUM_LEVELS]
    return [row for row in rows if row.price in prices]
