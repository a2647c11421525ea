"""Events become rows of integers: what each kind gives, what is refused, and what is listed how."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from krakenwire.errors import ListingChanged, ListingMismatch
from krakenwire.model import (
    BookUpdate,
    Candle,
    Candles,
    ChecksumFailed,
    Event,
    Gap,
    Heartbeat,
    Instrument,
    Instruments,
    Status,
    Ticker,
    Trade,
    Trades,
)
from krakenwire.model.rows import (
    ASK,
    BID,
    BUY,
    CLEAR,
    EVENT,
    GAP,
    LAST,
    MARKET,
    SELL,
    SNAPSHOT,
    UNVERIFIED,
    Listing,
)
from krakenwire.protocol.v1.client import ClientCodec as V1Codec
from krakenwire.protocol.v2.client import ClientCodec as V2Codec
from krakenwire.session.feed import Feed
from krakenwire.tape import row_writer, rows

WRITERS = list(dict.fromkeys((rows.RowWriter, row_writer.RowWriter)))
BTC = Listing(symbol="BTC/USD", price_decimals=1, qty_decimals=8)
SNAPSHOT_V2 = (
    '{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[{"price":100.1,"qty":0.50000000}],'
    '"asks":[{"price":100.3,"qty":2.00000000}],"checksum":%d}]}'
)


@pytest.fixture(params=WRITERS, ids=lambda writer: writer.__module__.rpartition(".")[0])
def writer(request: pytest.FixtureRequest) -> Any:
    return request.param


def book(kind: str, bids: list[tuple[str, str]], asks: list[tuple[str, str]], checksum: int | None = 7) -> BookUpdate:
    return BookUpdate("BTC/USD", kind, bids, asks, checksum, time=5, verified=True)  # type: ignore[arg-type]


def trades(kind: str = "update", **members: Any) -> Trades:
    told = {"side": "buy", "price": Decimal("100.5"), "qty": Decimal("0.25"), "ord_type": "limit", "time_ns": 3}
    trade = Trade(symbol="BTC/USD", **(told | members))
    return Trades(symbol="BTC/USD", kind=kind, trades=(trade,))  # type: ignore[arg-type]


def instruments(price_precision: int = 2, kind: str = "snapshot") -> Instruments:
    pair = Instrument(
        symbol="BTC/USD",
        base="BTC",
        quote="USD",
        status="online",
        price_precision=price_precision,
        qty_precision=8,
        cost_precision=5,
        price_increment=Decimal("0.5"),
        qty_increment=Decimal("0.00000001"),
        qty_min=Decimal("0.0001"),
        cost_min=Decimal("0.5"),
    )
    return Instruments(kind=kind, assets=(), pairs=(pair,))  # type: ignore[arg-type]


def ticker() -> Ticker:
    one = Decimal("100.25")
    return Ticker(
        symbol="BTC/USD", kind="update", bid=one, bid_qty=one, ask=one, ask_qty=one, last=one, volume=one, vwap=one,
        low=one, high=one, time_ns=9,
    )  # fmt: skip


def candles() -> Candles:
    one = Decimal("100.25")
    row = Candle(
        symbol="BTC/USD", interval=1, begin_ns=0, end_ns=60, open=one, high=one, low=one, close=one, vwap=one,
        volume=one, trades=1,
    )  # fmt: skip
    return Candles(symbol="BTC/USD", interval=1, kind="update", candles=(row,))


def test_a_snapshot_clears_the_book_and_only_its_last_row_is_the_last(writer: Any) -> None:
    made = writer([BTC])
    assert made.take(book("snapshot", [("100.1", "0.50000000")], [("100.3", "2")]), 11, 4) == 3
    got = made.rows()
    assert list(got["kind"]) == [CLEAR, BID, ASK]
    assert list(got["price"]) == [0, 1001, 1003]
    assert list(got["qty"]) == [0, 50_000_000, 200_000_000]
    assert list(got["flags"]) == [SNAPSHOT, SNAPSHOT, SNAPSHOT | LAST]
    assert (set(got["time_ns"]), set(got["venue_ns"]), set(got["aux"]), set(got["connection"])) == ({11}, {5}, {7}, {4})


def test_an_empty_snapshot_is_one_row(writer: Any) -> None:
    made = writer([BTC])
    assert made.take(book("snapshot", [], []), 1) == 1
    (row,) = made.rows()
    assert (row["kind"], row["flags"]) == (CLEAR, SNAPSHOT | LAST)


def test_a_level_without_a_checksum_is_marked_unverified(writer: Any) -> None:
    made = writer([BTC])
    update = book("update", [("100.1", "0")], [], checksum=None)
    update.verified = False
    made.take(update, 1)
    (row,) = made.rows()
    assert (row["qty"], row["aux"], row["flags"]) == (0, -1, UNVERIFIED | LAST)


@pytest.mark.parametrize(
    ("members", "kind", "flags"),
    [
        ({}, BUY, LAST),
        ({"side": "sell"}, SELL, LAST),
        ({"ord_type": "market"}, BUY, MARKET | LAST),
    ],
)
def test_a_trade_tells_its_taker(writer: Any, members: dict[str, Any], kind: int, flags: int) -> None:
    made = writer([BTC])
    made.take(trades(trade_id=12, **members), 1)
    (row,) = made.rows()
    assert (row["kind"], row["flags"], row["aux"], row["venue_ns"]) == (kind, flags, 12, 3)
    assert (row["price"], row["qty"]) == (1005, 25_000_000)


def test_trades_of_a_snapshot_are_marked_and_one_without_id_has_none(writer: Any) -> None:
    made = writer([BTC])
    made.take(trades("snapshot"), 1)
    (row,) = made.rows()
    assert (row["aux"], row["flags"]) == (-1, SNAPSHOT | LAST)


def test_what_has_no_rows_of_its_own_points_at_its_object(writer: Any) -> None:
    made = writer([BTC])
    events: list[Event] = [ticker(), candles(), instruments(), Status(system="online")]
    assert [made.take(event, time) for time, event in enumerate(events, 1)] == [1, 1, 1, 1]
    got = made.rows()
    assert set(got["kind"]) == {EVENT}
    assert [made.objects[place] for place in got["aux"]] == events


def test_heartbeats_give_no_rows(writer: Any) -> None:
    assert writer().take(Heartbeat(), 1) == 0


def test_a_gap_of_the_book_is_a_row_and_one_of_the_trades_leaves_a_book_that_is_there_alone(writer: Any) -> None:
    made = writer([BTC])
    made.take(Gap(channel_name="trade", symbol="BTC/USD", reason="trade ids"), 1)
    made.take(Gap(channel_name="book", symbol="BTC/USD", reason="silence"), 1)
    made.take(Gap(channel_name="ticker", symbol="BTC/USD", reason="silence"), 1)
    assert list(made.rows()["kind"]) == [GAP, GAP]
    with_book = writer([Listing(symbol="BTC/USD", price_decimals=1, depth=10)])
    gap = Gap(channel_name="trade", symbol="BTC/USD", reason="trade ids")
    with_book.take(gap, 1)
    (row,) = with_book.rows()
    assert (row["kind"], with_book.objects[row["aux"]]) == (EVENT, gap)


def test_a_gap_of_no_symbol_is_one_of_all(writer: Any) -> None:
    made = writer([BTC, Listing(symbol="ETH/USD", price_decimals=2)])
    assert made.take(Gap(channel_name="book", symbol=None, reason="disconnected"), 1) == 2
    got = made.rows()
    assert (list(got["symbol"]), list(got["flags"])) == ([0, 1], [0, LAST])


def test_a_message_with_a_wrong_checksum_gives_a_gap_and_none_of_its_levels(writer: Any) -> None:
    made = writer([BTC])
    events = Feed(V2Codec()).feed(SNAPSHOT_V2 % 1)
    assert [event.__class__ for event in events] == [BookUpdate, ChecksumFailed]
    assert [made.take(event, 1) for event in events] == [0, 1]
    assert list(made.rows()["kind"]) == [GAP]


def test_without_comparing_checksums_levels_are_unverified_but_there(writer: Any) -> None:
    made = writer([BTC])
    (event,) = Feed(V2Codec(), verify=False).feed(SNAPSHOT_V2 % 1)
    made.take(event, 1)
    assert list(made.rows()["flags"] & UNVERIFIED) == [UNVERIFIED] * 3


def test_times_never_fall(writer: Any) -> None:
    made = writer([BTC])
    for time in (5, 3, 8):
        made.take(trades(), time)
    assert list(made.rows()["time_ns"]) == [5, 5, 8]


@pytest.mark.parametrize(
    ("price", "qty", "what"),
    [("100.15", "1", "price"), ("100.1", "0.000000001", "quantity"), ("100000000000000000", "1", "price")],
)
def test_a_level_that_does_not_fit_is_refused_whole_and_counted(writer: Any, price: str, qty: str, what: str) -> None:
    made = writer([BTC])
    with pytest.raises(ListingMismatch) as caught:
        made.take(book("update", [("100.1", "1"), (price, qty)], []), 1)
    assert (caught.value.symbol, caught.value.what, made.refused) == ("BTC/USD", what, 1)
    assert len(made.rows()) == 0


def test_surplus_zeros_fit(writer: Any) -> None:
    made = writer([BTC])
    made.take(book("update", [("100.100000", "1.0000000000")], []), 1)
    (row,) = made.rows()
    assert (row["price"], row["qty"]) == (1001, 100_000_000)


def test_decimals_are_inferred_from_the_first_message(writer: Any) -> None:
    made = writer()
    made.take(book("snapshot", [("100.1", "0.5")], [("100.35", "2")]), 1)
    (listing,) = made.listings
    assert (listing.symbol, listing.price_decimals, listing.qty_decimals) == ("BTC/USD", 2, 8)


def test_the_venue_describes_an_instrument_before_its_first_message(writer: Any) -> None:
    made = writer()
    made.take(instruments(), 1)
    assert made.listings == []
    made.take(trades(), 2)
    (listing,) = made.listings
    assert (listing.price_decimals, listing.tick, listing.lot) == (2, 50, 1)
    assert (listing.qty_min, listing.cost_min) == (Decimal("0.0001"), Decimal("0.5"))


def test_a_change_of_decimals_is_an_error_once_rows_were_made_with_them(writer: Any) -> None:
    made = writer()
    made.take(instruments(2), 1)
    made.take(instruments(3), 1)
    made.take(trades(), 2)
    made.take(instruments(3, "update"), 3)
    with pytest.raises(ListingChanged, match="from 3 and 8 to 4 and 8"):
        made.take(instruments(4, "update"), 4)


def test_only_the_symbols_asked_for_get_rows(writer: Any) -> None:
    made = writer(symbols=["ETH/USD"])
    for event in (trades(), book("snapshot", [], []), ticker(), candles()):
        assert made.take(event, 1) == 0
    assert made.take(Status(system="online"), 1) == 1
    assert made.listings == []


def test_the_books_depth_is_noted(writer: Any) -> None:
    made = writer()
    feed = Feed(V2Codec(), depth=25, verify=False)
    for event in feed.feed(SNAPSHOT_V2 % 1):
        made.take(event, 1)
    assert made.listings[0].depth == 25


def test_the_best_levels_are_told_when_they_change_and_when_they_are_lost(writer: Any) -> None:
    made = writer([BTC], tops=True)
    feed = Feed(V2Codec(), verify=False)
    for frame in (SNAPSHOT_V2 % 1, SNAPSHOT_V2 % 1, (SNAPSHOT_V2 % 1).replace("100.1", "100.2")):
        for event in feed.feed(frame):
            made.take(event, 1)
    made.take(Gap(channel_name="book", symbol="BTC/USD", reason="silence"), 2)
    got = made.tops()
    assert list(zip(got["bid"], got["bid_qty"], got["ask"], got["ask_qty"], got["known"], strict=True)) == [
        (1001, 50_000_000, 1003, 200_000_000, 1),
        (1002, 50_000_000, 1003, 200_000_000, 1),
        (0, 0, 0, 0, 0),
    ]
    assert len(made.tops()) == 0


def test_what_was_given_out_stays_as_it_was(writer: Any) -> None:
    made = writer([BTC])
    given = []
    for number in range(10_000):
        made.take(trades(trade_id=number), number)
        given.append(made.rows())
    assert [int(one["aux"][0]) for one in given] == list(range(10_000))


def test_a_version_1_book_keeps_its_own_times(writer: Any) -> None:
    frame = (
        '[0,{"as":[["5541.30000","2.50700000","1534614248.123678"]],'
        '"bs":[["5541.20000","1.52900000","1534614248.765567"]]},"book-100","XBT/USD"]'
    )
    made = writer()
    for event in Feed(V1Codec()).feed(frame):
        made.take(event, 1)
    got = made.rows()
    assert (list(got["kind"]), list(got["price"])) == ([CLEAR, BID, ASK], [0, 554_120_000, 554_130_000])
    assert (made.listings[0].depth, made.listings[0].price_decimals) == (100, 5)
    assert set(got["flags"] & UNVERIFIED) == {UNVERIFIED}
