"""Positions on margin: opened, closed first in first out, and what they are worth.

A margin order trades for the venue's pool: the pool lends what is sold and
keeps what is bought until the position is closed, so that for each position it
holds exactly its two sides. The account pays fees and gets or pays the result.
Source: the REST calls OpenPositions and TradeBalance as clients read them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from krakenwire.model import OrderSide
from krakenwire.venue.trading.account_order import AccountOrder, Fill
from krakenwire.venue.trading.accounts import Account, Ledger
from krakenwire.venue.trading.fees import fee_of

__all__ = ["POOL", "ROLLOVER_NS", "Position", "PositionChange", "Positions"]

POOL: Final = "margin pool"
"""The account that lends."""

OPENING_RATE: Final = 200
"""Fee for opening a position, and for each `ROLLOVER_NS` that it stays open: millionths of its cost."""

ROLLOVER_NS: Final = 4 * 3_600 * 1_000_000_000


class Position:
    """What one margin order opened.

    Attributes:
        number: over all positions.
        qty, closed: lots opened, and of them closed again.
        exact: ticks times lots of what was opened; cost: ledger units of the quote for it.
        cost_left: of `cost`, what belongs to the lots still open.
        fee: ledger units of the quote charged so far; margin: set aside at opening, for all of it.
        result: what the closed part has brought, in ledger units of the quote.
        rollover_ns: when the next fee for staying open is due.
    """

    __slots__ = (
        "closed",
        "cost",
        "cost_left",
        "exact",
        "fee",
        "fills",
        "number",
        "opened_ns",
        "order",
        "qty",
        "result",
        "rollover_ns",
    )

    def __init__(self, number: int, order: AccountOrder, time_ns: int) -> None:
        self.number, self.order, self.opened_ns = number, order, time_ns
        self.qty = self.closed = self.exact = self.cost = self.cost_left = self.fee = self.result = 0
        self.rollover_ns = time_ns + ROLLOVER_NS
        self.fills: list[int] = []

    @property
    def side(self) -> OrderSide:
        """``buy`` for a long position, ``sell`` for a short one."""
        return self.order.side

    @property
    def open_qty(self) -> int:
        """Lots still open."""
        return self.qty - self.closed

    @property
    def margin_left(self) -> int:
        """Ledger units of the quote set aside for what is still open."""
        return -(-self.cost_left // self.order.leverage)

    def value(self, price: int) -> int:
        """Return what the open lots are worth at a price in ticks, in ledger units of the quote."""
        return self.order.desk.terms.cost(price * self.open_qty)

    def net(self, price: int) -> int:
        """Return what closing it at a price would bring, in ledger units of the quote."""
        gained = self.value(price) - self.cost_left
        return gained if self.side == "buy" else -gained


class PositionChange(NamedTuple):
    """What one fill did: the result and the opening fee in ledger units of the quote."""

    status: Literal["opened", "closing", "closed"]
    result: int
    fee: int


class Positions:
    """Every open position.

    Args:
        ledger: who owns what; the pool is an account of it.
        opened: told of each new position.
    """

    def __init__(self, ledger: Ledger, opened: Callable[[Position], None]) -> None:
        self._ledger, self._opened = ledger, opened
        self.pool = ledger.open(POOL, keeps_history=False)
        self._open: dict[tuple[str, str], list[Position]] = {}
        self._last = 0

    def owner(self, order: AccountOrder) -> Account:
        """Return whose goods and money a trade of an order moves."""
        return self.pool if order.leverage else order.account

    def of(self, account: Account) -> list[Position]:
        """Return the open positions of an account, oldest first."""
        found = [p for (name, _), positions in self._open.items() if name == account.name for p in positions]
        return sorted(found, key=lambda position: position.number)

    def at(self, account: Account, symbol: str) -> list[Position]:
        """Return the open positions of an account in one instrument, oldest first, all on one side."""
        return self._open.get((account.name, symbol), [])

    def holders(self, symbol: str) -> list[str]:
        """Return the names of the accounts with a position in an instrument."""
        return [name for (name, held), positions in self._open.items() if held == symbol and positions]

    def reducible(self, account: Account, symbol: str, side: OrderSide) -> int:
        """Return how many lots an order on this side would close."""
        return sum(position.open_qty for position in self.at(account, symbol) if position.side != side)

    def fill(self, fill: Fill) -> PositionChange:
        """Take in a fill of a margin order, whose goods and money have gone to the pool: close, then open."""
        order = fill.order
        held = self._open.setdefault((order.account.name, order.symbol), [])
        left, result = fill.qty, 0
        cost_left = fill.cost
        while left and held and held[0].side != order.side:
            qty = min(left, held[0].open_qty)
            cost = cost_left * qty // left
            result += self._close(held[0], qty, cost)
            left, cost_left = left - qty, cost_left - cost
            if not held[0].open_qty:
                del held[0]
        if left:
            fee = self._extend(held, fill, left, cost_left)
            return PositionChange("opened", result, fee)
        return PositionChange("closing" if held else "closed", result, 0)

    def _close(self, position: Position, qty: int, cost: int) -> int:
        """Close some lots for what they brought or cost; the pool settles the difference with the account."""
        part = position.cost_left * qty // position.open_qty
        result = cost - part if position.side == "buy" else part - cost
        position.closed += qty
        position.cost_left -= part
        position.result += result
        order = position.order
        self._ledger.move(self.pool, order.account, order.desk.terms.quote, result)
        return result

    def _extend(self, held: list[Position], fill: Fill, qty: int, cost: int) -> int:
        """Open a position, or add to the one the same order opened; return the fee for it."""
        order = fill.order
        if not held or held[-1].order is not order:
            self._last += 1
            held.append(Position(self._last, order, fill.time_ns))
            self._opened(held[-1])
        position = held[-1]
        fee = fee_of(cost, OPENING_RATE)
        position.qty += qty
        position.exact += fill.price * qty
        position.cost += cost
        position.cost_left += cost
        position.fee += fee + fill.fee * qty // fill.qty
        position.fills.append(fill.number)
        self._ledger.move(order.account, self._ledger.fees, order.desk.terms.quote, fee)
        return fee

    def roll_over(self, position: Position) -> int:
        """Charge for another stretch of time; return the fee in ledger units of the quote."""
        fee = fee_of(position.cost_left, OPENING_RATE)
        position.fee += fee
        position.rollover_ns += ROLLOVER_NS
        self._ledger.move(position.order.account, self._ledger.fees, position.order.desk.terms.quote, fee)
        return fee
