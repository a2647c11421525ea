"""What REST is asked of an account: once everything else was told, in bounded parts, and not too often."""

from __future__ import annotations

from decimal import Decimal

import pytest

from krakenwire import limits
from krakenwire.errors import ConnectError
from krakenwire.model import Execution, Executions, Fill, OrderRecord, OrderState, TradeRecord
from krakenwire.session.account import AccountState
from krakenwire.session.lookup import Findings, Lookup, Missing

SECOND = 1_000_000_000
FAILURE = ConnectError("https://127.0.0.1:1", "refused")


class Asked:
    """An account on version 2 and its lookup."""

    def __init__(self) -> None:
        self.account = AccountState(("executions",))
        self.lookup = Lookup(self.account, ("executions",))
        self.sequence = 0
        self.tell("snapshot")

    def tell(self, kind: str, *rows: Execution) -> None:
        self.sequence += 1
        event = Executions(kind=kind, executions=rows, sequence=self.sequence)  # type: ignore[arg-type]
        self.account.feed(event)

    def cut(self) -> None:
        self.account.disconnected()
        self.sequence = 0

    def lose(self, *order_ids: str) -> None:
        """Let orders end unseen."""
        self.tell("update", *(_new(name) for name in order_ids))
        self.cut()
        self.tell("snapshot")


@pytest.fixture
def asked() -> Asked:
    return Asked()


def _new(order_id: str) -> Execution:
    return Execution(order_id=order_id, exec_type="new", order_status="new", time_ns=5)


def fill(number: int) -> Execution:
    return Execution(
        order_id="O1",
        exec_type="trade",
        order_status="partially_filled",
        exec_id=f"T{number}",
        time_ns=number,
        symbol="BTC/USD",
        side="buy",
        last_qty=Decimal(1),
        last_price=Decimal(100),
    )


def record(order_id: str = "O1", status: str = "canceled") -> OrderRecord:
    return OrderRecord(
        order_id=order_id,
        status=status,  # type: ignore[arg-type]
        symbol="BTC/USD",
        side="buy",
        order_type="limit",
        order_qty=Decimal(1),
        open_time_ns=5,
    )


def trade(number: int) -> TradeRecord:
    return TradeRecord(
        exec_id=f"T{number}",
        order_id="O1",
        symbol="BTC/USD",
        time_ns=number,
        side="buy",
        order_type="limit",
        price=Decimal(100),
        cost=Decimal(100),
        fee=Decimal(1),
        qty=Decimal(1),
    )


def test_nothing_is_asked_of_an_account_that_is_whole(asked: Asked) -> None:
    assert (asked.lookup.due(0), asked.lookup.pending, asked.lookup.next_deadline_ns()) == (None, False, None)


def test_nothing_is_asked_before_everything_was_told(asked: Asked) -> None:
    asked.lose("O1")
    asked.cut()
    assert (asked.lookup.due(0), asked.lookup.pending, asked.lookup.next_deadline_ns()) == (None, True, None)
    asked.tell("snapshot")
    assert asked.lookup.due(0) == Missing(("O1",), None)
    assert (asked.lookup.due(0), asked.lookup.pending, asked.lookup.next_deadline_ns()) == (None, True, None)


def test_an_order_that_rest_calls_open_is_asked_for_again_later_and_later(asked: Asked) -> None:
    asked.lose("O1")
    now_ns, pauses = 0, []
    for _ in range(8):
        assert asked.lookup.due(now_ns) is not None
        assert asked.lookup.found(Findings([record(status="open")], None), now_ns) == ()
        assert (asked.lookup.pending, asked.lookup.due(now_ns)) == (False, None)
        due_ns = asked.lookup.next_deadline_ns()
        assert due_ns is not None
        pauses.append((due_ns - now_ns) / SECOND)
        now_ns = due_ns
    assert pauses == [1, 2, 4, 8, 16, 32, limits.LOOKUP_PAUSE_MAX_S, limits.LOOKUP_PAUSE_MAX_S]


def test_what_is_missed_later_does_not_wait_for_the_pause(asked: Asked) -> None:
    asked.lose("O1")
    asked.lookup.due(0)
    asked.lookup.found(Findings([record(status="open")], None), 0)
    asked.lose("O2")
    assert asked.lookup.due(0) == Missing(("O1", "O2"), None)


def test_after_everything_is_settled_the_pauses_begin_anew(asked: Asked) -> None:
    asked.lose("O1")
    asked.lookup.due(0)
    asked.lookup.failed(FAILURE, 0)
    assert (asked.lookup.error, asked.lookup.due(0), asked.lookup.pending) == (FAILURE, None, False)
    assert asked.lookup.due(SECOND) is not None
    (ended,) = asked.lookup.found(Findings([record()], None), SECOND)
    assert isinstance(ended, OrderState)
    assert (ended.status, asked.lookup.error, asked.lookup.due(SECOND)) == ("canceled", None, None)
    asked.lose("O2")
    assert asked.lookup.due(SECOND) == Missing(("O2",), None)


def test_somebody_who_wants_to_know_does_not_wait_for_the_pause(asked: Asked) -> None:
    asked.lose("O1")
    asked.lookup.due(0)
    asked.lookup.failed(FAILURE, 0)
    asked.lookup.again()
    assert (asked.lookup.error, asked.lookup.due(0)) == (None, Missing(("O1",), None))


def test_many_orders_are_asked_for_in_parts(asked: Asked) -> None:
    asked.lose(*(f"O{number}" for number in range(limits.LOOKUP_ORDERS_MAX + 1)))
    first = asked.lookup.due(0)
    assert first is not None
    assert len(first.order_ids) == limits.LOOKUP_ORDERS_MAX
    asked.lookup.found(Findings([record(name) for name in first.order_ids], None), 0)
    assert asked.lookup.due(0) == Missing((f"O{limits.LOOKUP_ORDERS_MAX}",), None)


def test_fills_missed_while_rest_was_asked_are_asked_for_too(asked: Asked) -> None:
    asked.account.learn([trade(1)])
    asked.cut()
    asked.tell("snapshot", *(fill(number) for number in range(101, 151)))
    assert asked.lookup.due(0) == Missing((), 1)
    asked.cut()
    asked.tell("snapshot", *(fill(number) for number in range(201, 251)))
    (missed,) = asked.lookup.found(Findings((), [trade(50)]), 0)
    assert isinstance(missed, Fill)
    assert asked.account.missed_since_ns == 1
    asked.lookup.again()
    assert asked.lookup.due(0) == Missing((), 1)
    assert len(asked.lookup.found(Findings((), [trade(50), trade(160)]), 0)) == 1
    assert asked.account.whole
