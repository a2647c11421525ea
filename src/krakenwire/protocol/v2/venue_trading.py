"""The venue's side of v2 trading, inbound: the parameters of each method into one typed call.

Members are checked strictly: that they are known, then their kinds, then that
none is missing, then values. What takes the market or the account to know -
symbols, increments, minimums, funds, the state of orders - and what all
versions have in common - which options go together, how far ahead an order may
end - is for the exchange. A text that the reference does not have is ours:
``EGeneral:Invalid arguments:`` and the member. Read `venue` first, `venue_values` next.
Source: v2 reference, sections 8 and 12.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from krakenwire import limits
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
    FeePreference,
    OrderType,
    PriceType,
    TradingRequest,
    Trigger,
)
from krakenwire.protocol.v2.private_words import unsaid_price_type
from krakenwire.protocol.v2.refusals import (
    FLAG,
    INTEGER,
    INTEGERS,
    NUMBER,
    OBJECT,
    OBJECTS,
    TEXT,
    TEXTS,
    Declined,
    MemberKind,
    checked,
    require,
)
from krakenwire.protocol.v2.venue_values import (
    FEE_PREFERENCES,
    ORDER_TYPES,
    PREVENTIONS,
    PRICE_TYPES,
    REFERENCES,
    SIDES,
    TIMES_IN_FORCE,
    client_id,
    deadline,
    exclusive,
    invalid,
    number,
    time,
    userref,
    word,
)

__all__ = ["TradingCall", "trading_call"]

_Given = Mapping[str, Any]


class TradingCall(msgspec.Struct, frozen=True, kw_only=True):
    """A well-formed request about orders.

    Args:
        method: how replies call it.
        request: what is asked for; its symbol is not yet looked up.
        token: not empty, not yet looked up.
        req_id: to be repeated in each reply, None when there was none.
        warnings: what the reply warns of, for members that are deprecated.
    """

    method: str
    request: TradingRequest
    token: str
    req_id: int | None = None
    warnings: tuple[str, ...] = ()


def trading_call(method: str, params: _Given, req_id: int | None, now_ns: int) -> TradingCall:
    """Return the call of a method of `METHODS` by its parameters.

    Args:
        method: its name.
        params: as decoded, with `refusals.exact_number`.
        req_id: of the request.
        now_ns: for deadlines.

    Raises:
        Declined: with the venue's text.
    """
    kinds, read = _METHODS[method]
    given = checked(params, kinds, method)
    require(given, "token")
    reading = _Reading(method, now_ns)
    request = read(reading, given)
    return TradingCall(
        method=method, request=request, token=given["token"], req_id=req_id, warnings=tuple(reading.warnings)
    )


class _Reading:
    """One request on its way: what all its parts need, and what they warn of."""

    def __init__(self, method: str, now_ns: int) -> None:
        self.method = method
        self.now_ns = now_ns
        self.warnings: dict[str, None] = {}

    def warn(self, text: str) -> None:
        """Note a warning once."""
        self.warnings[text] = None


# -- members -----------------------------------------------------------------

_TRIGGERS: Final[Mapping[str, MemberKind]] = {"price": NUMBER, "price_type": TEXT, "reference": TEXT}

_TRIGGER_MEMBERS: Final = ("triggers", "stop_price", "trigger")

_CONDITIONAL: Final[Mapping[str, MemberKind]] = {
    "order_type": TEXT,
    "limit_price": NUMBER,
    "limit_price_type": TEXT,
    "trigger_price": NUMBER,
    "trigger_price_type": TEXT,
    "stop_price": NUMBER,
}

_CHANGES: Final[Mapping[str, MemberKind]] = {
    "order_qty": NUMBER,
    "limit_price": NUMBER,
    "display_qty": NUMBER,
    "post_only": FLAG,
    "reduce_only": FLAG,
    "fee_preference": TEXT,
    "order_userref": INTEGER,
    "triggers": OBJECT,
    "no_mpp": FLAG,
    "stop_price": NUMBER,
    "trigger": TEXT,
}
"""What a new order and the replacement of one have in common."""

_ORDER: Final[Mapping[str, MemberKind]] = {
    **_CHANGES,
    "order_type": TEXT,
    "side": TEXT,
    "cash_order_qty": NUMBER,
    "limit_price_type": TEXT,
    "time_in_force": TEXT,
    "expire_time": TEXT,
    "effective_time": TEXT,
    "margin": FLAG,
    "stp_type": TEXT,
    "cl_ord_id": TEXT,
    "conditional": OBJECT,
    "sender_sub_id": TEXT,
}

_WHOLE: Final[Mapping[str, MemberKind]] = {"token": TEXT, "symbol": TEXT, "deadline": TEXT, "validate": FLAG}

_AMEND: Final[Mapping[str, MemberKind]] = {
    "order_id": TEXT,
    "cl_ord_id": TEXT,
    "order_qty": NUMBER,
    "limit_price": NUMBER,
    "limit_price_type": TEXT,
    "trigger_price": NUMBER,
    "trigger_price_type": TEXT,
    "display_qty": NUMBER,
    "post_only": FLAG,
    "deadline": TEXT,
    "symbol": TEXT,
    "token": TEXT,
}


_LIMITED: Final = ("limit", "iceberg", "stop-loss-limit", "take-profit-limit", "trailing-stop-limit")
_TRIGGERED: Final = (
    *("stop-loss", "stop-loss-limit", "take-profit", "take-profit-limit"),
    *("trailing-stop", "trailing-stop-limit"),
)
_CLOSES: Final = ("limit", *_TRIGGERED)

_WARNED_AS: Final = {
    "stop_price": "stop_price is deprecated, use triggers.price",
    "trigger": "trigger is deprecated use triggers.reference",
    "conditional.stop_price": "stop_price is deprecated, use trigger_price",
    "price": "price is deprecated, use limit_price",
    "no_mpp": "no_mpp is deprecated",
}


# -- parts of orders -----------------------------------------------------------


def _limit_price_type(given: _Given, order_type: OrderType) -> PriceType:
    kind = word(given, "limit_price_type", PRICE_TYPES, unsaid_price_type(order_type))
    if kind != "static" and order_type != "trailing-stop-limit":
        raise invalid("limit_price_type")
    return kind


def _trigger(reading: _Reading, given: _Given) -> Trigger | None:
    """The trigger, also when it is given by the two deprecated members."""
    if given.keys().isdisjoint(_TRIGGER_MEMBERS):
        return None
    members = checked(given.get("triggers", {}), _TRIGGERS, reading.method)
    for old, new in (("stop_price", "price"), ("trigger", "reference")):
        if old in given:
            reading.warn(_WARNED_AS[old])
            members.setdefault(new, given[old])
    require(members, "price")
    price = number(members, "price", signed=True)
    assert price is not None
    return Trigger(
        price=price,
        price_type=word(members, "price_type", PRICE_TYPES, "static"),
        reference=word(members, "reference", REFERENCES, "last"),
    )


def _conditional(reading: _Reading, given: _Given) -> Conditional | None:
    if "conditional" not in given:
        return None
    members = checked(given["conditional"], _CONDITIONAL, reading.method)
    if "stop_price" in members:
        reading.warn(_WARNED_AS["conditional.stop_price"])
        members.setdefault("trigger_price", members["stop_price"])
    require(members, "order_type")
    order_type = word(members, "order_type", ORDER_TYPES, "limit")
    if order_type not in _CLOSES:
        raise invalid("order_type")
    if order_type in _LIMITED:
        require(members, "limit_price")
    if order_type in _TRIGGERED:
        require(members, "trigger_price")
    return Conditional(
        order_type=order_type,
        limit_price=number(members, "limit_price", signed=True),
        limit_price_type=_limit_price_type(members, order_type),
        trigger_price=number(members, "trigger_price", signed=True),
        trigger_price_type=word(members, "trigger_price_type", PRICE_TYPES, "static"),
    )


# -- methods -------------------------------------------------------------------


def _order(reading: _Reading, given: _Given, symbol: str, deadline_ns: int | None, validate: bool) -> AddOrder:
    require(given, "order_type", "side")
    order_type = word(given, "order_type", ORDER_TYPES, "limit")
    side = word(given, "side", SIDES, "buy")
    exclusive(given, "order_qty", "cash_order_qty")
    if "cash_order_qty" not in given:
        require(given, "order_qty")
    triggers = _trigger(reading, given)
    if order_type in _LIMITED:
        require(given, "limit_price")
    if order_type in _TRIGGERED and triggers is None:
        raise Declined("Triggers(s) not found")
    if order_type == "iceberg":
        require(given, "display_qty")
    exclusive(given, "cl_ord_id", "order_userref")
    if "no_mpp" in given:
        reading.warn(_WARNED_AS["no_mpp"])
    lower = {"time_in_force": given["time_in_force"].lower()} if "time_in_force" in given else {}
    time_in_force = word(lower, "time_in_force", TIMES_IN_FORCE, "gtc")
    if time_in_force == "gtd":
        require(given, "expire_time")
    return AddOrder(
        symbol=symbol,
        side=side,
        order_type=order_type,
        order_qty=number(given, "order_qty"),
        cash_order_qty=number(given, "cash_order_qty"),
        limit_price=number(given, "limit_price", signed=True),
        limit_price_type=_limit_price_type(given, order_type),
        triggers=triggers,
        time_in_force=time_in_force,
        expire_time_ns=time(given, "expire_time"),
        effective_time_ns=time(given, "effective_time"),
        deadline_ns=deadline_ns,
        display_qty=number(given, "display_qty"),
        post_only=given.get("post_only", False),
        reduce_only=given.get("reduce_only", False),
        margin=given.get("margin", False),
        fee_preference=_fee_preference(given),
        stp_type=word(given, "stp_type", PREVENTIONS, "cancel_newest"),
        cl_ord_id=client_id(given, "cl_ord_id"),
        order_userref=userref(given.get("order_userref")),
        conditional=_conditional(reading, given),
        validate=validate,
        sender_sub_id=client_id(given, "sender_sub_id"),
    )


def _fee_preference(given: _Given) -> FeePreference | None:
    return word(given, "fee_preference", FEE_PREFERENCES, "quote") if "fee_preference" in given else None


def _add(reading: _Reading, given: _Given) -> AddOrder:
    require(given, "symbol")
    deadline_ns = deadline(given, reading.now_ns)
    return _order(reading, given, given["symbol"], deadline_ns, given.get("validate", False))


def _amend(reading: _Reading, given: _Given) -> AmendOrder:
    exclusive(given, "order_id", "cl_ord_id")
    if "cl_ord_id" not in given:
        require(given, "order_id")
    kind = word(given, "limit_price_type", PRICE_TYPES, "static") if "limit_price_type" in given else None
    return AmendOrder(
        order_id=given.get("order_id"),
        cl_ord_id=client_id(given, "cl_ord_id"),
        order_qty=number(given, "order_qty"),
        limit_price=number(given, "limit_price", signed=True),
        limit_price_type=kind,
        trigger_price=number(given, "trigger_price", signed=True),
        trigger_price_type=word(given, "trigger_price_type", PRICE_TYPES, "static"),
        display_qty=number(given, "display_qty"),
        post_only=given.get("post_only", False),
        deadline_ns=deadline(given, reading.now_ns),
        symbol=given.get("symbol"),
    )


def _edit(reading: _Reading, given: _Given) -> EditOrder:
    require(given, "order_id", "symbol")
    if "no_mpp" in given:
        reading.warn(_WARNED_AS["no_mpp"])
    return EditOrder(
        order_id=given["order_id"],
        symbol=given["symbol"],
        order_qty=number(given, "order_qty"),
        limit_price=number(_replaced_price(reading, given), "limit_price", signed=True),
        triggers=_trigger(reading, given),
        display_qty=number(given, "display_qty"),
        post_only=given.get("post_only"),
        reduce_only=given.get("reduce_only"),
        fee_preference=_fee_preference(given),
        order_userref=userref(given.get("order_userref")),
        deadline_ns=deadline(given, reading.now_ns),
        validate=given.get("validate", False),
    )


def _replaced_price(reading: _Reading, given: _Given) -> _Given:
    if "price" not in given:
        return given
    reading.warn(_WARNED_AS["price"])
    return {"limit_price": given["price"], **given}


def _cancel(_reading: _Reading, given: _Given) -> CancelOrders:
    order_ids, cl_ord_ids = tuple(given.get("order_id", ())), tuple(given.get("cl_ord_id", ()))
    userrefs = tuple(given.get("order_userref", ()))
    if not (order_ids or cl_ord_ids or userrefs):
        require(given, "order_id")
    if len(order_ids) + len(cl_ord_ids) + len(userrefs) > limits.VENUE_CANCELS_PER_REQUEST_MAX:
        raise Declined("EGeneral:Invalid arguments")
    for ref in userrefs:
        userref(ref)
    return CancelOrders(order_ids=order_ids, cl_ord_ids=cl_ord_ids, order_userrefs=userrefs)


def _cancel_all(_reading: _Reading, _given: _Given) -> CancelAll:
    return CancelAll()


def _cancel_all_after(_reading: _Reading, given: _Given) -> CancelAllAfter:
    require(given, "timeout")
    if not 0 <= given["timeout"] < limits.CANCEL_AFTER_S_MAX:
        raise invalid("Invalid timeout argument")
    return CancelAllAfter(timeout_s=given["timeout"])


def _batch_add(reading: _Reading, given: _Given) -> BatchAdd:
    require(given, "symbol", "orders")
    fewest, most = limits.BATCH_ADD_ORDERS
    if not fewest <= len(given["orders"]) <= most:
        raise invalid("orders")
    deadline_ns = deadline(given, reading.now_ns)
    rows = [checked(row, _ORDER, reading.method) for row in given["orders"]]
    orders = tuple(_order(reading, row, given["symbol"], None, False) for row in rows)
    return BatchAdd(
        symbol=given["symbol"], orders=orders, deadline_ns=deadline_ns, validate=given.get("validate", False)
    )


def _batch_cancel(_reading: _Reading, given: _Given) -> BatchCancel:
    order_ids, cl_ord_ids = tuple(given.get("orders", ())), tuple(given.get("cl_ord_id", ()))
    if not cl_ord_ids:
        require(given, "orders")
    fewest, most = limits.BATCH_CANCEL_ORDERS
    if not fewest <= len(order_ids) + len(cl_ord_ids) <= most:
        raise invalid("orders")
    return BatchCancel(order_ids=order_ids, cl_ord_ids=cl_ord_ids)


_METHODS: Final[Mapping[str, tuple[Mapping[str, MemberKind], Callable[[_Reading, _Given], TradingRequest]]]] = {
    "add_order": ({**_ORDER, **_WHOLE}, _add),
    "amend_order": (_AMEND, _amend),
    "edit_order": ({**_CHANGES, **_WHOLE, "order_id": TEXT, "price": NUMBER}, _edit),
    "cancel_order": ({"order_id": TEXTS, "cl_ord_id": TEXTS, "order_userref": INTEGERS, "token": TEXT}, _cancel),
    "cancel_all": ({"token": TEXT}, _cancel_all),
    "cancel_all_orders_after": ({"timeout": INTEGER, "token": TEXT}, _cancel_all_after),
    "batch_add": ({**_WHOLE, "orders": OBJECTS}, _batch_add),
    "batch_cancel": ({"orders": TEXTS, "cl_ord_id": TEXTS, "token": TEXT}, _batch_cancel),
}
"""The members of each method, and what reads them."""
