"""Whether the machine was quiet enough to judge by: the same yardstick at several points of the run.

It has nothing to do with krakenwire, so what moves it is the machine. How far its
values lie apart is told: a change of speed between two rounds is in no ratio. Two
things forbid a judgement: much wall time for little CPU time (others had the core),
and ratios that lie on both sides of their bound.
"""

from __future__ import annotations

import statistics
import time

import msgspec

from krakenwire.bench.generate import stream
from krakenwire.bench.rows import Row, undecided
from krakenwire.bench.yardsticks import decode_v2

__all__ = ["WALL_MAX", "Noise", "NoiseMeter"]

WALL_MAX = 1.30
"""Above this much wall time for CPU time nothing is judged."""

_FRAMES = 4_000
_PASSES = 9


class Noise(msgspec.Struct, kw_only=True):
    """What the run says about the machine.

    Args:
        yardstick_ns: its value at each point of the run.
        spread: (largest - smallest) / median of these.
        wall_per_cpu: largest wall time for a CPU time at a point; `wall_per_cpu_max` is the bound.
        undecided: rows whose bound lies between the quartiles of their rounds' ratios.
        too_noisy: whether this run judges nothing, or not all of its rows.
        verdict: the same in words.
    """

    yardstick_ns: list[float]
    spread: float
    wall_per_cpu: float
    wall_per_cpu_max: float
    undecided: list[str]
    too_noisy: bool
    verdict: str


class NoiseMeter:
    """Measures the yardstick when asked, and judges in the end."""

    def __init__(self) -> None:
        self._frames = list(stream(10, _FRAMES, seed=7))
        self._points: list[tuple[float, float]] = []

    def look(self) -> None:
        """Measure one point: the median of some short passes, in CPU and in wall time."""
        passes = sorted(self._pass() for _ in range(_PASSES))
        cpu = statistics.median(cpu for cpu, _ in passes)
        self._points.append((cpu, statistics.median(wall / cpu for cpu, wall in passes)))

    def _pass(self) -> tuple[float, float]:
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        for frame in self._frames:
            decode_v2(frame)
        cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
        return cpu / len(self._frames), wall / len(self._frames)

    def judge(self, rows: list[Row]) -> Noise:
        """Return what the points and the rows say; there must be at least one point."""
        values = [cpu for cpu, _ in self._points]
        spread = (max(values) - min(values)) / statistics.median(values)
        wall = max(ratio for _, ratio in self._points)
        unsure = [row.name for row in undecided(rows)]
        reasons = []
        if unsure:
            reasons.append(f"the ratios of {', '.join(unsure)} lie on both sides of the bound")
        if wall > WALL_MAX:
            reasons.append(f"{wall:.2f} s passed for a second of CPU time, more than {WALL_MAX:.2f}")
        moved = f"the yardstick itself moved by {spread:.0%} at {len(values)} points of the run"
        return Noise(
            yardstick_ns=[round(value, 1) for value in values],
            spread=round(spread, 3),
            wall_per_cpu=round(wall, 3),
            wall_per_cpu_max=WALL_MAX,
            undecided=unsure,
            too_noisy=bool(reasons),
            verdict=f"too noisy to judge: {'; '.join(reasons)}; {moved}" if reasons else f"quiet enough: {moved}",
        )
