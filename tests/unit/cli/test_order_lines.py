"""Orders in words, and outcomes as lines and as JSON."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from msgspec.structs import replace

from krakenwire.apps.orders import Aftermath
from krakenwire.cli.order_lines import (
    lived_lines,
    order_json,
    order_row,
    outcome_json,
    outcome_lines,
    stake_lines,
    words,
    worth,
)
from krakenwire.cli.render import json_line
from krakenwire.model import (
    Added,
    AddOrder,
    AllCanceled,
    Amended,
    AmendOrder,
    AssetBalance,
    BatchCanceled,
    CancelAll,
    Canceled,
    CancelOrders,
    Conditional,
    OrderRecord,
    OrderRefused,
    Outcome,
    TradeRecord,
    TradingRequest,
    Trigger,
    TriggerState,
    Unanswered,
)

D = Decimal
NOON_NS = 1_704_110_400_000_000_000
LIMIT = AddOrder(symbol="BTC/USD", side="buy", order_type="limit", order_qty=D("0.10"), limit_price=D(60000))
MARKET = AddOrder(symbol="BTC/USD", side="sell", order_type="market", order_qty=D(1))
STOP = AddOrder(
    symbol="BTC/USD",
    side="sell",
    order_type="stop-loss-limit",
    order_qty=D(1),
    limit_price=D(50000),
    triggers=Trigger(price=D(51000), reference="index"),
    time_in_force="gtd",
    expire_time_ns=NOON_NS,
)
CASH = AddOrder(symbol="BTC/USD", side="buy", order_type="market", cash_order_qty=D(100))
TRAILING = AddOrder(
    symbol="BTC/USD", side="sell", order_type="trailing-stop", order_qty=D(1),
    triggers=Trigger(price=D(2), price_type="pct"),
)  # fmt: skip
FULL = AddOrder(
    symbol="BTC/USD", side="buy", order_type="iceberg", order_qty=D(1), limit_price=D(5), time_in_force="ioc",
    effective_time_ns=NOON_NS, deadline_ns=NOON_NS, post_only=True, reduce_only=True, display_qty=D("0.1"),
    leverage=3, cl_ord_id="me", order_userref=7, validate=True,
    conditional=Conditional(order_type="stop-loss", trigger_price=D(4)),
)  # fmt: skip
FULL_WORDS = (
    "buy 1 BTC/USD iceberg at 5, immediate or cancel, from 2024-01-01T12:00:00Z, post-only, reduce-only, "
    "shows 0.1, leverage 3, closed by stop loss trigger at 4, cl_ord_id me, userref 7, "
    "refused after 2024-01-01T12:00:00Z, to be checked only"
)
AMEND = AmendOrder(order_id="OA", order_qty=D(2), limit_price=D(3), trigger_price=D(4), display_qty=D(1))


@pytest.mark.parametrize(
    ("request_", "text", "value"),
    [
        (LIMIT, "buy 0.10 BTC/USD limit at 60000", "6000.00 USD"),
        (MARKET, "sell 1 BTC/USD market", "whatever the market gives"),
        (CASH, "buy BTC/USD for 100 USD market", "100 USD"),
        (STOP, "sell 1 BTC/USD stop loss limit at 50000 (trigger at 51000, index), until 2024-01-01T12:00:00Z",
         "about 50000 USD"),
        (TRAILING, "sell 1 BTC/USD trailing stop (trigger 2% away, last)", "whatever the market gives"),
        (FULL, FULL_WORDS, "5 USD"),
        (AMEND, "amend OA: quantity 2, price at 3, trigger at 4, shows 1", ""),
        (AmendOrder(cl_ord_id="me", limit_price=D(3), limit_price_type="quote", post_only=True),
         "amend cl_ord_id me: price 3 away, post-only", ""),
        (CancelOrders(order_ids=("OA",), cl_ord_ids=("me",), order_userrefs=(7,)),
         "cancel OA, cl_ord_id me, userref 7", ""),
        (CancelAll(), "cancel every open order of the account", ""),
    ],
)  # fmt: skip
def test_a_request_in_words_and_what_it_is_worth(request_: TradingRequest, text: str, value: str) -> None:
    assert words(request_) == text
    assert worth(request_) == value


def test_what_is_at_stake_names_everything_and_only_the_beginning_of_the_key() -> None:
    text = "\n".join(stake_lines(LIMIT, "live", "abcd..."))
    for shown in ("live", "BTC/USD", "buy", "0.10", "60000", "6000.00 USD", "abcd..."):
        assert shown in text
    assert stake_lines(CancelAll(), "live", "abcd...")[1:] == [
        "  cancel every open order of the account",
        "  key       abcd...",
    ]


def outcome(request: TradingRequest, *answers: object, sent: bool = True) -> Outcome:
    return Outcome(request=request, answers=answers, sent_ns=1 if sent else None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "lines"),
    [
        (outcome(LIMIT, Added(order_id="OA")), ["accepted: OA: buy 0.10 BTC/USD limit at 60000"]),
        (outcome(LIMIT, Added(order_id="")), ["good: buy 0.10 BTC/USD limit at 60000"]),
        (outcome(MARKET, OrderRefused("EOrder:Insufficient funds")),
         ["refused: sell 1 BTC/USD market: EOrder:Insufficient funds"]),
        (outcome(MARKET, OrderRefused("no connection"), sent=False),
         ["not sent: sell 1 BTC/USD market: no connection"]),
        (outcome(MARKET, Unanswered("no reply within 5 s")), ["unknown: sell 1 BTC/USD market: no reply within 5 s"]),
        (outcome(AMEND, Amended(amend_id="TA", order_id="OA")),
         ["amended: OA: quantity 2, price at 3, trigger at 4, shows 1"]),
        (outcome(CancelOrders(order_ids=("OA", "OB"), order_userrefs=(7,)),
                 Canceled(order_id="OA"), OrderRefused("EOrder:Unknown order"), Canceled(order_userref=7, count=2)),
         ["canceled: OA", "refused: OB: EOrder:Unknown order", "canceled: userref 7 (2 orders)"]),
        (outcome(CancelAll(), AllCanceled(3)), ["canceled: 3 orders"]),
    ],
)  # fmt: skip
def test_an_outcome_is_a_line_for_each_answer(told: Outcome, lines: list[str]) -> None:
    assert list(outcome_lines(told)) == lines


RECORD = OrderRecord(
    order_id="OA", status="closed", symbol="BTC/USD", side="buy", order_type="limit", order_qty=D("0.10000000"),
    open_time_ns=NOON_NS, limit_price=D("60000.0"), cum_qty=D("0.10000000"), cum_cost=D("5999.90"),
    avg_price=D("59999.0"), fee=D("24.0"), triggers=TriggerState(price=D(2), price_type="pct"),
)  # fmt: skip
FILL = TradeRecord(
    exec_id="TA", order_id="OA", symbol="BTC/USD", time_ns=NOON_NS, side="buy", order_type="limit",
    price=D("59999.0"), cost=D("5999.90"), fee=D("24.0"), qty=D("0.10000000"), maker=False,
)  # fmt: skip
AFTER = Aftermath(
    order=RECORD,
    fills=(FILL,),
    balances=(
        AssetBalance(asset="BTC", balance=D("5.1000000000")),
        AssetBalance(asset="ETH", balance=D(50)),
        AssetBalance(asset="USD", balance=D("94000.0"), held=D("10.50")),
    ),
)


def test_the_life_of_an_order_is_told_with_the_balances_that_it_concerns() -> None:
    assert list(lived_lines(AFTER)) == [
        "  fill      0.1 at 59999, fee 24, taker",
        "  order     closed, 0.1 of 0.1 filled at 59999 on average, cost 5999.9 USD",
        "  balances  5.1 BTC, 94000 USD (10.5 held)",
    ]


def test_json_has_every_digit() -> None:
    line = json_line(outcome_json(outcome(LIMIT, Added(order_id="OA", order_userref=7)), "local", AFTER))
    assert '"avg_price":59999.0,' in line
    assert '"balance":5.1000000000,"held":0,"available":5.1000000000' in line
    told = json.loads(line)
    assert told["outcome"] == "accepted"
    assert told["sent"] is True
    assert told["answers"] == [{"outcome": "accepted", "order_id": "OA", "order_userref": 7}]
    assert told["order"]["trigger_price"] == 2
    assert told["fills"][0]["exec_id"] == "TA"


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (OrderRefused("EOrder:Rate limit exceeded"), {"outcome": "refused", "error": "EOrder:Rate limit exceeded"}),
        (Unanswered("no reply"), {"outcome": "unknown", "reason": "no reply"}),
    ],
)
def test_json_of_what_was_not_accepted_says_why(answer: object, shown: dict[str, str]) -> None:
    told = json.loads(json_line(outcome_json(outcome(MARKET, answer), "live", None)))
    assert told["outcome"] == shown["outcome"]
    assert told["error"] in shown.values()
    assert told["answers"] == [shown]
    assert "order" not in told


def test_a_row_shows_relative_prices_as_such() -> None:
    assert order_row(RECORD) == (
        "OA",
        "buy 0.1 BTC/USD limit at 60000.0 (trigger 2% away)",
        "0.1",
        "2024-01-01 12:00:00",
    )


def test_an_answer_without_a_word_of_its_own_still_is_told() -> None:
    assert list(outcome_lines(outcome(CancelAll(), BatchCanceled(2)))) == [
        "done: cancel every open order of the account"
    ]


def test_json_of_an_order_says_what_its_trigger_counts_in() -> None:
    told = order_json(RECORD)
    assert [told[name] for name in ("trigger_price", "trigger_price_type", "trigger_reference")] == [2, "pct", "last"]
    assert order_json(replace(RECORD, triggers=None))["trigger_price_type"] is None
