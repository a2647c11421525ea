"""How `krakenwire bot run` shows a run: a screen on a terminal, plain lines, or JSON lines on a pipe.

The strategy's thread hands over rows and the latest status and goes on; a
thread of the view's own writes them. A terminal or a pipe that does not keep
up costs rows of the output, which is told, and never the strategy's time.
"""

from __future__ import annotations

import contextlib
import io
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self, TextIO

from krakenwire.cli.bot_lines import clock, lost_json, money, row_json, row_line, signed
from krakenwire.cli.render import LiveView, has_live_view
from krakenwire.limits import BOT_VIEW_LOG_LINES, BOT_VIEW_ROWS_WAITING_MAX
from krakenwire.trading.run_records import NoteRow, RunRow
from krakenwire.trading.run_status import RunStatus

if TYPE_CHECKING:
    from rich.console import RenderableType

    from krakenwire.cli.bot_screen import LogLine

__all__ = ["BotView", "bot_view"]

_DRAW_S: Final = 0.25
_WRITE_S: Final = 0.05
"""Between two looks for rows: no longer than a person notices, and the strategy never wakes anybody."""
_STATUS_EVERY_S: Final = 10.0


class BotView(Protocol):
    """What a run is shown with, from its `with` on. `on_rows` and `on_status` are the strategy's thread's."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def on_rows(self, rows: list[RunRow]) -> None: ...
    def on_status(self, status: RunStatus) -> None: ...


def bot_view(*, as_json: bool, gone: Callable[[], None]) -> BotView:
    """Return the view that fits where the output goes.

    Args:
        as_json: JSON lines on a terminal, too.
        gone: called once, by the view's thread, when nobody reads the output any more.
    """
    if as_json or not sys.stdout.isatty():
        return _JsonLines(gone)
    utf8 = sys.stdout.encoding.lower().replace("-", "") == "utf8"
    return _Screen(gone) if has_live_view() and utf8 else _PlainLines(gone)


class _View:
    """The thread that writes, and what it is handed.

    Args:
        gone: called when nobody reads the output any more.
        every_s: between two writings.
    """

    def __init__(self, gone: Callable[[], None], every_s: float) -> None:
        self._gone, self._every_s = gone, every_s
        self._handed: deque[list[RunRow]] = deque()
        self._given = self._taken = self._lost = 0
        self._status: RunStatus | None = None
        self._told_s = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="bot view", daemon=True)
        self._prints = contextlib.ExitStack()
        self._failure: Exception | None = None
        self._out: TextIO = sys.stdout

    def __enter__(self) -> Self:
        self._redirect()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._prints.close()
        if self._failure is not None and error is None:
            raise self._failure

    def on_rows(self, rows: list[RunRow]) -> None:
        if self._given - self._taken > BOT_VIEW_ROWS_WAITING_MAX:
            self._lost += len(rows)
            return
        self._given += len(rows)
        self._handed.append(rows)

    def on_status(self, status: RunStatus) -> None:
        self._status, self._told_s = status, time.monotonic()

    def _redirect(self) -> None:
        """Say where what a strategy prints goes."""

    def _rows(self) -> list[RunRow]:
        """Take what was handed over."""
        rows: list[RunRow] = []
        while self._handed:
            rows += self._handed.popleft()
        self._taken += len(rows)
        return rows

    def _write_on(self) -> None:
        try:
            while not self._over.wait(self._every_s):
                self._write()
            self._write()
        except OSError:
            self._gone()
        except Exception as error:  # noqa: BLE001 - a mistake in a view ends no run; it is raised where the view ends
            self._failure = error

    def _write(self) -> None:
        raise NotImplementedError


class _PlainLines(_View):
    """One line for what a person wants to know, and now and then one of how it stands."""

    def __init__(self, gone: Callable[[], None]) -> None:
        super().__init__(gone, _WRITE_S)
        self._due_s = time.monotonic() + _STATUS_EVERY_S

    def _write(self) -> None:
        for row in self._rows():
            line = row_line(row)
            if line is not None:
                print(line, file=self._out)
        if self._status is not None and time.monotonic() >= self._due_s:
            self._due_s = time.monotonic() + _STATUS_EVERY_S
            print(_stands(self._status), file=self._out)
        self._out.flush()


def _stands(status: RunStatus) -> str:
    live = sum(feed.live for feed in status.feeds)
    return (
        f"{clock(status.time_ns)}  {status.state:<13}equity {money(status.equity)} {status.quote}, "
        f"today {signed(status.day_profit)}, run {signed(status.profit)}, {len(status.orders)} open orders, "
        f"{status.fills_total} fills, {live} of {len(status.feeds)} books live"
    )


class _JsonLines(_View):
    """One JSON object for each row. What a strategy prints goes to stderr: a line here is an object, always."""

    def __init__(self, gone: Callable[[], None]) -> None:
        super().__init__(gone, _WRITE_S)
        self._lost_told = 0

    def _redirect(self) -> None:
        self._prints.enter_context(contextlib.redirect_stdout(sys.stderr))

    def _write(self) -> None:
        lines = [row_json(row) for row in self._rows()]
        lost, self._lost_told = self._lost - self._lost_told, self._lost
        if lost:
            lines.append(lost_json(lost))
        if lines:
            self._out.write("\n".join(lines) + "\n")
            self._out.flush()


class _Screen(_View):
    """The whole terminal, drawn anew a few times a second; what a strategy prints stands in the log."""

    def __init__(self, gone: Callable[[], None]) -> None:
        from krakenwire.cli.bot_screen import EquityHistory

        super().__init__(gone, _DRAW_S)
        self._history = EquityHistory()
        self._log: deque[LogLine] = deque(maxlen=BOT_VIEW_LOG_LINES)
        self._printed: deque[str] = deque(maxlen=BOT_VIEW_LOG_LINES)
        self._drawn: RunStatus | None = None
        self._live = LiveView(self._draw, screen=True)

    def _redirect(self) -> None:
        self._prints.enter_context(self._live)
        printed = _Printed(self._printed.append)
        self._prints.enter_context(contextlib.redirect_stdout(printed))
        self._prints.enter_context(contextlib.redirect_stderr(printed))

    def _write(self) -> None:
        self._live.refresh()

    def _draw(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        from krakenwire.cli.bot_screen import screen

        self._read()
        width, height = self._live.size
        if self._status is None:
            return Text(" connecting", "dim")
        silent_s = time.monotonic() - self._told_s
        return Group(
            *screen(self._status, self._history, list(self._log), width=width, height=height, silent_s=silent_s)
        )

    def _read(self) -> None:
        from krakenwire.cli.bot_screen import LogLine

        for row in self._rows():
            if isinstance(row, NoteRow):
                about = f"{row.symbol} " if row.symbol else ""
                self._log.append(LogLine(row.time_ns, row.kind, about + row.text))
        status = self._status
        while self._printed and status is not None:
            self._log.append(LogLine(status.time_ns, "print", self._printed.popleft()))
        if status is not None and status is not self._drawn and status.equity is not None:
            self._history.add(status.equity)
        self._drawn = status


class _Printed(io.TextIOBase):
    """Takes what is printed, line by line."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._take(line)
        return len(text)
