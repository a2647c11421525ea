"""Who sees what passes over a connection: the port of a recorder.

A hub tells its witness of everything in the order of the wire, before anybody
else sees it. A witness changes nothing and must be quick. Next: `hub`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

from krakenwire.errors import KrakenwireError
from krakenwire.model import Event

__all__ = ["Witness", "WitnessOf"]


class Witness(Protocol):
    """Sees one connection of a client, and those that follow when it is renewed."""

    def received(self, frame: str | bytes, now_ns: int) -> object:
        """See a frame as it came, and when."""

    def sent(self, frame: str) -> object:
        """See a frame that goes out now."""

    def opened(self, now_ns: int) -> object:
        """See a connection open."""

    def closed(self, error: KrakenwireError | None, now_ns: int) -> object:
        """See a connection, or an attempt at one, end; without an error when its user ended it."""

    def noted(self, event: Event, now_ns: int) -> object:
        """See what the session found out that is not data: `Gap`, `Resynced`, `Refused` and the like."""


WitnessOf: TypeAlias = Callable[[str, str, Literal[1, 2]], Witness]
"""Called with the name, the address and the API version of each connection of a client, before it is opened."""
