"""Timers by the market's time: one-off, and repeated ones aligned to 1970 UTC, so that every world fires alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Timers"]


class TimerMarket(Protocol):
    """What calls back at a time: the simulator."""

    now_ns: int
    on_time: Callable[[int], None]

    def at(self, time_ns: int, timer_id: int) -> None:
        """Have `on_time` called then."""
        ...


class Timers:
    """All timers of a run. The market's `on_time` is taken.

    Args:
        market: whose time it is.
    """

    def __init__(self, market: TimerMarket) -> None:
        self._market = market
        self._calls: dict[int, Callable[[], None]] = {}
        self._made = 0
        market.on_time = self._fire

    def at(self, time_ns: int, call: Callable[[], None]) -> None:
        """Call once, at a time or at once where it is over."""
        timer = self._number()

        def fire() -> None:
            del self._calls[timer]
            call()

        self._calls[timer] = fire
        self._market.at(time_ns, timer)

    def every(self, period_ns: int, call: Callable[[], None]) -> None:
        """Call at each multiple of a period after now."""
        market, timer = self._market, self._number()
        due_ns = market.now_ns - market.now_ns % period_ns + period_ns

        def fire() -> None:
            nonlocal due_ns
            due_ns += period_ns
            market.at(due_ns, timer)
            call()

        self._calls[timer] = fire
        market.at(due_ns, timer)

    def _number(self) -> int:
        self._made += 1
        return self._made

    def _fire(self, timer: int) -> None:
        self._calls[timer]()
