"""Round trips: what was opened and closed again, first in first out.

Fills of one opening and one closing order make one round trip, however many
pieces they came in. Next: `figures`, which counts them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from krakenwire.model.market import OrderSide
from krakenwire.trading.run_records import FillRow

__all__ = ["RoundTrip", "round_trips", "signed"]

_ZERO = Decimal(0)


class RoundTrip(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity opened by one order and closed by another.

    Args:
        side: of the order that opened it.
        qty: base units.
        opened, closed: what it was worth then, quote units: sums of price times quantity.
        fees: its share of both orders' fees.
        profit: after fees.
        opened_id: "" where it was there when the run began.
        opened_ns, closed_ns: of the first fill of it and of the last.
    """

    symbol: str
    side: OrderSide
    qty: Decimal
    opened: Decimal
    closed: Decimal
    fees: Decimal
    profit: Decimal
    opened_id: str
    closed_id: str
    opened_ns: int
    closed_ns: int


@dataclass(slots=True)
class _Lot:
    side: OrderSide
    qty: Decimal
    price: Decimal | None
    fee: Decimal
    id: str
    time_ns: int
    left: Decimal


@dataclass(slots=True)
class _Trip:
    symbol: str
    lot: _Lot
    closed_id: str
    closed_ns: int = 0
    qty: Decimal = _ZERO
    opened: Decimal = _ZERO
    closed: Decimal = _ZERO
    fees: Decimal = _ZERO

    def add(self, qty: Decimal, price: Decimal, lot: _Lot, fill: FillRow) -> None:
        self.qty += qty
        self.opened += qty * price
        self.closed += qty * fill.price
        self.fees += lot.fee * qty / lot.qty + fill.fee * qty / fill.qty
        self.closed_ns = fill.time_ns

    def done(self) -> RoundTrip:
        gain = self.closed - self.opened if self.lot.side == "buy" else self.opened - self.closed
        return RoundTrip(
            symbol=self.symbol,
            side=self.lot.side,
            qty=self.qty,
            opened=self.opened,
            closed=self.closed,
            fees=self.fees,
            profit=gain - self.fees,
            opened_id=self.lot.id,
            closed_id=self.closed_id,
            opened_ns=self.lot.time_ns,
            closed_ns=self.closed_ns,
        )


def signed(fill: FillRow) -> Decimal:
    """Return what a fill does to the position, base units."""
    return fill.qty if fill.side == "buy" else -fill.qty


def round_trips(fills: Iterable[FillRow], first_mids: Mapping[str, Decimal] | None = None) -> Sequence[RoundTrip]:
    """Match the fills of a run first in first out, by symbol.

    Args:
        fills: in order of time.
        first_mids: the price that a position counts from which was there when the run began; of a symbol
            that is missing, closing such a position makes no round trip.

    Returns:
        In the order in which they began to close.
    """
    mids = first_mids or {}
    lots: dict[str, deque[_Lot]] = {}
    trips: dict[tuple[str, str, str], _Trip] = {}
    for fill in fills:
        if fill.symbol not in lots:
            lots[fill.symbol] = deque(_there_before(fill, mids.get(fill.symbol)))
        _match(fill, lots[fill.symbol], trips)
    return [trip.done() for trip in trips.values()]


def _there_before(fill: FillRow, mid: Decimal | None) -> list[_Lot]:
    before = fill.position - signed(fill)
    if not before:
        return []
    return [_Lot("buy" if before > 0 else "sell", abs(before), mid, _ZERO, "", fill.time_ns, abs(before))]


def _match(fill: FillRow, lots: deque[_Lot], trips: dict[tuple[str, str, str], _Trip]) -> None:
    left = fill.qty
    while left and lots and lots[0].side != fill.side:
        lot = lots[0]
        qty = min(left, lot.left)
        if lot.price is not None:
            key = (fill.symbol, lot.id, fill.id)
            trip = trips.setdefault(key, _Trip(fill.symbol, lot, fill.id))
            trip.add(qty, lot.price, lot, fill)
        left -= qty
        lot.left -= qty
        if not lot.left:
            lots.popleft()
    if left:
        lots.append(_Lot(fill.side, left, fill.price, fill.fee * left / fill.qty, fill.id, fill.time_ns, left))
