"""The words in which orders are refused and ended, where more than one module needs them."""

from __future__ import annotations

from typing import Final

__all__ = [
    "INVALID",
    "INVALID_PRICE",
    "NEVER_WAS",
    "NO_FUNDS",
    "NO_LIQUIDITY",
    "UNKNOWN",
    "USER_REQUESTED",
    "Refusal",
    "reason_of",
]

INVALID: Final = "EGeneral:Invalid arguments"
INVALID_PRICE: Final = "EOrder:Invalid price"
NEVER_WAS: Final = "EOrder:Invalid order"
NO_FUNDS: Final = "EOrder:Insufficient funds"
UNKNOWN: Final = "EOrder:Unknown order"

USER_REQUESTED: Final = "User requested"
"""Why an order was canceled or amended that its owner asked about."""

NO_LIQUIDITY: Final = "No liquidity"
"""Why a market order was canceled for which nothing was left."""


class Refusal(Exception):
    """A request is refused, in the venue's words; `str` of it is the text."""


def reason_of(refusal: str) -> str:
    """Return a refusal as the reason of a cancellation: without the category in front."""
    return refusal.partition(":")[2]
