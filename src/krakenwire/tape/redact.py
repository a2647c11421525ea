"""Takes secrets out of a frame before it is put on a tape.

A frame without one is passed on as it is; in one with a secret nothing but the
secret's own text changes. A frame that cannot be read is given up rather than
let through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from krakenwire import _native

__all__ = ["REDACTED", "may_hold_secret", "redacted"]

REDACTED: Final = "***"

_NAMES: Final = ("token", "api_key", "api-key", "api-sign", "api_sign", "api_secret", "secret")
"""Members whose text opens an account; compared in lower case."""

_LONG: Final = 12
"""A text of so many characters is removed inside other texts, too: it is there by no chance."""

_GIVEN_UP: Final = b'{"redacted":"a frame that may hold a secret and cannot be told apart from it"}'


def may_hold_secret(frame: bytes) -> bool:
    """Return whether a frame has to be looked at more closely.

    No frame has one of the names without one of these words in it; an escape may spell anything.
    """
    lower = frame.lower()
    return b"token" in lower or b"api" in lower or b"secret" in lower or b"\\u" in lower


if TYPE_CHECKING or not _native.ENABLED:
    _may_hold = may_hold_secret
else:
    from krakenwire._native import redact

    _may_hold = redact.may_hold_secret


def redacted(frame: bytes) -> bytes:
    """Return a frame without its secrets; the same object where there is none.

    Args:
        frame: one text frame of either direction.
    """
    if not _may_hold(frame):
        return frame
    try:
        secrets = sorted(set(_secrets(msgspec.json.decode(frame))), key=len, reverse=True)
        clean = frame
        for secret in secrets:
            clean = _replaced(clean, secret.encode())
        left = bool(secrets) and any(True for _ in _secrets(msgspec.json.decode(clean)))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _GIVEN_UP
    return _GIVEN_UP if left else clean  # left: it was spelled with escapes


def _replaced(frame: bytes, secret: bytes) -> bytes:
    clean = frame.replace(b'"%b"' % secret, b'"%b"' % REDACTED.encode())
    return clean.replace(secret, REDACTED.encode()) if len(secret) >= _LONG else clean


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(name, str) and name.lower() in _NAMES and isinstance(item, str):
                if item and item != REDACTED:
                    yield item
            else:
                yield from _secrets(item)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item)
