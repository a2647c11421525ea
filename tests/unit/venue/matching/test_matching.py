"""What the matching engine does, rule by rule; both engines are held to it."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

import pytest
from tests.engines import engines

from krakenwire.venue.matching.matching import BookSide, RestingOrder
from krakenwire.venue.matching.orders import (
    PRICE_MAX,
    QTY_MAX,
    REFUSALS,
    SLICES_MAX,
    TRADES_UNTAKEN_MAX,
    Accepted,
    Amended,
    BatchResult,
    Changed,
    Finished,
    OrderFlag,
    Refused,
    Removed,
    Rested,
    Traded,
)

Make = Callable[..., Any]


@pytest.fixture(params=engines())
def make(request: pytest.FixtureRequest) -> Make:
    """Makes an engine with resting orders: number, side, price, quantity, and what else `place` takes."""

    def made(*orders: tuple[Any, ...], **options: Any) -> Any:
        engine = request.param(**options)
        for number, side, price, qty, *rest in orders:
            engine.place(number, side, qty, price, number, **(rest[0] if rest else {}))
        return engine

    return made


def queue(engine: Any, side: str) -> list[tuple[int, int, int]]:
    """Number, shown and hidden quantity of every order of a side's best level."""
    return [(order.order_id, order.qty, order.hidden) for order in engine.side(side).best()]


def test_an_order_that_does_not_cross_rests(make: Make) -> None:
    events = make().place(1, "buy", 5, 100, 7)
    assert events == [Accepted(1, "buy", 100, 5, 7), Rested("buy", 100, 1, 5, 7)]


def test_trades_happen_at_the_resting_price_oldest_order_first(make: Make) -> None:
    engine = make((1, "sell", 101, 2), (2, "sell", 100, 3), (3, "sell", 100, 4))
    assert engine.place(4, "buy", 6, 105, 9) == [
        Accepted(4, "buy", 105, 6, 9),
        Traded(2, 4, "buy", 100, 3, 0, 3, 9),
        Removed("sell", 100, 2, 3, 9, "trade"),
        Traded(3, 4, "buy", 100, 3, 1, 0, 9),
        Changed("sell", 100, 3, 1, 9, "trade"),
        Finished(4, "buy", 0, 9, "filled"),
    ]


def test_what_is_left_of_a_limit_order_rests_at_its_limit(make: Make) -> None:
    engine = make((1, "sell", 100, 2))
    assert engine.place(2, "buy", 5, 100, 9)[-1] == Rested("buy", 100, 2, 3, 9)
    assert engine.asks.best() is None


def test_a_market_order_never_rests(make: Make) -> None:
    engine = make((1, "buy", 100, 2))
    assert engine.place(2, "sell", 5, None, 9)[-1] == Finished(2, "sell", 3, 9, "no liquidity")
    assert not engine.orders


def test_immediate_or_cancel_trades_what_it_can_and_ends(make: Make) -> None:
    engine = make((1, "sell", 100, 2), (2, "sell", 102, 9))
    assert engine.place(3, "buy", 5, 101, 9, "ioc")[-1] == Finished(3, "buy", 3, 9, "ioc")


def test_fill_or_kill_trades_all_or_changes_nothing(make: Make) -> None:
    engine = make((1, "sell", 100, 2), (2, "sell", 102, 9))
    assert engine.place(3, "buy", 3, 101, 9, "fok") == [Refused(3, "cannot fill", 9)]
    assert engine.place(4, "buy", 3, 102, 9, "fok")[-1] == Finished(4, "buy", 0, 9, "filled")


def test_post_only_is_refused_where_it_would_trade(make: Make) -> None:
    engine = make((1, "sell", 100, 2))
    assert engine.place(2, "buy", 1, 100, 9, post_only=True) == [Refused(2, "post only", 9)]
    assert engine.place(3, "buy", 1, 99, 9, post_only=True)[-1] == Rested("buy", 99, 3, 1, 9)
    assert engine.amend(3, 10, price=100) == [Refused(3, "post only", 10)]


def test_a_reduction_keeps_the_place_in_the_queue(make: Make) -> None:
    engine = make((1, "buy", 100, 5), (2, "buy", 100, 5))
    assert engine.amend(1, 9, qty=2) == [Changed("buy", 100, 1, 2, 9, "amend")]
    level = engine.bids.best()
    assert level is not None
    assert ([order.order_id for order in level], level.qty, level.time_ns) == ([1, 2], 7, 9)
    assert engine.orders[1].time_ns == 1, "the time of its place is kept"


def test_an_increase_loses_the_place_in_the_queue(make: Make) -> None:
    engine = make((1, "buy", 100, 5), (2, "buy", 100, 5))
    assert engine.amend(1, 9, qty=6) == [Removed("buy", 100, 1, 5, 9, "amend"), Rested("buy", 100, 1, 6, 9)]
    level = engine.bids.best()
    assert level is not None
    assert [order.order_id for order in level] == [2, 1]


def test_a_new_price_may_trade(make: Make) -> None:
    engine = make((1, "buy", 100, 5), (2, "sell", 105, 2))
    assert engine.amend(1, 9, price=105) == [
        Removed("buy", 100, 1, 5, 9, "amend"),
        Traded(2, 1, "buy", 105, 2, 0, 3, 9),
        Removed("sell", 105, 2, 2, 9, "trade"),
        Rested("buy", 105, 1, 3, 9),
    ]


def test_a_cancelled_order_is_gone_and_a_second_cancel_is_refused(make: Make) -> None:
    engine = make((1, "buy", 100, 5))
    assert engine.cancel(1, 9) == [Removed("buy", 100, 1, 5, 9, "cancel")]
    assert engine.cancel(1, 10) == [Refused(1, "unknown order", 10)]


def test_a_readable_side_knows_the_rank_of_a_price() -> None:
    bids, asks = BookSide("buy"), BookSide("sell")
    for number, price in enumerate((100, 98, 95), start=1):
        bids.join(RestingOrder(number, "buy", price, 1, 0, False))
        asks.join(RestingOrder(number, "sell", 200 - price, 1, 0, False))
    assert [bids.rank(price) for price in (101, 100, 99, 98, 95, 1)] == [0, 0, 1, 1, 2, 3]
    assert [asks.rank(price) for price in (99, 100, 101, 102, 105, 200)] == [0, 0, 1, 1, 2, 3]
    assert [level.price for level in bids.top(2)] == [100, 98]
    assert [level.price for level in asks.top(9)] == [100, 102, 105]


def test_fillable_counts_what_a_limit_reaches_and_no_further_than_asked(make: Make) -> None:
    engine = make((1, "sell", 100, 2), (2, "sell", 101, 3), (3, "sell", 105, 9))
    assert [engine.fillable("buy", price, 99) for price in (99, 100, 101, 104, None)] == [0, 2, 5, 5, 14]
    assert engine.fillable("buy", None, 4) == 4


# -- icebergs ----------------------------------------------------------------

ICEBERG = {"display_qty": 3}


def test_an_iceberg_shows_no_more_than_it_was_told(make: Make) -> None:
    engine = make((1, "buy", 100, 2))
    assert engine.place(2, "buy", 8, 100, 9, display_qty=3)[-1] == Rested("buy", 100, 2, 3, 9)
    level = engine.bids.best()
    assert (level.qty, level.hidden, level.count) == (5, 5, 2)
    assert engine.orders[2].remaining == 8


def test_an_iceberg_comes_again_at_the_end_of_its_queue(make: Make) -> None:
    engine = make((1, "sell", 100, 8, ICEBERG), (2, "sell", 100, 4))
    assert engine.place(3, "buy", 3, 100, 9) == [
        Accepted(3, "buy", 100, 3, 9),
        Traded(1, 3, "buy", 100, 3, 5, 0, 9),
        Removed("sell", 100, 1, 3, 9, "refill"),
        Rested("sell", 100, 1, 3, 9),
        Finished(3, "buy", 0, 9, "filled"),
    ]
    assert queue(engine, "sell") == [(2, 4, 0), (1, 3, 2)]
    assert engine.orders[1].time_ns == 9


def test_a_taker_reaches_the_hidden_quantity_in_turn(make: Make) -> None:
    engine = make((1, "sell", 100, 7, ICEBERG), (2, "sell", 100, 2), (3, "sell", 101, 9))
    events = engine.place(4, "buy", 10, 101, 9)
    assert [(e.maker_id, e.qty, e.maker_left) for e in events if isinstance(e, Traded)] == [
        (1, 3, 4),
        (2, 2, 0),
        (1, 3, 1),
        (1, 1, 0),
        (3, 1, 8),
    ]
    assert engine.asks.best().price == 101


def test_fill_or_kill_counts_what_icebergs_hide(make: Make) -> None:
    engine = make((1, "sell", 100, 8, ICEBERG))
    assert engine.fillable("buy", 100, 99) == 8
    assert engine.place(2, "buy", 9, 100, 9, "fok") == [Refused(2, "cannot fill", 9)]
    assert engine.place(3, "buy", 8, 100, 9, "fok")[-1] == Finished(3, "buy", 0, 9, "filled")


def test_less_of_an_iceberg_is_taken_from_what_it_hides_first(make: Make) -> None:
    engine = make((1, "sell", 100, 8, ICEBERG), (2, "sell", 100, 1))
    assert engine.amend(1, 9, qty=5) == [Amended(1, 5, 9)]
    assert queue(engine, "sell") == [(1, 3, 2), (2, 1, 0)]
    assert engine.amend(1, 10, qty=2) == [Changed("sell", 100, 1, 2, 10, "amend")]
    assert queue(engine, "sell") == [(1, 2, 0), (2, 1, 0)]
    assert engine.asks.best().hidden == 0


def test_more_of_an_iceberg_loses_its_place(make: Make) -> None:
    engine = make((1, "sell", 100, 8, ICEBERG), (2, "sell", 100, 1))
    assert engine.amend(1, 9, qty=9) == [Removed("sell", 100, 1, 3, 9, "amend"), Rested("sell", 100, 1, 3, 9)]
    assert queue(engine, "sell") == [(2, 1, 0), (1, 3, 6)]


def test_a_new_display_quantity_counts_from_the_next_refill(make: Make) -> None:
    engine = make((1, "sell", 100, 8, ICEBERG))
    assert engine.amend(1, 9, display_qty=2) == [Amended(1, 8, 9)]
    assert queue(engine, "sell") == [(1, 3, 5)]
    engine.place(2, "buy", 3, 100, 10)
    assert queue(engine, "sell") == [(1, 2, 3)]
    assert make((1, "sell", 100, 8)).amend(1, 9, display_qty=2) == [Refused(1, "not an iceberg", 9)]


def test_an_iceberg_may_not_be_cut_into_too_many_slices(make: Make) -> None:
    engine = make()
    assert engine.place(1, "buy", SLICES_MAX + 1, 9, 9, display_qty=1) == [Refused(1, "display too small", 9)]
    assert engine.place(1, "buy", SLICES_MAX, 9, 9, display_qty=1)[-1] == Rested("buy", 9, 1, 1, 9)
    assert engine.amend(1, 10, qty=SLICES_MAX + 1) == [Refused(1, "display too small", 10)]
    assert engine.place(2, "buy", 1, 9, 9, display_qty=0) == [Refused(2, "not positive", 9)]


# -- self-trade prevention ---------------------------------------------------

OWN = {"owner": 7}


def test_cancel_newest_ends_the_incoming_order_where_it_meets_its_owner(make: Make) -> None:
    engine = make((1, "sell", 100, 2), (2, "sell", 100, 2, OWN), (3, "sell", 101, 9))
    assert engine.place(4, "buy", 5, 101, 9, owner=7)[1:] == [
        Traded(1, 4, "buy", 100, 2, 0, 3, 9),
        Removed("sell", 100, 1, 2, 9, "trade"),
        Finished(4, "buy", 3, 9, "self trade"),
    ]
    assert queue(engine, "sell") == [(2, 2, 0)]


def test_cancel_oldest_removes_the_resting_order_and_goes_on(make: Make) -> None:
    engine = make((2, "sell", 100, 2, OWN), (3, "sell", 101, 9))
    assert engine.place(4, "buy", 5, 101, 9, owner=7, self_trade="cancel_oldest")[1:] == [
        Removed("sell", 100, 2, 2, 9, "self trade"),
        Traded(3, 4, "buy", 101, 5, 4, 0, 9),
        Changed("sell", 101, 3, 4, 9, "trade"),
        Finished(4, "buy", 0, 9, "filled"),
    ]


def test_cancel_both_removes_one_and_ends_the_other(make: Make) -> None:
    engine = make((2, "sell", 100, 2, OWN), (3, "sell", 100, 2, OWN))
    assert engine.place(4, "buy", 5, 101, 9, owner=7, self_trade="cancel_both")[1:] == [
        Removed("sell", 100, 2, 2, 9, "self trade"),
        Finished(4, "buy", 5, 9, "self trade"),
    ]
    assert list(engine.orders) == [3]


def test_nobody_and_others_trade_with_anybody(make: Make) -> None:
    engine = make((1, "sell", 100, 1), (2, "sell", 100, 1, {"owner": 8}))
    assert engine.place(3, "buy", 1, 100, 9)[-1].reason == "filled"
    assert engine.place(4, "buy", 1, 100, 9, owner=7)[-1].reason == "filled"


def test_the_incoming_order_decides_and_keeps_its_kind_for_when_it_is_moved(make: Make) -> None:
    engine = make((1, "sell", 100, 2, OWN), (2, "buy", 90, 5, OWN | {"self_trade": "cancel_oldest"}))
    assert engine.amend(2, 9, price=100) == [
        Removed("buy", 90, 2, 5, 9, "amend"),
        Removed("sell", 100, 1, 2, 9, "self trade"),
        Rested("buy", 100, 2, 5, 9),
    ]
    engine.place(3, "sell", 4, 110, 10, owner=7)
    assert engine.amend(3, 11, price=100)[-1] == Finished(3, "sell", 4, 11, "self trade")


def test_fill_or_kill_with_oldest_does_not_count_own_orders_and_cancels_them_only_if_it_fills(make: Make) -> None:
    orders = ((1, "sell", 100, 2), (2, "sell", 100, 5, OWN), (3, "sell", 101, 3))
    engine = make(*orders)
    fok = {"owner": 7, "self_trade": "cancel_oldest"}
    assert engine.place(4, "buy", 6, 101, 9, "fok", **fok) == [Refused(4, "cannot fill", 9)]
    assert len(engine.orders) == 3
    assert [type(e) for e in engine.place(5, "buy", 5, 101, 9, "fok", **fok) if not isinstance(e, Traded)] == [
        Accepted,
        Removed,
        Removed,
        Removed,
        Finished,
    ]
    assert not engine.orders


@pytest.mark.parametrize("kind", ["cancel_newest", "cancel_both"])
def test_fill_or_kill_counts_only_what_stands_before_the_first_own_order(make: Make, kind: str) -> None:
    engine = make((1, "sell", 100, 8, ICEBERG), (2, "sell", 100, 5, OWN), (3, "sell", 101, 3))
    assert engine.fillable("buy", 101, 99, 7, kind) == 3, "the hidden part comes again behind the own order"
    assert engine.place(4, "buy", 4, 101, 9, "fok", owner=7, self_trade=kind) == [Refused(4, "cannot fill", 9)]
    assert engine.place(5, "buy", 3, 101, 9, "fok", owner=7, self_trade=kind)[-1].reason == "filled"


# -- reduce-only -------------------------------------------------------------


def test_a_reduce_only_order_is_cut_to_its_bound(make: Make) -> None:
    engine = make((1, "sell", 100, 2))
    assert engine.place(2, "buy", 9, 100, 9, reduce_qty=5)[::3] == [
        Accepted(2, "buy", 100, 5, 9),
        Rested("buy", 100, 2, 3, 9),
    ]
    assert engine.orders[2].reduce_qty == 3
    assert engine.place(3, "buy", 9, 100, 9, reduce_qty=0) == [Refused(3, "nothing to reduce", 9)]


def test_what_a_reduce_only_order_trades_is_taken_from_its_bound(make: Make) -> None:
    engine = make((1, "buy", 100, 2, {"reduce_qty": 6}))
    engine.place(2, "sell", 1, 100, 9)
    assert engine.orders[1].reduce_qty == 5
    assert engine.amend(1, 10, qty=50)[-1] == Rested("buy", 100, 1, 5, 10)
    assert engine.amend(1, 11, qty=50) == [Refused(1, "no change", 11)]


def test_what_a_moved_reduce_only_order_trades_is_taken_from_its_bound_too(make: Make) -> None:
    engine = make((1, "buy", 100, 5, {"reduce_qty": 6}), (2, "sell", 105, 2))
    assert engine.amend(1, 9, price=105)[-1] == Rested("buy", 105, 1, 3, 9)
    assert (engine.orders[1].qty, engine.orders[1].reduce_qty) == (3, 4)


def test_a_new_bound_cuts_the_order_and_keeps_its_place(make: Make) -> None:
    engine = make((1, "buy", 100, 5, {"reduce_qty": 5}), (2, "buy", 100, 1))
    assert engine.amend(1, 9, reduce_qty=2) == [Changed("buy", 100, 1, 2, 9, "amend")]
    assert queue(engine, "buy") == [(1, 2, 0), (2, 1, 0)]
    assert engine.amend(1, 10, reduce_qty=9) == [Amended(1, 2, 10)]
    assert engine.amend(2, 11, reduce_qty=9) == [Refused(2, "not reduce-only", 11)]


# -- limits --------------------------------------------------------------------


def test_totals_are_exact_beyond_64_bits(make: Make) -> None:
    engine = make(*((number, "sell", PRICE_MAX, QTY_MAX) for number in range(1, 10)))
    assert engine.asks.best().qty == 9 << 62
    assert engine.fillable("buy", None, 2**63 - 1) == 2**63 - 1
    assert engine.place(10, "buy", QTY_MAX, None, 10)[-1].reason == "filled"
    assert engine.asks.best().qty == 8 << 62


def test_orders_far_away_cost_no_more_than_near_ones(make: Make) -> None:
    engine = make(*((number, "buy", 7919 ** (number % 4) * number, 1) for number in range(1, 300)))
    prices = [level.price for level in engine.bids.top(999)]
    assert prices == sorted(prices, reverse=True)
    assert sum(level.count for level in engine.bids.top(999)) == 299


@pytest.mark.parametrize(
    ("order_id", "qty", "price", "reason"),
    [
        (0, 1, 1, "not positive"),
        (-(2**63), 1, 1, "not positive"),
        (1, 0, 1, "not positive"),
        (1, 1, -(2**63), "not positive"),
        (1, QTY_MAX + 1, 1, "too large"),
        (1, 1, PRICE_MAX + 1, "too large"),
    ],
)
def test_what_no_order_can_be_is_refused(make: Make, order_id: int, qty: int, price: int, reason: str) -> None:
    engine = make()
    assert engine.place(order_id, "buy", qty, price, 9) == [Refused(order_id, reason, 9)]
    assert engine.submit(order_id, 0, price, qty) == -REFUSALS.index(reason)


def test_numbers_beyond_64_bits_and_other_things_are_the_callers_mistake(make: Make) -> None:
    engine = make((1, "buy", 100, 5))
    for call in (
        lambda: engine.place(2**63, "buy", 1, 1, 1),
        lambda: engine.submit(2, 0, 1, 2**70),
        lambda: engine.amend(1, 1, price=2**63),
        lambda: engine.cancel(1, -(2**63) - 1),
        lambda: engine.withdraw(2**64),
    ):
        with pytest.raises(OverflowError):
            call()
    with pytest.raises(TypeError):
        engine.submit(2, 0, "1", 1)
    for wrong in ({"side": "bid"}, {"time_in_force": "gtd"}, {"self_trade": "cancel-newest"}):
        with pytest.raises(KeyError):
            engine.place(**{"order_id": 2, "side": "sell", "qty": 1, "price": 1, "time_ns": 1} | wrong)
    assert queue(engine, "buy") == [(1, 5, 0)]


# -- compact calls ---------------------------------------------------------------


def test_submit_answers_with_the_lots_traded_or_why_not(make: Make) -> None:
    engine = make((1, "sell", 100, 5))
    assert engine.submit(2, 0, 100, 3) == 3
    assert engine.submit(3, 0, 99, 3) == 0
    assert engine.submit(4, 0, 100, 1, 9, OrderFlag.POST_ONLY) == -REFUSALS.index("post only")
    assert engine.submit(5, 0, 0, 9, 9, OrderFlag.MARKET) == 2
    assert list(engine.orders) == [3]
    assert engine.revise(3, 98) == 0
    assert engine.revise(3) == -REFUSALS.index("no change")
    assert engine.withdraw(3)
    assert not engine.withdraw(3)


def test_compact_orders_ask_for_all_that_others_can(make: Make) -> None:
    engine = make()
    flags = OrderFlag.REDUCE_ONLY | OrderFlag.POST_ONLY | OrderFlag.CANCEL_BOTH
    assert engine.submit(1, 1, 100, 9, 5, flags, owner=7, display_qty=2, reduce_qty=6) == 0
    order = engine.orders[1]
    assert (order.qty, order.hidden, order.reduce_qty, order.display_qty) == (2, 4, 6, 2)
    assert (order.owner, order.self_trade, order.post_only, order.time_ns) == (7, "cancel_both", True, 5)


@pytest.mark.parametrize(
    ("price", "flags", "reduce_qty"),
    [
        (1, 128, 0),
        (1, -1, 0),
        (1, 256, 0),
        (1, OrderFlag.IOC | OrderFlag.FOK, 0),
        (1, OrderFlag.CANCEL_BOTH | OrderFlag.CANCEL_OLDEST, 0),
        (1, OrderFlag.MARKET, 0),
        (1, 0, 5),
    ],
)
def test_flags_that_make_no_sense_are_refused(make: Make, price: int, flags: int, reduce_qty: int) -> None:
    engine = make()
    assert engine.submit(1, 0, price, 1, 0, flags, reduce_qty=reduce_qty) == -REFUSALS.index("bad flags")
    assert engine.revise(1, flags=OrderFlag.IOC) == -REFUSALS.index("bad flags")
    assert not engine.orders


def test_trades_of_compact_calls_are_kept_when_asked_for(make: Make) -> None:
    engine = make((1, "sell", 100, 5), record_trades=True)
    engine.submit(2, 0, 100, 3, 8)
    engine.place(3, "buy", 1, 100, 9)
    assert engine.take_trades() == [Traded(1, 2, "buy", 100, 3, 2, 0, 8)], "those of place are its events"
    assert engine.take_trades() == []
    engine.record_trades = False
    engine.submit(4, 0, 100, 1, 9)
    assert engine.take_trades() == []


def test_trades_that_nobody_takes_stop_the_engine_before_anything_is_lost(make: Make) -> None:
    engine = make(record_trades=True)
    engine.submit(1, 1, 100, QTY_MAX)
    row = array("q", [0, 2, 0, 100, 1])
    assert engine.batch(row * (TRADES_UNTAKEN_MAX + 1)).trades == TRADES_UNTAKEN_MAX + 1
    for call in (lambda: engine.submit(3, 0, 100, 1), lambda: engine.batch(row), lambda: engine.revise(1, 99)):
        with pytest.raises(BufferError):
            call()
    assert engine.orders[1].qty == QTY_MAX - TRADES_UNTAKEN_MAX - 1
    assert len(engine.take_trades()) == TRADES_UNTAKEN_MAX + 1
    assert engine.submit(3, 0, 100, 1) == 1


def test_a_batch_counts_what_was_done_and_what_was_refused(make: Make) -> None:
    engine = make()
    rows = array("q", [0, 1, 0, 100, 5, 0, 2, 1, 100, 2, 1, 9, 0, 0, 0, 2, 1, 0, 99, 0, 7, 0, 0, 0, 0])
    assert engine.batch(rows) == BatchResult(done=3, refused=2, trades=1)
    assert engine.bids.best().price == 99


@pytest.mark.parametrize(
    ("rows", "width"),
    [(array("q", [0] * 6), 5), (array("i", [0] * 10), 5), (array("q", [0] * 20), 4), (array("d", [0.0] * 5), 5)],
)
def test_a_batch_of_anything_else_is_a_mistake(make: Make, rows: array[Any], width: int) -> None:
    with pytest.raises(ValueError, match=r"row|numbers"):
        make().batch(rows, width)


# -- reading -----------------------------------------------------------------------


def test_a_side_is_read_best_first(make: Make) -> None:
    engine = make((1, "buy", 98, 1), (2, "buy", 100, 2), (3, "buy", 95, 3), (4, "sell", 105, 4), (5, "sell", 102, 5))
    assert [level.price for level in engine.bids.top(2)] == [100, 98]
    assert [level.price for level in engine.asks.top(9)] == [102, 105]
    assert engine.bids.top(0) == engine.bids.top(-1) == []
    assert [engine.bids.rank(price) for price in (101, 100, 99, 98, 95, 1)] == [0, 0, 1, 1, 2, 3]
    assert [engine.asks.rank(price) for price in (101, 102, 103, 105, 106)] == [0, 0, 1, 1, 2]
    assert (engine.bids.sign, engine.asks.sign, len(engine.bids), len(engine.asks)) == (1, -1, 3, 2)
    assert (engine.bids.at(2).price, engine.bids.price_at(1)) == (95, 98)
    assert (engine.bids.level(95).count, engine.bids.level(105), engine.asks.level(105).qty) == (1, None, 4)
    for rank in (3, -1):
        with pytest.raises(IndexError):
            engine.bids.at(rank)


def test_the_orders_are_a_mapping(make: Make) -> None:
    orders = make((1, "buy", 98, 1), (2, "sell", 100, 2)).orders
    assert (len(orders), sorted(orders), sorted(orders.keys()), 1 in orders, 3 in orders) == (
        2,
        [1, 2],
        [1, 2],
        True,
        False,
    )
    assert {number: order.qty for number, order in orders.items()} == {1: 1, 2: 2}
    assert {1, 9} & orders.keys() == {1}
    assert orders.get(3) is None
    assert 2**70 not in orders
    with pytest.raises(KeyError):
        orders[3]
