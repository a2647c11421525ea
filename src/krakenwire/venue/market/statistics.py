"""What a ticker tells of the last 24 hours and of today, exact and cheap per trade.

Trades are summed in buckets of one minute; a bucket leaves the window when it
is 24 hours old. Whole ticks and lots, no clock: the time is passed in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from krakenwire.venue.market.candles import MINUTE_NS, VenueCandle, average_price

__all__ = ["DayWindow", "Statistics"]

DAY_NS: Final = 86_400_000_000_000


class Statistics(NamedTuple):
    """Figures of a window. Prices in ticks, `volume` in lots, `turnover` in ticks times lots.

    Without a trade in the window all prices are the last known one.
    """

    open: int
    high: int
    low: int
    last: int
    volume: int
    turnover: int
    trades: int

    def vwap(self, more_decimals: int = 0) -> int:
        """Return the volume-weighted average price, the last price when nothing traded."""
        if self.volume == 0:
            return self.last * int(10**more_decimals)
        return average_price(self.turnover, self.volume, more_decimals)

    @property
    def change(self) -> int:
        """Last price minus the opening one, in ticks."""
        return self.last - self.open

    @property
    def change_percent_hundredths(self) -> int:
        """The change in hundredths of a percent of the opening price, rounded half away from zero."""
        if self.open == 0:
            return 0
        whole = (2 * abs(self.change) * 10_000 + self.open) // (2 * self.open)
        return whole if self.change >= 0 else -whole


class DayWindow:
    """Sums over the trades of the last 24 hours and of today (from 00:00 UTC).

    Cost: O(1) a trade; once a minute O(1440) when the window's extreme leaves it.
    """

    def __init__(self) -> None:
        self._buckets: deque[VenueCandle] = deque()
        self._last = 0
        self._volume = self._turnover = self._trades = 0
        self._high = self._low = 0
        self._today_ns = 0
        self._today: VenueCandle | None = None

    def load(self, buckets: Iterable[VenueCandle]) -> None:
        """Put in the past, oldest first, as candles no longer than a few minutes."""
        for bucket in buckets:
            self._enter(bucket)
            self._count(bucket)
            self._add_today(bucket)

    def add(self, price: int, qty: int, time_ns: int) -> None:
        """Take in one trade."""
        minute_ns = time_ns // MINUTE_NS * MINUTE_NS
        if not self._buckets or self._buckets[-1].begin_ns < minute_ns:
            self.roll(time_ns)
            self._enter(VenueCandle(1, minute_ns, price))
        self._buckets[-1].add(price, qty, time_ns)
        trade = VenueCandle(1, time_ns, price)
        trade.add(price, qty, time_ns)
        self._count(trade)
        self._add_today(trade)

    def roll(self, now_ns: int) -> None:
        """Let go of what is older than 24 hours."""
        oldest_ns = now_ns - DAY_NS
        extreme_left = False
        while self._buckets and self._buckets[0].begin_ns <= oldest_ns:
            bucket = self._buckets.popleft()
            self._volume -= bucket.volume
            self._turnover -= bucket.turnover
            self._trades -= bucket.trades
            extreme_left = extreme_left or bucket.high == self._high or bucket.low == self._low
        if extreme_left and self._buckets:
            self._high = max(bucket.high for bucket in self._buckets)
            self._low = min(bucket.low for bucket in self._buckets)

    def last_24_hours(self, now_ns: int) -> Statistics:
        """Return the figures of the 24 hours before `now_ns`."""
        self.roll(now_ns)
        if not self._buckets:
            return Statistics(self._last, self._last, self._last, self._last, 0, 0, 0)
        opened = self._buckets[0].open
        return Statistics(opened, self._high, self._low, self._last, self._volume, self._turnover, self._trades)

    def today(self, now_ns: int) -> Statistics:
        """Return the figures since 00:00 UTC of the day of `now_ns`."""
        day = self._today
        if day is None or self._today_ns != now_ns // DAY_NS:
            return Statistics(self._last, self._last, self._last, self._last, 0, 0, 0)
        return Statistics(day.open, day.high, day.low, self._last, day.volume, day.turnover, day.trades)

    def _enter(self, bucket: VenueCandle) -> None:
        if not self._buckets:
            self._high, self._low = bucket.high, bucket.low
        self._buckets.append(bucket)

    def _count(self, bucket: VenueCandle) -> None:
        self._volume += bucket.volume
        self._turnover += bucket.turnover
        self._trades += bucket.trades
        self._high = max(self._high, bucket.high)
        self._low = min(self._low, bucket.low)
        self._last = bucket.close

    def _add_today(self, bucket: VenueCandle) -> None:
        day = bucket.begin_ns // DAY_NS
        if self._today is None or day != self._today_ns:
            self._today, self._today_ns = VenueCandle(1440, day * DAY_NS, bucket.open), day
        self._today.merge(bucket)
