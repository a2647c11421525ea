"""The compiled twins of the hot paths; every one has a readable twin in the room it serves.

`ENABLED` says whether they are used: they were built, and `KRAKENWIRE_PURE=1`
does not forbid it. Both twins behave alike - the differential tests hold them
to that - so nothing but the choice of the class depends on it.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Final

__all__ = ["BUILT", "ENABLED", "FORBIDDEN", "TWINS"]

TWINS: Final = (
    "books",
    "events",
    "feed",
    "level3",
    "level3_book",
    "level3_reading",
    "matching",
    "matching_book",
    "matching_events",
    "redact",
    "rows",
    "simulator",
    "simulator_book",
    "simulator_fills",
    "simulator_orders",
    "sink",
    "trades",
    "wire",
)
"""The compiled modules of this package: all of them are there, or none is used."""

FORBIDDEN: Final = os.environ.get("KRAKENWIRE_PURE", "") not in ("", "0")
"""Whether the environment asks for the pure-Python twins."""

BUILT: Final = all(find_spec(f"{__name__}.{name}") is not None for name in TWINS)
"""Whether this installation has the compiled twins; without a C compiler it has none."""

ENABLED: Final = BUILT and not FORBIDDEN
"""Whether the compiled twins are in use."""
