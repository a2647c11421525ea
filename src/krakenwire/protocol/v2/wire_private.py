"""The shapes of v2's private messages and of replies about orders, as typed structs.

Kept apart from `wire` so that the decoder of market data stays as small as it
is. Numbers are typed `Any`, for their exact text; words are plain strings,
since the venue may have new ones. Members that we know and have no use for are
declared too: they are not new. Source: v2 reference, sections 7 and 8.
"""

from __future__ import annotations

from typing import Any

import msgspec

from krakenwire.protocol.v2.wire import ChannelMessage, Kind, Strict

__all__ = [
    "BalanceChangeRow",
    "BalanceChangesMessage",
    "BalanceRow",
    "BalancesMessage",
    "ContingentRow",
    "ExecutionRow",
    "ExecutionsMessage",
    "FeeRow",
    "TradingResult",
    "TriggerRow",
    "WalletRow",
]


class TriggerRow(Strict):
    """The `triggers` of an order."""

    reference: str | None = None
    price: Any = None
    price_type: str | None = None
    actual_price: Any = None
    peak_price: Any = None
    last_price: Any = None
    status: str | None = None
    timestamp: str | None = None


class ContingentRow(Strict):
    """The closing order of a primary one."""

    order_type: str
    trigger_price: Any = None
    trigger_price_type: str | None = None
    limit_price: Any = None
    limit_price_type: str | None = None


class FeeRow(Strict):
    """One fee of a fill."""

    asset: str
    qty: Any


class ExecutionRow(Strict):
    """One report; which members it has depends on its `exec_type`."""

    order_id: str
    exec_type: str
    order_status: str
    timestamp: str
    symbol: str | None = None
    side: str | None = None
    order_type: str | None = None
    order_qty: Any = None
    cash_order_qty: Any = None
    limit_price: Any = None
    limit_price_type: str | None = None
    time_in_force: str | None = None
    display_qty: Any = None
    display_qty_remain: Any = None
    effective_time: str | None = None
    expire_time: str | None = None
    post_only: bool = False
    reduce_only: bool = False
    margin: bool = False
    no_mpp: bool = False
    fee_ccy_pref: str | None = None
    triggers: TriggerRow | None = None
    contingent: ContingentRow | None = None
    cl_ord_id: str | None = None
    order_userref: int | None = None
    sender_sub_id: str | None = None
    ord_ref_id: str | None = None
    cum_qty: Any = None
    cum_cost: Any = None
    avg_price: Any = None
    fee_usd_equiv: Any = None
    exec_id: str | None = None
    trade_id: int | None = None
    last_qty: Any = None
    last_price: Any = None
    cost: Any = None
    liquidity_ind: str | None = None
    fees: list[FeeRow] = msgspec.field(default_factory=list)
    margin_borrow: bool = False
    liquidated: bool = False
    position_status: str | None = None
    amended: bool = False
    reason: str | None = None
    cancel_reason: str | None = None
    ratecount: int | None = None
    stop_price: Any = None
    trigger: Any = None
    triggered_price: Any = None
    ext_ord_id: Any = None
    ext_exec_id: Any = None
    user: Any = None


class ExecutionsMessage(ChannelMessage, tag="executions", kw_only=True):
    """`executions`."""

    type: Kind
    data: list[ExecutionRow]
    sequence: int


class WalletRow(Strict):
    """One wallet of an asset."""

    type: str
    id: str
    balance: Any


class BalanceRow(Strict):
    """One asset of a `balances` snapshot."""

    asset: str
    balance: Any
    asset_class: str = "currency"
    wallets: list[WalletRow] = msgspec.field(default_factory=list)
    user: Any = None


class BalancesMessage(ChannelMessage, tag="balances", kw_only=True):
    """The snapshot of `balances`."""

    type: Kind
    data: list[BalanceRow]
    sequence: int


class BalanceChangeRow(Strict):
    """One ledger entry."""

    ledger_id: str
    timestamp: str
    type: str
    asset: str
    amount: Any
    fee: Any
    balance: Any
    ref_id: str = ""
    asset_class: str = "currency"
    category: str = "trade"
    subtype: str | None = None
    wallet_type: str = "spot"
    wallet_id: str = "main"
    user: Any = None


class BalanceChangesMessage(ChannelMessage, tag="balances", kw_only=True):
    """An update of `balances`: rows of another shape than its snapshot's."""

    type: Kind
    data: list[BalanceChangeRow]
    sequence: int


class TradingResult(msgspec.Struct, gc=False):
    """What a reply about orders may say: of a whole request, or of one order of a batch."""

    order_id: str = ""
    original_order_id: str = ""
    amend_id: str = ""
    cl_ord_id: str | None = None
    order_userref: int | None = None
    count: int | None = None
    current_time: str | None = msgspec.field(name="currentTime", default=None)
    trigger_time: str | int | None = msgspec.field(name="triggerTime", default=None)
    warnings: list[str] = []
    error: str | None = None
