"""Is long while a fast moving average is above a slow one."""

from decimal import Decimal

import talib

from krakenwire.bot import Strategy, parameter


class MovingAverageCross(Strategy):
    """Judges each closed candle; a target position says what to do, so nothing is ever done twice."""

    symbols = ("BTC/USD",)
    candles = ("1m",)
    fast: int = parameter(10, low=2, high=500, help="candles of the fast average")
    slow: int = parameter(30, low=3, high=1000, help="candles of the slow average")
    size: Decimal = parameter(Decimal("0.01"), low=Decimal(0), help="base units to be long")

    def on_candle(self, candle):
        close = self.history(candle.symbol, candle.interval).close
        if len(close) < self.slow:
            return
        fast, slow = talib.SMA(close, self.fast)[-1], talib.SMA(close, self.slow)[-1]
        self.target_position(candle.symbol, self.size if fast > slow else 0, tag="cross")
