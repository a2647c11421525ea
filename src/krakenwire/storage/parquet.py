"""Columns on a disk: a folder of Parquet files that DuckDB, Polars and pandas read as one table.

`channel=trade/symbol=BTC-USD/day=2026-11-28/part-00000.parquet`. Prices and
quantities are exact decimals of one type in all files. The folder is written
under another name and put in its place when it is whole.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

import msgspec
import numpy as np

from krakenwire.errors import MissingExtraError, TapeError
from krakenwire.limits import EXPORT_FILE_ROWS, EXPORT_WAITING_ROWS
from krakenwire.model.rows import ASK, BID, BUY, CLEAR, LAST, MARKET, SNAPSHOT, Listing, Rows
from krakenwire.tape.columns import DECIMALS, DIGITS, words

try:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
except ImportError:
    raise MissingExtraError("Parquet", "tape") from None

__all__ = ["ExportFolder", "ParquetFolder", "book_table", "candle_table", "top_table", "trade_table"]

Table: TypeAlias = Any
"""A `pyarrow.Table`; the library ships no types."""

_NOTE: Final = "_krakenwire.json"
"""Says that a folder is an export, so that another one may replace it; readers of Parquet pass over it."""

_DAY_NS: Final = 86_400_000_000_000
_TIME: Final = pa.timestamp("ns", "UTC")
_DECIMAL: Final = pa.decimal128(DIGITS, DECIMALS)


# -- tables --------------------------------------------------------------------------------


def _time(values: Any, *, zero_is_none: bool = False) -> Table:
    array = pa.array(values, mask=(values == 0) if zero_is_none else None)
    return array.cast(_TIME)


def _decimal(values: Any, decimals: int, symbol: str, what: str, there: Any = None) -> Table:
    whole = words(np.ascontiguousarray(values), decimals, symbol, what)
    array = pa.Array.from_buffers(_DECIMAL, len(whole), [None, pa.py_buffer(whole)])
    return array if there is None else pc.if_else(pa.array(there), array, pa.scalar(None, _DECIMAL))


def _word(indices: Any, names: list[str], there: Any = None) -> Table:
    mask = None if there is None else ~there
    return pa.DictionaryArray.from_arrays(pa.array(indices.astype(np.int8), mask=mask), pa.array(names))


def trade_table(rows: Rows, listing: Listing) -> Table:
    """Return the table of some trades of one symbol."""
    flags = rows["flags"]
    return pa.table(
        {
            "time": _time(rows["time_ns"]),
            "venue_time": _time(rows["venue_ns"]),
            "trade_id": pa.array(rows["aux"], mask=rows["aux"] < 0),
            "side": _word(rows["kind"] != BUY, ["buy", "sell"]),
            "price": _decimal(rows["price"], listing.price_decimals, listing.symbol, "price"),
            "qty": _decimal(rows["qty"], listing.qty_decimals, listing.symbol, "quantity"),
            "ord_type": _word((flags & MARKET) != 0, ["limit", "market"]),
            "snapshot": pa.array((flags & SNAPSHOT) != 0),
        }
    )


def book_table(rows: Rows, listing: Listing) -> Table:
    """Return the table of the book rows of one symbol: a level each, or where the book was emptied or lost."""
    kind = rows["kind"]
    level = (kind == BID) | (kind == ASK)
    return pa.table(
        {
            "time": _time(rows["time_ns"]),
            "venue_time": _time(rows["venue_ns"], zero_is_none=True),
            "kind": _word(np.where(level, 0, np.where(kind == CLEAR, 1, 2)), ["level", "clear", "gap"]),
            "side": _word(kind == ASK, ["bid", "ask"], level),
            "price": _decimal(rows["price"], listing.price_decimals, listing.symbol, "price", level),
            "qty": _decimal(rows["qty"], listing.qty_decimals, listing.symbol, "quantity", level),
            "snapshot": pa.array((rows["flags"] & SNAPSHOT) != 0),
            "last": pa.array((rows["flags"] & LAST) != 0),
        }
    )


def top_table(tops: Any, listing: Listing) -> Table:
    """Return the table of the best levels of one symbol; null where a side is empty or the book was lost."""
    columns: dict[str, Table] = {
        "time": _time(tops["time_ns"]),
        "venue_time": _time(tops["venue_ns"], zero_is_none=True),
    }
    for side in ("bid", "ask"):
        qty = tops[f"{side}_qty"]
        columns[side] = _decimal(tops[side], listing.price_decimals, listing.symbol, "price", qty > 0)
        columns[f"{side}_qty"] = _decimal(qty, listing.qty_decimals, listing.symbol, "quantity", qty > 0)
    return pa.table(columns)


def candle_table(candles: Any, listing: Listing) -> Table:
    """Return the table of candles of one minute of one symbol."""
    columns: dict[str, Table] = {"begin": _time(candles["begin_ns"])}
    for name in ("open", "high", "low", "close"):
        columns[name] = _decimal(candles[name], listing.price_decimals, listing.symbol, "price")
    columns["volume"] = _decimal(candles["volume"], listing.qty_decimals, listing.symbol, "quantity")
    columns["trades"] = pa.array(candles["trades"])
    return pa.table(columns)


# -- folders -------------------------------------------------------------------------------


class ExportFolder:
    """A folder of exported files, being written; a context manager that puts it in its place at the end.

    Args:
        out: where it is to be. It may not be there, or be empty, or with `overwrite` be an earlier export.
        overwrite: replace an earlier export.
        about: what the note in it says.

    Attributes:
        folder: where to write.

    Raises:
        TapeError: something else is there, or it cannot be written.
    """

    def __init__(self, out: Path, *, overwrite: bool = False, about: dict[str, object] | None = None) -> None:
        self.out, self._place = out, out.resolve()
        self.folder = self._place.with_name(f".{self._place.name}.partial")
        self._about = about or {}
        if not out.exists() or (out.is_dir() and not any(out.iterdir())):
            pass
        elif not out.is_dir() or not (out / _NOTE).exists():
            raise TapeError(str(out), "there is something in its place", hint="Choose a folder that is not there yet")
        elif not overwrite:
            raise TapeError(str(out), "there is an export already", hint="Use --overwrite to replace it")
        try:
            if self.folder.exists():
                shutil.rmtree(self.folder)
            self.folder.mkdir(parents=True)
        except OSError as failed:
            raise self._failure(failed) from failed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            try:
                self._put_in_place()
            except OSError as failed:
                raise self._failure(failed) from failed
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise self._failure(error) from error

    def _put_in_place(self) -> None:
        (self.folder / _NOTE).write_bytes(msgspec.json.encode(self._about))
        old = self._place.with_name(f".{self._place.name}.old")
        if self._place.exists():
            shutil.rmtree(old, ignore_errors=True)
            self._place.rename(old)
        self.folder.rename(self._place)
        shutil.rmtree(old, ignore_errors=True)

    def _failure(self, error: OSError) -> TapeError:
        return TapeError(str(self.out), error.strerror or str(error), hint="Nothing was exported")


class ParquetFolder:
    """Adds tables to the Parquet files of a folder.

    Rows wait until there are enough for a file of their channel, symbol and
    day; when too many wait in all, those of the fullest are written.

    Args:
        folder: the root of the partitions.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: dict[tuple[str, str, int], list[Table]] = {}
        self._rows: dict[tuple[str, str, int], int] = {}
        self._parts: dict[tuple[str, str, int], int] = {}
        self._total = 0
        self.rows: dict[str, int] = {}
        self.files = 0

    def add(self, channel: str, symbol: str, times: Any, table: Table) -> None:
        """Add a table.

        Args:
            channel: ``trade``, ``top``, ``book`` or ``candle``.
            symbol: v2 spelling.
            times: nanoseconds by which its rows belong to days; they do not fall.
            table: of these rows.
        """
        days = times // _DAY_NS
        if not len(days):
            return
        edges = np.flatnonzero(np.diff(days)) + 1
        for start, stop in zip([0, *edges.tolist()], [*edges.tolist(), len(days)], strict=True):
            self._add((channel, symbol, int(days[start])), table.slice(start, stop - start))

    def _add(self, key: tuple[str, str, int], table: Table) -> None:
        self._waiting.setdefault(key, []).append(table)
        self._rows[key] = self._rows.get(key, 0) + table.num_rows
        self._total += table.num_rows
        if self._rows[key] >= EXPORT_FILE_ROWS:
            self._write(key)
        elif self._total >= EXPORT_WAITING_ROWS:
            self._write(max(self._rows, key=self._rows.__getitem__))

    def close(self) -> None:
        """Write what waits."""
        for key in list(self._waiting):
            self._write(key)

    def _write(self, key: tuple[str, str, int]) -> None:
        channel, symbol, day = key
        table = pa.concat_tables(self._waiting.pop(key)).unify_dictionaries()
        self._total -= self._rows.pop(key)
        part = self._parts.get(key, 0)
        self._parts[key] = part + 1
        date = datetime.fromtimestamp(day * 86_400, UTC).date()
        folder = self._folder / f"channel={channel}" / f"symbol={symbol.replace('/', '-')}" / f"day={date}"
        folder.mkdir(parents=True, exist_ok=True)
        _write_table(folder / f"part-{part:05d}.parquet", table)
        self.files += 1
        self.rows[channel] = self.rows.get(channel, 0) + table.num_rows


def _write_table(path: Path, table: Table) -> None:
    """Write a file: steps of times, a dictionary where values come again, the rest as it is."""
    steps = [field.name for field in table.schema if field.type == _TIME]
    words_in = [field.name for field in table.schema if pa.types.is_dictionary(field.type) or field.type == _DECIMAL]
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=1,
        use_dictionary=[name for name in words_in if "qty" not in name and name != "volume"],
        column_encoding=dict.fromkeys(steps, "DELTA_BINARY_PACKED"),
        store_schema=False,
    )
