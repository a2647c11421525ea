from __future__ import annotations

from krakenwire.venue.gateways.views import (
    BookDiff,
    BookRow,
    BookView,
    Level3Diff,
    Level3Row,
    Level3View,
    LevelChange,
    OrderChange,
)
from krakenwire.venue.market.instruments import INSTRUMENTS
from krakenwire.venue.market.market import Market


def market_of_three_bids() -> Market:
    """Bids 100, 99, 98, 97 with one order each: numbers 1 to 4, quantities 1 to 4, times 1,000 to 4,000."""
    market = Market(INSTRUMENTS["BTC/USD"])
    for number, price in enumerate((100, 99, 98, 97), start=1):
        market.place("buy", number, price, number * 1_000)
    return market


def test_a_view_shows_the_best_levels_first() -> None:
    market = market_of_three_bids()
    market.place("sell", 9, 101, 5_000)
    market.place("sell", 9, 103, 6_000)
    assert BookView(market, 2).snapshot() == (
        [BookRow(100, 1, 1_000), BookRow(99, 2, 2_000)],
        [BookRow(101, 9, 5_000), BookRow(103, 9, 6_000)],
    )


def test_nothing_is_published_when_nothing_visible_changed() -> None:
    market = market_of_three_bids()
    view = BookView(market, 2)
    assert view.advance() is None
    market.cancel(4, 5_000)
    assert view.advance() is None


def test_a_removal_comes_before_the_level_that_takes_its_place_with_its_old_time() -> None:
    market = market_of_three_bids()
    view = BookView(market, 2)
    market.cancel(1, 9_000)
    assert view.advance() == BookDiff([LevelChange(100, 0, 9_000, False), LevelChange(98, 3, 3_000, True)], [], 9_000)


def test_a_level_pushed_out_is_not_mentioned() -> None:
    market = market_of_three_bids()
    view = BookView(market, 2)
    market.place("buy", 7, 105, 9_000)
    assert view.advance() == BookDiff([LevelChange(105, 7, 9_000, False)], [], 9_000)
    assert view.snapshot()[0] == [BookRow(105, 7, 9_000), BookRow(100, 1, 1_000)]


def test_both_sides_of_one_command_are_in_one_update() -> None:
    market = market_of_three_bids()
    view = BookView(market, 2)
    market.place("sell", 5, 100, 9_000)
    assert view.advance() == BookDiff(
        [LevelChange(100, 0, 9_000, False), LevelChange(98, 3, 3_000, True)],
        [LevelChange(100, 4, 9_000, False)],
        9_000,
    )


def test_a_level_replaced_with_the_same_quantity_is_not_published() -> None:
    market = market_of_three_bids()
    view = BookView(market, 2)
    market.cancel(1, 9_000)
    market.place("buy", 1, 100, 10_000)
    assert view.advance() is None
    assert view.snapshot()[0][0] == BookRow(100, 1, 10_000)


def test_a_level3_snapshot_lists_queues_oldest_first() -> None:
    market = market_of_three_bids()
    market.place("buy", 8, 100, 5_000)
    assert Level3View(market, 2).snapshot() == (
        [Level3Row(100, 1, 1, 1_000), Level3Row(100, 5, 8, 5_000), Level3Row(99, 2, 2, 2_000)],
        [],
    )


def test_a_partial_fill_modifies_and_keeps_the_orders_time() -> None:
    market = market_of_three_bids()
    market.amend(1, 5_000, qty=6)
    view = Level3View(market, 2)
    market.place("sell", 2, 100, 9_000)
    assert view.advance() == Level3Diff([OrderChange("modify", 100, 1, 4, 5_000)], [], 9_000)


def test_the_orders_of_a_level_that_comes_into_view_are_added_in_queue_order() -> None:
    market = market_of_three_bids()
    market.place("buy", 8, 98, 5_000)
    view = Level3View(market, 2)
    market.place("sell", 1, None, 9_000)
    assert view.advance() == Level3Diff(
        [
            OrderChange("delete", 100, 1, 1, 9_000),
            OrderChange("add", 98, 3, 3, 3_000),
            OrderChange("add", 98, 5, 8, 5_000),
        ],
        [],
        9_000,
    )


def test_an_order_that_loses_its_place_is_deleted_and_added() -> None:
    market = market_of_three_bids()
    market.place("buy", 8, 100, 5_000)
    view = Level3View(market, 2)
    market.amend(1, 9_000, qty=6)
    assert view.advance() == Level3Diff(
        [OrderChange("delete", 100, 1, 1, 9_000), OrderChange("add", 100, 1, 6, 9_000)], [], 9_000
    )
    assert [row.order_id for row in view.snapshot()[0]] == [5, 1, 2]


def test_an_order_that_leaves_a_level_being_pushed_out_is_deleted_before_it_is_added() -> None:
    market = market_of_three_bids()
    market.place("buy", 8, 99, 5_000)
    view = Level3View(market, 2)
    market.amend(2, 9_000, price=101)
    assert view.advance() == Level3Diff(
        [OrderChange("delete", 99, 2, 2, 9_000), OrderChange("add", 101, 2, 2, 9_000)], [], 9_000
    )
    assert [row.order_id for row in view.snapshot()[0]] == [2, 1]
