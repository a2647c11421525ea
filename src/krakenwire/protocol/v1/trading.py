"""The client's side of v1's private half, outbound: orders and private subscriptions into frames.

All scalars are strings, as documented; prices have places instead of names.
What v1 has no member for is a `UsageError`. The replies are read in
`general`, the feeds in `private_events`. Source: v1 reference, sections 6, 9 and 10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from krakenwire.errors import UsageError
from krakenwire.model import (
    AddOrder,
    AmendOrder,
    BatchAdd,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    EditOrder,
    TradingRequest,
)
from krakenwire.protocol.flat_writing import amend_texts, deadline_text, edit_texts, order_texts, pair_text
from krakenwire.protocol.v1.venue_frames import compact

__all__ = ["encode_request", "subscribe_open_orders", "subscribe_own_trades", "unsubscribe_private"]

_Members = dict[str, Any]


def encode_request(request: TradingRequest, token: str, req_id: int) -> str:
    """Return the frame of a request about orders.

    Times are cut to the digits of their place: milliseconds of a deadline, else seconds. Cancellations are
    answered in the order of `order_ids`, `order_userrefs`, `cl_ord_ids`.

    Raises:
        UsageError: something that v1 cannot say: a batch, an iceberg, ``fok``, a trigger on the index, an edit
            with a deadline or a display quantity, and what `flat_writing` names.
    """
    event, members = _EVENTS[request.__class__]
    return compact({"event": event, "reqid": req_id, "token": token, **members(request)})


def subscribe_open_orders(token: str, req_id: int, *, ratecounter: bool = False) -> str:
    """Return the frame that asks for `openOrders`; `ratecounter` for the trading counter along."""
    return _subscription("subscribe", req_id, name="openOrders", token=token, ratecounter=ratecounter)


def subscribe_own_trades(token: str, req_id: int, *, snapshot: bool = True, consolidate_taker: bool = True) -> str:
    """Return the frame that asks for `ownTrades`.

    Args:
        token: of the account.
        req_id: to be repeated in the reply.
        snapshot: begin with the last 50 fills.
        consolidate_taker: tell the fills of one taking order as one.
    """
    return _subscription(
        "subscribe", req_id, name="ownTrades", token=token, snapshot=snapshot, consolidate_taker=consolidate_taker
    )


def unsubscribe_private(channel: str, token: str, req_id: int) -> str:
    """Return the frame that ends `openOrders` or `ownTrades`."""
    return _subscription("unsubscribe", req_id, name=channel, token=token)


def _subscription(event: str, req_id: int, **subscription: str | bool) -> str:
    return compact({"event": event, "reqid": req_id, "subscription": subscription})


# -- requests --------------------------------------------------------------------


def _unsayable(what: str, found: object) -> UsageError:
    return UsageError(f"{what} does not exist on API version 1", found=found)


def _add(order: AddOrder) -> _Members:
    members: _Members = order_texts(order)
    for name in ("trigger", "displayvol"):
        if name in members:
            raise _unsayable(f"{name} of an order", members[name])
    if order.time_in_force == "fok":
        raise _unsayable("time in force fok", order.time_in_force)
    if "stptype" in members:
        members["stp_type"] = members.pop("stptype").replace("-", "_")
    deadline = deadline_text(order.deadline_ns)
    members["pair"] = pair_text(order.symbol)
    return members | ({"deadline": deadline} if deadline else {}) | ({"validate": "true"} if order.validate else {})


def _amend(amend: AmendOrder) -> _Members:
    names = {"order_qty": "volume", "display_qty": "display_volume"}
    return {names.get(name, name): text for name, text in amend_texts(amend).items()}


def _edit(edit: EditOrder) -> _Members:
    names = {"txid": "orderid", "userref": "newuserref"}
    texts = edit_texts(edit)
    for name in ("displayvol", "deadline"):
        if name in texts:
            raise _unsayable(f"{name} of an edit", texts[name])
    return {names.get(name, name): text for name, text in texts.items()}


def _cancel(cancel: CancelOrders) -> _Members:
    ids = [*cancel.order_ids, *map(str, cancel.order_userrefs)]
    return ({"txid": ids} if ids else {}) | ({"cl_ord_id": cancel.cl_ord_ids} if cancel.cl_ord_ids else {})


def _cancel_all(_request: CancelAll) -> _Members:
    return {}


def _cancel_all_after(request: CancelAllAfter) -> _Members:
    return {"timeout": request.timeout_s}


def _batch(request: BatchAdd | BatchCancel) -> _Members:
    raise _unsayable("a batch", request)


_EVENTS: Final[Mapping[type[TradingRequest], tuple[str, Callable[[Any], _Members]]]] = {
    AddOrder: ("addOrder", _add),
    AmendOrder: ("amendOrder", _amend),
    EditOrder: ("editOrder", _edit),
    CancelOrders: ("cancelOrder", _cancel),
    CancelAll: ("cancelAll", _cancel_all),
    CancelAllAfter: ("cancelAllOrdersAfter", _cancel_all_after),
    BatchAdd: ("", _batch),
    BatchCancel: ("", _batch),
}
