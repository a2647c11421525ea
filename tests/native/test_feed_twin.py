"""The compiled feed and the pure one see the same in whatever comes, to the last digit and word of an error."""

from __future__ import annotations

import sys
from random import Random

import pytest
from tests.native.compare import Difference, Twins, compare
from tests.native.frames import Stream, generated, published_v1, published_v2
from tests.native.mutate import as_text, restyled
from tests.native.soak import soak, soak_all
from tests.native.wild import wild

from krakenwire import _native
from krakenwire.bench.shapes import extra_members, reversed_members, sorted_members

pytestmark = pytest.mark.skipif(not _native.ENABLED, reason=f"no compiled twins in use (built: {_native.BUILT})")

SAMPLE = 1_000
TEN_MILLION = 10_000_000


def other(stream: Stream, name: str, frames: list[bytes]) -> Stream:
    return Stream(f"{stream.name}, {name}", stream.version, tuple(frames))


# -- streams as they come ------------------------------------------------------------


@pytest.mark.parametrize(("depth", "frames", "every"), [(10, 400, 1), (100, 400, 40), (1000, 200, 100)])
def test_a_generated_stream_is_the_same_to_both_and_needs_no_exact_path(depth: int, frames: int, every: int) -> None:
    counters = compare(generated(depth, frames, seed=3), every=every, brief=depth > 100).counters
    assert (counters.failed, counters.fallbacks) == (0, 0)
    assert counters.verified > 0.7 * frames


@pytest.mark.parametrize("shape", [sorted_members, reversed_members, extra_members])
def test_other_orders_and_new_members_need_no_exact_path(shape: object) -> None:
    stream = generated(10, 200, seed=4)
    counters = compare(other(stream, "reshaped", [shape(frame) for frame in stream.frames]), every=8).counters  # type: ignore[operator]
    assert (counters.failed, counters.fallbacks) == (0, 0)
    assert counters.unknown_members == (2 * len(stream.frames) if shape is extra_members else 0)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_the_local_kraken_tells_a_v2_client_is_the_same_to_both(seed: int) -> None:
    counters = compare(published_v2(seed, seconds=2), every=4).counters
    assert (counters.failed, counters.fallbacks, counters.unknown) == (0, 0, 0)
    assert counters.verified > 150


@pytest.mark.parametrize("seed", [1, 2])
def test_what_the_local_kraken_tells_a_v1_client_is_the_same_to_both(seed: int) -> None:
    counters = compare(published_v1(seed, seconds=2), every=4).counters
    assert counters.failed == 0
    assert counters.verified > 150


def test_frames_as_text_are_the_same_to_both() -> None:
    rng = Random(9)
    for stream in (generated(10, 150, seed=5), published_v1(3, seconds=1), wild(2, 5, 100, 0.1)):
        twins = Twins(stream.version, every=8)
        for frame in stream.frames:
            twins.feed(as_text(frame, rng))
        twins.finish()
        assert twins.native.counters.verified > 20


# -- streams no market sends -----------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize(("seed", "wildness"), [(11, 0.0), (12, 0.002), (13, 0.02), (14, 0.02), (15, 0.3)])
def test_wild_books_are_the_same_to_both(version: int, verify: bool, seed: int, wildness: float) -> None:
    stream = wild(version, seed, 250, wildness)
    counters = compare(stream, verify=verify, every=8).counters
    assert counters.verified > 50 if verify else counters.unverified > 30


@pytest.mark.parametrize("version", [1, 2])
def test_the_same_said_otherwise_is_the_same_to_both(version: int) -> None:
    rng = Random(21)
    for stream in (published_v1(4, 2) if version == 1 else published_v2(4, 2), wild(version, 21, 100, 0.0)):
        again = other(stream, "restyled", [restyled(frame, rng) for frame in stream.frames])
        assert compare(again, every=8).counters.verified > 10


@pytest.mark.parametrize("version", [1, 2])
def test_books_without_their_snapshot_and_with_another_depth_are_the_same_to_both(version: int) -> None:
    first, second = (
        (published_v1(5, 1, depths=(10, 25)), published_v1(6, 1, depths=(100, 10)))
        if version == 1
        else (published_v2(5, 1, depths=(10, 25, 10)), published_v2(6, 1, depths=(100, 10, 10)))
    )
    late = first.frames[len(first.frames) // 2 :]
    stream = other(first, "resubscribed", [*late, *second.frames, *first.frames, *second.frames])
    counters = compare(stream, every=4).counters
    assert counters.ignored_while_resyncing > 10
    assert counters.verified > 50


@pytest.mark.parametrize("version", [1, 2])
def test_lost_connections_and_dropped_books_are_the_same_to_both(version: int) -> None:
    stream = published_v1(7, 2) if version == 1 else published_v2(7, 2)
    twins = Twins(version, every=8)
    for number, frame in enumerate(stream.frames):
        twins.feed(frame)
        for feed in (twins.native, twins.pure):
            if number % 200 == 100:
                feed.invalidate()
            if number % 200 == 150:
                feed.drop_book("BTC/USD", 10)
                feed.drop_level3("BTC/USD")
    twins.finish()
    assert twins.native.counters.ignored_while_resyncing > 10


def test_lost_zeros_are_the_same_to_both_with_and_without_the_instruments_decimals() -> None:
    stream = generated(10, 300, seed=8)
    short = [frame.replace(b"0}", b"}").replace(b"0}", b"}").replace(b"0,", b",") for frame in stream.frames]
    for known in (True, False):
        twins = Twins(2, every=8)
        for feed in (twins.native, twins.pure):
            if known:
                feed.expect_book("BTC/USD", 10, price_decimals=1, qty_decimals=8)
                feed.expect_book("ETH/USD", 25, price_decimals=2, qty_decimals=8)
        for frame in short:
            twins.feed(frame)
        twins.finish()
        assert twins.native.counters.events > 20


# -- mutations ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_mutated_frames_are_the_same_to_both(seed: int) -> None:
    counts = soak(seed, SAMPLE)
    assert counts["mutated"] >= SAMPLE
    for name in ("taken", "fallbacks", "verified", "unverified", "failed", "malformed", "ignored_while_resyncing"):
        assert counts[name] > 5, f"no run to judge by: {name} of {counts}"


@pytest.mark.nightly
def test_ten_million_mutated_frames_are_the_same_to_both() -> None:
    counts = soak_all(TEN_MILLION, seed=1_000)
    assert counts["mutated"] >= TEN_MILLION


# -- the judge ---------------------------------------------------------------------------


def test_a_difference_in_a_level_that_no_checksum_covers_is_seen() -> None:
    stream = generated(100, 40, seed=6)
    twins = Twins(2, every=4)
    for frame in stream.frames:
        twins.feed(frame)
    book = twins.pure.book("BTC/USD")
    assert book is not None
    book._asks.keys[-1] += 1
    with pytest.raises(Difference, match="all of book"):
        twins.finish()


def test_a_difference_in_one_digit_of_an_event_is_seen_with_its_frame() -> None:
    stream = generated(10, 30, seed=6)
    twins = Twins(2)
    trade = next(frame for frame in stream.frames if b'"trade"' in frame)
    feed = twins.native.feed
    twins.native.feed = lambda frame: feed(frame.replace(b'"qty":', b'"qty":1'))  # type: ignore[method-assign,union-attr,arg-type]
    with pytest.raises(Difference, match=r"events after frame 1:(.|\n)*last frames:(.|\n)*trade"):
        twins.feed(trade)


def test_a_frame_nested_as_deep_as_python_goes_is_refused_by_both() -> None:
    head = b'{"channel":"book","type":"update","data":'
    for depth in range(sys.getrecursionlimit() // 2, sys.getrecursionlimit() + 20):
        Twins(2).feed(head + b"[" * depth + b"\x00")
