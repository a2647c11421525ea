"""The price watcher: a feed, live or recorded, through the watch engine.

`watch_live` and `watch_recording` yield alerts as they fire, and what happened
to the feed in between; the engine decides, these only carry. Rendering is in
`krakenwire.cli.watch`, notifying in `notify`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from krakenwire.apps.kraken import Kraken
from krakenwire.errors import DecodeError, VenueRefusal, WaitTimeout
from krakenwire.model import (
    BookUpdate,
    ChecksumFailed,
    Connected,
    Disconnected,
    Event,
    Gap,
    Level3Update,
    Malformed,
    Refused,
    Resynced,
    Spread,
    Status,
    Subscription,
    Ticker,
    Trades,
)
from krakenwire.protocol.detect import origin_of
from krakenwire.protocol.v1.client import ClientCodec as V1Codec
from krakenwire.protocol.v2.client import ClientCodec as V2Codec
from krakenwire.session.feed import Feed
from krakenwire.storage import FrameFile
from krakenwire.watch import Alert, Engine

__all__ = ["Notice", "RecordingCounters", "Tick", "notice_of", "watch_live", "watch_recording"]

_SECOND_NS = 1_000_000_000


class Notice(msgspec.Struct, frozen=True):
    """Something happened to the feed: one line for a person."""

    text: str


class Tick(msgspec.Struct, frozen=True):
    """Nothing to tell; a moment to draw, to stop or to do something else."""


class RecordingCounters(msgspec.Struct):
    """What a recording held: server frames, other lines, frames that cannot be decoded."""

    frames: int = 0
    other_lines: int = 0
    malformed: int = 0


# -- live ------------------------------------------------------------------------


def watch_live(
    engine: Engine, kraken: Kraken, *, version: int = 2, tick_s: float = 0.25
) -> Iterator[Alert | Notice | Tick]:
    """Subscribe to what the engine needs and yield what it finds, until the caller stops.

    Args:
        engine: the rules.
        kraken: an open blocking client; the caller closes it.
        version: the API version the client speaks.
        tick_s: a `Tick` comes at least this often.

    Raises:
        VenueRefusal: every watched symbol was refused.
        TransportError: no connection could be made, or none will be any more.
    """
    events = kraken.events()
    for (channel, trigger), symbols in _grouped(engine.subscriptions(version)).items():
        kraken.subscribe(channel, *symbols, event_trigger=trigger)
    refused: dict[str, Refused] = {}
    while True:
        try:
            event = events.next(timeout=_patience_s(engine, tick_s))
        except WaitTimeout:
            yield from engine.poll(time.time_ns())
            yield Tick()
            continue
        yield from engine.feed(event, time.time_ns())
        if isinstance(event, Refused):
            _refuse(event, engine, refused)
        yield notice_of(event) or Tick()


def _grouped(wanted: tuple[Subscription, ...]) -> dict[tuple[str, str | None], list[str]]:
    """Symbols by channel and event trigger: one request serves many of them."""
    groups: dict[tuple[str, str | None], list[str]] = {}
    for sub in wanted:
        assert sub.symbol is not None, "the watcher wants no channel without symbols"
        groups.setdefault((sub.channel, sub.event_trigger), []).append(sub.symbol)
    return groups


def _patience_s(engine: Engine, tick_s: float) -> float:
    deadline_ns = engine.next_deadline_ns()
    if deadline_ns is None:
        return tick_s
    return min(tick_s, max(0.0, (deadline_ns - time.time_ns()) / _SECOND_NS))


def _refuse(event: Refused, engine: Engine, refused: dict[str, Refused]) -> None:
    if event.method == "subscribe" and event.symbol is not None:
        refused[event.symbol] = event
    if refused.keys() >= set(engine.symbols):
        raise VenueRefusal(event.error, method=event.method, symbol=event.symbol, hint=event.hint)


# -- recorded --------------------------------------------------------------------


def watch_recording(
    engine: Engine, path: str | os.PathLike[str], counters: RecordingCounters | None = None
) -> Iterator[Alert | Notice | Tick]:
    """Run the engine over a file of one raw text frame per line, and yield what it finds.

    The time is the latest venue time seen; the version is told frame by frame.

    Args:
        engine: the rules.
        path: the file, plain or gzip, or ``-`` for standard input.
        counters: told what the file held.

    Raises:
        ConfigError: the file cannot be read or is not such a file.
    """
    counted = counters or RecordingCounters()
    feeds = {"v1": Feed(V1Codec()), "v2": Feed(V2Codec())}
    clock_ns = 0
    with FrameFile(path) as file:
        for line in file:
            origin = origin_of(line.text) if line.text else "blank"
            if origin not in ("v1", "v2", "unknown"):
                counted.other_lines += 1
                continue
            counted.frames += 1
            try:
                events = feeds[origin].feed(line.text) if origin in feeds else None
            except DecodeError:
                events = None
            if events is None:
                counted.malformed += 1
                # What the frame would have said is not known: the same as a gap.
                engine.feed(Gap(channel_name="", symbol=None, reason="malformed"), clock_ns)
                continue
            for event in events:
                clock_ns = max(clock_ns, venue_time_ns(event))
                yield from engine.feed(event, clock_ns)
            yield Tick()


def venue_time_ns(event: Event) -> int:
    """Return the venue's time of a market event, 0 where it carries none."""
    if isinstance(event, Trades):
        return event.trades[-1].time_ns if event.trades else 0
    if isinstance(event, Ticker | Spread | BookUpdate | Level3Update):
        return event.time_ns or 0
    return 0


# -- notices ---------------------------------------------------------------------


def notice_of(event: Event) -> Notice | None:
    """Return one line about what happened to the feed, None for everything else."""
    says = _SAYS.get(type(event))
    text = None if says is None else says(event)
    return None if text is None else Notice(text)


def _connected(event: Connected) -> str:
    return f"connected to {event.url}" + (f" (attempt {event.attempt})" if event.attempt > 1 else "")


def _disconnected(event: Disconnected) -> str | None:
    if event.error is None:
        return "disconnected"
    if event.retry_in_s is None:
        return None  # the same error ends the client, and is told there
    return f"connection trouble: {event.error}; next attempt in {event.retry_in_s:.1f} s"


def _gap(event: Gap) -> str:
    lost = f", {event.dropped} dropped" if event.dropped else ""
    return f"gap: {event.channel_name} {event.symbol or ''} ({event.reason}{lost})"


def _refused(event: Refused) -> str:
    return f"refused: {event.symbol or ''} {event.error}" + (f" ({event.hint})" if event.hint else "")


def _status(event: Status) -> str | None:
    return None if event.system == "online" else f"the venue's trading mode is {event.system}"


_SAYS: Final[dict[type, Callable[[Any], str | None]]] = {
    ChecksumFailed: lambda event: f"checksum failed: {event.symbol}, subscribing again",
    Connected: _connected,
    Disconnected: _disconnected,
    Gap: _gap,
    Malformed: lambda event: f"undecodable frame: {event.error}",
    Refused: _refused,
    Resynced: lambda event: f"complete again: {event.channel_name} {event.symbol or ''}",
    Status: _status,
}
