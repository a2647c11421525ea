"""Single values of REST answers as a client reads them: numbers, times, words and pairs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from krakenwire.errors import DecodeError, SymbolError
from krakenwire.model.numbers import decimal_from_text
from krakenwire.model.times import ns_from_unix_text
from krakenwire.protocol.symbols import to_v2

__all__ = ["JsonTime", "TextNumber", "exact", "exact_ns", "known_word", "symbol_of"]

TextNumber = str | int

JsonTime = Decimal | int
"""JSON numbers, read exactly."""

_WordT = TypeVar("_WordT", bound=str)


def known_word(found: str, words: Mapping[str, _WordT], what: str) -> _WordT:
    """Return a word that a record cannot do without.

    Raises:
        DecodeError: none of `words`.
    """
    known = words.get(found)
    if known is None:
        raise DecodeError(f"an unknown {what}", found)
    return known


def symbol_of(pair: str) -> str:
    """Return the v2 symbol of a pair; as it is written where that cannot be read."""
    try:
        return to_v2(pair)
    except SymbolError:
        return pair


def exact(text: TextNumber) -> Decimal:
    """Return a number."""
    return decimal_from_text(text)


def exact_ns(time: JsonTime) -> int:
    """Return nanoseconds; the exponent is bounded before it is spelled out, as a short number can stand for much."""
    return ns_from_unix_text(f"{decimal_from_text(str(time)):f}")
