"""The workload that matching engines are measured with.

55 % limit orders that mostly rest, 35 % cancellations of a live order, 10 %
limit orders that reach over the touch; whole ticks, 1 to 100 lots. A matching
engine runs along to know which orders are live. The same seed gives the same
commands everywhere.
"""

from __future__ import annotations

import random
from typing import Final, NamedTuple

from krakenwire.venue import MatchingEngine

__all__ = ["CommandRow", "workload"]

_START: Final = 100_000
_FEW: Final = 50
"""Live orders, traded ones among them, below which nothing is cancelled."""


class CommandRow(NamedTuple):
    """One command, as a row of `MatchingEngine.batch`: 0 submits, 1 withdraws."""

    command: int
    order_id: int
    is_sell: int
    price: int
    qty: int


class _Flow:
    """Draws commands one after the other."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.engine = MatchingEngine()
        self.live: list[int] = []
        self.mid = _START
        self.last_id = 0

    def draw(self) -> CommandRow:
        kind = self.random.random()
        if kind < 0.35 and len(self.live) > _FEW:
            return CommandRow(1, self._withdraw(), 0, 0, 0)
        self.last_id += 1
        self.mid += self.random.choice((-1, 0, 0, 0, 1))
        is_sell = self.random.randrange(2)
        away = 1 + int(self.random.expovariate(0.1)) if kind < 0.90 else -4
        price = self.mid + away if is_sell else self.mid - away
        row = CommandRow(0, self.last_id, is_sell, price, self.random.randrange(1, 101))
        self.engine.submit(row.order_id, row.is_sell, row.price, row.qty)
        self.live.append(row.order_id)
        return row

    def _withdraw(self) -> int:
        """Withdraw some live order; on the way forget those that turn out to have traded."""
        while True:
            at = self.random.randrange(len(self.live))
            self.live[at], self.live[-1] = self.live[-1], self.live[at]
            order_id = self.live.pop()
            if self.engine.withdraw(order_id) or not self.live:
                return order_id


def workload(count: int, seed: int = 3) -> list[CommandRow]:
    """Return that many commands."""
    flow = _Flow(seed)
    return [flow.draw() for _ in range(count)]
