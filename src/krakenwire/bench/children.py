"""Processes of the bench: the server, idle spinners, and measurements that need a process of their own.

Each child is ended by the block that started it, by its own id, and ends by
itself when its standard input does, so that none outlives the bench. Ctrl-C
is for the bench alone: a child that got it too would fill the screen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

__all__ = ["Ports", "Trading", "answer", "serving", "spinning", "trading"]

Ports = tuple[int, int]
"""The server's ports: streams, echo."""


class Trading(NamedTuple):
    """Where a local Kraken and the echo beside it are, and the public texts of its accounts' keys."""

    port: int
    echo: int
    keys: list[str]


_SPIN = """
import os, select, sys
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while not select.select([sys.stdin], [], [], 0)[0]:
    for _ in range(200_000):
        pass
"""


@contextmanager
def serving(updates: int) -> Iterator[Ports]:
    """Run the server while the block runs.

    Args:
        updates: of books in one pass of its stream.
    """
    with _child(["-m", "krakenwire.bench.server", str(updates)]) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line:
            raise RuntimeError("the bench's server did not start")
        streams, echo = json.loads(line)
        yield streams, echo


@contextmanager
def trading(accounts: int, mode: str = "online") -> Iterator[Trading]:
    """Run a local Kraken while the block runs.

    Args:
        accounts: how many can trade there, each with a key.
        mode: the trading mode; outside of the matching ones its crowd waits.
    """
    with _child(["-m", "krakenwire.bench.venue_child", str(accounts), mode]) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line:
            raise RuntimeError("the bench's local Kraken did not start")
        yield Trading(*json.loads(line))


@contextmanager
def spinning() -> Iterator[bool]:
    """Keep the cores awake by processes that only run when nothing else wants to, where there is such a thing.

    A halted virtual core takes longer to wake up than the round trip that is measured.
    """
    if not hasattr(os, "SCHED_IDLE"):
        yield False
        return
    with _children(["-c", _SPIN], os.cpu_count() or 1):
        yield True


def answer(module: str, *arguments: str, environment: dict[str, str] | None = None) -> Any:
    """Return what a module of the bench prints as JSON when it is run in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        start_new_session=True,
    )
    return json.loads(done.stdout)


@contextmanager
def _children(arguments: list[str], count: int) -> Iterator[None]:
    if count == 0:
        yield
        return
    with _child(arguments), _children(arguments, count - 1):
        yield


@contextmanager
def _child(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            yield child
        finally:
            child.kill()
