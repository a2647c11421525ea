"""The count of instructions judges by the committed figures and says why it cannot count."""

from __future__ import annotations

import shutil

import pytest
from bench.instructions import __main__ as instructions


def test_growth_beyond_the_tolerance_is_told_from_all_else() -> None:
    lines, grown = instructions.judged(
        {"10": 103.1, "100": 96.0, "1000": 101.0}, {"10": 100.0, "100": 100.0, "1000": 100.0}
    )
    assert grown
    assert ["GREW" in line for line in lines] == [True, False, False]
    assert "fell" in lines[1]
    assert not instructions.judged({"10": 102.9}, {"10": 100.0})[1]


def test_another_compilers_figure_is_shown_and_not_judged() -> None:
    lines, grown = instructions.judged({"10": 5000.0}, {})
    assert not grown
    assert "no figure of this compiler" in lines[0]


def test_without_valgrind_nothing_is_counted_and_the_reason_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == "valgrind" else "/usr/bin/tool")
    assert instructions.main([]) == 0
    assert "valgrind is not installed" in capsys.readouterr().out


@pytest.mark.nightly
def test_the_one_pass_takes_no_more_instructions_than_committed(capsys: pytest.CaptureFixture[str]) -> None:
    if reason := instructions.missing():
        pytest.skip(reason)
    assert instructions.main([]) == 0, capsys.readouterr().out
