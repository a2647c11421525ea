"""Histories: found by number and by time, whatever came late, without looking at every row."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from krakenwire.venue.trading.history import History


class Row(NamedTuple):
    number: int
    time_ns: int


def history(times: list[int], kept_max: int = 1_000) -> History[Row]:
    rows: History[Row] = History(lambda row: row.time_ns, kept_max)
    for number, time_ns in enumerate(times):
        rows.keep(Row(number * 3, time_ns))
    return rows


late = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=40).map(
    lambda steps: [sum(step for step, _ in steps[: at + 1]) - back for at, (_, back) in enumerate(steps)]
)
"""Times that rise, but for rows that come a little late."""

edge = st.none() | st.integers(-10, 250)


@given(times=late | st.lists(st.integers(0, 50), max_size=30), start=edge, end=edge, kept=st.integers(1, 50))
def test_a_span_is_what_looking_at_each_row_would_find(
    times: list[int], start: int | None, end: int | None, kept: int
) -> None:
    rows = history(times, kept)
    expected = [
        row for row in reversed(rows) if (start is None or row.time_ns > start) and (end is None or row.time_ns <= end)
    ]
    span = rows.between(start, end)
    assert list(span) == expected
    assert len(span) == len(expected)
    for first in range(0, len(expected) + 3, 2):
        assert span.page(first, 5) == expected[first : first + 5]


@given(times=late, kept=st.integers(1, 50), number=st.integers(-2, 130))
def test_a_row_is_found_by_its_number_while_it_is_kept(times: list[int], kept: int, number: int) -> None:
    rows = history(times, kept)
    assert rows.find(number) == next((row for row in rows if row.number == number), None)
    assert all(row.number < number for row in list(rows)[: rows.at(number)])
    assert all(row.number >= number for row in list(rows)[rows.at(number) :])


def test_the_latest_rows_come_newest_first() -> None:
    rows = history([1, 2, 3, 4], 3)
    assert [row.time_ns for row in rows.newest(2)] == [4, 3]
    assert [row.time_ns for row in rows.newest(9)] == [4, 3, 2]
    assert rows.newest(0) == []


def test_a_page_of_a_long_history_touches_the_rows_of_the_page_and_few_more() -> None:
    touched: list[int] = []

    def time_of(row: Row) -> int:
        touched.append(row.number)
        return row.time_ns

    rows: History[Row] = History(time_of, 100_000)
    for number in range(100_000):
        rows.keep(Row(number, number - 3 * (number % 1_000 == 7)))
    touched.clear()
    span = rows.between(40_000, 60_000)
    assert len(span.page(10_000, 50)) == 50
    assert len(span) == 20_000
    assert len(touched) < 100
