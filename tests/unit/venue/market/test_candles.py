from __future__ import annotations

import pytest

from krakenwire.limits import CANDLES_KEPT, OHLC_INTERVALS
from krakenwire.venue.market.candles import MINUTE_NS, CandleBook, VenueCandle, average_price

START = 20 * 151_200 * 7 * MINUTE_NS
"""Where an interval of every length begins."""


def facts(candle: VenueCandle) -> tuple[int, ...]:
    return (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.trades)


def test_trades_of_an_interval_make_one_candle() -> None:
    book = CandleBook()
    for offset, (price, qty) in enumerate([(100, 5), (103, 1), (98, 2), (101, 4)]):
        book.add(price, qty, START + offset)
    for interval in OHLC_INTERVALS:
        (candle,) = book.latest(interval)
        assert facts(candle) == (100, 103, 98, 101, 12, 4)
        assert (candle.begin_ns, candle.end_ns) == (START, START + interval * MINUTE_NS)
        assert candle.updated_ns == START + 3
        assert candle.turnover == 100 * 5 + 103 + 98 * 2 + 101 * 4


def test_each_interval_begins_a_candle_at_its_own_time() -> None:
    book = CandleBook()
    for minute in range(16):
        book.add(100 + minute, 1, START + minute * MINUTE_NS)
    counts = {interval: len(book.latest(interval)) for interval in (1, 5, 15, 30)}
    assert counts == {1: 16, 5: 4, 15: 2, 30: 1}
    assert [candle.open for candle in book.latest(5)] == [100, 105, 110, 115]
    assert [candle.close for candle in book.latest(5)] == [104, 109, 114, 115]


def test_quiet_intervals_have_no_candle_except_where_they_are_asked_to_be_filled() -> None:
    book = CandleBook()
    book.add(100, 5, START)
    book.add(110, 5, START + 3 * MINUTE_NS)
    now_ns = START + 5 * MINUTE_NS + 1
    assert [candle.begin_ns for candle in book.latest(1)] == [START, START + 3 * MINUTE_NS]
    filled = book.filled(1, now_ns)
    assert [candle.begin_ns for candle in filled] == [START + minute * MINUTE_NS for minute in range(6)]
    assert [candle.close for candle in filled] == [100, 100, 100, 110, 110, 110]
    assert [candle.volume for candle in filled] == [5, 0, 0, 5, 0, 0]
    assert facts(filled[1]) == (100, 100, 100, 100, 0, 0)


@pytest.mark.parametrize("trades_every", [1, 2, 7])
def test_no_more_candles_are_kept_or_shown_than_stated(trades_every: int) -> None:
    book = CandleBook()
    for minute in range(0, 2_000, trades_every):
        book.add(100, 1, START + minute * MINUTE_NS)
    now_ns = START + 2_000 * MINUTE_NS
    filled = book.filled(1, now_ns)
    assert len(book.latest(1)) == min(CANDLES_KEPT, 2_000 // trades_every + (2_000 % trades_every > 0))
    assert [c.begin_ns for c in filled] == [START + m * MINUTE_NS for m in range(2_001 - CANDLES_KEPT, 2_001)]
    assert [c.begin_ns for c in book.latest(1, 3)] == [c.begin_ns for c in book.latest(1)][-3:]


def test_a_past_is_continued_by_the_next_trade() -> None:
    book = CandleBook()
    past = VenueCandle(1, START, 90)
    past.add(90, 3, START + 1)
    book.load(1, [past])
    book.add(95, 2, START + 2)
    assert facts(book.latest(1)[-1]) == (90, 95, 90, 95, 5, 2)
    assert book.last(5) is not None
    assert book.last(5) is book.latest(5)[-1]


def test_nothing_traded_gives_no_candle() -> None:
    book = CandleBook()
    assert book.last(1) is None
    assert book.filled(1, START) == []


def test_an_average_price_is_rounded_half_up_and_can_have_more_decimals() -> None:
    assert average_price(100 * 1 + 101 * 1, 2) == 101
    assert average_price(100 * 2 + 101 * 1, 3) == 100
    assert average_price(100 * 2 + 101 * 1, 3, 4) == 1_003_333
    assert average_price(0, 0) == 0
