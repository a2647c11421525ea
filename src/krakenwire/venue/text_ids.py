"""Text form of the venue's ids: ``OXXXXX-XXXXX-XXXXXX``, unique over all that is numbered, and reversible.

Orders of one instrument, fills and ledger entries are numbered 1, 2, 3 ...;
the text mixes that number with a key made from a name. Source for the form:
v2 reference, section 2.7.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from krakenwire.errors import DecodeError

__all__ = ["TextIds"]

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES: Final = {digit: value for value, digit in enumerate(_ALPHABET)}
_PAIRS: Final = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_SPACE: Final = 36**16
_COUNTER_BITS: Final = 34
_KEY_BITS: Final = 48
_STRIDE: Final = 0x9E3779B97F4A7C15F39D
"""Odd and not a multiple of three, so multiplying by it is a bijection modulo 36**16."""
_STRIDE_BACK: Final = pow(_STRIDE, -1, _SPACE)


class TextIds:
    """The ids of one kind of thing.

    Args:
        prefix: first letter: ``O`` for orders, ``T`` for fills and amends, ``L`` for ledger entries.
        name: what is numbered; a v2 symbol for the orders of an instrument.
    """

    def __init__(self, prefix: str, name: str) -> None:
        self._prefix = prefix
        self._key = int.from_bytes(sha256(name.encode()).digest()[: _KEY_BITS // 8], "big")

    def text(self, number: int) -> str:
        """Return the text of a number, from 0 to 2**34 - 1."""
        assert 0 <= number < 1 << _COUNTER_BITS
        value = ((self._key << _COUNTER_BITS | number) * _STRIDE) % _SPACE
        digits = ""
        for _ in range(8):
            value, pair = divmod(value, 1296)
            digits = _PAIRS[pair] + digits
        return f"{self._prefix}{digits[:5]}-{digits[5:10]}-{digits[10:]}"

    def number(self, text: str) -> int:
        """Return the number of a text.

        Raises:
            DecodeError: not such a text, or one of another kind.
        """
        digits = text[1:6] + text[7:12] + text[13:]
        well_formed = len(text) == 19 and text[0] == self._prefix and text[6] == "-" and text[12] == "-"
        if not well_formed or not _VALUES.keys() >= set(digits):
            raise DecodeError("not such an id", text)
        value = 0
        for digit in digits:
            value = value * 36 + _VALUES[digit]
        key, number = divmod(value * _STRIDE_BACK % _SPACE, 1 << _COUNTER_BITS)
        if key != self._key:
            raise DecodeError("an id of something else", text)
        return number


def is_well_formed(text: str) -> bool:
    """Return whether a text has the form of an order id, whoever's it is."""
    return len(text) == 19 and text[6] == "-" and text[12] == "-" and _VALUES.keys() >= set(text.replace("-", ""))
