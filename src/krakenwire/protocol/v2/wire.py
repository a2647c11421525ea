"""The shapes of v2 server frames, as typed structs: members as the wire names them.

Numbers are typed `Any` so that the decoder can hand over their exact text;
`client` turns these shapes into events. Every member we know is declared:
what is not declared here is new, and gets counted. Source: v2 reference,
sections 2 to 6.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = [
    "AssetRow",
    "BookMessage",
    "BookRow",
    "CandleRow",
    "ChannelMessage",
    "Head",
    "HeartbeatMessage",
    "InstrumentMessage",
    "InstrumentRow",
    "InstrumentRows",
    "Level3Message",
    "Level3Row",
    "Level3WireOrder",
    "OhlcMessage",
    "PriceLevel",
    "Reply",
    "ReplyResult",
    "StatusMessage",
    "StatusRow",
    "TickerMessage",
    "TickerRow",
    "TradeMessage",
    "TradeRow",
]

Kind = Literal["snapshot", "update"]


class Strict(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What all shapes share: cheap for the collector, and a new member is noticed."""


class PriceLevel(Strict):
    """One level of a book row."""

    price: Any
    qty: Any


class BookRow(Strict):
    """One row of `book`; 2024 snapshots had no timestamp."""

    symbol: str
    bids: list[PriceLevel]
    asks: list[PriceLevel]
    checksum: int
    timestamp: str | None = None


class TradeRow(Strict):
    """One trade."""

    symbol: str
    side: Literal["buy", "sell"]
    price: Any
    qty: Any
    ord_type: str
    trade_id: int
    timestamp: str


class TickerRow(Strict):
    """One ticker; `trades`, `volume_usd` and `timestamp` come and go with the years."""

    symbol: str
    bid: Any
    bid_qty: Any
    ask: Any
    ask_qty: Any
    last: Any
    volume: Any
    vwap: Any
    low: Any
    high: Any
    change: Any = None
    change_pct: Any = None
    volume_usd: Any = None
    trades: int | None = None
    timestamp: str | None = None


class CandleRow(Strict):
    """One candle; its `timestamp` is the end of the interval and deprecated."""

    symbol: str
    open: Any
    high: Any
    low: Any
    close: Any
    trades: int
    volume: Any
    vwap: Any
    interval_begin: str
    interval: int
    timestamp: str | None = None


class Level3WireOrder(Strict):
    """One order of a level3 row; `event` in updates only."""

    order_id: str
    limit_price: Any
    order_qty: Any
    timestamp: str
    event: Literal["add", "modify", "delete"] | None = None


class Level3Row(Strict):
    """One row of `level3`."""

    symbol: str
    checksum: int
    bids: list[Level3WireOrder]
    asks: list[Level3WireOrder]
    timestamp: str | None = None


class AssetRow(Strict):
    """One asset of `instrument`."""

    id: str
    status: str
    precision: int
    precision_display: int
    borrowable: bool = False
    collateral_value: Any = None
    asset_class: str | None = msgspec.field(name="class", default=None)
    margin_rate: Any = None
    multiplier: Any = None


class InstrumentRow(Strict):
    """One pair of `instrument`."""

    symbol: str
    base: str
    quote: str
    status: str
    qty_precision: int
    qty_increment: Any
    price_precision: int
    cost_precision: int
    qty_min: Any
    price_increment: Any = None
    tick_size: Any = None
    marginable: bool = False
    has_index: bool = False
    ws_display_price_precision: int | None = None
    cost_min: Any = None
    margin_initial: Any = None
    position_limit_long: int | None = None
    position_limit_short: int | None = None


class InstrumentRows(Strict):
    """The object that is `instrument`'s data."""

    assets: list[AssetRow]
    pairs: list[InstrumentRow]


class StatusRow(Strict):
    """One row of `status`; the row shape of the two arrays is not known."""

    system: str
    version: str | None = None
    api_version: str | None = None
    connection_id: int | None = None
    upcoming_maintenance: Any = None
    emergency: Any = None


class ChannelMessage(Strict, tag_field="channel", kw_only=True):
    """What all channel messages share: never a `method`, that is a reply."""

    method: None = None


class BookMessage(ChannelMessage, tag="book", kw_only=True):
    """`book`, with numbers as text."""

    type: Kind
    data: list[BookRow]


class TradeMessage(ChannelMessage, tag="trade", kw_only=True):
    """`trade`."""

    type: Kind
    data: list[TradeRow]


class TickerMessage(ChannelMessage, tag="ticker", kw_only=True):
    """`ticker`."""

    type: Kind
    data: list[TickerRow]


class OhlcMessage(ChannelMessage, tag="ohlc", kw_only=True):
    """`ohlc`; the envelope carries a time of its own."""

    type: Kind
    timestamp: str | None = None
    data: list[CandleRow]


class Level3Message(ChannelMessage, tag="level3", kw_only=True):
    """`level3`."""

    type: Kind
    data: list[Level3Row]


class InstrumentMessage(ChannelMessage, tag="instrument", kw_only=True):
    """`instrument`: its data is an object, not an array."""

    type: Kind
    data: InstrumentRows


class StatusMessage(ChannelMessage, tag="status", kw_only=True):
    """`status`."""

    type: Kind
    data: list[StatusRow]


class HeartbeatMessage(ChannelMessage, tag="heartbeat"):
    """`heartbeat`: nothing but its channel."""


class Head(msgspec.Struct, gc=False):
    """The members that tell what a frame is, whatever their types."""

    method: Any = None
    channel: Any = None
    type: Any = None


class Reply(msgspec.Struct, gc=False):
    """An answer to a request; `result` is read once its method is known."""

    method: str
    success: bool | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: str | None = None
    symbol: str | None = None
    channel: str | None = None
    req_id: int | None = None
    orders_cancelled: int | None = None
    time_in: str | None = None
    time_out: str | None = None


class ReplyResult(msgspec.Struct, gc=False):
    """The effective parameters in the reply to a subscribe or unsubscribe."""

    channel: str
    symbol: str | None = None
    depth: int | None = None
    interval: int | None = None
    event_trigger: str | None = None
    snapshot: bool | None = None
    maxratecount: int | None = None
    warnings: list[str] = []
