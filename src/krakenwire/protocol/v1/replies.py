"""The client's side of v1 trading, inbound: the status of a request about orders as a reply.

A status does not name the order that a cancellation ended: replies come in
the order of the ids. Members that are new are passed over; only what the
outcome cannot do without is insisted on. Source: v1 reference, section 10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from krakenwire.errors import DecodeError
from krakenwire.model import (
    Added,
    AllCanceled,
    Amended,
    Answer,
    Canceled,
    Edited,
    OrderRefused,
    TimerSet,
    TradingReply,
)
from krakenwire.model.times import ns_from_rfc3339

__all__ = ["REPLY_EVENTS", "trading_reply"]

_Message = Mapping[str, object]

_COUNT_DIGITS_MAX: Final = 18


def trading_reply(message: _Message) -> TradingReply | None:
    """Return what a status of `REPLY_EVENTS` says, None when it says neither yes nor no.

    Raises:
        DecodeError: a yes without what it is about, or a member of the wrong type.
    """
    method, read = REPLY_EVENTS[_text(message, "event")]
    req_id = message.get("reqid")
    # A refusal echoes a bad reqid as it was sent: text, a list, anything.
    known = req_id if isinstance(req_id, int) and not isinstance(req_id, bool) else None
    if message.get("status") == "error" or message.get("errorMessage"):
        return TradingReply(method=method, answer=OrderRefused(_text(message, "errorMessage")), req_id=known)
    if message.get("status") != "ok":
        return None
    return TradingReply(method=method, answer=read(message), req_id=known)


def _text(message: _Message, name: str) -> str:
    """A text; empty when there is none."""
    value = message.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DecodeError(f"{name} is not a string", repr(value)[:200])
    return value


def _added(message: _Message) -> Answer:
    return Added(
        order_id=_text(message, "txid"),
        cl_ord_id=_text(message, "cl_ord_id") or None,
        descr=_text(message, "descr"),
    )


def _edited(message: _Message) -> Answer:
    return Edited(
        order_id=_text(message, "txid"),
        original_order_id=_text(message, "originaltxid"),
        descr=_text(message, "descr"),
    )


def _amended(message: _Message) -> Answer:
    return Amended(
        amend_id=_text(message, "amend_id"),
        order_id=_text(message, "txid") or None,
        cl_ord_id=_text(message, "cl_ord_id") or None,
    )


def _canceled(_message: _Message) -> Answer:
    return Canceled()


def _all_canceled(message: _Message) -> Answer:
    """The count is an integer; the documentation's schema calls it a string."""
    count = message.get("count")
    if isinstance(count, int) and not isinstance(count, bool):
        return AllCanceled(count)
    if isinstance(count, str) and count.isascii() and count.isdigit() and len(count) <= _COUNT_DIGITS_MAX:
        return AllCanceled(int(count))
    raise DecodeError("no count of canceled orders", repr(count)[:200])


def _timer_set(message: _Message) -> Answer:
    trigger = _text(message, "triggerTime")
    return TimerSet(
        current_ns=ns_from_rfc3339(_text(message, "currentTime")),
        trigger_ns=None if trigger in ("", "0") else ns_from_rfc3339(trigger),
    )


REPLY_EVENTS: Final[Mapping[str, tuple[str, Callable[[_Message], Answer]]]] = {
    "addOrderStatus": ("add_order", _added),
    "editOrderStatus": ("edit_order", _edited),
    "amendOrderStatus": ("amend_order", _amended),
    "cancelOrderStatus": ("cancel_order", _canceled),
    "cancelAllStatus": ("cancel_all", _all_canceled),
    "cancelAllOrdersAfterStatus": ("cancel_all_orders_after", _timer_set),
}
"""Each status: the method as v2 names it, and what reads a yes."""
