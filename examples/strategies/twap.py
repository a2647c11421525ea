"""Buys an amount in equal slices over a time, so that no slice moves the market."""

from decimal import Decimal

from krakenwire.bot import Strategy, parameter


class Twap(Strategy):
    """Every `seconds` one slice at the best ask; what a slice did not get, the next ones share."""

    symbols = ("BTC/USD",)
    total: Decimal = parameter(Decimal("0.1"), low=Decimal(0), help="base units in all")
    slices: int = parameter(10, low=1, high=1000, help="in so many slices")
    seconds: int = parameter(30, low=1, help="from one slice to the next")

    def on_start(self):
        self.state.setdefault("bought", "0")
        self.state.setdefault("left", self.slices)
        self.every(self.seconds, "slice")

    def on_timer(self, name):
        symbol, left = self.symbols[0], self.state["left"]
        book = self.book(symbol)
        if left and not self.orders and book.live and book.best_ask is not None:
            size = self.round_qty(symbol, (self.total - Decimal(self.state["bought"])) / left)
            self.state["left"] = left - 1
            if size:
                self.buy(symbol, size, book.best_ask, tif="ioc", tag=f"slice {self.slices - left + 1}")

    def on_fill(self, fill):
        self.state["bought"] = str(Decimal(self.state["bought"]) + fill.qty)
        if Decimal(self.state["bought"]) >= self.total:
            self.log("all bought")
