"""The report of a run: one page that says in words, tables and plots what the bot did.

It reads the rows of a run and decides nothing; the figures are those of
`krakenwire.trading.report.figures`. Next: `report_page` for the look,
`report_plots` for what is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from html import escape
from pathlib import Path

import msgspec

from krakenwire.apps.report_page import (
    NONE,
    Html,
    Spec,
    amount,
    note,
    page,
    percent,
    plot,
    section,
    span_text,
    table,
)
from krakenwire.apps.report_plots import drawn_fills, run_plots
from krakenwire.limits import REPORT_TABLE_ROWS
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.storage.run_folder import read_run, write_run
from krakenwire.trading.report.figures import Figures, figures, trips_of
from krakenwire.trading.report.orders import Latency
from krakenwire.trading.report.run import Run
from krakenwire.trading.report.trades import RoundTrip
from krakenwire.trading.run_records import RunHead

__all__ = ["keep_run", "report_of_folder", "report_page", "summary_of", "verdict"]

_TROUBLE = ("error", "gap", "made up", "overdrawn", "slow", "conflated", "drift")

_SECOND_MS = 1_000
_MS_NS = 1_000_000
_RULES_NAMED = 3
"""In the verdict; all of them have a table."""

_PLOT_LABELS = {
    "equity": "Equity",
    "drawdown": "Drawdown",
    "position": "Position",
    "exposure": "Exposure",
    "slippage": "Slippage of the fills",
    "latency": "Latency from the decision",
    "notes": "Notes",
}


def summary_of(found: Figures) -> dict[str, object]:
    """Return figures as JSON values; money is text with all its digits."""
    return dict(msgspec.to_builtins(found, str_keys=True))


def keep_run(folder: Path, run: Run) -> Figures:
    """Write a run to its folder with its figures and its report, and return the figures.

    Raises:
        UsageError: the folder may not be written; see `write_run`.
        MissingExtraError: pyarrow or plotly is not installed.
    """
    found = figures(run)
    write_run(folder, run, summary=summary_of(found), report=report_page(run, found))
    return found


def report_of_folder(folder: Path) -> str:
    """Return the report of a run that was kept, drawn anew.

    Raises:
        UsageError: there is no run.
        MissingExtraError: pyarrow or plotly is not installed.
    """
    run = read_run(folder)
    return report_page(run, figures(run))


def verdict(head: RunHead, found: Figures) -> list[str]:
    """Return what became of a run in a few plain sentences."""
    sentences = [f"{_earned(head, found)} {_traded(head, found)}"]
    if found.drawdown is not None:
        fall = found.drawdown
        ended = "and was made good" if fall.recovered_ns is not None else "and was not made good before the end"
        depth = f"{amount(fall.value, head.quote)} ({percent(fall.share)})"
        sentences.append(f"The deepest fall was {depth}, lasted {span_text(fall.duration_s)} {ended}.")
    if found.net_profit is not None and found.net_profit <= 0 < found.net_profit + found.fees:
        sentences.append("Before fees it would have earned: the fees ate it.")
    if found.refusals:
        sentences.append(_refused(found))
    trouble = [f"{name} {count:,}" for name, count in found.notes.items() if name in _TROUBLE]
    if unknown := found.orders.get("unknown"):
        trouble.append(f"orders whose fate is unknown {unknown:,}")
    if found.other_quote:
        trouble.append(f"fills in another quote asset, left out of fees and turnover {found.other_quote:,}")
    if trouble:
        sentences.append(f"Read with care: {', '.join(trouble)}.")
    return sentences


def _earned(head: RunHead, found: Figures) -> str:
    if found.net_profit is None:
        return "Equity was never told, so there is no result."
    time = span_text(found.length_s)
    if not found.net_profit:
        return f"Ended where it began, after {time}."
    word = "Made" if found.net_profit > 0 else "Lost"
    share = percent(found.total_return, sign=True)
    return f"{word} {amount(abs(found.net_profit), head.quote)} ({share}) in {time}."


def _traded(head: RunHead, found: Figures) -> str:
    if not found.fills:
        return "No order was filled."
    trips = found.trips
    won = (
        f", {trips.count:,} round trip{'s' * (trips.count != 1)} of which {percent(trips.hit_rate)} won"
        if trips.count
        else ""
    )
    return f"{found.fills:,} fills{won}; fees {amount(found.fees, head.quote)} are taken off."


def _refused(found: Figures) -> str:
    rules = list(found.refusals)
    most = ", ".join(rules[:_RULES_NAMED]) + (" and others" if len(rules) > _RULES_NAMED else "")
    return f"{sum(found.refusals.values()):,} of {found.decisions:,} decisions were refused, by {most}."


def report_page(run: Run, found: Figures) -> str:
    """Return the report as one HTML page that needs nothing else.

    Args:
        run: the rows.
        found: its figures.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    plots = run_plots(run)
    title = f"{run.head.strategy}, {run.head.mode}: {run.head.run}"
    parts = [_top(run.head, found, title), _cards(run.head, found), *_drawn(run.head, plots), *_tables(run)]
    return page(title, Html("".join(parts)), plots)


def _time(ns: int) -> str:
    return rfc3339_from_ns(ns, 3).replace("T", " ").removesuffix("Z")


def _top(head: RunHead, found: Figures, title: str) -> Html:
    profit = found.net_profit or 0
    mood = "good" if profit > 0 else "bad" if profit < 0 else ""
    under = f"{', '.join(head.symbols)} from {head.source}, begun {_time(head.start_ns)} UTC, krakenwire {head.version}"
    heading = section(title).replace("h2>", "h1>")
    words = "".join(Html(f"<p>{sentence}</p>") for sentence in map(escape, verdict(head, found)))
    return Html(f'{heading}<p class="under">{escape(under)}</p><div class="verdict {mood}">{words}</div>')


def _card(title: str, rows: Iterable[Sequence[str]]) -> Html:
    return Html(f'<div class="card"><h3>{escape(title)}</h3>{table(rows, numbers=(1,))}</div>')


def _cards(head: RunHead, found: Figures) -> Html:
    cards = [
        ("Result", _result_rows(head, found)),
        ("Risk", _risk_rows(head, found)),
        ("Trades", _trade_rows(head, found)),
        ("Execution", _execution_rows(head, found)),
        ("Orders by outcome", _counts(found.orders)),
        ("Refusals by rule", _counts(found.refusals)),
        ("Notes", _counts(found.notes)),
        ("Parameters", _settings(head.parameters)),
        ("Began with", [(asset, f"{value:f}") for asset, value in head.balances.items()]),
        ("Fill model", _settings(head.model)),
        ("Risk limits", _settings(head.limits)),
    ]
    drawn = "".join(_card(title, rows) for title, rows in cards if rows)
    remark = note(
        "n/a: the run is too short, or had nothing of the kind. How each figure is made: docs/howto/report.md."
    )
    return section("Figures", Html(f'<div class="cards">{drawn}</div>'), remark)


def _result_rows(head: RunHead, found: Figures) -> list[tuple[str, str]]:
    return [
        ("net profit", amount(found.net_profit, head.quote, sign=True)),
        ("return", percent(found.total_return, sign=True)),
        ("annualised (365 days)", percent(found.annualised_return, sign=True)),
        ("equity at the start", amount(found.first_equity, head.quote)),
        ("equity at the end", amount(found.last_equity, head.quote)),
        ("fees", amount(found.fees, head.quote)),
        ("length", span_text(found.length_s)),
    ]


def _ratio(value: float | None) -> str:
    return NONE if value is None else f"{value:,.2f}"


def _risk_rows(head: RunHead, found: Figures) -> list[tuple[str, str]]:
    fall, stake = found.drawdown, found.exposure
    basis = "" if found.interval_s is None else f", returns over {span_text(found.interval_s)}"
    return [
        ("deepest fall", NONE if fall is None else f"{amount(fall.value, head.quote)}, {percent(fall.share)}"),
        ("  from", NONE if fall is None else _time(fall.peak_ns)),
        ("  lowest", NONE if fall is None else _time(fall.trough_ns)),
        ("  lasted", NONE if fall is None else span_text(fall.duration_s)),
        (f"Sharpe{basis}", _ratio(found.sharpe)),
        (f"Sortino{basis}", _ratio(found.sortino)),
        ("time in the market", NONE if stake is None else percent(stake.time_in_market)),
        ("exposure, average", NONE if stake is None else percent(stake.average)),
        ("exposure, highest", NONE if stake is None else percent(stake.highest)),
    ]


def _trade_rows(head: RunHead, found: Figures) -> list[tuple[str, str]]:
    trips = found.trips
    return [
        ("fills", f"{found.fills:,}"),
        ("round trips", f"{trips.count:,}"),
        ("hit rate", percent(trips.hit_rate)),
        ("profit factor", _ratio(trips.profit_factor)),
        ("average win", amount(trips.average_win, head.quote, sign=True)),
        ("average loss", amount(trips.average_loss, head.quote, sign=True)),
        ("turnover", amount(found.turnover, head.quote)),
        ("turnover, times equity", _ratio(found.turnover_ratio)),
        ("maker share", percent(found.maker_share)),
    ]


def _wait(value_ms: float) -> str:
    return f"{value_ms:,.4g} ms" if value_ms < _SECOND_MS else span_text(value_ms / _SECOND_MS)


def _waits(found: Latency | None) -> str:
    return NONE if found is None else " / ".join(_wait(value) for value in (found.p50_ms, found.p95_ms, found.p99_ms))


def _execution_rows(head: RunHead, found: Figures) -> list[tuple[str, str]]:
    slip = found.slippage
    return [
        ("slippage, by volume", NONE if slip is None else f"{slip.bps:+.2f} bps"),
        ("slippage, cost", NONE if slip is None else amount(slip.cost, head.quote, sign=True)),
        ("to open, p50 / p95 / p99", _waits(found.to_open)),
        ("to first fill", _waits(found.to_fill)),
        ("to first fill as taker", _waits(found.to_taker_fill)),
        ("decisions", f"{found.decisions:,}"),
    ]


def _counts(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(name, f"{count:,}") for name, count in counts.items()]


def _settings(values: Mapping[str, object]) -> list[tuple[str, str]]:
    return [_wait_setting(name, value) or (name, _setting(value)) for name, value in values.items()]


def _wait_setting(name: str, value: object) -> tuple[str, str] | None:
    """A time that is kept in nanoseconds, as people say it."""
    if not name.endswith("_ns") or not isinstance(value, int):
        return None
    return name.removesuffix("_ns"), _wait(value / _MS_NS)


def _setting(value: object) -> str:
    match value:
        case str():
            return value
        case None:
            return "-"
        case list() | tuple():
            return ", ".join(map(_setting, value))
        case _:
            return json.dumps(value, default=str)


def _drawn(head: RunHead, plots: Mapping[str, Spec]) -> list[Html]:
    prices = {f"price-{place}": f"{symbol}: price and fills" for place, symbol in enumerate(head.symbols)}
    order = ["equity", "drawdown", *prices, "position", "exposure", "slippage", "latency", "notes"]
    labels = {**_PLOT_LABELS, **prices}
    return [
        section(labels[name], plot(name, labels[name], low=name == "notes"), *_remarks(name))
        for name in order
        if name in plots
    ]


def _remarks(name: str) -> list[Html]:
    remarks = {
        "equity": "Long runs are thinned for drawing: of every stretch the first, lowest, highest and last are shown.",
        "slippage": "Price of a fill against the mid when it was decided. Makers are usually left of 0.",
        "latency": "The scale is in powers of ten. A maker's fill waits for the market, not for the venue.",
    }
    return [note(remarks[name])] if name in remarks else []


def _tables(run: Run) -> list[Html]:
    trips = sorted(trips_of(run), key=lambda trip: trip.profit)
    shown = trips if len(trips) <= 20 else [*trips[:10], *trips[-10:]]
    remark = f"{len(shown):,} of {len(trips):,}, worst first" + (": the ten worst and the ten best" * (len(trips) > 20))
    notes = run.notes[:REPORT_TABLE_ROWS]
    parts = []
    if shown:
        parts.append(section("Round trips", note(remark), _trip_table(shown)))
    if notes:
        told = note(f"{len(notes):,} of {len(run.notes):,}")
        parts.append(section("Notes, one by one", told, _note_table(run, len(notes))))
    drawn = len(drawn_fills(run.fills))
    foot = f"{len(run.fills):,} fills" + (", drawn thinned" if drawn < len(run.fills) else "")
    return [*parts, Html(f"<footer>{foot}; all rows are in the Parquet files of the run's folder.</footer>")]


def _trip_table(trips: Sequence[RoundTrip]) -> Html:
    head = ("symbol", "opened", "qty", "at", "closed at", "fees", "profit", "from", "to", "held", "orders")
    rows = [
        (
            trip.symbol,
            trip.side,
            f"{trip.qty:f}",
            _average(trip.opened, trip.qty),
            _average(trip.closed, trip.qty),
            amount(trip.fees),
            amount(trip.profit, sign=True),
            _time(trip.opened_ns),
            _time(trip.closed_ns),
            span_text((trip.closed_ns - trip.opened_ns) / 1e9),
            f"{trip.opened_id or 'held before'}, {trip.closed_id}",
        )
        for trip in trips
    ]
    return table(rows, head, numbers=(2, 3, 4, 5, 6))


def _average(worth: Decimal, qty: Decimal) -> str:
    return f"{worth / qty:,.8g}"


def _note_table(run: Run, count: int) -> Html:
    rows = [(_time(row.time_ns), row.kind, row.symbol, row.id, row.text, f"{row.count:,}") for row in run.notes[:count]]
    return table(rows, ("time, UTC", "kind", "symbol", "order", "text", "count"), numbers=(5,))
