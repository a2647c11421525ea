"""What of access outlives the venue: used nonces and tokens, as values that can be written down and done again.

Written before they take effect, like everything that changes a venue
(`krakenwire.venue.inputs`). A token is known by its digest: who reads the
journal can use none. Lockouts and rate counters are not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import msgspec

__all__ = ["AccessChange", "NonceTaken", "NoteAccess", "TokenGood", "TokensEnded", "token_digest"]


class NonceTaken(msgspec.Struct, frozen=True, tag="nonce", array_like=True):
    """A key used up a nonce."""

    key: str
    nonce: int


class TokenGood(msgspec.Struct, frozen=True, tag="token", array_like=True):
    """A token of a key was issued, or is good for longer."""

    digest: bytes
    key: str
    deadline_ns: int


class TokensEnded(msgspec.Struct, frozen=True, tag="tokens ended", array_like=True):
    """Tokens were ended before their time."""

    digests: tuple[bytes, ...]


AccessChange = NonceTaken | TokenGood | TokensEnded
NoteAccess = Callable[[AccessChange], None]


def token_digest(token: str) -> bytes:
    """Return what a token is known by when it is written down. It is drawn from 256 bits, so no salt is needed."""
    return sha256(token.encode("utf-8", "replace")).digest()
