"""`python -m bench`: frame to event with a verified book, as a multiple of bare decoding.

Yardstick and product take turns in one process, in CPU time, so that noise of
a shared machine hits both; the ratio of the medians is what counts.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable

from bench import yardstick
from bench.generate import PAIRS, stream
from krakenwire.protocol.v2.client import ClientCodec
from krakenwire.session.feed import Feed

BOUND = 11.0


def timed(call: Callable[[bytes], object], frames: list[bytes]) -> float:
    """Nanoseconds of CPU time per frame."""
    gc.collect()
    start = time.process_time_ns()
    for frame in frames:
        call(frame)
    return (time.process_time_ns() - start) / len(frames)


def fed(frames: list[bytes]) -> Feed:
    """A feed that has taken the snapshots."""
    feed = Feed(ClientCodec())
    for frame in frames[: len(PAIRS)]:
        feed.feed(frame)
    return feed


def measure(depth: int, frames: int, rounds: int) -> dict[str, float]:
    """Medians for one depth, after proving that every book message was verified."""
    lines = list(stream(depth, frames))
    updates = lines[len(PAIRS) :]
    bare: list[float] = []
    decoded: list[float] = []
    whole: list[float] = []
    for _ in range(rounds):
        bare.append(timed(yardstick.decode, updates))
        decoded.append(timed(ClientCodec().decode, updates))
        feed = fed(lines)
        whole.append(timed(feed.feed, updates))
        books = sum(line.startswith(b'{"channel":"book"') for line in lines)
        if (feed.counters.verified, feed.counters.failed) != (books, 0):
            raise SystemExit(f"depth {depth}: {feed.counters} of {books} book messages")
    yardstick_ns, codec_ns, feed_ns = map(statistics.median, (bare, decoded, whole))
    return {
        "depth": depth,
        "frames": frames,
        "yardstick_ns": round(yardstick_ns, 1),
        "codec_ns": round(codec_ns, 1),
        "feed_ns": round(feed_ns, 1),
        "ratio": round(feed_ns / yardstick_ns, 2),
    }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--frames", type=int, default=20_000, help="frames a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, at least 5 (default: %(default)s)")
    parser.add_argument("--depths", type=int, nargs="+", default=[10, 100, 1000], choices=(10, 25, 100, 500, 1000))
    parser.add_argument("--check", action="store_true", help=f"exit with 1 if a ratio is above {BOUND:g}")
    args = parser.parse_args(argv)
    if args.frames < 1:
        parser.error("--frames: expected 1 or more")
    rows = [measure(depth, args.frames, max(5, args.rounds)) for depth in args.depths]
    if args.json:
        print(json.dumps({"bound": BOUND, "rows": rows}))
    else:
        print_table(rows)
    return int(args.check and any(row["ratio"] > BOUND for row in rows))


def print_table(rows: list[dict[str, float]]) -> None:
    print("ns of CPU time per frame, medians; feed = decode + book + checksum verified + event")
    print(f"{'depth':>6}{'msgspec floats':>16}{'codec':>9}{'feed':>9}{'ratio':>8}   bound {BOUND:g}")
    for row in rows:
        verdict = "ok" if row["ratio"] <= BOUND else "above the bound"
        print(
            f"{row['depth']:>6}{row['yardstick_ns']:>16,.0f}{row['codec_ns']:>9,.0f}{row['feed_ns']:>9,.0f}"
            f"{row['ratio']:>8.2f}   {verdict}"
        )


if __name__ == "__main__":
    sys.exit(main())
