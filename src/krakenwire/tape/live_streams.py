"""The streams of a tape while it plays: their present state, and what each follower is sent of a frame.

Who follows with the recorded version and depth is sent the recorded bytes;
who does not is sent frames of `translate`. A late follower begins with a
snapshot of the present state. Reads no clock. Next: `player`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final, TypeVar

import msgspec

from krakenwire.book import L2Book, L3Book
from krakenwire.errors import ChecksumMismatch, DecodeError, StaleData
from krakenwire.limits import BOOK_DEPTHS, LEVEL3_DEPTHS, PLAYER_LISTING_FRAMES, PLAYER_TRADES_KEPT
from krakenwire.model import (
    Asset,
    BookUpdate,
    Candles,
    Event,
    Instrument,
    Instruments,
    Level3Order,
    Level3Update,
    Spread,
    Subscription,
    Ticker,
    Trades,
)
from krakenwire.protocol.v2 import encode
from krakenwire.tape import translate
from krakenwire.tape.record import TapeRecord
from krakenwire.tape.tape_streams import Label, StreamFacts, codec_of

__all__ = ["ListingStream", "LiveStream", "View", "live_stream"]

_BAD: Final = (ChecksumMismatch, DecodeError, StaleData)
_EventT = TypeVar("_EventT")


class LiveStream:
    """One stream of the tape.

    Args:
        facts: what the survey knows of it.

    Attributes:
        source: the recorded connection that it comes from at present, None before and between.
    """

    kept = 1

    def __init__(self, facts: StreamFacts) -> None:
        self.facts = facts
        self.source: int | None = None
        self._codec = codec_of(facts.key.version)
        self._recent: deque[TapeRecord] = deque(maxlen=self.kept)
        self.time_ns = 0

    def take(self, record: TapeRecord, label: Label) -> None:
        """Take a frame of this stream."""
        if label.kind == "snapshot":
            self._recent.clear()
        self._recent.append(record)
        self.time_ns = record.time_ns

    def cut(self) -> None:
        """The connection it came from has ended: what comes next begins anew."""
        self.source = None
        self.lose()

    def lose(self) -> None:
        """Frames are missing here: what was held of the present state is not known any more."""

    def view(self, version: int, subscription: Subscription, channel_id: int) -> View:
        """Return what a new follower gets to see."""
        kind = View if version == self.facts.key.version else _TranslatedView
        return kind(self, version, channel_id, snapshots=subscription.snapshot is not False)

    def events(self, record: TapeRecord, wanted: type[_EventT]) -> Iterator[_EventT]:
        """Yield the events of a frame that concern this stream."""
        with suppress(DecodeError):
            for event in self._codec.decode(record.payload):
                if isinstance(event, wanted) and getattr(event, "symbol", None) == self.facts.key.symbol:
                    yield event

    def state(self) -> Iterator[Event]:
        """Yield the present state as a snapshot, nothing where there is none."""
        for record in tuple(self._recent)[-1:]:
            for event in self.events(record, _KEPT_EVENTS):
                yield _as_snapshot(event)


class View:
    """A follower's sight of a stream: here the recorded bytes.

    Args:
        stream: which.
        version: of the follower's API.
        channel_id: for a follower that speaks version 1.
        snapshots: whether the follower wants those of the tape; of books everybody gets them.
    """

    def __init__(self, stream: LiveStream, version: int, channel_id: int, *, snapshots: bool = True) -> None:
        self.stream = stream
        self._version, self._channel_id = version, channel_id
        self._snapshots = snapshots or stream.facts.key.channel in ("book", "level3")
        self._trade_id = 1

    def first(self) -> list[str]:
        """Return what a new follower is sent at once; of trades version 1 sends no snapshot."""
        if not self._snapshots or (self._version == 1 and self.stream.facts.key.channel == "trade"):
            return []
        return [frame for event in self.stream.state() for frame in self._written(event, self.stream.time_ns)]

    def frames(self, record: TapeRecord, label: Label) -> list[bytes]:
        """Return what the follower is sent of a frame that the stream has taken."""
        if label.kind == "snapshot" and not self._snapshots:
            return []
        if len(label.symbols) == 1:
            return [record.payload]
        return _rows_of(record.payload, self.stream.facts.key.symbol)

    def _written(self, event: Event, time_ns: int) -> list[str]:
        if self._version == 2 and isinstance(event, Trades):
            first_id = self._trade_id
            self._trade_id += len(event.trades)
            return [translate.trades_v2(event, first_id)]
        write = _WRITERS.get((self._version, event.__class__))
        return [] if write is None else [write(event, self._channel_id, time_ns)]


class _TranslatedView(View):
    """A sight of a stream by a client of the other version."""

    def frames(self, record: TapeRecord, label: Label) -> list[bytes]:
        if label.kind == "snapshot" and not self._snapshots:
            return []
        return [
            frame.encode()
            for event in self.stream.events(record, _KEPT_EVENTS)
            for frame in self._written(event, record.time_ns)
        ]


# -- streams that are more than their latest frame ---------------------------------


class _TradeStream(LiveStream):
    """`trade`: the latest of several frames make a snapshot."""

    kept = PLAYER_TRADES_KEPT

    def take(self, record: TapeRecord, label: Label) -> None:
        del label
        self._recent.append(record)
        self.time_ns = record.time_ns

    def state(self) -> Iterator[Event]:
        trades = [trade for record in self._recent for event in self.events(record, Trades) for trade in event.trades]
        if trades and self.facts.key.symbol is not None:
            latest = tuple(trades[-PLAYER_TRADES_KEPT:])
            yield Trades(symbol=self.facts.key.symbol, kind="snapshot", trades=latest)


class _InstrumentStream(LiveStream):
    """`instrument`: everything, and then what changed."""

    kept = PLAYER_LISTING_FRAMES

    def state(self) -> Iterator[Event]:
        assets: dict[str, Asset] = {}
        pairs: dict[str, Instrument] = {}
        for record in self._recent:
            for event in self.events(record, Instruments):
                assets |= {asset.id: asset for asset in event.assets}
                pairs |= {pair.symbol: pair for pair in event.pairs}
        if pairs:
            yield Instruments(kind="snapshot", assets=tuple(assets.values()), pairs=tuple(pairs.values()))


class ListingStream(LiveStream):
    """`instrument` of a tape that has none: what its other frames tell of the pairs.

    Args:
        facts: of the stream.
        listing: to be told.
    """

    def __init__(self, facts: StreamFacts, listing: Instruments) -> None:
        super().__init__(facts)
        self._listing = listing

    def state(self) -> Iterator[Event]:
        yield self._listing


class _BookStream(LiveStream):
    """`book`: held as a book; a message that does not fit takes it out of life until the next snapshot."""

    def __init__(self, facts: StreamFacts) -> None:
        super().__init__(facts)
        assert facts.key.symbol is not None
        self.book = L2Book(facts.key.symbol, facts.depth or BOOK_DEPTHS[-1])
        self.change: BookUpdate | None = None

    def take(self, record: TapeRecord, label: Label) -> None:
        del label
        self.change, self.time_ns = None, record.time_ns
        for event in self.events(record, BookUpdate):
            with suppress(*_BAD):
                self.book.apply(event)
                self.change = event

    def lose(self) -> None:
        self.book.invalidate()

    def view(self, version: int, subscription: Subscription, channel_id: int) -> View:
        if subscription.channel == "spread":
            return _SpreadView(self, version, channel_id)
        depth = subscription.depth or BOOK_DEPTHS[0]
        same = version == self.facts.key.version and depth == self.facts.depth
        return (_BookView if same else _WindowView)(self, version, channel_id, depth)

    @property
    def change_ns(self) -> int:
        """The venue's time of the last change, where it sent none the time of its receipt."""
        return (None if self.change is None else self.change.time_ns) or self.time_ns


class _BookView(View):
    """A book as it was recorded; whoever comes late begins with a snapshot of it."""

    stream: _BookStream

    def __init__(self, stream: _BookStream, version: int, channel_id: int, depth: int) -> None:
        super().__init__(stream, version, channel_id)
        self._window = translate.BookWindow(version, depth, channel_id)

    def first(self) -> list[str]:
        stream = self.stream
        return [self._window.snapshot(stream.book, stream.change_ns)] if stream.book.state == "live" else []


class _WindowView(_BookView):
    """A smaller book, or one of the other version."""

    def __init__(self, stream: _BookStream, version: int, channel_id: int, depth: int) -> None:
        super().__init__(stream, version, channel_id, depth)
        self._begun = False

    def first(self) -> list[str]:
        frames = super().first()
        self._begun = bool(frames)
        return frames

    def frames(self, record: TapeRecord, label: Label) -> list[bytes]:
        del record, label
        stream, change = self.stream, self.stream.change
        if change is None:
            return []
        if change.kind == "snapshot" or not self._begun:
            return [frame.encode() for frame in self.first()]
        frame = self._window.update(stream.book, change, stream.change_ns)
        return [] if frame is None else [frame.encode()]


class _SpreadView(View):
    """Version 1's `spread`, from a book."""

    stream: _BookStream

    def __init__(self, stream: _BookStream, version: int, channel_id: int) -> None:
        super().__init__(stream, version, channel_id)
        self._window = translate.SpreadWindow(channel_id)

    def first(self) -> list[str]:
        stream = self.stream
        frame = self._window.update(stream.book, stream.change_ns) if stream.book.state == "live" else None
        return [] if frame is None else [frame]

    def frames(self, record: TapeRecord, label: Label) -> list[bytes]:
        del record, label
        return [frame.encode() for frame in self.first()] if self.stream.change is not None else []


class _Level3Stream(LiveStream):
    """`level3`: held as a book of orders."""

    def __init__(self, facts: StreamFacts) -> None:
        super().__init__(facts)
        assert facts.key.symbol is not None
        self._book = L3Book(facts.key.symbol, facts.depth or LEVEL3_DEPTHS[-1])

    def take(self, record: TapeRecord, label: Label) -> None:
        del label
        self.time_ns = record.time_ns
        for event in self.events(record, Level3Update):
            with suppress(*_BAD):
                self._book.apply(event)

    def lose(self) -> None:
        self._book.invalidate()

    def state(self) -> Iterator[Event]:
        book = self._book
        if book.state == "live":
            bids, asks = (
                tuple(msgspec.structs.replace(o, event=None) for o in side) for side in (book.bids, book.asks)
            )
            yield Level3Update(
                symbol=book.symbol, kind="snapshot", bids=bids, asks=asks, checksum=book.checksum, time_ns=self.time_ns
            )


def _resting(order: Level3Order) -> Level3Order:
    return msgspec.structs.replace(order, event=None)


_STREAMS: Final[dict[str, type[LiveStream]]] = {
    "book": _BookStream,
    "level3": _Level3Stream,
    "trade": _TradeStream,
    "instrument": _InstrumentStream,
}


def live_stream(facts: StreamFacts) -> LiveStream:
    """Return a stream at its beginning."""
    return _STREAMS.get(facts.key.channel, LiveStream)(facts)


# -- events as frames ----------------------------------------------------------------

_KEPT_EVENTS: Final[Any] = (Ticker, Trades, Candles, Spread, Instruments, Level3Update)

_Write = Callable[[Any, int, int], str]
"""Event, channel id, time of receipt."""

_WRITERS: Final[dict[tuple[int, type], _Write]] = {
    (1, Ticker): lambda event, number, _: translate.ticker_v1(event, number),
    (1, Trades): lambda event, number, _: translate.trades_v1(event, number),
    (1, Candles): translate.candles_v1,
    (1, Spread): lambda event, number, _: translate.spread_v1(event, number),
    (2, Ticker): lambda event, _, __: encode.ticker(event),
    (2, Candles): lambda event, _, time_ns: encode.ohlc(event, time_ns),
    (2, Instruments): lambda event, _, __: encode.instruments(event),
    (2, Level3Update): lambda event, _, __: encode.level3(event),
}


def _as_snapshot(event: Any) -> Event:
    return msgspec.structs.replace(event, kind="snapshot") if hasattr(event, "kind") else event  # type: ignore[no-any-return]  # a struct of the model


class _Message(msgspec.Struct):
    data: list[msgspec.Raw]


class _Named(msgspec.Struct):
    symbol: str | None = None


_message = msgspec.json.Decoder(_Message).decode
_named = msgspec.json.Decoder(_Named).decode


def _rows_of(frame: bytes, symbol: str | None) -> list[bytes]:
    """Return the frame with the rows of one symbol, each row byte for byte."""
    rows = [bytes(row) for row in _message(frame).data]
    start = frame.find(rows[0])
    end = frame.rfind(rows[-1]) + len(rows[-1])
    kept = [row for row in rows if _named(row).symbol == symbol]
    return [frame[:start] + b",".join(kept) + frame[end:]] if kept else []
