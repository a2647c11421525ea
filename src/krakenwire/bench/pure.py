"""The pure-Python twin measured where the compiled ones are forbidden: prints its rows as JSON.

`pure_twin_rows` runs this module in a process of its own with `KRAKENWIRE_PURE=1`.
"""

from __future__ import annotations

import sys

import msgspec

from krakenwire import _native
from krakenwire.bench.children import answer
from krakenwire.bench.offline import pure_rows
from krakenwire.bench.rows import Row

__all__ = ["pure_twin_rows"]


def pure_twin_rows(rounds: int, quick: bool) -> list[Row]:
    """Return a row for each depth."""
    rows = answer("krakenwire.bench.pure", str(rounds), str(int(quick)), environment={"KRAKENWIRE_PURE": "1"})
    return msgspec.convert(rows, list[Row])


if __name__ == "__main__":
    assert not _native.ENABLED
    sys.stdout.write(msgspec.json.encode(pure_rows(int(sys.argv[1]), bool(int(sys.argv[2])))).decode())
