"""What a client wants to receive, spelled the same for both versions."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from krakenwire.errors import UsageError
from krakenwire.limits import BOOK_DEPTHS, LEVEL3_DEPTHS, OHLC_INTERVALS

__all__ = ["ACCOUNT_CHANNELS", "CHANNELS", "Subscription", "SubscriptionKey", "one_of"]

ACCOUNT_CHANNELS = ("executions", "balances")
"""Channels about one account: they need a token, and no symbol."""

CHANNELS = ("ticker", "book", "level3", "ohlc", "trade", "spread", "instrument", "status", *ACCOUNT_CHANNELS)
"""Channels a client can ask for. `status` comes unasked; `spread` is native on v1 only."""

_WHOLESALE = ("instrument", "status", *ACCOUNT_CHANNELS)

SubscriptionKey = tuple[str, str | None, int | None]
"""`(channel, symbol, interval)`: what tells one subscription of a connection from another."""


def one_of(what: str, found: object, allowed: Iterable[object]) -> None:
    """Refuse a value that is not among the allowed ones.

    Raises:
        UsageError: naming what was expected and found.
    """
    allowed = tuple(allowed)
    if found not in allowed:
        raise UsageError(f"unknown {what}", expected="one of " + ", ".join(map(str, allowed)), found=found)


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One channel of one symbol, with its parameters. `None` leaves the venue's default.

    Args:
        channel: one of `CHANNELS`.
        symbol: v2 spelling such as ``BTC/USD``; None for `instrument`, `status` and the account's channels.
        depth: price levels a side, `book` and `level3` only.
        interval: minutes, `ohlc` only.
        event_trigger: ``trades`` or ``bbo``, v2 `ticker` only.
        snapshot: whether a snapshot is wanted; None for the channel's default.
    """

    channel: str
    symbol: str | None = None
    depth: int | None = None
    interval: int | None = None
    event_trigger: str | None = None
    snapshot: bool | None = None

    @property
    def key(self) -> SubscriptionKey:
        """What identifies this subscription on a connection."""
        return (self.channel, self.symbol, self.interval)

    def checked(self) -> Subscription:
        """Return this subscription with defaults filled in.

        Raises:
            UsageError: unknown channel, depth, interval or trigger; a symbol
                missing, or given where there is none.
        """
        one_of("channel", self.channel, CHANNELS)
        if (self.symbol is None) != (self.channel in _WHOLESALE):
            expected = "no symbol" if self.symbol else "a symbol"
            raise UsageError(f"channel {self.channel}", expected=expected, found=self.symbol or "none")
        return msgspec.structs.replace(
            self,
            depth=self._depth(),
            interval=self._interval(),
            event_trigger=self._event_trigger(),
        )

    def _depth(self) -> int | None:
        allowed = {"book": BOOK_DEPTHS, "level3": LEVEL3_DEPTHS}.get(self.channel)
        if allowed is None:
            self._absent("depth", self.depth)
            return None
        depth = 10 if self.depth is None else self.depth
        one_of(f"{self.channel} depth", depth, allowed)
        return depth

    def _interval(self) -> int | None:
        if self.channel != "ohlc":
            self._absent("interval", self.interval)
            return None
        interval = 1 if self.interval is None else self.interval
        one_of("ohlc interval (minutes)", interval, OHLC_INTERVALS)
        return interval

    def _event_trigger(self) -> str | None:
        if self.channel != "ticker":
            self._absent("event_trigger", self.event_trigger)
            return None
        trigger = self.event_trigger or "trades"
        one_of("ticker event_trigger", trigger, ("trades", "bbo"))
        return trigger

    def _absent(self, name: str, value: object) -> None:
        if value is not None:
            raise UsageError(f"channel {self.channel} has no {name}", found=value)
