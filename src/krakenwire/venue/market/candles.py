"""Candles of all nine intervals of one instrument, kept as whole ticks and lots.

Fed by trades, oldest first; an interval without a trade has no candle here,
as on the WebSocket, and is filled in only for REST (`filled`). Reads no clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

from krakenwire.limits import CANDLES_KEPT, OHLC_INTERVALS

__all__ = ["CandleBook", "VenueCandle", "average_price"]

MINUTE_NS: Final = 60_000_000_000


def average_price(turnover: int, volume: int, more_decimals: int = 0) -> int:
    """Return a volume-weighted average price in ticks, rounded half up; 0 without volume.

    Args:
        turnover: sum of price times quantity, in ticks times lots.
        volume: lots.
        more_decimals: decimals wanted beyond the tick's.
    """
    if volume == 0:
        return 0
    return (2 * turnover * int(10**more_decimals) + volume) // (2 * volume)


class VenueCandle:
    """One candle. Prices in ticks, `volume` in lots, `turnover` in ticks times lots.

    `updated_ns` is the time of its last trade.
    """

    __slots__ = ("begin_ns", "close", "high", "interval", "low", "open", "trades", "turnover", "updated_ns", "volume")

    def __init__(self, interval: int, begin_ns: int, price: int) -> None:
        self.interval = interval
        self.begin_ns = begin_ns
        self.open = self.high = self.low = self.close = price
        self.volume = self.turnover = self.trades = 0
        self.updated_ns = begin_ns

    @property
    def end_ns(self) -> int:
        """When the interval ends, itself excluded."""
        return self.begin_ns + self.interval * MINUTE_NS

    def vwap(self, more_decimals: int = 0) -> int:
        """Return the volume-weighted average price in ticks (or finer), 0 without volume."""
        return average_price(self.turnover, self.volume, more_decimals)

    def add(self, price: int, qty: int, time_ns: int) -> None:
        """Take in one trade."""
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price
        self.volume += qty
        self.turnover += price * qty
        self.trades += 1
        self.updated_ns = time_ns

    def merge(self, later: VenueCandle) -> None:
        """Take in a candle of a finer interval that follows what is already here."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.turnover += later.turnover
        self.trades += later.trades
        self.updated_ns = later.updated_ns


class CandleBook:
    """The latest candles of every interval, `CANDLES_KEPT` of each."""

    def __init__(self) -> None:
        self._candles: dict[int, deque[VenueCandle]] = {
            interval: deque(maxlen=CANDLES_KEPT) for interval in OHLC_INTERVALS
        }
        self._running: list[VenueCandle] = []
        self._next_begin_ns = 0

    def load(self, interval: int, candles: Iterable[VenueCandle]) -> None:
        """Put in the past of one interval, oldest first, before the first trade."""
        self._candles[interval].extend(candles)
        self._next_begin_ns = 0

    def add(self, price: int, qty: int, time_ns: int) -> None:
        """Take in one trade."""
        if time_ns >= self._next_begin_ns:
            self._begin(price, time_ns)
        for candle in self._running:
            candle.add(price, qty, time_ns)

    def latest(self, interval: int, count: int = CANDLES_KEPT) -> list[VenueCandle]:
        """Return up to `count` candles that had trades, oldest first; the last may be forming."""
        candles = self._candles[interval]
        return list(islice(candles, max(0, len(candles) - count), None))

    def last(self, interval: int) -> VenueCandle | None:
        """Return the latest candle of an interval, None before the first trade."""
        candles = self._candles[interval]
        return candles[-1] if candles else None

    def filled(self, interval: int, now_ns: int) -> list[VenueCandle]:
        """Return the candles up to `now_ns`, oldest first, with flat ones where nothing traded.

        Source: v2 reference, section 11: REST shows empty intervals.
        """
        length = interval * MINUTE_NS
        begin_ns = now_ns // length * length
        found: list[VenueCandle] = []
        for candle in reversed(self._candles[interval]):
            while begin_ns > candle.begin_ns and len(found) < CANDLES_KEPT:
                found.append(VenueCandle(interval, begin_ns, candle.close))
                begin_ns -= length
            if len(found) == CANDLES_KEPT:
                break
            found.append(candle)
            begin_ns = candle.begin_ns - length
        found.reverse()
        return found

    def _begin(self, price: int, time_ns: int) -> None:
        """Start the candles whose interval is new at this time."""
        self._running = []
        for interval, candles in self._candles.items():
            length = interval * MINUTE_NS
            begin_ns = time_ns // length * length
            if not candles or candles[-1].begin_ns < begin_ns:
                candles.append(VenueCandle(interval, begin_ns, price))
            self._running.append(candles[-1])
        self._next_begin_ns = min(candle.end_ns for candle in self._running)
