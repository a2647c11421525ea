"""How fast the local Kraken may be asked: by account and pair, by key, by connection and by address.

Each limit can be adjusted or left out. Everything here answers with the
venue's text or with yes and no; what follows is the gateways' and the server's
business. The arithmetic is in `krakenwire.model.rates`. Source: v2 reference,
sections 3.1, 4.2 and 9.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from krakenwire.errors import ConfigError
from krakenwire.limits import VENUE_NAMES_KEPT
from krakenwire.model.rates import (
    ALWAYS_ACCEPTED,
    POINT,
    TIERS,
    RateCounter,
    RateLimit,
    Tier,
    Transaction,
    cost,
    rest_cost,
)

__all__ = [
    "ATTEMPTS",
    "LOCKOUT",
    "MESSAGE_RATE",
    "MESSAGE_RATE_EXCEEDED",
    "AccountLimits",
    "AccountPace",
    "BanRule",
    "Bans",
    "MessagePace",
    "RestPace",
]

MESSAGE_RATE_EXCEEDED: Final = "Exceeded msg rate"
_REST_RATE_EXCEEDED: Final = "EAPI:Rate limit exceeded"
_RATE_EXCEEDED: Final = "EOrder:Rate limit exceeded"
_DOMAIN_RATE_EXCEEDED: Final = "EOrder:Domain rate limit exceeded"
_ORDERS_EXCEEDED: Final = "EOrder:Orders limit exceeded"

_MINUTE_NS: Final = 60_000_000_000

MESSAGE_RATE: Final = RateLimit(Decimal(5_000), Decimal(2_500))
"""Messages of one connection. Kraken has a limit and does not tell it; no sound client gets near this one."""


class AccountLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one account may do; None leaves a limit out.

    Args:
        trading: of the counter of each pair, and of the one of requests that concern all of them.
        open_orders: how many may be open in one pair.
        rest: of the counter of each key.
        level3: of the level3 subscriptions of each connection.
    """

    trading: RateLimit | None = None
    open_orders: int | None = None
    rest: RateLimit | None = None
    level3: RateLimit | None = None

    @classmethod
    def of(cls, tier: Tier) -> AccountLimits:
        """Return Kraken's figures for a tier."""
        limits = TIERS[tier]
        return cls(trading=limits.trading, open_orders=limits.open_orders, rest=limits.rest, level3=limits.level3)


class AccountPace:
    """The trading counters of one account, one for each pair it trades.

    Args:
        limits: what it may do.
    """

    def __init__(self, limits: AccountLimits) -> None:
        self.limits = limits
        self._counters: dict[str | None, RateCounter] = {}

    @property
    def max_rate_count(self) -> int:
        """What a subscription tells as `maxratecount`; without a limit, that of the highest tier."""
        return int((self.limits.trading or TIERS["pro"].trading).threshold)

    def rate_count(self, symbol: str | None, now_ns: int) -> Decimal:
        """Return the points of a pair."""
        counter = self._counters.get(symbol)
        return Decimal(0) if counter is None else counter.value(now_ns)

    def refusal(
        self, transaction: Transaction, symbol: str | None, now_ns: int, *, ages_ns: Iterable[int] = (), orders: int = 1
    ) -> str | None:
        """Count a request; return the venue's text when it must be refused, which then costs nothing.

        Args:
            transaction: what is asked.
            symbol: a listed v2 symbol; None for a request that concerns all pairs.
            now_ns: the time.
            ages_ns: how long ago each order it touches was placed or last amended.
            orders: how many orders it places.
        """
        if self.limits.trading is None:
            return None
        counter = self._counters.get(symbol)
        if counter is None:
            counter = self._counters[symbol] = RateCounter(self.limits.trading)
        points = cost(transaction, ages_ns, orders=orders)
        if transaction in ALWAYS_ACCEPTED:
            counter.charge(points, now_ns)
        elif not counter.take(points, now_ns):
            return _DOMAIN_RATE_EXCEEDED if symbol is None else _RATE_EXCEEDED
        return None

    def orders_refusal(self, open_orders: int, more: int = 1) -> str | None:
        """Return the venue's text when a pair with so many open orders may not get so many more."""
        most = self.limits.open_orders
        return None if most is None or open_orders + more <= most else _ORDERS_EXCEEDED


class RestPace:
    """The counter of one key's REST calls.

    Args:
        limit: None for none.
    """

    def __init__(self, limit: RateLimit | None) -> None:
        self._counter = None if limit is None else RateCounter(limit)

    def refusal(self, method: str, now_ns: int) -> str | None:
        """Count a call; return the venue's text when it must be refused, which then costs nothing."""
        points = rest_cost(method)
        if self._counter is None or points == 0 or self._counter.take(points, now_ns):
            return None
        return _REST_RATE_EXCEEDED


class MessagePace:
    """The messages of one connection.

    Args:
        limit: messages at once and a second; None for none.
    """

    __slots__ = ("_counter",)

    def __init__(self, limit: RateLimit | None) -> None:
        self._counter = None if limit is None else RateCounter(limit)

    def admits(self, now_ns: int) -> bool:
        """Count a message; return False for one too many, which is answered with `MESSAGE_RATE_EXCEEDED`."""
        return self._counter is None or self._counter.take(POINT, now_ns)


class BanRule(msgspec.Struct, frozen=True):
    """How much is too much, and how long it has consequences.

    Args:
        limit: what may happen at once and a second.
        ban_ns: how long a ban lasts.

    Raises:
        ConfigError: a ban that lasts no time.
    """

    limit: RateLimit
    ban_ns: int

    def __post_init__(self) -> None:
        if self.ban_ns <= 0:
            raise ConfigError("ban", expected="a duration above zero", found=self.ban_ns)


ATTEMPTS: Final = BanRule(RateLimit(Decimal(150), Decimal("0.25")), 10 * _MINUTE_NS)
"""Connection attempts of one address, as Kraken counts them: about 150 in ten minutes, then a ban of as long."""

LOCKOUT: Final = BanRule(RateLimit(Decimal(20), Decimal("0.2")), 15 * _MINUTE_NS)
"""Refused keys, signatures and nonces. Kraken tells the consequence, but not how many are too many."""


class Bans:
    """Who did something too often: addresses, keys.

    Args:
        rule: None bans nobody.
        names_max: how many names are remembered; the one first seen is forgotten for the next.
    """

    def __init__(self, rule: BanRule | None, names_max: int = VENUE_NAMES_KEPT) -> None:
        self._rule, self._names_max = rule, names_max
        self._counters: dict[str, RateCounter] = {}
        self._until_ns: dict[str, int] = {}

    def holds(self, name: str, now_ns: int) -> bool:
        """Return whether somebody is banned."""
        return now_ns < self._until_ns.get(name, now_ns)

    def strike(self, name: str, now_ns: int) -> bool:
        """Count what somebody did; return whether that was once too often, or a ban holds already."""
        if self._rule is None or self.holds(name, now_ns):
            return self._rule is not None
        counter = self._counters.get(name)
        if counter is None:
            self._forget()
            counter = self._counters[name] = RateCounter(self._rule.limit)
        if counter.take(POINT, now_ns):
            return False
        self._until_ns[name] = now_ns + self._rule.ban_ns
        del self._counters[name]
        return True

    def lift(self) -> None:
        """Forget everything."""
        self._counters.clear()
        self._until_ns.clear()

    def _forget(self) -> None:
        for kept in (self._counters, self._until_ns):
            while len(kept) >= self._names_max:
                del kept[next(iter(kept))]
