"""Lays what a bot knows beside what the venue says, and returns the records that bring the two together.

Only evidence resolves an order that nobody knows of: an open or a closed order,
or a fill, with its id. That it is nowhere is evidence only when all of REST was
asked, after the deadline of its entry and the lag of REST are over, and again a
while later. What is returned are records of the journal: once they are applied,
the same evidence returns nothing. Orders that are not ours are listed, never touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, Literal, NamedTuple

import msgspec

from krakenwire.limits import BOT_REST_LAG_S
from krakenwire.model import Fill, OrderState
from krakenwire.trading.records import Absent, AmendEnded, Ended, EndState, Filled, Record, Resolved
from krakenwire.trading.recovery import BotOrder, Recovered

__all__ = ["Difference", "Evidence", "Patience", "Reconciliation", "audit", "fill_record", "reconcile"]

_ZERO: Final = Decimal(0)
_SECOND: Final = 1_000_000_000
_END_STATES: Final[dict[str, EndState]] = {"filled": "filled", "canceled": "canceled", "expired": "expired"}


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long what is not there may still come.

    Args:
        lag_s: so far REST may be behind, in the field up to a minute.
        again_s: between two questions about the same order.
        look_s: it is asked for at least so often while its absence would say nothing yet.
    """

    lag_s: float = BOT_REST_LAG_S
    again_s: float = 5.0
    look_s: float = 30.0


class Evidence(NamedTuple):
    """What the venue says.

    Args:
        orders: open and closed ones, as far as they were told or asked for.
        fills: so, too, oldest first.
        asked_ns: when the asking began.
        thorough: whether open orders, closed orders and fills were all asked for, of every order in question.
        source: what says so.
    """

    orders: tuple[OrderState, ...]
    fills: tuple[Fill, ...]
    asked_ns: int
    thorough: bool
    source: str


class Reconciliation(NamedTuple):
    """What to do.

    Args:
        records: to be written, in this order.
        foreign: open orders of the account that are not ours.
        again_ns: when to ask again for what is still open; None when nothing is.
    """

    records: tuple[Record, ...]
    foreign: tuple[OrderState, ...]
    again_ns: int | None


class Difference(NamedTuple):
    """An asset of which the account does not have what it should."""

    asset: str
    expected: Decimal
    found: Decimal


def reconcile(known: Recovered, evidence: Evidence, now_ns: int, patience: Patience) -> Reconciliation:
    """Return what the evidence makes of the bot's orders."""
    told = {order.id: state for state in evidence.orders if (order := _ours(known, state)) is not None}
    names = {state.order_id: name for name, state in told.items()}
    fills: dict[str, list[Fill]] = {}
    for fill in evidence.fills:
        name = fill.cl_ord_id if fill.cl_ord_id in known.orders else names.get(fill.order_id)
        name = known.by_order_id.get(fill.order_id) if name is None else name
        if name is not None and fill.exec_id not in known.exec_ids:
            fills.setdefault(name, []).append(fill)
    written: list[Record] = []
    again: list[int] = []
    for name in dict.fromkeys((*known.open, *fills)):
        new = tuple(fills.get(name, ()))
        found, wait_ns = _about(known.orders[name], told.get(name), new, evidence, now_ns, patience)
        written += found
        again += [] if wait_ns is None else [wait_ns]
    foreign = tuple(state for state in evidence.orders if state.is_open and _ours(known, state) is None)
    return Reconciliation(tuple(written), foreign, min(again, default=None))


def _ours(known: Recovered, state: OrderState) -> BotOrder | None:
    return known.order_of(state.cl_ord_id, state.order_id)


def _about(
    order: BotOrder,
    state: OrderState | None,
    fills: tuple[Fill, ...],
    evidence: Evidence,
    now_ns: int,
    patience: Patience,
) -> tuple[list[Record], int | None]:
    """Return what is to be written about one order, and when to ask about it again."""
    written: list[Record] = []
    order_id = state.order_id if state is not None else next((fill.order_id for fill in fills), "")
    if order.unresolved and order_id:
        written.append(
            Resolved(time_ns=now_ns, id=order.id, accepted=True, evidence=evidence.source, order_id=order_id)
        )
    written += [fill_record(order.id, fill, now_ns) for fill in fills]
    if state is not None:
        written += _amends(order, state, evidence, now_ns, patience)
        filled = order.filled + sum((fill.qty for fill in fills), _ZERO)
        ended, complete = _end(order, state, filled, now_ns)
        return written + ended, None if complete else now_ns + int(patience.again_s * _SECOND)
    if not order_id and order.unresolved:
        absent, again_ns = _absence(order, evidence, now_ns, patience)
        return written + absent, again_ns
    # An order known to be open that nobody told of: only its end, told with its fills, is evidence.
    return written, now_ns + int(patience.again_s * _SECOND) if order.is_live and evidence.thorough else None


def _amends(order: BotOrder, state: OrderState, evidence: Evidence, now_ns: int, patience: Patience) -> list[Record]:
    """Amendments without an answer: the order's own terms show those that were taken, and after the lag those not."""
    found: list[Record] = []
    for number, amend in order.amends.items():
        taken = amend.limit in (None, state.limit_price) and amend.qty in (None, state.order_qty)
        if taken or evidence.asked_ns >= amend.time_ns + int(patience.lag_s * _SECOND):
            outcome: Literal["accepted", "refused"] = "accepted" if taken else "refused"
            reason = "the order's own terms"
            found.append(AmendEnded(time_ns=now_ns, id=order.id, number=number, outcome=outcome, reason=reason))
    return found


def _end(order: BotOrder, state: OrderState, filled: Decimal, now_ns: int) -> tuple[list[Record], bool]:
    """Return the end of an order, if it has one and every fill up to it is known; and whether nothing is missing."""
    if not order.is_live:
        return [], True
    if filled < (state.cum_qty or _ZERO):
        return [], False
    end = _END_STATES.get(state.status)
    if end is None:
        return [], True
    return [Ended(time_ns=now_ns, id=order.id, state=end, filled=filled, reason=state.reason or "")], True


def _absence(order: BotOrder, evidence: Evidence, now_ns: int, patience: Patience) -> tuple[list[Record], int | None]:
    """It is nowhere: what that means depends on when, and how thoroughly, it was looked for."""
    again_ns = int(patience.again_s * _SECOND)
    telling_ns = order.deadline_ns + int(patience.lag_s * _SECOND)
    last_ns = order.absences[-1] if order.absences else None
    if last_ns is not None:
        telling_ns = last_ns + again_ns
    if not evidence.thorough or evidence.asked_ns < telling_ns:
        return [], min(max(telling_ns, now_ns + again_ns), now_ns + int(patience.look_s * _SECOND))
    if last_ns is None:
        return [Absent(time_ns=evidence.asked_ns, id=order.id)], evidence.asked_ns + again_ns
    proof = f"absent from {evidence.source} twice, after its deadline and the lag of its answers"
    return [Resolved(time_ns=now_ns, id=order.id, accepted=False, evidence=proof)], None


def fill_record(name: str, fill: Fill, now_ns: int) -> Filled:
    """Return a fill of an order of ours as it is written down."""
    fees: dict[str, Decimal] = {}
    for fee in fill.fees:
        fees[fee.asset] = fees.get(fee.asset, _ZERO) + fee.qty
    return Filled(
        time_ns=now_ns,
        id=name,
        exec_id=fill.exec_id,
        order_id=fill.order_id,
        symbol=fill.symbol,
        side=fill.side,
        price=fill.price,
        qty=fill.qty,
        cost=fill.cost,
        traded_ns=fill.time_ns,
        fees=fees,
        maker=fill.maker,
    )


def audit(
    known: Recovered, balances: Mapping[str, Decimal], allowed: Mapping[str, Decimal] | None = None
) -> tuple[Difference, ...]:
    """Return where the account does not have what its baseline and the bot's fills since then explain.

    Args:
        known: the bot's.
        balances: the venue's, open orders' holds included.
        allowed: by how much an asset may differ; nothing by default.
    """
    if known.baseline is None:
        return ()
    assets: Iterable[str] = sorted({*known.baseline, *balances, *known.changes})
    found = []
    for asset in assets:
        expected = known.baseline.get(asset, _ZERO) + known.changes.get(asset, _ZERO)
        actual = balances.get(asset, _ZERO)
        if abs(expected - actual) > (allowed or {}).get(asset, _ZERO):
            found.append(Difference(asset, expected, actual))
    return tuple(found)
