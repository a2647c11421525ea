"""Exact decimals, trades told twice, candles over chunks, and the events of hftbacktest."""

from __future__ import annotations

import itertools
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from krakenwire.errors import ListingMismatch
from krakenwire.model.rows import ASK, BID, BUY, CLEAR, GAP, LAST, ROW, SELL, SNAPSHOT, Listing, Rows
from krakenwire.tape.columns import CandleMaker, TradeNews, words
from krakenwire.tape.hftbacktest import EventMaker

MINUTE = 60_000_000_000


@pytest.mark.parametrize(("value", "decimals"), [(0, 1), (624_105, 1), (10**18 - 1, 0), (10**18 - 1, 10), (92, 8)])
def test_ticks_become_exact_decimals(value: int, decimals: int) -> None:
    pairs = words(np.array([value, 7], dtype=np.int64), decimals, "BTC/USD", "price")
    array = pa.Array.from_buffers(pa.decimal128(28, 10), 2, [None, pa.py_buffer(pairs)])
    array.validate(full=True)
    assert array.to_pylist() == [Decimal(value).scaleb(-decimals), Decimal(7).scaleb(-decimals)]


def test_more_decimals_than_the_columns_have_are_refused() -> None:
    with pytest.raises(ListingMismatch):
        words(np.array([1], dtype=np.int64), 11, "BTC/USD", "price")


def trades(*rows: tuple[int, int, int, int], flags: int = 0) -> Rows:
    """Rows of (id, venue minute and a bit, price, qty)."""
    made = np.zeros(len(rows), dtype=ROW)
    for row, (trade_id, venue_ns, price, qty) in zip(made, rows, strict=True):
        row["aux"], row["venue_ns"], row["price"], row["qty"], row["kind"], row["flags"] = (
            trade_id, venue_ns, price, qty, BUY, flags,
        )  # fmt: skip
    return made


def test_trades_that_a_snapshot_repeats_are_left_out_and_those_it_adds_are_news() -> None:
    news = TradeNews()
    told = trades((5, 10, 1, 1), (6, 11, 1, 1), flags=SNAPSHOT)
    told["time_ns"] = 50
    first = news.of(told)
    assert (first.keep.tolist(), first.fresh.tolist()) == ([True, True], [False, False])
    assert news.of(trades((7, 60, 1, 1))).fresh.tolist() == [True]
    again = news.of(trades((6, 11, 1, 1), (7, 60, 1, 1), (8, 70, 1, 1), flags=SNAPSHOT))
    assert (again.keep.tolist(), again.fresh.tolist(), news.repeated) == ([False, False, True], [False, False, True], 2)


def test_updates_are_never_left_out() -> None:
    news = TradeNews()
    assert news.of(trades((7, 0, 1, 1), (6, 0, 1, 1), (-1, 0, 1, 1))).keep.tolist() == [True] * 3


ALL = [(n, n * MINUTE // 7, 100 + (n * 37) % 11, n + 1) for n in range(60)]


@pytest.mark.parametrize("size", [1, 2, 7, 60])
def test_candles_are_the_same_however_the_trades_are_cut(size: int) -> None:
    maker, made = CandleMaker(), []
    for chunk in cut(size):
        made += maker.take(trades(*chunk)).tolist()
    made += maker.rest().tolist()
    assert made == expected()
    assert maker.rest().tolist() == []


def cut(size: int) -> list[list[tuple[int, int, int, int]]]:
    return [ALL[at : at + size] for at in range(0, len(ALL), size)]


def expected() -> list[tuple[int, ...]]:
    made = []
    for minute, group in itertools.groupby(ALL, key=lambda row: row[1] // MINUTE):
        rows = list(group)
        prices = [row[2] for row in rows]
        volume = sum(row[3] for row in rows)
        made.append((minute * MINUTE, prices[0], max(prices), min(prices), prices[-1], volume, len(rows)))
    return made


def test_a_trade_with_an_earlier_time_counts_to_the_minute_that_is_open() -> None:
    maker = CandleMaker()
    maker.take(trades((1, 5 * MINUTE, 10, 1)))
    maker.take(trades((2, 4 * MINUTE, 20, 1)))
    assert maker.rest().tolist() == [(5 * MINUTE, 10, 20, 10, 20, 2, 2)]


def rows(*told: tuple[int, int, int, int]) -> Rows:
    """Rows of (kind, price, qty, flags), one nanosecond apart."""
    made = np.zeros(len(told), dtype=ROW)
    for at, (kind, price, qty, flags) in enumerate(told):
        made[at]["time_ns"], made[at]["venue_ns"] = 1_000 + at, 900 + at
        made[at]["kind"], made[at]["price"], made[at]["qty"], made[at]["flags"] = kind, price, qty, flags
    return made


DEPTH, TRADE, CLEARS, SNAP = 1, 2, 3, 4
SELLS, BUYS, BOTH = 1 << 28, 1 << 29, 1 << 30 | 1 << 31


def test_rows_become_events_with_both_times() -> None:
    maker = EventMaker(Listing(symbol="BTC/USD", price_decimals=1, depth=10))
    made = maker.take(
        rows((CLEAR, 0, 0, SNAPSHOT), (BID, 1001, 5, SNAPSHOT), (ASK, 1003, 5, SNAPSHOT | LAST), (BID, 1001, 0, LAST),
             (SELL, 1001, 10**8, LAST), (BUY, 1, 1, SNAPSHOT | LAST), (GAP, 0, 0, LAST))
    )  # fmt: skip
    assert made["ev"].tolist() == [
        kind | BOTH for kind in (CLEARS, SNAP | BUYS, SNAP | SELLS, DEPTH | BUYS, TRADE | SELLS, CLEARS)
    ]
    assert made["px"].tolist() == [0, 100.1, 100.3, 100.1, 100.1, 0]
    assert made["qty"][4] == 1.0
    assert (made["local_ts"].tolist(), made["exch_ts"].tolist()) == (
        [1000, 1001, 1002, 1003, 1004, 1006],
        [900, 901, 902, 903, 904, 906],
    )


def test_the_exchanges_time_never_falls_and_is_never_after_ours() -> None:
    maker = EventMaker(Listing(symbol="BTC/USD", price_decimals=1))
    told = rows((BUY, 1, 1, LAST), (BUY, 1, 1, LAST), (BUY, 1, 1, LAST))
    told["venue_ns"] = [950, 5_000, 0]
    assert maker.take(told)["exch_ts"].tolist() == [950, 1001, 1002]
    later = rows((BUY, 1, 1, LAST))
    later["time_ns"] = 2_000
    assert maker.take(later)["exch_ts"].tolist() == [1002]


def test_a_level_that_leaves_the_depth_is_told_as_removed() -> None:
    maker = EventMaker(Listing(symbol="BTC/USD", price_decimals=0, depth=2))
    made = maker.take(
        rows((CLEAR, 0, 0, 0), (BID, 10, 1, 0), (BID, 9, 1, 0), (ASK, 12, 1, 0), (ASK, 13, 1, LAST), (BID, 11, 1, LAST),
             (ASK, 14, 1, 0), (ASK, 12, 0, LAST))
    )  # fmt: skip
    removed = [(event["px"], event["ev"] & BUYS > 0) for event in made if event["qty"] == 0 and event["px"]]
    assert removed == [(9.0, True), (12.0, False)]
