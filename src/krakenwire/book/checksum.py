"""The venue's book checksum: CRC-32 over the digits of the best levels.

Works on fixed-point text only; turning a number into that text is the book's
business (`digits`). Next: `side`, which keeps the text of every level.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

__all__ = ["book_checksum", "level_digits"]


def level_digits(price: str, qty: str) -> str:
    """Return what one level, or one L3 order, adds to the checksum.

    Args:
        price: fixed-point text with all its trailing zeros.
        qty: the same.

    Source: v2 reference, book checksum: remove the point, then leading zeros.
    """
    return price.replace(".", "").lstrip("0") + qty.replace(".", "").lstrip("0")


def book_checksum(asks: Iterable[str], bids: Iterable[str]) -> int:
    """Return the unsigned CRC-32 of the digits of the best levels.

    Args:
        asks: digits of the best ten asks, lowest price first.
        bids: digits of the best ten bids, highest price first.
    """
    return crc32("".join(bids).encode(), crc32("".join(asks).encode()))
