"""Files of trades or candles become a tape, as if its frames had been received: by replay and backtest alike.

All is read, checked and sorted before anything is written. Trades come as v2
`trade` frames at the time of the trade, candles as `ohlc` frames at the end of
their interval, when their values were known. Reading: `krakenwire.tape.imports`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import numpy as np

from krakenwire.errors import ConfigError
from krakenwire.limits import IMPORT_LINE_BYTES_MAX, IMPORT_TRADES_PER_FRAME
from krakenwire.model import Asset, Candle, Candles, Instrument, Instruments, Trade, Trades
from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.protocol.v2 import encode
from krakenwire.storage.frames import FrameFile
from krakenwire.storage.new_tape import NewTape
from krakenwire.tape.candle_path import MADE_OF_CANDLES, trades_of_candles
from krakenwire.tape.imports import Columns, Format, LineReader, candle_minutes, duplicates_in, sides_by_tick_rule
from krakenwire.tape.marks import Mark, Opened
from krakenwire.tape.record import Kind

__all__ = ["ImportReport", "import_files"]

_FrameRow: TypeAlias = tuple[int, int, int, bytes]

_FILE: Final = "a CSV file, plain or gzip"
_QTY_DECIMALS_LEAST: Final = 8
_CONNECTION: Final = 1
_SEGMENT_S: Final = 10 * 366 * 86_400
"""Trades of years may be fewer than those of an hour: only size ends a segment."""

_MINUTE_NS: Final = 60_000_000_000
_PROGRESS_ROWS: Final = 50_000
_ORD_TYPES: Final = ("limit", "market")
_SIDES: Final = ("buy", "sell")

Progress: TypeAlias = Callable[[str, float | None], None]
"""Called with what is being done and how much of it, 0 to 1."""


class ImportReport(msgspec.Struct, kw_only=True):
    """What was imported.

    Args:
        kind: ``trades`` or ``candles``.
        rows: on the tape; frames: that hold them.
        start_ns, end_ns: first and last of them.
        out_of_order: rows that stood behind a later one.
        duplicates: rows that repeat another in every column: dropped if that was asked for, else there.
        bad: rows left out; `bad_shown` says what the first of them was like.
        rounded: numbers that had more than ten decimals, as programs print that calculate in binary.
        sides: ``told`` or ``tick rule``; empty for candles.
        interval: of candles, minutes; 0 for trades.
        price_decimals, qty_decimals: of the instrument.
    """

    kind: str
    symbol: str
    out: str
    rows: int
    frames: int
    start_ns: int
    end_ns: int
    out_of_order: int
    duplicates: int
    dropped: int
    bad: int
    rounded: int
    bad_shown: list[str]
    sides: str
    interval: int
    price_decimals: int
    qty_decimals: int


def import_files(
    files: Sequence[Path],
    symbol: str,
    out: Path,
    *,
    layout: Format = "auto",
    interval: int | None = None,
    as_trades: bool = False,
    drop_duplicates: bool = False,
    skip_bad: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Write the tape that files of one instrument make.

    Args:
        files: plain or gzip, of the same columns; their order does not matter.
        symbol: v2 spelling.
        out: a folder that is not there yet.
        layout: see `LineReader`.
        interval: minutes of candles; None to tell it from their beginnings.
        as_trades: write, for files of candles, trades that tell their prices, see `krakenwire.tape.candle_path`.
        drop_duplicates: leave out rows that repeat another in every column.
        skip_bad: leave bad rows out.
        progress: see `Progress`.

    Raises:
        ConfigError: a file that cannot be read, a bad row, or no symbol.
        TapeError: `out` is taken or cannot be written.
    """
    base, slash, quote = symbol.partition("/")
    if not (base and slash and quote):
        raise ConfigError("--symbol", expected="a symbol such as BTC/USD", found=symbol)
    target = NewTape(out)
    reader = LineReader(layout, skip_bad=skip_bad)
    marks = [_read(reader, path, symbol, progress) for path in files]
    columns = reader.columns(", ".join(map(str, files)))
    again = duplicates_in(columns)
    duplicates = int(again.sum())
    if drop_duplicates:
        columns = columns.picked(~again)
    if as_trades and columns.kind == "candles":
        columns = _told_as_trades(columns, interval)
        marks.append(Mark(mark="imported", symbol=symbol, reason=MADE_OF_CANDLES, count=len(columns)))
    maker = _TradeFrames(columns, symbol) if columns.kind == "trades" else _CandleFrames(columns, symbol, interval)
    frames = _write(target, symbol, marks, maker, progress)
    return ImportReport(
        kind=columns.kind,
        symbol=symbol,
        out=str(out),
        rows=len(columns),
        frames=frames,
        start_ns=int(columns.time_ns[0]),
        end_ns=int(columns.time_ns[-1]),
        out_of_order=columns.out_of_order,
        duplicates=duplicates,
        dropped=duplicates if drop_duplicates else 0,
        bad=reader.bad,
        rounded=reader.rounded,
        bad_shown=reader.shown,
        sides=maker.sides,
        interval=maker.interval,
        price_decimals=maker.price_decimals,
        qty_decimals=maker.qty_decimals,
    )


def _told_as_trades(columns: Columns, interval: int | None) -> Columns:
    made = trades_of_candles(columns, candle_minutes(columns.time_ns, interval) * _MINUTE_NS)
    if not len(made):
        raise ConfigError("--as-trades", expected="a candle in which something traded", found="none")
    return made


def _read(reader: LineReader, path: Path, symbol: str, progress: Progress | None) -> Mark:
    """Read a file and return the remark about it."""
    before = reader.rows
    with FrameFile(path, line_bytes_max=IMPORT_LINE_BYTES_MAX, shape=_FILE) as file:

        def lines() -> Iterator[tuple[int, bytes]]:
            for number, text in file:
                if progress is not None and number % _PROGRESS_ROWS == 0:
                    progress(f"reading {path.name}", file.read_share)
                yield number, text

        reader.take(str(path), lines())
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return Mark(mark="imported", symbol=symbol, reason=f"{path.name} sha256:{digest}", count=reader.rows - before)


def _write(
    target: NewTape, symbol: str, marks: Sequence[Mark], maker: _TradeFrames | _CandleFrames, progress: Progress | None
) -> int:
    """Write the tape and return how many frames of the market it has."""
    frames = 0
    about = {"imported": symbol, "files": [mark.reason for mark in marks]}
    with target.written(about, segment_s=_SEGMENT_S) as writer:
        began = maker.start_ns
        opened = Opened(url="file:", version=2, name="public")
        writer.write(began, _CONNECTION, Kind.OPENED, opened.encode())
        for mark in marks:
            writer.write(began, _CONNECTION, Kind.MARK, mark.encode())
        instrument = encode.instruments(_instruments(symbol, maker.price_decimals, maker.qty_decimals))
        writer.write(began, _CONNECTION, Kind.FRAME_IN, instrument)
        for chunk, done in maker.chunks():
            writer.write_many(chunk)
            frames += len(chunk)
            if progress is not None:
                progress("writing", done)
    return frames


def _instruments(symbol: str, price_decimals: int, qty_decimals: int) -> Instruments:
    base, _, quote = symbol.partition("/")
    decimals = {base: qty_decimals, quote: price_decimals}
    assets = tuple(
        Asset(id=name, status="enabled", precision=precision, precision_display=precision)
        for name, precision in decimals.items()
    )
    pair = Instrument(
        symbol=symbol,
        base=base,
        quote=quote,
        status="online",
        price_precision=price_decimals,
        qty_precision=qty_decimals,
        cost_precision=price_decimals,
        price_increment=Decimal(1).scaleb(-price_decimals),
        qty_increment=Decimal(1).scaleb(-qty_decimals),
        qty_min=Decimal(1).scaleb(-qty_decimals),
    )
    return Instruments(kind="snapshot", assets=assets, pairs=(pair,))


class _TradeFrames:
    """Frames of trades: those of one time are in one frame. Their ids count from 1."""

    interval = 0

    def __init__(self, columns: Columns, symbol: str) -> None:
        self._columns, self._symbol = columns, symbol
        self.sides = "tick rule" if columns.side is None else "told"
        side = sides_by_tick_rule(columns.numbers["price"]) if columns.side is None else columns.side
        self._side = side
        self.price_decimals = columns.decimals["price"]
        self.qty_decimals = max(_QTY_DECIMALS_LEAST, columns.decimals["volume"])
        self.start_ns = int(columns.time_ns[0])

    def chunks(self) -> Iterator[tuple[list[_FrameRow], float]]:
        """Yield frames with their times, and how much of all that is."""
        times = self._columns.time_ns
        starts = np.flatnonzero(np.diff(times, prepend=times[0] - 1)).tolist()
        made: list[_FrameRow] = []
        for start, stop in zip(starts, [*starts[1:], len(times)], strict=True):
            firsts = range(start, stop, IMPORT_TRADES_PER_FRAME)
            made += [self._frame(at, min(stop, at + IMPORT_TRADES_PER_FRAME)) for at in firsts]
            if len(made) >= _PROGRESS_ROWS:
                yield made, stop / len(times)
                made = []
        yield made, 1.0

    def _frame(self, start: int, stop: int) -> _FrameRow:
        columns, rows = self._columns, slice(start, stop)
        time_ns, price_decimals = int(columns.time_ns[start]), self.price_decimals
        qty_decimals = columns.decimals["volume"]
        values = (
            columns.numbers["price"][rows].tolist(),
            columns.numbers["volume"][rows].tolist(),
            self._side[rows].tolist(),
            columns.ord_type[rows].tolist(),
        )
        trades = tuple(
            Trade(
                symbol=self._symbol,
                side=_SIDES[side],
                price=scaled_to_decimal(price, price_decimals),
                qty=scaled_to_decimal(qty, qty_decimals),
                ord_type=_ORD_TYPES[ord_type],
                time_ns=time_ns,
                trade_id=number,
            )
            for number, (price, qty, side, ord_type) in enumerate(zip(*values, strict=True), start + 1)
        )
        frame = encode.trades(Trades(symbol=self._symbol, kind="update", trades=trades))
        return time_ns, _CONNECTION, Kind.FRAME_IN, frame.encode()


class _CandleFrames:
    """Frames of candles, each received when its interval was over. Nobody tells their vwap: the close stands for it."""

    sides = ""

    def __init__(self, columns: Columns, symbol: str, interval: int | None) -> None:
        self._columns, self._symbol = columns, symbol
        self.interval = candle_minutes(columns.time_ns, interval)
        self.price_decimals = columns.decimals["open"]
        self.qty_decimals = max(_QTY_DECIMALS_LEAST, columns.decimals["volume"])
        self.start_ns = int(columns.time_ns[0])

    def chunks(self) -> Iterator[tuple[list[_FrameRow], float]]:
        """Yield frames with their times, and how much of all that is."""
        total = len(self._columns)
        for start in range(0, total, _PROGRESS_ROWS):
            stop = min(total, start + _PROGRESS_ROWS)
            yield [self._frame(at) for at in range(start, stop)], stop / total

    def _frame(self, at: int) -> _FrameRow:
        begin_ns = int(self._columns.time_ns[at])
        end_ns = begin_ns + self.interval * _MINUTE_NS
        columns = self._columns
        told = {
            name: scaled_to_decimal(int(column[at]), columns.decimals[name])
            for name, column in columns.numbers.items()
            if name != "trades"
        }
        candle = Candle(
            symbol=self._symbol,
            interval=self.interval,
            begin_ns=begin_ns,
            end_ns=end_ns,
            vwap=told["close"],
            trades=int(columns.numbers["trades"][at]),
            open=told["open"],
            high=told["high"],
            low=told["low"],
            close=told["close"],
            volume=told["volume"],
        )
        event = Candles(symbol=self._symbol, interval=self.interval, kind="update", candles=(candle,))
        return end_ns, _CONNECTION, Kind.FRAME_IN, encode.ohlc(event, end_ns).encode()
