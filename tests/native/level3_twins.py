"""The twins of the L3 book under one name each, for tests that hold for all of them.

``frames`` is the native book fed with frames, as the client feeds it; what its reader does not take is
applied, as the client does too. Next: `tests/unit/book/test_l3.py`, `test_level3_twin`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from krakenwire import _native
from krakenwire.book.l3 import L3Book as PureBook
from krakenwire.errors import ChecksumMismatch, StaleData
from krakenwire.model import Level3Update
from krakenwire.protocol.v2 import encode

__all__ = ["TWINS", "need"]

VERIFIED, UNVERIFIED, MISMATCH, STALE = 1, 2, 3, 4


def need(twin: str) -> None:
    """Skip the test where a twin is not in use."""
    if twin != "pure" and not _native.ENABLED:
        pytest.skip("the compiled twins are not in use")


def _applied() -> Any:
    from krakenwire._native.level3 import L3Book

    return L3Book


def _fed() -> Any:
    from krakenwire._native.level3 import L3Book as Native
    from krakenwire._native.level3 import Level3Reader

    class L3Book(Native):  # type: ignore[misc]
        """Applies a message by way of its frame."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.taken = 0
            self._reader = Level3Reader(lambda symbol, kind, levels: self)

        def apply(self, update: Level3Update) -> None:
            done = self._reader.read(encode.level3(update).encode())
            if done is None:
                super().apply(update)
                return
            self.taken += 1
            status, event = done
            if status == STALE:
                raise StaleData(self.symbol, self.state)
            update.book, update.verified = self, status == VERIFIED
            assert event.book is self
            assert event == update
            assert repr(event) == repr(update)
            if status == MISMATCH:
                assert update.checksum is not None
                raise ChecksumMismatch(self.symbol, update.checksum, self.found)

    return L3Book


TWINS: Final[dict[str, Callable[[], Any]]] = {"pure": lambda: PureBook, "applied": _applied, "frames": _fed}
