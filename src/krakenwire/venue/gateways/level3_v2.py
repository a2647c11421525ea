"""What `level3` needs besides a market: a token, room on the connection, and a budget for subscriptions.

Belongs to a v2 gateway, which asks before it subscribes and tells what came
of it. Source: v2 reference, section 6.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from krakenwire.limits import LEVEL3_SYMBOLS_MAX
from krakenwire.model import Subscription
from krakenwire.model.rates import POINT, RateCounter
from krakenwire.venue.access.pace import MESSAGE_RATE_EXCEEDED
from krakenwire.venue.front import Front
from krakenwire.venue.trading import Account

__all__ = ["SYMBOLS_EXCEEDED", "Level3Half"]

COSTS: Final[Mapping[int, int]] = {10: 5, 100: 25, 1000: 100}
"""What a symbol costs by its depth."""

SYMBOLS_EXCEEDED: Final = "Exceeded level3 symbols limit"
"""Kraken tells the bound but not the text; that of the budget is the one of any rate of messages."""


class Level3Half:
    """The level3 subscriptions of one connection.

    Args:
        front: where accounts are.
        connection: names the connection to the front.
    """

    def __init__(self, front: Front, connection: object) -> None:
        self._front, self._connection = front, connection
        self._tokens: dict[object, str] = {}
        self._budgets: dict[Account, RateCounter | None] = {}

    @property
    def accounts(self) -> tuple[str, ...]:
        """Whose tokens have been used."""
        return tuple(account.name for account in self._budgets)

    def token_refusal(self, token: str, now_ns: int) -> str | None:
        """Return the venue's text when a token is no good, None when it is."""
        account = self._front.permit.account(token, "level3", now_ns)
        return account if isinstance(account, str) else None

    def take(self, token: str, subscription: Subscription, now_ns: int, heard_ns: int) -> str | None:
        """Count a subscription, whose token then lives as long as it; return the text when it must be refused."""
        account = self._front.permit.account(token, "level3", now_ns)
        if isinstance(account, str):
            return account
        if len(self._tokens) >= LEVEL3_SYMBOLS_MAX:
            return SYMBOLS_EXCEEDED
        if account not in self._budgets:
            limit = None if account.pace is None else account.pace.limits.level3
            self._budgets[account] = None if limit is None else RateCounter(limit)
        budget = self._budgets[account]
        assert subscription.depth is not None
        if budget is not None and not budget.take(COSTS[subscription.depth] * POINT, heard_ns):
            return MESSAGE_RATE_EXCEEDED
        self._tokens[subscription.key] = token
        self._front.permit.keep(token, (self._connection, subscription.key))
        return None

    def leave(self, subscription: Subscription) -> None:
        """Let go of a subscription."""
        self._front.permit.release(self._tokens.pop(subscription.key), (self._connection, subscription.key))

    def close(self) -> None:
        """Let go of everything."""
        for key, token in self._tokens.items():
            self._front.permit.release(token, (self._connection, key))
        self._tokens.clear()
