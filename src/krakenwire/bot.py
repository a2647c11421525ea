"""What a strategy's file imports: `Strategy`, `parameter`, and the types that callbacks are handed.

from krakenwire.bot import Strategy
"""

from __future__ import annotations

from importlib.util import find_spec

from krakenwire.errors import MissingExtraError

if find_spec("numpy") is None:
    raise MissingExtraError("krakenwire.bot", "bot")

from krakenwire.model.feed import Gap
from krakenwire.model.market import Ticker, Trade
from krakenwire.trading.candles import Candle
from krakenwire.trading.clock import Clock
from krakenwire.trading.history import History
from krakenwire.trading.orders import Fill, Order
from krakenwire.trading.parameters import parameter
from krakenwire.trading.portfolio import Portfolio
from krakenwire.trading.simulator import SimBook as Book
from krakenwire.trading.strategy import Strategy

__all__ = [
    "Book",
    "Candle",
    "Clock",
    "Fill",
    "Gap",
    "History",
    "Order",
    "Portfolio",
    "Strategy",
    "Ticker",
    "Trade",
    "parameter",
]
