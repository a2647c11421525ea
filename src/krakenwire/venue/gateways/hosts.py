"""Which half of the venue an address serves, and what each says to who came to the wrong one.

Kraken has a host for public market data, one for private data and trading, and
one for level3; a local venue is by default all three at once. Source: v2
reference, sections 1 and 12.1; v1 reference, section 11.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

__all__ = ["ELSEWHERE", "SERVED", "Half", "Host"]

Host = Literal["any", "public", "private", "level3"]
"""An address for WebSocket connections: one that serves everything, or one of the three."""

Half = Literal["public", "private", "level3"]
"""What a request is about; a ping is about none and answered everywhere."""

SERVED: Final[Mapping[Host, frozenset[Half]]] = {
    "any": frozenset(("public", "private", "level3")),
    "public": frozenset(("public",)),
    "private": frozenset(("private",)),
    "level3": frozenset(("level3",)),
}

ELSEWHERE: Final[Mapping[Half, str]] = {
    "private": "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com",
    "public": "Public market data subscriptions are unavailable on this endpoint. Try ws.kraken.com",
    "level3": "Level3 market data subscriptions are unavailable on this endpoint. Try ws-l3.kraken.com",
}
"""The refusal of each half where it is not served. The first two are recorded, the last is made like them."""
