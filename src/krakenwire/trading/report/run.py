"""The rows of one run, by kind and in their order: what every figure, picture and comparison is made of.

Whoever keeps rows in memory under these names can hand them over as they are
(`Run`); `RunRows` gathers a stream of mixed rows. Next: `figures`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from krakenwire.errors import UsageError
from krakenwire.trading.run_records import DecisionRow, EquityRow, FillRow, NoteRow, OrderRow, RunHead, RunRow

__all__ = ["Run", "RunRows"]


class Run(Protocol):
    """Rows of a run by kind, each in order of time."""

    @property
    def head(self) -> RunHead: ...
    @property
    def decisions(self) -> Sequence[DecisionRow]: ...
    @property
    def orders(self) -> Sequence[OrderRow]: ...
    @property
    def fills(self) -> Sequence[FillRow]: ...
    @property
    def equity(self) -> Sequence[EquityRow]: ...
    @property
    def notes(self) -> Sequence[NoteRow]: ...


@dataclass(slots=True)
class RunRows:
    """A `Run` in lists."""

    head: RunHead
    decisions: list[DecisionRow] = field(default_factory=list)
    orders: list[OrderRow] = field(default_factory=list)
    fills: list[FillRow] = field(default_factory=list)
    equity: list[EquityRow] = field(default_factory=list)
    notes: list[NoteRow] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[RunRow]) -> RunRows:
        """Gather a stream of rows; the head may come anywhere.

        Raises:
            UsageError: there is no head.
        """
        heads: list[RunHead] = []
        decisions: list[DecisionRow] = []
        orders: list[OrderRow] = []
        fills: list[FillRow] = []
        equity: list[EquityRow] = []
        notes: list[NoteRow] = []
        places = {
            RunHead: heads.append,
            DecisionRow: decisions.append,
            OrderRow: orders.append,
            FillRow: fills.append,
            EquityRow: equity.append,
            NoteRow: notes.append,
        }
        for row in rows:
            places[type(row)](row)  # type: ignore[operator] # the table pairs each type with the list of that type
        if not heads:
            raise UsageError("these rows have no head", expected="a RunHead", hint="Write the head of a run first")
        return cls(heads[0], decisions, orders, fills, equity, notes)
