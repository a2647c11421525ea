"""The plots of a run as figures of plotly, in JSON values: what is drawn, not how the page looks.

A long run is thinned: of every stretch the first, lowest, highest and last
point are drawn, so no extreme disappears. Next: `report`, which sets them on a page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Final

import numpy as np

from krakenwire.apps.report_page import COLOURS, Spec
from krakenwire.limits import REPORT_MARKERS, REPORT_POINTS
from krakenwire.trading.report.orders import first_fill_ns, opened_ns, slippage_bps
from krakenwire.trading.report.run import Run
from krakenwire.trading.report.series import Floats, equity_of, exposure_of, thinned, under_peak
from krakenwire.trading.run_records import EquityRow, FillRow

__all__ = ["drawn_fills", "run_plots"]

_NS_IN_MS: Final = 1_000_000
_BINS: Final = 40
_GREEN, _RED = "#2da44e", "#e5534b"
_TIME: Final[Mapping[str, object]] = {"type": "date", "title": {"text": "UTC"}}
_LEGEND: Final[Mapping[str, object]] = {"orientation": "h", "y": 1.12, "x": 0, "yanchor": "top"}


def _spec(traces: Sequence[Spec], unit: str, *, xaxis: Mapping[str, object] = _TIME, **layout: object) -> Spec:
    return {
        "data": list(traces),
        "layout": {
            "xaxis": dict(xaxis),
            "yaxis": {"title": {"text": unit}},
            "legend": dict(_LEGEND),
            "showlegend": len(traces) > 1,
            **layout,
        },
    }


def _line(times_ms: Sequence[int], values: Floats, name: str, colour: str, **other: object) -> Spec:
    kept = thinned(values, REPORT_POINTS)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [times_ms[place] for place in kept.tolist()],
        "y": _short(values[kept]),
        "line": {"width": 1.5, "shape": "hv", "color": colour},
        **other,
    }


def _short(values: Floats) -> list[float | None]:
    """Eight significant digits draw as well as seventeen, at half the size."""
    return [None if math.isnan(value) else float(f"{value:.8g}") for value in values.tolist()]


def _by_symbol(rows: Sequence[EquityRow], symbol: str, value: Callable[[EquityRow, str], float]) -> Floats:
    return np.fromiter((value(row, symbol) for row in rows), np.float64, len(rows))


def _held(row: EquityRow, symbol: str) -> float:
    return float(row.positions.get(symbol, 0))


def _mid(row: EquityRow, symbol: str) -> float:
    return float(row.mids.get(symbol, math.nan))


def _equity(run: Run, times: Sequence[int], equity: Floats) -> Spec:
    quote = run.head.quote
    return _spec([_line(times, equity, "equity", COLOURS[0])], quote)


def _drawdown(run: Run, times: Sequence[int], equity: Floats) -> Spec:
    assert run.equity, "drawn of runs with equity only"
    fallen = _line(times, -under_peak(equity), "drawdown", _RED, fill="tozeroy")
    return _spec([fallen], "of the high", yaxis={"title": {"text": "of the high"}, "tickformat": ".2%"})


def _exposure(run: Run, times: Sequence[int], _: Floats) -> Spec:
    line = _line(times, exposure_of(run.equity, run.head.quote), "exposure", COLOURS[3], fill="tozeroy")
    return _spec([line], "", yaxis={"title": {"text": "of equity"}, "tickformat": ".0%", "rangemode": "tozero"})


def _position(run: Run, times: Sequence[int], _: Floats) -> Spec:
    traces = [
        _line(times, _by_symbol(run.equity, symbol, _held), symbol, COLOURS[place % len(COLOURS)])
        for place, symbol in enumerate(run.head.symbols)
    ]
    return _spec(traces, "base units")


_OVER_TIME: Final[dict[str, Callable[[Run, Sequence[int], Floats], Spec]]] = {
    "equity": _equity,
    "drawdown": _drawdown,
    "exposure": _exposure,
    "position": _position,
}


def drawn_fills(fills: Sequence[FillRow]) -> Sequence[FillRow]:
    """Return the fills to draw: all, or of too many the first, cheapest, dearest and last of every stretch."""
    prices = np.fromiter((fill.price for fill in fills), np.float64, len(fills))
    return [fills[place] for place in thinned(prices, REPORT_MARKERS).tolist()]


def _markers(fills: Sequence[FillRow], name: str, colour: str, symbol: str, *, maker: bool) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [fill.time_ns // _NS_IN_MS for fill in fills],
        "y": [float(fill.price) for fill in fills],
        "text": [f"{fill.side} {fill.qty:f} at {fill.price:f}, {escape(fill.id)}" for fill in fills],
        "hoverinfo": "text+x",
        "marker": {
            "symbol": symbol if maker else f"{symbol}-open",
            "size": 9 if len(fills) < 200 else 6,
            "color": colour,
            "line": {"width": 1.5, "color": colour},
        },
    }


_KINDS: Final = (
    ("buy", True, "bought as maker", _GREEN, "triangle-up"),
    ("buy", False, "bought as taker", _GREEN, "triangle-up"),
    ("sell", True, "sold as maker", _RED, "triangle-down"),
    ("sell", False, "sold as taker", _RED, "triangle-down"),
)


def _price(run: Run, symbol: str, times: Sequence[int]) -> Spec:
    traces: list[Spec] = []
    if any(symbol in row.mids for row in run.equity):
        mids = _by_symbol(run.equity, symbol, _mid)
        told = np.flatnonzero(~np.isnan(mids))
        traces.append(_line([times[place] for place in told.tolist()], mids[told], "mid", COLOURS[5]))
    for side, maker, name, colour, shape in _KINDS:
        fills = [row for row in run.fills if (row.symbol, row.side, row.maker) == (symbol, side, maker)]
        if fills:
            traces.append(_markers(drawn_fills(fills), name, colour, shape, maker=maker))
    return _spec(traces, run.head.quote, showlegend=True)


def _histogram(values: Sequence[float], name: str, unit: str, *, log: bool = False) -> Spec:
    """Count into bars here, so that a page need not carry every value."""
    low, high = min(values), max(values)
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 0.5, high + 0.5)
    edges = np.geomspace(low, high, _BINS + 1) if log else np.linspace(low, high, _BINS + 1)
    edges[0], edges[-1] = low, high
    counts, _ = np.histogram(values, edges)
    centres = np.sqrt(edges[1:] * edges[:-1]) if log else (edges[1:] + edges[:-1]) / 2
    bars: Spec = {
        "type": "bar",
        "name": name,
        "x": _short(centres),
        "y": counts.tolist(),
        "width": _short(np.diff(edges)),
        "text": [
            f"{count:,} from {a:.4g} to {b:.4g}" for count, a, b in zip(counts, edges[:-1], edges[1:], strict=True)
        ],
        "textposition": "none",
        "hoverinfo": "text",
        "opacity": 0.75,
    }
    xaxis = {"title": {"text": unit}, **({"type": "log"} if log else {})}
    return _spec([bars], "count", xaxis=xaxis, barmode="overlay", bargap=0)


def _slippage(run: Run) -> Spec | None:
    values = [bps for fill in run.fills if (bps := slippage_bps(fill)) is not None]
    return _histogram(values, "fills", "basis points against the mid; right of 0 it cost") if values else None


def _latency(run: Run) -> Spec | None:
    kinds = (
        ("to open", opened_ns(run), COLOURS[0]),
        ("to a fill as taker", first_fill_ns(run.fills, maker=False), COLOURS[1]),
        ("to a fill as maker", first_fill_ns(run.fills, maker=True), COLOURS[3]),
    )
    specs: list[Spec] = []
    traces: list[object] = []
    for name, waits, colour in kinds:
        if waits:
            # On a scale of powers a wait of nothing has no place: a microsecond stands for it.
            spec = _histogram([max(wait / 1e6, 0.001) for wait in waits.values()], name, "ms from decision", log=True)
            specs.append(spec)
            traces += [{**bars, "marker": {"color": colour}} for bars in _traces(spec)]
    return {**specs[0], "data": traces, "layout": _with_legend(specs[0])} if specs else None


def _traces(spec: Spec) -> Iterable[Spec]:
    data = spec["data"]
    assert isinstance(data, list), "as _spec made it"
    return data


def _with_legend(spec: Spec) -> Spec:
    layout = spec["layout"]
    assert isinstance(layout, dict), "as _spec made it"
    return {**layout, "showlegend": True}


def _notes(run: Run) -> Spec | None:
    notes = [row for row in run.notes if row.kind != "log"]
    if not notes:
        return None
    places = thinned(np.arange(len(notes), dtype=np.float64), REPORT_MARKERS).tolist()
    shown = [notes[place] for place in places]
    markers: Spec = {
        "type": "scatter",
        "mode": "markers",
        "name": "notes",
        "x": [row.time_ns // _NS_IN_MS for row in shown],
        "y": [row.kind for row in shown],
        "text": [escape(f"{row.symbol} {row.text}"[:200]) for row in shown],
        "hoverinfo": "text+x+y",
        "marker": {"size": 9, "color": COLOURS[1], "symbol": "diamond"},
    }
    return _spec([markers], "", yaxis={"type": "category"})


def run_plots(run: Run) -> dict[str, Spec]:
    """Return the plots that a run has something for, by name.

    ``price-N`` is that of the N-th symbol, from 0.
    """
    times_ns, equity = equity_of(run.equity)
    times = (times_ns // _NS_IN_MS).tolist()
    plots = {name: make(run, times, equity) for name, make in _OVER_TIME.items()} if run.equity else {}
    for place, symbol in enumerate(run.head.symbols):
        spec = _price(run, symbol, times)
        if spec["data"]:
            plots[f"price-{place}"] = spec
    others = {"slippage": _slippage(run), "latency": _latency(run), "notes": _notes(run)}
    return plots | {name: spec for name, spec in others.items() if spec is not None}
