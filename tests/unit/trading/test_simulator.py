"""How a pretended order meets a real market: each rule of the fill engine, on both twins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.engines import simulators
from tests.unit.trading.simulator_stage import (
    AT_ONCE,
    BTC,
    MS,
    Stage,
    ask,
    bid,
    buys,
    gap,
    rows_of,
    sells,
    snapshot,
)

from krakenwire.errors import StaleData, UsageError
from krakenwire.model.rows import ASK, BID, QUIET, Listing
from krakenwire.trading.simulator import AHEAD_UNKNOWN, FillModel, OrderFlag, OrderType, What

PROPORTIONAL = FillModel(entry_latency_ns=0, report_latency_ns=0, queue="proportional")
Make = Callable[..., Stage]


@pytest.fixture(params=simulators())
def make(request: pytest.FixtureRequest) -> Make:
    """A stage of one twin, whose book is 10 lots at 100 and 5 at 99, against 7 at 102 and 8 at 104."""

    def stage(model: FillModel = AT_ONCE, listing: Listing = BTC) -> Stage:
        made = Stage(model, listing, request.param)
        if listing.depth:
            made.frame(*snapshot(bid(100, 10), bid(99, 5), ask(102, 7), ask(104, 8)))
        return made

    return stage


# -- takers ------------------------------------------------------------------------


def test_a_market_order_walks_the_levels_and_ends_where_they_end(make: Make) -> None:
    stage = make()
    stage.order(BID, 0, 20, OrderType.MARKET)
    assert stage.told() == [
        ("ACCEPTED", 1, 0, 20, False),
        ("FILL", 1, 102, 7, False),
        ("FILL", 1, 104, 8, False),
        ("EXPIRED", 1, 0, 5, False),
    ]


def test_a_limit_order_takes_what_is_within_its_limit_and_rests_with_nobody_before_it(make: Make) -> None:
    stage = make()
    order = stage.order(BID, 103, 10)
    assert stage.fills() == [(1, 102, 7, False)]
    assert (order.state, order.left, order.queue_ahead) == ("open", 3, 0)


def test_immediate_or_cancel_expires_with_what_it_could_not_take(make: Make) -> None:
    stage = make()
    order = stage.order(ASK, 100, 12, flags=OrderFlag.IOC)
    assert (order.state, order.filled, stage.reports[-1].reason) == ("expired", 10, "Immediate or cancel order expired")


@pytest.mark.parametrize(("qty", "state", "filled"), [(15, "filled", 15), (16, "expired", 0)])
def test_fill_or_kill_takes_all_or_nothing(make: Make, qty: int, state: str, filled: int) -> None:
    order = make().order(BID, 104, qty, flags=OrderFlag.FOK)
    assert (order.state, order.filled) == (state, filled)


def test_post_only_never_takes(make: Make) -> None:
    stage = make()
    order = stage.order(BID, 102, 1, flags=OrderFlag.POST_ONLY)
    assert (order.state, stage.reports[-1].reason) == ("canceled", "Post only order")
    assert stage.order(BID, 101, 1, flags=OrderFlag.POST_ONLY).state == "open"


def test_an_order_that_would_meet_an_own_one_is_canceled_there(make: Make) -> None:
    stage = make()
    mine = stage.order(ASK, 103, 4)
    order = stage.order(BID, 105, 20)
    assert stage.fills() == [(order.ref, 102, 7, False)]
    assert (order.state, mine.state, mine.left) == ("canceled", "open", 4)
    assert stage.order(BID, 103, 5, flags=OrderFlag.POST_ONLY).state == "canceled"


def test_an_order_that_would_meet_an_own_one_at_the_same_price_as_others_takes_nothing_there(make: Make) -> None:
    stage = make()
    stage.order(ASK, 102, 4)
    assert (stage.order(BID, 104, 20).filled, stage.fills()) == (0, [])


def test_a_snapshot_tells_all_levels_anew(make: Make) -> None:
    stage = make()
    stage.order(BID, 0, 7, OrderType.MARKET)
    stage.frame(*snapshot(ask(103, 7)))
    stage.frame(*snapshot(ask(102, 7)))
    assert stage.order(BID, 102, 7).state == "filled"


# -- makers --------------------------------------------------------------------------


def test_an_order_waits_behind_what_is_displayed_and_is_filled_by_the_rest_of_a_trade(make: Make) -> None:
    stage = make()
    order = stage.order(BID, 100, 4)
    assert order.queue_ahead == 10
    stage.frame(sells(100, 8))
    assert (order.queue_ahead, stage.fills()) == (2, [])
    stage.frame(sells(100, 3))
    assert stage.fills() == [(1, 100, 1, True)]
    stage.frame(sells(100, 9))
    assert stage.fills() == [(1, 100, 3, True)]
    assert order.state == "filled"


def test_a_trade_through_its_price_fills_an_order_at_its_own_price(make: Make) -> None:
    stage = make()
    stage.order(BID, 100, 9)
    stage.frame(sells(99, 6))
    assert stage.fills() == [(1, 100, 6, True)]


def test_a_trade_of_the_other_kind_or_at_a_better_price_fills_nothing(make: Make) -> None:
    stage = make()
    order = stage.order(BID, 100, 9)
    stage.frame(sells(101, 50))
    stage.frame(buys(100, 50))
    assert (order.filled, order.queue_ahead) == (0, 10)


def test_two_own_orders_share_one_trade_in_their_order_of_time(make: Make) -> None:
    stage = make()
    stage.order(BID, 101, 3)
    stage.order(BID, 101, 3)
    stage.frame(sells(101, 5))
    assert stage.fills() == [(1, 101, 3, True), (2, 101, 2, True)]


def test_a_level_that_comes_to_an_order_fills_it_at_its_own_price_once(make: Make) -> None:
    stage = make()
    stage.order(BID, 101, 9)
    stage.frame(ask(100, 4))
    assert stage.fills() == [(1, 101, 4, True)]
    stage.frame(bid(98, 1))
    assert stage.fills() == []
    stage.frame(ask(100, 2))
    assert stage.fills() == []  # two of the four that we took went elsewhere
    stage.frame(ask(100, 5))
    assert stage.fills() == [(1, 101, 3, True)]
    stage.frame(ask(100, 0))
    stage.frame(ask(100, 1))
    assert stage.fills() == [(1, 101, 1, True)]


def test_what_was_taken_of_a_level_stays_taken_however_often_it_is_told(make: Make) -> None:
    stage = make()
    stage.order(BID, 0, 7, OrderType.MARKET)  # all that is at 102
    for shown in (7, 6, 5, 6):
        stage.frame(ask(102, shown))
        stage.order(BID, 102, 9, flags=OrderFlag.IOC)
    assert stage.fills() == [(1, 102, 7, False), (5, 102, 1, False)]


def test_a_level_that_shrinks_leaves_those_behind_if_that_is_possible(make: Make) -> None:
    stage = make()
    order = stage.order(BID, 100, 4)
    stage.frame(bid(100, 30))
    assert order.queue_ahead == 10
    stage.frame(bid(100, 12))
    assert order.queue_ahead == 10
    stage.frame(bid(100, 6))
    assert order.queue_ahead == 6
    stage.frame(bid(100, 0))
    assert order.queue_ahead == 0


def test_in_proportion_a_level_that_shrinks_takes_its_share_of_the_queue(make: Make) -> None:
    stage = make(PROPORTIONAL)
    order = stage.order(BID, 100, 4)
    stage.frame(bid(100, 20))
    stage.frame(bid(100, 15))
    assert order.queue_ahead == 8
    stage.frame(sells(100, 5))
    stage.frame(bid(100, 10))
    assert order.queue_ahead == 3


def test_a_trade_that_the_book_has_told_already_shortens_the_queue_once(make: Make) -> None:
    stage = make()
    order = stage.order(BID, 100, 4)
    stage.frame(bid(100, 6), venue_ns=500)
    stage.frame(sells(100, 4), venue_ns=499)
    assert order.queue_ahead == 6
    stage.frame(sells(100, 4), venue_ns=501)
    assert order.queue_ahead == 2


@pytest.mark.parametrize(("between", "ahead"), [("a younger trade", 3), ("a snapshot", 4), ("another place", 3)])
def test_what_the_book_has_told_already_is_forgotten_with(make: Make, between: str, ahead: int) -> None:
    stage = make()
    order = stage.order(BID, 100, 4)
    stage.frame(bid(100, 6), venue_ns=500)
    if between == "a younger trade":
        stage.frame(sells(100, 1), venue_ns=501)
        stage.frame(bid(100, 9))
    elif between == "a snapshot":
        stage.frame(*snapshot(bid(100, 5), ask(102, 7)), venue_ns=500)
    else:
        stage.frame(bid(100, 5), venue_ns=500)
        stage.sim.amend(order, 100, 5)
        stage.sim.advance(stage.sim.now_ns)
    stage.frame(sells(100, 2), venue_ns=499)
    assert order.queue_ahead == ahead


def test_where_nothing_can_be_displayed_the_queue_is_unknown_until_it_is(make: Make) -> None:
    stage = make(listing=Listing(symbol="BTC/USD", price_decimals=1, depth=2))
    order = stage.order(BID, 97, 4)
    assert order.queue_ahead == AHEAD_UNKNOWN
    stage.frame(sells(97, 50))
    assert (order.filled, order.queue_ahead) == (0, AHEAD_UNKNOWN)
    stage.frame(bid(100, 0), bid(97, 3))
    assert order.queue_ahead == 3


# -- amend and cancel ----------------------------------------------------------------


@pytest.mark.parametrize(("price", "qty", "ahead"), [(100, 3, 4), (100, 4, 4), (100, 5, 8), (99, 4, 5)])
def test_only_less_at_the_same_price_keeps_its_place(make: Make, price: int, qty: int, ahead: int) -> None:
    stage = make()
    order = stage.order(BID, 100, 4)
    stage.frame(sells(100, 6))
    stage.frame(bid(100, 8))
    stage.sim.amend(order, price, qty)
    stage.sim.advance(stage.sim.now_ns)
    assert (order.queue_ahead, order.qty, order.price, order.state) == (ahead, qty, price, "open")


def test_an_amend_that_crosses_takes_or_is_refused_to_post_only(make: Make) -> None:
    stage = make()
    plain, careful = stage.order(BID, 98, 5), stage.order(BID, 98, 5, flags=OrderFlag.POST_ONLY)
    for order in (careful, plain):
        stage.sim.amend(order, 102, 5)
    stage.sim.advance(stage.sim.now_ns)
    assert stage.told()[-3:] == [
        ("AMEND_REFUSED", 2, 102, 5, False),
        ("AMENDED", 1, 102, 5, False),
        ("FILL", 1, 102, 5, False),
    ]
    assert (careful.price, careful.state) == (98, "open")


def test_an_amend_below_what_is_filled_and_one_that_comes_too_late_are_refused(make: Make) -> None:
    stage = make()
    order = stage.order(BID, 103, 10)
    stage.told()
    stage.sim.amend(order, 103, 7)
    stage.sim.cancel(order)
    stage.sim.amend(order, 103, 20)
    stage.sim.cancel(order)
    stage.sim.advance(stage.sim.now_ns)
    reasons = [report.reason for report in stage.reports]
    assert [told[0] for told in stage.told()] == ["AMEND_REFUSED", "CANCELED", "AMEND_REFUSED", "CANCEL_REFUSED"]
    assert reasons[0] == "EGeneral:Invalid arguments"
    assert reasons[2:] == ["EOrder:Unknown order"] * 2


def test_all_orders_that_are_open_when_it_acts_are_canceled_together(make: Make) -> None:
    stage = make()
    stage.order(BID, 100, 4)
    stage.order(ASK, 110, 4)
    stage.order(ASK, 0, 4, OrderType.STOP_LOSS, trigger=50)
    stage.told()
    stage.sim.cancel_all(0)
    stage.sim.advance(stage.sim.now_ns)
    assert [told[:2] for told in stage.told()] == [("CANCELED", 1), ("CANCELED", 2), ("CANCELED", 3)]


def test_an_order_whose_time_is_over_expires(make: Make) -> None:
    stage = make()
    order = stage.order(BID, 100, 4, expire_ns=stage.sim.now_ns + 5)
    stage.sim.advance(stage.sim.now_ns + 4)
    assert order.state == "open"
    stage.sim.advance(stage.sim.now_ns + 1)
    assert (order.state, stage.reports[-1].reason) == ("expired", "Order expired")
    late = stage.order(BID, 100, 4, expire_ns=stage.sim.now_ns)
    assert (late.state, stage.reports[-1].reason) == ("refused", "EGeneral:Invalid arguments:expiretm")


# -- triggers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "order_type", "trigger", "quiet", "reaches"),
    [
        (ASK, OrderType.STOP_LOSS, 95, 96, 95),
        (BID, OrderType.STOP_LOSS, 105, 104, 106),
        (ASK, OrderType.TAKE_PROFIT, 105, 104, 105),
        (BID, OrderType.TAKE_PROFIT, 95, 96, 94),
    ],
)
def test_the_last_trade_triggers(
    make: Make, side: int, order_type: OrderType, trigger: int, quiet: int, reaches: int
) -> None:
    stage = make()
    order = stage.order(side, 0, 3, order_type, trigger=trigger)
    stage.frame(buys(quiet, 1))
    assert order.state == "waiting"
    stage.frame(buys(reaches, 1))
    assert [told[0] for told in stage.told()] == ["ACCEPTED", "TRIGGERED", "FILL"]
    assert order.state == "filled"


def test_a_triggered_limit_order_rests_at_its_limit(make: Make) -> None:
    stage = make()
    order = stage.order(ASK, 110, 3, OrderType.STOP_LOSS_LIMIT, trigger=95)
    stage.frame(sells(95, 1))
    assert (order.state, order.queue_ahead) == ("open", 0)


# -- gaps and snapshots ----------------------------------------------------------------


def test_a_gap_freezes_orders_until_the_next_snapshot(make: Make) -> None:
    stage = make()
    order = stage.order(BID, 100, 4)
    stage.frame(gap())
    with pytest.raises(StaleData):
        _ = stage.book.best_bid
    stage.frame(sells(90, 50))
    refused = stage.order(BID, 100, 4)
    assert (order.state, order.filled, order.queue_ahead) == ("open", 0, 10)
    assert (refused.state, stage.reports[-1].reason) == ("refused", "EService:Unavailable")
    stage.frame(bid(100, 1))
    assert not stage.book.live
    stage.frame(*snapshot(bid(100, 7), ask(102, 1)))
    assert (order.queue_ahead, stage.book.bid_lots) == (7, 7)


def test_a_snapshot_that_does_not_show_the_level_of_an_order_puts_it_first(make: Make) -> None:
    stage = make()
    order = stage.order(BID, 100, 4)
    stage.frame(*snapshot(bid(99, 7), ask(102, 1)))
    assert order.queue_ahead == 0


def test_a_snapshot_through_an_order_fills_it_as_far_as_it_is_displayed(make: Make) -> None:
    stage = make()
    stage.order(BID, 100, 4)
    stage.frame(gap())
    stage.frame(*snapshot(bid(95, 7), ask(97, 3)))
    assert stage.fills() == [(1, 100, 3, True)]


def test_trades_that_were_there_before_fill_and_trigger_nothing(make: Make) -> None:
    stage = make()
    order = stage.order(BID, 100, 4)
    stop = stage.order(ASK, 0, 3, OrderType.STOP_LOSS, trigger=95)
    stage.frame(sells(90, 50), snapshot_trades=True)
    assert (order.filled, stop.state) == (0, "waiting")


def test_the_last_price_before_the_first_trade_is_that_of_the_youngest_in_a_snapshot(make: Make) -> None:
    stage = make()
    stage.frame(sells(90, 1), sells(101, 1), snapshot_trades=True)
    stop = stage.order(ASK, 0, 3, OrderType.STOP_LOSS, trigger=95)
    assert stop.state == "waiting"
    stage.frame(sells(99, 1))
    stage.frame(sells(90, 1), snapshot_trades=True)
    assert stage.order(ASK, 0, 3, OrderType.STOP_LOSS, trigger=95).state == "waiting"


# -- without a book ---------------------------------------------------------------------

TRADES_ONLY = Listing(symbol="BTC/USD", price_decimals=1, depth=0)


def test_without_a_book_a_taker_trades_beyond_the_last_price(make: Make) -> None:
    stage = make(FillModel(entry_latency_ns=0, report_latency_ns=0, trades_only_spread_ticks=2), TRADES_ONLY)
    assert stage.order(BID, 0, 5, OrderType.MARKET).state == "refused"
    stage.frame(buys(100, 1))
    assert (stage.book.bid_ticks, stage.book.ask_ticks, stage.book.mid_float) == (98, 102, 10.0)
    stage.order(BID, 0, 500, OrderType.MARKET)
    stage.order(ASK, 98, 500)
    stage.order(BID, 101, 5)
    assert stage.fills() == [(2, 102, 500, False), (3, 98, 500, False)]


def test_without_a_book_only_a_trade_through_its_price_fills_an_order(make: Make) -> None:
    stage = make(listing=TRADES_ONLY)
    stage.frame(buys(100, 1))
    stage.order(BID, 99, 5)
    stage.frame(sells(99, 50))
    assert stage.fills() == []
    stage.frame(sells(98, 3))
    assert stage.fills() == [(1, 99, 3, True)]


def test_without_a_book_a_queue_can_be_assumed(make: Make) -> None:
    stage = make(FillModel(entry_latency_ns=0, report_latency_ns=0, trades_only_queue_lots=10), TRADES_ONLY)
    stage.frame(buys(100, 1))
    stage.order(BID, 99, 5)
    stage.frame(sells(99, 12))
    assert stage.fills() == [(1, 99, 2, True)]


# -- time ---------------------------------------------------------------------------------


def test_an_order_meets_the_market_as_it_is_after_its_latency(make: Make) -> None:
    stage = make(FillModel(entry_latency_ns=5 * MS, report_latency_ns=3 * MS))
    start = stage.sim.now_ns
    heard = []
    stage.sim.on_report = lambda report: heard.append((stage.sim.now_ns - start, report.time_ns - start))
    stage.sim.submit(stage.twin.Order(0, BID, OrderType.LIMIT, 102, 7))
    stage.sim.run(rows_of((start + 4 * MS, [ask(102, 2)]), (start + 9 * MS, [ask(102, 3)])))
    assert heard == [(8 * MS, 5 * MS), (8 * MS, 5 * MS)]
    assert stage.sim.next_due_ns == start + 12 * MS
    stage.sim.advance(start + 20 * MS)
    assert heard[2:] == [(12 * MS, 9 * MS)]


def test_timers_come_after_reports_of_their_time_and_before_the_row_of_it(make: Make) -> None:
    stage = make()
    told: list[Any] = []
    start = stage.sim.now_ns
    stage.sim.on_time = lambda timer: told.append(("time", timer))
    stage.sim.on_report = lambda _report: told.append("report")
    stage.sim.on(0, What.BOOK, lambda book: told.append(("book", book.bid_lots)))
    stage.sim.at(start + MS, 1)
    stage.sim.at(start + MS, 2)
    stage.sim.at(start + 2 * MS, 1)
    stage.sim.at(start + MS, 3)
    stage.sim.forget(3)
    stage.sim.run(rows_of((start, [bid(100, 3)])))
    stage.sim.submit(stage.twin.Order(0, BID, OrderType.LIMIT, 98, 7))
    stage.sim.run(rows_of((start + MS, [bid(100, 4)]), (start + 2 * MS, [bid(100, 5)])))
    assert told == [("book", 3), "report", ("time", 2), ("book", 4), ("time", 1), ("book", 5)]


def test_a_run_goes_on_after_stop_and_after_an_exception(make: Make) -> None:
    stage = make()
    rows = rows_of(*((stage.sim.now_ns + n * MS, [bid(100, 10 + n)]) for n in range(1, 6)))
    seen: list[int] = []

    def on_book(book: Any) -> None:
        seen.append(book.bid_lots)
        if len(seen) == 2:
            stage.sim.stop()
        if len(seen) == 3:
            raise ZeroDivisionError

    stage.sim.on(0, What.BOOK, on_book)
    assert stage.sim.run(rows) == 2
    with pytest.raises(ZeroDivisionError):
        stage.sim.run(rows, 2)
    assert stage.sim.next_row == 3
    assert stage.sim.run(rows, 3) == 5
    assert seen == [11, 12, 13, 14, 15]


def test_a_strategy_never_sees_half_a_message(make: Make) -> None:
    stage = make()
    seen: list[Any] = []
    stage.sim.on_report = lambda report: seen.append((report.price, stage.book.bid_ticks))
    stage.order(ASK, 103, 1)
    seen.clear()
    stage.frame(bid(104, 1), bid(104, 0), bid(101, 2))
    assert seen == []
    stage.frame(bid(103, 1), bid(105, 1))
    assert seen == [(103, 105)]


@pytest.mark.parametrize("wrong", [{"entry_latency_ns": -1}, {"trades_only_queue_lots": -1}])
def test_a_model_of_the_impossible_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        FillModel(**wrong)  # type: ignore[arg-type]


def test_a_listing_of_the_impossible_is_refused(make: Make) -> None:
    for wrong in ({"tick": 0}, {"lot": 0}, {"depth": -1}):
        with pytest.raises(UsageError):
            make(listing=Listing(symbol="BTC/USD", price_decimals=1, **wrong))


def test_a_quiet_frame_counts_in_full_and_calls_nobody(make: Make) -> None:
    stage = make()
    told: list[int] = []
    stage.sim.on(0, What.BOOK, lambda book: told.append(book.bid_lots))
    order = stage.order(BID, 101, 3)
    stage.sim.run(rows_of((stage.sim.now_ns + MS, [ask(101, 2)]), flags=QUIET))
    stage.frame(bid(100, 11))
    assert (order.filled, told) == (2, [11])
