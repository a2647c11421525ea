"""Rows in a few words, and a simulator that remembers what it told: the stage of the simulator's tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from krakenwire.model.rows import ASK, BID, BUY, CLEAR, GAP, LAST, ROW, SELL, SNAPSHOT, Listing, Rows
from krakenwire.trading.simulator import FillModel, OrderType, Report, ReportKind, engine

MS = 1_000_000
BTC = Listing(symbol="BTC/USD", price_decimals=1, qty_decimals=8, depth=10)
AT_ONCE = FillModel(entry_latency_ns=0, report_latency_ns=0)

Entry = tuple[int, int, int]  # kind, price, qty


def bid(price: int, qty: int) -> Entry:
    return BID, price, qty


def ask(price: int, qty: int) -> Entry:
    return ASK, price, qty


def buys(price: int, qty: int) -> Entry:
    return BUY, price, qty


def sells(price: int, qty: int) -> Entry:
    return SELL, price, qty


def snapshot(*levels: Entry) -> tuple[Entry, ...]:
    return (CLEAR, 0, 0), *levels


def gap() -> Entry:
    return GAP, 0, 0


def rows_of(*frames: tuple[int, Iterable[Entry]], symbol: int = 0, venue_ns: int = 0, flags: int = 0) -> Rows:
    """Return the rows of frames, each a time and its entries."""
    rows = []
    for time_ns, entries in frames:
        rows += [
            (time_ns, venue_ns, price, qty, -1, symbol, kind, flags, 0)
            if i
            else (time_ns, venue_ns, price, qty, -1, symbol, kind, flags | LAST, 0)
            for i, (kind, price, qty) in reversed(tuple(enumerate(reversed(tuple(entries)))))
        ]
    return np.array(rows, dtype=ROW)


class Stage:
    """A simulator of one symbol, and all its reports in plain form.

    `twin` has the classes `Simulator` and `Order`.
    """

    def __init__(self, model: FillModel = AT_ONCE, listing: Listing = BTC, twin: Any = engine) -> None:
        self.twin = twin
        self.sim = twin.Simulator([listing], model)
        self.book = self.sim.books[0]
        self.reports: list[Report] = []
        self.sim.on_report = self.reports.append
        self.time_ns = 0

    def frame(self, *entries: Entry, venue_ns: int = 0, snapshot_trades: bool = False) -> None:
        """Feed one frame, one millisecond after the one before."""
        self.time_ns = max(self.time_ns, self.sim.now_ns) + MS
        flags = SNAPSHOT if snapshot_trades else 0
        self.sim.run(rows_of((self.time_ns, entries), venue_ns=venue_ns, flags=flags))
        self.sim.advance(self.sim.now_ns)

    def order(self, side: int, price: int, qty: int, order_type: int = OrderType.LIMIT, **more: Any) -> Any:
        """Submit an order and let it act where there is no latency."""
        order = self.twin.Order(0, side, order_type, price, qty, **more)
        self.sim.submit(order)
        self.sim.advance(self.sim.now_ns)
        return order

    def told(self, *kinds: ReportKind) -> list[tuple[Any, ...]]:
        """Return the reports so far, of some kinds, in plain form; they are forgotten."""
        told = [
            (ReportKind(r.kind).name, r.order.ref, r.price, r.qty, r.maker)
            for r in self.reports
            if not kinds or r.kind in kinds
        ]
        self.reports.clear()
        return told

    def fills(self) -> list[tuple[int, int, int, bool]]:
        """Return order, price, quantity and whether as maker of the fills so far; all reports are forgotten."""
        return [told[1:] for told in self.told(ReportKind.FILL)]
