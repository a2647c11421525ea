"""Every frame a version 1 venue sends, as exact text: member order, spacing and digits included.

The functions take text for numbers and times, which `V1Texts` makes from a
market's integers, so a float cannot get in. Levels are `(price, volume, time)`
with an optional ``"r"``. Source: v1 reference, sections 4, 6.3 and 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from krakenwire.model.numbers import fixed_text

__all__ = [
    "HEARTBEAT",
    "VERSION",
    "TickerTexts",
    "V1Texts",
    "book_snapshot",
    "book_update",
    "compact",
    "ohlc",
    "pong",
    "spread",
    "subscribed",
    "system_status",
    "ticker",
    "trades",
    "unsubscribed",
]

HEARTBEAT: Final = '{"event":"heartbeat"}'
"""Clients compare this text, so it never changes."""

VERSION: Final = "1.9.6"
"""Of the service, the newest one seen."""

VOLUME_DECIMALS: Final = 8

_encode_sorted = msgspec.json.Encoder(order="deterministic").encode
_encode = msgspec.json.Encoder().encode

WireRow = Sequence[str]


def compact(value: object) -> str:
    """Return JSON without spaces, members in alphabetical order."""
    return _encode_sorted(value).decode()


class V1Texts:
    """Turns one instrument's integers into the texts of version 1.

    Args:
        price_decimals: of the market's ticks.
        qty_decimals: of the market's lots.
        v1_price_decimals: of prices on the wire, at least `price_decimals`.
    """

    def __init__(self, price_decimals: int, qty_decimals: int, v1_price_decimals: int) -> None:
        assert v1_price_decimals >= price_decimals
        assert qty_decimals <= VOLUME_DECIMALS
        self._decimals = v1_price_decimals
        self._price_scale = int(10 ** (v1_price_decimals - price_decimals))
        self._qty_scale = int(10 ** (VOLUME_DECIMALS - qty_decimals))

    def price(self, ticks: int) -> str:
        """Return a price with the pair's version 1 decimals."""
        return fixed_text(ticks * self._price_scale, self._decimals)

    def qty(self, lots: int) -> str:
        """Return a volume with 8 decimals."""
        return fixed_text(lots * self._qty_scale, VOLUME_DECIMALS)


def system_status(status: str, version: str = VERSION, connection_id: int | None = None) -> str:
    """Return the trading mode.

    Args:
        status: such as ``online``.
        version: of the service.
        connection_id: told in the first frame of a connection only; below 2**53 for clients with doubles.
    """
    message: dict[str, object] = {"event": "systemStatus", "version": version, "status": status}
    if connection_id is not None:
        message["connectionID"] = connection_id
    message |= {"upcoming_maintenance": (), "emergency": ()}
    return _encode(message).decode()


def pong(req_id: int | None) -> str:
    """Return the answer to a ping."""
    return '{"event":"pong"}' if req_id is None else f'{{"event":"pong","reqid":{req_id}}}'


def subscribed(
    channel_id: int, channel: str, pair: str, req_id: int | None, depth: int | None = None, interval: int | None = None
) -> str:
    """Return the status that confirms one channel of one pair."""
    return _status("subscribed", channel_id, channel, pair, req_id, depth, interval)


def unsubscribed(
    channel_id: int, channel: str, pair: str, req_id: int | None, depth: int | None = None, interval: int | None = None
) -> str:
    """Return the status that ends one channel of one pair."""
    return _status("unsubscribed", channel_id, channel, pair, req_id, depth, interval)


def _status(
    status: str, channel_id: int, channel: str, pair: str, req_id: int | None, depth: int | None, interval: int | None
) -> str:
    subscription: dict[str, object] = {"name": channel}
    name = channel
    for member, value in (("depth", depth), ("interval", interval)):
        if value is not None:
            subscription[member] = value
            name = f"{channel}-{value}"
    message: dict[str, object] = {
        "channelID": channel_id,
        "channelName": name,
        "event": "subscriptionStatus",
        "pair": pair,
        "status": status,
        "subscription": subscription,
    }
    if req_id is not None:
        message["reqid"] = req_id
    return compact(message)


def _data(channel_id: int, payload: object, name: str, pair: str) -> str:
    return _encode((channel_id, payload, name, pair)).decode()


class TickerTexts(NamedTuple):
    """What a ticker tells: quotes as price and volume; the others as of today, then of the last 24 hours."""

    ask: tuple[str, str]
    bid: tuple[str, str]
    last: tuple[str, str]
    volume: tuple[str, str]
    vwap: tuple[str, str]
    trades: tuple[int, int]
    low: tuple[str, str]
    high: tuple[str, str]
    opened: tuple[str, str]


def ticker(channel_id: int, pair: str, texts: TickerTexts) -> str:
    """Return a ticker frame."""
    payload = {
        "a": _quote(texts.ask),
        "b": _quote(texts.bid),
        "c": texts.last,
        "v": texts.volume,
        "p": texts.vwap,
        "t": texts.trades,
        "l": texts.low,
        "h": texts.high,
        "o": texts.opened,
    }
    return _data(channel_id, payload, "ticker", pair)


def _quote(quote: tuple[str, str]) -> tuple[str, int, str]:
    price, qty = quote
    return price, int(qty.partition(".")[0]), qty


def ohlc(channel_id: int, pair: str, interval: int, row: Sequence[str], count: int) -> str:
    """Return a candle frame; `row` is time, end, open, high, low, close, vwap, volume."""
    return _data(channel_id, (*row, count), f"ohlc-{interval}", pair)


def trades(channel_id: int, pair: str, rows: Iterable[tuple[str, str, str, str, str]]) -> str:
    """Return a trade frame; a row is price, volume, time, side ``b``/``s``, order type ``m``/``l``."""
    return _data(channel_id, [(*row, "") for row in rows], "trade", pair)


def spread(channel_id: int, pair: str, *, bid: tuple[str, str], ask: tuple[str, str], time: str) -> str:
    """Return a spread frame; `bid` and `ask` are price and volume."""
    return _data(channel_id, (bid[0], ask[0], time, bid[1], ask[1]), "spread", pair)


def book_snapshot(channel_id: int, pair: str, depth: int, asks: Sequence[WireRow], bids: Sequence[WireRow]) -> str:
    """Return a book snapshot: both sides best first, no checksum."""
    return _data(channel_id, {"as": asks, "bs": bids}, f"book-{depth}", pair)


def book_update(
    channel_id: int, pair: str, depth: int, asks: Sequence[WireRow], bids: Sequence[WireRow], checksum: int
) -> str:
    """Return a book update: one container, or two when both sides changed, the checksum in the last."""
    name, check = f"book-{depth}", {"c": str(checksum)}
    if asks and bids:
        return _encode((channel_id, {"a": asks}, {"b": bids} | check, name, pair)).decode()
    changed: dict[str, object] = {"a": asks} if asks else {"b": bids}
    return _data(channel_id, changed | check, name, pair)
