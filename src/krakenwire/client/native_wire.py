"""The native asyncio transport: the handshake, deadlines and errors around `_native.wire`.

It does what `client.picows` does, but hands messages to a `MessageSink` where
they lie in its buffer instead of making bytes of each. It follows no redirect,
accepts no extension and knows nothing of Kraken; `aio_pump` drives it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from importlib import import_module
from typing import Final
from urllib.parse import quote, urlsplit

from krakenwire._native import sink as native_sink
from krakenwire._native import wire as native
from krakenwire.client import addresses, fastnet, foreign
from krakenwire.client.attempt import Attempt
from krakenwire.errors import KrakenwireError
from krakenwire.limits import FRAGMENTS_MAX, FRAME_BYTES_MAX, HANDSHAKE_BYTES_MAX
from krakenwire.version import VERSION

__all__ = ["Wire", "open_wire"]

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_STATUS: Final = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9]{2})(?: |\Z)")
_DELIMITERS: Final = "%:/?#[]@!$&'()*+,;="
_REASON_BYTES_MAX: Final = 123
"""A control frame holds 125 bytes, two of them the code."""

_SHUTDOWN_S: Final = 1.0
"""For the peer's half of TLS's farewell; nobody waits for it, only a socket stays that long."""

OnOpen = Callable[["Wire"], None]


async def open_wire(attempt: Attempt, on_open: OnOpen, sink: native_sink.MessageSink) -> Wire:
    """Return an open connection; see `krakenwire.client.transports.open_wire`."""
    try:
        async with attempt.in_time():
            return await _Opening(attempt.url, on_open, sink).run(attempt.context)
    except (OSError, ValueError) as error:
        raise attempt.failed(error) from error


class Wire:
    """One open WebSocket connection, client side."""

    def __init__(self, url: str, protocol: native.WireProtocol, gone: asyncio.Future[Exception | None]) -> None:
        self.url = url
        self._protocol = protocol
        self._gone = gone

    def send(self, text: str) -> None:
        """Queue one text frame; on a connection that has just ended it goes nowhere."""
        self._protocol.send(text)

    def pause(self, paused: bool) -> None:
        """Stop or go on reading; the peer notices when the buffers between are full.

        Messages of the read that is being handed over still come.
        """
        self._protocol.pause(paused)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame and let go of the socket without waiting for the peer."""
        self._protocol.close(code, reason.encode()[:_REASON_BYTES_MAX].decode(errors="ignore").encode())

    async def ended(self) -> KrakenwireError:
        """Wait for the end of the connection and return what ended it.

        What the sink or `on_open` raised, and is not an error of ours, is raised here.
        """
        error = await asyncio.shield(self._gone)
        failure = self._protocol.failure
        if failure is None:
            return foreign.connection_failed(self.url, error)
        if isinstance(failure, KrakenwireError):
            return failure
        raise failure


class _Opening:
    """One attempt to open a connection; whatever ends it early leaves no socket behind."""

    def __init__(self, url: str, on_open: OnOpen, sink: native_sink.MessageSink) -> None:
        self._url, self._on_open = url, on_open
        loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[Wire] = loop.create_future()
        self._gone: asyncio.Future[Exception | None] = loop.create_future()
        self._request, self._accept = _request(url)
        self._protocol = native.WireProtocol(
            url,
            sink,
            self._judge,
            self._open,
            self._lost,
            head_bytes_max=HANDSHAKE_BYTES_MAX,
            message_bytes_max=FRAME_BYTES_MAX,
            fragments_max=FRAGMENTS_MAX,
        )

    async def run(self, context: ssl.SSLContext | None) -> Wire:
        host, port = addresses.target(self._url)
        sock = await addresses.connect_async(host, port)
        opening = asyncio.ensure_future(self._connect(sock, context, host))
        try:
            transport = await asyncio.shield(opening)
            if not self._protocol.over:  # who answers before it is asked has been judged already
                transport.write(self._request)
            return await self._opened
        except BaseException:
            await self._abandon(opening, sock)
            raise

    async def _connect(self, sock: socket.socket, context: ssl.SSLContext | None, host: str) -> asyncio.WriteTransport:
        loop = asyncio.get_running_loop()
        if not self._url.startswith("wss:"):
            return (await loop.create_connection(lambda: self._protocol, sock=sock))[0]
        transport, _ = await _tls_connector(loop)(
            lambda: self._protocol,
            sock=sock,
            ssl=context or ssl.create_default_context(),
            server_hostname=host,
            ssl_shutdown_timeout=_SHUTDOWN_S,
        )
        return transport

    async def _abandon(self, opening: asyncio.Future[asyncio.WriteTransport], sock: socket.socket) -> None:
        """End an attempt by cutting its socket: cancelled at the wrong turn, uvloop would leave it half closed."""
        if not opening.done():
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            await asyncio.wait([opening], timeout=_SHUTDOWN_S)
        if not opening.done():
            opening.cancel()
        elif not opening.cancelled():
            opening.exception()  # the reason to abandon it is on its way already
        if self._protocol.abort():
            await asyncio.wait([self._gone], timeout=_SHUTDOWN_S)
        elif opening.done() and not opening.cancelled() and opening.exception() is None:
            addresses.forget(sock)
        else:
            sock.close()

    def _judge(self, head: bytes) -> None:
        check_answer(self._url, head, self._accept)

    def _open(self) -> None:
        wire = Wire(self._url, self._protocol, self._gone)
        if not self._opened.done():
            self._opened.set_result(wire)
        self._on_open(wire)

    def _lost(self, error: Exception | None) -> None:
        self._gone.set_result(error)
        if not self._opened.done():
            reason = ConnectionResetError("the connection ended during the handshake")
            self._opened.set_exception(self._protocol.failure or error or reason)
            self._opened.exception()  # known to be taken or abandoned: nothing to report at its end


_Connector = Callable[..., Awaitable[tuple[asyncio.WriteTransport, object]]]


def _tls_connector(loop: asyncio.AbstractEventLoop) -> _Connector:
    if fastnet.fits(loop):
        return partial(import_module("aiofastnet").create_connection, loop)
    return loop.create_connection


def _request(url: str) -> tuple[bytes, bytes]:
    """Return the upgrade request, and the accept key its answer must have."""
    parts = urlsplit(url)
    target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_DELIMITERS)
    host = parts.netloc.rpartition("@")[2]
    key = base64.b64encode(os.urandom(16))
    lines = (
        f"GET {target} HTTP/1.1",
        f"Host: {host if host.isascii() else host.encode('idna').decode()}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key.decode()}",
        f"User-Agent: krakenwire/{VERSION}",
    )
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode(), accept


def check_answer(url: str, head: bytes, accept: bytes) -> None:
    """Judge the head of the answer to an upgrade request.

    Args:
        url: for errors.
        head: status line and headers, with the empty line.
        accept: the ``Sec-WebSocket-Accept`` that belongs to our key.

    Raises:
        HandshakeError: HTTP answered, with another status than 101.
        ValueError: what answered is not a WebSocket, or not the one we asked for.

    Source: RFC 6455, section 4.1.
    """
    first, *lines = head[:-4].split(b"\r\n")
    status = _STATUS.match(first)
    if status is None:
        raise ValueError(f"no HTTP: {first[:80]!r}")
    if status[1] != b"101":
        raise foreign.handshake_refused(url, int(status[1]))
    headers = _headers(lines)
    if b",".join(headers.get(b"upgrade", [])).lower() != b"websocket":
        raise ValueError("the answer upgrades to something else")
    if b"upgrade" not in [token.strip().lower() for token in b",".join(headers.get(b"connection", [])).split(b",")]:
        raise ValueError("the answer does not upgrade the connection")
    if headers.get(b"sec-websocket-accept") != [accept]:
        raise ValueError("the answer belongs to another request")
    for name in (b"sec-websocket-extensions", b"sec-websocket-protocol", b"transfer-encoding"):
        if headers.get(name, [b""]) != [b""]:
            raise ValueError(f"the answer has a {name.decode()} nobody asked for")


def _headers(lines: list[bytes]) -> dict[bytes, list[bytes]]:
    headers: dict[bytes, list[bytes]] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            raise ValueError(f"no header: {line[:80]!r}")
        headers.setdefault(name.lower(), []).append(value.strip(b" \t"))
    return headers
