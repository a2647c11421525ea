"""One symbol's prices out of several channels, so that each price has one source at a time.

Channels of one connection are not ordered against each other, so a price that
both tell could seem to jump back and forth. The best channel seen wins: trades
before ticker for the last price; book before spread before ticker for bid and
ask. The judges of `judges.py` see only what this module lets through.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from krakenwire.model import BookUpdate, Event, Spread, Ticker, Trade, Trades

__all__ = ["Field", "Observation", "Quote", "SymbolPrices"]

Field = Literal["last", "quote", "volume"]

_TRADES, _BOOK, _SPREAD, _TICKER = 3, 3, 2, 1
_HISTORY_TRADES = 50
_NEWS_SPAN_NS = 5_000_000_000
_CHANNEL_RANKS: dict[str, dict[Field, int]] = {
    "trade": {"last": _TRADES, "volume": _TRADES},
    "book": {"quote": _BOOK},
    "spread": {"quote": _SPREAD},
    "ticker": {"last": _TICKER, "quote": _TICKER},
}


class Quote(NamedTuple):
    """Best bid and best ask of one moment."""

    bid: Decimal
    ask: Decimal


class Observation(NamedTuple):
    """One fact a judge may see; `fresh` says that what came before it is not known.

    Args:
        field: what it is about.
        value: a price for `last`, a quantity for `volume`, a `Quote` for `quote`.
        price: the last price that goes with a `volume`.
        time_ns: the venue's time, None where it sent none.
    """

    field: Field
    value: Decimal | Quote
    time_ns: int | None
    fresh: bool = False
    price: Decimal | None = None


class SymbolPrices:
    """What is known of one symbol: last price, best bid and ask, and which channel each comes from."""

    def __init__(self) -> None:
        self.last: Decimal | None = None
        self.quote: Quote | None = None
        self._ranks: dict[Field, int] = {"last": 0, "quote": 0, "volume": 0}
        self._last_time_ns: int | None = None

    def feed(self, event: Event) -> list[Observation]:
        """Take an event of this symbol and return what it says, oldest first."""
        if isinstance(event, Trades) and event.trades:
            is_history = event.kind == "snapshot" or self._is_history(event.trades)
            return self._trade_snapshot(event.trades) if is_history else self._trades(event.trades)
        if isinstance(event, Trade):
            return self._trades((event,))
        if isinstance(event, Ticker):
            return self._ticker(event)
        if isinstance(event, Spread):
            return self._quoted(_SPREAD, event.bid, event.ask, event.time_ns, snapshot=False)
        if isinstance(event, BookUpdate):
            return self._book(event)
        return []

    def gap(self, channel: str | None) -> tuple[Field, ...]:
        """Forget what a channel told; return what became unknown.

        Args:
            channel: the channel concerned; None, or one not known here, for all.
        """
        ranks = _CHANNEL_RANKS.get(channel or "", dict(self._ranks))
        lost = tuple(field for field, rank in ranks.items() if rank == self._ranks[field])
        for field in lost:
            self._ranks[field] = 0
        if "last" in lost:
            self.last, self._last_time_ns = None, None
        if "quote" in lost:
            self.quote = None
        return lost

    def _is_history(self, trades: Sequence[Trade]) -> bool:
        """Version 1 does not mark a trade snapshot, if it sends one: a first frame that is too long for news.

        Source: v1 reference, section 7.3, "snapshot conflict".
        """
        if self._ranks["volume"] or trades[-1].trade_id is not None:
            return False
        return len(trades) >= _HISTORY_TRADES or trades[-1].time_ns - trades[0].time_ns > _NEWS_SPAN_NS

    def _trade_snapshot(self, trades: Sequence[Trade]) -> list[Observation]:
        """Only the newest trade says something about now; the others are history."""
        newest = trades[-1]
        self._ranks["volume"] = _TRADES
        started = Observation("volume", Decimal(0), newest.time_ns, fresh=True, price=newest.price)
        return [*self._lasted(_TRADES, newest.price, newest.time_ns, fresh=True), started]

    def _trades(self, trades: Sequence[Trade]) -> list[Observation]:
        """Every trade counts; but while another channel told the last price, only the newest is surely news."""
        seen: list[Observation] = []
        switching = self.last is not None and self._ranks["last"] != _TRADES
        for trade in trades:
            if not switching or trade is trades[-1]:
                seen += self._lasted(_TRADES, trade.price, trade.time_ns, fresh=False)
            seen.append(Observation("volume", trade.qty, trade.time_ns, price=trade.price))
        self._ranks["volume"] = _TRADES
        return seen

    def _ticker(self, event: Ticker) -> list[Observation]:
        snapshot = event.kind == "snapshot"
        seen: list[Observation] = []
        if self._ranks["last"] <= _TICKER:
            seen += self._lasted(_TICKER, event.last, event.time_ns, fresh=snapshot)
        return seen + self._quoted(_TICKER, event.bid, event.ask, event.time_ns, snapshot=snapshot)

    def _book(self, event: BookUpdate) -> list[Observation]:
        book = event.book
        if book is None or book.state != "live":
            return []
        bid, ask = book.best_bid, book.best_ask
        if bid is None or ask is None:
            return []
        return self._quoted(_BOOK, bid, ask, event.time_ns, snapshot=event.kind == "snapshot")

    def _lasted(self, rank: int, price: Decimal, time_ns: int | None, *, fresh: bool) -> list[Observation]:
        if price <= 0 or (not fresh and self._is_late(rank, time_ns)):
            return []
        fresh = fresh or self.last is None
        self._ranks["last"] = rank
        self.last = price
        self._last_time_ns = time_ns if fresh or time_ns is not None else self._last_time_ns
        return [Observation("last", price, time_ns, fresh)]

    def _is_late(self, rank: int, time_ns: int | None) -> bool:
        """Whether another channel has told something newer: the channels are not ordered against each other."""
        if rank == self._ranks["last"] or time_ns is None or self._last_time_ns is None:
            return False
        return time_ns < self._last_time_ns

    def _quoted(
        self, rank: int, bid: Decimal, ask: Decimal, time_ns: int | None, *, snapshot: bool
    ) -> list[Observation]:
        held = self._ranks["quote"]
        if rank < held or bid <= 0 or ask <= 0:
            return []
        fresh = snapshot or rank != held
        quote = Quote(bid, ask)
        if quote == self.quote and not fresh:
            return []
        self._ranks["quote"], self.quote = rank, quote
        return [Observation("quote", quote, time_ns, fresh)]
