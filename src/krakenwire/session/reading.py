"""Where a transport puts the messages of one connection.

The readable twin of the compiled sink: every message goes through the hub,
and what one read from the socket has brought is ended once. Next: `hub`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

__all__ = ["FrameSink", "Sink"]


class Sink(Protocol):
    """What a transport needs to know of whoever takes its messages."""

    def feed(self, data: bytes, last: bool = True) -> None:
        """Take one message; `last`: no more are there now."""

    def finish(self) -> None:
        """The messages of one read have all been handed over; harmless when that was said."""


class FrameSink:
    """Takes messages one by one.

    Args:
        take: called with each message and the time.
        clock: nanoseconds now.
        after_read: called after the messages of one read.
        guard: held from the first message of a read to its end.
    """

    def __init__(
        self,
        take: Callable[[bytes, int], object],
        clock: Callable[[], int],
        after_read: Callable[[], object],
        guard: AbstractContextManager[object] | None = None,
    ) -> None:
        self._take, self._clock, self._after = take, clock, after_read
        self._guard: AbstractContextManager[object] = nullcontext() if guard is None else guard
        self._reading = False

    def feed(self, data: bytes, last: bool = True) -> None:
        """Take one message; `last`: no more are there now."""
        if not self._reading:
            self._guard.__enter__()
            self._reading = True
        try:
            self._take(data, self._clock())
        except BaseException:
            self._reading = False
            self._guard.__exit__(None, None, None)
            raise
        if last:
            self.finish()

    def finish(self) -> None:
        """The messages of one read have all been handed over."""
        if self._reading:
            self._reading = False
            self._guard.__exit__(None, None, None)
            self._after()
