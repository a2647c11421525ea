"""From a tape, or a list of frames, to rows of the market: each connection through its own feed.

Books are made anew and their checksums compared again: what is wrong on the
tape becomes a `GAP` row and is never passed on as if it were right. Where two
connections tell the same, one is listened to and the other takes over when it
is gone. What rows mean: `krakenwire.model.rows`; what makes them: `krakenwire.tape.rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

import msgspec

from krakenwire.errors import DecodeError, ListingChanged, ListingMismatch, TapeError
from krakenwire.model import BookUpdate, Event, Gap
from krakenwire.model.rows import GAP, ROW, Listing, Rows
from krakenwire.protocol.detect import origin_of
from krakenwire.protocol.v1.client import ClientCodec as V1Codec
from krakenwire.protocol.v2.client import ClientCodec as V2Codec
from krakenwire.session.feed import Feed
from krakenwire.storage.tape_reader import Tape
from krakenwire.tape.block import Block
from krakenwire.tape.candle_path import MADE_OF_CANDLES
from krakenwire.tape.columns import joined
from krakenwire.tape.marks import Opened, mark_from, opened_from
from krakenwire.tape.record import Kind
from krakenwire.tape.row_writer import RowWriter
from krakenwire.tape.rows import Tops

__all__ = ["MarketCounters", "MarketData", "MarketReader", "market_data", "market_data_of_frames", "read_market"]

Progress: TypeAlias = Callable[[int, int], None]
"""Called with records read and records there are, now and then."""

CHUNK_ROWS: Final = 1 << 18
"""Rows that are handed on at a time: 12 MB."""

_KINDS: Final = (Kind.FRAME_IN, Kind.OPENED, Kind.CLOSED, Kind.MARK)
_DECIMALS_MAX: Final = 18
_ResultT = TypeVar("_ResultT")


class MarketCounters(msgspec.Struct, kw_only=True):
    """What was met on the way.

    Args:
        records: read; frames: of the venue; events: they gave; rows: made.
        gaps: `GAP` rows; failed: checksums that differ; ignored: book messages without a snapshot before them.
        malformed: frames that could not be decoded.
        fallbacks: frames the compiled pass left to the exact path.
        repeated: events left out because another connection had told the same.
        made_up: trades that were made up from candles.
    """

    records: int = 0
    frames: int = 0
    events: int = 0
    rows: int = 0
    gaps: int = 0
    failed: int = 0
    ignored: int = 0
    malformed: int = 0
    fallbacks: int = 0
    repeated: int = 0
    made_up: int = 0


@dataclass(frozen=True, slots=True)
class MarketData:
    """A market as rows, with all that they point at.

    Args:
        rows: see `krakenwire.model.rows`.
        listings: what `symbol` counts.
        objects: what `aux` of an `EVENT` row counts.
        start_ns, end_ns: first and last time asked for, or of the rows.
        source: where it is from.
        counters: what was met on the way.
    """

    rows: Rows
    listings: tuple[Listing, ...]
    objects: list[Event]
    start_ns: int
    end_ns: int
    source: str
    counters: MarketCounters


@dataclass(slots=True)
class _Line:
    """One connection."""

    connection: int
    feed: Feed


@dataclass(slots=True)
class MarketReader:
    """Reads blocks of a tape once.

    Args:
        source: names the tape in errors.
        blocks: its records.
        total: how many records there are, for `progress`.
        opened: what is known of the connections beforehand.
        listings, symbols, tops: as for `RowWriter`.
        start_ns: rows begin here; what was before makes the books they begin with.
        told: frames that count as the first of every connection: replies that a tape on a port does not repeat.
    """

    source: str
    blocks: Iterable[Block]
    total: int = 0
    opened: dict[int, Opened] = field(default_factory=dict)
    listings: Sequence[Listing] = ()
    symbols: Sequence[str] | None = None
    tops: bool = False
    start_ns: int | None = None
    progress: Progress | None = None
    told: Sequence[bytes] = ()
    counters: MarketCounters = field(default_factory=MarketCounters)
    writer: RowWriter = field(init=False)
    _lines: dict[int, _Line] = field(default_factory=dict)
    _ended: list[Feed] = field(default_factory=list)
    _owners: dict[tuple[str, str], int] = field(default_factory=dict)
    _closing: list[tuple[int, int]] = field(default_factory=list)
    _begun: bool = False

    def __post_init__(self) -> None:
        self.writer = RowWriter(self.listings, symbols=self.symbols, tops=self.tops)
        self._begun = self.start_ns is None

    def chunks(self) -> Iterator[tuple[Rows, Tops]]:
        """Yield rows and changes of best levels, about `CHUNK_ROWS` rows at a time.

        Raises:
            ListingMismatch: a number does not fit its instrument, see `read_market`.
            TapeError: the venue changed an instrument's decimals; also what reading the tape raises.
        """
        waiting = 0
        chunk: list[Rows] = []
        for block in self.blocks:
            self.take_block(block)
            rows = self.writer.rows()
            chunk.append(rows)
            waiting += len(rows)
            if self.progress is not None:
                self.progress(self.counters.records, self.total)
            if waiting >= CHUNK_ROWS:
                yield self._together(chunk)
                waiting, chunk = 0, []
        yield self._together(chunk)
        self._sum_up()

    def _together(self, chunk: list[Rows]) -> tuple[Rows, Tops]:
        rows = joined(chunk, ROW)
        self.counters.rows += len(rows)
        self.counters.gaps += int((rows["kind"] == GAP).sum())
        return rows, self.writer.tops()

    def _sum_up(self) -> None:
        for feed in (*self._ended, *(line.feed for line in self._lines.values())):
            counted = feed.counters
            self.counters.events += counted.events
            self.counters.failed += counted.failed
            self.counters.ignored += counted.ignored_while_resyncing
            self.counters.malformed += counted.malformed
            self.counters.fallbacks += counted.fallbacks

    # -- records -----------------------------------------------------------------------

    def take_block(self, block: Block) -> None:
        """Take the next records; what they give is in `writer`.

        Raises:
            ListingMismatch, TapeError: as `chunks`.
        """
        self.counters.records += len(block)
        self.counters.frames += int((block.kind == Kind.FRAME_IN).sum())
        at, count = 0, len(block)
        while at < count:
            if self._closing and self._goes_on(block, at):
                self._end_all()
            at = self._fast(block, at)
            if at < count:
                self._take(block, at)
                at += 1

    def _goes_on(self, block: Block, at: int) -> bool:
        """Whether a record shows that the market was recorded on: only then has a closed connection left a gap."""
        if block.kind[at] == Kind.MARK:
            start = block.offset[at]
            return mark_from(block.data[start : start + block.length[at]]).mark != "stopped"
        return bool(block.kind[at] != Kind.CLOSED)

    def _end_all(self) -> None:
        closing, self._closing = self._closing, []
        for connection, time_ns in closing:
            self._end(connection, time_ns)

    def _fast(self, block: Block, start: int) -> int:
        """Let the compiled writer take frames as far as it gets: those of the only connection there is."""
        line = next(iter(self._lines.values()), None)
        take = getattr(self.writer, "take_frames", None)
        if take is None or line is None or line.feed.fast is None or len(self._lines) > 1 or not self._begun:
            return start
        plain = (block.kind == Kind.FRAME_IN) & (block.connection == line.connection)
        columns = (block.data, block.time_ns, block.offset, block.length, plain)
        try:
            return int(take(line.feed.fast, *columns, start, len(block), line.connection))
        except ListingChanged as error:
            raise self._placed(error, int(block.sequence[self.writer.at_fault])) from error  # type: ignore[attr-defined]

    def _take(self, block: Block, at: int) -> None:
        time_ns, connection = int(block.time_ns[at]), int(block.connection[at])
        payload = block.data[block.offset[at] : block.offset[at] + block.length[at]]
        if not self._begun and self.start_ns is not None and time_ns >= self.start_ns:
            self._begun = True
            self._begin(self.start_ns)
        try:
            match block.kind[at]:
                case Kind.FRAME_IN:
                    self._frame(connection, payload, time_ns)
                case Kind.OPENED:
                    self.opened[connection] = opened_from(payload)
                    self._end(connection, time_ns)
                case Kind.CLOSED:
                    self._closing.append((connection, time_ns))
                case Kind.MARK:
                    self._mark(connection, payload, time_ns)
        except ListingChanged as error:
            raise self._placed(error, int(block.sequence[at])) from error

    def _placed(self, error: ListingChanged, sequence: int) -> TapeError:
        hint = "Cut the tape there and use its parts one by one"
        return TapeError(self.source, f"record {sequence}: {error}", hint=hint)

    def _frame(self, connection: int, payload: bytes, time_ns: int) -> None:
        line = self._lines.get(connection) or self._new_line(connection, payload)
        if line is None:
            return
        try:
            events = line.feed.feed(payload)
        except DecodeError:
            return
        if not self._begun:
            self._note_instruments(events)
            return
        if len(self._lines) == 1:
            for event in events:
                self.writer.take(event, time_ns, connection)
            return
        for event in events:
            self._take_if_owned(line, event, time_ns)

    def _new_line(self, connection: int, payload: bytes) -> _Line | None:
        """Return what reads a connection, None for one that tells nothing of the market."""
        opened = self.opened.get(connection)
        if opened is not None and opened.name in ("private", "level3"):
            return None
        version = (1 if origin_of(payload) == "v1" else 2) if opened is None else opened.version
        if len(self._lines) == 1:
            self._share_out(next(iter(self._lines.values())))
        line = _Line(connection, Feed(V1Codec() if version == 1 else V2Codec()))
        self._lines[connection] = line
        for frame in self.told:
            line.feed.feed(frame)
        return line

    def _note_instruments(self, events: Iterable[Event]) -> None:
        """Before the beginning only what the venue says of its instruments counts; it is an object, not a row."""
        for event in events:
            if event.channel == "instrument":
                self.writer.take(event, 0)
                self.writer.rows()

    def _begin(self, time_ns: int) -> None:
        for line in self._lines.values():
            for symbol in line.feed.symbols:
                if self._owners.setdefault(("book", symbol), line.connection) == line.connection:
                    self._whole(line, symbol, time_ns)
        if len(self._lines) == 1:
            self._owners.clear()

    # -- connections that tell the same ---------------------------------------------------

    def _share_out(self, line: _Line) -> None:
        """Note that what was told so far was told by one connection."""
        for listing in self.writer.listings:
            self._owners["trade", listing.symbol] = line.connection
            book = line.feed.book(listing.symbol)
            if book is not None and book.state == "live":
                self._owners["book", listing.symbol] = line.connection

    def _take_if_owned(self, line: _Line, event: Event, time_ns: int) -> None:
        channel, symbol = event.channel, event.symbol
        if symbol is None or channel not in ("book", "trade"):
            if symbol is None or self._owners.get(("book", symbol), line.connection) == line.connection:
                self.writer.take(event, time_ns, line.connection)
            return
        owner = self._owners.get((channel, symbol))
        if owner is None:
            self._owners[channel, symbol] = line.connection
            if isinstance(event, BookUpdate) and event.kind == "update":
                self._whole(line, symbol, time_ns)
                return
        elif owner != line.connection:
            self.counters.repeated += 1
            return
        self.writer.take(event, time_ns, line.connection)

    def _whole(self, line: _Line, symbol: str, time_ns: int) -> None:
        """Tell a book as a snapshot would."""
        book = line.feed.book(symbol)
        if book is None or book.state != "live":
            return
        bids, asks = (
            [(format(price, "f"), format(qty, "f")) for price, qty in side] for side in (book.bids, book.asks)
        )
        update = BookUpdate(symbol, "snapshot", bids, asks, book.checksum, book.time_ns, None, book.verified, book)
        self.writer.take(update, time_ns, line.connection)

    def _end(self, connection: int, time_ns: int) -> None:
        """Note that a connection is gone: what it told is not known any more."""
        line = self._lines.pop(connection, None)
        if line is None:
            return
        self._ended.append(line.feed)
        line.feed.invalidate()
        if not self._begun:
            return
        shared = bool(self._owners)
        for listing in list(self.writer.listings):
            channel = "book" if listing.depth else "trade"
            if not shared or self._owners.get((channel, listing.symbol)) == connection:
                gap = Gap(channel_name=channel, symbol=listing.symbol, reason="disconnected")
                self.writer.take(gap, time_ns, connection)
        self._owners = {key: owner for key, owner in self._owners.items() if owner != connection}
        if len(self._lines) == 1:
            self._leave_all_to(next(iter(self._lines.values())), time_ns)

    def _leave_all_to(self, line: _Line, time_ns: int) -> None:
        """From here on one connection tells everything again."""
        for symbol in line.feed.symbols:
            if self._owners.get(("book", symbol)) != line.connection:
                self._whole(line, symbol, time_ns)
        self._owners.clear()

    def _mark(self, connection: int, payload: bytes, time_ns: int) -> None:
        mark = mark_from(payload)
        if mark.mark == "imported" and mark.reason == MADE_OF_CANDLES:
            self.counters.made_up += mark.count
        if mark.mark not in ("gap", "lost"):
            return
        if mark.mark == "lost":
            for line in self._lines.values():
                if connection in (0, line.connection):
                    line.feed.invalidate()
        if self._begun:
            gap = Gap(channel_name=mark.channel or "book", symbol=mark.symbol, reason=mark.reason or mark.mark)
            self.writer.take(gap, time_ns, connection)


# -- a whole tape ------------------------------------------------------------------------


def read_market(
    tape: Tape,
    consume: Callable[[MarketReader], _ResultT],
    *,
    symbols: Sequence[str] | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    tops: bool = False,
    progress: Progress | None = None,
) -> _ResultT:
    """Read a tape and return what is made of its chunks.

    The decimals of an instrument nobody describes are guessed from its first
    message. Where a later one shows more, all is read again with those.

    Args:
        tape: what to read.
        consume: given a fresh reader; called again after a wrong guess.
        symbols: the only ones that get rows; None for all.
        start_ns: rows from this time on.
        end_ns: rows before this time.
        tops: also the changes of the best levels.
        progress: see `Progress`.

    Raises:
        TapeError: a number that fits no instrument of ours, decimals that changed, or what reading raises.
    """
    opened = {row.connection: row.opened for row in tape.opened}
    listings: dict[str, Listing] = {}
    while True:
        reader = MarketReader(
            str(tape.folder),
            tape.blocks(end_ns=end_ns, kinds=_KINDS),
            tape.info.records,
            dict(opened),
            tuple(listings.values()),
            symbols,
            tops,
            start_ns,
            progress,
        )
        try:
            return consume(reader)
        except ListingMismatch as error:
            listings[error.symbol] = _finer(reader, error)


def _finer(reader: MarketReader, error: ListingMismatch) -> Listing:
    """Return an instrument with the decimals that a number needs.

    Raises:
        TapeError: more decimals do not help.
    """
    held = next(listing for listing in reader.writer.listings if listing.symbol == error.symbol)
    if not error.decimals < error.needed <= _DECIMALS_MAX:
        raise TapeError(reader.source, str(error), hint="Leave this instrument out with --symbols") from error
    factor = 10 ** (error.needed - error.decimals)
    if error.what == "price":
        return msgspec.structs.replace(held, price_decimals=error.needed, tick=held.tick * factor)
    return msgspec.structs.replace(held, qty_decimals=error.needed, lot=held.lot * factor)


def market_data(
    tape: Tape,
    *,
    symbols: Sequence[str] | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    progress: Progress | None = None,
) -> MarketData:
    """Return a tape's market as rows; arguments and errors as for `read_market`.

    Cost:
        48 bytes of memory a row, about two rows a frame.
    """

    def collect(reader: MarketReader) -> MarketData:
        first = tape.info.start_ns if start_ns is None else start_ns
        last = tape.info.end_ns if end_ns is None else end_ns
        return _collected(reader, first, last)

    return read_market(tape, collect, symbols=symbols, start_ns=start_ns, end_ns=end_ns, progress=progress)


def market_data_of_frames(
    frames: Iterable[tuple[int, bytes]], *, symbols: Sequence[str] | None = None, listings: Sequence[Listing] = ()
) -> MarketData:
    """Return the rows of frames of one connection, each with the time it was received.

    Raises:
        ListingMismatch: a number that does not fit its instrument.
        TapeError: the venue changed an instrument's decimals.
    """
    rows, data = [], bytearray()
    for sequence, (time_ns, frame) in enumerate(frames):
        rows.append((time_ns, sequence, 1, int(Kind.FRAME_IN), len(data), len(frame)))
        data += frame
    block = Block.of(bytes(data), rows)
    reader = MarketReader("frames", [block] if rows else [], len(rows), {}, listings, symbols)
    return _collected(reader, rows[0][0] if rows else 0, rows[-1][0] if rows else 0)


def _collected(reader: MarketReader, start_ns: int, end_ns: int) -> MarketData:
    rows = joined([rows for rows, _ in reader.chunks()], ROW)
    writer = reader.writer
    return MarketData(rows, tuple(writer.listings), writer.objects, start_ns, end_ns, reader.source, reader.counters)
