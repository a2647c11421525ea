"""What REST tells of an account in figures: its margin, its positions, what it pays, a token to speak for it.

Amounts are exact; symbols and assets have their v2 names. Orders, fills and
ledger entries are in `records`. Source: v2 reference, section 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from krakenwire.model.market import OrderSide
from krakenwire.model.orders import OrderType
from krakenwire.model.secrets import Secret

__all__ = ["FeeTier", "PositionRecord", "TradeBalance", "TradeVolume", "WebSocketToken"]


class WebSocketToken(msgspec.Struct, frozen=True, kw_only=True):
    """What private requests over WebSocket carry.

    Args:
        expires_s: it must be used for the first time within so many seconds.
    """

    token: Secret
    expires_s: int


class TradeBalance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The margin of an account, all in the asset that was asked for.

    Args:
        equivalent: all balances together (``eb``).
        balance: those that count as collateral (``tb``).
        used: initial margin of open positions (``m``).
        pending: value of orders that wait (``uv``).
        net: profit or loss of open positions (``n``).
        cost, value: what open positions cost, and what they are worth (``c``, ``v``).
        equity: `balance` with `net` (``e``).
        free: `equity` without `used` (``mf``).
        free_for_orders: `free` that no order ties up (``mfo``); None when the venue does not say.
        level: percent of `equity` in `used` (``ml``); None without positions.
    """

    equivalent: Decimal
    balance: Decimal
    used: Decimal
    net: Decimal
    cost: Decimal
    value: Decimal
    equity: Decimal
    free: Decimal
    pending: Decimal = Decimal(0)
    free_for_orders: Decimal | None = None
    level: Decimal | None = None


class PositionRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One open position.

    Args:
        order_id: of the order that opened it.
        cost, fee, margin: quote units; `margin` what is still tied up.
        qty, closed_qty: base units, opened and closed since.
        rollover_ns: when its next fee is due; None when the venue does not say.
        value, net: quote units, when asked for.
        terms: of its fee, in the venue's words.
    """

    position_id: str
    order_id: str
    symbol: str
    time_ns: int
    side: OrderSide
    order_type: OrderType
    cost: Decimal
    fee: Decimal
    qty: Decimal
    closed_qty: Decimal
    margin: Decimal
    rollover_ns: int | None = None
    value: Decimal | None = None
    net: Decimal | None = None
    terms: str = ""
    status: str = "open"


class FeeTier(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is paid now, and from which volume on less.

    Args:
        fee, fee_min, fee_max, next_fee: percent; `next_fee` is None in the last tier.
        tier_volume, next_volume: of thirty days, where this tier begins and the next one does.
    """

    fee: Decimal
    fee_min: Decimal | None = None
    fee_max: Decimal | None = None
    next_fee: Decimal | None = None
    next_volume: Decimal | None = None
    tier_volume: Decimal | None = None


class TradeVolume(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was traded in thirty days, and the fees that follow from it for the symbols asked for.

    Args:
        currency: of `volume`.
        taker, maker: by symbol.
    """

    currency: str
    volume: Decimal
    taker: Mapping[str, FeeTier] = msgspec.field(default_factory=dict)
    maker: Mapping[str, FeeTier] = msgspec.field(default_factory=dict)
