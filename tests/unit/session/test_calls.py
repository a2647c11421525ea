"""Requests in flight: each gets one outcome, whatever comes back, and in whatever order."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.venue.gateways.member_floor import Floor

from krakenwire.errors import UsageError
from krakenwire.model import (
    Added,
    AddOrder,
    AllCanceled,
    Answer,
    BatchAdd,
    BatchAdded,
    BatchCancel,
    BatchCanceled,
    CancelAll,
    Canceled,
    CancelOrders,
    OrderRefused,
    Outcome,
    TradingReply,
    TradingRequest,
    Unanswered,
)
from krakenwire.protocol.v1.client import ClientCodec as CodecV1
from krakenwire.protocol.v1.trading import encode_request as encode_v1
from krakenwire.protocol.v2.client import ClientCodec as CodecV2
from krakenwire.protocol.v2.trading import encode_request as encode_v2
from krakenwire.session.calls import Call, Calls

SECOND = 1_000_000_000
ORDER = AddOrder(symbol="BTC/USD", side="buy", order_type="market", order_qty=Decimal("0.1"))
GONE = OrderRefused("EOrder:Unknown order")
LOCKED = OrderRefused("EGeneral:Permission denied")


def reply(answer: Answer, req_id: int | None = 1, method: str = "cancel_order") -> TradingReply:
    return TradingReply(method=method, answer=answer, req_id=req_id)


def outcome_of(call: Call | None) -> Outcome:
    assert call is not None
    assert call.outcome is not None
    return call.outcome


def test_a_reply_ends_the_call_with_its_number() -> None:
    calls = Calls()
    first, second = calls.open(ORDER, 1, 100, 5), calls.open(ORDER, 2, 200, 5)
    yes = Added(order_id="O2")
    assert calls.take(reply(yes, 2, "add_order"), 900) is second
    assert outcome_of(second) == Outcome(request=ORDER, answers=(yes,), req_id=2, sent_ns=200, answered_ns=900)
    assert first.outcome is None
    assert len(calls) == 1


def test_a_late_or_foreign_reply_is_counted_and_belongs_to_nobody() -> None:
    calls = Calls()
    call = calls.open(ORDER, 1, 0, 5)
    assert calls.take(reply(Added(order_id="O"), 9, "add_order"), 1) is None
    assert calls.take(reply(Canceled(), 1), 1) is None, "the number of a request of another method"
    assert calls.due(5 * SECOND) == (call,)
    assert calls.take(reply(Added(order_id="O"), 1, "add_order"), 6 * SECOND) is None
    assert calls.unmatched == 3


def test_a_reply_without_a_number_belongs_to_the_only_call_of_its_method() -> None:
    calls = Calls(1)
    add, cancel = calls.open(ORDER, 1, 0, 5), calls.open(CancelAll(), 2, 0, 5)
    assert calls.take(reply(AllCanceled(3), None, "cancel_all"), 1) is cancel
    calls.open(ORDER, 3, 0, 5)
    assert calls.take(reply(Added(order_id="O"), None, "add_order"), 1) is None
    assert (add.outcome, calls.unmatched) == (None, 1)


def test_replies_of_a_cancellation_that_name_their_order_find_its_place_in_any_order() -> None:
    request = CancelOrders(order_ids=("A", "B"), cl_ord_ids=("A",), order_userrefs=(7,))
    answers: tuple[Answer, ...] = (Canceled(order_id="A"), GONE, Canceled(cl_ord_id="A"), Canceled(order_userref=7))
    for came in itertools.permutations(answers):
        calls = Calls()
        call = calls.open(request, 1, 0, 5)
        for answer in came:
            assert call.outcome is None
            assert calls.take(reply(answer), 1) is call
        assert outcome_of(call).answers == answers


def test_replies_that_name_nothing_are_taken_in_the_order_in_which_v1_answers() -> None:
    calls = Calls(1)
    call = calls.open(CancelOrders(order_ids=("A",), cl_ord_ids=("mine",), order_userrefs=(7,)), 1, 0, 5)
    userref_refused = OrderRefused("EOrder:Invalid order")
    for answer in (Canceled(), userref_refused, GONE):
        calls.take(reply(answer), 1)
    assert outcome_of(call).answers == (Canceled(), GONE, userref_refused)


def test_one_id_given_twice_has_an_answer_each_time() -> None:
    calls = Calls()
    call = calls.open(CancelOrders(order_ids=("A", "A")), 1, 0, 5)
    calls.take(reply(Canceled(order_id="A")), 1)
    calls.take(reply(GONE), 1)
    assert outcome_of(call).answers == (Canceled(order_id="A"), GONE)


def test_a_cancellation_of_nothing_has_one_answer() -> None:
    calls = Calls()
    call = calls.open(CancelOrders(), 1, 0, 5)
    calls.take(reply(OrderRefused("Order_id(s) not found")), 1)
    assert outcome_of(call).answers == (OrderRefused("Order_id(s) not found"),)


def test_a_refusal_that_is_about_no_order_is_the_answer_of_all_of_them() -> None:
    calls = Calls()
    call = calls.open(CancelOrders(order_ids=("A", "B", "C")), 1, 0, 5)
    calls.take(reply(LOCKED), 1)
    assert outcome_of(call).answers == (LOCKED, LOCKED, LOCKED)
    assert outcome_of(call).refused


def test_a_batch_has_an_answer_for_each_order_even_if_all_were_refused_at_once() -> None:
    request = BatchAdd(symbol="BTC/USD", orders=(ORDER, ORDER))
    for answer, found in (
        (BatchAdded((Added(order_id="O"), GONE)), (Added(order_id="O"), GONE)),
        (LOCKED, (LOCKED, LOCKED)),
        (
            BatchAdded((Added(order_id="O"),)),
            (Added(order_id="O"), Unanswered("the reply does not tell of this order")),
        ),
    ):
        calls = Calls()
        call = calls.open(request, 1, 0, 5)
        calls.take(reply(answer, method="batch_add"), 1)
        assert outcome_of(call).answers == found


def test_a_batch_of_cancellations_has_one_answer() -> None:
    calls = Calls()
    call = calls.open(BatchCancel(order_ids=("A", "B")), 1, 0, 5)
    calls.take(reply(BatchCanceled(2), method="batch_cancel"), 1)
    assert outcome_of(call).answers == (BatchCanceled(2),)


def test_what_is_not_answered_in_time_is_unknown_and_what_is_keeps_its_answer() -> None:
    calls = Calls()
    call = calls.open(CancelOrders(order_ids=("A", "B")), 1, 0, 5)
    calls.take(reply(Canceled(order_id="B")), SECOND)
    assert calls.due(5 * SECOND - 1) == ()
    assert calls.due(5 * SECOND) == (call,)
    assert outcome_of(call).answers == (Unanswered("no reply within 5 s"), Canceled(order_id="B"))
    assert outcome_of(call).unknown


def test_the_next_deadline_is_that_of_the_earliest_call_still_in_flight() -> None:
    calls = Calls()
    assert calls.next_deadline_ns() is None
    calls.open(ORDER, 1, 0, 9)
    calls.open(ORDER, 2, 0, 3)
    assert calls.next_deadline_ns() == 3 * SECOND
    calls.take(reply(Added(order_id="O"), 2, "add_order"), 1)
    assert calls.next_deadline_ns() == 9 * SECOND
    calls.take(reply(Added(order_id="O"), 1, "add_order"), 1)
    assert calls.next_deadline_ns() is None


def test_with_the_connection_everything_in_flight_becomes_unknown() -> None:
    calls = Calls()
    opened = (calls.open(ORDER, 1, 0, 9), calls.open(BatchAdd(symbol="BTC/USD", orders=(ORDER, ORDER)), 2, 0, 3))
    assert calls.lost("the connection was lost", 7) == opened
    lost = Unanswered("the connection was lost")
    assert [outcome_of(call).answers for call in opened] == [(lost,), (lost, lost)]
    assert (len(calls), calls.next_deadline_ns(), calls.due(99 * SECOND)) == (0, None, ())


def test_more_than_the_bound_are_not_taken_in() -> None:
    calls = Calls(most=1)
    calls.open(ORDER, 1, 0, 5)
    with pytest.raises(UsageError, match="in flight"):
        calls.open(ORDER, 2, 0, 5)
    assert len(calls) == 1


@pytest.mark.parametrize("version", [1, 2])
def test_the_answers_of_the_local_kraken_find_the_ids_they_are_about(version: int) -> None:
    floor = Floor()
    token = floor.account("ann", USD=100_000)
    gateway: Any = floor.connect_v1() if version == 1 else floor.connect_v2()
    codec: Any = CodecV1() if version == 1 else CodecV2()
    encode = encode_v1 if version == 1 else encode_v2
    calls, req_ids = Calls(version), itertools.count(1)

    def ask(request: TradingRequest) -> Outcome:
        req_id = next(req_ids)
        call = calls.open(request, req_id, floor.now_ns, 5)
        for frame in gateway.feed_frame(encode(request, token, req_id).encode(), floor.now_ns):
            (event,) = codec.decode(frame)
            assert calls.take(event, floor.now_ns) is call
        return outcome_of(call)

    limit: dict[str, Any] = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": Decimal("0.01")}
    ids: list[str] = []
    for more in ({}, {"cl_ord_id": "mine"}, {"order_userref": 7}):
        added = ask(AddOrder(limit_price=Decimal(10_000), **limit, **more)).require()
        assert isinstance(added, Added)
        ids.append(added.order_id)
    request = CancelOrders(
        order_ids=("OAAAAA-AAAAA-AAAAAA", ids[0]), cl_ord_ids=("mine", "gone"), order_userrefs=(9, 7)
    )
    answers = ask(request).answers
    assert [isinstance(answer, Canceled) for answer in answers] == [False, True, True, False, False, True]
    assert ask(replace(request, order_ids=())).refused
    assert (len(calls), calls.unmatched) == (0, 0)
