"""Binds a venue to its ports and runs it until it is told to stop.

Start-up problems are typed errors before anything is served; stopping leaves
no task, socket or thread behind.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import ssl
from typing import Final

from aiohttp import web

from krakenwire.errors import ConfigError
from krakenwire.limits import VENUE_CLIENT_BACKLOG_BYTES, VENUE_CONNECTIONS_MAX
from krakenwire.model.secrets import Secret
from krakenwire.server.application import DOORS, Application, Door
from krakenwire.server.clock import Clock
from krakenwire.server.control import Control
from krakenwire.server.operations import Operations
from krakenwire.server.ports import VenuePort
from krakenwire.venue.access.pace import BanRule

__all__ = ["VenueServer"]

_log = logging.getLogger("krakenwire.server")

_HINTS = {
    errno.EADDRINUSE: "Another program listens there: choose another port, or 0 for a free one",
    errno.EACCES: "Ports below 1024 need privileges: choose a higher one",
    errno.EADDRNOTAVAIL: "This machine does not have that address: use 127.0.0.1",
}


_BACKLOG: Final = 1024
_LAST_TURNS: Final = 4
"""Of the loop: for a connection that has just come in to be made one."""

_LOOPBACK: Final = "127.0.0.1"
_NO_TOKEN: Final = Secret("")


class _Listener:
    """One application on one port."""

    def __init__(self, application: web.Application, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host, self._wanted_port, self._tls = host, port, tls
        self._server: asyncio.Server | None = None
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0, handle_signals=False)

    async def start(self) -> int:
        """Listen; return the port."""
        await self._runner.setup()
        served = self._runner.server
        assert served is not None
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                served, self._host, self._wanted_port, ssl=self._tls, backlog=_BACKLOG
            )
        except OSError as error:
            await self._runner.cleanup()
            raise self._unusable(error) from error
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Listen no more, and let go of every connection, one that was coming in just now included.

        asyncio accepts a connection in one turn of the loop and gives it to its server in the next; one that was
        closed in between takes it no more, and nobody owns the socket. So listening ends first, then the server.
        """
        if self._server is not None:
            for listener in self._server.sockets:
                asyncio.get_running_loop().remove_reader(listener.fileno())
            for _ in range(_LAST_TURNS):
                await asyncio.sleep(0)
            self._server.close()
        await self._runner.cleanup()

    def _unusable(self, error: OSError) -> ConfigError:
        number = error.errno or 0  # negative: the name could not be resolved
        return ConfigError(
            f"cannot listen on {self._host} port {self._wanted_port}",
            found=os.strerror(number) if number > 0 else error.strerror,
            hint=_HINTS.get(number, "Check the host name and the port"),
        )


class VenueServer:
    """A venue on one port, or on one for each of Kraken's hosts.

    Args:
        market: the venue to serve.
        clock: where every `now_ns` comes from.
        host, port: where to listen; port 0 takes a free one.
        tls: serve TLS with this context.
        strict_hosts: public, private, level3 and REST have ports of their own, one after the other from `port`.
        control: port of the control interface, 0 for a free one, None for none; always on the loopback address.
        control_token: what callers of it must know.
        attempts: how many connections one address may open; None for as many as it likes.
        connections_max: WebSocket connections at once; more get HTTP 503.
        backlog_bytes_max: unread bytes at which a client is dropped.
    """

    def __init__(
        self,
        market: VenuePort,
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        strict_hosts: bool = False,
        control: int | None = None,
        control_token: Secret = _NO_TOKEN,
        attempts: BanRule | None = None,
        connections_max: int = VENUE_CONNECTIONS_MAX,
        backlog_bytes_max: int = VENUE_CLIENT_BACKLOG_BYTES,
    ) -> None:
        self.ports: dict[Door, int] = {}
        self.control_port = 0
        application = Application(
            market, clock, connections_max=connections_max, backlog_bytes_max=backlog_bytes_max, attempts=attempts
        )
        self.connections = application.connections
        self.driver = application.driver
        self.operations = Operations(market, clock, self.driver)
        doors: tuple[Door, ...] = DOORS if strict_hosts else ("any",)
        self._doors = {
            door: _Listener(application.build(door), host, port and port + number, tls)
            for number, door in enumerate(doors)
        }
        self._control = (
            None
            if control is None
            else _Listener(Control(self.operations, control_token).build(), _LOOPBACK, control, None)
        )
        self._stepping: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port of everything, or of the public host; 0 while it does not listen."""
        return next(iter(self.ports.values()), 0)

    @property
    def stepping(self) -> asyncio.Task[None]:
        """The task that steps the venue: it ends only with an error."""
        assert self._stepping is not None, "start() comes first"
        return self._stepping

    async def start(self) -> None:
        """Listen and let the market run.

        Raises:
            ConfigError: the address cannot be used.
        """
        for door, listener in self._doors.items():
            self.ports[door] = await listener.start()
        if self._control is not None:
            self.control_port = await self._control.start()
        self._stepping = asyncio.create_task(self.driver.run(), name="krakenwire venue")

    async def stop(self) -> None:
        """Say goodbye to everyone and close the port."""
        if self._stepping is not None:
            self._stepping.cancel()
            await asyncio.wait((self._stepping,))
        self.driver.awake.set()
        await self.connections.close()
        for listener in (*self._doors.values(), *(() if self._control is None else (self._control,))):
            await listener.stop()
        _log.info(
            "stopped: %d clients served, %d dropped", self.connections.accepted_count, self.connections.dropped_count
        )
