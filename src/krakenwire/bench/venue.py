"""The local Kraken as a whole, over loopback and without: what it carries, and what an order costs in it."""

from __future__ import annotations

from importlib.util import find_spec

from krakenwire.bench.goals import GOALS
from krakenwire.bench.rows import Row, unmeasured
from krakenwire.bench.venue_core import core_rows

__all__ = ["venue_rows"]


def venue_rows(rounds: int, quick: bool) -> list[Row]:
    """Return the rows of the local Kraken; those over a socket need aiohttp."""
    core = core_rows(rounds, quick)
    if find_spec("aiohttp") is None:
        wire = [
            name for name, goal in GOALS.items() if goal.suite == "venue" and name not in {row.name for row in core}
        ]
        return [*(unmeasured(name, "not installed: aiohttp") for name in wire), *core]
    from krakenwire.bench.venue_wire import wire_rows

    return [*wire_rows(rounds, quick), *core]
