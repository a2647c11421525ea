"""Orders, their ids, and the events a matching engine answers with.

The vocabulary of `matching.py` and of its compiled twin: plain integers
(ticks, lots, nanoseconds) and tuples. Nothing here knows accounts.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from hashlib import sha256
from typing import Final, Literal, NamedTuple

from krakenwire.errors import DecodeError
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
    "OrderIds",
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


_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES: Final = {digit: value for value, digit in enumerate(_ALPHABET)}
_SPACE: Final = 36**16
_COUNTER_BITS: Final = 34
_KEY_BITS: Final = 48
_STRIDE: Final = 0x9E3779B97F4A7C15F39D
"""Odd and not a multiple of three, so multiplying by it is a bijection modulo 36**16."""
_STRIDE_BACK: Final = pow(_STRIDE, -1, _SPACE)


class OrderIds:
    """Text form of one instrument's order ids: ``OXXXXX-XXXXX-XXXXXX``, unique over instruments, reversible.

    An engine numbers its orders 1, 2, 3 ...; the text mixes that number with
    a key made from the symbol. Source for the form: v2 reference, section 2.7.

    Args:
        symbol: v2 spelling.
    """

    def __init__(self, symbol: str) -> None:
        self._key = int.from_bytes(sha256(symbol.encode()).digest()[: _KEY_BITS // 8], "big")

    def text(self, order_id: int) -> str:
        """Return the text of an order number, from 0 to 2**34 - 1."""
        assert 0 <= order_id < 1 << _COUNTER_BITS
        value = ((self._key << _COUNTER_BITS | order_id) * _STRIDE) % _SPACE
        digits = ""
        for _ in range(16):
            value, digit = divmod(value, 36)
            digits = _ALPHABET[digit] + digits
        return f"O{digits[:5]}-{digits[5:10]}-{digits[10:]}"

    def number(self, text: str) -> int:
        """Return the order number of a text.

        Raises:
            DecodeError: not such a text, or another instrument's.
        """
        digits = text[1:6] + text[7:12] + text[13:]
        if len(text) != 19 or text[0] != "O" or text[6] != "-" or text[12] != "-" or not _VALUES.keys() >= set(digits):
            raise DecodeError("not an order id", text)
        value = 0
        for digit in digits:
            value = value * 36 + _VALUES[digit]
        key, order_id = divmod(value * _STRIDE_BACK % _SPACE, 1 << _COUNTER_BITS)
        if key != self._key:
            raise DecodeError("an order id of another instrument", text)
        return order_id
