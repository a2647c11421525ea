"""Lines of other people's files: what they are taken for, what is refused and where, what follows from them."""

from __future__ import annotations

import numpy as np
import pytest

from krakenwire.errors import ConfigError
from krakenwire.tape.imports import Columns, LineReader, candle_minutes, duplicates_in, sides_by_tick_rule

HEADER = "time,price,volume,buy_or_sell,market_or_limit,misc"


def read(*lines: str, reader: LineReader | None = None) -> Columns:
    reader = reader or LineReader()
    reader.take("file", [(number, line.encode()) for number, line in enumerate(lines, 1)])
    return reader.columns()


def test_a_header_finds_the_columns() -> None:
    got = read(HEADER, "1525809154.3467,749.14000,1.00000000,s,l,", "1526022380.9175,712.19000,1.30770000,b,m,")
    assert got.kind == "trades"
    assert got.time_ns.tolist() == [1_525_809_154_346_700_000, 1_526_022_380_917_500_000]
    assert (got.numbers["price"].tolist(), got.decimals) == ([74914, 71219], {"price": 2, "volume": 4})
    assert got.numbers["volume"].tolist() == [10_000, 13_077]
    assert got.side is not None
    assert (got.side.tolist(), got.ord_type.tolist()) == ([1, 0], [0, 1])


def test_three_columns_without_a_header_are_time_and_sales() -> None:
    got = read("1672531436,90.540000,1.10448420", "1672531471,90.450000,1.00000000")
    assert (got.kind, got.side, got.decimals) == ("trades", None, {"price": 2, "volume": 7})


def test_seven_columns_without_a_header_are_candles_and_an_empty_one_is_good() -> None:
    got = read("1672531200,16528.7,16530.0,16520.1,16520.4,2.11146726,78", "1672531500,1,1,1,1,0.0,0")
    assert got.kind == "candles"
    assert (got.decimals["close"], got.decimals["volume"], got.numbers["trades"].tolist()) == (1, 8, [78, 0])


def test_rows_are_sorted_and_those_of_one_time_keep_their_order() -> None:
    got = read("3,1,1", "1,2,1", "3,3,1", "2,4,1")
    assert (got.numbers["price"].tolist(), got.out_of_order) == ([2, 4, 1, 3], 2)


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("x,1,1", "line 3, column time"),
        ("3,-1,1", "line 3, column price"),
        ("3,0,1", "line 3, column price"),
        ("3,1", "line 3, column volume"),
        ("3,1,nan", "line 3, column volume"),
        ("3,1,\uff11", "line 3, column volume"),
        ("3,1,1e400", "line 3, column volume"),
        ("3,12345678901234567890,1", "line 3, column price"),
    ],
)
def test_a_bad_row_ends_the_import_with_its_place_and_the_way_out(line: str, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read("1,1,1", "2,1,1", line)
    assert f"file, {where}" in str(caught.value)
    assert "2 rows before it are good" in str(caught.value)
    assert "--skip-bad" in str(caught.value)


def test_bad_rows_are_left_out_on_request_and_the_first_of_them_are_shown() -> None:
    reader = LineReader(skip_bad=True)
    got = read("1,1,1", *["2,x,1"] * 15, "3,1,1", reader=reader)
    assert (len(got), reader.rows, reader.bad, len(reader.shown)) == (2, 2, 15, 10)
    assert reader.shown[0] == "file, line 2, column price: expected a number above 0, found x"


@pytest.mark.parametrize("name", ["buy_or_sell", "market_or_limit"])
def test_an_unknown_word_is_a_bad_row(name: str) -> None:
    place = HEADER.split(",").index(name)
    fields = ["1", "1", "1", "b", "l", ""]
    fields[place] = "x"
    with pytest.raises(ConfigError, match="line 2, column"):
        read(HEADER, ",".join(fields))


def test_quotes_are_refused_because_there_is_no_trade_in_them() -> None:
    with pytest.raises(ConfigError, match=r"a column price.*no trade"):
        read("time,bid,ask", "1,2,3")


def test_files_of_different_columns_do_not_mix() -> None:
    reader = LineReader()
    read("1,1,1", reader=reader)
    with pytest.raises(ConfigError, match="the same columns"):
        read("1,1,1,1,1,1,1", reader=reader)


@pytest.mark.parametrize("lines", [[], [""], [HEADER]])
def test_nothing_to_import_is_an_error(lines: list[str]) -> None:
    with pytest.raises(ConfigError, match="at least one good row"):
        read(*lines)


def test_a_number_printed_by_a_binary_program_is_rounded_to_ten_decimals_and_counted() -> None:
    reader = LineReader()
    got = read("1,0.9998999999999999,1.9640000000000002e-05", "2,1,0.5", reader=reader)
    assert (got.numbers["price"].tolist(), got.decimals) == ([9999, 10_000], {"price": 4, "volume": 8})
    assert (got.numbers["volume"].tolist(), reader.rounded) == ([1964, 50_000_000], 2)


def test_numbers_that_are_too_different_for_one_unit_are_an_error() -> None:
    with pytest.raises(ConfigError, match="18 digits"):
        read("1,1,100000000000000000", "2,1,0.0000000001")


def test_the_tick_rule_tells_the_side() -> None:
    prices = np.array([5, 5, 6, 6, 4, 4, 7], dtype=np.int64)
    assert sides_by_tick_rule(prices).tolist() == [0, 0, 0, 0, 1, 1, 0]
    assert sides_by_tick_rule(prices[:0]).tolist() == []


def test_only_what_repeats_in_every_column_is_a_duplicate() -> None:
    got = read("1,1,1", "2,1,1", "2,1,2", "2,1,1", "3,1,1")
    assert duplicates_in(got).tolist() == [False, False, False, True, False]


def test_the_interval_of_candles_is_their_smallest_step() -> None:
    minute = 60_000_000_000
    begins = np.array([0, 15, 45], dtype=np.int64) * minute
    assert (candle_minutes(begins, None), candle_minutes(begins, 5)) == (15, 5)
    with pytest.raises(ConfigError, match="every beginning fits"):
        candle_minutes(begins, 60)
    with pytest.raises(ConfigError, match="--interval"):
        candle_minutes(begins[:1], None)
