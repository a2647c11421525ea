"""Waits for a price, says so, and buys once: the shortest strategy that does something."""

from decimal import Decimal

from krakenwire.bot import Strategy, parameter


class PriceAlertBuyer(Strategy):
    """Buys `size` when the best ask falls to `below`."""

    symbols = ("BTC/USD",)
    below: Decimal = parameter(Decimal(60_000), low=Decimal(0), help="buy at this ask or a lower one")
    size: Decimal = parameter(Decimal("0.01"), low=Decimal(0), help="base units")

    def on_start(self):
        self.state.setdefault("bought", False)

    def on_book(self, book):
        ask = book.best_ask
        if ask is not None and ask <= self.below and not self.state["bought"]:
            self.log(f"{book.symbol} is at {ask}")
            order = self.buy(book.symbol, self.size, limit=ask, tif="ioc", tag="alert")
            self.state["bought"] = order.is_open

    def on_order(self, order):
        if order.state == "expired" and not order.filled:
            self.state["bought"] = False  # the ask was gone: wait for the next
