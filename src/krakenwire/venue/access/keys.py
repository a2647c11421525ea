"""API keys of the local Kraken: who a signed call comes from, or why it is refused.

A nonce is used up only by a call whose signature is right, and a right
signature is never turned away for what others did. Secrets and signatures
appear in no text. What a key may do is in `permissions.py`, how fast in
`pace.py`. Source: v2 reference, section 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from hmac import compare_digest
from typing import Final

import msgspec

from krakenwire.errors import ConfigError
from krakenwire.limits import VENUE_NONCES_KEPT
from krakenwire.model.secrets import Secret
from krakenwire.protocol.rest import INVALID_KEY
from krakenwire.protocol.rest_sign import nonce_in, secret_bytes, sign
from krakenwire.venue.access.kept import NonceTaken, NoteAccess
from krakenwire.venue.access.pace import LOCKOUT, BanRule, Bans
from krakenwire.venue.access.permissions import ALL_PERMISSIONS, Permission

__all__ = ["INVALID_NONCE", "INVALID_SIGNATURE", "LOCKED_OUT", "ApiKey", "Keyring", "Nonces"]

INVALID_SIGNATURE: Final = "EAPI:Invalid signature"
INVALID_NONCE: Final = "EAPI:Invalid nonce"
LOCKED_OUT: Final = "EGeneral:Temporary lockout"


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """One API key.

    Args:
        key: the public text, sent with each call.
        secret: the private part, base64.
        account: name of the account it belongs to.
        permissions: what it may do.
        nonce_window: by how much a nonce may be below the highest one, in whatever unit the client counts.
        rate_limited: whether the limits of its account count for it.
    """

    key: str
    secret: Secret
    account: str
    permissions: frozenset[Permission] = ALL_PERMISSIONS
    nonce_window: int = 0
    rate_limited: bool = True


class Nonces:
    """Which nonces of one key are used up.

    Each must be above the highest so far; with a window it may also be that much below it, once.

    Args:
        window: nonce units.
        kept_max: used nonces that are remembered. When there are more, the lowest
            of them is forgotten and counts as used with all that are below it.
    """

    __slots__ = ("_floor", "_heap", "_highest", "_kept_max", "_used", "_window")

    def __init__(self, window: int = 0, kept_max: int = VENUE_NONCES_KEPT) -> None:
        self._window, self._kept_max = window, kept_max
        self._highest = self._floor = -1
        self._used: set[int] = set()
        self._heap: list[int] = []

    def __len__(self) -> int:
        return len(self._used)

    @property
    def highest(self) -> int:
        """The highest nonce so far; -1 before the first."""
        return self._highest

    def take(self, nonce: int) -> bool:
        """Use a nonce up; return False when it was used, or is too low."""
        if nonce <= self._floor or nonce < self._highest - self._window or nonce in self._used:
            return False
        self._highest = max(nonce, self._highest)
        self._used.add(nonce)
        heappush(self._heap, nonce)
        while self._heap[0] < self._highest - self._window or len(self._heap) > self._kept_max:
            self._floor = heappop(self._heap)
            self._used.remove(self._floor)
        return True


class Keyring:
    """Every key of a venue.

    Args:
        keys: the keys; their texts differ.
        lockout: how many refusals are too many; None never locks anybody out.
        note: writes down each nonce that is used up; None keeps nothing.

    Raises:
        ConfigError: two keys with one text, or a secret that is not base64.
    """

    def __init__(
        self, keys: Iterable[ApiKey] = (), lockout: BanRule | None = LOCKOUT, note: NoteAccess | None = None
    ) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._nonces: dict[str, Nonces] = {}
        self._strangers = Bans(lockout)
        self._owners = Bans(lockout)
        self._note = note
        for key in keys:
            self.add(key)

    @property
    def keys(self) -> tuple[ApiKey, ...]:
        """All keys, in the order they were added."""
        return tuple(self._keys.values())

    def key(self, text: str) -> ApiKey | None:
        """Return a key by its public text."""
        return self._keys.get(text)

    def highest_nonce(self, text: str) -> int:
        """Return the highest nonce that a known key has used; -1 before the first."""
        return self._nonces[text].highest

    def add(self, key: ApiKey) -> None:
        """Take in one more key.

        Raises:
            ConfigError: there is one with that text, or the secret is not base64.
        """
        secret_bytes(key.secret)
        if key.key in self._keys:
            raise ConfigError("API key", expected="a text that no other key has", found=key.key)
        self._keys[key.key] = key
        self._nonces[key.key] = Nonces(key.nonce_window)

    def remove(self, text: str) -> None:
        """Let a key be unknown from now on; its tokens are the business of `krakenwire.venue.access.tokens`."""
        self._keys.pop(text, None)
        self._nonces.pop(text, None)

    def redo(self, taken: NonceTaken) -> None:
        """Let a nonce be used up that was so in an earlier life; the key may be gone since."""
        nonces = self._nonces.get(taken.key)
        if nonces is not None:
            nonces.take(taken.nonce)

    def lift_lockouts(self) -> None:
        """Forget whoever was refused too often."""
        self._strangers.lift()
        self._owners.lift()

    def check(
        self,
        path: str,
        *,
        api_key: str | None,
        api_sign: str | None,
        body: bytes,
        content_type: str = "",
        peer: str = "",
        now_ns: int,
    ) -> ApiKey | str:
        """Return the key a call was signed with, or the venue's text that refuses it.

        Args:
            path: as it was asked for, without the query.
            api_key: the header that names the key; None when it is missing.
            api_sign: the header with the signature; None when it is missing.
            body: the raw bytes.
            content_type: its header.
            peer: who asks, for lockouts: the address.
            now_ns: the time.

        Raises:
            JournalError: the nonce could not be written down; the call must not take effect.
        """
        key = self._keys.get(api_key or "")
        if key is None:
            return self._refused(self._strangers, peer, INVALID_KEY, now_ns)
        nonce_text = nonce_in(body, content_type)
        if nonce_text is None:
            return INVALID_NONCE
        if not _same(sign(path, nonce_text, body, key.secret), api_sign or ""):
            return self._refused(self._strangers, peer, INVALID_SIGNATURE, now_ns)
        return self._nonce_refusal(key, int(nonce_text), now_ns) or key

    def _nonce_refusal(self, key: ApiKey, nonce: int, now_ns: int) -> str | None:
        if self._owners.holds(key.key, now_ns):
            return LOCKED_OUT
        if self._nonces[key.key].take(nonce):
            if self._note is not None:
                self._note(NonceTaken(key.key, nonce))
            return None
        return self._refused(self._owners, key.key, INVALID_NONCE, now_ns) if key.rate_limited else INVALID_NONCE

    @staticmethod
    def _refused(bans: Bans, name: str, refusal: str, now_ns: int) -> str:
        return LOCKED_OUT if bans.strike(name, now_ns) else refusal


def _same(expected: str, given: str) -> bool:
    """Whether two signatures agree, in a time that does not tell where they differ."""
    return compare_digest(expected.encode(), given.encode("utf-8", "replace"))
