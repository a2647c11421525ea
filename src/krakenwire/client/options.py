"""What a user can set on a client, the same for all three styles.

`Settings` types the keyword arguments; `Options` holds them checked, with
defaults. Nothing here connects, resolves or starts anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from os import PathLike
from typing import Literal, TypedDict

from krakenwire import limits
from krakenwire.client.environments import VERSIONS
from krakenwire.errors import ConfigError, UsageError
from krakenwire.model.secrets import Secret
from krakenwire.model.subscription import one_of
from krakenwire.session.config import SessionConfig

__all__ = ["Options", "Settings"]


class Settings(TypedDict, total=False):
    """Keyword arguments every client takes.

    Args:
        ca_file: PEM file of certificates to trust besides the system's.
        insecure: do not check the certificate; addresses of this machine only.
        token: WebSocket token for `level3`, or a callable that fetches one for each connection.
        queue: events that may wait for one consumer before its policy decides.
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
    queue: int
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


_OWN = ("ca_file", "insecure", "token", "queue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The checked settings of one client; those of its sessions are in `session`."""

    on: str
    version: int
    ca_file: str | PathLike[str] | None = None
    insecure: bool = False
    token: Secret | None = None
    queue: int = limits.STREAM_QUEUE_EVENTS
    session: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def checked(cls, on: str, version: int, settings: Settings) -> Options:
        """Return the options a user's arguments mean.

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
        options = cls(on=on, version=version, token=_secret(token), session=session, **given)  # type: ignore[arg-type]  # checked by Settings
        options.session_config("ws://", "public")  # what a session refuses is refused now, not on opening
        if options.queue < 1:
            raise ConfigError("queue", expected="at least 1", found=options.queue)
        return options

    def session_config(self, url: str, name: str) -> SessionConfig:
        """Return the configuration of the session on one endpoint."""
        return SessionConfig(url=url, version=self.version, name=name, **self.session)  # type: ignore[arg-type]  # checked by Settings

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


_SESSION_FIELDS = {entry.name for entry in fields(SessionConfig)}
assert Settings.__annotations__.keys() - set(_OWN) <= _SESSION_FIELDS, "every setting reaches its session"
