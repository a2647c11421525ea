"""All asyncio transports: a connection that is cut while it opens, or right after, has an end that is told soon."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from tests.unit.client.lines import Make, Tls

from krakenwire.errors import ConnectError, ConnectionLost, KrakenwireError

TIMES = 30


@pytest.mark.parametrize("reset", [False, True], ids=["ended", "reset"])
@pytest.mark.parametrize("moment", ["accept", "request", "half an answer"])
def test_a_peer_that_cuts_while_the_connection_opens_is_noticed_every_time(
    loopback: Any, make_line: Make, moment: str, reset: bool
) -> None:
    async def talk(peer: Any) -> None:
        if moment != "accept":
            answer = await peer.answer()
            await peer.send(answer[:50] if moment == "half an answer" else b"")
        if reset:
            await peer.reset()

    url = f"ws://127.0.0.1:{loopback.serve(talk)}/"
    for _ in range(TIMES):
        with pytest.raises(ConnectError, match=r"reset|ended during the handshake"):
            make_line(url, 30.0)


@pytest.mark.parametrize("last", [b"", b"\x81\x01x"], ids=["answer", "message"])
def test_a_peer_that_cuts_with_its_answer_is_noticed_every_time(loopback: Any, make_line: Make, last: bytes) -> None:
    async def talk(peer: Any) -> None:
        await peer.send(await peer.answer() + last)
        await peer.reset()

    url = f"ws://127.0.0.1:{loopback.serve(talk)}/"
    for _ in range(TIMES):
        assert re.search(r"reset|ended", str(_end_of(make_line, url)))


def _end_of(make_line: Make, url: str) -> KrakenwireError:
    """Return what a connection ended with, on whichever side of its opening that was."""
    try:
        return make_line(url, 30.0).end()
    except ConnectError as error:
        return error


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_a_reset_that_is_found_together_with_bytes_is_noticed(
    loopback: Any, make_line: Make, tls: Tls, secure: bool
) -> None:
    """uvloop says once that there was a reset: whoever reads only what came before it hears of it never again."""
    cut = threading.Event()

    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.say("last words")
        await peer.reset()
        cut.set()

    scheme, server = ("wss", tls.server) if secure else ("ws", None)
    url = f"{scheme}://127.0.0.1:{loopback.serve(talk, server)}/"
    line = make_line(url, context=tls.client if secure else None, opened=lambda _: cut.wait(10))
    error = line.end()
    assert isinstance(error, ConnectionLost)
    assert error.code == 1006
    assert line.frames in ([], [b"last words"])
