"""One consumer that is called with events as they come, instead of taking items when it likes.

A listener is a stream without a mailbox: each event goes to its callback at
once, or all events of one read from the socket together. It never blocks and
drops nothing; a callback that raises is reported and the feed goes on. Next: `hub`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from krakenwire.model import BookReading, ChecksumFailed, Event, Gap, Level3Reading, Refused, Resynced, Subscription
from krakenwire.model.subscription import SubscriptionKey
from krakenwire.session.mailbox import Policy
from krakenwire.session.streams import Stream

__all__ = ["Listener", "OnBatch", "OnError", "OnEvent"]

OnEvent = Callable[[Event], object]
OnBatch = Callable[[list[Event]], object]
OnError = Callable[[Exception], object]


class Listener(Stream):
    """Events of one kind for one callback. Made by `Hub.open_listener`; not safe to share between threads.

    Args:
        kind: as for `Stream`.
        subscriptions: what it listens to.
        on_event: called with each event, and with `Gap`, `Resynced`, `Refused` and `ChecksumFailed` of its own.
        on_batch: called instead with all events of one read, in order.
        on_error: called with what the callback raises.
    """

    def __init__(
        self,
        kind: str,
        subscriptions: Iterable[Subscription],
        *,
        on_event: OnEvent | None = None,
        on_batch: OnBatch | None = None,
        on_error: OnError,
    ) -> None:
        super().__init__(kind, subscriptions, policy=Policy.BLOCK, capacity=1, freeze=False, notices=True)
        self._batch: list[Event] = []
        self._on_batch = on_batch
        self._on_error = on_error
        self._closed = False
        self._take: OnEvent = self._batch.append if on_event is None else on_event

    def sink(self, key: SubscriptionKey) -> OnEvent:
        """Return what is to be called with plain events: the user's own callback."""
        del key
        return self._take

    def owns(self, sink: object) -> bool:
        """Whether a sink that failed is this listener's."""
        return sink is self._take

    def failed(self, error: Exception) -> None:
        """Report what the callback raised."""
        self._on_error(error)

    def offer(self, event: Event, key: SubscriptionKey) -> None:
        """Call back with an event, or keep it for the end of the read."""
        del key
        if not self._closed:
            self._call(partial(self._take, event))

    def flush(self) -> None:
        """Hand over what one read has brought."""
        if self._batch and self._on_batch is not None:
            events = self._batch.copy()
            self._batch.clear()
            self._call(partial(self._on_batch, events))

    def prime_book(self, book: BookReading | None) -> None:
        """Events begin with the next one: a book that is live already is the client's to read."""

    def prime_level3(self, book: Level3Reading | None) -> None:
        """As `prime_book`."""

    def discard(self) -> None:
        """End at once and throw away what waits."""
        super().discard()
        self._closed = True
        self._batch.clear()

    def _tell(self, event: Gap | Resynced | Refused | ChecksumFailed, key: SubscriptionKey) -> None:
        self.offer(event, key)

    def _call(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - a user's callback may raise anything
            self.failed(error)
