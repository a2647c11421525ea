"""Files of trades and candles that others keep: lines in, sorted columns out.

Kraken's downloadable time-and-sales (time, price, volume) and OHLCVT, and files
of trades with a header. Lines may be out of order. Numbers are kept digit by
digit; of each only integers are held, so that years of trades fit in memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from krakenwire.errors import ConfigError, DecodeError
from krakenwire.limits import IMPORT_BAD_ROWS_SHOWN, NUMBER_EXPONENT_MAX
from krakenwire.model.numbers import decimal_from_text
from krakenwire.model.times import ns_from_rfc3339, ns_from_unix_text
from krakenwire.tape.listings import decimals_of

__all__ = [
    "Columns",
    "Format",
    "Int64s",
    "LineReader",
    "Shape",
    "candle_minutes",
    "duplicates_in",
    "sides_by_tick_rule",
]

Format = Literal["auto", "trades", "time-and-sales", "ohlcvt"]
Int64s: TypeAlias = npt.NDArray[np.int64]

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "time": ("time", "timestamp"),
    "price": ("price",),
    "volume": ("volume", "qty", "quantity", "size", "amount", "vol"),
    "side": ("side", "buy_or_sell", "buy/sell"),
    "ord_type": ("ord_type", "market_or_limit", "order_type", "ordertype", "market/limit"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "trades": ("trades", "count"),
}
"""Our columns by the names that headers have for them."""

_SIDES: Final = {"b": 0, "buy": 0, "s": 1, "sell": 1}
_ORD_TYPES: Final = {"l": 0, "limit": 0, "m": 1, "market": 1}
_DIGITS_MAX: Final = 18
DECIMALS: Final = 10
"""No instrument has more. A number with more was printed by a program that calculates in binary, such as
1.9640000000000002e-05: it is rounded to these, and counted."""

_FINEST: Final = Decimal(1).scaleb(-DECIMALS)
_MINUTE_NS: Final = 60_000_000_000
_TRADE: Final = ("time", "price", "volume")
_CANDLE: Final = ("time", "open", "high", "low", "close", "volume", "trades")


class Shape(NamedTuple):
    """What the lines of a file are: ``trades`` or ``candles``, and the place of each column."""

    kind: Literal["trades", "candles"]
    places: Mapping[str, int]


class NumberColumn:
    """A growing column of numbers: digits, and how many of them stand behind the point."""

    def __init__(self) -> None:
        self.digits, self.decimals = array("q"), array("B")

    def add(self, digits: int, decimals: int) -> None:
        """Add one."""
        self.digits.append(digits)
        self.decimals.append(decimals)

    def scaled(self, decimals: int) -> Int64s:
        """Return all as integers of the same number of decimals, which none exceeds."""
        digits = np.frombuffer(self.digits, dtype=np.int64) if len(self.digits) else np.zeros(0, dtype=np.int64)
        more = decimals - np.frombuffer(self.decimals, dtype=np.uint8) if len(digits) else digits
        return digits * np.int64(10) ** more.astype(np.int64)

    @property
    def most(self) -> int:
        """The most decimals that one has."""
        return max(self.decimals, default=0)

    def fits(self, decimals: int) -> bool:
        """Whether all fit 18 digits when they have so many decimals."""
        more = decimals - np.frombuffer(self.decimals, dtype=np.uint8).astype(np.float64)
        return bool((np.frombuffer(self.digits, dtype=np.int64) * 10.0**more < 10.0**_DIGITS_MAX).all())


class Columns(msgspec.Struct, kw_only=True):
    """What some files hold, sorted by time.

    Args:
        kind: ``trades`` or ``candles``.
        time_ns: nanoseconds since 1970; of a candle its beginning.
        numbers: columns of ticks or lots by name.
        decimals: of each of these columns.
        side: 0 buy, 1 sell; None where no file tells.
        ord_type: 0 limit, 1 market; 0 where no file tells.
        out_of_order: rows before which a later one stood.
    """

    kind: Literal["trades", "candles"]
    time_ns: Int64s
    numbers: dict[str, Int64s]
    decimals: dict[str, int]
    side: npt.NDArray[np.uint8] | None
    ord_type: npt.NDArray[np.uint8]
    out_of_order: int = 0

    def __len__(self) -> int:
        return len(self.time_ns)

    def picked(self, which: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Columns:
        """Return some rows, by places or by a mask."""
        return msgspec.structs.replace(
            self,
            time_ns=self.time_ns[which],
            numbers={name: column[which] for name, column in self.numbers.items()},
            side=None if self.side is None else self.side[which],
            ord_type=self.ord_type[which],
        )


class LineReader:
    """Reads the lines of one file after the other.

    Args:
        layout: what the lines are; ``auto`` looks at the first one.
        skip_bad: leave bad rows out and count them instead of ending with the first.

    Attributes:
        rows: good ones so far.
        rounded: numbers that had more than ten decimals.
        bad: bad ones left out; `shown` says what the first of them was like.
    """

    def __init__(self, layout: Format = "auto", *, skip_bad: bool = False) -> None:
        self._layout, self._skip_bad = layout, skip_bad
        self.rows = self.bad = self.rounded = 0
        self.shown: list[str] = []
        self._shape: Shape | None = None
        self._times = array("q")
        self._numbers: dict[str, NumberColumn] = {}
        self._words = {"side": bytearray(), "ord_type": bytearray()}

    def take(self, source: str, lines: Iterable[tuple[int, bytes]]) -> None:
        """Read a file.

        Args:
            source: names it in errors.
            lines: their numbers and texts.

        Raises:
            ConfigError: a bad row, or not such a file.
        """
        read: Callable[[Sequence[str]], None] | None = None
        for number, line in lines:
            if not line:
                continue
            fields = _fields(line)
            if read is None:
                shape, is_header = _shape_of(fields, self._layout, f"{source}, line {number}")
                read = self._reader_of(shape, source)
                if is_header:
                    continue
            try:
                read(fields)
            except _BadField as bad:
                self._note(f"{source}, line {number}, column {bad.column}", bad)
            else:
                self.rows += 1

    def _note(self, where: str, bad: _BadField) -> None:
        if not self._skip_bad:
            hint = f"{self.rows} rows before it are good. krakenwire tape import --skip-bad leaves bad ones out"
            raise ConfigError(where, expected=bad.expected, found=bad.found or "nothing", hint=hint)
        self.bad += 1
        if len(self.shown) < IMPORT_BAD_ROWS_SHOWN:
            self.shown.append(f"{where}: expected {bad.expected}, found {bad.found[:80] or 'nothing'}")

    def _reader_of(self, shape: Shape, source: str) -> Callable[[Sequence[str]], None]:
        if self._shape is not None and (self._shape.kind, set(self._shape.places)) != (shape.kind, set(shape.places)):
            raise ConfigError(
                source, expected="the same columns as in the files before it", found=", ".join(shape.places)
            )
        self._shape = shape
        names = [name for name in shape.places if name not in ("time", "side", "ord_type")]
        numbers = [(name, shape.places[name], self._numbers.setdefault(name, NumberColumn())) for name in names]
        words = [(name, shape.places[name], _WORDS[name]) for name in ("side", "ord_type") if name in shape.places]
        time_place, times = shape.places["time"], self._times
        may_be_zero = ("volume", "trades") if shape.kind == "candles" else ()

        def read(fields: Sequence[str]) -> None:
            time_ns = _time(fields, time_place)
            found = [_number(fields, place, name, name in may_be_zero) for name, place, _ in numbers]
            told = [_word(fields, place, name, known) for name, place, known in words]
            times.append(time_ns)
            for (digits, decimals, rounded), (_, _, column) in zip(found, numbers, strict=True):
                column.add(digits, decimals)
                self.rounded += rounded
            for word, (name, _, _) in zip(told, words, strict=True):
                self._words[name].append(word)

        return read

    def columns(self, source: str = "import") -> Columns:
        """Return all rows, sorted by time; those of the same time in their order.

        Args:
            source: what was read, for errors.

        Raises:
            ConfigError: there are none, or numbers that are too different to be held as integers of one unit.
        """
        if self._shape is None or not self.rows:
            raise ConfigError(source, expected="at least one good row", found="none")
        prices = [name for name in self._numbers if name not in ("volume", "trades")]
        price_decimals = max(self._numbers[name].most for name in prices)
        decimals = dict.fromkeys(prices, price_decimals) | {"volume": self._numbers["volume"].most, "trades": 0}
        decimals = {name: decimals[name] for name in self._numbers}
        for name, number in self._numbers.items():
            if not number.fits(decimals[name]):
                raise ConfigError(f"column {name}", expected="numbers that fit 18 digits with the same decimals")
        times = np.array(self._times, dtype=np.int64)
        unsorted = Columns(
            kind=self._shape.kind,
            time_ns=times,
            numbers={name: number.scaled(decimals[name]) for name, number in self._numbers.items()},
            decimals=decimals,
            side=np.frombuffer(self._words["side"], dtype=np.uint8) if "side" in self._shape.places else None,
            ord_type=np.frombuffer(self._words["ord_type"], dtype=np.uint8)
            if "ord_type" in self._shape.places
            else np.zeros(len(times), dtype=np.uint8),
            out_of_order=int((times[1:] < np.maximum.accumulate(times)[:-1]).sum()),
        )
        return unsorted.picked(np.argsort(times, kind="stable"))


# -- what a line is --------------------------------------------------------------------


class _BadField(Exception):
    """A field that is not what its column holds."""

    def __init__(self, column: str, expected: str, found: str) -> None:
        self.column, self.expected, self.found = column, expected, found


def _fields(line: bytes) -> list[str]:
    return [field.strip(' "\t\ufeff') for field in line.decode("utf-8", "replace").split(",")]


def _shape_of(fields: Sequence[str], layout: Format, where: str) -> tuple[Shape, bool]:
    """Return what the lines of a file are, by the first of them, and whether that is a header."""
    names = [field.lower() for field in fields]
    if any(name in _NAMES["time"] for name in names):
        return _shape_of_header(names, layout, where), True
    if layout == "ohlcvt" or (layout == "auto" and len(fields) == len(_CANDLE)):
        return Shape("candles", {name: place for place, name in enumerate(_CANDLE)}), False
    if layout in ("auto", "trades") and len(fields) >= 5 and names[3] in _SIDES:
        columns = (*_TRADE, "side", "ord_type")
        return Shape("trades", {name: place for place, name in enumerate(columns)}), False
    if layout == "time-and-sales" or (layout == "auto" and len(fields) == len(_TRADE)):
        return Shape("trades", {name: place for place, name in enumerate(_TRADE)}), False
    hint = "Kraken's files have 3 or 7 columns; others need a header"
    raise ConfigError(
        where, expected="a header, or the columns of a known kind of file", found=",".join(fields), hint=hint
    )


def _shape_of_header(names: Sequence[str], layout: Format, where: str) -> Shape:
    places: dict[str, int] = {}
    for column, spellings in _NAMES.items():
        place = next((names.index(spelling) for spelling in spellings if spelling in names), None)
        if place is not None:
            places[column] = place
    candles = layout == "ohlcvt" or (layout == "auto" and "price" not in places and "open" in places)
    wanted = _CANDLE if candles else _TRADE
    missing = next((column for column in wanted if column not in places), None)
    if missing is not None:
        quotes = "Quotes alone make no market: there is no trade in them" if {"bid", "ask"} <= set(names) else ""
        raise ConfigError(where, expected=f"a column {missing}", found=", ".join(names), hint=quotes)
    kept = wanted if candles else (*_TRADE, *(name for name in ("side", "ord_type") if name in places))
    return Shape("candles" if candles else "trades", {name: places[name] for name in kept})


# -- fields ------------------------------------------------------------------------------

_WORDS: Final[dict[str, dict[str, int]]] = {"side": _SIDES, "ord_type": _ORD_TYPES}


def _field(fields: Sequence[str], place: int) -> str:
    return fields[place] if place < len(fields) else ""


def _time(fields: Sequence[str], place: int) -> int:
    text = _field(fields, place)
    try:
        return ns_from_rfc3339(text) if text.endswith("Z") else ns_from_unix_text(text)
    except DecodeError:
        raise _BadField("time", "Unix seconds or RFC 3339", text) from None


def _word(fields: Sequence[str], place: int, column: str, known: Mapping[str, int]) -> int:
    text = _field(fields, place)
    word = known.get(text.lower())
    if word is None:
        raise _BadField(column, " or ".join(known), text)
    return word


def _number(fields: Sequence[str], place: int, column: str, may_be_zero: bool) -> tuple[int, int, bool]:
    """Return digits without zeros at the end, how many stand behind the point, and whether the number was rounded."""
    text = _field(fields, place)
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    digits = whole + fraction
    if whole and digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS_MAX and len(fraction) <= DECIMALS:
        found = int(digits), len(fraction), False
    else:
        found = _number_slowly(text, column)
    if found[0] == 0 and not may_be_zero:
        raise _BadField(column, "a number above 0", text)
    return found


def _number_slowly(text: str, column: str) -> tuple[int, int, bool]:
    """As `_number`, for what has an exponent or too many decimals."""
    try:
        exact = decimal_from_text(text)
    except DecodeError:
        raise _BadField(column, "a number above 0", text) from None
    value = exact
    if decimals_of(exact) > DECIMALS:
        with localcontext(prec=2 * NUMBER_EXPONENT_MAX + _DIGITS_MAX):
            value = exact.quantize(_FINEST)
    plain = format(value, "f").rstrip("0") if decimals_of(value) else format(value, "f")
    whole, _, fraction = plain.partition(".")
    digits = whole + fraction
    if not digits.isdecimal() or len(digits.lstrip("0")) > _DIGITS_MAX:
        raise _BadField(column, "a number above 0 of at most 18 digits", text)
    return int(digits), len(fraction), value != exact


# -- what follows from the columns ----------------------------------------------------------


def sides_by_tick_rule(prices: Int64s) -> npt.NDArray[np.uint8]:
    """Return the taker's side where nobody tells it: a trade above the price before was bought, one below it sold.

    A trade at the same price is of the side of the one before; before any change it was bought.
    Source: Lee and Ready, "Inferring Trade Direction from Intraday Data", 1991: the tick test.
    """
    change = np.sign(np.diff(prices, prepend=prices[:1]))
    last = np.maximum.accumulate(np.where(change != 0, np.arange(len(prices)), 0))
    sides: npt.NDArray[np.uint8] = (change[last] < 0).astype(np.uint8)
    return sides


def duplicates_in(columns: Columns) -> npt.NDArray[np.bool_]:
    """Return which rows say in every column what a row before them says."""
    keys: list[npt.NDArray[np.integer]] = [columns.ord_type, *columns.numbers.values(), columns.time_ns]
    if columns.side is not None:
        keys.insert(0, columns.side)
    order = np.lexsort(keys)
    again = np.ones(len(columns), dtype=np.bool_)
    for key in keys:
        ordered = key[order]
        again[1:] &= ordered[1:] == ordered[:-1]
    again[:1] = False
    found = np.zeros(len(columns), dtype=np.bool_)
    found[order] = again
    return found


def candle_minutes(begins_ns: Int64s, asked: int | None) -> int:
    """Return the minutes of some candles' interval: the one asked for, else their smallest step.

    Raises:
        ConfigError: the beginnings do not fit it, or there is nothing to tell it by.
    """
    steps = np.unique(np.diff(begins_ns))
    steps = steps[steps > 0]
    if asked is None and not len(steps):
        raise ConfigError("--interval", expected="minutes", hint="One candle does not tell its interval")
    minutes = max(1, int(steps[0]) // _MINUTE_NS) if asked is None else asked
    if minutes < 1 or (begins_ns % (minutes * _MINUTE_NS)).any():
        hint = "Say it with --interval" if asked is None else "The candles begin at other times"
        raise ConfigError(
            "interval of the candles", expected="minutes that every beginning fits", found=minutes, hint=hint
        )
    return minutes
