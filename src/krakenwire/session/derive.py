"""What the wire does not say but follows from it: spreads on version 2, closed candles.

Nothing is invented: a spread comes from a verified live book or from a ticker,
a candle is closed only when a later one was seen without a gap between them.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from krakenwire.model import BookUpdate, Candle, Candles, Spread, Ticker

__all__ = ["CandleCloser", "SpreadSource"]

_Best = tuple[Decimal, Decimal, Decimal, Decimal]


class SpreadSource:
    """Makes the spreads of one symbol: one whenever the best prices or quantities changed."""

    def __init__(self) -> None:
        self._last: _Best | None = None

    def from_book(self, update: BookUpdate) -> Spread | None:
        """Return the new spread, None when nothing changed, a side is empty, or the book is not verified."""
        book = update.book
        if book is None or not update.verified or book.state != "live":
            return None
        bid, bid_qty, ask, ask_qty = book.best_bid, book.best_bid_qty, book.best_ask, book.best_ask_qty
        if bid is None or bid_qty is None or ask is None or ask_qty is None:
            return None
        return self._changed(update.symbol, (bid, bid_qty, ask, ask_qty), update.time_ns)

    def from_ticker(self, ticker: Ticker) -> Spread | None:
        """Return the new spread, None when nothing changed."""
        return self._changed(ticker.symbol, (ticker.bid, ticker.bid_qty, ticker.ask, ticker.ask_qty), ticker.time_ns)

    def _changed(self, symbol: str, best: _Best, time_ns: int | None) -> Spread | None:
        if best == self._last:
            return None
        self._last = best
        bid, bid_qty, ask, ask_qty = best
        return Spread(symbol=symbol, bid=bid, bid_qty=bid_qty, ask=ask, ask_qty=ask_qty, time_ns=time_ns)


class CandleCloser:
    """Marks the candles of one symbol and interval as closed, and keeps them from coming twice.

    A row with a later begin closes the one before. After a gap the unfinished
    candle's last values are unknown: it is closed only by a snapshot's row.
    """

    def __init__(self) -> None:
        self._forming: Candle | None = None
        self._gap = False

    def gap(self) -> None:
        """Something may have been missed."""
        self._gap = True

    def feed(self, event: Candles) -> Candles:
        """Return the event with `closed` told, closed candles added, and what came before left out."""
        rows = self._from_snapshot(event) if event.kind == "snapshot" else self._from_update(event)
        self._gap = False
        return msgspec.structs.replace(event, candles=tuple(rows))

    def _from_snapshot(self, event: Candles) -> list[Candle]:
        rows = event.candles
        forming = self._forming
        if not rows:
            return []
        if forming is not None and rows[-1].begin_ns >= forming.begin_ns:
            if rows[0].begin_ns > forming.begin_ns and not self._gap:
                rows = (forming, *rows)
            rows = tuple(row for row in rows if row.begin_ns >= forming.begin_ns)
        self._forming = rows[-1]
        return [*(_closed(row) for row in rows[:-1]), rows[-1]]

    def _from_update(self, event: Candles) -> list[Candle]:
        rows: list[Candle] = []
        for row in event.candles:
            forming = self._forming
            if forming is not None and row.begin_ns < forming.begin_ns:
                rows.append(_closed(row))
                continue
            if forming is not None and row.begin_ns > forming.begin_ns and not self._gap:
                rows.append(_closed(forming))
            rows.append(row)
            self._forming = row
            self._gap = False
        return rows


def _closed(candle: Candle) -> Candle:
    return msgspec.structs.replace(candle, closed=True)
