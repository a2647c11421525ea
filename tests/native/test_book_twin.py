"""The compiled L2 book against the pure one: the same messages, then every reading, state and error.

Messages go in as the parsers leave them (`take`) and as text (`apply`); where
`take` refuses one it must have changed nothing. Both ways of computing a
checksum run.
"""

from __future__ import annotations

import copy
import pickle
import random
from collections import Counter
from collections.abc import Callable
from typing import Any
from zlib import crc32

import pytest

from krakenwire import _native
from krakenwire.bench.generate import stream
from krakenwire.book.frozen import FrozenL2Book
from krakenwire.book.l2 import L2Book
from krakenwire.errors import ChecksumMismatch, DecodeError, KrakenwireError, StaleData
from krakenwire.limits import BOOK_DEPTHS
from krakenwire.model import BookUpdate
from krakenwire.model.numbers import fixed_text
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol.v2.client import ClientCodec as Codec
from krakenwire.session.feed import Feed

books = pytest.importorskip("krakenwire._native.books", reason="the compiled twins were not built")

EXACT, VERIFIED, UNVERIFIED, MISMATCH, STALE, CROSSED = range(6)
NOON = 1_767_323_045_000_006_000

Row = tuple[int, int, int, int]
"""Price digits, price decimals, quantity digits, quantity decimals."""

READINGS = (
    *("symbol", "depth", "state", "verified", "verified_count", "price_decimals", "qty_decimals", "checksum"),
    *("time_ns", "best_bid", "best_ask", "best_bid_qty", "best_ask_qty", "mid", "spread", "bids", "asks"),
    "level_counts",
)


def text_of(row: Row) -> tuple[str, str]:
    return fixed_text(row[0], row[1]), fixed_text(row[2], row[3])


def shown(read: Callable[[], object]) -> str:
    """What a reading gives, digits and all, or the error it raises."""
    try:
        value = read()
    except KrakenwireError as error:
        return f"{type(error).__name__}: {error}"
    return f"{type(value).__name__} {value!r}"


def readings(book: Any) -> dict[str, str]:
    found = {name: shown(lambda name=name: getattr(book, name)) for name in READINGS}  # type: ignore[misc]
    for count in (-1, 0, 1, 11, 10**30):
        found[f"top {count}"] = shown(lambda count=count: book.top(count))  # type: ignore[misc]
    return found | {"repr": repr(book)}


def agree(native: Any, pure: L2Book) -> None:
    assert readings(native) == readings(pure)
    assert readings(native.freeze()) == readings(pure.freeze())


class Twins:
    """A book of each kind, given the same messages."""

    def __init__(self, *args: Any, tables: bool = False, **options: Any) -> None:
        self.pure, self.native = L2Book(*args, **options), books.L2Book(*args, **options)
        self.statuses: Counter[int] = Counter()
        if tables:
            self.native._use_tables()

    def update(self, kind: str, bids: list[Row], asks: list[Row], checksum: int | None, ns: int | None) -> BookUpdate:
        time = None if ns is None else rfc3339_from_ns(ns)
        return BookUpdate("X/Y", kind, [*map(text_of, bids)], [*map(text_of, asks)], checksum, time)  # type: ignore[arg-type]

    def right_checksum(self, kind: str, bids: list[Row], asks: list[Row]) -> int:
        """The checksum that the pure book will have after this message."""
        scratch = copy.deepcopy(self.pure)
        scratch._verify = True
        try:
            scratch.apply(self.update(kind, bids, asks, -1, None))
        except ChecksumMismatch as error:
            return error.found
        except StaleData:
            return 0
        raise AssertionError("no checksum is -1")

    def give(
        self,
        kind: str,
        bids: list[Row],
        asks: list[Row],
        checksum: int | None,
        ns: int | None = None,
        way: str = "take",
    ) -> int:
        """Give both the same message and hold them to the same outcome; return what `take` said."""
        frozen = self.pure.freeze(), self.native.freeze()
        mine, theirs = (self.update(kind, bids, asks, checksum, ns) for _ in range(2))
        expected, error = outcome(self.pure, theirs)
        status = EXACT
        if way == "take":
            before = readings(self.native)
            status = self.native._take(kind == "snapshot", bids, asks, checksum, ns)
            if status in {EXACT, STALE}:
                assert readings(self.native) == before
        if status == EXACT:
            found = outcome(self.native, mine)
            assert (found[0], str(found[1])) == (expected, str(error))
            assert (mine.verified, mine.book is self.native) == (theirs.verified, theirs.book is self.pure)
        else:
            assert status == expected
        if isinstance(error, ChecksumMismatch):
            assert self.native.found == error.found
        self.statuses[status] += 1
        assert (self.native.freeze() is frozen[1]) == (self.pure.freeze() is frozen[0])
        return status


def outcome(book: Any, update: BookUpdate) -> tuple[int, KrakenwireError | None]:
    try:
        book.apply(update)
    except ChecksumMismatch as error:
        return MISMATCH, error
    except StaleData as error:
        return STALE, error
    except DecodeError as error:
        return CROSSED, error
    return (VERIFIED if update.verified else UNVERIFIED), None


class Stream:
    """Random messages around a middle price: mostly plain, some padded, some beyond what is plain."""

    def __init__(self, seed: int, depth: int, odd: float) -> None:
        self.random, self.depth, self.odd = random.Random(seed), depth, odd
        self.decimals = self.random.randrange(0, 8), self.random.randrange(0, 9)
        self.middle = self.random.choice((20, 50_000, 10**9, 10**16))
        self.reach = self.random.choice((6, 15, depth + 5))

    def row(self, side: int, away: int | None = None) -> Row:
        pick = self.random
        price = max(0, self.middle + side * (pick.randrange(-1, self.reach) if away is None else away))
        qty = pick.choice((0, pick.randrange(1, 10), pick.randrange(10**7, 10**9), pick.randrange(10**17)))
        row = (price, self.decimals[0], qty, self.decimals[1])
        return self.strange(row) if pick.random() < self.odd else row

    def strange(self, row: Row) -> Row:
        price, price_decimals, qty, qty_decimals = row
        match self.random.randrange(4):
            case 0:  # fewer decimals
                return price // 10, max(0, price_decimals - 1), qty, max(0, qty_decimals - self.random.randrange(4))
            case 1:  # more decimals
                return price * 10 % 10**18, price_decimals + 1, qty, qty_decimals + self.random.randrange(2)
            case 2:  # beyond 64 bits once padded
                return price, price_decimals, self.random.randrange(10**17, 10**18), 0
            case _:
                return 0, self.random.randrange(2), qty, 0

    def message(self, *, heal: bool) -> tuple[str, list[Row], list[Row]]:
        pick = self.random
        if heal or pick.random() < 0.04:
            # an empty snapshot shows no decimals: every number after it has more, which is not the plain form
            counts = [pick.choice((0 if self.odd else 1, 3, self.depth, self.depth + 30)) for _ in range(2)]
            order = pick.choice((1, -1, 0))
            bids, asks = (
                [self.row(side, n + 1) for n in range(count)][:: order or 1]
                for side, count in zip((-1, 1), counts, strict=True)
            )
            if not order:
                pick.shuffle(bids)
                pick.shuffle(asks)
            return "snapshot", bids, asks
        bids, asks = ([self.row(side) for _ in range(pick.choice((0, 0, 1, 1, 2, 3, 14)))] for side in (-1, 1))
        return "update", bids, asks


def run(seed: int, depth: int, messages: int, odd: float, *, tables: bool = False) -> Counter[int]:
    stream = Stream(seed, depth, odd)
    pick = stream.random
    given = pick.choice(((None, None), stream.decimals, (9, 11) if odd else (None, stream.decimals[1])))
    twins = Twins("X/Y", depth, *given, verify=pick.random() < 0.9, tables=tables)
    for n in range(messages):
        kind, bids, asks = stream.message(heal=n == 0 or (twins.pure.state != "live" and pick.random() < 0.5))
        chance = pick.random()
        checksum = None if chance < 0.1 else pick.randrange(2**32)
        if chance > 0.13:
            checksum = twins.right_checksum(kind, bids, asks)
        if pick.random() < 0.01:
            twins.pure.invalidate()
            twins.native.invalidate()
        time = None if pick.random() < 0.1 else NOON + n * 1000
        twins.give(kind, bids, asks, checksum, time, way="apply" if pick.random() < stream.odd / 5 else "take")
        if n % (3 if depth <= 25 else 9) == 0:
            agree(twins.native, twins.pure)
    agree(twins.native, twins.pure)
    return twins.statuses


@pytest.mark.parametrize("tables", [False, True], ids=["this machine's way", "tables"])
@pytest.mark.parametrize("depth", BOOK_DEPTHS)
def test_twins_agree_on_plain_messages_and_none_needs_the_exact_path(depth: int, tables: bool) -> None:
    statuses: Counter[int] = Counter()
    for seed in range(5 if depth <= 25 else 2):
        statuses += run(seed, depth, 100, 0, tables=tables)
    assert statuses[EXACT] == 0
    assert all(statuses[status] for status in (VERIFIED, UNVERIFIED, MISMATCH, STALE, CROSSED))


@pytest.mark.parametrize("odd", [0.01, 0.2])
@pytest.mark.parametrize("depth", [10, 25, 100])
def test_twins_agree_on_messages_in_every_form(depth: int, odd: float) -> None:
    statuses: Counter[int] = Counter()
    for seed in range(100, 105 if depth <= 25 else 102):
        statuses += run(seed, depth, 150, odd)
    assert statuses[EXACT]
    assert statuses[VERIFIED]


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(1000, 1060))
def test_twins_agree_however_long_they_run(seed: int) -> None:
    run(seed, random.Random(seed).choice(BOOK_DEPTHS), 1000, (0, 0.001, 0.05)[seed % 3], tables=seed % 4 == 0)


# -- the exact path and back -------------------------------------------------------------


PLAIN: Row = (999, 1, 10**8, 8)
LARGE: Row = (998, 1, 10**17, 0)


def plain_book() -> Twins:
    twins = Twins("X/Y", 10)
    twins.give("snapshot", [PLAIN], [(1001, 1, 10**8, 8)], None, NOON)
    assert not twins.native.exact
    return twins


def take_plain(twins: Twins) -> int:
    rows = [(990, 1, 10**8, 8)]
    return twins.give("update", rows, [], twins.right_checksum("update", rows, []))


def test_a_number_beyond_64_bits_goes_the_exact_way_and_the_book_comes_back_when_it_is_gone() -> None:
    twins = plain_book()
    assert twins.give("update", [LARGE], [], None) == EXACT
    assert twins.native.exact
    assert [take_plain(twins) for _ in range(9)] == [EXACT] * 9
    assert twins.give("update", [(*LARGE[:2], 0, 0)], [], None) == EXACT
    answers = [take_plain(twins) for _ in range(20)]
    assert answers[-1] == VERIFIED
    assert answers == sorted(answers)
    assert not twins.native.exact
    agree(twins.native, twins.pure)


def waits(twins: Twins) -> int:
    """Send the book away with a number of more decimals; count the messages until it takes one again."""
    decimals = twins.pure.qty_decimals + 1
    assert twins.give("update", [(999, 1, 5, decimals)], [], None) == EXACT
    count = 0
    while take_plain(twins) == EXACT:
        count += 1
    return count


def test_a_book_that_leaves_its_plain_form_again_and_again_stays_away_longer_each_time() -> None:
    twins = plain_book()
    assert [waits(twins) for _ in range(4)] == [2, 4, 8, 16]
    for _ in range(40):
        assert take_plain(twins) == VERIFIED
    assert waits(twins) == 2


def test_a_snapshot_brings_the_book_back_at_once() -> None:
    twins = plain_book()
    twins.give("update", [PLAIN], [], None, way="apply")
    assert twins.native.exact
    assert twins.give("snapshot", [PLAIN], [], None) == UNVERIFIED
    assert not twins.native.exact


def test_invalidation_brings_the_book_back_at_once() -> None:
    twins = plain_book()
    twins.give("update", [LARGE], [], None)
    for book in (twins.pure, twins.native):
        book.invalidate()
    assert not twins.native.exact
    agree(twins.native, twins.pure)


def test_a_time_that_cannot_be_read_keeps_the_book_with_the_pure_twin() -> None:
    twins = plain_book()
    twins.give("update", [LARGE], [], None)
    assert [take_plain(twins) for _ in range(2)] == [EXACT] * 2
    twins.give("update", [(*LARGE[:2], 0, 0)], [], None, way="apply")
    for book in (twins.pure, twins.native):
        book.apply(BookUpdate("X/Y", "update", [], [], None, "yesterday"))
    agree(twins.native, twins.pure)
    assert take_plain(twins) == EXACT
    agree(twins.native, twins.pure)


@pytest.mark.parametrize("decimals", [(19, 0), (0, 40), (-1, 3), (True, 2)])
def test_decimals_beyond_the_plain_form_are_the_pure_twins_business(decimals: tuple[int, int]) -> None:
    twins = Twins("X/Y", 10, *decimals)
    agree(twins.native, twins.pure)
    for _ in range(5):
        twins.give("snapshot", [PLAIN], [], twins.right_checksum("snapshot", [PLAIN], []))
        agree(twins.native, twins.pure)
    assert twins.native.exact


def test_a_side_may_grow_far_beyond_its_depth_within_a_message() -> None:
    twins = plain_book()
    rows = [(2000 + n * 7919 % 5000, 1, n + 1, 8) for n in range(5000)]
    assert twins.give("update", [], rows, twins.right_checksum("update", [], rows)) == VERIFIED
    agree(twins.native, twins.pure)
    assert take_plain(twins) == VERIFIED


def test_the_largest_numbers_are_read_and_proven() -> None:
    rows = [(10**18 - n, 0, 10**18 - 1, 18) for n in range(1, 12)]
    twins = Twins("X/Y", 10)
    assert (
        twins.give(
            "snapshot", rows, [(10**18 - 1, 0, 1, 18)], twins.right_checksum("snapshot", rows, [(10**18 - 1, 0, 1, 18)])
        )
        == VERIFIED
    )
    agree(twins.native, twins.pure)


@pytest.mark.skipif(not _native.BUILT, reason="not all compiled twins were built")
def test_events_of_the_compiled_feed_are_applied_as_they_are() -> None:
    twins, feeds = Twins("BTC/USD", 10), [Feed(Codec(), native=True) for _ in range(2)]
    seen: list[int] = []
    for frame in stream(10, 300, seed=5):
        for mine, theirs in zip(*(feed.feed(frame) for feed in feeds), strict=True):
            if not isinstance(theirs, BookUpdate) or theirs.symbol != "BTC/USD":
                continue
            if len(seen) == 40:
                best = int(twins.pure.best_bid.scaleb(1))  # type: ignore[union-attr]
                twins.give("update", [(best, 1, 7, 8)], [], None)
            expected, error = outcome(twins.pure, theirs)
            found = outcome(twins.native, mine)
            assert (found[0], str(found[1])) == (expected, str(error))
            assert (mine.book is twins.native) == (theirs.book is twins.pure)
            agree(twins.native, twins.pure)
            assert not twins.native.exact
            seen.append(expected)
    assert set(seen[:40]) == {VERIFIED}
    assert (seen[40], set(seen[41:])) == (MISMATCH, {STALE})


# -- copies -------------------------------------------------------------------------------


@pytest.mark.parametrize("away", [False, True], ids=["native", "held by the pure twin"])
def test_pickles_and_copies_of_a_book_read_the_same_and_go_on_alone(away: bool) -> None:
    twins = plain_book()
    if away:
        twins.give("update", [LARGE], [], None)
    for twin in (pickle.loads(pickle.dumps(twins.native)), copy.deepcopy(twins.native), copy.copy(twins.native)):
        assert type(twin) is books.L2Book
        agree(twin, twins.pure)
        twin.invalidate()
        agree(twins.native, twins.pure)
    frozen = pickle.loads(pickle.dumps(twins.native.freeze()))
    assert type(frozen) is books.FrozenL2Book
    assert readings(frozen) == readings(twins.pure.freeze())


def test_a_frozen_copy_can_be_made_of_either_twin() -> None:
    twins = plain_book()
    for book in (twins.pure, twins.native, twins.pure.freeze(), twins.native.freeze()):
        frozen = books.FrozenL2Book(book)
        assert readings(frozen) == readings(FrozenL2Book(twins.pure))
        assert frozen.freeze() is frozen


def test_a_frozen_copy_outlives_its_book() -> None:
    twins = plain_book()
    frozen, expected = twins.native.freeze(), readings(twins.pure.freeze())
    twins.give("snapshot", [], [], None)
    del twins
    assert readings(frozen) == expected


# -- checksum -----------------------------------------------------------------------------


def test_the_checksum_is_that_of_zlib_for_every_length_of_number() -> None:
    assert books.checksum_backend() in {"clmul", "arm-crc", "slicing-by-8"}
    for digits in range(1, 19):
        for tables in (False, True):
            book = books.L2Book("X/Y", 10)
            if tables:
                book._use_tables()
            price, qty = int("9876543210987654321"[:digits]), int("1234567890123456789"[-digits:])
            assert book._take(True, [(price, 0, qty, 0)], [], None) == UNVERIFIED
            assert book.checksum == crc32(f"{price}{qty}".encode())
