"""Are the trades of one symbol complete: their ids tell losses and repetitions.

Version 2 numbers the trades of each book one by one; version 1 has no ids, so
nothing can be told there. Source: v2 reference, section 6.5.
"""

from __future__ import annotations

from krakenwire.model import Trade, Trades

__all__ = ["TradeIds"]

_REPEAT_WINDOW = 1000
"""A number this much smaller than the last is no repetition: the numbering began anew."""


class TradeIds:
    """The numbering of one symbol's trades."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._renewed = False

    @property
    def next_id(self) -> int:
        """The number that has to come next, -1 when that is not known."""
        return -1 if self._last is None or self._renewed else self._last + 1

    def follow(self, next_id: int) -> None:
        """Trades up to the one before `next_id` came by another way; -1 says nothing."""
        if next_id > 0:
            self._last = next_id - 1

    def renewed(self) -> None:
        """The subscription is a new one: the venue may have begun a new numbering."""
        self._renewed = True

    def take(self, event: Trades) -> tuple[tuple[Trade, ...], int]:
        """Return the trades that are new, oldest first, and how many are missing before or between them."""
        newest = event.trades[-1].trade_id if event.trades else None
        last = self._last
        if newest is None:
            return event.trades, 0
        if last is None or (self._renewed and newest < last) or newest < last - _REPEAT_WINDOW:
            last = None
        self._renewed = False
        new: list[Trade] = []
        missing = 0
        for trade in event.trades:
            trade_id = trade.trade_id
            if trade_id is None or (last is not None and trade_id <= last):
                continue
            missing += 0 if last is None else trade_id - last - 1
            last = trade_id
            new.append(trade)
        self._last = last
        return (event.trades if len(new) == len(event.trades) else tuple(new)), missing
