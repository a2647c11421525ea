"""The native WebSocket client in memory: frames in every order and cut, refusals, limits, farewells."""

from __future__ import annotations

import os
import random
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.client.peer import frame

from krakenwire import _native
from krakenwire.errors import ConnectionLost, DecodeError, FrameTooBig, HandshakeError, KrakenwireError
from krakenwire.limits import FRAGMENTS_MAX, FRAME_BYTES_MAX, HANDSHAKE_BYTES_MAX

needs_native = pytest.mark.skipif(not _native.ENABLED, reason="the compiled twins are not in use")

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nX: y\r\n\r\n"
ROOM = 128 * 1024
URL = "ws://127.0.0.1:1/v2"


class Transport:
    """Stands for the loop's transport, and remembers what it was told."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.said: list[str] = []
        self.unsent = 0

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return bool(self.said)

    def set_write_buffer_limits(self, high: int) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.said.append("pause")

    def close(self) -> None:
        self.said.append("close")

    def abort(self) -> None:
        self.said.append("abort")


class Client:
    """A `WireProtocol` in a loop that never polls, fed by hand."""

    def __init__(
        self, on_frame: Callable[[bytes, bool], object] | None = None, opened: Callable[[], object] = lambda: None
    ) -> None:
        from krakenwire._native.sink import CallableSink
        from krakenwire._native.wire import WireProtocol

        self.messages: list[tuple[bytes, bool]] = []
        self.heads: list[bytes] = []
        self.ends: list[Exception | None] = []
        self.transport = Transport()
        self.protocol: Any = WireProtocol(
            URL,
            CallableSink(on_frame or (lambda data, last: self.messages.append((data, last)))),
            self.heads.append,
            opened,
            self.ends.append,
            head_bytes_max=HANDSHAKE_BYTES_MAX,
            message_bytes_max=FRAME_BYTES_MAX,
            fragments_max=FRAGMENTS_MAX,
        )
        self.protocol.connection_made(self.transport)
        self.rooms: list[int] = []

    def feed(self, data: bytes, cuts: Iterable[int] = ()) -> Client:
        """Give it `data` in pieces of the sizes in `cuts`, then the rest."""
        sizes = iter(cuts)
        while data:
            room = self.protocol.get_buffer(-1)
            self.rooms.append(len(room))
            size = min(len(room), next(sizes, len(data)), len(data))
            room[:size] = data[:size]
            self.protocol.buffer_updated(size)
            data = data[size:]
        return self

    @property
    def texts(self) -> list[bytes]:
        return [data for data, _ in self.messages]

    def sent(self) -> list[tuple[int, bytes]]:
        """Return opcode and payload of what was written; each write is one whole masked frame."""
        return [unmasked(data) for data in self.transport.written]


def unmasked(data: bytes) -> tuple[int, bytes]:
    size, at = data[1] & 0x7F, 2
    assert data[0] & 0x70 == 0
    assert data[0] & 0x80
    assert data[1] & 0x80
    if size == 126:
        (size,), at = struct.unpack_from("!H", data, 2), 4
    elif size == 127:
        (size,), at = struct.unpack_from("!Q", data, 2), 10
    mask, body = data[at : at + 4], data[at + 4 :]
    assert len(body) == size
    return data[0] & 15, bytes(byte ^ mask[i % 4] for i, byte in enumerate(body))


@pytest.fixture
async def client() -> Client:
    return Client().feed(HEAD)


# -- frames ------------------------------------------------------------------------

TEXT, BINARY, CONTINUED, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
LONG, LONGER = b"l" * 126, b"m" * 65536

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


# -- the answer to the handshake ------------------------------------------------------

UPGRADED = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": "key"}


def answer(status: str = "HTTP/1.1 101 Switching Protocols", **changed: str | None) -> bytes:
    headers = {**UPGRADED, **{name.replace("_", "-"): value for name, value in changed.items()}}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "".join(f"{line}\r\n" for line in (status, *lines, "")).encode()


@needs_native
@pytest.mark.parametrize(
    "head",
    [
        answer(),
        answer("HTTP/1.1 101 "),
        answer("HTTP/1.1 101"),
        answer(Upgrade="WebSocket", Connection="keep-alive, UPGRADE"),
        answer(Server="x: y", Sec_WebSocket_Extensions=""),
        answer().replace(b": ", b":").replace(b"Upgrade:", b"UPGRADE:"),
    ],
    ids=["plain", "empty phrase", "no phrase", "other cases", "more headers", "no blanks"],
)
def test_an_answer_that_upgrades_is_accepted(head: bytes) -> None:
    from krakenwire.client.native_wire import check_answer

    check_answer(URL, head, b"key")


REFUSED = {
    "no HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", ValueError),
    "nothing": (b"\r\n\r\n", ValueError),
    "another major version": (answer("HTTP/2.0 101 X"), ValueError),
    "a status of two digits": (answer("HTTP/1.1 10 X"), ValueError),
    "a status of four digits": (answer("HTTP/1.1 1010 X"), ValueError),
    "not found": (answer("HTTP/1.1 404 Not Found"), HandshakeError),
    "a proxy of the last century": (answer("HTTP/1.0 502 Bad Gateway"), HandshakeError),
    "a status of no registry": (answer("HTTP/1.1 520 ?"), HandshakeError),
    "a redirect": (answer("HTTP/1.1 302 Found", Location="ws://127.0.0.1/"), HandshakeError),
    "no upgrade": (answer(Upgrade=None), ValueError),
    "an upgrade to something else": (answer(Upgrade="h2c"), ValueError),
    "an upgrade to several": (answer(Upgrade="websocket, h2c"), ValueError),
    "no connection": (answer(Connection=None), ValueError),
    "a connection to be closed": (answer(Connection="close"), ValueError),
    "no key": (answer(Sec_WebSocket_Accept=None), ValueError),
    "another key": (answer(Sec_WebSocket_Accept="kez"), ValueError),
    "two keys": (answer().replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Accept: key\r\n\r\n"), ValueError),
    "an extension": (answer(Sec_WebSocket_Extensions="permessage-deflate"), ValueError),
    "a protocol": (answer(Sec_WebSocket_Protocol="chat"), ValueError),
    "a body in pieces": (answer(Transfer_Encoding="chunked"), ValueError),
    "a line that is no header": (answer().replace(b"\r\n\r\n", b"\r\nnonsense\r\n\r\n"), ValueError),
    "a folded header": (answer().replace(b"\r\n\r\n", b"\r\n more: x\r\n\r\n"), ValueError),
}


@needs_native
@pytest.mark.parametrize("name", REFUSED)
def test_any_other_answer_is_refused(name: str) -> None:
    from krakenwire.client.native_wire import check_answer

    head, error = REFUSED[name]
    with pytest.raises(error) as caught:
        check_answer(URL, head, b"key")
    assert isinstance(caught.value, KrakenwireError) == (error is HandshakeError)


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


# -- the frames in C ------------------------------------------------------------------

HERE = Path(__file__).parent
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("there is no C compiler (CC)")
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "empty.c").write_text("int main(void) { return 0; }\n")
    if subprocess.run([compiler, *SANITIZED, "empty.c"], cwd=folder, capture_output=True, check=False).returncode:
        pytest.skip("the C compiler has no sanitizers")
    program = folder / "fuzz_websocket"
    include = HERE.parents[1] / "src/krakenwire/_native"
    flags = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", *SANITIZED, f"-I{include}"]
    subprocess.run([compiler, *flags, str(HERE / "fuzz_websocket.c"), "-o", str(program)], check=True)
    return program


def fuzz(program: Path, rounds: int, seed: int) -> None:
    options = {"ASAN_OPTIONS": "quarantine_size_mb=8"}
    done = subprocess.run([program, str(rounds), str(seed)], env=options, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ends = [int(count) for count in done.stdout.split()]
    assert sum(ends) == rounds
    assert all(ends[:9]), "an error of the parser that no round has met"
    assert ends[-1], "no round has met a farewell"


def test_frames_of_every_kind_and_their_ruins_are_read_the_same_whole_and_in_pieces(fuzzer: Path) -> None:
    fuzz(fuzzer, 1500, 1)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 6))
def test_frames_of_every_kind_for_a_long_time(fuzzer: Path, seed: int) -> None:
    fuzz(fuzzer, 100_000, seed)
