"""What version 1 arrays mean: ticker, ohlc, trade, spread and book frames as model events.

Arrays are read from the end (pair, then channel name), because a book update
may have one container or two. Nothing here may round, guess a missing fact or
keep state. Next: `general` for the frames that are objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from functools import lru_cache
from typing import Final, Literal, TypeVar

import msgspec

from krakenwire.errors import DecodeError, SymbolError, excerpt
from krakenwire.model import BookUpdate, Candle, Candles, Event, OrderSide, Spread, Ticker, Trade, Trades, Unknown
from krakenwire.model.numbers import decimal_from_text
from krakenwire.model.times import ns_from_unix_text
from krakenwire.protocol.symbols import to_v2

__all__ = ["array_event", "book_event", "channel_parts", "symbol_of"]

_CHECKSUM_MAX: Final = 2**32 - 1
_MINUTE_NS: Final = 60_000_000_000

_EXACT: Final = Context(prec=250)
"""Wide enough that neither the difference of two prices nor its share of one is rounded early."""

_CENT: Final = Decimal("0.01")
_SIDES: Final[dict[str, OrderSide]] = {"b": "buy", "s": "sell", "buy": "buy", "sell": "sell"}
_ORDER_TYPES: Final = {"m": "market", "l": "limit"}

_T = TypeVar("_T")
_WireLevels = list[tuple[str, ...]]


class _Quote(msgspec.Struct, array_like=True, gc=False):
    price: str
    whole: int | str
    qty: str


class _Pair(msgspec.Struct, array_like=True, gc=False):
    first: str
    second: str


class _Counts(msgspec.Struct, array_like=True, gc=False):
    today: int
    day: int


_TICKER_KEYS: Final = {
    "ask": "a",
    "bid": "b",
    "last": "c",
    "volume": "v",
    "vwap": "p",
    "trades": "t",
    "low": "l",
    "high": "h",
    "opened": "o",
}


class _Ticker(msgspec.Struct, rename=_TICKER_KEYS):
    ask: _Quote
    bid: _Quote
    last: _Pair
    volume: _Pair
    vwap: _Pair
    trades: _Counts
    low: _Pair
    high: _Pair
    opened: _Pair


class _Trade(msgspec.Struct, array_like=True, gc=False):
    price: str
    qty: str
    time: str
    side: Literal["b", "s", "buy", "sell"]
    ord_type: str


class _Candle(msgspec.Struct, array_like=True, gc=False):
    time: str
    etime: str
    open: str
    high: str
    low: str
    close: str
    vwap: str
    volume: str
    count: int | str


class _Spread(msgspec.Struct, array_like=True, gc=False):
    bid: str
    ask: str
    time: str
    bid_qty: str
    ask_qty: str


class _Book(msgspec.Struct, gc=False):
    a: _WireLevels | None = None
    b: _WireLevels | None = None
    c: str | None = None
    ask_side: _WireLevels | None = msgspec.field(default=None, name="as")
    bid_side: _WireLevels | None = msgspec.field(default=None, name="bs")


class _BookFrame(msgspec.Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    """The four-element form, by far the most frequent frame of the version."""

    channel_id: int
    body: _Book
    name: str
    pair: str


_decode_book = msgspec.json.Decoder(_BookFrame).decode


@lru_cache(maxsize=4096)
def symbol_of(pair: str) -> str:
    """Return the v2 spelling of a pair the venue named.

    Raises:
        DecodeError: it is no pair.
    """
    try:
        return to_v2(pair)
    except SymbolError as error:
        raise DecodeError(str(error), pair) from error


@lru_cache(maxsize=256)
def channel_parts(name: str) -> tuple[str, int | None]:
    """Split ``book-10`` into its channel and parameter; bare names have none."""
    base, _, parameter = name.partition("-")
    if parameter.isascii() and parameter.isdigit() and len(parameter) <= 9:
        return base, int(parameter)
    return name, None


@lru_cache(maxsize=4096)
def _book_route(name: str, pair: str) -> tuple[str, int | None] | None:
    """Symbol and depth of a book frame, None when the name is another channel's."""
    base, depth = channel_parts(name)
    return (symbol_of(pair), depth) if base == "book" else None


def book_event(frame: str | bytes) -> BookUpdate | None:
    """Return the event of a four-element book frame, None for anything else.

    Cost: this is the hot path; one typed decode and one pass over the levels.

    Raises:
        DecodeError: a level or a checksum that cannot be.
    """
    try:
        message = _decode_book(frame)
    except (ValueError, RecursionError):
        return None
    route = _book_route(message.name, message.pair)
    if route is None:
        return None
    symbol, depth = route
    body = message.body
    asks, bids = body.a, body.b
    if asks is None and bids and body.bid_side is body.ask_side is None:
        return BookUpdate(symbol, "update", bids, (), _checksum(body.c), _newest_ns(bids), depth)
    if bids is None and asks and body.bid_side is body.ask_side is None:
        return BookUpdate(symbol, "update", (), asks, _checksum(body.c), _newest_ns(asks), depth)
    return _book_update((body,), depth, symbol)


def array_event(message: list[object]) -> Event:
    """Return the event of any decoded array frame.

    Raises:
        DecodeError: not an array of this protocol, or a member of the wrong type.
    """
    if len(message) < 3:
        raise DecodeError("an array of fewer than three elements", repr(message)[:200])
    name, last = message[-2], message[-1]
    if not isinstance(name, str) or not isinstance(last, str | dict):
        raise DecodeError("an array that does not end with a channel name and a pair", repr(message[-2:])[:200])
    base, parameter = channel_parts(name)
    make = _CHANNELS.get(base)
    if isinstance(last, dict) or make is None or (base == "ohlc" and parameter is None):
        return Unknown(what=name, frame=excerpt(repr(message)))
    if len(message) < 4:
        raise DecodeError("channel data without a payload", repr(message)[:200])
    return make(message[1:-2], parameter, symbol_of(last))


def _typed(payload: object, wanted: type[_T]) -> _T:
    try:
        return msgspec.convert(payload, wanted)
    except (ValueError, RecursionError) as error:
        raise DecodeError(str(error), repr(payload)[:200]) from None


def _count(value: int | str) -> int:
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= 20):
            raise DecodeError("not a count", value)
        value = int(value)
    return value


def _ticker(payloads: Sequence[object], _: int | None, symbol: str) -> Ticker:
    body = _typed(payloads[0], _Ticker)
    last, opened = decimal_from_text(body.last.first), decimal_from_text(body.opened.second)
    change = _EXACT.subtract(last, opened)
    share = _EXACT.divide(_EXACT.multiply(change, Decimal(100)), opened) if opened else None
    return Ticker(
        symbol=symbol,
        kind="update",
        bid=decimal_from_text(body.bid.price),
        bid_qty=decimal_from_text(body.bid.qty),
        ask=decimal_from_text(body.ask.price),
        ask_qty=decimal_from_text(body.ask.qty),
        last=last,
        last_qty=decimal_from_text(body.last.second),
        volume=decimal_from_text(body.volume.second),
        vwap=decimal_from_text(body.vwap.second),
        low=decimal_from_text(body.low.second),
        high=decimal_from_text(body.high.second),
        change=change,
        change_pct=None if share is None else share.quantize(_CENT, context=_EXACT),
        trades=body.trades.day,
    )


def _trades(payloads: Sequence[object], _: int | None, symbol: str) -> Trades:
    rows = _typed(payloads[0], list[_Trade])
    return Trades(symbol=symbol, kind="update", trades=tuple([_trade(row, symbol) for row in rows]))


def _trade(row: _Trade, symbol: str) -> Trade:
    return Trade(
        symbol=symbol,
        side=_SIDES[row.side],
        price=decimal_from_text(row.price),
        qty=decimal_from_text(row.qty),
        ord_type=_ORDER_TYPES.get(row.ord_type, row.ord_type),
        time_ns=ns_from_unix_text(row.time),
    )


def _candles(payloads: Sequence[object], interval: int | None, symbol: str) -> Candles:
    assert interval is not None
    row = _typed(payloads[0], _Candle)
    end_ns = ns_from_unix_text(row.etime)
    candle = Candle(
        symbol=symbol,
        interval=interval,
        begin_ns=end_ns - interval * _MINUTE_NS,
        end_ns=end_ns,
        open=decimal_from_text(row.open),
        high=decimal_from_text(row.high),
        low=decimal_from_text(row.low),
        close=decimal_from_text(row.close),
        vwap=decimal_from_text(row.vwap),
        volume=decimal_from_text(row.volume),
        trades=_count(row.count),
    )
    return Candles(symbol=symbol, interval=interval, kind="update", candles=(candle,))


def _spread(payloads: Sequence[object], _: int | None, symbol: str) -> Spread:
    row = _typed(payloads[0], _Spread)
    return Spread(
        symbol=symbol,
        bid=decimal_from_text(row.bid),
        bid_qty=decimal_from_text(row.bid_qty),
        ask=decimal_from_text(row.ask),
        ask_qty=decimal_from_text(row.ask_qty),
        time_ns=ns_from_unix_text(row.time),
    )


def _book(payloads: Sequence[object], depth: int | None, symbol: str) -> BookUpdate:
    return _book_update(_typed(payloads, list[_Book]), depth, symbol)


def _book_update(bodies: Sequence[_Book], depth: int | None, symbol: str) -> BookUpdate:
    """Join the containers of one frame; the checksum is in the last one."""
    asks: _WireLevels = []
    bids: _WireLevels = []
    changed = whole = False
    for body in bodies:
        if body.a is not None:
            asks, changed = asks + body.a if asks else body.a, True
        if body.b is not None:
            bids, changed = bids + body.b if bids else body.b, True
        if body.ask_side is not None:
            asks, whole = body.ask_side, True
        if body.bid_side is not None:
            bids, whole = body.bid_side, True
    if changed == whole:
        raise DecodeError("a book frame must hold either a snapshot or an update", symbol)
    checksum, time_ns = _checksum(bodies[-1].c), _newest_ns(bids + asks)
    return BookUpdate(symbol, "snapshot" if whole else "update", bids, asks, checksum, time_ns, depth)


def _checksum(text: str | None) -> int | None:
    if text is None:
        return None
    if text.isdigit() and text.isascii() and len(text) <= 10 and (value := int(text)) <= _CHECKSUM_MAX:
        return value
    raise DecodeError("not a checksum", text)


def _newest_ns(levels: _WireLevels) -> int | None:
    try:
        # Most frames change one level; building a list for it would cost more than the rest of this.
        newest = levels[0][2] if len(levels) == 1 else max([level[2] for level in levels], default="")
    except IndexError:
        raise DecodeError("a book level without price, volume and time", repr(levels)[:200]) from None
    digits = newest.replace(".", "", 1)
    if len(digits) == 16 and newest[10] == "." and digits.isdigit() and digits.isascii():
        return int(digits) * 1000
    return max([ns_from_unix_text(level[2]) for level in levels], default=None)


_CHANNELS: Final[dict[str, Callable[[Sequence[object], int | None, str], Event]]] = {
    "book": _book,
    "ohlc": _candles,
    "spread": _spread,
    "ticker": _ticker,
    "trade": _trades,
}
