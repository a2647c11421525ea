"""Outcomes: what a request is called when its parts fared differently, and what `require` makes of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from krakenwire.errors import OutcomeUnknown, VenueRefusal
from krakenwire.model import (
    Added,
    AddOrder,
    Answer,
    BatchAdd,
    CancelAll,
    OrderRefused,
    Outcome,
    TradingRequest,
    Unanswered,
)

ORDER = AddOrder(
    symbol="BTC/USD", side="buy", order_type="limit", order_qty=Decimal("0.1"), limit_price=Decimal(50_000)
)
BATCH = BatchAdd(symbol="BTC/USD", orders=(ORDER, ORDER))
YES, NO, NOBODY = Added(order_id="O1"), OrderRefused("EOrder:Insufficient funds"), Unanswered("no reply within 5 s")


def outcome(*answers: Answer | Unanswered, request: TradingRequest = BATCH) -> Outcome:
    return Outcome(request=request, answers=answers, req_id=1, sent_ns=100, answered_ns=350)


@pytest.mark.parametrize(
    ("answers", "state", "error"),
    [
        ((YES, YES), "accepted", ""),
        ((NO, YES), "accepted", NO.error),
        ((NO, NO), "refused", NO.error),
        ((YES, NOBODY), "unknown", NOBODY.reason),
        ((NO, NOBODY), "unknown", NO.error),
    ],
)
def test_one_unknown_part_makes_it_unknown_and_only_all_refused_make_it_refused(
    answers: tuple[Answer | Unanswered, ...], state: str, error: str
) -> None:
    found = outcome(*answers)
    assert (found.state, found.error) == (state, error)
    assert [found.accepted, found.refused, found.unknown] == [state == s for s in ("accepted", "refused", "unknown")]


def test_the_first_yes_is_what_is_required() -> None:
    assert outcome(NO, YES).require() is YES
    assert outcome(NO, YES).answer is NO


def test_a_required_answer_that_is_no_raises_the_venues_words_with_method_and_symbol() -> None:
    with pytest.raises(VenueRefusal) as caught:
        outcome(NO, request=ORDER).require()
    assert (caught.value.error, caught.value.method, caught.value.symbol) == (NO.error, "add_order", "BTC/USD")


def test_a_required_answer_that_nobody_knows_raises_and_says_where_to_look() -> None:
    with pytest.raises(OutcomeUnknown, match="no reply within 5 s") as caught:
        outcome(NOBODY, request=CancelAll()).require()
    assert (caught.value.method, caught.value.outcome_known, caught.value.retryable) == ("cancel_all", False, False)
    assert "open orders" in caught.value.hint
    with pytest.raises(OutcomeUnknown) as caught:
        outcome(NOBODY, request=AddOrder(symbol="BTC/USD", side="buy", order_type="market", cl_ord_id="a")).require()
    assert "cl_ord_id" in caught.value.hint


def test_only_an_answered_request_has_a_round_trip() -> None:
    assert outcome(YES).round_trip_ns == 250
    assert outcome(NOBODY).round_trip_ns is None
    assert Outcome(request=ORDER, answers=(NO,)).round_trip_ns is None
