"""Two runs side by side as a page and as lines of text.

What differs and why is `krakenwire.trading.report.drift`'s; this sets it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape

from krakenwire.apps.report_page import (
    COLOURS,
    NONE,
    Html,
    Spec,
    amount,
    note,
    page,
    plot,
    section,
    table,
)
from krakenwire.limits import REPORT_POINTS, REPORT_TABLE_ROWS
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.trading.report.drift import CAUSES, Difference, Drift
from krakenwire.trading.report.run import Run
from krakenwire.trading.report.series import equity_of, thinned

__all__ = ["drift_lines", "drift_page", "drift_verdict"]

_HEAD = ("time, UTC", "symbol", "what", "cause", "detail", "filled A", "filled B", "price A", "price B", "money")
_NUMBERS = (5, 6, 7, 8, 9)
_TEXT_ROWS = 20


def drift_verdict(found: Drift) -> str:
    """Return the result in one line."""
    if found.same:
        return f"Identical: {found.identical:,} decisions, with all their orders and fills."
    total = found.identical + len(found.differences)
    first = found.differences[0]
    money = amount(sum((row.money for row in found.differences), Decimal(0)), found.head_a.quote, sign=True)
    where = f"the first at {_time(first.time_ns)} UTC ({first.cause}: {first.detail})"
    return f"{len(found.differences):,} of {total:,} decisions differ, {where}; to B they made {money}."


def drift_lines(found: Drift) -> list[str]:
    """Return the comparison as text: the verdict, the causes, the first differences."""
    if found.same:
        return [drift_verdict(found)]
    causes = [("cause", "count", "money"), *_cause_rows(found)]
    rows = [_HEAD, *(_row(row) for row in found.differences[:_TEXT_ROWS])]
    more = len(found.differences) - _TEXT_ROWS
    lines = [drift_verdict(found), "", *_columns(causes, (1, 2)), "", *_columns(rows, _NUMBERS)]
    return [*lines, f"and {more:,} more: --json and --out have them"] if more > 0 else lines


def drift_page(a: Run, b: Run, found: Drift) -> str:
    """Return the comparison as one HTML page that needs nothing else.

    Args:
        a: the first run.
        b: the second one.
        found: their comparison.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    mood = "good" if found.same else "bad"
    names = f"A: {_name(a)}. B: {_name(b)}."
    top = f'<h1>Drift of two runs</h1><p class="under">{escape(names)}</p>'
    parts = [f'{top}<div class="verdict {mood}"><p>{escape(drift_verdict(found))}</p></div>', _totals(found)]
    plots = {"equity": _equity(a, b)} if a.equity and b.equity else {}
    parts += [section("Equity of both", plot(name, "Equity of both runs")) for name in plots]
    if found.differences:
        shown = found.differences[:REPORT_TABLE_ROWS]
        told = note(f"{len(shown):,} of {len(found.differences):,}, the first one first")
        parts.append(section("Trade by trade", told, table(map(_row, shown), _HEAD, numbers=_NUMBERS)))
    return page("Drift of two runs", Html("".join(parts)), plots)


def _name(run: Run) -> str:
    return f"{run.head.strategy}, {run.head.mode}, {run.head.run}, from {run.head.source}"


def _time(ns: int) -> str:
    return rfc3339_from_ns(ns, 3).replace("T", " ").removesuffix("Z")


def _totals(found: Drift) -> Html:
    quote = found.head_a.quote
    profits = [
        ("profit of A", amount(found.profit_a, quote, sign=True)),
        ("profit of B", amount(found.profit_b, quote, sign=True)),
        ("identical decisions", f"{found.identical:,}"),
        ("times count as the same within", f"{found.tolerance_ns / 1e6:g} ms"),
    ]
    causes = [(*row, CAUSES[total.cause]) for row, total in zip(_cause_rows(found), found.totals, strict=True)]
    remark = note(
        "Money is what B made more than A, after fees, with every fill valued at the same last price: "
        + ", ".join(f"{symbol} {mark:f}" for symbol, mark in found.marks.items())
        + f". Not from trades, but from prices at the start and the end: {amount(found.rest, quote, sign=True)}."
    )
    by_cause = table(causes, ("cause", "count", "money", "meaning"), numbers=(1, 2)) if causes else Html("")
    return section("Totals", table(profits, numbers=(1,)), by_cause, remark)


def _cause_rows(found: Drift) -> list[tuple[str, str, str]]:
    return [(total.cause, f"{total.count:,}", amount(total.money, sign=True)) for total in found.totals]


def _row(row: Difference) -> tuple[str, ...]:
    return (
        _time(row.time_ns),
        row.symbol,
        f"{row.action} {row.tag}".strip(),
        row.cause,
        row.detail,
        f"{row.filled_a:f}",
        f"{row.filled_b:f}",
        _price(row.price_a),
        _price(row.price_b),
        amount(row.money, sign=True),
    )


def _price(value: Decimal | None) -> str:
    return NONE if value is None else f"{value:,.10g}"


def _columns(rows: Sequence[tuple[str, ...]], numbers: tuple[int, ...]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place in numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _equity(a: Run, b: Run) -> Spec:
    traces = [_line(a, f"A, {a.head.mode}", COLOURS[0]), _line(b, f"B, {b.head.mode}", COLOURS[1])]
    return {
        "data": traces,
        "layout": {
            "xaxis": {"type": "date", "title": {"text": "UTC"}},
            "yaxis": {"title": {"text": a.head.quote}},
            "legend": {"orientation": "h", "y": 1.12, "x": 0, "yanchor": "top"},
            "showlegend": True,
        },
    }


def _line(run: Run, name: str, colour: str) -> Spec:
    times, equity = equity_of(run.equity)
    kept = thinned(equity, REPORT_POINTS)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": (times[kept] // 1_000_000).tolist(),
        "y": equity[kept].tolist(),
        "line": {"width": 1.5, "shape": "hv", "color": colour},
    }
