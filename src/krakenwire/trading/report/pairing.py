"""Which decision of one run is which decision of another, and what became of each: the ground of a drift report.

Decisions that ask for the same at the same time are pairs at once. The rest
are paired in order, each with the nearest in time of the same symbol, action
and tag. Next: `drift`, which says why a pair differs.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from krakenwire.model.market import OrderSide
from krakenwire.trading.report.run import Run
from krakenwire.trading.report.trades import signed
from krakenwire.trading.run_records import DecisionRow, FillRow, OrderRow

__all__ = ["Deed", "deeds_of", "pairs_of"]


@dataclass(slots=True)
class Deed:
    """A decision and all that came of it; an amend or a cancel has a decision only.

    Args:
        decision: as written down; made up from the first fill where an order was filled that nobody decided.
        orders, fills: of the order, in order of time.
    """

    decision: DecisionRow
    orders: list[OrderRow] = field(default_factory=list)
    fills: list[FillRow] = field(default_factory=list)

    @property
    def time_ns(self) -> int:
        return self.decision.time_ns

    @property
    def filled(self) -> Decimal:
        """Base units."""
        return sum((fill.qty for fill in self.fills), Decimal(0))

    @property
    def worth(self) -> Decimal:
        """Price times quantity of all fills, quote units."""
        return sum((fill.price * fill.qty for fill in self.fills), Decimal(0))

    @property
    def fee(self) -> Decimal:
        """Quote units."""
        return sum((fill.fee for fill in self.fills), Decimal(0))

    @property
    def state(self) -> str:
        """The last one; "" of an amend or a cancel."""
        return self.orders[-1].state if self.orders else ""

    @property
    def reason(self) -> str:
        """The last one."""
        return self.orders[-1].reason if self.orders else ""

    def reached_ns(self, state: str) -> int | None:
        """Return from the decision to a state; None where it was never reached."""
        return next((row.time_ns - self.time_ns for row in self.orders if row.state == state), None)

    @property
    def first_fill_ns(self) -> int | None:
        """From the decision to the first fill."""
        return self.fills[0].time_ns - self.time_ns if self.fills else None

    def money(self, mark: Decimal) -> Decimal:
        """Return what its fills are worth at a price, after fees, quote units."""
        return sum((signed(fill) * (mark - fill.price) - fill.fee for fill in self.fills), Decimal(0))


def deeds_of(run: Run) -> list[Deed]:
    """Return all that a run decided, in order of time; fills of orders that nobody decided come as sells and buys."""
    deeds: list[Deed] = []
    of_order: dict[str, Deed] = {}
    for decision in run.decisions:
        deeds.append(Deed(decision))
        if decision.action in {"buy", "sell"}:
            of_order[decision.id] = deeds[-1]
    for order in run.orders:
        if order.id in of_order:
            of_order[order.id].orders.append(order)
    for fill in run.fills:
        if fill.id not in of_order:
            of_order[fill.id] = Deed(_undecided(fill))
            deeds.append(of_order[fill.id])
        of_order[fill.id].fills.append(fill)
    return sorted(deeds, key=lambda deed: deed.time_ns)


def _undecided(fill: FillRow) -> DecisionRow:
    side: OrderSide = fill.side
    return DecisionRow(time_ns=fill.time_ns, action=side, symbol=fill.symbol, id=fill.id, tag=fill.tag)


def pairs_of(a: Sequence[Deed], b: Sequence[Deed], *, window_ns: int) -> list[tuple[Deed | None, Deed | None]]:
    """Pair the decisions of two runs.

    Args:
        a: in order of time.
        b: in order of time.
        window_ns: how far apart two that are one may be.

    Returns:
        Every decision once, in order of time of the earlier of the two.
    """
    pairs, left_a, left_b = _exact(a, b)
    for key in dict.fromkeys([*left_a, *left_b]):
        pairs += _nearest(left_a.get(key, []), left_b.get(key, []), window_ns)
    return sorted(pairs, key=lambda pair: min(deed.time_ns for deed in pair if deed is not None))


_Key: TypeAlias = tuple[str, str, str]
_Pairs: TypeAlias = list[tuple[Deed | None, Deed | None]]


def _key(deed: Deed) -> _Key:
    return deed.decision.symbol, deed.decision.action, deed.decision.tag


def _grouped(deeds: Iterable[Deed]) -> dict[_Key, list[Deed]]:
    groups: dict[_Key, list[Deed]] = defaultdict(list)
    for deed in deeds:
        groups[_key(deed)].append(deed)
    return groups


def _exact(a: Sequence[Deed], b: Sequence[Deed]) -> tuple[_Pairs, dict[_Key, list[Deed]], dict[_Key, list[Deed]]]:
    waiting: dict[tuple[object, ...], deque[Deed]] = defaultdict(deque)
    for deed in b:
        waiting[_asked(deed)].append(deed)
    pairs: _Pairs = []
    left: list[Deed] = []
    for deed in a:
        same = waiting.get(_asked(deed))
        if same:
            pairs.append((deed, same.popleft()))
        else:
            left.append(deed)
    paired = {id(other) for _, other in pairs}
    return pairs, _grouped(left), _grouped(deed for deed in b if id(deed) not in paired)


def _asked(deed: Deed) -> tuple[object, ...]:
    decision = deed.decision
    return (*_key(deed), decision.time_ns, decision.qty, decision.limit)


def _nearest(a: Sequence[Deed], b: Sequence[Deed], window_ns: int) -> _Pairs:
    """Go through both in order; whoever has a nearer one to come lets this one pass."""
    pairs: _Pairs = []
    place_a = place_b = 0
    while place_a < len(a) and place_b < len(b):
        apart = abs(a[place_a].time_ns - b[place_b].time_ns)
        next_a = _apart(a, place_a + 1, b[place_b])
        next_b = _apart(b, place_b + 1, a[place_a])
        early_a = a[place_a].time_ns <= b[place_b].time_ns
        if apart <= window_ns and (next_a is None or apart <= next_a) and (next_b is None or apart <= next_b):
            pairs.append((a[place_a], b[place_b]))
            place_a, place_b = place_a + 1, place_b + 1
        elif early_a:
            pairs.append((a[place_a], None))
            place_a += 1
        else:
            pairs.append((None, b[place_b]))
            place_b += 1
    pairs += [(deed, None) for deed in a[place_a:]]
    pairs += [(None, deed) for deed in b[place_b:]]
    return pairs


def _apart(deeds: Sequence[Deed], place: int, other: Deed) -> int | None:
    return abs(deeds[place].time_ns - other.time_ns) if place < len(deeds) else None
