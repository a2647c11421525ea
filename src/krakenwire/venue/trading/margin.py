"""What a margin account may still do: equity, margin in use, and the refusals that follow.

All figures are in US dollars. Source: the REST call TradeBalance as clients
read it; v2 reference, section 12.2.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from krakenwire.venue.trading.account_order import AccountOrder
from krakenwire.venue.trading.accounts import Account
from krakenwire.venue.trading.positions import Position, Positions
from krakenwire.venue.trading.refusals import INVALID, Refusal

__all__ = ["Margin", "MarginFigures"]

LEVERAGE_MAX: Final = 5
"""What `margin: true` asks for on v2 at most."""


class MarginFigures(NamedTuple):
    """What `TradeBalance` tells, in US dollars.

    `equivalent` is every balance at its worth, `balance` what of it counts as
    collateral, `used` the margin of open positions, `net` what closing them would bring,
    `cost` and `value` theirs, `pending` the margin that open orders would need.
    """

    equivalent: Decimal
    balance: Decimal
    used: Decimal
    net: Decimal
    cost: Decimal
    value: Decimal
    pending: Decimal

    @property
    def equity(self) -> Decimal:
        """The collateral with the positions closed."""
        return self.balance + self.net

    @property
    def free(self) -> Decimal:
        """What is left for new positions."""
        return self.equity - self.used

    @property
    def level(self) -> Decimal | None:
        """Equity in percent of the margin in use, None without positions."""
        return self.equity * 100 / self.used if self.used else None


class Margin:
    """The margin rules of a venue.

    Args:
        positions: every open position.
        usd: what ledger units of an asset are worth in US dollars.
        collateral: share of its worth that an asset counts as collateral.
    """

    def __init__(
        self, positions: Positions, usd: Callable[[str, int], Decimal], collateral: dict[str, Decimal]
    ) -> None:
        self._positions, self._usd, self._collateral = positions, usd, collateral

    def figures(self, account: Account) -> MarginFigures:
        """Return the figures of an account."""
        worths = {asset: self._usd(asset, units) for asset, units in account.balances.items()}
        positions = self._positions.of(account)
        pending = (self._needed(order) for order in account.open_orders.values() if order.leverage)
        return MarginFigures(
            equivalent=sum(worths.values(), Decimal(0)),
            balance=sum((worth * self._collateral.get(asset, 1) for asset, worth in worths.items()), Decimal(0)),
            used=sum((self._usd(_quote(p), p.margin_left) for p in positions), Decimal(0)),
            net=sum((self._usd(_quote(p), p.net(_price(p))) for p in positions), Decimal(0)),
            cost=sum((self._usd(_quote(p), p.cost_left) for p in positions), Decimal(0)),
            value=sum((self._usd(_quote(p), p.value(_price(p))) for p in positions), Decimal(0)),
            pending=sum(pending, Decimal(0)),
        )

    def leverage(self, order: AccountOrder, asked: int | None) -> int:
        """Return the leverage of a margin order.

        Raises:
            Refusal: the account or the instrument has no margin, or not that much.
        """
        offered = order.desk.terms.instrument.leverage
        if not order.account.margin or not offered:
            raise Refusal("EOrder:Cannot open position")
        if asked is not None and asked not in offered:
            raise Refusal(f"{INVALID}:leverage")
        return asked or max(level for level in offered if level <= LEVERAGE_MAX)

    def check(self, order: AccountOrder) -> None:
        """Refuse a margin order whose position its account cannot carry.

        Raises:
            Refusal: with the reason.
        """
        positions, instrument = self._positions, order.desk.terms.instrument
        opening = self._opening(order)
        if order.reduce_only or not opening:
            return
        held = sum(position.open_qty for position in positions.at(order.account, order.symbol))
        limit = instrument.position_limit_long if order.side == "buy" else instrument.position_limit_short
        reducing = positions.reducible(order.account, order.symbol, order.side)
        after = opening + (0 if reducing else held)
        if after > Decimal(limit).scaleb(instrument.qty_precision):
            raise Refusal("EOrder:Margin position size exceeded")
        figures = self.figures(order.account)
        if self._needed(order) > figures.free - figures.pending:
            raise Refusal("EOrder:Margin level too low")

    def _opening(self, order: AccountOrder) -> int:
        """Lots of an order that would open or add to a position."""
        reducible = self._positions.reducible(order.account, order.symbol, order.side)
        return max(0, order.remaining - reducible)

    def _needed(self, order: AccountOrder) -> Decimal:
        """The margin that what an order opens would need."""
        quote = order.desk.market.quote
        price = order.price or (quote.ask if order.side == "buy" else quote.bid) or order.desk.market.last_price
        cost = order.desk.terms.cost_held(price * self._opening(order))
        return self._usd(order.desk.terms.quote, cost) / order.leverage

    def must_liquidate(self, account: Account) -> bool:
        """Return whether the level has fallen below where the venue closes positions itself."""
        positions = self._positions.of(account)
        level = self.figures(account).level if positions else None
        return level is not None and level < max(p.order.desk.terms.instrument.margin_stop for p in positions)

    @staticmethod
    def rounded(figure: Decimal) -> Decimal:
        """Return a figure as `TradeBalance` shows it, with four decimals."""
        return figure.quantize(Decimal("1e-4"), rounding=ROUND_HALF_UP)


def _quote(position: Position) -> str:
    return position.order.desk.terms.quote


def _price(position: Position) -> int:
    return position.order.desk.market.last_price
