"""The background thread of the threaded client: turns the pump, calls back, and wakes the threads that wait.

Callbacks come one at a time, in the order of the wire, without the lock. One
that raises is reported and the feed goes on. Next: `threaded`, whose thread it
is, and `pump`, which it turns.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from krakenwire.client.condition import new_condition
from krakenwire.client.core import Core
from krakenwire.client.pump import Pump
from krakenwire.client.taps import Tap
from krakenwire.errors import InternalError, KrakenwireError, StreamEnded, UsageError, WaitTimeout
from krakenwire.model import Outcome
from krakenwire.session.streams import StreamItem

if TYPE_CHECKING:
    from krakenwire.client.loop_pump import LoopPump

__all__ = ["Background", "Callback"]

Callback = Callable[[Any], object]

_AnswerT = TypeVar("_AnswerT")
_log = logging.getLogger("krakenwire.threaded")

_WIDE: Final = ("status", "events", "raw")
"""Kinds that are called back about without being subscribed to."""


class Background:
    """One thread that reads the sockets of a client.

    Args:
        core: of the client; touched under `changed` alone.
        callbacks: by the kind of stream; None for kinds that nobody wants to be called about.
        on_error: called with the error of a callback, and with the failure that ended the client.
        daemon: whether the thread ends with the main thread.

    Attributes:
        changed: the lock of the core; notified when something has come and somebody waits.
        pump: moves the bytes.
        called: the taps that callbacks are called from, oldest first.
    """

    def __init__(
        self,
        core: Core,
        callbacks: Mapping[str, Callback | None],
        on_error: Callable[[Exception], object] | None,
        daemon: bool,
    ) -> None:
        self._core, self.callbacks, self._on_error = core, callbacks, on_error
        self.changed = new_condition()
        self.called: list[Tap] = []
        self.pump = self._new_pump()
        self._outcomes: deque[tuple[Callable[[Outcome], object], Outcome]] = deque()
        self._waiting = 0
        self._stopping = False
        self._finished = False
        self._failure: KrakenwireError | None = None
        self._thread = threading.Thread(target=self._run, name="krakenwire", daemon=daemon)

    def _new_pump(self) -> Pump | LoopPump:
        if self._core.options.transport == "websocket-client":
            return Pump(self._core, self.changed, self._deliver)
        from krakenwire.client.loop_pump import LoopPump  # asyncio and picows: only for those who want them

        return LoopPump(self._core, self.changed, self._deliver, each=lambda: bool(self.called))

    # -- life --------------------------------------------------------------------

    @property
    def started(self) -> bool:
        """Whether `start` was called."""
        return self._thread.ident is not None

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def is_caller(self) -> bool:
        """Whether the calling thread is this one, which must not wait for itself."""
        return threading.current_thread() is self._thread

    def start(self) -> None:
        """Start the thread.

        Raises:
            UsageError: it was started before.
        """
        if self.started or self._finished:
            raise UsageError("this client", expected="to be started once", hint="Make a new one")
        with self.changed:
            self._core.line()
            for kind in _WIDE:
                if self.callbacks[kind] is not None:
                    self.called.append(self._core.tap(kind, (), {}, {}))
        self._thread.start()

    def stop(self, timeout: float | None) -> None:
        """End connections, queues and the thread; from a callback it returns at once.

        Raises:
            WaitTimeout: a callback did not return within `timeout` seconds.
        """
        self._stopping = True
        self.pump.wake()
        if not self.started:
            self._finish()
        elif not self.is_caller:
            self._thread.join(timeout)
            if self._thread.is_alive():
                raise WaitTimeout("", "a callback did not return within the time allowed")

    def join(self, timeout: float | None) -> bool:
        """Wait for the end of the thread; return whether it has ended.

        Raises:
            KrakenwireError: the failure that ended it.
        """
        if self.started:
            self._thread.join(timeout)
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        return self._finished

    # -- for other threads -----------------------------------------------------------

    def later(self, on_outcome: Callable[[Outcome], object], outcome: Outcome) -> None:
        """Have a user's function called with an outcome."""
        self._outcomes.append((on_outcome, outcome))

    def awaited(self, look: Callable[[], _AnswerT | None], timeout: float | None = None, what: str = "") -> _AnswerT:
        """Return what `look` finds once it finds something.

        Raises:
            WaitTimeout: it found nothing in time.
            StreamEnded: the client was stopped.
            KrakenwireError: what ended it.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.changed:
            while (found := look()) is None:
                if self._finished:
                    raise self._failure or StreamEnded("this client")
                self._sleep(deadline, self._core.account.line().url, what)
            return found

    def take(self, tap: Tap, timeout: float | None) -> StreamItem:
        """Return the next item of a tap.

        Raises:
            UsageError: the caller is this thread, which would wait for itself.
            WaitTimeout: nothing came in time.
            KrakenwireError: why nothing will come.
        """
        if self.is_caller:
            raise UsageError(
                "Queue.get in a callback", expected="another thread", hint="The callback would wait for itself"
            )
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.changed:
            full = tap.full
            while (item := tap.take()) is None:
                if tap.ended or self._finished:
                    raise tap.error or self._failure or StreamEnded(f"the queue of {tap.kind}")
                self._sleep(deadline, tap.url, tap.kind)
        if full:
            self.pump.wake()  # there is room now: it can read again
        return item

    def change(self, change: Callable[[], None]) -> None:
        """Make a change that the connections have to hear of."""
        with self.changed:
            change()
        self.pump.wake()

    def _sleep(self, deadline: float | None, url: str, what: str) -> None:
        """Wait until something has come."""
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise WaitTimeout(url, f"no {what} within the time allowed")
        self._waiting += 1
        try:
            self.changed.wait(left)
        finally:
            self._waiting -= 1

    # -- in the thread -----------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not (self._stopping or self._core.all_down()):
                self.pump.turn(None)
        except Exception as bug:  # noqa: BLE001 - handed to whoever joins; a thread must not end in silence
            self._failure = InternalError(f"the background thread ended: {type(bug).__name__}: {bug}")
            self._failure.__cause__ = bug
        finally:
            self._finish()

    def _finish(self) -> None:
        if self._finished:
            return
        with self.changed:
            self._failure = self._failure or self._core.failure()
            self._core.stop()
        self.pump.close()
        self._core.close_venue()
        with self.changed:
            self._finished = True
            self.changed.notify_all()
        if self._failure is not None and not self._told(self._failure):
            _log.error("the client ended: %s", self._failure)

    def _deliver(self) -> None:
        """Wake the threads that wait at queues, and call back with what has come."""
        if self._waiting:
            with self.changed:
                self.changed.notify_all()
        while self._outcomes:
            on_outcome, outcome = self._outcomes.popleft()
            self._call(on_outcome, outcome)
        for tap in tuple(self.called):
            callback = self.callbacks[tap.kind]
            while not self._stopping:
                with self.changed:
                    item = tap.take()
                if item is None:
                    break
                if callback is not None:
                    self._call(callback, item)

    def _call(self, callback: Callback, item: object) -> None:
        try:
            callback(item)
        except Exception as error:  # noqa: BLE001 - a user's callback may raise anything
            if not self._told(error):
                _log.error("the callback %s failed", getattr(callback, "__name__", callback), exc_info=error)

    def _told(self, error: Exception) -> bool:
        """Pass an error to `on_error`; return whether there is one."""
        if self._on_error is None:
            return False
        try:
            self._on_error(error)
        except Exception as second:  # noqa: BLE001 - as above; there is nobody left to tell but the log
            _log.exception("on_error itself failed", exc_info=second)
        return True
