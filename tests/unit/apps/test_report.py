from __future__ import annotations

import json
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import plotly.graph_objects as go
import pytest
from tests.unit.trading.runs import BTC, equity, fill, head, note, plausible_run

from krakenwire.apps.report import keep_run, report_of_folder, report_page, verdict
from krakenwire.apps.report_page import amount, percent, span_text
from krakenwire.apps.report_plots import drawn_fills, run_plots
from krakenwire.storage.run_folder import run_summary
from krakenwire.trading.report.figures import figures
from krakenwire.trading.report.run import RunRows
from krakenwire.trading.run_records import DecisionRow

LOADS = {"src", "href", "srcset", "data", "action", "poster", "background", "formaction"}


class Outline(HTMLParser):
    """What a page would load, what it says, and the tags it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.inside = tag
        self.loads += [value or "" for name, value in attrs if name in LOADS]

    def handle_data(self, data: str) -> None:
        if self.inside not in {"script", "style"}:
            self.words.append(data)


def page_of(run: RunRows) -> str:
    return report_page(run, figures(run))


def specs_in(page: str) -> dict[str, dict[str, object]]:
    found = re.search(r'<script type="application/json" id="plots">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    specs: dict[str, dict[str, object]] = json.loads(found[1])
    return specs


def test_the_page_loads_nothing_and_forbids_itself_to() -> None:
    page = page_of(plausible_run(samples=600))
    outline = Outline(page)
    assert outline.loads == []
    assert {"link", "iframe", "img", "object", "embed", "base"}.isdisjoint(outline.tags)
    assert "default-src 'none'" in page
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_every_plot_is_one_that_plotly_takes_and_has_its_place() -> None:
    page = page_of(plausible_run(4, samples=4_000))
    specs = specs_in(page)
    assert set(specs) == {"equity", "drawdown", "price-0", "position", "exposure", "slippage", "latency", "notes"}
    for name, spec in specs.items():
        assert f'id="{name}"' in page
        assert go.Figure(spec).data


def test_what_users_wrote_cannot_become_markup() -> None:
    evil = '</script><script>alert(1)</script><img src="x">'
    run = plausible_run(samples=300, strategy=evil, source=evil, parameters={evil: evil})
    run.notes.append(note("error", evil, id=evil))
    run.notes.append(note(evil, "kind"))
    run.fills.append(fill("buy", "1", "1", id=evil))
    outline = Outline(page_of(run))
    assert outline.tags.count("script") == 3
    assert outline.loads == []
    assert any("alert(1)" in words for words in outline.words)


def test_a_run_in_which_nothing_happened_has_a_report() -> None:
    page = page_of(RunRows(head()))
    assert specs_in(page) == {}
    assert "Equity was never told" in page


def test_a_long_run_stays_small_and_keeps_its_extremes() -> None:
    run = plausible_run(2, samples=60_000, step_s=1)
    page = page_of(run)
    assert len(page) < 8_000_000
    (line,) = specs_in(page)["equity"]["data"]  # type: ignore[misc] # JSON
    drawn = line["y"]
    assert len(drawn) <= 4_000
    assert min(drawn) == pytest.approx(float(min(row.equity for row in run.equity)), rel=1e-7)
    assert max(drawn) == pytest.approx(float(max(row.equity for row in run.equity)), rel=1e-7)


def test_of_very_many_fills_the_cheapest_and_the_dearest_are_drawn() -> None:
    fills = [fill("buy", "1", str(100 + place % 7), at_s=place) for place in range(9_000)]
    fills[4_321] = fill("buy", "1", "55", at_s=4_321)
    fills[4_444] = fill("buy", "1", "555", at_s=4_444)
    drawn = drawn_fills(fills)
    assert len(drawn) <= 2_000
    assert {Decimal(55), Decimal(555)} <= {row.price for row in drawn}


def test_fills_are_drawn_by_side_and_by_maker_and_taker() -> None:
    fills = [fill("buy", "1", "5"), fill("sell", "1", "6", maker=False, id="b2", at_s=1, position="0")]
    spec = run_plots(RunRows(head(), fills=fills))["price-0"]
    names = [trace.name for trace in go.Figure(spec).data]
    assert names == ["bought as maker", "sold as taker"]


def test_one_single_value_makes_a_histogram_too() -> None:
    run = RunRows(head(), fills=[fill("buy", "1", "100", mid="100", decided_s=1, at_s=1)])
    for name in ("slippage", "latency"):
        assert sum(go.Figure(run_plots(run)[name]).data[0].y) == 1


def test_the_verdict_says_it_in_words() -> None:
    rows = [equity(0, "1000"), equity(1_800, "1040"), equity(3_600, "990"), equity(7_200, "996")]
    fills = [fill("buy", "1", "100", fee="2.5"), fill("sell", "1", "101", fee="2.5", id="b2", position="0", at_s=1)]
    run = RunRows(head(), equity=rows, fills=fills, notes=[note("gap", count=2)])
    assert verdict(run.head, figures(run)) == [
        "Lost 4.00 USD (-0.40 %) in 2 h. 2 fills, 1 round trip of which 0.00 % won; fees 5.00 USD are taken off.",
        "The deepest fall was 50.00 USD (4.81 %), lasted 1 h 30 min and was not made good before the end.",
        "Before fees it would have earned: the fees ate it.",
        "Read with care: gap 2.",
    ]


def test_the_verdict_names_the_limits_that_refused() -> None:
    notes = [note("risk", f"refused by {rule}: the limit is 1, found 2", id=rule) for rule in ("a", "b", "b", "c", "d")]
    decided = [
        DecisionRow(time_ns=place, action="buy", symbol=BTC, id=f"b{place}", qty=Decimal(1)) for place in range(9)
    ]
    run = RunRows(head(), equity=[equity(0, "1000")], decisions=decided, notes=notes)
    assert "5 of 9 decisions were refused, by b, a, c and others." in verdict(run.head, figures(run))


def test_settings_and_waits_read_well() -> None:
    limits = {"symbols": None, "order_types": ["limit", "market"], "open_orders_max": 20}
    fills = [fill("buy", "1", "100", at_s=4_000, decided_s=1)]
    page = page_of(RunRows(msgspec.structs.replace(head(), limits=limits), fills=fills))
    for shown in (">limit, market<", ">20<", ">-<", ">1 h 7 min / 1 h 7 min / 1 h 7 min<"):
        assert shown in page


def test_a_run_that_is_kept_has_report_figures_and_rows(tmp_path: Path) -> None:
    run = plausible_run(samples=500)
    found = keep_run(tmp_path, run)
    assert run_summary(tmp_path)["net_profit"] == str(found.net_profit)
    assert (tmp_path / "report.html").read_text() == report_of_folder(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "decisions.parquet",
        "equity.parquet",
        "fills.parquet",
        "notes.parquet",
        "orders.parquet",
        "report.html",
        "run.json",
    ]


def test_the_same_run_gives_the_same_page_to_the_byte() -> None:
    assert page_of(plausible_run(5, samples=400)) == page_of(plausible_run(5, samples=400))


def test_of_two_symbols_each_has_its_price_and_both_share_the_other_plots() -> None:
    run = plausible_run(samples=200, symbols=(BTC, "ETH/USD"))
    run.fills.append(fill("buy", "1", "3000", symbol="ETH/USD", id="b999"))
    assert {"price-0", "price-1"} <= set(run_plots(run))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (amount(Decimal("1234.567"), "USD", sign=True), "+1,234.57 USD"),
        (amount(Decimal("-0.00012345")), "-0.00012"),
        (amount(Decimal(0)), "0.00"),
        (amount(None), "n/a"),
        (percent(None), "n/a"),
        (percent(-0.5), "-50.00 %"),
        (span_text(0.25), "0.25 s"),
        (span_text(119.8), "2 min"),
        (span_text(90_000), "1 d 1 h"),
    ],
)
def test_figures_read_well(text: str, expected: str) -> None:
    assert text == expected


def test_times_of_the_fill_model_are_shown_as_people_say_them() -> None:
    words = Outline(page_of(plausible_run())).words
    assert "20 ms" in words[words.index("entry_latency") :]
    assert "20000000" not in words
