"""A strategy: what a person writes once, and every world runs unchanged.

It sees the clock, the market and its orders, and nothing else; so it cannot
tell a backtest from the market itself. Only callbacks that a class overrides
are called. Next: `engine`, which calls them, and `actions` for orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Final

from krakenwire.errors import ConfigError, UsageError
from krakenwire.model.feed import Gap
from krakenwire.model.market import Ticker, Trade
from krakenwire.trading.actions import Tif
from krakenwire.trading.candles import Candle
from krakenwire.trading.clock import Clock
from krakenwire.trading.history import History
from krakenwire.trading.markets import Rounding, exact
from krakenwire.trading.orders import Fill, Order
from krakenwire.trading.parameters import Parameter, parameters_of, read_parameters
from krakenwire.trading.portfolio import Portfolio
from krakenwire.trading.simulator import SimBook
from krakenwire.trading.targets import Target

if TYPE_CHECKING:
    from krakenwire.trading.engine import Engine

__all__ = ["Number", "Strategy"]

Number = Decimal | int | str
"""An exact number, which a float is not: see `Strategy.round_price` and `Strategy.round_qty`."""

_SECOND: Final = 1_000_000_000


class Strategy:
    """The parent of all strategies. Prices are in quote units, quantities in base units.

    Args:
        parameters: values of some of its parameters; see `parameter`.

    Attributes:
        symbols: what it trades, v2 spelling.
        depth: levels a side of its books.
        channels: what it needs of the market; None to follow from what it overrides.
        candles: intervals of `on_candle`, and of the histories that are kept from the start.
        candle_updates: whether `on_candle` is called for each trade with the forming candle, too.
        state: what survives restarts: values that JSON knows.

    Raises:
        ConfigError: a parameter that is none, or a value that it cannot have.
    """

    symbols: ClassVar[Sequence[str]] = ()
    depth: ClassVar[int] = 10
    channels: ClassVar[Sequence[str] | None] = None
    candles: ClassVar[Sequence[str]] = ("1m",)
    candle_updates: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        for name, each in vars(cls).items():
            if isinstance(each, Parameter):
                if hasattr(Strategy, name):
                    raise ConfigError(
                        f"parameter {name} of {cls.__name__}", expected="a name that Strategy does not use"
                    )
                each.read(each.default)

    def __init__(self, **parameters: object) -> None:
        for name, value in read_parameters(type(self), parameters).items():
            setattr(self, name, value)  # one by one: an object whose `__dict__` was asked for is slower ever after
        self.state: dict[str, object] = {}
        self._attached: Engine | None = None

    # -- callbacks ---------------------------------------------------------------------

    def on_start(self) -> None:
        """Run once, before anything of the market is seen."""

    def on_stop(self) -> None:
        """Run once, when everything is over; open orders are canceled after it."""

    def on_book(self, book: SimBook) -> None:
        """Take a changed book. It is the same object every time, and always the latest.

        Where the data has trades only it shows one level a side beside the last trade.
        """

    def on_trade(self, trade: Trade) -> None:
        """Take a public trade."""

    def on_ticker(self, ticker: Ticker) -> None:
        """Take a ticker."""

    def on_candle(self, candle: Candle) -> None:
        """Take a candle that is closed, or with `candle_updates` one that is forming."""

    def on_fill(self, fill: Fill) -> None:
        """Take a fill of an order of ours."""

    def on_order(self, order: Order) -> None:
        """Take an order whose state the market has changed. One refused by our own limits is known at once."""

    def on_timer(self, name: str) -> None:
        """Take a timer of `every` or `at`."""

    def on_gap(self, gap: Gap) -> None:
        """Take note that something was missed: the book cannot be read until it is whole again."""

    # -- orders -------------------------------------------------------------------------

    def buy(
        self,
        symbol: str,
        qty: Number,
        limit: Number | None = None,
        *,
        post_only: bool = False,
        tif: Tif = "gtc",
        expire_s: float | None = None,
        reduce_only: bool = False,
        stop: Number | None = None,
        take_profit: Number | None = None,
        tag: str = "",
    ) -> Order:
        """Place an order to buy; at the market without a limit.

        Args:
            symbol: one of `symbols`.
            qty: base units.
            limit: the most to pay.
            post_only: end it rather than take.
            tif: ``gtc`` to rest, ``ioc`` to take what is there, ``fok`` to take all or nothing.
            expire_s: end it after so many seconds.
            reduce_only: only make a position smaller.
            stop: wait until the last trade is at or above this; for a sale at or below.
            take_profit: wait until the last trade is at or below this; for a sale at or above.
            tag: a word of yours, kept with the order and its fills.

        Returns:
            The order. It is ``refused`` already, with the reason, where a limit of our own forbids it.

        Raises:
            UsageError: words that make no order, or a float.
        """
        return self._engine.actions.place(
            "buy", symbol, qty, limit, post_only, tif, expire_s, reduce_only, stop, take_profit, tag
        )

    def sell(
        self,
        symbol: str,
        qty: Number,
        limit: Number | None = None,
        *,
        post_only: bool = False,
        tif: Tif = "gtc",
        expire_s: float | None = None,
        reduce_only: bool = False,
        stop: Number | None = None,
        take_profit: Number | None = None,
        tag: str = "",
    ) -> Order:
        """Place an order to sell; as `buy`."""
        return self._engine.actions.place(
            "sell", symbol, qty, limit, post_only, tif, expire_s, reduce_only, stop, take_profit, tag
        )

    def amend(self, order: Order, *, limit: Number | None = None, qty: Number | None = None) -> bool:
        """Ask for another limit or quantity of an open order.

        Args:
            order: one of ours.
            limit: the new one.
            qty: the new one, what is filled counted in.

        Returns:
            Whether it was asked for: not of an order that is over or being changed, nor when a limit forbids it.
        """
        return self._engine.actions.amend(order, limit, qty)

    def cancel(self, order: Order) -> bool:
        """Ask for the end of an order; return whether it was asked for now."""
        return self._engine.desk.cancel(order)

    def cancel_all(self, symbol: str | None = None) -> int:
        """Ask for the end of all open orders, or of one symbol's; return of how many."""
        return self._engine.desk.cancel_all(symbol)

    def target_position(
        self,
        symbol: str,
        qty: Number,
        *,
        limit: Number | None = None,
        post_only: bool = False,
        tag: str = "",
    ) -> Order | None:
        """Bring a position to `qty`, counting what earlier orders of this method may still fill.

        Asked again, it does nothing again. Orders in the way are canceled first; the rest is ordered once
        they are over.

        Returns:
            The order on its way there, None where there is none yet, or no need.
        """
        limited = None if limit is None else exact("limit", limit)
        return self._engine.targets.bring(symbol, Target(exact("qty", qty), limited, post_only, tag))

    def round_price(self, symbol: str, value: Decimal | float, rounding: Rounding = "nearest") -> Decimal:
        """Return the price beside a value that may be ordered at: ``nearest``, ``down`` or ``up``."""
        return self._engine.desk.market(symbol).round_price(value, rounding)

    def round_qty(self, symbol: str, value: Decimal | float) -> Decimal:
        """Return the largest quantity up to a value that may be ordered."""
        return self._engine.desk.market(symbol).round_qty(value)

    # -- what there is --------------------------------------------------------------------

    @property
    def orders(self) -> tuple[Order, ...]:
        """Open orders, oldest first."""
        return tuple(self._engine.desk.open.values())

    @property
    def portfolio(self) -> Portfolio:
        """Balances, positions, equity."""
        return self._engine.portfolio

    @property
    def clock(self) -> Clock:
        """The market's time."""
        return self._engine.clock

    def book(self, symbol: str) -> SimBook:
        """Return the book of a symbol; always the same object, always the latest."""
        return self._engine.book(symbol)

    def history(self, symbol: str, interval: str = "1m") -> History:
        """Return the latest closed candles as arrays, oldest first.

        They are kept from the start for the intervals of `candles` when `on_candle` or `candles` is
        overridden, else from the first call; so call it in `on_start`.
        """
        return self._engine.history(symbol, interval)

    def every(self, seconds: float, name: str = "timer") -> None:
        """Have `on_timer` called at each multiple of so many seconds since 1970 UTC."""
        self._engine.every(round(seconds * _SECOND), name)

    def at(self, when: datetime | int, name: str) -> None:
        """Have `on_timer` called once.

        Args:
            when: a time with its zone, or nanoseconds since 1970 UTC. What is over is called at once.
            name: handed to it.
        """
        if isinstance(when, datetime):
            if when.tzinfo is None:
                raise UsageError("when", expected="a time with its zone", found=when)
            when = int(when.replace(microsecond=0).timestamp()) * _SECOND + when.microsecond * 1_000
        self._engine.at(when, name)

    def log(self, text: str) -> None:
        """Note something for who reads the run."""
        self._engine.log.note(self._engine.clock.now_ns, "log", text)

    # -- inside ---------------------------------------------------------------------------

    @property
    def _engine(self) -> Engine:
        if self._attached is None:
            raise UsageError(type(self).__name__, expected="to be run first", hint="Use on_start instead of __init__")
        return self._attached

    def attach(self, engine: Engine) -> None:
        """Belong to a run. Called by the engine."""
        self._attached = engine

    @classmethod
    def overrides(cls, callback: str) -> bool:
        """Return whether a class has a callback of its own."""
        return getattr(cls, callback) is not getattr(Strategy, callback)

    @classmethod
    def wanted_channels(cls) -> tuple[str, ...]:
        """Return the channels that a run needs; books and trades always, because prices and fills come from them."""
        if cls.channels is not None:
            return tuple(cls.channels)
        return ("book", "trade", "ticker") if cls.overrides("on_ticker") else ("book", "trade")

    @property
    def parameters(self) -> Mapping[str, object]:
        """Its parameters as they are set."""
        return {name: getattr(self, name) for name in parameters_of(type(self))}
