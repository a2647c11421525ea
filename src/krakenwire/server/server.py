"""Binds a venue to a port and runs it until it is told to stop.

Start-up problems are typed errors before anything is served; stopping leaves
no task, socket or thread behind.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import ssl

from aiohttp import web

from krakenwire.errors import ConfigError
from krakenwire.limits import VENUE_CLIENT_BACKLOG_BYTES, VENUE_CONNECTIONS_MAX
from krakenwire.server.application import Application
from krakenwire.server.clock import Clock
from krakenwire.server.ports import VenuePort

__all__ = ["VenueServer"]

_log = logging.getLogger("krakenwire.server")

_HINTS = {
    errno.EADDRINUSE: "Another program listens there: choose another port, or 0 for a free one",
    errno.EACCES: "Ports below 1024 need privileges: choose a higher one",
    errno.EADDRNOTAVAIL: "This machine does not have that address: use 127.0.0.1",
}


class VenueServer:
    """A venue on one port.

    Args:
        market: the venue to serve.
        clock: where every `now_ns` comes from.
        host, port: where to listen; port 0 takes a free one.
        tls: serve TLS with this context.
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
        connections_max: int = VENUE_CONNECTIONS_MAX,
        backlog_bytes_max: int = VENUE_CLIENT_BACKLOG_BYTES,
    ) -> None:
        self._host, self._wanted_port, self._tls = host, port, tls
        self.port = 0
        application = Application(market, clock, connections_max=connections_max, backlog_bytes_max=backlog_bytes_max)
        self.connections = application.connections
        self.driver = application.driver
        self._runner = web.AppRunner(application.build(), access_log=None, shutdown_timeout=1.0, handle_signals=False)
        self._stepping: asyncio.Task[None] | None = None

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
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._wanted_port, ssl_context=self._tls, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise self._unusable(error) from error
        self.port = int(self._runner.addresses[0][1])
        self._stepping = asyncio.create_task(self.driver.run(), name="krakenwire venue")

    def _unusable(self, error: OSError) -> ConfigError:
        number = error.errno or 0  # negative: the name could not be resolved
        return ConfigError(
            f"cannot listen on {self._host} port {self._wanted_port}",
            found=os.strerror(number) if number > 0 else error.strerror,
            hint=_HINTS.get(number, "Check the host name and the port"),
        )

    async def stop(self) -> None:
        """Say goodbye to everyone and close the port."""
        if self._stepping is not None:
            self._stepping.cancel()
            await asyncio.wait((self._stepping,))
        self.driver.awake.set()
        await self.connections.close()
        await self._runner.cleanup()
        _log.info(
            "stopped: %d clients served, %d dropped", self.connections.accepted_count, self.connections.dropped_count
        )
