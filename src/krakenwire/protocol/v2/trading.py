"""The client's side of v2's private half, outbound: orders and private subscriptions into frames.

Only what differs from the venue's default is written, numbers in fixed point
with the digits they have. What v2 has no member for is a `UsageError`; whether
a request makes sense is not judged here. The replies are read in `replies`.
Source: v2 reference, sections 2.2, 2.5, 2.6, 7 and 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from krakenwire.errors import UsageError
from krakenwire.model import (
    AddOrder,
    AmendOrder,
    BatchAdd,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    Conditional,
    EditOrder,
    TradingRequest,
    Trigger,
)
from krakenwire.model.orders import METHODS
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol.v2.private_words import unsaid_price_type

__all__ = ["encode_request", "subscribe_balances", "subscribe_executions", "unsubscribe_private"]

_Params = dict[str, Any]


def encode_request(request: TradingRequest, token: str, req_id: int) -> str:
    """Return the frame of a request about orders.

    Times are cut to the digits of their place: milliseconds of a deadline, else seconds.

    Raises:
        UsageError: something that v2 cannot say: a leverage, an edit without a symbol, with a relative limit
            price or with a price named by its place, a batch of several symbols or with a deadline or a check
            of one order, a number that is not finite.
    """
    return _frame(METHODS[request.__class__], _PARAMS[request.__class__](request), token, req_id)


def subscribe_executions(
    token: str,
    req_id: int,
    *,
    snap_orders: bool = True,
    snap_trades: bool = False,
    order_status: bool = True,
    ratecounter: bool = False,
) -> str:
    """Return the frame that asks for `executions`.

    Args:
        token: of the account.
        req_id: to be repeated in the reply.
        snap_orders: begin with the open orders.
        snap_trades: begin with the last 50 fills.
        order_status: False for only `new`, `filled`, `canceled` and `expired` of an order's way.
        ratecounter: tell the trading counter along.
    """
    params = {
        "channel": "executions",
        "snap_orders": snap_orders,
        "snap_trades": snap_trades,
        "order_status": order_status,
        "ratecounter": ratecounter,
    }
    return _frame("subscribe", params, token, req_id)


def subscribe_balances(token: str, req_id: int, *, snapshot: bool = True) -> str:
    """Return the frame that asks for `balances`."""
    return _frame("subscribe", {"channel": "balances", "snapshot": snapshot}, token, req_id)


def unsubscribe_private(channel: str, token: str, req_id: int) -> str:
    """Return the frame that ends `executions` or `balances`."""
    return _frame("unsubscribe", {"channel": channel}, token, req_id)


def _frame(method: str, params: _Params, token: str, req_id: int) -> str:
    return msgspec.json.encode({"method": method, "params": params | {"token": token}, "req_id": req_id}).decode()


# -- values ------------------------------------------------------------------


def _given(**members: Any) -> _Params:
    return {name: value for name, value in members.items() if value is not None}


def _number(value: Decimal | None) -> msgspec.Raw | None:
    if value is None:
        return None
    if not value.is_finite():
        raise UsageError("a number of an order", expected="a finite one", found=value)
    return msgspec.Raw(f"{value:f}".encode())


def _time(ns: int | None, digits: int) -> str | None:
    return None if ns is None else rfc3339_from_ns(ns, digits)


def _unless(value: Any, default: Any) -> Any:
    return None if value == default else value


# -- requests ----------------------------------------------------------------


def _order(order: AddOrder) -> _Params:
    """The members that an order has alone and in a batch."""
    if order.leverage is not None:
        hint = "Use margin=True for the highest leverage of the symbol."
        raise UsageError("leverage does not exist on API version 2", found=order.leverage, hint=hint)
    return _given(
        order_type=order.order_type,
        side=order.side,
        order_qty=_number(order.order_qty),
        cash_order_qty=_number(order.cash_order_qty),
        limit_price=_number(order.limit_price),
        limit_price_type=_unless(order.limit_price_type, unsaid_price_type(order.order_type)),
        triggers=None if order.triggers is None else _trigger(order.triggers),
        time_in_force=_unless(order.time_in_force, "gtc"),
        expire_time=_time(order.expire_time_ns, 0),
        effective_time=_time(order.effective_time_ns, 0),
        display_qty=_number(order.display_qty),
        post_only=order.post_only or None,
        reduce_only=order.reduce_only or None,
        margin=order.margin or None,
        fee_preference=order.fee_preference,
        stp_type=_unless(order.stp_type, "cancel_newest"),
        cl_ord_id=order.cl_ord_id,
        order_userref=order.order_userref,
        conditional=None if order.conditional is None else _conditional(order.conditional),
        sender_sub_id=order.sender_sub_id,
    )


def _trigger(trigger: Trigger) -> _Params:
    return {"reference": trigger.reference, "price": _number(trigger.price), "price_type": trigger.price_type}


def _conditional(close: Conditional) -> _Params:
    return _given(
        order_type=close.order_type,
        limit_price=_number(close.limit_price),
        limit_price_type=_unless(close.limit_price_type, unsaid_price_type(close.order_type)),
        trigger_price=_number(close.trigger_price),
        trigger_price_type=_unless(close.trigger_price_type, "static"),
    )


def _add(order: AddOrder) -> _Params:
    deadline = _time(order.deadline_ns, 3)
    return _order(order) | _given(symbol=order.symbol, deadline=deadline, validate=order.validate or None)


def _amend(amend: AmendOrder) -> _Params:
    return _given(
        order_id=amend.order_id,
        cl_ord_id=amend.cl_ord_id,
        order_qty=_number(amend.order_qty),
        limit_price=_number(amend.limit_price),
        limit_price_type=amend.limit_price_type,
        trigger_price=_number(amend.trigger_price),
        trigger_price_type=_unless(amend.trigger_price_type, "static"),
        display_qty=_number(amend.display_qty),
        post_only=amend.post_only or None,
        deadline=_time(amend.deadline_ns, 3),
        symbol=amend.symbol,
    )


def _edit(edit: EditOrder) -> _Params:
    if edit.symbol is None:
        raise UsageError("an edit on API version 2", expected="the symbol of the order", found=None)
    if edit.limit_price_type != "static":
        raise UsageError("the limit price of an edit", expected="static", found=edit.limit_price_type)
    if edit.price is not None:
        raise UsageError("an edit on API version 2", expected="limit_price or triggers", found="price")
    return _given(
        order_id=edit.order_id,
        symbol=edit.symbol,
        order_qty=_number(edit.order_qty),
        limit_price=_number(edit.limit_price),
        triggers=None if edit.triggers is None else _trigger(edit.triggers),
        display_qty=_number(edit.display_qty),
        post_only=edit.post_only,
        reduce_only=edit.reduce_only,
        fee_preference=edit.fee_preference,
        order_userref=edit.order_userref,
        deadline=_time(edit.deadline_ns, 3),
        validate=edit.validate or None,
    )


def _cancel(cancel: CancelOrders) -> _Params:
    return _given(
        order_id=cancel.order_ids or None,
        cl_ord_id=cancel.cl_ord_ids or None,
        order_userref=cancel.order_userrefs or None,
    )


def _batch_add(batch: BatchAdd) -> _Params:
    for order in batch.orders:
        if (order.symbol, order.deadline_ns, order.validate) != (batch.symbol, None, False):
            expected = f"the symbol {batch.symbol}, no deadline and no check of its own"
            raise UsageError("an order of a batch on API version 2", expected=expected, found=order)
    return _given(
        symbol=batch.symbol,
        orders=[_order(order) for order in batch.orders],
        deadline=_time(batch.deadline_ns, 3),
        validate=batch.validate or None,
    )


def _batch_cancel(batch: BatchCancel) -> _Params:
    return _given(orders=batch.order_ids or None, cl_ord_id=batch.cl_ord_ids or None)


def _cancel_all(_request: CancelAll) -> _Params:
    return {}


def _cancel_all_after(request: CancelAllAfter) -> _Params:
    return {"timeout": request.timeout_s}


_PARAMS: Mapping[type[TradingRequest], Callable[[Any], _Params]] = {
    AddOrder: _add,
    AmendOrder: _amend,
    EditOrder: _edit,
    CancelOrders: _cancel,
    CancelAll: _cancel_all,
    CancelAllAfter: _cancel_all_after,
    BatchAdd: _batch_add,
    BatchCancel: _batch_cancel,
}
