"""Moves bytes with an event loop of its own, for the styles that wait in a thread.

Whoever turns the pump lends the loop a thread: sockets, TLS and timers live
there, with the pilots of `aio_pump`. The core is touched under the lock alone,
callbacks are called without it. Next: `loop_thread`, which lends one for the
blocking client; `threaded` lends its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Final, Self

from krakenwire.client.aio_pump import Pilot
from krakenwire.client.clock import now_ns
from krakenwire.client.core import Core
from krakenwire.client.taps import Line
from krakenwire.client.transports import Wire
from krakenwire.errors import KrakenwireError
from krakenwire.session.lookup import Findings
from krakenwire.session.reading import Sink

__all__ = ["LoopPump"]

_END_S: Final = 5.0
"""What the end of a connection may take; picows needs up to a second to give up an attempt."""


class LoopPump:
    """The connections of one client, in the event loop of the thread that turns it.

    Args:
        core: whose connections to serve.
        lock: held while the core is touched; re-entrant.
        after_frame: called without the lock after what one read has brought, and after each due time.
        each: asked whether it has to be called after every single message; None when it never has.
    """

    def __init__(
        self,
        core: Core,
        lock: AbstractContextManager[object] | None = None,
        after_frame: Callable[[], None] = lambda: None,
        each: Callable[[], bool] | None = None,
    ) -> None:
        self.core = core
        self._after_frame = after_frame
        self.lock: AbstractContextManager[object] = threading.RLock() if lock is None else lock
        self.each = each
        self.touch: Final = _Touch(self.lock, self._after)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Future[None] | None = None
        self._pilots: dict[Line, _Pilot] = {}
        self._woken = False
        self._closed = False
        self._failure: BaseException | None = None

    def wake(self) -> None:
        """Have done what is asked for, and make a `turn` return; for any thread."""
        if self._woken:
            return
        self._woken = True  # before the loop is looked for: a first turn that makes it just now sees this
        if self._loop is not None:
            with suppress(RuntimeError):  # it was closed meanwhile
                self._loop.call_soon_threadsafe(self._answer)

    def turn(self, wait_s: float | None) -> None:
        """Run the loop until it is woken or a connection has ended, at most for `wait_s` seconds.

        Raises:
            BaseException: what `after_frame` raised, or a bug in here.
        """
        if self._closed:
            return
        if self._loop is None:
            # Not uvloop: in a thread that the interpreter's end overtakes it can crash.
            self._loop = asyncio.new_event_loop()
            if self._woken:
                self._loop.call_soon(self._answer)
        self._over = self._loop.create_future()
        self.do(self._settle)
        timer = None if wait_s is None else self._loop.call_later(wait_s, self._stop)
        self._loop.run_until_complete(self._over)
        if timer is not None:
            timer.cancel()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Carry out what the sessions still ask for, and let go of every socket and of the loop."""
        if self._closed:
            return
        self._closed = True
        if self._loop is None:
            self._end_unopened()
            return
        try:
            self._loop.run_until_complete(self._end())
        finally:
            self._loop.close()

    def paused(self, line: Line) -> bool:
        """Whether a connection is not read from until a consumer has made room."""
        pilot = self._pilots.get(line)
        return pilot is not None and pilot.paused

    # -- in the loop ---------------------------------------------------------------

    def do(self, action: Callable[[], object]) -> None:
        """Touch the core; a bug in that ends the turn."""
        try:
            with self.touch:
                action()
        except BaseException as bug:  # noqa: BLE001 - the loop would swallow it: `turn` raises it
            self._fail(bug)

    def look(self) -> None:
        """End the turn when nothing will ever come any more: whoever turns has to know."""
        if self.core.all_down():
            self._stop()

    def _stop(self) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _fail(self, failure: BaseException) -> None:
        self._failure = self._failure or failure
        self._stop()

    def _answer(self) -> None:
        self._woken = False  # first: whoever asks for something from now on wakes anew
        self.do(self._settle)
        self._stop()

    def _settle(self) -> None:
        assert self._loop is not None
        for line in list(self.core.lines):
            pilot = self._pilots.get(line)
            if pilot is None:
                pilot = self._pilots[line] = _Pilot(line, self._loop, self)
            pilot.settle()

    def _after(self) -> None:
        if self._closed:
            return
        try:
            self._after_frame()
        except BaseException as error:  # noqa: BLE001 - a callback's SystemExit: it ends the turn, not the connection
            self._fail(error)

    # -- the end -------------------------------------------------------------------

    def _end_unopened(self) -> None:
        with self.lock:
            for line in self.core.lines:
                line.hub.take_effects()
                line.hub.feed_closed(None, now_ns())

    async def _end(self) -> None:
        self.do(self._settle)
        for pilot in self._pilots.values():
            with suppress(TimeoutError):
                await asyncio.wait_for(pilot.close(), _END_S if self._failure is None else 0)
            pilot.cut()
        late = asyncio.all_tasks() - {asyncio.current_task()}
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_END_S)
        await asyncio.sleep(0)  # for what transports do at their end


class _Touch:
    """Holds the lock while the loop touches the core; whoever leaves it last tells what has come.

    Only the loop's thread uses it, so its depth needs no lock of its own.
    """

    def __init__(self, lock: AbstractContextManager[object], after: Callable[[], None]) -> None:
        self._lock, self._after = lock, after
        self._depth = 0

    def __enter__(self) -> Self:
        self._lock.__enter__()
        self._depth += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._depth -= 1
        last = self._depth == 0
        self._lock.__exit__(kind, error, at)
        if last and kind is None:
            self._after()


class _Pilot(Pilot):
    """A pilot whose every step touches the core under the lock."""

    def __init__(self, line: Line, loop: asyncio.AbstractEventLoop, pump: LoopPump) -> None:
        super().__init__(line, loop, _nobody_waits, pump.core.options.loop_transport)
        self._pump = pump
        self._native = pump.core.options.transport == "native"

    def cut(self) -> None:
        """Let go of a connection that has not ended as it should."""
        if self._wire is not None:
            self._wire.close(1001)

    def _sink(self) -> Sink:
        sink = self._hub.sink(now_ns, self._after_read, self._pump.lock)
        if self._pump.each is None:
            return sink
        each = _EachSink(sink, self._pump.each)
        if not self._native:
            return each
        from krakenwire._native import sink as native_sink

        return native_sink.CallableSink(each.feed)

    def _after_read(self) -> None:
        with self._pump.touch:
            self.settle()

    def _opened(self, wire: Wire) -> None:
        with self._pump.touch:
            super()._opened(wire)

    def _renewed(self, token: str | None, error: KrakenwireError | None) -> None:
        with self._pump.touch:
            super()._renewed(token, error)

    def _looked_up(self, findings: Findings | None, error: KrakenwireError | None) -> None:
        with self._pump.touch:
            super()._looked_up(findings, error)

    def _landed(self, task: asyncio.Task[KrakenwireError | None]) -> None:
        self._pump.do(lambda: Pilot._landed(self, task))
        self._pump.look()

    def _fire(self) -> None:
        self._pump.do(super()._fire)

    def _judge(self) -> None:
        self._pump.do(super()._judge)
        self._pump.look()


class _EachSink:
    """Ends a read after every message where whoever is told needs to see each."""

    def __init__(self, sink: Sink, each: Callable[[], bool]) -> None:
        self._sink, self._each = sink, each

    def feed(self, data: bytes, last: bool = True) -> None:
        self._sink.feed(data, last or self._each())

    def finish(self) -> None:
        self._sink.finish()


def _nobody_waits() -> None:
    """A thread that waits is told when the lock is free again."""
