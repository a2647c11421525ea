"""What a session is told once: where to connect and every time limit it keeps.

Defaults come from `krakenwire.limits`, where each has its reason. Nothing here
is read from files or the environment; drivers and apps build the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from krakenwire import limits
from krakenwire.errors import ConfigError

__all__ = ["SessionConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """Settings of one session.

    Args:
        url: where to connect, path included.
        version: API version, 1 or 2.
        name: what the connection is for, shown in logs: ``public`` or ``level3``.
        retry_initial: keep trying when the very first connection fails; by
            default such a failure is final, so that a wrong address is told at once.
        on_budget: what to do when the attempts allowed in the window are used
            up: ``wait`` until one is allowed again, or ``fail`` with
            `ConnectionBudgetError`.
        connect_timeout_s: time for one attempt, handshake included.
        attempts_max, attempts_window_s: the connection budget.
        retries_at_once: attempts without a pause after a random drop.
        pause_s, pause_max_s: shortest and longest pause between other attempts.
        stable_s: how long a connection must live for its end to count as random.
        malformed_max: connections ended by undecodable frames within the budget's
            window before the session stays down.
        silence_s: no frame at all for this long ends a subscribed connection.
        reply_timeout_s: after this a request is sent again once, then reported.
        snapshot_timeout_s: a confirmed book without a snapshot is subscribed again.
        subscription_silence_s: so is a silent book, level3 or ticker.
        resyncs_per_minute: resubscriptions of one symbol for its own faults before it has to wait.
        ping_interval_s: time between our pings; None sends none but the probe of a silent connection.
        frame_bytes_max: larger frames end the connection.
    """

    url: str
    version: int = 2
    name: str = "public"
    retry_initial: bool = False
    on_budget: Literal["wait", "fail"] = "wait"
    connect_timeout_s: float = limits.CONNECT_TIMEOUT_S
    attempts_max: int = limits.CONNECT_ATTEMPTS_MAX
    attempts_window_s: float = limits.CONNECT_WINDOW_S
    retries_at_once: int = limits.CONNECT_RETRIES_AT_ONCE
    pause_s: float = limits.CONNECT_PAUSE_S
    pause_max_s: float = limits.CONNECT_PAUSE_MAX_S
    stable_s: float = limits.CONNECTION_STABLE_S
    malformed_max: int = limits.MALFORMED_ENDS_MAX
    silence_s: float = limits.SILENCE_S
    reply_timeout_s: float = limits.REPLY_TIMEOUT_S
    snapshot_timeout_s: float = limits.SNAPSHOT_TIMEOUT_S
    subscription_silence_s: float = limits.SUBSCRIPTION_SILENCE_S
    resyncs_per_minute: int = limits.RESYNCS_PER_MINUTE
    ping_interval_s: float | None = limits.PING_INTERVAL_S
    frame_bytes_max: int = limits.FRAME_BYTES_MAX

    def __post_init__(self) -> None:
        """Refuse what no session can keep.

        Raises:
            ConfigError: unknown version, or a figure that is not positive.
        """
        if self.version not in (1, 2):
            raise ConfigError("version", expected="1 or 2", found=self.version)
        if self.on_budget not in ("wait", "fail"):
            raise ConfigError("on_budget", expected="wait or fail", found=self.on_budget)
        for field in _POSITIVE:
            value = getattr(self, field)
            if value is not None and not value > 0:
                raise ConfigError(field, expected="more than zero", found=value)
        if self.pause_max_s < self.pause_s:
            raise ConfigError("pause_max_s", expected=f"at least pause_s ({self.pause_s})", found=self.pause_max_s)


_POSITIVE = (
    "attempts_max",
    "attempts_window_s",
    "connect_timeout_s",
    "frame_bytes_max",
    "malformed_max",
    "pause_s",
    "ping_interval_s",
    "reply_timeout_s",
    "resyncs_per_minute",
    "silence_s",
    "snapshot_timeout_s",
    "stable_s",
    "subscription_silence_s",
)
