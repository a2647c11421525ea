from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.trading.runs import equity, fill, head, plausible_run

from krakenwire.errors import UsageError
from krakenwire.storage.run_folder import check_run_folder, read_run, run_summary, write_run
from krakenwire.trading.report.run import RunRows


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    run = plausible_run(samples=800)
    write_run(tmp_path / "a" / "run", run, summary={"net_profit": Decimal("1.50"), "sharpe": None})
    assert read_run(tmp_path / "a" / "run") == run
    assert run_summary(tmp_path / "a" / "run") == {"net_profit": "1.50", "sharpe": None}


def test_an_empty_run_comes_back_as_it_was(tmp_path: Path) -> None:
    write_run(tmp_path, RunRows(head()), summary={})
    assert read_run(tmp_path) == RunRows(head())


def test_amounts_are_exact_decimals_that_other_programs_add_up(tmp_path: Path) -> None:
    fills = [fill("buy", "0.00000001", "60000.1", fee="0.000000000150"), fill("buy", "1E+2", "7", at_s=1, fee="0.1")]
    write_run(tmp_path, RunRows(head(), fills=fills), summary={})
    assert pa.types.is_decimal128(pq.read_schema(tmp_path / "fills.parquet").field("fee").type)
    (found,) = duckdb.sql(f"select sum(qty) from '{tmp_path}/fills.parquet'").fetchall()
    assert found == (Decimal("100.00000001"),)


def test_more_digits_than_a_decimal128_has_are_kept_too(tmp_path: Path) -> None:
    long = "123456789012345.12345678901234567890123456789"
    run = RunRows(head(), equity=[equity(0, long), equity(1, "-0.5")])
    write_run(tmp_path, run, summary={})
    assert read_run(tmp_path) == run


def test_a_symbol_without_a_price_yet_is_missing_again(tmp_path: Path) -> None:
    run = RunRows(head(), equity=[equity(0, "1", mid=None), equity(1, "1", mid="5")])
    write_run(tmp_path, run, summary={})
    assert [row.mids for row in read_run(tmp_path).equity] == [{}, {"BTC/USD": Decimal(5)}]


def test_a_folder_with_other_peoples_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(UsageError, match=r"no run.*thesis\.tex"):
        write_run(tmp_path, plausible_run(samples=20), summary={})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(UsageError, match="not a folder"):
        check_run_folder(tmp_path / "thesis.tex")
    (tmp_path / "run.json").write_text('{"laps": 12}')
    with pytest.raises(UsageError, match=r"run\.json cannot be read"):
        write_run(tmp_path, plausible_run(samples=20), summary={})
    assert (tmp_path / "run.json").read_text() == '{"laps": 12}'


def test_a_later_run_takes_the_place_of_an_earlier_one_and_leaves_notes_beside_it(tmp_path: Path) -> None:
    write_run(tmp_path, plausible_run(1, samples=300), summary={}, report="<p>old")
    (tmp_path / "notes.txt").write_text("mine")
    later = plausible_run(2, samples=300)
    write_run(tmp_path, later, summary={})
    assert read_run(tmp_path) == later
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not (tmp_path / "report.html").exists()


def test_a_run_that_was_cut_off_in_writing_is_none_and_may_be_written_again(tmp_path: Path) -> None:
    run = plausible_run(samples=50)
    write_run(tmp_path, run, summary={})
    (tmp_path / "run.json").rename(tmp_path / "run.json.unfinished")
    with pytest.raises(UsageError, match="not the folder of a run"):
        read_run(tmp_path)
    write_run(tmp_path, run, summary={})
    assert read_run(tmp_path) == run


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("run.json", b"{", "run.json cannot be read"),
        ("run.json", b'{"format":9,"head":{"type":"head"}}', "run.json cannot be read"),
        ("fills.parquet", b"PAR1 no", "fills.parquet cannot be read"),
        ("fills.parquet", None, "fills.parquet cannot be read"),
    ],
)
def test_a_damaged_run_names_the_file(tmp_path: Path, name: str, content: bytes | None, expected: str) -> None:
    write_run(tmp_path, plausible_run(samples=50), summary={})
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=expected):
        read_run(tmp_path)


def test_a_run_of_another_format_and_a_foreign_table_are_named(tmp_path: Path) -> None:
    write_run(tmp_path, plausible_run(samples=50), summary={})
    pq.write_table(pa.table({"x": [1]}), tmp_path / "orders.parquet")
    with pytest.raises(UsageError, match=r"orders\.parquet is not of a run: it has no column decided_ns"):
        read_run(tmp_path)
    text = (tmp_path / "run.json").read_text()
    (tmp_path / "run.json").write_text(text.replace('"format": 1', '"format": 2'))
    with pytest.raises(UsageError, match=r"another version.*format 1.*2"):
        read_run(tmp_path)
