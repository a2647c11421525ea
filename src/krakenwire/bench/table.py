"""The result as text for people: lines of cells, and a plain rendering of them.

`krakenwire bench` draws the same cells with rich where it is installed.
"""

from __future__ import annotations

from collections.abc import Sequence

from krakenwire.bench.rows import Row
from krakenwire.bench.suites import Result

__all__ = ["COLUMNS", "cells", "plain_table", "verdict"]

COLUMNS = ("what", "median", "min-max", "yardstick", "", "ratio", "must", "aim", "")


def cells(row: Row) -> tuple[str, ...]:
    """Return the cells of one row, in the order of `COLUMNS`; the last one is whether the bound is kept."""
    if row.value is None:
        return (row.title, "-", "", "", "", "", _bound(row, row.must), _bound(row, row.aim), row.note)
    span = f"{number(row.min)}-{number(row.max)}"
    mark = "" if row.met is None else "met" if row.met else "MISSED"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}" if row.ratio < 10 else f"{row.ratio:.1f}"
    return (
        row.title,
        f"{number(row.value)} {row.unit}",
        span,
        row.yardstick or "",
        "" if row.yardstick_value is None else number(row.yardstick_value),
        ratio,
        _bound(row, row.must),
        _bound(row, row.aim),
        mark,
    )


def plain_table(result: Result) -> list[str]:
    """Return the whole table as aligned lines."""
    table = [COLUMNS, *(cells(row) for row in result.rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]


def verdict(result: Result) -> list[str]:
    """Return what the run proves, and what it does not."""
    judged = [row for row in result.rows if row.must is not None]
    met = sum(row.met is True for row in judged)
    lines = [f"{met} of {len(judged)} bounds met"]
    if unmeasured := [row.name for row in judged if row.met is None]:
        lines.append(f"not measured: {', '.join(unmeasured)}")
    if missing := [row.name for row in judged if row.met is False]:
        lines.append(f"missed: {', '.join(missing)}")
    if result.quick:
        lines.append("quick run: it shows that everything works, its figures mean nothing")
    return [*lines, result.noise.verdict]


def number(value: float | None) -> str:
    """Return a figure with as many digits as mean something."""
    if value is None:
        return ""
    if value >= 1_000_000:
        return f"{value / 1e6:.2f}M"
    if value >= 10_000:
        return f"{value / 1e3:.0f}k"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _bound(row: Row, bound: float | None) -> str:
    return "" if bound is None else f"{row.relation} {number(bound) if bound >= 10_000 else f'{bound:g}'}"


def notes(rows: Sequence[Row]) -> list[str]:
    """Return the remarks of measured rows, one a line."""
    return [f"{row.title}: {row.note}" for row in rows if row.note and row.value is not None]
