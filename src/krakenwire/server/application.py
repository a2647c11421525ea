"""The ports that are Kraken: WebSocket v1 at ``/``, v2 at ``/v2``, REST at ``/0/``; one for all, or one for each host.

Translates between aiohttp and the venue's gateways, nothing more: what a
client gets to read was decided in `krakenwire.venue`. `server.VenueServer`
binds it to ports.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from itertools import count
from typing import Final, Literal

from aiohttp import WSMsgType, web

from krakenwire.limits import (
    REQUEST_BYTES_MAX,
    VENUE_CLIENT_BACKLOG_BYTES,
    VENUE_CONNECTIONS_MAX,
    VENUE_MESSAGE_BYTES_MAX,
)
from krakenwire.protocol.rest import UNKNOWN_METHOD, error_text
from krakenwire.protocol.rest_body import parameters
from krakenwire.protocol.rest_sign import SignedCall
from krakenwire.protocol.v2.refusals import Declined
from krakenwire.server.clock import Clock
from krakenwire.server.connections import Connection, Connections
from krakenwire.server.driver import Driver
from krakenwire.server.faults import RequestFault
from krakenwire.server.ports import VenuePort
from krakenwire.venue.access.pace import BanRule, Bans
from krakenwire.venue.gateways.hosts import Host

__all__ = ["DOORS", "Application", "Door"]

Door = Literal["any", "public", "private", "level3", "rest"]
"""What one port of the server is: everything, one of the WebSocket hosts, or REST."""

_SOCKETS: Final[Mapping[Door, tuple[Host, tuple[int, ...]]]] = {
    "any": ("any", (1, 2)),
    "public": ("public", (1, 2)),
    "private": ("private", (1, 2)),
    "level3": ("level3", (2,)),
}
"""Which host a door is for WebSockets, and which API versions are spoken there."""

DOORS: Final[tuple[Door, ...]] = ("public", "private", "level3", "rest")
"""The doors of a venue whose hosts are strict, in the order of their ports."""

_BANNED: Final = "error code: 1015\n"
"""What Cloudflare says to an address that it has banned."""

_log = logging.getLogger("krakenwire.server")

_PAGE = """\
This is krakenwire's local Kraken, a simulated venue. It is not Kraken.

WebSocket v1   at /
WebSocket v2   at /v2
REST           at /0/public/Time and its like
"""


def _json(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")


def _offered(request: web.Request) -> list[str]:
    """Return the subprotocols a client offers; the first is agreed to, whatever it is.

    Kraken must do so too: ts-kraken offers "v1" on both versions, and the WebSockets it runs on, Node's `ws`
    and browsers', give up when none is chosen.
    """
    return [name.strip() for line in request.headers.getall("Sec-WebSocket-Protocol", ()) for name in line.split(",")]


class Application:
    """The handlers behind the port.

    Args:
        market: the venue.
        clock: where `now_ns` comes from.
        connections_max: WebSocket connections at once; more get HTTP 503.
        backlog_bytes_max: unread bytes at which a client is dropped.
        attempts: how many connections one address may open; None for as many as it likes.
    """

    def __init__(
        self,
        market: VenuePort,
        clock: Clock,
        *,
        connections_max: int = VENUE_CONNECTIONS_MAX,
        backlog_bytes_max: int = VENUE_CLIENT_BACKLOG_BYTES,
        attempts: BanRule | None = None,
    ) -> None:
        self._market, self._clock = market, clock
        self._connections_max, self._backlog_bytes_max = connections_max, backlog_bytes_max
        self._numbers = count(1)
        self._attempts = Bans(attempts)
        self.connections = Connections()
        self.driver = Driver(market, self.connections, clock)

    def build(self, door: Door = "any") -> web.Application:
        """Return the aiohttp application of one door."""
        application = web.Application(client_max_size=REQUEST_BYTES_MAX)
        host, versions = _SOCKETS.get(door, ("any", ()))
        application.router.add_get("/", partial(self._root, host, 1 in versions))
        if 2 in versions:
            for path in ("/v2", "/v2/"):
                application.router.add_get(path, partial(self._websocket, host, 2))
        if door in ("any", "rest"):
            application.router.add_route("*", "/0/public/{method}", partial(self._rest, self._public))
            application.router.add_route("*", "/0/private/{method}", partial(self._rest, self._private))
            application.router.add_route("*", "/0/{rest:.*}", self._unknown_method)
        return application

    async def _root(self, host: Host, speaks: bool, request: web.Request) -> web.StreamResponse:
        if "upgrade" in request.headers and speaks:
            return await self._websocket(host, 1, request)
        return web.Response(text=_PAGE)

    # -- REST ------------------------------------------------------------------

    async def _rest(
        self, answer: Callable[[web.Request], Awaitable[web.Response]], request: web.Request
    ) -> web.Response:
        """Answer a call, or let go wrong with it what shall."""
        await self.driver.awake.wait()
        faults = self.driver.faults
        fault = faults.of_request(request.match_info["method"]) if faults.requests else None
        if fault is None:
            return await answer(request)
        if fault.kind == "fail":
            return _json(error_text(fault.error))
        answered = _json("") if fault.kind == "lose_request" else await answer(request)
        if fault.kind == "delay_ack":
            await asyncio.sleep(fault.seconds)
        elif request.transport is not None:
            request.transport.abort()
        return answered

    async def _public(self, request: web.Request) -> web.Response:
        try:
            params = dict(request.query) | await self._body(request)
        except Declined as declined:
            return _json(error_text(str(declined)))
        return _json(self._market.rest(request.match_info["method"], params, self._clock.now_ns()))

    @staticmethod
    async def _body(request: web.Request) -> dict[str, str]:
        return parameters(await request.read()) if request.method == "POST" else {}

    async def _private(self, request: web.Request) -> web.Response:
        call = SignedCall(
            path=request.rel_url.raw_path,
            api_key=request.headers.get("API-Key"),
            api_sign=request.headers.get("API-Sign"),
            body=await request.read(),
            content_type=request.content_type,
            peer=request.remote or "",
        )
        answer = self._market.private(call, self._clock.now_ns())
        self.driver.publish(self._market.news())
        return _json(answer)

    async def _unknown_method(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        return _json(error_text(UNKNOWN_METHOD))

    # -- WebSocket ---------------------------------------------------------------

    async def _websocket(self, host: Host, version: int, request: web.Request) -> web.StreamResponse:
        if self._attempts.strike(request.remote or "", self._clock.line_ns()):
            raise web.HTTPTooManyRequests(text=_BANNED)
        if len(self.connections) >= self._connections_max:
            _log.warning("refused a connection: %d are open", len(self.connections))
            raise web.HTTPServiceUnavailable(text="too many connections\n")
        socket = web.WebSocketResponse(
            protocols=_offered(request), compress=False, max_msg_size=VENUE_MESSAGE_BYTES_MAX, timeout=1.0
        )
        await socket.prepare(request)
        transport = request.transport
        if transport is None:  # gone during the handshake
            return socket
        gateway = self._market.open_gateway(version, host)
        connection = Connection(next(self._numbers), gateway, socket, transport, self._backlog_bytes_max)
        await self._serve(connection, socket)
        return socket

    async def _serve(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        connections, driver, clock, gateway = self.connections, self.driver, self._clock, connection.gateway
        connections.add(connection)
        try:
            line_ns = clock.line_ns()
            connection.send(gateway.feed_open(clock.now_ns(), line_ns))
            connections.settle(connection, line_ns)
            if connections.arrivals:
                connections.arrivals.popleft()(connection)
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await driver.awake.wait()
                    if connection.stalled is not None:
                        await connection.stalled.wait()
                    frame, line_ns = _bounded(message.data), clock.line_ns()
                    fault = driver.faults.of_frame(frame) if driver.faults.requests else None
                    if fault is None:
                        connection.send(gateway.feed_frame(frame, clock.now_ns(), line_ns))
                    else:
                        self._misanswer(connection, frame, fault)
                    driver.publish(self._market.news())
                    connections.settle(connection, line_ns)
        finally:
            connections.remove(connection)

    def _misanswer(self, connection: Connection, frame: str | bytes, fault: RequestFault) -> None:
        """Let go wrong with a request what shall."""
        now_ns = self._clock.now_ns()
        if fault.kind == "fail":
            connection.send(connection.gateway.refuse(frame, fault.error, now_ns))
        elif fault.kind != "lose_request":
            answers = connection.gateway.feed_frame(frame, now_ns, self._clock.line_ns())
            if fault.kind == "delay_ack":
                asyncio.get_running_loop().call_later(fault.seconds, connection.send, answers)


def _bounded(frame: str | bytes) -> str | bytes:
    """Return the frame, or one that is as malformed as it is big."""
    return frame if len(frame) <= REQUEST_BYTES_MAX else ""
