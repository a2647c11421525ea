"""The event loop in a background thread that serves a blocking client.

Reading, pings and reconnects go on there while the user's thread is busy; it
takes under the lock what has come, and waits for what has not. The thread keeps
no client alive: it ends with `close`, with the last reference, or with the process.
Next: `loop_pump`.
"""

from __future__ import annotations

import logging
import threading
import weakref
from typing import Final, TypeVar, cast

from krakenwire.client.condition import new_condition
from krakenwire.client.core import Core
from krakenwire.client.loop_pump import LoopPump
from krakenwire.client.taps import Awaited, Tap
from krakenwire.errors import InternalError, StreamEnded
from krakenwire.model import BookReading, Level3Reading
from krakenwire.session.streams import StreamItem

__all__ = ["LoopThread"]

_JOIN_S: Final = 15.0
"""For the end of every connection; nothing in the thread waits for a user."""

_LIVE: Final = ("books", "level3")

_BookT = TypeVar("_BookT", BookReading, Level3Reading)
_log = logging.getLogger("krakenwire.client")


class LoopThread:
    """What a blocking client waits with when its connections live in a background thread.

    Args:
        core: whose connections to serve.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self.lock = new_condition()
        self._shared = _Shared(core, self.lock)
        self._pump = self._shared.pump
        self._thread = threading.Thread(target=self._shared.run, name="krakenwire", daemon=True)
        weakref.finalize(self, _end, self._shared, self._thread)

    def nudge(self) -> None:
        """Have done what was asked of the core."""
        with self.lock:
            if self._thread.ident is None and not self._shared.stopping:
                self._thread.start()
        self._pump.wake()

    def take(self, tap: Tap) -> StreamItem | None:
        """Return the next item, None when nothing waits; a copy of a book, which goes on changing.

        Raises:
            InternalError: the thread has ended by a bug.
        """
        with self.lock:
            full = tap.full
            item = tap.take()
            if item is None and self._shared.failure is not None:
                raise InternalError("the background thread ended by a bug") from self._shared.failure
            if full:
                self._pump.wake()  # there is room now: it can read again
            if item is not None and tap.kind in _LIVE and hasattr(item, "freeze"):
                return cast("StreamItem", item.freeze())
            return item

    def wait(self, tap: Awaited, wait_s: float | None) -> None:
        """Wait until `tap` may have something, at most for `wait_s` seconds; to be called with the lock held.

        Raises:
            StreamEnded: the thread has ended.
        """
        shared = self._shared
        if shared.ended:
            raise StreamEnded("this client")
        if shared.stuck(tap):
            self._core.make_room(tap)
            self._pump.wake()
        shared.waiting.append(tap)
        try:
            self.lock.wait(wait_s)
        finally:
            shared.waiting.remove(tap)

    def shown(self, book: _BookT) -> _BookT:
        """Return what may be handed out of a live book: a copy."""
        with self.lock:
            return book.freeze()

    def close(self) -> None:
        """End the thread and every connection."""
        with self.lock:
            self._core.stop()
        _end(self._shared, self._thread)
        if self._thread.ident is None:
            self._pump.close()
        elif self._thread.is_alive() and self._thread is not threading.current_thread():
            _log.error("the background thread has not ended within %s s", _JOIN_S)


class _Shared:
    """What the thread shares with the user's; it knows no client, so that one can be given up while it runs."""

    def __init__(self, core: Core, changed: threading.Condition) -> None:
        self.core, self.changed = core, changed
        self.pump: Final = LoopPump(core, changed, self.tell)
        self.waiting: list[Awaited] = []
        self.stopping = False
        self.ended = False
        self.failure: BaseException | None = None

    def stuck(self, tap: Awaited) -> bool:
        """Whether nothing can come because another stream has to be emptied first."""
        return any(self.pump.paused(line) for line, _ in tap.parts)

    def tell(self) -> None:
        """Wake those for whom something has come, or for whom nothing can."""
        if any(tap.ready or self.stuck(tap) for tap in tuple(self.waiting)):
            with self.changed:
                self.changed.notify_all()

    def run(self) -> None:
        """Turn the pump until there is an end to it."""
        try:
            while not self.stopping:
                self.pump.turn(None)
        except BaseException as bug:  # noqa: BLE001 - whoever waits raises it; a thread must not end in silence
            self._broke(bug)
        try:
            with self.changed:
                self.core.stop()
            self.pump.close()
        except BaseException as bug:  # noqa: BLE001 - as above
            self._broke(bug)
        finally:
            with self.changed:
                self.ended = True
                self.changed.notify_all()

    def _broke(self, bug: BaseException) -> None:
        self.failure = self.failure or bug
        _log.error("the background thread failed", exc_info=bug)


def _end(shared: _Shared, thread: threading.Thread) -> None:
    """End a client's thread; also called when the client is forgotten, and when the process ends."""
    shared.stopping = True
    if thread.is_alive():  # in a forked child it is not
        shared.pump.wake()
        if thread is not threading.current_thread():
            thread.join(_JOIN_S)
