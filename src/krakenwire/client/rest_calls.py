"""REST calls as a client makes them: signed, one after another, with refusals explained.

Blocking, for any thread; in asyncio, ask beside the loop (`errands.ask_beside`).
No call is ever sent twice. Logs name the method and what came of it, never a
header or a body. The typed calls are in `rest`. Source: v2 reference, sections
4.2, 11 and 12.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from types import TracebackType
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit

from krakenwire import limits
from krakenwire.client.credentials import Credentials
from krakenwire.client.environments import Addresses, Environment, environment, is_loopback
from krakenwire.client.nonces import nonces_of
from krakenwire.client.rest_wire import RestWire
from krakenwire.client.tls import client_context
from krakenwire.errors import ConfigError, KrakenwireError, StreamEnded, UsageError, VenueRefusal
from krakenwire.model.permissions import PERMISSION_WORDS
from krakenwire.protocol.permissions import REST_NEEDS
from krakenwire.protocol.rest_body import form_body
from krakenwire.protocol.rest_client import rest_result
from krakenwire.protocol.rest_sign import sign

__all__ = ["RestCalls"]

_ResultT = TypeVar("_ResultT")
_log = logging.getLogger("krakenwire.client")

_METHOD: Final = re.compile(r"[A-Za-z0-9]{1,64}")

_NONCE_HINT: Final = (
    "Does another program use this key, or was the clock set back?"
    " Give each program a key of its own, or the key a nonce window."
)
_HINTS: Final = (
    ("EAPI:Invalid key", "The venue does not know this API key: was it deleted, or is it another environment's?"),
    ("EAPI:Invalid signature", "Key and secret do not belong together."),
    ("EAPI:Invalid nonce", _NONCE_HINT),
    ("EAPI:Rate limit exceeded", "A history costs 4 points, most other calls 1, and one comes back in 1 to 3 s."),
    ("EGeneral:Temporary lockout", "After too many wrong keys or nonces, for about 15 minutes."),
    ("EService:", "The venue itself is not available; its SystemStatus says more."),
)
_DENIED: Final = ("EGeneral:Permission denied", "EAPI:Permission denied")


class RestCalls:
    """Calls by the name of their method.

    Args:
        on: an environment, as a client takes it, an address, or several.
        credentials: for private calls.
        ca_file: PEM file of certificates to trust besides the system's.
        insecure: do not check the certificate; addresses of this machine only.
        timeout_s: for one call to connect, again for its answer, and to wait for its turn before.

    Raises:
        UsageError: an environment without REST, a setting that cannot be.
    """

    def __init__(
        self,
        on: Environment | Addresses | str,
        credentials: Credentials | None = None,
        *,
        ca_file: str | PathLike[str] | None = None,
        insecure: bool = False,
        timeout_s: float = limits.REST_TIMEOUT_S,
    ) -> None:
        if not timeout_s > 0:
            raise ConfigError("timeout_s", expected="more than 0", found=timeout_s)
        place = on if isinstance(on, Environment) else environment(on)
        url = place.rest_url()
        parts = urlsplit(url)
        host = parts.hostname or ""
        context = client_context(ca_file=ca_file, insecure=insecure, host=host) if parts.scheme == "https" else None
        if context is None and credentials is not None and not is_loopback(host):
            _log.warning("signed calls to %s are not encrypted: who listens can take the tokens in their answers", host)
        self._wire = RestWire(url, context, timeout_s, place.hint)
        self._timeout_s = timeout_s
        self._credentials = credentials
        self._nonces = None if credentials is None else nonces_of(credentials.key)
        self._closed = False

    @property
    def url(self) -> str:
        """The address, without ``/0/``."""
        return self._wire.base_url

    def close(self) -> None:
        """Let go of the connections; calls from now on are refused."""
        self._closed = True
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # -- calls -------------------------------------------------------------------

    def public(self, method: str, params: Mapping[str, str], wanted: type[_ResultT]) -> _ResultT:
        """Return the result of a public call.

        Args:
            method: such as ``Time``.
            params: its query.
            wanted: the shape of its result; see `rest_result`.

        Raises:
            VenueRefusal: with a hint where we have one.
            TransportError, ProtocolViolation, AnswerLost: no answer.
        """
        with self._told(method):
            return rest_result(self._public(method, params), wanted, method)

    def private(self, method: str, params: Mapping[str, str], wanted: type[_ResultT]) -> _ResultT:
        """Return the result of a private call; see `public`.

        Raises:
            UsageError: no credentials.
        """
        return self._read(method, params, lambda body: rest_result(body, wanted, method))

    def call(self, method: str, params: Mapping[str, str]) -> bytes:
        """Return the answer to a private call as it came, whatever it says.

        Raises:
            UsageError: no credentials.
            ConnectError, TlsError, HttpRefusal, WaitTimeout: nothing was carried out.
            AnswerLost, FrameTooBig, DecodeError: it may have been.
        """
        with self._told(method):
            return self._private(method, params)

    def _read(self, method: str, params: Mapping[str, str], reader: Callable[[bytes], _ResultT]) -> _ResultT:
        """Return what `reader` makes of the answer to a private call."""
        with self._told(method):
            return reader(self._private(method, params))

    @contextmanager
    def _told(self, method: str) -> Iterator[None]:
        """Log what comes of a call, and explain a refusal."""
        try:
            yield
        except VenueRefusal as refusal:
            _log.debug("%s: refused with %s", method, refusal.error)
            raise VenueRefusal(refusal.error, method=method, hint=_hint(refusal.error, method)) from None
        except KrakenwireError as error:
            _log.debug("%s: %s", method, type(error).__name__)
            raise
        _log.debug("%s: answered", method)

    # -- on the wire -------------------------------------------------------------

    def _public(self, method: str, params: Mapping[str, str]) -> bytes:
        path = f"/0/public/{self._checked(method)}"
        query = form_body(params).decode()
        return self._wire.exchange("GET", f"{path}?{query}" if query else path, headers={})

    def _private(self, method: str, params: Mapping[str, str]) -> bytes:
        path = f"/0/private/{self._checked(method)}"
        credentials, nonces = self._credentials, self._nonces
        if credentials is None or nonces is None:
            hint = "Set KRAKEN_API_KEY and KRAKEN_API_SECRET, or give credentials."
            raise UsageError(f"the private call {method}", expected="an API key", hint=hint)
        with nonces.turn(self._timeout_s) as nonce:
            body = form_body({"nonce": str(nonce), **params})
            headers = {
                "API-Key": credentials.key,
                "API-Sign": sign(path, str(nonce), body, credentials.secret),
                "Content-Type": "application/x-www-form-urlencoded",
            }
            return self._wire.exchange("POST", path, body=body, headers=headers)

    def _checked(self, method: str) -> str:
        if self._closed:
            raise StreamEnded("this REST client")
        if _METHOD.fullmatch(method) is None:
            raise UsageError("the method of a REST call", expected="a name such as Time", found=method)
        return method


def _hint(error: str, method: str) -> str:
    if error in _DENIED:
        words = " or ".join(f'"{PERMISSION_WORDS[needed]}"' for needed in sorted(REST_NEEDS.get(method, ())))
        return f"The API key needs the permission {words}." if words else ""
    return next((hint for start, hint in _HINTS if error.startswith(start)), "")
