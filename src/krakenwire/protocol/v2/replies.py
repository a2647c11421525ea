"""The client's side of v2 trading, inbound: what the venue replied to a request about orders.

A reply that says yes is read as far as it can be: only what the outcome cannot
do without - a count, a time of the switch - is insisted on. New members are
passed over, and a time that cannot be read is no time: the outcome is worth
more. Source: v2 reference, sections 2.3, 8 and 13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from krakenwire.errors import DecodeError
from krakenwire.model import (
    Added,
    AllCanceled,
    Amended,
    Answer,
    BatchAdded,
    BatchCanceled,
    Canceled,
    Edited,
    OrderRefused,
    TimerSet,
    TradingReply,
)
from krakenwire.model.times import ns_from_rfc3339
from krakenwire.protocol.v2.wire import Reply
from krakenwire.protocol.v2.wire_private import TradingResult

__all__ = ["trading_reply"]

_RESULT = msgspec.json.Decoder(TradingResult)
_ROWS = msgspec.json.Decoder(list[TradingResult])
_NOTHING: Final = b"null"


def trading_reply(reply: Reply) -> TradingReply | None:
    """Return what a reply to one of `PRIVATE_METHODS` says, None when it says neither yes nor no.

    Raises:
        DecodeError: a yes without what it is about.
        msgspec.MsgspecError: a member of the wrong type.
    """
    refused = reply.success is False or reply.error is not None
    if not (refused or reply.success):
        return None
    return TradingReply(
        method=reply.method,
        answer=_refused(reply) if refused else _ANSWERS[reply.method](reply),
        req_id=reply.req_id,
        time_in_ns=_readable_time(reply.time_in),
        time_out_ns=_readable_time(reply.time_out),
    )


def _readable_time(text: str | None) -> int | None:
    try:
        return None if text is None else ns_from_rfc3339(text)
    except DecodeError:
        return None


# -- answers ---------------------------------------------------------------------


def _refused(reply: Reply) -> Answer:
    """A refusal of the whole, or of some orders of a batch."""
    if reply.error is None and reply.method == "batch_add" and bytes(reply.result) != _NOTHING:
        return _batch_added(reply)
    return OrderRefused(reply.error or "")


def _result(reply: Reply) -> TradingResult:
    return _RESULT.decode(reply.result)


def _added(reply: Reply) -> Answer:
    return _one_added(_result(reply))


def _one_added(result: TradingResult) -> Added:
    return Added(
        order_id=result.order_id,
        cl_ord_id=result.cl_ord_id,
        order_userref=result.order_userref,
        warnings=tuple(result.warnings),
    )


def _amended(reply: Reply) -> Answer:
    result = _result(reply)
    return Amended(
        amend_id=result.amend_id,
        order_id=result.order_id or None,
        cl_ord_id=result.cl_ord_id,
        warnings=tuple(result.warnings),
    )


def _edited(reply: Reply) -> Answer:
    result = _result(reply)
    return Edited(order_id=result.order_id, original_order_id=result.original_order_id, warnings=tuple(result.warnings))


def _canceled(reply: Reply) -> Answer:
    result = _result(reply)
    return Canceled(
        order_id=result.order_id or None,
        cl_ord_id=result.cl_ord_id,
        order_userref=result.order_userref,
        count=1 if result.count is None else result.count,
    )


def _all_canceled(reply: Reply) -> Answer:
    return AllCanceled(_count(_result(reply).count))


def _timer_set(reply: Reply) -> Answer:
    result = _result(reply)
    if result.current_time is None:
        raise DecodeError("no currentTime", bytes(reply.result))
    trigger = result.trigger_time
    disarmed = trigger is None or trigger in ("0", 0)
    return TimerSet(
        current_ns=ns_from_rfc3339(result.current_time),
        trigger_ns=None if disarmed else ns_from_rfc3339(str(trigger)),
    )


def _batch_added(reply: Reply) -> Answer:
    rows = _ROWS.decode(reply.result)
    return BatchAdded(tuple(_one_added(row) if row.error is None else OrderRefused(row.error) for row in rows))


def _batch_canceled(reply: Reply) -> Answer:
    """The count stands in `result`, or beside it as in 2024."""
    count = reply.orders_cancelled
    return BatchCanceled(_count(_result(reply).count if count is None else count))


def _count(count: int | None) -> int:
    if count is None:
        raise DecodeError("no count of canceled orders")
    return count


_ANSWERS: Final[Mapping[str, Callable[[Reply], Answer]]] = {
    "add_order": _added,
    "amend_order": _amended,
    "edit_order": _edited,
    "cancel_order": _canceled,
    "cancel_all": _all_canceled,
    "cancel_all_orders_after": _timer_set,
    "batch_add": _batch_added,
    "batch_cancel": _batch_canceled,
}
