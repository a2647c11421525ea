"""What trading costs: a schedule by the volume of the last thirty days, for makers and takers.

Source: v2 reference, section 11 (fee table).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from krakenwire.venue.trading.terms import PPM, fee_rate

__all__ = ["FeeSchedule", "Volume", "fee_of"]

_DAY_NS: Final = 86_400_000_000_000
_DAYS: Final = 30

FeeRows = Sequence[tuple[int, Decimal]]


def fee_of(amount: int, rate: int) -> int:
    """Return the fee on an amount at a rate in millionths, rounded half up."""
    return (2 * amount * rate + PPM) // (2 * PPM)


class FeeSchedule:
    """Rates in millionths by volume.

    Args:
        taker, maker: rows of volume in US dollars and percent, the first at volume 0.
    """

    def __init__(self, taker: FeeRows, maker: FeeRows) -> None:
        self._taker = _rates(taker)
        self._maker = _rates(maker)

    def taker(self, volume: int) -> int:
        """Return the rate of an order that trades on arrival."""
        return _rate(self._taker, volume)

    def maker(self, volume: int) -> int:
        """Return the rate of an order that rested."""
        return _rate(self._maker, volume)


def _rates(rows: FeeRows) -> tuple[list[int], list[int]]:
    return [volume for volume, _ in rows] or [0], [fee_rate(percent) for _, percent in rows] or [0]


def _rate(rates: tuple[list[int], list[int]], volume: int) -> int:
    return rates[1][max(0, bisect_right(rates[0], volume) - 1)]


class Volume:
    """What an account has traded in the last thirty days, day by day, in cents of a US dollar."""

    __slots__ = ("_cents", "_days")

    def __init__(self) -> None:
        self._days: dict[int, int] = {}
        self._cents = 0

    def add(self, cents: int, now_ns: int) -> None:
        """Count a trade."""
        day = now_ns // _DAY_NS
        self._forget(day)
        self._days[day] = self._days.get(day, 0) + cents
        self._cents += cents

    def dollars(self, now_ns: int) -> int:
        """Return the volume in whole dollars."""
        self._forget(now_ns // _DAY_NS)
        return self._cents // 100

    def cents(self, now_ns: int) -> int:
        """Return the volume in cents."""
        self._forget(now_ns // _DAY_NS)
        return self._cents

    def _forget(self, today: int) -> None:
        while self._days:
            day = next(iter(self._days))
            if day > today - _DAYS:
                return
            self._cents -= self._days.pop(day)
