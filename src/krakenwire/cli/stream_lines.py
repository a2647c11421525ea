"""Items of the feed as lines: exact JSON for programs, columns for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from krakenwire.cli.render import Json, fixed, json_line
from krakenwire.model import (
    BookReading,
    Candle,
    Instruments,
    Level,
    Level3Order,
    Level3Reading,
    Spread,
    Status,
    Ticker,
    Trade,
)
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.session import StreamItem

__all__ = ["json_lines", "plain_lines"]

_TOP_LEVELS: Final = 10
_TOP_SHOWN: Final = 3


# -- JSON ------------------------------------------------------------------------


def json_lines(item: StreamItem) -> Iterator[str]:
    """Yield the item as JSON objects, one line each: one, or for instruments one a row."""
    if isinstance(item, Instruments):
        for asset in item.assets:
            yield json_line({"channel": "asset", "kind": item.kind, **_members(asset)})
        for pair in item.pairs:
            yield json_line({"channel": "instrument", "kind": item.kind, **_members(pair)})
    elif isinstance(item, msgspec.Struct):
        yield json_line({"channel": getattr(item, "channel", ""), **_members(item)})
    else:
        yield json_line(_book_members(item))


def _members(item: msgspec.Struct) -> dict[str, Json]:
    """The members that are there; times as RFC 3339, by their name without the unit."""
    found: dict[str, Json] = {}
    for name in item.__struct_fields__:
        value = getattr(item, name)
        if value is None:
            continue
        if name.endswith("_ns"):
            found[name.removesuffix("_ns")] = _time(value)
        else:
            found[name] = value
    return found


def _book_members(book: Any) -> dict[str, Json]:
    bids, asks = _top(book)
    found: dict[str, Json] = {
        "channel": "level3" if _is_level3(book) else "book",
        "symbol": book.symbol,
        "depth": book.depth,
        "best_bid": book.best_bid,
        "best_ask": book.best_ask,
        "verified": book.verified,
        "checksum": book.checksum,
    }
    if book.time_ns is not None:
        found["time"] = _time(book.time_ns)
    return found | {"bids": bids, "asks": asks}


def _is_level3(book: BookReading | Level3Reading) -> bool:
    return not hasattr(book, "best_bid_qty")


def _top(book: Any) -> tuple[list[Json], list[Json]]:
    if _is_level3(book):
        return [_order(o) for o in book.bids[:_TOP_LEVELS]], [_order(o) for o in book.asks[:_TOP_LEVELS]]
    bids, asks = book.top(_TOP_LEVELS)
    return [list(level) for level in bids], [list(level) for level in asks]


def _order(order: Level3Order) -> Json:
    return {"order_id": order.order_id, "price": order.price, "qty": order.qty, "time": _time(order.time_ns)}


def _time(time_ns: int) -> str:
    return rfc3339_from_ns(time_ns, 9 if time_ns % 1000 else 6)


# -- columns -----------------------------------------------------------------------


def plain_lines(item: StreamItem) -> Iterator[str]:
    """Yield the item as lines for a person."""
    if isinstance(item, Instruments):
        for pair in item.pairs:
            yield (
                f"{pair.symbol:<12} {pair.status:<12} price step {fixed(pair.price_increment)}, "
                f"least {fixed(pair.qty_min)} {pair.base}"
            )
        return
    plain = _PLAIN.get(type(item))
    if plain is not None:
        yield plain(item)
    elif not isinstance(item, msgspec.Struct):
        yield _plain_book(item)
    else:
        yield from json_lines(item)


def _clock(time_ns: int | None) -> str:
    return "" if time_ns is None else rfc3339_from_ns(time_ns, 3)[11:23]


def _plain_trade(trade: Trade) -> str:
    return (
        f"{_clock(trade.time_ns):<12}  {trade.symbol:<9} {trade.side:<4} {fixed(trade.qty):>16} at {fixed(trade.price)}"
    )


def _plain_ticker(ticker: Ticker) -> str:
    change = "" if ticker.change_pct is None else f"  24 h {ticker.change_pct:+f} %"
    prices = f"last {fixed(ticker.last)}  bid {fixed(ticker.bid)}  ask {fixed(ticker.ask)}"
    return f"{_clock(ticker.time_ns):<12}  {ticker.symbol:<9} {prices}{change}  volume {fixed(ticker.volume)}"


def _plain_candle(candle: Candle) -> str:
    prices = f"O {fixed(candle.open)}  H {fixed(candle.high)}  L {fixed(candle.low)}  C {fixed(candle.close)}"
    state = "closed" if candle.closed else "forming"
    begin = rfc3339_from_ns(candle.begin_ns, 0)[:16]
    return f"{begin}  {candle.symbol:<9} {candle.interval}m {prices}  volume {fixed(candle.volume)}  {state}"


def _plain_spread(spread: Spread) -> str:
    return (
        f"{_clock(spread.time_ns):<12}  {spread.symbol:<9} bid {fixed(spread.bid)} ({fixed(spread.bid_qty)})  "
        f"ask {fixed(spread.ask)} ({fixed(spread.ask_qty)})  spread {fixed(spread.ask - spread.bid)}"
    )


def _plain_status(status: Status) -> str:
    return f"trading mode {status.system}" + (f", API {status.api_version}" if status.api_version else "")


def _plain_book(book: Any) -> str:
    bids, asks = (book.bids[:_TOP_SHOWN], book.asks[:_TOP_SHOWN]) if _is_level3(book) else book.top(_TOP_SHOWN)
    mark = "verified" if book.verified else "not verified"
    left, right = " ".join(map(_plain_level, reversed(bids))), " ".join(map(_plain_level, asks))
    return f"{_clock(book.time_ns):<12}  {book.symbol:<9} {left} | {right}  {mark} {book.checksum}"


def _plain_level(level: Level | Level3Order) -> str:
    return f"{fixed(level.price)}x{fixed(level.qty)}"


_PLAIN: Final[Mapping[type, Callable[[Any], str]]] = {
    Candle: _plain_candle,
    Spread: _plain_spread,
    Status: _plain_status,
    Ticker: _plain_ticker,
    Trade: _plain_trade,
}
