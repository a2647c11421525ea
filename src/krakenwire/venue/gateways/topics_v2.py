"""What v2 clients can follow: each topic turns a market's changes into frames, once for all.

A topic's snapshot and its updates fit together: it tells the state as last
published. Ticks and lots become text with the instrument's precision here;
the form of the frames is in `protocol.v2.encode`, and what concerns the whole
venue in `listing_v2`. Source: v2 reference, section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from krakenwire.model import (
    BookUpdate,
    Candle,
    Candles,
    Kind,
    Level3Order,
    Level3Update,
    Subscription,
    Ticker,
    Trade,
    Trades,
)
from krakenwire.model.numbers import fixed_text, scaled_to_decimal
from krakenwire.protocol.v2 import encode
from krakenwire.venue.gateways.publisher import Topic, TopicKey
from krakenwire.venue.gateways.views import BookRow as ViewRow
from krakenwire.venue.gateways.views import BookView, Level3Row, Level3View, LevelChange, OrderChange
from krakenwire.venue.market.candles import VenueCandle
from krakenwire.venue.market.market import Market, VenueTrade

__all__ = ["make_topic", "topic_key"]

SNAPSHOT_TRADES: Final = 50
SNAPSHOT_CANDLES: Final = 10


def topic_key(subscription: Subscription) -> TopicKey:
    """Return what tells the topic of a subscription from others."""
    return (
        "v2",
        subscription.channel,
        subscription.symbol,
        subscription.depth,
        subscription.interval,
        subscription.event_trigger,
    )


def make_topic(subscription: Subscription, market: Market) -> Topic:
    """Return a new topic of one market that starts at its present state."""
    return _TOPICS[subscription.channel](subscription, market)


class _MarketTopic:
    """What the topics of one market share."""

    def __init__(self, subscription: Subscription, market: Market) -> None:
        self.key = topic_key(subscription)
        self.symbol: str | None = market.symbol
        self._market = market
        self._price_decimals = market.instrument.price_precision
        self._qty_decimals = market.instrument.qty_precision

    def _price(self, ticks: int) -> Decimal:
        return scaled_to_decimal(ticks, self._price_decimals)

    def _qty(self, lots: int) -> Decimal:
        return scaled_to_decimal(lots, self._qty_decimals)


class _TickerTopic(_MarketTopic):
    """`ticker`: a message when something traded, or when the best bid or ask changed."""

    def __init__(self, subscription: Subscription, market: Market) -> None:
        super().__init__(subscription, market)
        self._by_quote = subscription.event_trigger == "bbo"
        self._revision = self._revision_now()

    def _revision_now(self) -> int:
        return self._market.bbo_revision if self._by_quote else self._market.trade_revision

    def snapshot(self, now_ns: int) -> list[str]:
        return [encode.ticker(self._ticker("snapshot", now_ns))]

    def advance(self, now_ns: int) -> list[str]:
        revision = self._revision_now()
        if revision == self._revision:
            return []
        self._revision = revision
        return [encode.ticker(self._ticker("update", now_ns))]

    def _ticker(self, kind: Kind, now_ns: int) -> Ticker:
        market, quote, day = self._market, self._market.quote, self._market.last_24_hours(now_ns)
        return Ticker(
            symbol=market.symbol,
            kind=kind,
            bid=self._price(quote.bid),
            bid_qty=self._qty(quote.bid_qty),
            ask=self._price(quote.ask),
            ask_qty=self._qty(quote.ask_qty),
            last=self._price(day.last),
            volume=self._qty(day.volume),
            vwap=self._price(day.vwap()),
            low=self._price(day.low),
            high=self._price(day.high),
            change=self._price(day.change),
            change_pct=scaled_to_decimal(day.change_percent_hundredths, 2),
            trades=day.trades,
            time_ns=market.time_ns,
        )


class _BookTopic(_MarketTopic):
    """`book` at one depth."""

    def __init__(self, subscription: Subscription, market: Market) -> None:
        super().__init__(subscription, market)
        assert subscription.depth is not None
        self._view = BookView(market, subscription.depth)

    def snapshot(self, now_ns: int) -> list[str]:
        del now_ns
        bids, asks = self._view.snapshot()
        return [self._frame("snapshot", bids, asks, self._view.time_ns)]

    def advance(self, now_ns: int) -> list[str]:
        del now_ns
        diff = self._view.advance()
        return [] if diff is None else [self._frame("update", diff.bids, diff.asks, diff.time_ns)]

    def _frame(
        self, kind: Kind, bids: Sequence[ViewRow | LevelChange], asks: Sequence[ViewRow | LevelChange], time_ns: int
    ) -> str:
        checksum = self._view.checksum(self._price_decimals)
        return encode.book(
            BookUpdate(self._market.symbol, kind, self._levels(bids), self._levels(asks), checksum, time_ns)
        )

    def _levels(self, rows: Sequence[ViewRow | LevelChange]) -> list[tuple[str, str]]:
        price_decimals, qty_decimals = self._price_decimals, self._qty_decimals
        return [(fixed_text(row.price, price_decimals), fixed_text(row.qty, qty_decimals)) for row in rows]


class _Level3Topic(_MarketTopic):
    """`level3` at one depth."""

    def __init__(self, subscription: Subscription, market: Market) -> None:
        super().__init__(subscription, market)
        assert subscription.depth is not None
        self._view = Level3View(market, subscription.depth)

    def snapshot(self, now_ns: int) -> list[str]:
        del now_ns
        bids, asks = self._view.snapshot()
        return [self._frame("snapshot", bids, asks, self._view.time_ns)]

    def advance(self, now_ns: int) -> list[str]:
        del now_ns
        diff = self._view.advance()
        return [] if diff is None else [self._frame("update", diff.bids, diff.asks, diff.time_ns)]

    def _frame(
        self, kind: Kind, bids: Sequence[Level3Row | OrderChange], asks: Sequence[Level3Row | OrderChange], time_ns: int
    ) -> str:
        return encode.level3(
            Level3Update(
                symbol=self._market.symbol,
                kind=kind,
                bids=tuple(map(self._order, bids)),
                asks=tuple(map(self._order, asks)),
                checksum=self._view.checksum(self._price_decimals),
                time_ns=time_ns,
            )
        )

    def _order(self, row: Level3Row | OrderChange) -> Level3Order:
        return Level3Order(
            order_id=self._market.order_ids.text(row.order_id),
            price_text=fixed_text(row.price, self._price_decimals),
            qty_text=fixed_text(row.qty, self._qty_decimals),
            time_ns=row.time_ns,
            event=row.event if isinstance(row, OrderChange) else None,
        )


class _OhlcTopic(_MarketTopic):
    """`ohlc` of one interval: the running candle after each trade."""

    def __init__(self, subscription: Subscription, market: Market) -> None:
        super().__init__(subscription, market)
        assert subscription.interval is not None
        self._interval = subscription.interval
        self._revision = market.trade_revision
        self._published_ns = market.time_ns

    def snapshot(self, now_ns: int) -> list[str]:
        del now_ns
        candles = self._market.candles.latest(self._interval, SNAPSHOT_CANDLES)
        return [self._frame("snapshot", candles, self._published_ns)]

    def advance(self, now_ns: int) -> list[str]:
        del now_ns
        market = self._market
        if market.trade_revision == self._revision:
            return []
        changed = [c for c in market.candles.latest(self._interval, 2) if c.updated_ns > self._published_ns]
        self._revision, self._published_ns = market.trade_revision, market.time_ns
        return [self._frame("update", changed, market.time_ns)] if changed else []

    def _frame(self, kind: Kind, candles: list[VenueCandle], time_ns: int) -> str:
        rows = tuple(map(self._candle, candles))
        return encode.ohlc(
            Candles(symbol=self._market.symbol, interval=self._interval, kind=kind, candles=rows), time_ns
        )

    def _candle(self, candle: VenueCandle) -> Candle:
        return Candle(
            symbol=self._market.symbol,
            interval=self._interval,
            begin_ns=candle.begin_ns,
            end_ns=candle.end_ns,
            open=self._price(candle.open),
            high=self._price(candle.high),
            low=self._price(candle.low),
            close=self._price(candle.close),
            vwap=self._price(candle.vwap()),
            volume=self._qty(candle.volume),
            trades=candle.trades,
        )


class _TradeTopic(_MarketTopic):
    """`trade`: the latest fifty when asked, then each as it happens."""

    def __init__(self, subscription: Subscription, market: Market) -> None:
        super().__init__(subscription, market)
        self._last_trade_id = market.last_trade_id

    def snapshot(self, now_ns: int) -> list[str]:
        del now_ns
        return [self._frame("snapshot", self._market.trades(SNAPSHOT_TRADES))]

    def advance(self, now_ns: int) -> list[str]:
        del now_ns
        if self._market.last_trade_id == self._last_trade_id:
            return []
        new = self._market.trades_after(self._last_trade_id)
        self._last_trade_id = self._market.last_trade_id
        return [self._frame("update", new)]

    def _frame(self, kind: Kind, trades: list[VenueTrade]) -> str:
        rows = tuple(map(self._trade, trades))
        return encode.trades(Trades(symbol=self._market.symbol, kind=kind, trades=rows))

    def _trade(self, trade: VenueTrade) -> Trade:
        return Trade(
            symbol=self._market.symbol,
            side=trade.side,
            price=self._price(trade.price),
            qty=self._qty(trade.qty),
            ord_type=trade.ord_type,
            time_ns=trade.time_ns,
            trade_id=trade.trade_id,
        )


_TOPICS: Final[dict[str, Callable[[Subscription, Market], Topic]]] = {
    "ticker": _TickerTopic,
    "book": _BookTopic,
    "level3": _Level3Topic,
    "ohlc": _OhlcTopic,
    "trade": _TradeTopic,
}
