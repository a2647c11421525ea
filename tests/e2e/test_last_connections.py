"""A connection that comes in while a server or a proxy ends is let go of, whichever turn of the loop it comes in."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import pytest

from krakenwire.apps.served_venue import ServedVenue
from krakenwire.server import Clock, VenueServer
from krakenwire.testing.proxy import FaultProxy
from krakenwire.venue import VenueConfig

TURNS = range(8)
PATIENCE_S = 10.0


@pytest.fixture
def caller() -> Iterator[socket.socket]:
    with socket.socket() as client:
        client.settimeout(PATIENCE_S)
        yield client


def is_let_go(caller: socket.socket) -> bool:
    """Return whether the other side ends the connection; without an owner there it never would."""
    with contextlib.suppress(ConnectionResetError):
        return caller.recv(1) == b""
    return True


@pytest.mark.parametrize("turns", TURNS)
def test_a_server_that_ends_lets_go_of_who_has_just_connected(caller: socket.socket, turns: int) -> None:
    async def serve() -> None:
        server = VenueServer(ServedVenue(VenueConfig(symbols=("BTC/USD",), rate=1)), Clock())
        await server.start()
        listener = server._doors["any"]
        caller.connect(("127.0.0.1", server.port))
        for _ in range(turns):
            await asyncio.sleep(0)
        await listener.stop()
        assert await asyncio.to_thread(is_let_go, caller)
        await server.stop()

    asyncio.run(serve())


@pytest.mark.parametrize("turns", TURNS)
def test_a_proxy_that_ends_lets_go_of_who_has_just_connected(caller: socket.socket, turns: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as target, FaultProxy(target.getsockname()[1]) as proxy:

        async def end() -> None:
            caller.connect(("127.0.0.1", proxy.port))
            for _ in range(turns):
                await asyncio.sleep(0)
            await proxy._close()

        proxy._call(end())
        assert is_let_go(caller)
