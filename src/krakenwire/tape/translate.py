"""Frames that a tape does not hold as they are asked for: of another API version, of a smaller book, of now.

Each function returns text as the venue's encoders write it; checksums are
those of the digits that are sent. A book's digits are those of the tape; on
version 1 they are filled up to five and eight decimals, as that version has
them. What the recorded version does not tell is 0, or counted on: see
`docs/howto/replay.md`. Next: `live_streams`, which calls this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from itertools import islice
from typing import Final

import msgspec

from krakenwire.book import L2Book, book_checksum, level_digits
from krakenwire.limits import CHECKSUM_LEVELS
from krakenwire.model import BookUpdate, Candles, Kind, Level, Spread, Ticker, Trades
from krakenwire.model.times import unix_text_from_ns
from krakenwire.protocol.symbols import to_v1
from krakenwire.protocol.v1 import venue as v1
from krakenwire.protocol.v2 import encode as v2

__all__ = ["BookWindow", "SpreadWindow", "candles_v1", "spread_v1", "ticker_v1", "trades_v1", "trades_v2"]

_PRICE_DECIMALS_V1: Final = 5
_QTY_DECIMALS_V1: Final = 8

_Row = tuple[str, str]
_Side = dict[Decimal, Decimal]


def _padded(value: Decimal, least: int) -> str:
    """Fixed-point text with at least so many decimals, and all the number has."""
    text = f"{value:f}"
    whole, _, fraction = text.partition(".")
    return text if len(fraction) >= least else f"{whole}.{fraction.ljust(least, '0')}"


def _price_v1(value: Decimal) -> str:
    return _padded(value, _PRICE_DECIMALS_V1)


def _qty_v1(value: Decimal) -> str:
    return _padded(value, _QTY_DECIMALS_V1)


class BookWindow:
    """The best levels of a book as one client sees them.

    Args:
        version: of the client's API.
        depth: levels a side.
        channel_id: on version 1.
    """

    def __init__(self, version: int, depth: int, channel_id: int = 0) -> None:
        self._version, self._depth, self._channel_id = version, depth, channel_id
        self._bids: _Side = {}
        self._asks: _Side = {}

    def snapshot(self, book: L2Book, time_ns: int) -> str:
        """Return the snapshot of a live book; what comes after it is told by `update`."""
        self._take(book)
        return self._frame(book.symbol, "snapshot", _rows(self._bids), _rows(self._asks), (), time_ns)

    def update(self, book: L2Book, change: BookUpdate, time_ns: int) -> str | None:
        """Return what a change of the book changes in the window, None where nothing is seen of it."""
        before = self._bids, self._asks
        self._take(book)
        bids, asks = (
            _changes(old, new, self._depth) for old, new in zip(before, (self._bids, self._asks), strict=True)
        )
        if not bids and not asks:
            return None
        told = {level.price for level in (*change.bids, *change.asks)}
        return self._frame(book.symbol, "update", bids, asks, told, time_ns)

    def _take(self, book: L2Book) -> None:
        bids, asks = book.top(self._depth)
        self._bids, self._asks = dict(bids), dict(asks)

    def _frame(
        self,
        symbol: str,
        kind: Kind,
        bids: Sequence[Level],
        asks: Sequence[Level],
        told: Collection[Decimal],
        time_ns: int,
    ) -> str:
        if self._version == 2:
            texts = [[(f"{price:f}", f"{qty:f}") for price, qty in side] for side in (bids, asks)]
            return v2.book(BookUpdate(symbol, kind, texts[0], texts[1], self._checksum(), time_ns))
        time = unix_text_from_ns(time_ns)
        whole = kind == "snapshot"
        rows = [[_row_v1(level, time, whole or level.price in told) for level in side] for side in (asks, bids)]
        if whole:
            return v1.book_snapshot(self._channel_id, to_v1(symbol), self._depth, rows[0], rows[1])
        return v1.book_update(self._channel_id, to_v1(symbol), self._depth, rows[0], rows[1], self._checksum())

    def _checksum(self) -> int:
        return book_checksum(self._digits(self._asks), self._digits(self._bids))

    def _digits(self, side: _Side) -> Iterable[str]:
        for price, qty in islice(side.items(), CHECKSUM_LEVELS):
            if self._version == 2:
                yield level_digits(f"{price:f}", f"{qty:f}")
            else:
                yield level_digits(_price_v1(price), _qty_v1(qty))


def _rows(side: _Side) -> list[Level]:
    return [Level(price, qty) for price, qty in side.items()]


def _changes(old: _Side, new: _Side, depth: int) -> list[Level]:
    """What turns one side of a window into another: removals first, so that none falls off the end for another.

    A level that better ones have pushed out of a full window is not told: the client lets go of it by itself.
    """
    gone = [price for price in old if price not in new]
    if gone and len(new) >= depth:
        last = next(reversed(new))
        rising = next(iter(new)) <= last
        gone = [price for price in gone if (price < last) == rising]
    removed = [Level(price, Decimal(0).quantize(old[price])) for price in gone]
    return removed + [Level(price, qty) for price, qty in new.items() if old.get(price) != qty]


def _row_v1(level: Level, time: str, told: bool) -> tuple[str, ...]:
    """A level, with the mark of one that was there before and has come into the window."""
    row = (_price_v1(level.price), _qty_v1(level.qty), time)
    return row if told else (*row, "r")


class SpreadWindow:
    """The best prices of a book as version 1's `spread` tells them."""

    def __init__(self, channel_id: int) -> None:
        self._channel_id = channel_id
        self._told: tuple[object, ...] = ()

    def update(self, book: L2Book, time_ns: int) -> str | None:
        """Return the frame when the best prices or their quantities have changed."""
        bid, bid_qty, ask, ask_qty = now = (book.best_bid, book.best_bid_qty, book.best_ask, book.best_ask_qty)
        if now == self._told or bid is None or bid_qty is None or ask is None or ask_qty is None:
            return None
        self._told = now
        spread = Spread(symbol=book.symbol, bid=bid, bid_qty=bid_qty, ask=ask, ask_qty=ask_qty, time_ns=time_ns)
        return spread_v1(spread, self._channel_id)


def spread_v1(event: Spread, channel_id: int) -> str:
    """Return a version 1 spread."""
    bid, ask = ((_price_v1(p), _qty_v1(q)) for p, q in ((event.bid, event.bid_qty), (event.ask, event.ask_qty)))
    return v1.spread(channel_id, to_v1(event.symbol), bid=bid, ask=ask, time=unix_text_from_ns(event.time_ns or 0))


def ticker_v1(event: Ticker, channel_id: int) -> str:
    """Return a version 1 ticker of a version 2 one: today's figures are those of 24 hours, the last quantity is 0."""
    opened = event.last - (event.change or Decimal(0))
    trades = event.trades or 0
    texts = v1.TickerTexts(
        ask=(_price_v1(event.ask), _qty_v1(event.ask_qty)),
        bid=(_price_v1(event.bid), _qty_v1(event.bid_qty)),
        last=(_price_v1(event.last), _qty_v1(event.last_qty or Decimal(0))),
        volume=_twice(_qty_v1(event.volume)),
        vwap=_twice(_price_v1(event.vwap)),
        trades=(trades, trades),
        low=_twice(_price_v1(event.low)),
        high=_twice(_price_v1(event.high)),
        opened=_twice(_price_v1(opened)),
    )
    return v1.ticker(channel_id, to_v1(event.symbol), texts)


def _twice(text: str) -> _Row:
    return text, text


def trades_v1(event: Trades, channel_id: int) -> str:
    """Return version 1 trades."""
    rows = [
        (_price_v1(t.price), _qty_v1(t.qty), unix_text_from_ns(t.time_ns), t.side[0], t.ord_type[0])
        for t in event.trades
    ]
    return v1.trades(channel_id, to_v1(event.symbol), rows)


def trades_v2(event: Trades, first_id: int) -> str:
    """Return version 2 trades of version 1 ones, which have no ids: they are counted on from `first_id`."""
    numbered = tuple(
        msgspec.structs.replace(trade, trade_id=first_id + place) if trade.trade_id is None else trade
        for place, trade in enumerate(event.trades)
    )
    return v2.trades(msgspec.structs.replace(event, trades=numbered))


def candles_v1(event: Candles, channel_id: int, time_ns: int) -> str:
    """Return a version 1 candle: the last of the message."""
    candle = event.candles[-1]
    row = (
        unix_text_from_ns(time_ns),
        unix_text_from_ns(candle.end_ns),
        *map(_price_v1, (candle.open, candle.high, candle.low, candle.close, candle.vwap)),
        _qty_v1(candle.volume),
    )
    return v1.ohlc(channel_id, to_v1(event.symbol), candle.interval, row, candle.trades)
