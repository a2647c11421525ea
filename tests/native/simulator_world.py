"""A market and a strategy from a seed, lived through by one simulator: all that it told, call by call.

Two simulators that are given the same seed are to tell the same. The strategy
draws from its seed when it is called, so one call more or less makes all that
follows differ, too.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import numpy as np

from krakenwire.errors import UsageError
from krakenwire.model.rows import ASK, BID, BUY, CLEAR, EVENT, GAP, LAST, QUIET, ROW, SELL, SNAPSHOT, Listing, Rows
from krakenwire.trading.simulator import FillModel, What

MS = 1_000_000
LISTINGS = (
    Listing(symbol="BTC/USD", price_decimals=1, qty_decimals=8, depth=5),
    Listing(
        symbol="ETH/USD",
        price_decimals=2,
        qty_decimals=3,
        depth=10,
        tick=5,
        lot=2,
        qty_min=Decimal("0.004"),
        cost_min=Decimal("0.1"),
    ),
    Listing(symbol="XRP/USD", price_decimals=5, depth=0),
)


def models(random: Random) -> FillModel:
    """Return assumptions of any kind."""
    return FillModel(
        entry_latency_ns=random.choice((0, 1, 5 * MS, 20 * MS)),
        report_latency_ns=random.choice((0, 2, 3 * MS)),
        queue=random.choice(("conservative", "proportional")),
        trades_only_spread_ticks=random.choice((0, 1, 3)),
        trades_only_queue_lots=random.choice((None, 0, 7)),
    )


def market(random: Random, frames: int) -> Rows:
    """Return frames of three symbols near prices that wander, with gaps, snapshots, odd levels and equal times."""
    rows: list[tuple[int, ...]] = []
    time_ns, mids = 1_000 * MS, [1_000, 1_000, 1_000]

    def frame(entries: list[tuple[int, int, int]], symbol: int, flags: int = 0) -> None:
        venue_ns = random.choice((0, time_ns - random.randrange(3) * MS))
        for kind, price, qty in entries:
            rows.append((time_ns, venue_ns, price, qty, random.randrange(9), symbol, kind, flags, 0))
        rows[-1] = (*rows[-1][:7], flags | LAST, 0)

    def level(symbol: int) -> tuple[int, int, int]:
        side = random.choice((BID, ASK))
        away = random.randrange(-1, 9) * (1 if side == ASK else -1)
        return side, mids[symbol] + away, random.choice((0, 0, *range(1, 30)))

    for _ in range(frames):
        time_ns += random.choice((0, 1, MS, 5 * MS))
        symbol = random.choice((0, 0, 1, 2))
        mids[symbol] = max(20, mids[symbol] + random.choice((-1, 0, 0, 0, 1)))
        kind = random.random()
        if kind < 0.03:
            frame([(CLEAR, 0, 0), *(level(symbol) for _ in range(random.randrange(14)))], symbol)
        elif kind < 0.04:
            frame([(GAP, 0, 0)], symbol)
        elif kind < 0.06:
            frame([(EVENT, 0, 0)], symbol)
        elif kind < 0.35:
            flags = SNAPSHOT if random.random() < 0.05 else 0
            trade = random.choice((BUY, SELL))
            some = range(random.choice((1, 1, 3)))
            prices = [mids[symbol] + random.randrange(-4, 5) for _ in some]
            frame([(trade, price, random.randrange(1, 40)) for price in prices], symbol, flags)
        else:
            flags = QUIET if random.random() < 0.1 else 0
            frame([level(symbol) for _ in range(random.choice((1, 1, 2, 6)))], symbol, flags)
    return np.array(rows, dtype=ROW)


class World:
    """One simulator with a strategy that does anything at any time.

    Args:
        twin: has the classes `Simulator` and `Order`.
        seed: of the market and of the strategy.
        cuts: whether the rows are given in pieces, with `stop()` and exceptions in between.
    """

    def __init__(self, twin: Any, seed: int, *, cuts: bool) -> None:
        self.twin, self.cuts = twin, cuts
        self.random, self.chance = Random(seed), Random(-seed)
        self.sim = twin.Simulator(LISTINGS, models(self.random), now_ns=999 * MS)
        self.told: list[Any] = []
        self.orders: list[Any] = []
        self.sim.on_report = self.on_report
        self.sim.on_event = lambda aux, symbol: self.on_call("event", aux, symbol)
        self.sim.on_time = lambda timer: self.on_call("time", timer)
        for symbol in range(len(LISTINGS)):
            self.sim.on(symbol, What.BOOK, self.on_book)
            self.sim.on(symbol, What.TRADE, lambda *rows: self.on_call("trade", *rows))
            self.sim.on(symbol, What.GAP, lambda symbol: self.on_call("gap", symbol))

    def live(self, frames: int) -> list[Any]:
        """Run a market of so many frames, and return all that was told."""
        rows = market(self.random, frames)
        at = 0
        while at < len(rows):
            try:
                at = self.sim.run(rows, at)
            except ZeroDivisionError:
                at = self.sim.next_row
            self.told.append((at, self.sim.now_ns, self.sim.next_due_ns))
        for _ in range(20):
            try:
                self.sim.advance(self.sim.now_ns + 10 * MS)
            except ZeroDivisionError:
                self.told.append("raised")
            self.told.append((self.sim.now_ns, self.sim.next_due_ns))
        return self.told

    def on_report(self, report: Any) -> None:
        order = report.order
        self.on_call(
            "report", report.kind, order.ref, report.price, report.qty, report.filled, report.left, report.maker,
            report.time_ns, report.reason, order.user,
        )  # fmt: skip

    def on_book(self, book: Any) -> None:
        tops = (book.bid_ticks, book.ask_ticks, book.bid_lots, book.ask_lots, book.level_counts, book.time_ns)
        arrays = book.bids_array(20).tolist(), book.asks_array(3).tolist()
        self.on_call("book", book.symbol, tops, arrays)

    def on_call(self, *what: Any) -> None:
        self.told.append((self.sim.now_ns, what, [self.state(order) for order in self.orders[-12:]]))
        draw = self.chance.random()
        if self.cuts and draw < 0.02:
            self.sim.stop()
        elif self.cuts and draw < 0.03:
            raise ZeroDivisionError
        elif draw < 0.45:
            self.act()

    def state(self, order: Any) -> tuple[Any, ...]:
        return (order.ref, order.state, order.price, order.qty, order.left, order.filled, order.queue_ahead)

    def act(self) -> None:
        kind = self.chance.random()
        try:
            if kind < 0.6 or not self.orders:
                order = self.draw_order()
                self.sim.submit(order)
                self.orders.append(order)
            elif kind < 0.72:
                self.sim.cancel(self.chance.choice(self.orders[-12:]))
            elif kind < 0.9:
                order = self.chance.choice(self.orders[-12:])
                price = order.price + self.chance.choice((-3, -1, 0, 0, 1, 3)) if order.price else 0
                self.sim.amend(order, price, order.qty + self.chance.choice((-9, -2, 0, 0, 2, 9)))
            elif kind < 0.92:
                self.sim.cancel_all(self.chance.choice((None, 0, 1, 2)))
            elif kind < 0.98:
                self.sim.at(self.sim.now_ns + self.chance.choice((-1, 0, MS, 30 * MS)), self.chance.randrange(4))
            else:
                self.sim.forget(self.chance.randrange(4))
        except UsageError as error:
            self.told.append(str(error))

    def draw_order(self) -> Any:
        chance = self.chance
        symbol, kind = chance.choice((0, 0, 0, 1, 2)), chance.choice((0,) * 12 + (1, 1, 2, 3, 4, 5))
        book = self.sim.books[symbol]
        near = (book.bid_ticks or book.ask_ticks or 1_000) if book.live else 1_000
        price = near + chance.randrange(-5, 6)
        return self.twin.Order(
            symbol,
            chance.choice((BID, ASK)),
            kind,
            0 if kind in {1, 2, 4} else price,
            chance.choice((0, 1, 2, 4, 10, 25, 60, 2**61)) if chance.random() < 0.1 else chance.randrange(1, 30),
            trigger=near + chance.randrange(-4, 5) if kind >= 2 else 0,
            flags=chance.choice((0,) * 9 + (1, 1, 1, 2, 4, 5)) if chance.random() < 0.6 else 0,
            expire_ns=self.sim.now_ns + chance.randrange(60) * MS if chance.random() < 0.1 else 0,
            user=len(self.orders),
        )
