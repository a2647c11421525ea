"""The venue's side of WebSocket API version 1: requests in, frames out.

This module only gathers the two halves: `venue_requests` reads what clients
send and words the refusals, `venue_frames` writes what they receive.
"""

from krakenwire.protocol.v1.venue_frames import (
    HEARTBEAT,
    VERSION,
    TickerTexts,
    V1Texts,
    book_snapshot,
    book_update,
    ohlc,
    pong,
    spread,
    subscribed,
    system_status,
    ticker,
    trades,
    unsubscribed,
)
from krakenwire.protocol.v1.venue_private import (
    PrivateRequest,
    PrivateSubscribe,
    PrivateUnsubscribe,
    TradingCall,
    refuse_private,
)
from krakenwire.protocol.v1.venue_requests import (
    PUBLIC_CHANNELS,
    Ping,
    Refusal,
    Request,
    Subscribe,
    Unsubscribe,
    UnsubscribeId,
    parse_request,
    refuse_id,
    refuse_pair,
    refuse_ping,
    refuse_rate,
)

__all__ = [
    "HEARTBEAT",
    "PUBLIC_CHANNELS",
    "VERSION",
    "Ping",
    "PrivateRequest",
    "PrivateSubscribe",
    "PrivateUnsubscribe",
    "Refusal",
    "Request",
    "Subscribe",
    "TickerTexts",
    "TradingCall",
    "Unsubscribe",
    "UnsubscribeId",
    "V1Texts",
    "book_snapshot",
    "book_update",
    "ohlc",
    "parse_request",
    "pong",
    "refuse_id",
    "refuse_pair",
    "refuse_ping",
    "refuse_private",
    "refuse_rate",
    "spread",
    "subscribed",
    "system_status",
    "ticker",
    "trades",
    "unsubscribed",
]
