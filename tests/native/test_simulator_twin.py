"""The compiled simulator beside its readable twin: any market, any strategy, every call with all that it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from tests.engines import ABSENT
from tests.native.simulator_world import LISTINGS, MS, World, market

from krakenwire import _native
from krakenwire.errors import StaleData, UsageError
from krakenwire.trading.simulator import FillModel, ReportKind, simulator

pytestmark = pytest.mark.skipif(not _native.ENABLED, reason=ABSENT)

SEEDS = 24
FRAMES = 700
READINGS = ("best_bid", "best_ask", "best_bid_qty", "best_ask_qty", "mid", "spread", "bids", "asks", "mid_float")
READINGS += (
    "microprice",
    "level_counts",
    "bid_ticks",
    "ask_ticks",
    "touch_sum",
    "bid_lots",
    "ask_lots",
    "live",
    "state",
    "time_ns",
)
READINGS += ("touch_sum",)


def both() -> tuple[Any, Any]:
    from krakenwire._native import simulator as native

    return simulator, native


def compare(seed: int, frames: int, *, cuts: bool) -> list[Any]:
    told = [World(twin, seed, cuts=cuts).live(frames) for twin in both()]
    for at, (readable, compiled) in enumerate(zip(*told, strict=False)):
        assert readable == compiled, f"seed {seed}, call {at}, after {told[0][max(at - 3, 0) : at]}"
    assert len(told[0]) == len(told[1])
    return told[0]


@pytest.mark.parametrize("cuts", [False, True], ids=["one run", "stopped and broken runs"])
def test_both_simulators_tell_the_same(cuts: bool) -> None:
    for seed in range(1, SEEDS // 2 + 1):
        compare(seed + 1_000 * cuts, FRAMES, cuts=cuts)


@pytest.mark.nightly
def test_both_simulators_tell_the_same_all_night() -> None:
    for seed in range(5_000, 6_500):
        compare(seed, 2_000, cuts=bool(seed % 2))


def test_the_worlds_meet_every_kind_of_report_and_every_ending() -> None:
    seen: Counter[Any] = Counter()
    for seed in range(1, 7):
        for call in World(both()[1], seed, cuts=False).live(FRAMES):
            if isinstance(call, tuple) and isinstance(call[1], tuple) and call[1][0] == "report":
                seen[call[1][1]] += 1
                seen[call[1][9]] += 1
                seen["maker"] += call[1][7]
    assert all(seen[kind] for kind in ReportKind)
    assert seen["maker"] > 100
    reasons = {"Self trade prevention", "Post only order", "EOrder:Post only order", "EService:Unavailable"}
    reasons |= {"Fill or kill order could not be filled", "Immediate or cancel order expired", "Order expired"}
    reasons |= {"EOrder:Tick size check failed", "EGeneral:Invalid arguments:volume", "EOrder:Unknown order"}
    assert not {reason for reason in reasons if not seen[reason]}


def test_both_books_read_the_same_in_every_state() -> None:
    sims = [twin.Simulator(LISTINGS, FillModel()) for twin in both()]
    rows = market(Random(7), 400)
    for row in np.flatnonzero(rows["flags"] & 1) + 1:
        for sim in sims:
            sim.run(rows, sim.next_row, int(row))
        for books in zip(*(sim.books for sim in sims), strict=True):
            assert readings(books[0]) == readings(books[1])


def readings(book: Any) -> list[str]:
    read = []
    for name in READINGS:
        try:
            read.append(repr(getattr(book, name)))
        except StaleData as error:
            read.append(str(error))
    return read


def mistakes_of(twin: Any) -> list[Callable[[], object]]:
    sim = twin.Simulator(LISTINGS, FillModel())
    order = twin.Order(0, 1, 0, 100, 10)
    never = twin.Order(0, 1, 0, 100, 10)
    sim.submit(order)
    rows = market(Random(1), 3)
    foreign = rows.copy()
    foreign["symbol"] = 3
    possible = {"symbol": 0, "side": 1, "order_type": 0, "price": 100, "qty": 10}
    orders = [
        {"symbol": 3},
        {"side": 3},
        {"order_type": 6},
        {"order_type": 1},
        {"qty": 0},
        {"qty": 2**63},
        {"flags": 3},
        {"flags": 64},
        {"order_type": 2, "price": 0},
        {"trigger": 5},
        {"expire_ns": -1},
    ]
    return [
        *(lambda wrong=wrong: sim.submit(twin.Order(**possible | wrong)) for wrong in orders),
        lambda: sim.submit(order),
        lambda: sim.cancel(never),
        lambda: sim.amend(never, 1, 1),
        lambda: sim.amend(order, 0, 1),
        lambda: sim.amend(order, 1, 2**70),
        lambda: sim.cancel_all(3),
        lambda: sim.on(-1, 0, None),
        lambda: sim.run(foreign),
        lambda: sim.run(rows, -1),
        lambda: sim.run(rows[::2]),
        lambda: sim.run(np.zeros(3)),
    ]


def test_both_refuse_the_same_mistakes_of_a_caller() -> None:
    texts = []
    for twin in both():
        texts.append([])
        for mistake in mistakes_of(twin):
            with pytest.raises(UsageError) as told:
                mistake()
            texts[-1].append(str(told.value))
    assert texts[0] == texts[1]


def test_both_stay_usable_when_a_callback_runs_them_again() -> None:
    for twin in both():
        sim = twin.Simulator(LISTINGS, FillModel(), now_ns=0)
        sim.on_time = lambda _timer, sim=sim: sim.advance(2 * MS)
        sim.at(MS, 1)
        with pytest.raises(UsageError):
            sim.advance(MS)
        sim.on_time = lambda _timer: None
        sim.advance(3 * MS)
        assert sim.now_ns == 3 * MS
