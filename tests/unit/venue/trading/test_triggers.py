"""Orders that wait for a price or place another one: stops, trailing stops, conditional closes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.venue.trading.desks import Floor

from krakenwire.model.executions import Execution
from krakenwire.model.orders import Conditional, Trigger


@pytest.fixture
def floor() -> Floor:
    return Floor()


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


def test_closing_orders_that_fill_each_other_make_a_chain_of_any_length(floor: Floor) -> None:
    close = Conditional(order_type="limit", limit_price=Decimal(60_000))
    rich = {"USD": "1000000000", "BTC": "1000"}
    accounts = floor.account("ann", **rich), floor.account("bob", **rich)
    for number in range(1_500):
        floor.place(accounts[number % 2], "sell", "0.01", f"{50_000 + number}.0", conditional=close)
    floor.place(accounts[1], "buy", "0.01", "50000.0")
    (left,) = (order for account in accounts for order in account.open_orders.values())
    assert (left.side, left.filled, len(accounts[0].fills) + len(accounts[1].fills)) == ("buy", 0, 3_000)
    floor.check()
