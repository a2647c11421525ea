"""The time a strategy lives by: that of the market, in every world. Never the machine's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "Timed"]

_SECOND = 1_000_000_000


class Timed(Protocol):
    """What has a time of its own: the market."""

    @property
    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC."""
        ...


class Clock:
    """The strategy's clock.

    Args:
        market: whose time it shows.
    """

    __slots__ = ("_market",)

    def __init__(self, market: Timed) -> None:
        self._market = market

    @property
    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC."""
        return self._market.now_ns

    @property
    def now(self) -> datetime:
        """The same as a `datetime` in UTC, cut to microseconds."""
        seconds, rest = divmod(self._market.now_ns, _SECOND)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
