"""Builds small markets by hand: rows of books and trades, and a run of a strategy over them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from krakenwire.apps.backtest import run_backtest
from krakenwire.apps.bot_config import BotConfig
from krakenwire.apps.market_data import MarketCounters, MarketData
from krakenwire.model.rows import ASK, BID, CLEAR, EVENT, GAP, LAST, ROW, SNAPSHOT, Listing
from krakenwire.trading.ports import AllowAll, RiskCheck
from krakenwire.trading.run_result import RunResult
from krakenwire.trading.simulator import FillModel
from krakenwire.trading.strategy import Strategy

SECOND = 1_000_000_000
MS = 1_000_000
START = 1_600_000_000 * SECOND
LISTING = Listing(symbol="BTC/USD", price_decimals=1, qty_decimals=8, qty_min=Decimal("0.0001"), depth=10)
LOT = 10**8

NO_DELAY = FillModel(entry_latency_ns=0, report_latency_ns=0, maker_fee=Decimal("0.001"), taker_fee=Decimal("0.002"))
"""Orders act and are heard of at once; fees that are easy to count with."""


class Tape:
    """Rows as they are told, with prices in quote units and quantities in base units."""

    def __init__(self, *listings: Listing) -> None:
        self.listings = listings or (LISTING,)
        self._rows: list[tuple[int, ...]] = []
        self.objects: list[Any] = []

    def book(self, at: float, bids: Mapping[float, float], asks: Mapping[float, float], symbol: int = 0) -> Tape:
        """Tell a whole book; a quantity of each price."""
        levels = [(CLEAR, 0.0, 0.0)]
        levels += [(BID, price, qty) for price, qty in bids.items()] + [
            (ASK, price, qty) for price, qty in asks.items()
        ]
        for number, (kind, price, qty) in enumerate(levels, 1):
            self._add(at, kind, price, qty, symbol, SNAPSHOT | (LAST if number == len(levels) else 0), -1)
        return self

    def level(self, at: float, kind: int, price: float, qty: float, symbol: int = 0) -> Tape:
        """Tell one level."""
        return self._add(at, kind, price, qty, symbol, LAST, -1)

    def trade(self, at: float, kind: int, price: float, qty: float = 1.0, symbol: int = 0, flags: int = 0) -> Tape:
        """Tell one trade: `BUY` or `SELL`."""
        return self._add(at, kind, price, qty, symbol, LAST | flags, len(self._rows))

    def gap(self, at: float, symbol: int = 0) -> Tape:
        """Tell that the book is not to be trusted."""
        return self._add(at, GAP, 0, 0, symbol, LAST, 0)

    def event(self, at: float, event: object, symbol: int = 0) -> Tape:
        """Tell an event that has no rows of its own."""
        self.objects.append(event)
        return self._add(at, EVENT, 0, 0, symbol, LAST, len(self.objects) - 1)

    def data(self) -> MarketData:
        """Return what was told."""
        rows = np.array(self._rows, dtype=ROW)
        begin, end = (int(rows["time_ns"][0]), int(rows["time_ns"][-1])) if len(rows) else (0, 0)
        return MarketData(rows, tuple(self.listings), self.objects, begin, end, "by hand", MarketCounters())

    def _add(self, at: float, kind: int, price: float, qty: float, symbol: int, flags: int, aux: int) -> Tape:
        ticks, lots = round(price * 10 ** self.listings[symbol].price_decimals), round(qty * LOT)
        self._rows.append((START + round(at * SECOND), 0, ticks, lots, aux, symbol, kind, flags, 1))
        return self


def run(
    strategy: type[Strategy],
    tape: Tape,
    *,
    parameters: Mapping[str, object] | None = None,
    risk: RiskCheck | None = None,
    **config: Any,
) -> RunResult:
    """Run a strategy over what was told, without delays and risk limits where nothing else is said."""
    settings = BotConfig(**{"model": NO_DELAY, **config})
    return run_backtest(strategy, tape.data(), parameters=parameters, config=settings, risk=risk or AllowAll())
