"""The other side of the socket rows, in a process of its own: `python -m krakenwire.bench.server BOOKS`.

It sends frames that were made and framed before anybody connected, so that
the client is the bottleneck, and prints its two ports. Paths of the first
port:

    /N         a Kraken of version 2: waits until all pairs' books are subscribed to
    /raw/N     sends at once

and then N times the ten snapshots with BOOKS updates, and heartbeats until the
client leaves. The second port echoes.
It ends with its standard input. It uses none of the clients it serves.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import BinaryIO

import picows

from krakenwire.bench.generate import PAIRS, stream
from krakenwire.bench.shapes import book_only

__all__ = ["main"]

_CHUNK = 1 << 16
_DEPTH = 10
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_STATUS = (
    b'{"channel":"status","type":"update","data":[{"api_version":"v2","connection_id":1,'
    b'"system":"online","version":"2.0.0"}]}'
)
_HEARTBEAT = b'{"channel":"heartbeat"}'
_HEARTBEAT_S = 0.1
_TIMES = {"time_in": "2023-11-14T22:13:20.000000Z", "time_out": "2023-11-14T22:13:20.000001Z"}


def frame(payload: bytes) -> bytes:
    """Return a whole text frame of a server."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    return b"\x81\x7e" + size.to_bytes(2, "big") + payload


def book_stream(updates: int) -> bytes:
    """Return the frames of one pass: ten snapshots and that many updates of books."""
    frames: list[bytes] = []
    lines = stream(_DEPTH, updates * 2)  # 85 % of them are of books
    while len(frames) < updates + len(PAIRS):
        frames += book_only([next(lines)])
    return b"".join(map(frame, frames))


def _messages(file: BinaryIO) -> Iterator[bytes]:
    """Yield a client's text messages until it closes."""
    while len(head := file.read(2)) == 2:
        size = head[1] & 127
        if size >= 126:
            size = int.from_bytes(file.read(2 if size == 126 else 8), "big")
        mask = file.read(4)
        payload = bytes(byte ^ mask[at & 3] for at, byte in enumerate(file.read(size)))
        if head[0] & 15 == 8:
            return
        if head[0] & 15 == 1:
            yield payload


class _Connection:
    """One client of the first port."""

    def __init__(self, sock: socket.socket, books: bytes) -> None:
        self._sock, self._books = sock, books
        self._file = sock.makefile("rb")
        self._seen: set[str] = set()
        self._sending = threading.Lock()

    def serve(self) -> None:
        """Upgrade, send what the path asks for, and stay until the client leaves."""
        kind, passes = self._upgraded()
        if kind == "raw":
            self._send_books(passes)
        else:
            self._sock.sendall(frame(_STATUS))
        for message in _messages(self._file):
            before = len(self._seen)
            with self._sending:
                self._sock.sendall(self._answer(json.loads(message)))
            if before < len(PAIRS) == len(self._seen):
                self._send_books(passes)
                threading.Thread(target=self._beat, daemon=True).start()

    def _upgraded(self) -> tuple[str, int]:
        path = self._file.readline().split()[1].decode()
        key = b""
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-key":
                key = value.strip()
        accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
        self._sock.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        parts = path.strip("/").split("/")
        return ("raw", int(parts[1])) if parts[0] == "raw" else ("kraken", int(parts[0]))

    def _send_books(self, passes: int) -> None:
        view = memoryview(self._books)
        for _ in range(passes):
            for at in range(0, len(view), _CHUNK):
                self._sock.sendall(view[at : at + _CHUNK])

    def _beat(self) -> None:
        """Send heartbeats, as some clients only close after the next message."""
        with contextlib.suppress(OSError):
            while True:
                time.sleep(_HEARTBEAT_S)
                with self._sending:
                    self._sock.sendall(frame(_HEARTBEAT))

    def _answer(self, request: dict[str, object]) -> bytes:
        method = request.get("method")
        ids = {"req_id": request["req_id"]} if "req_id" in request else {}
        if method == "ping":
            return frame(json.dumps({"method": "pong", **ids, **_TIMES}).encode())
        params = request.get("params")
        if method not in ("subscribe", "unsubscribe") or not isinstance(params, dict):
            return b""
        replies = []
        for symbol in params.get("symbol", ()):
            result = {"channel": params.get("channel"), "depth": _DEPTH, "snapshot": True, "symbol": symbol}
            reply = {"method": method, "result": result, "success": True, **ids, **_TIMES}
            replies.append(frame(json.dumps(reply, separators=(",", ":")).encode()))
            if method == "subscribe":
                self._seen.add(symbol)
        return b"".join(replies)


def _serve(sock: socket.socket, books: bytes) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(OSError, ValueError, IndexError):  # a client may leave whenever it likes
        _Connection(sock, books).serve()
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)  # a thread that still sends heartbeats ends by it
    sock.close()


def _accept(listener: socket.socket, books: bytes) -> None:
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=_serve, args=(sock, books), daemon=True).start()


class _Echo(picows.WSListener):
    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.TEXT:
            transport.send(picows.WSMsgType.TEXT, frame.get_payload_as_bytes())
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            transport.disconnect()


async def _serve_all(books: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener, books), daemon=True).start()
    echo = await picows.ws_create_server(lambda _: _Echo(), "127.0.0.1", 0)
    ports = [listener.getsockname()[1], echo.sockets[0].getsockname()[1]]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Serve until the standard input ends."""
    books = book_stream(int(sys.argv[1]))
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve_all(books))
    else:
        uvloop.run(_serve_all(books))


if __name__ == "__main__":
    main()
