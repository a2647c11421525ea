"""The folder of a run: run.json, its rows as Parquet, and what is drawn of them.

Every file is written beside its place and moved there whole; run.json goes
first and comes last, so a folder with it is complete. Amounts are exact
decimals, times nanoseconds. Nothing that is not a run's is ever overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from krakenwire.errors import MissingExtraError, UsageError
from krakenwire.trading.report.run import Run, RunRows
from krakenwire.trading.run_records import DecisionRow, EquityRow, FillRow, NoteRow, OrderRow, RunHead

if TYPE_CHECKING:
    import pyarrow

__all__ = ["REPORT_FILE", "check_run_folder", "read_run", "run_summary", "save_page", "write_run", "write_whole"]

REPORT_FILE: Final = "report.html"

_HEAD_FILE: Final = "run.json"
_FORMAT: Final = 1
_DIGITS: Final = 38
"""Of a decimal128; amounts with more are written as decimal256, which fewer programs read."""

_DECIMALS: Final[dict[type, frozenset[str]]] = {
    DecisionRow: frozenset({"qty", "limit", "mid"}),
    OrderRow: frozenset({"qty", "filled", "limit"}),
    FillRow: frozenset({"price", "qty", "fee", "mid", "position"}),
    NoteRow: frozenset(),
}
_INTEGERS: Final = frozenset({"time_ns", "decided_ns", "count"})
_BOOLEANS: Final = frozenset({"maker"})
_TABLES: Final[dict[str, type]] = {
    "decisions": DecisionRow,
    "orders": OrderRow,
    "fills": FillRow,
    "notes": NoteRow,
}
_EQUITY: Final = "equity"
_POSITION, _MID = "position ", "mid "
"""Before the symbol: the names of equity's columns of one symbol."""

_OURS: Final = frozenset({_HEAD_FILE, REPORT_FILE, *(f"{name}.parquet" for name in (*_TABLES, _EQUITY))})
_UNFINISHED: Final = ".unfinished"

_Row = TypeVar("_Row", bound=msgspec.Struct)


class _HeadFile(msgspec.Struct, kw_only=True):
    format: int
    head: RunHead
    summary: dict[str, object] = {}


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("the folder of a run", "bot") from None
    return pyarrow.parquet


def _arrow() -> Any:
    _parquet()
    import pyarrow

    return pyarrow


def check_run_folder(folder: Path) -> None:
    """Refuse a folder that a run may not be written to; best asked before the run begins.

    Raises:
        UsageError: it is a file, or holds something and no run, or a run.json that is not ours.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint="Name a folder for the run")
    if not folder.is_dir():
        return
    if (folder / _HEAD_FILE).exists():
        _head(folder)
        return
    names = {path.name.removesuffix(_UNFINISHED) for path in folder.iterdir()}
    if not names <= _OURS:
        raise UsageError(
            f"{folder} holds other files and no run",
            found=min(names - _OURS),
            hint="Name an empty folder, or that of an earlier run; nothing was written",
        )


def write_run(folder: Path, run: Run, *, summary: Mapping[str, object], report: str | None = None) -> None:
    """Write a run to its folder, in place of an earlier run there.

    Args:
        folder: made where it is missing; files in it that are no run's stay as they are.
        run: its rows.
        summary: its figures, as JSON values and decimals.
        report: the page, as HTML; None for none, and an earlier one goes away.

    Raises:
        UsageError: as `check_run_folder`, or the disk says no.
        MissingExtraError: pyarrow is not installed.
    """
    tables = {
        name: _table(kind, rows)
        for (name, kind), rows in zip(_TABLES.items(), (run.decisions, run.orders, run.fills, run.notes), strict=True)
    }
    tables[_EQUITY] = _equity_table(run.equity)
    check_run_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (_HEAD_FILE, REPORT_FILE):
            (folder / name).unlink(missing_ok=True)
        for name, table in tables.items():
            _write_table(folder / f"{name}.parquet", table)
        if report is not None:
            write_whole(folder / REPORT_FILE, report.encode())
        head = _HeadFile(format=_FORMAT, head=run.head, summary=dict(summary))
        write_whole(folder / _HEAD_FILE, msgspec.json.format(msgspec.json.encode(head)) + b"\n")
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror or error}", hint="The run is not kept"
        ) from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is either there as a whole or not at all."""
    beside = path.with_name(path.name + _UNFINISHED)
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def save_page(path: Path, page: str) -> None:
    """Write an HTML page to a file of the user's choice, making its folder.

    Raises:
        UsageError: the disk says no.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page.encode())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error


def _write_table(path: Path, table: pyarrow.Table) -> None:
    sink = _arrow().BufferOutputStream()
    _parquet().write_table(table, sink, compression="zstd")
    write_whole(path, sink.getvalue().to_pybytes())


def _decimals(values: Sequence[Decimal | None]) -> pyarrow.Array:
    """Make a column with as many decimals as the value that has most; none is rounded."""
    arrow = _arrow()
    scale = max((-int(value.as_tuple().exponent) for value in values if value), default=0)
    scale = max(scale, 0)
    whole = max((value.adjusted() + 1 for value in values if value), default=1)
    fits = max(whole, 1) + scale <= _DIGITS
    return arrow.array(values, arrow.decimal128(_DIGITS, scale) if fits else arrow.decimal256(2 * _DIGITS, scale))


def _column(kind: type, name: str, values: Sequence[Any]) -> pyarrow.Array:
    arrow = _arrow()
    if name in _DECIMALS[kind]:
        return _decimals(values)
    if name in _INTEGERS:
        return arrow.array(values, arrow.int64())
    return arrow.array(values, arrow.bool_() if name in _BOOLEANS else arrow.string())


def _table(kind: type, rows: Sequence[object]) -> pyarrow.Table:
    names = [field.name for field in msgspec.structs.fields(kind)]
    columns = [_column(kind, name, [getattr(row, name) for row in rows]) for name in names]
    return _arrow().table(columns, names=names)


def _equity_table(rows: Sequence[EquityRow]) -> pyarrow.Table:
    arrow = _arrow()
    columns = {
        "time_ns": arrow.array([row.time_ns for row in rows], arrow.int64()),
        "equity": _decimals([row.equity for row in rows]),
        "cash": _decimals([row.cash for row in rows]),
    }
    for symbol in sorted({symbol for row in rows for symbol in row.positions}):
        columns[_POSITION + symbol] = _decimals([row.positions.get(symbol) for row in rows])
    for symbol in sorted({symbol for row in rows for symbol in row.mids}):
        columns[_MID + symbol] = _decimals([row.mids.get(symbol) for row in rows])
    return arrow.table(columns)


def _head(folder: Path) -> _HeadFile:
    path = folder / _HEAD_FILE
    try:
        read = msgspec.json.decode(path.read_bytes(), type=_HeadFile)
    except FileNotFoundError:
        raise UsageError(
            f"{folder} is not the folder of a run", expected=_HEAD_FILE, hint="Name a folder written with --out"
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint="Name a folder written with --out") from error
    if read.format != _FORMAT:
        raise UsageError(f"{path} is of another version", expected=f"format {_FORMAT}", found=read.format)
    return read


def run_summary(folder: Path) -> dict[str, object]:
    """Return the figures that were written with a run.

    Raises:
        UsageError: there is no run.
    """
    return _head(folder).summary


def read_run(folder: Path) -> RunRows:
    """Read a run back, every amount as it was.

    Raises:
        UsageError: there is no run, or a file of it is missing or damaged.
        MissingExtraError: pyarrow is not installed.
    """
    run = RunRows(_head(folder).head)
    for name, kind in _TABLES.items():
        setattr(run, name, _rows(folder / f"{name}.parquet", kind))
    run.equity = _equity_rows(folder / f"{_EQUITY}.parquet")
    return run


def _columns(path: Path) -> dict[str, list[Any]]:
    arrow, parquet = _arrow(), _parquet()
    try:
        columns: dict[str, list[Any]] = parquet.read_table(path, partitioning=None).to_pydict()
    except (OSError, arrow.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{path} cannot be read: {reason}", hint="Make the run again with --out") from error
    return columns


def _rows(path: Path, kind: type[_Row]) -> list[_Row]:
    columns = _columns(path)
    names = [field.name for field in msgspec.structs.fields(kind)]
    if missing := set(names) - set(columns):
        raise UsageError(f"{path} is not of a run: it has no column {min(missing)}")
    rows = zip(*(columns[name] for name in names), strict=True)
    return [kind(**dict(zip(names, row, strict=True))) for row in rows]


def _by_symbol(columns: Mapping[str, list[Any]], prefix: str, count: int) -> list[dict[str, Decimal]]:
    chosen = {name.removeprefix(prefix): values for name, values in columns.items() if name.startswith(prefix)}
    return [
        {symbol: values[place] for symbol, values in chosen.items() if values[place] is not None}
        for place in range(count)
    ]


def _equity_rows(path: Path) -> list[EquityRow]:
    columns = _columns(path)
    if missing := {"time_ns", "equity", "cash"} - set(columns):
        raise UsageError(f"{path} is not of a run: it has no column {min(missing)}")
    count = len(columns["time_ns"])
    rows = zip(
        columns["time_ns"],
        columns["equity"],
        columns["cash"],
        _by_symbol(columns, _POSITION, count),
        _by_symbol(columns, _MID, count),
        strict=True,
    )
    return [
        EquityRow(time_ns=time_ns, equity=equity, cash=cash, positions=positions, mids=mids)
        for time_ns, equity, cash, positions, mids in rows
    ]
