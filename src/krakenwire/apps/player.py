"""A tape on a port, put together: the reader of the folder, the player and its server, in a thread or in a loop.

The rooms it composes decide everything. The command is `krakenwire replay`,
for tests there is `krakenwire.testing.replayed_tape`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self

from krakenwire.apps.in_background import InBackground
from krakenwire.errors import ConfigError, DecodeError, MissingExtraError, TapeError, UsageError
from krakenwire.limits import PLAYER_CLIENTS_MAX, PLAYER_STALL_S, PLAYER_WAIT_S
from krakenwire.model.times import ns_from_rfc3339
from krakenwire.tape.pace import Pace, speed_from
from krakenwire.tape.player import Player
from krakenwire.tape.player_rest import PlayerRest
from krakenwire.tape.record import TapeRecord
from krakenwire.tape.tape_streams import Survey
from krakenwire.watch.values import duration_from

if TYPE_CHECKING:
    from krakenwire.server.player import PlayerServer
    from krakenwire.storage.tape_reader import TapeInfo

__all__ = ["PlayerFacts", "TapePlayer", "moment_ns"]

_SECOND: float = 1e9
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what was asked for, not what we do


def moment_ns(text: str, start_ns: int) -> int:
    """Return a moment of a tape that a person wrote.

    Args:
        text: RFC 3339, or a duration from the tape's start such as ``90`` or ``5m``, with ``+`` before it or not.
        start_ns: the tape's start.

    Raises:
        UsageError: it is neither.
    """
    since = text.removeprefix("+")
    readings: tuple[Callable[[], int], ...] = (
        lambda: ns_from_rfc3339(text),
        lambda: start_ns + int(float(since) * _SECOND),
        lambda: start_ns + duration_from("moment", since, zero=True),
    )
    for reading in readings:
        with contextlib.suppress(ValueError, OverflowError, DecodeError, ConfigError):
            return reading()
    expected = "a time such as 2026-11-28T12:00:00Z, or a duration from the start such as 90 or 5m"
    raise UsageError("moment of the tape", expected=expected, found=text)


class PlayerFacts:
    """How far a player is.

    Args:
        server: what plays.

    Attributes:
        position_ns: time of the latest record.
        clients: connected now.
        frames: sent so far.
        begun: whether enough clients have subscribed.
        notes: what a person should know.
        shortened: pauses that were shortened, and `shortened_s` by how many seconds of the tape.
    """

    def __init__(self, server: PlayerServer) -> None:
        self.position_ns, self.begun = server.player.position_ns, server.player.begun
        self.clients, self.frames, self.notes = server.clients, server.frames, tuple(server.notes)
        self.shortened, self.shortened_s = server.pace.shortened, server.pace.shortened_ns / _SECOND


class TapePlayer(InBackground):
    """A tape as if it were Kraken: WebSocket v1 and v2, and some REST, on one port.

    Use it as a context manager, which runs it in a background thread, or await
    `serve` in a loop of yours. Nothing is bound before that.

    Args:
        folder: the tape.
        speed: how many times faster than it was; 0 or ``max`` for as fast as the clients read.
        clients: how many must have subscribed before it begins.
        since, until: the part that is played: RFC 3339, or ``+`` and seconds from the start; None for all.
        max_pause_s: pauses longer than this are shortened to it; None for none.
        loop: begin again at the end, for ever.
        stay: keep the clients at the end; else they are told goodbye.
        host: address to listen on; others than loopback are reachable by other machines.
        port: 0 takes a free one.
        tls_cert, tls_key: PEM files; with them the port speaks TLS only.
        wait_s: for a request or a connection that the recorded client made.
        stall_s: for a client that reads nothing; then it is dropped.
        on_progress: told now and then how many records have been surveyed.

    Attributes:
        info: what is on the tape.
        start_ns, end_ns: the part that is played.

    Raises:
        UsageError: a setting that cannot be.
        TapeError: no tape, or one that cannot be read.
        MissingExtraError: aiohttp, or what reads tapes, is not installed.
    """

    what = "player"

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        speed: float | str = 1,
        clients: int = 1,
        since: str | None = None,
        until: str | None = None,
        max_pause_s: float | None = None,
        loop: bool = False,
        stay: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        wait_s: float = PLAYER_WAIT_S,
        stall_s: float = PLAYER_STALL_S,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__()
        _check(port, clients, max_pause_s)
        self.speed = speed_from(speed)
        self.clients_wanted, self._part = clients, since is not None
        self._pause_ns = None if max_pause_s is None else int(max_pause_s * _SECOND)
        self._loops, self._stays = loop, stay
        self._wait_s, self._stall_s = wait_s, stall_s
        self.host, self._wanted_port = host, port
        self._tls = _tls(tls_cert, tls_key)
        from krakenwire.storage.tape_reader import Tape

        self._tape = Tape(folder)
        self.info: TapeInfo = self._tape.info
        self.start_ns = self.info.start_ns if since is None else moment_ns(since, self.info.start_ns)
        self.end_ns = self.info.end_ns + 1 if until is None else moment_ns(until, self.info.start_ns)
        if not self.info.start_ns <= self.start_ns < self.end_ns:
            raise UsageError(
                "part of the tape", expected="a start on the tape and before its end", found=since or until
            )
        self._survey = Survey().read(self._records(), on_progress)
        if not self._survey.streams:
            raise TapeError(str(folder), "there is no market data on this tape that could be played")
        self._server: PlayerServer | None = None

    @property
    def describes(self) -> bool:
        """Whether the tape itself has a description of its instruments."""
        return bool(self._survey.instruments)

    def _records(self) -> Iterator[TapeRecord]:
        return self._tape.records(end_ns=self.end_ns)

    # -- addresses ---------------------------------------------------------

    @property
    def port(self) -> int:
        """The port it listens on.

        Raises:
            UsageError: it is not running.
        """
        return self._running.port

    @property
    def ws_v1(self) -> str:
        """WebSocket address of API version 1."""
        return f"{self._address('ws')}/"

    @property
    def ws_v2(self) -> str:
        """WebSocket address of API version 2."""
        return f"{self._address('ws')}/v2"

    @property
    def rest(self) -> str:
        """Base of the REST addresses: ``rest + "/0/public/Time"`` is one."""
        return self._address("http")

    @property
    def facts(self) -> PlayerFacts:
        """How far it is."""
        return PlayerFacts(self._running)

    def _address(self, scheme: str) -> str:
        host = _REACHED_AT.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        return f"{scheme}{'s' if self._tls else ''}://{host}:{self.port}"

    # -- running -----------------------------------------------------------

    async def serve(self, on_ready: Callable[[Self], None], stopping: asyncio.Event) -> PlayerFacts:
        """Run in this loop until the tape is over or `stopping` is set; return how far it came.

        Args:
            on_ready: called once when it listens.
            stopping: set it to end.

        Raises:
            ConfigError: the address cannot be used.
            TapeError: the tape cannot be read to its end.
        """
        server = self._server = self._new_server()
        self._loop, self._stopping = asyncio.get_running_loop(), stopping
        playing: asyncio.Task[None] | None = None
        stopped = asyncio.create_task(stopping.wait())
        try:
            await server.start()
            on_ready(self)
            playing = asyncio.create_task(server.play())
            await asyncio.wait((stopped, playing), return_when=asyncio.FIRST_COMPLETED)
            if playing.done():
                playing.result()
            return PlayerFacts(server)
        finally:
            tasks = [task for task in (stopped, playing) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await server.stop()
            self._server = self._loop = self._stopping = None

    def _new_server(self) -> PlayerServer:
        from krakenwire.server.player import PlayerServer

        return PlayerServer(
            Player(self._survey, clients=self.clients_wanted, verbatim=not self._part),
            PlayerRest(self._survey.listing()),
            self._records,
            Pace(self.speed, self._pause_ns),
            host=self.host,
            port=self._wanted_port,
            tls=self._tls,
            start_ns=self.start_ns if self._part else 0,
            loop=self._loops,
            stay=self._stays,
            wait_s=self._wait_s,
            stall_s=self._stall_s,
        )

    @property
    def _running(self) -> PlayerServer:
        if self._server is None or not self._server.port:
            raise UsageError("this player is not running", hint="Use it in a with statement, or call start()")
        return self._server


def _check(port: int, clients: int, max_pause_s: float | None) -> None:
    """Refuse early what cannot be."""
    if not 0 <= port < 1 << 16:
        raise ConfigError("port", expected="0 to 65535", found=port)
    if not 1 <= clients <= PLAYER_CLIENTS_MAX:
        raise ConfigError("clients", expected=f"1 to {PLAYER_CLIENTS_MAX}", found=clients)
    if max_pause_s is not None and not max_pause_s > 0:
        raise ConfigError("max pause", expected="seconds, more than 0", found=max_pause_s)
    if find_spec("aiohttp") is None:
        raise MissingExtraError("playing a tape", "venue")


def _tls(cert_file: str | None, key_file: str | None) -> ssl.SSLContext | None:
    if cert_file is None and key_file is None:
        return None
    if cert_file is None or key_file is None:
        raise ConfigError("TLS", expected="a certificate and a key together", found="one of them")
    from krakenwire.server import server_tls

    return server_tls(cert_file, key_file)
