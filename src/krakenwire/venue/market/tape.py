"""A trade tape: time, price and volume of trades that happened, to be printed again by a local market.

Reads lines of Kraken's downloadable time-and-sales, with or without a header;
what trades them is in `tape_traders.py`. Opening the file is the driver's
work. A wrong line is one error that names line and column.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Final, NamedTuple

from krakenwire.errors import ConfigError, DecodeError
from krakenwire.limits import TAPE_ROWS_MAX, TAPE_SPEED_MAX
from krakenwire.model.numbers import decimal_from_text
from krakenwire.venue.market.asset_pairs import beginning_at
from krakenwire.venue.market.instruments import VenueInstrument

__all__ = ["Tape", "TapeRow", "read_tape"]

_COLUMNS: Final = ("time", "price", "volume")
_SECOND_NS: Final = 1_000_000_000
_TIME_MAX: Final = 1 << 33
_QTY_MAX: Final = 10**15
"""Lots of one row: more than any trade, and far from what a book can hold."""


class TapeRow(NamedTuple):
    """One trade: when after the market's beginning, at how many ticks, how many lots."""

    offset_ns: int
    price: int
    qty: int


class Tape:
    """The trades of one instrument, in their order.

    Args:
        offsets_ns, prices, quantities: as in `TapeRow`, of the same length and not empty.
    """

    def __init__(self, offsets_ns: Sequence[int], prices: Sequence[int], quantities: Sequence[int]) -> None:
        assert 0 < len(offsets_ns) == len(prices) == len(quantities)
        self._offsets, self._prices, self._quantities = (
            array("q", column) for column in (offsets_ns, prices, quantities)
        )

    def __len__(self) -> int:
        return len(self._offsets)

    def row(self, number: int) -> TapeRow:
        """Return one trade; the first is 0."""
        return TapeRow(self._offsets[number], self._prices[number], self._quantities[number])

    @property
    def digest(self) -> str:
        """What tells it from other tapes."""
        columns = (column.tobytes() for column in (self._offsets, self._prices, self._quantities))
        return sha256(b"".join(columns)).hexdigest()[:16]


def read_tape(lines: Iterable[str], instrument: VenueInstrument, source: str, speed: Decimal) -> Tape:
    """Return the tape that some lines tell.

    Args:
        lines: fields separated by commas: Unix seconds, price, volume. With a header its names find the
            columns, and there may be others. The order of the lines does not matter.
        instrument: what is traded: prices and volumes must fit its ticks and lots.
        source: names the lines in errors.
        speed: how many times faster than it was.

    Raises:
        ConfigError: a wrong line, no trade at all or too many, or a speed or a first price that cannot be.
    """
    if not speed.is_finite() or not 0 < speed <= TAPE_SPEED_MAX:
        raise ConfigError("tape speed", expected=f"above 0 and up to {TAPE_SPEED_MAX}", found=speed)
    rows: list[tuple[int, int, int]] = []
    for row in _rows(lines, instrument, source):
        if len(rows) == TAPE_ROWS_MAX:
            raise ConfigError(source, expected=f"at most {TAPE_ROWS_MAX} trades")
        rows.append(row)
    if not rows:
        raise ConfigError(source, expected="at least one trade", found="none")
    rows.sort(key=lambda row: row[0])
    began_ns, (numerator, denominator) = rows[0][0], speed.as_integer_ratio()
    beginning_at(instrument, rows[0][1])
    return Tape(
        [(time_ns - began_ns) * denominator // numerator for time_ns, _, _ in rows],
        [price for _, price, _ in rows],
        [qty for _, _, qty in rows],
    )


def _rows(lines: Iterable[str], instrument: VenueInstrument, source: str) -> Iterator[tuple[int, int, int]]:
    places: Mapping[str, int] = {name: place for place, name in enumerate(_COLUMNS)}
    for number, line in enumerate(lines, 1):
        fields = [field.strip(' "\t\r\n\ufeff') for field in line.split(",")]
        if fields == [""]:
            continue
        if number == 1 and "time" in (names := [field.lower() for field in fields]):
            places = _header(names, source)
            continue
        read = _Line(source, number, fields, places)
        yield (
            read.whole("time", 9, _TIME_MAX * _SECOND_NS, least=0),
            read.whole("price", instrument.price_precision, _QTY_MAX),
            read.whole("volume", instrument.qty_precision, _QTY_MAX),
        )


def _header(names: list[str], source: str) -> Mapping[str, int]:
    for name in _COLUMNS:
        if name not in names:
            raise ConfigError(f"{source}, line 1", expected=f"a column {name}", found=", ".join(names))
    return {name: names.index(name) for name in _COLUMNS}


class _Line:
    """One line, with the place of each column."""

    def __init__(self, source: str, number: int, fields: list[str], places: Mapping[str, int]) -> None:
        self._where, self._fields, self._places = f"{source}, line {number}", fields, places

    def whole(self, column: str, decimals: int, most: int, least: int = 1) -> int:
        """Return a column in units of its last decimal."""
        place = self._places[column]
        text = self._fields[place] if place < len(self._fields) else ""
        expected = f"a number with at most {decimals} decimals" + (" above 0" if least else "")
        try:
            scaled = decimal_from_text(text).scaleb(decimals)
        except DecodeError:
            scaled = Decimal(-1)
        if not least <= scaled <= most or scaled != int(scaled):
            raise ConfigError(f"{self._where}, column {column}", expected=expected, found=text or "nothing")
        return int(scaled)
