"""From the simulator's market to a strategy's words: trades, candles, tickers, gaps. Books need no words.

What a strategy does not ask for is not made. Rows of trades that were there
before a subscription, and so are no news, reach nobody. Where the data has no
book, what each trade shows of one is told as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from krakenwire import _native
from krakenwire.limits import BOT_HISTORY_CANDLES
from krakenwire.model.feed import Gap
from krakenwire.model.market import Candles, Ticker
from krakenwire.model.rows import Rows
from krakenwire.trading.callbacks import Callbacks
from krakenwire.trading.candles import Candle, CandleSeries
from krakenwire.trading.history import History
from krakenwire.trading.markets import SymbolMarket
from krakenwire.trading.run_result import RunLog
from krakenwire.trading.simulator import Simulator, What
from krakenwire.trading.strategy import Strategy
from krakenwire.trading.timers import Timers

if TYPE_CHECKING or not _native.ENABLED:
    from krakenwire.trading.trades import TradeMaker, amounts_of
else:
    from krakenwire._native import trades

    TradeMaker, amounts_of = trades.TradeMaker, trades.amounts_of

__all__ = ["CandlesFrom", "MarketFeed"]

CandlesFrom = Literal["trades", "ohlc"]


class MarketFeed:
    """What one strategy hears of the market.

    Args:
        simulator: whose callbacks are set.
        markets: the symbols of the run.
        strategy: what it names decides what is made.
        callbacks: calls it.
        timers: candles are closed by them.
        log: where gaps are noted.
        candles_from: whether candles are built of trades or are the venue's own.
    """

    def __init__(
        self,
        simulator: Simulator,
        markets: Mapping[str, SymbolMarket],
        strategy: type[Strategy],
        callbacks: Callbacks,
        timers: Timers,
        log: RunLog,
        candles_from: CandlesFrom,
    ) -> None:
        self._simulator, self._callbacks, self._timers, self._log = simulator, callbacks, timers, log
        self._markets = markets
        self._at = {market.place: market for market in markets.values()}
        self._from_trades, self._updates = candles_from == "trades", strategy.candle_updates
        self._series: dict[str, dict[str, CandleSeries]] = {symbol: {} for symbol in markets}
        self._makers = {market.place: TradeMaker(market.listing) for market in markets.values()}
        self._counted = {market.place for market in markets.values() if not market.listing.depth}
        """Where trades make candles or the book, and are more than news."""
        self._rows: Rows | None = None
        self._bytes: memoryview | None = None
        self._objects: Sequence[object] = ()
        self._on_book = callbacks.of("on_book")
        self._on_trade, self._on_candle = callbacks.of("on_trade"), callbacks.of("on_candle")
        self._on_ticker, self._on_gap = callbacks.of("on_ticker"), callbacks.of("on_gap")
        self._early = tuple(strategy.candles) if self._on_candle or "candles" in vars(strategy) else ()

    def start(self) -> None:
        """Ask the simulator for all that the strategy wants to hear."""
        self._simulator.on_event = self._event
        self.listen()
        for market in self._at.values():
            self._simulator.on(market.place, What.GAP, self._gap)
            by_trades = self._on_book is not None and not market.listing.depth
            if self._on_trade is not None or by_trades:
                self._simulator.on(market.place, What.TRADE, self._trades)
            for interval in self._early:
                self._add_series(market, interval)

    def listen(self) -> None:
        """Have books reach the strategy, which is called straight by the simulator."""
        for market in self._at.values():
            self._simulator.on(market.place, What.BOOK, self._on_book)

    def hush(self) -> None:
        """Have books reach nobody; everything else goes through `Callbacks`, which knows."""
        for market in self._at.values():
            self._simulator.on(market.place, What.BOOK, None)

    def stop(self) -> None:
        """Ask for nothing any more."""
        self._simulator.on_event = _ignore
        for market in self._at.values():
            for what in What:
                self._simulator.on(market.place, what, None)

    def take(self, rows: Rows, objects: Sequence[object]) -> None:
        """Make known what the simulator will run over next.

        Args:
            rows: of the market.
            objects: what rows of events point to.
        """
        self._rows, self._bytes, self._objects = rows, None, objects

    def history(self, market: SymbolMarket, interval: str) -> History:
        """Return the history of a symbol and interval, kept from now on if it was not."""
        series = self._series[market.listing.symbol].get(interval)
        return (series or self._add_series(market, interval)).history

    # -- candles ------------------------------------------------------------------------

    def _add_series(self, market: SymbolMarket, interval: str) -> CandleSeries:
        series = CandleSeries(market.listing, interval, BOT_HISTORY_CANDLES)
        self._series[market.listing.symbol][interval] = series
        if self._from_trades:
            self._counted.add(market.place)
            series.begin(self._simulator.now_ns)
            self._simulator.on(market.place, What.TRADE, self._trades)
            self._timers.every(series.length_ns, lambda: self._closed(series.close(), interval))
        return series

    def _closed(self, candle: Candle | None, interval: str) -> None:
        if candle is not None and self._on_candle is not None and interval in self._early:
            self._callbacks.call(self._on_candle, candle)

    # -- told by the simulator ----------------------------------------------------------

    def _trades(self, place: int, first: int, end: int) -> None:
        data = self._bytes
        if data is None:
            data = self._data()
        if place in self._counted:
            self._amounts(self._at[place], amounts_of(data, first, end))
        if self._on_trade is None:
            return
        if end - first > 1 or not self._callbacks.open:
            for trade in self._makers[place].trades_of(data, first, end):
                self._callbacks.call(self._on_trade, trade)
        elif (news := self._makers[place].one_of(data, first)) is not None:
            self._on_trade(news)  # what it raises goes the way of what `on_book` raises

    def _amounts(self, market: SymbolMarket, amounts: Sequence[tuple[int, int]]) -> None:
        """Trades make candles and, where there is no other, the book."""
        if not amounts:
            return
        for series in self._series[market.listing.symbol].values():
            for price, qty in amounts:
                series.trade(price, qty)
            if self._updates:
                self._closed(series.forming(), series.interval)
        if self._on_book is not None and not market.listing.depth:
            self._callbacks.call(self._on_book, self._simulator.books[market.place])

    def _data(self) -> memoryview:
        assert self._rows is not None
        self._bytes = self._rows.view("u1").data
        return self._bytes

    def _event(self, aux: int, _place: int) -> None:
        event = self._objects[aux]
        if isinstance(event, Ticker):
            if self._on_ticker is not None:
                self._callbacks.call(self._on_ticker, event)
        elif isinstance(event, Candles) and not self._from_trades and event.symbol in self._markets:
            self._candles(event)
        elif isinstance(event, Gap) and event.symbol in self._markets:
            self._told_gap(event)

    def _candles(self, event: Candles) -> None:
        market = self._markets[event.symbol]
        for told in event.candles:
            if market.mid() is None:
                market.set_mark(told.close)
            for series in tuple(self._series[event.symbol].values()):
                for candle in series.take(told, self._simulator.now_ns):
                    self._closed(candle if event.kind == "update" else None, series.interval)

    def _gap(self, place: int) -> None:
        symbol = self._at[place].listing.symbol
        self._log.note(self._simulator.now_ns, "gap", "the book is not to be trusted until its next snapshot", symbol)
        if self._on_gap is not None:
            gap = Gap(channel_name="book", symbol=symbol, reason="gap", since_ns=self._simulator.now_ns)
            self._callbacks.call(self._on_gap, gap)

    def _told_gap(self, gap: Gap) -> None:
        """Something but the book may have been missed."""
        missed = f"{gap.channel_name} may have been missed: {gap.reason}"
        self._log.note(self._simulator.now_ns, "gap", missed, gap.symbol or "")
        if self._on_gap is not None:
            self._callbacks.call(self._on_gap, gap)


def _ignore(_aux: int, _place: int) -> None:
    """Nobody listens."""
