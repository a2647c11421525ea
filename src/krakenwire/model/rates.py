"""How fast one may ask: counters that rise with each request and fall with time, and what each request costs.

The venue refuses by them and a client's pacer keeps below them, so both count
the same way: in whole numbers, exact to the nanosecond, whoever looks and
however often. Costs are in millionths of a point, because an order of a batch
costs half a point. Source: v2 reference, section 9.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from math import ceil
from typing import Final, Literal, get_args

import msgspec

from krakenwire.errors import ConfigError

__all__ = [
    "AGES_S",
    "ALWAYS_ACCEPTED",
    "POINT",
    "TIERS",
    "RateCounter",
    "RateLimit",
    "Tier",
    "TierLimits",
    "Transaction",
    "cost",
    "rest_cost",
]

POINT: Final = 1_000_000
"""One point in the unit of costs."""

_UNITS: Final = 1_000_000_000
"""Units of a counter in a millionth of a point: a decay of so many millionths a second is that many units a ns."""

_SECOND: Final = 1_000_000_000

Transaction = Literal["add", "amend", "edit", "cancel", "batch_add", "batch_cancel", "cancel_all", "cancel_all_after"]

ALWAYS_ACCEPTED: Final[frozenset[Transaction]] = frozenset({"batch_cancel"})
"""Charged like all others, but not refused when the counter goes over."""


# -- costs --------------------------------------------------------------------

_FIXED: Final[dict[Transaction, int]] = {
    "add": POINT,
    "amend": POINT,
    "edit": POINT,
    "cancel": 0,
    "batch_add": POINT // 2,
    "batch_cancel": 0,
    "cancel_all": POINT,
    "cancel_all_after": POINT,
}
"""For each order of the request."""

AGES_S: Final = (5, 10, 15, 45, 90, 300)
"""Seconds after which touching an order becomes cheaper."""

_BY_AGE: Final[dict[Transaction, tuple[int, ...]]] = {
    "amend": (3, 2, 1, 0, 0, 0),
    "edit": (6, 5, 4, 2, 1, 0),
    "cancel": (8, 6, 5, 4, 2, 1),
    "batch_cancel": (8, 6, 5, 4, 2, 1),
}
"""Points for an order younger than each of `AGES_S`."""


def cost(transaction: Transaction, ages_ns: Iterable[int] = (), *, orders: int = 1) -> int:
    """Return what a request costs, in millionths of a point.

    Args:
        transaction: what is asked.
        ages_ns: how long ago each order it touches was placed or last amended. Without them only the fixed
            part is counted, which is due on receipt, whatever becomes of the request.
        orders: how many orders it places.

    Source: v2 reference, section 9.1.
    """
    return _FIXED[transaction] * orders + sum(_age_cost(transaction, age_ns) for age_ns in ages_ns)


def _age_cost(transaction: Transaction, age_ns: int) -> int:
    points = _BY_AGE.get(transaction, ())
    return next((POINT * n for n, below_s in zip(points, AGES_S, strict=False) if age_ns < below_s * _SECOND), 0)


_REST_HISTORY: Final = frozenset({"ClosedOrders", "Ledgers", "QueryLedgers", "QueryTrades", "TradesHistory"})
_REST_ORDERS: Final = frozenset(
    {
        "AddOrder",
        "AddOrderBatch",
        "AmendOrder",
        "CancelAll",
        "CancelAllOrdersAfter",
        "CancelOrder",
        "CancelOrderBatch",
        "EditOrder",
    }
)


def rest_cost(method: str) -> int:
    """Return what a private REST call adds to the counter of its key, in millionths of a point.

    Calls about orders cost nothing here: they have the counter of `cost`.

    Args:
        method: the last part of the path, ``Ledgers``.

    Source: v2 reference, section 9.2.
    """
    if method in _REST_ORDERS:
        return 0
    return 4 * POINT if method in _REST_HISTORY else POINT


# -- limits ---------------------------------------------------------------------


class RateLimit(msgspec.Struct, frozen=True):
    """A counter's bounds.

    Args:
        threshold: points a counter may hold; also what can be spent at once.
        decay_per_s: points it loses a second.

    Raises:
        ConfigError: below zero, no threshold, or finer than a millionth.
    """

    threshold: Decimal
    decay_per_s: Decimal

    def __post_init__(self) -> None:
        _micro("threshold", self.threshold, least=1)
        _micro("decay_per_s", self.decay_per_s, least=0)


def _micro(what: str, points: Decimal, least: int) -> int:
    micro = points * POINT
    if not points.is_finite() or micro < least or micro != int(micro):
        expected = f"points {'above zero' if least else 'of zero or more'}, with at most six decimals"
        raise ConfigError(what, expected=expected, found=points)
    return int(micro)


Tier = Literal["starter", "intermediate", "pro"]


class TierLimits(msgspec.Struct, frozen=True):
    """What an account of one tier may do.

    Args:
        trading: of the counter of each pair.
        open_orders: how many may be open in one pair.
        rest: of the counter of each key.
        level3: of the subscriptions of one connection; each symbol costs by its depth.
    """

    trading: RateLimit
    open_orders: int
    rest: RateLimit
    level3: RateLimit


def _tier(threshold: str, decay: str, open_orders: int, rest_max: str, rest_decay: str, level3: str) -> TierLimits:
    trading, rest, depth = (
        RateLimit(Decimal(points), Decimal(per_s))
        for points, per_s in ((threshold, decay), (rest_max, rest_decay), (level3, level3))
    )
    return TierLimits(trading, open_orders, rest, depth)


TIERS: Final[dict[Tier, TierLimits]] = {
    "starter": _tier("60", "1.00", 60, "15", "0.33", "200"),
    "intermediate": _tier("125", "2.34", 80, "20", "0.5", "200"),
    "pro": _tier("180", "3.75", 225, "20", "1.0", "500"),
}
assert tuple(TIERS) == get_args(Tier)


# -- the counter --------------------------------------------------------------------


class RateCounter:
    """Points of one account and pair, of one key, or of one connection.

    Falls continuously and never below zero. A time before the last one it was told counts as that one.

    Args:
        limit: when it refuses, and how fast it falls.
    """

    __slots__ = ("_decay", "_threshold", "_time_ns", "_units", "limit")

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self._threshold = _micro("threshold", limit.threshold, least=1) * _UNITS
        self._decay = _micro("decay_per_s", limit.decay_per_s, least=0)
        self._units = self._time_ns = 0

    def value(self, now_ns: int) -> Decimal:
        """Return the points, exact."""
        return Decimal(self._units_at(now_ns)).scaleb(-15)

    def would_exceed(self, cost: int, now_ns: int) -> bool:
        """Return whether a request must be refused: the threshold is reached, or it would go over."""
        return self._units_at(now_ns) > self._most_before(cost)

    def charge(self, cost: int, now_ns: int) -> None:
        """Count a request, whether it goes over or not.

        Args:
            cost: millionths of a point.
            now_ns: the time.
        """
        self._units = self._units_at(now_ns) + cost * _UNITS
        self._time_ns = max(now_ns, self._time_ns)

    def take(self, cost: int, now_ns: int) -> bool:
        """Count a request unless it must be refused; return whether it was counted."""
        if self.would_exceed(cost, now_ns):
            return False
        self.charge(cost, now_ns)
        return True

    def correct(self, cost: int, now_ns: int) -> None:
        """Set the points, for who was told them.

        Args:
            cost: millionths of a point.
            now_ns: the time.
        """
        self._units = cost * _UNITS
        self._time_ns = max(now_ns, self._time_ns)

    def free_at(self, cost: int, now_ns: int) -> int | None:
        """Return when a request of this cost will no longer be refused; None for never."""
        return self._at_most_at(self._most_before(cost), now_ns)

    def below_at(self, points: Decimal, now_ns: int) -> int | None:
        """Return the first nanosecond, from now on, with fewer points than these; None for never."""
        return self._at_most_at(ceil(points.scaleb(15)) - 1, now_ns)

    def _most_before(self, cost: int) -> int:
        """How much may be in the counter when a request of this cost comes."""
        return self._threshold - max(1, cost * _UNITS)

    def _units_at(self, now_ns: int) -> int:
        return max(0, self._units - self._decay * max(0, now_ns - self._time_ns))

    def _at_most_at(self, units: int, now_ns: int) -> int | None:
        over = self._units_at(now_ns) - units
        if over <= 0:
            return now_ns
        if units < 0 or self._decay == 0:
            return None
        return max(now_ns, self._time_ns) - (-over // self._decay)
