"""Binds a venue to its ports and runs it until it is told to stop.

Start-up problems are typed errors before anything is served; stopping leaves
no task, socket or thread behind.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Final

from krakenwire.limits import VENUE_CLIENT_BACKLOG_BYTES, VENUE_CONNECTIONS_MAX
from krakenwire.model.secrets import Secret
from krakenwire.server.application import DOORS, Application, Door
from krakenwire.server.clock import Clock
from krakenwire.server.control import Control
from krakenwire.server.listener import Listener
from krakenwire.server.operations import Operations
from krakenwire.server.ports import VenuePort
from krakenwire.venue.access.pace import BanRule

__all__ = ["VenueServer"]

_log = logging.getLogger("krakenwire.server")

_LOOPBACK: Final = "127.0.0.1"
_NO_TOKEN: Final = Secret("")


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
            door: Listener(application.build(door), host, port and port + number, tls)
            for number, door in enumerate(doors)
        }
        self._control = (
            None
            if control is None
            else Listener(Control(self.operations, control_token).build(), _LOOPBACK, control, None)
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
