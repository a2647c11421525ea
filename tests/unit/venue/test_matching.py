from __future__ import annotations

from krakenwire.venue.matching import BookSide, MatchingEngine, RestingOrder
from krakenwire.venue.orders import Accepted, Changed, Finished, Refused, Removed, Rested, Traded


def engine_with(*orders: tuple[int, str, int, int]) -> MatchingEngine:
    engine = MatchingEngine()
    for number, side, price, qty in orders:
        engine.place(number, side, qty, price, number)  # type: ignore[arg-type]  # plain text in the tables below
    return engine


def test_an_order_that_does_not_cross_rests() -> None:
    events = MatchingEngine().place(1, "buy", 5, 100, 7)
    assert events == [Accepted(1, "buy", 100, 5, 7), Rested("buy", 100, 1, 5, 7)]


def test_trades_happen_at_the_resting_price_oldest_order_first() -> None:
    engine = engine_with((1, "sell", 101, 2), (2, "sell", 100, 3), (3, "sell", 100, 4))
    assert engine.place(4, "buy", 6, 105, 9) == [
        Accepted(4, "buy", 105, 6, 9),
        Traded(2, 4, "buy", 100, 3, 0, 3, 9),
        Removed("sell", 100, 2, 3, 9, "trade"),
        Traded(3, 4, "buy", 100, 3, 1, 0, 9),
        Changed("sell", 100, 3, 1, 9, "trade"),
        Finished(4, "buy", 0, 9, "filled"),
    ]


def test_what_is_left_of_a_limit_order_rests_at_its_limit() -> None:
    engine = engine_with((1, "sell", 100, 2))
    assert engine.place(2, "buy", 5, 100, 9)[-1] == Rested("buy", 100, 2, 3, 9)
    assert engine.asks.best() is None


def test_a_market_order_never_rests() -> None:
    engine = engine_with((1, "buy", 100, 2))
    assert engine.place(2, "sell", 5, None, 9)[-1] == Finished(2, "sell", 3, 9, "no liquidity")
    assert not engine.orders


def test_immediate_or_cancel_trades_what_it_can_and_ends() -> None:
    engine = engine_with((1, "sell", 100, 2), (2, "sell", 102, 9))
    assert engine.place(3, "buy", 5, 101, 9, "ioc")[-1] == Finished(3, "buy", 3, 9, "ioc")


def test_fill_or_kill_trades_all_or_changes_nothing() -> None:
    engine = engine_with((1, "sell", 100, 2), (2, "sell", 102, 9))
    assert engine.place(3, "buy", 3, 101, 9, "fok") == [Refused(3, "cannot fill", 9)]
    assert engine.place(4, "buy", 3, 102, 9, "fok")[-1] == Finished(4, "buy", 0, 9, "filled")


def test_post_only_is_refused_where_it_would_trade() -> None:
    engine = engine_with((1, "sell", 100, 2))
    assert engine.place(2, "buy", 1, 100, 9, post_only=True) == [Refused(2, "post only", 9)]
    assert engine.place(3, "buy", 1, 99, 9, post_only=True)[-1] == Rested("buy", 99, 3, 1, 9)
    assert engine.amend(3, 10, price=100) == [Refused(3, "post only", 10)]


def test_a_reduction_keeps_the_place_in_the_queue() -> None:
    engine = engine_with((1, "buy", 100, 5), (2, "buy", 100, 5))
    assert engine.amend(1, 9, qty=2) == [Changed("buy", 100, 1, 2, 9, "amend")]
    level = engine.bids.best()
    assert level is not None
    assert ([order.order_id for order in level], level.qty, level.time_ns) == ([1, 2], 7, 9)
    assert engine.orders[1].time_ns == 1, "the time of its place is kept"


def test_an_increase_loses_the_place_in_the_queue() -> None:
    engine = engine_with((1, "buy", 100, 5), (2, "buy", 100, 5))
    assert engine.amend(1, 9, qty=6) == [Removed("buy", 100, 1, 5, 9, "amend"), Rested("buy", 100, 1, 6, 9)]
    level = engine.bids.best()
    assert level is not None
    assert [order.order_id for order in level] == [2, 1]


def test_a_new_price_may_trade() -> None:
    engine = engine_with((1, "buy", 100, 5), (2, "sell", 105, 2))
    assert engine.amend(1, 9, price=105) == [
        Removed("buy", 100, 1, 5, 9, "amend"),
        Traded(2, 1, "buy", 105, 2, 0, 3, 9),
        Removed("sell", 105, 2, 2, 9, "trade"),
        Rested("buy", 105, 1, 3, 9),
    ]


def test_a_cancelled_order_is_gone_and_a_second_cancel_is_refused() -> None:
    engine = engine_with((1, "buy", 100, 5))
    assert engine.cancel(1, 9) == [Removed("buy", 100, 1, 5, 9, "cancel")]
    assert engine.cancel(1, 10) == [Refused(1, "unknown order", 10)]


def test_a_side_knows_the_rank_of_a_price() -> None:
    bids, asks = BookSide("buy"), BookSide("sell")
    for number, price in enumerate((100, 98, 95), start=1):
        bids.join(RestingOrder(number, "buy", price, 1, 0, False))
        asks.join(RestingOrder(number, "sell", 200 - price, 1, 0, False))
    assert [bids.rank(price) for price in (101, 100, 99, 98, 95, 1)] == [0, 0, 1, 1, 2, 3]
    assert [asks.rank(price) for price in (99, 100, 101, 102, 105, 200)] == [0, 0, 1, 1, 2, 3]
    assert [level.price for level in bids.top(2)] == [100, 98]
    assert [level.price for level in asks.top(9)] == [100, 102, 105]


def test_fillable_counts_what_a_limit_reaches_and_no_further_than_asked() -> None:
    engine = engine_with((1, "sell", 100, 2), (2, "sell", 101, 3), (3, "sell", 105, 9))
    assert [engine.fillable("buy", price, 99) for price in (99, 100, 101, 104, None)] == [0, 2, 5, 5, 14]
    assert engine.fillable("buy", None, 4) == 4
