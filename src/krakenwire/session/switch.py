"""The dead man's switch: everything is canceled unless its owner goes on asking the venue to wait.

    idle ──arm──▶ arming ──yes──▶ armed ──renewed in time──▶ armed
                    │               │
                    │ nobody knows  │ its time comes, or nobody knows of a renewal
                    ▼               ▼
                  doubtful ──yes──▶ armed
                    │ it must have fired by now          disarm, and yes ──▶ disarmed
                    ▼
                  fired

The timer runs at the venue, for the whole account, and outlives every
connection. Its times are told by the venue's clock, rounded up to whole
seconds; ours runs from when the request was sent. So it may fire from
`trigger_ns` on, and must have a little later. Source: v2 reference, section 8.7.
"""

from __future__ import annotations

from typing import Final, Literal

from krakenwire import limits
from krakenwire.errors import ConfigError
from krakenwire.model import CancelAllAfter, Outcome, TimerSet

__all__ = ["DeadMansSwitch", "SwitchState"]

SwitchState = Literal["idle", "arming", "armed", "doubtful", "fired", "disarmed"]

_SECOND: Final = 1_000_000_000
_ROUNDING_NS: Final = _SECOND
"""The venue's times are whole seconds, rounded up."""


class DeadMansSwitch:
    """One account's switch, as its owner works it.

    The owner sends what `due` returns, and hands what became of it to `answered`: an `Outcome` of that very
    request, without `sent_ns` if it never left.

    Attributes:
        state: see above; ``armed`` also while renewals are refused, as long as the last one holds.
        trigger_ns: from when on it may fire, by our clock; None when it is not set.
        fires: how often it has fired, as far as we know; `fired_ns` when it last did, by our clock.
        error: the venue's words when it last refused; empty after a yes.

    Args:
        timeout_s: after so long without a renewal everything is canceled.
        renew_s: renewed this long after the last one was sent; None for a third of `timeout_s`.
        owner_s: renewed only while the owner says `alive` at least this often; None to renew without.

    Raises:
        ConfigError: a time that the venue does not take, or a renewal that comes too late.
    """

    def __init__(
        self, timeout_s: int = limits.SWITCH_TIMEOUT_S, renew_s: float | None = None, owner_s: float | None = None
    ) -> None:
        if not 1 <= timeout_s < limits.CANCEL_AFTER_S_MAX:
            expected = f"seconds from 1 to below {limits.CANCEL_AFTER_S_MAX}"
            raise ConfigError("the time of the dead man's switch", expected=expected, found=timeout_s)
        renew_s = timeout_s / 3 if renew_s is None else renew_s
        if not 0 < renew_s < timeout_s:
            expected = f"seconds above zero and below {timeout_s}"
            raise ConfigError("the renewal of the dead man's switch", expected=expected, found=renew_s)
        if owner_s is not None and owner_s <= 0:
            raise ConfigError("the owner's time of the dead man's switch", expected="above zero", found=owner_s)
        self._timeout_s, self._timeout_ns = timeout_s, timeout_s * _SECOND
        self._renew_ns = int(renew_s * _SECOND)
        self._owner_ns = None if owner_s is None else int(owner_s * _SECOND)
        self.state: SwitchState = "idle"
        self.trigger_ns: int | None = None
        self.fires, self.error = 0, ""
        self.fired_ns: int | None = None
        self._latest_ns = self._alive_ns = self._asked_ns = 0
        self._venue_trigger_ns: int | None = None
        self._wanted = False
        self._next_ns: int | None = None
        self._asked: CancelAllAfter | None = None

    # -- the owner -------------------------------------------------------------------

    def arm(self, now_ns: int) -> None:
        """Want it armed: `due` has the request, and from then on the renewals."""
        self._wanted, self._alive_ns, self._next_ns = True, now_ns, now_ns
        if self.trigger_ns is None:
            self.state = "arming"

    def disarm(self, now_ns: int) -> None:
        """Want it off: `due` has the request, unless it never was on."""
        self._wanted = False
        self._next_ns = now_ns if self.state not in ("idle", "disarmed") else None

    def alive(self, now_ns: int) -> None:
        """Say that the owner still is there."""
        self._alive_ns = now_ns

    # -- the driver ---------------------------------------------------------------------

    def poll(self, now_ns: int) -> SwitchState:
        """Return how it stands now."""
        if self.trigger_ns is not None and now_ns >= self.trigger_ns:
            if self._asked is None and now_ns >= self._latest_ns:
                self._fired()
                self.state, self._wanted, self._next_ns = "fired", False, None
                self._forget()
            else:
                self.state = "doubtful"
        return self.state

    def due(self, now_ns: int) -> CancelAllAfter | None:
        """Return the request to be sent now; None when there is none, or one is under way.

        Ask only while it can be sent.
        """
        self.poll(now_ns)
        if self._asked is not None or self._next_ns is None or now_ns < self._next_ns:
            return None
        if self._wanted and not self._is_alive(now_ns):
            return None
        self._asked = CancelAllAfter(timeout_s=self._timeout_s if self._wanted else 0)
        self._asked_ns, self._next_ns = now_ns, None
        return self._asked

    def answered(self, outcome: Outcome, now_ns: int) -> None:
        """Take in what became of the request that `due` returned; that of any other is passed over."""
        if self._asked is None or outcome.request is not self._asked:
            return
        asked, self._asked = self._asked, None
        answer = outcome.answer
        if isinstance(answer, TimerSet) and (answer.trigger_ns is None) == (asked.timeout_s == 0):
            self._set(answer, now_ns)
        elif outcome.refused:
            self._refused(outcome.error, now_ns)
        elif outcome.sent_ns is None:
            self._try_again(now_ns)
        else:
            self._unknown(asked, now_ns)

    def next_deadline_ns(self) -> int | None:
        """Return when `due` or `poll` is to be called next; None for only after something else happens."""
        times = []
        if self._asked is None:
            if self._next_ns is not None and (not self._wanted or self._is_alive(self._next_ns)):
                times.append(self._next_ns)
            if self.trigger_ns is not None:
                times.append(self._latest_ns)
        if self.trigger_ns is not None and self.state == "armed":
            times.append(self.trigger_ns)
        return min(times, default=None)

    # -- inside -------------------------------------------------------------------------

    def _is_alive(self, now_ns: int) -> bool:
        return self._owner_ns is None or now_ns - self._alive_ns <= self._owner_ns

    def _set(self, answer: TimerSet, now_ns: int) -> None:
        """The venue took it: by its own clock it says whether the timer before had run out."""
        if self._venue_trigger_ns is not None and answer.current_ns > self._venue_trigger_ns:
            self._fired()
        self.error = ""
        if answer.trigger_ns is None:
            self.state = "arming" if self._wanted else "disarmed"
            self._forget()
            self._next_ns = now_ns if self._wanted else None
            return
        left_ns = answer.trigger_ns - answer.current_ns
        self.state = "armed"
        self._venue_trigger_ns = answer.trigger_ns
        self.trigger_ns, self._latest_ns = self._asked_ns + left_ns, now_ns + left_ns + _ROUNDING_NS
        if self._next_ns is None:
            self._next_ns = self._asked_ns + self._renew_ns if self._wanted else now_ns

    def _refused(self, error: str, now_ns: int) -> None:
        """The venue did not take it: what was set before holds, and is worth another try before it runs out."""
        self.error = error
        if self.trigger_ns is not None:
            self._try_again(now_ns)
            return
        self._wanted, self._next_ns = False, None
        if self.state == "arming":
            self.state = "idle"

    def _unknown(self, asked: CancelAllAfter, now_ns: int) -> None:
        """Nobody knows whether the venue took it: both times may hold."""
        self.state = "doubtful"
        if asked.timeout_s:
            self.trigger_ns = self.trigger_ns or self._asked_ns + self._timeout_ns
            self._latest_ns = max(self._latest_ns, now_ns + self._timeout_ns + _ROUNDING_NS)
        self._try_again(now_ns)

    def _try_again(self, now_ns: int) -> None:
        self._next_ns = now_ns + int(limits.SWITCH_RETRY_S * _SECOND)

    def _fired(self) -> None:
        self.fires += 1
        self.fired_ns = self.trigger_ns

    def _forget(self) -> None:
        self.trigger_ns = self._venue_trigger_ns = None
        self._latest_ns = 0
