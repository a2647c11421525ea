"""Moves bytes between connections and hubs, in an event loop.

Each line has a task that opens its connection and waits for its end, and a
timer at its session's next deadline. Messages go from the transport into the
hub's sink; what waits for items is told once for each read. A loop that its
user's code holds up reads before anything is called silent. Next: `aio`, the
style built on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final

from krakenwire.client.attempt import Attempt
from krakenwire.client.clock import now_ns
from krakenwire.client.core import Core
from krakenwire.client.errands import ask_beside
from krakenwire.client.taps import Awaited, Line
from krakenwire.client.transports import LoopTransport, Wire, open_wire
from krakenwire.errors import InternalError, KrakenwireError
from krakenwire.session.effects import Effect, FetchToken, LookUp, Open, Send
from krakenwire.session.lookup import Findings, Missing
from krakenwire.session.reading import Sink

__all__ = ["AioPump", "Pilot"]

_SECOND = 1_000_000_000
_READ_NS: Final = 1_000_000
"""Of two timers this far apart, a loop has read what waits in its sockets in between."""

_LATE_NS: Final = 50_000_000
"""A timer later than this was held up by somebody's code: silence was our own doing."""

_CATCH_UP_NS: Final = 250_000_000
"""For reading what has come while the loop was held up, which can be more than one read's."""


class AioPump:
    """The connections of one client, in the running loop.

    Args:
        core: whose connections to serve.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._loop = asyncio.get_running_loop()
        self._pilots: dict[Line, Pilot] = {}
        self._waiting: dict[asyncio.Future[None], Awaited] = {}

    def settle(self) -> None:
        """Do what the sessions ask for; to be called after every use of the core."""
        for line in self._core.lines:
            pilot = self._pilots.get(line)
            if pilot is None:
                pilot = self._pilots[line] = Pilot(line, self._loop, self.tell, self._core.options.loop_transport)
            pilot.settle()

    async def wait(self, tap: Awaited) -> None:
        """Return when `tap` may have something, or has ended. Can be cancelled."""
        self.settle()
        if tap.ready:
            return
        future = self._loop.create_future()
        self._waiting[future] = tap
        try:
            await future
        finally:
            del self._waiting[future]

    def relieve(self) -> None:
        """Go on reading where a consumer has made room; to be called after items were taken."""
        for pilot in self._pilots.values():
            if pilot.paused:
                pilot.pace()

    def tell(self) -> None:
        """Wake those whose taps are ready."""
        for future, tap in self._waiting.items():
            if tap.ready and not future.done():
                future.set_result(None)

    async def close(self) -> None:
        """End every connection and task of this client."""
        self.settle()
        pilots, self._pilots = self._pilots, {}
        for pilot in pilots.values():
            await pilot.close()
        self.tell()


class Pilot:
    """One line's connection: its task, its timer.

    Args:
        line: the connection.
        loop: where its transport lives.
        tell: called after everything that may have brought something.
        transport: what carries it, see `krakenwire.client.transports`.
    """

    def __init__(
        self, line: Line, loop: asyncio.AbstractEventLoop, tell: Callable[[], None], transport: LoopTransport
    ) -> None:
        self._line, self._hub, self._loop, self._tell = line, line.hub, loop, tell
        self._transport = transport
        self._wire: Wire | None = None
        self._task: asyncio.Task[KrakenwireError | None] | None = None
        self._errands: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._judged_ns = 0
        self._token: str | None = None
        self._paused = False

    def settle(self) -> None:
        """Act, read or do not read, set the timer, and wake who waits."""
        self._hub.flush()
        while effects := self._hub.take_effects():
            for effect in effects:
                self._act(effect)
        self.pace()
        self._set_timer()
        self._tell()

    def pace(self) -> None:
        """Read, unless one of the streams has to be emptied first."""
        blocked = self._hub.blocked
        if self._wire is None or blocked == self._paused:
            return
        self._paused = blocked
        self._wire.pause(blocked)
        session = self._hub.session
        session.hold(now_ns()) if blocked else session.release(now_ns())

    @property
    def paused(self) -> bool:
        """Whether reading waits for a consumer."""
        return self._paused

    async def close(self) -> None:
        """Wait for the end of what `Core.stop` has ended."""
        if self._timer is not None:
            self._timer.cancel()
        for errand in self._errands:
            errand.cancel()
        if self._task is not None:
            await asyncio.wait([self._task])

    # -- acting ----------------------------------------------------------------

    def _act(self, effect: Effect) -> None:
        if isinstance(effect, Open):
            self._task = self._loop.create_task(self._fly(effect), name=f"krakenwire {self._line.name}")
            self._task.add_done_callback(self._landed)
        elif isinstance(effect, Send):
            if self._wire is not None:
                self._wire.send(effect.frame)
        elif isinstance(effect, FetchToken):
            self._run("token", self._fetch_token())
        elif isinstance(effect, LookUp):
            self._run("orders", self._look_up(effect.missing))
        elif self._wire is not None:
            self._wire.close(effect.code, effect.reason)
        elif self._task is not None:
            self._task.cancel()

    def _run(self, name: str, errand: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(errand, name=f"krakenwire {name} {self._line.name}")
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _fly(self, effect: Open) -> KrakenwireError | None:
        """Open a connection, see it through to its end and return what ended it."""
        try:
            wire = await self._open(effect)
            return await wire.ended()
        except KrakenwireError as error:
            return error
        except Exception as bug:  # noqa: BLE001 - a task nobody awaits must not end in silence
            failure = InternalError(f"{type(bug).__name__} while taking a frame")
            failure.__cause__ = bug
            return failure

    async def _open(self, effect: Open) -> Wire:
        line = self._line
        self._token = await ask_beside("token", line.token) if line.needs_token else None
        attempt = Attempt(effect.url, line.context, effect.timeout_s, line.hint)
        return await open_wire(attempt, self._opened, self._sink(), self._transport)

    async def _fetch_token(self) -> None:
        """Fetch another token for the open connection."""
        token, failure = None, None
        try:
            token = await ask_beside("token", self._line.token)
        except KrakenwireError as error:
            failure = error
        self._renewed(token, failure)

    def _renewed(self, token: str | None, error: KrakenwireError | None) -> None:
        self._hub.token_fetched(token, error, now_ns())
        self.settle()

    async def _look_up(self, missing: Missing) -> None:
        """Ask REST for what was missed."""
        findings, failure = None, None
        try:
            findings = await ask_beside("orders", lambda: self._line.look_up(missing))
        except KrakenwireError as error:
            failure = error
        self._looked_up(findings, failure)

    def _looked_up(self, findings: Findings | None, error: KrakenwireError | None) -> None:
        self._hub.looked_up(findings, error, now_ns())
        self.settle()

    def _sink(self) -> Sink:
        return self._hub.sink(now_ns, self.settle)

    def _landed(self, task: asyncio.Task[KrakenwireError | None]) -> None:
        """Tell the session; a task cancelled before its first step ends here too."""
        gone = task.cancelled() or task.exception() is not None
        self._wire, self._task, self._paused = None, None, False
        self._hub.feed_closed(None if gone else task.result(), now_ns())
        self.settle()

    def _opened(self, wire: Wire) -> None:
        self._wire = wire
        self._hub.feed_opened(now_ns(), self._token)
        self.settle()

    # -- time --------------------------------------------------------------------

    def _set_timer(self) -> None:
        due_ns = self._hub.next_deadline_ns()
        if due_ns is None:
            return
        when = self._loop.time() + max(0.0, (due_ns - now_ns()) / _SECOND)
        if self._timer is not None:
            if self._due <= when:
                return  # it fires early, and is set again then
            self._timer.cancel()
        self._due = when  # uvloop's handle of a time that has come does not know it
        self._timer = self._loop.call_at(when, self._fire)

    def _fire(self) -> None:
        """Have what is due judged, but not before the loop has read what waits: it may have been held up."""
        self._timer = None
        due_ns, at_ns = self._hub.next_deadline_ns(), now_ns()
        if due_ns is None or due_ns > at_ns:
            self.settle()  # it was put off meanwhile
            return
        wait_ns = _CATCH_UP_NS if self._excuse(due_ns) else _READ_NS
        self._judged_ns = at_ns + wait_ns
        self._timer = self._loop.call_later(wait_ns / _SECOND, self._judge)

    def _judge(self) -> None:
        self._timer = None
        self._excuse(self._judged_ns)
        self._hub.poll(now_ns())
        self.settle()

    def _excuse(self, due_ns: int) -> bool:
        """Return whether the loop was held up past a time; tell the session, which a frame or `poll` tells the end."""
        late = now_ns() - due_ns > _LATE_NS
        if late and self._wire is not None:
            self._hub.session.hold(due_ns)
        return late
