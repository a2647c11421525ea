"""The exact slow path from number text to scaled integers.

Books read padded fixed-point text directly; whatever else a peer may write -
an exponent, an integer, missing or surplus decimals - comes through here.
Nothing is rounded: the scale grows instead. Next: `side`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from krakenwire.errors import DecodeError
from krakenwire.limits import NUMBER_EXPONENT_MAX
from krakenwire.model.market import WireLevel
from krakenwire.model.numbers import decimal_from_text, scaled_from_text

__all__ = ["most_decimals", "price_and_qty", "scaled", "shown_decimals"]


def shown_decimals(text: str) -> int:
    """Return how many decimals a number shows: digits after the point, zeros included.

    Number text with an exponent shows no padding: its significant decimals count.

    Raises:
        DecodeError: not a finite number of acceptable length, or negative.
    """
    text = str(text)
    whole, _, fraction = text.partition(".")
    if len(text) <= NUMBER_EXPONENT_MAX and fraction.isdigit() and whole.isdigit() and text.isascii():
        return len(fraction)
    sign, digits, exponent = decimal_from_text(text).as_tuple()
    assert isinstance(exponent, int)
    if sign and any(digits):
        raise DecodeError("a negative price or quantity", text)
    if "e" in text or "E" in text:
        kept = "".join(map(str, digits)).rstrip("0")
        exponent = exponent + len(digits) - len(kept) if kept else 0
    return max(0, -exponent)


def most_decimals(levels: Iterable[WireLevel], price: int, qty: int) -> tuple[int, int]:
    """Return the most decimals that prices and quantities show, at least those given.

    Raises:
        DecodeError: as `shown_decimals`, or a level that is not price and quantity.
    """
    for level in levels:
        price_text, qty_text = price_and_qty(level)
        price = max(price, shown_decimals(price_text))
        qty = max(qty, shown_decimals(qty_text))
    return price, qty


def price_and_qty(level: WireLevel) -> tuple[str, str]:
    """Return the two members of a level that every version has.

    Raises:
        DecodeError: there are not two.
    """
    if isinstance(level, str) or not isinstance(level, Sequence) or len(level) < 2:
        raise DecodeError("a level is not price and quantity", str(level))
    return level[0], level[1]


def scaled(text: str, decimals: int) -> int:
    """Return the number scaled by ``10**decimals``, which must hold it (see `shown_decimals`).

    Raises:
        DecodeError: as `shown_decimals`.
    """
    value = scaled_from_text(str(text), decimals)
    assert value is not None, "the scale was grown before"
    return value
