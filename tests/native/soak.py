"""Feeds mutated frames to both twins, as many as wanted; every run is told by its seed alone.

Books are kept alive by the way: after a mutation that cost a book its life,
mostly a right snapshot follows, and then the frame itself. Next: `mutate`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from random import Random

from tests.native.compare import Difference, Twins
from tests.native.frames import CODECS, Number, Stream, generated, published_v1, published_v2, text_of
from tests.native.mutate import mutated
from tests.native.wild import wild

from krakenwire.errors import DecodeError
from krakenwire.model import BookUpdate
from krakenwire.session.feed import Feed

CHUNK = 20_000
SCENE = 60
FRAME_MAX = 3_000
"""Longer frames are not mutated: one would cost what a hundred others do."""


@dataclass(frozen=True)
class Step:
    """A frame, its book's symbol, and a snapshot that says what the book is before the frame."""

    frame: bytes
    symbol: str | None = None
    repair: bytes | None = None


def soak(seed: int, frames: int) -> Counter[str]:
    """Feed so many mutated frames and return what became of them.

    Raises:
        Difference: the twins differ; says of which seed.
    """
    rng, counts = Random(seed), Counter[str]()
    while counts["mutated"] < frames:
        scene_seed = rng.randrange(2**32)
        try:
            counts += _scene(Random(scene_seed))
        except Difference as difference:
            raise Difference(f"soak({seed}, ...), scene {scene_seed}: {difference}") from None
    return counts


def soak_all(frames: int, seed: int = 0) -> Counter[str]:
    """Feed so many mutated frames, spread over processes: one for each processor."""
    chunks = [(seed + n, min(CHUNK, frames - n * CHUNK)) for n in range(-(-frames // CHUNK))]
    total: Counter[str] = Counter()
    with ProcessPoolExecutor(os.cpu_count() or 1, mp_context=get_context("spawn")) as pool:
        for counts in pool.map(soak, *zip(*chunks, strict=True)):
            total += counts
    return total


def _scene(rng: Random) -> Counter[str]:
    """Play part of a stream on a fresh pair of twins, mutations among its frames."""
    stream = rng.choice(streams())
    steps = steps_of(stream)
    start = rng.randrange(max(1, len(steps) - SCENE))
    others = [step.frame for step in steps[start : start + SCENE]]
    twins = Twins(stream.version, verify=rng.random() < 0.7, depth=rng.choice((None, None, 10)), every=50, brief=True)
    counts: Counter[str] = Counter()
    for step in steps[start : start + SCENE]:
        for _ in range(rng.choice((0, 1, 1, 2, 4))):
            if len(step.frame) > FRAME_MAX:
                break
            twins.feed(mutated(step.frame, others, rng))
            counts["mutated"] += 1
        if step.repair is not None and rng.random() < 0.8 and not _is_live(twins.pure, step.symbol):
            twins.feed(step.repair)
            counts["repairs"] += 1
        twins.feed(step.frame)
    twins.finish()
    after = twins.native.counters
    for name in ("fallbacks", "verified", "unverified", "failed", "malformed", "ignored_while_resyncing", "events"):
        counts[name] += getattr(after, name)
    counts["taken"] += after.frames - after.fallbacks - after.malformed
    return counts


def _is_live(feed: Feed, symbol: str | None) -> bool:
    book = None if symbol is None else feed.book(symbol)
    return book is not None and book.state == "live"


@cache
def streams() -> tuple[Stream, ...]:
    """Return what is mutated: a few seconds of every kind of stream."""
    own = [generated(10, 300, seed=1), generated(25, 100, seed=2)]
    told = [published_v2(5, 2, (10, 10, 25)), published_v1(6, 2)]
    odd = [wild(version, seed, 150, wildness) for version in (1, 2) for seed, wildness in ((1, 0.002), (2, 0.05))]
    return (*own, *told, *odd)


@cache
def steps_of(stream: Stream) -> tuple[Step, ...]:
    """Return a stream's frames, each book message with the snapshot that would repair its book."""
    return tuple(_steps(stream))


def _steps(stream: Stream) -> Iterator[Step]:
    feed = Feed(CODECS[stream.version](), native=False)
    codec = CODECS[stream.version]()
    for frame in stream.frames:
        try:
            (event,) = codec.decode(frame)
        except (ValueError, DecodeError):
            event = None
        before = _snapshot(feed, event) if isinstance(event, BookUpdate) else None
        yield Step(frame) if before is None else Step(frame, event.symbol, before)  # type: ignore[union-attr]
        try:
            feed.feed(frame)
        except DecodeError:
            continue


def _snapshot(feed: Feed, event: BookUpdate) -> bytes | None:
    """Return a snapshot of an event's book as the feed has it now."""
    book = feed._books.get(event.symbol if event.depth is None else (event.symbol, event.depth))
    if book is None or book.state != "live" or book.depth > 25:
        return None
    sides = {name: [tuple(map(str, level)) for level in getattr(book, name)] for name in ("asks", "bids")}
    if event.depth is not None:
        wsname = event.symbol.replace("BTC", "XBT").replace("DOGE", "XDG")
        levels = {f"{name[0]}s": [[*level, "1700000000.000000"] for level in side] for name, side in sides.items()}
        return text_of([Number("336"), levels, f"book-{book.depth}", wsname]).encode()
    rows = {name: [{"price": Number(p), "qty": Number(q)} for p, q in side] for name, side in sides.items()}
    row = {
        "symbol": event.symbol,
        **rows,
        "checksum": Number(book.checksum),
        "timestamp": "2023-11-14T22:13:20.000000Z",
    }
    return text_of({"channel": "book", "type": "snapshot", "data": [row]}).encode()
