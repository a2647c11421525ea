"""Which transport carries a connection in an event loop.

The compiled one hands its own buffer to the sink; picows hands over bytes. Both
behave alike and give the same errors. Next: `native_wire`, `picows`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from krakenwire import _native
from krakenwire.client import picows
from krakenwire.client.attempt import Attempt
from krakenwire.errors import KrakenwireError, UsageError
from krakenwire.session.reading import Sink

__all__ = ["LOOP_TRANSPORTS", "LoopTransport", "Wire", "open_wire"]

LoopTransport = Literal["auto", "native", "picows"]
LOOP_TRANSPORTS: Final = ("auto", "native", "picows")


class Wire(Protocol):
    """One open WebSocket connection, client side; see `krakenwire.client.picows.Wire`."""

    def send(self, text: str) -> None: ...
    def pause(self, paused: bool) -> None: ...
    def close(self, code: int = 1000, reason: str = "") -> None: ...
    async def ended(self) -> KrakenwireError: ...


async def open_wire(
    attempt: Attempt, on_open: Callable[[Any], None], sink: Sink, transport: LoopTransport = "auto"
) -> Wire:
    """Return an open connection whose messages go into a sink.

    Args:
        attempt: where to, and how long to try.
        on_open: told of the connection before any message, which may have come together with the handshake.
        sink: takes the messages, from the first one on.
        transport: ``auto`` is the compiled one where it is there.

    Raises:
        KrakenwireError: `ConnectError`, `TlsError`, `HandshakeError`; `UsageError` for a transport that is not there.
    """
    native = _native.ENABLED if transport == "auto" else transport == "native"
    if native and not _native.ENABLED:
        raise UsageError("transport", expected="picows: the compiled twins are not in use", found=transport)
    if native:
        from krakenwire._native import sink as native_sink
        from krakenwire.client import native_wire

        assert isinstance(sink, native_sink.MessageSink)
        return await native_wire.open_wire(attempt, on_open, sink)
    taker = _Taker(sink, asyncio.get_running_loop())
    return await picows.open_wire(attempt, on_open, taker.take)


class _Taker:
    """Ends a read of picows' also when its last frame was not one to hand over."""

    def __init__(self, sink: Sink, loop: asyncio.AbstractEventLoop) -> None:
        self._sink, self._loop = sink, loop
        self._ending: asyncio.Handle | None = None

    def take(self, data: bytes, last: bool) -> None:
        self._sink.feed(data, last)
        if last:
            if self._ending is not None:
                self._ending.cancel()
                self._ending = None
        elif self._ending is None:
            self._ending = self._loop.call_soon(self._end)

    def _end(self) -> None:
        self._ending = None
        self._sink.finish()


if TYPE_CHECKING:
    _picows_wire: type[Wire] = picows.Wire
