"""Orders of accounts from acceptance to end: what happens to money, ids and states."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.venue.trading.desks import SECOND, Floor

from krakenwire.model.executions import BalanceChange, Execution
from krakenwire.model.orders import CancelOrders

FUNDS = "EOrder:Insufficient funds"


@pytest.fixture
def floor() -> Floor:
    return Floor()


def test_a_limit_order_holds_its_cost_and_the_takers_fee_until_it_is_canceled(floor: Floor) -> None:
    ann = floor.account("ann", USD="10000")
    order = floor.place(ann, "buy", "0.1", "50000.0")
    assert floor.available(ann, "USD") == Decimal(10000) - 5_000 - 20
    assert floor.events(ann) == ["pending_new", "new"]
    floor.ask(ann, CancelOrders(order_ids=(order.order_id,)))
    assert floor.available(ann, "USD") == 10_000
    assert (order.phase, order.reason) == ("canceled", "User requested")


def test_a_trade_moves_money_goods_and_fees_once(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="100000"), floor.account("bob", BTC="2")
    floor.place(bob, "sell", "1.5", "50000.0")
    floor.exchange.take_reports()
    floor.place(ann, "buy", "1", "51000.0")
    assert floor.balance(ann, "USD") == Decimal(100000) - 50_000 - 200
    assert floor.balance(ann, "BTC") == 1
    assert floor.balance(bob, "USD") == Decimal(50000) - 125
    assert floor.balance(bob, "BTC") == 1
    assert floor.balance(floor.ledger.fees, "USD") == 325
    assert floor.available(bob, "BTC") == Decimal("0.5"), "what is left of the order is still held"


def test_the_last_fill_says_partially_filled_and_an_event_of_its_own_says_filled(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="100000"), floor.account("bob", BTC="2")
    floor.place(bob, "sell", "0.3", "50000.0")
    floor.place(bob, "sell", "0.3", "50001.0")
    floor.exchange.take_reports()
    order = floor.place(ann, "buy", "0.5", "51000.0")
    told = [report for report in floor.told(ann) if isinstance(report, Execution)]
    assert [report.exec_type for report in told] == ["pending_new", "new", "trade", "trade", "filled"]
    assert [report.order_status for report in told[2:]] == ["partially_filled", "partially_filled", "filled"]
    assert [report.cum_qty for report in told[2:]] == [Decimal("0.3"), Decimal("0.5"), Decimal("0.5")]
    assert told[-1].avg_price == Decimal("50000.4")
    assert told[-1].cum_cost == Decimal("25000.2")
    assert [report.liquidity_ind for report in told[2:4]] == ["t", "t"]
    assert told[2].trade_id == (told[3].trade_id or 0) - 1
    assert order.phase == "filled"


def test_each_fill_makes_one_ledger_entry_per_asset_with_the_running_total(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="100000"), floor.account("bob", BTC="2")
    floor.place(bob, "sell", "1", "50000.0")
    floor.exchange.take_reports()
    floor.place(ann, "buy", "1")
    told = floor.told(ann)
    changes = [report for report in told if isinstance(report, BalanceChange)]
    fill = next(report for report in told if isinstance(report, Execution) and report.exec_type == "trade")
    assert [(c.asset, c.amount, c.fee, c.balance) for c in changes] == [
        ("BTC", 1, 0, 1),
        ("USD", -50_000, 200, Decimal(49800)),
    ]
    assert {change.ref_id for change in changes} == {fill.exec_id}


def test_a_fee_in_base_is_taken_from_what_comes_in_or_held_beside_what_goes_out(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="50000"), floor.account("bob", BTC="1.004")
    floor.place(bob, "sell", "1", "50000.0", fee_preference="base")
    assert floor.available(bob, "BTC") == 0
    floor.place(ann, "buy", "1", "50000.0", fee_preference="base")
    assert floor.balance(ann, "USD") == 0
    assert floor.balance(ann, "BTC") == Decimal("0.996")
    assert floor.balance(bob, "BTC") == Decimal("0.0015"), "a maker's fee is lower than what was held for it"


def test_what_cannot_be_paid_is_refused_to_the_last_unit(floor: Floor) -> None:
    ann = floor.account("ann", USD="5020")
    floor.place(ann, "buy", "0.1", "50000.0")
    assert floor.available(ann, "USD") == 0
    assert floor.refusal(ann, "buy", "0.0001", "50000.0") == FUNDS
    assert floor.refusal(ann, "sell", "0.1", "50000.0") == FUNDS


def test_a_market_order_is_checked_against_what_it_would_really_cost(floor: Floor) -> None:
    bob = floor.account("bob", BTC="2")
    floor.place(bob, "sell", "0.5", "50000.0")
    floor.place(bob, "sell", "0.5", "60000.0")
    ann, amy = floor.account("ann", USD="55220"), floor.account("amy", USD="55219.9999")
    ann.fixed_fees = amy.fixed_fees = (4_000, 2_500)  # else the second fill is cheaper by its volume
    assert floor.refusal(amy, "buy", "1") == FUNDS
    floor.place(ann, "buy", "1")
    assert floor.balance(ann, "USD") == 0
    assert floor.balance(ann, "BTC") == 1


def test_a_market_order_without_enough_on_the_other_side_is_canceled_for_the_rest(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="100000"), floor.account("bob", BTC="2")
    floor.place(bob, "sell", "0.5", "50000.0")
    order = floor.place(ann, "buy", "1")
    assert (order.phase, order.filled, order.reason) == ("canceled", 50_000_000, "No liquidity")
    assert floor.available(ann, "USD") == floor.balance(ann, "USD") == Decimal(74900)


def test_a_market_buy_can_name_the_money_to_spend(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="1004"), floor.account("bob", BTC="2")
    floor.place(bob, "sell", "0.01", "50000.0")
    floor.place(bob, "sell", "1", "62500.0")
    order = floor.place(ann, "buy", None, order_type="market", cash_order_qty=Decimal(1000))
    assert order.phase == "filled"
    assert floor.balance(ann, "BTC") == Decimal("0.018")
    assert floor.balance(ann, "USD") == 0


def test_an_ioc_order_ends_with_what_it_could_get_and_a_fok_order_gets_all_or_nothing(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="100000"), floor.account("bob", BTC="2")
    floor.place(bob, "sell", "0.5", "50000.0")
    refused = floor.place(ann, "buy", "0.6", "50000.0", time_in_force="fok")
    assert (refused.phase, refused.filled) == ("canceled", 0)
    part = floor.place(ann, "buy", "0.6", "50000.0", time_in_force="ioc")
    assert (part.phase, part.filled) == ("canceled", 50_000_000)
    assert not ann.open_orders


def test_a_post_only_order_that_would_take_is_accepted_and_then_canceled(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="100000"), floor.account("bob", BTC="2")
    floor.place(bob, "sell", "0.5", "50000.0")
    floor.exchange.take_reports()
    order = floor.place(ann, "buy", "0.1", "50000.0", post_only=True)
    assert (order.phase, order.reason) == ("canceled", "Post only order")
    assert floor.events(ann) == ["pending_new", "canceled"]


def test_an_order_good_till_a_time_expires_then_and_releases_its_money(floor: Floor) -> None:
    ann = floor.account("ann", USD="10000")
    expires_ns = floor.now_ns + 10 * SECOND
    order = floor.place(ann, "buy", "0.1", "50000.0", time_in_force="gtd", expire_time_ns=expires_ns)
    assert floor.exchange.next_deadline_ns() == expires_ns
    floor.pass_time(9)
    assert order.is_open
    floor.pass_time(1)
    assert order.phase == "expired"
    assert floor.available(ann, "USD") == 10_000
    assert floor.events(ann) == ["pending_new", "new", "expired"]


def test_a_scheduled_order_holds_its_money_and_starts_on_time(floor: Floor) -> None:
    ann = floor.account("ann", USD="10000")
    order = floor.place(ann, "buy", "0.1", "50000.0", effective_time_ns=floor.now_ns + 5 * SECOND)
    assert (order.phase, floor.events(ann)) == ("scheduled", ["pending_new"])
    assert floor.available(ann, "USD") == 4_980
    assert not floor.exchange.desks["BTC/USD"].market.levels("buy", 1)
    floor.pass_time(5)
    assert (order.phase, floor.events(ann)) == ("live", ["new"])
    assert floor.exchange.desks["BTC/USD"].market.quote.bid == 500_000


def test_an_iceberg_shows_a_part_and_tells_of_each_refill(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="100000"), floor.account("bob", BTC="2")
    order = floor.place(bob, "sell", "1", "50000.0", order_type="iceberg", display_qty=Decimal("0.1"))
    assert floor.exchange.desks["BTC/USD"].market.quote.ask_qty == 10_000_000
    floor.exchange.take_reports()
    floor.place(ann, "buy", "0.25")
    assert floor.events(bob) == ["trade", "iceberg_refill", "trade", "iceberg_refill", "trade"]
    assert order.filled == 25_000_000
    assert floor.refusal(bob, "sell", "1", "50000.0", order_type="iceberg", display_qty=Decimal("0.06")).endswith(
        ":displayvol"
    )


@pytest.mark.parametrize(
    ("kind", "left"),
    [("cancel_newest", ["old"]), ("cancel_oldest", ["new"]), ("cancel_both", [])],
)
def test_an_account_never_trades_with_itself(floor: Floor, kind: str, left: list[str]) -> None:
    ann = floor.account("ann", USD="100000", BTC="2")
    floor.place(ann, "sell", "0.5", "50000.0", cl_ord_id="old")
    floor.place(ann, "buy", "0.5", "50000.0", cl_ord_id="new", stp_type=kind)
    assert [order.cl_ord_id for order in ann.open_orders.values()] == left
    assert not ann.fills


def test_what_a_market_order_needs_leaves_out_its_owners_orders_that_give_way(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="5000", BTC="0.2"), floor.account("bob", BTC="2")
    floor.place(ann, "sell", "0.1", "40000.0")
    floor.place(bob, "sell", "1", "60000.0")
    buy = {"order_type": "market", "stp_type": "cancel_oldest"}
    assert floor.refusal(ann, "buy", "0.1", **buy) == "EOrder:Insufficient funds"
    order = floor.place(ann, "buy", None, cash_order_qty=Decimal(3000), **buy)
    assert (order.phase, floor.balance(ann, "BTC"), floor.balance(ann, "USD")) == ("filled", Decimal("0.25"), 1988)
    floor.check()


@pytest.mark.parametrize("kind", ["cancel_newest", "cancel_both"])
def test_a_market_order_that_gives_way_itself_needs_no_more_than_up_to_there(floor: Floor, kind: str) -> None:
    ann, bob = floor.account("ann", USD="5000", BTC="0.2"), floor.account("bob", BTC="2")
    floor.place(ann, "sell", "0.1", "40000.0")
    floor.place(bob, "sell", "1", "60000.0")
    order = floor.place(ann, "buy", "0.1", order_type="market", stp_type=kind)
    assert (order.phase, order.reason, floor.balance(ann, "USD")) == ("canceled", "Self trade prevention", 5000)
    floor.check()


def test_a_scheduled_market_order_starts_only_with_the_money_that_it_takes_by_then(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="5020"), floor.account("bob", BTC="3")
    cheap = floor.place(bob, "sell", "1", "50000.0")
    later = {"order_type": "market", "effective_time_ns": floor.now_ns + 5 * SECOND}
    order = floor.place(ann, "buy", "0.1", **later)
    floor.ask(bob, CancelOrders(order_ids=(cheap.order_id,)))
    floor.place(bob, "sell", "1", "60000.0")
    floor.pass_time(6)
    assert (order.phase, order.reason, floor.available(ann, "USD")) == ("canceled", "Insufficient funds", 5020)
    floor.check()


def test_a_scheduled_order_for_cash_buys_what_that_is_worth_when_it_starts(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="5020"), floor.account("bob", BTC="3")
    cheap = floor.place(bob, "sell", "1", "50000.0")
    later = {"order_type": "market", "effective_time_ns": floor.now_ns + 5 * SECOND}
    bought, none = (floor.place(ann, "buy", None, cash_order_qty=Decimal(cash), **later) for cash in (3000, 2000))
    floor.ask(bob, CancelOrders(order_ids=(cheap.order_id,)))
    floor.place(bob, "sell", "0.05", "60000.0")
    floor.pass_time(6)
    assert (bought.phase, floor.balance(ann, "BTC"), floor.balance(ann, "USD")) == ("filled", Decimal("0.05"), 2008)
    assert (none.phase, none.reason, floor.available(ann, "USD")) == ("canceled", "No liquidity", 2008)
    floor.check()
