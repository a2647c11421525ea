"""The feed: frames in, proven books out, one symbol's trouble its own."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from krakenwire.book import book_checksum, level_digits
from krakenwire.errors import DecodeError, StaleData, UsageError
from krakenwire.limits import BOOKS_MAX
from krakenwire.model import (
    BookUpdate,
    ChecksumFailed,
    Gap,
    Heartbeat,
    Level3Update,
    Subscribed,
    Trades,
    Unknown,
    Unsubscribed,
)
from krakenwire.protocol.v1.client import ClientCodec as V1Codec
from krakenwire.protocol.v2.client import ClientCodec as V2Codec
from krakenwire.session.feed import Feed

Rows = Sequence[tuple[str, str]]

BIDS = [("99.9", "1.00000000"), ("99.8", "2.50000000")]
ASKS = [("100.1", "0.00010000")]
TIME = "2026-01-02T03:04:05.000006Z"


def crc(asks: Rows, bids: Rows) -> int:
    return book_checksum([level_digits(*row) for row in asks[:10]], [level_digits(*row) for row in bids[:10]])


def side(levels: Rows) -> str:
    return "[" + ",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in levels) + "]"


def row(symbol: str, bids: Rows, asks: Rows, checksum: int) -> str:
    return f'{{"symbol":"{symbol}","bids":{side(bids)},"asks":{side(asks)},"checksum":{checksum},"timestamp":"{TIME}"}}'


def frame(kind: str, *rows: str) -> str:
    return f'{{"channel":"book","type":"{kind}","data":[{",".join(rows)}]}}'


def snapshot(symbol: str = "BTC/USD", bids: Rows = BIDS, asks: Rows = ASKS, checksum: int | None = None) -> str:
    return frame("snapshot", row(symbol, bids, asks, crc(asks, bids) if checksum is None else checksum))


def update(symbol: str, bids: Rows, asks: Rows, checksum: int) -> str:
    return frame("update", row(symbol, bids, asks, checksum))


GOOD = update("BTC/USD", [("99.9", "3.00000000")], [], crc(ASKS, [("99.9", "3.00000000"), BIDS[1]]))
BAD = update("BTC/USD", [("99.9", "3.00000000")], [], 1)


def reply(method: str, channel: str, symbol: str, depth: int | None) -> str:
    result = {"channel": channel, "symbol": symbol, "snapshot": True} | ({"depth": depth} if depth else {})
    return json.dumps({"method": method, "result": result, "success": True, "time_in": TIME, "time_out": TIME})


def ladder(count: int) -> list[tuple[str, str]]:
    return [(f"{100 + n}.1", "1.00000000") for n in range(count)]


def counted(feed: Feed) -> dict[str, int]:
    counters = feed.counters
    names = [
        name for name in counters.__struct_fields__ if name != "fallbacks"
    ]  # which twin did it is not the question
    return {name: count for name in names if (count := getattr(counters, name))}


def test_book_events_come_applied_and_verified() -> None:
    feed = Feed(V2Codec())
    (first,) = feed.feed(snapshot())
    (second,) = feed.feed(GOOD.encode())
    assert isinstance(first, BookUpdate)
    assert isinstance(second, BookUpdate)
    assert (first.verified, second.verified) == (True, True)
    assert first.book is second.book is feed.book("BTC/USD")
    assert counted(feed) == {"frames": 2, "events": 2, "verified": 2}


def test_an_update_before_any_snapshot_is_ignored_and_counted() -> None:
    feed = Feed(V2Codec())
    assert feed.feed(GOOD) == ()
    assert feed.book("BTC/USD") is None
    assert counted(feed) == {"frames": 1, "ignored_while_resyncing": 1}


def test_a_mismatch_takes_that_book_alone_out_of_life_until_its_next_snapshot() -> None:
    feed = Feed(V2Codec())
    feed.feed(snapshot())
    feed.feed(snapshot("ETH/USD"))
    taken, failed = feed.feed(BAD)
    assert isinstance(taken, BookUpdate)
    assert not taken.verified
    assert failed == ChecksumFailed(symbol="BTC/USD", expected=1, found=crc(ASKS, [("99.9", "3.00000000"), BIDS[1]]))
    book, other = feed.book("BTC/USD"), feed.book("ETH/USD")
    assert book is not None
    assert other is not None
    with pytest.raises(StaleData):
        assert book.best_bid
    assert (other.state, other.verified_count) == ("live", 1)
    assert feed.feed(GOOD) == ()
    feed.feed(snapshot())
    assert (book.state, feed.book("BTC/USD")) == ("live", book)
    assert counted(feed) == {"frames": 5, "events": 5, "verified": 3, "failed": 1, "ignored_while_resyncing": 1}


def test_a_level_that_is_no_number_is_a_gap_of_that_book_alone() -> None:
    feed = Feed(V2Codec())
    feed.feed(snapshot())
    feed.feed(snapshot("ETH/USD"))
    spoilt = frame("update", row("BTC/USD", [("-1.0", "1.0")], [], 1), row("ETH/USD", [], [], crc(ASKS, BIDS)))
    gap, neighbour = feed.feed(spoilt)
    assert gap == Gap(channel_name="book", symbol="BTC/USD", reason="malformed")
    assert isinstance(neighbour, BookUpdate)
    assert neighbour.verified
    assert feed.book("BTC/USD").state == "resyncing"  # type: ignore[union-attr]
    assert counted(feed) == {"frames": 3, "events": 4, "verified": 3, "malformed": 1}


@pytest.mark.parametrize("garbage", ["", "{", "[]", "null", "12", '{"channel":"book"}', b"\xff\xfe", "[" * 10_000])
def test_an_undecodable_frame_raises_and_changes_no_book(garbage: str | bytes) -> None:
    feed = Feed(V2Codec())
    feed.feed(snapshot())
    with pytest.raises(DecodeError):
        feed.feed(garbage)
    assert feed.book("BTC/USD").state == "live"  # type: ignore[union-attr]
    assert counted(feed) == {"frames": 2, "events": 1, "verified": 1, "malformed": 1}


def test_heartbeats_and_unknown_channels_are_passed_on_and_counted() -> None:
    feed = Feed(V2Codec())
    assert isinstance(feed.feed('{"channel":"heartbeat"}')[0], Heartbeat)
    assert isinstance(feed.feed('{"channel":"brand_new","type":"update","data":[]}')[0], Unknown)
    assert counted(feed) == {"frames": 2, "events": 2, "heartbeats": 1, "unknown": 1}


def test_other_market_data_passes_through() -> None:
    data = '{"symbol":"BTC/USD","side":"buy","price":1.5,"qty":2.0,"ord_type":"limit","trade_id":1,"timestamp":"' + TIME
    (event,) = Feed(V2Codec()).feed('{"channel":"trade","type":"update","data":[' + data + '"}]}')
    assert isinstance(event, Trades)


def test_without_verification_nothing_fails_and_nothing_is_verified() -> None:
    feed = Feed(V2Codec(), verify=False)
    feed.feed(snapshot())
    (event,) = feed.feed(BAD)
    assert isinstance(event, BookUpdate)
    assert not event.verified
    assert counted(feed) == {"frames": 2, "events": 2, "unverified": 2}


# -- depth -------------------------------------------------------------------------


def depth_after(feed: Feed, *frames: str) -> int:
    for one in frames:
        feed.feed(one)
    book = feed.book("BTC/USD")
    assert book is not None
    return book.depth


def test_the_depth_comes_from_the_venues_reply() -> None:
    feed = Feed(V2Codec())
    assert depth_after(feed, reply("subscribe", "book", "BTC/USD", 100), snapshot()) == 100


def test_the_depth_comes_from_what_was_expected() -> None:
    feed = Feed(V2Codec())
    feed.expect_book("BTC/USD", 500)
    assert depth_after(feed, snapshot()) == 500


def test_the_depth_comes_from_the_feeds_own_setting_where_nothing_else_tells() -> None:
    assert depth_after(Feed(V2Codec(), depth=25), snapshot()) == 25


@pytest.mark.parametrize(("levels", "depth"), [(0, 10), (10, 10), (11, 25), (25, 25), (101, 500), (1200, 1000)])
def test_an_untold_depth_is_the_smallest_that_holds_the_snapshot(levels: int, depth: int) -> None:
    assert depth_after(Feed(V2Codec()), snapshot(bids=[], asks=ladder(levels))) == depth


def test_an_untold_depth_is_not_forgotten_when_the_book_comes_back_thin() -> None:
    feed = Feed(V2Codec())
    assert depth_after(feed, snapshot(bids=[], asks=ladder(25)), snapshot(bids=[], asks=ladder(7))) == 25


def test_a_new_depth_gives_a_new_book_and_ends_the_old_one() -> None:
    feed = Feed(V2Codec())
    feed.feed(snapshot())
    old = feed.book("BTC/USD")
    assert old is not None
    assert depth_after(feed, reply("subscribe", "book", "BTC/USD", 100), snapshot()) == 100
    assert old.state == "resyncing"


@pytest.mark.parametrize("depth", [0, 11, 2000])
def test_a_depth_the_venue_does_not_know_is_refused(depth: int) -> None:
    feed = Feed(V2Codec())
    with pytest.raises(UsageError):
        feed.expect_book("BTC/USD", depth)
    with pytest.raises(UsageError):
        feed.expect_level3("BTC/USD", depth)
    with pytest.raises(UsageError):
        Feed(V2Codec(), depth=depth)


# -- version 1 -----------------------------------------------------------------------


def v1_snapshot(channel: str = "book-10", pair: str = "XBT/USD") -> str:
    levels = {"as": [[*one, "1.000000"] for one in ASKS], "bs": [[*one, "1.000000"] for one in BIDS]}
    return json.dumps([336, levels, channel, pair])


def v1_update(bids: Rows, checksum: int, channel: str = "book-10") -> str:
    return json.dumps([336, {"b": [[*one, "2.000000"] for one in bids], "c": str(checksum)}, channel, "XBT/USD"])


V1_GOOD = v1_update([("99.8", "0.00000000")], crc(ASKS, BIDS[:1]))


def test_a_v1_snapshot_is_live_unverified_and_its_first_update_proves_it() -> None:
    feed = Feed(V1Codec())
    (first,) = feed.feed(v1_snapshot())
    assert isinstance(first, BookUpdate)
    assert first.book is not None
    assert (first.book.state, first.book.verified, first.book.symbol) == ("live", False, "BTC/USD")
    (second,) = feed.feed(V1_GOOD)
    assert isinstance(second, BookUpdate)
    assert (second.verified, first.book.verified) == (True, True)
    assert counted(feed) == {"frames": 2, "events": 2, "verified": 1, "unverified": 1}


def test_two_depths_of_one_v1_pair_are_two_books() -> None:
    feed = Feed(V1Codec())
    feed.feed(v1_snapshot("book-10"))
    feed.feed(v1_snapshot("book-100"))
    (event,) = feed.feed(v1_update([("99.8", "0.00000000")], crc(ASKS, BIDS[:1]), "book-100"))
    assert isinstance(event, BookUpdate)
    assert event.verified
    feed.feed(V1_GOOD)
    assert feed.counters.verified == 2
    status = {
        "channelID": 336,
        "channelName": "book-100",
        "event": "subscriptionStatus",
        "pair": "XBT/USD",
        "status": "unsubscribed",
        "subscription": {"depth": 100, "name": "book"},
    }
    feed.feed(json.dumps(status))
    assert event.book is not None
    assert (event.book.state, feed.book("BTC/USD").depth) == ("resyncing", 10)  # type: ignore[union-attr]


def test_a_v1_book_of_a_depth_nobody_knows_is_passed_over() -> None:
    feed = Feed(V1Codec())
    (event,) = feed.feed(v1_snapshot("book-7"))
    assert isinstance(event, Unknown)
    assert counted(feed) == {"frames": 1, "events": 1, "unknown": 1}


# -- the end of books --------------------------------------------------------------


def test_the_end_of_a_subscription_drops_its_book() -> None:
    feed = Feed(V2Codec())
    feed.feed(reply("subscribe", "book", "BTC/USD", 100))
    feed.feed(snapshot())
    book = feed.book("BTC/USD")
    assert book is not None
    (event,) = feed.feed(reply("unsubscribe", "book", "BTC/USD", 100))
    assert isinstance(event, Unsubscribed)
    assert (feed.book("BTC/USD"), book.state) == (None, "resyncing")
    assert feed.feed(GOOD) == ()


def test_a_dropped_book_is_not_live_for_whoever_holds_it() -> None:
    feed = Feed(V2Codec())
    feed.feed(snapshot())
    feed.feed(snapshot("ETH/USD"))
    book = feed.book("BTC/USD")
    feed.drop_book("BTC/USD")
    feed.drop_book("XRP/USD")
    assert book is not None
    assert (book.state, feed.book("BTC/USD")) == ("resyncing", None)
    assert feed.book("ETH/USD").state == "live"  # type: ignore[union-attr]


def test_invalidating_keeps_the_books_for_their_next_snapshot() -> None:
    feed = Feed(V2Codec())
    feed.feed(snapshot())
    book = feed.book("BTC/USD")
    feed.invalidate()
    assert book is not None
    assert book.state == "resyncing"
    feed.feed(snapshot())
    assert (feed.book("BTC/USD"), book.state) == (book, "live")


def test_the_number_of_books_is_bounded() -> None:
    feed = Feed(V2Codec())
    for n in range(BOOKS_MAX):
        feed.feed(snapshot(f"T{n}/USD", bids=[], asks=[]))
    (event,) = feed.feed(snapshot("BTC/USD"))
    assert isinstance(event, Unknown)
    assert (feed.book("BTC/USD"), feed.counters.verified) == (None, BOOKS_MAX)


# -- decimals and level3 -------------------------------------------------------------


def test_expected_decimals_pad_a_snapshot_that_lost_its_zeros() -> None:
    feed = Feed(V2Codec())
    feed.expect_book("BTC/USD", 10, price_decimals=1, qty_decimals=8)
    (event,) = feed.feed(snapshot(bids=[("99", "1")], asks=[], checksum=crc([], [("99.0", "1.00000000")])))
    assert isinstance(event, BookUpdate)
    assert event.verified


def test_decimals_are_learned_from_the_instrument_channel() -> None:
    feed = Feed(V2Codec())
    pair = (
        '{"symbol":"BTC/USD","base":"BTC","quote":"USD","status":"online","price_precision":1,"qty_precision":8,'
        '"cost_precision":5,"price_increment":0.1,"qty_increment":0.00000001,"qty_min":0.0001}'
    )
    feed.feed('{"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":[' + pair + "]}}")
    (event,) = feed.feed(snapshot(bids=[("99", "1e-5")], asks=[], checksum=crc([], [("99.0", "0.00001000")])))
    assert isinstance(event, BookUpdate)
    assert event.verified


def level3(kind: str, event: str, order_id: str, checksum: int) -> str:
    named = f'"event":"{event}",' if event else ""
    order = f'{{{named}"order_id":"{order_id}","limit_price":99.9,"order_qty":1.00000000,"timestamp":"{TIME}"}}'
    data = f'{{"symbol":"BTC/USD","checksum":{checksum},"bids":[{order}],"asks":[],"timestamp":"{TIME}"}}'
    return f'{{"channel":"level3","type":"{kind}","data":[{data}]}}'


ONE, TWO = crc([], [("99.9", "1.00000000")]), crc([], [("99.9", "1.00000000")] * 2)


def test_level3_books_are_applied_verified_and_dropped_like_the_others() -> None:
    feed = Feed(V2Codec())
    assert feed.feed(level3("update", "add", "B", TWO)) == ()
    feed.feed(level3("snapshot", "", "A", ONE))
    (event,) = feed.feed(level3("update", "add", "B", TWO))
    assert isinstance(event, Level3Update)
    book = feed.level3("BTC/USD")
    assert book is not None
    assert (event.verified, event.book, book.depth) == (True, book, 10)
    _, failed = feed.feed(level3("update", "delete", "A", TWO))
    assert failed == ChecksumFailed(symbol="BTC/USD", expected=TWO, found=ONE, channel_name="level3")
    assert feed.feed(level3("update", "add", "C", TWO)) == ()
    feed.feed(level3("snapshot", "", "A", ONE))
    assert book.state == "live"
    feed.feed(reply("unsubscribe", "level3", "BTC/USD", None))
    assert (book.state, feed.level3("BTC/USD")) == ("resyncing", None)


def test_the_level3_depth_is_what_was_expected_and_survives_a_resubscription() -> None:
    feed = Feed(V2Codec())
    feed.expect_level3("BTC/USD", 100)
    feed.feed(level3("snapshot", "", "A", ONE))
    feed.drop_level3("BTC/USD")
    (confirmed,) = feed.feed(reply("subscribe", "level3", "BTC/USD", None))
    assert isinstance(confirmed, Subscribed)
    feed.feed(level3("snapshot", "", "A", ONE))
    assert feed.level3("BTC/USD").depth == 100  # type: ignore[union-attr]
    feed.feed(reply("subscribe", "level3", "BTC/USD", 1000))
    feed.feed(level3("snapshot", "", "A", ONE))
    assert feed.level3("BTC/USD").depth == 1000  # type: ignore[union-attr]
