"""A sweep as a page: heat maps of the metric, the table, and the walk forward with its warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import product
from typing import Final

from krakenwire.apps.report_page import NONE, Html, Spec, amount, note, page, percent, plot, section, table
from krakenwire.apps.sweep import Sweep, SweepRow
from krakenwire.limits import REPORT_TABLE_ROWS, SWEEP_MAPS
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.trading.report.walk_forward import Split, WalkForward, in_order

__all__ = ["SWEEP_COLUMNS", "sweep_cells", "sweep_page", "sweep_verdict"]

SWEEP_COLUMNS: Final = ("metric", "return", "deepest fall", "Sharpe", "fills", "fees")
"""After the parameters; the first is the metric."""

_SCALE: Final = "Viridis"


def sweep_verdict(found: Sweep) -> str:
    """Return the result in a sentence or two."""
    best = next((row for row in found.rows if row.value is not None), None)
    of = f"{found.done:,} of {found.planned:,} runs, interrupted" if found.interrupted else f"{found.done:,} runs"
    if best is None or best.value is None:
        return f"{of}; none has the metric {found.metric}."
    names = ", ".join(f"{name}={value}" for name, value in zip(found.grid, best.choice, strict=True))
    return f"{of}; the best by {found.metric} is {names} with {best.value:,.6g}."


def sweep_cells(row: SweepRow) -> tuple[str, ...]:
    """Return a row's texts: its parameters, then `SWEEP_COLUMNS`; of a run that failed its error."""
    if row.figures is None:
        return (*row.choice, row.error, *[NONE] * (len(SWEEP_COLUMNS) - 1))
    found = row.figures
    return (
        *row.choice,
        NONE if row.value is None else f"{row.value:,.6g}",
        percent(found.total_return, sign=True),
        percent(found.drawdown.share if found.drawdown else None),
        NONE if found.sharpe is None else f"{found.sharpe:,.2f}",
        f"{found.fills:,}",
        amount(found.fees),
    )


def sweep_page(title: str, found: Sweep) -> str:
    """Return a sweep as one HTML page that needs nothing else.

    Args:
        title: what was swept.
        found: the sweep.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    plots = _plots(found)
    head = f'<h1>{escape(title)}</h1><div class="verdict"><p>{escape(sweep_verdict(found))}</p></div>'
    parts = [head, *(section(label, plot(name, label)) for name, label in _labels(found, plots))]
    if found.walk_forward is not None:
        parts.append(_walked(found, found.walk_forward))
    parts.append(_table(found))
    return page(title, Html("".join(parts)), plots)


def _axes(found: Sweep) -> list[list[str]]:
    return [in_order(values) for values in found.grid.values()]


def _maps(found: Sweep) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield name, label and the values held fast: one map for each choice of the parameters after the second."""
    names, axes = list(found.grid), _axes(found)
    for place, rest in enumerate(product(*axes[2:])):
        if place == SWEEP_MAPS:
            return
        held = ", ".join(f"{name}={value}" for name, value in zip(names[2:], rest, strict=True))
        shown = " and ".join(names[:2])
        yield f"map-{place}", f"{found.metric} by {shown}" + (f", {held}" if held else ""), rest


def _labels(found: Sweep, plots: dict[str, Spec]) -> list[tuple[str, str]]:
    return [(name, label) for name, label, _ in _maps(found) if name in plots]


def _plots(found: Sweep) -> dict[str, Spec]:
    values = {row.choice: row.value for row in found.rows}
    known = [value for value in values.values() if value is not None]
    if not known:
        return {}
    if len(found.grid) == 1:
        return {"map-0": _line(found, values)}
    bounds = (min(known), max(known))
    return {name: _map(found, values, rest, bounds) for name, _, rest in _maps(found)}


def _line(found: Sweep, values: dict[tuple[str, ...], float | None]) -> Spec:
    (name,), (axis,) = found.grid, _axes(found)
    trace: Spec = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": found.metric,
        "x": axis,
        "y": [values.get((value,)) for value in axis],
    }
    layout = {
        "xaxis": {"type": "category", "title": {"text": name}},
        "yaxis": {"title": {"text": found.metric}},
    }
    return {"data": [trace], "layout": layout}


def _map(
    found: Sweep,
    values: dict[tuple[str, ...], float | None],
    rest: tuple[str, ...],
    bounds: tuple[float, float],
) -> Spec:
    first, second = list(found.grid)[:2]
    across, up = _axes(found)[:2]
    cells = [[values.get((x, y, *rest)) for x in across] for y in up]
    trace: Spec = {
        "type": "heatmap",
        "x": across,
        "y": up,
        "z": cells,
        "zmin": bounds[0],
        "zmax": bounds[1],
        "colorscale": _SCALE,
        "xgap": 1,
        "ygap": 1,
        "text": [["" if cell is None else f"{cell:.4g}" for cell in line] for line in cells],
        "texttemplate": "%{text}",
        "colorbar": {"title": {"text": found.metric}},
        "hovertemplate": f"{escape(first)} %{{x}}<br>{escape(second)} %{{y}}<br>%{{z:.6g}}<extra></extra>",
    }
    layout = {
        "xaxis": {"type": "category", "title": {"text": first}},
        "yaxis": {"type": "category", "title": {"text": second}},
    }
    return {"data": [trace], "layout": layout}


def _walked(found: Sweep, walked: WalkForward) -> Html:
    head = ("in sample from", "until", "tried until", *found.grid, "in sample", "out of sample", "median", "rank")
    told = [Html(f'<p class="bad">Warning: {escape(text)}</p>') for text in walked.warnings]
    if not walked.warnings:
        told = [Html('<p class="good">No rule against overfitting was broken.</p>')]
    right = range(3 + len(found.grid), len(head))
    return section("Walk forward", *told, table(map(_split_row, walked.splits), head, numbers=right))


def _split_row(split: Split) -> Sequence[str]:
    times = (split.in_start_ns, split.in_end_ns, split.out_end_ns)
    figures = (split.in_sample, split.out_of_sample, split.median)
    return (
        *(rfc3339_from_ns(ns, 0).replace("T", " ").removesuffix("Z") for ns in times),
        *split.chosen,
        *(NONE if value is None else f"{value:.4g}" for value in figures),
        NONE if split.rank is None else f"{split.rank} of {split.choices}",
    )


def _table(found: Sweep) -> Html:
    shown = found.rows[:REPORT_TABLE_ROWS]
    told = note(f"{len(shown):,} of {len(found.rows):,}, the best by {found.metric} first")
    count = len(found.grid)
    head = (*found.grid, *SWEEP_COLUMNS)
    return section("Runs", told, table(map(sweep_cells, shown), head, numbers=range(count, count + len(SWEEP_COLUMNS))))
