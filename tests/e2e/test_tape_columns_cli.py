"""`krakenwire tape export` and `tape import` as commands."""

from __future__ import annotations

import gzip
import json
import os
import signal
from pathlib import Path

import pytest
from tests.e2e.command import run, run_here

from krakenwire.storage.tape_reader import Tape
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.marks import mark_from
from krakenwire.tape.record import Kind

LINES = "time,price,volume,side\n3,10.5,1,b\n1,10.25,2,s\n2,10.5,3,b\n2,10.5,3,b\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "trades.csv.gz"
    path.write_bytes(gzip.compress(LINES.encode()))
    return path


def test_a_file_becomes_a_tape_and_the_tape_becomes_columns(file: Path, tmp_path: Path) -> None:
    tape, out = str(tmp_path / "tape"), tmp_path / "out"
    imported = run("tape", "import", str(file), "--symbol", "BTC/USD", "--out", tape, "--json")
    assert imported.returncode == 0, imported.stderr
    told = json.loads(imported.stdout)
    assert (told["rows"], told["out_of_order"], told["duplicates"], told["sides"]) == (4, 3, 1, "told")
    code, text, errors = run_here("tape", "export", tape, "--to", "parquet", "--out", str(out))
    assert (code, errors) == (0, "")
    assert "4 of trade, 1 of candle" in text
    code, _, errors = run_here("tape", "export", tape, "--to", "parquet", "--out", str(out))
    assert (code, "--overwrite" in errors) == (2, True)
    assert run_here("tape", "export", tape, "--to", "parquet", "--out", str(out), "--overwrite")[0] == 0


def test_the_tape_says_what_it_was_made_of(file: Path, tmp_path: Path) -> None:
    code, text, _ = run_here(
        "tape", "import", str(file), "--symbol", "BTC/USD", "--out", str(tmp_path / "tape"), "--drop-duplicates"
    )
    assert code == 0
    assert "3 trades of BTC/USD" in text
    assert "dropped 1" in text
    tape = Tape(tmp_path / "tape")
    (mark,) = [mark_from(record.payload) for record in tape.records(kinds=[Kind.MARK])]
    assert (mark.mark, mark.symbol, mark.count) == ("imported", "BTC/USD", 4)
    assert mark.reason.startswith("trades.csv.gz sha256:")
    frames = [record.payload for record in tape.records(kinds=[Kind.FRAME_IN])]
    assert [b'"trade_id":%d' % number in frame for number, frame in enumerate(frames)] == [False, True, True, True]


def test_a_bad_row_ends_with_one_line_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(LINES + "4,x,1,b\n")
    command = ["tape", "import", str(tmp_path / "bad.csv"), "--symbol", "BTC/USD", "--out", str(tmp_path / "tape")]
    code, _, errors = run_here(*command)
    assert code == 2
    assert "line 6, column price" in errors
    assert "4 rows before it are good" in errors
    assert not (tmp_path / "tape").exists()
    code, text, _ = run_here(*command, "--skip-bad")
    assert code == 0
    assert "bad rows left out 1" in text


@pytest.mark.parametrize("arguments", [["--symbol", "BTCUSD"], ["--symbol", "BTC/USD", "--interval", "0"]])
def test_what_cannot_be_meant_is_refused(file: Path, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "candles.csv").write_text("60,1,1,1,1,1,1\n120,1,1,1,1,1,1\n")
    path = file if "--interval" not in arguments else tmp_path / "candles.csv"
    assert run_here("tape", "import", str(path), *arguments, "--out", str(tmp_path / "tape"))[0] == 2


def test_a_tape_is_never_imported_over(file: Path, tmp_path: Path) -> None:
    command = ["tape", "import", str(file), "--symbol", "BTC/USD", "--out", str(tmp_path / "tape")]
    assert run_here(*command)[0] == 0
    code, _, errors = run_here(*command)
    assert code != 0
    assert "the folder is not empty" in errors


def test_only_symbols_of_the_tape_are_exported_in_any_spelling_and_to_the_folder_one_is_in(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape, out = str(tmp_path / "tape"), tmp_path / "out"
    run_here("tape", "import", str(file), "--symbol", "BTC/USD", "--out", tape)
    out.mkdir()
    monkeypatch.chdir(out)
    export = ("tape", "export", tape, "--to", "csv", "--out", ".", "--symbols")
    code, _, errors = run_here(*export, "XBTUSD,DOGE/USD")
    assert (code, "found DOGE/USD" in errors) == (2, True)
    assert {path.name for path in tmp_path.iterdir()} == {file.name, "out", "tape"}
    assert run_here(*export, "XBTUSD")[0] == 0
    assert (out / "trade" / "BTC-USD.csv").exists()


@pytest.mark.parametrize(("number", "ending"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_leaves_no_part_of_a_tape(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, ending: int
) -> None:
    def written(writer: TapeWriter, rows: object) -> None:
        assert list(tmp_path.glob(".tape.*.partial"))
        os.kill(os.getpid(), number)

    monkeypatch.setattr(TapeWriter, "write_many", written)
    code, _, _ = run_here("tape", "import", str(file), "--symbol", "BTC/USD", "--out", str(tmp_path / "tape"))
    assert code == ending
    assert list(tmp_path.iterdir()) == [file]


def test_a_part_of_a_tape_is_exported(file: Path, tmp_path: Path) -> None:
    tape = str(tmp_path / "tape")
    run_here("tape", "import", str(file), "--symbol", "BTC/USD", "--out", tape)
    part = ["--from", "1", "--until", "2", "--channels", "trade", "--json"]
    code, text, _ = run_here("tape", "export", tape, "--to", "csv", "--out", str(tmp_path / "out"), *part)
    assert code == 0
    assert json.loads(text)["rows"] == {"trade": 2}
