"""Order books held and proven by checksum: L2 by price level, L3 by order.

Pure: takes decoded messages, gives readings. Never rounds a number, never
shows a book as live that its checksum contradicts. Start reading at `l2`; its
compiled twin, which behaves alike, takes its place here where it was built.
"""

from typing import TYPE_CHECKING

from krakenwire import _native
from krakenwire.book.checksum import book_checksum, level_digits

if TYPE_CHECKING or not _native.ENABLED:
    from krakenwire.book.frozen import FrozenL2Book, FrozenL3Book
    from krakenwire.book.l2 import L2Book
    from krakenwire.book.l3 import L3Book
else:
    from krakenwire._native import books, level3

    FrozenL2Book, L2Book = books.FrozenL2Book, books.L2Book
    FrozenL3Book, L3Book = level3.FrozenL3Book, level3.L3Book

__all__ = ["FrozenL2Book", "FrozenL3Book", "L2Book", "L3Book", "book_checksum", "level_digits"]
