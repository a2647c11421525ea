"""A replay on a port, read as the tape that it plays: one blocking connection, each frame with the time on the tape.

It asks for everything the tape has of some symbols, books as deep as they were
recorded, and has the tape begin only then. What comes becomes blocks of records,
which `market_data` reads as it reads those of a folder. Next: `bot_replay`.
"""

from __future__ import annotations

import itertools
import select
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from krakenwire.client.websocket_client import Wire
from krakenwire.errors import ConnectionLost, UsageError, WaitTimeout
from krakenwire.limits import BOOK_DEPTHS, CONNECT_TIMEOUT_S, OHLC_INTERVALS, REPLY_TIMEOUT_S
from krakenwire.model import Refused, Subscribed, Subscription
from krakenwire.protocol.v1.client import ClientCodec as V1Codec
from krakenwire.protocol.v2.client import ClientCodec as V2Codec
from krakenwire.tape.block import Block
from krakenwire.tape.player import START
from krakenwire.tape.record import Kind

__all__ = ["TapeFeed"]

_CLOCK: Final = b'{"channel":"tape"'
_LOOK_S: Final = 0.25
"""Between two looks whether it is to stop, while the tape pauses."""


class _Clock(msgspec.Struct):
    time_ns: int = 0
    sequence: int = 0
    connection: int = 0
    mark: msgspec.Raw = msgspec.Raw()
    closed: msgspec.Raw = msgspec.Raw()
    end: bool = False


_clock: Final = msgspec.json.Decoder(_Clock).decode
_Record = tuple[int, int, int, int, bytes]


class TapeFeed:
    """One connection to a replay.

    Args:
        url: WebSocket address, its path that of `version`.
        version: of the API.
        symbols: v2 spelling.

    Attributes:
        told: the replies that granted it, as frames: they say how deep books are.
        granted: what the tape has of the symbols.

    Raises:
        TransportError: no connection.
        UsageError: what answers plays no tape of any of the symbols.
    """

    def __init__(self, url: str, version: int, symbols: Sequence[str]) -> None:
        self._url = url
        self._codec = V1Codec() if version == 1 else V2Codec()
        self._req_ids = itertools.count(1)
        self._wire = Wire(f"{url}?tape_clock=1&tape_start=1", None, CONNECT_TIMEOUT_S)
        self.told: list[bytes] = []
        self.granted: list[Subscription] = []
        try:
            self._ask_for_all(version, symbols)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the connection."""
        self._wire.close()

    def blocks(self, stopped: Callable[[], bool]) -> Iterator[Block]:
        """Have the tape begin, and yield its records as they come, to its end or until `stopped` says so.

        Raises:
            ConnectionLost: the replay ended before its tape.
            WaitTimeout: the tape does not begin.
        """
        self._wire.send(START.decode())
        clock: _Clock | None = None
        while not stopped():
            frames, ended = self._receive(_LOOK_S)
            records: list[_Record] = []
            for frame in frames:
                if not frame.startswith(_CLOCK):
                    if clock is not None:
                        records.append((clock.time_ns, clock.sequence, clock.connection, Kind.FRAME_IN, frame))
                        clock = None
                    continue
                clock = _clock(frame)
                if clock.end:
                    yield _block(records)
                    return
                if payload := bytes(clock.mark) or bytes(clock.closed):
                    kind = Kind.MARK if bytes(clock.mark) else Kind.CLOSED
                    records.append((clock.time_ns, clock.sequence, clock.connection, kind, payload))
                    clock = None
            if records:
                yield _block(records)
            if ended:
                raise ConnectionLost(self._url, "the replay ended before its tape")

    # -- asking ----------------------------------------------------------------------------

    def _ask_for_all(self, version: int, symbols: Sequence[str]) -> None:
        if version == 2:
            self._granted(Subscription(channel="instrument"))
        for symbol in symbols:
            for channel in ("trade", "ticker"):
                self._granted(Subscription(channel=channel, symbol=symbol))
            for interval in OHLC_INTERVALS:
                self._granted(Subscription(channel="ohlc", symbol=symbol, interval=interval))
            for depth in reversed(BOOK_DEPTHS):
                if self._granted(Subscription(channel="book", symbol=symbol, depth=depth)):
                    break
        if not any(each.symbol for each in self.granted):
            raise UsageError("tape", expected=f"one with {', '.join(symbols)}", found="none of them")

    def _granted(self, wanted: Subscription) -> bool:
        """Ask for something; return whether the tape has it."""
        [request] = self._codec.subscribe([wanted.checked()], self._req_ids)
        self._wire.send(request.frame)
        until_s = time.monotonic() + REPLY_TIMEOUT_S
        while (left_s := until_s - time.monotonic()) > 0:
            frames, ended = self._receive(left_s)
            for frame in frames:
                for event in self._codec.decode(frame):
                    if isinstance(event, Refused):
                        return False
                    if isinstance(event, Subscribed):
                        self.told.append(frame)
                        self.granted.append(wanted)
                        return True
            if ended:
                raise ConnectionLost(self._url, "it was closed by the other side")
        raise WaitTimeout(self._url, f"no answer to a subscription within {REPLY_TIMEOUT_S:g} s")

    def _receive(self, timeout_s: float) -> tuple[list[bytes], bool]:
        """Return what is there once something is, and whether the other side has ended."""
        if not select.select([self._wire], [], [], timeout_s)[0]:
            return [], False
        frames, error = self._wire.receive()
        return frames, error is not None


def _block(records: list[_Record]) -> Block:
    rows, at = [], 0
    for time_ns, sequence, connection, kind, payload in records:
        rows.append((time_ns, sequence, connection, int(kind), at, len(payload)))
        at += len(payload)
    return Block.of(b"".join(record[4] for record in records), rows)
