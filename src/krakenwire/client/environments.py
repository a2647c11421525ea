"""Where to connect: ``live``, ``beta``, ``local``, an address in any usual spelling, or one for each endpoint.

An `Environment` knows the WebSocket address of each API version at the public,
the private and the level3 endpoint, and where REST is. It resolves no name and
opens nothing; see `addresses` for that. Source of the addresses: v2 reference,
"Endpoints".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import SplitResult, urlsplit

from krakenwire.errors import ConfigError, UsageError
from krakenwire.model.secrets import Secret
from krakenwire.model.subscription import one_of

__all__ = [
    "ENDPOINTS",
    "VERSIONS",
    "Addresses",
    "Environment",
    "LocalVenue",
    "LocalVenueFactory",
    "check_channel",
    "environment",
    "is_loopback",
]

VERSIONS: Final = (1, 2)
ENDPOINTS: Final = ("public", "private", "level3")
_PATHS: Final = {1: "/", 2: "/v2"}
_SCHEMES: Final = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_REST_SCHEMES: Final = {"ws": "http", "wss": "https"}
_EXPECTED: Final = 'on="live", "beta", "local", or an address such as ws://127.0.0.1:8080'

_LOCAL_HINT: Final = 'Is there a network? on="local" (command line: --on local) runs a local Kraken without one.'
_NO_REST: Final = "The venue documents none. To use another one with it, give on=Addresses(public=..., rest=...)."
_VENUE_HINT: Final = "Is the venue running? The command `krakenwire venue` starts one."


class LocalVenue(Protocol):
    """What a client needs of a venue that runs in its own process."""

    @property
    def ws_v2(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def secret(self) -> Secret: ...
    def stop(self) -> None: ...


LocalVenueFactory = Callable[[], LocalVenue]
"""Starts a local venue; it may block, so it is called on opening, never before."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """One address for each endpoint of a venue that serves them apart, as Kraken itself does.

    What is not given is where `public` is. Any usual spelling will do; a
    version's path is left out.

    Args:
        public: market data.
        private: orders and what becomes of them; tokens go there.
        level3: single orders; tokens go there.
        rest: calls signed with the key go there.
    """

    public: str
    private: str | None = None
    level3: str | None = None
    rest: str | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """One place to connect to.

    Args:
        name: ``live``, ``beta``, ``local`` or ``address``.
        public: scheme, host, port and path prefix, without a version's path.
        level3: the same for the level3 channel; often equal to `public`.
        private: the same for orders and accounts; often equal to `public`.
        rest: scheme, host, port and path prefix before ``/0/``; empty where there is none.
    """

    name: str
    public: str
    level3: str
    private: str
    rest: str

    def url(self, version: int, endpoint: str = "public") -> str:
        """Return the WebSocket address of one API version.

        Args:
            version: 1 or 2.
            endpoint: ``public``, ``private`` or ``level3``.

        Raises:
            UsageError: another version, another endpoint.
        """
        one_of("API version", version, VERSIONS)
        one_of("endpoint", endpoint, ENDPOINTS)
        base = {"public": self.public, "private": self.private, "level3": self.level3}[endpoint]
        return base + _PATHS[version]

    def rest_url(self) -> str:
        """Return the address of REST, to which ``/0/public/Time`` is added.

        Raises:
            UsageError: no address of it is known: orders must not go to another place than the one that was named.
        """
        if not self.rest:
            raise UsageError(f'REST of on="{self.name}"', expected="an address of its own", hint=_NO_REST)
        return self.rest

    @property
    def host(self) -> str:
        """The host name or address of the public endpoint; of the first elsewhere, if that is on this machine."""
        bases = (self.public, self.private, self.level3, self.rest or self.public)
        hosts = [urlsplit(base).hostname or "" for base in bases]
        return next((host for host in hosts if not is_loopback(host)), hosts[0])

    @property
    def hint(self) -> str:
        """What to try when no connection can be made."""
        if self.name in ("live", "beta"):
            return _LOCAL_HINT
        return _VENUE_HINT if is_loopback(self.host) else ""


_NAMED: Final = {
    "live": Environment(
        "live",
        public="wss://ws.kraken.com",
        level3="wss://ws-l3.kraken.com",
        private="wss://ws-auth.kraken.com",
        rest="https://api.kraken.com",
    ),
    "beta": Environment(
        "beta",
        public="wss://beta-ws.kraken.com",
        level3="wss://beta-ws.kraken.com",
        private="wss://beta-ws-auth.kraken.com",
        rest="",
    ),
}


def environment(on: str | Addresses, local: Callable[[], str | Addresses] | None = None) -> Environment:
    """Return the environment a user named.

    Args:
        on: ``live``, ``beta``, ``local``, an address, or several.
        local: returns the address of the embedded venue, started when it is needed; or its addresses.

    Raises:
        UsageError: not a name we know and not an address.
    """
    if isinstance(on, str) and on in _NAMED:
        return _NAMED[on]
    if on == "local":
        return _local(local)
    return _placed("address", on)


def _local(local: Callable[[], str | Addresses] | None) -> Environment:
    if local is None:
        raise ConfigError(
            "on='local'", expected="a client that can start a local Kraken", hint="Import Kraken from krakenwire."
        )
    return _placed("local", local())


def _placed(name: str, on: str | Addresses) -> Environment:
    """Return what is at one address, or at several."""
    if isinstance(on, str):
        on = Addresses(on)
    if not isinstance(on, Addresses):
        raise ConfigError("on", expected=_EXPECTED, found=on)
    public = _base(on.public)
    private, level3, rest = (public if given is None else _base(given) for given in (on.private, on.level3, on.rest))
    scheme, separator, place = rest.partition("://")
    return Environment(name, public, level3, private, rest=_REST_SCHEMES[scheme] + separator + place)


def _base(address: str) -> str:
    """Reduce ``ws://h:p``, ``http://h:p/``, ``ws://h:p/v2/`` to one form."""
    if not isinstance(address, str):
        raise ConfigError("on", expected=_EXPECTED, found=type(address).__name__)
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
