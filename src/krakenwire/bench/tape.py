"""Recording and exporting, by wall time: a disk has a part in it.

*In process*: the writer of a tape is handed frames as fast as it takes them.
*From a socket*: a server in another process sends at full speed, a client
verifies every book, and a recorder beside it puts each frame on the disk. Both
end when the last frame is in the open segment, safe from an end of the process.
Closing a segment and compressing it goes on beside a recording, by a thread.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from krakenwire import _native
from krakenwire.apps.kraken import Kraken
from krakenwire.apps.recorder import Recorder
from krakenwire.apps.tape_export import export_tape
from krakenwire.bench.children import serving
from krakenwire.bench.generate import PAIRS, START_NS, stream
from krakenwire.bench.rows import Row, measured
from krakenwire.bench.timing import Job, take_turns, wall_of
from krakenwire.storage.tape_reader import Tape
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.record import Kind

__all__ = ["tape_rows"]

_FRAMES: Final = 100_000
_UPDATES: Final = 20_000
_PASSES: Final = 5
_QUICK: Final = 2_000
_DEPTH: Final = 10
_BURST: Final = 512
"""Frames that a writer is handed at once, as a recorder does."""
_STEP_NS: Final = 1_000_000
_SYMBOLS: Final = tuple(symbol for symbol, *_ in PAIRS)
_DEADLINE_S: Final = 60.0
_POLL_S: Final = 0.002
_UNIT: Final = "frames/s"

_Record = tuple[int, int, int, bytes]


def tape_rows(rounds: int, quick: bool) -> list[Row]:
    """Return the rows of the recorder and of the export."""
    frames, updates, passes = (_QUICK, _QUICK, 1) if quick else (_FRAMES, _UPDATES, _PASSES)
    records = [
        (START_NS + at * _STEP_NS, 1, int(Kind.FRAME_IN), frame) for at, frame in enumerate(stream(_DEPTH, frames))
    ]
    with tempfile.TemporaryDirectory(prefix="krakenwire-bench-") as name, serving(updates) as (port, _):
        folder = Path(name)
        _write(folder / "tape", records)
        cases = {
            "tape-record": lambda: _record(folder, records),
            "tape-record-socket": lambda: _record_socket(folder, port, passes, updates + len(PAIRS)),
            "tape-parquet": lambda: _export(folder, len(records)),
        }
        rates = {name: costs.rate() for name, costs in take_turns(cases, rounds, wall_of).items()}
    return [measured(name, rates[name], _UNIT, note=_NOTES[name]) for name in cases]


_NOTES: Final = {
    "tape-record": "TapeWriter in process, to the open segment",
    "tape-record-socket": "another process sends at full speed, every book is verified",
    "tape-parquet": "trades, top of book, levels and candles, every book verified",
}


def _fresh(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


def _write(tape: Path, records: list[_Record]) -> None:
    with TapeWriter(tape) as writer:
        writer.write_many(records)


# -- recording --------------------------------------------------------------------------


def _record(folder: Path, records: list[_Record]) -> Job:
    tape = _fresh(folder) / "tape"
    writer = TapeWriter(tape)

    def run() -> None:
        for at in range(0, len(records), _BURST):
            writer.write_many(records[at : at + _BURST])
        writer.flush()

    def prove() -> None:
        writer.close()
        _prove_frames(tape, len(records))

    return Job(run, len(records), prove)


def _record_socket(folder: Path, port: int, passes: int, each: int) -> Job:
    tape, count = _fresh(folder) / "tape", passes * each
    recorder = Recorder(TapeWriter(tape))
    account = recorder.account
    url = f"ws://127.0.0.1:{port}/{passes}"
    kraken = Kraken(url, transport="native" if _native.ENABLED else "picows", witness=recorder.witness)

    def run() -> None:
        kraken.subscribe("book", *_SYMBOLS, depth=_DEPTH)
        deadline = time.monotonic() + _DEADLINE_S
        while account.written < count or account.written < account.frames:
            if time.monotonic() > deadline:
                raise AssertionError(f"the recorder has {account} of {count} frames")
            time.sleep(_POLL_S)

    def prove() -> None:
        counters = kraken.counters
        kraken.close()
        recorder.close()
        if account.lost or (counters.verified, counters.checksum_failures) != (count, 0):
            raise AssertionError(f"expected {count} verified books and none lost, found {counters}, {account}")
        _prove_frames(tape, account.frames)

    kraken.__enter__()
    return Job(run, count, prove)


def _prove_frames(tape: Path, count: int) -> None:
    info = Tape(tape).info
    if (info.frames, info.torn) != (count, 0):
        raise AssertionError(f"{info.frames} of {count} frames are on the tape")


# -- exporting ----------------------------------------------------------------------------


def _export(folder: Path, count: int) -> Job:
    tape, out = Tape(folder / "tape"), _fresh(folder) / "parquet"
    found: list[tuple[int, int, int]] = []

    def run() -> None:
        counters = export_tape(tape, out, "parquet").counters
        found.append((counters.frames, counters.failed, counters.fallbacks))

    def prove() -> None:
        if found != [(count, 0, 0)]:
            raise AssertionError(f"exported frames, failed checksums and fallbacks of {count} frames: {found}")

    return Job(run, count, prove)
