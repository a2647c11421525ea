"""All transports, one suite: how a connection opens, and what is said when it cannot."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import Any

import pytest
from tests.unit.client.lines import (
    ASYNC,
    LOOP_TLS,
    NATIVE,
    AsyncLine,
    Make,
    Open,
    Tls,
)

from krakenwire.client import addresses
from krakenwire.client.attempt import Attempt
from krakenwire.errors import (
    ConnectError,
    HandshakeError,
    TlsError,
)


def test_the_handshake_names_us_and_asks_for_no_extension(loopback: Any, open_line: Open) -> None:
    heads: list[bytes] = []

    async def talk(peer: Any) -> None:
        await peer.upgrade()
        heads.append(peer.head.lower())
        await peer.say("hello")
        await peer.until_gone()

    open_line(loopback.serve(talk)).wait(1)
    assert b"user-agent: krakenwire/" in heads[0]
    assert b"sec-websocket-extensions" not in heads[0]
    assert heads[0].startswith(b"get /v2 http/1.1\r\n")


@pytest.mark.parametrize("status", [301, 400, 403, 404, 429, 500, 503])
def test_an_http_answer_is_a_handshake_error(loopback: Any, open_line: Open, status: int) -> None:
    async def talk(peer: Any) -> None:
        await peer.request()
        await peer.send(
            b"HTTP/1.1 %d Whatever\r\nContent-Length: 5\r\nLocation: ws://127.0.0.1:9/\r\n\r\nsorry" % status
        )
        await peer.until_gone()

    with pytest.raises(HandshakeError) as caught:
        open_line(loopback.serve(talk))
    assert caught.value.status == status
    assert caught.value.retryable == (status in (429, 503))


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: d3Jvbmc=\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"",
    ],
    ids=["ssh", "binary", "wrong accept key", "no headers", "nothing"],
)
def test_an_answer_that_is_no_websocket_is_a_connect_error(loopback: Any, open_line: Open, answer: bytes) -> None:
    async def talk(peer: Any) -> None:
        await peer.request()
        await peer.send(answer)

    with pytest.raises(ConnectError):
        open_line(loopback.serve(talk))


def test_a_flood_of_headers_ends_at_a_bound(loopback: Any, open_line: Open) -> None:
    async def talk(peer: Any) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 101 Switching Protocols\r\n")
        while True:
            await peer.send(b"x-flood: " + b"y" * 8000 + b"\r\n")

    with pytest.raises(ConnectError):
        open_line(loopback.serve(talk))


@pytest.mark.parametrize("drip", [b"", b"H"], ids=["silence", "one byte at a time"])
def test_a_handshake_that_never_ends_ends_at_the_time_allowed(loopback: Any, open_line: Open, drip: bytes) -> None:
    async def talk(peer: Any) -> None:
        await peer.request()
        while True:
            await peer.send(drip)
            await asyncio.sleep(0.05)

    start = time.monotonic()
    with pytest.raises(ConnectError) as caught:
        open_line(loopback.serve(talk), 0.4)
    assert time.monotonic() - start < 5
    assert "time" in str(caught.value)


def test_a_refused_port_is_a_connect_error_with_the_hint(open_line: Open) -> None:
    with pytest.raises(ConnectError) as caught:
        open_line(1)
    assert "refused" in str(caught.value)
    assert caught.value.hint == "a hint"


def test_a_host_name_that_cannot_be_written_is_a_connect_error(make_line: Make) -> None:
    with pytest.raises(ConnectError):
        make_line(f"ws://{'ü' * 80}.example/")


@pytest.mark.parametrize("moment", ["TLS", "handshake"])
@pytest.mark.parametrize("kind", [*ASYNC, *LOOP_TLS])
def test_a_cancelled_attempt_leaves_no_socket(loopback: Any, kind: type[AsyncLine], tls: Tls, moment: str) -> None:
    began, gone = threading.Event(), threading.Event()

    async def talk(peer: Any) -> None:
        await (peer.request() if moment == "handshake" else peer.reader.readexactly(1))
        began.set()
        await peer.until_gone()
        gone.set()

    class Cancelled(kind):  # type: ignore[valid-type, misc]
        async def open(self, attempt: Attempt) -> object:
            opening = asyncio.ensure_future(super().open(attempt))
            await asyncio.to_thread(began.wait, 10)
            opening.cancel()
            return await opening

    scheme = "wss" if moment == "TLS" else "ws"
    with pytest.raises(asyncio.CancelledError):
        Cancelled(f"{scheme}://127.0.0.1:{loopback.serve(talk)}/", 10.0, tls.client)
    assert gone.wait(10)


@pytest.mark.parametrize("kind", ASYNC)
def test_a_loop_that_was_held_up_still_reads_the_answer(loopback: Any, kind: type[AsyncLine]) -> None:
    asked = threading.Event()

    async def talk(peer: Any) -> None:
        answer = await peer.answer()
        asked.set()
        await peer.send(answer)
        await peer.until_gone()

    class HeldUp(kind):  # type: ignore[valid-type, misc]
        async def open(self, attempt: Attempt) -> object:
            opening = asyncio.ensure_future(super().open(attempt))
            await asyncio.to_thread(asked.wait, 10)
            time.sleep(attempt.timeout_s * 1.5)  # noqa: ASYNC251  # this is what the test is about
            return await opening

    HeldUp(f"ws://127.0.0.1:{loopback.serve(talk)}/", 1.0).close()


def test_a_time_out_is_kept_by_a_loop_that_is_held_up_all_the_time() -> None:
    async def main() -> None:
        async with Attempt("ws://127.0.0.1/", None, 0.1).in_time():
            while True:
                await asyncio.sleep(0.001)
                time.sleep(0.1)  # noqa: ASYNC251  # this is what the test is about

    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(main(), 10))


@pytest.mark.parametrize("kind", NATIVE)
def test_an_attempt_cancelled_at_any_turn_closes_its_socket(
    loopback: Any, kind: type[AsyncLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, sockets = addresses.connect_async, []
    connects: asyncio.Queue[None] = asyncio.Queue()

    async def connected(host: str, port: int) -> socket.socket:
        sockets.append(await connect(host, port))
        connects.put_nowait(None)
        return sockets[-1]

    left = threading.Semaphore(0)

    async def talk(peer: Any) -> None:
        try:
            await peer.until_gone()
        finally:
            left.release()

    class Cancelled(kind):  # type: ignore[valid-type, misc]
        async def open(self, attempt: Attempt) -> object:
            for turns in range(8):
                opening = asyncio.ensure_future(super().open(attempt))
                await connects.get()
                for _ in range(turns):
                    await asyncio.sleep(0)
                opening.cancel()
                await asyncio.wait([opening])
                assert opening.cancelled()
            return await opening

    monkeypatch.setattr(addresses, "connect_async", connected)
    with pytest.raises(asyncio.CancelledError):
        Cancelled(f"ws://127.0.0.1:{loopback.serve(talk)}/", 10.0)
    assert [sock.fileno() for sock in sockets] == [-1] * 8
    assert all(left.acquire(timeout=10) for _ in sockets)


@pytest.mark.parametrize("case", ["unknown authority", "other host", "no TLS"])
def test_tls_that_cannot_be_trusted_is_a_tls_error(loopback: Any, make_line: Make, tls: Tls, case: str) -> None:
    async def talk(peer: Any) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.until_gone()

    port = loopback.serve(talk, None if case == "no TLS" else tls.server)
    host = "localhost" if case == "other host" else "127.0.0.1"
    with pytest.raises(TlsError):
        make_line(f"wss://{host}:{port}/", context=tls.stranger if case == "unknown authority" else tls.client)
