"""The client's side of REST about an account: answers of the reading calls into records.

Read as far as it can be: new members are passed over, null and what stands
for "not set" is None. Source: v2 reference, section 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeVar, get_args

import msgspec

from krakenwire.errors import DecodeError, SymbolError
from krakenwire.model import AssetBalance, LedgerRecord, OrderRecord, RecordStatus, TradeRecord, TriggerState
from krakenwire.model.numbers import decimal_from_text
from krakenwire.model.times import ns_from_unix_text
from krakenwire.protocol import flat_telling as flat
from krakenwire.protocol.descriptions import NO_POSITION
from krakenwire.protocol.rest_client import rest_result
from krakenwire.protocol.symbols import asset_name, to_v2

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
_WordT = TypeVar("_WordT", bound=str)
_Number = str | int
_Time = Decimal | int
"""JSON numbers, read exactly."""


class Page(msgspec.Struct, frozen=True):
    """One page of a list, newest first, and how many there are in all; None when the service does not say."""

    records: tuple[OrderRecord, ...] | tuple[TradeRecord, ...] | tuple[LedgerRecord, ...]
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
    vol: _Number
    opentm: _Time
    refid: str | None = None
    userref: int | None = None
    cl_ord_id: str | None = None
    sender_sub_id: str | None = None
    reason: str | None = None
    closetm: _Time | None = None
    starttm: _Time | None = None
    expiretm: _Time | None = None
    vol_exec: _Number | None = None
    cost: _Number | None = None
    fee: _Number | None = None
    price: _Number | None = None
    stopprice: _Number | None = None
    limitprice: _Number | None = None
    displayvol: _Number | None = None
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
    time: _Time
    type: str
    ordertype: str
    price: _Number
    cost: _Number
    fee: _Number
    vol: _Number
    postxid: str | None = None
    margin: _Number | None = None
    leverage: str | None = None
    misc: str | None = None
    trade_id: int | None = None
    maker: bool | None = None
    ledgers: list[str] = []


class _Ledger(msgspec.Struct):
    refid: str
    time: _Time
    type: str
    asset: str
    amount: _Number
    fee: _Number
    balance: _Number
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
    balance: _Number
    hold_trade: _Number = "0"


def read_open_orders(body: bytes | str) -> tuple[OrderRecord, ...]:
    """Return the orders of an answer to `OpenOrders`.

    Raises:
        VenueRefusal: the service refused; so with every call here.
        DecodeError: not such an answer; so with every call here.
    """
    return _orders(rest_result(body, _OpenOrders, "OpenOrders").open)


def read_closed_orders(body: bytes | str) -> Page:
    """Return a page of `ClosedOrders`."""
    result = rest_result(body, _ClosedOrders, "ClosedOrders")
    return Page(_orders(result.closed), result.count)


def read_query_orders(body: bytes | str) -> tuple[OrderRecord, ...]:
    """Return the orders of an answer to `QueryOrders`."""
    return _orders(rest_result(body, dict[str, _Order], "QueryOrders"))


def read_trades_history(body: bytes | str) -> Page:
    """Return a page of `TradesHistory`."""
    result = rest_result(body, _Trades, "TradesHistory")
    return Page(_fills(result.trades), result.count)


def read_query_trades(body: bytes | str) -> tuple[TradeRecord, ...]:
    """Return the fills of an answer to `QueryTrades`."""
    return _fills(rest_result(body, dict[str, _Trade], "QueryTrades"))


def read_ledgers(body: bytes | str) -> Page:
    """Return a page of `Ledgers`."""
    result = rest_result(body, _Ledgers, "Ledgers")
    return Page(_entries(result.ledger), result.count)


def read_query_ledgers(body: bytes | str) -> tuple[LedgerRecord, ...]:
    """Return the entries of an answer to `QueryLedgers`."""
    return _entries(rest_result(body, dict[str, _Ledger], "QueryLedgers"))


def read_balance(body: bytes | str) -> tuple[AssetBalance, ...]:
    """Return what an answer to `Balance` tells, asset by asset; it does not tell what is held."""
    result = rest_result(body, dict[str, _Number], "Balance")
    return tuple(AssetBalance(asset=asset_name(name), balance=_exact(text)) for name, text in result.items())


def read_balance_ex(body: bytes | str) -> tuple[AssetBalance, ...]:
    """Return what an answer to `BalanceEx` tells, asset by asset."""
    result = rest_result(body, dict[str, _Balance], "BalanceEx")
    return tuple(
        AssetBalance(asset=asset_name(name), balance=_exact(row.balance), held=_exact(row.hold_trade))
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
    order_type = _known(descr.ordertype, flat.ORDER_TYPES, "ordertype")
    prices = flat.places(order_type, descr.price, descr.price2)
    triggers = None
    if prices.trigger is not None:
        reference = flat.REFERENCES.get(row.trigger or "", "last")
        triggers = TriggerState(reference=reference, price=prices.trigger, price_type=prices.trigger_kind)
    return OrderRecord(
        order_id=order_id,
        status=_known(row.status, _STATUSES, "status"),
        symbol=_symbol(descr.pair),
        side=_known(descr.type, flat.SIDES, "type"),
        order_type=order_type,
        order_qty=_exact(row.vol),
        open_time_ns=_ns(row.opentm),
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
        symbol=_symbol(row.pair),
        time_ns=_ns(row.time),
        side=_known(row.type, flat.SIDES, "type"),
        order_type=_known(row.ordertype, flat.ORDER_TYPES, "ordertype"),
        price=_exact(row.price),
        cost=_exact(row.cost),
        fee=_exact(row.fee),
        qty=_exact(row.vol),
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
        time_ns=_ns(row.time),
        type=row.type,
        asset=asset_name(row.asset),
        amount=_exact(row.amount),
        fee=_exact(row.fee),
        balance=_exact(row.balance),
        subtype=row.subtype or "",
        asset_class=row.aclass,
    )


# -- values ----------------------------------------------------------------------


def _known(found: str, words: Mapping[str, _WordT], what: str) -> _WordT:
    """A word that a record cannot do without."""
    known = words.get(found)
    if known is None:
        raise DecodeError(f"an unknown {what}", found)
    return known


def _symbol(pair: str) -> str:
    try:
        return to_v2(pair)
    except SymbolError:
        return pair


def _exact(text: _Number) -> Decimal:
    return decimal_from_text(text)


def _or_zero(text: _Number | None) -> Decimal:
    return flat.number(text) or Decimal(0)


def _ns(time: _Time) -> int:
    """Nanoseconds; the exponent is bounded before it is spelled out, as a short number can stand for a long text."""
    return ns_from_unix_text(f"{decimal_from_text(str(time)):f}")


def _maybe_ns(time: _Time | None) -> int | None:
    return None if time is None else _ns(time) or None
