"""What a person and programs see of one run that goes on in real time: the view of it, and its metrics.

with shown(args) as show:
    run_paper(..., on_begin=show.begun, on_rows=show.on_rows, on_status=show.on_status)
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Protocol

from krakenwire.cli.bot_view import BotView, bot_view
from krakenwire.cli.render import notice

if TYPE_CHECKING:
    from krakenwire.apps.bot_metrics import BotMetrics
    from krakenwire.trading.run_records import RunRow
    from krakenwire.trading.run_status import RunStatus

__all__ = ["Show", "add_arguments", "shown", "tells_json"]

_NOBODY: Final = "nobody reads the output any more"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is shown besides the view."""
    parser.add_argument(
        "--metrics", metavar="PORT", type=int, help="serve Prometheus metrics on this loopback port; 0 for a free one"
    )


def tells_json(args: argparse.Namespace) -> bool:
    """Return whether stdout gets JSON lines, the results at the end among them."""
    return bool(args.json) or not sys.stdout.isatty()


@contextlib.contextmanager
def shown(args: argparse.Namespace, *, from_begin: bool = False) -> Iterator[Show]:
    """Show a run from now on; metrics are served at once.

    Args:
        args: of the command.
        from_begin: leave the terminal alone until the run has begun: there is something to be read before.

    Raises:
        ConfigError: the port for metrics cannot be had.
        MissingExtraError: what serves them is not installed.
    """
    with contextlib.ExitStack() as stack:
        metrics = None
        if args.metrics is not None:
            from krakenwire.apps.bot_metrics import BotMetrics

            metrics = stack.enter_context(BotMetrics(args.metrics))
            notice(f"metrics at {metrics.address}")
        show = Show(metrics, as_json=args.json)
        if from_begin:
            show.on_begin = lambda: stack.enter_context(show.view)
        else:
            stack.enter_context(show.view)
        yield show


class Stoppable(Protocol):
    """A run, from any thread."""

    def request_stop(self, reason: str) -> None: ...


class Show:
    """The view and the metrics of one run. The strategy's thread calls `on_rows` and `on_status`.

    Args:
        metrics: None for none.
        as_json: JSON lines on a terminal, too.

    Attributes:
        view: what is on the terminal, or in the pipe.
        on_begin: called when the run begins; None for nothing.
    """

    def __init__(self, metrics: BotMetrics | None, *, as_json: bool) -> None:
        self.view: BotView = bot_view(as_json=as_json, gone=self._unread)
        self.on_begin: Callable[[], object] | None = None
        self._metrics = metrics
        self._run: Stoppable | None = None
        self._gone = False

    def begun(self, run: Stoppable) -> None:
        """There is a run now, which is asked to stop when nobody reads of it any more."""
        self._run = run
        if self.on_begin is not None:
            self.on_begin()
        if self._gone:
            run.request_stop(_NOBODY)

    def on_rows(self, rows: list[RunRow]) -> None:
        """Rows of the run have come."""
        self.view.on_rows(rows)
        if self._metrics is not None:
            self._metrics.on_rows(rows)

    def on_status(self, status: RunStatus) -> None:
        """That is how it stands."""
        self.view.on_status(status)
        if self._metrics is not None:
            self._metrics.on_status(status)

    def _unread(self) -> None:
        self._gone = True
        if self._run is not None:
            self._run.request_stop(_NOBODY)
