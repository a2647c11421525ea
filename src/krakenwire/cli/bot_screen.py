"""How a running bot looks on a terminal: one screen, made of the latest status and what the view has kept.

It draws only: lines of exactly the width that is there, as many as fit, each
thing always at the same place. It is imported where rich is installed and
the terminal takes UTF-8; `bot_view` decides that.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Final, NamedTuple

from rich.text import Text

from krakenwire.cli.bot_lines import age, clock, money, signed, span
from krakenwire.cli.render import fixed
from krakenwire.trading.run_status import FeedHealth, OpenOrder, RecentFill, RiskUse, RunStatus

__all__ = ["EquityHistory", "LogLine", "screen", "spark"]

_MODES: Final = {
    "backtest": ("BACKTEST", "bold white on blue"),
    "replay": ("REPLAY", "bold black on cyan"),
    "paper": ("PAPER", "bold black on green"),
    "live": ("LIVE * REAL ORDERS", "bold white on red"),
}
_SIDES: Final = {"buy": "green", "sell": "red"}
_NOTES: Final = {"error": "bold red", "stop": "bold red", "gap": "yellow", "risk": "yellow", "slow": "yellow"}
_NOTES_PLAIN: Final = "dim"
_SPARKS: Final = "▁▂▃▄▅▆▇█"
_POINTS_MAX: Final = 512
"""Of equity, over the whole run; more than a terminal is wide."""
_WIDE: Final = 60
"""Of half a screen, from which on tables have all their columns."""
_HEAD_LINES: Final = 3
_LOG_LINES_MIN: Final = 4
_UNANSWERED_S: Final = 2.0
_HIGH_USE: Final = (Decimal("0.8"), Decimal("0.5"))

Cell = tuple[str, str]


class LogLine(NamedTuple):
    """A line of the log: when by the run's clock, of which kind, and what."""

    time_ns: int
    kind: str
    text: str


class EquityHistory:
    """Equity since the run began, in so few points that a line can be drawn through all of them."""

    def __init__(self) -> None:
        self.points: list[float] = []
        self._each = 1
        self._told = 0

    def add(self, equity: Decimal) -> None:
        """Take the next one."""
        self._told += 1
        if self._told % self._each:
            return
        self.points.append(float(equity))
        if len(self.points) > _POINTS_MAX:
            self.points = self.points[1::2]
            self._each *= 2


def spark(points: Sequence[float], width: int) -> str:
    """Return a line of at most `width` blocks through points, the lowest as the lowest block."""
    if not points or width < 1:
        return ""
    count = min(width, len(points))
    shown = [points[(place + 1) * len(points) // count - 1] for place in range(count)]
    low, high = min(shown), max(shown)
    unit = (high - low) / (len(_SPARKS) - 1) or 1.0
    return "".join(_SPARKS[round((point - low) / unit)] for point in shown)


def screen(
    status: RunStatus,
    history: EquityHistory,
    log: Sequence[LogLine],
    *,
    width: int,
    height: int,
    silent_s: float = 0.0,
) -> list[Text]:
    """Return the lines of the whole screen.

    Args:
        status: the latest.
        history: of its equity.
        log: oldest first.
        width: of the terminal.
        height: of the terminal.
        silent_s: how long ago the status was told.
    """
    body = max(0, height - _HEAD_LINES - 1)
    half = (width - 1) // 2
    left, right = _left(status, body, half), _right(status, log, body, width - half - 1)
    rows = [
        Text.assemble(_fit(one, half), " ", _fit(other, width - half - 1))
        for one, other in zip_longest(left, right, fillvalue=Text())
    ]
    lines = [_head(status, width, silent_s), _money(status, history, width), _state(status), *rows[:body]]
    lines += [Text()] * (height - 1 - len(lines))
    return [_fit(line, width) for line in [*lines[: height - 1], _foot(status, width)]]


# -- head and foot --------------------------------------------------------------


def _head(status: RunStatus, width: int, silent_s: float) -> Text:
    name, style = _MODES[status.mode]
    end = f"{status.state}  {span(status.time_ns - status.started_ns)} "
    if silent_s >= _UNANSWERED_S:
        end = f"NO ANSWER OF THE STRATEGY FOR {silent_s:.0f}s "
    start = _fit(Text(f" {name}  {_clean(status.strategy)} on {_clean(status.source)}"), width - len(end))
    return Text(start.plain + end, style)


def _money(status: RunStatus, history: EquityHistory, width: int) -> Text:
    line = Text.assemble(
        (f" {money(status.equity)} {status.quote}", "bold"),
        ("   today ", "dim"),
        _gain(status.day_profit),
        ("   run ", "dim"),
        _gain(status.profit),
        "   ",
    )
    return line.append(spark(history.points, width - line.cell_len - 1), "cyan")


def _gain(value: Decimal | None) -> Cell:
    return signed(value), "dim" if not value else "green" if value > 0 else "red"


def _state(status: RunStatus) -> Text:
    line = Text(" ")
    if status.alarm:
        line.append(" ALARM ", "bold white on red").append(f" {_clean(status.alarm)}  ", "bold red")
    if status.stop:
        line.append(" STOPPED ", "bold black on yellow").append(f" {_clean(status.stop)}", "yellow")
    return line if status.alarm or status.stop else line.append("orders may leave, nothing waits for you", "dim")


def _foot(status: RunStatus, width: int) -> Text:
    line = Text(f" {status.frames:,} frames  {status.verified:,} verified", "dim")
    trouble = (
        (status.failed, "failed", "bold red"),
        (status.dropped, "dropped", "bold red"),
        (status.slow, "slow", "yellow"),
        (status.backlog, "waiting", "dim"),
    )
    for count, word, style in trouble:
        if count:
            line.append(f"  {count:,} {word}", style)
    if status.latency_us is not None:
        line.append(f"  {status.latency_us:,.0f} us to order", "dim")
    end = "Ctrl-C ends "
    return _fit(line, width - len(end)).append(end, "dim")


# -- the two halves -------------------------------------------------------------


def _left(status: RunStatus, height: int, width: int) -> list[Text]:
    room, between = max(0, height - 3), _between(width)
    positions = _places(status, room)
    orders = -(-(room - positions) // 2)
    fills = room - positions - orders
    return [
        _title("position", "value, share of equity", width),
        *_rows(_positions(status), positions, "<>>>", between),
        _title(f"open orders {len(status.orders)}", "", width),
        *_rows([_order(order, width) for order in status.orders], orders, "<><><<", between),
        _title(f"fills {status.fills_total:,}", f"fees {money(status.fees)} {status.quote}", width),
        *_rows([_fill(fill, width) for fill in reversed(status.fills)], fills, "<<><><>", between),
    ]


def _right(status: RunStatus, log: Sequence[LogLine], height: int, width: int) -> list[Text]:
    room, between = max(0, height - 3), _between(width)
    feeds = _places(status, room)
    uses = min(max(1, len(status.risk)), max(0, room - feeds - _LOG_LINES_MIN))
    counted = f"gaps {sum(feed.gaps for feed in status.feeds):,}, conflated {status.conflated:,}"
    refused = f"refused {status.refused:,} of {status.orders_sent + status.refused:,}"
    return [
        _title("feed", counted, width),
        *_rows([_feed(feed, width) for feed in status.feeds], feeds, "<<>>>>>", between),
        _title("use of limits", refused, width),
        *_uses(status.risk, uses, width),
        _title("log", "", width),
        *_log(log, room - feeds - uses, width),
    ]


def _between(width: int) -> str:
    return "  " if width >= _WIDE else " "


def _places(status: RunStatus, room: int) -> int:
    """Lines for something of each symbol: as many on both sides."""
    return min(max(1, len(status.feeds), len(status.positions)), room // 3)


def _positions(status: RunStatus) -> list[list[Cell]]:
    mids = {feed.symbol: (feed.bid + feed.ask) / 2 for feed in status.feeds if feed.bid and feed.ask}
    rows = []
    for symbol, qty in status.positions.items():
        worth = qty * mids[symbol] if symbol in mids else None
        share = f"{worth / status.equity:.0%}" if worth is not None and status.equity else "-"
        style = "bold" if qty else "dim"
        rows.append([(symbol, style), (_qty(qty), style), (money(worth), style), (share, style)])
    return rows


def _order(order: OpenOrder, width: int) -> list[Cell]:
    done = f"{order.filled / order.qty:.0%}" if order.qty else "-"
    state = order.state if not order.filled else done
    cells = [
        (order.side, _SIDES[order.side]),
        (_qty(order.qty), ""),
        (order.symbol, "bold"),
        (fixed(order.limit, "market"), ""),
        (state, "bold red" if order.state == "unknown" else "dim"),
    ]
    return [*cells, (f"{order.id} {_clean(order.tag)}", "dim")] if width >= _WIDE else cells


def _fill(fill: RecentFill, width: int) -> list[Cell]:
    cells = [
        (clock(fill.time_ns), "dim"),
        (fill.side, _SIDES[fill.side]),
        (_qty(fill.qty), ""),
        (fill.symbol, "bold"),
        (fixed(fill.price), ""),
    ]
    return [*cells, ("maker" if fill.maker else "taker", "dim"), (money(fill.fee), "dim")] if width >= _WIDE else cells


def _feed(feed: FeedHealth, width: int) -> list[Cell]:
    state = ("live", "green") if feed.live else ("DOWN", "bold red")
    cells = [(feed.symbol, "bold"), state, (age(feed.age_ns), ""), (fixed(feed.bid), ""), (fixed(feed.ask), "")]
    trouble = [(f"{feed.gaps:,} gaps", "dim"), (f"{feed.conflated:,} conflated", "dim")]
    return [*cells, *trouble] if width >= _WIDE else cells


def _uses(uses: Sequence[RiskUse], room: int, width: int) -> list[Text]:
    """The limits that are used most, where not all fit, in the order they always have."""
    most = sorted(uses, key=_share, reverse=True)[:room]
    shown = [use for use in uses if use in most]
    name_width = max((len(use.rule) for use in shown), default=0)
    lines = [_use(use, name_width, width) for use in shown]
    return lines + [Text()] * (room - len(lines))


def _use(use: RiskUse, name_width: int, width: int) -> Text:
    share = _share(use)
    style = next(
        (style for least, style in zip(_HIGH_USE, ("bold red", "yellow"), strict=True) if share >= least), "green"
    )
    percent = f"{share:4.0%}" if use.limit else "   -"
    figures = f"  {money(use.used)} of {money(use.limit)}" if width >= _WIDE else ""
    room = max(4, width - name_width - len(percent) - len(figures) - 2)
    full = min(room, max(round(share * room), int(share > 0)))
    return Text.assemble(
        use.rule.ljust(name_width),
        " ",
        ("━" * full, style),
        ("─" * (room - full), "dim"),
        " ",
        (percent, style),
        figures,
    )


def _share(use: RiskUse) -> Decimal:
    return use.used / use.limit if use.limit else Decimal(0)


def _log(log: Sequence[LogLine], room: int, width: int) -> list[Text]:
    """The latest, long lines over several, the last at the bottom."""
    lines: list[Text] = []
    for line in reversed(log[-room:] if room > 0 else ()):
        said = line.text if line.kind == "log" else f"{line.kind}: {line.text}"
        parts = textwrap.wrap(f"{clock(line.time_ns)} {_clean(said)}", max(20, width), subsequent_indent=" " * 9)
        lines[:0] = [Text(part, _NOTES.get(line.kind, "" if line.kind == "log" else _NOTES_PLAIN)) for part in parts]
        if len(lines) >= room:
            break
    return lines[-room:] if room > 0 else []


# -- lines ----------------------------------------------------------------------


def _title(text: str, more: str, width: int) -> Text:
    line = Text.assemble(("─ ", "dim"), (text, "bold cyan"), (f"  {more} " if more else " ", "dim"))
    return line.append("─" * max(0, width - line.cell_len), "dim")


def _rows(rows: list[list[Cell]], room: int, aligned: str, between: str) -> list[Text]:
    """Return rows under one another, as many lines as there is room for, the last one telling of what did not fit."""
    shown = rows if len(rows) <= room else rows[: max(0, room - 1)]
    widths = [max(map(len, column)) for column in zip(*([cell for cell, _ in row] for row in shown), strict=True)]
    lines = [_row(row, widths, aligned, between) for row in shown]
    if len(rows) > room > 0:
        lines.append(Text(f"and {len(rows) - len(shown)} more", "dim"))
    return [*lines, *[Text()] * (room - len(lines))][:room]


def _row(row: list[Cell], widths: list[int], aligned: str, between: str) -> Text:
    cells = [
        (text.rjust(wide) if align == ">" else text.ljust(wide), style)
        for (text, style), wide, align in zip(row, widths, aligned, strict=False)
    ]
    return Text(between).join(Text(text, style) for text, style in cells)


def _qty(value: Decimal) -> str:
    """A quantity without the zeros at its end, which take the room of what matters."""
    text = fixed(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _fit(line: Text, width: int) -> Text:
    line = line.copy()
    line.truncate(max(0, width), overflow="ellipsis", pad=True)
    return line


def _clean(text: str) -> str:
    """Return text that draws nothing but itself."""
    return "".join(char if char.isprintable() else " " for char in text)
