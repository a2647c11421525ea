"""Values as people write them in rules - numbers, durations, percentages - read exactly.

The rules file and the command line share these readers, so both accept and
refuse the same spellings. Nothing here rounds and no float is accepted. The
rules made from the values are in `rules.py`.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Literal

import msgspec

from krakenwire.errors import ConfigError, DecodeError
from krakenwire.limits import WATCH_WINDOW_MAX_S
from krakenwire.model.numbers import decimal_from_text

__all__ = ["EXACT", "Amount", "Unit", "amount_from", "duration_from", "duration_text", "number_from", "number_text"]

EXACT = Context(prec=400, Emin=-999, Emax=999)
"""Wire numbers span at most 144 digits, so sums and products of two of them fit without rounding."""

Unit = Literal["quote", "percent", "bps"]

_NUMBER = re.compile(r"[+-]?\d[\d_]*(\.\d+)?([eE][+-]?\d+)?")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNIT_NS = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3_600 * 1_000_000_000,
    "d": 86_400 * 1_000_000_000,
}
_SUFFIXES: dict[str, Unit] = {"%": "percent", "bps": "bps"}
_SUFFIX_TEXT: dict[Unit, str] = {"quote": "", "percent": "%", "bps": "bps"}
_DURATION_EXPECTED = 'a duration such as 30, "30s", "5m" or "1h30m"'


def number_text(value: Decimal) -> str:
    """Return the number in fixed point, all its digits and no exponent."""
    return format(value, "f")


def number_from(what: str, value: object, *, zero: bool = False) -> Decimal:
    """Return an exact positive number.

    Args:
        what: the setting, as the user knows it, for the error's text.
        value: an integer, a `Decimal`, or text.
        zero: whether zero is allowed.

    Raises:
        ConfigError: not a finite number, negative, zero where it may not be,
            out of range, or a float (which is not exact).
    """
    expected = "a number, zero or more" if zero else "a number above zero"
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ConfigError(what, expected=expected, found=_shown(value))
    text = str(value).strip()
    if not _NUMBER.fullmatch(text):
        raise ConfigError(what, expected=expected, found=_shown(value))
    try:
        number = decimal_from_text(text)
    except DecodeError as error:
        raise ConfigError(what, expected=expected, found=_shown(value), hint=f"It is {error.reason}.") from None
    if number < 0 or (number == 0 and not zero):
        raise ConfigError(what, expected=expected, found=_shown(value))
    return number


def duration_from(what: str, value: object, *, zero: bool = False) -> int:
    """Return a duration in nanoseconds.

    Args:
        what: the setting, for the error's text.
        value: seconds as a number, or text such as ``30s``, ``5m``, ``1h30m``, ``250ms``.
        zero: whether zero is allowed.

    Raises:
        ConfigError: not a duration, zero where it may not be, or beyond the bound.
    """
    if isinstance(value, str) and _DURATION.fullmatch(value.strip()):
        parts = _DURATION_PART.findall(value.strip())
        exact = sum((EXACT.multiply(Decimal(digits), Decimal(_UNIT_NS[unit])) for digits, unit in parts), Decimal(0))
    else:
        try:
            exact = EXACT.multiply(number_from(what, value, zero=zero), Decimal(_UNIT_NS["s"]))
        except ConfigError:
            raise ConfigError(what, expected=_DURATION_EXPECTED, found=_shown(value)) from None
    nanoseconds = int(exact)
    if nanoseconds > WATCH_WINDOW_MAX_S * _UNIT_NS["s"]:
        raise ConfigError(what, expected=f"at most {WATCH_WINDOW_MAX_S} seconds", found=_shown(value))
    if nanoseconds == 0 and not zero:
        raise ConfigError(what, expected=f"{_DURATION_EXPECTED}, above zero", found=_shown(value))
    return nanoseconds


def duration_text(nanoseconds: int) -> str:
    """Return a duration as a person writes it: ``90s`` is ``1m30s``."""
    parts = []
    for unit in ("d", "h", "m"):
        count, nanoseconds = divmod(nanoseconds, _UNIT_NS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if nanoseconds or not parts:
        seconds = EXACT.divide(Decimal(nanoseconds), Decimal(_UNIT_NS["s"])).normalize()
        parts.append(f"{number_text(seconds)}s")
    return "".join(parts)


class Amount(msgspec.Struct, frozen=True):
    """A size in quote units, in percent or in basis points of a price."""

    value: Decimal
    unit: Unit = "quote"

    @property
    def text(self) -> str:
        """As a person writes it: ``5``, ``0.2%``, ``10bps``."""
        return number_text(self.value) + _SUFFIX_TEXT[self.unit]

    def of(self, price: Decimal) -> Decimal:
        """Return the amount in quote units, for a price. Exact."""
        if self.unit == "quote":
            return self.value
        return EXACT.multiply(self.value, price).scaleb(-2 if self.unit == "percent" else -4, EXACT)


def amount_from(
    what: str, value: object, *, zero: bool = False, units: tuple[Unit, ...] = ("quote", "percent", "bps")
) -> Amount:
    """Return an amount: a plain number, or text that ends in ``%`` or ``bps``.

    Args:
        what: the setting, for the error's text.
        value: what the user wrote.
        zero: whether zero is allowed.
        units: the units that make sense here.

    Raises:
        ConfigError: not such an amount, or a unit that makes no sense here.
    """
    text = str(value).strip() if isinstance(value, str) else value
    unit: Unit = "quote"
    if isinstance(text, str):
        for suffix, name in _SUFFIXES.items():
            if text.endswith(suffix):
                text, unit = text.removesuffix(suffix).rstrip(), name
    shapes = {"quote": "5", "percent": '"0.5%"', "bps": '"10bps"'}
    expected = "an amount above zero such as " + " or ".join(shapes[name] for name in units)
    if unit not in units:
        raise ConfigError(what, expected=expected, found=_shown(value))
    try:
        return Amount(number_from(what, text, zero=zero), unit)
    except ConfigError:
        raise ConfigError(what, expected=expected, found=_shown(value)) from None


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return f"the float {value!r}, which is not exact: write it as text"
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
