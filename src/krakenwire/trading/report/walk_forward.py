"""Walk forward: parameters chosen on one stretch of time are tried on the next, and overfitting is called by its name.

The whole time is cut into equal parts. On each but the last the best
parameters are found; what they are worth is read from the part after it.
Rules, not feelings, decide when to warn. Next: `krakenwire.apps.sweep`.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from krakenwire.errors import UsageError

if TYPE_CHECKING:
    from krakenwire.trading.report.figures import Figures

__all__ = [
    "METRICS",
    "Choice",
    "Split",
    "WalkForward",
    "in_order",
    "metric_named",
    "neighbours",
    "parts",
    "walk_forward",
]

Choice: TypeAlias = tuple[str, ...]
"""One value for each swept parameter, in the order of the grid."""

METRICS: Final[dict[str, Callable[[Figures], float | None]]] = {
    "return": lambda found: found.total_return,
    "profit": lambda found: None if found.net_profit is None else float(found.net_profit),
    "sharpe": lambda found: found.sharpe,
    "sortino": lambda found: found.sortino,
    "drawdown": lambda found: -found.drawdown.share if found.drawdown else None if found.net_profit is None else 0.0,
    "hit-rate": lambda found: found.trips.hit_rate,
    "profit-factor": lambda found: found.trips.profit_factor,
}
"""What runs can be judged by; more is better in all of them, so a drawdown is below 0."""

_KEPT_SHARE: Final = 0.5
"""Less than this of the gain in sample, kept out of sample, is a degradation worth a warning."""


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Chosen on one part, tried on the next.

    Args:
        chosen: the best in sample.
        in_sample, out_of_sample: its metric on both; None where the part is too short for it.
        median: the metric of all choices out of sample, in the middle.
        rank: of the chosen one out of sample, 1 for the best; None where it has no metric there.
    """

    in_start_ns: int
    in_end_ns: int
    out_end_ns: int
    chosen: Choice
    in_sample: float
    out_of_sample: float | None
    median: float | None
    rank: int | None
    choices: int


class WalkForward(msgspec.Struct, frozen=True, kw_only=True):
    """All splits, and what to be warned of."""

    splits: list[Split]
    warnings: list[str]


def metric_named(name: str) -> Callable[[Figures], float | None]:
    """Return a metric.

    Raises:
        UsageError: there is none of the name.
    """
    if name not in METRICS:
        raise UsageError(f"there is no metric {name}", expected=", ".join(METRICS))
    return METRICS[name]


def parts(start_ns: int, end_ns: int, splits: int) -> list[tuple[int, int]]:
    """Cut a stretch of time into one part more than splits; each ends where the next begins.

    Raises:
        UsageError: it is too short for that, or there is no split.
    """
    if splits < 1 or end_ns - start_ns <= splits:
        raise UsageError("this cannot be split", expected="1 split or more, of a market that lasts", found=splits)
    edges = [start_ns + (end_ns - start_ns) * place // (splits + 1) for place in range(splits + 2)]
    return list(pairwise(edges))


def in_order(values: Iterable[str]) -> list[str]:
    """Return a parameter's values from the lowest number to the highest, then those that are no numbers."""
    return sorted(values, key=_number)


def _number(text: str) -> tuple[bool, float, str]:
    try:
        return (False, float(text), "")
    except ValueError:
        return (True, 0.0, text)


def neighbours(choice: Choice, grid: Sequence[Sequence[str]]) -> list[Choice]:
    """Return the choices one step away in one parameter."""
    found: list[Choice] = []
    for place, values in enumerate(grid):
        at = list(values).index(choice[place])
        found += [
            (*choice[:place], values[step], *choice[place + 1 :])
            for step in (at - 1, at + 1)
            if 0 <= step < len(values)
        ]
    return found


def walk_forward(
    spans: Sequence[tuple[int, int]],
    scores: Sequence[Mapping[Choice, float | None]],
    grid: Sequence[Sequence[str]],
) -> WalkForward:
    """Judge a sweep over consecutive parts.

    Args:
        spans: the parts, as `parts` cut them.
        scores: for each part the metric of every choice; None or missing where there is none.
        grid: the values of each parameter, in their order.
    """
    splits = [
        split
        for place in range(len(spans) - 1)
        if (split := _split(spans[place], spans[place + 1], scores[place], scores[place + 1])) is not None
    ]
    warnings = [f"split {place}: {text}" for place, split in enumerate(splits, 1) for text in _split_warnings(split)]
    if len(splits) < len(spans) - 1:
        warnings.append(
            f"{len(spans) - 1 - len(splits)} splits have no metric in sample: parts too short, or no trades"
        )
    warnings += _degradation(splits)
    warnings += _lonely(splits, spans, scores, grid)
    return WalkForward(splits=splits, warnings=warnings)


def _known(scores: Mapping[Choice, float | None]) -> dict[Choice, float]:
    return {choice: score for choice, score in scores.items() if score is not None}


def _split(
    inside: tuple[int, int],
    outside: tuple[int, int],
    before: Mapping[Choice, float | None],
    after: Mapping[Choice, float | None],
) -> Split | None:
    known, later = _known(before), _known(after)
    if not known:
        return None
    chosen = max(known, key=lambda choice: known[choice])
    result = later.get(chosen)
    return Split(
        in_start_ns=inside[0],
        in_end_ns=inside[1],
        out_end_ns=outside[1],
        chosen=chosen,
        in_sample=known[chosen],
        out_of_sample=result,
        median=statistics.median(later.values()) if later else None,
        rank=None if result is None else 1 + sum(score > result for score in later.values()),
        choices=len(later),
    )


def _split_warnings(split: Split) -> list[str]:
    if split.out_of_sample is None or split.median is None:
        return ["the best in sample has no metric out of sample"]
    if split.choices > 1 and split.out_of_sample < split.median:
        place = f"number {split.rank} of {split.choices} out of sample"
        below = f"below the median ({split.out_of_sample:.4g} < {split.median:.4g})"
        return [f"the best in sample ({', '.join(split.chosen)}) is {place}, {below}"]
    return []


def _degradation(splits: Sequence[Split]) -> list[str]:
    pairs = [(split.in_sample, split.out_of_sample) for split in splits if split.out_of_sample is not None]
    if not pairs:
        return []
    inside = statistics.fmean(before for before, _ in pairs)
    outside = statistics.fmean(after for _, after in pairs)
    if inside > 0 and outside < inside * _KEPT_SHARE:
        return [f"degradation: {inside:.4g} in sample is {outside:.4g} out of sample, less than half"]
    return []


def _lonely(
    splits: Sequence[Split],
    spans: Sequence[tuple[int, int]],
    scores: Sequence[Mapping[Choice, float | None]],
    grid: Sequence[Sequence[str]],
) -> list[str]:
    """Warn of a part where nothing is best, and of a peak that stands alone.

    Its neighbours are then nearer to the median of all others than to it.
    """
    by_start = {span[0]: _known(part) for span, part in zip(spans, scores, strict=True)}
    warnings = []
    for place, split in enumerate(splits, 1):
        known = by_start[split.in_start_ns]
        if len(known) > 1 and min(known.values()) == split.in_sample:
            warnings.append(f"split {place}: every choice gives {split.in_sample:.4g} in sample, so nothing was chosen")
        beside = neighbours(split.chosen, grid)
        near = [known[choice] for choice in beside if choice in known]
        far = [score for choice, score in known.items() if choice not in {split.chosen, *beside}]
        if near and far and statistics.fmean(near) < (split.in_sample + statistics.median(far)) / 2:
            best = f"the best in sample ({', '.join(split.chosen)}) stands alone: {split.in_sample:.4g}"
            others = (
                f"its neighbours {statistics.fmean(near):.4g}, the median of the others {statistics.median(far):.4g}"
            )
            warnings.append(f"split {place}: {best}, {others}")
    return warnings
