"""Rests buy orders below the market and sells each fill one step higher."""

from decimal import Decimal

from krakenwire.bot import Strategy, parameter


class Grid(Strategy):
    """A ladder of `levels` buy orders, `step_bps` apart, below the first price it sees."""

    symbols = ("BTC/USD",)
    levels: int = parameter(5, low=1, high=20, help="buy orders that rest at the start")
    step_bps: int = parameter(20, low=1, high=1000, help="from one level to the next, hundredths of a percent")
    size: Decimal = parameter(Decimal("0.001"), low=Decimal(0), help="base units of each order")

    def on_start(self):
        self.placed = False

    def on_book(self, book):
        if self.placed or book.mid is None:
            return
        self.placed = True
        for level in range(1, self.levels + 1):
            self.rest_buy(book.symbol, book.mid * (1 - self.share(level)))

    def on_fill(self, fill):
        if fill.side == "buy":
            price = self.round_price(fill.symbol, fill.price * (1 + self.share(1)), "up")
            self.sell(fill.symbol, fill.qty, price, post_only=True, tag="grid")
        else:
            self.rest_buy(fill.symbol, fill.price / (1 + self.share(1)), fill.qty)

    def rest_buy(self, symbol, price, qty=None):
        self.buy(symbol, qty or self.size, self.round_price(symbol, price, "down"), post_only=True, tag="grid")

    def share(self, levels):
        return Decimal(levels * self.step_bps) / 10_000
