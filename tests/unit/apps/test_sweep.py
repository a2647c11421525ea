from __future__ import annotations

import json
import os
import re
from pathlib import Path

import plotly.graph_objects as go
import pytest
from tests.unit.apps.backtests import Pretended
from tests.unit.apps.test_report import Outline, specs_in

from krakenwire.apps.sweep import Sweep, grid_from, sweep
from krakenwire.apps.sweep_plots import sweep_page, sweep_verdict
from krakenwire.cli import bot_sweep
from krakenwire.cli.parsers import Parser
from krakenwire.errors import TapeError, UsageError

GRID = {"fast": ["5", "10", "20"], "slow": ["50", "100"]}


def test_every_choice_is_run_and_the_best_comes_first() -> None:
    seen: list[tuple[int, int]] = []
    found = sweep(Pretended(), GRID, workers=1, progress=lambda done, total: seen.append((done, total)))
    assert [row.choice for row in found.rows[:3]] == [("10", "100"), ("5", "100"), ("10", "50")]
    assert found.rows[0].value == pytest.approx(0.110)
    assert seen == [(place, 6) for place in range(1, 7)]
    assert (found.planned, found.done, found.interrupted, found.walk_forward) == (6, 6, False, None)
    assert sweep_verdict(found) == "6 runs; the best by return is fast=10, slow=100 with 0.11."


def test_processes_give_the_same_rows_and_open_the_market_once_each(tmp_path: Path) -> None:
    found = sweep(Pretended(str(tmp_path)), GRID, splits=1, workers=2)
    assert found == sweep(Pretended(), GRID, splits=1, workers=1)
    opened = {path.name for path in tmp_path.iterdir()}
    assert 1 <= len(opened) <= 2
    assert str(os.getpid()) not in opened


def test_a_process_that_is_ended_is_told() -> None:
    with pytest.raises(UsageError, match="a process of the sweep was ended"):
        sweep(Pretended(breaks_at="10"), GRID, workers=2)


def test_a_run_that_fails_is_a_row_with_its_error() -> None:
    found = sweep(Pretended(fails_at="10"), GRID, workers=1)
    assert [row.value for row in found.rows[-2:]] == [None, None]
    assert found.rows[-1].error == "Cross.on_trade failed at cross.py:7: ZeroDivisionError"
    assert found.rows[0].choice == ("5", "100")


def test_a_market_that_is_missing_ends_the_sweep_before_it_begins() -> None:
    with pytest.raises(TapeError, match="no tape"):
        sweep(Pretended(missing=True), GRID, workers=2)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_keeps_what_is_done(workers: int) -> None:
    def interrupt(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    found = sweep(Pretended(), GRID, splits=1, workers=workers, progress=interrupt)
    assert (found.interrupted, found.done, found.planned, found.walk_forward) == (True, 2, 18, None)
    assert len(found.rows) == 2
    assert sweep_verdict(found).startswith("2 of 18 runs, interrupted; the best by return is ")


def test_the_walk_forward_runs_every_choice_on_every_part() -> None:
    found = sweep(Pretended(), GRID, splits=2, workers=1)
    assert found.done == 6 * 4
    assert found.walk_forward is not None
    assert [split.chosen for split in found.walk_forward.splits] == [("10", "100"), ("10", "100")]


@pytest.mark.parametrize(
    "texts", [[], ["fast"], ["=1"], ["fast="], ["fast=1,,2"], ["fast=1,1"], ["fast=1", "fast=2"]], ids=str
)
def test_a_grid_that_cannot_be_is_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError, match="--grid"):
        grid_from(texts)


def test_a_grid_is_read_as_it_is_written() -> None:
    assert grid_from(["fast=5, 10", "mode=a,b"]) == {"fast": ["5", "10"], "mode": ["a", "b"]}


def test_too_many_runs_are_refused_before_the_first() -> None:
    values = [str(place) for place in range(1_000)]
    with pytest.raises(UsageError, match="at most 100,000 runs"):
        sweep(Pretended(), {"fast": values, "slow": values})


def swept(grid: dict[str, list[str]]) -> tuple[Sweep, dict[str, dict[str, object]]]:
    found = sweep(Pretended(), grid, workers=1, splits=1)
    page = sweep_page("Sweep of cross.py", found)
    assert Outline(page).loads == []
    return found, specs_in(page)


def test_two_parameters_make_one_heat_map_with_axes_in_order_of_number() -> None:
    found, specs = swept({"fast": ["20", "5", "10"], "slow": ["100", "50"]})
    (trace,) = go.Figure(specs["map-0"]).data
    assert (list(trace.x), list(trace.y)) == (["5", "10", "20"], ["50", "100"])
    assert trace.z[1][1] == found.rows[0].value
    assert set(specs) == {"map-0"}


def test_three_parameters_make_a_map_for_each_value_of_the_third_on_one_scale() -> None:
    _, specs = swept({**GRID, "third": ["a", "b", "c"]})
    assert set(specs) == {"map-0", "map-1", "map-2"}
    assert len({(go.Figure(spec).data[0].zmin, go.Figure(spec).data[0].zmax) for spec in specs.values()}) == 1


def test_one_parameter_makes_a_line() -> None:
    _, specs = swept({"fast": ["5", "10"]})
    assert list(go.Figure(specs["map-0"]).data[0].x) == ["5", "10"]


def command(*argv: str) -> int:
    parser = Parser(prog="krakenwire bot")
    bot_sweep.add_parser(parser.add_subparsers(dest="action"))
    return bot_sweep.run_sweep(
        parser.parse_args(["sweep", "cross.py", "--tape", "t", "--workers", "1", *argv]), Pretended()
    )


def test_the_command_shows_the_table_and_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = command("--grid", "fast=5,10", "--grid", "slow=50,100", "--walk-forward", "1", "--out", str(tmp_path / "s"))
    out = capsys.readouterr().out
    assert code == 0
    assert out.startswith("12 runs; the best by return is fast=10, slow=100 with 0.11.\n")
    assert re.search(r"^ *10 +100 +0\.11 +\+11\.00 %", out, re.MULTILINE)
    assert "Walk forward" in (tmp_path / "s" / "sweep.html").read_text()


def test_the_command_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--grid", "fast=5,10", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["choice"] for row in found["rows"]] == [["10"], ["5"]]
