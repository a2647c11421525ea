"""How `krakenwire watch` shows itself: a live table, plain lines, or JSON lines."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter, deque
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from krakenwire.cli.render import LiveView, fixed, notice, put
from krakenwire.watch import Alert, Engine

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["View", "view_for"]

_REFRESH_S = 0.2
_ALERTS_SHOWN = 8


class View(Protocol):
    """What the command shows things with."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def alert(self, alert: Alert) -> None: ...
    def notice(self, text: str) -> None: ...
    def refresh(self) -> None: ...


def view_for(engine: Engine, *, json: bool, live: bool) -> View:
    """Return the view that fits where the output goes."""
    if json or not sys.stdout.isatty():
        return _Lines(as_json=True)
    return _Table(engine) if live else _Lines(as_json=False)


class _Lines:
    """One line per alert on stdout, notices on stderr."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def alert(self, alert: Alert) -> None:
        put(alert.to_json() if self._as_json else f"{alert.time or 'time unknown'}  {_said(alert)}")

    def notice(self, text: str) -> None:
        notice(text)

    def refresh(self) -> None:
        return


class _Table:
    """Prices in a table that is drawn anew, the latest alerts under it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._count: Counter[str] = Counter()
        self._latest: deque[Alert] = deque(maxlen=_ALERTS_SHOWN)
        self._view = LiveView(self._draw)
        self._drawn_s = 0.0

    def __enter__(self) -> Self:
        self._view.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._view.refresh()
        self._view.__exit__(kind, error, trace)

    def alert(self, alert: Alert) -> None:
        self._count[alert.symbol] += 1
        self._latest.append(alert)
        self._drawn_s = 0.0
        self.refresh()

    def notice(self, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._view.put(f"krakenwire: {text}", "yellow")

    def refresh(self) -> None:
        if time.monotonic() - self._drawn_s >= _REFRESH_S:
            self._view.refresh()
            self._drawn_s = time.monotonic()

    def _draw(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(title="krakenwire watch", title_justify="left")
        table.add_column("symbol", style="bold")
        for name in ("last", "bid", "ask", "spread"):
            table.add_column(name, justify="right")
        table.add_column("alerts", justify="right")
        table.add_column("rules", overflow="fold")
        for symbol in self._engine.symbols:
            last, bid, ask = self._engine.prices(symbol)
            count = self._count[symbol]
            table.add_row(
                symbol,
                fixed(last),
                fixed(bid),
                fixed(ask),
                fixed(_spread(bid, ask)),
                Text(str(count), "bold red" if count else "dim"),
                Text(_rules_of(self._engine, symbol), "dim"),
            )
        lines = [Text.assemble((_clock(alert), "dim"), "  ", (_said(alert), "bold red")) for alert in self._latest]
        return Group(table, *lines, Text("Ctrl-C ends", "dim"))


def _said(alert: Alert) -> str:
    named = "" if alert.rule == alert.condition else f"[{alert.rule}] "
    return named + alert.message


def _clock(alert: Alert) -> str:
    return (alert.time or "")[11:19]


def _rules_of(engine: Engine, symbol: str) -> str:
    return "; ".join(rule.title for rule in engine.rules if rule.symbol == symbol)


def _spread(bid: Decimal | None, ask: Decimal | None) -> Decimal | None:
    return None if bid is None or ask is None else ask - bid
