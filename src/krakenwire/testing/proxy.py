"""A TCP proxy that behaves badly on demand: cuts, stalls, slices and garbles what passes.

Put it between a client and the local Kraken to see what the client does when
the network is not kind. It understands no protocol: what it changes are bytes.
Randomness comes from a seed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

__all__ = ["FaultProxy"]

_T = TypeVar("_T")

Replacement = bytes | Callable[[re.Match[bytes]], bytes]
_READ_BYTES: Final = 64 * 1024
_LAST_TURNS: Final = 4
"""Of the loop: for a connection that has just come in to be told, reset and let go of."""
_RESET = struct.pack("ii", 1, 0)
_START_TIMEOUT_S: Final = 10.0


class FaultProxy:
    """Stands between clients and one port of this machine, in a thread of its own.

    Use it as a context manager. Faults are set at any time, from any thread.

    Args:
        target_port: where connections are passed on to, on 127.0.0.1.
        seed: of the garbling and slicing.

    Attributes:
        attempts: monotonic seconds of every connection that was made to it.
    """

    def __init__(self, target_port: int, seed: int = 1) -> None:
        self._target_port = target_port
        self._random = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="krakenwire fault proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusing = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._tampering: tuple[re.Pattern[bytes], Replacement] | None = None
        self._garbling = 0
        self._slices = 0
        self.attempts: list[float] = []
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """The WebSocket address to give to a client."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        """Connections that pass through it now."""
        return len(self._pairs)

    # -- faults ------------------------------------------------------------

    def cut(self) -> int:
        """Reset every connection; return how many there were."""
        return self._do(self._cut)

    def refuse(self, refusing: bool = True) -> None:
        """Reset every new connection at once, or stop doing so."""
        self._do(lambda: setattr(self, "_refusing", refusing))

    def stall(self, stalling: bool = True) -> None:
        """Pass nothing on, either way, with the connections left open; or go on."""
        self._do(self._flowing.clear if stalling else self._flowing.set)

    def slice(self, size_max: int) -> None:
        """Pass what comes from the target on in random pieces of at most `size_max` bytes; 0 ends it."""
        self._do(lambda: setattr(self, "_slices", size_max))

    def garble(self, count: int = 1) -> None:
        """Change one random byte in each of the next `count` pieces that come from the target."""
        self._do(lambda: setattr(self, "_garbling", count))

    def tamper(self, pattern: bytes, replacement: Replacement) -> None:
        """Replace the next match of a regular expression in what comes from the target.

        Args:
            pattern: what to look for, within one piece.
            replacement: of the same length as the match, or the framing breaks; as for `re.sub`.
        """
        compiled = re.compile(pattern, re.DOTALL)
        self._do(lambda: setattr(self, "_tampering", (compiled, replacement)))

    @property
    def tampered(self) -> bool:
        """Whether the last `tamper` has found its match."""
        return self._tampering is None

    # -- in the proxy's own thread --------------------------------------------

    def _call(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_TIMEOUT_S)

    def _do(self, action: Callable[[], _T]) -> _T:
        async def act() -> _T:
            return action()

        return self._call(act())

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._refusing = True
        if self._server is not None:
            for listener in self._server.sockets:
                self._loop.remove_reader(listener.fileno())
            await self._last_turns()  # what was accepted and is not the server's yet would be nobody's
            self._server.close()
        self._cut()
        self._flowing.set()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:  # a connection may be coming in just now
            await asyncio.wait(others)
        await self._last_turns()

    @staticmethod
    async def _last_turns() -> None:
        for _ in range(_LAST_TURNS):
            await asyncio.sleep(0)

    def _cut(self) -> int:
        for pair in self._pairs:
            pair.reset()
        return len(self._pairs)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.attempts.append(time.monotonic())
        if self._refusing:
            _reset(writer)
            return
        task = self._loop.create_task(self._join(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            ahead, behind = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            _reset(writer)
            return
        pair = _Pair(writer, behind)
        if self._refusing:
            pair.reset()
            return
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._pass(reader, behind, None), self._pass(ahead, writer, self._harm))
        finally:
            pair.reset()
            self._pairs.discard(pair)

    async def _pass(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, harm: Callable[[bytes], bytes] | None
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(_READ_BYTES):
                await self._flowing.wait()
                for piece in self._pieces(harm(data)) if harm else (data,):
                    sink.write(piece)
                    await sink.drain()
        sink.close()

    def _harm(self, data: bytes) -> bytes:
        if self._tampering is not None:
            pattern, replacement = self._tampering
            data, found = pattern.subn(replacement, data, count=1)
            if found:
                self._tampering = None
        if self._garbling and data:
            self._garbling -= 1
            at = self._random.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ self._random.randrange(1, 256)]) + data[at + 1 :]
        return data

    def _pieces(self, data: bytes) -> list[bytes]:
        pieces = []
        while data and self._slices:
            size = self._random.randint(1, self._slices)
            pieces.append(data[:size])
            data = data[size:]
        return [*pieces, data] if data else pieces


class _Pair:
    """The two sockets of one connection."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self._writers = writers

    def reset(self) -> None:
        for writer in self._writers:
            _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a failing network does: with RST, not FIN."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
