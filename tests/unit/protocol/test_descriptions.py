"""Orders in words: one row per kind of order, for answers and for the feed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.model import AddOrder, Conditional, Contingent, OrderRecord, Trigger, TriggerState
from krakenwire.protocol.descriptions import PairTexts, feed_words, fixed, record_words, request_words

PAIR = PairTexts(
    rest_key="XXBTZUSD", altname="XBTUSD", wsname="XBT/USD", price_decimals=1, cost_decimals=5, v1_decimals=5
)
QTY = Decimal("1.25")

ROWS = [
    (
        {"order_type": "limit", "limit_price": Decimal(27500)},
        "buy 1.25000000 XBTUSD @ limit 27500.0",
        "buy 1.25000000 XBT/USD @ limit 27500.00000",
    ),
    ({"order_type": "market"}, "buy 1.25000000 XBTUSD @ market", "buy 1.25000000 XBT/USD @ market 0.00000"),
    (
        {"order_type": "settle-position", "leverage": 2},
        "buy 1.25000000 XBTUSD @ settle position with 2:1 leverage",
        "buy 1.25000000 XBT/USD @ settle-position 0.00000 with 2:1 leverage",
    ),
    (
        {"order_type": "iceberg", "limit_price": Decimal(9), "limit_price_type": "quote"},
        "buy 1.25000000 XBTUSD @ iceberg +9.0",
        "buy 1.25000000 XBT/USD @ iceberg +9.00000",
    ),
    (
        {"order_type": "stop-loss", "triggers": Trigger(price=Decimal(24000))},
        "buy 1.25000000 XBTUSD @ stop loss 24000.0",
        "buy 1.25000000 XBT/USD @ stop-loss 24000.00000",
    ),
    (
        {
            "order_type": "stop-loss-limit",
            "triggers": Trigger(price=Decimal(24000)),
            "limit_price": Decimal(25000),
            "leverage": 5,
        },
        "buy 1.25000000 XBTUSD @ stop loss 24000.0 -> limit 25000.0 with 5:1 leverage",
        "buy 1.25000000 XBT/USD @ stop-loss-limit 24000.00000, limit 25000.00000 with 5:1 leverage",
    ),
    (
        {"order_type": "take-profit", "triggers": Trigger(price=Decimal(-150), price_type="quote")},
        "buy 1.25000000 XBTUSD @ take profit -150.0",
        "buy 1.25000000 XBT/USD @ take-profit -150.00000",
    ),
    (
        {
            "order_type": "trailing-stop-limit",
            "triggers": Trigger(price=Decimal(5), price_type="pct"),
            "limit_price": Decimal(-100),
            "limit_price_type": "quote",
        },
        "buy 1.25000000 XBTUSD @ trailing stop +5.0000% -> limit -100.0",
        "buy 1.25000000 XBT/USD @ trailing-stop-limit +5.0000%, limit -100.00000",
    ),
]


def record(members: dict[str, Any]) -> OrderRecord:
    trigger = members.get("triggers")
    state = {} if trigger is None else {"triggers": TriggerState(price=trigger.price, price_type=trigger.price_type)}
    return OrderRecord(
        order_id="O1", status="open", symbol="BTC/USD", side="buy", order_qty=QTY, open_time_ns=1, **(members | state)
    )


@pytest.mark.parametrize(("members", "spoken", "fed"), ROWS, ids=[row[0]["order_type"] for row in ROWS])
def test_an_order_is_told_in_words(members: dict[str, Any], spoken: str, fed: str) -> None:
    request = AddOrder(symbol="BTC/USD", side="buy", order_qty=QTY, **members)
    assert request_words(request, PAIR).order == record_words(record(members), PAIR).order == spoken
    assert feed_words(record(members), PAIR).order == fed


def test_prices_are_told_by_their_places() -> None:
    both = record(ROWS[5][0])
    assert record_words(both, PAIR)[2:] == ("24000.0", "25000.0")
    assert feed_words(both, PAIR)[2:] == ("24000.00000", "25000.00000")
    none = record({"order_type": "market"})
    assert record_words(none, PAIR)[2:] == ("", "")
    assert feed_words(none, PAIR)[2:] == ("0.00000", "0.00000")


def test_an_order_in_quote_units_tells_what_it_may_spend() -> None:
    request = AddOrder(symbol="BTC/USD", side="buy", order_type="market", cash_order_qty=Decimal(100))
    assert request_words(request, PAIR).order == "buy 100.00000000 XBTUSD @ market"


def test_a_conditional_close_has_words_of_its_own() -> None:
    close = Conditional(order_type="stop-loss-limit", trigger_price=Decimal(22000), limit_price=Decimal(21000))
    request = AddOrder(symbol="BTC/USD", side="buy", order_type="market", order_qty=QTY, conditional=close)
    assert request_words(request, PAIR).close == "close position @ stop loss 22000.0 -> limit 21000.0"
    told = Contingent(order_type="take-profit", trigger_price=Decimal("2.5"), trigger_price_type="pct")
    assert record_words(record({"order_type": "market", "conditional": told}), PAIR).close == (
        "close position @ take profit +2.5000%"
    )
    assert record_words(record({"order_type": "market"}), PAIR).close == ""


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18), st.integers(0, 12))
def test_a_fixed_number_is_off_by_half_its_last_digit_at_most(value: Decimal, decimals: int) -> None:
    text = fixed(value, decimals)
    assert len(text.partition(".")[2]) == decimals
    assert abs(Decimal(text) - value) * 2 <= Decimal(1).scaleb(-decimals)


def test_a_half_is_rounded_up() -> None:
    assert [fixed(Decimal(text), 1) for text in ("0.05", "0.15", "0.25", "-0.05")] == ["0.1", "0.2", "0.3", "-0.1"]
