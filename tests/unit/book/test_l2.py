"""The L2 book: order of levels, truncation, padding, states, and what it refuses; of both twins."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from krakenwire.book import book_checksum, level_digits
from krakenwire.book.l2 import L2Book
from krakenwire.errors import ChecksumMismatch, DecodeError, StaleData, UsageError
from krakenwire.model import BookUpdate, Level

Rows = Sequence[tuple[str, str]]

BIDS = [("99.9", "1.00000000"), ("99.8", "2.50000000")]
ASKS = [("100.1", "0.00010000"), ("100.4", "3.00000000")]


@pytest.fixture(params=["pure", "native"], autouse=True)
def twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test over both twins: those of the compiled one are skipped where it was not built."""
    if request.param == "native":
        books = pytest.importorskip("krakenwire._native.books", reason="the compiled twins were not built")
        monkeypatch.setitem(globals(), "L2Book", books.L2Book)


def crc(asks: Rows, bids: Rows) -> int:
    return book_checksum([level_digits(*row) for row in asks[:10]], [level_digits(*row) for row in bids[:10]])


def snapshot(bids: Rows = BIDS, asks: Rows = ASKS, checksum: int | None = None) -> BookUpdate:
    checksum = crc(asks, bids) if checksum is None else checksum
    return BookUpdate("BTC/USD", "snapshot", bids, asks, checksum, "2026-01-02T03:04:05.000006Z")


def update(bids: Rows, asks: Rows, checksum: int | None) -> BookUpdate:
    return BookUpdate("BTC/USD", "update", bids, asks, checksum, "2026-01-02T03:04:06.000007Z")


def live(bids: Rows = BIDS, asks: Rows = ASKS, depth: int = 10) -> L2Book:
    book = L2Book("BTC/USD", depth)
    book.apply(snapshot(bids, asks))
    return book


def rows(levels: Sequence[Level]) -> list[tuple[str, str]]:
    return [(str(price), str(qty)) for price, qty in levels]


def ladder(side: str, count: int) -> list[tuple[str, str]]:
    step = 1 if side == "asks" else -1
    return [(f"{(1000 + step * (n + 1)) / 10:.1f}", f"{n + 1}.00000000") for n in range(count)]


def test_a_snapshot_is_read_best_first_with_all_its_zeros() -> None:
    book = live()
    assert (rows(book.bids), rows(book.asks)) == (BIDS, ASKS)
    assert (str(book.best_bid), str(book.best_bid_qty)) == BIDS[0]
    assert (str(book.best_ask), str(book.best_ask_qty)) == ASKS[0]
    assert (book.mid, book.spread) == (Decimal("100.0"), Decimal("0.2"))
    assert (book.price_decimals, book.qty_decimals, book.level_counts) == (1, 8, (2, 2))
    assert book.time_ns == 1_767_323_045_000_006_000


def test_a_mid_between_two_ticks_is_exact() -> None:
    assert live(asks=[("100.0", "1.00000000")]).mid == Decimal("99.95")


def test_top_gives_bids_then_asks_and_no_more_than_there_are() -> None:
    book = live()
    assert book.top(1) == ((book.bids[0],), (book.asks[0],))
    assert book.top(99) == (book.bids, book.asks)
    assert book.top(0) == ((), ())
    with pytest.raises(UsageError, match="levels"):
        book.top(-1)


def test_an_update_changes_adds_and_removes_levels() -> None:
    book = live()
    bids, asks = [("99.9", "4.00000000")], [("100.2", "7.00000000")]
    change = update([("99.8", "0.00000000"), *bids], asks, crc([ASKS[0], *asks, ASKS[1]], bids))
    book.apply(change)
    assert change.verified
    assert change.book is book
    assert rows(book.bids) == bids
    assert rows(book.asks) == [ASKS[0], *asks, ASKS[1]]
    assert book.verified_count == 2


def test_the_last_of_several_values_for_one_price_wins() -> None:
    book = live()
    book.apply(update([("99.9", "0.00000000"), ("99.9", "5.00000000"), ("99.9", "6.00000000")], [], None))
    assert rows(book.bids)[0] == ("99.9", "6.00000000")


def test_the_removal_of_an_absent_price_is_harmless() -> None:
    book = live()
    change = update([("12.3", "0.00000000")], [("999.9", "0.00000000")], crc(ASKS, BIDS))
    book.apply(change)
    assert change.verified


def test_levels_beyond_the_depth_are_forgotten_after_the_message() -> None:
    asks = ladder("asks", 10)
    book = live([], asks)
    change = update([], [("100.05", "1.00000000")], crc([("100.05", "1.00000000"), *_wider(asks)[:9]], []))
    book.apply(change)
    assert change.verified
    assert len(book.asks) == 10
    back = update([], [("100.05", "0.00000000")], crc(_wider(asks)[:9], []))
    book.apply(back)
    assert (back.verified, len(book.asks)) == (True, 9)


def test_a_level_pushed_over_the_edge_within_a_message_is_kept_if_the_message_makes_room() -> None:
    asks = ladder("asks", 10)
    book = live([], asks)
    book.apply(update([], [("100.0", "1.00000000"), ("100.1", "0.00000000")], None))
    assert rows(book.asks) == [("100.0", "1.00000000"), *asks[1:]]


def _wider(levels: Rows) -> list[tuple[str, str]]:
    return [(f"{price}0", qty) for price, qty in levels]


def test_a_snapshot_replaces_everything() -> None:
    book = live()
    book.apply(snapshot([("1.5", "1.00000000")], []))
    assert (rows(book.bids), book.asks) == ([("1.5", "1.00000000")], ())


def test_a_snapshot_deeper_than_the_subscription_is_cut() -> None:
    asks = ladder("asks", 12)
    book = live([], asks)
    assert rows(book.asks) == asks[:10]


def test_an_empty_book_is_live_and_verifies() -> None:
    book = live([], [])
    assert (book.verified, book.checksum, book.best_bid, book.best_ask_qty, book.mid, book.spread) == (
        True,
        0,
        None,
        None,
        None,
        None,
    )


# -- spellings -------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["1e-05", "1E-5", "0.00001", "0.000010", "0.00001000", "10.0e-6"])
def test_a_quantity_is_padded_to_the_books_decimals_however_it_is_written(spelling: str) -> None:
    book = live()
    change = update([("99.9", spelling)], [], crc(ASKS, [("99.9", "0.00001000"), BIDS[1]]))
    book.apply(change)
    assert change.verified
    assert str(book.best_bid_qty) == str(Decimal("0.00001000"))


@pytest.mark.parametrize("spelling", ["100", "1e2", "100.0"])
def test_a_price_is_padded_to_the_books_decimals_however_it_is_written(spelling: str) -> None:
    book = live()
    change = update([], [(spelling, "1.00000000")], crc([("100.0", "1.00000000"), *ASKS], BIDS))
    book.apply(change)
    assert change.verified


def test_more_decimals_than_before_rescale_the_whole_book() -> None:
    book = live()
    change = update(
        [],
        [("100.125", "1.00000000")],
        crc(
            [("100.100", "0.00010000"), ("100.125", "1.00000000"), ("100.400", "3.00000000")],
            [("99.900", "1.00000000"), ("99.800", "2.50000000")],
        ),
    )
    book.apply(change)
    assert change.verified
    assert str(book.best_bid) == "99.900"


def test_more_decimals_of_a_quantity_rescale_the_whole_book() -> None:
    book = live()
    change = update(
        [("99.7", "0.0000000025")],
        [],
        crc(
            [("100.1", "0.0001000000"), ("100.4", "3.0000000000")],
            [("99.9", "1.0000000000"), ("99.8", "2.5000000000"), ("99.7", "0.0000000025")],
        ),
    )
    book.apply(change)
    assert change.verified
    assert [str(qty) for _, qty in book.bids] == ["1.0000000000", "2.5000000000", "2.5E-9"]


@pytest.mark.parametrize("nothing", ["0e-20", "0E+9", "0", "-0.0"])
def test_a_zero_however_written_removes_and_rescales_nothing(nothing: str) -> None:
    book = live()
    change = update([("99.9", nothing)], [], crc(ASKS, BIDS[1:]))
    book.apply(change)
    assert (change.verified, book.qty_decimals) == (True, 8)


def test_more_decimals_beyond_the_best_ten_still_rescale_the_best_ten() -> None:
    asks = ladder("asks", 20)
    book = live([], asks, depth=25)
    change = update([], [("200.00", "1.00000000")], crc(_wider(asks), []))
    book.apply(change)
    assert change.verified


def test_values_beyond_64_bits_stay_exact() -> None:
    qty = "99999999999999999999999.12345678"
    book = live([("99.9", qty)], ASKS)
    assert str(book.best_bid_qty) == qty


def test_given_decimals_pad_a_snapshot_that_lost_its_zeros() -> None:
    book = L2Book("MATIC/USD", 10, 4, 8)
    message = BookUpdate(
        "MATIC/USD",
        "snapshot",
        [("0.566", "18097.1547")],
        [("0.57", "3")],
        crc([("0.5700", "3.00000000")], [("0.5660", "18097.15470000")]),
    )
    book.apply(message)
    assert message.verified


def test_wrong_decimals_of_the_instrument_do_not_stop_a_snapshot_that_shows_its_own() -> None:
    book = L2Book("BTC/USD", 10, 5, 10)
    message = snapshot()
    book.apply(message)
    assert message.verified
    assert book.price_decimals == 1


def test_one_odd_number_does_not_spoil_the_snapshots_after_it() -> None:
    book = live()
    with pytest.raises(ChecksumMismatch):
        book.apply(update([("99.12345", "1.0000000000")], [], 1))
    healed = snapshot()
    book.apply(healed)
    assert healed.verified


@pytest.mark.parametrize(
    "level",
    [
        ("abc", "1.00000000"),
        ("99.9", ""),
        ("99.9", "NaN"),
        ("99.9", "Infinity"),
        ("99.9", "1.2.3"),
        ("-99.9", "1.00000000"),
        ("-99.9", "0.00000000"),
        ("99.9", "-1.00000000"),
        ("99.9", "1e99"),
        ("99.9", "1" * 70 + ".00000000"),
        ("9_9.9", "1.00000000"),
        ("٩٩.٩", "1.00000000"),
        (" 99.9", "1.00000000"),
        ("99.9",),
        "99.9",
        5,
        None,
        (None, None),
        ([], {}),
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["snapshot", "update"])
def test_a_level_that_is_not_two_numbers_is_an_error_and_the_book_resyncs(level: object, kind: str) -> None:
    book = live()
    message = BookUpdate("BTC/USD", kind, [level], [], 1)  # type: ignore[arg-type, list-item]
    with pytest.raises(DecodeError):
        book.apply(message)
    assert (book.state, book.verified, message.verified) == ("resyncing", False, False)


# -- states ------------------------------------------------------------------------


def test_a_book_is_empty_then_live_then_resyncing_then_live_again() -> None:
    book = L2Book("BTC/USD", 10)
    states = [book.state]
    book.apply(snapshot())
    states.append(book.state)
    with pytest.raises(ChecksumMismatch) as caught:
        book.apply(update([("99.9", "9.00000000")], [], 12345))
    states.append(book.state)
    book.apply(snapshot())
    states.append(book.state)
    assert states == ["empty", "live", "resyncing", "live"]
    assert (caught.value.symbol, caught.value.expected) == ("BTC/USD", 12345)
    assert caught.value.found == crc(ASKS, [("99.9", "9.00000000"), BIDS[1]])


def test_an_update_before_the_snapshot_is_refused_and_changes_nothing() -> None:
    book = L2Book("BTC/USD", 10)
    message = update(BIDS, ASKS, crc(ASKS, BIDS))
    with pytest.raises(StaleData, match="empty"):
        book.apply(message)
    assert (book.state, message.book, message.verified) == ("empty", None, False)


READINGS = (
    "checksum",
    "time_ns",
    "best_bid",
    "best_ask",
    "best_bid_qty",
    "best_ask_qty",
    "mid",
    "spread",
    "bids",
    "asks",
    "level_counts",
)


@pytest.mark.parametrize("name", READINGS)
def test_nothing_is_read_from_a_book_that_is_not_live(name: str) -> None:
    book = live()
    book.invalidate()
    for reading in (book, book.freeze()):
        with pytest.raises(StaleData, match="resyncing"):
            getattr(reading, name)
        with pytest.raises(StaleData):
            reading.top(1)
    assert repr(book) == "L2Book(BTC/USD depth=10 resyncing)"


def test_a_snapshot_without_a_checksum_is_live_but_not_verified_until_the_first_checked_update() -> None:
    book = L2Book("BTC/USD", 10)
    message = BookUpdate("BTC/USD", "snapshot", BIDS, ASKS, None)
    book.apply(message)
    assert (book.state, book.verified, message.verified, book.verified_count) == ("live", False, False, 0)
    change = update([("99.7", "1.00000000")], [], crc(ASKS, [*BIDS, ("99.7", "1.00000000")]))
    book.apply(change)
    assert (book.verified, change.verified, book.verified_count) == (True, True, 1)


def test_a_crossed_book_without_a_checksum_is_not_believed() -> None:
    book = L2Book("BTC/USD", 10)
    with pytest.raises(DecodeError, match="crossed"):
        book.apply(BookUpdate("BTC/USD", "snapshot", [("100.1", "1.00000000")], ASKS, None))
    assert book.state == "resyncing"


def test_without_verification_a_wrong_checksum_passes_and_nothing_is_verified() -> None:
    book = L2Book("BTC/USD", 10, verify=False)
    message = snapshot(checksum=1)
    book.apply(message)
    assert (book.state, book.verified, message.verified, book.checksum) == ("live", False, False, crc(ASKS, BIDS))


def test_a_frozen_book_reads_the_same_and_does_not_change() -> None:
    book = live()
    frozen = book.freeze()
    assert frozen is book.freeze()
    assert frozen.freeze() is frozen
    book.apply(update([("99.9", "0.00000000")], [], crc(ASKS, BIDS[1:])))
    assert rows(frozen.bids) == BIDS
    assert rows(book.bids) == BIDS[1:]
    assert (frozen.verified, frozen.verified_count, frozen.state, frozen.symbol, frozen.depth) == (
        True,
        1,
        "live",
        "BTC/USD",
        10,
    )
    assert book.freeze() is not frozen


def test_the_text_of_a_book_names_symbol_state_and_best_prices() -> None:
    assert repr(live()) == "L2Book(BTC/USD depth=10 live bid=99.9 ask=100.1 verified=True)"


@pytest.mark.parametrize("depth", [0, -1, 9, 11, 1001])
def test_a_depth_the_venue_does_not_know_is_refused(depth: int) -> None:
    with pytest.raises(UsageError, match="book depth"):
        L2Book("BTC/USD", depth)


@pytest.mark.parametrize("kind", ["snapshot", "update"])
def test_a_message_of_very_many_levels_worst_first_is_taken_as_its_levels_one_by_one_would_be(kind: str) -> None:
    many = [(f"{price / 10:.1f}", f"{1 + price % 7}.00000000") for price in range(1, 5_001)]
    last = [("500.0", "0.00000000"), ("499.95", "1.5"), ("499.8", "2.00000000"), ("1.0", "0")]
    best = [("499.95", "1.50000000"), ("499.90", "2.00000000"), ("499.80", "2.00000000"), ("499.70", "7.00000000")]
    best += [(f"{price / 10:.2f}", f"{1 + price % 7}.00000000") for price in range(4_996, 4_990, -1)]
    book = live([("0.1", "1.00000000")], [("600.0", "1.00000000")])
    asks = [("600.00", "1.00000000")]
    if kind == "snapshot":
        book.apply(snapshot(many + last, [("600.0", "1.00000000")], crc(asks, best)))
    else:
        book.apply(update(many + last, [], crc(asks, best)))
    assert (rows(book.bids), rows(book.asks), book.verified) == (best, asks, True)


def test_a_bad_level_among_very_many_ends_the_life_of_the_book() -> None:
    book = live()
    with pytest.raises(DecodeError):
        book.apply(update([*[("99.9", "1.00000000")] * 5_000, ("x", "1")], [], 0))
    assert book.state == "resyncing"
