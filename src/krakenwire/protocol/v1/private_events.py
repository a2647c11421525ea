"""What `openOrders` and `ownTrades` mean, as the events of v2's executions.

    openOrders entry                       exec_type      order_status
    status pending                         pending_new    pending_new
    status open                            new            new, partially_filled once something has traded
    status open, whole and amended         amended        likewise; in a snapshot it is new
    no status (a fill)                     status         likewise, with the totals so far
    status closed / canceled / expired     filled / canceled / expired
    ownTrades entry                        trade          partially_filled, with `exec_id`

An entry that names no time has time 0. The first message of a subscription,
sequence 1, is its snapshot. Nothing here keeps state. Source: v1 reference, section 9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from krakenwire.errors import DecodeError
from krakenwire.model import ExecType, Execution, Executions, Fee, Kind, OrderStatus, OrderType, TriggerState
from krakenwire.protocol import flat_telling as flat
from krakenwire.protocol.v1.channels import symbol_of

__all__ = ["is_private", "private_event"]

_Number = str | int | None
_T = TypeVar("_T")


class _Descr(msgspec.Struct, gc=False):
    pair: str | None = None
    type: str | None = None
    ordertype: str | None = None
    price: str | None = None
    price2: str | None = None
    leverage: str | None = None


class _Close(msgspec.Struct, gc=False):
    ordertype: str | None = None
    price: str | None = None
    price2: str | None = None


class _Order(msgspec.Struct):
    status: str | None = None
    descr: _Descr | None = None
    contingent: _Close | None = None
    vol: _Number = None
    vol_exec: _Number = None
    cost: _Number = None
    fee: _Number = None
    avg_price: _Number = None
    stopprice: _Number = None
    limitprice: _Number = None
    opentm: _Number = None
    starttm: _Number = None
    expiretm: _Number = None
    lastupdated: _Number = None
    misc: str | None = None
    oflags: str | None = None
    timeinforce: str | None = None
    refid: str | None = None
    userref: int | None = None
    cl_ord_id: str | None = None
    sender_sub_id: str | None = None
    trigger: str | None = None
    display_volume: _Number = None
    display_volume_remain: _Number = None
    cancel_reason: str | None = None
    amended: bool | None = None
    amend_reason: str | None = None
    ratecount: _Number = None


class _Trade(msgspec.Struct):
    ordertxid: str
    pair: str
    time: str | int
    type: str | None = None
    ordertype: str | None = None
    price: _Number = None
    cost: _Number = None
    fee: _Number = None
    vol: _Number = None
    margin: _Number = None
    margin_borrow: bool | None = None
    userref: int | None = None
    cl_ord_id: str | None = None


class _Tail(msgspec.Struct):
    sequence: int


def is_private(message: list[object]) -> bool:
    """Return whether an array is of a private channel."""
    return len(message) == 3 and isinstance(message[2], dict) and message[1] in ("openOrders", "ownTrades")


def private_event(message: list[object]) -> Executions:
    """Return the event of a private array: entries, the name of the channel, and the sequence.

    Raises:
        DecodeError: an entry, a number or the sequence cannot be read.
    """
    rows, name, tail = message
    assert isinstance(name, str)
    sequence = _typed(tail, _Tail).sequence
    read = _CHANNELS[name]
    entries = _typed(rows, list[dict[str, Any]])
    kind: Kind = "snapshot" if sequence == 1 else "update"
    executions = tuple(read(number, entry, kind) for row in entries for number, entry in row.items())
    return Executions(
        kind=kind,
        executions=executions,
        sequence=sequence,
        source="ownTrades" if name == "ownTrades" else "openOrders",
    )


def _typed(value: object, wanted: type[_T]) -> _T:
    try:
        return msgspec.convert(value, wanted)
    except (ValueError, RecursionError) as error:
        raise DecodeError(str(error), repr(value)[:200]) from None


# -- openOrders ------------------------------------------------------------------

_ENDS: Final[Mapping[str, ExecType]] = {"closed": "filled", "canceled": "canceled", "expired": "expired"}
_STANDS: Final[Mapping[str, OrderStatus]] = {
    "pending": "pending_new",
    "closed": "filled",
    "canceled": "canceled",
    "expired": "expired",
}


def _exec_type(row: _Order, kind: Kind) -> ExecType:
    if row.status == "pending":
        return "pending_new"
    if row.status == "open":
        return "amended" if row.amended and row.descr is not None and kind == "update" else "new"
    return _ENDS.get(row.status or "", "status")


def _order(order_id: str, entry: object, kind: Kind) -> Execution:
    row = _typed(entry, _Order)
    cum_qty, flags = flat.number(row.vol_exec), flat.parts(row.oflags)
    qty = flat.number(row.vol)
    in_quote = "viqc" in flags
    descr = row.descr or _Descr()
    order_type = flat.ORDER_TYPES.get(descr.ordertype or "")
    prices = flat.places(order_type, descr.price, descr.price2)
    limit = flat.number(row.limitprice) or None  # of an order that has been triggered: what it became
    limit, limit_kind = (prices.limit, prices.limit_kind) if limit is None else (limit, "static")
    leverage = flat.leverage(descr.leverage)
    close = row.contingent
    return Execution(
        order_id=order_id,
        exec_type=_exec_type(row, kind),
        order_status=_STANDS.get(row.status or "") or ("partially_filled" if cum_qty else "new"),
        time_ns=flat.time_ns(row.lastupdated) or flat.time_ns(row.opentm) or 0,
        symbol=None if descr.pair is None else symbol_of(descr.pair),
        side=flat.SIDES.get(descr.type or ""),
        order_type=order_type,
        order_qty=None if in_quote else qty,
        cash_order_qty=qty if in_quote else None,
        limit_price=limit,
        limit_price_type=None if limit is None else limit_kind,
        time_in_force=flat.TIMES_IN_FORCE.get(row.timeinforce or ""),
        display_qty=flat.number(row.display_volume),
        display_qty_remain=flat.number(row.display_volume_remain),
        effective_time_ns=flat.time_ns(row.starttm),
        expire_time_ns=flat.time_ns(row.expiretm),
        post_only="post" in flags,
        margin=leverage is not None,
        leverage=leverage,
        liquidated="liquidation" in flat.parts(row.misc),
        fee_preference=flat.fee_preference(flags),
        triggers=_triggers(row, order_type, prices),
        contingent=None if close is None else flat.contingent(close.ordertype, close.price, close.price2),
        cl_ord_id=flat.said(row.cl_ord_id),
        order_userref=row.userref or None,
        sender_sub_id=flat.said(row.sender_sub_id),
        ord_ref_id=flat.said(row.refid),
        cum_qty=cum_qty,
        cum_cost=flat.number(row.cost),
        cum_fee=flat.number(row.fee),
        avg_price=flat.number(row.avg_price),
        amended=bool(row.amended),
        reason=flat.said(row.cancel_reason) or flat.said(row.amend_reason),
        ratecount=_whole(row.ratecount),
    )


def _triggers(row: _Order, order_type: OrderType | None, prices: flat.Places) -> TriggerState | None:
    """What an order waits for; where its trigger stands now can be told alone."""
    stop = flat.number(row.stopprice) or None
    if prices.trigger is None and (stop is None or order_type is not None):
        return None
    return TriggerState(
        reference=flat.REFERENCES.get(row.trigger or "", "last"),
        price=prices.trigger,
        price_type=prices.trigger_kind,
        actual_price=stop,
    )


def _whole(value: _Number) -> int | None:
    found = flat.number(value)
    return None if found is None else int(found)


# -- ownTrades -------------------------------------------------------------------


def _trade(exec_id: str, entry: object, _kind: Kind) -> Execution:
    row = _typed(entry, _Trade)
    symbol, fee = symbol_of(row.pair), flat.number(row.fee)
    return Execution(
        order_id=row.ordertxid,
        exec_type="trade",
        order_status="partially_filled",
        time_ns=flat.time_ns(row.time) or 0,
        symbol=symbol,
        side=flat.SIDES.get(row.type or ""),
        order_type=flat.ORDER_TYPES.get(row.ordertype or ""),
        margin=bool(flat.number(row.margin) or Decimal(0)),
        margin_borrow=bool(row.margin_borrow),
        cl_ord_id=flat.said(row.cl_ord_id),
        order_userref=row.userref or None,
        exec_id=exec_id,
        last_qty=flat.number(row.vol),
        last_price=flat.number(row.price),
        cost=flat.number(row.cost),
        fees=() if fee is None else (Fee(asset=symbol.partition("/")[2], qty=fee),),
    )


_CHANNELS: Final[Mapping[str, Callable[[str, object, Kind], Execution]]] = {
    "openOrders": _order,
    "ownTrades": _trade,
}
"""By name: what reads one entry."""
