"""One attempt to open a connection: what every transport of an event loop is given, and the bounds it keeps.

Next: `transports`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from krakenwire.client import foreign
from krakenwire.errors import KrakenwireError

__all__ = ["Attempt"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where to connect to, and how long to try.

    Args:
        url: ``ws://`` or ``wss://`` address.
        context: TLS settings, used for ``wss``.
        timeout_s: for name, route, TLS and handshake together.
        hint: what to suggest when no connection can be made.
    """

    url: str
    context: ssl.SSLContext | None
    timeout_s: float
    hint: str = ""

    def failed(self, error: Exception) -> KrakenwireError:
        """Return our error for what made it fail."""
        return foreign.connecting_failed(self.url, error, self.hint)

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """Cancel what is done inside when the time is over.

        Raises:
            TimeoutError: it is over.
        """
        async with asyncio.timeout(self.timeout_s):
            yield
