"""A tape as columns: Parquet, CSV, or the arrays of hftbacktest, chunk by chunk.

What is exported was proven on the way: books are made anew from the frames and
their checksums compared. Trades that a snapshot only repeats are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec
import numpy as np

from krakenwire.apps.market_data import MarketCounters, MarketReader, Progress, read_market
from krakenwire.errors import UsageError
from krakenwire.model.rows import ASK, BID, CLEAR, GAP, Listing, Rows
from krakenwire.storage import parquet, text_tables
from krakenwire.storage.tape_reader import Tape
from krakenwire.tape.columns import CandleMaker, TradeNews, picked, trades_of
from krakenwire.tape.rows import Tops

__all__ = ["CHANNELS", "FORMATS", "ExportReport", "export_tape"]

CHANNELS: Final[dict[str, tuple[str, ...]]] = {
    "parquet": ("trade", "top", "book", "candle"),
    "csv": ("trade", "time-and-sales", "top", "candle"),
    "hftbacktest": ("trade", "book"),
}
"""What each format can hold."""

FORMATS: Final = tuple(CHANNELS)


class ExportReport(msgspec.Struct, kw_only=True):
    """What was exported.

    Args:
        format: see `FORMATS`.
        out: the folder.
        symbols: the instruments.
        rows: by channel; files: how many.
        repeated_trades: left out, because a snapshot told them again.
        counters: what was met on the tape.
    """

    format: str
    out: str
    symbols: list[str]
    rows: dict[str, int]
    files: int
    repeated_trades: int
    counters: MarketCounters


class _Sink(Protocol):
    """Takes the rows of one symbol after the other."""

    @property
    def rows(self) -> dict[str, int]: ...
    @property
    def files(self) -> int: ...
    @property
    def repeated(self) -> int: ...

    def take(self, listing: Listing, rows: Rows, tops: Tops) -> None: ...
    def close(self, listings: Sequence[Listing]) -> None: ...


def export_tape(
    tape: Tape,
    out: Path,
    to: str,
    *,
    channels: Sequence[str] | None = None,
    symbols: Sequence[str] | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExportReport:
    """Write a tape's market as columns.

    Args:
        tape: what to export.
        out: a folder that is not there yet.
        to: see `FORMATS`.
        channels: of `CHANNELS`, None for all that the format can hold.
        symbols: v2 spellings, None for all.
        start_ns: from this time on.
        end_ns: before this time.
        overwrite: replace an earlier export.
        progress: told records read and records there are.

    Raises:
        UsageError: a format or channel that does not exist, a symbol that is not on the tape.
        TapeError: `out` is taken or cannot be written, or the tape cannot be read.
    """
    chosen = _checked(to, channels)

    def consume(reader: MarketReader) -> ExportReport:
        about: dict[str, object] = {"format": to, "source": tape.folder.name}
        with parquet.ExportFolder(out, overwrite=overwrite, about=about) as target:
            sink = _SINKS[to](target.folder, chosen)
            for rows, tops in reader.chunks():
                for listing, of_rows, of_tops in _by_symbol(reader.writer.listings, rows, tops):
                    sink.take(listing, of_rows, of_tops)
                reader.writer.objects.clear()  # nothing here asks for them
            _refuse_unknown(symbols, reader.writer.listings)
            sink.close(reader.writer.listings)
        return ExportReport(
            format=to,
            out=str(out),
            symbols=[listing.symbol for listing in reader.writer.listings],
            rows=sink.rows,
            files=sink.files,
            repeated_trades=sink.repeated,
            counters=reader.counters,
        )

    return read_market(
        tape, consume, symbols=symbols, start_ns=start_ns, end_ns=end_ns, tops="top" in chosen, progress=progress
    )


def _checked(to: str, channels: Sequence[str] | None) -> tuple[str, ...]:
    if to not in CHANNELS:
        raise UsageError("format", expected=", ".join(FORMATS), found=to)
    wrong = next((channel for channel in channels or () if channel not in CHANNELS[to]), None)
    if wrong is not None:
        raise UsageError(f"channel of {to}", expected=", ".join(CHANNELS[to]), found=wrong)
    return tuple(channels or CHANNELS[to])


def _refuse_unknown(symbols: Sequence[str] | None, listings: Sequence[Listing]) -> None:
    found = {listing.symbol for listing in listings}
    missing = next((symbol for symbol in symbols or () if symbol not in found), None)
    if missing is not None:
        raise UsageError("symbols", expected="instruments that the tape tells of", found=missing)


def _by_symbol(listings: Sequence[Listing], rows: Rows, tops: Tops) -> Iterator[tuple[Listing, Rows, Tops]]:
    """Yield each symbol's rows and best levels, in their order."""
    sorted_rows, sorted_tops = (picked(some, np.argsort(some["symbol"], kind="stable")) for some in (rows, tops))
    places = np.arange(len(listings) + 1)
    row_edges, top_edges = (np.searchsorted(some["symbol"], places) for some in (sorted_rows, sorted_tops))
    for place, listing in enumerate(listings):
        of_rows = sorted_rows[row_edges[place] : row_edges[place + 1]]
        of_tops = sorted_tops[top_edges[place] : top_edges[place + 1]]
        if len(of_rows) or len(of_tops):
            yield listing, of_rows, of_tops


class _Trades:
    """The trades of each symbol that count, and the candles they make."""

    def __init__(self) -> None:
        self._news: dict[str, TradeNews] = {}
        self._makers: dict[str, CandleMaker] = {}

    @property
    def repeated(self) -> int:
        return sum(news.repeated for news in self._news.values())

    def of(self, symbol: str, rows: Rows) -> tuple[Rows, Any]:
        """Return the trades of some rows, and the candles that were closed by them."""
        trades = trades_of(rows)
        news = self._news.setdefault(symbol, TradeNews()).of(trades)
        candles = self._makers.setdefault(symbol, CandleMaker()).take(picked(trades, news.fresh))
        return picked(trades, news.keep), candles

    def rest(self, symbol: str) -> Any:
        """Return a symbol's last candle."""
        return self._makers.setdefault(symbol, CandleMaker()).rest()


_FolderT = TypeVar("_FolderT", bound=parquet.ParquetFolder | text_tables.CsvFolder)


class _TableSink(Generic[_FolderT]):
    """What sinks of tables share: the folder that they fill, and the trades that count."""

    def __init__(self, folder: _FolderT, channels: Sequence[str]) -> None:
        self._folder: _FolderT = folder
        self._channels, self._trades = channels, _Trades()

    @property
    def rows(self) -> dict[str, int]:
        return self._folder.rows

    @property
    def files(self) -> int:
        return self._folder.files

    @property
    def repeated(self) -> int:
        return self._trades.repeated


class _ParquetSink(_TableSink[parquet.ParquetFolder]):
    def __init__(self, folder: Path, channels: Sequence[str]) -> None:
        super().__init__(parquet.ParquetFolder(folder), channels)

    def take(self, listing: Listing, rows: Rows, tops: Tops) -> None:
        trades, candles = self._trades.of(listing.symbol, rows)
        self._add("trade", listing, trades, "time_ns", parquet.trade_table)
        self._add("candle", listing, candles, "begin_ns", parquet.candle_table)
        self._add("book", listing, _book_rows(rows), "time_ns", parquet.book_table)
        self._add("top", listing, tops, "time_ns", parquet.top_table)

    def _add(
        self, channel: str, listing: Listing, rows: Any, time: str, table_of: Callable[[Any, Listing], Any]
    ) -> None:
        if channel in self._channels and len(rows):
            self._folder.add(channel, listing.symbol, rows[time], table_of(rows, listing))

    def close(self, listings: Sequence[Listing]) -> None:
        for listing in listings:
            self._add("candle", listing, self._trades.rest(listing.symbol), "begin_ns", parquet.candle_table)
        self._folder.close()


def _book_rows(rows: Rows) -> Rows:
    kind = rows["kind"]
    return picked(rows, (kind == BID) | (kind == ASK) | (kind == CLEAR) | (kind == GAP))


class _CsvSink(_TableSink[text_tables.CsvFolder]):
    def __init__(self, folder: Path, channels: Sequence[str]) -> None:
        super().__init__(text_tables.CsvFolder(folder), channels)

    def take(self, listing: Listing, rows: Rows, tops: Tops) -> None:
        trades, candles = self._trades.of(listing.symbol, rows)
        wide = text_tables.plain_numbers(parquet.trade_table(trades, listing), listing)
        self._add("trade", listing, wide, header=True)
        self._add("time-and-sales", listing, text_tables.sales_lines(trades, wide), header=False)
        if "top" in self._channels:
            table = text_tables.plain_numbers(parquet.top_table(tops, listing), listing)
            self._add("top", listing, table, header=True)
        self._add_candles(listing, candles)

    def _add(self, channel: str, listing: Listing, table: Any, *, header: bool) -> None:
        if channel in self._channels:
            self._folder.add(channel, listing.symbol, table, header=header)

    def _add_candles(self, listing: Listing, candles: Any) -> None:
        table = text_tables.plain_numbers(parquet.candle_table(candles, listing), listing)
        self._add("candle", listing, text_tables.candle_lines(candles, table), header=False)

    def close(self, listings: Sequence[Listing]) -> None:
        for listing in listings:
            self._add_candles(listing, self._trades.rest(listing.symbol))


class _EventSink:
    repeated: int = 0

    def __init__(self, folder: Path, channels: Sequence[str]) -> None:
        self._folder, self._channels = text_tables.EventFolder(folder), channels

    @property
    def rows(self) -> dict[str, int]:
        return self._folder.rows

    @property
    def files(self) -> int:
        return self._folder.files

    def take(self, listing: Listing, rows: Rows, tops: Tops) -> None:  # noqa: ARG002 - of the port
        parts = {"trade": trades_of, "book": _book_rows}
        if len(self._channels) == 1:
            rows = parts[self._channels[0]](rows)
        self._folder.add(listing, rows)

    def close(self, listings: Sequence[Listing]) -> None:  # noqa: ARG002 - of the port
        self._folder.close()


_SINKS: Final[dict[str, Callable[[Path, Sequence[str]], _Sink]]] = {
    "parquet": _ParquetSink,
    "csv": _CsvSink,
    "hftbacktest": _EventSink,
}
