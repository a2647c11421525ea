"""The stops of a bot: how far it has been stopped, by whom, and what that asks for.

A stop is sticky. It only ever gets harder until a person lifts it, and it
stands in the journal, so that a bot which begins again is still stopped. What
carries it out is in `apps.live_broker`.

    running ── PAUSED ── NO_ORDERS ── CANCEL_OWN ── CANCEL_ALL
                 each includes what stands before it
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import msgspec

from krakenwire.errors import UsageError

__all__ = ["BOT", "Stop", "StopLevel", "Stops"]

BOT: Final = "bot"
"""Who has stopped it, where no person has."""


class StopLevel(IntEnum):
    """How far a bot is stopped."""

    PAUSED = 0
    """The strategy is not called; its orders stay."""
    NO_ORDERS = 1
    """And no new order is sent, nor an amendment."""
    CANCEL_OWN = 2
    """And its own orders are canceled."""
    CANCEL_ALL = 3
    """And every order of the account is, and the dead man's switch is left to run out."""


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """Why a bot is stopped.

    Args:
        who: `BOT`, or the person.
    """

    time_ns: int
    level: StopLevel
    reason: str
    who: str = BOT


@dataclass(slots=True)
class Stops:
    """Whether a bot is stopped.

    Args:
        stop: the hardest stop since the last resume; None while it runs.
    """

    stop: Stop | None = None

    def raise_to(self, stop: Stop) -> bool:
        """Stop it as far as that; return whether it was not stopped so far already."""
        if self.stop is not None and self.stop.level >= stop.level:
            return False
        self.stop = stop
        return True

    def lift(self, who: str) -> bool:
        """Let it run again; return whether it was stopped.

        Raises:
            UsageError: the bot itself wants to: only a person may.
        """
        if who == BOT:
            raise UsageError("a stop", expected="to be lifted by a person")
        stopped, self.stop = self.stop is not None, None
        return stopped

    @property
    def calls_strategy(self) -> bool:
        """Whether the strategy is called."""
        return self.stop is None

    @property
    def allows_orders(self) -> bool:
        """Whether a new order or an amendment may be sent."""
        return self.stop is None or self.stop.level < StopLevel.NO_ORDERS

    @property
    def cancels_own(self) -> bool:
        """Whether its own orders are to be gone."""
        return self.stop is not None and self.stop.level >= StopLevel.CANCEL_OWN

    @property
    def cancels_all(self) -> bool:
        """Whether every order of the account is to be gone."""
        return self.stop is not None and self.stop.level >= StopLevel.CANCEL_ALL
