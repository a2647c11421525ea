"""What is due at a time of its own: scheduled starts, expiries, dead man's switches, fees for open positions."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final

from krakenwire.venue.trading.account_order import AccountOrder
from krakenwire.venue.trading.accounts import Account
from krakenwire.venue.trading.positions import Position

__all__ = ["Agenda", "Item"]

Item = AccountOrder | Account | Position
"""Whose time it is; whether it still means anything is looked at when it has come."""

_NEVER_NS: Final = 1 << 62


class Agenda:
    """Times and whose they are; of the same time, in the order in which they were noted."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Item]] = []
        self._ticket = 0

    def note(self, due_ns: int, item: Item) -> None:
        """Note a time."""
        self._ticket += 1
        heappush(self._due, (due_ns, self._ticket, item))

    def next_ns(self) -> int:
        """Return the earliest time; far away when there is none."""
        return self._due[0][0] if self._due else _NEVER_NS

    def take(self) -> tuple[int, Item]:
        """Take the earliest off."""
        due_ns, _, item = heappop(self._due)
        return due_ns, item
