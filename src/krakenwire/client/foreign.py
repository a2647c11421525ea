"""Other libraries' exceptions become ours here, once, for both transports.

What went wrong while connecting is told apart from what went wrong on an open
connection. Nothing here retries: whether that helps is a member of the error.
"""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Final

from krakenwire.errors import ConnectError, ConnectionLost, HandshakeError, KrakenwireError, TlsError, excerpt

__all__ = ["connecting_failed", "connection_failed", "handshake_refused", "name_failed", "timed_out"]

_REASONS: Final = {
    errno.ECONNREFUSED: "the connection was refused",
    errno.ENETUNREACH: "there is no route to the network",
    errno.EHOSTUNREACH: "there is no route to the host",
    errno.ECONNRESET: "the connection was reset",
    errno.ETIMEDOUT: "no answer in time",
}
_STATUS_HINTS: Final = {
    404: "Is the path right? Version 1 is served at /, version 2 at /v2.",
    429: "The venue limits connection attempts; wait before trying again.",
    503: "The venue is unavailable; try again later.",
}


def connecting_failed(url: str, error: BaseException, hint: str = "") -> KrakenwireError:
    """Return our error for whatever kept a connection from opening."""
    if isinstance(error, KrakenwireError):
        return error
    if isinstance(error, ssl.SSLError):
        return _tls_failed(url, error)
    if isinstance(error, TimeoutError):
        return timed_out(url, hint)
    if isinstance(error, socket.gaierror):
        return name_failed(url, error.strerror or str(error), hint)
    if isinstance(error, OSError):
        return ConnectError(url, _reason(error), hint=hint)
    return ConnectError(url, f"what answered is not a WebSocket: {excerpt(str(error))}", hint=hint)


def _tls_failed(url: str, error: ssl.SSLError) -> TlsError:
    if not isinstance(error, ssl.SSLCertVerificationError):
        plain = "http" if url.startswith("http") else "ws"
        hint = f"Does the address speak TLS? If not, write {plain}:// for {plain}s://."
        return TlsError(url, f"TLS failed: {error.reason or error}", hint=hint)
    reason = error.verify_message or str(error)
    private = "issuer" in reason or "self" in reason
    hint = "If the venue has a private CA, give its PEM file as ca_file=." if private else ""
    return TlsError(url, f"the certificate is not trusted: {reason}", hint=hint)


def connection_failed(url: str, error: BaseException | None, hint: str = "") -> KrakenwireError:
    """Return our error for whatever ended an open connection."""
    if isinstance(error, KrakenwireError):
        return error
    if error is None:
        return ConnectionLost(url, "the connection ended without a close frame", hint=hint)
    reason = _reason(error) if isinstance(error, OSError) else str(error) or type(error).__name__
    return ConnectionLost(url, reason, hint=hint)


def handshake_refused(url: str, status: int) -> HandshakeError:
    """Return the error for an HTTP answer that is not a WebSocket."""
    return HandshakeError(url, status, hint=_STATUS_HINTS.get(status, ""))


def name_failed(url: str, reason: str, hint: str = "") -> ConnectError:
    """Return the error for a host name without an address."""
    return ConnectError(url, f"the host name cannot be resolved ({reason})", hint=hint)


def timed_out(url: str, hint: str = "") -> ConnectError:
    """Return the error for an attempt that took too long."""
    return ConnectError(url, "no connection within the time allowed", hint=hint)


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__
