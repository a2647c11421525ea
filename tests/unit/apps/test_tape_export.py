"""A tape as Parquet, CSV and arrays, read by the programs that are to read them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from krakenwire.apps.market_data import market_data
from krakenwire.apps.tape_export import FORMATS, export_tape
from krakenwire.apps.tape_import import import_files
from krakenwire.bench.generate import stream
from krakenwire.errors import TapeError, UsageError
from krakenwire.model.rows import ASK, BID, BUY, CLEAR, GAP, SELL
from krakenwire.model.times import ns_from_rfc3339
from krakenwire.storage import parquet
from krakenwire.storage.tape_reader import Tape
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.hftbacktest import EVENT_DTYPE
from krakenwire.tape.record import Kind

START_NS = 1_700_000_000_000_000_000
STEP_NS = 250_000_000_000
"""Frames four minutes apart: a few days for few frames."""


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    folder = tmp_path_factory.mktemp("tapes") / "tape"
    with TapeWriter(folder, segment_s=10**9) as writer:
        frames = enumerate(stream(10, 600, seed=4))
        writer.write_many((START_NS + at * STEP_NS, 1, Kind.FRAME_IN, frame) for at, frame in frames)
    return Tape(folder)


def scanned(out: Path, channel: str) -> pl.DataFrame:
    """A channel as Polars reads it."""
    return pl.scan_parquet(out / f"channel={channel}/**/*.parquet", hive_partitioning=True).collect()


def test_parquet_holds_every_trade_and_level_exactly(tape: Tape, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = export_tape(tape, out, "parquet")
    data = market_data(tape)
    for channel, kinds in {"trade": (BUY, SELL), "book": (BID, ASK, CLEAR, GAP)}.items():
        rows = data.rows[np.isin(data.rows["kind"], kinds)]
        expected = []
        for row in rows:
            listing, level = data.listings[row["symbol"]], row["kind"] not in (CLEAR, GAP)
            price = listing.price(int(row["price"])) if level else None
            qty = listing.qty(int(row["qty"])) if level else None
            expected.append((listing.symbol.replace("/", "-"), int(row["time_ns"]), price, qty))
        table = scanned(out, channel).select("symbol", pl.col("time").dt.epoch("ns"), "price", "qty")
        assert sorted(map(repr_of, table.rows())) == sorted(map(repr_of, expected))
        assert report.rows[channel] == len(expected)


def repr_of(row: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(str(value.normalize()) if isinstance(value, Decimal) else str(value) for value in row)


def test_duckdb_reads_all_symbols_as_one_table_without_rounding(tape: Tape, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_tape(tape, out, "parquet", channels=["trade"])
    files = f"'{out}/channel=trade/**/*.parquet'"
    found = duckdb.sql(f"SELECT symbol, price FROM read_parquet({files}, hive_partitioning = true)").fetchall()
    data = market_data(tape)
    trades = data.rows[np.isin(data.rows["kind"], (BUY, SELL))]
    listed = [data.listings[row["symbol"]] for row in trades]
    expected = [
        (one.symbol.replace("/", "-"), one.price(int(row["price"]))) for one, row in zip(listed, trades, strict=True)
    ]
    assert sorted(found) == sorted(expected)


def test_days_are_folders_of_their_own(tape: Tape, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_tape(tape, out, "parquet", symbols=["BTC/USD"], channels=["book"])
    days = sorted(path.name for path in (out / "channel=book" / "symbol=BTC-USD").iterdir())
    assert days == ["day=2023-11-14", "day=2023-11-15", "day=2023-11-16"]
    table = scanned(out, "book")
    assert (table["time"].dt.date() == table["day"]).all()


def test_the_best_levels_are_those_of_the_book(tape: Tape, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_tape(tape, out, "parquet", symbols=["BTC/USD"], channels=["top"])
    table = scanned(out, "top").sort("time")
    assert (table["bid"] < table["ask"]).all()
    same = table.select(pl.struct("bid", "bid_qty", "ask", "ask_qty"))
    assert not (same.to_series()[1:] == same.to_series()[:-1]).any()


def test_many_small_files_hold_the_same(tape: Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export_tape(tape, tmp_path / "one", "parquet", channels=["book"])
    monkeypatch.setattr(parquet, "EXPORT_FILE_ROWS", 40)
    monkeypatch.setattr(parquet, "EXPORT_WAITING_ROWS", 100)
    report = export_tape(tape, tmp_path / "many", "parquet", channels=["book"])
    one, many = (scanned(tmp_path / name, "book").sort(pl.all()) for name in ("one", "many"))
    assert one.equals(many)
    assert report.files >= 30


@pytest.mark.parametrize("to", FORMATS)
def test_an_export_replaces_nothing_but_an_export_and_that_only_on_request(tape: Tape, tmp_path: Path, to: str) -> None:
    out = tmp_path / "out"
    export = lambda overwrite: export_tape(tape, out, to, symbols=["BTC/USD"], overwrite=overwrite)  # noqa: E731
    export(False)
    before = sorted(path.name for path in out.rglob("*"))
    with pytest.raises(TapeError, match="--overwrite"):
        export(False)
    export(True)
    assert sorted(path.name for path in out.rglob("*")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_something_else_is_never_touched(tape: Tape, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("mine")
    with pytest.raises(TapeError, match="something in its place"):
        export_tape(tape, tmp_path / "out", "parquet", overwrite=True)
    assert (tmp_path / "out" / "letter.txt").read_text() == "mine"


def test_an_export_that_fails_leaves_nothing_and_the_earlier_one_as_it_was(
    tape: Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    export_tape(tape, out, "parquet", channels=["trade"])

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet, "_write_table", fail)
    with pytest.raises(TapeError, match="No space left"):
        export_tape(tape, out, "parquet", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len(scanned(out, "trade"))


@pytest.mark.parametrize(("to", "channels"), [("xlsx", None), ("csv", ["book"]), ("parquet", ["level3"])])
def test_what_a_format_does_not_have_is_refused(
    tape: Tape, tmp_path: Path, to: str, channels: list[str] | None
) -> None:
    with pytest.raises(UsageError, match="expected"):
        export_tape(tape, tmp_path / "out", to, channels=channels)
    assert not list(tmp_path.iterdir())


def test_csv_has_the_digits_of_the_instrument(tape: Tape, tmp_path: Path) -> None:
    report = export_tape(tape, tmp_path / "out", "csv", symbols=["BTC/USD"])
    data = market_data(tape, symbols=["BTC/USD"])
    trades = data.rows[np.isin(data.rows["kind"], (BUY, SELL))]
    with (tmp_path / "out" / "trade" / "BTC-USD.csv").open() as file:
        lines = list(csv.DictReader(file))
    prices = [str(data.listings[0].price(int(row["price"]))) for row in trades]
    assert [line["price"] for line in lines] == prices
    assert report.files == 4


def test_time_and_sales_can_be_imported_again(tape: Tape, tmp_path: Path) -> None:
    export_tape(tape, tmp_path / "out", "csv", symbols=["BTC/USD"], channels=["time-and-sales", "candle"])
    for channel, kind in (("time-and-sales", "trades"), ("candle", "candles")):
        file = tmp_path / "out" / channel / "BTC-USD.csv"
        report = import_files([file], "BTC/USD", tmp_path / channel, interval=1 if kind == "candles" else None)
        assert (report.kind, report.rows) == (kind, len(file.read_text().splitlines()))


@pytest.mark.parametrize(("channels", "only"), [(None, {1, 2, 3, 4}), (["trade"], {2}), (["book"], {1, 3, 4})])
def test_arrays_hold_what_was_asked_for(tape: Tape, tmp_path: Path, channels: list[str] | None, only: set[int]) -> None:
    export_tape(tape, tmp_path / "out", "hftbacktest", symbols=["BTC/USD"], channels=channels)
    data = np.load(tmp_path / "out" / "BTC-USD.npz")["data"]
    assert data.dtype == EVENT_DTYPE
    assert set((data["ev"] & 0xFF).tolist()) == only
    assert (np.diff(data["local_ts"]) >= 0).all()
    assert (data["exch_ts"] <= data["local_ts"]).all()


def test_trades_a_snapshot_tells_again_are_exported_once(tmp_path: Path) -> None:
    def frame(kind: str, *ids: int) -> bytes:
        row: Callable[[int], str] = lambda number: (  # noqa: E731
            f'{{"symbol":"ETH/USD","side":"buy","price":10.5,"qty":1.0,"ord_type":"limit","trade_id":{number},'
            f'"timestamp":"2026-11-28T10:00:0{number}.000000Z"}}'
        )
        return f'{{"channel":"trade","type":"{kind}","data":[{",".join(map(row, ids))}]}}'.encode()

    frames = [frame("snapshot", 1, 2), frame("update", 3), frame("snapshot", 2, 3, 4), frame("update", 5)]
    with TapeWriter(tmp_path / "tape") as writer:
        began_ns = ns_from_rfc3339("2026-11-28T10:00:02.5Z")
        writer.write_many((began_ns + at * 10**9, 1, Kind.FRAME_IN, one) for at, one in enumerate(frames))
    report = export_tape(Tape(tmp_path / "tape"), tmp_path / "out", "parquet")
    table = scanned(tmp_path / "out", "trade").sort("trade_id")
    assert table["trade_id"].to_list() == [1, 2, 3, 4, 5]
    assert table["snapshot"].to_list() == [True, True, False, True, False]
    assert report.repeated_trades == 2
    candles = scanned(tmp_path / "out", "candle")
    assert (candles["trades"].to_list(), candles["volume"].to_list()) == ([3], [3])
