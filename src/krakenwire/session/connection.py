"""The connections of one session, one after the other: opened, listened to, given up, tried again.

Holds what belongs to the present one - its state, its token, what is to be
sent on it, every timer - and knows when the next may be tried. What is asked
for over it is the business of `session`. It opens nothing and reads no clock.
Next: `reconnect` for the attempts, `liveness` for the silence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from krakenwire.errors import ConnectionLost, KrakenwireError, SilenceError
from krakenwire.model import Connected, Disconnected
from krakenwire.session.config import SessionConfig
from krakenwire.session.counters import SessionCounters
from krakenwire.session.effects import Close, Effect, FetchToken, LookUp, Open, Send
from krakenwire.session.feed import Feed
from krakenwire.session.liveness import Liveness, Verdict
from krakenwire.session.lookup import Missing
from krakenwire.session.reconnect import ConnectionBudget, Reconnect
from krakenwire.session.timers import Timers

__all__ = ["LIVENESS", "RETRY", "Connection", "SessionState"]

SessionState = Literal["idle", "opening", "open", "closing", "waiting", "down"]
"""`idle` before `start`, `closing` until the driver says the connection is gone,
`waiting` for the next attempt, `down` for good."""

LIVENESS: Final = "liveness"
RETRY: Final = "retry"
"""Names of timers; the others are those of subscriptions and orders."""

_SECOND: Final = 1_000_000_000
_NORMAL: Final = 1000


class Connection:
    """One connection at a time to one address.

    Args:
        config: address, time limits.
        feed: what decodes for it; it lets nothing pass by while no connection is open.
        counters: where attempts, pings and silence are counted.
        budget: of attempts, shared with others.
        jitter: returns numbers from 0 to 1.

    Attributes:
        state: where it is in its life.
        failure: why it is down for good, None while it is not or when it was stopped.
        stopping: nobody wants it back.
        token: sent with requests while the present connection lives.
        token_due: another one is being fetched; nothing is asked for meanwhile.
        token_ns: when it was last exchanged for another.
        timers: of everything that is done on it.
        liveness: when it was last heard of.
        held_since_ns: since when the driver reads no frames, None while it does.
    """

    def __init__(
        self,
        config: SessionConfig,
        feed: Feed,
        counters: SessionCounters,
        budget: ConnectionBudget | None,
        jitter: Callable[[], float],
    ) -> None:
        self._config, self._feed, self._counters = config, feed, counters
        own = ConnectionBudget(config.attempts_max, config.attempts_window_s)
        self._reconnect = Reconnect(config, budget or own, jitter)
        self.liveness = Liveness(config)
        self.timers = Timers()
        self.state: SessionState = "idle"
        self.failure: KrakenwireError | None = None
        self.stopping = False
        self.token: str | None = None
        self.token_due = False
        self.token_ns = 0
        self._effects: list[Effect] = []
        self._ending: KrakenwireError | None = None
        self._attempt = 0
        self._opened_ns: int | None = None
        self.held_since_ns: int | None = None

    @property
    def asks(self) -> bool:
        """Whether anything may be asked for now."""
        return self.state == "open" and not self.token_due

    # -- what the driver is to do ----------------------------------------------------

    def send(self, frame: str) -> None:
        """Have a frame sent."""
        self._effects.append(Send(frame))

    def fetch_token(self) -> None:
        """Have another token fetched, unless one is on its way."""
        if self.asks:
            self.token_due = True
            self._effects.append(FetchToken())

    def look_up(self, missing: Missing) -> None:
        """Have REST asked."""
        self._effects.append(LookUp(missing))

    def take_effects(self) -> list[Effect]:
        """Return what the driver has to do, in order, and forget it."""
        effects, self._effects = self._effects, []
        return effects

    # -- its life ------------------------------------------------------------------------

    def attempt(self, now_ns: int) -> None:
        """Spend one attempt of the budget, or wait until there is one.

        Raises:
            ConnectionBudgetError: there is none, and nobody wants to wait.
        """
        allowed_ns = self._reconnect.attempt(now_ns)
        if allowed_ns > now_ns:
            self.state = "waiting"
            self.timers.arm(RETRY, allowed_ns)
            return
        self._counters.attempts += 1
        self._attempt += 1
        self.state = "opening"
        self._effects.append(Open(self._config.url, self._config.connect_timeout_s))

    def opened(self, token: str | None, now_ns: int) -> Connected:
        """It is open, with a token of its own."""
        self.state = "open"
        self._lets_through(True)
        self.token, self.token_due = token, False
        self._opened_ns = now_ns
        self._counters.reconnects += self._reconnect.opened()
        self.liveness.opened(now_ns)
        self.arm_liveness()
        attempt, self._attempt = self._attempt, 0
        return Connected(url=self._config.url, attempt=attempt)

    def renewed(self, token: str, now_ns: int) -> None:
        """There is another token."""
        self.token, self.token_ns, self.token_due = token, now_ns, False

    def close(self, code: int, reason: str, error: KrakenwireError | None) -> None:
        """Ask for its end; `error` is what it will have ended with."""
        self._ending = error
        self.state = "closing"
        self._lets_through(False)
        self._feed.invalidate()
        self.timers.clear()
        self._effects = [effect for effect in self._effects if not isinstance(effect, Send)]
        self._effects.append(Close(code, reason))

    def closed(self, error: KrakenwireError | None, now_ns: int) -> tuple[KrakenwireError, float]:
        """It is gone: return what it has ended with and how many seconds it was open."""
        url = self._config.url
        error = self._ending or error or ConnectionLost(url, "the venue closed the connection", code=_NORMAL)
        lived_s = 0.0 if self._opened_ns is None else (now_ns - self._opened_ns) / _SECOND
        self._ending = self._opened_ns = self.held_since_ns = self.token = None
        self.timers.clear()
        self._effects = [effect for effect in self._effects if isinstance(effect, LookUp)]
        self._lets_through(False)
        self._feed.invalidate()
        return error, lived_s

    def retry(self, error: KrakenwireError, lived_s: float, outage: bool, now_ns: int) -> Disconnected:
        """Wait for the next attempt.

        Args:
            error: what it has ended with.
            lived_s: how long it was open.
            outage: the venue is known to be out of service.
            now_ns: the time.

        Raises:
            KrakenwireError: there is to be none.
        """
        retry_ns = self._reconnect.after(error, lived_s, outage, now_ns)
        self.state = "waiting"
        self.timers.arm(RETRY, retry_ns)
        return Disconnected(url=self._config.url, error=error, retry_in_s=(retry_ns - now_ns) / _SECOND)

    def down(self, failure: KrakenwireError | None) -> Disconnected:
        """There will be no other."""
        self.state = "down"
        self.failure = failure
        self.timers.clear()
        return Disconnected(url=self._config.url, error=failure, retry_in_s=None)

    def _lets_through(self, open_: bool) -> None:
        """Say whether frames may be decoded before the session has seen them."""
        if self._feed.fast is not None:
            self._feed.fast.open = open_

    # -- signs of life -----------------------------------------------------------------------

    def pinged(self, req_id: int, frame: str, now_ns: int) -> None:
        """Have a ping sent."""
        self.liveness.pinged(req_id, now_ns)
        self._counters.pings += 1
        self.send(frame)
        self.arm_liveness()

    def verdict(self, now_ns: int) -> Verdict | None:
        """Return what its silence asks for now."""
        if self.state != "open":
            return None
        if self.held_since_ns is not None:
            self.timers.arm(LIVENESS, now_ns + _SECOND)
            return None
        verdict = self.liveness.check(now_ns)
        if verdict is None:
            self.arm_liveness()
        return verdict

    def silence(self, now_ns: int) -> SilenceError:
        """Return the error of a connection that is dead, and count it."""
        self._counters.silence += 1
        quiet_s = (now_ns - self.liveness.heard_ns) / _SECOND
        return SilenceError(self._config.url, f"nothing arrived for {quiet_s:.1f} s")

    def arm_liveness(self) -> None:
        """Wake when it may have been silent for too long."""
        if self.state == "open":
            self.timers.arm(LIVENESS, self.liveness.deadline_ns())

    def hold(self, now_ns: int) -> None:
        """The driver reads no frames for now."""
        if self.held_since_ns is None:
            self.held_since_ns = now_ns

    def release(self, now_ns: int) -> int:
        """The driver reads again; return for how long it did not."""
        if self.held_since_ns is None:
            return 0
        held_ns = now_ns - self.held_since_ns
        self.held_since_ns = None
        self.liveness.held(held_ns, now_ns)
        return held_ns
