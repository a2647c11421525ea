"""The row writer in use: the compiled one where it was built, else its readable twin in `rows.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from krakenwire import _native

if TYPE_CHECKING or not _native.ENABLED:
    from krakenwire.tape.rows import RowWriter
else:
    from krakenwire._native import rows

    RowWriter = rows.RowWriter

__all__ = ["RowWriter"]
