"""One HTTP exchange with REST: bytes out, bytes back, or an error that says whether the call may have arrived.

Over urllib3, with its retries, redirects and proxies off: a call is sent once,
to the address that was named, or not at all. Until a connection stands nothing
was sent, and the error is the one of connecting; from the first byte on, all
that is no complete answer is `AnswerLost`. Next: `rest_calls`.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Retry, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as PoolTimeout

from krakenwire import limits
from krakenwire.client import addresses, foreign
from krakenwire.errors import AnswerLost, DecodeError, FrameTooBig, HttpRefusal
from krakenwire.version import VERSION

if TYPE_CHECKING:
    from urllib3._base_connection import BaseHTTPConnection  # what the pool's own signature names

__all__ = ["RestWire"]

_PIECE_BYTES: Final = 64 * 1024
_AGENT: Final = {"User-Agent": f"krakenwire/{VERSION}", "Accept": "application/json", "Accept-Encoding": "identity"}
_STATUS_HINTS: Final = {
    401: "The address is not Kraken's, or something stands before it.",
    403: "Something before the service turned the call away: the address, or from where it was called.",
    404: "Is the address right? REST is at https://api.kraken.com, without a path.",
    429: "Too many calls: wait before the next one.",
}


class _Refused(msgspec.Struct):
    error: list[str]


_refused: Final = msgspec.json.Decoder(_Refused)


class RestWire:
    """The connections to one REST address. Any thread may call.

    Args:
        base_url: scheme, host, port and path prefix, without ``/0/``.
        context: TLS settings, used for ``https``.
        timeout_s: to connect, and again for the call with its answer.
        hint: what to suggest when no connection can be made.
    """

    def __init__(self, base_url: str, context: ssl.SSLContext | None, timeout_s: float, hint: str = "") -> None:
        parts = urlsplit(base_url)
        self.base_url, self._prefix = base_url, parts.path
        settings: dict[str, Any] = {
            "maxsize": limits.REST_CONNECTIONS_KEPT,
            "timeout": Timeout(total=timeout_s),
            "retries": Retry(total=False, redirect=False),
            "headers": _AGENT,
        }
        secure = parts.scheme == "https"
        pool = partial(_SecurePool, ssl_context=context) if secure else _Pool
        self._pool: _Pool | _SecurePool = pool(parts.hostname or "", parts.port or (443 if secure else 80), **settings)
        self._pool.base_url, self._pool.hint = base_url, hint

    def exchange(self, verb: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str]) -> bytes:
        """Send one call and return the body of its answer.

        Args:
            verb: ``GET`` or ``POST``.
            path: from ``/0/`` on, with its query; its last part names the call in errors.
            body: a form.
            headers: beside those of every call.

        Raises:
            ConnectError, TlsError: no connection; nothing was sent.
            HttpRefusal: HTTP turned it away; nothing was carried out.
            AnswerLost: it may have been carried out.
            FrameTooBig, DecodeError: so it may too; what came back is no answer.
        """
        method = path.partition("?")[0].rpartition("/")[2]
        try:
            response = self._pool.urlopen(
                verb,
                self._prefix + path,
                body=body,
                headers=_AGENT | dict(headers),
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            answer = _content(response)
        except (HTTPError, OSError, http.client.HTTPException) as error:
            raise AnswerLost(method, _reason(error)) from error
        if not 200 <= response.status < 300 and not _tells_errors(answer):
            raise self._turned_away(method, response.status)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise DecodeError("an answer that is compressed, which was not asked for")
        return answer

    def _turned_away(self, method: str, status: int) -> AnswerLost | HttpRefusal:
        """What a status says without an answer: a server's own failure may come after the call was carried out."""
        if 300 <= status < 500 and status != 408:
            return HttpRefusal(self.base_url, status, hint=_STATUS_HINTS.get(status, ""))
        return AnswerLost(method, f"answered with HTTP {status} and nothing that the service says")

    def close(self) -> None:
        """Let go of the connections that are not in use."""
        self._pool.close()


def _content(response: BaseHTTPResponse) -> bytes:
    """Read an answer, up to the limit."""
    pieces, size = [], 0
    for piece in response.stream(_PIECE_BYTES, decode_content=False):
        pieces.append(piece)
        size += len(piece)
        if size > limits.REST_ANSWER_BYTES_MAX:
            response.close()
            raise FrameTooBig(size, limits.REST_ANSWER_BYTES_MAX)
    return b"".join(pieces)


def _tells_errors(answer: bytes) -> bool:
    try:
        return bool(_refused.decode(answer).error)
    except (ValueError, RecursionError):
        return False


def _reason(error: Exception) -> str:
    """Say what ended a call; foreign texts may repeat what was sent, so none is passed on."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TimeoutError | PoolTimeout):
            return "no answer within the time allowed"
        if isinstance(cause, ConnectionError):
            return "the connection ended before the answer did"
        cause = cause.__cause__ or cause.__context__
    return "the answer is not one, or ended early"


# -- connections -----------------------------------------------------------------


class _Connection(HTTPConnection):
    """A connection that resolves within its time, is not used after long idling, and reads up to a deadline."""

    used_at = 0.0

    def _new_conn(self) -> socket.socket:
        assert isinstance(self.timeout, float | int)
        self.used_at = time.monotonic()
        return addresses.connect(self._dns_host.strip("[]"), self.port, self.timeout)

    @property
    def is_connected(self) -> bool:
        return super().is_connected and time.monotonic() - self.used_at < limits.REST_IDLE_S

    def request(self, *args: Any, **more: Any) -> None:
        """Send a call; the time for its answer runs from here on, however slowly it drips."""
        assert isinstance(self.timeout, float | int)
        self.used_at = time.monotonic()
        self.response_class = partial(_Answer, self.used_at + self.timeout)  # type: ignore[assignment]  # http.client only calls it
        super().request(*args, **more)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _Answer(http.client.HTTPResponse):
    """What http.client reads, head and body, from a source with a deadline."""

    def __init__(self, deadline: float, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        assert isinstance(self.fp, io.BufferedReader)
        self.fp = io.BufferedReader(_Source(self.fp.detach(), sock, deadline))

    def begin(self) -> None:
        """Read the head; one that is not in order is none, and urllib3 would log what it could not read."""
        super().begin()
        if self.headers.defects or self.headers.get_payload():
            raise http.client.HTTPException("a header that is none")


class _Source(io.RawIOBase):
    """A socket's bytes until a deadline: a time-out of the socket's begins anew with each byte.

    Args:
        raw: where the bytes come from.
        sock: whose time-out counts there.
        deadline: monotonic seconds.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._sock.settimeout(left_s)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Pool(HTTPConnectionPool):
    """Connects before anything is sent, so that what fails here is known to have sent nothing."""

    ConnectionCls = _Connection
    base_url = hint = ""

    def _validate_conn(self, conn: BaseHTTPConnection) -> None:
        if not conn.is_closed:
            return
        try:
            conn.connect()
        except (HTTPError, OSError, http.client.HTTPException) as error:
            conn.close()
            raise foreign.connecting_failed(self.base_url, _innermost(error), self.hint) from error


class _SecurePool(_Pool, HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = _SecureConnection


def _innermost(error: Exception) -> BaseException:
    """The system's own error inside of urllib3's."""
    inner = error.args[-1] if isinstance(error, HTTPError) and error.args else error
    return inner if isinstance(inner, BaseException) else error
