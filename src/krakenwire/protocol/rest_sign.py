"""Signatures and nonces of private REST calls, for who signs and for who verifies.

A signature covers the path, the nonce and the very bytes of the body, so both
sides work on those and never on a parsed copy. Who may do what is decided in
`krakenwire.venue.access.keys`. Source: v2 reference, section 4.2.
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from krakenwire.errors import ConfigError
from krakenwire.model.secrets import Secret

__all__ = ["NONCE_MAX", "SignedCall", "nonce_in", "secret_bytes", "sign"]

NONCE_MAX: Final = (1 << 64) - 1

_NONCE: Final = re.compile(r"[0-9]{1,20}")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_JSON: Final = re.compile(rb"\s*\{")


class SignedCall(NamedTuple):
    """A private REST call as it came.

    Args:
        path: without the query.
        api_key, api_sign: headers, None where they are missing.
        body: the raw bytes.
        content_type: its header.
        peer: address of the caller.
    """

    path: str
    api_key: str | None
    api_sign: str | None
    body: bytes
    content_type: str
    peer: str


class _Nonced(msgspec.Struct):
    nonce: int | str


_decoder = msgspec.json.Decoder(_Nonced)


def sign(path: str, nonce_text: str, body: bytes, secret: Secret | str) -> str:
    """Return the `API-Sign` header of one call.

    Args:
        path: from ``/0/private/`` on, without host and query.
        nonce_text: as it is written in the body.
        body: the exact bytes that are sent, form or JSON.
        secret: the private part of the key, base64.

    Raises:
        ConfigError: the secret is not base64.
    """
    inner = sha256(nonce_text.encode() + body).digest()
    digest = hmac.digest(secret_bytes(secret), path.encode("utf-8", "replace") + inner, "sha512")
    return b64encode(digest).decode()


def secret_bytes(secret: Secret | str) -> bytes:
    """Return what a secret's base64 text stands for.

    Raises:
        ConfigError: not base64, or nothing; what was found stays unsaid.
    """
    text = secret.reveal() if isinstance(secret, Secret) else secret
    try:
        found = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not found:
        raise ConfigError("secret", expected="the base64 text of an API key's private part") from None
    return found


def nonce_in(body: bytes, content_type: str = "") -> str | None:
    """Return the text of the nonce in a body; None when there is none that can be one.

    Args:
        body: the raw body of the call.
        content_type: its header. A body that is a JSON object is read as one whatever it says.

    Returns:
        The digits as they count for the signature: a number from 0 to `NONCE_MAX`.
    """
    is_json = "json" in content_type.lower() or _JSON.match(body) is not None
    text = _json_nonce(body) if is_json else _form_nonce(body)
    if text is None or _NONCE.fullmatch(text) is None or int(text) > NONCE_MAX:
        return None
    return text


def _json_nonce(body: bytes) -> str | None:
    try:
        return str(_decoder.decode(body).nonce)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _form_nonce(body: bytes) -> str | None:
    fields = (field.partition(b"=") for field in body.split(b"&"))
    found = [_unescaped(value) for name, _, value in fields if _unescaped(name) == "nonce"]
    return found[-1] if found else None


def _unescaped(text: bytes) -> str:
    return _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), text).decode("utf-8", "replace")
