"""Whole clients over loopback in a burst: ours, other people's, and a bare receive loop in C.

All are subscribed to the books of ten pairs and call Python for each message.
The server sends from memory, in a process of its own, so the client is the
bottleneck; wall time counts. Every event of ours is verified, or the row fails.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from krakenwire import _native
from krakenwire.aio import Kraken
from krakenwire.bench import bare_loop
from krakenwire.bench.children import serving
from krakenwire.bench.generate import PAIRS
from krakenwire.bench.peers_socket import DEADLINE_S, SOCKET_PEERS
from krakenwire.bench.rows import Row, compared, unmeasured
from krakenwire.bench.timing import Job, Prepare, Series, take_turns, trouble
from krakenwire.client.aio import run
from krakenwire.model import Event

__all__ = ["loopback_rows"]

C_LOOP = "bare receive loop in C with the same pass"

_UPDATES = 20_000
_PASSES = 10
_UPDATES_QUICK = 300
_PASSES_QUICK = 2
_DEPTH = 10
_SYMBOLS = tuple(symbol for symbol, *_ in PAIRS)
_NOTES = {"ccxt": "verifies no checksum", "python-kraken-sdk": "does not verify snapshots"}


def loopback_rows(rounds: int, quick: bool) -> list[Row]:
    """Return a row for each peer, one for the C loop, and one of the batch callback."""
    updates, passes = (_UPDATES_QUICK, _PASSES_QUICK) if quick else (_UPDATES, _PASSES)
    each = updates + len(PAIRS)
    with serving(updates) as (port, _):
        cases: dict[str, Prepare] = {
            "ours": lambda: _job(_ours(port, passes, each)),
            "batch": lambda: _job(_ours(port, passes, each, batch=True)),
        }
        if _native.ENABLED:
            cases["c-loop"] = lambda: Job(lambda: _bare(port, passes, each), 1)
        absent = {}
        for name, peer in SOCKET_PEERS.items():
            case: Prepare = partial(_peer_job, peer, port, each)
            if why := trouble(case):
                absent[name] = why
            else:
                cases[name] = case
        series = take_turns(cases, rounds, _nanoseconds)
    return _rows(series, absent)


def _rows(series: dict[str, Series], absent: dict[str, str]) -> list[Row]:
    rates = {name: costs.rate() for name, costs in series.items()}
    rows = []
    for name in SOCKET_PEERS:
        if name in absent:
            rows.append(unmeasured(f"e2e-{name}", absent[name]))
        else:
            rows.append(compared(f"e2e-{name}", rates["ours"], name, rates[name], "frames/s", note=_NOTES[name]))
    for name, case in (("e2e-c-loop", "ours"), ("e2e-batch", "batch")):
        if "c-loop" in rates:
            rows.append(compared(name, rates[case], C_LOOP, rates["c-loop"], "frames/s"))
        else:
            rows.append(unmeasured(name, "the compiled twins are not in use"))
    return rows


def _peer_job(peer: Callable[[int, int], Coroutine[Any, Any, float]], port: int, count: int) -> Job:
    return _job(peer(port, count))


def _job(work: Coroutine[Any, Any, float]) -> Job:
    return Job(lambda: run(work), 1)


def _nanoseconds(job: Job) -> float:
    took = job.run()
    assert isinstance(took, float)
    return took


class _Count:
    """Callbacks that count events as cheaply as Python can; the time runs from the first to the last.

    Args:
        count: how many will come.
        done: called with the nanoseconds for each.
    """

    def __init__(self, count: int, done: Callable[[float], object]) -> None:
        left, start = count, 0

        def one(_event: Event) -> None:
            nonlocal left, start
            if left == count:
                start = time.perf_counter_ns()
            left -= 1
            if not left:
                done((time.perf_counter_ns() - start) / count)

        def many(events: Sequence[Event]) -> None:
            nonlocal left, start
            if left == count:
                start = time.perf_counter_ns()
            left -= len(events)
            if not left:
                done((time.perf_counter_ns() - start) / count)

        self.one, self.many = one, many


async def _ours(port: int, passes: int, each: int, *, batch: bool = False) -> float:
    """Our asyncio client with a Python callback for each event, or for all events of a read."""
    count = passes * each
    done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    tally = _Count(count, done.set_result)
    async with Kraken(f"ws://127.0.0.1:{port}/{passes}") as kraken:
        if batch:
            listener = kraken.listen(tally.many, "book", *_SYMBOLS, batch=True, depth=_DEPTH)
        else:
            listener = kraken.listen(tally.one, "book", *_SYMBOLS, depth=_DEPTH)
        took = await asyncio.wait_for(done, DEADLINE_S)
        counters = kraken.counters
        listener.close()
    if (counters.verified, counters.checksum_failures, counters.malformed) != (count, 0, 0):
        raise AssertionError(f"expected {count} verified books, found {counters}")
    if counters.fallbacks:
        raise AssertionError(f"plain frames fell back to the slow path: {counters}")
    return took


def _bare(port: int, passes: int, each: int) -> float:
    took: list[float] = []
    tally = _Count(passes * each, took.append)
    bare_loop.receive(port, passes, passes * each, tally.one)
    return took[0]
