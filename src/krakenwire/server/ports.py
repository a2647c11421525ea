"""What the server needs from a venue: a few verbs, no knowledge of markets.

The server moves bytes and wakes at deadlines; everything it sends was decided
behind these protocols. Read `application` next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from krakenwire.model.answers import Answer
from krakenwire.model.orders import TradingRequest
from krakenwire.protocol.rest_sign import SignedCall
from krakenwire.venue.gateways.hosts import Host
from krakenwire.venue.gateways.line import LineFacts

__all__ = ["FanOut", "Gateway", "VenuePort"]

FanOut = Iterable[tuple[str, Collection[object]]]
"""Frames with the gateways that receive them, in sending order."""


class Gateway(Protocol):
    """One WebSocket connection as the venue sees it. All calls return frames for this connection.

    `now_ns` is the venue's time, `heard_ns` that of the line, which `poll` and `next_deadline_ns` go by.
    """

    def feed_open(self, now_ns: int, heard_ns: int) -> Sequence[str]: ...
    def feed_frame(self, frame: str | bytes, now_ns: int, heard_ns: int) -> Sequence[str]: ...
    def refuse(self, frame: str | bytes, error: str, now_ns: int) -> Sequence[str]: ...
    def poll(self, heard_ns: int) -> Sequence[str]: ...
    def next_deadline_ns(self) -> int: ...
    def feed_close(self) -> None: ...

    @property
    def should_close(self) -> str | None: ...

    @property
    def facts(self) -> LineFacts: ...


class VenuePort(Protocol):
    """The venue behind the port.

    Raises nothing for what a peer sends: refusals are frames and JSON texts.
    """

    def open_gateway(self, version: int, host: Host) -> Gateway:
        """Return a fresh gateway for a connection that speaks API version 1 or 2 and came to a host."""

    def step(self, now_ns: int) -> FanOut:
        """Let the market act up to `now_ns` and return what is to be published."""

    def rest(self, method: str, params: Mapping[str, str], now_ns: int) -> str:
        """Return the JSON text that answers a public REST call."""

    def private(self, call: SignedCall, now_ns: int) -> str:
        """Return the JSON text that answers a private REST call."""

    def news(self) -> FanOut:
        """Return what requests have caused since the last call: for markets, and for accounts."""

    def move_clock(self, ahead_ns: int, now_ns: int) -> None:
        """Take note, before it is done, that the venue's time is moved to so much ahead of real time."""

    def set_status(self, status: str, now_ns: int) -> FanOut:
        """Change the trading mode and return the messages that announce it."""

    def deposit(self, account: str, asset: str, amount: Decimal, now_ns: int) -> None:
        """Let money come in from outside."""

    def act(self, account: str, request: TradingRequest, now_ns: int) -> tuple[Answer, ...]:
        """Do what an account asks for, one that is opened with plenty of money if there is none of that name."""

    def expire_tokens(self) -> None:
        """End every WebSocket token: subscriptions go on, requests are refused."""
