"""The one pass without a socket: frames into a feed, beside decoding alone and beside other clients.

Every job proves its work: all book messages verified, none failed, and with
the compiled twins none of the plain frames fell back to the slow path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from krakenwire.bench import peers_offline, yardsticks
from krakenwire.bench.generate import PAIRS, stream
from krakenwire.bench.rows import Row, compared, unmeasured
from krakenwire.bench.shapes import book_only, extra_members, reversed_members, sorted_members, v1_book
from krakenwire.bench.timing import Job, Prepare, Series, take_turns, trouble
from krakenwire.protocol.v1.client import ClientCodec as ClientCodecV1
from krakenwire.protocol.v2.client import ClientCodec
from krakenwire.session.feed import Feed

__all__ = ["book_rows", "peer_rows", "pure_rows", "shape_rows", "v1_rows"]

DECODE_ALONE = "msgspec float structs, decoding alone"
DECODE_UNTYPED = "msgspec untyped, decoding alone"

_FRAMES = 60_000
_FRAMES_QUICK = 600
_FRAMES_PEER = 4_000


def book_rows(rounds: int, quick: bool) -> list[Row]:
    """Return a row for each depth."""
    return [row for depth in (10, 100, 1000) for row in _mix_rows(f"v2-depth-{depth}", depth, rounds, quick)]


def pure_rows(rounds: int, quick: bool) -> list[Row]:
    """Return a row for each depth; to be called where the compiled twins are forbidden."""
    frames = _FRAMES_QUICK if quick else _FRAMES // 6
    return [row for depth in (10, 100, 1000) for row in _mix_rows(f"pure-depth-{depth}", depth, rounds, quick, frames)]


def shape_rows(rounds: int, quick: bool) -> list[Row]:
    """Return a row for each other shape of the same frames; the yardstick decodes that shape, too."""
    lines = list(stream(10, _FRAMES_QUICK if quick else _FRAMES // 2))
    shapes = {"sorted": sorted_members, "reversed": reversed_members, "extra": extra_members}
    rows = []
    for name, shape in shapes.items():
        frames = [shape(line) for line in lines]
        rows.append(_beside_decoding(f"v2-{name}-members", frames, rounds))
    return rows


def v1_rows(rounds: int, quick: bool) -> list[Row]:
    """Return the row of version 1."""
    lines = book_only(list(stream(10, _FRAMES_QUICK if quick else _FRAMES)))
    frames = [v1_book(line) for line in lines]
    cases = {
        "ours": lambda: feed_job(frames, v1=True),
        "bare": lambda: _decode_job(frames, yardsticks.decode_untyped),
    }
    series = take_turns(cases, rounds)
    return [compared("v1-depth-10", series["ours"], DECODE_UNTYPED, series["bare"], "ns/frame")]


def peer_rows(rounds: int, quick: bool) -> list[Row]:
    """Return a row for each peer; ccxt is given book messages only, and so are we beside it."""
    lines = list(stream(10, _FRAMES_QUICK if quick else _FRAMES_PEER))
    rows = []
    for name, make in peers_offline.PEERS.items():
        frames = book_only(lines) if name == "ccxt" else lines
        rows.append(_beside_peer(name, make, frames, rounds))
    return rows


def _beside_peer(name: str, make: Callable[[list[bytes], list[bytes]], Job], frames: list[bytes], rounds: int) -> Row:
    head, rest = frames[: len(PAIRS)], frames[len(PAIRS) :]
    cases: dict[str, Prepare] = {"ours": lambda: feed_job(frames, passes=10), "peer": lambda: make(head, rest)}
    if why := trouble(cases["peer"]):
        return unmeasured(f"offline-{name}", why)
    series = take_turns(cases, rounds)
    note = peers_offline.NOTES[name]
    return compared(f"offline-{name}", series["ours"], name, series["peer"], "ns/frame", note=note)


def _mix_rows(name: str, depth: int, rounds: int, quick: bool, frames: int = 0) -> list[Row]:
    lines = list(stream(depth, frames or (_FRAMES_QUICK if quick else _FRAMES)))
    return [_beside_decoding(name, lines, rounds)]


def _beside_decoding(name: str, frames: list[bytes], rounds: int) -> Row:
    cases: Mapping[str, Prepare] = {
        "ours": lambda: feed_job(frames),
        "bare": lambda: _decode_job(frames, yardsticks.decode_v2),
    }
    series: dict[str, Series] = take_turns(cases, rounds)
    return compared(name, series["ours"], DECODE_ALONE, series["bare"], "ns/frame")


def _decode_job(frames: list[bytes], decode: Callable[[bytes], object]) -> Job:
    updates = frames[len(PAIRS) :]

    def run() -> None:
        for frame in updates:
            decode(frame)

    return Job(run, len(updates))


def feed_job(frames: list[bytes], *, v1: bool = False, passes: int = 1) -> Job:
    """Return the product's job: a feed that has the snapshots takes the rest.

    Args:
        frames: a snapshot of each pair, then the rest.
        v1: the frames are of version 1, and all of books.
        passes: run over that many feeds, where one pass would be too short to time beside a slow peer.
    """
    head, updates = frames[: len(PAIRS)], frames[len(PAIRS) :]
    feeds = [Feed(ClientCodecV1() if v1 else ClientCodec()) for _ in range(passes)]
    for feed in feeds:
        for frame in head:
            feed.feed(frame)

    def run() -> None:
        for feed in feeds:
            take = feed.feed
            for frame in updates:
                take(frame)

    # version 1 sends no checksum with a snapshot
    verified = len(updates) if v1 else sum(b'"checksum":' in frame for frame in frames)

    def proven() -> None:
        for feed in feeds:
            prove(feed, len(frames), verified)

    return Job(run, len(updates) * passes, proven)


def prove(feed: Feed, frames: int, verified: int) -> None:
    """Raise unless a feed took all frames and verified all books, on the fast path where there is one."""
    counters = feed.counters
    found = (counters.frames, counters.verified, counters.failed, counters.unknown, counters.malformed)
    if found != (frames, verified, 0, 0, 0):
        raise AssertionError(f"expected {frames} frames and {verified} verified books, found {counters}")
    if getattr(counters, "fallbacks", 0):
        raise AssertionError(f"plain frames fell back to the slow path: {counters}")
