"""What v1's feeds and REST tell of orders in flat texts, read by the client: words, prices by their places.

Nothing is thrown away because the venue said something new: a word that is
unknown counts as not there; null, an empty text and the zeros that stand for
"not set" do, too. A number that is none is a `DecodeError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple, get_args

from krakenwire.model import Contingent, FeePreference, OrderSide, OrderType, PriceType, TimeInForce, TriggerReference
from krakenwire.model.numbers import decimal_from_text
from krakenwire.model.times import ns_from_unix_text
from krakenwire.protocol.flat_orders import LIMITED, TRIGGERED

__all__ = [
    "ORDER_TYPES",
    "REFERENCES",
    "SIDES",
    "TIMES_IN_FORCE",
    "Places",
    "contingent",
    "fee_preference",
    "leverage",
    "number",
    "parts",
    "places",
    "said",
    "time_ns",
]

ORDER_TYPES: Final[Mapping[str, OrderType]] = {word: word for word in get_args(OrderType)}
SIDES: Final[Mapping[str, OrderSide]] = {word: word for word in get_args(OrderSide)}
REFERENCES: Final[Mapping[str, TriggerReference]] = {word: word for word in get_args(TriggerReference)}
TIMES_IN_FORCE: Final[Mapping[str, TimeInForce]] = {
    spelling: word for word in get_args(TimeInForce) for spelling in (word, word.upper())
}


def number(text: str | int | None) -> Decimal | None:
    """Return a number; None for nothing."""
    return None if text is None or text == "" else decimal_from_text(text)


def said(text: str | None) -> str | None:
    """Return a text; None for an empty one and for the word ``None``."""
    return None if text in (None, "", "None") else text


def time_ns(text: str | int | None) -> int | None:
    """Return a time of Unix seconds; None for nothing and for zero."""
    return None if text is None or text == "" else ns_from_unix_text(str(text)) or None


def parts(text: str | None) -> tuple[str, ...]:
    """Return the parts of a comma list."""
    return tuple(part for part in (text or "").split(",") if part)


def fee_preference(flags: tuple[str, ...]) -> FeePreference | None:
    """Return what fees are charged in by the order flags."""
    if "fcib" in flags:
        return "base"
    return "quote" if "fciq" in flags else None


def leverage(text: str | None) -> int | None:
    """Return the leverage of ``5:1``; None for ``none``, ``0:1`` and nothing."""
    digits = (text or "").partition(":")[0]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 3):
        return None
    return int(digits) or None


class Places(NamedTuple):
    """The prices of an order by what they are, each with its kind."""

    limit: Decimal | None
    limit_kind: PriceType
    trigger: Decimal | None
    trigger_kind: PriceType


def places(order_type: OrderType | None, price: str | None, price2: str | None) -> Places:
    """Return what two prices by their places are, for an order of some type; a zero is none."""
    first, second = _price(price), _price(price2)
    if order_type in TRIGGERED:
        return Places(second[0], second[1], first[0], first[1])
    if order_type is not None and order_type not in LIMITED:
        return Places(None, "static", None, "static")
    return Places(first[0], first[1], None, "static")


def contingent(order_type: str | None, price: str | None, price2: str | None) -> Contingent | None:
    """Return a conditional close by its members."""
    known = ORDER_TYPES.get(order_type or "")
    if known is None:
        return None
    found = places(known, price, price2)
    return Contingent(
        order_type=known,
        trigger_price=found.trigger,
        trigger_price_type=None if found.trigger is None else found.trigger_kind,
        limit_price=found.limit,
        limit_price_type=None if found.limit is None else found.limit_kind,
    )


def _price(text: str | None) -> tuple[Decimal | None, PriceType]:
    """A price and its kind: ``+5.0000%`` is five percent above."""
    if not text:
        return None, "static"
    percent = text.endswith("%")
    value = decimal_from_text(text.removesuffix("%"))
    if percent:
        return value, "pct"
    if text[0] in "+-":
        return value, "quote"
    return (value, "static") if value else (None, "static")
