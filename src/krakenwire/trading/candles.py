"""Candles of any interval, built from trades or taken from the venue's own, with the window of the latest ones.

Intervals are aligned to 1970 UTC. A candle is closed by time, so one in which
nothing traded is there, too: flat at the last price. Before the first trade
there is none.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import msgspec

from krakenwire.errors import ConfigError
from krakenwire.limits import BOT_CANDLE_S_MAX
from krakenwire.model import market as venue
from krakenwire.model.rows import Listing
from krakenwire.trading.history import History

__all__ = ["Candle", "CandleSeries", "interval_ns"]

_INTERVAL: Final = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_SECOND: Final = 1_000_000_000
_UNITS_NS: Final = {"s": _SECOND, "m": 60 * _SECOND, "h": 3_600 * _SECOND, "d": 86_400 * _SECOND}
_MINUTE: Final = 60 * _SECOND


def interval_ns(text: str) -> int:
    """Return the length of an interval such as ``30s``, ``1m``, ``4h`` or ``1d``.

    Raises:
        ConfigError: not such a text, or too long.
    """
    match = _INTERVAL.fullmatch(text)
    length = int(match[1]) * _UNITS_NS[match[2]] if match else 0
    if not 0 < length <= BOT_CANDLE_S_MAX * _SECOND:
        raise ConfigError("candles", expected='"30s", "5m", "1h", "1d" or the like, 31 days at most', found=text)
    return length


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """One candle.

    Args:
        interval: as the strategy names it.
        begin_ns, end_ns: the interval, end excluded.
        vwap: the close where nothing traded.
        trades: number of trades in it.
        closed: whether nothing can be added to it any more.
    """

    symbol: str
    interval: str
    begin_ns: int
    end_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    vwap: Decimal
    volume: Decimal
    trades: int
    closed: bool


class CandleSeries:
    """The candles of one symbol and interval.

    Args:
        listing: of the symbol.
        interval: such as ``1m``.
        length: closed candles that are kept for `history`.

    Attributes:
        length_ns: of one interval.
        history: of the closed ones.
    """

    __slots__ = (
        "_begin_ns",
        "_close",
        "_count",
        "_high",
        "_listing",
        "_lots",
        "_low",
        "_open",
        "_prices",
        "_qtys",
        "_value",
        "_waiting",
        "history",
        "interval",
        "length_ns",
        "symbol",
    )

    def __init__(self, listing: Listing, interval: str, length: int) -> None:
        self._listing, self.symbol, self.interval = listing, listing.symbol, interval
        self.length_ns = interval_ns(interval)
        self.history = History(length)
        self._prices, self._qtys = float(10**listing.price_decimals), float(10**listing.qty_decimals)
        self._begin_ns = self._open = self._high = self._low = self._close = 0
        self._lots = self._value = self._count = 0
        self._waiting: venue.Candle | None = None

    def begin(self, now_ns: int) -> int:
        """Begin with the interval that a time lies in; return when it ends."""
        self._begin_ns = now_ns - now_ns % self.length_ns
        return self._begin_ns + self.length_ns

    def trade(self, price: int, lots: int) -> None:
        """Take one trade, in ticks and lots, of the interval that is open."""
        if not self._count:
            self._open = self._high = self._low = price
        elif price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._close = price
        self._lots += lots
        self._value += price * lots
        self._count += 1

    def forming(self, *, closed: bool = False) -> Candle | None:
        """Return the candle as it is now, None before the first trade."""
        if not self._close:
            return None
        price, count = self._listing.price, self._count
        return Candle(
            symbol=self.symbol,
            interval=self.interval,
            begin_ns=self._begin_ns,
            end_ns=self._begin_ns + self.length_ns,
            open=price(self._open if count else self._close),
            high=price(self._high if count else self._close),
            low=price(self._low if count else self._close),
            close=price(self._close),
            vwap=self._vwap(),
            volume=self._listing.qty(self._lots),
            trades=count,
            closed=closed,
        )

    def close(self) -> Candle | None:
        """End the interval and begin the next; return the closed candle, None before the first trade."""
        candle = self.forming(closed=True)
        if candle is not None:
            self._keep()
        self._begin_ns += self.length_ns
        self._lots = self._value = self._count = 0
        return candle

    def take(self, told: venue.Candle, now_ns: int) -> list[Candle]:
        """Take a candle of the venue's own; return what is closed by it.

        It is closed itself when its time is over, or it says so; else a later one closes it. Of another
        interval, or an old one: nothing.

        Args:
            told: the candle.
            now_ns: when it was told.
        """
        if told.interval * _MINUTE != self.length_ns or told.begin_ns < self._begin_ns:
            return []
        waiting, self._waiting = self._waiting, told
        ended = [waiting] if waiting is not None and waiting.begin_ns < told.begin_ns else []
        if told.closed or now_ns >= told.end_ns:
            ended.append(told)
            self._waiting = None
        return [self._end(each) for each in ended]

    def _end(self, told: venue.Candle) -> Candle:
        self._begin_ns = told.end_ns
        values = (told.open, told.high, told.low, told.close, told.volume, told.vwap)
        o, h, l, c, volume, vwap = map(float, values)  # noqa: E741 - as every chart calls them
        self.history.append(told.begin_ns, (o, h, l, c, volume, vwap))
        return Candle(
            symbol=self.symbol,
            interval=self.interval,
            begin_ns=told.begin_ns,
            end_ns=told.end_ns,
            open=told.open,
            high=told.high,
            low=told.low,
            close=told.close,
            vwap=told.vwap,
            volume=told.volume,
            trades=told.trades,
            closed=True,
        )

    def _vwap(self) -> Decimal:
        if not self._lots:
            return self._listing.price(self._close)
        return Decimal(self._value).scaleb(-self._listing.price_decimals) / self._lots

    def _keep(self) -> None:
        prices = self._prices
        if self._count:
            ticks = (self._open, self._high, self._low, self._close)
            vwap = self._value / self._lots / prices if self._lots else self._close / prices
        else:
            ticks = (self._close,) * 4
            vwap = self._close / prices
        o, h, l, c = (each / prices for each in ticks)  # noqa: E741 - as every chart calls them
        self.history.append(self._begin_ns, (o, h, l, c, self._lots / self._qtys, vwap))
