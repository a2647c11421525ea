"""Orders in words, as v1 and REST describe them: ``buy 0.00200000 XBTUSD @ limit 9857.0 with 5:1 leverage``.

Answers and REST entries speak with spaces and arrows and call the pair by its
`altname`; entries of `openOrders` keep the order type as it is and call the
pair by its `wsname`. Nobody should parse either. Source: v1 reference, section 10.7.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final, NamedTuple

import msgspec

from krakenwire.model import AddOrder, Conditional, Contingent, OrderRecord, OrderSide, OrderType, PriceType

__all__ = [
    "NO_POSITION",
    "VOLUME_DECIMALS",
    "PairTexts",
    "Words",
    "feed_words",
    "fixed",
    "order_flags",
    "priced",
    "record_words",
    "request_words",
]

VOLUME_DECIMALS: Final = 8

NO_POSITION: Final = "TKH2SE-M7IF5-CFI7LT"
"""The position of every trade without margin."""

_PERCENT_DECIMALS: Final = 4
_WIDE: Final = Context(prec=120, rounding=ROUND_HALF_UP)
"""Holds any number of a record at any number of decimals."""


class PairTexts(msgspec.Struct, frozen=True, kw_only=True):
    """How private messages of v1 and REST call a pair, and how many decimals they give its numbers.

    Args:
        rest_key, altname, wsname: ``XXBTZUSD``, ``XBTUSD``, ``XBT/USD``.
        price_decimals: of prices in REST and in words.
        cost_decimals: of costs and fees in REST.
        v1_decimals: of every price, cost and fee of v1's feeds.
    """

    rest_key: str
    altname: str
    wsname: str
    price_decimals: int
    cost_decimals: int
    v1_decimals: int


class Words(NamedTuple):
    """An order in words.

    Args:
        order: the whole; `close` its conditional close, empty without one.
        price, price2: its prices by their places, empty where there is none.
    """

    order: str
    close: str
    price: str
    price2: str


def fixed(value: Decimal, decimals: int) -> str:
    """Return a number with a fixed number of decimals, rounded half up."""
    return f"{value.quantize(Decimal(1).scaleb(-decimals), context=_WIDE):f}"


def priced(value: Decimal | None, kind: PriceType, decimals: int) -> str:
    """Return a price as private messages tell it: ``9857.0``, ``+100.0``, ``-5.0000%``; empty without one."""
    if value is None:
        return ""
    if kind == "static":
        return fixed(value, decimals)
    sign = "-" if value.is_signed() else "+"
    return f"{sign}{fixed(abs(value), _PERCENT_DECIMALS)}%" if kind == "pct" else sign + fixed(abs(value), decimals)


def request_words(request: AddOrder, pair: PairTexts) -> Words:
    """Return how the answer to a new order describes it."""
    volume = request.order_qty if request.cash_order_qty is None else request.cash_order_qty
    trigger = request.triggers
    terms = _Terms(
        request.order_type,
        request.limit_price,
        request.limit_price_type,
        None if trigger is None else trigger.price,
        "static" if trigger is None else trigger.price_type,
    )
    return _words(request.side, volume, terms, request.leverage, request.conditional, pair.altname, pair.price_decimals)


def record_words(record: OrderRecord, pair: PairTexts) -> Words:
    """Return how REST describes an order."""
    terms = _of_record(record)
    volume, close = record.order_qty, record.conditional
    return _words(record.side, volume, terms, record.leverage, close, pair.altname, pair.price_decimals)


def feed_words(record: OrderRecord, pair: PairTexts) -> Words:
    """Return how v1's `openOrders` describes an order; a price that is not there is a zero."""
    terms, zero = _of_record(record), fixed(Decimal(0), pair.v1_decimals)
    price, price2 = _places(terms, pair.v1_decimals)
    behind = f", limit {price2}" if price2 else ""
    volume = fixed(record.order_qty, VOLUME_DECIMALS)
    order = f"{record.side} {volume} {pair.wsname} @ {record.order_type} {price or zero}{behind}"
    close = _close(record.conditional, pair.v1_decimals)
    return Words(order + _leverage(record.leverage), close, price or zero, price2 or zero)


def order_flags(record: OrderRecord) -> str:
    """Return the order flags as a comma list, the fee's first."""
    found = ["fcib" if record.fee_preference == "base" else "fciq"]
    found += ["post"] if record.post_only else []
    found += ["viqc"] if record.in_quote else []
    return ",".join(found)


# -- inside ----------------------------------------------------------------------


class _Terms(NamedTuple):
    order_type: OrderType
    limit_price: Decimal | None
    limit_kind: PriceType
    trigger_price: Decimal | None
    trigger_kind: PriceType


def _of_record(record: OrderRecord) -> _Terms:
    trigger = record.triggers
    return _Terms(
        record.order_type,
        record.limit_price,
        record.limit_price_type,
        None if trigger is None else trigger.price,
        "static" if trigger is None else trigger.price_type,
    )


def _words(
    side: OrderSide,
    volume: Decimal | None,
    terms: _Terms,
    leverage: int | None,
    close: Conditional | Contingent | None,
    pair: str,
    decimals: int,
) -> Words:
    price, price2 = _places(terms, decimals)
    size = fixed(volume or Decimal(0), VOLUME_DECIMALS)
    order = f"{side} {size} {pair} @ {_spoken(terms.order_type, price, price2)}{_leverage(leverage)}"
    return Words(order, _close(close, decimals), price, price2)


def _places(terms: _Terms, decimals: int) -> tuple[str, str]:
    """The prices by their places: the trigger's before the limit's, where there is one."""
    limit = priced(terms.limit_price, terms.limit_kind, decimals)
    trigger = priced(terms.trigger_price, terms.trigger_kind, decimals)
    return (trigger, limit) if trigger else (limit, "")


def _spoken(order_type: OrderType, price: str, price2: str) -> str:
    """``limit 0.9980``, ``stop loss 24000.0 -> limit 25000.0``, ``market``."""
    spoken = order_type.removesuffix("-limit").replace("-", " ")
    behind = f" -> limit {price2}" if price2 else ""
    return f"{spoken} {price}{behind}" if price else spoken


def _close(close: Conditional | Contingent | None, decimals: int) -> str:
    if close is None:
        return ""
    limit_kind, trigger_kind = close.limit_price_type or "static", close.trigger_price_type or "static"
    terms = _Terms(close.order_type, close.limit_price, limit_kind, close.trigger_price, trigger_kind)
    return f"close position @ {_spoken(close.order_type, *_places(terms, decimals))}"


def _leverage(leverage: int | None) -> str:
    return "" if leverage is None else f" with {leverage}:1 leverage"
