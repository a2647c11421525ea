"""The venue's side of REST trading: parameters of a call into one request, and answers into results.

Members that a call does not have are passed over, as the service does. Only
what can be seen in the parameters is judged; the rest is for the exchange.
Next: `flat_orders` for the meaning of the texts, `rest_entries` for what the
reading calls tell. Source: v2 reference, sections 8, 11 and 12; v1 reference, 10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from krakenwire import limits
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
    OrderRecord,
    OrderRefused,
    TimerSet,
    TradingRequest,
)
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol.descriptions import VOLUME_DECIMALS, PairTexts, fixed, record_words
from krakenwire.protocol.flat_orders import amend_of, edit_of, order_of
from krakenwire.protocol.flat_values import flag, invalid, require, symbol_or_text, whole
from krakenwire.protocol.rest import Json
from krakenwire.protocol.rest_body import items, rows
from krakenwire.protocol.v2.refusals import Declined
from krakenwire.protocol.v2.venue_values import deadline

__all__ = ["REST_TRADING", "rest_answer", "rest_edited", "rest_request"]

Params = Mapping[str, str]


def rest_request(method: str, params: Params, now_ns: int) -> TradingRequest:
    """Return what a call of `REST_TRADING` asks for.

    Args:
        method: such as ``AddOrder``.
        params: by their flat names, as `rest_body.parameters` gives them.
        now_ns: for deadlines and times that count from now.

    Raises:
        Declined: with the service's text.
    """
    return _METHODS[method](params, now_ns)


# -- requests --------------------------------------------------------------------


def _add(params: Params, now_ns: int) -> AddOrder:
    require(params, "pair")
    return order_of(params, symbol_or_text(params["pair"]), now_ns, _deadline(params, now_ns))


def _deadline(params: Params, now_ns: int) -> int | None:
    return deadline(params, now_ns) if params.get("deadline") else None


def _add_batch(params: Params, now_ns: int) -> BatchAdd:
    require(params, "pair")
    symbol = symbol_or_text(params["pair"])
    tables = rows(params, "orders")
    fewest, most = limits.BATCH_ADD_ORDERS
    if not fewest <= len(tables) <= most:
        raise invalid("orders")
    orders = tuple(order_of(_alone(table), symbol, now_ns) for table in tables)
    return BatchAdd(
        symbol=symbol, orders=orders, deadline_ns=_deadline(params, now_ns), validate=flag(params, "validate")
    )


def _alone(table: Params) -> Params:
    """An order of a batch, which is checked or placed as the whole batch is."""
    return {name: text for name, text in table.items() if name != "validate"}


def _amend(params: Params, now_ns: int) -> AmendOrder:
    pair = params.get("pair")
    return amend_of(params, symbol_or_text(pair) if pair else None, now_ns)


def _edit(params: Params, now_ns: int) -> EditOrder:
    require(params, "txid", "pair")
    return edit_of(params, symbol_or_text(params["pair"]), now_ns)


def _cancel(params: Params, _now_ns: int) -> CancelOrders:
    order_ids, cl_ord_id = items(params, "txid"), params.get("cl_ord_id")
    if not order_ids and not cl_ord_id:
        raise invalid("txid")
    if len(order_ids) > limits.VENUE_CANCELS_PER_REQUEST_MAX:
        raise invalid("txid")
    return CancelOrders(order_ids=order_ids, cl_ord_ids=(cl_ord_id,) if cl_ord_id else ())


def _cancel_batch(params: Params, _now_ns: int) -> BatchCancel:
    order_ids, cl_ord_ids = items(params, "orders"), items(params, "cl_ord_ids")
    if not 1 <= len(order_ids) + len(cl_ord_ids) <= limits.BATCH_CANCEL_ORDERS[1]:
        raise invalid("orders")
    return BatchCancel(order_ids=order_ids, cl_ord_ids=cl_ord_ids)


def _cancel_all(_params: Params, _now_ns: int) -> CancelAll:
    return CancelAll()


def _cancel_all_after(params: Params, _now_ns: int) -> CancelAllAfter:
    timeout_s = whole(params, "timeout")
    if timeout_s is None:
        raise invalid("timeout")
    if not 0 <= timeout_s < limits.CANCEL_AFTER_S_MAX:
        raise invalid("Invalid timeout argument")
    return CancelAllAfter(timeout_s=timeout_s)


_METHODS: Final[Mapping[str, Callable[[Params, int], TradingRequest]]] = {
    "AddOrder": _add,
    "AddOrderBatch": _add_batch,
    "AmendOrder": _amend,
    "CancelAll": _cancel_all,
    "CancelAllOrdersAfter": _cancel_all_after,
    "CancelOrder": _cancel,
    "CancelOrderBatch": _cancel_batch,
    "EditOrder": _edit,
}

REST_TRADING: Final = tuple(_METHODS)


# -- answers ---------------------------------------------------------------------


def rest_answer(answers: Sequence[Answer]) -> Json:
    """Return the result of a call by the answers to it: one, or of `CancelOrder` one per id.

    What `EditOrder` tells beside its ids is in `rest_edited`; refusals of it are found here, too.

    Raises:
        Declined: it is refused; of several ids, all are.
    """
    assert answers
    refused = [answer for answer in answers if isinstance(answer, OrderRefused)]
    if len(refused) == len(answers):
        raise Declined(refused[0].error)
    if any(isinstance(answer, Canceled) for answer in answers):
        return {"count": sum(answer.count for answer in answers if isinstance(answer, Canceled))}
    return _RESULTS[answers[0].__class__](answers[0])


def rest_edited(answer: Edited, record: OrderRecord, pair: PairTexts) -> Json:
    """Return the result of `EditOrder`, which tells the new order; `record` is it."""
    words = record_words(record, pair)
    ids: dict[str, Json] = {"txid": answer.order_id} if answer.order_id else {}
    return {
        "status": "ok",
        **ids,
        "originaltxid": answer.original_order_id,
        "volume": fixed(record.order_qty, VOLUME_DECIMALS),
        "price": words.price or "0",
        "price2": words.price2 or "0",
        "orders_cancelled": 1 if answer.order_id else 0,
        "descr": {"order": words.order},
    }


def _descr(answer: Added) -> dict[str, Json]:
    close: dict[str, Json] = {"close": answer.close} if answer.close else {}
    return {"order": answer.descr, **close}


def _added(answer: Added) -> Json:
    """An order that was only checked has no id."""
    ids: dict[str, Json] = {"txid": [answer.order_id]} if answer.order_id else {}
    return {"descr": _descr(answer), **ids}


def _batch_added(answer: BatchAdded) -> Json:
    return {"orders": [_row(row) for row in answer.orders]}


def _row(row: Added | OrderRefused) -> Json:
    if isinstance(row, OrderRefused):
        return {"error": row.error}
    ids: dict[str, Json] = {"txid": row.order_id} if row.order_id else {}
    return {"descr": _descr(row), **ids}


def _amended(answer: Amended) -> Json:
    return {"amend_id": answer.amend_id}


def _count(answer: AllCanceled | BatchCanceled) -> Json:
    return {"count": answer.count}


def _timer_set(answer: TimerSet) -> Json:
    trigger = "0" if answer.trigger_ns is None else rfc3339_from_ns(answer.trigger_ns, 0)
    return {"currentTime": rfc3339_from_ns(answer.current_ns, 0), "triggerTime": trigger}


_RESULTS: Final[Mapping[type, Callable[[Any], Json]]] = {
    Added: _added,
    BatchAdded: _batch_added,
    Amended: _amended,
    AllCanceled: _count,
    BatchCanceled: _count,
    TimerSet: _timer_set,
}
