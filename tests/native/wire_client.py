"""The native WebSocket client in memory: fed by hand, with a transport that remembers what it was told."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from krakenwire import _native
from krakenwire.limits import FRAGMENTS_MAX, FRAME_BYTES_MAX, HANDSHAKE_BYTES_MAX

needs_native = pytest.mark.skipif(not _native.ENABLED, reason="the compiled twins are not in use")

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nX: y\r\n\r\n"
ROOM = 128 * 1024
URL = "ws://127.0.0.1:1/v2"

TEXT, BINARY, CONTINUED, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
LONG, LONGER = b"l" * 126, b"m" * 65536


class Transport:
    """Stands for the loop's transport, and remembers what it was told."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.said: list[str] = []
        self.unsent = 0

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return bool(self.said)

    def set_write_buffer_limits(self, high: int) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.said.append("pause")

    def close(self) -> None:
        self.said.append("close")

    def abort(self) -> None:
        self.said.append("abort")


class Client:
    """A `WireProtocol` in a loop that never polls, fed by hand."""

    def __init__(
        self, on_frame: Callable[[bytes, bool], object] | None = None, opened: Callable[[], object] = lambda: None
    ) -> None:
        from krakenwire._native.sink import CallableSink
        from krakenwire._native.wire import WireProtocol

        self.messages: list[tuple[bytes, bool]] = []
        self.heads: list[bytes] = []
        self.ends: list[Exception | None] = []
        self.transport = Transport()
        self.protocol: Any = WireProtocol(
            URL,
            CallableSink(on_frame or (lambda data, last: self.messages.append((data, last)))),
            self.heads.append,
            opened,
            self.ends.append,
            head_bytes_max=HANDSHAKE_BYTES_MAX,
            message_bytes_max=FRAME_BYTES_MAX,
            fragments_max=FRAGMENTS_MAX,
        )
        self.protocol.connection_made(self.transport)
        self.rooms: list[int] = []

    def feed(self, data: bytes, cuts: Iterable[int] = ()) -> Client:
        """Give it `data` in pieces of the sizes in `cuts`, then the rest."""
        sizes = iter(cuts)
        while data:
            room = self.protocol.get_buffer(-1)
            self.rooms.append(len(room))
            size = min(len(room), next(sizes, len(data)), len(data))
            room[:size] = data[:size]
            self.protocol.buffer_updated(size)
            data = data[size:]
        return self

    @property
    def texts(self) -> list[bytes]:
        return [data for data, _ in self.messages]

    def sent(self) -> list[tuple[int, bytes]]:
        """Return opcode and payload of what was written; each write is one whole masked frame."""
        return [unmasked(data) for data in self.transport.written]


def unmasked(data: bytes) -> tuple[int, bytes]:
    size, at = data[1] & 0x7F, 2
    assert data[0] & 0x70 == 0
    assert data[0] & 0x80
    assert data[1] & 0x80
    if size == 126:
        (size,), at = struct.unpack_from("!H", data, 2), 4
    elif size == 127:
        (size,), at = struct.unpack_from("!Q", data, 2), 10
    mask, body = data[at : at + 4], data[at + 4 :]
    assert len(body) == size
    return data[0] & 15, bytes(byte ^ mask[i % 4] for i, byte in enumerate(body))
