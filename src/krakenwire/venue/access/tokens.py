"""WebSocket tokens of the local Kraken: issued for a key, and valid while they are used.

A token is valid for fifteen minutes after it was issued or last traded with,
and beyond that as long as a subscription opened with it is kept, on whichever
connection. What it may do is what its key may do. Chance comes in as a
callable; tokens appear in no text but the answer that hands one out. Source:
v2 reference, section 4.1; v1 reference, section 8.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Hashable
from typing import Final

from krakenwire.limits import VENUE_TOKEN_S, VENUE_TOKENS_KEPT
from krakenwire.model.secrets import Secret
from krakenwire.venue.access.keys import ApiKey

__all__ = ["INVALID_SESSION", "TOKEN_NOT_FOUND", "Tokens"]

INVALID_SESSION: Final = "ESession:Invalid session"
TOKEN_NOT_FOUND: Final = "Token(s) not found"  # noqa: S105 - the text of a refusal

_TOKEN_BYTES: Final = 32
"""43 characters of base64 without the padding."""


class _Grant:
    """What one token stands for."""

    __slots__ = ("deadline_ns", "holders", "key")

    def __init__(self, key: ApiKey, deadline_ns: int) -> None:
        self.key, self.deadline_ns = key, deadline_ns
        self.holders: set[Hashable] = set()

    def valid(self, now_ns: int) -> bool:
        return bool(self.holders) or now_ns < self.deadline_ns


class Tokens:
    """Every token of a venue.

    Args:
        draw: returns so many random bytes; `Random.randbytes` for a venue that can be replayed.
        lifetime_ns: how long one is valid without a subscription.
        kept_max: tokens of one account; beyond it the oldest without a subscription ends, or else the oldest.
    """

    def __init__(
        self,
        draw: Callable[[int], bytes],
        *,
        lifetime_ns: int = int(VENUE_TOKEN_S * 1_000_000_000),
        kept_max: int = VENUE_TOKENS_KEPT,
    ) -> None:
        self._draw, self._lifetime_ns, self._kept_max = draw, lifetime_ns, kept_max
        self._grants: dict[str, _Grant] = {}
        self._by_account: dict[str, dict[str, _Grant]] = {}
        self._due_ns: int | None = None

    def __len__(self) -> int:
        return len(self._grants)

    @property
    def lifetime_s(self) -> int:
        """What the answer tells as `expires`."""
        return self._lifetime_ns // 1_000_000_000

    def issue(self, key: ApiKey, now_ns: int) -> Secret:
        """Return a new token for a key."""
        self.poll(now_ns)
        self._make_room(key.account)
        token = b64encode(self._draw(_TOKEN_BYTES)).decode().rstrip("=")
        grant = self._grants[token] = _Grant(key, now_ns + self._lifetime_ns)
        self._by_account.setdefault(key.account, {})[token] = grant
        self._look_at(grant.deadline_ns)
        return Secret(token)

    def key(self, token: str, now_ns: int) -> ApiKey | None:
        """Return the key of a token; None, which is `INVALID_SESSION`, when it is unknown or has expired."""
        grant = self._grants.get(token)
        return grant.key if grant is not None and grant.valid(now_ns) else None

    def traded(self, token: str, now_ns: int) -> None:
        """Take note that a valid token placed or ended orders: it is good for another while."""
        grant = self._grants[token]
        grant.deadline_ns = max(grant.deadline_ns, now_ns + self._lifetime_ns)

    def keep(self, token: str, holder: Hashable) -> None:
        """Take note of a subscription opened with a valid token.

        Args:
            token: the token.
            holder: names connection and subscription; told again by `release`.
        """
        self._grants[token].holders.add(holder)

    def release(self, token: str, holder: Hashable) -> None:
        """Take note that a subscription has ended; the token may have ended before."""
        grant = self._grants.get(token)
        if grant is None or holder not in grant.holders:
            return
        grant.holders.remove(holder)
        if not grant.holders:
            self._look_at(grant.deadline_ns)

    def expire_all(self) -> None:
        """End every token; subscriptions go on, requests are refused."""
        self._grants.clear()
        self._by_account.clear()
        self._due_ns = None

    def expire_account(self, account: str) -> None:
        """End every token of one account."""
        for token in self._by_account.pop(account, {}):
            del self._grants[token]

    def expire_key(self, key: str) -> None:
        """End every token of one API key."""
        for token in [token for token, grant in self._grants.items() if grant.key.key == key]:
            self._end(token)

    def next_deadline_ns(self) -> int | None:
        """Return when `poll` may have something to forget, None for never."""
        return self._due_ns

    def poll(self, now_ns: int) -> None:
        """Forget what has expired. Only memory depends on it: an expired token is refused anyway."""
        if self._due_ns is None or now_ns < self._due_ns:
            return
        for token in [token for token, grant in self._grants.items() if not grant.valid(now_ns)]:
            self._end(token)
        self._due_ns = min((grant.deadline_ns for grant in self._grants.values() if not grant.holders), default=None)

    def _look_at(self, deadline_ns: int) -> None:
        self._due_ns = deadline_ns if self._due_ns is None else min(deadline_ns, self._due_ns)

    def _make_room(self, account: str) -> None:
        grants = self._by_account.get(account, {})
        if len(grants) >= self._kept_max:
            self._end(next((token for token, grant in grants.items() if not grant.holders), next(iter(grants))))

    def _end(self, token: str) -> None:
        grant = self._grants.pop(token)
        of_account = self._by_account[grant.key.account]
        del of_account[token]
        if not of_account:
            del self._by_account[grant.key.account]
