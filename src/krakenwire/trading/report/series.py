"""Series over time as NumPy arrays: equity, drawdown, exposure; sampled evenly for statistics, thinned for drawing.

A value holds until the next one is told. Floats: nothing here is money that
anybody is paid. Next: `figures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from krakenwire.trading.run_records import EquityRow

__all__ = ["Floats", "Times", "equity_of", "exposure_of", "gross_of", "held_share", "sampled", "thinned", "under_peak"]

Times: TypeAlias = npt.NDArray[np.int64]
"""Nanoseconds since 1970 UTC, never falling."""

Floats: TypeAlias = npt.NDArray[np.float64]


def equity_of(rows: Sequence[EquityRow]) -> tuple[Times, Floats]:
    """Return the times and the equity of all rows."""
    times = np.fromiter((row.time_ns for row in rows), np.int64, len(rows))
    return times, np.fromiter((row.equity for row in rows), np.float64, len(rows))


def gross_of(row: EquityRow, quote: str) -> float:
    """Return the notional of all positions, long or short, in an asset; one without a price counts nothing.

    An asset that several symbols trade is there once.
    """
    held = {symbol.partition("/")[0]: qty for symbol, qty in row.positions.items() if qty}
    return float(sum(abs(qty) * _price(row, asset, quote) for asset, qty in held.items() if asset != quote))


def _price(row: EquityRow, asset: str, quote: str) -> Decimal:
    """Return the mid of an asset, by way of a third one where nothing else is told; 0 where that is not told either."""
    straight = row.mids.get(f"{asset}/{quote}")
    if straight is not None:
        return straight
    ways = ((symbol.partition("/"), mid) for symbol, mid in row.mids.items())
    return next(
        (
            mid * row.mids[f"{third}/{quote}"]
            for (base, _, third), mid in ways
            if base == asset and f"{third}/{quote}" in row.mids
        ),
        Decimal(0),
    )


def exposure_of(rows: Sequence[EquityRow], quote: str) -> Floats:
    """Return the gross notional as a share of equity; 0 where equity is not above 0."""
    shares = (gross_of(row, quote) / float(row.equity) if row.equity > 0 else 0.0 for row in rows)
    return np.fromiter(shares, np.float64, len(rows))


def held_share(times: Times, values: Floats) -> float | None:
    """Return the mean over time of a value that holds until the next; None without any length of time."""
    if len(times) < 2 or times[-1] == times[0]:
        return None
    return float(np.dot(values[:-1], np.diff(times).astype(np.float64)) / float(times[-1] - times[0]))


def under_peak(values: Floats) -> Floats:
    """Return by how much each value lies under the highest so far, as a share of that, 0 to 1.

    Where the highest so far is not above 0 there is no share, and 0 stands.
    """
    peaks = np.maximum.accumulate(values)
    fallen = np.zeros_like(values)
    np.divide(peaks - values, peaks, out=fallen, where=peaks > 0)
    return fallen


def sampled(times: Times, values: Floats, interval_ns: int) -> Floats:
    """Return the value at the start and after every whole interval from it.

    Args:
        times: at least one.
        values: one for each time.
        interval_ns: 1 or more. A rest shorter than it at the end is left out.
    """
    grid = np.arange(int(times[0]), int(times[-1]) + 1, interval_ns, dtype=np.int64)
    return values[np.searchsorted(times, grid, side="right") - 1]


def thinned(values: Floats, points: int) -> npt.NDArray[np.int64]:
    """Return the places to draw of a long series: of every bucket its first, lowest, highest and last.

    No extreme disappears, and a short series is drawn whole.

    Args:
        values: in order of time.
        points: about how many may be left, 4 or more.
    """
    if len(values) <= points:
        return np.arange(len(values), dtype=np.int64)
    edges = np.linspace(0, len(values), max(points // 4, 1) + 1).astype(np.int64)
    kept: set[int] = set()
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[start:end]
        kept |= {start, start + int(part.argmin()), start + int(part.argmax()), end - 1}
    return np.array(sorted(kept), dtype=np.int64)
