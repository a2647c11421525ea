"""From what was told to how it stands: one sparse event into the order it is about, one trade into a fill.

What an event does not carry stays as it was. Pure functions; `account` keeps
what they return. Source: v2 reference, section 7.1; v1 reference, section 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import structs

from krakenwire.model import Execution, Fee, Fill, OrderRecord, OrderState, OrderStatus, TradeRecord, TriggerState
from krakenwire.model.account import ENDED
from krakenwire.model.records import RecordStatus

__all__ = ["fee_in_base", "fill_of", "fill_of_record", "filled", "merged", "order_of_record"]

_VALUES: Final = (
    *("symbol", "side", "order_type", "order_qty", "cash_order_qty", "limit_price", "limit_price_type"),
    *("time_in_force", "display_qty", "display_qty_remain", "effective_time_ns", "expire_time_ns", "leverage"),
    *("fee_preference", "contingent", "cl_ord_id", "order_userref", "sender_sub_id", "ord_ref_id"),
    *("cum_qty", "cum_cost", "avg_price", "cum_fee", "fee_usd_equiv"),
)
"""Members that the last event to carry them decides."""

_FLAGS: Final = ("post_only", "reduce_only", "margin", "liquidated", "amended")
"""Members that an event carries only where they hold."""

_AS_FILLED: Final = ("trade", "iceberg_refill")
"""Kinds of events that no order ends with, whatever word they carry: the end is an event of its own."""

_ENDS: Final[dict[str, OrderStatus]] = {"filled": "filled", "canceled": "canceled", "expired": "expired"}

_STATUSES: Final[dict[RecordStatus, OrderStatus]] = {
    "pending": "pending_new",
    "open": "new",
    "closed": "filled",
    "canceled": "canceled",
    "expired": "expired",
}


def merged(order: OrderState | None, event: Execution) -> OrderState:
    """Return an order after an event.

    Args:
        order: before it; None when it is the first, or tells all.
        event: about this order.
    """
    before = OrderState(order_id=event.order_id, status=event.order_status) if order is None else order
    status = _status(before, event)
    changes: dict[str, Any] = {name: getattr(event, name) for name in _VALUES if getattr(event, name) is not None}
    changes |= {name: True for name in _FLAGS if getattr(event, name)}
    if event.triggers is not None:
        changes["triggers"] = _trigger(before.triggers, event.triggers)
    if event.reason is not None or status in ENDED:
        changes["reason"] = event.reason
    if event.exec_type == "pending_new":
        changes["opened_ns"] = event.time_ns
    return structs.replace(before, status=status, changed_ns=event.time_ns or before.changed_ns, **changes)


def _status(before: OrderState, event: Execution) -> OrderStatus:
    """How an order stands: the trade that completes it does not end it."""
    if event.exec_type in _ENDS:
        return _ENDS[event.exec_type]
    if event.exec_type in _AS_FILLED and event.order_status in ENDED:
        return before.status if before.is_open else "partially_filled"
    return event.order_status


def _trigger(before: TriggerState | None, told: TriggerState) -> TriggerState:
    """A trigger after it was told again, in full or only where it stands now. None that has fired waits again."""
    if before is None:
        return told
    asked = before if told.price is None else told
    return TriggerState(
        reference=asked.reference,
        price=asked.price,
        price_type=asked.price_type,
        actual_price=_latest(told.actual_price, before.actual_price),
        peak_price=_latest(told.peak_price, before.peak_price),
        last_price=_latest(told.last_price, before.last_price),
        status="triggered" if "triggered" in (told.status, before.status) else "untriggered",
        time_ns=before.time_ns if told.time_ns is None else told.time_ns,
    )


def _latest(told: Decimal | None, before: Decimal | None) -> Decimal | None:
    return before if told is None else told


def filled(order: OrderState, fills: Sequence[Fill]) -> OrderState | None:
    """Return an order as filled by fills of it; None when they do not account for all of it."""
    qty = sum((fill.qty for fill in fills), Decimal(0))
    if order.order_qty is None or not qty or qty < order.order_qty:
        return None
    cost = sum((fill.cost for fill in fills), Decimal(0))
    changed_ns = max(order.changed_ns, *(fill.time_ns for fill in fills))
    return structs.replace(
        order, status="filled", cum_qty=qty, cum_cost=cost, avg_price=cost / qty, changed_ns=changed_ns, reason=None
    )


def fill_of(event: Execution) -> Fill | None:
    """Return the fill of a ``trade``; None when it lacks what a fill cannot be without."""
    exec_id, symbol, side, qty, price = event.exec_id, event.symbol, event.side, event.last_qty, event.last_price
    if exec_id is None or symbol is None or side is None or qty is None or price is None:
        return None
    return Fill(
        exec_id=exec_id,
        order_id=event.order_id,
        time_ns=event.time_ns,
        symbol=symbol,
        side=side,
        qty=qty,
        price=price,
        cost=price * qty if event.cost is None else event.cost,
        fees=event.fees,
        order_type=event.order_type,
        maker=None if event.liquidity_ind is None else event.liquidity_ind == "m",
        trade_id=event.trade_id,
        cl_ord_id=event.cl_ord_id,
        order_userref=event.order_userref,
        margin=event.margin,
        liquidated=event.liquidated,
        position_status=event.position_status,
    )


def fill_of_record(record: TradeRecord) -> Fill:
    """Return the fill that REST tells of; its fee counts as one in the quote, as REST does not say."""
    return Fill(
        exec_id=record.exec_id,
        order_id=record.order_id,
        time_ns=record.time_ns,
        symbol=record.symbol,
        side=record.side,
        qty=record.qty,
        price=record.price,
        cost=record.cost,
        fees=(Fee(asset=record.symbol.partition("/")[2], qty=record.fee),),
        order_type=record.order_type,
        maker=record.maker,
        trade_id=record.trade_id,
        cl_ord_id=record.cl_ord_id,
        order_userref=record.order_userref,
        margin=bool(record.margin),
    )


def fee_in_base(fill: Fill) -> Fill:
    """Return a fill whose fee was charged in the base."""
    base = fill.symbol.partition("/")[0]
    return structs.replace(fill, fees=tuple(Fee(asset=base, qty=fee.qty) for fee in fill.fees))


def order_of_record(record: OrderRecord) -> OrderState:
    """Return the order that REST tells of."""
    status = _STATUSES[record.status]
    return OrderState(
        order_id=record.order_id,
        status="partially_filled" if status == "new" and record.cum_qty else status,
        opened_ns=record.open_time_ns,
        changed_ns=record.close_time_ns or record.updated_ns or record.open_time_ns,
        symbol=record.symbol,
        side=record.side,
        order_type=record.order_type,
        order_qty=None if record.in_quote else record.order_qty,
        cash_order_qty=record.order_qty if record.in_quote else None,
        limit_price=record.actual_limit_price or record.limit_price,
        limit_price_type="static" if record.actual_limit_price else record.limit_price_type,
        time_in_force=record.time_in_force,
        display_qty=record.display_qty,
        display_qty_remain=record.display_qty_remain,
        effective_time_ns=record.start_time_ns,
        expire_time_ns=record.expire_time_ns,
        post_only=record.post_only,
        reduce_only=record.reduce_only,
        margin=record.leverage is not None,
        leverage=record.leverage,
        fee_preference=record.fee_preference,
        triggers=record.triggers,
        contingent=record.conditional,
        cl_ord_id=record.cl_ord_id,
        order_userref=record.order_userref,
        sender_sub_id=record.sender_sub_id,
        ord_ref_id=record.ref_id,
        cum_qty=record.cum_qty,
        cum_cost=record.cum_cost,
        avg_price=record.avg_price,
        cum_fee=record.fee,
        liquidated="liquidation" in record.misc,
        amended=record.amended,
        reason=record.reason,
    )
