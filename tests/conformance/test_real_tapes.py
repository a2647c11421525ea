"""Trades and candles of the real service, collected by others: imported exactly, and what the documents say of them.

The material belongs to others and is read where it lies; without it these tests skip.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from bench.backtests import BOTH, FILES, PAGE, ROOT, RUNS, Plan, config_of_page, imported, row_of, run_plan

from krakenwire.apps.backtest import read_market_of, run_backtest
from krakenwire.apps.tape_tools import merge
from krakenwire.bot import Strategy
from krakenwire.model.rows import SELL
from krakenwire.storage.tape_reader import Tape

LONG = {"market_maker"}
"""Amends once a second for five days."""


def file_rows(path: Path) -> Iterator[list[str]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        for row in csv.reader(file):
            if row[0] != "time":
                yield row


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real")


@pytest.fixture(scope="module")
def tape(shared: Path, tapes: Path):  # type: ignore[no-untyped-def]  # a function that makes each once
    def made(name: str) -> Path:
        folder = tapes / name
        if not folder.exists():
            if name == BOTH:
                merge([Tape(made("bitcoin")), Tape(made("ether"))], folder)
            else:
                imported(shared, name, tapes)
        return folder

    return made


@pytest.mark.parametrize("name", ["bitcoin", "tether", "bitcoin-cash"])
def test_every_trade_of_the_file_is_on_the_tape_to_the_last_digit(name: str, shared: Path, tape) -> None:  # type: ignore[no-untyped-def]
    file, symbol = FILES[name]
    told = [(Decimal(row[1]), Decimal(row[2])) for row in file_rows(shared / "data" / "real" / file)]
    market = read_market_of(tape(name), (symbol,))
    (listing,) = market.listings
    rows = market.rows[market.rows["qty"] > 0]
    pairs = zip(rows["price"].tolist(), rows["qty"].tolist(), strict=True)
    found = [(listing.price(price), listing.qty(qty)) for price, qty in pairs]
    exact = [(price.quantize(Decimal("1E-10")), qty.quantize(Decimal("1E-10"))) for price, qty in told]
    assert sorted(found) == sorted(exact)
    assert bool((rows["time_ns"][1:] >= rows["time_ns"][:-1]).all())


def test_the_side_of_a_trade_is_the_files_own(shared: Path, tape) -> None:  # type: ignore[no-untyped-def]
    file, symbol = FILES["bitcoin"]
    sold = sum(row[3] == "s" for row in file_rows(shared / "data" / "real" / file))
    assert int((read_market_of(tape("bitcoin"), (symbol,)).rows["kind"] == SELL).sum()) == sold


class Hours(Strategy):
    """Keeps what it was told of each hour."""

    symbols = ("BTC/USD",)
    candles = ("60m",)

    def on_start(self) -> None:
        self.log("begun")

    def on_candle(self, candle) -> None:  # type: ignore[no-untyped-def]
        self.log(f"{candle.begin_ns // 10**9},{candle.open},{candle.high},{candle.low},{candle.close},{candle.trades}")


def test_candles_on_a_tape_are_those_of_the_file(shared: Path, tape) -> None:  # type: ignore[no-untyped-def]
    told = [(*row[:5], row[6]) for row in file_rows(shared / "data" / "real" / FILES["candles"][0])]
    run = run_backtest(Hours, read_market_of(tape("candles"), Hours.symbols))
    assert [tuple(note.text.split(",")) for note in run.notes[1:]] == told


@pytest.mark.parametrize(
    "plan",
    [pytest.param(plan, marks=pytest.mark.nightly) if plan.example in LONG else plan for plan in RUNS],
    ids=lambda plan: f"{plan.example}-{len(plan.parameters)}",
)
def test_the_figures_in_the_document_come_out_again(plan: Plan, tape, tapes: Path) -> None:  # type: ignore[no-untyped-def]
    page = ROOT / "docs" / PAGE
    tape(plan.tape)
    result = run_plan(plan, tapes, config_of_page(page))
    assert f"| {' | '.join(row_of(plan, result))} |" in page.read_text().splitlines()
    assert result.error is None
