"""Rows of the result: a value, its yardstick, their ratio, and whether the goal is met.

A row that could not be measured says why and is not counted as met.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from krakenwire.bench.goals import GOALS, Goal
from krakenwire.bench.timing import Series

__all__ = ["Row", "compared", "measured", "missed", "undecided", "unmeasured"]


class Row(msgspec.Struct, kw_only=True):
    """One line of the result; `value`, `median`, `min`, `max` are in `unit`, as is `yardstick_value`.

    Args:
        name: stable, for scripts; `title` is for readers, `suite` is the group it belongs to.
        ratio: value to yardstick where small is good; how many times better than it where large is good:
            the median of the rounds' own ratios; `ratio_low`, `ratio_high` are their quartiles.
        must, aim: bounds, kept with `relation` by what `speaks_of` names; None where a row only informs.
        met, aim_met: whether they are kept; None without a bound or without a measurement.
        spread: (max - min) / median.
        note: what a reader must know, as that a peer verifies nothing, or why there is no value.
    """

    name: str
    title: str
    suite: str
    value: float | None = None
    unit: str = ""
    yardstick: str | None = None
    yardstick_value: float | None = None
    yardstick_spread: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    relation: Literal["<=", ">="] = "<="
    speaks_of: Literal["ratio", "value"] = "ratio"
    must: float | None = None
    aim: float | None = None
    met: bool | None = None
    aim_met: bool | None = None
    rounds: int = 0
    median: float | None = None
    min: float | None = None
    max: float | None = None
    spread: float | None = None
    note: str = ""


def compared(name: str, ours: Series, yardstick: str, theirs: Series, unit: str, *, note: str = "") -> Row:
    """Return the row of a case measured beside a yardstick.

    Args:
        name: a key of `GOALS`.
        ours: in `unit`.
        yardstick: its name.
        theirs: in `unit`.
        unit: ``ns/...`` and ``us`` are costs, ``.../s`` are rates.
        note: what a reader must know.
    """
    goal = GOALS[name]
    ratio, (low, high) = ours.beside(theirs), ours.quartiles_beside(theirs)
    if goal.relation == ">=" and not unit.endswith("/s"):
        ratio, low, high = 1 / ratio, 1 / high, 1 / low  # costs: so many times cheaper
    row = measured(name, ours, unit, note=note)
    row.yardstick = yardstick
    row.yardstick_value, row.yardstick_spread = _rounded(theirs.median), round(theirs.spread, 3)
    row.ratio, row.ratio_low, row.ratio_high = round(ratio, 3), round(low, 3), round(high, 3)
    return _judged(row, goal)


def measured(name: str, ours: Series, unit: str, *, note: str = "") -> Row:
    """Return the row of a case without a yardstick."""
    row = _blank(name, note)
    row.unit, row.rounds = unit, len(ours.values)
    row.value = row.median = _rounded(ours.median)
    row.min, row.max, row.spread = _rounded(ours.low), _rounded(ours.high), round(ours.spread, 3)
    return _judged(row, GOALS[name])


def undecided(rows: list[Row]) -> list[Row]:
    """Return the rows whose bound lies between the quartiles of their ratios: another run may judge otherwise."""
    return [
        row
        for row in rows
        if row.must is not None
        and row.ratio_low is not None
        and row.ratio_high is not None
        and row.ratio_low < row.must < row.ratio_high
    ]


def unmeasured(name: str, why: str) -> Row:
    """Return a row that says why there is no value."""
    return _blank(name, why)


def missed(rows: list[Row]) -> list[Row]:
    """Return the rows whose bound is not kept; what could not be measured is not among them."""
    return [row for row in rows if row.met is False]


def _blank(name: str, note: str) -> Row:
    goal = GOALS[name]
    return Row(
        name=name,
        title=goal.title,
        suite=goal.suite,
        relation=goal.relation,
        speaks_of=goal.speaks_of,
        must=goal.must,
        aim=goal.aim,
        note=note,
    )


def _judged(row: Row, goal: Goal) -> Row:
    judged = row.ratio if goal.speaks_of == "ratio" else row.value
    if judged is not None:
        row.met, row.aim_met = _kept(judged, goal, goal.must), _kept(judged, goal, goal.aim)
    return row


def _kept(judged: float, goal: Goal, bound: float | None) -> bool | None:
    if bound is None:
        return None
    return judged <= bound if goal.relation == "<=" else judged >= bound


def _rounded(value: float) -> float:
    return round(value) if value >= 10_000 else round(value, 2)
