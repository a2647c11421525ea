"""Values as v1 and REST write them: flat texts, prices with a sign or a percent, times that count from now.

Both directions are here, one beside the other. What cannot be read is
declined with the engine's text and REST's name of the member, as the v2 side
does; `flat_orders` puts the values together. Source: v1 reference, sections
10.1 and 11.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from krakenwire import limits
from krakenwire.errors import DecodeError, SymbolError, UsageError
from krakenwire.model import OrderType, PriceType
from krakenwire.model.market import OrderSide
from krakenwire.model.numbers import decimal_from_text
from krakenwire.model.times import ns_from_unix_text
from krakenwire.protocol.symbols import to_v2
from krakenwire.protocol.v2.refusals import Declined
from krakenwire.protocol.v2.venue_values import invalid
from krakenwire.protocol.v2.venue_values import userref as userref_in_range

__all__ = [
    "Declined",
    "Price",
    "exact_text",
    "flag",
    "flags",
    "invalid",
    "leverage",
    "moment",
    "moment_text",
    "number",
    "number_text",
    "price",
    "price_text",
    "require",
    "rises",
    "scalar_text",
    "symbol_or_text",
    "userref",
    "whole",
    "word",
]

Texts = Mapping[str, str]

_SECOND: Final = 1_000_000_000
_SIGNED_DIGITS: Final = re.compile(r"[+-]?[0-9]{1,20}")
_PRICE: Final = re.compile(r"([+#-]?)([0-9][^%]*)(%?)")
_AHEAD: Final = re.compile(r"\+([0-9]{1,10})")
_LEVERAGE: Final = re.compile(r"([0-9]{1,3})(?::1)?")
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}
_NO_LEVERAGE: Final = ("none", "0", "0:1")
_OFLAGS: Final = ("fcib", "fciq", "nompp", "post", "viqc")
_TAKES_PROFIT: Final = ("take-profit", "take-profit-limit")
_TRAILING: Final = ("trailing-stop", "trailing-stop-limit")

_WordT = TypeVar("_WordT", bound=str)


# -- texts -----------------------------------------------------------------------


def exact_text(number: str) -> msgspec.Raw:
    """Return a JSON number as it was written: for decoders, so that no float comes into being."""
    return msgspec.Raw(number.encode())


def scalar_text(value: Any) -> str | None:
    """Return the text of a JSON string, number or boolean; None for anything else.

    Args:
        value: as decoded with `exact_text`.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 64 else None
    return bytes(value).decode() if isinstance(value, msgspec.Raw) else None


def require(given: Texts, *names: str) -> None:
    """Decline what lacks a member, or has it empty."""
    for name in names:
        if not given.get(name):
            raise invalid(name)


# -- words -----------------------------------------------------------------------


def word(given: Texts, name: str, words: tuple[_WordT, ...], default: _WordT) -> _WordT:
    """Return one of the words that a member may have, in any case."""
    found = given.get(name, "").lower()
    for known in words:
        if known == found:
            return known
    if found:
        raise invalid(name)
    return default


def flag(given: Texts, name: str) -> bool:
    """Return whether a member says yes; without it, no."""
    text = given.get(name, "")
    if not text:
        return False
    found = _FLAGS.get(text.lower())
    if found is None:
        raise invalid(name)
    return found


def flags(given: Texts) -> frozenset[str]:
    """Return the order flags of a comma list."""
    found = frozenset(filter(None, (part.strip() for part in given.get("oflags", "").split(","))))
    if not found.issubset(_OFLAGS) or {"fcib", "fciq"} <= found:
        raise invalid("oflags")
    return found


def leverage(given: Texts) -> int | None:
    """Return the leverage: ``5`` or ``5:1``; None for ``none`` and for nothing."""
    text = given.get("leverage", "")
    if not text or text in _NO_LEVERAGE:
        return None
    match = _LEVERAGE.fullmatch(text)
    if match is None:
        raise invalid("leverage")
    return int(match[1])


def whole(given: Texts, name: str) -> int | None:
    """Return an integer of at most 20 digits."""
    text = given.get(name, "")
    if not text:
        return None
    if _SIGNED_DIGITS.fullmatch(text) is None:
        raise invalid(name)
    return int(text)


def userref(given: Texts, name: str = "userref") -> int | None:
    """Return a tag of 32 bits."""
    return userref_in_range(whole(given, name))


def symbol_or_text(pair: str) -> str:
    """Return the v2 spelling of a pair; what is none is left for the exchange to refuse."""
    try:
        return to_v2(pair)
    except SymbolError:
        return pair


# -- numbers ---------------------------------------------------------------------


def number(given: Texts, name: str) -> Decimal | None:
    """Return a number of bounded size, not below zero."""
    text = given.get(name, "")
    return _number(text, name) if text else None


def _number(text: str, name: str) -> Decimal:
    try:
        value = decimal_from_text(text)
    except DecodeError:
        raise invalid(name) from None
    if value.adjusted() >= limits.VENUE_NUMBER_DIGITS_MAX or (value.is_signed() and value):
        raise invalid(name)
    return value


def number_text(value: Decimal) -> str:
    """Return the fixed-point text of a number.

    Raises:
        UsageError: below zero, or not finite.
    """
    if not value.is_finite() or value < 0:
        raise UsageError("a number of an order", expected="one that is finite and not below zero", found=value)
    return f"{value:f}"


class Price(NamedTuple):
    """A price and how it is meant."""

    value: Decimal
    kind: PriceType


def price(given: Texts, name: str, up: bool | None = None) -> Price | None:
    """Return a price: ``9000``, ``+5``, ``-1.5%``, or ``#5``, whose direction the order knows.

    Args:
        given: the members.
        name: of the price.
        up: whether ``#`` adds; None where it is not allowed.
    """
    text = given.get(name, "")
    if not text:
        return None
    match = _PRICE.fullmatch(text)
    if match is None:
        raise invalid(name)
    sign, digits, percent = match.groups()
    if (percent and not sign) or (sign == "#" and up is None):
        raise invalid(name)
    value = _number(digits, name)
    if sign == "-" or (sign == "#" and not up):
        value = -value
    if not sign:
        return Price(value, "static")
    return Price(value, "pct" if percent else "quote")


def price_text(value: Decimal, kind: PriceType) -> str:
    """Return a price as `price` reads it.

    Raises:
        UsageError: an absolute price below zero, or a number that is not finite.
    """
    text = number_text(abs(value) if kind != "static" else value)
    if kind == "static":
        return text
    sign = "-" if value.is_signed() else "+"
    return f"{sign}{text}%" if kind == "pct" else sign + text


def rises(order_type: OrderType, side: OrderSide) -> bool | None:
    """Return whether ``#`` puts the first price of an order above the market; None where it has no meaning."""
    if order_type in _TRAILING:
        return None
    if order_type in ("limit", "iceberg", *_TAKES_PROFIT):
        return side == "sell"
    return side == "buy"


# -- times -----------------------------------------------------------------------


def moment(given: Texts, name: str, now_ns: int) -> int | None:
    """Return a time of Unix seconds, or ``+n`` of them from now in whole ones; None for ``0`` and for nothing."""
    text = given.get(name, "")
    if not text:
        return None
    ahead = _AHEAD.fullmatch(text)
    if ahead is not None:
        return (now_ns // _SECOND + int(ahead[1])) * _SECOND
    try:
        return ns_from_unix_text(text) or None
    except DecodeError:
        raise invalid(name) from None


def moment_text(ns: int) -> str:
    """Return Unix seconds, cut."""
    return str(ns // _SECOND)
