"""What the venue says about an account: orders, fills and balances, the same for v1 and v2.

An `Execution` is sparse: what an event does not carry is None, and a consumer
merges by `order_id`. v1's `openOrders` and `ownTrades` become the same events.
Times are nanoseconds since 1970 UTC. Source: v2 reference, section 7; v1 reference, section 9.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from krakenwire.model.market import Kind, OrderSide
from krakenwire.model.orders import FeePreference, OrderType, PriceType, TimeInForce, TriggerReference

__all__ = [
    "BalanceChange",
    "BalanceChanges",
    "Balances",
    "Contingent",
    "ExecType",
    "Execution",
    "Executions",
    "Fee",
    "OrderStatus",
    "TriggerState",
    "Wallet",
    "WalletBalance",
]

ExecType = Literal[
    "pending_new",
    "new",
    "trade",
    "filled",
    "canceled",
    "expired",
    "amended",
    "restated",
    "iceberg_refill",
    "status",
]

OrderStatus = Literal["pending_new", "new", "partially_filled", "filled", "canceled", "expired"]


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """What one fill cost on top; `qty` in units of `asset`."""

    asset: str
    qty: Decimal


class TriggerState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the trigger of an order stands.

    Args:
        price: as asked for.
        actual_price: the price at which it fires now.
        peak_price: the best price seen, of a trailing order.
        last_price: the reference when it fired.
        time_ns: when it fired.
    """

    reference: TriggerReference = "last"
    price: Decimal | None = None
    price_type: PriceType = "static"
    actual_price: Decimal | None = None
    peak_price: Decimal | None = None
    last_price: Decimal | None = None
    status: Literal["untriggered", "triggered"] = "untriggered"
    time_ns: int | None = None


class Contingent(msgspec.Struct, frozen=True, kw_only=True):
    """The closing order that fills will place."""

    order_type: OrderType
    trigger_price: Decimal | None = None
    trigger_price_type: PriceType | None = None
    limit_price: Decimal | None = None
    limit_price_type: PriceType | None = None


class Execution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event of one order, or one fill.

    The trade that completes an order says ``partially_filled``; ``filled`` is an
    event of its own: go by `cum_qty`, not by the word.

    Args:
        exec_type: what happened; `order_status`: how the order stands after it.
        order_qty, cum_qty, last_qty, display_qty, display_qty_remain: base units.
        cash_order_qty, cost, cum_cost: quote units; `fee_usd_equiv`: US dollars.
        exec_id, trade_id, last_qty, last_price, cost, liquidity_ind, fees: of a fill.
        liquidity_ind: ``m`` maker, ``t`` taker.
        cum_fee: fees so far in the asset they are charged in: v1 and REST tell it, v2 does not.
        reason: why it was canceled, amended or restated, in the venue's words.
        ord_ref_id: the order whose fill placed this one.
        ratecount: the trading counter, when asked for.
    """

    order_id: str
    exec_type: ExecType
    order_status: OrderStatus
    time_ns: int
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
    exec_id: str | None = None
    trade_id: int | None = None
    last_qty: Decimal | None = None
    last_price: Decimal | None = None
    cost: Decimal | None = None
    liquidity_ind: Literal["m", "t"] | None = None
    fees: tuple[Fee, ...] = ()
    margin_borrow: bool = False
    liquidated: bool = False
    position_status: Literal["opened", "closing", "closed"] | None = None
    amended: bool = False
    reason: str | None = None
    ratecount: int | None = None


class Executions(msgspec.Struct, frozen=True, kw_only=True):
    """One message about the account's orders.

    Args:
        source: the channel it came by: ``executions``, or v1's ``openOrders`` and ``ownTrades``.
        sequence: counts the messages of that channel on that connection, from 1; a gap means loss.
    """

    channel = "executions"
    symbol = None

    kind: Kind
    executions: tuple[Execution, ...]
    sequence: int
    source: Literal["executions", "openOrders", "ownTrades"] = "executions"


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """One wallet of one asset."""

    type: str
    id: str
    balance: Decimal


class WalletBalance(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of a balances snapshot: the total over its wallets, open orders' holds included."""

    asset: str
    balance: Decimal
    wallets: tuple[Wallet, ...] = ()
    asset_class: str = "currency"


class Balances(msgspec.Struct, frozen=True, kw_only=True):
    """What the account holds, asset by asset."""

    channel = "balances"
    symbol = None

    balances: tuple[WalletBalance, ...]
    sequence: int
    kind: Kind = "snapshot"


class BalanceChange(msgspec.Struct, frozen=True, kw_only=True):
    """One ledger entry.

    Args:
        ref_id: of a trade, the fill; both legs share it.
        amount: change before the fee; `fee` is charged on top; `balance` is the total after both.
    """

    ledger_id: str
    ref_id: str
    time_ns: int
    type: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    category: str = "trade"
    subtype: str | None = None
    asset_class: str = "currency"
    wallet_type: str = "spot"
    wallet_id: str = "main"


class BalanceChanges(msgspec.Struct, frozen=True, kw_only=True):
    """One message of ledger entries."""

    channel = "balances"
    symbol = None

    changes: tuple[BalanceChange, ...]
    sequence: int
    kind: Kind = "update"
