"""Puts a tape on a port: WebSocket v1 at ``/``, v2 at ``/v2``, some REST at ``/0/``.

Reads the tape record by record, waits until each is due, and for the slowest
client: nothing is ever left out. What is sent to whom is decided in
`krakenwire.tape.player`. One loop, one thread.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web

from krakenwire.limits import (
    HEARTBEAT_S,
    PLAYER_CLIENTS_MAX,
    PLAYER_STALL_S,
    PLAYER_WAIT_S,
    REQUEST_BYTES_MAX,
    VENUE_MESSAGE_BYTES_MAX,
)
from krakenwire.protocol.rest import UNKNOWN_METHOD, error_text
from krakenwire.protocol.v1.venue import HEARTBEAT as HEARTBEAT_V1
from krakenwire.protocol.v2.encode import HEARTBEAT as HEARTBEAT_V2
from krakenwire.server.listener import Listener
from krakenwire.tape.pace import Pace
from krakenwire.tape.player import Client, Delivery, Player
from krakenwire.tape.player_rest import PlayerRest
from krakenwire.tape.record import TapeRecord

__all__ = ["PlayerServer"]

_TURN: Final = 64
"""Records after which the loop is given a turn, however fast the tape plays."""

_TICK_S: Final = 0.05
_LATE_NS: Final = 1_000_000_000
"""A player that is later than this goes on at the recorded distances; one that is less so catches up."""

_ABNORMAL: Final = 1006
_HEARTBEATS: Final = {1: HEARTBEAT_V1.encode(), 2: HEARTBEAT_V2.encode()}

_log = logging.getLogger("krakenwire.server")


class _Link:
    """One client's connection."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.BaseTransport) -> None:
        self.socket, self._transport = socket, transport
        self.lock = asyncio.Lock()
        self.sent_s = time.monotonic()
        self.busy_since_s: float | None = None
        self._left = 0

    async def send(self, frames: Iterable[bytes]) -> None:
        """Send frames, waiting as long as the client reads too slowly; one that is gone gets nothing."""
        self.busy_since_s = self.sent_s = time.monotonic()
        try:
            for frame in frames:
                await self.socket.send_frame(frame, WSMsgType.TEXT)
        except ConnectionError:  # it has gone, or was dropped: its own task cleans up
            pass
        finally:
            self.busy_since_s = None

    def stalled_s(self, now_s: float) -> float:
        """Seconds since it has taken anything, as far as these questions were asked; 0 when nothing waits for it."""
        if self.busy_since_s is None or not isinstance(self._transport, asyncio.WriteTransport):
            return 0.0
        left = self._transport.get_write_buffer_size()
        if left != self._left:
            self._left, self.busy_since_s = left, now_s
        return now_s - self.busy_since_s

    def abort(self) -> None:
        """Cut it."""
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()


class PlayerServer:
    """A player on a port.

    Args:
        player: decides.
        rest: answers.
        records: opens the tape at its beginning, once for each round.
        pace: how fast.
        host, port: where to listen; port 0 takes a free one.
        tls: serve TLS with this context.
        start_ns: what comes before is played to nobody, so that books are there.
        loop: begin again at the end.
        stay: keep the clients at the end; else they are told goodbye.
        wait_s: for a request or a connection that the recorded client made.
        stall_s: for a client that does not read; then it is dropped.

    Attributes:
        frames: sent so far.
        rounds: how often the tape was played to its end.
        notes: what a person should know: clients dropped, requests that did not come.
    """

    def __init__(
        self,
        player: Player,
        rest: PlayerRest,
        records: Callable[[], Iterable[TapeRecord]],
        pace: Pace,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        start_ns: int = 0,
        loop: bool = False,
        stay: bool = False,
        wait_s: float = PLAYER_WAIT_S,
        stall_s: float = PLAYER_STALL_S,
    ) -> None:
        self.player, self._rest, self._records, self.pace = player, rest, records, pace
        self._start_ns, self._loops, self._stays = start_ns, loop, stay
        self._wait_s, self._stall_s = wait_s, stall_s
        self._links: dict[Client, _Link] = {}
        self._changed = asyncio.Event()
        self._listener = Listener(self._application(), host, port, tls)
        self.port = self.frames = self.rounds = 0
        self.notes: list[str] = []

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._links)

    async def start(self) -> None:
        """Listen.

        Raises:
            ConfigError: the address cannot be used.
        """
        self.port = await self._listener.start()

    async def stop(self) -> None:
        """Say goodbye to everyone and close the port."""
        await self._say_goodbye(WSCloseCode.GOING_AWAY, "the player is stopping")
        await self._listener.stop()

    # -- playing ---------------------------------------------------------------------

    async def play(self) -> None:
        """Play the tape once enough clients have subscribed; return at its end.

        Raises:
            TapeError: the tape cannot be read to its end.
        """
        ticking = asyncio.create_task(self._tick(), name="krakenwire player")
        try:
            while True:
                await self._play_once()
                self.rounds += 1
                if not self._loops:
                    break
                await self._deliver(self.player.rewind(time.time_ns()))
            await self._deliver(self.player.end())
            if self._stays:
                await asyncio.Event().wait()
            await self._say_goodbye(WSCloseCode.OK, "the tape is over")
        finally:
            ticking.cancel()
            await asyncio.wait((ticking,))

    async def _play_once(self) -> None:
        begun = False
        for number, record in enumerate(self._records()):
            if record.time_ns < self._start_ns:
                self.player.take(record)
            else:
                if not begun:
                    begun = True
                    await self._ready()
                    self.pace.start(record.time_ns, time.monotonic_ns())
                await self._play(record)
            if not number % _TURN:
                await asyncio.sleep(0)

    async def _ready(self) -> None:
        while not self.player.ready(time.time_ns()):
            await self._hear(_TICK_S)

    async def _hear(self, seconds: float) -> None:
        """Wait until a client has done something, at most so long."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def _play(self, record: TapeRecord) -> None:
        late_ns = time.monotonic_ns() - self.pace.due_ns(record.time_ns)
        if self.pace.speed:
            if late_ns < 0:
                await asyncio.sleep(-late_ns / 1e9)
            elif late_ns > _LATE_NS:
                self.pace.hold(late_ns)
        if self.player.waits(record):
            await self._await_client(record)
        deliveries = self.player.take(record)
        if deliveries:
            await self._deliver(deliveries)

    async def _await_client(self, record: TapeRecord) -> None:
        deadline_s = time.monotonic() + self._wait_s
        while self.player.waits(record):
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                self._note(f"a recorded client did something here that none does now: waited {self._wait_s:g} s for it")
                given_up = self.player.give_up(record, time.time_ns())
                await self._deliver([] if given_up is None else [given_up])
                return
            await self._hear(left_s)

    async def _deliver(self, deliveries: Iterable[Delivery]) -> None:
        for client, frames, close_code in deliveries:
            link = self._links.get(client)
            if link is None:
                continue
            async with link.lock:
                await link.send(frames)
            self.frames += len(frames)
            if close_code is not None:
                await self._end(client, link, close_code)

    async def _end(self, client: Client, link: _Link, code: int) -> None:
        self._forget(client)
        if code == _ABNORMAL or not 1000 <= code <= 4999 or code in (1005, 1015):
            link.abort()
        else:
            await link.socket.close(code=code)

    async def _say_goodbye(self, code: int, reason: str) -> None:
        links = tuple(self._links.values())
        if links:
            closing = [asyncio.ensure_future(link.socket.close(code=code, message=reason.encode())) for link in links]
            await asyncio.wait(closing)

    async def _tick(self) -> None:
        """Send heartbeats where nothing else is sent; drop who does not read."""
        while True:
            await asyncio.sleep(_TICK_S)
            now_s = time.monotonic()
            for client, link in tuple(self._links.items()):
                if link.stalled_s(now_s) > self._stall_s:
                    self._note(f"a client was dropped: it read nothing for {self._stall_s:g} s")
                    link.abort()
                elif (
                    client.views
                    and client.line is None
                    and now_s - link.sent_s >= HEARTBEAT_S
                    and not link.lock.locked()
                ):
                    async with link.lock:
                        await link.send([_HEARTBEATS[client.version]])

    def _note(self, text: str) -> None:
        self.notes.append(text)
        _log.warning("%s", text)

    # -- clients ---------------------------------------------------------------------

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=REQUEST_BYTES_MAX)
        router = application.router
        router.add_get("/", partial(self._websocket, 1))
        for path in ("/v2", "/v2/"):
            router.add_get(path, partial(self._websocket, 2))
        router.add_route("*", "/0/public/{method}", self._public)
        router.add_route("*", "/0/private/{method}", self._private)
        router.add_route("*", "/0/{rest:.*}", self._unknown)
        return application

    async def _websocket(self, version: int, request: web.Request) -> web.StreamResponse:
        if "upgrade" not in request.headers:
            return web.Response(text="This is a tape that krakenwire plays. It is not Kraken.\n")
        if len(self._links) >= PLAYER_CLIENTS_MAX:
            raise web.HTTPServiceUnavailable(text="too many connections\n")
        offered = [
            name.strip() for line in request.headers.getall("Sec-WebSocket-Protocol", ()) for name in line.split(",")
        ]
        socket = web.WebSocketResponse(
            protocols=offered, compress=False, max_msg_size=VENUE_MESSAGE_BYTES_MAX, timeout=1.0
        )
        await socket.prepare(request)
        if request.transport is not None:
            query = request.query
            client = Client(version, clock=query.get("tape_clock") == "1", starts=query.get("tape_start") == "1")
            await self._serve(client, _Link(socket, request.transport))
        return socket

    async def _serve(self, client: Client, link: _Link) -> None:
        self._links[client] = link
        try:
            async with link.lock:
                await link.send(frame.encode() for frame in self.player.open(client))
            self._changed.set()
            async for message in link.socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await self._answer(client, link, message.data)
        finally:
            self._forget(client)
            self._changed.set()

    async def _answer(self, client: Client, link: _Link, data: str | bytes) -> None:
        frame = data.encode() if isinstance(data, str) else data
        async with link.lock:
            if client in self._links:
                answers = self.player.ask(client, frame, time.time_ns())
                await link.send(answer.encode() for answer in answers)
        self._changed.set()

    def _forget(self, client: Client) -> None:
        if self._links.pop(client, None) is not None:
            self.player.close(client)

    # -- REST ------------------------------------------------------------------------

    async def _public(self, request: web.Request) -> web.Response:
        params = dict(request.query)
        if request.method == "POST":
            params |= {name: str(value) for name, value in (await request.post()).items()}
        return _json(self._rest.answer(request.match_info["method"], params, time.time_ns()))

    async def _private(self, request: web.Request) -> web.Response:
        return _json(self._rest.private(request.match_info["method"]))

    async def _unknown(self, _: web.Request) -> web.Response:
        return _json(error_text(UNKNOWN_METHOD))


def _json(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")
