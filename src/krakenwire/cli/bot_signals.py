"""Ctrl-C and SIGTERM while a bot runs: the first ends it in order, the second at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

__all__ = ["Stopper", "stops_on_signals"]

_ECHO_S: Final = 0.2
"""A signal to a process and to its group comes twice; a person's second one comes later."""


class Stopper:
    """What a signal does; before a bot is there it interrupts the start.

    Attributes:
        stop: asks the running bot to end, with the reason.
    """

    def __init__(self) -> None:
        self.stop: Callable[[str], None] | None = None
        self._asked_s: float | None = None

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal.

        Raises:
            KeyboardInterrupt: there is no bot yet, or it was asked to end before.
        """
        if self.stop is None:
            raise KeyboardInterrupt
        now_s = time.monotonic()
        if self._asked_s is None:
            self._asked_s = now_s
            self.stop(signal.Signals(number).name)
        elif now_s - self._asked_s > _ECHO_S:
            self.stop("at once")
            raise KeyboardInterrupt


@contextmanager
def stops_on_signals() -> Iterator[Stopper]:
    """Let SIGINT and SIGTERM go to a `Stopper` for a while."""
    stopper = Stopper()
    # A shell starts background commands with SIGINT ignored: that stays.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    before = [(number, signal.signal(number, stopper)) for number in numbers]
    try:
        yield stopper
    finally:
        for number, handler in before:
            signal.signal(number, handler)
