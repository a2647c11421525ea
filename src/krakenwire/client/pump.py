"""Moves bytes between sockets and hubs, for the styles that wait in a thread.

One `turn` does what the sessions ask for, waits until something can be read or
is due, and feeds what came. Connections are opened in threads of their own, so
that neither a slow name server nor a slow handshake holds anything up.
Next: `blocking`, which turns it in the caller's thread, and `threaded`.
"""

from __future__ import annotations

import selectors
import socket
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Final, TypeVar

from krakenwire.client.clock import now_ns
from krakenwire.client.core import Core
from krakenwire.client.errands import run_beside
from krakenwire.client.taps import Awaited, Line, Tap
from krakenwire.client.websocket_client import Wire
from krakenwire.errors import FrameTooBig, InternalError, KrakenwireError
from krakenwire.model import BookReading, Level3Reading
from krakenwire.session.effects import Close, FetchToken, LookUp, Open, Send
from krakenwire.session.lookup import Findings, Missing
from krakenwire.session.streams import StreamItem

__all__ = ["Pump"]

_SECOND = 1_000_000_000
_AWAY_NS = _SECOND
"""Turned more seldom than this, silence was our own doing."""

_HOUSEKEEPING_S: Final = 0.25
"""A consumer that always finds something waiting still lets the sockets be read this often."""

_BookT = TypeVar("_BookT", BookReading, Level3Reading)

_CLOSE_CODES: Final[dict[type, int]] = {FrameTooBig: 1009}


class Pump:
    """The sockets of one client.

    Args:
        core: whose connections to serve.
        lock: held while the core is touched; the default is none, for one thread alone.
        after_frame: called without the lock after each frame and each due time.
    """

    def __init__(
        self,
        core: Core,
        lock: AbstractContextManager[object] | None = None,
        after_frame: Callable[[], None] = lambda: None,
    ) -> None:
        self._core = core
        self.lock: AbstractContextManager[object] = lock if lock is not None else nullcontext()
        self._after_frame = after_frame
        self._selector: selectors.BaseSelector | None = None
        self._wires: dict[Line, Wire] = {}
        self._watched: set[Line] = set()
        self._attempts: dict[Line, _Attempt] = {}
        self._ready: deque[_Errand] = deque()
        self._bell: socket.socket | None = None
        self._bell_pull: socket.socket | None = None
        self._turned_ns = now_ns()
        self._closed = False

    def wake(self) -> None:
        """Make a `turn` that waits return; for other threads."""
        if self._bell_pull is not None:  # before the first turn there is nobody to wake
            with suppress(OSError):  # it rings already, or was closed meanwhile
                self._bell_pull.send(b"\0")

    def turn(self, wait_s: float | None) -> None:
        """Do what is asked for and due; wait for something to come, at most `wait_s` seconds."""
        selector = self._ears()
        with self.lock:
            away = self._was_away()
            self._act()
            patience_s = self._patience(wait_s)
        ready = selector.select(patience_s)
        self._turned_ns = now_ns()
        for key, _ in ready:
            if key.data is None:
                self._answer_bell()
            else:
                self._read(key.data)
        with self.lock:
            away = self._was_away() or away  # in a callback
            self._poll(everything=away)
            self._act()
            self._turned_ns = now_ns()
        self._after_frame()

    # -- for a client that turns it in its user's own thread --------------------

    def nudge(self) -> None:
        """Nothing: the next turn does what was asked of the core."""

    def take(self, tap: Tap) -> StreamItem | None:
        """Return the next item, None when nothing waits."""
        if self.idle_s > _HOUSEKEEPING_S and not self._core.closed:
            self.turn(0)
        return tap.take()

    def wait(self, tap: Awaited, wait_s: float | None) -> None:
        """Move bytes until `tap` may have something, at most for `wait_s` seconds."""
        self._core.make_room(tap)
        self.turn(wait_s)

    def shown(self, book: _BookT) -> _BookT:
        """Return what may be handed out of a live book: itself, for it changes in turns only."""
        return book

    @property
    def idle_s(self) -> float:
        """Seconds since the last turn."""
        return (now_ns() - self._turned_ns) / _SECOND

    def close(self) -> None:
        """Carry out what the sessions still ask for, and let go of every socket."""
        if self._closed:
            return
        self._closed = True
        try:
            with self.lock:
                self._act()
                for line in list(self._wires):
                    self._drop(line, None)
        finally:
            for attempt in self._ready:
                attempt.abandon()
            for resource in (self._selector, self._bell, self._bell_pull):
                if resource is not None:
                    resource.close()

    # -- waiting -------------------------------------------------------------

    def _was_away(self) -> bool:
        """Tell the sessions when nobody read for a while; `Hub.poll` tells them that it is over."""
        away = now_ns() - self._turned_ns > _AWAY_NS
        if away:
            for line in self._core.lines:
                line.hub.session.hold(self._turned_ns)
        return away

    def _patience(self, wait_s: float | None) -> float | None:
        deadlines = [line.hub.next_deadline_ns() for line in self._core.lines]
        due = min((deadline for deadline in deadlines if deadline is not None), default=None)
        if due is None:
            return wait_s
        due_s = max(0.0, (due - now_ns()) / _SECOND)
        return due_s if wait_s is None else min(due_s, wait_s)

    def _ears(self) -> selectors.BaseSelector:
        """Return what waits for sockets, made with the first turn so that a client never used holds nothing."""
        if self._selector is None:
            self._selector = selectors.DefaultSelector()
            self._bell, self._bell_pull = socket.socketpair()
            self._bell.setblocking(False)
            self._bell_pull.setblocking(False)
            self._selector.register(self._bell, selectors.EVENT_READ, None)
        return self._selector

    def _answer_bell(self) -> None:
        if self._bell is not None:
            with suppress(BlockingIOError):
                self._bell.recv(4096)
        while self._ready:
            self._finish(self._ready.popleft())

    def _watch(self, line: Line, wire: Wire) -> None:
        """Read from a connection, unless one of its streams has to be emptied first."""
        reading = not line.hub.blocked
        if reading and line not in self._watched:
            self._ears().register(wire, selectors.EVENT_READ, line)
            self._watched.add(line)
            line.hub.session.release(now_ns())
        elif not reading and line in self._watched:
            self._unwatch(line, wire)
            line.hub.session.hold(now_ns())

    def _unwatch(self, line: Line, wire: Wire) -> None:
        if line in self._watched:
            self._ears().unregister(wire)
            self._watched.discard(line)

    # -- reading ---------------------------------------------------------------

    def _read(self, line: Line) -> None:
        wire = self._wires.get(line)
        if wire is None:
            return
        frames, error = wire.receive()
        at_ns = now_ns()
        for frame in frames:
            with self.lock:
                line.hub.feed_frame(frame, at_ns)
            self._after_frame()
        if error is not None:
            with self.lock:
                self._drop(line, error)
            self._after_frame()

    def _poll(self, *, everything: bool) -> None:
        at_ns = now_ns()
        for line in self._core.lines:
            due = line.hub.next_deadline_ns()
            if everything or (due is not None and due <= at_ns):
                line.hub.poll(at_ns)

    # -- acting ----------------------------------------------------------------

    def _act(self) -> None:
        for line in list(self._core.lines):
            while effects := line.hub.take_effects():
                for effect in effects:
                    if isinstance(effect, Send):
                        self._send(line, effect.frame)
                    elif isinstance(effect, Open):
                        self._open(line, effect)
                    elif isinstance(effect, FetchToken):
                        _TokenErrand(line, self._arrived).start()
                    elif isinstance(effect, LookUp):
                        _LookUpErrand(line, effect.missing, self._arrived).start()
                    else:
                        self._close(line, effect)
            wire = self._wires.get(line)
            if wire is not None:
                self._watch(line, wire)

    def _open(self, line: Line, effect: Open) -> None:
        attempt = self._attempts[line] = _Attempt(line, effect, self._arrived)
        attempt.start()

    def _arrived(self, errand: _Errand) -> None:
        """Called in the errand's thread."""
        self._ready.append(errand)
        self.wake()
        if self._closed:
            errand.abandon()

    def _finish(self, errand: _Errand) -> None:
        if isinstance(errand, _Attempt):
            self._opened(errand)
            return
        with self.lock:
            errand.report(now_ns())
        self._after_frame()

    def _opened(self, attempt: _Attempt) -> None:
        line = attempt.line
        if self._attempts.get(line) is not attempt:
            attempt.abandon()
            return
        with self.lock:
            del self._attempts[line]
            if attempt.wire is None:
                line.hub.feed_closed(attempt.error, now_ns())
            else:
                self._wires[line] = attempt.wire
                line.hub.feed_opened(now_ns(), attempt.token)
        self._after_frame()

    def _send(self, line: Line, frame: str) -> None:
        wire = self._wires.get(line)
        if wire is None:
            return
        try:
            wire.send(frame)
        except KrakenwireError as error:
            self._drop(line, error)

    def _close(self, line: Line, effect: Close) -> None:
        self._attempts.pop(line, None)  # it closes what it opens when it finds itself forgotten
        self._drop(line, None, effect.code, effect.reason)

    def _drop(self, line: Line, error: KrakenwireError | None, code: int = 1000, reason: str = "") -> None:
        wire = self._wires.pop(line, None)
        if wire is not None:
            self._unwatch(line, wire)
            wire.close(_CLOSE_CODES.get(type(error), code), reason)
        line.hub.feed_closed(error, now_ns())


class _Attempt:
    """One connection being opened, in a thread of its own."""

    def __init__(self, line: Line, effect: Open, arrived: Callable[[_Attempt], None]) -> None:
        self.line = line
        self.wire: Wire | None = None
        self.token: str | None = None
        self.error: KrakenwireError | None = None
        self._effect = effect
        self._arrived = arrived

    def start(self) -> None:
        run_beside("connect", self._run)

    def abandon(self) -> None:
        """Close what was opened for nobody."""
        if self.wire is not None:
            self.wire.close(1001)

    def _run(self) -> None:
        line, effect = self.line, self._effect
        try:
            self.token = line.token()
            self.wire = Wire(effect.url, line.context, effect.timeout_s, line.hint)
        except KrakenwireError as error:
            self.error = error
        except Exception as bug:  # noqa: BLE001 - a thread nobody joins must not end in silence
            self.error = InternalError(f"{type(bug).__name__} while opening a connection: {bug}")
            self.error.__cause__ = bug
        self._arrived(self)


class _TokenErrand:
    """Another token being fetched for an open connection, in a thread of its own."""

    def __init__(self, line: Line, arrived: Callable[[_TokenErrand], None]) -> None:
        self._line = line
        self._token: str | None = None
        self._error: KrakenwireError | None = None
        self._arrived = arrived

    def start(self) -> None:
        run_beside("token", self._run)

    def abandon(self) -> None:
        """Nothing: a token that nobody waits for expires."""

    def report(self, now_ns: int) -> None:
        """Tell the session."""
        self._line.hub.token_fetched(self._token, self._error, now_ns)

    def _run(self) -> None:
        try:
            self._token = self._line.token()
        except KrakenwireError as error:
            self._error = error
        self._arrived(self)


class _LookUpErrand:
    """REST being asked for what was missed, in a thread of its own."""

    def __init__(self, line: Line, missing: Missing, arrived: Callable[[_LookUpErrand], None]) -> None:
        self._line, self._missing = line, missing
        self._findings: Findings | None = None
        self._error: KrakenwireError | None = None
        self._arrived = arrived

    def start(self) -> None:
        run_beside("orders", self._run)

    def abandon(self) -> None:
        """Nothing: an answer that nobody waits for is no loss."""

    def report(self, now_ns: int) -> None:
        """Tell the session, and through it the streams."""
        self._line.hub.looked_up(self._findings, self._error, now_ns)

    def _run(self) -> None:
        try:
            self._findings = self._line.look_up(self._missing)
        except KrakenwireError as error:
            self._error = error
        self._arrived(self)


_Errand = _Attempt | _TokenErrand | _LookUpErrand
