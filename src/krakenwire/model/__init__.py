"""Values of the trade: exact numbers, times, instruments, market data, feed events."""

from krakenwire.model.feed import (
    ChecksumFailed,
    Connected,
    Disconnected,
    Gap,
    Heartbeat,
    Latency,
    Malformed,
    Pong,
    RawFrame,
    Refused,
    Resynced,
    Status,
    Subscribed,
    Unknown,
    Unsubscribed,
)
from krakenwire.model.instruments import Asset, Instrument, Instruments
from krakenwire.model.market import (
    BookReading,
    BookUpdate,
    Candle,
    Candles,
    Kind,
    Level,
    Level3Order,
    Level3Reading,
    Level3Update,
    OrderSide,
    Spread,
    Ticker,
    Trade,
    Trades,
    WireLevel,
)
from krakenwire.model.subscription import CHANNELS, Subscription, SubscriptionKey

Event = (
    BookUpdate
    | Candle
    | Candles
    | ChecksumFailed
    | Connected
    | Disconnected
    | Gap
    | Heartbeat
    | Instruments
    | Latency
    | Level3Update
    | Malformed
    | Pong
    | RawFrame
    | Refused
    | Resynced
    | Spread
    | Status
    | Subscribed
    | Ticker
    | Trade
    | Trades
    | Unknown
    | Unsubscribed
)
"""Anything a feed can say."""

__all__ = [
    "CHANNELS",
    "Asset",
    "BookReading",
    "BookUpdate",
    "Candle",
    "Candles",
    "ChecksumFailed",
    "Connected",
    "Disconnected",
    "Event",
    "Gap",
    "Heartbeat",
    "Instrument",
    "Instruments",
    "Kind",
    "Latency",
    "Level",
    "Level3Order",
    "Level3Reading",
    "Level3Update",
    "Malformed",
    "OrderSide",
    "Pong",
    "RawFrame",
    "Refused",
    "Resynced",
    "Spread",
    "Status",
    "Subscribed",
    "Subscription",
    "SubscriptionKey",
    "Ticker",
    "Trade",
    "Trades",
    "Unknown",
    "Unsubscribed",
    "WireLevel",
]
