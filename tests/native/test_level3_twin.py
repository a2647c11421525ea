"""Both twins of level3 on the same frames: made, respelled, odd and broken; every event, order and checksum."""

from __future__ import annotations

import copy
import pickle
import random
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import pytest
from tests.native.c_program import SANITIZE, build
from tests.native.level3_respell import broken, odd, respelled
from tests.native.level3_stream import Level3Stream
from tests.native.level3_twins import MISMATCH, STALE, UNVERIFIED, VERIFIED

from krakenwire import _native
from krakenwire.book.l3 import L3Book as PureBook
from krakenwire.errors import ChecksumMismatch, DecodeError, StaleData
from krakenwire.model import Level3Order, Level3Update
from krakenwire.protocol.v2 import encode
from krakenwire.protocol.v2.client import ClientCodec

if _native.ENABLED:
    from krakenwire._native.level3 import FrozenL3Book, L3Book, Level3Reader

needs_native = pytest.mark.skipif(not _native.ENABLED, reason="the compiled twins are not in use")


class Taker:
    """Decodes frames and keeps books, as the client's feed does; with a reader it asks that first."""

    def __init__(self, book: Any, *, reader: bool, depth: int, verify: bool = True) -> None:
        self.books: dict[str, Any] = {}
        self.codec = ClientCodec()
        self._make = lambda symbol: book(symbol, depth, verify=verify)
        self.reader = Level3Reader(self.book_for) if reader else None
        self.asked: list[tuple[str, str, int]] = []

    def book_for(self, symbol: str, kind: str, levels: int) -> Any:
        self.asked.append((symbol, kind, levels))
        if kind == "snapshot" and symbol not in self.books:
            self.books[symbol] = self._make(symbol)
        return self.books.get(symbol)

    def feed(self, frame: bytes) -> list[Any]:
        """Return what became of a frame, in terms that are the same for both twins."""
        done = self.reader.read(frame) if self.reader else None
        if done is not None:
            return [self._taken(*done)]
        try:
            events = self.codec.decode(frame)
        except DecodeError:
            return ["malformed"]
        return [self._applied(event) for event in events if isinstance(event, Level3Update)]

    def _taken(self, status: int, event: Any) -> Any:
        if status == STALE:
            return "stale"
        assert isinstance(event, Level3Update)
        assert event.verified == (status == VERIFIED)
        said = f"mismatch {event.book.found}" if status == MISMATCH else "taken"
        assert status in (VERIFIED, UNVERIFIED, MISMATCH)
        return said, facts(event)

    def _applied(self, event: Level3Update) -> Any:
        book = self.book_for(event.symbol, event.kind, 0)
        said = "taken"
        if book is None:
            return "stale"
        try:
            book.apply(event)
        except StaleData:
            return "stale"
        except DecodeError:
            return "malformed order"
        except ChecksumMismatch as error:
            said = f"mismatch {error.found}"
        assert event.book is book
        return said, facts(event)


def facts(event: Any) -> tuple[Any, ...]:
    return tuple(getattr(event, name) for name in Level3Update.__struct_fields__ if name != "book")


def readings(book: Any) -> tuple[Any, ...]:
    """Everything that a book shows."""
    if book is None:
        return ()
    shown: tuple[Any, ...] = (book.state, book.verified, book.verified_count, book.stray_events, repr(book))
    if book.state == "live":
        shown += (book.bids, book.asks, book.checksum, book.time_ns, book.best_bid, book.best_ask)
        shown += (book.bid_levels, book.ask_levels, list(map(str, book.bid_levels)))
    return shown


def compare(frames: Iterable[bytes], depth: int = 10, *, verify: bool = True, every: int = 1) -> Taker:
    """Feed both twins, compare all they show, and return the native one."""
    pure = Taker(PureBook, reader=False, depth=depth, verify=verify)
    native = Taker(L3Book, reader=True, depth=depth, verify=verify)
    for n, frame in enumerate(frames):
        assert native.feed(frame) == pure.feed(frame), frame
        assert native.codec.unknown_members <= pure.codec.unknown_members
        if n % every == 0:
            assert native.books.keys() == pure.books.keys()
            for symbol, book in native.books.items():
                assert readings(book) == readings(pure.books[symbol]), frame
    return native


def order(order_id: str, price: str, qty: str, event: str | None = None) -> Level3Order:
    return Level3Order(order_id=order_id, price_text=price, qty_text=qty, time_ns=7, event=event)  # type: ignore[arg-type]


def message(
    kind: str, bids: list[Level3Order], asks: list[Level3Order] | None = None, checksum: int | None = None
) -> Level3Update:
    return Level3Update(
        symbol="BTC/USD",
        kind=kind,  # type: ignore[arg-type]
        bids=tuple(bids),
        asks=tuple(asks or ()),
        checksum=checksum,
    )


def frame_of(update: Level3Update) -> bytes:
    return encode.level3(update).replace('"checksum":None', '"checksum":0').encode()


def filled(verify: bool = False) -> Any:
    """A native book of a few orders, not verified."""
    book = L3Book("BTC/USD", 10, verify=verify)
    book.apply(
        message("snapshot", [order("A", "99.9", "1.00"), order("B", "99.8", "2.00")], [order("C", "100.1", "3.00")])
    )
    return book


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


# -- the reader ------------------------------------------------------------------------------------------


@needs_native
def test_a_snapshot_asks_for_its_book_with_the_prices_it_shows() -> None:
    asked: list[tuple[str, str, int]] = []
    book = L3Book("BTC/USD", 100, verify=False)
    reader = Level3Reader(lambda *what: asked.append(what) or book)
    bids = [order("A", "99.9", "1"), order("B", "99.9", "1"), order("C", "99.90", "1"), order("D", "99.8", "1")]
    assert reader.read(frame_of(message("snapshot", bids, [order("E", "99.9", "1")])))[0] == UNVERIFIED
    assert reader.read(frame_of(message("update", [])))[0] == UNVERIFIED
    assert asked == [("BTC/USD", "snapshot", 3)]


@needs_native
def test_an_update_without_a_book_is_stale() -> None:
    asked: list[tuple[str, str, int]] = []
    reader = Level3Reader(lambda *what: asked.append(what))
    assert reader.read(frame_of(message("update", []))) == (STALE, None)
    assert asked == [("BTC/USD", "update", 0)]
    assert reader.unusual == 0


@needs_native
def test_a_snapshot_that_no_book_takes_is_not_taken() -> None:
    reader = Level3Reader(lambda *_: None)
    assert reader.read(frame_of(message("snapshot", []))) is None
    assert reader.unusual == 1


@needs_native
def test_a_book_that_was_forgotten_or_replaced_is_asked_for_again() -> None:
    books = [filled(), filled()]
    reader = Level3Reader(lambda *_: books[0])
    update = frame_of(message("update", []))
    assert reader.read(update)[1].book is books[0]
    books.reverse()
    assert reader.read(update)[1].book is books[1]
    reader.forget("BTC/USD")
    assert reader.read(update)[1].book is books[0]
    books[0].invalidate()
    books.reverse()
    assert reader.read(update)[1].book is books[0]


@needs_native
def test_many_symbols_find_each_their_own_book() -> None:
    books = {f"A{n}/USD": L3Book(f"A{n}/USD", verify=False) for n in range(300)}
    reader = Level3Reader(lambda symbol, kind, levels: books[symbol])
    for _ in range(2):
        for symbol, book in books.items():
            for kind in ("snapshot", "update"):
                event = reader.read(frame_of(message(kind, [])).replace(b"BTC/USD", symbol.encode()))[1]
                assert (event.book, event.symbol) == (book, symbol)


@needs_native
@pytest.mark.parametrize(
    ("frame", "unusual"),
    [
        (b'{"channel":"heartbeat"}', 0),
        (b'{"channel":"book","type":"update","data":[]}', 0),
        (b'{"method":"subscribe","result":{"channel":"level3"}}', 0),
        (b"", 0),
        (b"[", 0),
        (b'{"channel":"level3"}', 1),
        (b'{"channel":"level3","type":"update","data":[]}', 1),
        (b'{"channel":"level3","type":"update","data":[{}]}', 1),
        (b'{"data":[{}],"channel":"level3","type":"update"}', 1),
        (
            b'{"channel":"level3","type":"update","data":[{"symbol":"A/B","checksum":4294967296,"bids":[],"asks":[]}]}',
            1,
        ),
        (b'{"channel":"level3","type":"update","data":[{"symbol":"A/B","checksum":0,"bids":[],"asks":[]}]} x', 1),
    ],
)
def test_what_is_not_taken_is_counted_when_it_was_level3(frame: bytes, unusual: int) -> None:
    reader = Level3Reader(lambda *_: pytest.fail("no book is needed"))
    assert reader.read(frame) is None
    assert reader.unusual == unusual


@needs_native
def test_the_checksum_of_the_documentation_is_ours(shared: Path) -> None:
    vector = msgspec.json.decode((shared / "protocol/vectors/v2-level3-checksum-doc.json").read_bytes())
    frame = msgspec.json.encode(vector["snapshot"]).decode()
    for name in ("limit_price", "order_qty"):
        pieces = frame.split(f'"{name}":"')
        frame = f'"{name}":'.join([pieces[0], *(piece.replace('"', "", 1) for piece in pieces[1:])])
    book = L3Book("BTC/USD")
    assert Level3Reader(lambda *_: book).read(frame.encode())[0] == VERIFIED
    assert book.checksum == vector["expected_checksum"] == crc32(vector["checksum_input"].encode())


# -- books and events as objects ------------------------------------------------------------------------------


@needs_native
def test_an_event_passes_for_the_models() -> None:
    stream = Level3Stream(1)
    book = L3Book("BTC/USD")
    reader = Level3Reader(lambda *_: book)
    frame = stream.snapshot()
    _, event = reader.read(frame)
    (model,) = ClientCodec().decode(frame)
    model.book, model.verified = book, True
    assert isinstance(event, Level3Update)
    assert event.__class__ is Level3Update
    assert event == model
    assert model == event
    assert repr(event) == repr(model)
    assert event.channel == "level3"
    assert event.bids is event.bids
    model.verified = False
    assert event != model
    assert event != 5
    with pytest.raises(TypeError, match="unhashable"):
        hash(event)


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


# -- the C by itself ---------------------------------------------------------------------------------------------


def test_mutated_frames_give_no_sanitizer_report_and_leave_books_whole(tmp_path: Path, nightly: bool) -> None:
    program = build("fuzz_level3.c", tmp_path, *SANITIZE)
    frames = 10_000_000 if nightly else 60_000
    command, limit_s = (program, "1", str(frames)), 3600 if nightly else 100
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=limit_s)
    assert done.returncode == 0, done.stderr
    taken, refused = map(int, done.stdout.split())
    assert taken > frames // 10
    assert refused > frames // 10
