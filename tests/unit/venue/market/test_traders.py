from __future__ import annotations

from random import Random

import pytest

from krakenwire.venue.config.venue_config import VenueConfig
from krakenwire.venue.market.instruments import INSTRUMENTS
from krakenwire.venue.market.market import Market
from krakenwire.venue.market.traders import DEEP, THIN, BookShape, Traders

T0 = 1_790_000_000_000_000_000


def crowd_of(symbol: str, shape: BookShape = DEEP, seed: int = 5) -> Traders:
    market = Market(INSTRUMENTS[symbol])
    traders = Traders(market, market, Random(seed), 50, shape)
    traders.open(T0)
    return traders


def act(traders: Traders) -> None:
    traders.act(T0 + traders.next_offset_ns)


@pytest.mark.parametrize("symbol", INSTRUMENTS)
def test_the_first_book_is_full_tight_and_older_than_the_market(symbol: str) -> None:
    market = crowd_of(symbol).market
    assert min(len(market.levels("buy", 9_999)), len(market.levels("sell", 9_999))) >= 1_100
    quote = market.quote
    assert 0 < quote.bid < quote.ask < quote.bid + 10 * market.instrument.level_gap
    assert abs(quote.bid + quote.ask - 2 * market.instrument.start_price) <= 4 * market.instrument.level_gap
    assert market.time_ns < T0
    assert market.engine.bids.at(1_000).price > 0


@pytest.mark.parametrize("symbol", ["BTC/USD", "ETH/BTC", "USDT/USD"])
def test_a_book_stays_full_uncrossed_and_near_the_fair_price(symbol: str, nightly: bool) -> None:
    traders = crowd_of(symbol)
    market, start = traders.market, traders.market.instrument.start_price
    reach = start * market.instrument.wander_permille // 1_000
    actions = 400_000 if nightly else 12_000
    far_moments = 0
    for _ in range(actions):
        act(traders)
        bids, asks, quote = market.engine.bids, market.engine.asks, market.quote
        assert len(bids) >= 1_000
        assert len(asks) >= 1_000
        assert max(len(bids), len(asks)) <= DEEP.ceiling + 2
        assert quote.bid < quote.ask
        assert bids.at(len(bids) - 1).price > 0
        assert abs(traders.fair_price - start) <= reach + 1
        off = abs(quote.bid + quote.ask - 2 * traders.fair_price) // (2 * market.instrument.level_gap)
        assert off < 100
        far_moments += off > 20
    assert far_moments < actions // 500  # a burst of takers may sweep one side for a moment
    assert market.trade_revision > 300
    assert 2_000 < len(market.engine.orders) < 4_500


def test_a_thin_book_has_fewer_levels_than_a_checksum_covers_and_is_never_empty() -> None:
    traders = crowd_of("DOT/USD", THIN)
    for _ in range(5_000):
        act(traders)
        market = traders.market
        assert 1 <= len(market.engine.bids) <= THIN.ceiling + 1
        assert 1 <= len(market.engine.asks) <= THIN.ceiling + 1
    assert market.trade_revision > 50


def test_makers_come_back_when_somebody_else_takes_a_whole_side() -> None:
    traders = crowd_of("LTC/USD")
    market = traders.market
    market.place("buy", 10**18, None, T0)
    assert market.quote.ask == 0
    for _ in range(2_500):
        act(traders)
    assert len(market.engine.asks) >= 1_000
    assert market.quote.ask > market.quote.bid > 0


def test_the_crowd_leaves_the_orders_of_others_alone() -> None:
    traders = crowd_of("BTC/USD", seed=8)
    market = traders.market
    wall, deep = market.take_order_id(), market.take_order_id()
    price = market.quote.bid
    market.place("buy", 10**12, price, T0, order_id=wall)
    market.place("buy", 10**8, price - 5_000, T0, order_id=deep)
    for _ in range(6_000):
        act(traders)
    orders = market.engine.orders
    assert 0 < orders[wall].qty <= 10**12, "it may trade, slowly"
    assert (orders[wall].price, orders[deep].price) == (price, price - 5_000)
    assert orders[deep].qty == 10**8


def test_there_are_buyers_and_sellers_market_and_limit_orders_calm_and_bursts() -> None:
    traders = crowd_of("BTC/USD")
    pauses: list[int] = []
    for _ in range(4_000):
        before = traders.next_offset_ns
        act(traders)
        pauses.append(traders.next_offset_ns - before)
    trades = traders.market.trades()
    share = sum(trade.side == "buy" for trade in trades) / len(trades)
    assert 0.2 < share < 0.8
    assert {trade.ord_type for trade in trades} == {"market", "limit"}
    assert len({trade.qty for trade in trades}) > len(trades) / 2
    windows = [sum(pauses[i : i + 50]) for i in range(0, 4_000, 50)]
    assert max(windows) > 4 * min(windows)


def test_generators_depend_on_seed_symbol_and_purpose_alone() -> None:
    config = VenueConfig(seed=3)
    first = config.random("BTC/USD", "traders").random()
    assert first == VenueConfig(seed=3, symbols=["ETH/USD"]).random("BTC/USD", "traders").random()
    others = [
        config.random("ETH/USD", "traders"),
        config.random("BTC/USD", "history"),
        VenueConfig().random("BTC/USD", "traders"),
    ]
    assert first not in [random.random() for random in others]
