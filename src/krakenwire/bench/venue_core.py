"""The exchange of the local Kraken without any socket: what an order costs beside very many others.

Two exchanges take turns, request by request: one whose book is empty, one
with a hundred thousand orders in it; one where nothing waits for a trigger,
one where ten thousand stop orders do.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from krakenwire.bench.rows import Row, compared
from krakenwire.bench.timing import Series
from krakenwire.model import Added, AddOrder, CancelOrders, TradingRequest, Trigger
from krakenwire.venue import ASSETS, INSTRUMENTS, Market
from krakenwire.venue.trading import Account, Exchange, Ledger

__all__ = ["core_rows"]

_SYMBOL: Final = "BTC/USD"
_START_NS: Final = 1_790_000_000_000_000_000
_QTY: Final = Decimal("0.01")
_TOUCH: Final = Decimal(50_000)
_MONEY: Final = 10**24
"""Ledger units of each asset: more than any order here needs."""


def core_rows(rounds: int, quick: bool) -> list[Row]:
    """Return the rows that need no socket."""
    count = 100 if quick else 2_000
    deep = _p50s({"plain": _Floor(), "deep": _deep(1_000 if quick else 100_000)}, _Floor.add, rounds, count)
    stops = _p50s({"plain": _traded(0), "stops": _traded(100 if quick else 10_000)}, _Floor.trade, rounds, count)
    return [
        compared("venue-deep-book", deep["deep"], "an empty book", deep["plain"], "us"),
        compared("venue-stops", stops["stops"], "nothing waits", stops["plain"], "us"),
    ]


class _Floor:
    """An exchange with one market and two accounts that never run out of money."""

    def __init__(self) -> None:
        self.now_ns = _START_NS
        ledger = Ledger({name: asset.decimals for name, asset in ASSETS.items()})
        self.exchange = Exchange(ledger)
        self.exchange.open_desk(Market(INSTRUMENTS[_SYMBOL], time_ns=_START_NS))
        self.maker, self.taker = ledger.open("maker"), ledger.open("taker")
        for account in (self.maker, self.taker):
            account.fixed_fees = (0, 0)
            for asset in ("BTC", "USD"):
                self.exchange.deposit(account, asset, _MONEY, self.now_ns)

    def ask(self, account: Account, request: TradingRequest) -> str:
        """Have a request carried out; return the id of the order that it placed, if it did."""
        self.now_ns += 1_000_000
        (answer,) = self.exchange.execute(account, request, self.now_ns)
        return answer.order_id if isinstance(answer, Added) else ""

    def buy(self, price: Decimal, qty: Decimal = _QTY) -> AddOrder:
        """An order that rests."""
        return AddOrder(symbol=_SYMBOL, side="buy", order_type="limit", order_qty=qty, limit_price=price)

    def add(self) -> int:
        """Nanoseconds of a new order at the touch, which ends again."""
        request = self.buy(_TOUCH)
        start = time.perf_counter_ns()
        order_id = self.ask(self.taker, request)
        took_ns = time.perf_counter_ns() - start
        assert self.ask(self.taker, CancelOrders(order_ids=(order_id,))) == ""
        return took_ns

    def trade(self) -> int:
        """Nanoseconds of an order that trades, at a price that goes up and down."""
        price = _TOUCH + self.now_ns // 1_000_000 % 7
        self.ask(self.maker, self.buy(price))
        request = AddOrder(symbol=_SYMBOL, side="sell", order_type="limit", order_qty=_QTY, limit_price=price)
        fills = len(self.taker.fills)
        start = time.perf_counter_ns()
        self.ask(self.taker, request)
        took_ns = time.perf_counter_ns() - start
        assert len(self.taker.fills) == fills + 1
        return took_ns


def _deep(orders: int) -> _Floor:
    """A floor with that many resting orders, on a thousand levels."""
    floor = _Floor()
    for number in range(orders):
        floor.ask(floor.maker, floor.buy(_TOUCH - 1 - number % 1_000))
    assert len(floor.maker.open_orders) == orders
    return floor


def _traded(stops: int) -> _Floor:
    """A floor where there was a trade, and that many stop orders wait for another price."""
    floor = _Floor()
    floor.trade()
    for number in range(stops):
        trigger = Trigger(price=_TOUCH / 2 - number % 1_000)
        order = AddOrder(symbol=_SYMBOL, side="sell", order_type="stop-loss", order_qty=_QTY, triggers=trigger)
        floor.ask(floor.maker, order)
    assert len(floor.maker.open_orders) == stops
    return floor


def _p50s(floors: Mapping[str, _Floor], measure: Callable[[_Floor], int], rounds: int, count: int) -> dict[str, Series]:
    """Medians in microseconds, one floor in turn with the other."""
    p50: dict[str, list[float]] = {name: [] for name in floors}
    for _ in range(rounds):
        took: dict[str, list[int]] = {name: [] for name in floors}
        for _ in range(count):
            for name, floor in floors.items():
                took[name].append(measure(floor))
        for name, values in took.items():
            p50[name].append(statistics.median(values) / 1e3)
    return {name: Series(tuple(values)) for name, values in p50.items()}
