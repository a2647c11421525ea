"""What a user can set on a client, the same for all three styles.

`Settings` types the keyword arguments; `Options` holds them checked, with
defaults. Nothing here connects, resolves or starts anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from os import PathLike
from typing import Final, Literal, TypedDict

from krakenwire import _native, limits
from krakenwire.client.credentials import CredentialsSource
from krakenwire.client.environments import VERSIONS
from krakenwire.errors import ConfigError, UsageError
from krakenwire.model.secrets import Secret
from krakenwire.model.subscription import one_of
from krakenwire.session.config import SessionConfig
from krakenwire.session.witness import WitnessOf

__all__ = ["LOOP_TRANSPORTS", "THREAD_TRANSPORTS", "Options", "Settings", "Transport"]

Transport = Literal["auto", "websocket-client", "picows", "native"]

THREAD_TRANSPORTS: Final = ("websocket-client", "picows", "native")
"""What can carry the connections of a blocking or threaded client; the first that is there is the default."""

LOOP_TRANSPORTS: Final = ("native", "picows")
"""What can carry the connections of an asyncio client."""


class Settings(TypedDict, total=False):
    """Keyword arguments every client takes.

    Args:
        ca_file: PEM file of certificates to trust besides the system's.
        insecure: do not check the certificate; addresses of this machine only.
        token: WebSocket token for `level3`, or a callable that fetches one for each connection.
        credentials: whose orders and balances: a (key, secret) pair, a file that only you can read, or a callable;
            by default KRAKEN_API_KEY and KRAKEN_API_SECRET of the environment. ``local`` has an account of its own.
        trading: where orders may be placed besides this machine: ``live``, ``beta`` or the address, the same as `on`.
            Without it a client places none there.
        check_orders: check orders against the instrument's rules before they are sent.
        pace: hold requests about orders back so that the venue's rate limit refuses none.
        request_timeout_s: for a request about orders, until its outcome is accepted, refused or unknown.
        queue: events that may wait for one consumer before its policy decides.
        transport: what carries the connections. ``websocket-client`` (blocking and threaded only, their
            default) reads in the client's own thread; ``picows`` and ``native``, the compiled one, in an
            event loop, which is a background thread's for a blocking or threaded client. ``auto`` is
            the style's default; in asyncio that is ``native`` where it is installed, ``picows`` elsewhere.
        witness: makes who sees every frame of a connection in both directions; see `krakenwire.session.witness`.
        connect_timeout_s: for one attempt: name, route, TLS and handshake together.
        retry_initial: keep trying when the very first connection fails.
        on_budget: ``wait`` or ``fail`` when too many connections were tried.
        silence_s, reply_timeout_s, snapshot_timeout_s, subscription_silence_s: how
            long the venue may say nothing; see `krakenwire.session.SessionConfig`.
        attempts_max, attempts_window_s: the connection budget; the venue bans at about 150 in ten minutes.
        pause_s, pause_max_s, stable_s: pauses between attempts, and what counts as a good connection.
        malformed_max: connections ended by undecodable frames within that window before the client stays down.
        ping_interval_s: seconds between our pings.
        frame_bytes_max: larger frames end the connection.
    """

    ca_file: str | PathLike[str] | None
    insecure: bool
    token: str | Callable[[], str] | Secret | None
    credentials: CredentialsSource
    trading: str | None
    check_orders: bool
    pace: bool
    request_timeout_s: float
    queue: int
    transport: Transport
    witness: WitnessOf | None
    connect_timeout_s: float
    retry_initial: bool
    on_budget: Literal["wait", "fail"]
    silence_s: float
    reply_timeout_s: float
    snapshot_timeout_s: float
    subscription_silence_s: float
    attempts_max: int
    attempts_window_s: float
    malformed_max: int
    pause_s: float
    pause_max_s: float
    stable_s: float
    ping_interval_s: float | None
    frame_bytes_max: int


_OWN = (
    "ca_file",
    "insecure",
    "token",
    "credentials",
    "trading",
    "check_orders",
    "pace",
    "request_timeout_s",
    "queue",
    "transport",
    "witness",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The checked settings of one client; those of its sessions are in `session`."""

    on: str
    version: int
    ca_file: str | PathLike[str] | None = None
    insecure: bool = False
    token: Secret | None = None
    credentials: CredentialsSource = None
    trading: str | None = None
    check_orders: bool = True
    pace: bool = True
    request_timeout_s: float = limits.REPLY_TIMEOUT_S
    queue: int = limits.STREAM_QUEUE_EVENTS
    transport: Transport = "auto"
    witness: WitnessOf | None = None
    session: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def checked(
        cls, on: str, version: int, settings: Settings, transports: tuple[Transport, ...] = THREAD_TRANSPORTS
    ) -> Options:
        """Return the options a user's arguments mean.

        Args:
            on: environment or address.
            version: API version.
            settings: as given to the client.
            transports: those its style can have, the default first.

        Raises:
            UsageError: an argument that does not exist or cannot be.
        """
        one_of("API version", version, VERSIONS)
        given = dict(settings)
        unknown = given.keys() - Settings.__annotations__.keys()
        if unknown:
            expected = ", ".join(sorted(Settings.__annotations__))
            raise ConfigError("setting", expected=f"one of {expected}", found=", ".join(sorted(unknown)))
        session = {name: given.pop(name) for name in list(given) if name not in _OWN}
        token = given.pop("token", None)
        given["transport"] = _transport(given.get("transport", "auto"), transports)
        options = cls(on=on, version=version, token=_secret(token), session=session, **given)  # type: ignore[arg-type]  # checked by Settings
        options.session_config("ws://", "public")  # what a session refuses is refused now, not on opening
        if options.queue < 1:
            raise ConfigError("queue", expected="at least 1", found=options.queue)
        if not options.request_timeout_s > 0:
            raise ConfigError("request_timeout_s", expected="more than zero", found=options.request_timeout_s)
        if options.trading not in (None, on):
            raise ConfigError("trading", expected=f"the place where this client is, {on!r}", found=options.trading)
        return options

    def session_config(self, url: str, name: str) -> SessionConfig:
        """Return the configuration of the session on one endpoint."""
        return SessionConfig(url=url, version=self.version, name=name, **self.session)  # type: ignore[arg-type]  # checked by Settings

    @property
    def loop_transport(self) -> Literal["native", "picows"]:
        """The transport of a client whose connections live in an event loop."""
        return "native" if self.transport == "native" else "picows"

    def level3_token(self) -> Secret:
        """Return the token `level3` needs.

        Raises:
            UsageError: none was given.
        """
        if self.token is None:
            hint = "Get one with the REST call GetWebSocketsToken and give it as token=, or a callable that fetches it."
            raise UsageError("channel level3", expected="a token", hint=hint)
        return self.token


def _secret(token: object) -> Secret | None:
    if token is None or isinstance(token, Secret):
        return token
    if isinstance(token, str) or callable(token):
        return Secret(token)
    raise ConfigError("token", expected="a str or a callable that returns one")


def _transport(wanted: object, possible: tuple[Transport, ...]) -> Transport:
    """Return the transport that is meant by a setting, never ``auto``."""
    one_of("transport", wanted, ("auto", *possible))
    there: list[Transport] = [name for name in possible if name != "native" or _native.ENABLED]
    if wanted == "auto":
        return there[0]
    if wanted not in there:
        hint = "KRAKENWIRE_PURE forbids it" if _native.BUILT else "This installation was built without a C compiler"
        raise ConfigError("transport", expected=f"one of auto, {', '.join(there)}", found=wanted, hint=hint)
    return wanted


_SESSION_FIELDS = {entry.name for entry in fields(SessionConfig)}
assert Settings.__annotations__.keys() - set(_OWN) <= _SESSION_FIELDS, "every setting reaches its session"
