"""Memory of many deep books: `python -m krakenwire.bench.memory BOOKS` prints MiB as JSON, for a process of its own.

The books are filled as a client fills them, by snapshots and then some updates
fed to a feed, each verified; the process's resident memory before and after is
compared.
"""

from __future__ import annotations

import gc
import json
import os
import random
import sys

from krakenwire.bench.children import answer
from krakenwire.bench.generate import START_NS, Market
from krakenwire.bench.offline import prove
from krakenwire.bench.rows import Row, measured, unmeasured
from krakenwire.bench.timing import ROUNDS_MIN, Series
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol.v2.client import ClientCodec
from krakenwire.session.feed import Feed

__all__ = ["memory_rows"]

_BOOKS = 1_000
_DEPTH = 1_000
_UPDATES = 20
_STATM = "/proc/self/statm"


def memory_rows(rounds: int, quick: bool) -> list[Row]:
    """Return the row of the memory; every round fills the books in a fresh process."""
    if not os.path.exists(_STATM):
        return [unmeasured("memory-1000-books", f"no {_STATM} on this system")]
    books = 20 if quick else _BOOKS
    values = [float(answer("krakenwire.bench.memory", str(books))) for _ in range(min(max(rounds, ROUNDS_MIN), 5))]
    scaled = Series(tuple(value * _BOOKS / books for value in values))
    return [measured("memory-1000-books", scaled, "MiB", note=f"{_UPDATES} updates to each book")]


def _resident_bytes() -> int:
    gc.collect()
    with open(_STATM, encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _frames(symbol: str) -> list[bytes]:
    market = Market(random.Random(1), symbol, 1, 500_000, _DEPTH)
    time = rfc3339_from_ns(START_NS)
    return [market.snapshot(time), *(market.update(time) for _ in range(_UPDATES))]


def _fill(books: int) -> float:
    """Return MiB of so many books; one that is made before the first look warms everything up."""
    feed = Feed(ClientCodec())
    before = 0
    frames = _frames("S/USD")
    for at in range(books + 1):
        for frame in frames:
            feed.feed(frame.replace(b"S/USD", b"S%d/USD" % at))
        if at == 0:
            before = _resident_bytes()
    grown = _resident_bytes() - before
    messages = (books + 1) * (_UPDATES + 1)
    prove(feed, messages, messages)
    return grown / 2**20


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_fill(int(sys.argv[1]))))
