"""Where to connect: ``live``, ``beta``, ``local``, or an address in any usual spelling.

An `Environment` knows the WebSocket address of each API version and of the
level3 endpoint. It resolves no name and opens nothing; see `addresses` for
that. Source of the addresses: v2 reference, "Endpoints".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import SplitResult, urlsplit

from krakenwire.errors import ConfigError, UsageError
from krakenwire.model.subscription import one_of

__all__ = ["VERSIONS", "Environment", "LocalVenue", "LocalVenueFactory", "check_channel", "environment", "is_loopback"]

VERSIONS: Final = (1, 2)
_PATHS: Final = {1: "/", 2: "/v2"}
_SCHEMES: Final = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_EXPECTED: Final = 'on="live", "beta", "local", or an address such as ws://127.0.0.1:8080'

_LOCAL_HINT: Final = 'Is there a network? on="local" (command line: --on local) runs a local Kraken without one.'
_VENUE_HINT: Final = "Is the venue running? The command `krakenwire venue` starts one."


class LocalVenue(Protocol):
    """What a client needs of a venue that runs in its own process."""

    @property
    def ws_v2(self) -> str: ...
    def stop(self) -> None: ...


LocalVenueFactory = Callable[[], LocalVenue]
"""Starts a local venue; it may block, so it is called on opening, never before."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One place to connect to.

    Args:
        name: ``live``, ``beta``, ``local`` or ``address``.
        public: scheme, host, port and path prefix, without a version's path.
        level3: the same for the level3 channel; mostly equal to `public`.
    """

    name: str
    public: str
    level3: str

    def url(self, version: int, endpoint: str = "public") -> str:
        """Return the WebSocket address of one API version.

        Args:
            version: 1 or 2.
            endpoint: ``public`` or ``level3``.

        Raises:
            UsageError: another version.
        """
        one_of("API version", version, VERSIONS)
        return (self.level3 if endpoint == "level3" else self.public) + _PATHS[version]

    @property
    def host(self) -> str:
        """The host name or address of the public endpoint."""
        return urlsplit(self.public).hostname or ""

    @property
    def hint(self) -> str:
        """What to try when no connection can be made."""
        if self.name in ("live", "beta"):
            return _LOCAL_HINT
        return _VENUE_HINT if is_loopback(self.host) else ""


_NAMED: Final = {
    "live": Environment("live", "wss://ws.kraken.com", "wss://ws-l3.kraken.com"),
    "beta": Environment("beta", "wss://beta-ws.kraken.com", "wss://beta-ws.kraken.com"),
}


def environment(on: str, local: Callable[[], str] | None = None) -> Environment:
    """Return the environment a user named.

    Args:
        on: ``live``, ``beta``, ``local``, or an address.
        local: returns the address of the embedded venue, started when it is needed.

    Raises:
        UsageError: not a name we know and not an address.
    """
    if not isinstance(on, str):
        raise ConfigError("on", expected=_EXPECTED, found=on)
    if on in _NAMED:
        return _NAMED[on]
    if on == "local":
        return _local(local)
    base = _base(on)
    return Environment("address", base, base)


def _local(local: Callable[[], str] | None) -> Environment:
    if local is None:
        raise ConfigError(
            "on='local'", expected="a client that can start a local Kraken", hint="Import Kraken from krakenwire."
        )
    base = _base(local())
    return Environment("local", base, base)


def _base(address: str) -> str:
    """Reduce ``ws://h:p``, ``http://h:p/``, ``ws://h:p/v2/`` to one form."""
    parts = _split(address)
    scheme = _SCHEMES.get(parts.scheme.lower())
    if scheme is None or not parts.hostname:
        raise ConfigError("on", expected=_EXPECTED, found=address)
    for what, given in (("a user name", parts.username), ("a query", parts.query), ("a fragment", parts.fragment)):
        if given:
            raise ConfigError("on", expected=f"an address without {what}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return f"{scheme}://{host}{port}{parts.path.rstrip('/').removesuffix('/v2').rstrip('/')}"


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address.strip())
        _ = parts.port  # a port that is no number is found only when it is read
    except ValueError as error:
        raise ConfigError("on", expected=_EXPECTED, hint=f"{error}.") from error
    return parts


def is_loopback(host: str) -> bool:
    """Return whether a host name or address can only mean this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_channel(version: int, channel: str) -> None:
    """Refuse a channel that a version does not have.

    Raises:
        UsageError: naming the version that has it.
    """
    if channel == "level3" and version == 1:
        raise UsageError("channel level3", expected="version 2", found="version 1")
