from __future__ import annotations

import copy
from decimal import Decimal

import msgspec
import pytest
from tests.unit.trading.runs import BTC, SECOND, START_NS, equity, fill, head, note, order, plausible_run

from krakenwire.trading.report.drift import CAUSES, Difference, Drift, drift
from krakenwire.trading.report.run import RunRows
from krakenwire.trading.run_records import DecisionRow, FillRow, OrderRow

MS = 1_000_000


def decided(at_s: float, id: str, *, action: str = "buy", limit: str | None = "100", qty: str = "1") -> DecisionRow:  # noqa: A002
    return DecisionRow(
        time_ns=START_NS + round(at_s * SECOND),
        action=action,  # type: ignore[arg-type] # one of the four
        symbol=BTC,
        id=id,
        qty=Decimal(qty),
        limit=None if limit is None else Decimal(limit),
    )


def run_of(
    decisions: list[DecisionRow],
    orders: list[OrderRow] | None = None,
    fills: list[FillRow] | None = None,
    **other: object,
) -> RunRows:
    rows = [equity(0, "1000"), equity(100, "1000", mid="120")]
    return RunRows(head(**other), decisions, orders or [], fills or [], rows)


def one_trade(at_s: float = 1, **other: object) -> RunRows:
    values: dict[str, object] = {"price": "100", "qty": "1", "fee": "0.25", "at_s": at_s + 1, "state": "filled"}
    values |= other
    orders = [order("b1", "open", at_s=at_s + 0.02), order("b1", str(values["state"]), at_s=at_s + 1)]
    fills = [
        fill("buy", str(values["qty"]), str(values["price"]), fee=str(values["fee"]), at_s=float(str(values["at_s"])))
    ]
    return run_of([decided(at_s, "b1")], orders, fills if values["qty"] != "0" else [])


def only(found: Drift) -> Difference:
    (difference,) = found.differences
    return difference


def test_a_run_is_the_same_as_itself() -> None:
    run = plausible_run(samples=3_000)
    found = drift(run, plausible_run(samples=3_000))
    assert found.same
    assert (found.identical, found.totals, found.rest) == (len(run.decisions), [], 0)


@pytest.mark.parametrize(
    ("b", "cause", "detail", "money"),
    [
        (one_trade(price="101"), "price", "B 100.00 bps worse", "-1"),
        (one_trade(price="99"), "price", "B 100.00 bps better", "1"),
        (one_trade(fee="0.40"), "fee", "fees 0.25 and 0.40", "-0.15"),
        (one_trade(qty="0.5", fee="0.125"), "partial", "filled 1 and 0.5", "-9.875"),
        (one_trade(qty="0", state="canceled"), "queue", "filled in A only; in B canceled", "-19.75"),
        (one_trade(at_s=1.5), "timing", "decided 500.000 ms later", "0"),
        (one_trade(at_s=1, state="expired"), "outcome", "filled and expired", "0"),
    ],
)
def test_a_trade_that_went_otherwise_has_its_cause_and_its_money(
    b: RunRows, cause: str, detail: str, money: str
) -> None:
    found = only(drift(one_trade(), b))
    assert (found.cause, found.detail, found.money) == (cause, detail, Decimal(money))


def test_a_refusal_in_one_run_tells_its_reason() -> None:
    refused = run_of([decided(1, "b1")], [order("b1", "refused", at_s=1, reason="position: the limit is 1")])
    found = only(drift(one_trade(), refused))
    assert (found.cause, found.detail) == ("refused", "refused in B: position: the limit is 1")


def test_another_limit_is_another_decision() -> None:
    found = only(drift(run_of([decided(1, "b1")]), run_of([decided(1, "b1", limit="101.5")])))
    assert (found.cause, found.detail) == ("decision", "limit 100 and 101.5")


def test_a_slower_fill_is_latency() -> None:
    late = one_trade()
    late.fills[0] = msgspec.structs.replace(late.fills[0], time_ns=late.fills[0].time_ns + 3 * MS)
    found = only(drift(one_trade(), late))
    assert (found.cause, found.detail) == ("latency", "first fill after 1,000.000 ms and 1,003.000 ms")
    assert drift(one_trade(), late, tolerance_ns=3 * MS).same


def test_runs_on_real_clocks_are_given_some_tolerance() -> None:
    paper = run_of([decided(1, "b1")], mode="paper")
    live = run_of([decided(1.049, "k7")], mode="live")
    assert drift(paper, live).same
    assert only(drift(paper, run_of([decided(1.051, "k7")], mode="live"))).cause == "timing"


def test_one_decision_too_many_does_not_put_the_rest_out_of_step() -> None:
    a = run_of([decided(at, f"b{at}") for at in range(1, 9)])
    b = run_of([decided(at, f"b{at - 1}") for at in (1, 2, 4, 5, 6, 7, 8)])
    found = drift(a, b)
    assert (found.identical, only(found).cause, only(found).id_a, only(found).id_b) == (7, "only in A", "b3", "")
    back = only(drift(b, a))
    assert (back.cause, back.id_a, back.id_b) == ("only in B", "", "b3")


def test_of_orders_asked_for_at_once_the_one_that_is_missing_is_found_by_its_limit() -> None:
    a = run_of([decided(1, f"b{step}", limit=str(100 - step)) for step in range(5)])
    b = run_of([decided(1, f"b{step}", limit=str(100 - step)) for step in (0, 1, 3, 4)])
    assert only(drift(a, b)).id_a == "b2"


def test_a_decision_pairs_with_the_nearest_in_time() -> None:
    a = run_of([decided(1, "a1"), decided(3, "a2")], mode="paper")
    b = run_of([decided(2.9, "k1")], mode="live")
    found = drift(a, b)
    assert [(row.id_a, row.id_b, row.cause) for row in found.differences] == [
        ("a1", "", "only in A"),
        ("a2", "k1", "timing"),
    ]
    assert found.differences[1].later_ns == -100 * MS


def test_what_only_one_run_missed_is_put_down_to_its_gap() -> None:
    b = run_of([])
    b.notes.append(note("gap", at_s=0.5, symbol=BTC))
    assert only(drift(one_trade(), b)).cause == "missing data"
    a = one_trade()
    a.notes.append(note("gap", at_s=0.9, symbol=BTC))
    assert only(drift(a, b)).cause == "only in A"
    elsewhere = run_of([])
    elsewhere.notes.append(note("gap", at_s=0.5, symbol="ETH/USD"))
    assert only(drift(one_trade(), elsewhere)).cause == "only in A"


def test_a_fill_that_nobody_decided_is_a_trade_of_its_run() -> None:
    found = only(drift(run_of([]), run_of([], fills=[fill("sell", "2", "119", at_s=5, id="hand", fee="1")])))
    assert (found.cause, found.action, found.id_b, found.money) == ("only in B", "sell", "hand", Decimal(-3))


def test_the_money_of_all_differences_and_the_rest_are_the_difference_of_profits() -> None:
    a = plausible_run(7, samples=2_000)
    b = copy.deepcopy(a)
    del b.decisions[3:6], b.fills[10:14], b.orders[40:44]
    b.fills[0] = msgspec.structs.replace(b.fills[0], fee=Decimal(3), price=b.fills[0].price + 1)
    b.equity[-1] = msgspec.structs.replace(b.equity[-1], equity=b.equity[-1].equity - 5)
    found = drift(a, b)
    assert not found.same
    assert found.rest is not None
    assert sum((total.money for total in found.totals), found.rest) == -5
    assert sum(total.count for total in found.totals) == len(found.differences)
    assert {total.cause for total in found.totals} <= set(CAUSES)


def test_exchanging_the_runs_turns_the_money_round() -> None:
    a = plausible_run(7, samples=1_500)
    b = copy.deepcopy(a)
    del b.fills[5:20], b.decisions[30:33]
    there, back = drift(a, b), drift(b, a)
    assert len(there.differences) > 15
    assert [row.money for row in back.differences] == [-row.money for row in there.differences]
