"""The client's side of REST about an account: answers of the reading calls into records.

Read as far as it can be: new members are passed over, null and what stands
for "not set" is None. Source: v2 reference, section 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Generic, TypeVar, get_args

import msgspec

from krakenwire.model import AssetBalance, LedgerRecord, OrderRecord, RecordStatus, TradeRecord, TriggerState
from krakenwire.protocol import flat_telling as flat
from krakenwire.protocol.descriptions import NO_POSITION
from krakenwire.protocol.rest_client import rest_result
from krakenwire.protocol.rest_values import JsonTime, TextNumber, exact, exact_ns, known_word, symbol_of
from krakenwire.protocol.symbols import asset_name

__all__ = [
    "Page",
    "read_balance",
    "read_balance_ex",
    "read_closed_orders",
    "read_ledgers",
    "read_open_orders",
    "read_query_ledgers",
    "read_query_orders",
    "read_query_trades",
    "read_trades_history",
]

_STATUSES: Final[Mapping[str, RecordStatus]] = {word: word for word in get_args(RecordStatus)}
_RecordT = TypeVar("_RecordT", OrderRecord, TradeRecord, LedgerRecord)


class Page(msgspec.Struct, Generic[_RecordT], frozen=True):
    """One page of a list, newest first, and how many there are in all; None when the service does not say."""

    records: tuple[_RecordT, ...]
    count: int | None


class _Descr(msgspec.Struct, gc=False):
    pair: str
    type: str
    ordertype: str
    price: str | None = None
    price2: str | None = None
    leverage: str | None = None


class _Order(msgspec.Struct):
    status: str
    descr: _Descr
    vol: TextNumber
    opentm: JsonTime
    refid: str | None = None
    userref: int | None = None
    cl_ord_id: str | None = None
    sender_sub_id: str | None = None
    reason: str | None = None
    closetm: JsonTime | None = None
    starttm: JsonTime | None = None
    expiretm: JsonTime | None = None
    vol_exec: TextNumber | None = None
    cost: TextNumber | None = None
    fee: TextNumber | None = None
    price: TextNumber | None = None
    stopprice: TextNumber | None = None
    limitprice: TextNumber | None = None
    displayvol: TextNumber | None = None
    misc: str | None = None
    oflags: str | None = None
    timeinforce: str | None = None
    trigger: str | None = None
    reduce_only: bool | None = None
    amended: bool | None = None
    trades: list[str] = []


class _Trade(msgspec.Struct):
    ordertxid: str
    pair: str
    time: JsonTime
    type: str
    ordertype: str
    price: TextNumber
    cost: TextNumber
    fee: TextNumber
    vol: TextNumber
    postxid: str | None = None
    margin: TextNumber | None = None
    leverage: str | None = None
    misc: str | None = None
    trade_id: int | None = None
    maker: bool | None = None
    ledgers: list[str] = []


class _Ledger(msgspec.Struct):
    refid: str
    time: JsonTime
    type: str
    asset: str
    amount: TextNumber
    fee: TextNumber
    balance: TextNumber
    subtype: str | None = None
    aclass: str = "currency"


class _OpenOrders(msgspec.Struct):
    open: dict[str, _Order]


class _ClosedOrders(msgspec.Struct):
    closed: dict[str, _Order]
    count: int | None = None


class _Trades(msgspec.Struct):
    trades: dict[str, _Trade]
    count: int | None = None


class _Ledgers(msgspec.Struct):
    ledger: dict[str, _Ledger]
    count: int | None = None


class _Balance(msgspec.Struct):
    balance: TextNumber
    hold_trade: TextNumber = "0"


def read_open_orders(body: bytes | str) -> tuple[OrderRecord, ...]:
    """Return the orders of an answer to `OpenOrders`.

    Raises:
        VenueRefusal: the service refused; so with every call here.
        DecodeError: not such an answer; so with every call here.
    """
    return _orders(rest_result(body, _OpenOrders, "OpenOrders").open)


def read_closed_orders(body: bytes | str) -> Page[OrderRecord]:
    """Return a page of `ClosedOrders`."""
    result = rest_result(body, _ClosedOrders, "ClosedOrders")
    return Page(_orders(result.closed), result.count)


def read_query_orders(body: bytes | str) -> tuple[OrderRecord, ...]:
    """Return the orders of an answer to `QueryOrders`."""
    return _orders(rest_result(body, dict[str, _Order], "QueryOrders"))


def read_trades_history(body: bytes | str) -> Page[TradeRecord]:
    """Return a page of `TradesHistory`."""
    result = rest_result(body, _Trades, "TradesHistory")
    return Page(_fills(result.trades), result.count)


def read_query_trades(body: bytes | str) -> tuple[TradeRecord, ...]:
    """Return the fills of an answer to `QueryTrades`."""
    return _fills(rest_result(body, dict[str, _Trade], "QueryTrades"))


def read_ledgers(body: bytes | str) -> Page[LedgerRecord]:
    """Return a page of `Ledgers`."""
    result = rest_result(body, _Ledgers, "Ledgers")
    return Page(_entries(result.ledger), result.count)


def read_query_ledgers(body: bytes | str) -> tuple[LedgerRecord, ...]:
    """Return the entries of an answer to `QueryLedgers`."""
    return _entries(rest_result(body, dict[str, _Ledger], "QueryLedgers"))


def read_balance(body: bytes | str) -> tuple[AssetBalance, ...]:
    """Return what an answer to `Balance` tells, asset by asset; it does not tell what is held."""
    result = rest_result(body, dict[str, TextNumber], "Balance")
    return tuple(AssetBalance(asset=asset_name(name), balance=exact(text)) for name, text in result.items())


def read_balance_ex(body: bytes | str) -> tuple[AssetBalance, ...]:
    """Return what an answer to `BalanceEx` tells, asset by asset."""
    result = rest_result(body, dict[str, _Balance], "BalanceEx")
    return tuple(
        AssetBalance(asset=asset_name(name), balance=exact(row.balance), held=exact(row.hold_trade))
        for name, row in result.items()
    )


# -- records ---------------------------------------------------------------------


def _orders(rows: Mapping[str, _Order]) -> tuple[OrderRecord, ...]:
    return tuple(_order(order_id, row) for order_id, row in rows.items())


def _fills(rows: Mapping[str, _Trade]) -> tuple[TradeRecord, ...]:
    return tuple(_trade(exec_id, row) for exec_id, row in rows.items())


def _entries(rows: Mapping[str, _Ledger]) -> tuple[LedgerRecord, ...]:
    return tuple(_ledger(ledger_id, row) for ledger_id, row in rows.items())


def _order(order_id: str, row: _Order) -> OrderRecord:
    descr, flags = row.descr, flat.parts(row.oflags)
    order_type = known_word(descr.ordertype, flat.ORDER_TYPES, "ordertype")
    prices = flat.places(order_type, descr.price, descr.price2)
    triggers = None
    if prices.trigger is not None:
        reference = flat.REFERENCES.get(row.trigger or "", "last")
        triggers = TriggerState(reference=reference, price=prices.trigger, price_type=prices.trigger_kind)
    return OrderRecord(
        order_id=order_id,
        status=known_word(row.status, _STATUSES, "status"),
        symbol=symbol_of(descr.pair),
        side=known_word(descr.type, flat.SIDES, "type"),
        order_type=order_type,
        order_qty=exact(row.vol),
        open_time_ns=exact_ns(row.opentm),
        in_quote="viqc" in flags,
        limit_price=prices.limit,
        limit_price_type=prices.limit_kind,
        triggers=triggers,
        time_in_force=flat.TIMES_IN_FORCE.get(row.timeinforce or "", "gtc"),
        start_time_ns=_maybe_ns(row.starttm),
        expire_time_ns=_maybe_ns(row.expiretm),
        close_time_ns=_maybe_ns(row.closetm),
        cum_qty=_or_zero(row.vol_exec),
        cum_cost=_or_zero(row.cost),
        fee=_or_zero(row.fee),
        avg_price=_or_zero(row.price),
        stop_price=_or_zero(row.stopprice),
        actual_limit_price=_or_zero(row.limitprice),
        display_qty=flat.number(row.displayvol),
        post_only="post" in flags,
        reduce_only=bool(row.reduce_only),
        leverage=flat.leverage(descr.leverage),
        fee_preference=flat.fee_preference(flags) or "quote",
        misc=flat.parts(row.misc),
        reason=flat.said(row.reason),
        amended=bool(row.amended),
        exec_ids=tuple(row.trades),
        order_userref=row.userref or None,
        cl_ord_id=flat.said(row.cl_ord_id),
        sender_sub_id=flat.said(row.sender_sub_id),
        ref_id=flat.said(row.refid),
    )


def _trade(exec_id: str, row: _Trade) -> TradeRecord:
    return TradeRecord(
        exec_id=exec_id,
        order_id=row.ordertxid,
        symbol=symbol_of(row.pair),
        time_ns=exact_ns(row.time),
        side=known_word(row.type, flat.SIDES, "type"),
        order_type=known_word(row.ordertype, flat.ORDER_TYPES, "ordertype"),
        price=exact(row.price),
        cost=exact(row.cost),
        fee=exact(row.fee),
        qty=exact(row.vol),
        margin=_or_zero(row.margin),
        leverage=flat.leverage(row.leverage),
        misc=flat.parts(row.misc),
        trade_id=row.trade_id,
        maker=row.maker,
        position_id=None if row.postxid == NO_POSITION else flat.said(row.postxid),
        ledger_ids=tuple(row.ledgers),
    )


def _ledger(ledger_id: str, row: _Ledger) -> LedgerRecord:
    return LedgerRecord(
        ledger_id=ledger_id,
        ref_id=row.refid,
        time_ns=exact_ns(row.time),
        type=row.type,
        asset=asset_name(row.asset),
        amount=exact(row.amount),
        fee=exact(row.fee),
        balance=exact(row.balance),
        subtype=row.subtype or "",
        asset_class=row.aclass,
    )


# -- values ----------------------------------------------------------------------


def _or_zero(text: TextNumber | None) -> Decimal:
    return flat.number(text) or Decimal(0)


def _maybe_ns(time: JsonTime | None) -> int | None:
    return None if time is None else exact_ns(time) or None
