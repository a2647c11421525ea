"""The compiled row writer and its readable twin make the same rows, refuse the same, list the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.native.frames import CODECS, Stream, generated, published_v1, published_v2
from tests.native.test_recordings_twin import BOOKS
from tests.native.wild import wild

from krakenwire import _native
from krakenwire.errors import DecodeError, ListingChanged, ListingMismatch
from krakenwire.model import Event
from krakenwire.model.rows import Listing
from krakenwire.protocol.detect import origin_of
from krakenwire.session.feed import Feed
from krakenwire.tape import rows
from krakenwire.tape.row_writer import RowWriter

pytestmark = pytest.mark.skipif(not _native.ENABLED, reason=f"no compiled twins in use (built: {_native.BUILT})")

STREAMS = [
    generated(10, 800, 3),
    generated(100, 400, 4),
    published_v2(5, 2),
    published_v1(6, 2),
]


def taken(writer: Any, event: Event, time: int) -> object:
    """What became of an event: the rows it gave, or the error."""
    try:
        return writer.take(event, time, time % 3)
    except (ListingMismatch, ListingChanged) as error:
        return type(error), str(error)


def same(stream: Stream, *, native_feed: bool, **options: Any) -> tuple[Any, int]:
    """Give both writers every event; return one's rows and how often it refused."""
    feed = Feed(CODECS[stream.version](), native=native_feed)
    writers = [RowWriter(tops=True, **options), rows.RowWriter(tops=True, **options)]
    for time, frame in enumerate(stream.frames):
        try:
            events = feed.feed(frame)
        except DecodeError:
            continue
        for event in events:
            outcomes = [taken(writer, event, time) for writer in writers]
            assert outcomes[0] == outcomes[1], frame
    made = [writer.rows() for writer in writers]
    assert np.array_equal(*made)
    assert np.array_equal(*(writer.tops() for writer in writers))
    assert writers[0].listings == writers[1].listings
    assert len(writers[0].objects) == len(writers[1].objects)
    assert writers[0].refused == writers[1].refused
    return made[0], writers[0].refused


@pytest.mark.parametrize("native_feed", [True, False], ids=["compiled events", "plain events"])
@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_generated_streams_give_the_same_rows(stream: Stream, native_feed: bool) -> None:
    made, refused = same(stream, native_feed=native_feed)
    assert len(made) > len(stream.frames) / 2
    assert refused == 0


@pytest.mark.parametrize("version", [1, 2])
def test_strange_numbers_give_the_same_rows_or_the_same_refusal(version: int) -> None:
    for seed in range(3):
        made, _ = same(wild(version, seed, 300), native_feed=True)
        assert len(made)


def test_a_writer_of_some_symbols_has_rows_of_no_other() -> None:
    made, _ = same(STREAMS[0], native_feed=True, symbols=["ETH/USD", "LTC/USD"])
    assert set(made["symbol"]) == {0, 1}


def test_too_coarse_listings_refuse_the_same_events() -> None:
    made, refused = same(STREAMS[0], native_feed=True, listings=[Listing(symbol="ETH/USD", price_decimals=1)])
    assert refused > 10
    assert len(made)


@pytest.mark.parametrize("name", BOOKS)
def test_recordings_give_the_same_rows(shared: Path, name: str) -> None:
    _, load = BOOKS[name]
    version = 1 if name.startswith("v1") else 2
    sent = tuple(frame for frame in load(shared) if origin_of(frame) == f"v{version}")
    made, _ = same(Stream(name, version, sent), native_feed=True)
    assert len(made) > 100


def test_frames_taken_in_one_go_give_the_same_rows_as_one_by_one() -> None:
    stream = STREAMS[2]
    lengths = np.array([len(frame) for frame in stream.frames], dtype=np.int64)
    offsets = np.cumsum(lengths) - lengths
    times, plain = np.arange(len(lengths), dtype=np.int64), np.ones(len(lengths), dtype=np.bool_)
    feed, writer, at = Feed(CODECS[2]()), RowWriter(), 0
    assert feed.fast is not None
    data = b"".join(stream.frames)
    while (at := writer.take_frames(feed.fast, data, times, offsets, lengths, plain, at, len(times), 7)) < len(times):
        for event in feed.feed_exactly(stream.frames[at]):
            writer.take(event, at, 7)
        at += 1
    one, feed = rows.RowWriter(), Feed(CODECS[2]())
    for time, frame in enumerate(stream.frames):
        for event in feed.feed(frame):
            one.take(event, time, 7)
    assert np.array_equal(writer.rows(), one.rows())


def test_records_that_do_not_lie_in_their_data_are_left_to_the_caller() -> None:
    feed, writer = Feed(CODECS[2]()), RowWriter()
    assert feed.fast is not None
    one, plain = np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.bool_)
    for offset, length in ((0, 5), (5, 1), (-1, 2), (0, 0), (1, 2**63 - 1)):
        at = writer.take_frames(feed.fast, b"1234", one, one + offset, one + length, plain, 0, 1, 0)
        assert at == 0
