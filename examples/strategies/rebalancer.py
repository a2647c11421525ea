"""Keeps a share of everything in each coin, and trades only when one has drifted too far."""

from decimal import Decimal

from krakenwire.bot import Strategy, parameter


class Rebalancer(Strategy):
    """Looks once an hour; brings each coin back to `weight` of the equity when it is off by `drift`."""

    symbols = ("BTC/USD", "ETH/USD")
    weight: Decimal = parameter(Decimal("0.4"), low=Decimal(0), high=Decimal("0.5"), help="share of each coin")
    drift: Decimal = parameter(Decimal("0.05"), low=Decimal(0), help="share of the equity a coin may be off by")
    hours: int = parameter(1, low=1, help="hours between two looks")

    def on_start(self):
        self.every(3600 * self.hours, "look")

    def on_timer(self, name):
        equity = self.portfolio.equity
        for symbol in self.symbols:
            book = self.book(symbol)
            if not book.live or book.mid is None:
                continue
            wanted = equity * self.weight / book.mid
            off = abs(self.portfolio.position(symbol) - wanted) * book.mid
            if off > equity * self.drift:
                self.target_position(symbol, self.round_qty(symbol, wanted), tag="rebalance")
