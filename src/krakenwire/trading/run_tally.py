"""Sums of a run's rows as they come, and from them and the engine the status of this moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from krakenwire.limits import BOT_STATUS_FILLS, BOT_STATUS_NOTES
from krakenwire.trading.engine import Engine
from krakenwire.trading.orders import Order
from krakenwire.trading.portfolio import EXACT
from krakenwire.trading.risk import Risk
from krakenwire.trading.risk_use import risk_use
from krakenwire.trading.run_records import EquityRow, FillRow, NoteRow, OrderRow, RunHead, RunRow
from krakenwire.trading.run_status import FeedHealth, OpenOrder, RecentFill, RunStatus
from krakenwire.trading.simulator import SimBook

__all__ = ["Tally"]

_DAY: Final = 86_400_000_000_000
_ZERO: Final = Decimal(0)


class Tally:
    """What a status needs of all that has happened.

    Args:
        head: of the run.
    """

    def __init__(self, head: RunHead) -> None:
        self._head = head
        self._fills: deque[RecentFill] = deque(maxlen=BOT_STATUS_FILLS)
        self._notes: deque[str] = deque(maxlen=BOT_STATUS_NOTES)
        self._counts: dict[str, int] = {}
        self._sent = self._filled = 0
        self._fees = _ZERO
        self._first: EquityRow | None = None
        self._day_first: EquityRow | None = None
        self._last: EquityRow | None = None

    def take(self, rows: Iterable[RunRow]) -> None:
        """Count rows."""
        for row in rows:
            if isinstance(row, EquityRow):
                self._equity(row)
            elif isinstance(row, FillRow):
                self._fill(row)
            elif isinstance(row, OrderRow):
                self._sent += row.state == "sent"
            elif isinstance(row, NoteRow):
                self._counts[row.kind] = self._counts.get(row.kind, 0) + row.count
                self._notes.append(f"{row.kind}: {row.text}")

    def _equity(self, row: EquityRow) -> None:
        self._first = self._first or row
        if self._day_first is None or self._day_first.time_ns // _DAY != row.time_ns // _DAY:
            self._day_first = row
        self._last = row

    def _fill(self, row: FillRow) -> None:
        self._filled += 1
        self._fees = EXACT.add(self._fees, row.fee)
        self._fills.append(
            RecentFill(
                time_ns=row.time_ns,
                symbol=row.symbol,
                side=row.side,
                price=row.price,
                qty=row.qty,
                fee=row.fee,
                maker=row.maker,
            )
        )

    def status(self, engine: Engine, state: str) -> RunStatus:
        """Return the status now.

        Args:
            engine: of the run.
            state: of the run.
        """
        head, last, portfolio = self._head, self._last, engine.portfolio
        equity = None if last is None else last.equity
        return RunStatus(
            run=head.run,
            strategy=head.strategy,
            mode=head.mode,
            source=head.source,
            time_ns=engine.clock.now_ns,
            started_ns=head.start_ns,
            state=state,
            quote=head.quote,
            equity=equity,
            day_profit=_since(self._day_first, equity),
            profit=_since(self._first, equity),
            cash=portfolio.cash,
            balances=dict(portfolio.balances),
            positions=dict(portfolio.positions),
            orders=tuple(_open_order(order) for order in engine.desk.open.values()),
            fills=tuple(self._fills),
            feeds=tuple(_feed(book) for book in engine.simulator.books),
            risk=risk_use(engine.risk, engine.desk, head.symbols, equity) if isinstance(engine.risk, Risk) else (),
            notes=tuple(self._notes),
            stop=engine.stopped,
            slow=self._counts.get("slow", 0),
            refused=self._counts.get("risk", 0),
            orders_sent=self._sent,
            fills_total=self._filled,
            fees=self._fees,
        )


def _feed(book: SimBook) -> FeedHealth:
    live = book.live
    return FeedHealth(
        symbol=book.symbol, live=live, bid=book.best_bid if live else None, ask=book.best_ask if live else None
    )


def _since(row: EquityRow | None, equity: Decimal | None) -> Decimal | None:
    return None if row is None or equity is None else equity - row.equity


def _open_order(order: Order) -> OpenOrder:
    return OpenOrder(
        id=order.id,
        symbol=order.symbol,
        side=order.side,
        qty=order.qty,
        filled=order.filled,
        state=order.state,
        limit=order.limit,
        tag=order.tag,
    )
