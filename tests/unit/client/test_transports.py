"""Both transports, one suite: the same bytes give the same messages and the same errors."""

from __future__ import annotations

import asyncio
import queue
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import pytest
import trustme
from tests.threads import left_since, running

from krakenwire import _native, limits
from krakenwire.client import addresses
from krakenwire.client import picows as aio_transport
from krakenwire.client import websocket_client as blocking_transport
from krakenwire.errors import (
    ConnectError,
    ConnectionLost,
    DecodeError,
    FrameTooBig,
    HandshakeError,
    KrakenwireError,
    TlsError,
)


class Line(Protocol):
    """What the suite needs of a transport."""

    def send(self, text: str) -> None: ...
    def wait(self, messages: int) -> list[bytes]: ...
    def end(self) -> KrakenwireError: ...
    def close(self) -> None: ...


class BlockingLine:
    def __init__(self, url: str, timeout_s: float) -> None:
        self.wire = blocking_transport.Wire(url, None, timeout_s, "a hint")
        self.frames: list[bytes] = []

    def send(self, text: str) -> None:
        self.wire.send(text)

    def _read(self) -> KrakenwireError | None:
        assert select.select([self.wire], [], [], 10)[0], "nothing came"
        frames, error = self.wire.receive()
        self.frames += frames
        return error

    def wait(self, messages: int) -> list[bytes]:
        while len(self.frames) < messages:
            error = self._read()
            assert error is None, error
        return self.frames

    def end(self) -> KrakenwireError:
        while (error := self._read()) is None:
            pass
        return error

    def close(self) -> None:
        self.wire.close()


class AsyncLine:
    """An asyncio transport; the subclasses say which, and in which loop."""

    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None

    def __init__(
        self,
        url: str,
        timeout_s: float = 5.0,
        context: ssl.SSLContext | None = None,
        taken: Callable[[AsyncLine], object] = lambda _: None,
        opened: Callable[[Any], object] = lambda _: None,
    ) -> None:
        self.runner = asyncio.Runner(loop_factory=type(self).new_loop)
        self.frames: list[bytes] = []
        self.wire: Any = None
        self.taken, self.opened = taken, opened
        try:
            self.runner.run(self.open(url, context, timeout_s))
        except BaseException:
            self.runner.close()
            raise

    def take(self, data: bytes, last: bool) -> None:
        self.frames.append(data)
        self.taken(self)

    def met(self, wire: Any) -> None:
        self.wire = wire
        self.opened(wire)

    async def open(self, url: str, context: ssl.SSLContext | None, timeout_s: float) -> object:
        raise NotImplementedError

    def send(self, text: str) -> None:
        async def send() -> None:
            self.wire.send(text)

        self.runner.run(send())

    def wait(self, messages: int) -> list[bytes]:
        async def wait() -> None:
            async with asyncio.timeout(10):
                while len(self.frames) < messages:  # noqa: ASYNC110  # a transport has no signal but its callback
                    await asyncio.sleep(0.001)

        self.runner.run(wait())
        return self.frames

    def end(self) -> KrakenwireError:
        return self.runner.run(asyncio.wait_for(self.wire.ended(), 10))

    def close(self) -> None:
        async def close() -> None:
            self.wire.close()
            await asyncio.wait_for(self.wire.ended(), 10)

        self.runner.run(close())
        self.runner.close()


class PicowsLine(AsyncLine):
    async def open(self, url: str, context: ssl.SSLContext | None, timeout_s: float) -> object:
        return await aio_transport.open_wire(url, context, timeout_s, self.met, self.take, "a hint")


class NativeLine(AsyncLine):
    async def open(self, url: str, context: ssl.SSLContext | None, timeout_s: float) -> object:
        from krakenwire._native.sink import CallableSink
        from krakenwire.client import native_wire

        return await native_wire.open_wire(url, context, timeout_s, self.met, CallableSink(self.take), "a hint")


class UvloopLine(NativeLine):
    @staticmethod
    def new_loop() -> asyncio.AbstractEventLoop:
        return pytest.importorskip("uvloop").new_event_loop()


class LoopTlsLine(NativeLine):
    """With the TLS of the loop, which serves where picows brings none."""

    async def open(self, url: str, context: ssl.SSLContext | None, timeout_s: float) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("krakenwire.client.native_wire.FAST_TLS", False)
            return await super().open(url, context, timeout_s)


class UvloopTlsLine(LoopTlsLine, UvloopLine):
    """With uvloop's own TLS."""


Open = Callable[..., Line]

needs_native = pytest.mark.skipif(not _native.ENABLED, reason="the compiled twins are not in use")
NATIVE = [
    pytest.param(NativeLine, id="native", marks=needs_native),
    pytest.param(UvloopLine, id="native on uvloop", marks=needs_native),
]
LOOP_TLS = [
    pytest.param(LoopTlsLine, id="native, the loop's TLS", marks=needs_native),
    pytest.param(UvloopTlsLine, id="native, uvloop's TLS", marks=needs_native),
]
ASYNC = [pytest.param(PicowsLine, id="picows"), *NATIVE]


@pytest.fixture(params=[pytest.param(BlockingLine, id="websocket-client"), *ASYNC])
def open_line(request: pytest.FixtureRequest) -> Iterator[Open]:
    opened: list[Line] = []

    def open_line(port: int, timeout_s: float = 5.0) -> Line:
        opened.append(request.param(f"ws://127.0.0.1:{port}/v2", timeout_s))
        return opened[-1]

    yield open_line
    for line in opened:
        line.close()


Make = Callable[..., AsyncLine]


@pytest.fixture(params=[*ASYNC, *LOOP_TLS])
def make_line(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Opens asyncio lines with everything they take; those that opened are closed in the end."""
    opened: list[AsyncLine] = []

    def make(*args: Any, **options: Any) -> AsyncLine:
        opened.append(request.param(*args, **options))
        return opened[-1]

    yield make
    for line in opened:
        line.close()


def test_messages_arrive_in_order_however_many_share_a_read(loopback: Any, open_line: Open) -> None:
    async def talk(peer: Any) -> None:
        await peer.upgrade()
        for number in range(500):
            await peer.say(f"message {number}")
        await peer.until_gone()

    line = open_line(loopback.serve(talk))
    assert line.wait(500) == [f"message {number}".encode() for number in range(500)]


def test_a_message_that_comes_byte_by_byte_is_whole(loopback: Any, open_line: Open) -> None:
    async def talk(peer: Any) -> None:
        await peer.upgrade()
        text = b"x" * 200
        for byte in b"\x81\x7e" + struct.pack("!H", len(text)) + text:
            await peer.send(bytes([byte]))
            await asyncio.sleep(0)
        await peer.until_gone()

    assert open_line(loopback.serve(talk)).wait(1) == [b"x" * 200]


def test_fragments_are_put_together_around_a_ping_that_is_answered(loopback: Any, open_line: Open) -> None:
    answers: list[bytes] = []

    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.say("one ", fin=False)
        await peer.say("are you there", opcode=9)
        await peer.say("two ", opcode=0, fin=False)
        await peer.say("three", opcode=0)
        answers.append(await peer.hear())
        await peer.say("end")
        await peer.until_gone()

    line = open_line(loopback.serve(talk))
    assert line.wait(2) == [b"one two three", b"end"]
    assert answers == [b"are you there"]


def test_a_large_message_arrives_whole(loopback: Any, open_line: Open) -> None:
    text = bytes(range(32, 127)) * 20_000

    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.say(text)
        await peer.until_gone()

    assert open_line(loopback.serve(talk)).wait(1) == [text]


def test_what_is_sent_arrives(loopback: Any, open_line: Open) -> None:
    heard: list[bytes] = []

    async def talk(peer: Any) -> None:
        await peer.upgrade()
        heard.append(await peer.hear())
        await peer.say("thank you")
        await peer.until_gone()

    line = open_line(loopback.serve(talk))
    line.send('{"method":"ping"}' + " " * 200)
    line.wait(1)
    assert heard == [b'{"method":"ping"}' + b" " * 200]


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


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1012, 4001])
def test_a_close_frame_gives_its_code_and_reason(loopback: Any, open_line: Open, code: int) -> None:
    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.say("last words")
        await peer.say(struct.pack("!H", code) + b"good night", opcode=8)
        await peer.until_gone()

    line = open_line(loopback.serve(talk))
    error = line.end()
    assert isinstance(error, ConnectionLost)
    assert error.code == code
    assert "good night" in str(error)
    assert error.url.startswith("ws://127.0.0.1")


def test_a_connection_that_just_ends_is_lost_with_code_1006(loopback: Any, open_line: Open) -> None:
    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.say("last words")

    error = open_line(loopback.serve(talk)).end()
    assert isinstance(error, ConnectionLost)
    assert error.code == 1006


def test_a_frame_beyond_the_limit_ends_the_connection_before_it_is_read(loopback: Any, open_line: Open) -> None:
    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.send(b"\x81\x7f" + struct.pack("!Q", limits.FRAME_BYTES_MAX + 1) + b"never the rest")
        await peer.until_gone()

    error = open_line(loopback.serve(talk)).end()
    assert isinstance(error, FrameTooBig)
    assert (error.size, error.limit) == (limits.FRAME_BYTES_MAX + 1, limits.FRAME_BYTES_MAX)


def test_endless_fragments_end_the_connection(loopback: Any, open_line: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    for transport in ("websocket_client", "picows", *(["native_wire"] if _native.ENABLED else [])):
        monkeypatch.setattr(f"krakenwire.client.{transport}.FRAGMENTS_MAX", 100)

    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.say("", fin=False)
        while True:
            await peer.say("", opcode=0, fin=False)

    assert isinstance(open_line(loopback.serve(talk)).end(), FrameTooBig)


@pytest.mark.parametrize(
    "garbage",
    [b"\xff\xff\xff\xff\xff", b"\x83\x01x", b"\x89\xfe\x00\x7f" + b"p" * 200, b"\x80\x04cont"],
    ids=["reserved bits", "unknown opcode", "long ping", "continuation of nothing"],
)
def test_bytes_that_are_no_frame_end_the_connection(loopback: Any, open_line: Open, garbage: bytes) -> None:
    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.send(garbage + b"\x00" * 300)
        await peer.until_gone()

    error = open_line(loopback.serve(talk)).end()
    assert isinstance(error, ConnectionLost)


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


def test_a_closed_line_leaves_no_thread(loopback: Any, open_line: Open) -> None:
    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.say("hello")
        await peer.until_gone()

    port = loopback.serve(talk)
    before = running()
    line = open_line(port)
    line.wait(1)
    assert not left_since(before)


def test_closing_is_quiet_when_the_peer_takes_no_close_frame(loopback: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.until_gone()

    def refuse(socket: object, data: object) -> int:
        raise ConnectionLost("ws://peer", "the peer reads nothing any more")

    wire = blocking_transport.Wire(f"ws://127.0.0.1:{loopback.serve(talk)}", None, 5.0, "")
    monkeypatch.setattr(blocking_transport._Socket, "_send", refuse)
    wire.close()
    with pytest.raises(ConnectionLost):
        wire.send("after the end")


# -- asyncio only --------------------------------------------------------------------


class Tls(NamedTuple):
    """Settings of both ends that trust each other, and a client's that trusts nobody."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    stranger: ssl.SSLContext


@pytest.fixture(scope="module")
def tls() -> Tls:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return Tls(server, client, ssl.create_default_context())


def test_a_paused_line_takes_no_more_than_what_was_read(loopback: Any, make_line: Make) -> None:
    count, text = 400, b"x" * 100_000  # far more than the sockets between hold

    async def talk(peer: Any) -> None:
        await peer.upgrade()
        for _ in range(count):
            await peer.say(text)
        await peer.until_gone()

    def pause(line: AsyncLine) -> None:
        if len(line.frames) == 1:
            line.wire.pause(True)

    async def turns() -> None:
        for _ in range(50):
            await asyncio.sleep(0.001)

    async def resume() -> None:
        line.wire.pause(False)

    line = make_line(f"ws://127.0.0.1:{loopback.serve(talk)}/", taken=pause)
    line.wait(1)
    line.runner.run(turns())
    assert len(line.frames) < 20
    line.runner.run(resume())
    assert line.wait(count) == [text] * count


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_a_close_frame_of_ours_reaches_the_peer(loopback: Any, make_line: Make, tls: Tls, secure: bool) -> None:
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.say("hello")
        heard.put(await peer.hear())

    async def close() -> None:
        line.wire.close(1001, "enough")

    scheme, server = ("wss", tls.server) if secure else ("ws", None)
    line = make_line(f"{scheme}://127.0.0.1:{loopback.serve(talk, server)}/", context=tls.client if secure else None)
    line.wait(1)
    line.runner.run(close())
    line.end()
    assert heard.get(timeout=10) == struct.pack("!H", 1001) + b"enough"


@needs_native
def test_a_long_reason_is_cut_between_characters(loopback: Any) -> None:
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    async def talk(peer: Any) -> None:
        await peer.upgrade()
        heard.put(await peer.hear())

    line = NativeLine(f"ws://127.0.0.1:{loopback.serve(talk)}/", opened=lambda wire: wire.close(1000, "é" * 100))
    line.close()
    assert heard.get(timeout=10) == struct.pack("!H", 1000) + ("é" * 61).encode()


def test_a_host_name_that_cannot_be_written_is_a_connect_error(make_line: Make) -> None:
    with pytest.raises(ConnectError):
        make_line(f"ws://{'ü' * 80}.example/")


def test_what_a_listener_raises_comes_out_at_the_end(loopback: Any, make_line: Make) -> None:
    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.say("hello")
        await peer.until_gone()

    def fail(_: object) -> None:
        raise ZeroDivisionError("a bug in a callback")

    def refuse(_: object) -> None:
        raise DecodeError("not JSON", b"hello")

    url = f"ws://127.0.0.1:{loopback.serve(talk)}/"
    for line in (make_line(url, taken=fail), make_line(url, opened=fail)):
        for _ in range(2):  # whoever asks, whenever
            with pytest.raises(ZeroDivisionError):
                line.end()
        line.wire = _Nothing()
    assert isinstance(make_line(url, taken=refuse).end(), DecodeError)


class _Nothing:
    """Stands for a wire whose end has been judged."""

    def close(self) -> None: ...
    async def ended(self) -> None: ...


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
        async def open(self, url: str, context: ssl.SSLContext | None, timeout_s: float) -> object:
            attempt = asyncio.ensure_future(super().open(url, context, timeout_s))
            await asyncio.to_thread(began.wait, 10)
            attempt.cancel()
            return await attempt

    scheme = "wss" if moment == "TLS" else "ws"
    with pytest.raises(asyncio.CancelledError):
        Cancelled(f"{scheme}://127.0.0.1:{loopback.serve(talk)}/", 10.0, tls.client)
    assert gone.wait(10)


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
        async def open(self, url: str, context: ssl.SSLContext | None, timeout_s: float) -> object:
            for turns in range(8):
                attempt = asyncio.ensure_future(super().open(url, context, timeout_s))
                await connects.get()
                for _ in range(turns):
                    await asyncio.sleep(0)
                attempt.cancel()
                await asyncio.wait([attempt])
                assert attempt.cancelled()
            return await attempt

    monkeypatch.setattr(addresses, "connect_async", connected)
    with pytest.raises(asyncio.CancelledError):
        Cancelled(f"ws://127.0.0.1:{loopback.serve(talk)}/", 10.0)
    assert [sock.fileno() for sock in sockets] == [-1] * 8
    assert all(left.acquire(timeout=10) for _ in sockets)


def test_tls_carries_messages_of_every_size_both_ways(loopback: Any, make_line: Make, tls: Tls) -> None:
    texts = [b"", b"small", b"m" * 20_000, b"l" * 1_500_000, *[b"%d" % number for number in range(3000)]]

    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.say(await peer.hear())
        for text in texts:
            await peer.say(text)
        await peer.until_gone()

    line = make_line(f"wss://127.0.0.1:{loopback.serve(talk, tls.server)}/", context=tls.client)
    line.send("echo " * 50)
    assert line.wait(len(texts) + 1) == [b"echo " * 50, *texts]


def test_a_close_frame_over_tls_gives_its_code(loopback: Any, make_line: Make, tls: Tls) -> None:
    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.say(struct.pack("!H", 1012) + b"restart", opcode=8)
        await peer.until_gone()

    error = make_line(f"wss://127.0.0.1:{loopback.serve(talk, tls.server)}/", context=tls.client).end()
    assert isinstance(error, ConnectionLost)
    assert error.code == 1012


@pytest.mark.parametrize("case", ["unknown authority", "other host", "no TLS"])
def test_tls_that_cannot_be_trusted_is_a_tls_error(loopback: Any, make_line: Make, tls: Tls, case: str) -> None:
    async def talk(peer: Any) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.until_gone()

    port = loopback.serve(talk, None if case == "no TLS" else tls.server)
    host = "localhost" if case == "other host" else "127.0.0.1"
    with pytest.raises(TlsError):
        make_line(f"wss://{host}:{port}/", context=tls.stranger if case == "unknown authority" else tls.client)
