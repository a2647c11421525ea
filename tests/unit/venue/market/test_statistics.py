from __future__ import annotations

from random import Random

from krakenwire.venue.market.candles import MINUTE_NS
from krakenwire.venue.market.statistics import DAY_NS, DayWindow, Statistics

MIDNIGHT = 20_000 * DAY_NS


def test_figures_of_the_day_add_up() -> None:
    window = DayWindow()
    for offset, (price, qty) in enumerate([(100, 5), (103, 1), (98, 2), (101, 4)]):
        window.add(price, qty, MIDNIGHT + offset)
    figures = window.last_24_hours(MIDNIGHT + 10)
    assert figures == Statistics(100, 103, 98, 101, 12, 100 * 5 + 103 + 98 * 2 + 101 * 4, 4)
    assert figures == window.today(MIDNIGHT + 10)
    assert figures.change == 1
    assert figures.change_percent_hundredths == 100
    assert figures.vwap() == 100
    assert figures.vwap(2) == 10_025


def test_a_fall_is_rounded_like_a_rise() -> None:
    assert Statistics(3, 3, 2, 2, 1, 2, 1).change_percent_hundredths == -3_333
    assert Statistics(3, 4, 3, 4, 1, 4, 1).change_percent_hundredths == 3_333
    assert Statistics(0, 0, 0, 0, 0, 0, 0).change_percent_hundredths == 0


def test_today_begins_at_midnight_while_the_window_goes_on() -> None:
    window = DayWindow()
    window.add(100, 5, MIDNIGHT - MINUTE_NS)
    assert window.today(MIDNIGHT + 1) == Statistics(100, 100, 100, 100, 0, 0, 0)
    window.add(110, 2, MIDNIGHT + 5)
    assert window.today(MIDNIGHT + 6) == Statistics(110, 110, 110, 110, 2, 220, 1)
    assert window.last_24_hours(MIDNIGHT + 6)[:5] == (100, 110, 100, 110, 7)


def test_without_a_trade_for_a_day_the_last_price_stays() -> None:
    window = DayWindow()
    window.add(100, 5, MIDNIGHT)
    assert window.last_24_hours(MIDNIGHT + 2 * DAY_NS) == Statistics(100, 100, 100, 100, 0, 0, 0)
    assert window.last_24_hours(MIDNIGHT + 2 * DAY_NS).vwap(1) == 1_000


def test_the_window_agrees_with_a_sum_over_every_trade() -> None:
    random, window = Random(3), DayWindow()
    trades: list[tuple[int, int, int]] = []
    minute = MIDNIGHT // MINUTE_NS
    for _ in range(3_000):
        minute += random.choice([0, 0, 1, 1, 2, 5])
        trade = (random.randrange(500, 1_500), random.randrange(1, 9), minute * MINUTE_NS + len(trades))
        trades.append(trade)
        window.add(*trade)
        if random.random() < 0.05:
            kept = [t for t in trades if t[2] // MINUTE_NS > minute - 1_440]
            figures = window.last_24_hours(minute * MINUTE_NS + 30_000_000_000)
            assert figures.open == kept[0][0]
            assert (figures.high, figures.low) == (max(t[0] for t in kept), min(t[0] for t in kept))
            assert (figures.volume, figures.trades) == (sum(t[1] for t in kept), len(kept))
            assert figures.turnover == sum(t[0] * t[1] for t in kept)
