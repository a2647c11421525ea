"""Rows judge what was measured by the goals; noise, tables and the picture say what they must."""

from __future__ import annotations

import dataclasses
import json
import xml.etree.ElementTree as ET

import msgspec
import pytest

from krakenwire.bench import noise
from krakenwire.bench.goals import GOALS, SUITES
from krakenwire.bench.noise import Noise, NoiseMeter
from krakenwire.bench.plot import draw
from krakenwire.bench.rows import Row, compared, measured, missed, undecided, unmeasured
from krakenwire.bench.suites import Result
from krakenwire.bench.table import cells, plain_table, verdict
from krakenwire.bench.timing import Job, Series, take_turns


def series(*values: float) -> Series:
    return Series(values)


def test_a_cost_is_judged_by_its_share_of_the_yardstick() -> None:
    row = compared("v2-depth-10", series(290, 300, 310), "y", series(500, 600, 700), "ns/frame")
    assert (row.value, row.yardstick_value, row.ratio) == (300, 600, 0.5)
    assert (row.must, row.met, row.aim_met) == (0.60, True, False)
    assert (row.rounds, row.median, row.min, row.max) == (3, 300, 290, 310)
    assert row.spread == pytest.approx(20 / 300, abs=1e-3)


def test_a_peer_row_says_how_many_times_faster_for_costs_and_for_rates() -> None:
    cost = compared("offline-ccxt", series(200.0), "ccxt", series(15_000.0), "ns/frame")
    rate = compared("e2e-ccxt", series(2_000_000.0), "ccxt", series(50_000.0), "frames/s")
    assert (cost.ratio, cost.met) == (75, True)
    assert (rate.ratio, rate.met, rate.aim_met) == (40, True, True)
    assert compared("offline-ccxt", series(300.0), "ccxt", series(15_000.0), "ns/frame").met is False


def test_a_goal_of_a_value_needs_no_yardstick() -> None:
    assert measured("memory-1000-books", series(49.0), "MiB").met is True
    assert measured("memory-1000-books", series(61.0), "MiB").met is False
    rate = measured("matching-rate", series(9e6), "commands/s")
    assert (rate.met, rate.aim_met) == (None, True)


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    row = unmeasured("offline-ccxt", "not installed: ccxt")
    assert (row.value, row.met) == (None, None)
    assert "not installed: ccxt" in cells(row)
    assert missed([row]) == []


def test_every_goal_belongs_to_a_suite_and_every_suite_has_a_goal() -> None:
    assert {goal.suite for goal in GOALS.values()} == set(SUITES)


def test_cases_take_turns_within_each_round_and_prove_their_work() -> None:
    order: list[str] = []

    def job(name: str) -> Job:
        return Job(lambda: order.append(name), 2, lambda: order.append(f"proof of {name}"))

    def measure(job: Job) -> float:
        job.run()
        job.prove()
        return 7.0

    result = take_turns({"a": lambda: job("a"), "b": lambda: job("b")}, 1, measure)
    assert [len(case.values) for case in result.values()] == [5, 5]
    assert order[:8] == ["a", "proof of a", "b", "proof of b", "b", "proof of b", "a", "proof of a"]


def test_work_that_is_not_done_ends_the_run() -> None:
    def prove() -> None:
        raise AssertionError("not done")

    with pytest.raises(AssertionError, match="not done"):
        take_turns({"a": lambda: Job(lambda: None, 1, prove)}, 5)


def meter(*points: tuple[float, float]) -> Noise:
    machine = NoiseMeter()
    machine._points = list(points)
    return machine.judge([])


def test_noise_is_told_by_stolen_time() -> None:
    assert not meter((500, 1.0), (520, 1.05), (510, 1.0)).too_noisy
    assert meter((500, 1.0), (505, noise.WALL_MAX + 0.1)).too_noisy


def test_a_change_of_speed_is_told_and_forbids_no_judgement() -> None:
    moved = meter((500, 1.0), (700, 1.0), (510, 1.0))
    assert not moved.too_noisy
    assert "moved by 39%" in moved.verdict


def test_ratios_on_both_sides_of_their_bound_are_not_judged() -> None:
    unsure = compared("v2-depth-10", series(50, 55, 65, 70, 58), "y", series(*[100] * 5), "ns/frame")
    sure = compared("v2-depth-10", series(50, 55, 59, 58, 90), "y", series(*[100] * 5), "ns/frame")
    peer = compared("offline-ccxt", series(1, 1, 1, 1, 1), "ccxt", series(50, 55, 61, 70, 80), "ns/frame")
    assert (unsure.ratio_low, unsure.ratio_high) == (0.55, 0.65)
    assert undecided([unsure, sure, peer]) == [unsure, peer]
    machine = NoiseMeter()
    machine._points = [(500, 1.0)]
    judged = machine.judge([unsure, sure])
    assert (judged.too_noisy, judged.undecided) == (True, ["v2-depth-10"])
    assert "both sides" in judged.verdict


def test_the_noise_meter_measures_something() -> None:
    machine = NoiseMeter()
    machine.look()
    assert machine.judge([]).yardstick_ns[0] > 0


def result(*rows: Row, quick: bool = False) -> Result:
    facts: dict[str, str | int] = {"processor": "a <processor>", "python": "CPython 3"}
    return Result(rows=list(rows), machine=facts, noise=meter((500, 1.0)), rounds=5, quick=quick)


ROWS = (
    compared("v2-depth-10", series(250.0), "msgspec", series(600.0), "ns/frame"),
    unmeasured("offline-ccxt", "not installed: ccxt"),
    compared("offline-order-book", series(400.0), "order-book", series(6_000.0), "ns/frame", note="a remark"),
    compared("e2e-c-loop", series(1_500_000.0), "loop", series(3_000_000.0), "frames/s"),
)


def test_the_table_shows_every_row_and_the_verdict_counts_them() -> None:
    lines = plain_table(result(*ROWS))
    assert len(lines) == 1 + len(ROWS)
    assert "0.42" in lines[1]
    assert lines[1].endswith("met")
    assert lines[3].endswith("MISSED")
    said = verdict(result(*ROWS, quick=True))
    assert said[:3] == ["2 of 4 bounds met", "not measured: offline-ccxt", "missed: offline-order-book"]
    assert "quick run" in said[3]
    assert "quiet enough" in said[4]


def test_the_result_is_plain_json() -> None:
    rows = json.loads(msgspec.json.encode(result(*ROWS)))["rows"]
    assert [row["met"] for row in rows] == [True, None, False, True]
    assert {"name", "value", "unit", "yardstick", "ratio", "must", "aim", "met", "median", "min", "max"} <= set(rows[0])


def test_the_picture_is_svg_with_a_bar_for_everything_measured() -> None:
    root = ET.fromstring(draw(result(*ROWS)))
    kinds = [node.get("class") for node in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert kinds.count("ours") == 2
    assert kinds.count("other") == 3
    widths = [float(node.get("width", "0")) for node in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert all(0 < width <= 860 for width in widths)
    text = "".join(root.itertext())
    assert "ccxt" not in text.split("krakenwire", 2)[1]
    assert "prefers-color-scheme: dark" in text


def test_the_picture_of_nothing_is_empty_but_whole() -> None:
    assert list(ET.fromstring(draw(result())).iter("{http://www.w3.org/2000/svg}line")) == []


def test_a_series_knows_its_middle_and_its_spread() -> None:
    values = series(4.0, 1.0, 2.0)
    assert (values.median, values.low, values.high, values.spread) == (2.0, 1.0, 4.0, 1.5)
    assert values.rate().values == (2.5e8, 1e9, 5e8)
    assert dataclasses.is_dataclass(values)


def test_what_slows_a_whole_round_down_is_not_in_the_ratio() -> None:
    ours, theirs = series(1.0, 10.0, 10.0), series(2.0, 20.0, 4.0)
    assert ours.beside(theirs) == 0.5
    assert ours.median / theirs.median == 2.5
