"""One port that is Kraken: WebSocket v1 at ``/``, v2 at ``/v2``, REST at ``/0/``.

Translates between aiohttp and the venue's gateways, nothing more: what a
client gets to read was decided in `krakenwire.venue`. `server.VenueServer`
binds it to a port.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from itertools import count

from aiohttp import WSMsgType, web

from krakenwire.limits import (
    REQUEST_BYTES_MAX,
    VENUE_CLIENT_BACKLOG_BYTES,
    VENUE_CONNECTIONS_MAX,
    VENUE_MESSAGE_BYTES_MAX,
)
from krakenwire.protocol.rest_sign import SignedCall
from krakenwire.server.clock import Clock
from krakenwire.server.connections import Connection, Connections
from krakenwire.server.driver import Driver
from krakenwire.server.ports import VenuePort

__all__ = ["Application"]

_log = logging.getLogger("krakenwire.server")

_PAGE = """\
This is krakenwire's local Kraken, a simulated venue. It is not Kraken.

WebSocket v1   ws://{host}/
WebSocket v2   ws://{host}/v2
REST           http://{host}/0/public/Time
"""


def _json(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")


def _error(text: str) -> web.Response:
    return _json('{"error":["' + text + '"]}')


def _texts(members: object) -> dict[str, str]:
    """Return the members of a JSON body as the texts a form would have carried."""
    if not isinstance(members, Mapping):
        return {}
    return {str(key): value if isinstance(value, str) else json.dumps(value) for key, value in members.items()}


class Application:
    """The handlers behind the port.

    Args:
        market: the venue.
        clock: where `now_ns` comes from.
        connections_max: WebSocket connections at once; more get HTTP 503.
        backlog_bytes_max: unread bytes at which a client is dropped.
    """

    def __init__(
        self,
        market: VenuePort,
        clock: Clock,
        *,
        connections_max: int = VENUE_CONNECTIONS_MAX,
        backlog_bytes_max: int = VENUE_CLIENT_BACKLOG_BYTES,
    ) -> None:
        self._market, self._clock = market, clock
        self._connections_max, self._backlog_bytes_max = connections_max, backlog_bytes_max
        self._numbers = count(1)
        self.connections = Connections()
        self.driver = Driver(market, self.connections, clock)

    def build(self) -> web.Application:
        """Return the aiohttp application."""
        application = web.Application(client_max_size=REQUEST_BYTES_MAX)
        application.router.add_get("/", self._root)
        application.router.add_get("/v2", self._v2)
        application.router.add_get("/v2/", self._v2)
        application.router.add_route("*", "/0/public/{method}", self._public)
        application.router.add_route("*", "/0/private/{method}", self._private)
        application.router.add_route("*", "/0/{rest:.*}", self._unknown_method)
        return application

    async def _root(self, request: web.Request) -> web.StreamResponse:
        if "upgrade" in request.headers:
            return await self._websocket(request, version=1)
        return web.Response(text=_PAGE.format(host=request.host))

    async def _v2(self, request: web.Request) -> web.StreamResponse:
        return await self._websocket(request, version=2)

    async def _public(self, request: web.Request) -> web.Response:
        await self.driver.awake.wait()
        try:
            params = dict(request.query) | await self._body(request)
        except ValueError:
            return _error("EGeneral:Invalid arguments")
        return _json(self._market.rest(request.match_info["method"], params, self._clock.now_ns()))

    @staticmethod
    async def _body(request: web.Request) -> dict[str, str]:
        if request.method != "POST":
            return {}
        if request.content_type == "application/json":
            text = await request.text()
            return _texts(json.loads(text)) if text else {}
        return {key: value for key, value in (await request.post()).items() if isinstance(value, str)}

    async def _private(self, request: web.Request) -> web.Response:
        await self.driver.awake.wait()
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
        return _error("EGeneral:Unknown method")

    async def _websocket(self, request: web.Request, version: int) -> web.StreamResponse:
        if len(self.connections) >= self._connections_max:
            _log.warning("refused a connection: %d are open", len(self.connections))
            raise web.HTTPServiceUnavailable(text="too many connections\n")
        socket = web.WebSocketResponse(compress=False, max_msg_size=VENUE_MESSAGE_BYTES_MAX, timeout=1.0)
        await socket.prepare(request)
        transport = request.transport
        if transport is None:  # gone during the handshake
            return socket
        gateway = self._market.open_gateway(version)
        connection = Connection(next(self._numbers), gateway, socket, transport, self._backlog_bytes_max)
        await self._serve(connection, socket)
        return socket

    async def _serve(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        connections, gateway = self.connections, connection.gateway
        connections.add(connection)
        try:
            now_ns = self._clock.now_ns()
            connection.send(gateway.feed_open(now_ns))
            connections.settle(connection, now_ns)
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await self.driver.awake.wait()
                    now_ns = self._clock.now_ns()
                    connection.send(gateway.feed_frame(_bounded(message.data), now_ns))
                    self.driver.publish(self._market.news())
                    connections.settle(connection, now_ns)
        finally:
            connections.remove(connection)


def _bounded(frame: str | bytes) -> str | bytes:
    """Return the frame, or one that is as malformed as it is big."""
    return frame if len(frame) <= REQUEST_BYTES_MAX else ""
