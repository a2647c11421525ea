"""Whose sockets and TLS carry a connection: those of aiofastnet, which picows brings, or the loop's own.

Over TLS a round trip with aiofastnet costs a third less than with asyncio's own, which copies everything
through memory. Next: `native_wire`, `picows`.
"""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

__all__ = ["INSTALLED", "fits"]

INSTALLED: bool = find_spec("aiofastnet") is not None


def fits(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether aiofastnet is there and may be used in a loop: in asyncio's own alone.

    It reads when the loop says so. uvloop says once that a connection was reset, and forgets its socket
    then: where bytes came before that, only they are read, and nobody hears of the end any more.
    """
    return INSTALLED and isinstance(loop, asyncio.BaseEventLoop)
