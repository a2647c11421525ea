"""Matching engines on one stream of commands: ours with a call for each, its pure twin, and liquibook.

Our engines make all their checks, self-trades among them, and must leave the
book that the pure twin leaves; so must liquibook, as far as it can be asked.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import partial
from importlib import import_module
from itertools import chain
from typing import Any

from krakenwire import _native
from krakenwire.bench.matching import workload
from krakenwire.bench.rows import Row, compared, measured, unmeasured
from krakenwire.bench.timing import Job, Prepare, Series, take_turns, trouble
from krakenwire.venue.matching.engine import MatchingEngine
from krakenwire.venue.matching.matching import MatchingEngine as PureEngine

__all__ = ["matching_rows"]

_COMMANDS = 200_000
_COMMANDS_QUICK = 2_000
_UNIT = "commands/s"

Command = tuple[int, ...]
"""Command, order_id, is_sell, price, qty."""

Left = tuple[int, int]
"""Orders in the book, and lots of them all."""


def matching_rows(rounds: int, quick: bool) -> list[Row]:
    """Return the rows of the engines."""
    # plain tuples: taking a named one apart costs every engine a good part of its call
    commands = [tuple(row) for row in workload(_COMMANDS_QUICK if quick else _COMMANDS)]
    left = _left(_driven(PureEngine(), commands))
    cases: dict[str, Prepare] = {
        "ours": lambda: _job(MatchingEngine(), commands, left),
        "batch": lambda: _batch_job(MatchingEngine(), commands, left),
        "pure": lambda: _job(PureEngine(), commands, left),
    }
    why = trouble(partial(_liquibook_job, commands, left))
    if not why:
        cases["liquibook"] = partial(_liquibook_job, commands, left)
    return _rows({name: costs.rate() for name, costs in take_turns(cases, rounds).items()}, why)


def _rows(rates: dict[str, Series], why: str) -> list[Row]:
    note = "" if _native.ENABLED else "the compiled twins are not in use"
    ours = rates["ours"]
    rows = [compared("matching-pure", ours, "its pure twin", rates["pure"], _UNIT, note=note)]
    if "liquibook" in rates:
        rows.append(compared("matching-liquibook", ours, "liquibook", rates["liquibook"], _UNIT, note=note))
    else:
        rows.append(unmeasured("matching-liquibook", why))
    return [*rows, measured("matching-rate", ours, _UNIT), measured("matching-batch", rates["batch"], _UNIT)]


def _job(engine: MatchingEngine | PureEngine, commands: list[Command], left: Left) -> Job:
    return Job(lambda: _driven(engine, commands), len(commands), lambda: _prove("ours", _left(engine), left))


def _driven(engine: MatchingEngine | PureEngine, commands: list[Command]) -> MatchingEngine | PureEngine:
    """Give an engine all commands, one call for each; every order is of another owner."""
    submit, withdraw = engine.submit, engine.withdraw
    for command, order_id, is_sell, price, qty in commands:
        if command:
            withdraw(order_id)
        else:
            submit(order_id, is_sell, price, qty, 0, 0, order_id)
    return engine


def _batch_job(engine: MatchingEngine, commands: list[Command], left: Left) -> Job:
    rows = array("q", chain.from_iterable((*row, 0, 0, row[1]) for row in commands))
    return Job(lambda: engine.batch(rows, 8), len(commands), lambda: _prove("batch", _left(engine), left))


def _left(engine: MatchingEngine | PureEngine) -> Left:
    return len(engine.orders), sum(order.remaining for order in engine.orders.values())


def _liquibook_job(commands: list[Command], left: Left) -> Job:
    """The classes that liquibook brings; it keeps no index of orders, so a dict does it as for its users."""
    liquibook = import_module("liquibook")
    make: Callable[..., object] = liquibook.SimpleOrder
    book: Any = liquibook.DepthOrderBook()
    orders: dict[int, object] = {}
    add, cancel = book.add, book.cancel

    def run() -> None:
        for command, order_id, is_sell, price, qty in commands:
            if command:
                cancel(orders[order_id])
            else:
                order = orders[order_id] = make(not is_sell, price, qty)
                add(order)

    def prove() -> None:
        resting = [tracker.open_qty() for side in (book.bids(), book.asks()) for tracker in side.values()]
        _prove("liquibook", (len(resting), sum(resting)), left)

    return Job(run, len(commands), prove)


def _prove(who: str, found: Left, expected: Left) -> None:
    if found != expected:
        raise AssertionError(f"{who} left {found} orders and lots in the book, not {expected}")
