"""WebSocket connections of the server: who is there, who fell behind, who is due.

Sending never waits: bytes go to the transport, and a client whose unread bytes
pass the bound is dropped, so nobody slows anybody. The loop that publishes is
in `driver`.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from aiohttp import WSCloseCode, web

from krakenwire.limits import VENUE_CLIENT_BACKLOG_BYTES
from krakenwire.server.faults import garbled
from krakenwire.server.frames import text_frame
from krakenwire.server.ports import Gateway

__all__ = ["Connection", "Connections"]

_FAREWELL_S = 1.0
_REASON_BYTES_MAX = 123  # a control frame holds 125 bytes, two are the code (RFC 6455, section 5.5)

_log = logging.getLogger("krakenwire.server")


class Connection:
    """One client.

    Args:
        number: for the log.
        gateway: what the venue thinks of this client.
        socket: the prepared WebSocket.
        transport: where its bytes go.
        backlog_bytes_max: unread bytes at which the client is dropped.

    Attributes:
        send_bytes: sends one encoded frame; a fault puts something else in its place.
        stalled: what to wait for before the client is listened to again, None while nothing is wrong.
    """

    def __init__(
        self,
        number: int,
        gateway: Gateway,
        socket: web.WebSocketResponse,
        transport: asyncio.WriteTransport,
        backlog_bytes_max: int = VENUE_CLIENT_BACKLOG_BYTES,
    ) -> None:
        self.number, self.gateway = number, gateway
        self._socket, self._transport, self._bound = socket, transport, backlog_bytes_max
        self.dropped = False
        self.due_ns: int | None = None
        self.send_bytes: Callable[[bytes], None] = self._write
        self.stalled: asyncio.Event | None = None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._waiting: list[bytes] = []

    def send(self, frames: Iterable[str]) -> None:
        """Send frames meant for this client alone."""
        for frame in frames:
            self.send_bytes(text_frame(frame))

    def _write(self, frame: bytes) -> None:
        """Send one encoded frame, together with what else there is for this client before the loop goes on."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.append(frame)

    def flush(self) -> None:
        """Write what waits, in one call; drop the client if it has too much unread."""
        frames, self._waiting = self._waiting, []
        if not frames or self._transport.is_closing() or self._socket.closed:
            return
        self._transport.write(b"".join(frames))
        if self._transport.get_write_buffer_size() > self._bound:
            self._drop()

    def _drop(self) -> None:
        self.dropped = True
        _log.warning("client %d dropped: more than %d bytes unread", self.number, self._bound)
        self._transport.abort()

    # -- faults ---------------------------------------------------------------

    def stall(self, seconds: float) -> None:
        """Send nothing and hear nothing for a while; what was to be sent comes then, in its order."""
        self._held.clear()
        self._held_bytes = 0
        self.stalled = asyncio.Event()
        self.send_bytes = self._hold
        asyncio.get_running_loop().call_later(seconds, self._wake, self.stalled)

    def garble(self, count: int, how: str) -> None:
        """Garble the next frames it is sent; see `faults.garbled`."""
        left = count

        def spoil(frame: bytes) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self.send_bytes = self._write
            self._write(garbled(frame, how))

        self.send_bytes = spoil

    def _hold(self, frame: bytes) -> None:
        self._held.append(frame)
        self._held_bytes += len(frame)
        if self._held_bytes > self._bound:
            self._drop()

    def _wake(self, stalled: asyncio.Event) -> None:
        """End a stall, unless another has begun since."""
        stalled.set()
        if self.stalled is not stalled:
            return
        self.stalled = None
        self.send_bytes = self._write
        for frame in self._held:
            self._write(frame)
        self._held.clear()

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye; a client that does not answer in time is cut."""
        self.flush()
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self._socket.close(code=code, message=reason.encode()[:_REASON_BYTES_MAX])
        except TimeoutError:
            self.abort()

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._transport.abort()


class Connections:
    """All clients of one server, with the times at which their gateways want to be polled.

    Attributes:
        arrivals: what is to be done to the next connections, one after the other, once each is open.
    """

    def __init__(self) -> None:
        self._by_gateway: dict[object, Connection] = {}
        self._due: list[tuple[int, int, Connection]] = []
        self._farewells: set[asyncio.Task[None]] = set()
        self.dropped_count = 0
        self.accepted_count = 0
        self.arrivals: deque[Callable[[Connection], None]] = deque()

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._by_gateway.values()))

    def __len__(self) -> int:
        return len(self._by_gateway)

    def add(self, connection: Connection) -> None:
        """Take in an opened connection."""
        self._by_gateway[connection.gateway] = connection
        self.accepted_count += 1

    def remove(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        del self._by_gateway[connection.gateway]
        self.dropped_count += connection.dropped
        connection.due_ns = None
        connection.gateway.feed_close()

    def publish(self, frame: str, gateways: Iterable[object]) -> None:
        """Send one frame to many: encoded once, written without waiting. Cost: one write a client."""
        encoded = text_frame(frame)
        known = self._by_gateway
        for gateway in tuple(gateways):
            connection = known.get(gateway)
            if connection is not None:
                connection.send_bytes(encoded)

    def schedule(self, connection: Connection, now_ns: int) -> None:
        """Note when this connection's gateway wants to be polled; never for the past."""
        deadline_ns = max(connection.gateway.next_deadline_ns(), now_ns + 1)
        if connection.due_ns is None or deadline_ns < connection.due_ns:
            connection.due_ns = deadline_ns
            heapq.heappush(self._due, (deadline_ns, connection.number, connection))

    def poll(self, now_ns: int) -> None:
        """Poll every gateway that is due; close those that want to end."""
        while self._due and self._due[0][0] <= now_ns:
            due_ns, _, connection = heapq.heappop(self._due)
            if connection.due_ns != due_ns:
                continue  # polled earlier, or gone
            connection.due_ns = None
            if connection.gateway.next_deadline_ns() <= now_ns:
                connection.send(connection.gateway.poll(now_ns))
            self.settle(connection, now_ns)

    def settle(self, connection: Connection, now_ns: int) -> None:
        """After a gateway was fed or polled: end it if it wants to end, else note its next deadline."""
        reason = connection.gateway.should_close
        if reason is None:
            self.schedule(connection, now_ns)
        else:
            self._farewell(connection, WSCloseCode.OK, reason)

    def _farewell(self, connection: Connection, code: int, reason: str) -> None:
        task = asyncio.get_running_loop().create_task(connection.close(code, reason))
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def close(self) -> None:
        """Say goodbye to everyone and wait for the answers, briefly."""
        for connection in self:
            self._farewell(connection, WSCloseCode.GOING_AWAY, "the venue is stopping")
        if self._farewells:
            await asyncio.wait(self._farewells)
