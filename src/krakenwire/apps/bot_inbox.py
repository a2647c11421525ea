"""Where threads leave what a strategy has to deal with: the market in batches, and urgent calls before it.

Urgent calls - outcomes of orders, fills, control - are never dropped and never
wait behind the market. The market may be more than a strategy comes to: beyond a
bound it is dropped, and what was dropped is told as gaps in its place. Next: `bot_runner`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from krakenwire.limits import BOT_WAITING_EVENTS_MAX
from krakenwire.model import Event, Gap

__all__ = ["Batch", "Inbox"]

_DATA: Final = frozenset({"book", "trade", "ticker", "ohlc"})
_GAPS: Final = frozenset({"gap", "checksum_failed"})


class Batch(NamedTuple):
    """What one read of one connection gave.

    Args:
        time_ns: when it was received.
        connection: its number.
        events: in order.
        dropped: whether it stands for events that were given up.
    """

    time_ns: int
    connection: int
    events: Sequence[Event]
    dropped: bool = False


class _Loss:
    """A run of dropped batches, as long as nobody has come to it."""

    def __init__(self, time_ns: int) -> None:
        self.time_ns = time_ns
        self.counts: dict[tuple[str, str], int] = {}

    def add(self, events: Sequence[Event]) -> int:
        """Count the market's events, and return how many they are."""
        lost = 0
        for event in events:
            channel = getattr(event, "channel_name", "") if event.channel in _GAPS else event.channel
            if channel in _DATA and event.symbol is not None:
                counts = event.channel in _DATA
                self.counts[channel, event.symbol] = self.counts.get((channel, event.symbol), 0) + counts
                lost += counts
        return lost

    def batch(self) -> Batch:
        """Return the gaps that stand for it."""
        gaps = [
            Gap(channel_name=channel, symbol=symbol, reason="slow consumer", dropped=count)
            for (channel, symbol), count in self.counts.items()
        ]
        return Batch(self.time_ns, 0, gaps, dropped=True)


class Inbox:
    """What waits for one strategy. One thread takes, any thread gives.

    Args:
        events_max: market events that may wait; more are dropped until all that waits was taken.
        on_dropped: called, by the thread that takes, with the symbols whose books are to be asked for anew.

    Attributes:
        dropped: market events given up so far.
        urgent: calls that wait; look only.
    """

    def __init__(
        self, *, events_max: int = BOT_WAITING_EVENTS_MAX, on_dropped: Callable[[tuple[str, ...]], None] | None = None
    ) -> None:
        self._most, self.on_dropped = events_max, on_dropped
        self._lock = threading.Lock()
        self._market: list[Batch] = []
        self._loss: _Loss | None = None
        self.urgent: deque[Callable[[], None]] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._sleeping = False
        self._waiting = self.dropped = 0

    @property
    def waiting(self) -> int:
        """Market events that wait."""
        return self._waiting

    # -- given by any thread ----------------------------------------------------------

    def put(self, time_ns: int, connection: int, events: Sequence[Event]) -> None:
        """Leave market events.

        Args:
            time_ns: when they were received.
            connection: which one they came on; 0 where there is one.
            events: in order.
        """
        with self._lock:
            if self._loss is None and self._waiting + len(events) > self._most:
                self._loss = _Loss(time_ns)
            if self._loss is None:
                self._market.append(Batch(time_ns, connection, events))
                self._waiting += len(events)
            else:
                self.dropped += self._loss.add(events)
        if self._sleeping:
            self._bell.put(None)

    def post(self, call: Callable[[], None]) -> None:
        """Leave an urgent call for the strategy's thread; a signal's handler may, too."""
        self.urgent.append(call)
        if self._sleeping:
            self._bell.put(None)

    # -- taken by the strategy's thread --------------------------------------------------

    def run_urgent(self) -> None:
        """Make the urgent calls that wait, in order."""
        urgent = self.urgent
        while urgent:
            urgent.popleft()()

    def take(self) -> list[Batch]:
        """Return the market events that wait, oldest first."""
        with self._lock:
            batches, self._market, self._waiting = self._market, [], 0
            loss, self._loss = self._loss, None
        if loss is not None and loss.counts:
            batches.append(loss.batch())
            if self.on_dropped is not None:
                self.on_dropped(tuple(dict.fromkeys(symbol for channel, symbol in loss.counts if channel == "book")))
        return batches

    def wait(self, timeout_s: float) -> None:
        """Return when something waits, or when the time is over."""
        self._sleeping = True
        try:
            if not self.urgent and not self._market and timeout_s > 0:
                self._bell.get(timeout=timeout_s)
        except Empty:
            pass
        finally:
            self._sleeping = False
        while not self._bell.empty():
            self._bell.get()
