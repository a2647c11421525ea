"""What waits for a strategy: nothing urgent is lost or late, and the market is bounded."""

from __future__ import annotations

import threading

from tests.unit.apps.bot_world import SYMBOL, level, snapshot, trade

from krakenwire.apps.bot_inbox import Inbox
from krakenwire.model import Event, Gap, Heartbeat

FOR_EVER_S = 60.0


def events(inbox: Inbox) -> list[Event]:
    return [event for batch in inbox.take() for event in batch.events]


def test_the_market_comes_out_as_it_was_put_in_and_once() -> None:
    inbox = Inbox()
    told = [snapshot(), level("99.5"), trade()]
    inbox.put(1, 7, told[:2])
    inbox.put(2, 7, told[2:])
    assert inbox.waiting == 3
    batches = inbox.take()
    assert [(batch.time_ns, batch.connection, list(batch.events)) for batch in batches] == [
        (1, 7, told[:2]),
        (2, 7, told[2:]),
    ]
    assert (inbox.waiting, inbox.take()) == (0, [])


def test_urgent_calls_are_made_in_their_order_and_those_they_leave_after_them() -> None:
    inbox = Inbox()
    made: list[int] = []
    inbox.post(lambda: (made.append(1), inbox.post(lambda: made.append(3)))[0])
    inbox.post(lambda: made.append(2))
    inbox.run_urgent()
    assert made == [1, 2, 3]


def test_an_urgent_call_that_raises_leaves_the_others_waiting() -> None:
    inbox = Inbox()
    made: list[int] = []
    inbox.post(lambda: made.index(5))
    inbox.post(lambda: made.append(2))
    try:
        inbox.run_urgent()
    except ValueError:
        inbox.run_urgent()
    assert made == [2]


def test_waiting_ends_at_once_where_something_is_there() -> None:
    inbox = Inbox()
    inbox.put(1, 0, [trade()])
    inbox.wait(FOR_EVER_S)
    inbox.take()
    inbox.post(lambda: None)
    inbox.wait(FOR_EVER_S)
    inbox.run_urgent()
    inbox.wait(0)


def test_waiting_ends_when_another_thread_leaves_something_however_the_two_meet() -> None:
    inbox = Inbox()
    rounds = 3_000
    taken = [0, 0]
    answered = threading.Semaphore(0)

    def give() -> None:
        for turn in range(rounds):
            if turn % 2:
                inbox.put(turn, 0, [trade()])
            else:
                inbox.post(lambda: None)
            answered.acquire()

    giver = threading.Thread(target=give)
    giver.start()
    while sum(taken) < rounds:
        inbox.wait(FOR_EVER_S)
        taken[0] += len(inbox.urgent)
        inbox.run_urgent()
        taken[1] += len(events(inbox))
        answered.release()
    giver.join()
    assert taken == [rounds // 2, rounds // 2]


def test_market_events_of_several_threads_all_come() -> None:
    inbox = Inbox()
    givers = [threading.Thread(target=lambda: [inbox.put(1, 0, [trade()]) for _ in range(500)]) for _ in range(3)]
    for giver in givers:
        giver.start()
    for giver in givers:
        giver.join()
    assert inbox.waiting == len(events(inbox)) == 1_500


def test_beyond_its_bound_the_market_is_dropped_until_all_that_waits_was_taken() -> None:
    asked: list[tuple[str, ...]] = []
    inbox = Inbox(events_max=2, on_dropped=asked.append)
    inbox.put(1, 0, [snapshot(), trade()])
    inbox.put(2, 0, [level("99.1"), trade()])
    inbox.put(3, 0, [level("99.2"), Heartbeat()])
    first = events(inbox)
    gaps = [event for event in first if isinstance(event, Gap)]
    assert [(gap.channel_name, gap.symbol, gap.reason, gap.dropped) for gap in gaps] == [
        ("book", SYMBOL, "slow consumer", 2),
        ("trade", SYMBOL, "slow consumer", 1),
    ]
    assert (len(first), inbox.dropped, asked) == (4, 3, [(SYMBOL,)])
    inbox.put(4, 0, [snapshot()])
    assert len(events(inbox)) == 1


def test_a_gap_that_was_dropped_is_told_all_the_same() -> None:
    inbox = Inbox(events_max=0)
    inbox.put(1, 0, [Gap(channel_name="book", symbol=SYMBOL, reason="disconnected")])
    [gap] = events(inbox)
    assert isinstance(gap, Gap)
    assert (gap.channel_name, gap.symbol, gap.dropped, inbox.dropped) == ("book", SYMBOL, 0, 0)


def test_urgent_calls_are_never_dropped() -> None:
    inbox = Inbox(events_max=0)
    made: list[int] = []
    for number in range(1_000):
        inbox.put(1, 0, [trade()])
        inbox.post(lambda number=number: made.append(number))  # type: ignore[misc]  # mypy cannot infer its type
    inbox.run_urgent()
    assert made == list(range(1_000))
