"""How fast an account may trade: a counter for each instrument, and a bound on open orders.

Source: v2 reference, section 9.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from krakenwire.model.rates import ALWAYS_ACCEPTED, RateCounter, TierLimits, Transaction, cost
from krakenwire.venue.trading.account_order import AccountOrder
from krakenwire.venue.trading.prices import Refusal

__all__ = ["Pace"]

RATE: Final = "EOrder:Rate limit exceeded"
ORDERS: Final = "EOrder:Orders limit exceeded"


class Pace:
    """The counters of one account.

    Args:
        limits: of its tier, or as configured.
    """

    def __init__(self, limits: TierLimits) -> None:
        self.limits = limits
        self._counters: dict[str, RateCounter] = {}

    def points(self, symbol: str, now_ns: int) -> int:
        """Return the counter of an instrument in whole points, as the wire tells it."""
        counter = self._counters.get(symbol)
        return 0 if counter is None else int(counter.value(now_ns))

    def charge(self, transaction: Transaction, symbol: str, now_ns: int, *, orders: int = 1) -> None:
        """Count a transaction on receipt, whatever becomes of it.

        Raises:
            Refusal: the counter has no room for it.
        """
        self._take(transaction, symbol, cost(transaction, orders=orders), now_ns)

    def charge_age(self, transaction: Transaction, orders: Iterable[AccountOrder], now_ns: int) -> None:
        """Count what touching young orders costs on top.

        Raises:
            Refusal: a counter has no room for it; those before it are charged.
        """
        for order in orders:
            extra = cost(transaction, (now_ns - order.changed_ns,)) - cost(transaction)
            if extra:
                self._take(transaction, order.symbol, extra, now_ns)

    def check_orders(self, open_orders: int) -> None:
        """Refuse one more open order in an instrument than the tier allows."""
        if open_orders >= self.limits.open_orders:
            raise Refusal(ORDERS)

    def _take(self, transaction: Transaction, symbol: str, price: int, now_ns: int) -> None:
        counter = self._counters.get(symbol)
        if counter is None:
            counter = self._counters[symbol] = RateCounter(self.limits.trading)
        if transaction in ALWAYS_ACCEPTED:
            counter.charge(price, now_ns)
        elif not counter.take(price, now_ns):
            raise Refusal(RATE)
