"""A plausible past for a market that begins now: candles, statistics, the latest trades.

The past is walked backwards from the opening price, in finer steps the nearer
it is: single trades for the last minutes, candles of a minute for half a day,
of five minutes before that, and so on. Longer candles are put together from
shorter ones, so they agree wherever they overlap. The generator is passed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import isqrt
from random import Random
from typing import Final

from krakenwire.limits import CANDLES_KEPT
from krakenwire.venue.market.candles import MINUTE_NS, VenueCandle
from krakenwire.venue.market.chance import Chance
from krakenwire.venue.market.instruments import VenueInstrument
from krakenwire.venue.market.market import Market, VenueTrade
from krakenwire.venue.market.statistics import DAY_NS

__all__ = ["load_history"]

TRADES: Final = 1_050
"""REST `Trades` gives up to a thousand."""

_DAYS: Final = 3 * 365
_ALIGNED: Final = 151_200
"""Minutes after which weeks and fifteen days begin together."""

_STEPS: Final = (1, 5, 15, 30, 60, 240, 1440)
"""Candle lengths the past is made of, in minutes."""

_ACTIONS_PER_TRADE: Final = 9
"""How often the crowd of `traders.py` acts for one trade."""


def load_history(market: Market, random: Random, now_ns: int, actions_per_s: float) -> None:
    """Give an empty market its past.

    Args:
        market: without trades so far.
        random: generator for this past alone.
        now_ns: where the past ends.
        actions_per_s: how busy the market will be; the past is as busy.

    Cost: a few milliseconds.
    """
    past = _Past(market.instrument, Chance(random), now_ns, actions_per_s)
    trades = past.trades()
    segments = past.segments(trades)
    candles = _all_intervals(segments)
    buckets = [_copy(c) for c in segments[5] + segments[1] if c.begin_ns > now_ns - DAY_NS]
    market.load_past(trades, candles, buckets)


class _Past:
    """The walk backwards from the opening price."""

    def __init__(self, instrument: VenueInstrument, chance: Chance, now_ns: int, actions_per_s: float) -> None:
        self._chance = chance
        self._now_ns = now_ns
        self._price = instrument.start_price
        reach = instrument.start_price * instrument.wander_permille // 1_000
        self._lowest, self._highest = max(1, self._price - reach), self._price + reach
        self._trade_pause_ns = round(_ACTIONS_PER_TRADE * 1_000_000_000 / actions_per_s)
        self._trades_per_minute = MINUTE_NS // self._trade_pause_ns
        actions_per_minute = round(60 * actions_per_s)
        self._minute_noise = isqrt(instrument.step_micro**2 * actions_per_minute) // 1_000_000 + 1
        self._bounce = 1 + instrument.level_gap // 8
        self._trade_noise = max(1, instrument.step_micro * 4 // 1_000_000)
        self._qty = instrument.typical_qty * 2 // 5
        self._qty_min = int(instrument.qty_min.scaleb(instrument.qty_precision))

    def trades(self) -> list[VenueTrade]:
        """The latest trades, oldest first, going back to the beginning of a minute."""
        chance = self._chance
        latest_id = 10_000_000 + chance.below(90_000_000)
        found: list[VenueTrade] = []
        time_ns = self._now_ns
        while True:
            earlier_ns = time_ns - max(1_000, self._trade_pause_ns * chance.exponential() // 1_000_000 * 1_000)
            if len(found) >= TRADES and earlier_ns // MINUTE_NS != time_ns // MINUTE_NS:
                break
            time_ns = earlier_ns
            found.append(self._trade(latest_id - len(found), time_ns))
        found.reverse()
        return found

    def _trade(self, trade_id: int, time_ns: int) -> VenueTrade:
        chance = self._chance
        buys = chance.below(2) == 1
        price = self._price + (self._bounce if buys else -self._bounce)
        qty = max(self._qty_min, self._qty * chance.exponential() // 1_000)
        self._price = self._inside(self._price + chance.centred(self._trade_noise))
        return VenueTrade(
            trade_id, "buy" if buys else "sell", price, qty, "market" if chance.below(5) < 3 else "limit", time_ns
        )

    def segments(self, trades: Sequence[VenueTrade]) -> dict[int, list[VenueCandle]]:
        """Candles by length, each covering what no shorter one covers, oldest first."""
        minutes = _minutes(trades)
        begin = minutes[0].begin_ns // MINUTE_NS
        now = self._now_ns // MINUTE_NS
        found: dict[int, list[VenueCandle]] = {}
        for step, longer in pairwise((*_STEPS, _ALIGNED)):
            back = CANDLES_KEPT * step if step < 1440 else _DAYS * 1440
            until = min(begin, (now - back) // longer * longer)
            found[step] = [self._candle(step, minute) for minute in range(begin - step, until - 1, -step)]
            found[step].reverse()
            begin = until
        found[1] += minutes
        return found

    def _candle(self, step: int, minute: int) -> VenueCandle:
        """The candle before the one made last; it closes where that one opened."""
        chance = self._chance
        noise = self._minute_noise * isqrt(step * 10_000) // 100
        close = self._price
        self._price = self._inside(close + chance.centred(noise))
        candle = VenueCandle(step, minute * MINUTE_NS, self._price)
        candle.close = close
        candle.high = max(candle.open, close) + noise * chance.exponential() // 2_500
        candle.low = max(1, min(candle.open, close) - noise * chance.exponential() // 2_500)
        candle.trades = 1 + self._trades_per_minute * step * (500 + chance.exponential()) // 1_500
        candle.volume = candle.trades * max(self._qty_min, self._qty * (600 + chance.exponential()) // 1_600)
        candle.turnover = (candle.open + close + candle.high + candle.low) * candle.volume // 4
        candle.updated_ns = candle.end_ns - 1_000 - chance.below(1_000_000_000)
        return candle

    def _inside(self, price: int) -> int:
        return min(max(price, self._lowest), self._highest)


def _minutes(trades: Sequence[VenueTrade]) -> list[VenueCandle]:
    found: list[VenueCandle] = []
    for trade in trades:
        begin_ns = trade.time_ns // MINUTE_NS * MINUTE_NS
        if not found or found[-1].begin_ns < begin_ns:
            found.append(VenueCandle(1, begin_ns, trade.price))
        found[-1].add(trade.price, trade.qty, trade.time_ns)
    return found


def _all_intervals(segments: dict[int, list[VenueCandle]]) -> dict[int, list[VenueCandle]]:
    """Candles of every interval: the segment of that length, then what shorter candles add up to."""
    found: dict[int, list[VenueCandle]] = {}
    shorter: list[VenueCandle] = []
    for step, segment in segments.items():
        shorter = found[step] = segment + list(_joined(shorter, step))
    for interval in (10_080, 21_600):
        found[interval] = list(_joined(found[1440], interval))
    return found


def _joined(candles: Sequence[VenueCandle], interval: int) -> Iterator[VenueCandle]:
    """Candles of a longer interval from shorter ones, oldest first."""
    length = interval * MINUTE_NS
    longer: VenueCandle | None = None
    for candle in candles:
        begin_ns = candle.begin_ns // length * length
        if longer is None or longer.begin_ns < begin_ns:
            if longer is not None:
                yield longer
            longer = VenueCandle(interval, begin_ns, candle.open)
        longer.merge(candle)
    if longer is not None:
        yield longer


def _copy(candle: VenueCandle) -> VenueCandle:
    copy = VenueCandle(candle.interval, candle.begin_ns, candle.open)
    copy.merge(candle)
    return copy
