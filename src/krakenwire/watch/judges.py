"""One judge per kind of condition: small state machines that say when it fires.

A judge takes exact values with their time and returns a `Finding` or None. It
keeps no more than its condition needs, and `reset` makes it forget what a gap
made doubtful. It never acts on cooldown or one-shot: `engine.py` does.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from krakenwire.watch.rules import Above, Below, Condition, Crosses, Move, NoData, SpreadWider, Volume
from krakenwire.watch.values import EXACT, Amount
from krakenwire.watch.windows import ExtremeWindow, SumWindow

__all__ = [
    "CrossJudge",
    "Detail",
    "Finding",
    "LevelJudge",
    "MoveJudge",
    "PriceJudge",
    "SilenceJudge",
    "SpreadJudge",
    "VolumeJudge",
    "judge_for",
]

Detail = tuple[str, Decimal | str]


class Finding(NamedTuple):
    """A condition came true: the values that made it so, and how to say it."""

    details: tuple[Detail, ...] = ()


class LevelJudge:
    """Above and below: fires on entering the region, again only after leaving it by the hysteresis.

    The first price seen fires if it is in the region already. A gap changes
    nothing: whether the rule has told is remembered, and only the fresh price counts.
    """

    def __init__(self, condition: Above | Below) -> None:
        self._level = condition.level
        self._above = isinstance(condition, Above)
        band = -condition.hysteresis if self._above else condition.hysteresis
        self._leave = EXACT.add(condition.level, band)
        self._armed = True

    def feed(self, price: Decimal, _time_ns: int) -> Finding | None:
        """Judge one price."""
        if self._armed:
            if not (price > self._level if self._above else price < self._level):
                return None
            self._armed = False
            return Finding((("level", self._level),))
        self._armed = price <= self._leave if self._above else price >= self._leave
        return None

    def reset(self) -> None:
        """A gap: nothing to forget."""


class CrossJudge:
    """Crosses, both ways: needs a price before and a price after; see `Crosses` for the hysteresis.

    After a gap the next price is the new *before*: what happened in between is not known.
    """

    def __init__(self, condition: Crosses) -> None:
        self._level = condition.level
        self._away = condition.hysteresis
        self._side = 0
        self._armed = True

    def feed(self, price: Decimal, _time_ns: int) -> Finding | None:
        """Judge one price."""
        side = (price > self._level) - (price < self._level)
        if side == 0:
            return None
        is_away = abs(EXACT.subtract(price, self._level)) >= self._away
        if self._side in (0, side):
            self._side = side
            self._armed = self._armed or is_away
            return None
        if not (self._armed or is_away):
            return None
        self._side, self._armed = side, is_away
        return Finding((("level", self._level), ("direction", "up" if side > 0 else "down")))

    def reset(self) -> None:
        """A gap: the price before is not known any more."""
        self._side = 0


class MoveJudge:
    """Moves by a percentage within a window; after a finding or a gap the window starts anew."""

    def __init__(self, condition: Move) -> None:
        self._percent = condition.percent
        self._low = ExtremeWindow(condition.window_ns, lowest=True)
        self._high = ExtremeWindow(condition.window_ns, lowest=False)
        self._up = condition.direction != "down"
        self._down = condition.direction != "up"

    @property
    def forgotten(self) -> int:
        """Prices forgotten because a window was full."""
        return self._low.forgotten + self._high.forgotten

    def feed(self, price: Decimal, time_ns: int) -> Finding | None:
        """Judge one price."""
        low, high = self._low.feed(price, time_ns), self._high.feed(price, time_ns)
        if self._up and self._reaches(EXACT.subtract(price, low), low):
            return self._found(price, low, time_ns, "up")
        if self._down and self._reaches(EXACT.subtract(high, price), high):
            return self._found(price, high, time_ns, "down")
        return None

    def reset(self) -> None:
        """A gap: the window starts anew."""
        self._low.clear()
        self._high.clear()

    def _reaches(self, change: Decimal, reference: Decimal) -> bool:
        return EXACT.multiply(change, Decimal(100)) >= EXACT.multiply(self._percent, reference)

    def _found(self, price: Decimal, reference: Decimal, time_ns: int, direction: str) -> Finding:
        self.reset()
        self._low.feed(price, time_ns)
        self._high.feed(price, time_ns)
        percent = EXACT.divide(EXACT.multiply(EXACT.subtract(price, reference), Decimal(100)), reference)
        shown = percent.quantize(Decimal("0.01"), ROUND_DOWN, EXACT)
        return Finding((("from", reference), ("direction", direction), ("change_pct", shown)))


class SpreadJudge:
    """Spread wider than an amount; like a level, it fires on entering and re-arms on leaving."""

    def __init__(self, condition: SpreadWider) -> None:
        self._than = condition.than
        self._leave = Amount(EXACT.subtract(condition.than.value, condition.hysteresis), condition.than.unit)
        self._armed = True

    def feed_quote(self, bid: Decimal, ask: Decimal, _time_ns: int) -> Finding | None:
        """Judge one pair of best prices."""
        spread = EXACT.subtract(ask, bid)
        mid = EXACT.multiply(EXACT.add(bid, ask), Decimal("0.5"))
        if self._armed:
            if spread <= self._than.of(mid):
                return None
            self._armed = False
            return Finding((("spread", spread), ("bid", bid), ("ask", ask)))
        self._armed = spread <= self._leave.of(mid)
        return None

    def reset(self) -> None:
        """A gap: nothing to forget."""


class VolumeJudge:
    """At least so much traded within a window; re-arms when the window's sum has fallen under that."""

    def __init__(self, condition: Volume) -> None:
        self._at_least = condition.at_least
        self._leave = EXACT.subtract(condition.at_least, condition.hysteresis)
        self._window = SumWindow(condition.window_ns)
        self._armed = True

    @property
    def forgotten(self) -> int:
        """Trades kept less exactly because the window was full."""
        return self._window.merged

    def feed_trade(self, qty: Decimal, time_ns: int) -> Finding | None:
        """Judge one trade's quantity."""
        if not self._armed:
            self._armed = self._window.advance(time_ns) < self._leave
        total = self._window.feed(qty, time_ns)
        if not self._armed or total < self._at_least:
            return None
        self._armed = False
        return Finding((("volume", total),))

    def reset(self) -> None:
        """A gap: trades were missed, so the window starts anew."""
        self._window.clear()


class SilenceJudge:
    """No data for a time: fires at the deadline, again only after data came."""

    def __init__(self, condition: NoData) -> None:
        self._for_ns = condition.for_ns
        self._due_ns: int | None = None

    @property
    def due_ns(self) -> int | None:
        """When it fires unless data comes; None when it has told, or watching has not begun."""
        return self._due_ns

    def feed_data(self, now_ns: int) -> None:
        """Data came, or watching began."""
        self._due_ns = now_ns + self._for_ns

    def poll(self, now_ns: int) -> Finding | None:
        """Fire if the deadline is reached."""
        if self._due_ns is None or now_ns < self._due_ns:
            return None
        self._due_ns = None
        return Finding()

    def reset(self) -> None:
        """A gap is no data either: the deadline stays."""


PriceJudge = LevelJudge | CrossJudge | MoveJudge
Judge = PriceJudge | SpreadJudge | VolumeJudge | SilenceJudge

_JUDGES: dict[type[Condition], Callable[..., Judge]] = {
    Above: LevelJudge,
    Below: LevelJudge,
    Crosses: CrossJudge,
    Move: MoveJudge,
    SpreadWider: SpreadJudge,
    Volume: VolumeJudge,
    NoData: SilenceJudge,
}


def judge_for(condition: Condition) -> Judge:
    """Return a fresh judge for a condition."""
    return _JUDGES[type(condition)](condition)
