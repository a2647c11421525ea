"""Cases that take turns, their times, and whether the machine was quiet enough to judge them.

Only ratios of one run are compared, so whatever slows the machine down has to
slow all cases of a table: each round runs each case once. Next: `rows`.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["ROUNDS_MIN", "Job", "Prepare", "Series", "cpu_of", "take_turns", "trouble", "wall_of"]

ROUNDS_MIN = 5


@dataclass(frozen=True, slots=True)
class Series:
    """What was measured of one case, one value a round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The value that counts."""
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        """The smallest value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The largest value."""
        return max(self.values)

    @property
    def spread(self) -> float:
        """How far the values lie apart, as a share of the median."""
        return (self.high - self.low) / self.median if self.median else 0.0

    def beside(self, other: Series) -> float:
        """Return the median of the rounds' ratios: what slows a whole round down is in both of its values."""
        return statistics.median(self._ratios(other))

    def quartiles_beside(self, other: Series) -> tuple[float, float]:
        """Return the first and third quartile of the rounds' ratios: how sure the median is."""
        ratios = self._ratios(other)
        if len(ratios) < 2:
            return ratios[0], ratios[0]
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return low, high

    def _ratios(self, other: Series) -> list[float]:
        return [mine / theirs for mine, theirs in zip(self.values, other.values, strict=True)]

    def rate(self) -> Series:
        """Return operations a second where the values are nanoseconds for each."""
        return Series(tuple(1e9 / value for value in self.values))


@dataclass(frozen=True, slots=True)
class Job:
    """One round of one case, ready to be timed.

    Args:
        run: what is timed.
        count: operations it does; times are given for each.
        prove: called after it; raises if the work was not done, all of it and well.
    """

    run: Callable[[], object]
    count: int
    prove: Callable[[], None] = lambda: None


Prepare = Callable[[], Job]
"""Makes a job afresh for each round, outside of the clock."""


def cpu_of(job: Job) -> float:
    """Return the nanoseconds of CPU time one operation of a job takes, after proving its work."""
    gc.collect()
    start = time.process_time_ns()
    job.run()
    took = time.process_time_ns() - start
    job.prove()
    return took / job.count


def wall_of(job: Job) -> float:
    """Return the nanoseconds of wall time one operation of a job takes, after proving its work."""
    gc.collect()
    start = time.perf_counter_ns()
    job.run()
    took = time.perf_counter_ns() - start
    job.prove()
    return took / job.count


def take_turns(
    cases: Mapping[str, Prepare], rounds: int, measure: Callable[[Job], float] = cpu_of
) -> dict[str, Series]:
    """Return nanoseconds for each operation of each case; every round runs every case once.

    Args:
        cases: by name.
        rounds: at least `ROUNDS_MIN`; each second one goes through the cases backwards.
        measure: times one job.
    """
    values: dict[str, list[float]] = {name: [] for name in cases}
    for at in range(max(rounds, ROUNDS_MIN)):
        for name in list(cases)[:: -1 if at % 2 else 1]:
            values[name].append(measure(cases[name]()))
    return {name: Series(tuple(series)) for name, series in values.items()}


def trouble(peer: Prepare) -> str:
    """Run somebody else's case once and return why it cannot be measured; nothing when it can."""
    try:
        job = peer()
        job.run()
        job.prove()
    except ImportError as error:
        return f"not installed: {error.name}"
    except Exception as error:
        return f"failed: {error!r}"[:200]
    return ""
