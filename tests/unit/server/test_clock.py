"""The venue's time can be held and moved; the line's cannot, and neither runs backwards."""

from __future__ import annotations

import pytest

from krakenwire.server import Clock

SECOND = 1_000_000_000


class Hand(Clock):
    """A clock whose real time is moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.real_ns = 1_000 * SECOND

    def line_ns(self) -> int:
        return self.real_ns


@pytest.fixture
def clock() -> Hand:
    return Hand()


def test_both_times_are_the_same_until_somebody_moves_one(clock: Hand) -> None:
    for _ in range(3):
        clock.real_ns += SECOND
        assert clock.now_ns() == clock.line_ns()
    assert not clock.frozen


def test_a_frozen_clock_stands_still_and_goes_on_from_there(clock: Hand) -> None:
    clock.freeze()
    clock.real_ns += 50 * SECOND
    assert (clock.now_ns(), clock.line_ns(), clock.frozen) == (1_000 * SECOND, 1_050 * SECOND, True)
    clock.resume()
    assert clock.now_ns() == 1_000 * SECOND
    clock.real_ns += SECOND
    assert clock.now_ns() == 1_001 * SECOND


@pytest.mark.parametrize("frozen", [False, True])
def test_a_clock_can_be_moved_frozen_or_not(clock: Hand, frozen: bool) -> None:
    if frozen:
        clock.freeze()
    clock.advance(90 * SECOND)
    assert clock.now_ns() == 1_090 * SECOND
    assert clock.line_ns() == 1_000 * SECOND
    clock.resume()
    clock.real_ns += SECOND
    assert clock.now_ns() == 1_091 * SECOND


def test_freezing_twice_and_resuming_twice_change_nothing(clock: Hand) -> None:
    clock.freeze()
    clock.real_ns += SECOND
    clock.freeze()
    assert clock.now_ns() == 1_000 * SECOND
    clock.resume()
    clock.resume()
    assert clock.now_ns() == 1_000 * SECOND


def test_the_real_clock_does_not_run_backwards() -> None:
    clock = Clock()
    times = [clock.now_ns() for _ in range(100)]
    assert times == sorted(times)
