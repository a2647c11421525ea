"""Order books held and proven by checksum: L2 by price level, L3 by order.

Pure: takes decoded messages, gives readings. Never rounds a number, never
shows a book as live that its checksum contradicts. Start reading at `l2`; its
compiled twin, which behaves alike, takes its place here where it was built.
"""

from typing import TYPE_CHECKING

from krakenwire._native import ENABLED
from krakenwire.book.checksum import book_checksum, level_digits

if TYPE_CHECKING or not ENABLED:
    from krakenwire.book.frozen import FrozenL2Book, FrozenL3Book
    from krakenwire.book.l2 import L2Book
    from krakenwire.book.l3 import L3Book
else:
    from krakenwire._native.books import FrozenL2Book, L2Book
    from krakenwire._native.level3 import FrozenL3Book, L3Book

__all__ = ["FrozenL2Book", "FrozenL3Book", "L2Book", "L3Book", "book_checksum", "level_digits"]
