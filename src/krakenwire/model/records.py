"""What an account has had, in full: orders, fills, ledger entries and amendments, as REST tells them.

A record is complete where an `Execution` says only what has changed. The local
Kraken writes them as REST entries and as the full entries of v1's feeds;
clients read them back. Symbols and assets have their v2 names, times are
nanoseconds since 1970 UTC. Source: v2 reference, section 11; v1 reference, section 9.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal, TypeVar

import msgspec

from krakenwire.errors import DecodeError
from krakenwire.model.executions import Contingent, Execution, OrderStatus, TriggerState
from krakenwire.model.market import OrderSide
from krakenwire.model.orders import FeePreference, OrderType, PriceType, TimeInForce

__all__ = [
    "AmendRecord",
    "AssetBalance",
    "LedgerRecord",
    "OrderRecord",
    "RecordStatus",
    "TradeRecord",
    "order_record",
    "trade_record",
]

RecordStatus = Literal["pending", "open", "closed", "canceled", "expired"]
"""How v1 and REST call where an order stands."""

_ZERO: Final = Decimal(0)
_T = TypeVar("_T")

_STATUSES: Final[dict[OrderStatus, RecordStatus]] = {
    "pending_new": "pending",
    "new": "open",
    "partially_filled": "open",
    "filled": "closed",
    "canceled": "canceled",
    "expired": "expired",
}


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order and all that has become of it.

    Args:
        order_qty: base units; quote units with `in_quote`.
        in_quote: whether the order names what it may spend (``viqc``).
        limit_price: as asked for; away from the reference with another `limit_price_type`.
        triggers: what it waits for, or has waited for.
        conditional: the closing order that its fills place.
        cum_qty: base units that have traded.
        cum_cost: quote units; `fee` in what `fee_preference` says, `avg_price` quote units, 0 without a fill.
        stop_price: where a trailing order fires now, quote units; 0 for others.
        actual_limit_price: the limit of an order that has been triggered, quote units; 0 for others.
        start_time_ns, expire_time_ns: None when it starts at once, or never ends.
        close_time_ns: when it ended.
        updated_ns: when any of this last changed; None when nobody says.
        misc: ``stopped``, ``touched``, ``liquidation``, ``partial``.
        reason: why it ended, in the venue's words.
        exec_ids: of its fills, oldest first.
        ref_id: the order whose fill placed this one.
    """

    order_id: str
    status: RecordStatus
    symbol: str
    side: OrderSide
    order_type: OrderType
    order_qty: Decimal
    open_time_ns: int
    in_quote: bool = False
    limit_price: Decimal | None = None
    limit_price_type: PriceType = "static"
    triggers: TriggerState | None = None
    conditional: Contingent | None = None
    time_in_force: TimeInForce = "gtc"
    start_time_ns: int | None = None
    expire_time_ns: int | None = None
    close_time_ns: int | None = None
    updated_ns: int | None = None
    cum_qty: Decimal = _ZERO
    cum_cost: Decimal = _ZERO
    fee: Decimal = _ZERO
    avg_price: Decimal = _ZERO
    stop_price: Decimal = _ZERO
    actual_limit_price: Decimal = _ZERO
    display_qty: Decimal | None = None
    display_qty_remain: Decimal | None = None
    post_only: bool = False
    reduce_only: bool = False
    leverage: int | None = None
    fee_preference: FeePreference = "quote"
    misc: tuple[str, ...] = ()
    reason: str | None = None
    amended: bool = False
    exec_ids: tuple[str, ...] = ()
    order_userref: int | None = None
    cl_ord_id: str | None = None
    sender_sub_id: str | None = None
    ref_id: str | None = None

    @property
    def liquidated(self) -> bool:
        """Whether the venue itself placed it, to close a position."""
        return "liquidation" in self.misc


class TradeRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fill.

    Args:
        exec_id: of the fill; `trade_id` numbers the public trade.
        position_id: the position it opened, None without margin.
        price: quote units; `cost` price times `qty`; `fee` in what it is charged in;
            `margin` what it needed, quote units.
        maker: whether the order rested.
        misc: ``initiated``, ``closing``.
        ledger_ids: of the entries it caused.
    """

    exec_id: str
    order_id: str
    symbol: str
    time_ns: int
    side: OrderSide
    order_type: OrderType
    price: Decimal
    cost: Decimal
    fee: Decimal
    qty: Decimal
    margin: Decimal = _ZERO
    leverage: int | None = None
    misc: tuple[str, ...] = ()
    trade_id: int | None = None
    maker: bool | None = None
    position_id: str | None = None
    ledger_ids: tuple[str, ...] = ()
    order_userref: int | None = None
    cl_ord_id: str | None = None


class LedgerRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change of one balance.

    Args:
        ref_id: what caused it; both legs of a trade share the fill's.
        amount: change before the fee; `balance` is the total after both.
    """

    ledger_id: str
    ref_id: str
    time_ns: int
    type: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    subtype: str = ""
    asset_class: str = "currency"


class AssetBalance(msgspec.Struct, frozen=True, kw_only=True):
    """What is owned of one asset, and how much of that open orders hold."""

    asset: str
    balance: Decimal
    held: Decimal = _ZERO


class AmendRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One state of an order's terms: as placed, or after one amendment."""

    amend_id: str
    amend_type: Literal["original", "user", "restated"]
    order_qty: Decimal
    remaining_qty: Decimal
    time_ns: int
    display_qty: Decimal | None = None
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    reason: str | None = None
    post_only: bool | None = None


def order_record(event: Execution) -> OrderRecord:
    """Return an order as the event describes it that tells an order in full (``pending_new``, or of a snapshot).

    The event's time counts as the time of opening.

    Raises:
        DecodeError: the event lacks what an order cannot be without.
    """
    in_quote = event.cash_order_qty is not None
    qty = event.cash_order_qty if in_quote else event.order_qty
    triggers = event.triggers
    trailing = triggers is not None and triggers.peak_price is not None
    return OrderRecord(
        order_id=event.order_id,
        status=_STATUSES[event.order_status],
        symbol=_told(event.symbol, "symbol", event),
        side=_told(event.side, "side", event),
        order_type=_told(event.order_type, "order_type", event),
        order_qty=_ZERO if qty is None else qty,
        open_time_ns=event.time_ns,
        in_quote=in_quote,
        limit_price=event.limit_price,
        limit_price_type=event.limit_price_type or "static",
        triggers=triggers,
        conditional=event.contingent,
        time_in_force=event.time_in_force or "gtc",
        start_time_ns=event.effective_time_ns,
        expire_time_ns=event.expire_time_ns,
        cum_qty=event.cum_qty or _ZERO,
        cum_cost=event.cum_cost or _ZERO,
        fee=event.cum_fee or _ZERO,
        avg_price=event.avg_price or _ZERO,
        stop_price=(triggers.actual_price if triggers is not None and trailing else None) or _ZERO,
        display_qty=event.display_qty,
        display_qty_remain=event.display_qty_remain,
        post_only=event.post_only,
        reduce_only=event.reduce_only,
        leverage=event.leverage,
        fee_preference=event.fee_preference or "quote",
        misc=("liquidation",) if event.liquidated else (),
        amended=event.amended,
        order_userref=event.order_userref,
        cl_ord_id=event.cl_ord_id,
        sender_sub_id=event.sender_sub_id,
        ref_id=event.ord_ref_id,
    )


def trade_record(event: Execution) -> TradeRecord:
    """Return a fill as its own event (``trade``) tells it; its margin and its entries are not told there.

    Raises:
        DecodeError: the event lacks what a fill cannot be without.
    """
    price, qty = _told(event.last_price, "last_price", event), _told(event.last_qty, "last_qty", event)
    return TradeRecord(
        exec_id=_told(event.exec_id, "exec_id", event),
        order_id=event.order_id,
        symbol=_told(event.symbol, "symbol", event),
        time_ns=event.time_ns,
        side=_told(event.side, "side", event),
        order_type=_told(event.order_type, "order_type", event),
        price=price,
        cost=price * qty if event.cost is None else event.cost,
        fee=sum((fee.qty for fee in event.fees), _ZERO),
        qty=qty,
        leverage=event.leverage,
        trade_id=event.trade_id,
        maker=None if event.liquidity_ind is None else event.liquidity_ind == "m",
        order_userref=event.order_userref,
        cl_ord_id=event.cl_ord_id,
    )


def _told(value: _T | None, what: str, event: Execution) -> _T:
    """A member that the record cannot be without."""
    if value is None:
        raise DecodeError(f"{event.exec_type} without {what}", event.order_id)
    return value
