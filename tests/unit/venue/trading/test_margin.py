"""Positions on margin: opened, reduced, closed, carried, and closed by the venue when they no longer can be."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.venue.trading.desks import SECOND, Floor

from krakenwire.model.executions import Execution
from krakenwire.model.orders import AmendOrder
from krakenwire.venue.trading import Account


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture
def ann(floor: Floor) -> Account:
    account = floor.account("ann", USD="20000")
    account.margin, account.fixed_fees = True, (1_000, 0)
    return account


@pytest.fixture
def bob(floor: Floor) -> Account:
    account = floor.account("bob", USD="100000000", BTC="1000")
    account.fixed_fees = (0, 0)
    return account


def test_a_position_is_opened_with_the_pools_money_and_only_fees_are_paid(
    floor: Floor, ann: Account, bob: Account
) -> None:
    floor.place(bob, "sell", "1", "50000.0")
    floor.exchange.take_reports()
    floor.place(ann, "buy", "1", "50000.0", leverage=5)
    assert floor.balance(ann, "BTC") == 0
    assert floor.balance(ann, "USD") == 20_000 - 50 - 10, "the trade's fee and two hundredths of a percent to open"
    (position,) = floor.exchange.positions.of(ann)
    assert (position.side, position.open_qty, position.margin_left) == ("buy", 100_000_000, 100_000_000)
    told = [report for report in floor.told(ann) if isinstance(report, Execution)]
    assert [report.position_status for report in told if report.exec_type == "trade"] == ["opened"]
    assert told[0].margin


def test_the_result_comes_when_it_is_closed_and_part_of_it_when_part_is(
    floor: Floor, ann: Account, bob: Account
) -> None:
    ann.fixed_fees = (0, 0)
    floor.place(bob, "sell", "1", "50000.0")
    floor.place(ann, "buy", "1", "50000.0", margin=True)
    before = floor.balance(ann, "USD")
    floor.place(bob, "buy", "0.25", "52000.0")
    floor.place(ann, "sell", "0.25", "52000.0", margin=True)
    assert floor.balance(ann, "USD") == before + 500
    floor.place(bob, "buy", "0.75", "48000.0")
    floor.exchange.take_reports()
    floor.place(ann, "sell", "0.75", "48000.0", margin=True, reduce_only=True)
    assert floor.balance(ann, "USD") == before + 500 - 1_500
    assert not floor.exchange.positions.of(ann)
    status = [r.position_status for r in floor.told(ann) if isinstance(r, Execution) and r.exec_type == "trade"]
    assert status == ["closed"]


def test_a_short_position_gains_when_the_price_falls_and_a_larger_order_turns_it_round(
    floor: Floor, ann: Account, bob: Account
) -> None:
    ann.fixed_fees = (0, 0)
    floor.place(bob, "buy", "0.5", "50000.0")
    floor.place(ann, "sell", "0.5", "50000.0", leverage=5)
    before = floor.balance(ann, "USD")
    floor.place(bob, "sell", "0.8", "49000.0")
    floor.place(ann, "buy", "0.8", "49000.0", leverage=5)
    (position,) = floor.exchange.positions.of(ann)
    assert (position.side, position.open_qty) == ("buy", 30_000_000)
    opening_fee = Decimal("0.3") * 49_000 * Decimal("0.0002")
    assert floor.balance(ann, "USD") == before + 500 - opening_fee


def test_positions_are_closed_first_in_first_out(floor: Floor, ann: Account, bob: Account) -> None:
    for price in ("50000.0", "51000.0"):
        floor.place(bob, "sell", "0.2", price)
        floor.place(ann, "buy", "0.2", price, leverage=5)
    first, second = floor.exchange.positions.of(ann)
    floor.place(bob, "buy", "0.3", "50000.0")
    floor.place(ann, "sell", "0.3", "50000.0", leverage=5)
    assert (first.open_qty, second.open_qty) == (0, 10_000_000)
    assert floor.exchange.positions.of(ann) == [second]


def test_what_equity_cannot_carry_is_refused(floor: Floor, ann: Account, bob: Account) -> None:
    floor.place(bob, "sell", "10", "50000.0")
    assert floor.refusal(ann, "buy", "2.1", "50000.0", leverage=5) == "EOrder:Margin level too low"
    floor.place(ann, "buy", "1.5", "40000.0", leverage=5)
    assert floor.refusal(ann, "buy", "1.1", "40000.0", leverage=5) == "EOrder:Margin level too low", "one is pending"
    assert floor.refusal(ann, "buy", "0.1", "50000.0", leverage=11) == "EGeneral:Invalid arguments:leverage"
    assert floor.refusal(ann, "buy", "0.1", "50000.0", leverage=2, margin=True) == "EGeneral:Invalid arguments:leverage"
    assert floor.refusal(bob, "buy", "0.1", "50000.0", leverage=2) == "EOrder:Cannot open position"


def test_a_position_has_a_largest_size(floor: Floor, bob: Account) -> None:
    rich = floor.account("rich", USD="100000000")
    rich.margin = True
    floor.place(bob, "sell", "10", "50000.0")
    assert floor.refusal(rich, "buy", "300.1", "50000.0", leverage=5) == "EOrder:Margin position size exceeded"
    floor.place(rich, "buy", "10", "50000.0", leverage=5)
    assert floor.refusal(rich, "buy", "290.1", "50000.0", leverage=5) == "EOrder:Margin position size exceeded"


def test_a_reduce_only_order_never_opens_and_shrinks_with_the_position(
    floor: Floor, ann: Account, bob: Account
) -> None:
    floor.place(bob, "sell", "1", "50000.0")
    floor.place(ann, "buy", "1", "50000.0", leverage=5)
    resting = floor.place(ann, "sell", "5", "60000.0", leverage=5, reduce_only=True)
    assert resting.qty == 100_000_000, "cut to the position"
    floor.place(bob, "buy", "0.4", "51000.0")
    floor.place(ann, "sell", "0.4", "51000.0", leverage=5)
    assert (resting.is_open, resting.qty) == (True, 60_000_000)
    floor.place(bob, "buy", "0.6", "51000.0")
    floor.place(ann, "sell", "0.6", "51000.0", leverage=5)
    assert (resting.phase, resting.reason) == ("canceled", "Reduce only: Position is closed")
    assert floor.refusal(ann, "sell", "1", "60000.0", leverage=5, reduce_only=True).endswith("No position exists")


def test_a_reduce_only_order_cannot_be_amended_beyond_the_position(floor: Floor, ann: Account, bob: Account) -> None:
    floor.place(bob, "sell", "1", "50000.0")
    floor.place(ann, "buy", "1", "50000.0", leverage=5)
    resting = floor.place(ann, "sell", "0.2", "60000.0", leverage=5, reduce_only=True)
    floor.ask(ann, AmendOrder(order_id=resting.order_id, order_qty=Decimal(3), limit_price=Decimal(59_000)))
    assert (resting.qty, resting.remaining) == (100_000_000, 100_000_000)


def test_settling_closes_the_position_at_the_market(floor: Floor, ann: Account, bob: Account) -> None:
    floor.place(bob, "sell", "1", "50000.0")
    floor.place(ann, "buy", "1", "50000.0", leverage=5)
    floor.place(bob, "buy", "3", "50500.0")
    order = floor.place(ann, "sell", "2", order_type="settle-position")
    assert (order.phase, order.filled) == ("filled", 100_000_000)
    assert not floor.exchange.positions.of(ann)


def test_a_position_pays_for_every_four_hours_that_it_stays_open(floor: Floor, ann: Account, bob: Account) -> None:
    floor.place(bob, "sell", "1", "50000.0")
    floor.place(ann, "buy", "1", "50000.0", leverage=5)
    before = floor.balance(ann, "USD")
    floor.pass_time(4 * 3_600 - 1)
    assert floor.balance(ann, "USD") == before
    for hours in range(4, 13):
        floor.now_ns += 3_600 * SECOND
        floor.exchange.poll(floor.now_ns)
        assert floor.balance(ann, "USD") == before - 10 * (hours // 4)
    assert [entry.kind for entry in ann.entries][-3:] == ["rollover"] * 3


def test_the_figures_of_an_account_follow_its_positions(floor: Floor, ann: Account, bob: Account) -> None:
    ann.fixed_fees = (0, 0)
    floor.place(bob, "sell", "1", "50000.0")
    floor.place(ann, "buy", "1", "50000.0", leverage=5)
    floor.place(bob, "sell", "0.1", "51000.0")
    floor.place(floor.account("eve", USD="100000"), "buy", "0.1", "51000.0")
    figures = floor.exchange.margin.figures(ann)
    assert (figures.equivalent, figures.balance) == (19_990, 19_990)
    assert (figures.used, figures.net, figures.cost, figures.value) == (10_000, 1_000, 50_000, 51_000)
    assert (figures.equity, figures.free, figures.level) == (20_990, 10_990, Decimal("209.9"))


def test_the_venue_closes_positions_when_the_level_falls_below_its_stop(
    floor: Floor, ann: Account, bob: Account
) -> None:
    floor.place(bob, "sell", "2", "50000.0")
    floor.place(ann, "buy", "1.9", "50000.0", leverage=5)
    floor.place(bob, "buy", "5", "44000.0")
    eve = floor.account("eve", BTC="1")
    floor.place(eve, "sell", "0.01", "44000.0")
    assert floor.exchange.positions.of(ann), "the level is above forty percent still"
    floor.place(bob, "sell", "0.01", "43000.0", stp_type="cancel_oldest")
    floor.place(bob, "buy", "5", "43000.0", stp_type="cancel_oldest")
    floor.exchange.take_reports()
    floor.place(eve, "sell", "0.01", "43000.0")
    assert not floor.exchange.positions.of(ann)
    told = [report for report in floor.told(ann) if isinstance(report, Execution)]
    assert [report.liquidated for report in told if report.exec_type == "trade"] == [True]
    assert 6_000 < floor.balance(ann, "USD") < 7_000
