"""Words of v2's private half that both sides use: the client's codec and the venue's.

Nothing here reads or writes a frame; `trading` and `venue_trading` do.
Source: v2 reference, sections 7 and 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from krakenwire.model import FeePreference, OrderType, PriceType
from krakenwire.model.orders import METHODS

__all__ = ["FEE_PREFERENCES", "PRIVATE_CHANNELS", "PRIVATE_METHODS", "unsaid_price_type"]

PRIVATE_METHODS: Final = tuple(METHODS.values())
PRIVATE_CHANNELS: Final = ("executions", "balances")

FEE_PREFERENCES: Final[Mapping[str, FeePreference]] = {"fciq": "quote", "fcib": "base"}
"""What `executions` calls them; requests use the plain words."""


def unsaid_price_type(order_type: OrderType) -> PriceType:
    """Return how a limit price is meant when its order does not say."""
    return "quote" if order_type == "trailing-stop-limit" else "static"
