"""WebSocket tokens of the local Kraken: issued for a key, and valid while they are used.

A token is valid for fifteen minutes after it was issued or last traded with,
and beyond that as long as a subscription opened with it is kept, on whichever
connection. What it may do is what its key may do. Chance comes in as a
callable; tokens appear in no text but the answer that hands one out. What is
written down lets a token outlive the venue, not its subscriptions. Source: v2
reference, section 4.1; v1 reference, section 8.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Hashable, Iterable
from typing import Final

from krakenwire.limits import VENUE_TOKEN_NOTE_S, VENUE_TOKEN_S, VENUE_TOKENS_KEPT
from krakenwire.model.secrets import Secret
from krakenwire.venue.access.kept import NoteAccess, TokenGood, TokensEnded, token_digest
from krakenwire.venue.access.keys import ApiKey

__all__ = ["INVALID_SESSION", "TOKEN_NOT_FOUND", "Tokens"]

INVALID_SESSION: Final = "ESession:Invalid session"
TOKEN_NOT_FOUND: Final = "Token(s) not found"  # noqa: S105 - the text of a refusal

_NOTE_NS: Final = int(VENUE_TOKEN_NOTE_S * 1_000_000_000)
_TOKEN_BYTES: Final = 32
"""43 characters of base64 without the padding."""


_Name = str | bytes
"""A token's text; of one from an earlier life that was not seen since, the digest, which no client can send."""


class _Grant:
    """What one token stands for; `noted_ns` is the deadline as it was written down."""

    __slots__ = ("deadline_ns", "holders", "key", "noted_ns")

    def __init__(self, key: ApiKey, deadline_ns: int) -> None:
        self.key, self.deadline_ns, self.noted_ns = key, deadline_ns, deadline_ns
        self.holders: set[Hashable] = set()

    def valid(self, now_ns: int) -> bool:
        return bool(self.holders) or now_ns < self.deadline_ns


class Tokens:
    """Every token of a venue.

    Args:
        draw: returns so many random bytes; `Random.randbytes` for a venue that can be replayed.
        lifetime_ns: how long one is valid without a subscription.
        kept_max: tokens of one account; beyond it the oldest without a subscription ends, or else the oldest.
        note: writes down what becomes of tokens, before it does; what it raises leaves them as they were.
            None keeps nothing.
    """

    def __init__(
        self,
        draw: Callable[[int], bytes],
        *,
        lifetime_ns: int = int(VENUE_TOKEN_S * 1_000_000_000),
        kept_max: int = VENUE_TOKENS_KEPT,
        note: NoteAccess | None = None,
    ) -> None:
        self._draw, self._lifetime_ns, self._kept_max, self._note = draw, lifetime_ns, kept_max, note
        self._grants: dict[_Name, _Grant] = {}
        self._by_account: dict[str, dict[_Name, _Grant]] = {}
        self._unseen = 0
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
        deadline_ns = now_ns + self._lifetime_ns
        if self._note is not None:
            self._note(TokenGood(token_digest(token), key.key, deadline_ns))
        self._add(token, _Grant(key, deadline_ns))
        return Secret(token)

    def key(self, token: str, now_ns: int) -> ApiKey | None:
        """Return the key of a token; None, which is `INVALID_SESSION`, when it is unknown or has expired."""
        grant = self._grants.get(token)
        if grant is None and self._unseen:
            grant = self._seen_again(token)
        return grant.key if grant is not None and grant.valid(now_ns) else None

    def traded(self, token: str, now_ns: int) -> None:
        """Take note that a valid token placed or ended orders: it is good for another while."""
        grant = self._grants[token]
        deadline_ns = max(grant.deadline_ns, now_ns + self._lifetime_ns)
        if self._note is not None and deadline_ns >= grant.noted_ns + _NOTE_NS:
            self._note(TokenGood(token_digest(token), grant.key.key, deadline_ns))
            grant.noted_ns = deadline_ns
        grant.deadline_ns = deadline_ns

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
        self._note_ends(self._grants)
        self._grants.clear()
        self._by_account.clear()
        self._unseen = 0
        self._due_ns = None

    def expire_account(self, account: str) -> None:
        """End every token of one account."""
        self._end(*self._by_account.get(account, ()))

    def expire_key(self, key: str) -> None:
        """End every token of one API key."""
        self._end(*(token for token, grant in self._grants.items() if grant.key.key == key))

    def redo(self, change: TokenGood | TokensEnded, key: ApiKey | None = None) -> None:
        """Do again what was written down in an earlier life.

        Args:
            change: what was written.
            key: the key that a `TokenGood` names, None if it is gone.
        """
        if isinstance(change, TokensEnded):
            for digest in change.digests:
                if digest in self._grants:
                    self._forget(digest)
        elif key is not None:
            self.poll(change.deadline_ns - self._lifetime_ns)
            if change.digest in self._grants:
                grant = self._grants[change.digest]
                grant.deadline_ns = grant.noted_ns = change.deadline_ns
            else:
                self._unseen += 1
                self._add(change.digest, _Grant(key, change.deadline_ns))

    def next_deadline_ns(self) -> int | None:
        """Return when `poll` may have something to forget, None for never."""
        return self._due_ns

    def poll(self, now_ns: int) -> None:
        """Forget what has expired. Only memory depends on it: an expired token is refused anyway."""
        if self._due_ns is None or now_ns < self._due_ns:
            return
        for token in [token for token, grant in self._grants.items() if not grant.valid(now_ns)]:
            self._forget(token)
        self._due_ns = min((grant.deadline_ns for grant in self._grants.values() if not grant.holders), default=None)

    def _look_at(self, deadline_ns: int) -> None:
        self._due_ns = deadline_ns if self._due_ns is None else min(deadline_ns, self._due_ns)

    def _make_room(self, account: str) -> None:
        grants = self._by_account.get(account, {})
        if len(grants) >= self._kept_max:
            self._end(next((token for token, grant in grants.items() if not grant.holders), next(iter(grants))))

    def _add(self, name: _Name, grant: _Grant) -> None:
        self._grants[name] = self._by_account.setdefault(grant.key.account, {})[name] = grant
        self._look_at(grant.deadline_ns)

    def _seen_again(self, token: str) -> _Grant | None:
        """Look for a token among those of an earlier life, and know it by its text from now on."""
        digest = token_digest(token)
        grant = self._grants.get(digest)
        if grant is not None:
            self._forget(digest)
            self._add(token, grant)
        return grant

    def _end(self, *names: _Name) -> None:
        self._note_ends(names)
        for name in names:
            self._forget(name)

    def _note_ends(self, names: Iterable[_Name]) -> None:
        digests = tuple(token_digest(name) if isinstance(name, str) else name for name in names)
        if digests and self._note is not None:
            self._note(TokensEnded(digests))

    def _forget(self, token: _Name) -> None:
        self._unseen -= isinstance(token, bytes)
        grant = self._grants.pop(token)
        of_account = self._by_account[grant.key.account]
        del of_account[token]
        if not of_account:
            del self._by_account[grant.key.account]
