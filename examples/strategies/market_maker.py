"""Quotes both sides around the middle, and leans against its own inventory."""

from decimal import Decimal

from krakenwire.bot import Strategy, parameter


class MarketMaker(Strategy):
    """Once a second: a bid and an ask, moved down when it owns much and up when it owns little."""

    symbols = ("BTC/USD",)
    half_spread_bps: Decimal = parameter(Decimal(5), low=Decimal(0), help="from the middle to each quote")
    skew_bps: Decimal = parameter(Decimal(5), low=Decimal(0), help="how far quotes move at a full inventory")
    size: Decimal = parameter(Decimal("0.01"), low=Decimal(0), help="base units of each quote")
    most: Decimal = parameter(Decimal("0.05"), low=Decimal(0), help="base units: a full inventory")

    def on_start(self):
        self.bid = self.ask = None
        self.every(1, "quote")

    def on_timer(self, name):
        symbol = self.symbols[0]
        book = self.book(symbol)
        if not book.live or book.mid is None:
            return
        inventory = self.portfolio.position(symbol)
        fair = book.mid * (1 - self.skew_bps / 10_000 * inventory / self.most)
        spread = book.mid * self.half_spread_bps / 10_000
        bid, ask = self.round_price(symbol, fair - spread, "down"), self.round_price(symbol, fair + spread, "up")
        self.bid = self.quote("buy", self.bid, bid, inventory + self.size <= self.most)
        self.ask = self.quote("sell", self.ask, ask, inventory >= self.size)

    def quote(self, side, order, price, wanted):
        """Keep one order of a side at a price, or none."""
        if order is not None and order.is_open:
            if not wanted:
                self.cancel(order)
            elif order.limit != price:
                self.amend(order, limit=price)
            return order
        place = self.buy if side == "buy" else self.sell
        return place(self.symbols[0], self.size, price, post_only=True, tag="quote") if wanted else None
