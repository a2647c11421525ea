from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from tests.unit.apps.test_report import Outline
from tests.unit.trading.runs import plausible_run

from krakenwire.apps.report import keep_run
from krakenwire.cli import bot_drift, bot_report
from krakenwire.cli.parsers import Parser
from krakenwire.errors import UsageError
from krakenwire.trading.report.run import RunRows


def command(*argv: str) -> int:
    parser = Parser(prog="krakenwire bot")
    subparsers = parser.add_subparsers(dest="action")
    modules = {"report": bot_report, "drift": bot_drift}
    for module in modules.values():
        module.add_parser(subparsers)
    args = parser.parse_args(argv)
    return modules[args.action].run(args)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keep_run(tmp_path / "a", plausible_run(samples=800))
    return tmp_path


def changed(run: RunRows) -> RunRows:
    run.fills[0] = msgspec.structs.replace(run.fills[0], price=run.fills[0].price + 1)
    return run


def test_the_report_is_drawn_anew_where_the_run_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = folder / "a" / "report.html"
    before = page.read_text()
    page.unlink()
    assert command("report", str(folder / "a")) == 0
    assert page.read_text() == before
    assert capsys.readouterr().out == f"{page}\n"


def test_the_report_goes_where_it_is_wanted(folder: Path) -> None:
    assert command("report", str(folder / "a"), "--out", str(folder / "new" / "x.html")) == 0
    assert (folder / "new" / "x.html").exists()


def test_a_folder_without_a_run_is_named(folder: Path) -> None:
    with pytest.raises(UsageError, match="is not the folder of a run"):
        command("report", str(folder))


def test_a_page_that_cannot_be_written_is_named(folder: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        command("report", str(folder / "a"), "--out", str(folder / "a" / "run.json" / "x.html"))


def test_two_runs_that_are_the_same_are_so_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep_run(folder / "b", plausible_run(samples=800))
    assert command("drift", str(folder / "a"), str(folder / "b")) == 0
    out = capsys.readouterr().out
    assert out.startswith("Identical: ")
    assert out.count("\n") == 1


def test_two_runs_that_differ_show_the_first_difference_and_end_with_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_run(folder / "b", changed(plausible_run(samples=800)))
    page = folder / "drift.html"
    assert command("drift", str(folder / "a"), str(folder / "b"), "--out", str(page)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1 of ")
    assert "(price: B " in lines[0]
    outline = Outline(page.read_text())
    assert outline.loads == []
    assert any("Trade by trade" in words for words in outline.words)


def test_the_comparison_as_json_has_every_amount_exact(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep_run(folder / "b", changed(plausible_run(samples=800)))
    assert command("drift", str(folder / "a"), str(folder / "b"), "--json") == 1
    found = json.loads(capsys.readouterr().out)
    (row,) = found["differences"]
    assert (found["same"], row["cause"], abs(float(row["money"]))) == (False, "price", 0.0125)


@pytest.mark.parametrize("text", ["-1", "nan", "soon", "1e99"])
def test_a_tolerance_that_is_none_is_refused(folder: Path, text: str) -> None:
    with pytest.raises(SystemExit) as stop:
        command("drift", str(folder / "a"), str(folder / "a"), "--tolerance-ms", text)
    assert stop.value.code == 2
