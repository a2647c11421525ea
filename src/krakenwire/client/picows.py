"""The asyncio transport: picows, with deadlines, limits and errors of our own.

Frames are handed on as bytes, fragments put together first. It never reads
faster than it is allowed to: `pause` stops the socket. It knows nothing of
Kraken; `aio` drives it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from enum import Enum

import picows

from krakenwire.client import addresses, fastnet, foreign
from krakenwire.client.attempt import Attempt
from krakenwire.errors import ConnectionLost, FrameTooBig, KrakenwireError
from krakenwire.limits import FRAGMENTS_MAX, FRAME_BYTES_MAX
from krakenwire.version import VERSION

__all__ = ["Wire", "open_wire"]

_log = logging.getLogger("krakenwire.client.picows")
_log.addHandler(logging.NullHandler())

OnFrame = Callable[[bytes, bool], None]
"""Called with each message, and whether it is the last one of those that are there now."""

OnOpen = Callable[["Wire"], None]


async def open_wire(attempt: Attempt, on_open: OnOpen, on_frame: OnFrame) -> Wire:
    """Return an open connection; see `krakenwire.client.transports.open_wire`."""
    listener = _Listener(attempt.url, on_open, on_frame)
    try:
        async with attempt.in_time():
            await _connected(attempt, listener)
    except picows.WSHandshakeError as error:
        if error.response is not None and error.response.status != 101:
            raise foreign.handshake_refused(attempt.url, int(error.response.status)) from error
        raise attempt.failed(error) from error
    except (OSError, picows.WSError, ValueError) as error:
        raise attempt.failed(error) from error
    if listener.wire is None:
        raise attempt.failed(ConnectionResetError("the connection ended during the handshake"))
    return listener.wire


async def _connected(attempt: Attempt, listener: _Listener) -> None:
    sock = await addresses.connect_async(*addresses.target(attempt.url))
    opening = asyncio.ensure_future(
        picows.ws_connect(
            lambda: listener,
            attempt.url,
            ssl_context=attempt.context,
            websocket_handshake_timeout=None,  # `Attempt.in_time` bounds all of it
            logger_name=_log,
            max_frame_size=FRAME_BYTES_MAX,
            max_redirects=0,  # the address is the user's choice
            extra_headers={"User-Agent": f"krakenwire/{VERSION}"},
            socket_factory=lambda _: sock,
            use_aiofastnet=fastnet.fits(asyncio.get_running_loop()),
        )
    )
    try:
        await asyncio.shield(opening)
    except asyncio.CancelledError:
        await _abandoned(opening, sock)
        raise
    except BaseException:
        sock.close()
        raise
    if listener.wire is None:
        addresses.forget(sock)


async def _abandoned(
    opening: asyncio.Future[tuple[picows.WSTransport, picows.WSListener]], sock: socket.socket
) -> None:
    """End an attempt by cutting its socket: cancelled, picows would leave its transport open."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    done, _ = await asyncio.wait([opening], timeout=1.0)
    if not done:
        opening.cancel()
    elif opening.exception() is None:
        opening.result()[0].disconnect(graceful=False)


class Wire:
    """One open WebSocket connection, client side."""

    def __init__(self, url: str, transport: picows.WSTransport, listener: _Listener) -> None:
        self.url = url
        self._transport = transport
        self._listener = listener

    def send(self, text: str) -> None:
        """Queue one text frame; on a connection that has just ended it goes nowhere."""
        self._transport.send(picows.WSMsgType.TEXT, text)

    def pause(self, paused: bool) -> None:
        """Stop or go on reading; the peer notices when the buffers between are full."""
        if self._transport.is_disconnected:
            return
        stream = self._transport.underlying_transport
        if paused:
            stream.pause_reading()
        else:
            stream.resume_reading()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame and let go of the socket without waiting for the peer."""
        if self._transport.is_disconnected:
            return
        # picows knows the codes by name; those of our own sessions are all in its table
        self._transport.send_close(picows.WSCloseCode(code), reason.encode())
        self._transport.disconnect(graceful=False)

    async def ended(self) -> KrakenwireError:
        """Wait for the end of the connection and return what ended it."""
        try:
            await self._transport.wait_disconnected()
        except picows.WSProtocolError as error:
            return self._protocol_error(error)
        except (OSError, KrakenwireError) as error:
            return foreign.connection_failed(self.url, error)
        return self._listener.failure or self._close_reason()

    def _protocol_error(self, error: picows.WSProtocolError) -> KrakenwireError:
        if error.code == picows.WSCloseCode.MESSAGE_TOO_BIG:
            return FrameTooBig(_size_in(str(error)), FRAME_BYTES_MAX)
        return ConnectionLost(self.url, f"not a WebSocket frame: {error}", code=_number(error.code))

    def _close_reason(self) -> KrakenwireError:
        handshake = self._transport.close_handshake
        if handshake is None or handshake.recv is None:
            return foreign.connection_failed(self.url, None)
        text = handshake.recv.reason
        code = _number(handshake.recv.code) or 1005
        return ConnectionLost(self.url, f"the venue closed the connection{': ' if text else ''}{text}", code=code)


def _number(code: object) -> int:
    """Return a close code as a number; picows gives a name where it has one."""
    return int(code.value if isinstance(code, Enum) else str(code))


def _size_in(text: str) -> int:
    """Return the size in picows' message about a frame that is too big; it keeps it nowhere else."""
    with contextlib.suppress(ValueError, IndexError):
        return int(text.rpartition(",")[2].split(">")[0])
    return FRAME_BYTES_MAX + 1


class _Listener(picows.WSListener):
    """Puts fragments together, in bounded memory, and hands messages on."""

    def __init__(self, url: str, on_open: OnOpen, on_frame: OnFrame) -> None:
        self.wire: Wire | None = None
        self.failure: KrakenwireError | None = None
        self._url = url
        self._on_open, self._on_frame = on_open, on_frame
        self._parts: list[bytes] = []
        self._size = 0

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.wire = Wire(self._url, transport, self)
        self._on_open(self.wire)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if self.failure is not None:
            return
        kind = frame.msg_type
        if kind == picows.WSMsgType.TEXT and frame.fin and not self._parts:
            self._on_frame(frame.get_payload_as_bytes(), frame.last_in_buffer)
        elif kind in (picows.WSMsgType.TEXT, picows.WSMsgType.BINARY, picows.WSMsgType.CONTINUATION):
            self._fragment(transport, frame)
        elif kind == picows.WSMsgType.CLOSE:
            transport.send_close(picows.WSCloseCode.OK)
            transport.disconnect()

    def _fragment(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        starts = frame.msg_type != picows.WSMsgType.CONTINUATION
        if starts == bool(self._parts):
            self._fail(transport, ConnectionLost(self._url, "fragments of messages in the wrong order", code=1002))
            return
        self._parts.append(frame.get_payload_as_bytes())
        self._size += len(self._parts[-1])
        if self._size > FRAME_BYTES_MAX or len(self._parts) > FRAGMENTS_MAX:
            self._fail(transport, FrameTooBig(self._size, FRAME_BYTES_MAX))
        elif frame.fin:
            message = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
            self._on_frame(message, frame.last_in_buffer)

    def _fail(self, transport: picows.WSTransport, failure: KrakenwireError) -> None:
        self.failure = failure
        transport.disconnect(graceful=False)
