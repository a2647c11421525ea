"""From what a request says about prices and quantities to ticks and lots, and what a relative price means.

Everything wrong is a `Refusal` with the venue's own text; nothing is rounded
but what is relative to the market.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Final

from krakenwire.model import OrderSide
from krakenwire.model.orders import OrderType, PriceType
from krakenwire.model.orders import Trigger as AskedTrigger
from krakenwire.venue.matching.orders import PRICE_MAX, QTY_MAX
from krakenwire.venue.trading.account_order import Trigger
from krakenwire.venue.trading.refusals import INVALID, INVALID_PRICE, Refusal

__all__ = ["SLICES", "TRAILING", "lots_of", "price_of", "ticks_of", "trigger_of"]

TICK: Final = "EOrder:Tick size check failed"
VOLUME: Final = f"{INVALID}:volume"

SLICES: Final = 15
"""An iceberg shows a fifteenth of its quantity at least."""

TRAILING: Final[tuple[OrderType, ...]] = ("trailing-stop", "trailing-stop-limit")
_TAKES_PROFIT: Final[tuple[OrderType, ...]] = ("take-profit", "take-profit-limit")


def _scaled(value: Decimal, decimals: int) -> int | None:
    """Return a number in units of its last decimal, None when it is finer."""
    scaled = value.scaleb(decimals)
    whole = scaled.to_integral_value(rounding=ROUND_DOWN)
    return int(whole) if whole == scaled else None


def lots_of(qty: Decimal, decimals: int, text: str = VOLUME) -> int:
    """Return a quantity in lots, above zero and not too large."""
    lots = _scaled(qty, decimals)
    if lots is None or not 0 < lots <= QTY_MAX:
        raise Refusal(text)
    return lots


def ticks_of(price: Decimal, decimals: int) -> int:
    """Return an absolute price in ticks, above zero and not too large."""
    ticks = _scaled(price, decimals)
    if ticks is None:
        raise Refusal(TICK)
    if not 0 < ticks <= PRICE_MAX:
        raise Refusal(INVALID_PRICE)
    return ticks


def price_of(price: Decimal, kind: PriceType, decimals: int, reference: int) -> int:
    """Return a price in ticks that may be relative to a reference, then rounded to the nearest tick."""
    if kind == "static":
        return ticks_of(price, decimals)
    if not reference:
        raise Refusal(INVALID_PRICE)
    away = price.scaleb(decimals) if kind == "quote" else price * reference / 100
    ticks = int((reference + away).to_integral_value(rounding=ROUND_HALF_UP))
    if not 0 < ticks <= PRICE_MAX:
        raise Refusal(INVALID_PRICE)
    return ticks


def trigger_of(asked: AskedTrigger, side: OrderSide, order_type: OrderType, decimals: int, reference: int) -> Trigger:
    """Return what an order of some type waits for.

    A sell stop and a buy take-profit fire when the reference has fallen, the others when it has risen;
    a trailing stop keeps its distance behind the best price seen.
    Source: v2 reference, section 8.1.
    """
    rises = (side == "buy") != (order_type in _TAKES_PROFIT)
    if order_type not in TRAILING:
        price = price_of(asked.price, asked.price_type, decimals, reference)
        noted = price if asked.price_type == "static" else _as_asked(asked, decimals)
        return Trigger(noted, asked.price_type, asked.reference, price, rises)
    if asked.price_type == "static" or asked.price <= 0 or not reference:
        raise Refusal(INVALID_PRICE)
    noted = _as_asked(asked, decimals)
    in_percent = asked.price_type == "pct"
    trigger = Trigger(
        noted,
        asked.price_type,
        asked.reference,
        0,
        rises,
        distance=0 if in_percent else noted,
        distance_bp=noted if in_percent else 0,
    )
    trigger.follow(reference)
    return trigger


def _as_asked(asked: AskedTrigger, decimals: int) -> int:
    """A relative trigger price in ticks or in hundredths of a percent, as it was asked for."""
    noted = _scaled(asked.price, 2 if asked.price_type == "pct" else decimals)
    if noted is None:
        raise Refusal(TICK)
    return noted
