"""The venue's side of v2 trading, outbound: answers about orders into reply frames.

Members stand in alphabetical order, and what a request did not give is not in
its answer. One answer is one frame: who cancels several orders sends several.
Source: v2 reference, sections 2.3 and 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

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
)
from krakenwire.model.times import rfc3339_from_ns

__all__ = ["answered"]

_Members = dict[str, Any]


def answered(
    method: str,
    answer: Answer,
    req_id: int | None,
    time_in_ns: int,
    time_out_ns: int,
    warnings: tuple[str, ...] = (),
) -> str:
    """Return the reply to a request about orders.

    Args:
        method: of the request.
        answer: the outcome of it, or of one of the orders it cancels.
        req_id: of the request.
        time_in_ns: when the request was read.
        time_out_ns: when the reply is written.
        warnings: what the request is warned of beside the answer's own; a batch and a refusal have no place for it.
    """
    number = "" if req_id is None else f'"req_id":{req_id},'
    time_in = rfc3339_from_ns(time_in_ns)
    time_out = time_in if time_out_ns == time_in_ns else rfc3339_from_ns(time_out_ns)
    times = f'"time_in":"{time_in}","time_out":"{time_out}"}}'
    if isinstance(answer, OrderRefused):
        return f'{{"error":{_json(answer.error)},"method":"{method}",{number}"success":false,{times}'
    if isinstance(answer, BatchCanceled):  # the count stands where it is documented, and where it was recorded
        number = f'"orders_cancelled":{answer.count},{number}'
    partly = isinstance(answer, BatchAdded) and any(isinstance(row, OrderRefused) for row in answer.orders)
    result = _json(_RESULTS[answer.__class__](answer, warnings))
    success = "false" if partly else "true"
    return f'{{"method":"{method}",{number}"result":{result},"success":{success},{times}'


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


# -- results -------------------------------------------------------------------


def _given(**members: Any) -> _Members:
    return {name: value for name, value in members.items() if value is not None}


def _added(answer: Added, warnings: tuple[str, ...] = ()) -> _Members:
    """An order that was only checked is told without the ids it would have had."""
    checked = not answer.order_id
    return _given(
        cl_ord_id=None if checked else answer.cl_ord_id,
        order_id=answer.order_id,
        order_userref=None if checked else answer.order_userref,
        warnings=(*answer.warnings, *warnings) or None,
    )


def _amended(answer: Amended, warnings: tuple[str, ...]) -> _Members:
    return _given(
        amend_id=answer.amend_id,
        cl_ord_id=answer.cl_ord_id,
        order_id=answer.order_id,
        warnings=(*answer.warnings, *warnings) or None,
    )


def _edited(answer: Edited, warnings: tuple[str, ...]) -> _Members:
    return _given(
        order_id=answer.order_id,
        original_order_id=answer.original_order_id,
        warnings=(*answer.warnings, *warnings) or None,
    )


def _canceled(answer: Canceled, _warnings: tuple[str, ...]) -> _Members:
    return _given(cl_ord_id=answer.cl_ord_id, order_id=answer.order_id, order_userref=answer.order_userref)


def _timer_set(answer: TimerSet, _warnings: tuple[str, ...]) -> _Members:
    trigger = "0" if answer.trigger_ns is None else rfc3339_from_ns(answer.trigger_ns, 0)
    return _given(currentTime=rfc3339_from_ns(answer.current_ns, 0), triggerTime=trigger)


def _batch_added(answer: BatchAdded, _warnings: tuple[str, ...]) -> list[_Members]:
    return [_row(row) for row in answer.orders]


def _row(row: Added | OrderRefused) -> _Members:
    if isinstance(row, OrderRefused):
        return {"error": row.error}
    return _added(row) if row.order_id else {"validation": "Validated Successfully"}


def _count(answer: AllCanceled | BatchCanceled, _warnings: tuple[str, ...]) -> _Members:
    return {"count": answer.count}


_RESULTS: Final[Mapping[type[Answer], Callable[[Any, tuple[str, ...]], object]]] = {
    Added: _added,
    Amended: _amended,
    Edited: _edited,
    Canceled: _canceled,
    AllCanceled: _count,
    TimerSet: _timer_set,
    BatchAdded: _batch_added,
    BatchCanceled: _count,
}
