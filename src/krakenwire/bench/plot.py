"""The result as a picture: horizontal bars on a logarithmic scale, krakenwire beside its peers, as SVG.

Written by hand so that the bench needs no plotting library. Colours are
readable on a light and on a dark ground and follow the reader's setting.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from krakenwire.bench.rows import Row
from krakenwire.bench.suites import Result
from krakenwire.bench.table import number

__all__ = ["draw"]

_WIDTH, _LEFT, _RIGHT = 860, 290, 110
_BAR, _STEP, _HEAD = 16, 24, 44
_STYLE = """
  :root { color-scheme: light dark; }
  .ground { fill: #ffffff; } text { fill: #24292f; font: 13px system-ui, sans-serif; }
  .title { font-weight: 600; } .remark, .scale { fill: #57606a; font-size: 11px; }
  .ours { fill: #0969da; } .other { fill: #8c959f; } .grid { stroke: #d0d7de; stroke-width: 1; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; } text { fill: #e6edf3; } .remark, .scale { fill: #9198a1; }
    .ours { fill: #4493f8; } .other { fill: #6e7681; } .grid { stroke: #30363d; }
  }
"""


@dataclass(frozen=True, slots=True)
class _Bar:
    label: str
    value: float
    ours: bool


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    bars: tuple[_Bar, ...]


_PANELS = (
    # title, row of ours, label of ours, (row, label) of the others: their yardsticks or values
    (
        "Frame to verified book and event, depth 10, offline: ns for a frame (less is better)",
        "v2-depth-10",
        (
            ("offline-order-book", "order-book (C) behind msgspec"),
            ("offline-ccxt", "ccxt.pro, no checksum"),
            ("offline-python-kraken-sdk", "python-kraken-sdk"),
        ),
    ),
    (
        "Whole clients over loopback, a Python callback for each frame: frames/s (more is better)",
        "e2e-c-loop",
        (
            ("e2e-ccxt", "ccxt.pro, no checksum"),
            ("e2e-python-kraken-sdk", "python-kraken-sdk"),
        ),
    ),
    (
        "Matching, one call for each command: commands/s (more is better)",
        "matching-pure",
        (("matching-liquibook", "liquibook (C++)"),),
    ),
)
_OWN_YARDSTICKS = {
    "v2-depth-10": "msgspec, decoding alone",
    "e2e-c-loop": "bare receive loop in C, same pass",
    "matching-pure": "krakenwire, pure twin",
}
_OWN_OTHERS = {
    "v2-depth-10": (("v2-extra-members", "krakenwire, unknown members"), ("pure-depth-10", "krakenwire, pure twin")),
    "e2e-c-loop": (("e2e-batch", "krakenwire, batch callback"),),
}


def draw(result: Result) -> str:
    """Return the picture; panels without figures are left out."""
    panels = list(_panels({row.name: row for row in result.rows}))
    height = sum(_HEAD + _STEP * len(panel.bars) + 26 for panel in panels) + 34
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="krakenwire beside other clients">',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{height}" rx="6"/>',
    ]
    top = 10
    for panel in panels:
        parts += _panel(panel, top)
        top += _HEAD + _STEP * len(panel.bars) + 26
    parts += [_text(16, top + 14, _remark(result), "remark"), "</svg>"]
    return "\n".join(parts) + "\n"


def _panels(rows: dict[str, Row]) -> Iterator[_Panel]:
    for title, name, others in _PANELS:
        row = rows.get(name)
        if row is None or row.value is None:
            continue
        bars = [_Bar("krakenwire", row.value, ours=True)]
        for other, label in _OWN_OTHERS.get(name, ()):
            bars += _bar(label, rows.get(other), own=True)
        bars += _bar(_OWN_YARDSTICKS[name], row, own=False)
        for other, label in others:
            bars += _bar(label, rows.get(other), own=False)
        yield _Panel(title, tuple(bars))


def _bar(label: str, row: Row | None, *, own: bool) -> list[_Bar]:
    """Return the bar of a row's own value, or of its yardstick; none when it was not measured."""
    value = None if row is None else row.value if own else row.yardstick_value
    return [] if value is None else [_Bar(label, value, ours=own)]


def _panel(panel: _Panel, top: int) -> Iterator[str]:
    low = 10 ** math.floor(math.log10(min(bar.value for bar in panel.bars)) - 0.2)
    high = 10 ** math.ceil(math.log10(max(bar.value for bar in panel.bars)))
    room = _WIDTH - _LEFT - _RIGHT

    def place(value: float) -> float:
        return _LEFT + room * math.log(value / low) / math.log(high / low)

    yield _text(16, top + 20, panel.title, "title")
    bottom = top + _HEAD + _STEP * len(panel.bars)
    for power in _powers(low, high):
        x = place(power)
        yield f'<line class="grid" x1="{x:.1f}" y1="{top + 34}" x2="{x:.1f}" y2="{bottom}"/>'
        yield _text(x, bottom + 13, number(power).removesuffix(".0"), "scale", "middle")
    for at, bar in enumerate(panel.bars):
        y = top + _HEAD + _STEP * at
        kind = "ours" if bar.ours else "other"
        yield _text(_LEFT - 8, y + 12, bar.label, "label", "end")
        yield (
            f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{place(bar.value) - _LEFT:.1f}" height="{_BAR}" rx="2"/>'
        )
        yield _text(place(bar.value) + 6, y + 12, number(bar.value), "value")


def _powers(low: float, high: float) -> Iterable[float]:
    return (10.0**power for power in range(round(math.log10(low)), round(math.log10(high)) + 1))


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _remark(result: Result) -> str:
    facts = result.machine
    return f"{facts['processor']}, {facts['python']}, medians of {result.rounds} rounds; logarithmic scale"
