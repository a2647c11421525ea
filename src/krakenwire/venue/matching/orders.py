"""Orders and the events a matching engine answers with.

The vocabulary of `matching.py` and of its compiled twin: plain integers
(ticks, lots, nanoseconds) and tuples. Nothing here knows accounts.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final, Literal, NamedTuple

from krakenwire.model import OrderSide

__all__ = [
    "OPPOSITE",
    "PRICE_MAX",
    "QTY_MAX",
    "REFUSALS",
    "SIDES",
    "SLICES_MAX",
    "TRADES_UNTAKEN_MAX",
    "Accepted",
    "Amended",
    "BatchResult",
    "BookChange",
    "Changed",
    "Command",
    "EngineEvent",
    "Finished",
    "OrderFlag",
    "Refused",
    "Removed",
    "Rested",
    "SelfTrade",
    "TimeInForce",
    "Traded",
]

TimeInForce = Literal["gtc", "ioc", "fok"]

SelfTrade = Literal["cancel_newest", "cancel_oldest", "cancel_both"]
"""Who gives way when an order meets a resting one of the same owner: the incoming order decides.

Source: v2 reference, section 8.2 (`stp_type`).
"""

PRICE_MAX: Final = 1 << 62
"""Highest price in ticks: it and its negative fit a signed 64-bit number with room to spare."""

QTY_MAX: Final = 1 << 62
"""Largest quantity of one order in lots. Totals over orders are exact beyond it."""

SLICES_MAX: Final = 1_000
"""Slices an iceberg's remaining quantity may be cut into: bounds the trades one order can cause per maker.

The venue allows 15 (v2 reference, section 8.2); whoever speaks for an account refuses more.
"""

TRADES_UNTAKEN_MAX: Final = 1 << 17
"""Recorded trades that may wait for `take_trades`; with more, the compact calls refuse to go on."""


class OrderFlag(IntFlag):
    """What a compact `submit` or `revise` asks for beyond a plain limit order that rests; add them up."""

    IOC = 1
    FOK = 2
    POST_ONLY = 4
    MARKET = 8
    REDUCE_ONLY = 16
    CANCEL_OLDEST = 32
    CANCEL_BOTH = 64


class Command(IntEnum):
    """First number of a row of `batch`."""

    SUBMIT = 0
    WITHDRAW = 1
    REVISE = 2


REFUSALS: Final = (
    "",
    "unknown order",
    "duplicate order",
    "not positive",
    "too large",
    "bad flags",
    "nothing to reduce",
    "display too small",
    "post only",
    "cannot fill",
    "no change",
    "not an iceberg",
    "not reduce-only",
)
"""Why a command was refused, by code: a compact call answers with the code's negative."""

SIDES: Final[tuple[OrderSide, OrderSide]] = ("buy", "sell")
OPPOSITE: Final[dict[OrderSide, OrderSide]] = {"buy": "sell", "sell": "buy"}


class Accepted(NamedTuple):
    """The engine took an order in. `price` is None for a market order.

    `qty` is what it may trade: for a reduce-only order no more than its bound.
    """

    order_id: int
    side: OrderSide
    price: int | None
    qty: int
    time_ns: int


class Refused(NamedTuple):
    """The engine did not do what was asked; the book is as before. `reason`: one of `REFUSALS`."""

    order_id: int
    reason: str
    time_ns: int


class Traded(NamedTuple):
    """One trade at the resting order's price; `maker_left`, `taker_left` are what remains of each, hidden or not."""

    maker_id: int
    taker_id: int
    taker_side: OrderSide
    price: int
    qty: int
    maker_left: int
    taker_left: int
    time_ns: int


class Rested(NamedTuple):
    """An order (or what is left of it) joined the end of the queue at its price. `qty` is what it shows."""

    side: OrderSide
    price: int
    order_id: int
    qty: int
    time_ns: int


class Changed(NamedTuple):
    """A resting order shows less quantity and keeps its place. `reason`: ``trade`` or ``amend``."""

    side: OrderSide
    price: int
    order_id: int
    qty: int
    time_ns: int
    reason: str


class Removed(NamedTuple):
    """A resting order left its place; `qty` is what it showed last.

    `reason`: ``trade``, ``cancel``, ``amend``, ``self trade``, or ``refill``: an iceberg's shown
    part is used up, and the `Rested` that follows shows the next at the end of the same queue.
    """

    side: OrderSide
    price: int
    order_id: int
    qty: int
    time_ns: int
    reason: str


class Finished(NamedTuple):
    """An incoming order ended without resting; `qty` is unfilled.

    `reason`: ``filled``, ``ioc``, ``no liquidity`` or ``self trade``.
    """

    order_id: int
    side: OrderSide
    qty: int
    time_ns: int
    reason: str


class Amended(NamedTuple):
    """A resting order was amended in what the book does not show; `qty` is all that remains of it."""

    order_id: int
    qty: int
    time_ns: int


class BatchResult(NamedTuple):
    """What a batch did: commands carried out, commands refused, trades."""

    done: int
    refused: int
    trades: int


BookChange = Rested | Changed | Removed
"""What changes the resting book: together these rebuild it."""

EngineEvent = Accepted | Refused | Traded | Rested | Changed | Removed | Finished | Amended
