"""One attempt to open a connection: what every transport of an event loop is given, and the bounds it keeps.

Time in which the loop was held up by its user's code does not count: the answer may be there, not read yet.
Next: `transports`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from krakenwire.client import foreign
from krakenwire.errors import KrakenwireError

__all__ = ["Attempt"]

_LATE_S: Final = 0.05
"""A time-out later than this was held up by somebody's code."""

_READ_S: Final = 0.001
"""One that was not still leaves the loop a turn to read what waits."""


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
        """Cancel what is done inside when the time is over; held-up time at most doubles it.

        Raises:
            TimeoutError: it is over.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + self.timeout_s
        last = due + self.timeout_s
        timer: asyncio.TimerHandle

        def fire() -> None:
            nonlocal due, timer
            late_s = loop.time() - due
            if late_s <= _LATE_S or due >= last:
                scope.reschedule(loop.time() + _READ_S)
                return
            due = min(loop.time() + late_s, last)
            timer = loop.call_at(due, fire)

        async with asyncio.timeout(None) as scope:
            timer = loop.call_at(due, fire)
            try:
                yield
            finally:
                timer.cancel()
