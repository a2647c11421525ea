"""What version 1 subscribers of one market receive: each channel as a topic.

A topic turns the integers of a market into wire text once, whoever listens;
it keeps what it has published, so that a snapshot and the frames after it fit
together. The gateway that hands them out is `gateway_v1.py`. Source: v1
reference, section 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final

from krakenwire.limits import BOOK_DEPTHS, CANDLES_KEPT, OHLC_INTERVALS
from krakenwire.model.numbers import fixed_text
from krakenwire.model.times import unix_text_from_ns
from krakenwire.protocol.v1 import venue as wire
from krakenwire.venue.gateways.publisher import Topic, TopicKey
from krakenwire.venue.gateways.views import BookRow, BookView, LevelChange
from krakenwire.venue.market.candles import VenueCandle
from krakenwire.venue.market.market import Market, Quote, VenueTrade
from krakenwire.venue.market.statistics import Statistics

__all__ = ["TRADE_SNAPSHOT", "ChannelName", "channel_id", "make_topic", "topic_key"]

TRADE_SNAPSHOT: Final = 50
"""Trades in a snapshot, where one is sent at all."""

ChannelName = tuple[str, int | None]
"""A channel and its depth or interval, such as ``("book", 10)``; None for channels without."""

_CHANNEL_IDS: Final = {
    name: offset
    for offset, name in enumerate(
        (
            *(("ticker", None), ("trade", None), ("spread", None)),
            *(("book", depth) for depth in BOOK_DEPTHS),
            *(("ohlc", interval) for interval in OHLC_INTERVALS),
        )
    )
}
_IDS_PER_PAIR: Final = 32


def channel_id(pair_number: int, channel: ChannelName) -> int:
    """Return the id of one channel of one pair: the same for every connection, below 2**31.

    Args:
        pair_number: the pair's place in the venue's list, from 0.
        channel: name and parameter.
    """
    return (pair_number + 1) * _IDS_PER_PAIR + _CHANNEL_IDS[channel]


def topic_key(symbol: str, channel: ChannelName) -> TopicKey:
    """Return what identifies the topic of a channel of a symbol among all topics."""
    return ("v1", channel[0], symbol, channel[1])


def make_topic(market: Market, pair_number: int, channel: ChannelName) -> Topic:
    """Return a topic that starts with the market as it is now."""
    return _TOPICS[channel[0]](market, channel_id(pair_number, channel), channel)


class _MarketTopic:
    """What all topics of a market share: identity, and the market's texts."""

    def __init__(self, market: Market, number: int, channel: ChannelName) -> None:
        instrument = market.instrument
        self._market = market
        self._id = number
        self._pair = instrument.wsname
        self._decimals = instrument.v1_price_decimals
        self._more_decimals = instrument.v1_price_decimals - instrument.price_precision
        self._texts = wire.V1Texts(instrument.price_precision, instrument.qty_precision, instrument.v1_price_decimals)
        self.key = topic_key(market.symbol, channel)
        self.symbol = market.symbol

    def _level(self, price: int, qty: int) -> tuple[str, str]:
        return self._texts.price(price), self._texts.qty(qty)


class _TickerTopic(_MarketTopic):
    """One frame for each batch of trades; quotes alone cause none."""

    def __init__(self, market: Market, number: int, channel: ChannelName) -> None:
        super().__init__(market, number, channel)
        self._seen = market.trade_revision

    def snapshot(self, now_ns: int) -> list[str]:
        return [self._frame(now_ns)]

    def advance(self, now_ns: int) -> list[str]:
        if self._seen == self._market.trade_revision:
            return []
        self._seen = self._market.trade_revision
        return [self._frame(now_ns)]

    def _frame(self, now_ns: int) -> str:
        market, quote = self._market, self._market.quote
        today, day = market.today(now_ns), market.last_24_hours(now_ns)
        texts = wire.TickerTexts(
            ask=self._level(quote.ask, quote.ask_qty),
            bid=self._level(quote.bid, quote.bid_qty),
            last=self._level(market.last_price, market.last_qty),
            volume=(self._texts.qty(today.volume), self._texts.qty(day.volume)),
            vwap=(self._vwap(today), self._vwap(day)),
            trades=(today.trades, day.trades),
            low=self._both(today.low, day.low),
            high=self._both(today.high, day.high),
            opened=self._both(today.open, day.open),
        )
        return wire.ticker(self._id, self._pair, texts)

    def _both(self, today: int, day: int) -> tuple[str, str]:
        return self._texts.price(today), self._texts.price(day)

    def _vwap(self, statistics: Statistics) -> str:
        return fixed_text(statistics.vwap(self._more_decimals), self._decimals)


class _TradeTopic(_MarketTopic):
    """The trades of each batch in one frame, oldest first."""

    def __init__(self, market: Market, number: int, channel: ChannelName) -> None:
        super().__init__(market, number, channel)
        self._last_id = market.last_trade_id

    def snapshot(self, now_ns: int) -> list[str]:
        del now_ns
        published = [trade for trade in self._market.trades() if trade.trade_id <= self._last_id]
        return self._frames(published[-TRADE_SNAPSHOT:])

    def advance(self, now_ns: int) -> list[str]:
        del now_ns
        if self._last_id == self._market.last_trade_id:
            return []
        fresh = self._market.trades_after(self._last_id)
        self._last_id = self._market.last_trade_id
        return self._frames(fresh)

    def _frames(self, trades: Sequence[VenueTrade]) -> list[str]:
        return [wire.trades(self._id, self._pair, [self._row(trade) for trade in trades])] if trades else []

    def _row(self, trade: VenueTrade) -> tuple[str, str, str, str, str]:
        return (
            *self._level(trade.price, trade.qty),
            unix_text_from_ns(trade.time_ns),
            trade.side[0],
            trade.ord_type[0],
        )


class _SpreadTopic(_MarketTopic):
    """One frame for each change of the best bid or ask, of price or volume."""

    def __init__(self, market: Market, number: int, channel: ChannelName) -> None:
        super().__init__(market, number, channel)
        self._seen = market.bbo_revision

    def snapshot(self, now_ns: int) -> list[str]:
        del now_ns
        return [self._frame(self._market.quote)]

    def advance(self, now_ns: int) -> list[str]:
        del now_ns
        fresh = self._market.bbo_revision - self._seen
        self._seen = self._market.bbo_revision
        if fresh > 1:
            quotes = self._market.quotes()
            return [self._frame(quote) for quote in islice(quotes, max(0, len(quotes) - fresh), None)]
        return [self._frame(self._market.quote)] if fresh else []

    def _frame(self, quote: Quote) -> str:
        bid, ask = self._level(quote.bid, quote.bid_qty), self._level(quote.ask, quote.ask_qty)
        return wire.spread(self._id, self._pair, bid=bid, ask=ask, time=unix_text_from_ns(quote.time_ns))


class _CandleTopic(_MarketTopic):
    """The running candle after each batch of trades; a new one appears with its first trade."""

    def __init__(self, market: Market, number: int, channel: ChannelName) -> None:
        super().__init__(market, number, channel)
        assert channel[1] is not None
        self._interval = channel[1]
        self._seen = market.trade_revision
        self._told = _extent(market.candles.last(self._interval))

    def snapshot(self, now_ns: int) -> list[str]:
        del now_ns
        candle = self._market.candles.last(self._interval)
        return [] if candle is None else [self._frame(candle)]

    def advance(self, now_ns: int) -> list[str]:
        del now_ns
        if self._seen == self._market.trade_revision:
            return []
        self._seen = self._market.trade_revision
        return [self._frame(candle) for candle in self._changed()]

    def _changed(self) -> Iterable[VenueCandle]:
        """The running candle; before it those that ended within the batch, so that each is told to its end."""
        candles = self._market.candles
        (begin_ns, trades), self._told = self._told, _extent(candles.last(self._interval))
        known = candles.latest(self._interval, 1 if self._told[0] == begin_ns else CANDLES_KEPT)
        return [candle for candle in known if _extent(candle) > (begin_ns, trades)]

    def _frame(self, candle: VenueCandle) -> str:
        price = self._texts.price
        row = (
            unix_text_from_ns(candle.updated_ns),
            unix_text_from_ns(candle.end_ns),
            *(price(candle.open), price(candle.high), price(candle.low), price(candle.close)),
            fixed_text(candle.vwap(self._more_decimals), self._decimals),
            self._texts.qty(candle.volume),
        )
        return wire.ohlc(self._id, self._pair, self._interval, row, candle.trades)


def _extent(candle: VenueCandle | None) -> tuple[int, int]:
    """When a candle began and how many trades it has: grows with every trade."""
    return (0, 0) if candle is None else (candle.begin_ns, candle.trades)


class _BookTopic(_MarketTopic):
    """A view of the book: one update after each batch that changed something visible."""

    def __init__(self, market: Market, number: int, channel: ChannelName) -> None:
        super().__init__(market, number, channel)
        assert channel[1] is not None
        self._view = BookView(market, channel[1])

    def snapshot(self, now_ns: int) -> list[str]:
        del now_ns
        bids, asks = self._view.snapshot()
        return [wire.book_snapshot(self._id, self._pair, self._view.depth, self._rows(asks), self._rows(bids))]

    def advance(self, now_ns: int) -> list[str]:
        del now_ns
        diff = self._view.advance()
        if diff is None:
            return []
        asks, bids = self._changes(diff.asks), self._changes(diff.bids)
        checksum = self._view.checksum(self._decimals)
        return [wire.book_update(self._id, self._pair, self._view.depth, asks, bids, checksum)]

    def _rows(self, rows: Iterable[BookRow]) -> list[tuple[str, str, str]]:
        return [(*self._level(row.price, row.qty), unix_text_from_ns(row.time_ns)) for row in rows]

    def _changes(self, changes: Iterable[LevelChange]) -> list[tuple[str, ...]]:
        return [
            (*self._level(level.price, level.qty), unix_text_from_ns(level.time_ns), *_FLAGS[level.republished])
            for level in changes
        ]


_FLAGS: Final = {True: ("r",), False: ()}

_TOPICS: Final[dict[str, Callable[[Market, int, ChannelName], Topic]]] = {
    "book": _BookTopic,
    "ohlc": _CandleTopic,
    "spread": _SpreadTopic,
    "ticker": _TickerTopic,
    "trade": _TradeTopic,
}
