"""Deadlines by name: early ones stay, fired ones are gone, memory follows what is armed."""

from __future__ import annotations

from krakenwire.session.timers import Timers


def test_an_earlier_wake_stays_and_a_later_one_gives_way() -> None:
    timers = Timers()
    timers.arm("a", 10)
    timers.arm("a", 20)
    assert timers.next_ns() == 10
    timers.arm("a", 5)
    assert timers.next_ns() == 5
    assert list(timers.due(30)) == ["a"]
    assert timers.next_ns() is None


def test_names_come_in_the_order_of_their_times_then_of_arming() -> None:
    timers = Timers()
    for name, when_ns in (("late", 9), ("first", 1), ("second", 1), ("never", None), ("after", 11)):
        timers.arm(name, when_ns)
    assert list(timers.due(10)) == ["first", "second", "late"]
    assert timers.next_ns() == 11


def test_a_cleared_timer_does_not_fire() -> None:
    timers = Timers()
    timers.arm("a", 1)
    timers.clear()
    assert list(timers.due(5)) == []
    assert len(timers) == 0


def test_moving_one_deadline_for_ever_takes_no_memory() -> None:
    timers = Timers()
    for when_ns in range(100_000, 0, -1):
        timers.arm("a", when_ns)
    assert len(timers._heap) <= 100
    assert timers.next_ns() == 1
