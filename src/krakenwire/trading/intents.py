"""What a strategy wants done: an order that nobody has seen yet.

An intent is made once, has one id for ever, and is sent at most once. Next:
`risk`, which may refuse it, `records`, where it is written down before it is
sent, and `orders` for what becomes of it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from krakenwire.model.market import OrderSide

__all__ = ["BotOrderType", "Intent", "IntentTimeInForce"]

BotOrderType = Literal["limit", "market", "stop-loss", "stop-loss-limit", "take-profit", "take-profit-limit"]
"""The order types that behave the same in all four worlds."""

IntentTimeInForce = Literal["gtc", "gtd", "ioc", "fok"]


class Intent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A new order, wanted.

    Args:
        id: the `cl_ord_id` it will have: at most 18 characters, never used again.
        symbol: v2 spelling.
        qty: base units.
        limit: quote units; None for a market order.
        trigger: quote units, of the stop and take-profit types.
        expire_ns: with ``gtd``.
        reduce_only: it may only make the position smaller.
        tag: the strategy's own word for it.
        created_ns: by the strategy's clock.
        replaces: the id of an earlier intent that is known to be over.
    """

    id: str
    symbol: str
    side: OrderSide
    order_type: BotOrderType
    qty: Decimal
    created_ns: int
    limit: Decimal | None = None
    trigger: Decimal | None = None
    time_in_force: IntentTimeInForce = "gtc"
    expire_ns: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    tag: str = ""
    replaces: str = ""
