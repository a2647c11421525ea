"""Checks before sending say what the local Kraken would have answered, word for word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.venue.gateways import member_floor
from tests.unit.venue.trading.crowd import Crowd
from tests.unit.venue.trading.desks import Floor

from krakenwire.errors import OrderCheckError, UsageError
from krakenwire.model import (
    AddOrder,
    AmendOrder,
    BatchAdd,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    Conditional,
    EditOrder,
    Instrument,
    OrderRefused,
    TradingRequest,
    Trigger,
)
from krakenwire.protocol.v2.trading import encode_request
from krakenwire.session.order_checks import check_request
from krakenwire.venue.market.instruments import INSTRUMENTS

D = Decimal
SECOND = member_floor.SECOND
NOW = member_floor.T0 + 2 * SECOND
INVALID = "EGeneral:Invalid arguments"
LISTED = {
    symbol: Instrument(**{name: getattr(pair, name) for name in Instrument.__struct_fields__})
    for symbol, pair in INSTRUMENTS.items()
}
"""What the venue lists, as its `instrument` channel tells it."""
BTC = LISTED["BTC/USD"]
"""Ticks of 0.1, lots of 1e-8."""

LIMIT = AddOrder(symbol="BTC/USD", side="buy", order_type="limit", order_qty=D("0.01"), limit_price=D(20_000))
MARKET = AddOrder(symbol="BTC/USD", side="buy", order_type="market", order_qty=D("0.01"))
STOP = AddOrder(
    symbol="BTC/USD", side="sell", order_type="stop-loss", order_qty=D("0.01"), triggers=Trigger(price=D(20_000))
)
ICEBERG = replace(LIMIT, order_type="iceberg", order_qty=D("0.15"), display_qty=D("0.01"))
TRAILING = replace(STOP, order_type="trailing-stop", triggers=Trigger(price=D(5), price_type="pct"))
TRAILING_LIMIT = replace(TRAILING, order_type="trailing-stop-limit", limit_price=D(3), limit_price_type="quote")
CLOSE = Conditional(order_type="stop-loss-limit", limit_price=D(19_000), trigger_price=D(19_500))
AMEND = AmendOrder(order_id="OPEN", order_qty=D("0.02"))
EDIT = EditOrder(order_id="OPEN", symbol="BTC/USD", order_qty=D("0.02"))
HUGE = D(10) ** 18


def closing(**changes: Any) -> AddOrder:
    return replace(LIMIT, conditional=replace(CLOSE, **changes))


ADDS: list[tuple[AddOrder, str]] = [
    (replace(LIMIT, symbol=""), "Symbol(s) not found"),
    (replace(LIMIT, deadline_ns=NOW - SECOND), "EService:Deadline elapsed"),
    (replace(LIMIT, deadline_ns=NOW + SECOND // 10), f"{INVALID}:deadline"),
    (replace(LIMIT, deadline_ns=NOW + 61 * SECOND), f"{INVALID}:deadline"),
    (replace(LIMIT, order_type="nonsense"), f"{INVALID}:ordertype"),
    (replace(LIMIT, side="both"), f"{INVALID}:type"),
    (replace(LIMIT, cash_order_qty=D(5)), INVALID),
    (replace(LIMIT, order_qty=None), "Order_qty(s) not found"),
    (replace(STOP, triggers=Trigger(price=HUGE)), f"{INVALID}:price"),
    (replace(STOP, triggers=Trigger(price=D(5), price_type="odd")), f"{INVALID}:price"),  # type: ignore[arg-type]
    (replace(STOP, triggers=Trigger(price=D(5), reference="odd")), f"{INVALID}:trigger"),  # type: ignore[arg-type]
    (replace(LIMIT, limit_price=None), "Limit_price(s) not found"),
    (replace(STOP, triggers=None), "Triggers(s) not found"),
    (replace(ICEBERG, display_qty=None), "Display_qty(s) not found"),
    (replace(LIMIT, cl_ord_id="a", order_userref=1), INVALID),
    (replace(LIMIT, time_in_force="odd"), f"{INVALID}:timeinforce"),
    (replace(LIMIT, time_in_force="gtd"), "Expire_time(s) not found"),
    (replace(LIMIT, order_qty=D(-1)), f"{INVALID}:volume"),
    (replace(LIMIT, order_qty=HUGE), f"{INVALID}:volume"),
    (replace(MARKET, order_qty=None, cash_order_qty=D(-1)), f"{INVALID}:volume"),
    (replace(LIMIT, limit_price=HUGE), f"{INVALID}:price"),
    (replace(LIMIT, limit_price_type="odd"), f"{INVALID}:price"),
    (replace(LIMIT, limit_price_type="pct"), f"{INVALID}:price"),
    (replace(ICEBERG, display_qty=D(-1)), f"{INVALID}:displayvol"),
    (replace(LIMIT, fee_preference="odd"), f"{INVALID}:oflags"),
    (replace(LIMIT, stp_type="odd"), f"{INVALID}:stptype"),
    (replace(LIMIT, cl_ord_id="nineteen characters"), f"{INVALID}:cl_ord_id"),
    (replace(LIMIT, cl_ord_id="schön"), f"{INVALID}:cl_ord_id"),
    (replace(LIMIT, cl_ord_id=""), f"{INVALID}:cl_ord_id"),
    (replace(LIMIT, order_userref=1 << 31), f"{INVALID}:userref"),
    (replace(LIMIT, order_userref=-(1 << 31) - 1), f"{INVALID}:userref"),
    (closing(order_type="market"), f"{INVALID}:ordertype"),
    (closing(limit_price=None), "Limit_price(s) not found"),
    (closing(trigger_price=None), "Trigger_price(s) not found"),
    (closing(limit_price=HUGE), f"{INVALID}:price"),
    (closing(limit_price_type="quote"), f"{INVALID}:price"),
    (closing(limit_price_type="odd"), f"{INVALID}:price"),
    (closing(trigger_price=HUGE), f"{INVALID}:price"),
    (closing(trigger_price_type="odd"), f"{INVALID}:price"),
    (replace(LIMIT, sender_sub_id="nineteen characters"), f"{INVALID}:sender_sub_id"),
    (replace(MARKET, side="sell", order_qty=None, cash_order_qty=D(50)), f"{INVALID}:volume"),
    (replace(LIMIT, order_qty=None, cash_order_qty=D(50)), f"{INVALID}:volume"),
    (replace(MARKET, margin=True, order_qty=None, cash_order_qty=D(50)), f"{INVALID}:volume"),
    (replace(MARKET, limit_price=D(5)), f"{INVALID}:price"),
    (replace(LIMIT, triggers=Trigger(price=D(5))), f"{INVALID}:price"),
    (replace(LIMIT, display_qty=D("0.01")), f"{INVALID}:displayvol"),
    (replace(MARKET, post_only=True), f"{INVALID}:oflags"),
    (replace(LIMIT, post_only=True, time_in_force="ioc"), f"{INVALID}:timeinforce"),
    (replace(MARKET, time_in_force="fok"), f"{INVALID}:timeinforce"),
    (replace(LIMIT, expire_time_ns=NOW + 60 * SECOND), f"{INVALID}:expiretm"),
    (replace(ICEBERG, time_in_force="ioc"), f"{INVALID}:timeinforce"),
    (replace(closing(), cl_ord_id="a"), f"{INVALID}:cl_ord_id"),
    (replace(closing(), time_in_force="ioc"), f"{INVALID}:close"),
    (replace(LIMIT, limit_price=D("20000.05")), "EOrder:Tick size check failed"),
    (replace(LIMIT, limit_price=D(-5)), "EOrder:Invalid price"),
    (replace(LIMIT, limit_price=D(0)), "EOrder:Invalid price"),
    (replace(MARKET, order_qty=None, cash_order_qty=D(0)), f"{INVALID}:volume"),
    (replace(LIMIT, order_qty=D("0.010000001")), f"{INVALID}:volume"),
    (replace(LIMIT, order_qty=D(0)), f"{INVALID}:volume"),
    (replace(ICEBERG, display_qty=D("0.010000001")), f"{INVALID}:displayvol"),
    (replace(ICEBERG, display_qty=D(0)), f"{INVALID}:displayvol"),
    (replace(ICEBERG, display_qty=D("0.00999999")), f"{INVALID}:displayvol"),
    (replace(ICEBERG, display_qty=D("0.16")), f"{INVALID}:displayvol"),
    (replace(LIMIT, effective_time_ns=NOW - SECOND), f"{INVALID}:starttm"),
    (replace(LIMIT, effective_time_ns=NOW + 32 * 86_400 * SECOND), f"{INVALID}:starttm"),
    (replace(LIMIT, time_in_force="gtd", expire_time_ns=NOW - SECOND), f"{INVALID}:expiretm"),
    (
        replace(LIMIT, time_in_force="gtd", effective_time_ns=NOW + 9 * SECOND, expire_time_ns=NOW + 9 * SECOND),
        f"{INVALID}:expiretm",
    ),
    (replace(STOP, triggers=Trigger(price=D("20000.05"))), "EOrder:Tick size check failed"),
    (replace(STOP, triggers=Trigger(price=D(-5))), "EOrder:Invalid price"),
    (replace(STOP, triggers=Trigger(price=D("-1.005"), price_type="pct")), "EOrder:Tick size check failed"),
    (replace(STOP, triggers=Trigger(price=D("-1.05"), price_type="quote")), "EOrder:Tick size check failed"),
    (replace(TRAILING, triggers=Trigger(price=D(5))), "EOrder:Invalid price"),
    (replace(TRAILING, triggers=Trigger(price=D(-5), price_type="pct")), "EOrder:Invalid price"),
    (replace(TRAILING, triggers=Trigger(price=D("5.005"), price_type="pct")), "EOrder:Tick size check failed"),
    (replace(TRAILING_LIMIT, limit_price=D("3.05")), "EOrder:Tick size check failed"),
    (replace(LIMIT, order_qty=D("0.00000001")), f"{INVALID}:volume minimum not met"),
    (replace(LIMIT, limit_price=D("0.1")), "EOrder:Cost minimum not met"),
    (replace(STOP, triggers=Trigger(price=D("0.1"))), "EOrder:Cost minimum not met"),
]

OTHERS: list[tuple[TradingRequest, str]] = [
    (replace(AMEND, cl_ord_id="a"), INVALID),
    (replace(AMEND, order_id=None), "Order_id(s) not found"),
    (replace(AMEND, order_id=None, cl_ord_id="nineteen characters"), f"{INVALID}:cl_ord_id"),
    (replace(AMEND, order_qty=D(-1)), f"{INVALID}:volume"),
    (replace(AMEND, limit_price=HUGE), f"{INVALID}:price"),
    (replace(AMEND, limit_price=D(5), limit_price_type="odd"), f"{INVALID}:price"),  # type: ignore[arg-type]
    (replace(AMEND, trigger_price=HUGE), f"{INVALID}:price"),
    (replace(AMEND, trigger_price=D(5), trigger_price_type="odd"), f"{INVALID}:price"),  # type: ignore[arg-type]
    (replace(AMEND, display_qty=D(-1)), f"{INVALID}:displayvol"),
    (replace(AMEND, deadline_ns=NOW + 61 * SECOND), f"{INVALID}:deadline"),
    (replace(AMEND, deadline_ns=NOW - SECOND), "EService:Deadline elapsed"),
    (replace(AMEND, order_qty=D("0.010000001")), f"{INVALID}:volume"),
    (replace(AMEND, limit_price=D("20000.05"), limit_price_type="static"), "EOrder:Tick size check failed"),
    (replace(AMEND, limit_price=D("20000.05")), "EOrder:Tick size check failed"),
    (replace(AMEND, limit_price=D(-5), limit_price_type="static"), "EOrder:Invalid price"),
    (replace(AMEND, order_qty=None), "EOrder:No amendable parameters specified"),
    (replace(AMEND, order_id="STOP", trigger_price=D("20000.05")), "EOrder:Tick size check failed"),
    (replace(AMEND, order_id="STOP", trigger_price=D(-5)), "EOrder:Invalid price"),
    (replace(AMEND, order_id="ICEBERG", display_qty=D("0.010000001")), f"{INVALID}:displayvol"),
    (replace(EDIT, order_id=""), "Order_id(s) not found"),
    (replace(EDIT, symbol=""), "Symbol(s) not found"),
    (replace(EDIT, order_qty=D(-1)), f"{INVALID}:volume"),
    (replace(EDIT, limit_price=HUGE), f"{INVALID}:price"),
    (replace(EDIT, triggers=Trigger(price=HUGE)), f"{INVALID}:price"),
    (replace(EDIT, display_qty=D(-1)), f"{INVALID}:displayvol"),
    (replace(EDIT, fee_preference="odd"), f"{INVALID}:oflags"),  # type: ignore[arg-type]
    (replace(EDIT, order_userref=1 << 31), f"{INVALID}:userref"),
    (replace(EDIT, deadline_ns=NOW + 61 * SECOND), f"{INVALID}:deadline"),
    (replace(EDIT, limit_price=D("20000.05")), "EOrder:Tick size check failed"),
    (replace(EDIT, limit_price=D(-5)), "EOrder:Invalid price"),
    (replace(EDIT, order_qty=D("0.020000001")), f"{INVALID}:volume"),
    (replace(EDIT, order_id="ICEBERG", order_qty=None, display_qty=D("0.010000001")), f"{INVALID}:displayvol"),
    (replace(EDIT, order_qty=D(0)), f"{INVALID}:volume"),
    (replace(EDIT, order_id="ICEBERG", order_qty=None, display_qty=D(0)), f"{INVALID}:displayvol"),
    (CancelOrders(order_ids=("O",) * 500, cl_ord_ids=("c",) * 500, order_userrefs=(1,)), INVALID),
    (CancelOrders(), "Order_id(s) not found"),
    (CancelOrders(order_ids=("O",) * 1_001), INVALID),
    (CancelOrders(order_userrefs=(1 << 31,)), f"{INVALID}:userref"),
    (CancelAllAfter(timeout_s=86_400), f"{INVALID}:Invalid timeout argument"),
    (CancelAllAfter(timeout_s=-1), f"{INVALID}:Invalid timeout argument"),
    (BatchAdd(symbol="BTC/USD", orders=()), "Orders(s) not found"),
    (BatchAdd(symbol="BTC/USD", orders=(LIMIT,)), f"{INVALID}:orders"),
    (BatchAdd(symbol="BTC/USD", orders=(LIMIT,) * 16), f"{INVALID}:orders"),
    (BatchAdd(symbol="", orders=(replace(LIMIT, symbol=""),) * 2), "Symbol(s) not found"),
    (BatchAdd(symbol="BTC/USD", orders=(LIMIT, LIMIT), deadline_ns=NOW + SECOND // 10), f"{INVALID}:deadline"),
    (
        BatchAdd(symbol="BTC/USD", orders=(replace(LIMIT, limit_price=D(0)), replace(LIMIT, order_qty=None))),
        "Order_qty(s) not found",
    ),
    (BatchAdd(symbol="BTC/USD", orders=(LIMIT, replace(LIMIT, limit_price=D(0)))), "EOrder:Invalid price"),
    (BatchCancel(), "Orders(s) not found"),
    (BatchCancel(order_ids=("O",)), f"{INVALID}:orders"),
    (BatchCancel(order_ids=("O",) * 26, cl_ord_ids=("c",) * 25), f"{INVALID}:orders"),
]

GOOD: list[TradingRequest] = [
    LIMIT,
    MARKET,
    STOP,
    ICEBERG,
    TRAILING,
    TRAILING_LIMIT,
    closing(),
    replace(MARKET, order_qty=None, cash_order_qty=D(50)),
    replace(LIMIT, cl_ord_id="6d1b345e-2821-40e2-ad83-4ecb18a06876", deadline_ns=NOW + 5 * SECOND),
    replace(LIMIT, cl_ord_id="0" * 32, sender_sub_id="eighteen character"),
    replace(LIMIT, order_userref=-(1 << 31), time_in_force="gtd", expire_time_ns=NOW + 60 * SECOND),
    replace(TRAILING_LIMIT, limit_price=D(0)),
    AMEND,
    EDIT,
    CancelOrders(order_ids=("O",)),
    CancelOrders(order_ids=("O",) * 1_000),
    CancelAll(),
    CancelAllAfter(timeout_s=0),
    BatchAdd(symbol="BTC/USD", orders=(LIMIT, LIMIT)),
    BatchCancel(cl_ord_ids=("a", "b")),
]


class Member:
    """An account of the local Kraken with three open orders that requests can name."""

    def __init__(self) -> None:
        self.floor = member_floor.Floor()
        self.floor.now_ns = NOW - SECOND
        self.token = self.floor.account("ann", USD=1_000_000, BTC=100)
        self.gateway = self.floor.connect_v2()
        self.ids: dict[str, str] = {}
        self.ids |= {name: self.place(order) for name, order in (("OPEN", LIMIT), ("STOP", STOP), ("ICEBERG", ICEBERG))}

    def answer(self, request: TradingRequest) -> list[dict[str, Any]]:
        """What the venue replies to a frame that a client writes, at `NOW`."""
        name = getattr(request, "order_id", None)
        if name in self.ids:
            request = replace(request, order_id=self.ids[name])
        frames = self.gateway.feed_frame(encode_request(request, self.token, 7).encode(), NOW)
        self.floor.tell()
        return list(map(json.loads, frames))

    def place(self, order: AddOrder) -> str:
        (reply,) = self.answer(order)
        return reply["result"]["order_id"]  # type: ignore[no-any-return]  # a text


@pytest.fixture(scope="module")
def member() -> Iterator[Member]:
    return Member()


def found(
    request: TradingRequest, instrument: Instrument | None = BTC, now_ns: int | None = NOW, version: int = 2
) -> str | None:
    """The words that a request is refused with before it is sent."""
    try:
        check_request(request, instrument, now_ns=now_ns, version=version)
    except OrderCheckError as error:
        return error.error
    return None


@pytest.mark.parametrize(("request_", "error"), [*ADDS, *OTHERS])
def test_what_is_refused_here_the_venue_refuses_in_the_same_words(
    member: Member, request_: TradingRequest, error: str
) -> None:
    assert found(request_) == error
    (reply,) = member.answer(request_)
    assert reply["error"] == error


@pytest.mark.parametrize("request_", GOOD)
def test_what_is_good_passes(member: Member, request_: TradingRequest) -> None:
    assert found(request_) is None
    if isinstance(request_, AddOrder):
        (reply,) = member.answer(replace(request_, validate=True))
        assert reply["success"], reply


def test_without_an_instrument_and_a_time_what_takes_them_is_left_to_the_venue() -> None:
    for order in (
        replace(LIMIT, limit_price=D("20000.05")),
        replace(LIMIT, deadline_ns=1),
        replace(LIMIT, effective_time_ns=1),
        replace(AMEND, order_qty=D("0.010000001")),
        replace(EDIT, limit_price=D("0.05")),
    ):
        assert found(order, None, None) is None
        assert found(order) is not None


@pytest.mark.parametrize("value", [D("NaN"), D("Infinity"), D("-Infinity")])
def test_a_number_that_is_none_is_refused_wherever_it_stands(value: Decimal) -> None:
    assert found(replace(LIMIT, order_qty=value)) == f"{INVALID}:volume"
    assert found(replace(LIMIT, limit_price=value)) == f"{INVALID}:price"
    assert found(replace(STOP, triggers=Trigger(price=value))) == f"{INVALID}:price"
    assert found(replace(AMEND, trigger_price=value)) == f"{INVALID}:price"
    assert found(replace(EDIT, price=value)) == f"{INVALID}:price"


numbers = st.decimals() | st.decimals(places=8, min_value=-(10**18), max_value=10**18)


@given(numbers, numbers, st.sampled_from(("static", "pct", "quote")), st.sampled_from((1, 2)))
def test_whatever_the_numbers_a_check_passes_or_refuses(one: Decimal, other: Decimal, kind: Any, version: int) -> None:
    for request in (
        replace(LIMIT, order_qty=one, limit_price=other, limit_price_type=kind),
        replace(ICEBERG, order_qty=one, display_qty=other),
        replace(STOP, order_qty=one, triggers=Trigger(price=other, price_type=kind)),
        replace(TRAILING_LIMIT, limit_price=one, limit_price_type=kind, triggers=Trigger(price=other, price_type=kind)),
        replace(LIMIT, conditional=replace(CLOSE, limit_price=one, trigger_price=other, trigger_price_type=kind)),
        replace(AMEND, order_qty=one, limit_price=other, limit_price_type=kind),
        replace(AMEND, display_qty=one, trigger_price=other, trigger_price_type=kind),
        replace(EDIT, order_qty=one, limit_price=other, triggers=Trigger(price=other)),
        replace(EDIT, display_qty=one, price=other, price_type=kind),
    ):
        assert found(request, version=version) is not None or (one.is_finite() and other.is_finite())
    assert found(replace(MARKET, order_qty=None, cash_order_qty=one), version=version) is not None or one.is_finite()


def test_what_only_v1_and_rest_can_say_is_checked_too() -> None:
    assert found(replace(LIMIT, margin=True, leverage=3), version=1) == f"{INVALID}:leverage"
    assert found(replace(LIMIT, limit_price=D("-1.5"), limit_price_type="pct"), version=1) is None
    assert found(closing(limit_price=D("1.5"), limit_price_type="quote"), version=1) is None
    assert found(replace(EDIT, price=D("20000.05"))) == "EOrder:Tick size check failed"
    assert found(replace(EDIT, price=D(-5))) == "EOrder:Invalid price"
    assert found(BatchAdd(symbol="BTC/USD", orders=(LIMIT, replace(LIMIT, symbol="ETH/USD")))) == INVALID


def test_the_error_says_what_would_have_been_taken() -> None:
    with pytest.raises(UsageError) as caught:
        check_request(replace(LIMIT, limit_price=D("20000.05")), BTC)
    assert str(caught.value) == (
        "limit_price (EOrder:Tick size check failed): expected a multiple of 0.1, found 20000.05"
    )


MIRRORED = {error for _, error in ADDS}
JUDGED_THERE = {"EOrder:Invalid price", "EOrder:Cost minimum not met", f"{INVALID}:volume minimum not met"}
"""Also the words for relative prices, and for market orders by what they will trade at."""


@pytest.mark.parametrize("seed", range(3))
def test_of_random_orders_the_venue_refuses_for_these_reasons_what_is_refused_here_and_nothing_else(seed: int) -> None:
    floor = Floor()
    crowd, chance = Crowd(floor, seed), Random(seed)
    refused = passed = 0
    for _ in range(800):
        account = chance.choice(crowd.accounts)
        order = crowd.add(account)
        answer = floor.ask(account, order)[0]
        expected = found(order, LISTED[order.symbol], floor.now_ns, version=1)
        error = answer.error if isinstance(answer, OrderRefused) else None
        if expected is not None:
            refused += 1
            about_margin = order.margin or order.leverage or order.reduce_only or order.order_type == "settle-position"
            assert error == expected or (about_margin and error), order
        else:
            passed += 1
            assert error not in MIRRORED - JUDGED_THERE, order
    assert refused > 20
    assert passed > 300


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (replace(LIMIT, order_qty=D("1E-8")), "found 0.00000001"),
        (replace(TRAILING, triggers=Trigger(price=D(-2), price_type="pct")), "found -2%"),
        (replace(TRAILING, triggers=Trigger(price=D("-0.50"), price_type="quote")), "found -0.50 from the reference"),
        (replace(LIMIT, order_qty=D("1E+30000")), "found 1E+30000"),
    ],
)
def test_what_was_given_is_told_as_a_person_writes_it(order: AddOrder, told: str) -> None:
    with pytest.raises(OrderCheckError) as caught:
        check_request(order, BTC, now_ns=NOW)
    assert str(caught.value).endswith(told)
