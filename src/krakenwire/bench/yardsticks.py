"""What the hot path is measured against: msgspec decoding the same frames, and doing nothing else.

Version 2 is decoded into structs of floats, its fastest way (inexact: a price
is rounded to the nearest double). Version 1 is decoded without types. Neither
keeps a book or looks at a checksum.
"""

from __future__ import annotations

import msgspec

__all__ = ["decode_untyped", "decode_v2"]


class _Level(msgspec.Struct, gc=False):
    price: float
    qty: float


class _Book(msgspec.Struct, gc=False):
    symbol: str
    bids: list[_Level]
    asks: list[_Level]
    checksum: int
    timestamp: str = ""


class _Trade(msgspec.Struct, gc=False):
    symbol: str
    side: str
    price: float
    qty: float
    ord_type: str
    trade_id: int
    timestamp: str


class _Ticker(msgspec.Struct, gc=False):
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


class _BookMessage(msgspec.Struct, tag="book", tag_field="channel", gc=False):
    type: str
    data: list[_Book]


class _TradeMessage(msgspec.Struct, tag="trade", tag_field="channel", gc=False):
    type: str
    data: list[_Trade]


class _TickerMessage(msgspec.Struct, tag="ticker", tag_field="channel", gc=False):
    type: str
    data: list[_Ticker]


decode_v2 = msgspec.json.Decoder(_BookMessage | _TradeMessage | _TickerMessage).decode
decode_untyped = msgspec.json.Decoder().decode
