"""The private channels of one connection, whichever version it speaks: whose they are, and what keeps them alive.

A channel follows an account, keeps its token valid, and counts its messages;
what they say is the business of `private_v1.py` and `private_v2.py`.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from krakenwire.venue.front import Follower, Front
from krakenwire.venue.trading import Account

__all__ = ["PrivateChannel", "PrivateChannels"]


class Asked(Protocol):
    """A well-formed subscribe of either version."""

    @property
    def channel(self) -> str: ...

    @property
    def token(self) -> str: ...


AskedT = TypeVar("AskedT", bound=Asked)


class PrivateChannel(Generic[AskedT]):
    """One channel: its account, the options it was asked for with, and how many messages it has had."""

    __slots__ = ("account", "asked", "sequence")

    def __init__(self, account: Account, asked: AskedT) -> None:
        self.account, self.asked, self.sequence = account, asked, 0

    def next_sequence(self) -> int:
        """Return the number of the next message."""
        self.sequence += 1
        return self.sequence


class PrivateChannels(Generic[AskedT]):
    """All private channels of one connection.

    Args:
        front: where accounts are.
        connection: what the front knows it by.
    """

    def __init__(self, front: Front, connection: Follower) -> None:
        self._front, self._connection = front, connection
        self._open: dict[str, PrivateChannel[AskedT]] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def __contains__(self, name: str) -> bool:
        return name in self._open

    @property
    def names(self) -> tuple[str, ...]:
        """The channels that are open."""
        return tuple(self._open)

    def of(self, name: str, account: Account) -> PrivateChannel[AskedT] | None:
        """Return the channel of this name if it follows this account."""
        channel = self._open.get(name)
        return channel if channel is not None and channel.account is account else None

    def open(self, account: Account, asked: AskedT) -> PrivateChannel[AskedT]:
        """Follow an account; a channel that is open already takes the new options and goes on counting."""
        channel = self.of(asked.channel, account)
        if channel is None:
            self.close(asked.channel)
            channel = self._open[asked.channel] = PrivateChannel(account, asked)
        self._front.permit.release(channel.asked.token, (self._connection, asked.channel))
        self._front.permit.keep(asked.token, (self._connection, asked.channel))
        channel.asked = asked
        self._front.look()
        self._front.follow(account, self._connection)
        return channel

    def close(self, name: str) -> None:
        """Let go of a channel, if it is open."""
        channel = self._open.pop(name, None)
        if channel is None:
            return
        self._front.permit.release(channel.asked.token, (self._connection, name))
        if all(other.account is not channel.account for other in self._open.values()):
            self._front.leave(channel.account, self._connection)

    def close_all(self) -> None:
        """Let go of everything."""
        for name in tuple(self._open):
            self.close(name)
