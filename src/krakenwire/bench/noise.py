"""Whether the machine was quiet enough: the same yardstick, measured at several points of the run.

It has nothing to do with krakenwire, so what moves it is the machine. Two
things are looked at: how far its own values lie apart, and how much wall time
passed for its CPU time (others took the core meanwhile).
"""

from __future__ import annotations

import statistics
import time

import msgspec

from krakenwire.bench.generate import stream
from krakenwire.bench.yardsticks import decode_v2

__all__ = ["SPREAD_MAX", "WALL_MAX", "Noise", "NoiseMeter"]

SPREAD_MAX = 0.30
"""Above this spread of the yardstick's own values nothing is judged."""

WALL_MAX = 1.30
"""Above this much wall time for CPU time nothing is judged."""

_FRAMES = 4_000
_PASSES = 9


class Noise(msgspec.Struct, kw_only=True):
    """What the run says about the machine.

    Args:
        yardstick_ns: its value at each point of the run.
        spread: (largest - smallest) / median of these; `spread_max` is the bound.
        wall_per_cpu: largest wall time for a CPU time at a point; `wall_per_cpu_max` is the bound.
        too_noisy: whether a bound was passed, so that ratios of this run prove nothing.
        verdict: the same in words.
    """

    yardstick_ns: list[float]
    spread: float
    spread_max: float
    wall_per_cpu: float
    wall_per_cpu_max: float
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

    def judge(self) -> Noise:
        """Return what the points say; there must be at least one."""
        values = [cpu for cpu, _ in self._points]
        spread = (max(values) - min(values)) / statistics.median(values)
        wall = max(ratio for _, ratio in self._points)
        reasons = []
        if spread > SPREAD_MAX:
            reasons.append(f"the yardstick itself moved by {spread:.0%}, more than {SPREAD_MAX:.0%}")
        if wall > WALL_MAX:
            reasons.append(f"{wall:.2f} s passed for a second of CPU time, more than {WALL_MAX:.2f}")
        quiet = f"quiet enough: the yardstick moved by {spread:.0%} at {len(values)} points of the run"
        return Noise(
            yardstick_ns=[round(value, 1) for value in values],
            spread=round(spread, 3),
            spread_max=SPREAD_MAX,
            wall_per_cpu=round(wall, 3),
            wall_per_cpu_max=WALL_MAX,
            too_noisy=bool(reasons),
            verdict=f"too noisy to judge: {'; '.join(reasons)}" if reasons else quiet,
        )
