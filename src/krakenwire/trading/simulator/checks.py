"""What is refused at sight: a caller's mistakes by an exception, what no instrument takes in its venue's words."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from krakenwire.errors import UsageError
from krakenwire.model.rows import ASK, BID, ROW, Listing, Rows
from krakenwire.trading.simulator.model import AMOUNT_MAX, OrderFlag, OrderType
from krakenwire.trading.simulator.orders import COST, LOT, MARKET_TYPES, MINIMUM, TICK, Order

__all__ = ["check_amend", "check_listings", "check_order", "check_rows", "refusal_of"]

_ALL_FLAGS = OrderFlag.POST_ONLY | OrderFlag.IOC | OrderFlag.FOK


def check_listings(listings: Sequence[Listing]) -> None:
    """Refuse instruments that cannot be.

    Raises:
        UsageError: a step of less than one tick or lot, or a negative depth.
    """
    for listing in listings:
        if listing.tick < 1 or listing.lot < 1 or listing.depth < 0:
            raise UsageError("listing", expected="steps of 1 or more, a depth of 0 or more", found=listing)


def check_order(order: Order, listings: int) -> None:
    """Refuse an order that makes no sense in any market: a mistake of the caller.

    Raises:
        UsageError: a member out of its range, or an order that was submitted before.
    """
    limited = order.order_type not in MARKET_TYPES
    waits = order.order_type >= OrderType.STOP_LOSS
    takes = order.flags & (OrderFlag.IOC | OrderFlag.FOK)
    rests = order.flags & OrderFlag.POST_ONLY
    for what, right, found in (
        ("order", order.state == "new", order.state),
        ("symbol of an order", 0 <= order.symbol < listings, order.symbol),
        ("side of an order", order.side in {BID, ASK}, order.side),
        ("type of an order", OrderType.LIMIT <= order.order_type <= OrderType.TAKE_PROFIT_LIMIT, order.order_type),
        ("quantity of an order", 0 < order.qty < AMOUNT_MAX, order.qty),
        ("limit of an order", 0 < order.price < AMOUNT_MAX if limited else order.price == 0, order.price),
        ("trigger of an order", 0 < order.trigger < AMOUNT_MAX if waits else order.trigger == 0, order.trigger),
        ("flags of an order", 0 <= order.flags <= _ALL_FLAGS and not (rests and (takes or not limited)), order.flags),
        ("expiry of an order", order.expire_ns >= 0, order.expire_ns),
    ):
        if not right:
            raise UsageError(what, expected="one that is new and possible", found=found)


def refusal_of(listing: Listing, price: int, qty: int) -> str:
    """Return the venue's words for a price or quantity that its instrument does not take, else an empty text.

    Args:
        listing: of the instrument.
        price: ticks, 0 for none.
        qty: lots.
    """
    if price % listing.tick:
        return TICK
    if qty % listing.lot:
        return LOT
    if qty < listing.qty_min.scaleb(listing.qty_decimals):
        return MINIMUM
    if (
        price
        and listing.cost_min
        and Decimal(price * qty) < listing.cost_min.scaleb(listing.price_decimals + listing.qty_decimals)
    ):
        return COST
    return ""


def check_amend(order: Order, price: int, qty: int) -> None:
    """Refuse an amend that makes no sense in any market.

    Raises:
        UsageError: an order that was not submitted, or a limit or quantity out of range.
    """
    if not order.ref:
        raise UsageError("order", expected="one that was submitted", found=order)
    if not (price == 0 if order.order_type in MARKET_TYPES else 0 < price < AMOUNT_MAX):
        raise UsageError("limit of an amend", expected="one that the order's type has", found=price)
    if not 0 < qty < AMOUNT_MAX:
        raise UsageError("quantity of an amend", expected="more than 0, below 2**61", found=qty)


def check_rows(rows: Rows, start: int) -> None:
    """Refuse what is no market.

    Raises:
        UsageError: an array of another form, or a start before its beginning.
    """
    if rows.dtype != ROW or rows.ndim != 1 or not rows.flags.c_contiguous:
        raise UsageError("rows", expected="a contiguous array of dtype ROW", found=rows.dtype)
    if start < 0:
        raise UsageError("first row", expected="0 or more", found=start)
