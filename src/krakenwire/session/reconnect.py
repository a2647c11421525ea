"""When the next connection may be tried: a budget per window, and pauses that grow.

The venue bans an address that connects too often. So every attempt is counted,
a random drop is answered at once only a few times, and an outage with pauses
that grow and differ between clients. Source: v2 reference, sections 3.1 and 3.2.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from krakenwire import limits
from krakenwire.errors import (
    ConnectionBudgetError,
    ConnectionLost,
    HandshakeError,
    KrakenwireError,
    ProtocolViolation,
)
from krakenwire.session.config import SessionConfig

__all__ = ["Backoff", "ConnectionBudget", "Reconnect", "is_final"]

_SECOND = 1_000_000_000
_CLOSE_POLICY = 1008


def is_final(error: KrakenwireError | None) -> bool:
    """Tell whether trying again cannot help.

    Refused handshakes other than 429 and 503, TLS failures and close code 1008
    are final; a frame we could not decode is not, its own limit decides.
    """
    if error is None or isinstance(error, ProtocolViolation):
        return False
    if isinstance(error, ConnectionLost) and error.code == _CLOSE_POLICY:
        return True
    return not error.retryable


class ConnectionBudget:
    """Attempts in a rolling window. Sessions of one address may share one budget.

    Args:
        attempts_max: attempts allowed in any window.
        window_s: its length.
    """

    def __init__(
        self,
        attempts_max: int = limits.CONNECT_ATTEMPTS_MAX,
        window_s: float = limits.CONNECT_WINDOW_S,
    ) -> None:
        self.attempts_max = attempts_max
        self.window_s = window_s
        self._window_ns = int(window_s * _SECOND)
        self._attempts: deque[int] = deque(maxlen=attempts_max)

    def spend(self, now_ns: int) -> None:
        """Count one attempt."""
        self._attempts.append(now_ns)

    def allowed_ns(self, now_ns: int) -> int:
        """Return the earliest time of the next attempt, `now_ns` when there is room."""
        if len(self._attempts) < self.attempts_max:
            return now_ns
        return max(now_ns, self._attempts[0] + self._window_ns + 1)


class Backoff:
    """The pause before the next attempt.

    Args:
        config: its figures.
    """

    def __init__(self, config: SessionConfig) -> None:
        self._config = config
        self._at_once = 0
        self._pauses = 0

    def stable_end(self) -> None:
        """A connection that had lived long ended at random: a few attempts at once are granted."""
        self._at_once = self._config.retries_at_once
        self._pauses = 0

    def outage(self) -> None:
        """The venue said that it is down or too busy: nothing more at once."""
        self._at_once = 0

    def delay_s(self, error: KrakenwireError | None, chance: float) -> float:
        """Return seconds until the next attempt.

        Args:
            error: what ended the last one.
            chance: a number from 0 to 1 that spreads clients apart.
        """
        if isinstance(error, HandshakeError | ProtocolViolation):
            self.outage()
        if self._at_once > 0:
            self._at_once -= 1
            return chance
        longest = min(self._config.pause_s * (2 << self._pauses), self._config.pause_max_s)
        self._pauses = min(self._pauses + 1, 16)
        shortest = max(self._config.pause_s, longest / 2)
        return shortest + max(0.0, longest - shortest) * chance


class Reconnect:
    """What follows the end of a connection: the next attempt, or none ever.

    Args:
        config: its figures.
        budget: attempts are spent from it.
        jitter: returns numbers from 0 to 1.
    """

    def __init__(self, config: SessionConfig, budget: ConnectionBudget, jitter: Callable[[], float]) -> None:
        self._config = config
        self._budget = budget
        self._jitter = jitter
        self._backoff = Backoff(config)
        self._ever_open = False
        self._malformed_ends: deque[int] = deque(maxlen=config.malformed_max)

    def attempt(self, now_ns: int) -> int:
        """Spend one attempt and return `now_ns`; or spend none and return when one is allowed.

        Raises:
            ConnectionBudgetError: none is left, and waiting is not wanted.
        """
        allowed_ns = self._allowed_ns(now_ns)
        if allowed_ns == now_ns:
            self._budget.spend(now_ns)
        return allowed_ns

    def opened(self) -> bool:
        """A connection is open; return whether it is not the first."""
        before, self._ever_open = self._ever_open, True
        return before

    def after(self, error: KrakenwireError, lived_s: float, outage: bool, now_ns: int) -> int:
        """Return the time of the next attempt after a connection ended with `error`.

        Args:
            error: why it ended.
            lived_s: how long it was open, 0 when it never was.
            outage: whether the venue had said that it is not at work.
            now_ns: the time.

        Raises:
            KrakenwireError: no attempt will follow, and why.
        """
        if is_final(error) or not (self._ever_open or self._config.retry_initial):
            raise error
        if isinstance(error, ProtocolViolation):
            self._count_malformed(error, now_ns)
        if lived_s >= self._config.stable_s:
            self._backoff.stable_end()
        if outage:
            self._backoff.outage()
        delay_s = self._backoff.delay_s(error, self._jitter())
        return self._allowed_ns(now_ns + int(delay_s * _SECOND))

    def _allowed_ns(self, when_ns: int) -> int:
        allowed_ns = self._budget.allowed_ns(when_ns)
        if allowed_ns > when_ns and self._config.on_budget == "fail":
            window = f"{self._budget.attempts_max} attempts in {self._budget.window_s:g} s are used up"
            hint = "More would get this address banned by the venue"
            raise ConnectionBudgetError(self._config.url, window, hint=hint)
        return allowed_ns

    def _count_malformed(self, error: ProtocolViolation, now_ns: int) -> None:
        """Stay down when frame after frame cannot be read: another connection will not cure that."""
        ends = self._malformed_ends
        ends.append(now_ns)
        window_s = self._config.attempts_window_s
        if len(ends) == ends.maxlen and now_ns - ends[0] <= window_s * _SECOND:
            reason = f"{len(ends)} connections within {window_s:g} s ended by frames we cannot read, the last: {error}"
            raise ConnectionBudgetError(self._config.url, reason) from error
