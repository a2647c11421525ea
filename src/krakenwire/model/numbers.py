"""Exact numbers: wire text, scaled integers and `Decimal`, without a float anywhere.

A price is held as a count of ticks, a quantity as a count of lots: an integer
plus the number of decimals it is scaled by. Users see `Decimal`. Nothing here
rounds: what does not fit the asked precision is an error, never a guess.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal

from krakenwire.errors import DecodeError
from krakenwire.limits import NUMBER_CHARS_MAX, NUMBER_EXPONENT_MAX

__all__ = ["decimal_from_text", "decimals_in", "fixed_text", "scaled_from_text", "scaled_to_decimal"]

# ASCII only: Decimal and int would also take underscores, blanks and foreign digits.
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")

_PLAIN = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
"""Nearly every number of a feed: inside all limits by its form, so it needs no second look."""

_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Rounds nothing, whatever the thread's own context does."""

_UNITS = tuple(Decimal((0, (1,), -decimals)) for decimals in range(40))
"""One step, by its decimals: more than two numbers of a venue multiplied have."""


def decimal_from_text(text: str | int) -> Decimal:
    """Return the exact value of a JSON number.

    Args:
        text: digits with optional sign, point and exponent; or an integer.

    Raises:
        DecodeError: not a finite number, or beyond the stated limits.
    """
    if isinstance(text, int):
        text = str(text)
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    if len(text) > NUMBER_CHARS_MAX:
        raise DecodeError(f"a number of {len(text)} characters, the limit is {NUMBER_CHARS_MAX}", text)
    if _NUMBER.fullmatch(text) is None:
        raise DecodeError("not a number", text)
    value = Decimal(text)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > NUMBER_EXPONENT_MAX:
        raise DecodeError("a number out of range", text)
    return value


def decimals_in(text: str | int) -> int:
    """Return how many decimals the fixed-point form of a number has.

    ``"0.00100000"`` has 8, ``"5.1e-05"`` has 6, ``"28440"`` has 0.

    Raises:
        DecodeError: as `decimal_from_text`.
    """
    if isinstance(text, int):
        return 0
    exponent = decimal_from_text(text).as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def scaled_from_text(text: str | int, decimals: int) -> int | None:
    """Return the number as an integer scaled by ``10**decimals``.

    Args:
        text: a JSON number, fixed point or with an exponent.
        decimals: the scale.

    Returns:
        The scaled integer, or None when the value has more significant
        decimals than the scale holds (nothing is rounded).

    Raises:
        DecodeError: as `decimal_from_text`.
    """
    sign, digits, exponent = decimal_from_text(text).as_tuple()
    assert isinstance(exponent, int)
    value: int = int("".join(map(str, digits)) or "0")
    shift = exponent + decimals
    if shift >= 0:
        value *= int(10**shift)
    else:
        value, rest = divmod(value, 10**-shift)
        if rest:
            return None
    return -value if sign else value


def fixed_text(value: int, decimals: int) -> str:
    """Return the fixed-point text of a scaled integer, all trailing zeros kept."""
    if decimals == 0:
        return str(value)
    digits = str(abs(value)).rjust(decimals + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def scaled_to_decimal(value: int, decimals: int) -> Decimal:
    """Return the exact `Decimal` of a scaled integer, with `decimals` decimals."""
    if 0 <= decimals < len(_UNITS):
        return _EXACT.multiply(value, _UNITS[decimals])
    return Decimal(fixed_text(value, decimals))
