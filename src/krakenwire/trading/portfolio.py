"""What the bot has: balances, what is held for open orders, positions at average cost, equity at mid prices.

Every amount is exact: fills change balances by price times quantity and the
fee, all of it kept. Only averages are divisions. Holds belong to the desk,
which tells them here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from types import MappingProxyType
from typing import Final

from krakenwire.errors import ConfigError, UsageError
from krakenwire.model.market import OrderSide
from krakenwire.trading.markets import SymbolMarket

__all__ = ["EXACT", "Portfolio"]

EXACT: Final = Context(prec=100)
"""A price, a quantity and a fee rate have at most 19 digits each: sums of their products fit without rounding.

Operators round to the thread's context, unary minus and `abs` included; amounts go through this."""

_ZERO: Final = Decimal(0)


class _Holding:
    """The base asset of one symbol: what was there at the start, at the first price seen, and what was bought since."""

    __slots__ = ("cost", "qty", "realised", "unpriced")

    def __init__(self, qty: Decimal) -> None:
        self.cost = self.realised = _ZERO
        self.qty = self.unpriced = qty

    def start(self, price: Decimal) -> None:
        """Count what was there at the start as bought at a price."""
        self.cost, self.unpriced = self.unpriced * price, _ZERO

    def bought(self, price: Decimal, qty: Decimal) -> None:
        """Take in a signed quantity: more of it at its price, less of it at the average cost."""
        if self.qty * qty >= 0:
            self.cost += price * qty
            self.qty += qty
            return
        closing = max(-abs(qty), -abs(self.qty)).copy_sign(qty)
        average = self.cost / self.qty
        self.realised += (average - price) * closing
        self.qty += closing
        self.cost = average * self.qty
        if opening := qty - closing:
            self.cost, self.qty = price * opening, opening


class Portfolio:
    """The account of one bot.

    Args:
        balances: by asset, at the start; an asset that is missing is 0.
        quote: the asset that equity is counted in.
        markets: the symbols of the run.

    Attributes:
        quote: the asset that equity is counted in.

    Raises:
        ConfigError: an asset whose worth none of the symbols tells; a balance below 0.
    """

    __slots__ = (
        "_balances",
        "_by_symbol",
        "_fees",
        "_held",
        "_holdings",
        "_positions",
        "_turnover",
        "_unpriced",
        "_unsummed",
        "_worth",
        "quote",
    )

    def __init__(self, balances: Mapping[str, Decimal], quote: str, markets: Sequence[SymbolMarket]) -> None:
        self.quote = quote
        self._by_symbol = {market.listing.symbol: market for market in markets}
        assets = dict.fromkeys([quote, *balances, *(asset for each in markets for asset in (each.base, each.quote))])
        self._balances = {asset: EXACT.add(balances.get(asset, _ZERO), _ZERO) for asset in assets}
        for asset, amount in self._balances.items():
            if amount < 0:
                raise ConfigError(f"balances.{asset}", expected="0 or more", found=amount)
        self._held = dict.fromkeys(assets, _ZERO)
        firsts = {market.base: market for market in reversed(markets)}
        self._holdings = {
            market.listing.symbol: _Holding(self._balances[market.base] if firsts[market.base] is market else _ZERO)
            for market in markets
        }
        self._unpriced = [symbol for symbol, holding in self._holdings.items() if holding.qty]
        self._worth = {asset: _way(asset, quote, markets) for asset in assets if asset != quote}
        self._positions: dict[str, Decimal] | None = None
        self._fees: dict[str, Decimal] = {}
        self._turnover: dict[str, Decimal] = {}
        self._unsummed: list[tuple[SymbolMarket, Decimal, Decimal, Decimal]] = []
        """Fills whose part in sums that nobody has asked for is still to be counted."""

    @property
    def balances(self) -> Mapping[str, Decimal]:
        """Every asset's balance, what is held counted in."""
        return MappingProxyType(self._balances)

    @property
    def cash(self) -> Decimal:
        """The balance of the quote asset, what is held counted in."""
        return self._balances[self.quote]

    def available(self, asset: str | None = None) -> Decimal:
        """Return what of an asset, or of the quote asset, is not held for open orders."""
        name = self.quote if asset is None else asset
        return EXACT.subtract(self._balances.get(name, _ZERO), self._held.get(name, _ZERO))

    def position(self, symbol: str) -> Decimal:
        """Return how much of a symbol's base asset there is."""
        return self._balances[self._market(symbol).base]

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """Every symbol's position; the same object until a fill."""
        if self._positions is None:
            self._positions = {symbol: self._balances[market.base] for symbol, market in self._by_symbol.items()}
        return self._positions

    @property
    def equity(self) -> Decimal:
        """Everything at mid prices, in the quote asset. An asset whose price was never seen counts for nothing."""
        total = self._balances[self.quote]
        for asset, way in self._worth.items():
            amount = self._balances[asset]
            if not amount:
                continue
            if len(way) == 1 and (mark := way[0].last_mid()) is not None:
                total = EXACT.fma(amount, mark, total)
            else:
                total = EXACT.add(total, self.worth(asset, amount))
        return total

    @property
    def exposure(self) -> Decimal:
        """What is not the quote asset, at mid prices, without its sign."""
        total = _ZERO
        for asset in self._worth:
            if amount := self._balances[asset]:
                total = EXACT.add(total, self.worth(asset, amount.copy_abs()))
        return total

    @property
    def fees(self) -> Mapping[str, Decimal]:
        """Paid so far, by asset."""
        self._sum()
        return self._fees

    @property
    def turnover(self) -> Mapping[str, Decimal]:
        """Price times quantity of all fills, by asset."""
        self._sum()
        return self._turnover

    def average_cost(self, symbol: str) -> Decimal | None:
        """Return the average price of what is there of a symbol's base asset, None where nothing is.

        What was there at the start counts as bought at the first price that was seen.
        """
        holding = self._holding(symbol)
        return holding.cost / holding.qty if holding.qty and not holding.unpriced else None

    def realised(self, symbol: str) -> Decimal:
        """Return the profit of what was sold again through a symbol, without fees, in its quote asset."""
        return self._holding(symbol).realised

    def unrealised(self, symbol: str) -> Decimal:
        """Return the profit of what is there of a symbol's base asset, at its mid, without fees."""
        mark, holding = self._market(symbol).last_mid(), self._holding(symbol)
        return _ZERO if mark is None or holding.unpriced else mark * holding.qty - holding.cost

    # -- told by the desk --------------------------------------------------------

    def hold(self, asset: str, amount: Decimal) -> None:
        """Hold so much more of an asset; less of it when below 0."""
        self._held[asset] = EXACT.add(self._held[asset], amount)

    def price_start(self) -> bool:
        """Count what was there at the start as bought at the price now, wherever one is seen for the first time.

        Returns:
            Whether all of it has a price.
        """
        for symbol in tuple(self._unpriced):
            mark = self._by_symbol[symbol].last_mid()
            if mark is not None:
                self._sum()
                self._holdings[symbol].start(mark)
                self._unpriced.remove(symbol)
        return not self._unpriced

    def apply(self, market: SymbolMarket, side: OrderSide, price: Decimal, qty: Decimal, fee: Decimal) -> Decimal:
        """Take in one fill and return the position after it.

        Args:
            market: of its symbol.
            side: ours.
            price: quote units.
            qty: base units.
            fee: in the symbol's quote asset.
        """
        signed, received = (qty, qty.copy_negate()) if side == "buy" else (qty.copy_negate(), qty)
        balances, quote = self._balances, market.quote
        balances[quote] = EXACT.subtract(EXACT.fma(price, received, balances[quote]), fee)
        balances[market.base] = position = EXACT.add(balances[market.base], signed)
        if self._unpriced:
            self.price_start()
        self._positions = None
        self._unsummed.append((market, price, signed, fee))
        return position

    def worth(self, asset: str, amount: Decimal) -> Decimal:
        """Return what an amount of an asset comes to in the quote asset, at mid prices; 0 where none was seen."""
        for market in self._worth.get(asset, ()):
            mark = market.last_mid()
            if mark is None:
                return _ZERO
            amount = EXACT.multiply(amount, mark)
        return amount

    # -- inside --------------------------------------------------------------------

    def _sum(self) -> None:
        """Count what was put off, in its order."""
        fees, turnover = self._fees, self._turnover
        for market, price, signed, fee in self._unsummed:
            quote = market.quote
            fees[quote] = EXACT.add(fees.get(quote, _ZERO), fee)
            turnover[quote] = EXACT.fma(price, signed.copy_abs(), turnover.get(quote, _ZERO))
            self._holdings[market.listing.symbol].bought(price, signed)
        self._unsummed.clear()

    def _holding(self, symbol: str) -> _Holding:
        self._market(symbol)
        self._sum()
        return self._holdings[symbol]

    def _market(self, symbol: str) -> SymbolMarket:
        market = self._by_symbol.get(symbol)
        if market is None:
            raise UsageError(symbol, expected="one of the strategy's symbols: " + ", ".join(self._by_symbol))
        return market


def _way(asset: str, quote: str, markets: Sequence[SymbolMarket]) -> tuple[SymbolMarket, ...]:
    """The markets whose prices turn an asset into the quote asset: one, or two by way of a third asset."""
    for market in markets:
        if (market.base, market.quote) == (asset, quote):
            return (market,)
    for first in markets:
        for second in markets:
            if (first.base, first.quote, second.quote) == (asset, second.base, quote):
                return (first, second)
    raise ConfigError(
        f"the worth of {asset}",
        expected=f"a symbol of the strategy that prices it in {quote}",
        hint="Add one to the symbols, or leave the balance out",
    )
