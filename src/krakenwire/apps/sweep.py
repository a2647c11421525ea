"""A strategy tried with many parameters, on all cores, and what is to be made of the best ones.

Each process opens the market once. A run that fails is a row with its error;
Ctrl-C keeps what is done. Next: `krakenwire.trading.report.walk_forward` for
the rules of overfitting, `sweep_plots` for the pictures.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import product
from typing import Protocol, TypeAlias

import msgspec

from krakenwire.errors import KrakenwireError, UsageError
from krakenwire.limits import SWEEP_RUNS_MAX
from krakenwire.trading.report.figures import Figures, figures
from krakenwire.trading.report.run import Run
from krakenwire.trading.report.walk_forward import Choice, WalkForward, in_order, metric_named, parts, walk_forward

__all__ = ["Backtests", "Grid", "Sweep", "SweepRow", "grid_from", "sweep"]

Grid: TypeAlias = dict[str, list[str]]
"""The values to try of each parameter, as text; the strategy reads and checks them."""

Span: TypeAlias = tuple[int, int]
"""From, and until before, nanoseconds since 1970 UTC."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the runs done and the runs in all."""


class Backtests(Protocol):
    """What a sweep runs. It is sent to other processes, so it holds names and settings, not the market."""

    def span(self) -> Span:
        """Return the market's time, and raise here if the market or the strategy cannot be read."""

    def open(self) -> object:
        """Return the market; called once in each process."""

    def run(self, market: object, parameters: Mapping[str, str], span: Span | None) -> Run:
        """Run once, in a part of the market's time or all of it; an error of the strategy is raised."""


class SweepRow(msgspec.Struct, frozen=True, kw_only=True):
    """One choice of parameters.

    Args:
        value: its metric; None where the run has none, or failed.
        figures: of the run over all the time; None where it failed.
        error: why it failed, one line.
    """

    choice: Choice
    value: float | None = None
    figures: Figures | None = None
    error: str = ""


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep, or as much of it as was done.

    Args:
        rows: the best first; those without a metric last.
        planned, done: runs, those over parts of the time among them.
        interrupted: it was ended before all were done.
    """

    grid: Grid
    metric: str
    rows: list[SweepRow]
    planned: int
    done: int
    interrupted: bool
    walk_forward: WalkForward | None = None


class _Task(msgspec.Struct, frozen=True):
    choice: Choice
    span: Span | None


class _Done(msgspec.Struct, frozen=True):
    figures: Figures | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Bench:
    backtests: Backtests
    names: tuple[str, ...]

    def run(self, market: object, task: _Task) -> _Done:
        try:
            run = self.backtests.run(market, dict(zip(self.names, task.choice, strict=True)), task.span)
        except KrakenwireError as error:
            return _Done(None, str(error))
        return _Done(figures(run))


def grid_from(texts: Iterable[str]) -> Grid:
    """Read what was written as ``fast=5,10,20``, once for each parameter.

    Raises:
        UsageError: it is not of that form, a parameter or a value comes twice, or there is none.
    """
    grid: Grid = {}
    for text in texts:
        name, equals, values = text.partition("=")
        found = [value.strip() for value in values.split(",")]
        if not equals or not name.strip() or not all(found):
            raise UsageError(f"--grid {text}", expected="NAME=VALUE,VALUE,...")
        if name.strip() in grid or len(set(found)) < len(found):
            raise UsageError(f"--grid {text}", expected="each parameter and each of its values once")
        grid[name.strip()] = found
    if not grid:
        raise UsageError("a sweep without --grid", expected="--grid NAME=VALUE,VALUE,...")
    return grid


def sweep(
    backtests: Backtests,
    grid: Grid,
    *,
    metric: str = "return",
    splits: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Run every choice of a grid.

    Args:
        backtests: what runs one.
        grid: as `grid_from` makes it.
        metric: what the best is by; see `METRICS`.
        splits: for a walk forward over that many splits; 0 for none.
        workers: processes; by default one for each core. With 1 all is run in this one.
        progress: told after each run.

    Raises:
        UsageError: a metric or a grid that cannot be.
        KrakenwireError: the market or the strategy cannot be read.
    """
    measure = metric_named(metric)
    whole = backtests.span()
    spans = parts(*whole, splits) if splits else []
    tasks = _tasks(grid, spans)
    found: dict[_Task, _Done] = {}
    interrupted = _run_all(_Bench(backtests, tuple(grid)), tasks, found, workers or os.cpu_count() or 1, progress)
    rows = [_row(task.choice, found[task], measure) for task in tasks if task.span is None and task in found]
    scores = [_scores(found, span, measure) for span in spans]
    return Sweep(
        grid=grid,
        metric=metric,
        rows=sorted(rows, key=lambda row: (row.value is None, -(row.value or 0.0))),
        planned=len(tasks),
        done=len(found),
        interrupted=interrupted,
        walk_forward=walk_forward(spans, scores, [*map(in_order, grid.values())])
        if spans and not interrupted
        else None,
    )


def _tasks(grid: Grid, spans: Sequence[Span]) -> list[_Task]:
    count = 1 + len(spans)
    for values in grid.values():
        count *= len(values)
    if count > SWEEP_RUNS_MAX:
        raise UsageError("the grid", expected=f"at most {SWEEP_RUNS_MAX:,} runs", found=f"{count:,}")
    return [_Task(choice, span) for span in (None, *spans) for choice in product(*grid.values())]


def _row(choice: Choice, done: _Done, measure: Callable[[Figures], float | None]) -> SweepRow:
    value = None if done.figures is None else measure(done.figures)
    return SweepRow(choice=choice, value=value, figures=done.figures, error=done.error)


def _scores(
    found: Mapping[_Task, _Done], span: Span, measure: Callable[[Figures], float | None]
) -> dict[Choice, float | None]:
    return {
        task.choice: None if done.figures is None else measure(done.figures)
        for task, done in found.items()
        if task.span == span
    }


def _run_all(
    bench: _Bench,
    tasks: Sequence[_Task],
    found: dict[_Task, _Done],
    workers: int,
    progress: Progress | None,
) -> bool:
    """Fill `found`; return whether it was interrupted."""
    run = _in_processes if workers > 1 and len(tasks) > 1 else _in_this_process
    results = run(bench, tasks, min(workers, len(tasks)))
    try:
        for task, done in results:
            found[task] = done
            if progress is not None:
                progress(len(found), len(tasks))
    except KeyboardInterrupt:
        return True
    finally:
        results.close()
    return False


_Results: TypeAlias = Generator[tuple[_Task, _Done], None, None]


def _in_this_process(bench: _Bench, tasks: Sequence[_Task], _: int) -> _Results:
    market = bench.backtests.open()
    for task in tasks:
        yield task, bench.run(market, task)


def _in_processes(bench: _Bench, tasks: Sequence[_Task], workers: int) -> _Results:
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (bench,))
    try:
        futures = {pool.submit(_work, task): task for task in tasks}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        raise UsageError(
            "a process of the sweep was ended", hint="Most often for its memory: use fewer workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


class _Here:
    """What a process of a sweep keeps from one run to the next."""

    bench: _Bench
    market: object = None
    opened = False


def _begin(bench: _Bench) -> None:
    # Ctrl-C reaches the whole group: the first process of it decides, these end the run they are at.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Here.bench = bench


def _work(task: _Task) -> _Done:
    if not _Here.opened:
        try:
            _Here.market = _Here.bench.backtests.open()
        except KrakenwireError as error:
            return _Done(None, str(error))
        _Here.opened = True
    return _Here.bench.run(_Here.market, task)
