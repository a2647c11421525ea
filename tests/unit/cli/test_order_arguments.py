"""From command lines of `krakenwire order` to requests."""

from __future__ import annotations

import shlex
from decimal import Decimal

import msgspec
import pytest

from krakenwire.cli.main import build_parser
from krakenwire.cli.order_arguments import request_from
from krakenwire.client.clock import now_ns
from krakenwire.errors import UsageError
from krakenwire.model import (
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelOrders,
    Conditional,
    TradingRequest,
    Trigger,
)

D = Decimal
_SECOND = 1_000_000_000


def asked(line: str) -> TradingRequest:
    return request_from(build_parser().parse_args(["order", *shlex.split(line)]))


def order(**members: object) -> AddOrder:
    return msgspec.structs.replace(
        AddOrder(symbol="BTC/USD", side="buy", order_type="limit", order_qty=D("0.5"), limit_price=D(60000)), **members
    )


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("add XBTUSD buy 0.5 --price 60000", order()),
        ("add BTC/USD buy 0.5 --price 60000 --tif ioc --post-only --reduce-only",
         order(time_in_force="ioc", post_only=True, reduce_only=True)),
        ("add BTC/USD buy 0.5 --type market", order(order_type="market", limit_price=None)),
        ("add BTC/USD buy --cash 100",
         order(order_type="market", order_qty=None, limit_price=None, cash_order_qty=D(100))),
        ("add BTC/USD buy 0.5 --price 60000 --display 0.1", order(order_type="iceberg", display_qty=D("0.1"))),
        ("add BTC/USD buy 0.5 --type stop-loss --trigger 61000 --reference index",
         order(order_type="stop-loss", limit_price=None, triggers=Trigger(price=D(61000), reference="index"))),
        ("add BTC/USD buy 0.5 --type take-profit --trigger=-2%",
         order(order_type="take-profit", limit_price=None, triggers=Trigger(price=D(-2), price_type="pct"))),
        ("add BTC/USD buy 0.5 --type trailing-stop --trigger 100",
         order(order_type="trailing-stop", limit_price=None, triggers=Trigger(price=D(100), price_type="quote"))),
        ("add BTC/USD buy 0.5 --type trailing-stop-limit --trigger 1.5% --price +5",
         order(order_type="trailing-stop-limit", limit_price=D(5), limit_price_type="quote",
               triggers=Trigger(price=D("1.5"), price_type="pct"))),
        ("add BTC/USD buy 0.5 --price 60000 --margin --fee base --stp cancel_both --userref 7",
         order(margin=True, fee_preference="base", stp_type="cancel_both", order_userref=7)),
        ("add BTC/USD buy 0.5 --price 60000 --leverage 3 --cl-ord-id me --validate",
         order(leverage=3, cl_ord_id="me", validate=True)),
        ("add BTC/USD buy 0.5 --price 60000 --close stop-loss-limit --close-trigger 50000 --close-price 49000",
         order(conditional=Conditional(order_type="stop-loss-limit", trigger_price=D(50000), limit_price=D(49000)))),
        ("amend OA --price 61000 --qty 2", AmendOrder(order_id="OA", limit_price=D(61000), order_qty=D(2))),
        ("amend --cl-ord-id me --trigger +50 --display 1 --post-only",
         AmendOrder(cl_ord_id="me", trigger_price=D(50), trigger_price_type="quote", display_qty=D(1), post_only=True)),
        ("cancel OA OB --cl-ord-id me --cl-ord-id you --userref 4",
         CancelOrders(order_ids=("OA", "OB"), cl_ord_ids=("me", "you"), order_userrefs=(4,))),
        ("cancel-all", CancelAll()),
    ],
)  # fmt: skip
def test_a_command_line_is_this_request(line: str, request_: TradingRequest) -> None:
    assert asked(line) == request_


def test_times_count_from_now_and_an_expiry_means_good_till_date() -> None:
    before = now_ns()
    request = asked("add BTC/USD buy 0.5 --price 60000 --expire 10m --start 1m --deadline 5")
    assert isinstance(request, AddOrder)
    assert request.time_in_force == "gtd"
    for time_ns, after_s in ((request.expire_time_ns, 600), (request.effective_time_ns, 60), (request.deadline_ns, 5)):
        assert time_ns is not None
        assert before // 1000 <= (time_ns - after_s * _SECOND) // 1000 <= now_ns() // 1000


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("add BTC/USD buy many --price 1", "order_qty: expected a number, found many"),
        ("add BTC/USD buy 1 --price 5%5", "--price: expected a price such as"),
        ("add BTC/USD buy 1 --price nan", "--price"),
        ("add nonsense buy 1 --price 1", "nonsense"),
        ("add BTC/USD buy 1 --price 1 --expire soon", "--expire"),
        ("add BTC/USD buy 1 --price 1 --close-price 5", "--close-price"),
        ("add BTC/USD buy 1 --price 1 --type stop-loss --reference last", "trigger_price"),
        ("cancel", "cancel-all"),
    ],
)
def test_what_cannot_be_is_refused_in_words(line: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked(line)
    assert words in str(refused.value)
