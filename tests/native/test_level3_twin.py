"""Both twins of level3 on the same frames: made, respelled, odd and broken; every event, order and checksum."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from tests.native.level3_compare import Taker, compare, filled, frame_of, message, needs_native, order, readings
from tests.native.level3_respell import broken, odd, respelled
from tests.native.level3_stream import Level3Stream
from tests.native.level3_twins import UNVERIFIED, VERIFIED

from krakenwire import _native
from krakenwire.book.l3 import L3Book as PureBook

if _native.ENABLED:
    from krakenwire._native.level3 import L3Book, Level3Reader


# -- the same frames to both -----------------------------------------------------------------------


@needs_native
@pytest.mark.parametrize(("depth", "updates"), [(10, 600), (100, 300), (1000, 60)])
def test_a_stream_gives_the_same_events_orders_and_checksums(depth: int, updates: int) -> None:
    native = compare(Level3Stream(depth, depth).frames(updates), depth, every=max(1, depth // 50))
    assert native.reader.unusual == 0
    assert native.books["BTC/USD"].verified_count == updates + 1


@needs_native
@pytest.mark.parametrize("seed", range(6))
def test_events_that_make_no_sense_are_passed_over_alike(seed: int, nightly: bool) -> None:
    native = compare(Level3Stream(seed, odd=3).frames(20_000 if nightly else 400))
    assert native.reader.unusual == 0
    assert native.books["BTC/USD"].stray_events > 10


@needs_native
@pytest.mark.parametrize(("price", "qty"), [(0, 0), (1, 8), (5, 8), (10, 4), (8, 10)])
def test_numbers_of_every_length_are_spelt_alike(price: int, qty: int) -> None:
    native = compare(Level3Stream(price, 10, price, qty).frames(100))
    assert native.reader.unusual == 0


@needs_native
def test_members_in_any_order_and_white_space_are_taken_natively() -> None:
    chance = random.Random(5)
    frames = [respelled(frame, chance) for frame in Level3Stream(5).frames(300)]
    assert compare(frames).reader.unusual == 0


@needs_native
@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("damage", [broken, odd])
def test_whatever_a_frame_holds_both_twins_make_the_same_of_it(damage: Any, verify: bool, nightly: bool) -> None:
    for seed in range(200 if nightly else 6):
        chance = random.Random(seed)
        stream = Level3Stream(seed, odd=10)
        frames = []
        for n in range(300):
            frame = stream.snapshot() if n % 60 == 0 else stream.update()
            frames.append(damage(frame, chance) if n and chance.random() < 0.3 else frame)
        compare(frames, verify=verify)


@needs_native
def test_a_frame_cut_anywhere_changes_nothing() -> None:
    stream = Level3Stream(3)
    native = Taker(L3Book, reader=True, depth=10)
    native.feed(stream.snapshot())
    before = readings(native.books["BTC/USD"])
    frame = stream.update()
    for size in range(len(frame)):
        assert native.reader.read(frame[:size]) is None
    assert readings(native.books["BTC/USD"]) == before
    assert native.reader.read(frame)[0] == VERIFIED


# -- between the native and the pure book -------------------------------------------------------------


@needs_native
def test_a_book_comes_back_from_the_exact_path_and_leaves_it_ever_later() -> None:
    frames = list(Level3Stream(11).frames(1500))
    for n in range(9, 1500, 10):
        frames[n] = re.sub(rb'("order_qty":[0-9.]+)', rb"\1e0", frames[n], count=1)
    native = compare(frames, every=3)
    assert 100 < native.reader.unusual < 1500


@needs_native
def test_a_plain_book_stays_native_after_one_exponent() -> None:
    stream = Level3Stream(12)
    native = Taker(L3Book, reader=True, depth=10)
    native.feed(stream.snapshot())
    native.books["BTC/USD"].apply(message("update", [order("X", "1e1", "1", "delete")]))
    for _ in range(10):
        native.feed(stream.update())
    assert native.books["BTC/USD"].stray_events == 1
    assert 0 < native.reader.unusual < 5
    assert native.books["BTC/USD"].verified


@needs_native
@pytest.mark.parametrize(
    ("price", "qty"), [("99.95", "1.00"), ("99.9", "1.000000001"), ("0.000000000000000001", "1"), ("99", "1e-7")]
)
def test_more_decimals_than_the_book_has_grow_its_scale(price: str, qty: str) -> None:
    pure, native = PureBook("BTC/USD", verify=False), filled()
    pure.apply(message("snapshot", list(native.bids), list(native.asks)))
    for update in (
        message("update", [order("D", price, qty, "add")]),
        message("update", [order("A", "99.9", "7", "modify")]),
    ):
        pure.apply(update)
        native.apply(update)
        assert readings(native)[2:4] + readings(native)[5:] == readings(pure)[2:4] + readings(pure)[5:]


@needs_native
def test_a_price_beyond_64_bits_is_left_to_the_exact_path_and_nothing_has_changed() -> None:
    book = filled()
    reader = Level3Reader(lambda *_: book)
    before = readings(book)
    big = order("D", "999999999999999999", "1", "add")
    assert reader.read(frame_of(message("update", [order("A", "99.9", "5", "modify"), big]))) is None
    assert (reader.unusual, readings(book)) == (1, before)
    book.apply(message("update", [big]))
    assert book.bids[0] == order("D", "999999999999999999", "1")


@needs_native
def test_a_scale_that_grows_beyond_64_bits_is_left_to_the_exact_path() -> None:
    book = filled()
    reader = Level3Reader(lambda *_: book)
    book.apply(message("update", [order("D", "12345678901234567.5", "1", "add")]))
    before = readings(book)
    assert reader.read(frame_of(message("update", [order("E", "0.0000000001", "1", "add")]))) is None
    assert readings(book) == before


@needs_native
def test_an_order_id_of_64_characters_is_the_longest_that_is_taken() -> None:
    book = filled()
    reader = Level3Reader(lambda *_: book)
    taken = reader.read(
        frame_of(message("update", [order("L" * 64, "99.7", "1", "add"), order("L" * 63, "99.7", "1", "add")]))
    )
    assert taken[0] == UNVERIFIED
    assert [one.order_id for one in book.bids[-2:]] == ["L" * 64, "L" * 63]
    assert reader.read(frame_of(message("update", [order("L" * 65, "99.7", "1", "add")]))) is None


@needs_native
def test_one_order_id_may_rest_on_both_sides() -> None:
    book = filled()
    book.apply(message("update", [order("A", "99.9", "1", "delete")], [order("A", "100.2", "1", "add")]))
    assert ([o.order_id for o in book.bids], [o.order_id for o in book.asks]) == (["B"], ["C", "A"])
    assert book.stray_events == 0


@needs_native
def test_an_event_the_book_does_not_know_is_an_error_as_with_the_pure_book() -> None:
    for book in (filled(), PureBook("BTC/USD")):
        if book.state != "live":
            book.apply(message("snapshot", []))
        with pytest.raises(KeyError):
            book.apply(message("update", [order("A", "1", "1", "fill")]))
