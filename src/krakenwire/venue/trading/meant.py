"""Which open orders a request means by its ids, and what it costs to touch them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from krakenwire.model.rates import Transaction
from krakenwire.protocol.v2.venue_values import CLIENT_ID
from krakenwire.venue.text_ids import is_well_formed
from krakenwire.venue.trading.account_order import AccountOrder
from krakenwire.venue.trading.accounts import Account
from krakenwire.venue.trading.desk import Desk
from krakenwire.venue.trading.refusals import INVALID, NEVER_WAS, UNKNOWN, Refusal

__all__ = ["Meant", "charge"]


class Meant:
    """Finds orders by order id, `cl_ord_id` and userref, never another account's.

    Args:
        desks: by v2 symbol.
    """

    def __init__(self, desks: Mapping[str, Desk]) -> None:
        self._desks = desks

    def one(self, account: Account, order_id: str | None, cl_ord_id: str | None) -> AccountOrder:
        """Return the open order that one of two ids means.

        Raises:
            Refusal: both or none are given, or there is no such order.
        """
        if (order_id is None) == (cl_ord_id is None):
            raise Refusal(INVALID)
        if cl_ord_id is not None:
            return self.by(account, "cl_ord_id", cl_ord_id)[0]
        return self.by(account, "order_id", order_id)[0]

    def by(self, account: Account, name: str, value: object) -> list[AccountOrder]:
        """Return the open orders of an account that an id means: `order_id`, `cl_ord_id` or `order_userref`.

        Raises:
            Refusal: there is none.
        """
        if name == "order_id":
            return self.by_order_id(account, str(value))
        if name == "cl_ord_id":
            if CLIENT_ID.fullmatch(str(value)) is None:
                raise Refusal(NEVER_WAS)
            order = account.by_cl_ord_id.get(str(value))
            found = [] if order is None else [order]
        else:
            assert isinstance(value, int)
            found = list(account.by_userref.get(value, {}).values())
        if not found:
            raise Refusal(UNKNOWN)
        return found

    def by_order_id(self, account: Account, text: str) -> list[AccountOrder]:
        """Return the open orders that an order id means, or a userref written as text.

        Raises:
            Refusal: there is none.
        """
        order = account.orders_seen.get(text)
        if order is not None:
            if not order.is_open:
                raise Refusal(UNKNOWN)
            return [order]
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) <= 10:
            return self.by(account, "order_userref", int(text))
        raise Refusal(UNKNOWN if is_well_formed(text) and self._was_given(text) else NEVER_WAS)

    def _was_given(self, text: str) -> bool:
        """Whether an id was given out by one of the markets, to whomever."""
        return any(desk.market.knows_order(text) for desk in self._desks.values())


def charge(
    transaction: Transaction,
    account: Account,
    symbol: str | None,
    now_ns: int,
    touched: Iterable[AccountOrder] = (),
    orders: int = 1,
) -> None:
    """Count a transaction against an account's pace.

    Args:
        transaction: what is asked.
        account: who asks.
        symbol: None for a request that concerns all pairs.
        now_ns: the time.
        touched: the orders it changes or ends; their age counts.
        orders: how many it places.

    Raises:
        Refusal: too fast.
    """
    if account.pace is None:
        return
    ages_ns = [now_ns - order.changed_ns for order in touched]
    refusal = account.pace.refusal(transaction, symbol, now_ns, ages_ns=ages_ns, orders=orders)
    if refusal is not None:
        raise Refusal(refusal)
