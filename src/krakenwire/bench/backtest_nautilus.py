"""nautilus_trader over the market of `backtest`: one object for each frame, made before the clock starts."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from itertools import groupby
from typing import Any, Final

from krakenwire.bench.backtest_peers import Recorded, prove_calls
from krakenwire.bench.timing import Job, Prepare
from krakenwire.model.rows import Listing

__all__ = ["nautilus"]

_BUY: Final = 1 << 29
_CLEAR: Final = 3
_TRADE: Final = 2
"""Of the flags of hftbacktest's events; the lowest three bits are the kind."""


def nautilus(market: Recorded) -> Prepare:
    """Its engine with a book of levels and a strategy in Python, called for each change of the book and each trade."""
    made: list[Any] = []

    def prepare() -> Job:
        if not made:
            made.extend(_data(market))
        engine, strategy = _engine(market.listing, made)

        def prove() -> None:
            prove_calls("nautilus_trader", strategy.calls, market)
            engine.dispose()

        return Job(engine.run, market.frames, prove)

    return prepare


def _engine(listing: Listing, data: list[Any]) -> tuple[Any, Any]:
    config, engines = import_module("nautilus_trader.config"), import_module("nautilus_trader.backtest.engine")
    enums, objects = import_module("nautilus_trader.model.enums"), import_module("nautilus_trader.model.objects")
    model = import_module("nautilus_trader.model.identifiers")
    instrument = _instrument(listing)
    quiet = config.LoggingConfig(bypass_logging=True)
    engine = engines.BacktestEngine(engines.BacktestEngineConfig(logging=quiet, run_analysis=False))
    engine.add_venue(
        venue=model.Venue("KRAKEN"),
        oms_type=enums.OmsType.NETTING,
        account_type=enums.AccountType.CASH,
        starting_balances=[objects.Money(10_000, _currency("USD"))],
        book_type=enums.BookType.L2_MBP,
    )
    engine.add_instrument(instrument)
    engine.add_data(data, sort=False)
    strategy = _strategy()(instrument.id)
    engine.add_strategy(strategy)
    return engine, strategy


def _currency(code: str) -> Any:
    return import_module("nautilus_trader.model.objects").Currency.from_str(code)


@cache
def _instrument(listing: Listing) -> Any:
    model, objects = import_module("nautilus_trader.model.identifiers"), import_module("nautilus_trader.model.objects")
    make = import_module("nautilus_trader.model.instruments").CurrencyPair
    return make(
        instrument_id=model.InstrumentId.from_str(f"{listing.symbol}.KRAKEN"),
        raw_symbol=model.Symbol(listing.symbol),
        base_currency=_currency(listing.base),
        quote_currency=_currency(listing.quote),
        price_precision=listing.price_decimals,
        size_precision=listing.qty_decimals,
        price_increment=objects.Price(10.0**-listing.price_decimals, listing.price_decimals),
        size_increment=objects.Quantity(10.0**-listing.qty_decimals, listing.qty_decimals),
        ts_event=0,
        ts_init=0,
    )


def _data(market: Recorded) -> list[Any]:
    """One object for each frame."""
    events = market.events[["ev", "local_ts", "px", "qty"]].tolist()
    make = _Words(market.listing)
    return [make.frame(list(rows)) for _, rows in groupby(events, key=lambda row: row[1])]


class _Words:
    """Makes its objects of the rows of a frame: flags, time, price, quantity."""

    def __init__(self, listing: Listing) -> None:
        data, objects = import_module("nautilus_trader.model.data"), import_module("nautilus_trader.model.objects")
        self._enums = import_module("nautilus_trader.model.enums")
        self._trade_id = import_module("nautilus_trader.model.identifiers").TradeId
        self._data, self._id = data, _instrument(listing).id
        self._objects, self._listing = objects, listing

    def frame(self, rows: list[tuple[int, int, float, float]]) -> Any:
        if rows[0][0] & 7 == _TRADE:
            return self._trade(*rows[0])
        deltas = [self._delta(*row, last=row is rows[-1]) for row in rows]
        return self._data.OrderBookDeltas(self._id, deltas)

    def _trade(self, flags: int, time_ns: int, price: float, qty: float) -> Any:
        side = self._enums.AggressorSide.BUYER if flags & _BUY else self._enums.AggressorSide.SELLER
        name = self._trade_id(str(time_ns))
        return self._data.TradeTick(self._id, *self._amounts(price, qty), side, name, time_ns, time_ns)

    def _delta(self, flags: int, time_ns: int, price: float, qty: float, *, last: bool) -> Any:
        actions = self._enums.BookAction
        if flags & 7 == _CLEAR:
            return self._data.OrderBookDelta.clear(self._id, 0, time_ns, time_ns)
        side = self._enums.OrderSide.BUY if flags & _BUY else self._enums.OrderSide.SELL
        order = self._data.BookOrder(side, *self._amounts(price, qty), 0)
        action = actions.UPDATE if qty else actions.DELETE
        told = self._enums.RecordFlag.F_LAST if last else 0
        return self._data.OrderBookDelta(self._id, action, order, told, 0, time_ns, time_ns)

    def _amounts(self, price: float, qty: float) -> tuple[Any, Any]:
        listing, objects = self._listing, self._objects
        return objects.Price(price, listing.price_decimals), objects.Quantity(qty, listing.qty_decimals)


@cache
def _strategy() -> Any:
    base: Any = import_module("nautilus_trader.trading.strategy").Strategy

    class Counts(base):  # type: ignore[misc]  # the peer's class is not typed for us
        def __init__(self, instrument_id: Any) -> None:
            super().__init__()
            self.instrument_id, self.calls = instrument_id, 0

        def on_start(self) -> None:
            self.subscribe_order_book_deltas(self.instrument_id)
            self.subscribe_trade_ticks(self.instrument_id)

        def on_order_book_deltas(self, _deltas: Any) -> None:
            self.calls += 1

        def on_trade_tick(self, _trade: Any) -> None:
            self.calls += 1

    return Counts
