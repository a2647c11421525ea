"""The example strategies on markets small enough to count every trade by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.unit.trading.markets import LISTING, SECOND, START, Tape, run

from krakenwire.apps.strategy_file import load_strategy
from krakenwire.model.rows import ASK, BID, BUY, SELL, Listing
from krakenwire.trading.run_result import RunResult
from krakenwire.trading.simulator import FillModel
from krakenwire.trading.strategy import Strategy

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "strategies"


def strategy(name: str) -> type[Strategy]:
    return load_strategy(FOLDER / f"{name}.py")


def traded(result: RunResult) -> list[tuple[str, str, str]]:
    """Every fill as side, quantity and price."""
    assert result.error is None
    return [(fill.side, f"{fill.qty.normalize():f}", f"{fill.price.normalize():f}") for fill in result.fills]


def test_the_price_alert_buys_once_at_the_first_ask_that_is_low_enough() -> None:
    tape = Tape().book(1, {99: 1}, {102: 1}).level(2, ASK, 101, 0).level(3, ASK, 100.5, 0.2).level(4, ASK, 100, 1)
    result = run(strategy("price_alert_buyer"), tape.level(5, ASK, 99.5, 1), parameters={"below": "100.5", "size": 1})
    assert traded(result) == [("buy", "0.2", "100.5")]
    assert [note.text for note in result.notes if note.kind == "log"] == ["BTC/USD is at 100.5"]
    assert result.summary()["net_profit"] == Decimal("0.2") * (Decimal("99.25") - Decimal("100.5") * Decimal("1.002"))


def test_the_price_alert_waits_on_where_the_ask_was_gone() -> None:
    tape = Tape().book(1, {99: 1}, {100: 1}).level(1.01, ASK, 100, 0).level(2, ASK, 101, 1).level(3, ASK, 100, 1)
    result = run(
        strategy("price_alert_buyer"),
        tape.level(4, ASK, 105, 1),
        parameters={"below": 100, "size": 1},
        model=FillModel(),
    )
    told = " ".join(order.state for order in result.orders)
    assert told == "intent sent open expired intent sent open filled"
    assert traded(result) == [("buy", "1", "100")]


def test_the_crossing_averages_are_long_exactly_while_the_fast_one_is_above() -> None:
    closes = [100, 100, 100, 104, 108, 100, 92, 88, 96, 110]
    tape = Tape().book(0, {100: 50}, {100.1: 50})
    for minute, close in enumerate(closes):
        at = 20 + 60 * minute  # the first full minute begins 20 s after START
        tape.book(at + 1, {close: 50}, {close + 0.1: 50}).trade(at + 2, SELL, close, 0.1)
    tape.level(20 + 60 * len(closes) + 1, BID, 90, 1)
    result = run(strategy("ma_cross"), tape, parameters={"fast": 2, "slow": 3, "size": "0.5"})

    wanted = []
    for end in range(3, len(closes) + 1):
        fast, slow = sum(closes[end - 2 : end]) / 2, sum(closes[end - 3 : end]) / 3
        wanted.append(fast > slow)
    changes = [
        (index, now) for index, (before, now) in enumerate(zip([False, *wanted], wanted, strict=False)) if before != now
    ]
    # Candle number i + 2 closes at 20 + 60 * (i + 3) s; the book then shows that candle's close.
    assert [((fill.time_ns - START) // SECOND, fill.side) for fill in result.fills] == [
        (20 + 60 * (index + 3), "buy" if long else "sell") for index, long in changes
    ]
    assert traded(result) == [
        ("buy" if long else "sell", "0.5", f"{Decimal(closes[index + 2]) + (Decimal('0.1') if long else 0):f}")
        for index, long in changes
    ]
    assert len(changes) == 3


def test_the_grid_sells_each_level_that_was_bought_one_step_higher_and_rests_it_again() -> None:
    tape = Tape().book(1, {99.9: 1}, {100.1: 1}).trade(2, SELL, 98.9, 1).trade(3, BUY, 100.1, 1).level(4, BID, 99, 1)
    result = run(strategy("grid"), tape, parameters={"levels": 2, "step_bps": 100, "size": "0.5"})
    # Middle 100: bids rest at 99 and 98; the sale at 98.9 goes through 99 only. 99 x 1.01 = 99.99, up to 100.
    assert traded(result) == [("buy", "0.5", "99"), ("sell", "0.5", "100")]
    rested = [(order.side, str(order.limit)) for order in result.orders if order.state == "open"]
    assert rested == [("buy", "99.0"), ("buy", "98.0"), ("sell", "100.0"), ("buy", "99.0")]
    profit = Decimal("0.5") * (100 - 99) - Decimal("0.5") * (100 + 99) * Decimal("0.001")
    assert result.summary()["net_profit"] == profit


def test_the_market_maker_quotes_around_the_middle_and_leans_against_what_it_owns() -> None:
    tape = (
        Tape().book(0.5, {999: 1}, {1001: 1}).trade(1.5, SELL, 995, 1).level(2.5, BID, 998, 1).level(3.5, BID, 997, 1)
    )
    settings = {"half_spread_bps": 20, "skew_bps": 50, "size": "0.5", "most": "1"}
    result = run(strategy("market_maker"), tape, parameters=settings)
    # Owning nothing: 1000 -/+ 2, and nothing to sell. Owning half of the most: 1000 x (1 - 0.0025) = 997.5 -/+ 2.
    placed = [(row.time_ns, row.side, str(row.limit)) for row in result.orders if row.state == "open"]
    assert placed == [
        (START + SECOND, "buy", "998.0"),
        (START + 2 * SECOND, "buy", "995.5"),
        (START + 2 * SECOND, "sell", "999.5"),
    ]
    assert traded(result) == [("buy", "0.5", "998")]


def test_the_market_maker_moves_its_quotes_with_the_middle_and_keeps_the_orders() -> None:
    tape = Tape().book(0.5, {999: 1}, {1001: 1}).book(1.5, {1009: 1}, {1011: 1}).level(2.5, BID, 990, 1)
    result = run(strategy("market_maker"), tape, parameters={"half_spread_bps": 20, "size": "0.5", "most": 1})
    amends = [(row.action, row.id, str(row.limit)) for row in result.decisions if row.action == "amend"]
    assert amends == [("amend", "b1", "1007.9")]  # 1010 less 2.02, down to a step
    assert {row.id for row in result.orders} == {"b1"}


def test_the_rebalancer_brings_each_coin_to_its_share_and_leaves_small_drift_alone() -> None:
    ether = Listing(symbol="ETH/USD", price_decimals=1, qty_decimals=8, depth=10)
    hour = 3600 - (START // SECOND) % 3600
    tape = Tape(LISTING, ether)
    for at, bitcoin in ((1, 1000), (hour + 60, 1010), (hour + 3660, 1500)):
        tape.book(at, {bitcoin: 100}, {bitcoin: 100}, 0).book(at, {100: 1000}, {100: 1000}, 1)
    tape.level(hour + 7300, BID, 1, 1, 0)
    result = run(
        strategy("rebalancer"),
        tape,
        balances={"USD": Decimal(1000)},
        parameters={"weight": "0.4", "drift": "0.05"},
    )
    # First look: 400 USD of each. Second look: 404 of 1002.4, fine. Third look: 600 USD against 40 % of about 1198.4.
    assert traded(result)[:2] == [("buy", "0.4", "1000"), ("buy", "4", "100")]
    fees = Decimal(800) * Decimal("0.002")
    equity = Decimal(1000) - fees + Decimal("0.4") * 500
    wanted = (equity * Decimal("0.4") / 1500).quantize(Decimal("0.00000001"), "ROUND_DOWN")
    side, qty, price = traded(result)[2]
    assert (side, price) == ("sell", "1500")
    assert Decimal(qty) == Decimal("0.4") - wanted
    side, qty, price = traded(result)[3]  # bitcoin's rise has made the share of ether too small
    assert (side, price) == ("buy", "100")
    assert len(result.fills) == 4


def test_the_slices_of_a_twap_add_up_whatever_each_one_got() -> None:
    tape = Tape().book(0, {99: 10}, {100: 10})
    tape.book(15, {99: 10}, {100: 0.1}).book(25, {99: 10}, {101: 10}).level(75, BID, 99, 5)
    result = run(strategy("twap"), tape, parameters={"total": 1, "slices": 4, "seconds": 10})
    # 0.25; then 0.25 wanted and 0.1 there; then (1 - 0.35) / 2 and the rest.
    slices = [("0.25", "100"), ("0.1", "100"), ("0.325", "101"), ("0.325", "101")]
    assert traded(result) == [("buy", *each) for each in slices]
    assert result.equity[-1].positions == {"BTC/USD": Decimal(1)}
    assert [note.text for note in result.notes] == ["all bought"]


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_two_runs_of_an_example_are_the_same_to_the_byte(name: str) -> None:
    chosen = strategy(name)
    listings = tuple(Listing(symbol=symbol, price_decimals=1, qty_decimals=8, depth=10) for symbol in chosen.symbols)
    results = [run(chosen, _walk(Tape(*listings), seed=7)) for _ in range(2)]
    first, second = (msgspec.json.encode(result.all_rows()) for result in results)
    assert first == second
    assert len(results[0].rows) > 100


def _walk(tape: Tape, seed: int) -> Tape:
    """A book that wanders, with trades at its edges: an hour in steps of two seconds."""
    chance = np.random.default_rng(seed)
    for symbol in range(len(tape.listings)):
        tape.book(0, {60_000 - each: 1 for each in range(1, 5)}, {60_000 + each: 1 for each in range(1, 5)}, symbol)
    mid = 60_000.0
    for step in range(1, 1800):
        mid += float(chance.normal(0, 8))
        at, price = 2.0 * step, round(mid)
        for symbol in range(len(tape.listings)):
            tape.book(at, {price - each: 1 for each in range(1, 4)}, {price + each: 1 for each in range(1, 4)}, symbol)
            tape.trade(at + 1, BUY if step % 2 else SELL, price + (1 if step % 2 else -1), 0.5, symbol)
    return tape
