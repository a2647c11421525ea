"""From the shapes of `wire` to events: one function per kind of message.

Tuned for book, trade and ticker: no call per level where one per side does,
and the texts of numbers are made into `Decimal` once. Whatever a peer put into
a number member is turned into text first, so only digits survive the parsing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from krakenwire.errors import DecodeError
from krakenwire.model import (
    Asset,
    BookUpdate,
    Candle,
    Candles,
    Event,
    Heartbeat,
    Instrument,
    Instruments,
    Level3Order,
    Level3Update,
    Status,
    Ticker,
    Trade,
    Trades,
    WireLevel,
)
from krakenwire.model.numbers import decimal_from_text
from krakenwire.model.times import ns_from_rfc3339
from krakenwire.protocol.v2 import wire

__all__ = ["EVENTS"]

_MINUTE_NS = 60_000_000_000
_HEARTBEAT = (Heartbeat(),)
_RowT = TypeVar("_RowT")
_KeyT = TypeVar("_KeyT")

# Prices, volumes and daily figures repeat from frame to frame; keys are at most 64 characters, so memory is bounded.
_number = lru_cache(maxsize=8192)(decimal_from_text)


def _levels(side: list[wire.PriceLevel]) -> list[WireLevel]:
    if len(side) == 1:  # most updates; a comprehension costs as much as two levels
        level = side[0]
        return [(f"{level.price}", f"{level.qty}")]
    return [(f"{level.price}", f"{level.qty}") for level in side]


def _book(message: wire.BookMessage) -> tuple[Event, ...]:
    rows = message.data
    if len(rows) == 1:
        row = rows[0]
        bids, asks = row.bids, row.asks
        update = BookUpdate(
            row.symbol,
            message.type,
            _levels(bids) if bids else (),
            _levels(asks) if asks else (),
            row.checksum,
            row.timestamp,
        )
        return (update,)
    kind = message.type
    return tuple(
        BookUpdate(row.symbol, kind, _levels(row.bids), _levels(row.asks), row.checksum, row.timestamp) for row in rows
    )


def _trade(row: wire.TradeRow) -> Trade:
    return Trade(
        symbol=row.symbol,
        side=row.side,
        price=_number(f"{row.price}"),
        qty=_number(f"{row.qty}"),
        ord_type=row.ord_type,
        time_ns=ns_from_rfc3339(row.timestamp),
        trade_id=row.trade_id,
    )


def _trades(message: wire.TradeMessage) -> tuple[Event, ...]:
    rows = message.data
    if len(rows) == 1:
        return (Trades(symbol=rows[0].symbol, kind=message.type, trades=(_trade(rows[0]),)),)
    return tuple(
        Trades(symbol=symbol, kind=message.type, trades=tuple(map(_trade, group)))
        for symbol, group in _grouped(rows, lambda row: row.symbol).items()
    )


def _ticker(message: wire.TickerMessage) -> tuple[Event, ...]:
    return tuple(
        Ticker(
            symbol=row.symbol,
            kind=message.type,
            bid=_number(f"{row.bid}"),
            bid_qty=_number(f"{row.bid_qty}"),
            ask=_number(f"{row.ask}"),
            ask_qty=_number(f"{row.ask_qty}"),
            last=_number(f"{row.last}"),
            volume=_number(f"{row.volume}"),
            vwap=_number(f"{row.vwap}"),
            low=_number(f"{row.low}"),
            high=_number(f"{row.high}"),
            change=None if row.change is None else _number(f"{row.change}"),
            change_pct=None if row.change_pct is None else _number(f"{row.change_pct}"),
            trades=row.trades,
            time_ns=None if row.timestamp is None else ns_from_rfc3339(row.timestamp),
        )
        for row in message.data
    )


def _candle(row: wire.CandleRow) -> Candle:
    if row.interval < 1:
        raise DecodeError("an interval below one minute", str(row.interval))
    begin_ns = ns_from_rfc3339(row.interval_begin)
    return Candle(
        symbol=row.symbol,
        interval=row.interval,
        begin_ns=begin_ns,
        end_ns=begin_ns + row.interval * _MINUTE_NS,
        open=_number(f"{row.open}"),
        high=_number(f"{row.high}"),
        low=_number(f"{row.low}"),
        close=_number(f"{row.close}"),
        vwap=_number(f"{row.vwap}"),
        volume=_number(f"{row.volume}"),
        trades=row.trades,
    )


def _ohlc(message: wire.OhlcMessage) -> tuple[Event, ...]:
    groups = _grouped(message.data, lambda row: (row.symbol, row.interval))
    return tuple(
        Candles(symbol=symbol, interval=interval, kind=message.type, candles=tuple(map(_candle, rows)))
        for (symbol, interval), rows in groups.items()
    )


def _order(order: wire.Level3WireOrder) -> Level3Order:
    return Level3Order(
        order_id=order.order_id,
        price_text=f"{order.limit_price}",
        qty_text=f"{order.order_qty}",
        time_ns=ns_from_rfc3339(order.timestamp),
        event=order.event,
    )


def _level3(message: wire.Level3Message) -> tuple[Event, ...]:
    return tuple(
        Level3Update(
            symbol=row.symbol,
            kind=message.type,
            bids=tuple(map(_order, row.bids)),
            asks=tuple(map(_order, row.asks)),
            checksum=row.checksum,
            time_ns=None if row.timestamp is None else ns_from_rfc3339(row.timestamp),
        )
        for row in message.data
    )


def _asset(row: wire.AssetRow) -> Asset:
    return Asset(
        id=row.id,
        status=row.status,
        precision=row.precision,
        precision_display=row.precision_display,
        borrowable=row.borrowable,
        collateral_value=None if row.collateral_value is None else _number(f"{row.collateral_value}"),
        margin_rate=None if row.margin_rate is None else _number(f"{row.margin_rate}"),
    )


def _pair(row: wire.InstrumentRow) -> Instrument:
    increment = row.tick_size if row.price_increment is None else row.price_increment
    return Instrument(
        symbol=row.symbol,
        base=row.base,
        quote=row.quote,
        status=row.status,
        price_precision=row.price_precision,
        qty_precision=row.qty_precision,
        cost_precision=row.cost_precision,
        price_increment=_number(f"{increment}"),
        qty_increment=_number(f"{row.qty_increment}"),
        qty_min=_number(f"{row.qty_min}"),
        cost_min=None if row.cost_min is None else _number(f"{row.cost_min}"),
        marginable=row.marginable,
        has_index=row.has_index,
        margin_initial=None if row.margin_initial is None else _number(f"{row.margin_initial}"),
        position_limit_long=row.position_limit_long,
        position_limit_short=row.position_limit_short,
    )


def _instrument(message: wire.InstrumentMessage) -> tuple[Event, ...]:
    rows = message.data
    assets, pairs = tuple(map(_asset, rows.assets)), tuple(map(_pair, rows.pairs))
    return (Instruments(kind=message.type, assets=assets, pairs=pairs),)


def _status(message: wire.StatusMessage) -> tuple[Event, ...]:
    return tuple(
        Status(system=row.system, version=row.version, api_version=row.api_version, connection_id=row.connection_id)
        for row in message.data
    )


def _grouped(rows: list[_RowT], key: Callable[[_RowT], _KeyT]) -> dict[_KeyT, list[_RowT]]:
    """Rows by key, in order of first appearance."""
    groups: dict[_KeyT, list[_RowT]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


EVENTS: Mapping[type[wire.ChannelMessage], Callable[[Any], tuple[Event, ...]]] = {
    wire.BookMessage: _book,
    wire.TradeMessage: _trades,
    wire.TickerMessage: _ticker,
    wire.OhlcMessage: _ohlc,
    wire.Level3Message: _level3,
    wire.InstrumentMessage: _instrument,
    wire.StatusMessage: _status,
    wire.HeartbeatMessage: lambda _: _HEARTBEAT,
}
"""The function that makes events of a decoded message, by the message's shape."""
