"""The market of one instrument: its engine, trades, candles, statistics and what changed when.

Commands go in through `place`, `cancel` and `amend`; everything a feed tells
is read from here. It knows no accounts and no wire text, and the time of each
command is passed in. Views of the book that clients follow are in `views.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Literal, NamedTuple
from zlib import crc32

from krakenwire.errors import DecodeError
from krakenwire.limits import CHECKSUM_LEVELS, SPREADS_KEPT, TRADES_KEPT, VENUE_CHANGES_KEPT
from krakenwire.model import OrderSide
from krakenwire.venue.market.candles import CandleBook, VenueCandle
from krakenwire.venue.market.instruments import VenueInstrument
from krakenwire.venue.market.statistics import DayWindow, Statistics
from krakenwire.venue.matching.engine import MatchingEngine
from krakenwire.venue.matching.matching import PriceLevel
from krakenwire.venue.matching.orders import (
    BookChange,
    Changed,
    EngineEvent,
    Removed,
    Rested,
    SelfTrade,
    TimeInForce,
    Traded,
)
from krakenwire.venue.text_ids import TextIds

__all__ = ["Market", "OrderType", "Quote", "VenueTrade"]

OrderType = Literal["limit", "market"]

_BOOK_CHANGES = (Rested, Changed, Removed)  # a union would be made anew for each event
TIME_STEP_NS = 1_000
"""Engine times differ by a microsecond at least: the wire shows no less, and no two updates share a time."""


class VenueTrade(NamedTuple):
    """One public trade in ticks and lots; `side` and `ord_type` are the taker's."""

    trade_id: int
    side: OrderSide
    price: int
    qty: int
    ord_type: OrderType
    time_ns: int


class Quote(NamedTuple):
    """Best bid and ask in ticks and lots, since `time_ns`. An empty side has price and quantity 0."""

    bid: int
    bid_qty: int
    ask: int
    ask_qty: int
    time_ns: int


def checksum_text(levels: Iterable[PriceLevel], zeros: str) -> str:
    """Return what the book checksum is made of: an integer's digits have no leading zeros and no point."""
    return "".join(f"{level.price}{zeros}{level.qty}" for level in levels)


def level3_checksum_text(levels: Iterable[PriceLevel], zeros: str) -> str:
    """As `checksum_text`, with every order of each level."""
    return "".join(f"{order.price}{zeros}{order.qty}" for level in levels for order in level)


class Market:
    """One instrument's market.

    Attributes:
        instrument: what is traded, with the precisions that give ticks and lots a meaning.
        engine: the order book; read it, but command it through this object only.
        order_ids: text form of its order numbers.
        candles: all nine intervals.
        time_ns: engine time of the last command, strictly rising.
        quote: best bid and ask.
        book_revision, bbo_revision, trade_revision: count the changes of the book, of `quote`
            (price or quantity), and the trades.

    Args:
        instrument: what is traded.
        first_trade_id: number of the first trade; each further one is one higher.
        time_ns: engine time before the first command.
    """

    def __init__(self, instrument: VenueInstrument, *, first_trade_id: int = 1, time_ns: int = 0) -> None:
        self.instrument = instrument
        self.engine = MatchingEngine()
        self.order_ids = TextIds("O", instrument.symbol)
        self.candles = CandleBook()
        self.time_ns = time_ns
        self.quote = Quote(0, 0, 0, 0, time_ns)
        self.book_revision = self.bbo_revision = self.trade_revision = 0
        self._day = DayWindow()
        self._next_order_id = 1
        self._next_trade_id = first_trade_id
        self._trades: deque[VenueTrade] = deque(maxlen=TRADES_KEPT)
        self._quotes: deque[Quote] = deque(maxlen=SPREADS_KEPT)
        self._changes: list[BookChange] = []
        self._changes_dropped = 0
        self._checksums: dict[tuple[str, int], tuple[int, int]] = {}

    def load_past(
        self,
        trades: Sequence[VenueTrade],
        candles: Mapping[int, Iterable[VenueCandle]],
        minutes: Iterable[VenueCandle],
    ) -> None:
        """Give an empty market a past.

        Args:
            trades: oldest first; the next trade continues their numbering.
            candles: by interval, oldest first.
            minutes: candles of the last 24 hours, a few minutes long at most, oldest first.
        """
        assert self.trade_revision == 0
        self._trades.extend(trades)
        if trades:
            self._next_trade_id = trades[-1].trade_id + 1
        for interval, past in candles.items():
            self.candles.load(interval, past)
        self._day.load(minutes)

    # -- commands ----------------------------------------------------------

    def place(
        self,
        side: OrderSide,
        qty: int,
        price: int | None,
        now_ns: int,
        time_in_force: TimeInForce = "gtc",
        post_only: bool = False,
        order_id: int | None = None,
        *,
        owner: int = 0,
        self_trade: SelfTrade = "cancel_newest",
        display_qty: int | None = None,
        reduce_qty: int | None = None,
    ) -> list[EngineEvent]:
        """Place a new order; see `MatchingEngine.place`. The order's number is taken if none is given."""
        if order_id is None:
            order_id = self.take_order_id()
        time_ns = self._tick(now_ns)
        events = self.engine.place(
            order_id,
            side,
            qty,
            price,
            time_ns,
            time_in_force,
            post_only,
            owner,
            self_trade,
            display_qty,
            reduce_qty,
        )
        self._take(events, "market" if price is None else "limit")
        return events

    def cancel(self, order_id: int, now_ns: int) -> list[EngineEvent]:
        """Cancel a resting order; see `MatchingEngine.cancel`."""
        events = self.engine.cancel(order_id, self._tick(now_ns))
        self._take(events, "limit")
        return events

    def amend(
        self,
        order_id: int,
        now_ns: int,
        qty: int | None = None,
        price: int | None = None,
        *,
        post_only: bool = False,
        display_qty: int | None = None,
        reduce_qty: int | None = None,
    ) -> list[EngineEvent]:
        """Amend a resting order; see `MatchingEngine.amend`."""
        events = self.engine.amend(order_id, self._tick(now_ns), qty, price, post_only, display_qty, reduce_qty)
        self._take(events, "limit")
        return events

    def knows_order(self, text: str) -> bool:
        """Return whether an order id was given out here."""
        try:
            return 0 < self.order_ids.number(text) < self._next_order_id
        except DecodeError:
            return False

    def take_order_id(self) -> int:
        """Return the next unused order number."""
        self._next_order_id += 1
        return self._next_order_id - 1

    # -- reading -----------------------------------------------------------

    @property
    def market(self) -> Market:
        """The market itself: traders without accounts command it directly."""
        return self

    @property
    def symbol(self) -> str:
        """The v2 symbol."""
        return self.instrument.symbol

    @property
    def last_price(self) -> int:
        """Price of the last trade in ticks, 0 before the first."""
        return self._trades[-1].price if self._trades else 0

    @property
    def last_qty(self) -> int:
        """Quantity of the last trade in lots, 0 before the first."""
        return self._trades[-1].qty if self._trades else 0

    @property
    def last_trade_id(self) -> int:
        """Number of the last trade, one less than the first number before any."""
        return self._next_trade_id - 1

    def levels(self, side: OrderSide, depth: int) -> list[PriceLevel]:
        """Return up to `depth` levels of a side, best first."""
        return self.engine.side(side).top(depth)

    def trades(self, count: int = TRADES_KEPT) -> list[VenueTrade]:
        """Return up to `count` of the latest trades, oldest first."""
        return list(islice(self._trades, max(0, len(self._trades) - count), None))

    def trades_after(self, trade_id: int) -> list[VenueTrade]:
        """Return the trades with a higher number, oldest first, as far as they are kept."""
        return self.trades(min(len(self._trades), max(0, self.last_trade_id - trade_id)))

    def quotes(self) -> list[Quote]:
        """Return the latest quotes, oldest first, `SPREADS_KEPT` at most."""
        return list(self._quotes)

    def last_24_hours(self, now_ns: int) -> Statistics:
        """Return the figures of the 24 hours before `now_ns`."""
        return self._day.last_24_hours(now_ns)

    def today(self, now_ns: int) -> Statistics:
        """Return the figures since 00:00 UTC."""
        return self._day.today(now_ns)

    def checksum(self, price_decimals: int) -> int:
        """Return the CRC-32 of the best ten levels a side.

        Args:
            price_decimals: decimals of the price text it is made from: `price_precision`
                on v2, `v1_price_decimals` on v1.

        Source: v2 reference, section 10.1; v1 reference, section 7.6.
        """
        return self._cached("book", price_decimals)

    def level3_checksum(self, price_decimals: int) -> int:
        """Return the CRC-32 of every order of the best ten levels a side, in queue order.

        Source: v2 reference, section 10.2.
        """
        return self._cached("level3", price_decimals)

    @property
    def changes_end(self) -> int:
        """Position behind the last change of the book; a follower starts here."""
        return self._changes_dropped + len(self._changes)

    def changes_since(self, position: int) -> Sequence[BookChange] | None:
        """Return the changes from `position` on, None when they are no longer kept."""
        if position < self._changes_dropped:
            return None
        return self._changes[position - self._changes_dropped :]

    # -- inside ------------------------------------------------------------

    def _tick(self, now_ns: int) -> int:
        self.time_ns = max(now_ns, self.time_ns + TIME_STEP_NS)
        return self.time_ns

    def _take(self, events: list[EngineEvent], ord_type: OrderType) -> None:
        """Book what a command caused."""
        changes = [event for event in events if isinstance(event, _BOOK_CHANGES)]
        if not changes:
            return
        for event in events:
            if isinstance(event, Traded):
                self._add_trade(event, ord_type)
        self.book_revision += 1
        self._changes += changes
        if len(self._changes) > 2 * VENUE_CHANGES_KEPT:
            del self._changes[:VENUE_CHANGES_KEPT]
            self._changes_dropped += VENUE_CHANGES_KEPT
        self._quote()

    def _add_trade(self, event: Traded, ord_type: OrderType) -> None:
        trade = VenueTrade(self._next_trade_id, event.taker_side, event.price, event.qty, ord_type, event.time_ns)
        self._next_trade_id += 1
        self.trade_revision += 1
        self._trades.append(trade)
        self.candles.add(event.price, event.qty, event.time_ns)
        self._day.add(event.price, event.qty, event.time_ns)

    def _quote(self) -> None:
        bid, ask, quote = self.engine.bids.best(), self.engine.asks.best(), self.quote
        bid_price, bid_qty = (bid.price, bid.qty) if bid else (0, 0)
        ask_price, ask_qty = (ask.price, ask.qty) if ask else (0, 0)
        if (bid_price, bid_qty, ask_price, ask_qty) != quote[:4]:
            self.quote = Quote(bid_price, bid_qty, ask_price, ask_qty, self.time_ns)
            self._quotes.append(self.quote)
            self.bbo_revision += 1

    def _cached(self, kind: str, price_decimals: int) -> int:
        known = self._checksums.get((kind, price_decimals))
        if known is not None and known[0] == self.book_revision:
            return known[1]
        zeros = "0" * (price_decimals - self.instrument.price_precision)
        levels = self.engine.asks.top(CHECKSUM_LEVELS) + self.engine.bids.top(CHECKSUM_LEVELS)
        text = checksum_text(levels, zeros) if kind == "book" else level3_checksum_text(levels, zeros)
        value = crc32(text.encode())
        self._checksums[kind, price_decimals] = (self.book_revision, value)
        return value
