"""What a tape has to offer: its connections with what was asked on them, and the streams of its frames.

`label_of` says what a frame is about without decoding all of it; `Survey`
reads a tape once and knows afterwards what a player can serve. Private
connections and channels are passed over: a tape has no account. Next: `player`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from krakenwire.book.digits import most_decimals
from krakenwire.errors import DecodeError
from krakenwire.limits import BOOK_DEPTHS, LEVEL3_DEPTHS, TAPE_LINES_MAX, TAPE_STREAMS_MAX
from krakenwire.model import Asset, BookUpdate, Event, Instrument, Instruments, Level3Update, Subscribed, Trades
from krakenwire.model.numbers import decimals_in
from krakenwire.protocol.v1.channels import channel_parts, symbol_of
from krakenwire.protocol.v1.client import ClientCodec as CodecV1
from krakenwire.protocol.v2.client import ClientCodec as CodecV2
from krakenwire.tape.record import Kind, TapeRecord

__all__ = [
    "CHANNELS",
    "Label",
    "Line",
    "StreamFacts",
    "StreamKey",
    "Survey",
    "codec_of",
    "is_ping",
    "label_of",
    "plain_request",
]

CHANNELS: Final = frozenset(("book", "trade", "ticker", "ohlc", "spread", "level3", "instrument"))
"""Channels that a player serves."""

_DEPTHS: Final = {"book": BOOK_DEPTHS, "level3": LEVEL3_DEPTHS}
_V1_TAIL: Final = re.compile(rb'"([A-Za-z0-9-]+)","([^"\\]+)"\]$')
_V1_SNAPSHOT: Final = re.compile(rb'"(?:as|bs)":')
_TOKEN: Final = re.compile(rb'"token"\s*:\s*"[^"]*"')
_MASKED: Final = b'"token":"***"'
_PROGRESS_RECORDS: Final = 50_000


class Label(NamedTuple):
    """What a frame is about.

    Args:
        channel: its channel; ``reply`` of an answer to a request, ``pong``, ``heartbeat``, ``status``, or empty.
        symbols: v2 spellings in the order of their rows, each once; None alone where there is none.
        kind: ``snapshot`` or ``update``.
        parameter: minutes of candles; on version 1 also the depth of a book.
        channel_id: on version 1.
    """

    channel: str
    symbols: tuple[str | None, ...] = (None,)
    kind: str = "update"
    parameter: int | None = None
    channel_id: int = 0


class StreamKey(NamedTuple):
    """What tells one stream of a tape from another: a version 2 frame does not name the depth of its book."""

    version: int
    channel: str
    symbol: str | None
    parameter: int | None = None


class StreamFacts(msgspec.Struct, kw_only=True):
    """What is known of a stream before it is played.

    Args:
        depth: levels a side as recorded, `book` and `level3` only.
        trigger: of `ticker`, what the recorded client had asked for.
        channel_id: on version 1.
        frames: how many there are.
    """

    key: StreamKey
    depth: int | None = None
    trigger: str | None = None
    channel_id: int = 0
    frames: int = 0


class Line(msgspec.Struct, kw_only=True):
    """One recorded connection.

    Args:
        number: as in the records.
        version: of the API.
        opened_ns: when.
        first_round: whether it was open when the first connection of the tape still was.
        requests: what the client sent, in order, without pings, tokens masked.
        pings: how many it sent.
        greeting: the status message that greeted it, None where that was not recorded.
        heard: whether the venue said anything on it.
    """

    number: int
    version: int
    opened_ns: int
    first_round: bool = True
    requests: list[bytes] = msgspec.field(default_factory=list)
    pings: int = 0
    greeting: bytes | None = None
    heard: bool = False


class _Row(msgspec.Struct):
    symbol: str | None = None
    interval: int | None = None


class _Envelope(msgspec.Struct):
    channel: str | None = None
    type: str | None = None
    method: str | None = None
    event: str | None = None
    data: list[_Row] | _Row | None = None


class _Opened(msgspec.Struct):
    url: str = ""
    version: int = 2
    name: str = "public"


_envelope = msgspec.json.Decoder(_Envelope).decode
_opened = msgspec.json.Decoder(_Opened).decode
_V1_EVENTS: Final = {"heartbeat": "heartbeat", "systemStatus": "status", "pong": "pong"}
_NOTHING: Final = Label("")


def label_of(version: int, frame: bytes) -> Label:
    """Return what a frame of the venue is about; one that cannot be read is about nothing.

    Cost: about a microsecond for a frame of a few levels; levels are passed over, not decoded.
    """
    if version == 1 and frame[:1] == b"[":
        return _label_v1(frame)
    try:
        head = _envelope(frame)
    except (ValueError, RecursionError):
        return _NOTHING
    if version == 1:
        return Label(_V1_EVENTS.get(head.event or "", "reply"))
    if head.channel is None:
        return Label("pong" if head.method == "pong" else "reply")
    return _label_v2(head)


def _label_v2(head: _Envelope) -> Label:
    assert head.channel is not None
    kind = head.type or "update"
    if not isinstance(head.data, list) or not head.data:
        return Label(head.channel, kind=kind)
    first = head.data[0]
    if len(head.data) == 1:
        return Label(head.channel, (first.symbol,), kind, first.interval)
    symbols = tuple(dict.fromkeys(row.symbol for row in head.data))
    return Label(head.channel, symbols, kind, first.interval)


@lru_cache(maxsize=4096)
def _route_v1(name: bytes, pair: bytes) -> tuple[str, int | None, str] | None:
    channel, parameter = channel_parts(name.decode("ascii"))
    try:
        return channel, parameter, symbol_of(pair.decode())
    except (DecodeError, UnicodeDecodeError):
        return None


def _label_v1(frame: bytes) -> Label:
    tail = _V1_TAIL.search(frame, max(0, len(frame) - 96))
    route = None if tail is None else _route_v1(tail[1], tail[2])
    if route is None:
        return _NOTHING
    channel, parameter, symbol = route
    number = frame[1 : frame.find(b",")]
    whole = channel == "book" and _V1_SNAPSHOT.search(frame, 0, 64) is not None
    channel_id = int(number) if number.isdigit() and len(number) < 16 else 0
    return Label(channel, (symbol,), "snapshot" if whole else "update", parameter, channel_id)


def plain_request(frame: bytes) -> bytes:
    """Return a request as it is compared: with its token masked, as on the tape."""
    return _TOKEN.sub(_MASKED, frame) if b'"token"' in frame else frame


def codec_of(version: int) -> CodecV1 | CodecV2:
    """Return a decoder of what a venue of this version sends."""
    return CodecV1() if version == 1 else CodecV2()


def is_ping(frame: bytes) -> bool:
    """Whether a client's frame is an application ping."""
    if b'"ping"' not in frame:
        return False
    try:
        head = _envelope(frame)
    except (ValueError, RecursionError):
        return False
    return "ping" in (head.method, head.event)


class Survey:
    """Reads a tape once, in order.

    Attributes:
        lines: connections with market data, by number.
        streams: what can be served.
        instruments: pairs as the venue described them.
        decimals: of prices and quantities of each symbol, as seen.
        start_ns, end_ns: of the first and the last record; 0 of an empty tape.
        records: how many there are.
    """

    def __init__(self) -> None:
        self.lines: dict[int, Line] = {}
        self.streams: dict[StreamKey, StreamFacts] = {}
        self.instruments: dict[str, Instrument] = {}
        self.decimals: dict[str, tuple[int, int]] = {}
        self.start_ns = self.end_ns = self.records = 0
        self._codecs = {version: codec_of(version) for version in (1, 2)}
        self._closed = False

    def read(self, records: Iterable[TapeRecord], progress: Callable[[int], None] | None = None) -> Survey:
        """Take all records; `progress` is told their number now and then. Returns itself."""
        for record in records:
            self.take(record)
            if progress is not None and not self.records % _PROGRESS_RECORDS:
                progress(self.records)
        return self

    def listing(self) -> Instruments:
        """Return what is known of the pairs: as the venue described them, else what their frames tell."""
        seen = {symbol: _seen_pair(symbol, *decimals) for symbol, decimals in self.decimals.items()}
        pairs = seen | self.instruments
        names = dict.fromkeys(name for pair in pairs.values() for name in (pair.base, pair.quote))
        assets = tuple(Asset(id=name, status="enabled", precision=10, precision_display=5) for name in names)
        return Instruments(kind="snapshot", assets=assets, pairs=tuple(pairs.values()))

    def take(self, record: TapeRecord) -> None:
        """Take the next record."""
        self.start_ns = self.start_ns or record.time_ns
        self.end_ns, self.records = record.time_ns, self.records + 1
        if record.kind is Kind.OPENED:
            self._open(record)
        elif record.kind is Kind.CLOSED:
            self._closed = True
        line = self.lines.get(record.connection)
        if line is not None and record.kind is Kind.FRAME_OUT:
            _ask(line, record.payload)
        elif line is not None and record.kind is Kind.FRAME_IN:
            self._hear(line, record.payload)

    def _open(self, record: TapeRecord) -> None:
        try:
            opened = _opened(record.payload)
        except ValueError:
            opened = _Opened()
        if opened.name != "private" and len(self.lines) < TAPE_LINES_MAX and opened.version in self._codecs:
            self.lines[record.connection] = Line(
                number=record.connection,
                version=opened.version,
                opened_ns=record.time_ns,
                first_round=not self._closed,
            )

    def _hear(self, line: Line, frame: bytes) -> None:
        label = label_of(line.version, frame)
        if not line.heard:
            line.heard = True
            line.greeting = frame if label.channel == "status" else None
        if label.channel == "reply":
            self._note_replies(line.version, frame)
        elif label.channel in CHANNELS:
            for symbol in label.symbols:
                facts = self._facts(StreamKey(line.version, label.channel, symbol, label.parameter))
                if facts is None:
                    continue
                facts.frames += 1
                if facts.frames == 1 or (facts.depth is None and label.channel in _DEPTHS):
                    self._note_first(facts, label, frame)
                elif label.channel == "instrument":
                    self._note_facts(self._decoded(line.version, frame))

    def _facts(self, key: StreamKey) -> StreamFacts | None:
        facts = self.streams.get(key)
        if facts is None and len(self.streams) < TAPE_STREAMS_MAX:
            facts = self.streams[key] = StreamFacts(key=key)
        return facts

    def _note_replies(self, version: int, frame: bytes) -> None:
        for event in self._decoded(version, frame):
            if not isinstance(event, Subscribed) or event.subscription.channel not in CHANNELS:
                continue
            wanted = event.subscription
            parameter = wanted.interval if version == 2 else wanted.depth or wanted.interval
            facts = self._facts(StreamKey(version, wanted.channel, wanted.symbol, parameter))
            if facts is not None:
                facts.depth = wanted.depth or facts.depth
                facts.trigger = wanted.event_trigger or facts.trigger

    def _note_first(self, facts: StreamFacts, label: Label, frame: bytes) -> None:
        """Learn from the first frame of a stream, and of a book whose depth no reply told from its snapshot."""
        facts.channel_id = label.channel_id
        if facts.key.version == 1 and label.channel == "book":
            facts.depth = label.parameter
        events = self._decoded(facts.key.version, frame)
        self._note_facts(events)
        for event in events:
            if isinstance(event, BookUpdate | Level3Update) and event.kind == "snapshot" and facts.depth is None:
                depths, levels = _DEPTHS[event.channel], _levels_in(event)
                facts.depth = min((depth for depth in depths if depth >= levels), default=depths[-1])

    def _note_facts(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, Instruments):
                for pair in event.pairs:
                    self.instruments[pair.symbol] = pair
            elif isinstance(event, BookUpdate):
                self._note_decimals(event.symbol, most_decimals((*event.wire_bids, *event.wire_asks), 0, 0))
            elif isinstance(event, Trades):
                for trade in event.trades:
                    self._note_decimals(trade.symbol, (_decimals(trade.price), _decimals(trade.qty)))

    def _note_decimals(self, symbol: str, found: tuple[int, int]) -> None:
        known = self.decimals.get(symbol, (0, 0))
        self.decimals[symbol] = (max(known[0], found[0]), max(known[1], found[1]))

    def _decoded(self, version: int, frame: bytes) -> tuple[Event, ...]:
        try:
            return self._codecs[version].decode(frame)
        except DecodeError:
            return ()


def _levels_in(event: BookUpdate | Level3Update) -> int:
    if isinstance(event, BookUpdate):
        return max(len(event.wire_bids), len(event.wire_asks))
    return max(len({order.price for order in side}) for side in (event.bids, event.asks))


def _seen_pair(symbol: str, price_decimals: int, qty_decimals: int) -> Instrument:
    base, _, quote = symbol.partition("/")
    tick, lot = Decimal(1).scaleb(-price_decimals), Decimal(1).scaleb(-qty_decimals)
    return Instrument(
        symbol=symbol,
        base=base,
        quote=quote,
        status="online",
        price_precision=price_decimals,
        qty_precision=qty_decimals,
        cost_precision=price_decimals,
        price_increment=tick,
        qty_increment=lot,
        qty_min=lot,
    )


def _decimals(value: Decimal) -> int:
    return decimals_in(f"{value:f}")


def _ask(line: Line, frame: bytes) -> None:
    if is_ping(frame):
        line.pings += 1
    else:
        line.requests.append(plain_request(frame))
