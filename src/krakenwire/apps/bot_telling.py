"""Tells of a run while it runs: its rows as they come, and now and then how it stands."""

from __future__ import annotations

from collections.abc import Callable

from krakenwire.trading.engine import Engine
from krakenwire.trading.ports import Stopwatch
from krakenwire.trading.run_records import RunHead, RunRow
from krakenwire.trading.run_status import RunStatus
from krakenwire.trading.run_tally import Tally

__all__ = ["Telling"]


class Telling:
    """Used by the strategy's thread only.

    Args:
        engine: of the run.
        head: of the run.
        stopwatch: monotonic, nanoseconds.
        on_rows: told the head of the run now, and its rows as they come.
        on_status: told how it stands.
        every_ns: how often.
        complete: adds to a status what only its world knows.

    Attributes:
        state: as in `RunStatus`.
    """

    def __init__(
        self,
        engine: Engine,
        head: RunHead,
        stopwatch: Stopwatch,
        *,
        on_rows: Callable[[list[RunRow]], None] | None,
        on_status: Callable[[RunStatus], None] | None,
        every_ns: int,
        complete: Callable[[RunStatus], RunStatus],
    ) -> None:
        self._engine, self._stopwatch, self._every_ns = engine, stopwatch, every_ns
        self._on_rows, self._on_status, self._complete = on_rows, on_status, complete
        self._tally = Tally(head)
        self._due_ns: int | None = None
        self.state = "starting"
        if on_rows is not None:
            on_rows([head])

    def tell(self) -> None:
        """Tell what is new."""
        rows = self._engine.log.new_rows()
        if rows:
            self._tally.take(rows)
            if self._on_rows is not None:
                self._on_rows(rows)
        if self._on_status is not None:
            now_ns = self._stopwatch()
            if self._due_ns is None or now_ns >= self._due_ns:
                self._due_ns = now_ns + self._every_ns
                self._on_status(self.status())

    def end(self) -> None:
        """Tell what is left, and that it is over."""
        self.state, self._due_ns = "ended", None
        self.tell()

    def status(self) -> RunStatus:
        """Return how it stands."""
        return self._complete(self._tally.status(self._engine, self.state))
