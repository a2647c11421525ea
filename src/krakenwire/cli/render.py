"""What the commands share to show things: exact JSON, lines on the right stream, a live view where there is one.

It decides nothing and knows no market. `rich` draws the live views; without
it, or on a pipe, the commands print plain lines.
"""

from __future__ import annotations

import contextlib
import importlib.util
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import msgspec

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = [
    "Json",
    "LiveView",
    "ends_on_signals",
    "fixed",
    "has_live_view",
    "json_line",
    "notice",
    "put",
    "put_table",
    "summary",
]

Json: TypeAlias = "bool | int | str | Decimal | Sequence[Json] | Mapping[str, Json] | None"


def fixed(value: Decimal | None, missing: str = "-") -> str:
    """Return a number in fixed point with all its digits."""
    return missing if value is None else format(value, "f")


def json_line(value: Json) -> str:
    """Return one line of JSON; a `Decimal` becomes a number in fixed point with all its digits."""
    return msgspec.json.encode(_exact(value)).decode()


def _exact(value: Json) -> object:
    if isinstance(value, Decimal):
        return msgspec.Raw(format(value, "f").encode())
    if isinstance(value, Mapping):
        return {name: _exact(item) for name, item in value.items()}
    if isinstance(value, str | int | None):
        return value
    return [_exact(item) for item in value]


class _Interrupt:
    """The first signal that comes in the middle of a line waits for its end; a second one does not.

    So Ctrl-C never leaves half a line for who reads the output, and still
    ends a command whose reader has stalled.
    """

    def __init__(self) -> None:
        self.putting = False
        self.waiting = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if self.putting and not self.waiting:
            self.waiting = True
            return
        raise KeyboardInterrupt


_interrupt: Final = _Interrupt()


def put(line: str) -> None:
    """Print one line of the command's result, whole and at once."""
    _interrupt.putting = True
    try:
        print(line, flush=True)
    finally:
        _interrupt.putting = False
    if _interrupt.waiting:
        _interrupt.waiting = False
        raise KeyboardInterrupt


def notice(text: str) -> None:
    """Print one line for a person on stderr."""
    with contextlib.suppress(BrokenPipeError):
        print(f"krakenwire: {text}", file=sys.stderr, flush=True)


def summary(counts: Mapping[str, int]) -> str:
    """Return the counts that are not zero, in their order, as text."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)


def has_live_view() -> bool:
    """Whether a live view can be drawn: stdout is a terminal and rich is installed."""
    return sys.stdout.isatty() and importlib.util.find_spec("rich") is not None


def put_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Collection[str] = (),
    wraps: Collection[str] = (),
) -> None:
    """Print rows under their columns, with rich where it is, else as aligned text.

    Args:
        columns: their names.
        rows: as many texts each.
        numbers: columns that are aligned on the right.
        wraps: columns that may take several lines where there is no room.
    """
    if has_live_view():
        _put_rich_table(columns, rows, numbers, wraps)
        return
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        cells = zip(columns, row, widths, strict=True)
        put("  ".join(text.rjust(width) if name in numbers else text.ljust(width) for name, text, width in cells))


def _put_rich_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[str], wraps: Collection[str]
) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", no_wrap=name not in wraps)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)


class LiveView:
    """A part of the terminal that is drawn anew; lines printed through it stay above.

    Args:
        draw: returns what to show now; called when the view is refreshed.
        screen: whether it takes the whole screen, and gives back what was there before when it ends.
    """

    def __init__(self, draw: Callable[[], RenderableType], *, screen: bool = False) -> None:
        from rich.console import Console
        from rich.live import Live

        self._draw = draw
        self._console = Console(highlight=False, file=sys.stdout)
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            transient=False,
            screen=screen,
        )

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of the terminal, now."""
        return self._console.size

    def refresh(self) -> None:
        """Draw."""
        self._live.update(self._draw(), refresh=True)

    def put(self, text: str, style: str = "") -> None:
        """Print one line above the view."""
        self._console.print(text, style=style or None, markup=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        self.refresh()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)


@contextlib.contextmanager
def ends_on_signals() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the block between two lines, with its summary and code 0."""
    # A shell starts background commands with SIGINT ignored: that stays.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    before = [(number, signal.signal(number, _interrupt)) for number in numbers]
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        _interrupt.waiting = False
        for number, handler in before:
            signal.signal(number, handler)
