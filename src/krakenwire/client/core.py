"""What the three client styles share: connections, streams, settings - everything but waiting.

A `Core` opens an environment, keeps one `Line` for each connection and makes
`Tap`s, which are what a user's stream reads from. It moves no bytes: a pump
(`pump` for threads, `aio_pump` for asyncio) does, and each style waits in its own way.
"""

from __future__ import annotations

import itertools
import random
import ssl
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from krakenwire.client.account import Account, account_subscriptions
from krakenwire.client.clock import now_ns
from krakenwire.client.credentials import Credentials
from krakenwire.client.environments import Environment, LocalVenue, LocalVenueFactory, check_channel, environment
from krakenwire.client.options import Options
from krakenwire.client.taps import CONFLATED, Awaited, How, Line, Parameters, Tap, kind_of
from krakenwire.client.tls import client_context
from krakenwire.errors import KrakenwireError, SlowConsumer, StreamEnded, UsageError
from krakenwire.model import ACCOUNT_CHANNELS, BookReading, Level3Reading
from krakenwire.model.subscription import one_of
from krakenwire.protocol import v1, v2
from krakenwire.protocol.symbols import to_v2
from krakenwire.protocol.v1 import trading as trading_v1
from krakenwire.protocol.v2 import trading as trading_v2
from krakenwire.session.counters import SessionCounters
from krakenwire.session.feed import Feed
from krakenwire.session.hub import Hub
from krakenwire.session.listeners import OnBatch, OnError, OnEvent
from krakenwire.session.orders import Encode, Orders
from krakenwire.session.reconnect import ConnectionBudget
from krakenwire.session.session import Session
from krakenwire.session.streams import KINDS, Stream

__all__ = ["ClientCounters", "Core", "Line"]

_WIDE: Final = ("events", "raw", "status")
"""Kinds that concern every connection of a client."""


_ENCODE: Final[Mapping[int, Encode]] = {1: trading_v1.encode_request, 2: trading_v2.encode_request}


class ClientCounters(SessionCounters, kw_only=True):
    """Totals of one client: those of `SessionCounters`, and one of its feeds.

    Args:
        verified: book and level3 messages whose checksum was right.
        fallbacks: frames the compiled pass left to the exact path; see `FeedCounters`.
    """

    verified: int = 0
    fallbacks: int = 0


class Core:
    """The connections and streams of one client.

    Args:
        options: the user's settings.
        local: starts the embedded venue of the environment ``local``.
    """

    def __init__(self, options: Options, local: LocalVenueFactory | None = None) -> None:
        self.options = options
        self.lines: list[Line] = []
        self.closed = False
        self._start_local = local
        self._venue: LocalVenue | None = None
        self._environment: Environment | None = None
        self._context: ssl.SSLContext | None = None
        config = options.session_config("", "public")
        self._budget = ConnectionBudget(config.attempts_max, config.attempts_window_s)
        self.account: Final = Account(self)
        self._wide: list[Tap] = []
        self._sinks: list[Tap] = []

    # -- opening and closing -------------------------------------------------

    @property
    def opened(self) -> bool:
        """Whether the environment is known, and the local venue, if it is wanted, runs."""
        return self._environment is not None

    def open(self) -> Environment:
        """Find out where to connect; start the local venue if that is where. May block for a moment.

        Raises:
            UsageError: no such environment, an unreadable CA file.
            StreamEnded: the client was closed before it was ever open.
        """
        if self._environment is not None:
            return self._environment
        if self.closed:
            raise StreamEnded("this client")
        options = self.options
        place = environment(options.on, self._local_address if self._start_local else None)
        self._context = client_context(ca_file=options.ca_file, insecure=options.insecure, host=place.host)
        self._environment = place
        return place

    @property
    def context(self) -> ssl.SSLContext | None:
        """How TLS is spoken, None before `open`."""
        return self._context

    def local_credentials(self) -> Credentials | None:
        """Return those of the embedded venue's demo account, None without such a venue."""
        return None if self._venue is None else Credentials(self._venue.key, self._venue.secret)

    def _local_address(self) -> str:
        assert self._start_local is not None
        if self._venue is None:
            self._venue = self._start_local()
        return self._venue.ws_v2

    def stop(self) -> None:
        """Ask every connection to end; the pump carries it out. Streams end once it has."""
        self.closed = True
        for line in self.lines:
            line.hub.stop(now_ns())

    def close_venue(self) -> None:
        """Let go of REST and stop the embedded venue, if there is one. May block for a moment."""
        self.account.close()
        venue, self._venue = self._venue, None
        if venue is not None:
            venue.stop()

    # -- connections -----------------------------------------------------------

    def line(self, channel: str | None = None) -> Line:
        """Return the connection that serves a channel, made when it is first needed.

        Raises:
            UsageError: level3 on version 1, or without a token and credentials to fetch one with.
        """
        place = self.open()
        name = "public"
        if channel == "level3":
            check_channel(self.options.version, channel)
            if self.options.token is None:
                self.account.credentials()
            name = "level3"
        elif channel in ACCOUNT_CHANNELS:
            name = "private"
        for line in self.lines:
            if line.name == name:
                return line
        return self._add_line(name, place)

    def _add_line(self, name: str, place: Environment) -> Line:
        assert self._context is not None
        if self.closed:
            raise StreamEnded("this client")
        version = self.options.version
        config = self.options.session_config(place.url(version, name), name)
        feed = Feed(v1.ClientCodec() if version == 1 else v2.ClientCodec())
        req_ids = itertools.count(1)
        orders = Orders(version, _ENCODE[version], req_ids, paced=self.options.pace) if name == "private" else None
        witness = (
            None if self.options.witness is None else self.options.witness(name, config.url, 1 if version == 1 else 2)
        )
        hub = Hub(Session(config, feed, random.random, self._budget, orders, req_ids), witness)
        token = None if name == "public" else self.options.token or self.account.secret_token
        look_up = self.account.look_up if name == "private" else None
        line = Line(name, hub, feed, self._context, place.hint, token, look_up)
        self.lines.append(line)
        if name == "private":
            hub.keep(account_subscriptions(version), now_ns())
        hub.start(now_ns())
        for tap in self._wide:
            tap.join(line)
        return line

    def failure(self) -> KrakenwireError | None:
        """Return why a connection is down for good, None while none is."""
        return next((line.hub.session.failure for line in self.lines if line.hub.session.failure), None)

    def all_down(self) -> bool:
        """Return whether no connection will ever bring anything again."""
        return bool(self.lines) and all(line.hub.session.failure is not None for line in self.lines)

    # -- streams -----------------------------------------------------------------

    def tap(
        self, kind: str, symbols: Iterable[str], parameters: Parameters, how: How, freeze: bool | None = None
    ) -> Tap:
        """Open a stream of any kind.

        Raises:
            UsageError: a kind, symbol or parameter that cannot be.
        """
        one_of("stream", kind, KINDS)
        line = self.line(KINDS[kind].channel)
        policy = how.get("policy") or ("conflate" if kind in CONFLATED else "block")
        capacity = how.get("queue", self.options.queue)
        snapshot, notices = how.get("snapshot"), how.get("notices", False)
        names = tuple(symbols)

        def opened(line: Line) -> Stream:
            return line.hub.open_stream(
                kind,
                names,
                now_ns=now_ns(),
                snapshot=snapshot,
                policy=policy,
                capacity=capacity,
                freeze=freeze,
                notices=notices,
                **parameters,
            )

        return self._widened(Tap(kind, parameters, opened, line))

    def listen(
        self,
        kind: str,
        symbols: Iterable[str],
        parameters: Parameters,
        *,
        on_event: OnEvent | None = None,
        on_batch: OnBatch | None = None,
        on_error: OnError,
        snapshot: bool | None = None,
    ) -> Tap:
        """Have a callback called with events as they come; see `Hub.open_listener`.

        Raises:
            UsageError: a kind, symbol or parameter that cannot be.
        """
        one_of("stream", kind, KINDS)
        names = tuple(symbols)

        def opened(line: Line) -> Stream:
            return line.hub.open_listener(
                kind,
                names,
                now_ns=now_ns(),
                on_event=on_event,
                on_batch=on_batch,
                on_error=on_error,
                snapshot=snapshot,
                **parameters,
            )

        return self._widened(Tap(kind, parameters, opened, self.line(KINDS[kind].channel)))

    def _widened(self, tap: Tap) -> Tap:
        """Have a tap of what concerns every connection read from all of them, also from those to come."""
        if tap.kind in _WIDE:
            for line in self.lines:
                if line is not tap.parts[0][0]:
                    tap.join(line)
            self._wide = [open_tap for open_tap in self._wide if not open_tap.ended] + [tap]
        return tap

    def subscribe(self, channel: str, symbols: Iterable[str], parameters: Parameters) -> None:
        """Subscribe without a stream: for `raw` and `events`, or to keep a book.

        Raises:
            UsageError: a channel, symbol or parameter that cannot be.
        """
        if channel in ACCOUNT_CHANNELS:
            self.line(channel)  # which brings them without being asked
            return
        self._sinks.append(self.tap(kind_of(channel), symbols, parameters, {"policy": "drop", "queue": 1}))

    def unsubscribe(self, channel: str, symbols: Iterable[str]) -> None:
        """Undo `subscribe`, for some symbols or, without any, for all of a channel.

        Raises:
            UsageError: there is no such channel.
        """
        kind, names = kind_of(channel), tuple(symbols)
        for sink in [tap for tap in self._sinks if tap.kind == kind]:
            sink.remove(names)
            if not names or not sink.symbols:
                sink.close()
                self._sinks.remove(sink)

    def ping(self) -> bool:
        """Send a ping on the public connection; return whether that was possible now."""
        return self.line().hub.session.ping(now_ns()) is not None

    def make_room(self, wanted: Awaited) -> None:
        """End the full streams that keep the one waited for from going on, and nobody can empty meanwhile."""
        for line, _ in wanted.parts:
            if line.hub.blocked:
                for stream in line.hub.streams:
                    if stream.full:
                        error = SlowConsumer(f"the stream of {stream.kind}", len(stream), "items")
                        line.hub.end_stream(stream, error, now_ns())

    # -- views -------------------------------------------------------------------

    @property
    def counters(self) -> ClientCounters:
        """What all connections counted, added up."""
        total = ClientCounters()
        for line in self.lines:
            feed = line.feed.counters
            total.verified += feed.verified
            total.fallbacks += feed.fallbacks
            for name in SessionCounters.__struct_fields__:
                setattr(total, name, getattr(total, name) + getattr(line.hub.session.counters, name))
        return total

    @property
    def heard_ns(self) -> int:
        """When market data's connection was last heard of, by the drivers' clock; 0 while it is not open."""
        return next((line.hub.session.heard_ns for line in self.lines if line.name == "public"), 0)

    def book(self, symbol: str) -> BookReading:
        """Return the live book of a symbol.

        Raises:
            UsageError: there is none; open a stream of books first.
        """
        found = (line.hub.session.book(to_v2(symbol)) for line in self.lines)
        return _there(next((book for book in found if book is not None), None), "book", symbol)

    def level3_book(self, symbol: str) -> Level3Reading:
        """Return the live level3 book of a symbol.

        Raises:
            UsageError: there is none; open a stream of level3 first.
        """
        found = (line.hub.session.level3(to_v2(symbol)) for line in self.lines)
        return _there(next((book for book in found if book is not None), None), "level3", symbol)


_BookT = TypeVar("_BookT")


def _there(book: _BookT | None, channel: str, symbol: str) -> _BookT:
    if book is None:
        raise UsageError(f"{channel} of {symbol}", expected="an open stream of it", found="none")
    return book
