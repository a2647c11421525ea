"""The blocking transport: websocket-client's framing over a socket that never blocks on reading.

The library parses and masks frames; this module owns the socket, so that TLS,
proxies (none), limits and deadlines are ours. One `select` wakes it for all
frames that are there. It knows nothing of Kraken; `blocking` and `threaded` drive it.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import time
from typing import Any, Final

from websocket import (
    ABNF,
    WebSocket,
    WebSocketBadStatusException,
    WebSocketException,
    WebSocketProtocolException,
    WebSocketTimeoutException,
)
from websocket._abnf import frame_buffer

from krakenwire.client import addresses, foreign
from krakenwire.errors import ConnectionLost, FrameTooBig, KrakenwireError
from krakenwire.limits import FRAGMENTS_MAX, FRAME_BYTES_MAX, HANDSHAKE_BYTES_MAX, SEND_TIMEOUT_S
from krakenwire.version import VERSION

__all__ = ["Wire"]

_READ_BYTES: Final = 256 * 1024
_LATER: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """One open WebSocket connection, client side.

    Args:
        url: ``ws://`` or ``wss://`` address.
        context: TLS settings, used for ``wss``.
        timeout_s: for name, route, TLS and handshake together.
        hint: what to suggest when no connection can be made.

    Raises:
        KrakenwireError: `ConnectError`, `TlsError`, `HandshakeError`.
    """

    def __init__(self, url: str, context: ssl.SSLContext | None, timeout_s: float, hint: str = "") -> None:
        self.url = url
        self._socket = _Socket(skip_utf8_validation=True)  # the decoder validates, and names the frame
        try:
            self._socket.open(url, context, time.monotonic() + timeout_s)
        except (OSError, WebSocketException, ValueError) as error:
            raise _translated(url, error, self._socket, hint) from error

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        sock = self._socket.sock
        return -1 if sock is None else sock.fileno()

    def receive(self) -> tuple[list[bytes], KrakenwireError | None]:
        """Return the messages that are there now, and what ended the connection, if it ended.

        One call reads once, so a fast peer cannot keep it from returning.
        """
        frames: list[bytes] = []
        try:
            self._socket.fill()
            self._socket.take(frames)
        except (OSError, WebSocketException, KrakenwireError) as error:
            return frames, foreign.connection_failed(self.url, error)
        return frames, None

    def send(self, text: str) -> None:
        """Send one text frame.

        Raises:
            ConnectionLost: the connection ended, or the peer takes nothing any more.
        """
        try:
            self._socket.send(text)
        except (OSError, WebSocketException) as error:
            raise foreign.connection_failed(self.url, error) from error

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame if that is possible at once, and let go of the socket."""
        self._socket.leave(code, reason)


class _Socket(WebSocket):
    """websocket-client's connection, reading from a buffer that is filled without blocking."""

    def __init__(self, **options: Any) -> None:
        super().__init__(enable_multithread=False, **options)
        self.frame_buffer = _Frames(self._recv, skip_utf8_validation=True)
        self._bytes = memoryview(b"")
        self._message_bytes = self._fragments = 0
        self._patience_s = SEND_TIMEOUT_S
        self.url = ""

    def open(self, url: str, context: ssl.SSLContext | None, deadline: float) -> None:
        self.url = url
        host, port = addresses.target(url)
        sock = addresses.connect(host, port, deadline - time.monotonic())
        try:
            if url.startswith("wss:") and context is not None:
                sock.settimeout(max(0.001, deadline - time.monotonic()))
                sock = context.wrap_socket(sock, server_hostname=host)
            # Redirects are not followed: the address is the user's choice.
            options = {
                "redirect_limit": 0,
                "suppress_origin": True,
                "header": [f"User-Agent: krakenwire/{VERSION}"],
            }
            self.connect(url, socket=_Deadline(sock, deadline), **options)  # type: ignore[no-untyped-call]  # websocket-client leaves it untyped
        except BaseException:
            sock.close()
            raise
        sock.setblocking(False)
        self.sock = sock

    def fill(self) -> None:
        """Read once, whatever is there."""
        sock = self.sock
        if sock is None:
            raise ConnectionLost(self.url, "the connection is closed")
        try:
            data = sock.recv(_READ_BYTES)
        except _LATER:
            return
        if not data:
            raise ConnectionLost(self.url, "the connection ended without a close frame")
        if isinstance(sock, ssl.SSLSocket):
            data = self._with_pending(sock, data)
        self._bytes = memoryview(data)

    @staticmethod
    def _with_pending(sock: ssl.SSLSocket, data: bytes) -> bytes:
        """Empty the TLS layer's own buffer: `select` does not see what waits there."""
        parts = [data]
        size = len(data)
        while sock.pending() and size < _READ_BYTES:
            more = sock.recv(_READ_BYTES)
            parts.append(more)
            size += len(more)
        return b"".join(parts)

    def take(self, frames: list[bytes]) -> None:
        """Append the complete messages in the buffer to `frames`; raise what ends the connection."""
        while True:
            try:
                frame = self.frame_buffer.recv_frame()
            except WebSocketTimeoutException:
                return
            if frame.opcode in (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY, ABNF.OPCODE_CONT):
                self._assemble(frame, frames)
            elif frame.opcode == ABNF.OPCODE_PING:
                self.pong(frame.data)
            elif frame.opcode == ABNF.OPCODE_CLOSE:
                raise _closed(self.url, frame.data)

    def _assemble(self, frame: ABNF, frames: list[bytes]) -> None:
        self._message_bytes += len(frame.data)
        self._fragments += 1
        if self._message_bytes > FRAME_BYTES_MAX or self._fragments > FRAGMENTS_MAX:
            raise FrameTooBig(self._message_bytes, FRAME_BYTES_MAX)
        self.cont_frame.validate(frame)
        self.cont_frame.add(frame)
        if frame.fin:
            self._message_bytes = self._fragments = 0
            frames.append(bytes(self.cont_frame.extract(frame)[1].data))

    def leave(self, code: int, reason: str) -> None:
        self._patience_s = 0.0
        try:
            if self.sock is not None and self.connected:
                self.send_close(code, reason)
        except (OSError, WebSocketException, KrakenwireError):
            pass  # a courtesy to the peer, who may be gone or read no more; the socket is closed in any case
        finally:
            self.shutdown()  # type: ignore[no-untyped-call]  # websocket-client leaves it untyped

    def _recv(self, bufsize: int) -> bytes:
        chunk = self._bytes[:bufsize]
        if not chunk:
            raise WebSocketTimeoutException
        self._bytes = self._bytes[bufsize:]
        return bytes(chunk)

    def _send(self, data: str | bytes) -> int:
        sock = self.sock
        if sock is None:
            raise ConnectionLost(self.url, "the connection is closed")
        payload = data.encode() if isinstance(data, str) else data
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                return sock.send(payload)
            except _LATER:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([], [sock], [], left)[1]:
                    raise ConnectionLost(self.url, "the peer reads nothing any more") from None


class _Frames(frame_buffer):
    """The library's frame parser, with what it forbids checked before the payload is waited for."""

    def recv_header(self) -> None:
        super().recv_header()
        if self.header is None:
            return
        fin, rsv1, rsv2, rsv3, opcode, masked, length = self.header
        control = opcode >= ABNF.OPCODE_CLOSE
        if rsv1 or rsv2 or rsv3 or masked or opcode not in ABNF.OPCODES or (control and (not fin or length > 125)):
            raise WebSocketProtocolException("not a WebSocket frame a venue may send")

    def recv_length(self) -> None:
        super().recv_length()
        if self.length is not None and self.length > FRAME_BYTES_MAX:
            raise FrameTooBig(self.length, FRAME_BYTES_MAX)


class _Deadline:
    """A socket for the handshake: a drip of bytes or a flood of headers ends at a bound."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline, self._left = sock, deadline, HANDSHAKE_BYTES_MAX

    def recv(self, size: int) -> bytes:
        self._patience()
        data = self._sock.recv(min(size, self._left))
        self._left -= len(data)
        if not self._left:
            raise WebSocketException(f"more than {HANDSHAKE_BYTES_MAX} bytes of answer")
        return data

    def send(self, data: bytes) -> int:
        self._patience()
        return self._sock.send(data)

    def gettimeout(self) -> float | None:
        return self._sock.gettimeout()

    def close(self) -> None:
        self._sock.close()

    def _patience(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)


def _closed(url: str, data: str | bytes) -> ConnectionLost:
    if isinstance(data, str):
        data = data.encode()
    code = struct.unpack("!H", data[:2])[0] if len(data) >= 2 else 1005
    text = data[2:].decode("utf-8", "replace")
    return ConnectionLost(url, f"the venue closed the connection{': ' if text else ''}{text}", code=code)


def _translated(url: str, error: Exception, opened: _Socket, hint: str) -> KrakenwireError:
    if isinstance(error, WebSocketBadStatusException):
        return foreign.handshake_refused(url, error.status_code)
    answer = opened.handshake_response
    if answer is not None and answer.status != 101:
        return foreign.handshake_refused(url, answer.status)
    if isinstance(error, WebSocketTimeoutException):
        return foreign.timed_out(url, hint)
    return foreign.connecting_failed(url, error, hint)
