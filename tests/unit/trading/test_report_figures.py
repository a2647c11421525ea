from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from tests.unit.trading.runs import SECOND, START_NS, equity, fill, head, note, order, plausible_run

from krakenwire.errors import UsageError
from krakenwire.trading.report.figures import figures, trips_of
from krakenwire.trading.report.orders import quantile
from krakenwire.trading.report.run import RunRows
from krakenwire.trading.report.series import gross_of, sampled, thinned, under_peak
from krakenwire.trading.report.trades import round_trips
from krakenwire.trading.run_records import EquityRow

DAY = 86_400


def run_of(**rows: object) -> RunRows:
    return RunRows(head(), **rows)  # type: ignore[arg-type] # tests say which list they mean


def test_an_empty_run_has_no_made_up_number() -> None:
    found = figures(run_of())
    assert (found.net_profit, found.total_return, found.drawdown, found.sharpe, found.sortino) == (None,) * 5
    assert (found.exposure, found.slippage, found.to_open, found.maker_share, found.trips.hit_rate) == (None,) * 5
    assert (found.fees, found.turnover, found.trips.count, found.orders) == (0, 0, 0, {})


def test_profit_and_drawdown_are_those_of_the_equity_rows() -> None:
    rows = [
        equity(0, "100"),
        equity(10, "120"),
        equity(20, "120"),
        equity(30, "90.0"),
        equity(40, "121"),
        equity(50, "110"),
    ]
    found = figures(run_of(equity=rows))
    assert (found.net_profit, found.length_s) == (Decimal(10), 50)
    assert found.total_return == pytest.approx(0.10)
    fall = found.drawdown
    assert fall is not None
    assert (fall.value, fall.share) == (Decimal("30.0"), 0.25)
    assert [fall.peak_ns - START_NS, fall.trough_ns - START_NS] == [20 * SECOND, 30 * SECOND]
    assert (fall.recovered_ns, fall.duration_s) == (START_NS + 40 * SECOND, 20)


def test_a_fall_that_the_run_does_not_recover_from_lasts_until_its_end() -> None:
    fall = figures(run_of(equity=[equity(0, "100"), equity(5, "60"), equity(9, "70")])).drawdown
    assert fall is not None
    assert (fall.recovered_ns, fall.duration_s, fall.share) == (None, 9, 0.4)


def test_equity_that_never_falls_has_no_drawdown() -> None:
    assert figures(run_of(equity=[equity(0, "1"), equity(1, "1"), equity(2, "3")])).drawdown is None


def test_sharpe_and_sortino_are_annualised_from_even_samples() -> None:
    up, down = Decimal("1.02"), Decimal("0.99")
    values = [Decimal(100)]
    for place in range(61):
        values.append(values[-1] * (up if place % 2 == 0 else down))
    rows = [equity(DAY * place, str(value)) for place, value in enumerate(values)]
    found = figures(run_of(equity=rows))
    # 31 returns of +2 % and 30 of -1 %: mean 32/6100, downside sqrt(30 * 0.01^2 / 61)
    mean = (31 * 0.02 - 30 * 0.01) / 61
    spread = math.sqrt((31 * (0.02 - mean) ** 2 + 30 * (-0.01 - mean) ** 2) / 60)
    assert found.interval_s == DAY
    assert found.sharpe == pytest.approx(mean / spread * math.sqrt(365))
    assert found.sortino == pytest.approx(mean / math.sqrt(30 * 0.0001 / 61) * math.sqrt(365))
    assert found.annualised_return == pytest.approx(float(values[-1] / 100) ** (365 / 61) - 1)


def test_a_run_shorter_than_a_day_has_no_ratio_and_no_annual_return() -> None:
    found = figures(plausible_run(samples=3_000, step_s=10))
    assert found.net_profit is not None
    assert (found.sharpe, found.sortino, found.interval_s, found.annualised_return) == (None,) * 4


def test_returns_that_are_all_alike_have_no_ratio() -> None:
    rows = [equity(DAY * place, str(Decimal("1.01") ** place)) for place in range(80)]
    found = figures(run_of(equity=rows))
    assert (found.sharpe, found.sortino) == (None, None)
    assert found.annualised_return == pytest.approx(1.01**365 - 1)


def test_exposure_is_weighted_by_time() -> None:
    rows = [equity(0, "1000"), equity(60, "1000", "5"), equity(80, "1000", "-2", "100"), equity(100, "1000")]
    found = figures(run_of(equity=rows)).exposure
    assert found is not None
    assert found.time_in_market == pytest.approx(0.4)
    assert found.average == pytest.approx(0.2 * 0.5 + 0.2 * 0.2)
    assert found.highest == pytest.approx(0.5)


def test_an_asset_of_two_symbols_is_exposed_once_and_at_prices_in_the_runs_asset() -> None:
    held, eur = Decimal(2), Decimal(100)
    mids = {"BTC/EUR": Decimal(40), "BTC/USD": Decimal(50), "EUR/USD": Decimal("1.25"), "ETH/EUR": Decimal(8)}
    row = EquityRow(
        time_ns=START_NS,
        equity=Decimal(500),
        cash=Decimal(265),
        positions={"BTC/EUR": held, "BTC/USD": held, "EUR/USD": eur, "ETH/EUR": Decimal(1)},
        mids=mids,
    )
    assert gross_of(row, "USD") == 2 * 50 + 100 * 1.25 + 8 * 1.25
    assert gross_of(row, "EUR") == 2 * 40 + 8


def test_fees_turnover_and_maker_share_are_sums_over_the_fills() -> None:
    fills = [
        fill("buy", "1", "100", fee="0.25"),
        fill("sell", "1", "300", fee="1.2", maker=False, id="b2", position="0", at_s=1),
    ]
    found = figures(run_of(fills=fills, equity=[equity(0, "800"), equity(10, "800")]))
    assert (found.fees, found.turnover) == (Decimal("1.45"), Decimal(400))
    assert (found.turnover_ratio, found.maker_share) == (0.5, 0.25)


def test_fills_in_another_quote_asset_are_counted_and_not_added_up_with_the_rest() -> None:
    fills = [fill("buy", "1", "100", fee="0.25"), fill("buy", "1", "0.05", fee="0.0001", id="b2", symbol="ETH/BTC")]
    found = figures(run_of(fills=fills))
    assert (found.fills, found.other_quote, found.fees, found.turnover) == (2, 1, Decimal("0.25"), 100)


def test_round_trips_are_first_in_first_out_and_one_for_each_pair_of_orders() -> None:
    fills = [
        fill("buy", "1", "100", fee="0.10", at_s=0, id="b1", position="1"),
        fill("buy", "1", "101", fee="0.10", at_s=1, id="b1", position="2"),
        fill("buy", "1", "110", fee="0.30", at_s=2, id="b2", position="3"),
        fill("sell", "2.5", "105", fee="0.50", at_s=3, id="b3", position="0.5"),
        fill("sell", "0.5", "120", fee="0.10", at_s=4, id="b4", position="0"),
    ]
    first, second, third = round_trips(fills)
    assert (first.opened_id, first.closed_id, first.qty) == ("b1", "b3", 2)
    assert (first.opened, first.closed, first.fees) == (Decimal(201), Decimal(210), Decimal("0.60"))
    assert first.profit == Decimal("8.40")
    assert (first.opened_ns, first.closed_ns) == (START_NS, START_NS + 3 * SECOND)
    assert (second.opened_id, second.closed_id, second.profit) == ("b2", "b3", Decimal("-2.75"))
    assert (third.closed_id, third.profit) == ("b4", Decimal("4.75"))
    trips = figures(run_of(fills=fills)).trips
    assert (trips.count, trips.won, trips.average_win, trips.average_loss) == (
        3,
        2,
        Decimal("6.575"),
        Decimal("-2.75"),
    )
    assert trips.hit_rate == pytest.approx(2 / 3)
    assert trips.profit_factor == pytest.approx(13.15 / 2.75)


def test_a_sale_beyond_what_is_held_opens_the_other_way() -> None:
    fills = [
        fill("buy", "1", "100", id="b1", position="1"),
        fill("sell", "3", "110", id="b2", position="-2", fee="0.3", at_s=1),
        fill("buy", "2", "105", id="b3", position="0", at_s=2),
    ]
    long, short = round_trips(fills)
    assert (long.side, long.profit, long.fees) == ("buy", Decimal("9.9"), Decimal("0.1"))
    assert (short.side, short.profit, short.qty) == ("sell", Decimal("9.8"), 2)


def test_what_was_held_at_the_start_counts_from_the_first_mid_told() -> None:
    sold = fill("sell", "1", "130", id="b1", position="4", at_s=20)
    rows = [equity(0, "500", "5", None), equity(1, "500", "5", "100"), equity(2, "500", "5", "120")]
    (trip,) = trips_of(run_of(fills=[sold], equity=rows))
    assert (trip.opened_id, trip.profit) == ("", Decimal(30))
    assert list(trips_of(run_of(fills=[sold]))) == []


def test_slippage_is_weighted_by_volume_and_above_zero_where_it_cost() -> None:
    fills = [
        fill("buy", "1", "101", mid="100"),
        fill("sell", "3", "100.5", mid="100", id="b2", position="-2"),
        fill("buy", "7", "1", id="b3"),
    ]
    found = figures(run_of(fills=fills)).slippage
    assert found is not None
    assert (found.fills, found.cost) == (2, Decimal("-0.5"))
    assert found.bps == pytest.approx(-0.5 / 400 * 10_000)


def test_latencies_count_once_for_each_order_from_its_decision() -> None:
    orders = [
        order("b1", "intent", decided_s=1, at_s=1),
        order("b1", "open", decided_s=1, at_s=1.020),
        order("b1", "open", decided_s=1, at_s=9),
        order("b2", "open", decided_s=2, at_s=2.040),
        order("b3", "open", at_s=2.040),
    ]
    fills = [
        fill("buy", "1", "1", id="b1", decided_s=1, at_s=1.5),
        fill("buy", "1", "1", id="b1", decided_s=1, at_s=7.5),
        fill("buy", "1", "1", id="b2", decided_s=2, at_s=2.1, maker=False),
    ]
    found = figures(run_of(orders=orders, fills=fills))
    assert found.to_open is not None
    assert found.to_fill is not None
    assert found.to_taker_fill is not None
    assert (found.to_open.count, found.to_open.p50_ms, found.to_open.p99_ms) == (2, 20, 40)
    assert (found.to_fill.count, found.to_fill.p50_ms, found.to_fill.p95_ms) == (2, 100, 500)
    assert (found.to_taker_fill.count, found.to_taker_fill.p50_ms) == (1, 100)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2), (0.51, 3), (0.95, 4), (0.25, 1), (0.01, 1), (1, 4)])
def test_a_quantile_is_one_of_the_values(share: float, expected: float) -> None:
    assert quantile([1, 2, 3, 4], share) == expected


def test_orders_count_by_their_last_state_and_refusals_by_their_rule() -> None:
    orders = [
        order("b1", "intent"),
        order("b1", "filled"),
        order("b2", "refused", reason="refused by position: the limit is 1, found 2"),
        order("b3", "refused", reason="refused by position: the limit is 1, found 3"),
        order("b4", "refused"),
    ]
    notes = [note("risk", "position", id="b2"), note("risk", "daily_loss"), note("gap", count=3), note("gap")]
    found = figures(run_of(orders=orders, notes=notes))
    assert found.orders == {"refused": 3, "filled": 1}
    assert found.refusals == {"position": 2, "no reason given": 1, "daily_loss": 1}
    assert found.notes == {"gap": 4, "risk": 2}


def test_even_samples_hold_the_last_value_told() -> None:
    times = np.array([0, 4, 10, 25], np.int64)
    assert sampled(times, np.array([1.0, 2.0, 3.0, 4.0]), 10).tolist() == [1, 3, 3]


def test_where_the_high_is_not_above_zero_there_is_no_share() -> None:
    assert under_peak(np.array([-1.0, -5.0, 0.0, 4.0, 1.0])).tolist() == [0, 0, 0, 0, 0.75]


def test_thinning_loses_no_extreme_and_neither_end() -> None:
    values = np.zeros(100_000)
    values[[31_234, 77_777]] = -5, 9
    kept = thinned(values, 400)
    assert len(kept) <= 400
    assert {0, 31_234, 77_777, 99_999} <= set(kept.tolist())
    assert thinned(values[:300], 400).tolist() == list(range(300))


def test_a_run_without_a_head_is_refused() -> None:
    with pytest.raises(UsageError, match="no head"):
        RunRows.of([note("log", "x")])


def test_rows_of_a_stream_are_sorted_out_by_kind() -> None:
    run = plausible_run(samples=200)
    rows = [run.head, *run.equity, *run.fills, *run.notes, *run.orders, *run.decisions]
    assert RunRows.of(rows) == run
