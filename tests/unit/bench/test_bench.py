"""The bench's streams: realistic, repeatable, and every checksum in them holds, in each shape."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable

import msgspec
import pytest

from krakenwire.bench import yardsticks
from krakenwire.bench.generate import PAIRS, stream
from krakenwire.bench.shapes import book_only, extra_members, reversed_members, sorted_members, v1_book
from krakenwire.protocol.v1.client import ClientCodec as ClientCodecV1
from krakenwire.protocol.v2.client import ClientCodec
from krakenwire.session.feed import Feed


@pytest.mark.parametrize("depth", [10, 100, 1000])
def test_every_book_message_of_the_stream_verifies_and_no_book_is_crossed(depth: int) -> None:
    feed, books = Feed(ClientCodec()), 0
    for frame in stream(depth, 1_000):
        feed.feed(frame)
        books += frame.startswith(b'{"channel":"book"')
    assert (feed.counters.verified, feed.counters.failed, feed.counters.unknown) == (books, 0, 0)
    for symbol, *_ in PAIRS:
        book = feed.book(symbol)
        assert book is not None
        assert book.depth == depth
        assert book.spread is not None
        assert book.spread > 0


def test_the_stream_is_the_same_for_the_same_seed_and_has_the_stated_mix() -> None:
    frames = list(stream(10, 4_000, seed=3))
    assert frames == list(stream(10, 4_000, seed=3))
    assert frames != list(stream(10, 4_000, seed=4))
    kinds = Counter(json.loads(frame)["channel"] for frame in frames[len(PAIRS) :])
    assert {kind: round(count / 200) * 0.05 for kind, count in kinds.items()} == pytest.approx(
        {"book": 0.85, "trade": 0.1, "ticker": 0.05}
    )


def test_trades_of_a_symbol_are_numbered_one_after_the_other() -> None:
    ids: dict[str, list[int]] = defaultdict(list)
    for frame in stream(10, 3_000):
        if frame.startswith(b'{"channel":"trade"'):
            for row in json.loads(frame)["data"]:
                ids[row["symbol"]].append(row["trade_id"])
    assert len(ids) == len(PAIRS)
    for numbers in ids.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("shape", [sorted_members, reversed_members])
def test_other_member_orders_say_the_same_in_another_order(shape: Callable[[bytes], bytes]) -> None:
    for frame in stream(10, 50):
        other = shape(frame)
        assert other != frame
        assert len(other) == len(frame)
        assert json.loads(other) == json.loads(frame)


def test_members_are_sorted_or_backwards_at_every_level() -> None:
    frame = next(stream(10, 0))
    assert sorted_members(frame).startswith(b'{"channel":"book","data":[{"asks":[{"price":')
    assert reversed_members(frame).startswith(b'{"data":[{"timestamp":')


def test_extra_members_are_of_plain_value_in_envelope_and_row() -> None:
    for frame in stream(10, 50):
        other = json.loads(extra_members(frame))
        assert isinstance(other.pop("origin"), str)
        assert all(isinstance(row.pop("sequence"), int) for row in other["data"])
        assert other == json.loads(frame)


@pytest.mark.parametrize("shape", [sorted_members, reversed_members, extra_members])
def test_every_book_message_verifies_in_every_shape(shape: Callable[[bytes], bytes]) -> None:
    frames = list(stream(10, 300))
    feed = Feed(ClientCodec())
    for frame in frames:
        feed.feed(shape(frame))
    assert (feed.counters.verified, feed.counters.failed) == (len(book_only(frames)), 0)
    assert feed.counters.fallbacks == 0


def test_version_1_tells_the_same_books_and_all_of_them_verify() -> None:
    frames = book_only(list(stream(10, 500)))
    first, second = Feed(ClientCodecV1()), Feed(ClientCodec())
    for frame in frames:
        first.feed(v1_book(frame))
        second.feed(frame)
    assert (first.counters.verified, first.counters.failed) == (len(frames) - len(PAIRS), 0)
    for symbol, *_ in PAIRS:
        one, two = first.book(symbol), second.book(symbol)
        assert one is not None
        assert two is not None
        assert ([*one.bids], [*one.asks]) == ([*two.bids], [*two.asks])


def test_the_yardsticks_read_every_frame_and_their_structs_hold_its_numbers() -> None:
    for frame in stream(10, 200):
        message = msgspec.to_builtins(yardsticks.decode_v2(frame))
        plain = json.loads(frame)
        assert message["channel"] == plain["channel"]
        assert message["data"] == plain["data"]
        assert yardsticks.decode_untyped(frame) == plain
