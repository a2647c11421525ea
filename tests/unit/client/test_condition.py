"""The lock of the clients: taken and given back without a moment in which Ctrl-C could leave it taken."""

from __future__ import annotations

import sys
import threading
from types import FrameType

import pytest

from krakenwire.client.condition import new_condition


def python_calls(condition: threading.Condition) -> list[str]:
    """The functions written in Python that a ``with`` statement of a condition runs."""
    called: list[str] = []

    def note(frame: FrameType, what: str, _argument: object) -> None:
        if what == "call":
            called.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        with condition:
            pass
    finally:
        sys.setprofile(before)
    return called


def test_no_python_runs_between_taking_the_lock_and_the_body_of_the_statement() -> None:
    assert python_calls(new_condition()) == []
    assert python_calls(threading.Condition()) == ["__enter__", "__exit__"], "what it is for"


def test_it_is_a_condition_that_its_thread_may_take_again() -> None:
    condition, seen = new_condition(), []
    ready = threading.Event()

    def wait() -> None:
        with condition, condition:
            ready.set()
            seen.append(condition.wait(30))

    thread = threading.Thread(target=wait)
    thread.start()
    assert ready.wait(30)
    with condition:
        condition.notify_all()
    thread.join(30)
    assert seen == [True]


def test_the_lock_is_given_back_when_the_body_raises() -> None:
    condition = new_condition()
    with pytest.raises(KeyboardInterrupt), condition:
        raise KeyboardInterrupt
    free: list[bool] = []
    thread = threading.Thread(target=lambda: free.append(condition.acquire(timeout=30)))
    thread.start()
    thread.join()
    assert free == [True]
