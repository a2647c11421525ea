"""What can be asked about orders: one vocabulary for v2, v1 and REST, on the client's and the venue's side.

A request is the same value wherever it was written down: the client's codecs
turn it into a frame, the venue's turn the frame back into it. Prices and
quantities are exact; a price may be relative to the market (`PriceType`).
Next: `protocol.v2.trading`, `protocol.v1.trading` and `protocol.rest_trading` for the spellings.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal

import msgspec

from krakenwire.model.market import OrderSide

__all__ = [
    "METHODS",
    "AddOrder",
    "AmendOrder",
    "BatchAdd",
    "BatchCancel",
    "CancelAll",
    "CancelAllAfter",
    "CancelOrders",
    "Conditional",
    "EditOrder",
    "FeePreference",
    "OrderType",
    "PriceType",
    "SelfTradePrevention",
    "TimeInForce",
    "TradingRequest",
    "Trigger",
    "TriggerReference",
]

OrderType = Literal[
    "limit",
    "market",
    "iceberg",
    "stop-loss",
    "stop-loss-limit",
    "take-profit",
    "take-profit-limit",
    "trailing-stop",
    "trailing-stop-limit",
    "settle-position",
]

TimeInForce = Literal["gtc", "gtd", "ioc", "fok"]

PriceType = Literal["static", "pct", "quote"]
"""How a price is meant: absolute, percent away from the reference, or quote units away from it."""

TriggerReference = Literal["last", "index"]

SelfTradePrevention = Literal["cancel_newest", "cancel_oldest", "cancel_both"]
"""Who gives way when an order meets a resting one of the same owner: the incoming order decides."""

FeePreference = Literal["base", "quote"]


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """When a stop, take-profit or trailing order goes into the book.

    Args:
        price: quote units; percent or quote units away from the reference when `price_type` says so.
            A trailing order takes a positive distance.
        reference: which price is watched.

    Source: v2 reference, section 8.1.
    """

    price: Decimal
    price_type: PriceType = "static"
    reference: TriggerReference = "last"


class Conditional(msgspec.Struct, frozen=True, kw_only=True):
    """The closing order that each fill of its order places, on the other side. Source: v2 reference, section 8.2."""

    order_type: OrderType
    limit_price: Decimal | None = None
    limit_price_type: PriceType = "static"
    trigger_price: Decimal | None = None
    trigger_price_type: PriceType = "static"


class AddOrder(msgspec.Struct, frozen=True, kw_only=True, tag="add", omit_defaults=True):
    """A new order. None leaves the venue's default.

    Args:
        symbol: v2 spelling.
        order_qty: base units; None with `cash_order_qty`.
        cash_order_qty: quote units a market buy may spend.
        limit_price: quote units, or away from the reference (v1 and REST, and trailing-stop-limit).
        display_qty: what an iceberg shows at a time, base units.
        expire_time_ns: with ``gtd``.
        effective_time_ns: when it starts; None for now.
        deadline_ns: after it the venue refuses the order.
        margin: trade on margin with the highest leverage offered.
        leverage: of a margin order on v1 and REST.
        validate: check only.
        sender_sub_id: whose order of the account it is, for self-trade prevention.

    Source: v2 reference, section 8.2.
    """

    symbol: str
    side: OrderSide
    order_type: OrderType
    order_qty: Decimal | None = None
    cash_order_qty: Decimal | None = None
    limit_price: Decimal | None = None
    limit_price_type: PriceType = "static"
    triggers: Trigger | None = None
    time_in_force: TimeInForce = "gtc"
    expire_time_ns: int | None = None
    effective_time_ns: int | None = None
    deadline_ns: int | None = None
    display_qty: Decimal | None = None
    post_only: bool = False
    reduce_only: bool = False
    margin: bool = False
    leverage: int | None = None
    fee_preference: FeePreference | None = None
    stp_type: SelfTradePrevention = "cancel_newest"
    cl_ord_id: str | None = None
    order_userref: int | None = None
    conditional: Conditional | None = None
    validate: bool = False
    sender_sub_id: str | None = None


class AmendOrder(msgspec.Struct, frozen=True, kw_only=True, tag="amend", omit_defaults=True):
    """A change of an order that keeps its id, its fills and where possible its place. None leaves a value.

    Args:
        order_id, cl_ord_id: exactly one of them.
        order_qty: new total in base units, the filled part included.
        limit_price_type: None as the order's type has it: ``quote`` for trailing-stop-limit, else ``static``.
        post_only: refuse a new price that would take.

    Source: v2 reference, section 8.3.
    """

    order_id: str | None = None
    cl_ord_id: str | None = None
    order_qty: Decimal | None = None
    limit_price: Decimal | None = None
    limit_price_type: PriceType | None = None
    trigger_price: Decimal | None = None
    trigger_price_type: PriceType = "static"
    display_qty: Decimal | None = None
    post_only: bool = False
    deadline_ns: int | None = None
    symbol: str | None = None


class EditOrder(msgspec.Struct, frozen=True, kw_only=True, tag="edit", omit_defaults=True):
    """Cancel and replace in one request: the new order has a new id. None leaves a value.

    Args:
        order_id: of the order to replace; on v1 and REST its userref will do.
        order_userref: of the new order.
        price, price_type: v1 and REST name a price by its place: this is the trigger price of an order that
            has one, else the limit price. Not with `triggers`.

    Source: v2 reference, section 8.4; v1 reference, section 10.2.
    """

    order_id: str
    symbol: str | None = None
    order_qty: Decimal | None = None
    limit_price: Decimal | None = None
    limit_price_type: PriceType = "static"
    triggers: Trigger | None = None
    display_qty: Decimal | None = None
    post_only: bool | None = None
    reduce_only: bool | None = None
    fee_preference: FeePreference | None = None
    order_userref: int | None = None
    price: Decimal | None = None
    price_type: PriceType = "static"
    deadline_ns: int | None = None
    validate: bool = False


class CancelOrders(msgspec.Struct, frozen=True, kw_only=True, tag="cancel", omit_defaults=True):
    """An end to some orders: each id is answered on its own, in this order.

    Args:
        order_ids: texts as the caller wrote them; on v1 and REST a userref will do.
    """

    order_ids: tuple[str, ...] = ()
    cl_ord_ids: tuple[str, ...] = ()
    order_userrefs: tuple[int, ...] = ()


class CancelAll(msgspec.Struct, frozen=True, tag="cancel_all"):
    """An end to every open order of the account."""


class CancelAllAfter(msgspec.Struct, frozen=True, kw_only=True, tag="cancel_all_after"):
    """The dead man's switch: cancel everything unless asked again within `timeout_s` seconds; 0 disarms it."""

    timeout_s: int


class BatchAdd(msgspec.Struct, frozen=True, kw_only=True, tag="batch_add", omit_defaults=True):
    """2 to 15 orders of one symbol, validated together, then placed one by one."""

    symbol: str
    orders: tuple[AddOrder, ...]
    deadline_ns: int | None = None
    validate: bool = False


class BatchCancel(msgspec.Struct, frozen=True, kw_only=True, tag="batch_cancel", omit_defaults=True):
    """2 to 50 orders to cancel, answered with one count.

    Args:
        order_ids: order ids, or userrefs as text.
    """

    order_ids: tuple[str, ...] = ()
    cl_ord_ids: tuple[str, ...] = ()


TradingRequest = AddOrder | AmendOrder | EditOrder | CancelOrders | CancelAll | CancelAllAfter | BatchAdd | BatchCancel

METHODS: Final[Mapping[type[TradingRequest], str]] = {
    AddOrder: "add_order",
    AmendOrder: "amend_order",
    EditOrder: "edit_order",
    CancelOrders: "cancel_order",
    CancelAll: "cancel_all",
    CancelAllAfter: "cancel_all_orders_after",
    BatchAdd: "batch_add",
    BatchCancel: "batch_cancel",
}
"""How v2 calls each request; replies, outcomes and errors of all versions go by these names."""
