"""What a live bot begins with: its part of the account, its open orders, what its limits have to remember.

Made of the journal alone, at one moment, after it was found to agree with the
account: fills before that moment are in the balances, fills after it are told
to the desk. None is in both, none in neither.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from krakenwire.trading.orders import Order, OrderState
from krakenwire.trading.recovery import BotOrder, OrderStep, Recovered

__all__ = ["Handover", "assets_of", "order_of", "own_balances"]

_ZERO: Final = Decimal(0)
_STATES: Final[Mapping[OrderStep, OrderState]] = {
    "intent": "unknown",
    "unknown": "unknown",
    "open": "open",
    "filled": "filled",
    "canceled": "canceled",
    "expired": "expired",
    "refused": "refused",
    "never": "refused",
}


class Handover(NamedTuple):
    """What the strategy's side gets.

    Args:
        balances: its own, by asset.
        orders: that are open, or may be.
        paused: why the strategy is not to be called, empty when it is.
    """

    balances: dict[str, Decimal]
    orders: tuple[Order, ...]
    paused: str


def assets_of(symbols: Collection[str]) -> tuple[str, ...]:
    """Return the assets of some symbols, each once."""
    return tuple(dict.fromkeys(asset for symbol in symbols for asset in symbol.split("/")))


def own_balances(
    known: Recovered, symbols: Collection[str], allowed: Mapping[str, Decimal] | None
) -> dict[str, Decimal]:
    """Return what a bot may count as its own.

    Args:
        known: with a baseline.
        symbols: that it trades; other assets are nobody's business.
        allowed: the most of each asset that it began with; None for all. What its fills have changed comes on top.
    """
    own = {}
    for asset in assets_of(symbols):
        has = (known.baseline or {}).get(asset, _ZERO) + known.changes.get(asset, _ZERO)
        if allowed is not None:
            has = min(has, allowed.get(asset, _ZERO) + known.totals.get(asset, _ZERO))
        own[asset] = max(_ZERO, has)
    return own


def order_of(known: BotOrder) -> Order:
    """Return an order of the journal as a strategy holds it; a cancel of an earlier life may be asked for again."""
    order = Order(known.intent)
    order.state = _STATES[known.step]
    if order.state == "open" and known.filled:
        order.state = "partly_filled"
    order.restore(known.filled, known.cost)
    order.venue_id, order.reason = known.order_id, known.reason
    return order
