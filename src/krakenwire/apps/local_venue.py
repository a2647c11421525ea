"""The local Kraken, put together: markets, gateways and a port, in a thread or in your own loop.

The rooms it composes decide everything; this module only starts and stops
them. The command is `krakenwire venue`, the test fixture `krakenwire.testing`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Self, TypeVar

from msgspec.structs import replace as replace_fields

from krakenwire.apps.in_background import InBackground
from krakenwire.apps.kept_venue import GivenUp, KeptVenue, Restoring
from krakenwire.apps.operated_venue import OperatedVenue
from krakenwire.apps.served_venue import ServedVenue
from krakenwire.apps.venue_file import read_local_config, venue_config
from krakenwire.errors import ConfigError, InternalError, MissingExtraError, UsageError
from krakenwire.limits import VENUE_CLIENT_BACKLOG_BYTES, VENUE_CONNECTIONS_MAX
from krakenwire.model.secrets import Secret
from krakenwire.venue.access.keys import ApiKey
from krakenwire.venue.config.accounts_config import AccountConfig
from krakenwire.venue.config.local_config import config_from

if TYPE_CHECKING:
    from krakenwire.server import Clock, Operations, VenueServer
    from krakenwire.server.application import Door

__all__ = ["LocalVenue"]

_T = TypeVar("_T")

_STRICT_PORT_MAX = (1 << 16) - 4
"""Strict hosts take this port and the three after it."""

_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what was asked for, not what we do


def _require_server_room() -> None:
    """Refuse early, and in one sentence, when what the server needs is not installed."""
    if find_spec("aiohttp") is None:
        raise MissingExtraError("the local Kraken", "venue")


def _tls(cert_file: str | None, key_file: str | None) -> ssl.SSLContext | None:
    if cert_file is None and key_file is None:
        return None
    if cert_file is None or key_file is None:
        raise ConfigError("TLS", expected="a certificate and a key together", found="one of them")
    from krakenwire.server import server_tls

    return server_tls(cert_file, key_file)


class LocalVenue(InBackground, OperatedVenue):
    """A Kraken of your own on one port: WebSocket v1 and v2, and REST, with a demo account.

    Use it as a context manager, which runs it in a background thread, or
    await `serve` in a loop of yours. Nothing is bound before that.

    Args:
        symbols: what to list, any spelling; None lists everything.
        seed: the same seed gives the same market; None for the file's, or 1.
        rate: trader actions a second for every instrument alike; None lets each have its own.
        config: a TOML file with accounts, keys, limits and what is listed; the arguments here count more.
        accounts: who may trade there; None for those of the file, or one demo account.
        tape: CSV files of trades that happened, by symbol: they drive the price instead of the crowd.
        tape_speed: how many times faster than it was; None for the file's, or 1.
        data: folder in which it lives on: begun again with it, the venue has every order, fill and
            balance that it had; None to keep nothing.
        host: address to listen on; others than loopback are reachable by other machines.
        port: 0 takes a free one.
        strict_hosts: give public, private and level3 connections and REST ports of their own, which refuse what
            Kraken's hosts refuse; from `port` on, one after the other. None leaves it to the file, or means no.
        control: port of its control interface, 0 for a free one; None for none.
        tls_cert, tls_key: PEM files; with them the port speaks TLS only.
        connections_max: WebSocket connections at once; more get HTTP 503.
        backlog_bytes_max: unread bytes at which a client is dropped.

    Raises:
        ConfigError: a setting that cannot be.
        SymbolError: a symbol that is not listed.
        MissingExtraError: aiohttp is not installed.
    """

    what = "local venue"

    def __init__(
        self,
        *,
        symbols: Sequence[str] | None = None,
        seed: int | None = None,
        rate: float | None = None,
        config: str | os.PathLike[str] | None = None,
        accounts: Sequence[AccountConfig] | None = None,
        tape: Mapping[str, str | os.PathLike[str]] | None = None,
        tape_speed: float | None = None,
        data: str | os.PathLike[str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        strict_hosts: bool | None = None,
        control: int | None = None,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        connections_max: int = VENUE_CONNECTIONS_MAX,
        backlog_bytes_max: int = VENUE_CLIENT_BACKLOG_BYTES,
    ) -> None:
        super().__init__()
        for name, number in (("port", port), ("control", control or 0)):
            if not 0 <= number < 1 << 16:
                raise ConfigError(name, expected="0 to 65535", found=number)
        self.host = host
        wanted = None if symbols is None else tuple(symbols)
        local = config_from({}) if config is None else read_local_config(config)
        self._service, self._faults = local.venue, local.faults
        if strict_hosts is not None:
            self._service = replace_fields(local.venue, strict_hosts=strict_hosts)
        if self._service.strict_hosts and port > _STRICT_PORT_MAX:
            raise ConfigError("port", expected=f"at most {_STRICT_PORT_MAX} with strict hosts", found=port)
        folder = Path(".") if config is None else Path(config).parent
        self._config = venue_config(
            local,
            folder,
            seed=seed,
            symbols=wanted,
            rate=rate,
            tapes=None if tape is None else {symbol: Path(file) for symbol, file in tape.items()},
            tape_speed=tape_speed,
        )
        if accounts is not None:
            self._config = replace(self._config, accounts=tuple(accounts))
        _require_server_room()
        self._tls = _tls(tls_cert, tls_key)
        self._wanted_port = port
        self._connections_max, self._backlog_bytes_max = connections_max, backlog_bytes_max
        self._data = data
        self._wanted_control, self._control_token = control, Secret(token_urlsafe())
        self.restored = 0
        self._served: ServedVenue | None = None
        self._server: VenueServer | None = None

    # -- addresses ---------------------------------------------------------

    @property
    def port(self) -> int:
        """The port it listens on.

        Raises:
            UsageError: it is not running.
        """
        return self._running.port

    @property
    def strict_hosts(self) -> bool:
        """Whether public, private and level3 connections and REST have ports of their own."""
        return self._service.strict_hosts

    @property
    def ws_v1(self) -> str:
        """WebSocket address of API version 1: everything, or with strict hosts market data."""
        return f"{self._address('ws', 'public')}/"

    @property
    def ws_v2(self) -> str:
        """WebSocket address of API version 2: everything, or with strict hosts market data."""
        return f"{self._address('ws', 'public')}/v2"

    @property
    def ws_v1_private(self) -> str:
        """WebSocket address of API version 1 for private data and trading."""
        return f"{self._address('ws', 'private')}/"

    @property
    def ws_v2_private(self) -> str:
        """WebSocket address of API version 2 for private data and trading."""
        return f"{self._address('ws', 'private')}/v2"

    @property
    def ws_v2_level3(self) -> str:
        """WebSocket address of API version 2 for level3."""
        return f"{self._address('ws', 'level3')}/v2"

    @property
    def rest(self) -> str:
        """Base of the REST addresses: ``rest + "/0/public/Time"`` is one."""
        return self._address("http", "rest")

    @property
    def has_control(self) -> bool:
        """Whether it has a control interface."""
        return self._wanted_control is not None

    @property
    def control(self) -> str:
        """Address of its control interface.

        Raises:
            UsageError: it has none.
        """
        port = self._running.control_port
        if not port:
            raise UsageError("this local venue has no control interface", hint="Start it with control=0")
        return f"http://127.0.0.1:{port}"

    @property
    def control_token(self) -> Secret:
        """What the control interface wants to be told: ``Authorization: Bearer <token>``."""
        return self._control_token

    def _address(self, scheme: str, door: Door) -> str:
        host = _REACHED_AT.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        port = self._running.ports.get(door, self.port)
        return f"{scheme}{'s' if self._tls else ''}://{host}:{port}"

    # -- accounts ------------------------------------------------------------

    @property
    def keys(self) -> tuple[ApiKey, ...]:
        """The API keys of its accounts, in the order in which they are configured."""
        return tuple(key for account in self._config.members for key in account.keys)

    @property
    def key(self) -> str:
        """The public text of the first API key: of the demo account, unless others are configured."""
        return self._first_key.key

    @property
    def secret(self) -> Secret:
        """Its private part; `reveal` gives the text, which opens nothing but this venue."""
        return self._first_key.secret

    def token(self, account: str | None = None) -> Secret:
        """Return a fresh WebSocket token, as `GetWebSocketsToken` would.

        Args:
            account: for whom; None for the account of `key`.

        Raises:
            UsageError: that account has no API key.
        """
        keys = [key for key in self.keys if account in (None, key.account)]
        if not keys:
            raise UsageError(f"account {account}", expected="one with an API key")
        return self._operate(lambda operations: self._serving.tokens.issue(keys[0], operations.now_ns))

    @property
    def _first_key(self) -> ApiKey:
        if not self.keys:
            raise UsageError("no account of this local venue has an API key")
        return self.keys[0]

    # -- running -----------------------------------------------------------

    async def _restored(
        self, kept: KeptVenue, stopping: asyncio.Event, on_progress: Callable[[float], None] | None
    ) -> ServedVenue:
        """Make the venue and do again what was kept, in another thread: a signal to stop is heard meanwhile."""
        over = threading.Event()
        restoring = Restoring(kept, on_progress, lambda: stopping.is_set() or over.is_set())
        made = asyncio.ensure_future(asyncio.to_thread(ServedVenue, kept.config, kept, self._service, restoring))
        try:
            return await asyncio.shield(made)
        except asyncio.CancelledError:
            over.set()
            await asyncio.wait((made,))
            raise

    def _new_server(self, served: ServedVenue, clock: Clock) -> VenueServer:
        from krakenwire.server import VenueServer

        clock.go_on(served.ahead_ns, served.latest_ns)
        self.restored, self._served = served.restored, served
        return VenueServer(
            served,
            clock,
            host=self.host,
            port=self._wanted_port,
            tls=self._tls,
            strict_hosts=self.strict_hosts,
            control=self._wanted_control,
            control_token=self._control_token,
            attempts=self._service.connection_attempts,
            connections_max=self._connections_max,
            backlog_bytes_max=self._backlog_bytes_max,
        )

    async def serve(
        self,
        on_ready: Callable[[Self], None],
        stopping: asyncio.Event,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        """Run in this loop until `stopping` is set.

        Args:
            on_ready: called once when it listens.
            stopping: set it to end.
            on_progress: called now and then, in another thread, with the share that is done, 0 to 1, when doing
                again what `data` holds takes longer than a second.

        Raises:
            ConfigError: the address cannot be used, or `data` holds a venue of other settings.
            JournalError: `data` cannot be used.
            InternalError: the venue broke; the cause is attached.
        """
        from krakenwire.server import Clock

        clock = Clock()
        with contextlib.ExitStack() as held:
            config = replace(self._config, start_ns=clock.now_ns())
            if self._data is None:
                served = ServedVenue(config, None, self._service)
            else:
                kept = KeptVenue(self._data, config)
                held.callback(kept.close)
                try:
                    served = await self._restored(kept, stopping, on_progress)
                except GivenUp:
                    return
            await self._serve(self._new_server(served, clock), on_ready, stopping)

    async def _serve(self, server: VenueServer, on_ready: Callable[[Self], None], stopping: asyncio.Event) -> None:
        self._server = server
        self._loop, self._stopping = asyncio.get_running_loop(), stopping
        try:
            await server.start()
            server.operations.begin_with(self._faults)
            on_ready(self)
            stopped = asyncio.create_task(stopping.wait())
            await asyncio.wait((stopped, server.stepping), return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if server.stepping.done():
                raise InternalError("the local venue broke") from server.stepping.exception()
        finally:
            await server.stop()
            self._server = self._loop = self._stopping = self._served = None

    # -- clients -----------------------------------------------------------

    @property
    def clients(self) -> int:
        """WebSocket connections open now."""
        return self._in_loop(lambda: len(self._running.connections))

    @property
    def dropped_clients(self) -> int:
        """Clients dropped because they fell behind."""
        return self._in_loop(lambda: self._running.connections.dropped_count)

    def _operate(self, call: Callable[[Operations], _T]) -> _T:
        return self._in_loop(lambda: call(self._running.operations))

    @property
    def _serving(self) -> ServedVenue:
        assert self._served is not None, "it is running"
        return self._served

    @property
    def _running(self) -> VenueServer:
        if self._server is None or not self._server.port:
            raise UsageError("this local venue is not running", hint="Use it in a with statement, or call start()")
        return self._server

    def _in_loop(self, call: Callable[[], _T]) -> _T:
        """Call something in the venue's thread and return what it returns."""
        loop = self._loop
        if loop is None or self._thread is None:
            return call()

        async def calling() -> _T:
            return call()

        return asyncio.run_coroutine_threadsafe(calling(), loop).result()
