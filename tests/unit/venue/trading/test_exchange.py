"""Orders of accounts from acceptance to end: what happens to money, ids and states."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.venue.trading.desks import SECOND, Floor

from krakenwire.model.answers import (
    Added,
    AllCanceled,
    Amended,
    BatchAdded,
    BatchCanceled,
    Canceled,
    Edited,
    OrderRefused,
)
from krakenwire.model.executions import BalanceChange, Execution
from krakenwire.model.orders import (
    AddOrder,
    AmendOrder,
    BatchAdd,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    Conditional,
    EditOrder,
    Trigger,
)

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


# -- triggers ------------------------------------------------------------------------


def trade_at(floor: Floor, price: str) -> None:
    """Let two strangers trade a little at a price, nobody else being in between."""
    maker = floor.ledger.account("maker") or floor.account("maker", BTC="100")
    taker = floor.ledger.account("taker") or floor.account("taker", USD="100000000")
    floor.place(maker, "sell", "0.01", price)
    floor.place(taker, "buy", "0.01", price)


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "keeps", "fires"),
    [
        ("sell", "stop-loss", "49000.0", "49000.1", "49000.0"),
        ("buy", "stop-loss", "51000.0", "50999.9", "51000.0"),
        ("sell", "take-profit", "51000.0", "50999.9", "51000.1"),
        ("buy", "take-profit", "49000.0", "49000.1", "48999.9"),
    ],
)
def test_a_trigger_fires_when_the_last_price_reaches_it_from_its_side(
    floor: Floor, side: str, kind: str, trigger: str, keeps: str, fires: str
) -> None:
    trade_at(floor, "50000.0")
    ann = floor.account("ann", USD="100000", BTC="2")
    order = floor.place(ann, side, "0.1", order_type=kind, triggers=Trigger(price=Decimal(trigger)))
    assert floor.events(ann) == ["pending_new", "new"]
    trade_at(floor, keeps)
    assert order.phase == "untriggered"
    trade_at(floor, fires)
    assert order.phase == "canceled", "nobody is there to trade with"
    assert floor.events(ann) == ["status", "canceled"]
    assert order.trigger is not None
    assert order.trigger.fired_at == int(Decimal(fires) * 10)


def test_a_triggered_limit_order_rests_at_its_limit(floor: Floor) -> None:
    trade_at(floor, "50000.0")
    ann = floor.account("ann", BTC="2")
    order = floor.place(
        ann, "sell", "0.1", "49500.0", order_type="stop-loss-limit", triggers=Trigger(price=Decimal("49000.0"))
    )
    trade_at(floor, "48000.0")
    assert (order.phase, order.resting, order.price) == ("live", True, 495_000)


def test_a_trigger_that_is_reached_already_is_canceled_with_that_reason(floor: Floor) -> None:
    trade_at(floor, "50000.0")
    ann = floor.account("ann", BTC="2")
    order = floor.place(ann, "sell", "0.1", order_type="stop-loss", triggers=Trigger(price=Decimal("50000.0")))
    assert (order.phase, order.reason) == ("canceled", "Order would trigger immediately")


def test_a_trailing_stop_follows_the_best_price_and_fires_on_the_way_back(floor: Floor) -> None:
    trade_at(floor, "50000.0")
    ann = floor.account("ann", BTC="2")
    asked = Trigger(price=Decimal(1), price_type="pct")
    order = floor.place(ann, "sell", "0.1", order_type="trailing-stop", triggers=asked)
    trigger = order.trigger
    assert trigger is not None
    assert trigger.price == 495_000
    trade_at(floor, "60000.0")
    assert (trigger.peak, trigger.price) == (600_000, 594_000)
    trade_at(floor, "59500.0")
    assert trigger.price == 594_000, "it never goes back"
    trade_at(floor, "59400.0")
    assert order.phase == "canceled"
    assert trigger.fired_at == 594_000


@pytest.mark.parametrize(
    ("side", "offset", "fires", "price"), [("buy", "25.0", "50500.0", 505_250), ("sell", "-25.0", "49500.0", 494_750)]
)
def test_a_trailing_stop_limit_is_placed_its_offset_away_from_the_trigger(
    floor: Floor, side: str, offset: str, fires: str, price: int
) -> None:
    trade_at(floor, "50000.0")
    ann = floor.account("ann", USD="100000", BTC="1")
    order = floor.place(
        ann,
        side,
        "0.1",
        offset,
        order_type="trailing-stop-limit",
        limit_price_type="quote",
        triggers=Trigger(price=Decimal("500.0"), price_type="quote"),
    )
    trade_at(floor, fires)
    assert (order.phase, order.price) == ("live", price)


def test_a_triggered_order_that_can_no_longer_be_paid_is_canceled(floor: Floor) -> None:
    trade_at(floor, "50000.0")
    ann = floor.account("ann", USD="5200")
    order = floor.place(ann, "buy", "0.1", order_type="stop-loss", triggers=Trigger(price=Decimal("51000.0")))
    assert floor.available(ann, "USD") == Decimal("79.6")
    maker = floor.ledger.account("maker")
    assert maker is not None
    floor.place(maker, "sell", "1", "59000.0")
    trade_at(floor, "51000.0")
    assert (order.phase, order.reason) == ("canceled", "Insufficient funds")
    assert floor.available(ann, "USD") == 5_200


def test_each_fill_of_an_order_with_a_conditional_close_places_an_order_of_its_size(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="100000"), floor.account("bob", BTC="2")
    close = Conditional(order_type="limit", limit_price=Decimal("500.0"), limit_price_type="quote")
    order = floor.place(ann, "buy", "0.3", "50000.0", conditional=close, order_userref=7)
    floor.place(bob, "sell", "0.1", "50000.0")
    floor.place(bob, "sell", "0.2", "50000.0")
    closing = list(ann.open_orders.values())
    assert [(o.side, o.qty, o.price, o.parent_id, o.userref) for o in closing] == [
        ("sell", 10_000_000, 505_000, order.order_id, 7),
        ("sell", 20_000_000, 505_000, order.order_id, 7),
    ]


def test_a_closing_order_without_the_money_for_it_is_told_as_canceled_at_once(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="100000"), floor.account("bob", BTC="2")
    ann.fixed_fees = (1_000, 1_000)
    close = Conditional(order_type="limit", limit_price=Decimal("500.0"), limit_price_type="quote")
    parent = floor.place(ann, "buy", "0.3", "50000.0", conditional=close, fee_preference="base")
    floor.exchange.take_reports()
    floor.place(bob, "sell", "0.1", "50000.0")
    told = [event for event in floor.told(ann) if isinstance(event, Execution) and event.order_id != parent.order_id]
    assert [(event.exec_type, event.reason) for event in told] == [
        ("pending_new", None),
        ("canceled", "Insufficient funds"),
    ]
    (closing,) = [order for order in ann.closed_orders if order.parent_id == parent.order_id]
    assert (closing.phase, closing.qty, closing.price, closing.hold) == ("canceled", 10_000_000, 505_000, 0)
    assert floor.exchange.unplaced_closes == 1
    assert parent.is_open


def test_a_closing_order_whose_price_would_be_none_is_counted(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="100000"), floor.account("bob", BTC="2")
    close = Conditional(order_type="limit", limit_price=Decimal(-60_000), limit_price_type="quote")
    floor.place(ann, "buy", "0.1", "50000.0", conditional=close)
    floor.place(bob, "sell", "0.1", "50000.0")
    assert floor.exchange.unplaced_closes == 1
    assert not ann.open_orders
    assert [order.phase for order in ann.closed_orders] == ["filled"]


# -- changes -------------------------------------------------------------------------


def queue(floor: Floor) -> list[str | None]:
    """The cl_ord_ids at the best ask, in queue order."""
    desk = floor.exchange.desks["BTC/USD"]
    return [desk.orders[order.order_id].cl_ord_id for order in desk.market.levels("sell", 1)[0]]


@pytest.mark.parametrize(
    ("change", "order"),
    [
        ({"order_qty": Decimal("0.05")}, ["one", "two"]),
        ({"order_qty": Decimal("0.2")}, ["two", "one"]),
        ({"limit_price": Decimal("49999.0")}, ["one"]),
        ({"limit_price": Decimal("50000.0")}, ["one", "two"]),
    ],
)
def test_an_amended_order_keeps_its_place_only_when_it_asks_for_less(
    floor: Floor, change: dict[str, Decimal], order: list[str]
) -> None:
    bob = floor.account("bob", BTC="2")
    first = floor.place(bob, "sell", "0.1", "50000.0", cl_ord_id="one")
    floor.place(bob, "sell", "0.1", "50000.0", cl_ord_id="two")
    answer = floor.ask(bob, AmendOrder(cl_ord_id="one", **change))[0]
    assert isinstance(answer, Amended)
    assert (answer.cl_ord_id, answer.order_id) == ("one", None)
    assert queue(floor) == order
    assert first.order_id in bob.open_orders


def test_an_amendment_needs_the_money_for_what_it_adds(floor: Floor) -> None:
    ann = floor.account("ann", USD="10040")
    order = floor.place(ann, "buy", "0.1", "50000.0")
    assert floor.ask(ann, AmendOrder(order_id=order.order_id, order_qty=Decimal("0.3"))) == (OrderRefused(FUNDS),)
    assert order.qty == 10_000_000
    floor.ask(ann, AmendOrder(order_id=order.order_id, order_qty=Decimal("0.2")))
    assert floor.available(ann, "USD") == 0
    floor.ask(ann, AmendOrder(order_id=order.order_id, limit_price=Decimal("25000.0")))
    assert floor.available(ann, "USD") == 5_020


def test_amending_below_what_has_traded_ends_the_order_there(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="10000"), floor.account("bob", BTC="2")
    order = floor.place(bob, "sell", "0.5", "50000.0")
    floor.place(ann, "buy", "0.1")
    floor.exchange.take_reports()
    floor.ask(bob, AmendOrder(order_id=order.order_id, order_qty=Decimal("0.05")))
    assert (order.phase, order.qty, order.filled) == ("canceled", 10_000_000, 10_000_000)
    assert floor.events(bob) == ["amended", "canceled"]


def test_an_amendment_without_a_change_names_no_parameters(floor: Floor) -> None:
    bob = floor.account("bob", BTC="2")
    order = floor.place(bob, "sell", "0.5", "50000.0")
    assert floor.ask(bob, AmendOrder(order_id=order.order_id)) == (
        OrderRefused("EOrder:No amendable parameters specified"),
    )


def test_an_edited_order_is_canceled_and_a_new_one_placed_for_the_rest(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="10000"), floor.account("bob", BTC="0.5")
    order = floor.place(bob, "sell", "0.5", "50000.0", order_userref=3)
    floor.place(ann, "buy", "0.1")
    floor.exchange.take_reports()
    answer = floor.ask(bob, EditOrder(order_id=order.order_id, limit_price=Decimal("51000.0")))[0]
    assert isinstance(answer, Edited)
    assert (answer.original_order_id, order.phase, order.reason) == (order.order_id, "canceled", "Order replaced")
    new = bob.open_orders[answer.order_id]
    assert (new.qty, new.price, new.userref) == (40_000_000, 510_000, 3)
    assert floor.events(bob) == ["canceled", "pending_new", "new"]


def test_an_edit_that_cannot_be_paid_leaves_the_old_order_where_it_is(floor: Floor) -> None:
    bob = floor.account("bob", BTC="0.5")
    order = floor.place(bob, "sell", "0.5", "50000.0")
    assert floor.ask(bob, EditOrder(order_id=order.order_id, order_qty=Decimal("0.6"))) == (OrderRefused(FUNDS),)
    assert order.resting


# -- ends ----------------------------------------------------------------------------


def test_a_finished_order_is_unknown_and_an_id_that_never_was_is_invalid(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="10000"), floor.account("bob", BTC="0.5")
    order = floor.place(bob, "sell", "0.1", "50000.0")
    floor.place(ann, "buy", "0.1")
    answers = floor.ask(bob, CancelOrders(order_ids=(order.order_id, "OAAAAA-AAAAA-AAAAAA", "nonsense")))
    assert answers == (
        OrderRefused("EOrder:Unknown order"),
        OrderRefused("EOrder:Invalid order"),
        OrderRefused("EOrder:Invalid order"),
    )


def test_nobody_can_touch_anothers_orders(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="10000"), floor.account("bob", BTC="0.5")
    order = floor.place(bob, "sell", "0.1", "50000.0", cl_ord_id="mine")
    for request in (
        CancelOrders(order_ids=(order.order_id,), cl_ord_ids=("mine",)),
        AmendOrder(order_id=order.order_id, order_qty=Decimal("0.05")),
        EditOrder(order_id=order.order_id, limit_price=Decimal("1.0")),
    ):
        assert all(isinstance(answer, OrderRefused) for answer in floor.ask(ann, request))
    assert floor.ask(ann, CancelAll()) == (AllCanceled(0),)
    assert floor.ask(ann, BatchCancel(order_ids=(order.order_id, order.order_id))) == (BatchCanceled(0),)
    assert (order.phase, order.qty) == ("live", 10_000_000)


def test_a_userref_means_every_open_order_that_has_it(floor: Floor) -> None:
    bob = floor.account("bob", BTC="0.5")
    for price in ("50000.0", "51000.0", "52000.0"):
        floor.place(bob, "sell", "0.1", price, order_userref=7 if price != "52000.0" else 8)
    floor.ask(bob, CancelOrders(order_userrefs=(7,)))
    assert [order.userref for order in bob.open_orders.values()] == [8]
    floor.ask(bob, CancelOrders(order_ids=("8",)))
    assert not bob.open_orders


def test_the_dead_mans_switch_cancels_everything_once_unless_it_is_set_again(floor: Floor) -> None:
    bob = floor.account("bob", BTC="0.5")
    floor.place(bob, "sell", "0.1", "50000.0")
    floor.ask(bob, CancelAllAfter(timeout_s=60))
    floor.pass_time(45)
    floor.ask(bob, CancelAllAfter(timeout_s=60))
    floor.pass_time(59)
    assert bob.open_orders
    floor.pass_time(2)
    assert not bob.open_orders
    floor.place(bob, "sell", "0.1", "50000.0")
    floor.pass_time(600)
    assert bob.open_orders, "it is off until it is set again"


# -- batches -------------------------------------------------------------------------


def sell(qty: str, price: str, **more: object) -> AddOrder:
    return AddOrder(
        symbol="BTC/USD",
        side="sell",
        order_type="limit",
        order_qty=Decimal(qty),
        limit_price=Decimal(price),
        **more,  # type: ignore[arg-type]  # members of the request
    )


def test_a_batch_with_one_bad_order_is_refused_as_a_whole(floor: Floor) -> None:
    bob = floor.account("bob", BTC="0.5")
    batch = BatchAdd(symbol="BTC/USD", orders=(sell("0.1", "50000.0"), sell("0.1", "50000.05")))
    assert floor.ask(bob, batch) == (OrderRefused("EOrder:Tick size check failed"),)
    assert not bob.open_orders


def test_a_batch_is_answered_order_by_order_when_the_money_does_not_reach_for_all(floor: Floor) -> None:
    bob = floor.account("bob", BTC="0.5")
    orders = (sell("0.4", "50000.0"), sell("0.4", "50001.0"), sell("0.1", "50002.0", cl_ord_id="c"))
    answer = floor.ask(bob, BatchAdd(symbol="BTC/USD", orders=orders))[0]
    assert isinstance(answer, BatchAdded)
    assert [type(row) for row in answer.orders] == [Added, OrderRefused, Added]
    assert len(bob.open_orders) == 2


# -- refusals ------------------------------------------------------------------------

INVALID = "EGeneral:Invalid arguments"


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"symbol": "XBT/EUR"}, "EQuery:Unknown asset pair"),
        ({"qty": "0.00004"}, f"{INVALID}:volume minimum not met"),
        ({"qty": "0.000000001"}, f"{INVALID}:volume"),
        ({"qty": "-1"}, f"{INVALID}:volume"),
        ({"qty": "1e30"}, f"{INVALID}:volume"),
        ({"qty": None}, f"{INVALID}:volume"),
        ({"price": "50000.01"}, "EOrder:Tick size check failed"),
        ({"price": "0"}, "EOrder:Invalid price"),
        ({"price": "-5.0"}, "EOrder:Invalid price"),
        ({"price": "1e30"}, "EOrder:Invalid price"),
        ({"price": "1000.0", "qty": "0.0001"}, "EOrder:Cost minimum not met"),
        ({"price": None, "order_type": "limit"}, f"{INVALID}:price"),
        ({"order_type": "market"}, f"{INVALID}:price"),
        ({"order_type": "stop-loss-limit"}, f"{INVALID}:price"),
        ({"triggers": Trigger(price=Decimal(1))}, f"{INVALID}:price"),
        ({"order_type": "iceberg"}, f"{INVALID}:displayvol"),
        ({"display_qty": Decimal("0.1")}, f"{INVALID}:displayvol"),
        ({"cash_order_qty": Decimal(5)}, f"{INVALID}:volume"),
        ({"time_in_force": "gtd"}, f"{INVALID}:expiretm"),
        ({"post_only": True, "time_in_force": "ioc"}, f"{INVALID}:timeinforce"),
        ({"cl_ord_id": "a", "order_userref": 1}, INVALID),
        ({"margin": True}, "EOrder:Cannot open position"),
        ({"leverage": 2}, "EOrder:Cannot open position"),
        ({"reduce_only": True}, "EOrder:Reduce only:No position exists"),
        ({"order_type": "settle-position", "price": None}, "EOrder:Unknown position"),
        ({"deadline_ns": 1}, "EService:Deadline elapsed"),
    ],
)
def test_what_cannot_be_is_refused_in_the_venues_words(floor: Floor, asked: dict[str, object], text: str) -> None:
    ann = floor.account("ann", USD="1000000", BTC="10")
    more = {"qty": "1", "price": "50000.0", "order_type": "limit", **asked}
    assert floor.refusal(ann, "buy", more.pop("qty"), more.pop("price"), **more) == text  # type: ignore[arg-type]


def test_a_price_far_through_the_other_side_is_taken_for_a_typing_error(floor: Floor) -> None:
    ann, bob = floor.account("ann", USD="100000000"), floor.account("bob", BTC="10")
    floor.place(bob, "sell", "1", "50000.0")
    assert floor.refusal(ann, "buy", "0.1", "500000.1") == "EOrder:Invalid price"
    floor.place(ann, "buy", "0.1", "500000.0")
    floor.place(ann, "buy", "0.1", "100.0")


def test_a_client_order_id_is_unique_among_open_orders_only(floor: Floor) -> None:
    bob = floor.account("bob", BTC="10")
    order = floor.place(bob, "sell", "1", "50000.0", cl_ord_id="again")
    assert floor.refusal(bob, "sell", "1", "50000.0", cl_ord_id="again") == f"{INVALID}:cl_ord_id not unique"
    floor.ask(bob, CancelOrders(order_ids=(order.order_id,)))
    floor.place(bob, "sell", "1", "50000.0", cl_ord_id="again")


@pytest.mark.parametrize(
    ("mode", "allowed"),
    [
        ("online", {"limit", "post-only", "market"}),
        ("post_only", {"post-only"}),
        ("limit_only", {"limit", "post-only"}),
        ("cancel_only", set[str]()),
        ("maintenance", set[str]()),
    ],
)
def test_a_trading_mode_lets_in_what_it_says(floor: Floor, mode: str, allowed: set[str]) -> None:
    bob = floor.account("bob", BTC="10")
    asked = {
        "limit": floor.try_to_place,
        "post-only": lambda *args: floor.try_to_place(*args, post_only=True),
        "market": lambda *args: floor.try_to_place(*args[:3]),
    }
    floor.mode = mode
    answers = {name: place(bob, "sell", "0.1", "50000.0") for name, place in asked.items()}
    assert {name for name, answer in answers.items() if isinstance(answer, Added)} == allowed
    text = "EService:Unavailable" if mode == "maintenance" else f"EService:Market in {mode} mode"
    assert {answer.error for answer in answers.values() if isinstance(answer, OrderRefused)} <= {text}


def test_an_order_that_is_only_checked_changes_nothing(floor: Floor) -> None:
    bob = floor.account("bob", BTC="10")
    answer = floor.try_to_place(bob, "sell", "1", "50000.0", validate=True)
    assert answer == Added(order_id="")
    assert not bob.open_orders
    assert floor.told(bob) == []


def test_a_userref_means_all_open_orders_that_have_it_and_is_forgotten_with_the_last(floor: Floor) -> None:
    ann = floor.account("ann", USD="100000")
    orders = [floor.place(ann, "buy", "0.1", "40000.0", order_userref=userref) for userref in (7, 7, 8, 7)]
    floor.ask(ann, CancelOrders(order_ids=(orders[1].order_id,)))
    (answer,) = floor.ask(ann, CancelOrders(order_userrefs=(7,)))
    assert (answer, [order.is_open for order in orders]) == (
        Canceled(order_userref=7, count=2),
        [False, False, True, False],
    )
    floor.ask(ann, CancelAll())
    assert ann.by_userref == {}
