"""Two runs side by side, trade by trade: what differs, why, and what it came to in money.

Every difference has one cause out of a closed list, the first of it that
holds. Money is what the second run made more than the first. Next: `pairing`,
which says what belongs together.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, Literal, TypeAlias

import msgspec

from krakenwire.trading.report.pairing import Deed, deeds_of, pairs_of
from krakenwire.trading.report.run import Run
from krakenwire.trading.run_records import Mode, RunHead

__all__ = ["CAUSES", "Cause", "CauseTotal", "Difference", "Drift", "drift"]

Cause: TypeAlias = Literal[
    "only in A",
    "only in B",
    "missing data",
    "decision",
    "refused",
    "queue",
    "partial",
    "price",
    "fee",
    "outcome",
    "timing",
    "latency",
]

CAUSES: Final[dict[Cause, str]] = {
    "only in A": "the first run decided it, the second did not",
    "only in B": "the second run decided it, the first did not",
    "decision": "both decided it, with another quantity or limit",
    "refused": "one was refused, the other not",
    "queue": "one was filled, the other not at all",
    "partial": "both were filled, for different quantities",
    "price": "filled for the same quantity at another price",
    "fee": "filled alike, at another fee",
    "outcome": "filled alike, but the orders ended differently",
    "timing": "the same, decided earlier or later",
    "latency": "the same, opened or filled sooner or later after the decision",
    "missing data": "any of these but latency, shortly after a gap that one run only had",
}
"""What each means, in the order in which they are looked for; missing data takes the place of another."""

_REHEARSALS: Final[frozenset[Mode]] = frozenset({"backtest", "replay"})
_CLOCK_TOLERANCE_NS: Final = 50_000_000
"""Two runs on real clocks are never equal to the nanosecond; below this nobody would call it late."""

_WINDOW_NS: Final = 5_000_000_000
_GAP_NS: Final = 30_000_000_000
"""How long after a gap a difference is put down to it: a new snapshot and a few decisions."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One trade that is not the same in both runs.

    Args:
        time_ns: of the earlier decision.
        action: ``buy``, ``sell``, ``amend`` or ``cancel``.
        id_a, id_b: of the order; "" where that run has none.
        filled_a, filled_b: base units.
        price_a, price_b: average of the fills; None without any.
        later_ns: how much later B decided; None where one of them did not.
        money: what B made more of it than A, at `Drift.marks`, after fees.
        detail: the difference in words.
    """

    cause: Cause
    time_ns: int
    symbol: str
    action: str
    tag: str
    id_a: str
    id_b: str
    filled_a: Decimal
    filled_b: Decimal
    price_a: Decimal | None
    price_b: Decimal | None
    later_ns: int | None
    money: Decimal
    detail: str


class CauseTotal(msgspec.Struct, frozen=True, kw_only=True):
    """All differences of one cause."""

    cause: Cause
    count: int
    money: Decimal


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs, compared.

    Args:
        identical: decisions that were the same with all that came of them.
        differences: in order of time.
        totals: by cause, the most money first.
        profit_a, profit_b: from first equity to last; None where it was never told.
        marks: by symbol, the price that fills are valued at: the last mid of A, else of B, else the last fill.
        rest: of the difference of profits, what no trade explains: prices of what was held at start and end.
        tolerance_ns: times nearer than this count as the same.
    """

    head_a: RunHead
    head_b: RunHead
    identical: int
    differences: list[Difference]
    totals: list[CauseTotal]
    profit_a: Decimal | None
    profit_b: Decimal | None
    marks: dict[str, Decimal]
    rest: Decimal | None
    tolerance_ns: int

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def drift(a: Run, b: Run, *, tolerance_ns: int | None = None, window_ns: int = _WINDOW_NS) -> Drift:
    """Compare two runs.

    Args:
        a: the one that the other is measured against.
        b: the other.
        tolerance_ns: times nearer than this count as the same; by default 0 between two rehearsals, which share
            the clock of their tape, and 50 ms otherwise.
        window_ns: how far apart two decisions may be and still be one.
    """
    rehearsals = {a.head.mode, b.head.mode} <= _REHEARSALS
    tolerance = (0 if rehearsals else _CLOCK_TOLERANCE_NS) if tolerance_ns is None else tolerance_ns
    pairs = pairs_of(deeds_of(a), deeds_of(b), window_ns=window_ns)
    marks = _marks(a, b)
    judge = _Judge(_gaps(a), _gaps(b), marks, tolerance)
    differences = [found for pair in pairs if (found := judge.difference(*pair)) is not None]
    profit_a, profit_b = _profit(a), _profit(b)
    explained = sum((found.money for found in differences), Decimal(0))
    return Drift(
        head_a=a.head,
        head_b=b.head,
        identical=len(pairs) - len(differences),
        differences=differences,
        totals=_totals(differences),
        profit_a=profit_a,
        profit_b=profit_b,
        marks=marks,
        rest=None if profit_a is None or profit_b is None else profit_b - profit_a - explained,
        tolerance_ns=tolerance,
    )


def _profit(run: Run) -> Decimal | None:
    return run.equity[-1].equity - run.equity[0].equity if run.equity else None


def _marks(a: Run, b: Run) -> dict[str, Decimal]:
    marks: dict[str, Decimal] = {fill.symbol: fill.price for fill in (*b.fills, *a.fills)}
    for run in (b, a):
        if run.equity:
            marks.update(run.equity[-1].mids)
    return marks


def _gaps(run: Run) -> dict[str, list[int]]:
    gaps: dict[str, list[int]] = {}
    for note in run.notes:
        if note.kind == "gap":
            gaps.setdefault(note.symbol, []).append(note.time_ns)
    return gaps


def _totals(differences: Sequence[Difference]) -> list[CauseTotal]:
    totals = [
        CauseTotal(cause=cause, count=len(found), money=sum((row.money for row in found), Decimal(0)))
        for cause in CAUSES
        if (found := [row for row in differences if row.cause == cause])
    ]
    return sorted(totals, key=lambda total: -abs(total.money))


class _Judge:
    """Says why a pair differs."""

    def __init__(
        self,
        gaps_a: dict[str, list[int]],
        gaps_b: dict[str, list[int]],
        marks: dict[str, Decimal],
        tolerance_ns: int,
    ) -> None:
        self._gaps, self._marks, self._tolerance_ns = (gaps_a, gaps_b), marks, tolerance_ns
        self._rules: tuple[tuple[Cause, Callable[[Deed, Deed], str]], ...] = (
            ("decision", _decided_differently),
            ("refused", _refused),
            ("queue", _one_filled),
            ("partial", _filled_differently),
            ("price", _priced_differently),
            ("fee", _charged_differently),
            ("outcome", _ended_differently),
            ("timing", self._apart),
            ("latency", self._slower),
        )

    def difference(self, a: Deed | None, b: Deed | None) -> Difference | None:
        """Return how a pair differs; None where it does not."""
        deed = a or b
        assert deed is not None, "a pair has one at least"
        cause, detail = self._judged(a, b)
        if cause is None:
            return None
        time_ns = min(side.time_ns for side in (a, b) if side is not None)
        if self._gap_in_one(deed.decision.symbol, time_ns) and cause != "latency":
            cause, detail = "missing data", f"{detail}; a gap shortly before in one run only"
        mark = self._marks.get(deed.decision.symbol, Decimal(0))
        return Difference(
            cause=cause,
            time_ns=time_ns,
            symbol=deed.decision.symbol,
            action=deed.decision.action,
            tag=deed.decision.tag,
            id_a="" if a is None else a.decision.id,
            id_b="" if b is None else b.decision.id,
            filled_a=Decimal(0) if a is None else a.filled,
            filled_b=Decimal(0) if b is None else b.filled,
            price_a=_price(a),
            price_b=_price(b),
            later_ns=None if a is None or b is None else b.time_ns - a.time_ns,
            money=(b.money(mark) if b else Decimal(0)) - (a.money(mark) if a else Decimal(0)),
            detail=detail,
        )

    def _judged(self, a: Deed | None, b: Deed | None) -> tuple[Cause | None, str]:
        if a is None or b is None:
            return ("only in B" if a is None else "only in A"), "no decision like it in the other run"
        return next(((cause, detail) for cause, rule in self._rules if (detail := rule(a, b))), (None, ""))

    def _gap_in_one(self, symbol: str, time_ns: int) -> bool:
        near_a, near_b = (_near(gaps, symbol, time_ns) for gaps in self._gaps)
        return near_a != near_b

    def _apart(self, a: Deed, b: Deed) -> str:
        later_ns = b.time_ns - a.time_ns
        if abs(later_ns) <= self._tolerance_ns:
            return ""
        return f"decided {abs(later_ns) / 1e6:,.3f} ms {'later' if later_ns > 0 else 'earlier'}"

    def _slower(self, a: Deed, b: Deed) -> str:
        waits = (
            ("open", a.reached_ns("open"), b.reached_ns("open")),
            ("first fill", a.first_fill_ns, b.first_fill_ns),
        )
        for name, wait_a, wait_b in waits:
            if wait_a is not None and wait_b is not None and abs(wait_b - wait_a) > self._tolerance_ns:
                return f"{name} after {wait_a / 1e6:,.3f} ms and {wait_b / 1e6:,.3f} ms"
        return ""


def _near(gaps: dict[str, list[int]], symbol: str, time_ns: int) -> bool:
    """Whether a gap of the symbol, or one of no certain symbol, came shortly before."""
    for times in (gaps.get(symbol, []), gaps.get("", [])):
        place = bisect_left(times, time_ns - _GAP_NS)
        if place < len(times) and times[place] <= time_ns:
            return True
    return False


def _price(deed: Deed | None) -> Decimal | None:
    return deed.worth / deed.filled if deed is not None and deed.fills else None


def _decided_differently(a: Deed, b: Deed) -> str:
    words = []
    for name in ("qty", "limit"):
        value_a, value_b = getattr(a.decision, name), getattr(b.decision, name)
        if value_a != value_b:
            words.append(f"{name} {_text(value_a)} and {_text(value_b)}")
    return ", ".join(words)


def _text(value: Decimal | None) -> str:
    return "none" if value is None else f"{value:f}"


def _refused(a: Deed, b: Deed) -> str:
    if (a.state == "refused") == (b.state == "refused"):
        return ""
    name, deed = ("A", a) if a.state == "refused" else ("B", b)
    return f"refused in {name}: {deed.reason or 'no reason given'}"


def _one_filled(a: Deed, b: Deed) -> str:
    if bool(a.fills) == bool(b.fills):
        return ""
    return f"filled in {'A' if a.fills else 'B'} only; in {'B' if a.fills else 'A'} {(b if a.fills else a).state}"


def _filled_differently(a: Deed, b: Deed) -> str:
    return f"filled {a.filled:f} and {b.filled:f}" if a.filled != b.filled else ""


def _priced_differently(a: Deed, b: Deed) -> str:
    if a.worth == b.worth:
        return ""
    apart = float((b.worth - a.worth) / a.worth) * 10_000 if a.worth else 0.0
    worse = (apart > 0) == (a.decision.action == "buy")
    return f"B {abs(apart):,.2f} bps {'worse' if worse else 'better'}"


def _charged_differently(a: Deed, b: Deed) -> str:
    return f"fees {a.fee:f} and {b.fee:f}" if a.fee != b.fee else ""


def _ended_differently(a: Deed, b: Deed) -> str:
    return f"{a.state or 'not told'} and {b.state or 'not told'}" if a.state != b.state else ""
