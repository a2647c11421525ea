"""Whatever the market and the strategy do, the pretended fills keep to what they promise."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines import simulators
from tests.native.simulator_world import LISTINGS, World, market
from tests.unit.trading.simulator_stage import MS, ask, bid, buys, rows_of, sells, snapshot

from krakenwire.book import L2Book
from krakenwire.model import BookUpdate
from krakenwire.model.numbers import fixed_text
from krakenwire.model.rows import ASK, BID, LAST, Listing
from krakenwire.trading.simulator import FillModel, ReportKind, What, engine

SEEDS = st.integers(0, 2**32)
MID = 5_000
DEPTH = 10

level = st.tuples(st.sampled_from((BID, ASK)), st.integers(1, 30), st.one_of(st.just(0), st.integers(1, 10**12)))
message = st.lists(level, min_size=1, max_size=12)


@pytest.mark.parametrize("twin", simulators())
@given(messages=st.lists(st.tuples(st.booleans(), message), min_size=1, max_size=15))
def test_its_book_equals_the_clients_after_the_same_messages(
    twin: Any, messages: list[tuple[bool, list[tuple[int, int, int]]]]
) -> None:
    listing = Listing(symbol="BTC/USD", price_decimals=1, depth=DEPTH)
    sim = twin.Simulator([listing], FillModel())
    book = L2Book("BTC/USD", DEPTH, 1, 8)
    for n, (replaces, changes) in enumerate(messages):
        is_snapshot = replaces or not n
        entries = [(side, MID - away if side == BID else MID + away, qty) for side, away, qty in changes]
        wire = {
            side: [(fixed_text(price, 1), fixed_text(qty, 8)) for kind, price, qty in entries if kind == side]
            for side in (BID, ASK)
        }
        book.apply(BookUpdate("BTC/USD", "snapshot" if is_snapshot else "update", wire[BID], wire[ASK], None))
        sim.run(rows_of((n * MS, snapshot(*entries) if is_snapshot else entries)))
        shown = sim.books[0]
        assert (shown.bids, shown.asks) == (book.bids, book.asks)
        for name in ("best_bid", "best_ask", "best_bid_qty", "best_ask_qty", "mid", "spread", "level_counts"):
            assert getattr(shown, name) == getattr(book, name)


class Audit(World):
    """A world that keeps its reports, and when they and the orders were told."""

    def __init__(self, seed: int) -> None:
        self.heard: list[tuple[int, Any]] = []
        self.sent: dict[int, int] = {}
        super().__init__(engine, seed, cuts=False)

    def on_report(self, report: Any) -> None:
        self.heard.append((self.sim.now_ns, report))
        super().on_report(report)

    def act(self) -> None:
        super().act()
        for order in self.orders[-1:]:
            self.sent.setdefault(order.ref, self.sim.now_ns)


@given(seed=SEEDS)
@settings(max_examples=40)
def test_no_fill_is_worse_than_its_limit_or_more_than_its_order(seed: int) -> None:
    world = Audit(seed)
    world.live(250)
    filled: defaultdict[int, int] = defaultdict(int)
    limits: dict[int, int] = {}
    for _, report in world.heard:
        order = report.order
        if report.kind in {ReportKind.ACCEPTED, ReportKind.AMENDED}:
            limits[order.ref] = report.price
        if report.kind == ReportKind.FILL:
            filled[order.ref] += report.qty
            assert report.qty > 0
            assert report.filled == filled[order.ref]
            limit = limits[order.ref]
            assert not limit or (report.price <= limit if order.side == BID else report.price >= limit)
            assert not report.maker or report.price == limit
    for order in world.orders:
        assert order.filled + order.left == order.qty
        assert order.left >= 0
        assert (order.state == "filled") == (order.left == 0)


@given(seed=SEEDS)
@settings(max_examples=40)
def test_nothing_acts_before_its_latency_and_nothing_is_told_before_its_own(seed: int) -> None:
    world = Audit(seed)
    world.live(250)
    model = world.sim.model
    ended: set[int] = set()
    for told_ns, report in world.heard:
        assert told_ns >= report.time_ns + model.report_latency_ns
        assert report.time_ns >= world.sent[report.order.ref] + model.entry_latency_ns
        assert report.order.ref not in ended or report.kind in {ReportKind.AMEND_REFUSED, ReportKind.CANCEL_REFUSED}
        if report.kind in {ReportKind.CANCELED, ReportKind.EXPIRED, ReportKind.REFUSED} or (
            report.kind == ReportKind.FILL and not report.left
        ):
            ended.add(report.order.ref)
    assert [told for told, _ in world.heard] == sorted(told for told, _ in world.heard)


@pytest.mark.parametrize("twin", simulators())
@given(
    orders=st.lists(st.tuples(st.integers(90, 99), st.integers(1, 20)), max_size=8),
    trades=st.lists(st.tuples(st.integers(88, 101), st.integers(1, 30)), max_size=12),
)
def test_a_trade_serves_own_orders_once_and_the_better_price_first(
    twin: Any, orders: list[tuple[int, int]], trades: list[tuple[int, int]]
) -> None:
    sim = twin.Simulator([Listing(symbol="X/USD", price_decimals=0, depth=10)], FillModel(entry_latency_ns=0))
    sim.run(rows_of((0, snapshot(bid(50, 5), ask(150, 5)))))
    own = [twin.Order(0, BID, 0, price, qty) for price, qty in orders]
    for order in own:
        sim.submit(order)
    sim.advance(1)
    for n, (price, qty) in enumerate(trades, 1):
        before = [order.filled for order in own]
        sim.run(rows_of((n * MS, [sells(price, qty)])))
        got = [order.filled - was for order, was in zip(own, before, strict=True)]
        reached = [order for order in own if order.price >= price]
        assert sum(got) == min(qty, sum(order.left for order in reached) + sum(got))
        for first in own:
            for second in own:
                if (first.price, -first.ref) > (second.price, -second.ref) and got[own.index(second)]:
                    assert first.left == 0


@pytest.mark.parametrize("twin", simulators())
@given(seed=SEEDS, buys_first=st.booleans())
@settings(max_examples=30)
def test_what_a_taker_took_stays_taken_and_what_comes_to_a_level_is_new(twin: Any, seed: int, buys_first: bool) -> None:
    random = Random(seed)
    side, mine = (BID, ask) if buys_first else (ASK, bid)
    sim = twin.Simulator([Listing(symbol="X/USD", price_decimals=0, depth=10)], FillModel(entry_latency_ns=0))
    levels = {100 + (n if buys_first else -n): random.randrange(1, 50) for n in range(5)}
    sim.run(rows_of((0, snapshot(*(mine(price, qty) for price, qty in levels.items())))))
    taken = 0
    for n in range(1, 30):
        order = twin.Order(0, side, 1, 0, random.randrange(1, 40))
        sim.submit(order)
        sim.advance(n * MS)
        taken += order.filled
        assert taken <= sum(levels.values())
        assert order.state == ("filled" if not order.left else "expired")
    assert taken == sum(levels.values())
    price = next(iter(levels))
    sim.run(rows_of((40 * MS, [mine(price, levels[price] + 7)])))
    again = twin.Order(0, side, 1, 0, 100)
    sim.submit(again)
    sim.advance(41 * MS)
    assert again.filled == 7


@pytest.mark.parametrize("twin", simulators())
@given(seed=SEEDS)
@settings(max_examples=15)
def test_rows_tell_the_same_however_they_are_cut_into_runs(twin: Any, seed: int) -> None:
    rows = market(Random(seed), 120)
    told: list[list[Any]] = []
    for pieces in ([len(rows)], (np.flatnonzero(rows["flags"] & LAST) + 1).tolist()):
        world = World(twin, seed, cuts=False)
        for end in pieces:
            world.sim.run(rows, world.sim.next_row, end)
        world.sim.advance(world.sim.now_ns + 100 * MS)
        told.append(world.told)
    assert told[0] == told[1]


def test_a_world_of_nothing_but_trades_needs_no_book() -> None:
    sim = engine.Simulator(LISTINGS, FillModel(entry_latency_ns=0))
    seen: list[Any] = []
    sim.on(2, What.TRADE, lambda *rows: seen.append(rows))
    sim.run(rows_of((MS, [buys(500, 3)]), (2 * MS, [sells(499, 3)]), symbol=2))
    assert seen == [(2, 0, 1), (2, 1, 2)]
