"""One channel of the feed as a plain sequence of items, or of frames as they came.

The client streams; this names the channels as people do, and says in between
what happened to the feed. Rendering is in `krakenwire.cli.stream`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Final, cast

from krakenwire.apps.kraken import Kraken
from krakenwire.apps.watcher import Notice, Tick, notice_of
from krakenwire.client import How
from krakenwire.errors import UsageError, VenueRefusal, WaitTimeout
from krakenwire.model import Event
from krakenwire.session import StreamItem

__all__ = ["CHANNEL_NAMES", "channel_named", "stream_frames", "stream_items"]

CHANNEL_NAMES: Final[dict[str, str]] = {
    "trades": "trade",
    "trade": "trade",
    "ticker": "ticker",
    "tickers": "ticker",
    "book": "book",
    "books": "book",
    "level3": "level3",
    "ohlc": "ohlc",
    "candle": "ohlc",
    "candles": "ohlc",
    "spread": "spread",
    "spreads": "spread",
    "instrument": "instrument",
    "instruments": "instrument",
    "status": "status",
}
"""What people call the channels, and the wire's names."""

_TICK_S: Final = 0.25
_WITHOUT_SYMBOLS: Final = ("instrument", "status")


def channel_named(text: str) -> str:
    """Return the wire's name of a channel.

    Raises:
        UsageError: there is no such channel; it names the nearest.
    """
    found = CHANNEL_NAMES.get(text.lower())
    if found is None:
        near = difflib.get_close_matches(text.lower(), CHANNEL_NAMES, 1)
        hint = f"Did you mean {near[0]}?" if near else ""
        raise UsageError("unknown channel", expected="one of " + ", ".join(CHANNEL_NAMES), found=text, hint=hint)
    return found


def stream_items(
    kraken: Kraken,
    channel: str,
    symbols: Sequence[str],
    *,
    depth: int | None = None,
    interval: int | None = None,
    snapshot: bool | None = None,
) -> Iterator[StreamItem | Notice | Tick]:
    """Yield the items of a channel, with notices in their place and a `Tick` now and then.

    Args:
        kraken: an open client; the caller closes it.
        channel: the wire's name.
        symbols: any spelling.
        depth: price levels a side, for book and level3.
        interval: minutes, for ohlc.
        snapshot: whether one is wanted; None for the channel's default.

    Raises:
        UsageError: a symbol or parameter that cannot be.
        VenueRefusal: every symbol was refused.
        TransportError: no connection could be made, or none will be any more.
    """
    _check(channel, symbols, depth, interval)
    how: How = {"policy": "block", "notices": True}
    if snapshot is not None:
        how["snapshot"] = snapshot
    stream = kraken.stream(channel, *symbols, how=how, depth=depth, interval=interval)
    while True:
        try:
            item = stream.next(timeout=_TICK_S)
        except WaitTimeout:
            yield Tick()
            continue
        notice = None if channel == "status" else notice_of(cast("Event", item))
        yield item if notice is None else notice


def stream_frames(
    kraken: Kraken,
    channel: str,
    symbols: Sequence[str],
    *,
    depth: int | None = None,
    interval: int | None = None,
    snapshot: bool | None = None,
) -> Iterator[str | Tick]:
    """Yield every frame of the connection exactly as it came; arguments and errors as for `stream_items`."""
    _check(channel, symbols, depth, interval)
    frames = kraken.frames()
    how: How = {"policy": "drop", "queue": 1}
    if snapshot is not None:
        how["snapshot"] = snapshot
    kept = kraken.stream(channel, *symbols, how=how, depth=depth, interval=interval)
    while True:
        try:
            yield frames.next(timeout=_TICK_S).frame
        except WaitTimeout:
            yield Tick()
        refused = kept.refused
        if refused and refused.keys() >= set(kept.symbols):
            last = next(reversed(refused.values()))
            raise VenueRefusal(last.error, method=last.method, symbol=last.symbol, hint=last.hint)


def _check(channel: str, symbols: Sequence[str], depth: int | None, interval: int | None) -> None:
    if bool(symbols) == (channel in _WITHOUT_SYMBOLS):
        expected = "no symbol" if symbols else "at least one symbol, such as BTC/USD"
        raise UsageError(f"channel {channel}", expected=expected, found=" ".join(symbols) or "none")
    if depth is not None and channel not in ("book", "level3"):
        raise UsageError(f"channel {channel}", expected="no depth", found=depth)
    if interval is not None and channel != "ohlc":
        raise UsageError(f"channel {channel}", expected="no interval", found=interval)
