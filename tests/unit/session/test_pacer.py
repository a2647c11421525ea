"""The pacer: how long a request waits, what it learns, and that the venue never has to refuse it."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from tests.unit.venue.trading.crowd import Crowd
from tests.unit.venue.trading.desks import Floor

from krakenwire.errors import ConfigError, UsageError
from krakenwire.model import (
    Added,
    AddOrder,
    AmendOrder,
    Answer,
    BatchAdd,
    BatchAdded,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    Canceled,
    CancelOrders,
    Edited,
    EditOrder,
    Execution,
    Executions,
    OrderRefused,
    Outcome,
    TradingRequest,
    Unanswered,
)
from krakenwire.model.rates import TIERS, RateLimit
from krakenwire.session.pacer import Pacer, RestPacer
from krakenwire.venue.access.pace import AccountLimits, AccountPace

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND
D = Decimal
STARTER = TIERS["starter"].trading
"""60 points, one less each second."""

ADD = AddOrder(symbol="BTC/USD", side="buy", order_type="limit", order_qty=D(1), limit_price=D(1))


@pytest.fixture
def pacer() -> Pacer:
    return Pacer(STARTER, margin=D(0))


def fill_up(pacer: Pacer, points: int, symbol: str = "BTC/USD", now_ns: int = NOW) -> None:
    order = AddOrder(symbol=symbol, side="buy", order_type="market", order_qty=D(1))
    for _ in range(points):
        pacer.sent(order, now_ns)


def cancel(*order_ids: str) -> CancelOrders:
    return CancelOrders(order_ids=order_ids)


def test_a_request_waits_until_the_counter_has_fallen_far_enough(pacer: Pacer) -> None:
    fill_up(pacer, 59)
    assert pacer.wait_ns(ADD, NOW) == 0
    pacer.sent(ADD, NOW)
    assert pacer.wait_ns(ADD, NOW) == SECOND
    assert pacer.wait_ns(BatchAdd(symbol="BTC/USD", orders=(ADD,) * 6), NOW) == 3 * SECOND
    assert pacer.wait_ns(ADD, NOW + SECOND) == 0
    assert pacer.wait_ns(AddOrder(symbol="ETH/USD", side="buy", order_type="market"), NOW) == 0, "a counter each"


def test_new_orders_leave_a_margin_that_cancellations_may_use() -> None:
    pacer = Pacer(STARTER, margin=D("0.1"))
    fill_up(pacer, 52)
    pacer.placed("O1", "BTC/USD", None, NOW)
    assert pacer.wait_ns(ADD, NOW) == 0
    pacer.sent(ADD, NOW)
    assert pacer.wait_ns(ADD, NOW) == 0
    pacer.sent(ADD, NOW)
    assert pacer.wait_ns(ADD, NOW) == SECOND
    assert pacer.wait_ns(cancel("O1"), NOW) == 2 * SECOND
    pacer.placed("O2", "BTC/USD", None, NOW - 5 * SECOND)
    assert pacer.wait_ns(cancel("O2"), NOW) == 0
    for margin in (D(-1), D(1)):
        with pytest.raises(ConfigError):
            Pacer(STARTER, margin=margin)


def test_a_touched_order_becomes_cheaper_with_its_age(pacer: Pacer) -> None:
    pacer.placed("O1", "BTC/USD", "mine", NOW)
    for seconds, amend, edit, ended in ((0, 4, 7, 8), (7, 3, 6, 6), (12, 2, 5, 5), (20, 1, 3, 4), (301, 1, 1, 0)):
        at = NOW + seconds * SECOND
        for points, request in (
            (amend, AmendOrder(cl_ord_id="mine")),
            (edit, EditOrder(order_id="O1")),
            (ended, cancel("O1")),
        ):
            before = pacer.value("BTC/USD", at)
            pacer.sent(request, at)
            assert pacer.value("BTC/USD", at) - before == points


def test_a_wait_ends_where_the_order_becomes_cheap_enough() -> None:
    pacer = Pacer(RateLimit(D(60), D("0.1")), margin=D(0))
    pacer.placed("O1", "BTC/USD", None, NOW)
    fill_up(pacer, 54)
    assert pacer.wait_ns(cancel("O1"), NOW) == 5 * SECOND, "six points then, and not yet eight by decay"


def test_an_amended_order_is_as_dear_as_a_new_one(pacer: Pacer) -> None:
    pacer.placed("O1", "BTC/USD", None, NOW - 600 * SECOND)
    pacer.answered(outcome(AmendOrder(order_id="O1"), OrderRefused("EOrder:Post only order")), NOW)
    pacer.sent(cancel("O1"), NOW)
    assert pacer.value("BTC/USD", NOW) == 0
    pacer.answered(outcome(AmendOrder(order_id="O1"), Unanswered("lost")), NOW)
    pacer.sent(cancel("O1"), NOW)
    assert pacer.value("BTC/USD", NOW) == 8, "it may have been amended"


def test_an_order_that_is_not_known_counts_as_new_and_against_every_pair(pacer: Pacer) -> None:
    fill_up(pacer, 10)
    fill_up(pacer, 55, "ETH/USD")
    assert pacer.wait_ns(cancel("O9"), NOW) == 3 * SECOND
    pacer.sent(cancel("O9"), NOW)
    assert [pacer.value(symbol, NOW) for symbol in ("BTC/USD", "ETH/USD", "SOL/USD")] == [18, 63, 8]
    assert pacer.wait_ns(AmendOrder(order_id="O9", symbol="SOL/USD"), NOW) == 0, "its pair is said"


def test_cancellations_by_tag_count_every_order_that_has_it(pacer: Pacer) -> None:
    pacer.placed("O1", "BTC/USD", None, NOW, 7)
    pacer.placed("O2", "ETH/USD", None, NOW - 600 * SECOND, 7)
    pacer.placed("O3", "BTC/USD", None, NOW, 8)
    pacer.sent(CancelOrders(order_userrefs=(7,)), NOW)
    assert (pacer.value("BTC/USD", NOW), pacer.value("ETH/USD", NOW)) == (8, 0)
    pacer.sent(BatchCancel(order_ids=("7", "O3")), NOW)
    assert pacer.value("BTC/USD", NOW) == 24


def test_a_batch_of_cancellations_never_waits_and_is_charged(pacer: Pacer) -> None:
    ids = tuple(f"O{n}" for n in range(50))
    for order_id in ids:
        pacer.placed(order_id, "BTC/USD", None, NOW)
    assert pacer.wait_ns(BatchCancel(order_ids=ids), NOW) == 0
    pacer.sent(BatchCancel(order_ids=ids), NOW)
    assert pacer.wait_ns(ADD, NOW) == (400 - 59) * SECOND


def test_what_concerns_all_pairs_has_a_counter_of_its_own(pacer: Pacer) -> None:
    for _ in range(60):
        pacer.sent(CancelAll(), NOW)
    assert pacer.wait_ns(CancelAllAfter(timeout_s=60), NOW) == SECOND
    assert pacer.wait_ns(ADD, NOW) == 0


def test_what_will_never_fit_is_a_usage_error_and_what_ages_will_is_not() -> None:
    small = Pacer(RateLimit(D(7), D(1)))
    with pytest.raises(UsageError, match="rate cost"):
        small.wait_ns(BatchAdd(symbol="BTC/USD", orders=(ADD,) * 15), NOW)
    small.placed("O1", "BTC/USD", None, NOW)
    assert small.wait_ns(cancel("O1"), NOW) == 5 * SECOND
    with pytest.raises(UsageError):
        small.wait_ns(cancel("O1", "O9"), NOW)
    full = Pacer(RateLimit(D(7), D(1)), margin=D("0.9"))
    assert full.wait_ns(ADD, NOW) == 0, "the margin makes nothing impossible"


def test_what_the_venue_tells_moves_the_counter_to_where_both_can_be_true(pacer: Pacer) -> None:
    fill_up(pacer, 40, now_ns=NOW - 10 * SECOND)
    assert pacer.value("BTC/USD", NOW) == 30
    pacer.told("BTC/USD", 35, NOW)
    assert pacer.value("BTC/USD", NOW) == 35, "somebody else trades, too"
    pacer.told("BTC/USD", 10, NOW)
    assert pacer.value("BTC/USD", NOW) == 11, "whole points are told"
    pacer.sent(ADD, NOW)
    pacer.told("BTC/USD", 10, NOW)
    assert pacer.value("BTC/USD", NOW) == 12, "what was just sent may not be in it"
    pacer.told("BTC/USD", 0, NOW + 3 * SECOND)
    assert pacer.value("BTC/USD", NOW + 3 * SECOND) == 1


def test_the_limit_is_that_of_the_tier_whose_threshold_is_told() -> None:
    pacer = Pacer()
    assert (pacer.wait_ns(ADD, NOW), pacer.limit) == (0, None)
    pacer.sent(ADD, NOW)
    pacer.told("BTC/USD", 5, NOW)
    assert pacer.value("BTC/USD", NOW) == 0, "without a limit nothing is counted"
    pacer.limit_told(125, NOW)
    assert pacer.limit == TIERS["intermediate"].trading
    fill_up(pacer, 100)
    pacer.limit_told(77, NOW)
    assert pacer.limit == RateLimit(D(77), D("1.00"))
    assert pacer.value("BTC/USD", NOW) == 100


def test_it_learns_orders_from_answers(pacer: Pacer) -> None:
    batch = BatchAdd(symbol="BTC/USD", orders=(ADD, ADD))
    pacer.answered(outcome(ADD, Added(order_id="O1")), NOW - 600 * SECOND)
    pacer.answered(outcome(ADD, Added(order_id="")), NOW)
    pacer.answered(outcome(batch, BatchAdded((OrderRefused("E"), Added(order_id="O2"))).orders), NOW - 20 * SECOND)
    pacer.sent(cancel("O1", "O2"), NOW)
    assert pacer.value("BTC/USD", NOW) == 4
    pacer.answered(outcome(EditOrder(order_id="O1"), Edited(order_id="O3", original_order_id="O1")), NOW)
    pacer.sent(cancel("O3"), NOW)
    assert pacer.value("BTC/USD", NOW) == 12
    pacer.sent(cancel("O1"), NOW)
    assert pacer.value("BTC/USD", NOW) == 20, "it was replaced, and is not known any more"


def test_it_forgets_what_was_canceled(pacer: Pacer) -> None:
    for order_id, cl_ord_id in (("O1", None), ("O2", "mine"), ("O3", None)):
        pacer.placed(order_id, "BTC/USD", cl_ord_id, NOW - 600 * SECOND)
    request = CancelOrders(order_ids=("O1", "O3"), cl_ord_ids=("mine",))
    pacer.answered(outcome(request, (Canceled(), OrderRefused("EOrder:Rate limit exceeded"), Canceled())), NOW)
    for known, request in ((True, cancel("O3")), (False, cancel("O1")), (False, CancelOrders(cl_ord_ids=("mine",)))):
        before = pacer.value("BTC/USD", NOW)
        pacer.sent(request, NOW)
        assert pacer.value("BTC/USD", NOW) - before == (0 if known else 8)


def test_it_learns_orders_and_the_counter_from_events(pacer: Pacer) -> None:
    told: dict[str, Any] = {"order_id": "O1", "order_status": "new", "cl_ord_id": "mine"}
    placed = Execution(exec_type="pending_new", time_ns=NOW - 20 * SECOND, symbol="BTC/USD", **told)
    pacer.heard(executions(placed), NOW)
    pacer.sent(CancelOrders(cl_ord_ids=("mine",)), NOW)
    assert pacer.value("BTC/USD", NOW) == 4
    pacer.heard(executions(Execution(exec_type="amended", time_ns=NOW, ratecount=9, **told)), NOW)
    assert pacer.value("BTC/USD", NOW) == 9
    pacer.sent(AmendOrder(order_id="O1"), NOW)
    assert pacer.value("BTC/USD", NOW) == 13
    ended = Execution(exec_type="canceled", time_ns=NOW, **(told | {"order_status": "canceled"}))
    pacer.heard(executions(ended), NOW)
    assert pacer.wait_ns(AmendOrder(order_id="O1"), NOW) == 0
    pacer.sent(AmendOrder(order_id="O1"), NOW)
    assert pacer.value("SOL/USD", NOW) == 4, "it is not known any more"


def test_only_so_many_orders_are_remembered() -> None:
    pacer = Pacer(STARTER, orders_kept=1)
    pacer.placed("O1", "BTC/USD", "a", NOW - 600 * SECOND)
    pacer.placed("O2", "BTC/USD", "b", NOW - 600 * SECOND)
    pacer.sent(CancelOrders(cl_ord_ids=("b",)), NOW)
    assert pacer.value("BTC/USD", NOW) == 0
    pacer.sent(CancelOrders(cl_ord_ids=("a",)), NOW)
    assert pacer.value("BTC/USD", NOW) == 8


def test_rest_calls_wait_for_the_counter_of_their_key() -> None:
    pacer = RestPacer(RateLimit(D(5), D("0.5")))
    assert pacer.wait_ns("Ledgers", NOW) == 0
    pacer.sent("Ledgers", NOW)
    pacer.sent("Balance", NOW)
    assert pacer.wait_ns("Balance", NOW) == 2 * SECOND
    assert pacer.wait_ns("Ledgers", NOW) == 8 * SECOND
    pacer.sent("AddOrder", NOW)
    assert pacer.wait_ns("AddOrder", NOW) == 0, "orders have another counter"
    with pytest.raises(UsageError, match="Ledgers"):
        RestPacer(RateLimit(D(3), D(1))).wait_ns("Ledgers", NOW)
    unpaced = RestPacer()
    unpaced.sent("Ledgers", NOW)
    assert unpaced.wait_ns("Ledgers", NOW) == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_venue_never_refuses_what_was_paced_and_no_request_waits_in_vain(seed: int) -> None:
    floor = Floor()
    crowd, chance = Crowd(floor, seed), Random(seed)
    account = crowd.accounts[1]
    account.pace = AccountPace(AccountLimits(trading=STARTER))
    pacer, waited, exact = Pacer(STARTER, margin=D(0)), 0, 0
    for _ in range(2_500):
        floor.now_ns += chance.randrange(SECOND // 5)
        who = chance.choice(crowd.accounts)
        draw = chance.choices((crowd.add, crowd.amend, crowd.cancel, crowd.edit, crowd.batch), (60, 15, 14, 4, 4))[0]
        request = draw(who)
        if who is not account:
            floor.ask(who, request)
            continue
        wait_ns = wait_for(pacer, request, floor.now_ns + 1_000_000)
        if wait_ns is None:
            continue
        if wait_ns:
            waited += 1
            floor.pass_time(wait_ns / SECOND + 0.001)
        now_ns = floor.now_ns + 1_000_000
        assert pacer.wait_ns(request, now_ns) == 0
        pacer.sent(request, now_ns)
        answers = floor.ask(account, request)
        assert not [a for a in answers if isinstance(a, OrderRefused) and "Rate limit" in a.error], request
        pacer.answered(outcome(request, flat(answers)), now_ns)
        events = tuple(report for report in floor.told(account) if isinstance(report, Execution))
        pacer.heard(executions(*events), now_ns)
        for symbol in floor.exchange.desks:
            counted = account.pace.rate_count(symbol, now_ns)
            assert pacer.value(symbol, now_ns) >= counted
            exact += pacer.value(symbol, now_ns) == counted
            if chance.random() < 0.05:
                pacer.told(symbol, int(counted), now_ns + 10 * SECOND)
                floor.now_ns = max(floor.now_ns, now_ns + 10 * SECOND)
    assert waited > 20
    assert exact > 100


def wait_for(pacer: Pacer, request: TradingRequest, now_ns: int) -> int | None:
    try:
        return pacer.wait_ns(request, now_ns)
    except UsageError:
        return None


def flat(answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    (first, *rest) = answers
    return first.orders if isinstance(first, BatchAdded) else (first, *rest)


def outcome(request: TradingRequest, answer: Any) -> Outcome:
    return Outcome(request=request, answers=answer if isinstance(answer, tuple) else (answer,))


def executions(*rows: Execution) -> Executions:
    return Executions(kind="update", executions=rows, sequence=2)
