"""What users want, and the wire subscriptions that bring it.

Nearly always the two are the same. The exceptions: version 2 has no channel
`spread`, so it is served by the symbol's book or ticker, whichever is wanted
anyway; version 1 has no `executions`, which two of its feeds serve together.
A wire subscription knows its *faces*: the wanted subscriptions it serves, under
whose names its gaps and refusals are reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from krakenwire.errors import UsageError
from krakenwire.model import ACCOUNT_CHANNELS, Subscription, SubscriptionKey

__all__ = ["Wants", "WirePlan"]

WirePlan = tuple[SubscriptionKey, Subscription | None, tuple[Subscription, ...]]
"""A wire key, what to subscribe under it (None: nothing), and its faces."""

_ONLY_V2 = ("level3", "instrument", "balances")
_NEEDS_SNAPSHOT = ("book", "level3", *ACCOUNT_CHANNELS)
_EXECUTIONS_V1 = ("openOrders", "ownTrades")


class Wants:
    """The set of wanted subscriptions of one session.

    Args:
        version: API version, 1 or 2.
    """

    def __init__(self, version: int) -> None:
        self._version = version
        self._wanted: dict[SubscriptionKey, Subscription] = {}

    @property
    def wanted(self) -> Mapping[SubscriptionKey, Subscription]:
        """Everything wanted, by key."""
        return self._wanted

    def check(self, sub: Subscription) -> Subscription:
        """Return the subscription with defaults filled in.

        Raises:
            UsageError: no such channel or parameter, or not in this version.
        """
        sub = sub.checked()
        if self._version == 1 and sub.channel in _ONLY_V2:
            raise UsageError(f"channel {sub.channel}", expected="version 2", found="version 1")
        if self._version == 1 and sub.event_trigger == "bbo":
            raise UsageError("ticker event_trigger bbo", expected="version 2", found="version 1")
        if sub.channel in _NEEDS_SNAPSHOT and sub.snapshot is False:
            raise UsageError(f"channel {sub.channel} without a snapshot", hint="What it tells builds on one")
        return sub

    def add(self, sub: Subscription) -> Iterator[WirePlan]:
        """Want a checked subscription, or want it with other parameters."""
        self._wanted[sub.key] = sub
        return self._plans(sub)

    def remove(self, key: SubscriptionKey) -> Iterator[WirePlan]:
        """Want a subscription no longer; one that was not wanted is no error."""
        sub = self._wanted.pop(key, None)
        return iter(()) if sub is None else self._plans(sub)

    def wire_keys(self, key: SubscriptionKey) -> tuple[SubscriptionKey, ...]:
        """Return the wire keys that serve a wanted one together, none where nothing needs to be asked for."""
        if key[0] == "status":
            return ()
        if key[0] == "executions" and self._version == 1:
            return tuple((name, None, None) for name in _EXECUTIONS_V1)
        if key[0] == "spread" and self._version == 2:
            served_by_book = self._spread_source(key[1]).channel == "book"
            return (("book" if served_by_book else "ticker", key[1], None),)
        return (key,)

    def _plans(self, sub: Subscription) -> Iterator[WirePlan]:
        if sub.channel == "status":
            return
        wanted = self._wanted.get(sub.key)
        if sub.channel == "executions" and self._version == 1:
            for key in self.wire_keys(sub.key):
                yield key, wanted and Subscription(channel=key[0]), () if wanted is None else (wanted,)
            return
        if self._version == 1 or sub.channel not in ("book", "ticker", "spread"):
            yield sub.key, wanted, () if wanted is None else (wanted,)
            return
        yield from (self._shared(channel, sub.symbol) for channel in ("book", "ticker"))

    def _shared(self, channel: str, symbol: str | None) -> WirePlan:
        """The plan of a channel that may serve a spread besides itself."""
        own = self._wanted.get((channel, symbol, None))
        spread = self._wanted.get(("spread", symbol, None))
        source = None if spread is None else self._spread_source(symbol)
        if spread is None or source is None or source.channel != channel:
            return (channel, symbol, None), own, () if own is None else (own,)
        return (channel, symbol, None), own or source, (spread,) if own is None else (own, spread)

    def _spread_source(self, symbol: str | None) -> Subscription:
        """What a spread is derived from: what is wanted anyway if it tells enough, else the cheapest."""
        book = self._wanted.get(("book", symbol, None))
        ticker = self._wanted.get(("ticker", symbol, None))
        if book is not None:
            return book
        if ticker is not None and ticker.event_trigger == "bbo":
            return ticker
        if ticker is not None:
            return Subscription(channel="book", symbol=symbol, depth=10)
        return Subscription(channel="ticker", symbol=symbol, event_trigger="bbo")
