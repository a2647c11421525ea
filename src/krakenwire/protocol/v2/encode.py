"""The venue's side of v2, outbound: events into frames, digit by digit as Kraken writes them.

Members stand in the order of the recordings, numbers are fixed point with all
their trailing zeros, times have the digits of their place; replies have their
members in alphabetical order. A `Decimal` is written with the decimals it has,
so callers pass full precision. Source: v2 reference, sections 2.3 to 2.6, 5, 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from krakenwire.model import (
    Asset,
    BookUpdate,
    Candle,
    Candles,
    Instrument,
    Instruments,
    Level3Order,
    Level3Update,
    Pong,
    Refused,
    Status,
    Subscribed,
    Subscription,
    Ticker,
    Trade,
    Trades,
    Unsubscribed,
    WireLevel,
)
from krakenwire.model.times import rfc3339_from_ns

__all__ = [
    "HEARTBEAT",
    "WARNINGS",
    "book",
    "instruments",
    "level3",
    "ohlc",
    "pong",
    "refused",
    "reply_frame",
    "status",
    "subscribed",
    "ticker",
    "trades",
    "unsubscribed",
]

HEARTBEAT = '{"channel":"heartbeat"}'
"""One client recognises it by this exact text."""

WARNINGS = {
    "ohlc": ("timestamp is deprecated, use interval_begin",),
    "instrument": ("tick_size is deprecated, use price_increment",),
}
"""What a subscribe reply warns of, by channel."""


def _text(value: str) -> str:
    return msgspec.json.encode(value).decode()


def _number(value: Decimal) -> str:
    return format(value, "f")


def _frame(channel: str, kind: str, rows: Iterable[str]) -> str:
    return f'{{"channel":"{channel}","type":"{kind}","data":[{",".join(rows)}]}}'


# -- channel messages --------------------------------------------------------


def status(event: Status) -> str:
    """Return a `status` message, with the two arrays seen empty since 2026-09."""
    row = {
        "version": event.version,
        "system": event.system,
        "api_version": event.api_version,
        "connection_id": event.connection_id,
    }
    known = [f'"{name}":{msgspec.json.encode(value).decode()}' for name, value in row.items() if value is not None]
    return _frame("status", "update", ["{" + ",".join(known) + ',"upcoming_maintenance":[],"emergency":[]}'])


def ticker(event: Ticker) -> str:
    """Return a `ticker` message. Members that the event lacks are left out."""
    numbers = {
        "bid": event.bid,
        "bid_qty": event.bid_qty,
        "ask": event.ask,
        "ask_qty": event.ask_qty,
        "last": event.last,
        "volume": event.volume,
        "vwap": event.vwap,
        "low": event.low,
        "high": event.high,
        "change": event.change,
        "change_pct": event.change_pct,
    }
    members = [f'"symbol":{_text(event.symbol)}']
    members += [f'"{name}":{_number(value)}' for name, value in numbers.items() if value is not None]
    if event.trades is not None:
        members.append(f'"trades":{event.trades}')
    if event.time_ns is not None:
        members.append(f'"timestamp":"{rfc3339_from_ns(event.time_ns)}"')
    return _frame("ticker", event.kind, ["{" + ",".join(members) + "}"])


def book(event: BookUpdate) -> str:
    """Return a `book` message; levels are written with the digits of their wire text."""
    time_ns = event.time_ns
    time = "" if time_ns is None else f',"timestamp":"{rfc3339_from_ns(time_ns)}"'
    return (
        f'{{"channel":"book","type":"{event.kind}","data":[{{"symbol":{_text(event.symbol)},'
        f'"bids":[{_levels(event.wire_bids)}],"asks":[{_levels(event.wire_asks)}],'
        f'"checksum":{event.checksum}{time}}}]}}'
    )


def _levels(levels: Sequence[WireLevel]) -> str:
    return ",".join([f'{{"price":{level[0]},"qty":{level[1]}}}' for level in levels])


def level3(event: Level3Update) -> str:
    """Return a `level3` message: a snapshot names its time last, an update first."""
    bids, asks = (",".join(map(_order, side)) for side in (event.bids, event.asks))
    symbol, checksum = f'"symbol":{_text(event.symbol)}', f'"checksum":{event.checksum}'
    sides = f'"bids":[{bids}],"asks":[{asks}]'
    time = "" if event.time_ns is None else f'"timestamp":"{rfc3339_from_ns(event.time_ns, 9)}"'
    members = (symbol, checksum, sides, time) if event.kind == "snapshot" else (checksum, time, symbol, sides)
    return _frame("level3", event.kind, ["{" + ",".join(filter(None, members)) + "}"])


def _order(order: Level3Order) -> str:
    event = f'"event":"{order.event}",' if order.event else ""
    return (
        f'{{{event}"order_id":{_text(order.order_id)},"limit_price":{order.price_text},'
        f'"order_qty":{order.qty_text},"timestamp":"{rfc3339_from_ns(order.time_ns, 9)}"}}'
    )


def ohlc(event: Candles, time_ns: int) -> str:
    """Return an `ohlc` message; `time_ns` is the envelope's own time."""
    rows = ",".join(map(_candle, event.candles))
    time = rfc3339_from_ns(time_ns, 9)
    return f'{{"channel":"ohlc","type":"{event.kind}","timestamp":"{time}","data":[{rows}]}}'


def _candle(candle: Candle) -> str:
    return (
        f'{{"symbol":{_text(candle.symbol)},"open":{_number(candle.open)},"high":{_number(candle.high)},'
        f'"low":{_number(candle.low)},"close":{_number(candle.close)},"trades":{candle.trades},'
        f'"volume":{_number(candle.volume)},"vwap":{_number(candle.vwap)},'
        f'"interval_begin":"{rfc3339_from_ns(candle.begin_ns, 9)}","interval":{candle.interval},'
        f'"timestamp":"{rfc3339_from_ns(candle.end_ns)}"}}'
    )


def trades(event: Trades) -> str:
    """Return a `trade` message."""
    return _frame("trade", event.kind, map(_trade, event.trades))


def _trade(trade: Trade) -> str:
    return (
        f'{{"symbol":{_text(trade.symbol)},"side":"{trade.side}","price":{_number(trade.price)},'
        f'"qty":{_number(trade.qty)},"ord_type":{_text(trade.ord_type)},"trade_id":{trade.trade_id},'
        f'"timestamp":"{rfc3339_from_ns(trade.time_ns)}"}}'
    )


def instruments(event: Instruments) -> str:
    """Return an `instrument` message; its data is an object."""
    assets, pairs = ",".join(map(_asset, event.assets)), ",".join(map(_pair, event.pairs))
    return f'{{"channel":"instrument","type":"{event.kind}","data":{{"assets":[{assets}],"pairs":[{pairs}]}}}}'


def _members(members: dict[str, str | int | Decimal | None]) -> str:
    """A JSON object of what is not None, in the order given."""
    parts = []
    for name, value in members.items():
        if value is not None:
            text = _number(value) if isinstance(value, Decimal) else msgspec.json.encode(value).decode()
            parts.append(f'"{name}":{text}')
    return "{" + ",".join(parts) + "}"


def _asset(asset: Asset) -> str:
    return _members(
        {
            "id": asset.id,
            "status": asset.status,
            "precision": asset.precision,
            "precision_display": asset.precision_display,
            "borrowable": asset.borrowable,
            "collateral_value": asset.collateral_value,
            "class": "currency",
            "margin_rate": asset.margin_rate,
        }
    )


def _pair(pair: Instrument) -> str:
    return _members(
        {
            "symbol": pair.symbol,
            "base": pair.base,
            "quote": pair.quote,
            "status": pair.status,
            "qty_precision": pair.qty_precision,
            "qty_increment": pair.qty_increment,
            "price_precision": pair.price_precision,
            "cost_precision": pair.cost_precision,
            "marginable": pair.marginable,
            "has_index": pair.has_index,
            "ws_display_price_precision": pair.price_precision,
            "cost_min": pair.cost_min,
            "margin_initial": pair.margin_initial,
            "position_limit_long": pair.position_limit_long,
            "position_limit_short": pair.position_limit_short,
            "tick_size": pair.price_increment,
            "price_increment": pair.price_increment,
            "qty_min": pair.qty_min,
        }
    )


# -- replies -----------------------------------------------------------------


def pong(event: Pong) -> str:
    """Return the answer to a ping: neither `success` nor `result`."""
    return reply_frame({"method": "pong", "req_id": event.req_id}, event.time_in_ns, event.time_out_ns)


def subscribed(event: Subscribed, time_in_ns: int, time_out_ns: int) -> str:
    """Return the confirmation of one subscription, with the parameters in force."""
    result = _result(event.subscription) | {"warnings": event.warnings or None}
    members = {"method": "subscribe", "req_id": event.req_id, "result": _known(result), "success": True}
    return reply_frame(members, time_in_ns, time_out_ns)


def unsubscribed(event: Unsubscribed, time_in_ns: int, time_out_ns: int) -> str:
    """Return the confirmation of the end of one subscription."""
    result = _result(event.subscription) | {"snapshot": None}
    members = {"method": "unsubscribe", "req_id": event.req_id, "result": _known(result), "success": True}
    return reply_frame(members, time_in_ns, time_out_ns)


def refused(event: Refused, time_in_ns: int, time_out_ns: int) -> str:
    """Return a refusal; `symbol` stands at top level when one is concerned."""
    members = {
        "channel": event.channel_name,
        "error": event.error,
        "method": event.method,
        "req_id": event.req_id,
        "status": "error" if event.channel_name else None,
        "success": False,
        "symbol": event.symbol,
    }
    return reply_frame(members, time_in_ns, time_out_ns)


def _result(subscription: Subscription) -> dict[str, object]:
    """Effective parameters in alphabetical order; level3 replies name no depth."""
    return {
        "channel": subscription.channel,
        "depth": None if subscription.channel == "level3" else subscription.depth,
        "event_trigger": subscription.event_trigger,
        "interval": subscription.interval,
        "snapshot": subscription.snapshot,
        "symbol": subscription.symbol,
    }


def _known(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value is not None}


def reply_frame(members: Mapping[str, object], time_in_ns: int | None, time_out_ns: int | None) -> str:
    """Return a reply of the members that are not None, which are in alphabetical order, and its times."""
    times = {"time_in": time_in_ns, "time_out": time_out_ns}
    texts = {name: rfc3339_from_ns(ns) for name, ns in times.items() if ns is not None}
    return msgspec.json.encode(_known(members) | texts).decode()
