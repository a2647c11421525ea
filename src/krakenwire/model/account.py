"""How an account stands, order by order and fill by fill: what a client keeps of what it was told.

An `Execution` says what has changed; an `OrderState` is all that is known by
then, and a `Fill` one trade of ours. `session.account` keeps them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import msgspec

from krakenwire.model.executions import Contingent, Fee, OrderStatus, TriggerState
from krakenwire.model.market import OrderSide
from krakenwire.model.orders import FeePreference, OrderType, PriceType, TimeInForce

__all__ = ["ENDED", "AccountChange", "AccountChanged", "Fill", "OrderState"]

ENDED: Final[frozenset[OrderStatus]] = frozenset({"filled", "canceled", "expired"})
"""What no order comes back from."""


class OrderState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order, as far as it was told. None where nobody said.

    Args:
        opened_ns: when it was taken in; None for an order first seen later.
        changed_ns: the time of the last event that names one.
        order_qty, cum_qty, display_qty, display_qty_remain: base units.
        cash_order_qty, cum_cost, limit_price, avg_price: quote units.
        cum_fee: fees so far in the asset they are charged in, on v1; v2 tells `fee_usd_equiv`, US dollars.
        reason: why it ended, or was last amended or restated, in the venue's words.
        ord_ref_id: the order whose fill placed this one.
    """

    order_id: str
    status: OrderStatus
    opened_ns: int | None = None
    changed_ns: int = 0
    symbol: str | None = None
    side: OrderSide | None = None
    order_type: OrderType | None = None
    order_qty: Decimal | None = None
    cash_order_qty: Decimal | None = None
    limit_price: Decimal | None = None
    limit_price_type: PriceType | None = None
    time_in_force: TimeInForce | None = None
    display_qty: Decimal | None = None
    display_qty_remain: Decimal | None = None
    effective_time_ns: int | None = None
    expire_time_ns: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    margin: bool = False
    leverage: int | None = None
    fee_preference: FeePreference | None = None
    triggers: TriggerState | None = None
    contingent: Contingent | None = None
    cl_ord_id: str | None = None
    order_userref: int | None = None
    sender_sub_id: str | None = None
    ord_ref_id: str | None = None
    cum_qty: Decimal | None = None
    cum_cost: Decimal | None = None
    avg_price: Decimal | None = None
    cum_fee: Decimal | None = None
    fee_usd_equiv: Decimal | None = None
    liquidated: bool = False
    amended: bool = False
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.status not in ENDED

    @property
    def remaining_qty(self) -> Decimal | None:
        """What has not traded, base units; None where the order's quantity is not known in them."""
        return None if self.order_qty is None else self.order_qty - (self.cum_qty or Decimal(0))


class Fill(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One trade of one order of ours.

    Args:
        exec_id: its id, told once; `trade_id` numbers the public trade.
        qty: base units; `price` and `cost` quote units.
        fees: what it cost on top.
        maker: whether the order rested; None when nobody said.
    """

    exec_id: str
    order_id: str
    time_ns: int
    symbol: str
    side: OrderSide
    qty: Decimal
    price: Decimal
    cost: Decimal
    fees: tuple[Fee, ...] = ()
    order_type: OrderType | None = None
    maker: bool | None = None
    trade_id: int | None = None
    cl_ord_id: str | None = None
    order_userref: int | None = None
    margin: bool = False
    liquidated: bool = False
    position_status: Literal["opened", "closing", "closed"] | None = None


AccountChange = OrderState | Fill
"""An order as it stands after a change, or a fill that was not known."""


class AccountChanged(msgspec.Struct, frozen=True):
    """What a message of the account's orders changed: orders as they stand now, and fills, each once."""

    channel = "executions"
    symbol = None

    changes: tuple[AccountChange, ...]
