"""What a simulated trader commands a market through: an ordinary account, without the formalities.

Its orders are orders of the account: money is held for them, they trade with
those of everybody else, and who follows the account is told. Only what a
request over the wire goes through first is left out: text, minimums, pace.
"""

from __future__ import annotations

from contextlib import suppress

from krakenwire.model import OrderSide
from krakenwire.venue.market.market import Market
from krakenwire.venue.matching.orders import EngineEvent
from krakenwire.venue.matching.orders import TimeInForce as EngineTimeInForce
from krakenwire.venue.trading.account_order import AccountOrder
from krakenwire.venue.trading.accounts import Account
from krakenwire.venue.trading.amending import amend_resting
from krakenwire.venue.trading.exchange import Exchange
from krakenwire.venue.trading.refusals import USER_REQUESTED, Refusal

__all__ = ["Hand"]


class Hand:
    """One account at one market, with the commands of `Market`.

    Args:
        exchange: where the account trades.
        account: its orders they are.
        symbol: v2 spelling of the market.
    """

    def __init__(self, exchange: Exchange, account: Account, symbol: str) -> None:
        self._exchange, self._account = exchange, account
        self._desk = exchange.desks[symbol]

    @property
    def market(self) -> Market:
        """The market, for reading."""
        return self._desk.market

    def place(
        self,
        side: OrderSide,
        qty: int,
        price: int | None,
        now_ns: int,
        time_in_force: EngineTimeInForce = "gtc",
        post_only: bool = False,
    ) -> list[EngineEvent]:
        """Place an order and return what the engine says; without the money for it nothing happens."""
        order = AccountOrder(self._account, self._desk, side, "market" if price is None else "limit", qty, price)
        order.time_in_force, order.post_only = time_in_force, post_only
        order.opened_ns = order.changed_ns = now_ns
        if not self._desk.hold_all(order, now_ns):
            return []
        self._exchange.number(order)
        events = self._desk.submit(order, now_ns)
        self._exchange.market_moved(self._desk.symbol, now_ns)
        return events

    def cancel(self, order_id: int, now_ns: int) -> list[EngineEvent]:
        """Cancel a resting order of the account."""
        return self._desk.cancel(self._desk.orders[order_id], USER_REQUESTED, now_ns)

    def amend(self, order_id: int, now_ns: int, qty: int | None = None, price: int | None = None) -> None:
        """Amend a resting order of the account: `qty` is what shall remain; one that cannot be stays as it is."""
        order = self._desk.orders[order_id]
        total = order.qty if qty is None else order.filled + qty
        with suppress(Refusal):
            amend_resting(order, total, order.price if price is None else price, order.display, False, now_ns)
        self._exchange.market_moved(self._desk.symbol, now_ns)
