"""What can be done to a running local Kraken, each as one method: clock, connections, faults, other people's orders.

The same as its control port offers over HTTP (`krakenwire.server.control`).
Everything is called from your own thread and done in the venue's when it
returns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from krakenwire.model.answers import Answer
from krakenwire.model.orders import TradingRequest

if TYPE_CHECKING:
    from krakenwire.server import ConnectionFacts, Operations, Which

__all__ = ["OperatedVenue"]

_T = TypeVar("_T")


class OperatedVenue(ABC):
    """The operations of a venue; whoever runs one says how they reach it.

    All methods raise `UsageError` while it is not running, and `ConfigError` for a value that cannot be.
    Where connections are chosen, those are meant of which everything given is true, all of them if nothing is:

        connection: its number, as `connections` tells it.
        version: the API version it speaks, 1 or 2.
        host: with strict hosts the address it came to, ``public``, ``private`` or ``level3``.
        account: an account whose token it has used.
    """

    @abstractmethod
    def _operate(self, call: Callable[[Operations], _T]) -> _T:
        """Call something with the venue's operations, in its thread, and return what it returns."""

    # -- time ----------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """The venue's time, nanoseconds since 1970 UTC."""
        return self._operate(lambda operations: operations.now_ns)

    def freeze(self) -> None:
        """Hold the venue's clock: nothing trades, nothing expires; requests are answered, heartbeats go on."""
        self._operate(lambda operations: operations.freeze())

    def advance(self, seconds: float) -> None:
        """Move the venue's clock forward, frozen or not.

        When it returns, everything has happened that was due by then: orders and tokens
        have expired, timers fired, candles ended. The crowd has lived through the last
        half minute of it.
        """
        self._operate(lambda operations: operations.advance(seconds))

    def resume(self) -> None:
        """Let a frozen clock run on from where it is."""
        self._operate(lambda operations: operations.resume())

    # -- the venue -----------------------------------------------------------

    def set_status(self, status: str) -> None:
        """Change the trading mode and announce it.

        Args:
            status: ``online``, ``post_only``, ``limit_only``, ``cancel_only`` or ``maintenance``.
        """
        self._operate(lambda operations: operations.set_status(status))

    def deposit(self, account: str, asset: str, amount: Decimal | int | str) -> None:
        """Let money come in from outside.

        Args:
            account: a configured one, or one that has acted.
            asset: in any of Kraken's spellings.
            amount: units of it, exact.
        """
        self._operate(lambda operations: operations.deposit(account, asset, amount))

    def act(self, account: str, request: TradingRequest) -> tuple[Answer, ...]:
        """Do what an account asks for, with no key, no token and no connection; return its answers.

        Args:
            account: a configured one, or any name: a new one is opened with plenty of money.
            request: `AddOrder`, `CancelAll` and their like, from `krakenwire.model`.
        """
        return self._operate(lambda operations: operations.act(account, request))

    def expire_tokens(self) -> None:
        """End every WebSocket token: subscriptions go on, requests are refused."""
        self._operate(lambda operations: operations.expire_tokens())

    # -- connections -----------------------------------------------------------

    def connections(self) -> tuple[ConnectionFacts, ...]:
        """Return the open WebSocket connections, oldest first."""
        return self._operate(lambda operations: operations.connections())

    def cut_connections(
        self,
        *,
        connection: int | None = None,
        version: int | None = None,
        host: str | None = None,
        account: str | None = None,
    ) -> int:
        """Cut connections without a word, as a failing network does; return how many."""
        which = _which(connection, version, host, account)
        return self._operate(lambda operations: operations.cut(which))

    def stall(
        self,
        seconds: float,
        *,
        connection: int | None = None,
        version: int | None = None,
        host: str | None = None,
        account: str | None = None,
    ) -> int:
        """Send nothing and answer nothing for a while; connections stay open. Without a choice, REST is silent too."""
        which = _which(connection, version, host, account)
        return self._operate(lambda operations: operations.stall(seconds, which))

    def garble(
        self,
        count: int = 1,
        how: str = "cut",
        *,
        connection: int | None = None,
        version: int | None = None,
        host: str | None = None,
        account: str | None = None,
    ) -> int:
        """Garble the next frames of connections; return of how many.

        Args:
            count: frames of each.
            how: ``cut`` in the middle, ``flip`` one bit, or ``not_json`` at all.
            connection: which, by number.
            version: or by the API version they speak.
            host: or by the address they came to.
            account: or by an account whose token they have used.
        """
        which = _which(connection, version, host, account)
        return self._operate(lambda operations: operations.garble(count, how, which))

    # -- what is said ------------------------------------------------------------

    def corrupt_checksums(self, count: int = 1, channel: str = "book") -> None:
        """Send wrong checksums with the next updates of ``book`` or ``level3``."""
        self._operate(lambda operations: operations.spoil_updates("corrupt_checksums", count, channel))

    def drop_updates(self, count: int = 1, channel: str = "book") -> None:
        """Swallow the next updates of a channel: books go wrong, private channels have a gap in their sequence."""
        self._operate(lambda operations: operations.spoil_updates("drop_updates", count, channel))

    def duplicate_updates(self, count: int = 1, channel: str = "book") -> None:
        """Send the next updates of a channel twice."""
        self._operate(lambda operations: operations.spoil_updates("duplicate_updates", count, channel))

    # -- what is answered ----------------------------------------------------------

    def delay_ack(self, seconds: float, method: str | None = None, count: int = 1) -> None:
        """Hold answers back after what was asked has taken effect; executions are told at once.

        Args:
            seconds: how long.
            method: by its v2, v1 or REST name; None for every request about orders.
            count: of how many requests.
        """
        self._operate(lambda operations: operations.spoil_requests("delay_ack", count, method, seconds=seconds))

    def lose_ack(self, count: int = 1, method: str | None = None) -> None:
        """Do what is asked and never answer; a REST call ends without a word. Arguments as for `delay_ack`."""
        self._operate(lambda operations: operations.spoil_requests("lose_ack", count, method))

    def lose_request(self, count: int = 1, method: str | None = None) -> None:
        """Neither do what is asked nor answer. Arguments as for `delay_ack`."""
        self._operate(lambda operations: operations.spoil_requests("lose_request", count, method))

    def fail(self, method: str | None = None, error: str = "EService:Unavailable", count: int = 1) -> None:
        """Refuse what is asked with a text of your choice. Arguments as for `delay_ack`."""
        self._operate(lambda operations: operations.spoil_requests("fail", count, method, error=error))

    def clear_faults(self) -> None:
        """Let nothing more go wrong."""
        self._operate(lambda operations: operations.clear_faults())


def _which(connection: int | None, version: int | None, host: str | None, account: str | None) -> Which:
    from krakenwire.server import Which

    return Which(connection=connection, version=version, host=host, account=account)
