"""Columns as text and as arrays: CSV files as Kraken sells them and wider ones, arrays for hftbacktest.

One file a symbol. Files are added to chunk by chunk, and opened only for that:
there may be more symbols than a process may have files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from krakenwire.errors import MissingExtraError
from krakenwire.model.rows import Listing, Rows
from krakenwire.storage.parquet import Table
from krakenwire.tape.hftbacktest import EventMaker

try:
    import pyarrow as pa
    from pyarrow import csv
except ImportError:
    raise MissingExtraError("CSV", "tape") from None

__all__ = ["CsvFolder", "EventFolder", "candle_lines", "plain_numbers", "sales_lines"]

_SECOND_NS: Final = 1_000_000_000
_SECOND_DECIMALS: Final = 9


def plain_numbers(table: Table, listing: Listing) -> Table:
    """Return a table whose prices and quantities have the decimals of their instrument."""
    for place, field in enumerate(table.schema):
        if not pa.types.is_decimal(field.type):
            continue
        lots = "qty" in field.name or field.name == "volume"
        decimals = listing.qty_decimals if lots else listing.price_decimals
        numbers = table.column(place).cast(pa.decimal128(field.type.precision, decimals))
        table = table.set_column(place, field.name, numbers)
    return table


def _seconds(values: Any) -> Table:
    """Return nanoseconds as seconds with nine decimals."""
    pairs = np.zeros((len(values), 2), dtype=np.int64)
    pairs[:, 0] = values
    return pa.Array.from_buffers(pa.decimal128(19, _SECOND_DECIMALS), len(pairs), [None, pa.py_buffer(pairs)])


def sales_lines(rows: Rows, trades: Table) -> Table:
    """Return trades as in Kraken's downloadable time-and-sales: Unix seconds, price, volume."""
    columns = {"time": _seconds(rows["venue_ns"]), "price": trades["price"], "volume": trades["qty"]}
    return pa.table(columns)


def candle_lines(candles: Any, table: Table) -> Table:
    """Return candles as in Kraken's downloadable OHLCVT: Unix seconds, prices, volume, number of trades."""
    return table.set_column(0, "time", pa.array(candles["begin_ns"] // _SECOND_NS))


class CsvFolder:
    """Adds lines to the CSV files of a folder: `channel/BTC-USD.csv`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begun: set[Path] = set()
        self.rows: dict[str, int] = {}

    @property
    def files(self) -> int:
        """How many there are."""
        return len(self._begun)

    def add(self, channel: str, symbol: str, table: Table, *, header: bool) -> None:
        """Add a table's lines, with its names first in a new file if there is to be a header."""
        if not table.num_rows:
            return
        path = self._folder / channel / f"{symbol.replace('/', '-')}.csv"
        new = path not in self._begun
        if new:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._begun.add(path)
        options = csv.WriteOptions(include_header=header and new, quoting_style="none", quoting_header="none")
        with path.open("ab") as file:
            csv.write_csv(table, file, options)
        self.rows[channel] = self.rows.get(channel, 0) + table.num_rows


class EventFolder:
    """Collects the events of each symbol and writes `BTC-USD.npz`, which hftbacktest takes as `data`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._makers: dict[str, EventMaker] = {}
        self._events: dict[str, list[Any]] = {}
        self.rows: dict[str, int] = {}
        self.files = 0

    def add(self, listing: Listing, rows: Rows) -> None:
        """Add what some rows of a symbol say."""
        maker = self._makers.get(listing.symbol)
        if maker is None:
            maker = self._makers[listing.symbol] = EventMaker(listing)
        events = maker.take(rows)
        if len(events):
            self._events.setdefault(listing.symbol, []).append(events)

    def close(self) -> None:
        """Write the files."""
        for symbol, events in self._events.items():
            data = np.concatenate(events)
            np.savez_compressed(self._folder / f"{symbol.replace('/', '-')}.npz", data=data)
            self.rows["event"] = self.rows.get("event", 0) + len(data)
            self.files += 1
