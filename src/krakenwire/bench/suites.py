"""One run of the bench: its suites in order, the machine looked at between them, one result.

Suites are imported when they run, so that asking for help costs nothing and a
missing peer is nobody's trouble but its own.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module, metadata
from importlib.util import find_spec

import msgspec

from krakenwire import _native
from krakenwire.bench.goals import GOALS, SUITES
from krakenwire.bench.noise import Noise, NoiseMeter
from krakenwire.bench.rows import Row, unmeasured
from krakenwire.bench.timing import ROUNDS_MIN
from krakenwire.version import VERSION

__all__ = ["Result", "run_suites"]

_MAKERS = {
    "book": "offline:book_rows",
    "shapes": "offline:shape_rows",
    "v1": "offline:v1_rows",
    "peers": "offline:peer_rows",
    "e2e": "loopback:loopback_rows",
    "echo": "echo:echo_rows",
    "memory": "memory:memory_rows",
    "matching": "engines:matching_rows",
    "venue": "venue:venue_rows",
    "backtest": "backtest:backtest_rows",
    "tape": "tape:tape_rows",
    "order-path": "order_path:order_path_rows",
    "pure": "pure:pure_twin_rows",
}
_NEEDS = {
    "backtest": ("numpy",),
    "tape": ("numpy", "pyarrow", "zstandard"),
    "order-path": ("numpy",),
}
"""Modules without which a suite cannot be measured."""
_PACKAGES = (
    "msgspec",
    "aiohttp",
    "picows",
    "uvloop",
    "ccxt",
    "python-kraken-sdk",
    "order-book",
    "liquibook",
    "hftbacktest",
    "nautilus_trader",
    "backtrader",
)


class Result(msgspec.Struct, kw_only=True):
    """What a run gives.

    Args:
        rows: in the order of `goals`.
        machine: processor, cores, system, Python, and versions of what was measured.
        noise: whether the machine was quiet enough to judge.
        rounds: of each case.
        quick: made with few frames, to see that everything works; its figures mean nothing.
    """

    rows: list[Row]
    machine: dict[str, str | int]
    noise: Noise
    rounds: int
    quick: bool


def run_suites(
    only: Sequence[str] = (), *, rounds: int = 9, quick: bool = False, progress: Callable[[str], None] = lambda _: None
) -> Result:
    """Measure and return everything, or some suites.

    Args:
        only: names of suites, see `goals.SUITES`; none for all.
        rounds: of each case, at least 5.
        quick: few frames.
        progress: told what is being measured.
    """
    rounds = max(rounds, ROUNDS_MIN)
    meter = NoiseMeter()
    meter.look()
    rows: list[Row] = []
    for name in [suite for suite in SUITES if not only or suite in only]:
        progress(f"{name}: {SUITES[name]}")
        rows += _rows(name, rounds, quick)
        meter.look()
    return Result(rows=rows, machine=machine(), noise=meter.judge(rows), rounds=rounds, quick=quick)


def _rows(suite: str, rounds: int, quick: bool) -> list[Row]:
    absent = [module for module in _NEEDS.get(suite, ()) if find_spec(module) is None]
    if absent:
        why = f"not installed: {', '.join(absent)}"
        return [unmeasured(name, why) for name, goal in GOALS.items() if goal.suite == suite]
    return _maker(suite)(rounds, quick)


def _maker(suite: str) -> Callable[[int, bool], list[Row]]:
    module, _, name = _MAKERS[suite].partition(":")
    maker: Callable[[int, bool], list[Row]] = getattr(import_module(f"krakenwire.bench.{module}"), name)
    return maker


def machine() -> dict[str, str | int]:
    """Return what the figures depend on."""
    facts: dict[str, str | int] = {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "system": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "krakenwire": VERSION,
        "twins": "compiled" if _native.ENABLED else "pure",
    }
    return facts | dict(_versions())


def _versions() -> Iterator[tuple[str, str]]:
    for package in _PACKAGES:
        try:
            yield package, metadata.version(package)
        except metadata.PackageNotFoundError:
            yield package, "not installed"


def _processor() -> str:
    if sys.platform == "linux":
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
