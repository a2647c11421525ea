"""The documents get their figures from a result, and only between the marks."""

from __future__ import annotations

from pathlib import Path

import msgspec
from bench import report

from krakenwire.bench.noise import NoiseMeter
from krakenwire.bench.rows import compared, measured, unmeasured
from krakenwire.bench.suites import Result, machine
from krakenwire.bench.timing import Series


def test_a_result_replaces_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    meter = NoiseMeter()
    meter.look()
    rows = [
        compared("offline-order-book", Series((300.0,)), "order-book", Series((6_600.0,)), "ns/frame", note="a remark"),
        unmeasured("offline-ccxt", "not installed: ccxt"),
        measured("memory-1000-books", Series((40.0,)), "MiB"),
    ]
    result = Result(rows=rows, machine=machine(), noise=meter.judge(rows), rounds=5, quick=False)
    page, file = tmp_path / "performance.md", tmp_path / "result.json"
    page.write_text(f"above\n{report.BEGIN}old\n{report.END}below\n")
    file.write_bytes(msgspec.json.encode(result))
    assert report.main([str(file), "--docs", str(tmp_path)]) == 0
    text = page.read_text()
    assert text.startswith(f"above\n{report.BEGIN}")
    assert text.endswith(f"{report.END}below\n")
    assert "old" not in text
    assert "| order-book (a remark) | 6,600 | 22 | ≥ 20 |  | yes |" in text
    assert "not measured: not installed: ccxt" in text
    assert "≤ 60" in text
    assert (tmp_path / "performance.svg").read_text().startswith("<svg")


def test_the_local_kraken_has_a_place_of_its_own_and_the_rest_is_left(tmp_path: Path) -> None:
    meter = NoiseMeter()
    meter.look()
    rows = [measured("venue-followers", Series((0.0, 0.0)), "frames")]
    page, file = tmp_path / "performance.md", tmp_path / "result.json"
    page.write_text(f"{report.BEGIN}kept\n{report.END}between\n{report.BEGIN_VENUE}old\n{report.END_VENUE}below\n")
    file.write_bytes(
        msgspec.json.encode(Result(rows=rows, machine=machine(), noise=meter.judge(rows), rounds=5, quick=False))
    )
    assert report.main([str(file), "--docs", str(tmp_path)]) == 0
    text = page.read_text()
    assert text.startswith(f"{report.BEGIN}kept\n{report.END}between\n{report.BEGIN_VENUE}")
    assert "| 0.0 frames | 0.0-0.0 |  |  |  | ≤ 0 |  | yes |" in text
    assert "old" not in text


def test_tapes_and_strategies_have_one_place_together(tmp_path: Path) -> None:
    meter = NoiseMeter()
    meter.look()
    rows = [measured(name, Series((400_000.0, 400_000.0)), "frames/s") for name in ("tape-parquet", "order-path")]
    page, file = tmp_path / "performance.md", tmp_path / "result.json"
    page.write_text(f"{report.BEGIN}kept\n{report.END}between\n{report.BEGIN_BOT}old\n{report.END_BOT}below\n")
    file.write_bytes(
        msgspec.json.encode(Result(rows=rows, machine=machine(), noise=meter.judge(rows), rounds=5, quick=False))
    )
    assert report.main([str(file), "--docs", str(tmp_path)]) == 0
    text = page.read_text()
    assert text.startswith(f"{report.BEGIN}kept\n{report.END}between\n{report.BEGIN_BOT}")
    assert text.endswith(f"{report.END_BOT}below\n")
    assert text.count("| ≥ 300k |") == 1
    assert text.count("400k frames/s") == 2


def test_the_documents_have_the_marks() -> None:
    text = (report.DOCS / "performance.md").read_text()
    assert text.index(report.BEGIN) < text.index(report.END)
    assert text.index(report.BEGIN_VENUE) < text.index(report.END_VENUE)
    assert text.index(report.BEGIN_BOT) < text.index(report.END_BOT)
