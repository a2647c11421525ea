"""The shell of every page that is drawn of runs: one HTML file with all it needs, light and dark, wide and narrow.

The script of plotly is in it once, and its own policy forbids it to load
anything, so it works from a disk and tells nobody. What users wrote (tags,
names, texts) is escaped here, in one place. Next: `report`, `drift_report`,
`sweep_plots`, which fill it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape
from itertools import pairwise
from typing import Final, TypeAlias

import msgspec

from krakenwire.errors import MissingExtraError

__all__ = [
    "COLOURS",
    "NONE",
    "Html",
    "Spec",
    "amount",
    "note",
    "page",
    "percent",
    "plot",
    "section",
    "span_text",
    "table",
]

NONE: Final = "n/a"
"""Where a run is too short, or had nothing of the kind."""

Spec: TypeAlias = dict[str, object]
"""A figure of plotly as JSON values: ``data`` and ``layout``."""

COLOURS: Final = ("#2f81f7", "#d29922", "#8957e5", "#1a9c86", "#db61a2", "#7d8590")
"""Of lines, readable on both grounds."""


class Html(str):
    """Text that is markup already and must not be escaped again."""

    __slots__ = ()


_STYLE: Final = """
:root{color-scheme:light dark;--ground:#fff;--card:#f6f8fa;--text:#1f2328;--dim:#59636e;--line:#d1d9e0;
--good:#1a7f37;--bad:#c93c37;--ours:#0969da}
@media(prefers-color-scheme:dark){:root{--ground:#0d1117;--card:#151b23;--text:#e6edf3;--dim:#9198a1;--line:#3d444d;
--good:#3fb950;--bad:#f85149;--ours:#4493f8}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:20px 16px 60px}h1{font-size:1.5rem;margin:0 0 2px}
h2{font-size:1.1rem;margin:34px 0 8px;padding-bottom:4px;border-bottom:1px solid var(--line)}
.under{color:var(--dim);margin:0 0 14px;overflow-wrap:anywhere}
.verdict{background:var(--card);border-left:4px solid var(--ours);padding:10px 14px;border-radius:4px;margin:0 0 16px}
.verdict.good{border-color:var(--good)}.verdict.bad{border-color:var(--bad)}.verdict p{margin:0}
.verdict p+p{margin-top:6px}
.cards{columns:3 300px;column-gap:14px}
.card{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:8px 12px;
margin:0 0 14px;break-inside:avoid}
.card h3{font-size:.95rem;margin:2px 0 4px}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:3px 10px 3px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tr:last-child td{border-bottom:0}th{color:var(--dim);font-weight:600;white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td:last-child,th:last-child{padding-right:0}
.card td:first-child{color:var(--dim)}.card td.n{white-space:normal;overflow-wrap:anywhere}
.plot{width:100%;height:340px;margin:6px 0}.plot.low{height:190px}
.remark{color:var(--dim);font-size:.85rem;margin:2px 0 8px}
.good{color:var(--good)}.bad{color:var(--bad)}.verdict.good,.verdict.bad{color:inherit}
noscript p{color:var(--bad)}footer{color:var(--dim);font-size:.85rem;margin-top:40px}
@media(max-width:600px){main{padding:14px 10px 40px}.plot{height:290px}}
"""

_SCRIPT: Final = """
const specs=JSON.parse(document.getElementById("plots").textContent);
const dark=matchMedia("(prefers-color-scheme: dark)");
function layoutFor(spec){const style=getComputedStyle(document.documentElement);
const of=name=>style.getPropertyValue(name).trim();
const narrow=innerWidth<600;const layout=structuredClone(spec.layout);
const axis={gridcolor:of("--line"),linecolor:of("--line"),zerolinecolor:of("--line"),automargin:true};
for(const name of Object.keys(layout).filter(name=>/^[xy]axis/.test(name)))
Object.assign(layout[name],axis,{tickfont:{size:narrow?10:12}});
return Object.assign(layout,{paper_bgcolor:"rgba(0,0,0,0)",plot_bgcolor:"rgba(0,0,0,0)",
font:{color:of("--text"),family:"inherit",size:narrow?11:13},
modebar:{bgcolor:"rgba(0,0,0,0)",color:of("--dim"),activecolor:of("--text")},
hoverlabel:{bgcolor:of("--card"),font:{color:of("--text")},bordercolor:of("--line")},autosize:true,
margin:{l:narrow?42:60,r:narrow?8:20,t:10,b:40,pad:2}})}
const config={responsive:true,displaylogo:false,displayModeBar:"hover",scrollZoom:false,
modeBarButtons:[["toImage","zoom2d","pan2d","zoomIn2d","zoomOut2d","resetScale2d"]]};
function draw(){for(const[name,spec]of Object.entries(specs))
Plotly.react(document.getElementById(name),spec.data,layoutFor(spec),config)}
draw();dark.addEventListener("change",draw);
"""

_POLICY: Final = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise MissingExtraError("pages with plots", "bot") from None
    return str(get_plotlyjs())


def _cell(value: str, tag: str, *, number: bool) -> str:
    text = value if isinstance(value, Html) else escape(value)
    return f'<{tag} class="n">{text}</{tag}>' if number else f"<{tag}>{text}</{tag}>"


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = (), *, numbers: Iterable[int] = ()) -> Html:
    """Return a table that scrolls sideways where the screen is narrow.

    Args:
        rows: of texts, which are escaped.
        head: names of the columns; none for a list of names and values.
        numbers: the columns, from 0, that are set to the right.
    """
    right = set(numbers)

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(_cell(cell, tag, number=place in right) for place, cell in enumerate(cells)) + "</tr>"

    top = f"<thead>{line(head, 'th')}</thead>" if head else ""
    body = "".join(line(row, "td") for row in rows)
    return Html(f'<div class="scroll"><table>{top}<tbody>{body}</tbody></table></div>')


def section(title: str, *parts: Html) -> Html:
    """Return a heading and what stands under it."""
    return Html(f"<h2>{escape(title)}</h2>" + "".join(parts))


def note(text: str) -> Html:
    """Return a small remark."""
    return Html(f'<p class="remark">{escape(text)}</p>')


def plot(name: str, label: str, *, low: bool = False) -> Html:
    """Return the place of a plot.

    Args:
        name: as in the `plots` of `page`; letters, digits and dashes.
        label: what it shows, for those who do not see it.
        low: it needs little height.
    """
    look = "plot low" if low else "plot"
    return Html(f'<div class="{look}" id="{escape(name)}" role="img" aria-label="{escape(label)}"></div>')


def page(title: str, body: Html, plots: dict[str, Spec]) -> str:
    """Return a whole page.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    specs = msgspec.json.encode(plots).decode().replace("<", "\\u003c")
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title><style>{_STYLE}</style></head>
<body><main>{body}<noscript><p>The plots need JavaScript; all figures are in the tables.</p></noscript></main>
<script>{_plotly()}</script><script type="application/json" id="plots">{specs}</script><script>{_SCRIPT}</script>
</body></html>
"""


def amount(value: Decimal | None, unit: str = "", *, sign: bool = False) -> str:
    """Return money for reading: two decimals, more below 1, `NONE` for none.

    Args:
        value: exact, of any size.
        unit: set behind it.
        sign: show a plus too.
    """
    if value is None:
        return NONE
    digits = 2 if abs(value) >= 1 or not value else min(1 - value.adjusted(), 8)
    return f"{value:{'+' if sign else ''},.{digits}f}{' ' + unit if unit else ''}"


def percent(share: float | None, *, sign: bool = False) -> str:
    """Return a share as per cent, `NONE` for none."""
    return NONE if share is None else f"{share * 100:{'+' if sign else ''},.2f} %"


def span_text(seconds: float) -> str:
    """Return a length of time in its two greatest units."""
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    for (name, size), (next_name, next_size) in pairwise(units):
        if seconds >= size:
            whole, rest = divmod(round(seconds / next_size), size // next_size)
            return f"{whole} {name}" + (f" {rest} {next_name}" if rest else "")
    return f"{seconds:.3g} s"
