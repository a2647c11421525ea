"""A strategy too slow for its books decides, trades and owns what a quick one does that decides nothing on books."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from tests.unit.apps.bot_world import MS, SECOND, START, SYMBOL, World, level, snapshot

from krakenwire.bot import Strategy
from krakenwire.model import Event, Trade, Trades
from krakenwire.trading.run_records import FillRow, NoteRow, RunRow


class Timed(Strategy):
    """Draws an order each half second, and looks at books."""

    symbols = (SYMBOL,)
    depth = 10

    def on_start(self) -> None:
        self.chance, self.books = Random(7), 0
        self.every(0.5, "order")

    def on_book(self, book: Any) -> None:
        self.books += 1

    def on_timer(self, name: str) -> None:
        chance = self.chance
        if len(self.orders) > 4:
            self.cancel(chance.choice(self.orders))
        price = Decimal(chance.randrange(985, 1_015)) / 10
        if chance.random() < 0.5:
            self.buy(SYMBOL, "0.3", chance.choice((price, price, None)))
        elif self.portfolio.available("BTC") >= Decimal("0.3"):
            self.sell(SYMBOL, "0.3", chance.choice((price, price, None)))


def events(seed: int) -> list[Event]:
    """Books around a price that wanders, and trades at it."""
    chance, told = Random(seed), [snapshot()]
    mid = 1_000
    for number in range(1_500):
        mid += chance.choice((-1, 0, 0, 1))
        kind = chance.random()
        if kind < 0.3:
            told.append(snapshot(f"{(mid - 1) / 10}", f"{(mid + 1) / 10}"))
        elif kind < 0.6:
            told.append(level(f"{(mid - chance.randrange(1, 9)) / 10}", f"{chance.randrange(5)}.0"))
        else:
            side, price = chance.choice((("buy", mid + 1), ("sell", mid - 1)))
            trade = Trade(
                symbol=SYMBOL,
                side=side,
                price=Decimal(price) / 10,
                qty=Decimal(chance.randrange(1, 9)) / 10,
                ord_type="limit",
                time_ns=START,
                trade_id=number,
            )
            told.append(Trades(symbol=SYMBOL, kind="update", trades=(trade,)))
    return told


def lived(told: Sequence[Event], at_once: int) -> tuple[list[RunRow], Timed, dict[str, int]]:
    """Live through events of which so many wait each time the strategy comes back."""
    world = World(Timed)
    batches = [told[first : first + at_once] for first in range(0, len(told), at_once)]

    def come(number: int) -> None:
        for place, event in enumerate(batches[number]):
            world.put(event, at_ns=START + (number * at_once + place) * 10 * MS)
        world.now_ns = START + (number * at_once + len(batches[number]) - 1) * 10 * MS

    come(0)
    result = world.run(*(lambda number=number: come(number) for number in range(1, len(batches))))  # type: ignore[misc]
    assert isinstance(world.strategy, Timed)
    rows = [row for row in result.rows if not isinstance(row, NoteRow)]
    return rows, world.strategy, result.summary()["notes"]


@pytest.mark.parametrize("at_once", [40, 700])
def test_a_slow_strategy_fills_what_a_quick_one_fills(at_once: int) -> None:
    told = events(3)
    quick, first, notes = lived(told, 1)
    slow, second, behind = lived(told, at_once)
    assert ("conflated" in notes, "conflated" in behind) == (False, True)
    assert second.books < first.books
    assert len([row for row in quick if isinstance(row, FillRow)]) > 10
    assert slow == quick
    assert second.portfolio.balances == first.portfolio.balances
    assert first.clock.now_ns > START + 10 * SECOND
