"""From events to rows of integers: one row for each level and trade, a mark where something is missing.

The readable twin of `_native/rows.pyx`, and what that asks about every event
that is not in its plain form. It keeps no book: the events come applied. What
does not fit the ticks and lots of its instrument is refused whole, never
rounded. What a row means stands in `krakenwire.model.rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from krakenwire.errors import ListingMismatch
from krakenwire.model import (
    BookUpdate,
    Candles,
    ChecksumFailed,
    Event,
    Gap,
    Instruments,
    Status,
    Ticker,
    Trades,
)
from krakenwire.model.market import BookReading
from krakenwire.model.numbers import scaled_from_text
from krakenwire.model.rows import (
    ASK,
    BID,
    BUY,
    CLEAR,
    EVENT,
    GAP,
    LAST,
    MARKET,
    ROW,
    SELL,
    SNAPSHOT,
    UNVERIFIED,
    Listing,
    Rows,
)
from krakenwire.tape.listings import Listings, Number, decimals_of

__all__ = ["TOP", "RowWriter", "Tops"]

TOP: Final = np.dtype(
    [
        ("time_ns", "<i8"),
        ("venue_ns", "<i8"),
        ("bid", "<i8"),
        ("bid_qty", "<i8"),
        ("ask", "<i8"),
        ("ask_qty", "<i8"),
        ("symbol", "<u2"),
        ("known", "u1"),
        ("unused", "u1", 5),
    ]
)
"""The best level of each side from `time_ns` on, in ticks and lots; 0 where a side is empty, and all 0 with `known` 0
while the book is not to be trusted."""

Tops: TypeAlias = npt.NDArray[np.void]
"""A one-dimensional contiguous array of dtype `TOP`."""

_Row: TypeAlias = tuple[int, int, int, int, int, int, int]
"""venue_ns, price, qty, aux, symbol, kind, flags."""
_Top: TypeAlias = tuple[int, int, int, int]

_SCALED_MAX: Final = 10**18
_UNKNOWN: Final[_Top] = (-1, -1, -1, -1)


class RowWriter:
    """Makes rows of events.

    Args:
        listings: instruments whose ticks and lots are given. Others are found in `Instruments` events, else
            inferred from the digits of their first message.
        symbols: the only ones that get rows; None for all.
        tops: also keep the changes of each book's best levels; see `tops`.

    Attributes:
        listings: the instruments so far, in the order rows count them; `depth` is set by their first book.
        objects: what `EVENT` rows point at. Whoever has used up the rows may clear it.
        refused: events that did not fit.
    """

    def __init__(
        self, listings: Sequence[Listing] = (), *, symbols: Sequence[str] | None = None, tops: bool = False
    ) -> None:
        self._table = Listings(listings, symbols)
        self.listings = self._table.listed
        self.objects: list[Event] = []
        self.refused = 0
        self._rows: list[tuple[int, ...]] = []
        self._with_tops = tops
        self._tops: list[tuple[Any, ...]] = []
        self._last_tops: dict[int, _Top] = {}
        self._depths: dict[int, int] = {}
        self._time_ns = 0
        self._takers: dict[type, Callable[[Any], list[_Row]]] = {
            BookUpdate: self._book,
            Trades: self._trades,
            Ticker: self._ticker,
            Candles: self._candles,
            Instruments: self._instruments,
            Status: self._object,
            Gap: self._gap,
            ChecksumFailed: self._failed,
        }

    def take(self, event: Event, time_ns: int, connection: int = 0) -> int:
        """Add the rows of an event.

        Args:
            event: as a feed gives it. Kinds that are none of the market's give no rows.
            time_ns: when its frame was received; a time before the last one counts as that.
            connection: as on the tape.

        Returns:
            How many rows were added.

        Raises:
            ListingMismatch: a number that does not fit; nothing was added.
            ListingChanged: the venue changed the decimals of an instrument in use.
        """
        rows = self.rows_of(event)
        if not rows:
            return 0
        time_ns = self._time_ns = max(time_ns, self._time_ns)
        for venue_ns, price, qty, aux, symbol, kind, flags in rows:
            self._rows.append((time_ns, venue_ns, price, qty, aux, symbol, kind, flags, connection))
        if self._with_tops:
            for symbol, top in self.tops_of(event, rows):
                self._add_top(time_ns, rows[0][0], symbol, top)
        return len(rows)

    def rows(self) -> Rows:
        """Return what was added since the last call, and forget it."""
        rows, self._rows = self._rows, []
        return np.array(rows, dtype=ROW)

    def tops(self) -> Tops:
        """Return the changes of the best levels since the last call, and forget them."""
        tops, self._tops = self._tops, []
        return np.array(tops, dtype=TOP)

    # -- what the compiled twin asks, too ------------------------------------------

    def rows_of(self, event: Event) -> list[_Row]:
        """Return the rows of an event, all but time and connection, and add nothing.

        Raises:
            ListingMismatch, ListingChanged: as `take`.
        """
        take = self._takers.get(event.__class__)
        if take is None or not self._table.wants(event.symbol):
            return []
        try:
            rows = take(event)
        except ListingMismatch:
            self.refused += 1
            raise
        if rows:
            rows[-1] = (*rows[-1][:6], rows[-1][6] | LAST)
        return rows

    def tops_of(self, event: Event, rows: list[_Row]) -> list[tuple[int, _Top | None]]:
        """Return the best levels after an event by place of the symbol, None where the book is not known any more."""
        if event.__class__ is BookUpdate:
            return [(rows[0][4], self._top(rows[0][4], event.book))]
        return [(row[4], None) for row in rows if row[5] == GAP]

    def place_of(self, event: BookUpdate | Trades | Ticker) -> int:
        """Return the place of an event's symbol, listed now if it was not; -1 when it is not wanted."""
        if not self._table.wants(event.symbol):
            return -1
        place = self._table.place(event.symbol)
        if place is None:
            place = self._table.add(event.symbol, *_numbers_of(event))
        return place

    def told_depth(self, place: int, depth: int) -> int:
        """Return which of a symbol's books has rows: version 1 may tell several, and the first one does until a gap."""
        return self._depths.setdefault(place, depth)

    def note_depth(self, place: int, book: BookReading | None) -> None:
        """Note how deep a symbol's book is."""
        listing = self.listings[place]
        if book is not None and book.depth > listing.depth:
            self.listings[place] = msgspec.structs.replace(listing, depth=book.depth)

    # -- kinds of events -------------------------------------------------------------

    def _book(self, event: BookUpdate) -> list[_Row]:
        if _is_wrong(event):  # what follows it says so
            return []
        place = self.place_of(event)
        if event.depth is not None and self.told_depth(place, event.depth) != event.depth:
            return []
        self.note_depth(place, event.book)
        listing = self.listings[place]
        flags = (SNAPSHOT if event.kind == "snapshot" else 0) | (0 if event.verified else UNVERIFIED)
        venue_ns, aux = event.time_ns or 0, -1 if event.checksum is None else event.checksum
        rows = [(venue_ns, 0, 0, aux, place, CLEAR, flags)] if event.kind == "snapshot" else []
        for side, levels in ((BID, event.wire_bids), (ASK, event.wire_asks)):
            for level in levels:
                price, qty = _scaled(listing, level[0], level[1])
                rows.append((venue_ns, price, qty, aux, place, side, flags))
        return rows

    def _trades(self, event: Trades) -> list[_Row]:
        place = self.place_of(event)
        listing = self.listings[place]
        told = SNAPSHOT if event.kind == "snapshot" else 0
        rows = []
        for trade in event.trades:
            price, qty = _scaled(listing, trade.price, trade.qty)
            kind, flags = BUY if trade.side == "buy" else SELL, told | (MARKET if trade.ord_type == "market" else 0)
            trade_id = -1 if trade.trade_id is None else trade.trade_id
            rows.append((trade.time_ns, price, qty, trade_id, place, kind, flags))
        return rows

    def _ticker(self, event: Ticker) -> list[_Row]:
        return self._object(event, self.place_of(event), event.time_ns or 0)

    def _candles(self, event: Candles) -> list[_Row]:
        place = self._table.place(event.symbol)
        if place is None:
            prices = [price for row in event.candles for price in (row.open, row.high, row.low, row.close)]
            place = self._table.add(event.symbol, prices, ())
        return self._object(event, place)

    def _object(self, event: Event, place: int = 0, venue_ns: int = 0) -> list[_Row]:
        self.objects.append(event)
        return [(venue_ns, 0, 0, len(self.objects) - 1, place, EVENT, 0)]

    def _instruments(self, event: Instruments) -> list[_Row]:
        self._table.describe(event)
        return self._object(event)

    def _gap(self, event: Gap) -> list[_Row]:
        if event.channel_name not in ("book", "trade"):
            return []
        places = range(len(self.listings)) if event.symbol is None else [self._table.place(event.symbol)]
        rows = []
        for place in places:
            if place is None:
                continue
            if event.channel_name == "trade" and self.listings[place].depth:
                rows += self._object(event, place)  # its book is as good as before
            else:
                rows.append(self._gap_row(place))
        return rows

    def _failed(self, event: ChecksumFailed) -> list[_Row]:
        place = self._table.place(event.symbol)
        if place is None or event.channel_name != "book":
            return []
        return [self._gap_row(place)]

    def _gap_row(self, place: int) -> _Row:
        self._depths.pop(place, None)
        return (0, 0, 0, -1, place, GAP, 0)

    # -- best levels -------------------------------------------------------------------

    def _top(self, place: int, book: BookReading | None) -> _Top | None:
        if book is None or book.state != "live":
            return None
        listing = self.listings[place]
        bid, ask = ((book.best_bid, book.best_bid_qty), (book.best_ask, book.best_ask_qty))
        return (*_best(listing, *bid), *_best(listing, *ask))

    def _add_top(self, time_ns: int, venue_ns: int, place: int, top: _Top | None) -> None:
        new = _UNKNOWN if top is None else top
        if self._last_tops.get(place, _UNKNOWN) != new:
            self._last_tops[place] = new
            known = top is not None
            self._tops.append((time_ns, venue_ns, *(top or (0, 0, 0, 0)), place, known, (0, 0, 0, 0, 0)))


def _numbers_of(event: BookUpdate | Trades | Ticker) -> tuple[Sequence[Number], Sequence[Number]]:
    """Return the prices and the quantities that show how many decimals an instrument has."""
    if isinstance(event, BookUpdate):
        levels = [*event.wire_bids, *event.wire_asks]
        return [level[0] for level in levels], [level[1] for level in levels]
    if isinstance(event, Trades):
        return [trade.price for trade in event.trades], [trade.qty for trade in event.trades]
    numbers = ((event.bid, event.ask, event.last), (event.bid_qty, event.ask_qty))
    prices, quantities = ([number for number in some if number is not None] for some in numbers)
    return prices, quantities


def _is_wrong(event: BookUpdate) -> bool:
    """Return whether its checksum was compared and differs."""
    if event.verified or event.checksum is None:
        return False
    return event.book is not None and event.book.state != "live"


def _scaled(listing: Listing, price: Number, qty: Number) -> tuple[int, int]:
    """Return ticks and lots.

    Raises:
        ListingMismatch: they do not fit.
    """
    return (
        _whole(listing, "price", price, listing.price_decimals),
        _whole(listing, "quantity", qty, listing.qty_decimals),
    )


def _whole(listing: Listing, what: str, number: Number, decimals: int) -> int:
    scaled = scaled_from_text(number if isinstance(number, str | int) else format(number, "f"), decimals)
    if scaled is None or abs(scaled) >= _SCALED_MAX:
        raise ListingMismatch(listing.symbol, what, str(number), decimals, decimals_of(number))
    return scaled


def _best(listing: Listing, price: Number | None, qty: Number | None) -> tuple[int, int]:
    return (0, 0) if price is None or qty is None else _scaled(listing, price, qty)
