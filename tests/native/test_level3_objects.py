"""Books and events of the level3 twin as objects: they pass for the model's, are copied, kept and frozen."""

from __future__ import annotations

import copy
import pickle

import pytest
from tests.native.level3_compare import facts, filled, frame_of, message, needs_native, order, readings
from tests.native.level3_stream import Level3Stream

from krakenwire import _native
from krakenwire.book.l3 import L3Book as PureBook
from krakenwire.errors import StaleData
from krakenwire.model import Level3Update
from krakenwire.protocol.v2.client import ClientCodec

if _native.ENABLED:
    from krakenwire._native.level3 import FrozenL3Book, L3Book, Level3Reader


@needs_native
def test_an_event_passes_for_the_models() -> None:
    stream = Level3Stream(1)
    book = L3Book("BTC/USD")
    reader = Level3Reader(lambda *_: book)
    frame = stream.snapshot()
    _, event = reader.read(frame)
    (model,) = ClientCodec().decode(frame)
    model.verified = True
    assert isinstance(event, Level3Update)
    assert event.__class__ is Level3Update
    assert event == model
    assert model == event
    assert hash(event) == hash(model)
    assert repr(event) == repr(model)
    assert event.channel == "level3"
    assert event.bids is event.bids
    model.verified = False
    assert event != model
    assert event != 5
    assert Level3Update.__struct_fields__ == type(event).__struct_fields__
    assert repr(type(event).__new__(type(event))).startswith("Level3Update(None update bids=0 asks=0")


@needs_native
def test_an_event_keeps_its_own_orders_when_the_next_frame_comes() -> None:
    stream = Level3Stream(2)
    book = L3Book("BTC/USD")
    reader = Level3Reader(lambda *_: book)
    frames = list(stream.frames(20))
    events = [reader.read(frame)[1] for frame in frames]
    for event, frame in zip(events, frames, strict=True):
        (model,) = ClientCodec().decode(frame)
        assert (event.bids, event.asks, event.checksum) == (model.bids, model.asks, model.checksum)


@needs_native
def test_events_of_one_book_can_be_applied_to_another_of_either_twin() -> None:
    stream = Level3Stream(4)
    book, native, pure = L3Book("BTC/USD"), L3Book("BTC/USD"), PureBook("BTC/USD")
    reader = Level3Reader(lambda *_: book)
    for frame in stream.frames(30):
        event = reader.read(frame)[1]
        for other in (native, pure):
            event.verified = False
            other.apply(event)
            assert (event.book, event.verified) == (other, True)
    assert readings(native) == readings(pure) == readings(book)


@needs_native
@pytest.mark.parametrize("held", [False, True])
def test_books_and_events_are_pickled_and_copied_with_all_they_hold(held: bool) -> None:
    book = filled()
    if held:
        book.apply(message("update", [order("D", "1e1", "1e1", "add")]))
    frozen = book.freeze()
    for same in (pickle.loads(pickle.dumps(book)), copy.deepcopy(book)):
        assert type(same) is L3Book
        assert readings(same) == readings(book)
        same.apply(message("update", [order("E", "99.7", "1", "add")]))
        assert len(same.bids) == len(book.bids) + 1
    assert readings(pickle.loads(pickle.dumps(frozen))) == readings(frozen)
    book.apply(message("update", [order("D", "1", "1", "delete")]))
    for _ in range(5):
        done = Level3Reader(lambda *_: book).read(frame_of(message("update", [order("E", "99.7", "1", "add")])))
    event = done[1]
    again = pickle.loads(pickle.dumps(event))
    assert again == event
    assert facts(again) == facts(event)
    assert readings(again.book) == readings(book)


@needs_native
@pytest.mark.parametrize("held", [False, True])
def test_a_frozen_copy_never_changes(held: bool) -> None:
    book = filled()
    if held:
        book.apply(message("update", [order("D", "1e1", "1", "add")]))
    frozen = book.freeze()
    assert frozen is book.freeze()
    assert isinstance(frozen, FrozenL3Book)
    before = readings(frozen)
    assert before[5:] == readings(book)[5:]
    book.apply(message("update", [order("A", "99.9", "1", "delete")]))
    assert book.freeze() is not frozen
    book.invalidate()
    assert (readings(frozen), frozen.freeze()) == (before, frozen)
    assert repr(frozen).startswith("FrozenL3Book(BTC/USD depth=10 live bid=99.9 ask=100.1")


@needs_native
@pytest.mark.parametrize("held", [False, True])
def test_an_invalidated_book_shows_nothing_until_its_next_snapshot(held: bool) -> None:
    book = filled()
    if held:
        book.apply(message("update", [order("D", "1e1", "1", "add")]))
    book.invalidate()
    assert (book.state, book.verified) == ("resyncing", False)
    for name in ("bids", "asks", "bid_levels", "ask_levels", "best_bid", "best_ask", "checksum", "time_ns"):
        with pytest.raises(StaleData):
            getattr(book, name)
    with pytest.raises(StaleData):
        book.apply(message("update", []))
    book.apply(message("snapshot", []))
    assert (book.state, book.bids) == ("live", ())
