"""The sliding windows keep what is in force, and no more than their bound."""

from __future__ import annotations

from decimal import Decimal

from krakenwire.watch.windows import ExtremeWindow, SumWindow


def test_a_full_price_window_forgets_the_oldest_and_counts_it() -> None:
    window = ExtremeWindow(1000, lowest=True, entries_max=3)
    lows = [window.feed(Decimal(price), price) for price in (1, 2, 3, 4, 5)]
    assert lows == [1, 1, 1, 2, 3]
    assert window.forgotten == 2


def test_a_full_sum_window_may_be_low_later_but_is_never_high() -> None:
    window = SumWindow(10, entries_max=2)
    assert [window.feed(Decimal(1), at) for at in (0, 5, 9)] == [1, 2, 3]
    assert window.merged == 1
    assert window.advance(11) == 1, "the trades of 0 and 5 leave together, with the older"


def test_time_that_runs_backwards_counts_as_the_newest() -> None:
    window = SumWindow(10)
    window.feed(Decimal(1), 100)
    assert window.feed(Decimal(1), 50) == 2
    assert window.advance(111) == 0


def test_a_cleared_window_knows_nothing() -> None:
    prices, sums = ExtremeWindow(10, lowest=False), SumWindow(10)
    prices.feed(Decimal(9), 0)
    sums.feed(Decimal(9), 0)
    prices.clear()
    sums.clear()
    assert prices.feed(Decimal(1), 0) == 1
    assert sums.total == 0
