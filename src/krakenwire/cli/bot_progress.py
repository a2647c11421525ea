"""How far a backtest is: one line on a terminal's stderr, gone when it is over, and nothing elsewhere."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from krakenwire.model.times import rfc3339_from_ns

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

__all__ = ["BacktestProgress", "backtest_progress"]

_CLOCK_S: Final = 0.001
"""What a rate is counted over at least."""


class BacktestProgress:
    """The line: first how much of the tape is read, then how much of the market has gone by.

    Args:
        bar: of rich.
    """

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._reading = bar.add_task("reading", total=None, told="")
        self._running = bar.add_task("running", total=None, told="", visible=False)
        self._began_s = time.monotonic()

    def read(self, done: int, total: int) -> None:
        """Records of the tape have been read."""
        self._began_s = time.monotonic()
        self._bar.update(self._reading, completed=done, total=total, told=f"{done:,} records")

    def run(self, done: int, total: int, time_ns: int) -> None:
        """Rows of the market have gone by, up to that time of it."""
        rate = done / max(time.monotonic() - self._began_s, _CLOCK_S)
        told = f"{done:,} rows  {rate:,.0f}/s  {rfc3339_from_ns(time_ns, 0)}"
        self._bar.update(self._reading, visible=False)
        self._bar.update(self._running, completed=done, total=total, told=told, visible=True)


@contextlib.contextmanager
def backtest_progress() -> Iterator[BacktestProgress | None]:
    """Show a line while the block runs, where there is a terminal and rich; yield what is to be told, else None."""
    if not sys.stderr.isatty() or importlib.util.find_spec("rich") is None:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield BacktestProgress(bar)
