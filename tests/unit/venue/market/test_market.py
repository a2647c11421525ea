from __future__ import annotations

from zlib import crc32

from krakenwire.limits import SPREADS_KEPT, TRADES_KEPT
from krakenwire.venue.market.instruments import INSTRUMENTS
from krakenwire.venue.market.market import Market, Quote, VenueTrade
from krakenwire.venue.matching.orders import Refused, Removed, Rested

T0 = 1_790_000_000_000_000_000


def market_with_book() -> Market:
    market = Market(INSTRUMENTS["BTC/USD"], first_trade_id=500, time_ns=T0)
    market.place("buy", 30, 1_000, T0 + 1_000)
    market.place("sell", 20, 1_010, T0 + 2_000)
    market.place("sell", 40, 1_020, T0 + 3_000)
    return market


def test_a_trade_is_numbered_recorded_and_counted() -> None:
    market = market_with_book()
    market.place("buy", 25, 1_020, T0 + 4_000)
    assert market.trades() == [
        VenueTrade(500, "buy", 1_010, 20, "limit", T0 + 4_000),
        VenueTrade(501, "buy", 1_020, 5, "limit", T0 + 4_000),
    ]
    assert (market.last_trade_id, market.trade_revision) == (501, 2)
    assert (market.last_price, market.last_qty) == (1_020, 5)
    assert market.last_24_hours(T0 + 5_000)[:5] == (1_010, 1_020, 1_010, 1_020, 25)
    last = market.candles.last(1)
    assert last is not None
    assert (last.volume, last.trades) == (25, 2)


def test_the_takers_kind_of_order_is_told() -> None:
    market = market_with_book()
    market.place("sell", 5, None, T0 + 4_000)
    assert market.trades(1) == [VenueTrade(500, "sell", 1_000, 5, "market", T0 + 4_000)]


def test_trades_can_be_asked_for_from_a_number_on() -> None:
    market = market_with_book()
    for _ in range(4):
        market.place("buy", 5, None, market.time_ns)
    assert [trade.trade_id for trade in market.trades_after(501)] == [502, 503]
    assert market.trades_after(503) == []
    assert len(market.trades_after(0)) == 4


def test_engine_time_rises_by_a_microsecond_at_least() -> None:
    market = market_with_book()
    times = []
    for _ in range(3):
        market.place("buy", 1, 900, T0)
        times.append(market.time_ns)
    assert times == [T0 + 4_000, T0 + 5_000, T0 + 6_000]
    assert market.levels("buy", 9)[-1].time_ns == T0 + 6_000


def test_the_quote_changes_with_price_or_quantity_of_the_best_levels_only() -> None:
    market = market_with_book()
    quote = Quote(1_000, 30, 1_010, 20, T0 + 2_000)
    assert market.quote == quote
    before = market.bbo_revision
    market.place("buy", 1, 900, T0 + 4_000)
    assert (market.quote, market.bbo_revision) == (quote, before)
    market.place("buy", 1, 1_000, T0 + 5_000)
    assert market.quote == Quote(1_000, 31, 1_010, 20, T0 + 5_000)
    assert market.bbo_revision == before + 1
    assert market.quotes()[-1] == market.quote


def test_an_empty_side_quotes_zero() -> None:
    market = market_with_book()
    market.place("sell", 30, None, T0 + 4_000)
    assert market.quote == Quote(0, 0, 1_010, 20, T0 + 4_000)


def test_what_changes_nothing_counts_nothing() -> None:
    market = market_with_book()
    before = (market.book_revision, market.bbo_revision, market.changes_end)
    assert isinstance(market.cancel(99, T0 + 9_000)[0], Refused)
    market.place("buy", 5, 900, T0 + 9_000, "ioc")
    assert (market.book_revision, market.bbo_revision, market.changes_end) == before


def test_followers_read_the_changes_from_where_they_were() -> None:
    market = market_with_book()
    position = market.changes_end
    market.place("buy", 25, 1_010, T0 + 4_000)
    changes = market.changes_since(position)
    assert changes == [
        Removed("sell", 1_010, 2, 20, T0 + 4_000, "trade"),
        Rested("buy", 1_010, 4, 5, T0 + 4_000),
    ]
    assert market.changes_since(market.changes_end) == []


def test_a_follower_too_far_behind_is_told_so() -> None:
    market = market_with_book()
    for number in range(9_000):
        market.place("buy", 1, 1 + number % 900, market.time_ns)
    assert market.changes_since(0) is None
    kept = market.changes_since(market.changes_end - 4_096)
    assert kept is not None
    assert len(kept) == 4_096


def test_checksums_are_made_of_ticks_and_lots_padded_to_the_versions_decimals() -> None:
    market = market_with_book()
    market.place("buy", 7, 1_000, T0 + 4_000)
    assert market.checksum(1) == crc32(b"101020" + b"102040" + b"100037")
    assert market.checksum(5) == crc32(b"1010000020" + b"1020000040" + b"1000000037")
    assert market.level3_checksum(1) == crc32(b"101020" + b"102040" + b"100030" + b"10007")
    market.cancel(3, T0 + 5_000)
    assert market.checksum(1) == crc32(b"101020" + b"100037"), "a new book has a new checksum"


def test_an_order_number_can_be_taken_before_the_order_is_placed() -> None:
    market = market_with_book()
    number = market.take_order_id()
    market.place("buy", 1, 900, T0 + 4_000, order_id=number)
    assert number in market.engine.orders
    assert market.order_ids.number(market.order_ids.text(number)) == number


def test_no_more_is_kept_than_stated() -> None:
    market = market_with_book()
    market.place("sell", 10**9, 1_005, market.time_ns)
    for _ in range(TRADES_KEPT + 10):
        market.place("buy", 1, None, market.time_ns)
    assert len(market.trades()) == TRADES_KEPT
    assert market.trades()[-1].trade_id == market.last_trade_id
    assert len(market.quotes()) == SPREADS_KEPT
