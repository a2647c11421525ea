"""What must be held for an order so that it can always pay: for the trade, and for the fee.

Both are rounded up, what is posted later is cut: an order never costs more
than is held for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from krakenwire.venue.matching.book_side import PriceLevel
from krakenwire.venue.trading.account_order import AccountOrder
from krakenwire.venue.trading.terms import PPM, Terms, rounded_up

__all__ = ["fee_held", "lots_at", "lots_for_cash", "need", "sweep"]


def fee_held(amount: int, rate: int) -> int:
    """Return what must be held for a fee on an amount."""
    return rounded_up(amount * rate, PPM)


def need(order: AccountOrder, price: int, remaining: int) -> tuple[int, int]:
    """Return what an order needs held for the lots that remain: of `hold_asset`, for the trade and for the fee.

    Args:
        order: whose side and fees count.
        price: ticks, the most a buy may pay.
        remaining: lots.
    """
    if order.leverage:
        return 0, 0  # a margin order is carried by the account's equity: `margin.py`
    terms = order.desk.terms
    held = terms.cost_held(price * remaining) if order.side == "buy" else terms.base_units(remaining)
    fee_is_extra = order.fee_in_base == (order.side == "sell")
    return held, fee_held(held, order.fee_rate) if fee_is_extra else 0


def lots_at(level: PriceLevel, gone: Mapping[int, int]) -> int:
    """Return how many lots a level holds, hidden ones too, without those that are `gone` by price before they trade."""
    return level.qty + level.hidden - gone.get(level.price, 0)


def sweep(levels: list[PriceLevel], lots: int, gone: Mapping[int, int]) -> tuple[int, int]:
    """Return how many of some lots the levels hold, and what they cost in ticks times lots."""
    exact = 0
    left = lots
    for level in levels:
        qty = min(left, lots_at(level, gone))
        exact += qty * level.price
        left -= qty
        if not left:
            break
    return lots - left, exact


def lots_for_cash(levels: list[PriceLevel], cash: int, rate: int, terms: Terms, gone: Mapping[int, int]) -> int:
    """Return how many lots can be bought for some ledger units, the fee on top not counted in them.

    Args:
        levels: asks, best first.
        cash: ledger units of the quote.
        rate: 0, or the fee in millionths if `cash` is to pay for it, too.
        terms: of the instrument.
        gone: lots that nobody can buy, by price.
    """
    budget = terms.exact(cash * PPM // (PPM + rate))
    lots = 0
    for level in levels:
        there = lots_at(level, gone)
        take = min(there, budget // level.price)
        lots += take
        budget -= take * level.price
        if take < there:
            break
    return lots
