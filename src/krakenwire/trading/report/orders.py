"""How orders did: what became of them, how long they took, and what their fills cost against the mid at their decision.

Quantiles are by nearest rank: one of the values that there were. Next:
`figures`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from krakenwire.trading.report.run import Run
from krakenwire.trading.report.trades import signed
from krakenwire.trading.run_records import FillRow, OrderRow, rule_of

__all__ = [
    "Latency",
    "Slippage",
    "first_fill_ns",
    "latency",
    "opened_ns",
    "outcomes",
    "quantile",
    "refusals",
    "slippage",
    "slippage_bps",
]

_BPS = 10_000


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Times from a decision, milliseconds: how many, the middle, and the slow end."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Slippage(msgspec.Struct, frozen=True, kw_only=True):
    """What the fills cost against the mid at their decision; above 0 is a loss.

    Args:
        fills: how many had a mid to compare with.
        cost: quote units, fees left out.
        bps: `cost` in basis points of what these fills would have been worth at that mid.
    """

    fills: int
    cost: Decimal
    bps: float


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed, by nearest rank.

    Args:
        values: at least one, in order.
        share: above 0, up to 1.
    """
    return values[max(math.ceil(share * len(values)) - 1, 0)]


def latency(waits_ns: Sequence[int]) -> Latency | None:
    """Return how a number of waits are spread; None where there are none."""
    if not waits_ns:
        return None
    waits = sorted(wait / 1e6 for wait in waits_ns)
    p50, p95, p99 = (quantile(waits, share) for share in (0.50, 0.95, 0.99))
    return Latency(count=len(waits), p50_ms=p50, p95_ms=p95, p99_ms=p99)


def opened_ns(run: Run) -> dict[str, int]:
    """Return from decision to open, by order; one that never was open, or whose decision is not told, is missing."""
    waits: dict[str, int] = {}
    for row in run.orders:
        if row.state == "open" and row.decided_ns:
            waits.setdefault(row.id, row.time_ns - row.decided_ns)
    return waits


def first_fill_ns(fills: Sequence[FillRow], *, maker: bool | None = None) -> dict[str, int]:
    """Return from decision to the first fill, by order.

    Args:
        fills: in order of time.
        maker: only of orders whose first fill was one of a maker, or of a taker; None for all.
    """
    first: dict[str, FillRow] = {}
    for fill in fills:
        if fill.decided_ns:
            first.setdefault(fill.id, fill)
    return {key: fill.time_ns - fill.decided_ns for key, fill in first.items() if maker in {None, fill.maker}}


def slippage_bps(fill: FillRow) -> float | None:
    """Return one fill's slippage in basis points of the mid; None where there was no mid."""
    if not fill.mid:
        return None
    cost = fill.price - fill.mid if fill.side == "buy" else fill.mid - fill.price
    return float(cost / fill.mid) * _BPS


def slippage(fills: Sequence[FillRow]) -> Slippage | None:
    """Return the slippage of all fills that had a mid, weighted by volume; None where none had."""
    compared = [(signed(fill), fill.price, fill.mid) for fill in fills if fill.mid]
    if not compared:
        return None
    cost = sum((qty * (price - mid) for qty, price, mid in compared), Decimal(0))
    worth = sum((abs(qty) * mid for qty, _, mid in compared), Decimal(0))
    return Slippage(fills=len(compared), cost=cost, bps=float(cost / worth) * _BPS)


def _last_rows(run: Run) -> dict[str, OrderRow]:
    return {row.id: row for row in run.orders}


def outcomes(run: Run) -> dict[str, int]:
    """Return how many orders ended, or stand, in each state; the most frequent first."""
    return dict(Counter(row.state for row in _last_rows(run).values()).most_common())


def refusals(run: Run) -> dict[str, int]:
    """Return how many orders were refused for each reason; the most frequent first.

    The text up to the first colon counts as the reason, so that figures in it
    do not keep alike ones apart. A risk note counts where no order was written
    down that it refused.
    """
    refused = {row.id: row.reason for row in run.orders if row.state == "refused"}
    counts = Counter(map(rule_of, refused.values()))
    for note in run.notes:
        if note.kind == "risk" and note.id not in refused:
            counts[rule_of(note.text)] += note.count
    return dict(counts.most_common())
