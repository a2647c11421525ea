"""The L3 book: queues, the checksum over every order, and events that make no sense."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from zlib import crc32

import pytest
from tests.native.level3_twins import TWINS, need

from krakenwire.book.l3 import L3Book
from krakenwire.errors import ChecksumMismatch, DecodeError, StaleData, UsageError
from krakenwire.model import Level3Order, Level3Update


def order(order_id: str, price: str, qty: str, event: str | None = None) -> Level3Order:
    return Level3Order(order_id=order_id, price_text=price, qty_text=qty, time_ns=7, event=event)  # type: ignore[arg-type]


def message(
    kind: str,
    bids: list[Level3Order],
    asks: list[Level3Order],
    digits: str | None,
) -> Level3Update:
    """A message with the checksum of these digits: all asks, then all bids, in queue order."""
    return Level3Update(
        symbol="BTC/USD",
        kind=kind,  # type: ignore[arg-type]
        bids=tuple(bids),
        asks=tuple(asks),
        checksum=None if digits is None else crc32(digits.replace(" ", "").encode()),
    )


@pytest.fixture(params=TWINS)
def make(request: pytest.FixtureRequest) -> type[L3Book]:
    """The class of book under test: every test here holds for all twins."""
    need(request.param)
    return TWINS[request.param]()


@pytest.fixture
def live(make: type[L3Book]) -> Callable[[], L3Book]:
    """Makes books with two bids at one price, one below; one ask."""
    return lambda: filled(make("BTC/USD", 10))


def filled(book: L3Book) -> L3Book:
    bids = [order("A", "99.9", "1.00"), order("B", "99.9", "2.00"), order("C", "99.8", "3.00")]
    book.apply(message("snapshot", bids, [order("D", "100.1", "0.50")], "1001 50 999 100 999 200 998 300"))
    return book


def ids(orders: tuple[Level3Order, ...]) -> str:
    return "".join(one.order_id for one in orders)


def test_a_snapshot_keeps_queue_order_within_a_price(live: Callable[[], L3Book]) -> None:
    book = live()
    assert (book.verified, ids(book.bids), ids(book.asks)) == (True, "ABC", "D")
    assert (book.best_bid, book.best_ask) == (Decimal("99.9"), Decimal("100.1"))
    assert [(str(p), str(q)) for p, q in book.bid_levels] == [("99.9", "3.00"), ("99.8", "3.00")]
    assert [(str(p), str(q)) for p, q in book.ask_levels] == [("100.1", "0.50")]


def test_an_added_order_goes_to_the_end_of_its_queue(live: Callable[[], L3Book]) -> None:
    book = live()
    change = message("update", [order("E", "99.9", "4.00", "add")], [], "1001 50 999 100 999 200 999 400 998 300")
    book.apply(change)
    assert (change.verified, ids(book.bids), change.book) == (True, "ABEC", book)


def test_a_modified_order_keeps_its_place(live: Callable[[], L3Book]) -> None:
    book = live()
    change = message("update", [order("A", "99.9", "0.25", "modify")], [], "1001 50 999 25 999 200 998 300")
    book.apply(change)
    assert (change.verified, ids(book.bids), book.bids[0].qty_text) == (True, "ABC", "0.25")


def test_a_modification_to_another_price_goes_to_the_end_there(live: Callable[[], L3Book]) -> None:
    book = live()
    change = message("update", [order("A", "99.8", "1.00", "modify")], [], "1001 50 999 200 998 300 998 100")
    book.apply(change)
    assert (change.verified, ids(book.bids)) == (True, "BCA")


def test_a_delete_carries_the_last_quantity_and_takes_the_order_out(live: Callable[[], L3Book]) -> None:
    book = live()
    change = message("update", [order("A", "99.9", "1.00", "delete")], [], "1001 50 999 200 998 300")
    book.apply(change)
    assert (change.verified, ids(book.bids)) == (True, "BC")


def test_the_last_order_of_a_price_takes_the_price_with_it(live: Callable[[], L3Book]) -> None:
    book = live()
    book.apply(message("update", [], [order("D", "100.1", "0.50", "delete")], "999 100 999 200 998 300"))
    assert (book.asks, book.best_ask, book.ask_levels) == ((), None, ())


@pytest.mark.parametrize("event", ["modify", "delete"])
def test_events_of_unknown_orders_are_counted_and_change_nothing(live: Callable[[], L3Book], event: str) -> None:
    book = live()
    change = message("update", [order("X", "99.9", "9.00", event)], [], "1001 50 999 100 999 200 998 300")
    book.apply(change)
    assert (change.verified, book.stray_events, ids(book.bids)) == (True, 1, "ABC")


def test_an_order_added_twice_is_counted_and_queues_anew(live: Callable[[], L3Book]) -> None:
    book = live()
    book.apply(message("update", [order("A", "99.9", "1.00", "add")], [], None))
    assert (book.stray_events, ids(book.bids), book.verified) == (1, "BAC", False)


def test_an_order_without_quantity_never_rests(live: Callable[[], L3Book]) -> None:
    book = live()
    change = message(
        "update",
        [order("E", "99.7", "0.00", "add"), order("A", "99.9", "0.00", "modify")],
        [],
        "1001 50 999 200 998 300",
    )
    book.apply(change)
    assert (change.verified, book.stray_events, ids(book.bids)) == (True, 1, "BC")


def test_levels_beyond_the_depth_are_forgotten_with_their_orders(make: type[L3Book]) -> None:
    book = make("BTC/USD", 10)
    book.apply(message("snapshot", [], [order(f"{n}", f"{100 + n}.0", "1.00") for n in range(10)], None))
    book.apply(message("update", [], [order("new", "99.0", "1.00", "add")], None))
    assert len(book.asks) == 10
    book.apply(message("update", [], [order("9", "109.0", "1.00", "delete")], None))
    assert book.stray_events == 1


def test_the_checksum_covers_ten_levels_but_every_order_in_them(make: type[L3Book]) -> None:
    book = make("BTC/USD", 100)
    asks = [order(f"{n}{twice}", f"{100 + n}.0", "1.00") for n in range(12) for twice in "ab"]
    digits = "".join(f"{100 + n}0 100" * 2 for n in range(10))
    taken = message("snapshot", [], asks, digits)
    book.apply(taken)
    assert taken.verified


def test_missing_zeros_and_exponents_are_padded_to_the_most_decimals_seen(make: type[L3Book]) -> None:
    book = make("BTC/USD", 10, 1, 8)
    taken = message("snapshot", [order("A", "99", "1e-05")], [order("B", "100.25", "2")], "10025 200000000 9900 1000")
    book.apply(taken)
    assert taken.verified


def test_a_mismatch_ends_the_books_life_until_its_next_snapshot(live: Callable[[], L3Book]) -> None:
    book = live()
    with pytest.raises(ChecksumMismatch):
        book.apply(message("update", [order("A", "99.9", "9.00", "modify")], [], "1"))
    assert book.state == "resyncing"
    with pytest.raises(StaleData):
        assert book.bids
    with pytest.raises(StaleData):
        book.apply(message("update", [], [], ""))
    again = live()
    assert again.state == "live"


@pytest.mark.parametrize(("price", "qty"), [("x", "1"), ("1", "-1"), ("-1", "1"), ("1", "")])
def test_an_order_that_is_not_two_numbers_is_an_error_and_the_book_resyncs(
    live: Callable[[], L3Book], price: str, qty: str
) -> None:
    book = live()
    with pytest.raises(DecodeError):
        book.apply(message("update", [order("E", price, qty, "add")], [], None))
    assert book.state == "resyncing"


def test_a_frozen_copy_reads_the_same_and_does_not_change(live: Callable[[], L3Book]) -> None:
    book = live()
    frozen = book.freeze()
    assert frozen is book.freeze()
    book.apply(message("update", [order("A", "99.9", "1.00", "delete")], [], None))
    assert (ids(frozen.bids), ids(book.bids), frozen.verified, frozen.freeze()) == ("ABC", "BC", True, frozen)


def test_a_depth_the_venue_does_not_know_is_refused(make: type[L3Book]) -> None:
    with pytest.raises(UsageError, match="level3 depth"):
        make("BTC/USD", 25)


def test_the_text_of_a_book_names_symbol_state_and_best_prices(live: Callable[[], L3Book]) -> None:
    assert repr(live()) == "L3Book(BTC/USD depth=10 live bid=99.9 ask=100.1 verified=True)"


def test_messages_are_compared_by_what_they_say_not_by_the_book_that_took_them(live: Callable[[], L3Book]) -> None:
    one, other = (message("update", [order("Z", "99.5", "1.00", "add")], [], None) for _ in range(2))
    text = repr(one)
    book = live()
    book.apply(one)
    book.apply(message("update", [order("Y", "99.4", "1.00", "add")], [], None))
    assert one.book is book
    assert (one, hash(one), repr(one)) == (other, hash(other), text)
    other.verified = True
    assert one != other
