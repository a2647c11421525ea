"""What every book says about itself: whose it is, whether it is live, whether it is proven.

Nothing of a book's levels is readable while it is not live. Next:
`l2_reading`, `l3_reading`.
"""

from __future__ import annotations

from typing import Literal

from krakenwire.errors import StaleData

__all__ = ["BookState", "BookStatus"]

BookState = Literal["empty", "live", "resyncing"]
"""Before its first snapshot; readable; waiting for a new snapshot."""


class BookStatus:
    """The identity and state of one book.

    Attributes:
        symbol: v2 spelling.
        depth: price levels a side that the subscription carries.
        verified_count: messages whose checksum was right.
    """

    __slots__ = ("_crc", "_state", "_verified", "depth", "symbol", "verified_count")

    symbol: str
    depth: int
    verified_count: int
    _state: BookState
    _verified: bool
    _crc: int

    @property
    def state(self) -> BookState:
        """``empty``, ``live`` or ``resyncing``."""
        return self._state

    @property
    def verified(self) -> bool:
        """Whether the book is live and its last message carried a checksum, which was right."""
        return self._verified

    @property
    def checksum(self) -> int:
        """Our own CRC-32 of the best ten levels a side."""
        self._need_live()
        return self._crc

    def _need_live(self) -> None:
        if self._state != "live":
            raise StaleData(self.symbol, self._state)

    def _summary(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        name = f"{type(self).__name__}({self.symbol} depth={self.depth} {self._state}"
        return f"{name} {self._summary()} verified={self._verified})" if self._state == "live" else f"{name})"
