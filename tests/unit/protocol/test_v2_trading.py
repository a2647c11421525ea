"""Requests about orders on v2: what a client writes the venue reads, digits included."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from tests.unit.protocol.private_values import NOW_NS, digits, requests, tokens

from krakenwire.errors import UsageError
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
    TradingRequest,
    Trigger,
)
from krakenwire.model.orders import METHODS
from krakenwire.protocol.v2.trading import (
    encode_request,
    subscribe_balances,
    subscribe_executions,
    unsubscribe_private,
)
from krakenwire.protocol.v2.venue import PrivateSubscribe, PrivateUnsubscribe, TradingCall, parse_request

LIMIT = AddOrder(
    symbol="BTC/USD", side="buy", order_type="limit", order_qty=Decimal("1.20"), limit_price=Decimal("26500.40")
)


def params(request: TradingRequest) -> str:
    """What a frame says about a request, without method, token and number."""
    head, tail = f'{{"method":"{METHODS[type(request)]}","params":{{', '"token":"t"},"req_id":7}'
    frame = encode_request(request, "t", 7)
    assert frame.startswith(head)
    assert frame.endswith(tail)
    return frame[len(head) : -len(tail)].removesuffix(",")


@given(requests, tokens)
def test_the_venue_reads_what_a_client_writes(request: TradingRequest, token: str) -> None:
    call = parse_request(encode_request(request, token, 12), NOW_NS)
    assert call == TradingCall(method=METHODS[type(request)], request=request, token=token, req_id=12)
    assert digits(call.request) == digits(request)


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (
            LIMIT,
            '"order_type":"limit","side":"buy","order_qty":1.20,"limit_price":26500.40,"symbol":"BTC/USD"',
        ),
        (
            AddOrder(symbol="A/B", side="buy", order_type="market", cash_order_qty=Decimal("2.5E+2"), validate=True),
            '"order_type":"market","side":"buy","cash_order_qty":250,"symbol":"A/B","validate":true',
        ),
        (
            AddOrder(
                symbol="A/B",
                side="sell",
                order_type="trailing-stop-limit",
                order_qty=Decimal("1E-8"),
                limit_price=Decimal("-0.5"),
                limit_price_type="quote",
                triggers=Trigger(price=Decimal("1.50"), price_type="pct", reference="index"),
                time_in_force="gtd",
                expire_time_ns=1_671_960_659_999_000_000,
                effective_time_ns=1_671_960_600_000_000_000,
                deadline_ns=1_721_555_639_050_999_999,
            ),
            (
                '"order_type":"trailing-stop-limit","side":"sell","order_qty":0.00000001,"limit_price":-0.5,'
                '"triggers":{"reference":"index","price":1.50,"price_type":"pct"},"time_in_force":"gtd",'
                '"expire_time":"2022-12-25T09:30:59Z","effective_time":"2022-12-25T09:30:00Z","symbol":"A/B",'
                '"deadline":"2024-07-21T09:53:59.050Z"'
            ),
        ),
        (
            AddOrder(
                symbol="A/B",
                side="buy",
                order_type="iceberg",
                order_qty=Decimal(3),
                display_qty=Decimal("0.2"),
                limit_price=Decimal(7),
                post_only=True,
                reduce_only=True,
                margin=True,
                fee_preference="base",
                stp_type="cancel_both",
                cl_ord_id='say "x"',
                sender_sub_id="desk",
                conditional=Conditional(
                    order_type="trailing-stop-limit", limit_price=Decimal(0), trigger_price=Decimal(2)
                ),
            ),
            (
                '"order_type":"iceberg","side":"buy","order_qty":3,"limit_price":7,"display_qty":0.2,"post_only":true,'
                '"reduce_only":true,"margin":true,"fee_preference":"base","stp_type":"cancel_both",'
                '"cl_ord_id":"say \\"x\\"","conditional":{"order_type":"trailing-stop-limit","limit_price":0,'
                '"limit_price_type":"static","trigger_price":2},"sender_sub_id":"desk","symbol":"A/B"'
            ),
        ),
        (
            AmendOrder(order_id="O1", limit_price=Decimal("61031.3"), limit_price_type="static", post_only=True),
            '"order_id":"O1","limit_price":61031.3,"limit_price_type":"static","post_only":true',
        ),
        (
            EditOrder(order_id="O1", symbol="A/B", order_qty=Decimal("0.21"), post_only=False, order_userref=0),
            '"order_id":"O1","symbol":"A/B","order_qty":0.21,"post_only":false,"order_userref":0',
        ),
        (
            CancelOrders(order_ids=("O1", "O2"), cl_ord_ids=("x",), order_userrefs=(7,)),
            '"order_id":["O1","O2"],"cl_ord_id":["x"],"order_userref":[7]',
        ),
        (CancelAll(), ""),
        (CancelAllAfter(timeout_s=0), '"timeout":0'),
        (
            BatchAdd(symbol="BTC/USD", orders=(LIMIT, LIMIT)),
            (
                '"symbol":"BTC/USD","orders":['
                '{"order_type":"limit","side":"buy","order_qty":1.20,"limit_price":26500.40},'
                '{"order_type":"limit","side":"buy","order_qty":1.20,"limit_price":26500.40}]'
            ),
        ),
        (BatchCancel(order_ids=("O1", "7"), cl_ord_ids=("x",)), '"orders":["O1","7"],"cl_ord_id":["x"]'),
    ],
)
def test_a_request_says_what_differs_from_the_venues_defaults(request_: TradingRequest, text: str) -> None:
    assert params(request_) == text


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        (AddOrder(symbol="A/B", side="buy", order_type="market", order_qty=Decimal(1), leverage=3), "leverage"),
        (AddOrder(symbol="A/B", side="buy", order_type="market", order_qty=Decimal("NaN")), "a number"),
        (AmendOrder(order_id="O1", limit_price=Decimal("Infinity")), "a number"),
        (EditOrder(order_id="O1"), "an edit"),
        (EditOrder(order_id="O1", symbol="A/B", limit_price_type="pct"), "the limit price of an edit"),
        (EditOrder(order_id="O1", symbol="A/B", price=Decimal(7)), "an edit on API version 2"),
        (BatchAdd(symbol="A/B", orders=(LIMIT, LIMIT)), "an order of a batch"),
        (
            BatchAdd(symbol="A/B", orders=(AddOrder(symbol="A/B", side="buy", order_type="market", deadline_ns=1),)),
            "an order of a batch",
        ),
        (
            BatchAdd(symbol="A/B", orders=(AddOrder(symbol="A/B", side="buy", order_type="market", validate=True),)),
            "an order of a batch",
        ),
    ],
)
def test_what_v2_cannot_say_is_a_usage_error(request_: TradingRequest, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        encode_request(request_, "t", 1)


def test_private_channels_are_asked_for_and_let_go() -> None:
    assert parse_request(subscribe_executions("t", 5)) == PrivateSubscribe(channel="executions", token="t", req_id=5)
    asked = subscribe_executions("t", 5, snap_orders=False, snap_trades=True, order_status=False, ratecounter=True)
    assert parse_request(asked) == PrivateSubscribe(
        channel="executions",
        token="t",
        snap_orders=False,
        snap_trades=True,
        order_status=False,
        ratecounter=True,
        req_id=5,
    )
    balances = parse_request(subscribe_balances("t", 6, snapshot=False))
    assert isinstance(balances, PrivateSubscribe)
    assert (balances.channel, balances.snapshot) == ("balances", False)
    for channel in ("executions", "balances"):
        let_go = PrivateUnsubscribe(channel=channel, token="t", req_id=7)
        assert parse_request(unsubscribe_private(channel, "t", 7)) == let_go


def test_the_token_stands_in_the_parameters_and_the_number_beside_them() -> None:
    assert json.loads(encode_request(CancelAll(), "a+/b", 3)) == {
        "method": "cancel_all",
        "params": {"token": "a+/b"},
        "req_id": 3,
    }
