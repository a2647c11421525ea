"""Candles as trades: the four prices in the order of a plausible path, the volume whole."""

from __future__ import annotations

import pytest

pytest.importorskip("numpy")

from krakenwire.tape.candle_path import trades_of_candles
from krakenwire.tape.imports import Columns, LineReader

MINUTE_NS = 60_000_000_000


def candles(*lines: str) -> Columns:
    reader = LineReader()
    reader.take("file", enumerate((line.encode() for line in lines), 1))
    return reader.columns()


def told(columns: Columns) -> list[tuple[int, int, int]]:
    made = trades_of_candles(columns, MINUTE_NS)
    return list(
        zip(made.time_ns.tolist(), made.numbers["price"].tolist(), made.numbers["volume"].tolist(), strict=True)
    )


def test_a_rising_candle_dips_first_and_closes_just_before_its_end() -> None:
    start = 60 * 1_000_000_000
    assert told(candles("60,10,14,9,12,8,3")) == [
        (start, 10, 2),
        (start + 20_000_000_000, 9, 2),
        (start + 40_000_000_000, 14, 2),
        (start + 59_999_000_000, 12, 2),
    ]


def test_a_falling_candle_rises_first() -> None:
    assert [price for _, price, _ in told(candles("60,12,14,9,10,8,3"))] == [12, 14, 9, 10]


def test_the_volume_stays_whole_and_no_trade_is_empty() -> None:
    assert [qty for _, _, qty in told(candles("60,1,1,1,1,11,3"))] == [2, 2, 2, 5]
    assert [qty for _, _, qty in told(candles("60,1,1,1,1,2,1"))] == [1, 1, 1, 1]


def test_a_candle_in_which_nothing_traded_gives_no_trade() -> None:
    rows = told(candles("60,1,1,1,1,0,0", "120,2,2,2,2,4,1"))
    assert [price for _, price, _ in rows] == [2, 2, 2, 2]
