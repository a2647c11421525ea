"""What the hot path is measured against: msgspec decoding the same frames into structs of floats."""

from __future__ import annotations

import msgspec


class Level(msgspec.Struct, gc=False):
    price: float
    qty: float


class Book(msgspec.Struct, gc=False):
    symbol: str
    bids: list[Level]
    asks: list[Level]
    checksum: int
    timestamp: str = ""


class Trade(msgspec.Struct, gc=False):
    symbol: str
    side: str
    price: float
    qty: float
    ord_type: str
    trade_id: int
    timestamp: str


class Ticker(msgspec.Struct, gc=False):
    symbol: str
    bid: float
    bid_qty: float
    ask: float
    ask_qty: float
    last: float
    volume: float
    vwap: float
    low: float
    high: float
    change: float
    change_pct: float


class BookMessage(msgspec.Struct, tag="book", tag_field="channel", gc=False):
    type: str
    data: list[Book]


class TradeMessage(msgspec.Struct, tag="trade", tag_field="channel", gc=False):
    type: str
    data: list[Trade]


class TickerMessage(msgspec.Struct, tag="ticker", tag_field="channel", gc=False):
    type: str
    data: list[Ticker]


decode = msgspec.json.Decoder(BookMessage | TradeMessage | TickerMessage).decode
