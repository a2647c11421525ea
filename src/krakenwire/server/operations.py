"""What whoever runs a local venue may do to it: its clock, its connections, its faults, its accounts.

One method each, called in the loop of the server; `control` offers them over
HTTP and `apps.local_venue` as methods of the venue. What changes the venue
goes through its inputs; faults are gone when it ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from krakenwire.errors import ConfigError, DecodeError
from krakenwire.limits import VENUE_DEPOSIT_MAX, VENUE_FAULT_S_MAX, VENUE_FAULTS_MAX, VENUE_LEAP_S_MAX
from krakenwire.model.answers import Answer
from krakenwire.model.numbers import decimal_from_text
from krakenwire.model.orders import TradingRequest
from krakenwire.server.clock import Clock
from krakenwire.server.connections import Connection
from krakenwire.server.driver import Driver
from krakenwire.server.faults import (
    GARBLES,
    FaultSet,
    FrameFault,
    FrameFaultKind,
    RequestFault,
    RequestFaultKind,
)
from krakenwire.server.ports import VenuePort

__all__ = ["EVERYONE", "ConnectionFacts", "Operations", "Which"]

_SECOND: Final = 1_000_000_000


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """Which connections are meant: those of which everything given is true; all of them if nothing is.

    Args:
        connection: its number, as `Operations.connections` tells it.
        version: the API version it speaks, 1 or 2.
        host: the address it came to: ``any``, ``public``, ``private``, ``level3``.
        account: an account whose token it has used.
    """

    connection: int | None = None
    version: int | None = None
    host: str | None = None
    account: str | None = None

    def means(self, connection: Connection) -> bool:
        """Return whether a connection is meant."""
        facts = connection.gateway.facts
        return (
            self.connection in (None, connection.number)
            and self.version in (None, facts.version)
            and self.host in (None, facts.host)
            and (self.account is None or self.account in facts.accounts)
        )


EVERYONE: Final = Which()


class ConnectionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One open connection; no token is in it.

    Args:
        connection: its number, from 1 in the order in which they came.
        connection_id: as it was told to the client.
        version: the API version it speaks.
        host: the address it came to.
        subscriptions: what it follows, as ``book BTC/USD 10``.
        accounts: whose tokens it has used.
    """

    connection: int
    connection_id: int
    version: int
    host: str
    subscriptions: tuple[str, ...]
    accounts: tuple[str, ...]


class Operations:
    """Everything that can be done to a running venue.

    Args:
        market: the venue.
        clock: its time.
        driver: what steps it; its connections and its faults.
    """

    def __init__(self, market: VenuePort, clock: Clock, driver: Driver) -> None:
        self._market, self._clock, self._driver = market, clock, driver
        self._connections, self._faults = driver.connections, driver.faults

    # -- time --------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """The venue's time."""
        return self._clock.now_ns()

    @property
    def frozen(self) -> bool:
        """Whether it is held."""
        return self._clock.frozen

    def freeze(self) -> None:
        """Hold the venue's clock, with everything done that was due by then; heartbeats go on."""
        self._clock.freeze()
        self._driver.step()

    def advance(self, seconds: float) -> None:
        """Move the venue's clock forward, and let everything happen that is due by then."""
        ns = int(_seconds("seconds to advance", seconds, VENUE_LEAP_S_MAX) * _SECOND)
        self._market.move_clock(self._clock.ahead_ns + ns, self._clock.now_ns() + ns)
        self._driver.advance(ns)

    def resume(self) -> None:
        """Let the venue's clock run on from where it is."""
        if self._clock.frozen:
            self._market.move_clock(self._clock.ahead_ns, self._clock.now_ns())
            self._clock.resume()

    # -- the venue -----------------------------------------------------------------

    def set_status(self, status: str) -> None:
        """Change the trading mode and announce it."""
        self._driver.publish(self._market.set_status(status, self._clock.now_ns()))

    def deposit(self, account: str, asset: str, amount: Decimal | int | str) -> None:
        """Let money come in from outside."""
        self._market.deposit(account, asset, _amount(amount), self._clock.now_ns())
        self._driver.publish(self._market.news())

    def act(self, account: str, request: TradingRequest) -> tuple[Answer, ...]:
        """Do what an account asks for; one of a new name is opened with plenty of money."""
        answers = self._market.act(account, request, self._clock.now_ns())
        self._driver.publish(self._market.news())
        return answers

    def expire_tokens(self) -> None:
        """End every WebSocket token: subscriptions go on, requests are refused."""
        self._market.expire_tokens()

    # -- connections -----------------------------------------------------------------

    def connections(self) -> tuple[ConnectionFacts, ...]:
        """Return the open connections, oldest first."""
        return tuple(
            ConnectionFacts(connection=connection.number, **msgspec.structs.asdict(connection.gateway.facts))
            for connection in self._connections
        )

    def cut(self, which: Which = EVERYONE) -> int:
        """Cut connections without a word; return how many."""
        return self._each(which, Connection.abort)

    def stall(self, seconds: float, which: Which = EVERYONE) -> int:
        """Send nothing and hear nothing for a while; return on how many connections. With no choice made, REST too."""
        wait = _seconds("seconds to stall", seconds, VENUE_FAULT_S_MAX)
        if which == EVERYONE:
            self._driver.stall(wait)
            return len(self._connections)
        return self._each(which, lambda connection: connection.stall(wait))

    def garble(self, count: int = 1, how: str = "cut", which: Which = EVERYONE) -> int:
        """Garble the next frames of connections; return of how many."""
        if how not in GARBLES:
            raise ConfigError("how", expected="one of " + ", ".join(GARBLES), found=how)
        frames = _count(count, least=1)
        return self._each(which, lambda connection: connection.garble(frames, how))

    def _each(self, which: Which, do: Callable[[Connection], None]) -> int:
        meant = [connection for connection in self._connections if which.means(connection)]
        for connection in meant:
            do(connection)
        return len(meant)

    # -- faults ------------------------------------------------------------------------

    def faults(self) -> FaultSet:
        """Return what is still to go wrong."""
        return self._faults.all

    def clear_faults(self) -> None:
        """Let nothing more go wrong; stalls end when they would."""
        self._faults.clear()
        self._connections.arrivals.clear()

    def spoil_updates(self, kind: FrameFaultKind, count: int, channel: str) -> None:
        """Drop, say twice or give a wrong checksum to the next updates of a channel."""
        self._faults.add(FrameFault(kind=kind, channel=channel, count=_count(count)))

    def spoil_requests(
        self, kind: RequestFaultKind, count: int, method: str | None, *, seconds: float = 0.0, error: str = ""
    ) -> None:
        """Delay, lose or refuse the next requests of a method; None means every one about orders."""
        wait = _seconds("seconds to delay", seconds, VENUE_FAULT_S_MAX)
        self._faults.add(RequestFault(kind=kind, method=method, count=_count(count), seconds=wait, error=error))

    def begin_with(self, faults: Mapping[str, Decimal]) -> None:
        """Set the faults of a configuration: see `krakenwire.venue.config.local_config.FAULTS`."""
        count = {name: int(figure) for name, figure in faults.items()}
        self.spoil_updates("corrupt_checksums", count.get("corrupt_checksum", 0), "book")
        self.spoil_updates("drop_updates", count.get("drop_update", 0), "book")
        self.spoil_requests("lose_ack", count.get("lose_ack", 0), None)
        self.spoil_requests("fail", count.get("refuse_request", 0), None, error="EService:Unavailable")
        if "delay_ack_s" in faults:
            self.spoil_requests("delay_ack", VENUE_FAULTS_MAX, None, seconds=float(faults["delay_ack_s"]))
        if "stall_s" in faults:
            self.stall(float(faults["stall_s"]))
        arrivals = self._connections.arrivals
        arrivals.extend(_cut_soon for _ in range(count.get("cut_connection", 0)))
        if count.get("garble_frame"):
            arrivals.append(lambda connection: connection.garble(count["garble_frame"], "cut"))


def _cut_soon(connection: Connection) -> None:
    """Cut a connection once what it was sent has gone out."""
    asyncio.get_running_loop().call_soon(connection.abort)


def _seconds(what: str, seconds: float, most: int) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | Decimal) or not 0 <= seconds <= most:
        raise ConfigError(what, expected=f"a number from 0 to {most}", found=seconds)
    return float(seconds)


def _count(count: int, least: int = 0) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or not least <= count <= VENUE_FAULTS_MAX:
        raise ConfigError("count", expected=f"a whole number from {least} to {VENUE_FAULTS_MAX}", found=count)
    return count


def _amount(amount: Decimal | int | str) -> Decimal:
    try:
        exact = decimal_from_text(str(amount)) if not isinstance(amount, float | bool) else None
    except DecodeError:
        exact = None
    if exact is None or not 0 < exact <= VENUE_DEPOSIT_MAX:
        expected = f"an exact number above 0 and up to {VENUE_DEPOSIT_MAX}"
        raise ConfigError("amount", expected=expected, found=amount)
    return exact
