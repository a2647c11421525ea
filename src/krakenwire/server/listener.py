"""One application on one port: binds it, and lets go of it without leaving a socket behind.

Start-up problems are typed errors that say what to do. Used by `server` and `player`.
"""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
from typing import Final

from aiohttp import web

from krakenwire.errors import ConfigError

__all__ = ["Listener"]

_HINTS = {
    errno.EADDRINUSE: "Another program listens there: choose another port, or 0 for a free one",
    errno.EACCES: "Ports below 1024 need privileges: choose a higher one",
    errno.EADDRNOTAVAIL: "This machine does not have that address: use 127.0.0.1",
}


_BACKLOG: Final = 1024
_LAST_TURNS: Final = 4
"""Of the loop: for a connection that has just come in to be made one."""


class Listener:
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
