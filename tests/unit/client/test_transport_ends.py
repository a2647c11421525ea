"""All transports, one suite: whoever ends a connection and however, it gives the same errors and leaves nothing."""

from __future__ import annotations

import queue
import struct
from typing import Any

import pytest
from tests.threads import left_since, running
from tests.unit.client.lines import (
    Make,
    NativeLine,
    Open,
    Tls,
    needs_native,
)

from krakenwire import _native, limits
from krakenwire.client import websocket_client as blocking_transport
from krakenwire.errors import (
    ConnectionLost,
    DecodeError,
    FrameTooBig,
)


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


def test_a_close_frame_over_tls_gives_its_code(loopback: Any, make_line: Make, tls: Tls) -> None:
    async def talk(peer: Any) -> None:
        await peer.upgrade()
        await peer.say(struct.pack("!H", 1012) + b"restart", opcode=8)
        await peer.until_gone()

    error = make_line(f"wss://127.0.0.1:{loopback.serve(talk, tls.server)}/", context=tls.client).end()
    assert isinstance(error, ConnectionLost)
    assert error.code == 1012
