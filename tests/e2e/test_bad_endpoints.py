"""Addresses where no Kraken is: one typed error within seconds, in every style, that says what to do."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tests.conformance.styles import STYLES, Style, take_until
from tests.threads import running
from tests.unit.client.peer import Loopback, Peer

from krakenwire.errors import ConnectError, FrameTooBig, HandshakeError, KrakenwireError
from krakenwire.limits import FRAME_BYTES_MAX
from krakenwire.model import Disconnected

Make = Callable[..., Style]


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    servers = Loopback()
    yield servers
    servers.close()


def failure(client: Style) -> KrakenwireError:
    """Return the error a user meets, checked for being told soon, and twice the same."""
    start = time.monotonic()
    trades = client.stream("trade", "BTC/USD")
    with pytest.raises(KrakenwireError) as caught:
        trades.next()
    assert time.monotonic() - start < 5
    with pytest.raises(type(caught.value)):
        trades.next()
    with pytest.raises(type(caught.value)):
        client.stream("ticker", "BTC/USD").next()
    return caught.value


def test_a_refused_port_names_the_command_that_starts_a_venue(make: Make) -> None:
    error = failure(make("ws://127.0.0.1:1"))
    assert isinstance(error, ConnectError)
    assert "refused" in str(error)
    assert "krakenwire venue" in str(error)


@pytest.mark.parametrize("status", [200, 301, 404, 429, 503])
def test_an_http_answer_gives_its_status(make: Make, loopback: Loopback, status: int) -> None:
    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 %d Whatever\r\nContent-Length: 4\r\n\r\nbody" % status)
        await peer.until_gone()

    error = failure(make(f"http://127.0.0.1:{loopback.serve(answer)}"))
    assert isinstance(error, HandshakeError)
    assert error.status == status
    assert loopback.connections == 1


def test_an_unavailable_venue_is_tried_again_when_asked_to(make: Make, loopback: Loopback) -> None:
    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")

    client = make(f"ws://127.0.0.1:{loopback.serve(answer)}", retry_initial=True, pause_s=0.05, pause_max_s=0.1)
    events = client.stream("events")
    for _ in range(3):
        lost = take_until(events, lambda event: isinstance(event, Disconnected))
        assert isinstance(lost.error, HandshakeError)
        assert lost.retry_in_s is not None


def test_a_server_of_something_else_is_no_websocket(make: Make, loopback: Loopback) -> None:
    async def answer(peer: Peer) -> None:
        await peer.send(b"220 mail.example ESMTP\r\n\r\n")
        await peer.until_gone()

    error = failure(make(f"ws://127.0.0.1:{loopback.serve(answer)}"))
    assert isinstance(error, ConnectError)
    assert "not a WebSocket" in str(error)


def test_a_server_that_never_answers_ends_at_the_time_allowed(make: Make, loopback: Loopback) -> None:
    async def answer(peer: Peer) -> None:
        await peer.until_gone()

    error = failure(make(f"ws://127.0.0.1:{loopback.serve(answer)}", connect_timeout_s=0.3))
    assert isinstance(error, ConnectError)
    assert "time" in str(error)


@pytest.mark.parametrize(
    "rest",
    [b"", b"x" * 100_000],
    ids=["announced", "begun"],
)
def test_a_huge_frame_is_refused_before_it_is_read(make: Make, loopback: Loopback, rest: bytes) -> None:
    async def answer(peer: Peer) -> None:
        await peer.upgrade()
        await peer.send(b"\x81\x7f" + struct.pack("!Q", FRAME_BYTES_MAX * 1000) + rest)
        await peer.until_gone()

    client = make(f"ws://127.0.0.1:{loopback.serve(answer)}", pause_s=0.05, pause_max_s=0.1)
    lost = take_until(client.stream("events"), lambda event: isinstance(event, Disconnected))
    assert isinstance(lost.error, FrameTooBig)


def test_frames_that_are_no_json_end_the_client_after_a_few_tries(make: Make, loopback: Loopback) -> None:
    async def answer(peer: Peer) -> None:
        await peer.upgrade()
        await peer.say("<html>restarting</html>")
        await peer.until_gone()

    client = make(f"ws://127.0.0.1:{loopback.serve(answer)}", malformed_max=3, pause_s=0.05, pause_max_s=0.1)
    with pytest.raises(KrakenwireError):
        take_until(client.stream("trade", "BTC/USD"), lambda _: False)
    assert loopback.connections == 3


def test_an_unresolvable_name_names_the_local_kraken(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    error = failure(make("live"))
    assert isinstance(error, ConnectError)
    assert "ws.kraken.com" in str(error)
    assert 'on="local"' in str(error)
    assert "--on local" in str(error)


def test_a_name_server_that_hangs_ends_at_the_time_allowed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hangs(*_: object, **__: object) -> None:
        released.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    try:
        error = failure(make("live", connect_timeout_s=0.3))
    finally:
        released.set()
    assert isinstance(error, ConnectError)
    assert "--on local" in str(error)


@pytest.mark.parametrize("style", STYLES)
def test_nothing_is_opened_when_the_arguments_are_wrong(style: str) -> None:
    before = running()
    for wrong in ({"on": "nowhere"}, {"on": "live", "version": 3}, {"on": "live", "colour": "red"}):
        with pytest.raises(KrakenwireError):
            STYLES[style](**wrong).stream("trade", "BTC/USD")  # type: ignore[arg-type]
    assert not running() - before
