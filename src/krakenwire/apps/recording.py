"""A recording from its beginning to its end: client, recorder and tape, and how they stand in between.

Says nothing and draws nothing; see `krakenwire.cli.record`. What is recorded
how is in `recorder`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import msgspec

from krakenwire import _native
from krakenwire.apps.kraken import Kraken
from krakenwire.apps.recorder import Account, ConnectionWitness, Recorder
from krakenwire.apps.streaming import channel_named
from krakenwire.apps.tape_tools import left_open
from krakenwire.client.core import ClientCounters
from krakenwire.client.options import Transport
from krakenwire.client.taps import Parameters
from krakenwire.errors import ConfigError, KrakenwireError, VenueRefusal
from krakenwire.limits import TAPE_QUEUE_RECORDS, TAPE_RENEWAL_S
from krakenwire.model import ACCOUNT_CHANNELS
from krakenwire.storage.tape_reader import Tape
from krakenwire.storage.tape_segment import segment_paths
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.marks import Closed
from krakenwire.tape.record import Kind
from krakenwire.version import VERSION

__all__ = ["Progress", "Recording", "Wanted", "wanted_from"]

_PARAMETERS: Final[Mapping[str, str]] = {"book": "depth", "level3": "depth", "ohlc": "interval"}
"""What the number behind a channel's colon is."""

_WITHOUT_SYMBOLS: Final = ("instrument", "status", *ACCOUNT_CHANNELS)
_BEGUN_BY_A_SNAPSHOT: Final = ("book", "level3", "instrument")
"""Channels whose updates mean nothing to a tape that has lost some of them."""

_TICK_S: Final = 0.25


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A channel to record, with its parameter."""

    channel: str
    depth: int | None = None
    interval: int | None = None


def wanted_from(text: str) -> tuple[Wanted, ...]:
    """Return the channels that a text like ``book:100,trade,ohlc:5`` means, each once.

    Raises:
        UsageError: no such channel, a number where none belongs, or one that is none.
    """
    found: dict[str, Wanted] = {}
    for part in text.split(","):
        name, colon, number = part.strip().partition(":")
        channel = name if name in ACCOUNT_CHANNELS else channel_named(name)
        parameter = _PARAMETERS.get(channel)
        if colon and (parameter is None or not number.isdecimal()):
            known = ", ".join(f"{each}:{what.upper()}" for each, what in _PARAMETERS.items())
            raise ConfigError(f"channel {part.strip()}", expected=f"a name, or one of {known}")
        values = {parameter: int(number)} if colon and parameter else {}
        found[channel] = Wanted(channel=channel, **values)
    return tuple(found.values())


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How a recording stands.

    Args:
        seconds: since it began.
        account: what is on the tape.
        verified: book messages whose checksum was right.
        failed: wrong.
        frames_s: frames a second since the step before.
    """

    seconds: float
    account: Account
    verified: int
    failed: int
    frames_s: float


class Recording:
    """A recording under way. A context manager: at its end the connections and the tape are closed.

    Args:
        folder: of the tape.
        symbols: any spelling.
        wanted: channels.
        on: as for `Kraken`.
        version: of the API.
        token: for level3.
        queue_records: that may wait for a slow disk.

    Attributes:
        folder: of the tape.
        account: of the recording, whole after the end.

    Raises:
        UsageError: a symbol, channel or place that cannot be.
        TapeError: the folder cannot be recorded to.
    """

    def __init__(
        self,
        folder: Path,
        symbols: Sequence[str],
        wanted: Sequence[Wanted],
        *,
        on: str = "live",
        version: int = 2,
        token: str | None = None,
        queue_records: int = TAPE_QUEUE_RECORDS,
    ) -> None:
        self.folder, self._symbols, self._wanted = folder, tuple(symbols), tuple(wanted)
        _check(self._symbols, self._wanted)
        about = {
            "recorded_by": f"krakenwire {VERSION}",
            "on": on,
            "version": version,
            "symbols": self._symbols,
            "channels": [msgspec.to_builtins(each) for each in self._wanted],
        }
        transport: Transport = "native" if _native.ENABLED else "picows"
        self._kraken = Kraken(on, version=version, token=token, transport=transport, witness=self._witness)
        self._recorder = _recorder(folder, about, queue_records)
        self._begun_s = time.monotonic()
        self._reason = "ended"
        self._lapses = 0
        self._renewed_s = -TAPE_RENEWAL_S
        self._last = (self._begun_s, 0)
        self._counters = ClientCounters()
        self.account = self._recorder.account

    def __enter__(self) -> Self:
        try:
            self._kraken.__enter__()
            for each in self._wanted:
                symbols = () if each.channel in _WITHOUT_SYMBOLS else self._symbols
                self._subscribe(each, symbols)
        except BaseException:
            self._close("it could not begin")
            raise
        self._begun_s = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close(self._reason if error is None or kind is KeyboardInterrupt else str(error))

    def steps(self, seconds: float | None = None) -> Iterator[Progress]:
        """Yield how it stands, several times a second, until it is over.

        Args:
            seconds: to record; None until the caller stops.

        Raises:
            TapeError: the tape cannot be written any more.
            TransportError: there is no connection, and will be none.
            VenueRefusal: everything was refused.
        """
        while True:
            left_s = None if seconds is None else self._begun_s + seconds - time.monotonic()
            if left_s is not None and left_s <= 0:
                return
            time.sleep(_TICK_S if left_s is None else min(_TICK_S, left_s))
            self._renew()
            yield self.progress()
            failure = self._recorder.failure or self._recorder.down or self._all_refused()
            if failure is not None:
                raise failure

    def progress(self) -> Progress:
        """Return how it stands now."""
        now_s = time.monotonic()
        (before_s, before), frames = self._last, self.account.frames
        self._last = (now_s, frames)
        return Progress(
            seconds=now_s - self._begun_s,
            account=self.account,
            verified=self._counters_now().verified,
            failed=self.account.checksum_failures,
            frames_s=(frames - before) / max(now_s - before_s, 1e-9),
        )

    # -- inside --------------------------------------------------------------------------

    def _witness(self, name: str, url: str, version: Literal[1, 2]) -> ConnectionWitness:
        return self._recorder.witness(name, url, version)

    def _subscribe(self, each: Wanted, symbols: tuple[str, ...]) -> None:
        if each.channel == "status":
            return  # it comes by itself
        parameters: Parameters = {}
        if each.channel == "ohlc":
            parameters["interval"] = each.interval
        elif each.channel in _PARAMETERS:
            parameters["depth"] = each.depth
        self._kraken.subscribe(each.channel, *symbols, **parameters)

    def _renew(self) -> None:
        """Have the venue tell its books anew where something is missing on the tape, but not all the time."""
        now_s = time.monotonic()
        if self._recorder.lapses == self._lapses or now_s - self._renewed_s < TAPE_RENEWAL_S:
            return
        self._lapses, self._renewed_s = self._recorder.lapses, now_s
        for each in self._wanted:
            if each.channel in _BEGUN_BY_A_SNAPSHOT:
                self._kraken.unsubscribe(each.channel)
                self._subscribe(each, () if each.channel in _WITHOUT_SYMBOLS else self._symbols)

    def _counters_now(self) -> ClientCounters:
        self._counters = self._kraken.counters
        return self._counters

    def _all_refused(self) -> KrakenwireError | None:
        refusals = self._recorder.refusals
        due = sum(1 if each.channel in _WITHOUT_SYMBOLS else len(self._symbols) for each in self._wanted)
        if len(refusals) < due:
            return None
        last = next(reversed(refusals.values()))
        return VenueRefusal(last.error, method=last.method, symbol=last.symbol, hint=last.hint)

    def _close(self, reason: str) -> None:
        try:
            self._kraken.close()
        finally:
            self._recorder.close(reason)


def _recorder(folder: Path, about: Mapping[str, object], queue_records: int) -> Recorder:
    """Return a recorder that goes on with what is in a folder: connections that a crash left open there are closed."""
    before = Tape(folder) if folder.is_dir() and segment_paths(folder) else None
    left = [] if before is None else left_open(before)
    opened = () if before is None else before.opened
    recorder = Recorder(
        TapeWriter(folder, about=about),
        queue_records=queue_records,
        connections=max((row.connection for row in opened), default=0),
    )
    closed = Closed(reason="the recorder ended before the connection did").encode()
    for connection in left:
        recorder.put(recorder.clock(), connection, Kind.CLOSED, closed)
    return recorder


def _check(symbols: Sequence[str], wanted: Sequence[Wanted]) -> None:
    needing = [each.channel for each in wanted if each.channel not in _WITHOUT_SYMBOLS]
    if needing and not symbols:
        raise ConfigError(f"channel {needing[0]}", expected="at least one symbol, such as BTC/USD", found="none")
    if symbols and not needing:
        raise ConfigError(f"channel {wanted[0].channel}", expected="no symbol", found=" ".join(symbols))
