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


@pytest.mark.parametrize("real_s", [0, 10, 5_000])
def test_a_clock_goes_on_where_an_earlier_life_left_it(clock: Hand, real_s: int) -> None:
    clock.advance(90 * SECOND)
    clock.freeze()
    clock.advance(9 * SECOND)
    later = Hand()
    later.real_ns = clock.real_ns + real_s * SECOND
    later.go_on(clock.ahead_ns, clock.now_ns())
    assert later.now_ns() == clock.now_ns() + real_s * SECOND


def test_a_clock_goes_on_from_where_it_was_though_real_time_was_set_back(clock: Hand) -> None:
    clock.advance(90 * SECOND)
    later = Hand()
    later.real_ns -= 500 * SECOND
    later.go_on(clock.ahead_ns, clock.now_ns())
    assert later.now_ns() == clock.now_ns()


def test_how_far_it_is_ahead_is_known_at_any_time(clock: Hand) -> None:
    assert clock.ahead_ns == 0
    clock.advance(5 * SECOND)
    clock.freeze()
    clock.real_ns += 20 * SECOND
    assert clock.ahead_ns == -15 * SECOND
    clock.resume()
    assert clock.ahead_ns == -15 * SECOND


def test_the_real_clock_does_not_run_backwards() -> None:
    clock = Clock()
    times = [clock.now_ns() for _ in range(100)]
    assert times == sorted(times)
