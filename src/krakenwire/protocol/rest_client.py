"""The client's side of private REST: requests about orders into calls, and answers into replies and records.

A call is a method and the parameters of its form; the nonce and the signature
are added where it is sent (`rest_body.form_body`, `rest_sign`). Pairs and
assets come back in their v2 names where their text can be read, else as the
service wrote them. Source: v2 reference, sections 4.2, 8 and 11.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec

from krakenwire.errors import DecodeError, UsageError, VenueRefusal
from krakenwire.model import (
    Added,
    AddOrder,
    AllCanceled,
    Amended,
    AmendOrder,
    Answer,
    BatchAdd,
    BatchAdded,
    BatchCancel,
    BatchCanceled,
    CancelAll,
    CancelAllAfter,
    Canceled,
    CancelOrders,
    Edited,
    EditOrder,
    OrderRefused,
    TimerSet,
    TradingReply,
    TradingRequest,
)
from krakenwire.model.numbers import decimal_from_text
from krakenwire.model.orders import METHODS
from krakenwire.model.times import ns_from_rfc3339
from krakenwire.protocol.flat_writing import amend_texts, deadline_text, edit_texts, order_texts, pair_text

__all__ = ["RestCall", "rest_call", "rest_reply", "rest_result"]

_ResultT = TypeVar("_ResultT")


class RestCall(NamedTuple):
    """A private call: the method of its path, and the parameters of its form but for the nonce."""

    method: str
    params: dict[str, str]


class _Envelope(msgspec.Struct):
    error: list[str] = []
    result: msgspec.Raw = msgspec.Raw(b"null")


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


def rest_result(body: bytes | str, wanted: type[_ResultT], method: str = "") -> _ResultT:
    """Return the result in the body of an answer.

    Args:
        body: as received.
        wanted: its shape; where it leaves the type of a number open, one with decimals becomes a `Decimal`.
        method: of the call, for the refusal.

    Raises:
        VenueRefusal: the first of its errors, in the service's words.
        DecodeError: not such an answer.
    """
    try:
        envelope = _ENVELOPE.decode(body)
        refused = [error for error in envelope.error if not error.startswith("W")]
        if refused:
            raise VenueRefusal(refused[0], method=method)
        found: _ResultT = _result_decoder(cast("Hashable", wanted)).decode(envelope.result)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not the answer to a call ({error})", body) from None
    return found


@lru_cache(maxsize=64)
def _result_decoder(wanted: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(wanted, float_hook=decimal_from_text)


# -- calls -----------------------------------------------------------------------


def rest_call(request: TradingRequest) -> RestCall:
    """Return the call that asks for something about orders.

    Raises:
        UsageError: something that REST cannot say: `CancelOrders` with ids of two kinds or several `cl_ord_ids`,
            a batch of several symbols or with a deadline or a check of one order, and what `flat_writing` names.
    """
    method, params = _CALLS[request.__class__]
    return RestCall(method, params(request))


def _whole(deadline_ns: int | None, validate: bool) -> dict[str, str]:
    deadline = deadline_text(deadline_ns)
    return ({"deadline": deadline} if deadline else {}) | ({"validate": "true"} if validate else {})


def _add(order: AddOrder) -> dict[str, str]:
    return {"pair": pair_text(order.symbol)} | order_texts(order) | _whole(order.deadline_ns, order.validate)


def _batch_add(batch: BatchAdd) -> dict[str, str]:
    params = {"pair": pair_text(batch.symbol)} | _whole(batch.deadline_ns, batch.validate)
    for index, order in enumerate(batch.orders):
        if (order.symbol, order.deadline_ns, order.validate) != (batch.symbol, None, False):
            expected = f"the symbol {batch.symbol}, no deadline and no check of its own"
            raise UsageError("an order of a batch on REST", expected=expected, found=order)
        for name, text in order_texts(order).items():
            member, bracket, inner = name.partition("[")
            params[f"orders[{index}][{member}]{bracket}{inner}"] = text
    return params


def _cancel(cancel: CancelOrders) -> dict[str, str]:
    ids = [*cancel.order_ids, *map(str, cancel.order_userrefs)]
    if len(cancel.cl_ord_ids) > 1 or (ids and cancel.cl_ord_ids) or not (ids or cancel.cl_ord_ids):
        raise UsageError("a cancellation on REST", expected="order ids and userrefs, or one cl_ord_id", found=cancel)
    return {"txid": ",".join(ids)} if ids else {"cl_ord_id": cancel.cl_ord_ids[0]}


def _batch_cancel(batch: BatchCancel) -> dict[str, str]:
    named = {f"orders[{index}]": text for index, text in enumerate(batch.order_ids)}
    return named | {f"cl_ord_ids[{index}]": text for index, text in enumerate(batch.cl_ord_ids)}


def _cancel_all(_request: CancelAll) -> dict[str, str]:
    return {}


def _cancel_all_after(request: CancelAllAfter) -> dict[str, str]:
    return {"timeout": str(request.timeout_s)}


_CALLS: Final[Mapping[type[TradingRequest], tuple[str, Callable[[Any], dict[str, str]]]]] = {
    AddOrder: ("AddOrder", _add),
    AmendOrder: ("AmendOrder", amend_texts),
    EditOrder: ("EditOrder", edit_texts),
    CancelOrders: ("CancelOrder", _cancel),
    CancelAll: ("CancelAll", _cancel_all),
    CancelAllAfter: ("CancelAllOrdersAfter", _cancel_all_after),
    BatchAdd: ("AddOrderBatch", _batch_add),
    BatchCancel: ("CancelOrderBatch", _batch_cancel),
}


# -- replies ---------------------------------------------------------------------


def rest_reply(request: TradingRequest, body: bytes | str) -> TradingReply:
    """Return what the service replied to the call of a request.

    `CancelOrders` is answered once for all its ids, with a count.

    Raises:
        DecodeError: a yes without what it is about.
    """
    method = METHODS[request.__class__]
    try:
        result = rest_result(body, _Result, method)
        answer = _ANSWERS[request.__class__](result)
    except VenueRefusal as refusal:
        answer = OrderRefused(refusal.error)
    return TradingReply(method=method, answer=answer)


class _Descr(msgspec.Struct):
    order: str = ""
    close: str | None = None


class _Row(msgspec.Struct):
    descr: _Descr | None = None
    txid: str | list[str] | None = None
    error: str | list[str] | None = None


class _Result(msgspec.Struct):
    descr: _Descr | None = None
    txid: str | list[str] | None = None
    orders: list[_Row] = []
    originaltxid: str | None = None
    amend_id: str = ""
    count: int | None = None
    current_time: str | None = msgspec.field(name="currentTime", default=None)
    trigger_time: str | int | None = msgspec.field(name="triggerTime", default=None)


def _first(texts: str | list[str] | None) -> str:
    if isinstance(texts, str):
        return texts
    return texts[0] if texts else ""


def _one_added(row: _Row | _Result) -> Added:
    descr = row.descr or _Descr()
    return Added(order_id=_first(row.txid), descr=descr.order, close=descr.close or "")


def _batch_added(result: _Result) -> Answer:
    rows = [OrderRefused(_first(row.error)) if row.error else _one_added(row) for row in result.orders]
    return BatchAdded(tuple(rows))


def _edited(result: _Result) -> Answer:
    descr = result.descr or _Descr()
    return Edited(order_id=_first(result.txid), original_order_id=result.originaltxid or "", descr=descr.order)


def _amended(result: _Result) -> Answer:
    return Amended(amend_id=result.amend_id)


def _count(result: _Result) -> int:
    if result.count is None:
        raise DecodeError("no count of canceled orders")
    return result.count


def _timer_set(result: _Result) -> Answer:
    if result.current_time is None:
        raise DecodeError("no currentTime")
    trigger = result.trigger_time
    disarmed = trigger is None or trigger in ("", "0", 0)
    return TimerSet(
        current_ns=ns_from_rfc3339(result.current_time),
        trigger_ns=None if disarmed else ns_from_rfc3339(str(trigger)),
    )


_ANSWERS: Final[Mapping[type[TradingRequest], Callable[[_Result], Answer]]] = {
    AddOrder: _one_added,
    AmendOrder: _amended,
    EditOrder: _edited,
    CancelOrders: lambda result: Canceled(count=_count(result)),
    CancelAll: lambda result: AllCanceled(_count(result)),
    CancelAllAfter: _timer_set,
    BatchAdd: _batch_added,
    BatchCancel: lambda result: BatchCanceled(_count(result)),
}
