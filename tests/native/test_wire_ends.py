"""How a connection of the native WebSocket client ends, and what whoever takes its messages does to it."""

from __future__ import annotations

import struct

import pytest
from tests.native.wire_client import (
    CLOSE,
    HEAD,
    Client,
    needs_native,
)
from tests.unit.client.peer import frame

from krakenwire.errors import ConnectionLost, DecodeError
from krakenwire.limits import HANDSHAKE_BYTES_MAX

# -- farewells ---------------------------------------------------------------------


@needs_native
@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1011, 1012, 1013, 1014, 3000, 4999])
async def test_a_close_is_answered_with_its_code(client: Client, code: int) -> None:
    client.feed(frame(b"last") + frame(struct.pack("!H", code) + "gute Nacht, é".encode(), CLOSE) + frame(b"no more"))
    client.feed(frame(b"nor now"))
    assert client.texts == [b"last"]
    assert client.sent() == [(CLOSE, struct.pack("!H", code))]
    assert client.transport.said == ["close"]
    failure = client.protocol.failure
    assert isinstance(failure, ConnectionLost)
    assert failure.code == code
    assert "é" in str(failure)


@needs_native
async def test_a_close_without_a_code_is_answered_without_one(client: Client) -> None:
    client.feed(frame(b"", CLOSE))
    assert client.sent() == [(CLOSE, b"")]
    assert client.protocol.failure.code == 1005


@needs_native
async def test_closing_says_so_once_and_lets_go(client: Client) -> None:
    client.protocol.close(1001, b"enough")
    client.protocol.close(1000, b"again")
    client.protocol.send("too late")
    assert client.sent() == [(CLOSE, struct.pack("!H", 1001) + b"enough")]
    assert client.transport.said == ["abort"]


@needs_native
async def test_the_end_is_told_once_with_what_the_loop_says(client: Client) -> None:
    error = ConnectionResetError("reset")
    client.protocol.connection_lost(error)
    client.protocol.connection_lost(None)
    assert client.ends == [error]
    client.protocol.send("nowhere")
    client.protocol.pause(True)
    client.protocol.close(1000, b"")
    assert not client.protocol.abort()


# -- whoever takes the messages ----------------------------------------------------


@needs_native
@pytest.mark.parametrize("failure", [RuntimeError("a bug"), OSError("a bug"), DecodeError("not JSON", b"x")])
async def test_what_the_sink_raises_ends_the_connection_and_is_kept(failure: Exception) -> None:
    taken = []

    def take(data: bytes, last: bool) -> None:
        taken.append(data)
        raise failure

    client = Client(take).feed(HEAD + frame(b"a") + frame(b"b") + frame(b"c")).feed(frame(b"d"))
    assert taken == [b"a"]
    assert client.protocol.failure is failure
    assert client.sent() == [(CLOSE, struct.pack("!H", 1011))]
    assert client.transport.said == ["abort"]


@needs_native
async def test_an_interrupt_in_the_sink_reaches_the_loop() -> None:
    def take(data: bytes, last: bool) -> None:
        raise KeyboardInterrupt

    client = Client(take).feed(HEAD)
    with pytest.raises(KeyboardInterrupt):
        client.feed(frame(b"a"))
    assert isinstance(client.protocol.failure, KeyboardInterrupt)


@needs_native
async def test_a_sink_that_closes_gets_nothing_more_but_what_it_held() -> None:
    taken: list[bytes] = []

    def take(data: bytes, last: bool) -> None:
        taken.append(data)
        client.protocol.close(1000, b"")

    client = Client(take)
    client.feed(HEAD + frame(b"a") + frame(b"b") + frame(b"c") + frame(b"d"))
    assert taken == [b"a", b"b"]
    assert client.protocol.failure is None


@needs_native
async def test_the_connection_is_told_of_before_the_messages_that_came_with_the_answer() -> None:
    order: list[object] = []
    Client(lambda data, _: order.append(data), lambda: order.append("opened")).feed(HEAD + frame(b"a"))
    assert order == ["opened", b"a"]


@needs_native
async def test_an_answer_without_end_is_refused_without_a_farewell() -> None:
    client = Client().feed(b"HTTP/1.1 101 X\r\n" + b"x" * HANDSHAKE_BYTES_MAX)
    assert isinstance(client.protocol.failure, ValueError)
    assert client.transport.written == []
    assert client.heads == []
