"""What each row of the bench has to reach, in one table, and how the rows are named.

A goal speaks of the row's ratio to its yardstick, or of its value where there
is no yardstick. `must` is the bound, `aim` what we are after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["GOALS", "SUITES", "Goal"]

Relation = Literal["<=", ">="]


@dataclass(frozen=True, slots=True)
class Goal:
    """The bounds of one row.

    Args:
        suite: which suite measures it.
        title: what it is, for a reader.
        relation: whether small or large is good.
        must: the bound, None where a row only informs.
        aim: what we are after.
        speaks_of: the row's ``ratio`` or its ``value``.
    """

    suite: str
    title: str
    relation: Relation = "<="
    must: float | None = None
    aim: float | None = None
    speaks_of: Literal["ratio", "value"] = "ratio"


SUITES: Final = {
    "book": "frame to verified book and event, at three depths, beside msgspec decoding alone",
    "shapes": "the same with members in another order, and with members we do not know",
    "v1": "the same for version 1",
    "peers": "the same frames through other clients, offline",
    "e2e": "whole clients over loopback, beside a bare receive loop in C",
    "echo": "round trip of one message, beside raw picows and uvloop",
    "memory": "1,000 deep books",
    "matching": "one call for each command, beside the pure twin and liquibook",
    "venue": "the local Kraken: requests a second, round trips, followers, deep books",
    "backtest": "a strategy over a recorded market, beside hftbacktest, nautilus_trader and backtrader",
    "tape": "recording to the disk, in process and from a socket, and a tape as Parquet",
    "order-path": "from the bytes of a frame to the frame of the order that it makes a strategy send",
    "pure": "the pure-Python twin, in a process of its own",
}
"""What can be measured alone, and what it is."""

GOALS: Final = {
    "v2-depth-10": Goal("book", "v2 mix, depth 10", "<=", 0.60, 0.40),
    "v2-depth-100": Goal("book", "v2 mix, depth 100", "<=", 0.60, 0.40),
    "v2-depth-1000": Goal("book", "v2 mix, depth 1000", "<=", 0.75, 0.50),
    "v2-sorted-members": Goal("shapes", "v2 mix, depth 10, members sorted by name", "<=", 0.80, 0.55),
    "v2-reversed-members": Goal("shapes", "v2 mix, depth 10, members backwards", "<=", 0.80, 0.55),
    "v2-extra-members": Goal("shapes", "v2 mix, depth 10, with unknown members", "<=", 0.80, 0.55),
    "v1-depth-10": Goal("v1", "v1 book, depth 10", "<=", 0.60),
    "offline-ccxt": Goal("peers", "offline, depth 10: times faster than ccxt.pro", ">=", 60),
    "offline-python-kraken-sdk": Goal("peers", "offline, depth 10: times faster than python-kraken-sdk", ">=", 65),
    "offline-order-book": Goal("peers", "offline, depth 10: times faster than order-book (C)", ">=", 20),
    "e2e-ccxt": Goal("e2e", "end to end burst: times faster than ccxt.pro", ">=", 20, 40),
    "e2e-python-kraken-sdk": Goal("e2e", "end to end burst: times faster than python-kraken-sdk", ">=", 35, 70),
    "e2e-c-loop": Goal("e2e", "end to end burst: beside a receive loop in C", ">=", 0.35, 0.6),
    "e2e-batch": Goal("e2e", "the same with the batch callback", ">="),
    "echo-p50": Goal("echo", "echo round trip, p50", "<=", 1.10, 1.06),
    "memory-1000-books": Goal("memory", "1,000 books of 1,000 levels a side", "<=", 60, 50, "value"),
    "matching-pure": Goal("matching", "matching: times faster than the pure twin", ">=", 2),
    "matching-liquibook": Goal("matching", "matching: times faster than liquibook", ">=", 5),
    "matching-rate": Goal("matching", "matching: commands a second", ">=", None, 8_000_000, "value"),
    "matching-batch": Goal("matching", "matching: commands a second in one batch call", ">=", speaks_of="value"),
    "venue-orders": Goal("venue", "local Kraken: requests of 20 connections, a second", ">=", 10_000, None, "value"),
    "venue-orders-told": Goal("venue", "the same, each told of its orders", ">=", None, 10_000, "value"),
    "venue-round-trip": Goal("venue", "local Kraken: add_order and its answer, p50", "<=", 3),
    "venue-deep-wire": Goal("venue", "the same in a book of 100,000 more orders", "<=", 1.5),
    "venue-followers": Goal("venue", "frames that 500 followers of 20 updates a second missed", "<=", 0, None, "value"),
    "venue-deep-book": Goal("venue", "a new order in a book of 100,000, no socket, p50", "<=", 1.5),
    "venue-stops": Goal("venue", "a trade while 10,000 stop orders wait, no socket, p50", "<=", 1.5),
    "backtest-hftbacktest": Goal("backtest", "orders on a timer: times faster than hftbacktest", ">=", 1, 1.5),
    "backtest-hftbacktest-map": Goal("backtest", "the same beside its book for any price", ">="),
    "backtest-nautilus": Goal("backtest", "a callback for each event: times faster than nautilus", ">=", 20, 40),
    "backtest-backtrader": Goal("backtest", "the same: times faster than backtrader", ">=", 100),
    "tape-record": Goal("tape", "record in process", ">=", 100_000, None, "value"),
    "tape-record-socket": Goal("tape", "record from a socket, none lost", ">=", 100_000, None, "value"),
    "tape-parquet": Goal("tape", "tape to Parquet: frames a second", ">=", 300_000, None, "value"),
    "order-path": Goal("order-path", "frame in to order frame out, journal not synced, p50", "<=", 60, 25, "value"),
    "order-path-synced": Goal("order-path", "the same, journal synced", "<=", speaks_of="value"),
    "pure-depth-10": Goal("pure", "pure twin, v2 mix, depth 10", "<=", 11),
    "pure-depth-100": Goal("pure", "pure twin, v2 mix, depth 100", "<=", 11),
    "pure-depth-1000": Goal("pure", "pure twin, v2 mix, depth 1000", "<=", 11),
}
