from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from krakenwire.limits import CANDLES_KEPT, OHLC_INTERVALS
from krakenwire.venue.config.venue_config import VenueConfig
from krakenwire.venue.market.candles import MINUTE_NS, VenueCandle
from krakenwire.venue.market.history import load_history
from krakenwire.venue.market.instruments import INSTRUMENTS
from krakenwire.venue.market.market import Market
from krakenwire.venue.market.statistics import DAY_NS
from krakenwire.venue.venue import Venue

NOW = 1_790_000_000_123_456_000


def market_with_past(symbol: str, now_ns: int = NOW, rate: float = 12) -> Market:
    market = Market(INSTRUMENTS[symbol])
    load_history(market, Random(9), now_ns, rate)
    return market


@pytest.fixture(scope="module")
def market() -> Market:
    return market_with_past("BTC/USD")


@pytest.mark.parametrize("symbol", ["BTC/USD", "ETH/BTC", "USDT/USD", "DOGE/USD"])
@pytest.mark.parametrize("rate", [5, 200])
def test_candles_of_every_interval_reach_back_and_are_sound(symbol: str, rate: float) -> None:
    market = market_with_past(symbol, rate=rate)
    for interval in OHLC_INTERVALS:
        candles = market.candles.latest(interval)
        assert len(candles) == CANDLES_KEPT if interval <= 1_440 else len(candles) > 60
        length = interval * MINUTE_NS
        assert [c.begin_ns for c in candles] == [candles[0].begin_ns + i * length for i in range(len(candles))]
        assert candles[0].begin_ns % length == 0
        assert candles[-1].begin_ns <= NOW < candles[-1].end_ns + 5 * MINUTE_NS
        for candle in candles:
            assert 0 < candle.low <= min(candle.open, candle.close)
            assert candle.high >= max(candle.open, candle.close)
            assert candle.low <= candle.vwap() <= candle.high
            assert candle.volume > 0
            assert candle.trades > 0
            assert candle.begin_ns <= candle.updated_ns < candle.end_ns


def test_a_long_candle_is_what_its_short_ones_add_up_to(market: Market) -> None:
    for short, long in ((1, 5), (5, 15), (15, 60), (60, 240), (240, 1_440), (1_440, 10_080)):
        parts: dict[int, list[VenueCandle]] = {}
        for candle in market.candles.latest(short):
            begin_ns = candle.begin_ns // (long * MINUTE_NS) * (long * MINUTE_NS)
            parts.setdefault(begin_ns, []).append(candle)
        whole = {candle.begin_ns: candle for candle in market.candles.latest(long)}
        complete = [begin_ns for begin_ns, some in parts.items() if len(some) == long // short]
        assert len(complete) > 20
        for begin_ns in complete:
            some, candle = parts[begin_ns], whole[begin_ns]
            assert (candle.open, candle.close) == (some[0].open, some[-1].close)
            assert candle.high == max(part.high for part in some)
            assert candle.low == min(part.low for part in some)
            assert candle.volume == sum(part.volume for part in some)
            assert candle.trades == sum(part.trades for part in some)


def test_each_candle_opens_where_the_one_before_closed(market: Market) -> None:
    candles = [candle for candle in market.candles.latest(60) if candle.end_ns < NOW - DAY_NS]
    assert all(later.open == earlier.close for earlier, later in pairwise(candles))


def test_a_thousand_trades_lead_up_to_now_with_rising_numbers(market: Market) -> None:
    trades = market.trades()
    assert len(trades) >= 1_000
    assert [trade.trade_id for trade in trades] == list(range(trades[0].trade_id, market.last_trade_id + 1))
    assert all(earlier.time_ns < later.time_ns for earlier, later in pairwise(trades))
    assert trades[0].time_ns > NOW - 120 * MINUTE_NS
    assert trades[-1].time_ns < NOW
    assert {trade.side for trade in trades} == {"buy", "sell"}


def test_the_minutes_of_the_trades_agree_with_the_trades(market: Market) -> None:
    trades = market.trades()
    for candle in market.candles.latest(1)[-5:]:
        some = [trade for trade in trades if candle.begin_ns <= trade.time_ns < candle.end_ns]
        assert (candle.trades, candle.volume) == (len(some), sum(trade.qty for trade in some))
        assert (candle.open, candle.close) == (some[0].price, some[-1].price)


def test_the_24_hour_figures_agree_with_the_candles(market: Market) -> None:
    figures = market.last_24_hours(NOW)
    hours = market.candles.latest(60)[-25:]
    assert min(c.volume for c in hours) * 20 < figures.volume <= sum(c.volume for c in hours)
    assert figures.high <= max(c.high for c in hours)
    assert figures.low >= min(c.low for c in hours)
    assert figures.last == market.last_price
    assert figures.low <= figures.vwap() <= figures.high
    assert figures.trades > 10_000
    today = market.today(NOW)
    assert today.volume <= figures.volume
    assert today.open == market.candles.latest(1_440)[-1].open


@pytest.mark.parametrize("now_ns", [NOW // DAY_NS * DAY_NS, NOW // DAY_NS * DAY_NS + 1, NOW // MINUTE_NS * MINUTE_NS])
def test_a_past_can_end_at_any_moment(now_ns: int) -> None:
    market = market_with_past("ETH/USD", now_ns)
    assert market.trades()[-1].time_ns < now_ns
    for interval in OHLC_INTERVALS:
        candles = market.candles.latest(interval)
        assert all(a.end_ns == b.begin_ns for a, b in pairwise(candles))
    assert market.today(now_ns).volume <= market.last_24_hours(now_ns).volume


def test_the_market_goes_on_where_its_past_ends() -> None:
    venue = Venue(VenueConfig(symbols=["BTC/USD"], start_ns=NOW))
    (market,) = venue.markets
    last_id, before = market.last_trade_id, market.last_24_hours(NOW)
    assert abs(market.last_price - market.instrument.start_price) < 5 * market.instrument.level_gap
    assert market.quote.bid - 20 < market.last_price < market.quote.ask + 20
    for _ in venue.step(NOW + 5_000_000_000):
        pass
    after = market.last_24_hours(NOW)
    new = market.trades_after(last_id)
    assert new
    assert new[0].trade_id == last_id + 1
    assert new[0].time_ns > NOW
    assert after.volume == before.volume + sum(trade.qty for trade in new)
    assert after.trades == before.trades + len(new)
    running = market.candles.last(1_440)
    assert running is not None
    assert running.close == new[-1].price
    assert running.volume > sum(trade.qty for trade in new)
