"""Between a strategy and its live broker: the gate for orders, what a life begins with, and a paused engine."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apps.bot_world import SYMBOL, World, level, snapshot
from tests.unit.trading.journal_scene import HEAD, NOON, intended, name_of

from krakenwire.apps.live_gate import OrderGate
from krakenwire.apps.live_handover import order_of, own_balances
from krakenwire.errors import JournalError
from krakenwire.storage.bot_folder import BotJournal
from krakenwire.trading import records
from krakenwire.trading.intents import Intent
from krakenwire.trading.orders import Order
from krakenwire.trading.recovery import Recovered, recover
from krakenwire.trading.strategy import Strategy


class Heard:
    """Stands for the loop, the broker and the desk: notes what it is asked and told."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []
        self.notes: list[tuple[str, str]] = []

    def call_soon_threadsafe(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda order, *_: self.notes.append((name, order.id))


class Stage:
    """A gate on a journal that counts its syncs."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.syncs = 0
        self.heard: Any = Heard()
        self.journal = BotJournal(path / "journal", deadline_s=5, now_ns=lambda: NOON)
        self.journal.append(HEAD)
        self.gate = OrderGate(self.heard, self.journal, self.heard, self.heard)
        monkeypatch.setattr(os, "fsync", self._sync)
        self.error: OSError | None = None

    def _sync(self, _file: int) -> None:
        if self.error is not None:
            raise self.error
        self.syncs += 1

    def order(self) -> Order:
        name = self.journal.new_id()
        terms = {"symbol": SYMBOL, "order_type": "limit", "qty": Decimal(1), "limit": Decimal(100)}
        return Order(Intent(id=name, side="buy", created_ns=NOON, **terms))  # type: ignore[arg-type]  # as they stand

    def run(self) -> None:
        for call in self.heard.calls:
            call()
        self.heard.calls.clear()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(tmp_path, monkeypatch)


def test_all_orders_that_wait_are_written_down_with_one_sync_and_then_sent_in_order(stage: Stage) -> None:
    one, two = stage.order(), stage.order()
    stage.gate.submit(one)
    stage.gate.submit(two)
    stage.gate.amend(one, Decimal(99), Decimal(1))
    assert stage.heard.notes == []
    assert len(stage.heard.calls) == 1, "one call of the loop is enough"
    stage.run()
    assert stage.syncs == 1
    assert stage.heard.notes == [("submit", one.id), ("submit", two.id), ("amend", one.id)]
    assert [(order.id, order.amended) for order in stage.journal.known.live] == [(one.id, 1), (two.id, 0)]
    stage.gate.cancel(two)
    stage.run()
    assert stage.syncs == 1, "a cancel is harmless, so nobody waits for the disk"
    assert stage.journal.known.orders[two.id].canceling


def test_what_cannot_be_written_down_is_refused_and_only_ends_are_still_asked_for(stage: Stage) -> None:
    stage.error = OSError(28, "No space left on device")
    placed = stage.order()
    stage.gate.submit(placed)
    stage.gate.amend(placed, Decimal(99), Decimal(1))
    stage.gate.cancel(placed)
    stage.run()
    assert stage.heard.notes == [("refused", placed.id), ("amend_refused", placed.id), ("cancel", placed.id)]
    assert isinstance(stage.journal.failure, JournalError)
    assert not stage.journal.known.orders


def test_ids_of_two_threads_are_never_the_same(stage: Stage) -> None:
    with ThreadPoolExecutor(4) as pool:
        names = list(pool.map(lambda _: stage.journal.new_id(), range(400)))
    assert len(set(names)) == 400


def fill(number: int, side: str = "buy", cost: str = "100") -> records.Filled:
    return records.Filled(
        time_ns=NOON,
        id=name_of(number),
        exec_id=f"T-{number}",
        order_id=f"O-{number}",
        symbol=SYMBOL,
        side="buy" if side == "buy" else "sell",
        price=Decimal(cost),
        qty=Decimal(1),
        cost=Decimal(cost),
        traded_ns=NOON,
    )


def known(*more: records.Record) -> Recovered:
    baseline = records.Baseline(time_ns=NOON, balances={"USD": Decimal(1000), "BTC": Decimal(5), "ETH": Decimal(7)})
    return recover([HEAD, baseline, intended(1), intended(2), *more])


def test_a_bots_part_is_what_it_is_allowed_and_what_its_fills_have_made_of_that() -> None:
    allowed = {"USD": Decimal(300)}
    assert own_balances(known(), [SYMBOL], None) == {"BTC": 5, "USD": 1000}
    assert own_balances(known(), [SYMBOL], allowed) == {"BTC": 0, "USD": 300}
    assert own_balances(known(fill(1)), [SYMBOL], allowed) == {"BTC": 1, "USD": 200}
    again = records.Baseline(time_ns=NOON + 1, balances={"USD": Decimal(150), "BTC": Decimal(6)})
    assert own_balances(known(fill(1), again), [SYMBOL], allowed) == {"BTC": 1, "USD": 150}, "never more than is there"


def test_an_order_of_an_earlier_life_is_what_the_journal_says_and_may_be_canceled_again() -> None:
    cancel = records.CancelIntended(time_ns=NOON, id=name_of(1))
    orders = known(fill(1), cancel).orders
    taken, unsure = order_of(orders[name_of(1)]), order_of(orders[name_of(2)])
    assert (taken.state, taken.filled, taken.avg_price, taken.canceling) == ("partly_filled", 1, 100, False)
    assert (unsure.state, unsure.filled) == ("unknown", 0)


def test_a_resume_begins_to_count_losses_anew() -> None:
    day = records.DayBegan(time_ns=NOON, equity=Decimal(1000), peak=Decimal(2000))
    assert known(day).day == day
    assert known(day, records.Resumed(time_ns=NOON, who="ann")).day is None


class Idle(Strategy):
    symbols = (SYMBOL,)


class Counting(Strategy):
    symbols = (SYMBOL,)

    def on_start(self) -> None:
        self.starts, self.books, self.timers = getattr(self, "starts", 0) + 1, 0, 0
        self.every(0.1, "tick")

    def on_book(self, _book: object) -> None:
        self.books += 1

    def on_timer(self, _name: str) -> None:
        self.timers += 1


def test_a_paused_strategy_is_not_called_while_the_market_and_its_orders_go_on() -> None:
    world = World(Counting)
    strategy: Any = world.strategy

    def pause() -> None:
        world.engine.pause()
        world.put(level("99.5"))
        world.now_ns += 1_000_000_000

    def look() -> None:
        assert (strategy.books, strategy.timers) == (1, 0)
        assert str(world.engine.book(SYMBOL).best_bid) == "99.5"
        world.engine.go_on()
        world.put(level("99.6"))
        world.now_ns += 150_000_000

    world.put(snapshot())
    world.run(pause, look, lambda: None)
    assert (strategy.starts, strategy.books) == (1, 2)
    assert strategy.timers >= 1


def test_a_strategy_that_was_paused_before_its_start_starts_when_it_goes_on_and_stops_only_if_it_has_started() -> None:
    world, never = World(Counting), World(Counting)
    for each in (world, never):
        each.engine.pause()
        each.put(snapshot())
    world.run(world.engine.go_on, lambda: None)
    never.run(lambda: None)
    assert getattr(world.strategy, "starts", 0) == 1
    assert not hasattr(never.strategy, "starts")


def test_an_order_that_stood_before_is_adopted_with_its_money_held() -> None:
    world = World(Idle)
    terms = {"symbol": SYMBOL, "order_type": "limit", "qty": Decimal(2), "limit": Decimal(90)}
    order = Order(Intent(id="abc-7", side="buy", created_ns=NOON, **terms))  # type: ignore[arg-type]  # as they stand
    order.state, order.filled = "partly_filled", Decimal(1)
    free = world.engine.portfolio.available()
    world.engine.desk.adopt(order)
    assert world.engine.desk.open == {"abc-7": order}
    assert free - world.engine.portfolio.available() == Decimal("90.3600"), (
        "one unit of it is left, at the limit and the dearer fee"
    )
