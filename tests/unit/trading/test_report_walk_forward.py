from __future__ import annotations

from itertools import pairwise

import pytest
from tests.unit.trading.runs import equity, head, plausible_run

from krakenwire.errors import UsageError
from krakenwire.trading.report.figures import figures
from krakenwire.trading.report.run import RunRows
from krakenwire.trading.report.walk_forward import METRICS, in_order, metric_named, neighbours, parts, walk_forward

GRID = [["1", "2", "3", "4", "5"]]
SPANS = [(0, 10), (10, 20), (20, 30)]
SMOOTH = {("1",): 1.0, ("2",): 1.9, ("3",): 2.0, ("4",): 1.9, ("5",): 1.0}


def test_parts_leave_nothing_out_and_do_not_overlap() -> None:
    found = parts(100, 207, 3)
    assert (found[0][0], found[-1][1], len(found)) == (100, 207, 4)
    assert all(one[1] == other[0] for one, other in pairwise(found))


@pytest.mark.parametrize(("end", "splits"), [(200, 0), (102, 3)])
def test_what_cannot_be_split_is_refused(end: int, splits: int) -> None:
    with pytest.raises(UsageError, match="cannot be split"):
        parts(100, end, splits)


def test_values_are_in_order_of_number_and_words_come_last() -> None:
    assert in_order(["20", "b", "5", "-1.5", "a", "10"]) == ["-1.5", "5", "10", "20", "a", "b"]


def test_neighbours_are_one_step_away_in_one_parameter() -> None:
    grid = [["5", "10", "20"], ["50", "100"]]
    assert neighbours(("10", "50"), grid) == [("5", "50"), ("20", "50"), ("10", "100")]
    assert neighbours(("5", "100"), grid) == [("10", "100"), ("5", "50")]


def test_parameters_that_hold_on_the_next_part_give_no_warning() -> None:
    found = walk_forward(SPANS, [SMOOTH, SMOOTH, SMOOTH], GRID)
    assert found.warnings == []
    first = found.splits[0]
    assert (first.chosen, first.in_sample, first.out_of_sample, first.median) == (("3",), 2.0, 2.0, 1.9)
    assert (first.rank, first.choices, first.in_end_ns, first.out_end_ns) == (1, 5, 10, 20)
    assert len(found.splits) == 2


def test_the_best_in_sample_below_the_median_out_of_sample_is_warned_of() -> None:
    after = {("1",): 3.0, ("2",): 2.5, ("3",): 1.8, ("4",): 2.2, ("5",): 2.1}
    (warning,) = walk_forward(SPANS[:2], [SMOOTH, after], GRID).warnings
    assert warning == "split 1: the best in sample (3) is number 5 of 5 out of sample, below the median (1.8 < 2.2)"


def test_less_than_half_kept_is_a_degradation() -> None:
    after = {choice: score / 3 for choice, score in SMOOTH.items()}
    (warning,) = walk_forward(SPANS[:2], [SMOOTH, after], GRID).warnings
    assert warning == "degradation: 2 in sample is 0.6667 out of sample, less than half"
    exactly_half = {choice: score / 2 for choice, score in SMOOTH.items()}
    assert walk_forward(SPANS[:2], [SMOOTH, exactly_half], GRID).warnings == []


def test_a_peak_that_stands_alone_is_warned_of() -> None:
    peak = {("1",): 1.0, ("2",): 1.0, ("3",): 2.0, ("4",): 1.1, ("5",): 1.0}
    (warning,) = walk_forward(SPANS[:2], [peak, peak], GRID).warnings
    assert warning == "split 1: the best in sample (3) stands alone: 2, its neighbours 1.05, the median of the others 1"


def test_a_part_on_which_all_choices_are_the_same_chooses_nothing() -> None:
    flat = dict.fromkeys(SMOOTH, 0.0)
    (warning,) = walk_forward(SPANS[:2], [flat, SMOOTH], GRID).warnings[-1:]
    assert warning == "split 1: every choice gives 0 in sample, so nothing was chosen"


def test_parts_without_a_metric_are_told_and_not_guessed() -> None:
    nothing = dict.fromkeys(SMOOTH)
    found = walk_forward(SPANS, [nothing, SMOOTH, nothing], GRID)
    assert [split.out_of_sample for split in found.splits] == [None]
    assert found.warnings == [
        "split 1: the best in sample has no metric out of sample",
        "1 splits have no metric in sample: parts too short, or no trades",
    ]


def test_every_metric_is_better_when_it_is_more() -> None:
    good = figures(RunRows(head(), equity=[equity(0, "100"), equity(1, "99"), equity(2, "120")]))
    bad = figures(RunRows(head(), equity=[equity(0, "100"), equity(1, "70"), equity(2, "80")]))
    for name in ("return", "profit", "drawdown"):
        better, worse = METRICS[name](good), METRICS[name](bad)
        assert better is not None
        assert worse is not None
        assert better > worse
    nothing = figures(RunRows(head()))
    assert [metric(nothing) for metric in METRICS.values()] == [None] * len(METRICS)
    assert METRICS["hit-rate"](figures(plausible_run(samples=2_000))) is not None
    with pytest.raises(UsageError, match="no metric luck"):
        metric_named("luck")
