"""The venue's side of v1's private half, outbound: answers about orders, `openOrders` and `ownTrades`.

An entry is made once, a body of entries once for all that are told the same;
only the sequence at its end differs by connection. General messages and full
entries have their members in alphabetical order, short entries have the order
in which they were recorded. Source: v1 reference, sections 6.3, 9 and 10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from krakenwire.model import (
    Added,
    AllCanceled,
    Amended,
    Answer,
    Canceled,
    Contingent,
    Edited,
    Execution,
    OrderRecord,
    OrderRefused,
    TimerSet,
    TradeRecord,
)
from krakenwire.model.times import rfc3339_from_ns, unix_text_from_ns
from krakenwire.protocol.descriptions import (
    NO_POSITION,
    VOLUME_DECIMALS,
    PairTexts,
    feed_words,
    fixed,
    order_flags,
    priced,
)
from krakenwire.protocol.v1.venue_frames import compact
from krakenwire.protocol.v1.venue_private import PrivateSubscribe, PrivateUnsubscribe

__all__ = [
    "answered",
    "change_entry",
    "open_orders_body",
    "order_entry",
    "own_trades_body",
    "private_subscribed",
    "private_unsubscribed",
    "trade_entry",
    "with_sequence",
]

_Members = dict[str, Any]

_encode = msgspec.json.Encoder().encode


# -- answers ---------------------------------------------------------------------


def answered(event: str, answer: Answer, req_id: int | None = None) -> str:
    """Return the status that answers a request about orders.

    Args:
        event: as the request called itself.
        answer: the outcome of it, or of one of the orders it cancels.
        req_id: of the request.
    """
    members: _Members = {"event": f"{event}Status", "status": "ok"}
    if req_id is not None:
        members["reqid"] = req_id
    if isinstance(answer, OrderRefused):
        members |= {"errorMessage": answer.error, "status": "error"}
    else:
        members |= _ANSWERS[answer.__class__](answer)
    return compact({name: value for name, value in members.items() if value is not None})


def _added(answer: Added) -> _Members:
    """An order that was only checked is told without the id it would have had."""
    return {"descr": answer.descr, "txid": answer.order_id or None, "cl_ord_id": answer.cl_ord_id}


def _edited(answer: Edited) -> _Members:
    return {
        "descr": answer.descr,
        "originaltxid": answer.original_order_id or None,
        "txid": answer.order_id or None,
    }


def _amended(answer: Amended) -> _Members:
    return {"amend_id": answer.amend_id, "txid": answer.order_id, "cl_ord_id": answer.cl_ord_id}


def _canceled(_answer: Canceled) -> _Members:
    """Nothing more: one client takes nothing that it does not know here."""
    return {}


def _all_canceled(answer: AllCanceled) -> _Members:
    return {"count": answer.count}


def _timer_set(answer: TimerSet) -> _Members:
    trigger = "0" if answer.trigger_ns is None else rfc3339_from_ns(answer.trigger_ns, 0)
    return {"currentTime": rfc3339_from_ns(answer.current_ns, 0), "triggerTime": trigger}


_ANSWERS: Final[Mapping[type, Callable[[Any], _Members]]] = {
    Added: _added,
    Edited: _edited,
    Amended: _amended,
    Canceled: _canceled,
    AllCanceled: _all_canceled,
    TimerSet: _timer_set,
}


def private_subscribed(request: PrivateSubscribe, maxratecount: int) -> str:
    """Return the status that confirms a private channel; `maxratecount` is told with `openOrders` only."""
    subscription: _Members = {"name": request.channel}
    if request.channel == "openOrders":
        subscription["maxratecount"] = maxratecount
    return _channel_status("subscribed", request.channel, request.req_id, subscription)


def private_unsubscribed(request: PrivateUnsubscribe) -> str:
    """Return the status that ends a private channel."""
    return _channel_status("unsubscribed", request.channel, request.req_id, {"name": request.channel})


def _channel_status(status: str, channel: str, req_id: int | None, subscription: _Members) -> str:
    members: _Members = {
        "channelName": channel,
        "event": "subscriptionStatus",
        "status": status,
        "subscription": subscription,
    }
    if req_id is not None:
        members["reqid"] = req_id
    return compact(members)


# -- messages --------------------------------------------------------------------


def open_orders_body(entries: Iterable[str]) -> str:
    """Return an `openOrders` message of some entries, up to its sequence."""
    return f'[[{",".join(entries)}],"openOrders",{{"sequence":'


def own_trades_body(entries: Iterable[str]) -> str:
    """Return an `ownTrades` message of some entries, up to its sequence."""
    return f'[[{",".join(entries)}],"ownTrades",{{"sequence":'


def with_sequence(body: str, sequence: int) -> str:
    """Return the frame of a body for one connection."""
    return f"{body}{sequence}}}]"


# -- entries ---------------------------------------------------------------------


def order_entry(
    record: OrderRecord, pair: PairTexts, ratecount: int | None = None, amend_reason: str | None = None
) -> str:
    """Return the full entry of an order: of a snapshot, of a new order, of one that was amended.

    Args:
        record: the order.
        pair: its pair.
        ratecount: the trading counter, where it was asked for.
        amend_reason: why it was amended, if that is what is told.
    """

    def money(value: Decimal) -> str:
        return fixed(value, pair.v1_decimals)

    entry: _Members = {
        "amend_reason": amend_reason,
        "amended": record.amended or None,
        "avg_price": money(record.avg_price),
        "cancel_reason": record.reason,
        "cl_ord_id": record.cl_ord_id,
        "contingent": None if record.conditional is None else _contingent(record.conditional, pair.v1_decimals),
        "cost": money(record.cum_cost),
        "display_volume": _volume(record.display_qty),
        "display_volume_remain": _volume(record.display_qty_remain),
        "fee": money(record.fee),
        "lastupdated": None if record.updated_ns is None else unix_text_from_ns(record.updated_ns),
        "limitprice": money(record.actual_limit_price),
        "misc": ",".join(record.misc),
        "oflags": order_flags(record),
        "opentm": unix_text_from_ns(record.open_time_ns),
        "ratecount": ratecount,
        "sender_sub_id": record.sender_sub_id,
        "status": record.status,
        "stopprice": money(record.stop_price),
        "timeinforce": record.time_in_force.upper(),
        "trigger": None if record.triggers is None else record.triggers.reference,
        "userref": record.order_userref or 0,
        "vol": _volume(record.order_qty),
        "vol_exec": _volume(record.cum_qty),
    }
    said = {name: value for name, value in entry.items() if value is not None}
    nullable = {
        "expiretm": _time(record.expire_time_ns),
        "refid": record.ref_id,
        "starttm": _time(record.start_time_ns),
        "descr": _description(record, pair),
    }
    return compact({record.order_id: said | nullable})


def change_entry(event: Execution, pair: PairTexts, ratecount: int | None = None) -> str | None:
    """Return the short entry of what happened to an order; None where there is none to make.

    That an order is new, or was amended, is told with its full entry (`order_entry`).

    Args:
        event: of the account's stream, with the totals of its kind.
        pair: of the order.
        ratecount: the trading counter, where it was asked for.
    """
    layout = _CHANGES.get(event.exec_type)
    if layout is None:
        return None
    told = layout(event, pair.v1_decimals)
    entry = {name: value for name, value in told.items() if value is not None}
    if not entry:
        return None
    entry["userref"] = event.order_userref or 0
    if event.cl_ord_id is not None:
        entry["cl_ord_id"] = event.cl_ord_id
    if event.exec_type == "canceled":
        entry["cancel_reason"] = event.reason or ""
    if ratecount is not None:
        entry["ratecount"] = ratecount
    return _encode({event.order_id: entry}).decode()


def trade_entry(record: TradeRecord, pair: PairTexts, *, live: bool) -> str:
    """Return the entry of a fill; only one that has just happened (`live`) names its order's `userref`."""

    def money(value: Decimal) -> str:
        return fixed(value, pair.v1_decimals)

    entry: _Members = {
        "cost": money(record.cost),
        "fee": money(record.fee),
        "margin": money(record.margin),
        "ordertxid": record.order_id,
        "ordertype": record.order_type,
        "pair": pair.wsname,
        "postxid": record.position_id or NO_POSITION,
        "price": money(record.price),
        "time": unix_text_from_ns(record.time_ns),
        "type": record.side,
        "vol": _volume(record.qty),
    }
    if live and record.order_userref is not None:
        entry["userref"] = record.order_userref
    if live and record.cl_ord_id is not None:
        entry["cl_ord_id"] = record.cl_ord_id
    return compact({record.exec_id: entry})


# -- inside ----------------------------------------------------------------------


def _volume(qty: Decimal | None) -> str | None:
    return None if qty is None else fixed(qty, VOLUME_DECIMALS)


def _time(ns: int | None) -> str | None:
    return None if ns is None else unix_text_from_ns(ns)


def _description(record: OrderRecord, pair: PairTexts) -> _Members:
    words = feed_words(record, pair)
    return {
        "close": words.close or None,
        "leverage": None if record.leverage is None else f"{record.leverage}:1",
        "order": words.order,
        "ordertype": record.order_type,
        "pair": pair.wsname,
        "price": words.price,
        "price2": words.price2,
        "type": record.side,
    }


def _contingent(close: Contingent, decimals: int) -> _Members:
    limit = priced(close.limit_price, close.limit_price_type or "static", decimals)
    trigger = priced(close.trigger_price, close.trigger_price_type or "static", decimals)
    first, second = (trigger, limit) if trigger else (limit, "")
    places = {"ordertype": close.order_type, "price": first, "price2": second}
    return {name: text for name, text in places.items() if text}


def _begun(_event: Execution, _decimals: int) -> _Members:
    return {"status": "open"}


def _totals(event: Execution, decimals: int) -> _Members:
    return {
        "vol_exec": _volume(event.cum_qty or Decimal(0)),
        "cost": fixed(event.cum_cost or Decimal(0), decimals),
        "fee": fixed(event.cum_fee or Decimal(0), decimals),
        "avg_price": fixed(event.avg_price or Decimal(0), decimals),
    }


def _ended(event: Execution, decimals: int) -> _Members:
    status = "closed" if event.exec_type == "filled" else event.exec_type
    return {"lastupdated": unix_text_from_ns(event.time_ns), "status": status} | _totals(event, decimals)


def _moved(event: Execution, decimals: int) -> _Members:
    """A trigger has moved or fired."""
    if event.triggers is None or event.triggers.actual_price is None:
        return {}
    price = fixed(event.triggers.actual_price, decimals)
    return {"lastupdated": unix_text_from_ns(event.time_ns), "stopprice": price}


def _refilled(event: Execution, _decimals: int) -> _Members:
    return {"display_volume_remain": _volume(event.display_qty_remain)}


_CHANGES: Final[Mapping[str, Callable[[Execution, int], _Members]]] = {
    "new": _begun,
    "trade": _totals,
    "filled": _ended,
    "canceled": _ended,
    "expired": _ended,
    "status": _moved,
    "iceberg_refill": _refilled,
}
"""The short entries: what stands in them before the `userref`."""
