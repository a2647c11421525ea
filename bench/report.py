"""`python -m bench.report RESULT.json`: puts the result of `krakenwire bench --json` into the documents.

Rewrites what stands between the marks in docs/performance.md, and the picture
beside it, so that no figure there is ever typed by hand. What a result has no
rows for is left as it is.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from krakenwire.bench.plot import draw
from krakenwire.bench.rows import Row
from krakenwire.bench.suites import Result
from krakenwire.bench.table import number, verdict

DOCS = Path(__file__).parents[1] / "docs"
BEGIN, END = "<!-- begin result -->\n", "<!-- end result -->\n"
BEGIN_VENUE, END_VENUE = "<!-- begin venue -->\n", "<!-- end venue -->\n"
BEGIN_BOT, END_BOT = "<!-- begin bot -->\n", "<!-- end bot -->\n"
_APART = {
    ("venue",): (BEGIN_VENUE, END_VENUE),
    ("backtest", "tape", "order-path"): (BEGIN_BOT, END_BOT),
}
"""Suites that have a table of their own."""
_PICTURE = "\n![krakenwire beside its yardsticks and other clients](performance.svg)\n"


def main(argv: list[str] | None = None) -> int:
    """Write the documents' figures anew."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("result", type=Path, help="what krakenwire bench --json printed")
    parser.add_argument("--docs", type=Path, default=DOCS, help="where performance.md is (default: %(default)s)")
    args = parser.parse_args(argv)
    result = msgspec.json.decode(args.result.read_bytes(), type=Result)
    page = args.docs / "performance.md"
    apart = {suite for suites in _APART for suite in suites}
    clients = [row for row in result.rows if row.suite not in apart]
    if clients:
        part = msgspec.structs.replace(result, rows=clients)
        rewrite(page, BEGIN, END, told(part) + _PICTURE)
        (args.docs / "performance.svg").write_text(draw(part), encoding="utf-8")
    for suites, (begin, end) in _APART.items():
        rows = [row for row in result.rows if row.suite in suites]
        if rows:
            rewrite(page, begin, end, told(msgspec.structs.replace(result, rows=rows)))
    return 0


def rewrite(page: Path, begin: str, end: str, text: str) -> None:
    """Put a text between two marks of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    assert after, f"{page.name} has lost its marks"
    page.write_text(f"{before}{begin}{text}{end}{after}", encoding="utf-8")


def told(result: Result) -> str:
    """Return the result as Markdown."""
    facts = result.machine
    versions = list(facts)[list(facts).index("twins") + 1 :]
    measured = ", ".join(f"{name} {facts[name]}" for name in versions if facts[name] != "not installed")
    lines = [
        f"{facts['processor']}, {facts['cores']} cores, {facts['python']}; {measured}.",
        f"Medians of {result.rounds} rounds.",
        "",
        "| what | median | min-max | yardstick | its median | ratio | must | aim | met |",
        "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |",
        *(told_row(row) for row in result.rows),
        "",
        f"{'; '.join(verdict(result))}.",
    ]
    return "\n".join(lines) + "\n"


def told_row(row: Row) -> str:
    """Return one line of the table."""
    if row.value is None:
        return f"| {row.title} | not measured: {row.note} | | | | | {bound(row, row.must)} | {bound(row, row.aim)} | |"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}" if row.ratio < 10 else f"{row.ratio:.0f}"
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    yardstick = f"{row.yardstick} ({row.note})" if row.note and row.yardstick else row.yardstick or row.note
    cells = [
        row.title,
        f"{number(row.value)} {row.unit}",
        f"{number(row.min)}-{number(row.max)}",
        yardstick,
        "" if row.yardstick_value is None else number(row.yardstick_value),
        ratio,
        bound(row, row.must),
        bound(row, row.aim),
        met,
    ]
    return f"| {' | '.join(cells)} |"


def bound(row: Row, value: float | None) -> str:
    """Return a bound with its relation."""
    if value is None:
        return ""
    return f"{'≤' if row.relation == '<=' else '≥'} {number(value) if value >= 10_000 else f'{value:g}'}"


if __name__ == "__main__":
    sys.exit(main())
