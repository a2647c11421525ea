"""All transports, one suite: the same bytes give the same messages, both ways."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from tests.unit.client.lines import (
    AsyncLine,
    Make,
    Open,
    Tls,
)


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
