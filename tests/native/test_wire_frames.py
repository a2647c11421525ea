"""Frames of the native WebSocket client: in every order and cut, refusals, limits, and those it sends."""

from __future__ import annotations

import random
import socket
import struct

import pytest
from tests.native.wire_client import (
    BINARY,
    CLOSE,
    CONTINUED,
    HEAD,
    LONG,
    LONGER,
    PING,
    PONG,
    ROOM,
    TEXT,
    Client,
    needs_native,
)
from tests.unit.client.peer import frame

from krakenwire.errors import ConnectionLost, FrameTooBig
from krakenwire.limits import FRAGMENTS_MAX, FRAME_BYTES_MAX

GOOD: dict[str, tuple[list[bytes], list[bytes], list[tuple[int, bytes]]]] = {
    "text": ([frame(b"one")], [b"one"], []),
    "empty text": ([frame(b"")], [b""], []),
    "binary like text": ([frame(b"\x00\xff", BINARY)], [b"\x00\xff"], []),
    "text that is no UTF-8 is the decoder's business": ([frame(b"\xff")], [b"\xff"], []),
    "lengths of each form": ([frame(b"a" * 125), frame(LONG), frame(b"b" * 65535), frame(LONGER)],
                             [b"a" * 125, LONG, b"b" * 65535, LONGER], []),
    "ping": ([frame(b"hello", PING)], [], [(PONG, b"hello")]),
    "empty ping": ([frame(b"", PING)], [], [(PONG, b"")]),
    "longest ping": ([frame(b"p" * 125, PING)], [], [(PONG, b"p" * 125)]),
    "pong nobody asked for": ([frame(b"hello", PONG)], [], []),
    "two fragments": ([frame(b"one ", TEXT, False), frame(b"two", CONTINUED)], [b"one two"], []),
    "binary fragments": ([frame(b"one ", BINARY, False), frame(b"two", CONTINUED)], [b"one two"], []),
    "empty fragments": ([frame(b"", TEXT, False), frame(b"", CONTINUED, False), frame(b"", CONTINUED)], [b""], []),
    "long fragments": ([frame(LONGER, TEXT, False), frame(LONG, CONTINUED, False), frame(LONGER, CONTINUED)],
                       [LONGER + LONG + LONGER], []),
    "control frames between fragments": (
        [frame(b"one ", TEXT, False), frame(b"1", PING), frame(b"two ", CONTINUED, False), frame(b"2", PONG),
         frame(b"3", PING), frame(b"three", CONTINUED), frame(b"next")],
        [b"one two three", b"next"], [(PONG, b"1"), (PONG, b"3")]),
    "messages after fragments": ([frame(b"a", TEXT, False), frame(b"b", CONTINUED), frame(LONG), frame(b"c")],
                                 [b"ab", LONG, b"c"], []),
}  # fmt: skip

BAD: dict[str, tuple[bytes, int]] = {
    "first reserved bit": (b"\xc1\x00", 1002),
    "second reserved bit": (b"\xa1\x00", 1002),
    "third reserved bit": (b"\x91\x00", 1002),
    "reserved bit on a ping": (b"\xc9\x00", 1002),
    **{f"opcode {opcode}": (bytes([0x80 | opcode, 0]), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "masked": (b"\x81\x81mask\x00", 1002),
    "masked ping": (b"\x89\x80mask", 1002),
    "ping in fragments": (b"\x09\x00", 1002),
    "close in fragments": (b"\x08\x00", 1002),
    "ping of 126 bytes": (b"\x89\x7e\x00\x7e" + LONG, 1002),
    "close with a long length": (b"\x88\x7f" + bytes(8), 1002),
    "16 bits for 125": (b"\x81\x7e\x00\x7d", 1002),
    "64 bits for 65535": (b"\x81\x7f" + struct.pack("!Q", 65535), 1002),
    "top bit of the length": (b"\x81\x7f" + struct.pack("!Q", 1 << 63 | 65536), 1002),
    "continuation of nothing": (frame(b"x", CONTINUED), 1002),
    "continuation after a pong": (frame(b"", PONG) + b"\x80\x00", 1002),
    "text inside a text": (frame(b"a", TEXT, False) + frame(b"b", TEXT), 1002),
    "binary inside a text": (frame(b"a", TEXT, False) + frame(b"b", BINARY, False), 1002),
    "half a close code": (frame(b"\x03", CLOSE), 1002),
    **{
        f"close code {code}": (frame(struct.pack("!H", code) + b"x", CLOSE), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
    },
    "close reason that is no UTF-8": (frame(struct.pack("!H", 1000) + b"\xc3\x28", CLOSE), 1007),
    "close reason cut in a character": (frame(struct.pack("!H", 1000) + b"\xe2\x82", CLOSE), 1007),
}


def cuttings(size: int, head: int = 0) -> list[list[int]]:
    """Whole, byte by byte, and at chosen places by chance."""
    dice = random.Random(size + head)
    by_chance = [[dice.randint(1, top) for _ in range(4000)] for top in (2, 3, 7, 50, 1000)]
    return [[], [1] * min(size, 1500), *by_chance]


@needs_native
@pytest.mark.parametrize("name", GOOD)
async def test_frames_give_the_same_messages_and_answers_however_they_are_cut(name: str) -> None:
    frames, messages, answers = GOOD[name]
    data = HEAD + b"".join(frames)
    for cuts in cuttings(len(data)):
        client = Client().feed(data, cuts)
        assert client.texts == messages
        assert client.sent() == answers
        assert client.protocol.failure is None
        assert client.heads == [HEAD]


@needs_native
@pytest.mark.parametrize("name", BAD)
async def test_what_no_server_may_send_ends_the_connection_with_its_code(name: str) -> None:
    data, code = BAD[name]
    for cuts in cuttings(len(data)):
        client = Client().feed(HEAD + frame(b"before") + data, cuts).feed(frame(b"after"))
        assert client.texts == [b"before"]
        failure = client.protocol.failure
        assert isinstance(failure, ConnectionLost)
        assert failure.code == code
        assert client.sent() == [(CLOSE, struct.pack("!H", code))]
        assert client.transport.said == ["abort"]


@needs_native
async def test_a_long_mixed_stream_survives_every_cut() -> None:
    dice = random.Random(7)
    frames, messages = [], []
    for _ in range(400):
        text = bytes(dice.randrange(256) for _ in range(dice.choice([0, 1, 60, 125, 126, 250, 3000])))
        middle = dice.randint(0, len(text))
        if dice.random() < 0.3:
            frames += [frame(text[:middle], TEXT, False), frame(b"", PING), frame(text[middle:], CONTINUED)]
        else:
            frames.append(frame(text))
        messages.append(text)
    data = HEAD + b"".join(frames)
    for top in (1, 5, 300, 20_000, 200_000):
        assert Client().feed(data, iter(lambda top=top: dice.randint(1, top), None)).texts == messages


@needs_native
async def test_only_the_last_message_of_a_read_is_marked(client: Client) -> None:
    client.feed(frame(b"a") + frame(b"b") + frame(b"c")[:-1])
    client.feed(b"c")
    assert client.messages == [(b"a", False), (b"b", True), (b"c", True)]


# -- limits ------------------------------------------------------------------------


@needs_native
@pytest.mark.parametrize("size", [FRAME_BYTES_MAX + 1, 1 << 32, 1 << 62, (1 << 63) - 1])
async def test_a_hostile_length_gets_no_memory(client: Client, size: int) -> None:
    client.feed(b"\x81\x7f" + struct.pack("!Q", size))
    failure = client.protocol.failure
    assert isinstance(failure, FrameTooBig)
    assert (failure.size, failure.limit) == (size, FRAME_BYTES_MAX)
    assert client.sent() == [(CLOSE, struct.pack("!H", 1009))]
    assert len(client.protocol.get_buffer(-1)) <= ROOM


@needs_native
async def test_the_largest_length_allowed_gets_memory_only_as_bytes_come(client: Client) -> None:
    client.feed(b"\x81\x7f" + struct.pack("!Q", FRAME_BYTES_MAX))
    for came in range(10, 1_000_000, 50_000):
        assert len(client.protocol.get_buffer(-1)) <= max(ROOM, came)
        client.feed(bytes(50_000))
    assert client.protocol.failure is None


@needs_native
async def test_the_largest_message_arrives_and_its_memory_is_given_back(client: Client) -> None:
    text = random.Random(1).randbytes(FRAME_BYTES_MAX)
    client.feed(frame(text) + frame(b"next"))
    assert max(client.rooms) <= FRAME_BYTES_MAX
    assert client.texts == [text, b"next"]
    assert len(client.protocol.get_buffer(-1)) == ROOM


@needs_native
async def test_fragments_are_limited_by_what_their_heads_announce(client: Client) -> None:
    client.feed(frame(bytes(FRAME_BYTES_MAX - 10), TEXT, False))
    assert client.protocol.failure is None
    client.feed(frame(bytes(11), CONTINUED, False)[:2])
    failure = client.protocol.failure
    assert isinstance(failure, FrameTooBig)
    assert failure.size == FRAME_BYTES_MAX + 1


@needs_native
@pytest.mark.parametrize("more", [0, 1])
async def test_fragments_are_counted(client: Client, more: int) -> None:
    client.feed(frame(b"", TEXT, False) + frame(b"", CONTINUED, False) * (FRAGMENTS_MAX - 2 + more))
    client.feed(frame(b"end", CONTINUED))
    assert client.texts == ([] if more else [b"end"])
    assert isinstance(client.protocol.failure, FrameTooBig if more else type(None))


@needs_native
async def test_pings_of_a_peer_that_reads_nothing_do_not_fill_the_memory(client: Client) -> None:
    client.transport.unsent = 5 * 1024 * 1024
    client.feed(frame(b"ping", PING) * 1000)
    assert len(client.transport.written) == 1
    assert isinstance(client.protocol.failure, ConnectionLost)
    assert client.transport.said == ["abort"]


@needs_native
async def test_more_bytes_than_there_was_room_for_are_refused(client: Client) -> None:
    for size in (ROOM + 1, -1):
        with pytest.raises(ValueError, match="room"):
            client.protocol.buffer_updated(size)


@needs_native
async def test_the_buffer_is_not_touched_while_messages_lie_in_it() -> None:
    refusals: list[type[Exception]] = []

    def meddle(data: bytes, last: bool) -> None:
        for attempt in (lambda: client.protocol.get_buffer(-1), lambda: client.protocol.buffer_updated(0)):
            try:
                attempt()
            except (RuntimeError, ValueError) as error:
                refusals.append(type(error))

    client = Client(meddle)
    client.feed(HEAD + frame(b"a") + frame(b"b")).feed(frame(b"c"))
    assert refusals == [RuntimeError, ValueError] * 3
    assert client.protocol.failure is None


@needs_native
async def test_a_protocol_that_was_never_made_ready_fails_in_python() -> None:
    from krakenwire._native.wire import WireProtocol

    bare = WireProtocol.__new__(WireProtocol)
    bare.get_buffer(-1)[:4] = b"\r\n\r\n"
    bare.buffer_updated(4)
    assert isinstance(bare.failure, Exception)


@needs_native
async def test_a_view_of_the_buffer_outlives_the_protocol() -> None:
    client = Client().feed(HEAD)
    view = client.protocol.get_buffer(-1)
    client.feed(frame(bytes(1_000_000))[:900_000])  # the buffer has moved on
    del client
    view[:] = bytes(len(view))
    assert not any(view)


# -- sending -----------------------------------------------------------------------


@needs_native
@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 124, 125, 126, 127, 250, 65535, 65536, 100_003])
async def test_a_text_is_one_masked_frame_in_one_write(client: Client, size: int) -> None:
    text = ("aé€" * size)[:size]
    client.protocol.send(text)
    assert client.sent() == [(TEXT, text.encode())]


@needs_native
async def test_masks_are_different_from_frame_to_frame(client: Client) -> None:
    for _ in range(3000):  # more than are drawn at once
        client.protocol.send("")
    masks = {data[2:6] for data in client.transport.written}
    assert len(masks) > 2990


@needs_native
async def test_a_text_that_cannot_be_encoded_is_refused_and_nothing_sent(client: Client) -> None:
    with pytest.raises(UnicodeEncodeError):
        client.protocol.send("\ud800")
    assert client.transport.written == []


# -- for the bench ------------------------------------------------------------------


@needs_native
def test_the_bare_loop_receives_what_was_sent() -> None:
    from krakenwire._native.sink import CallableSink
    from krakenwire._native.wire import CountingSink, drain

    ours, theirs = socket.socketpair()
    got: list[bytes] = []
    with ours, theirs:
        theirs.sendall(frame(LONG) + frame(b"b") + frame(b"c")[:-1])
        assert drain(ours.fileno(), CallableSink(lambda data, _: got.append(data)), 2) == 2
        theirs.sendall(frame(LONG) * 50)
        counted = CountingSink()
        assert drain(ours.fileno(), counted, 50) == 50
        assert (counted.messages, counted.size) == (50, 50 * 126)
        theirs.close()
        assert drain(ours.fileno(), counted, 1) == 0
    assert got == [LONG, b"b"]
    with pytest.raises(OSError, match="bare loop"):
        drain(ours.fileno(), counted, 1)
