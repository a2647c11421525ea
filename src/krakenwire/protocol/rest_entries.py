"""The venue's side of REST about an account: orders, trades, ledger, balances and amendments as results.

Numbers are strings, times are Unix seconds; a pair has its `altname` inside an
order's description and its REST id in a trade. Callers choose which records
and in which order. Source: v2 reference, section 11.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from krakenwire.model import AmendRecord, AssetBalance, KeyInfo, LedgerRecord, OrderRecord, TradeRecord
from krakenwire.protocol.descriptions import NO_POSITION, VOLUME_DECIMALS, PairTexts, fixed, order_flags, record_words
from krakenwire.protocol.permissions import WIRE_PERMISSIONS
from krakenwire.protocol.rest import PRICE_DECIMALS, Json
from krakenwire.protocol.symbols import rest_asset

__all__ = [
    "amends_result",
    "balance_ex_result",
    "balance_result",
    "closed_orders_result",
    "key_info_result",
    "ledger_entry",
    "ledgers_result",
    "open_orders_result",
    "order_entry",
    "query_ledgers_result",
    "query_orders_result",
    "query_trades_result",
    "trade_entry",
    "trades_result",
]

Orders = Iterable[tuple[OrderRecord, PairTexts]]
Trades = Iterable[tuple[TradeRecord, PairTexts]]

_IIBAN: Final = "AA00 LOCA LKRA KEN0"
"""Of the form that the documents give, and nobody's."""

_SECOND: Final = 1_000_000_000
_TIME_UNIT: Final = 100_000
"""Times have four decimals."""


# -- results ---------------------------------------------------------------------


def open_orders_result(orders: Orders, *, trades: bool = False) -> Json:
    """Return the result of `OpenOrders`; `trades` lists the fills of each."""
    return {"open": _orders(orders, trades)}


def closed_orders_result(orders: Orders, count: int, *, trades: bool = False) -> Json:
    """Return a page of `ClosedOrders`; `count` is how many there are in all."""
    return {"closed": _orders(orders, trades), "count": count}


def query_orders_result(orders: Orders, *, trades: bool = False) -> Json:
    """Return the result of `QueryOrders`."""
    return _orders(orders, trades)


def trades_result(trades: Trades, count: int, *, ledgers: bool = False) -> Json:
    """Return a page of `TradesHistory`; `ledgers` lists the entries of each."""
    return {"trades": _trades(trades, ledgers), "count": count}


def query_trades_result(trades: Trades, *, ledgers: bool = False) -> Json:
    """Return the result of `QueryTrades`."""
    return _trades(trades, ledgers)


def ledgers_result(entries: Iterable[LedgerRecord], count: int) -> Json:
    """Return a page of `Ledgers`."""
    return {"ledger": _ledgers(entries), "count": count}


def query_ledgers_result(entries: Iterable[LedgerRecord]) -> Json:
    """Return the result of `QueryLedgers`."""
    return _ledgers(entries)


def balance_result(balances: Iterable[AssetBalance]) -> Json:
    """Return the result of `Balance`."""
    return {rest_asset(row.asset): f"{row.balance:f}" for row in balances}


def balance_ex_result(balances: Iterable[AssetBalance]) -> Json:
    """Return the result of `BalanceEx`."""
    return {rest_asset(row.asset): {"balance": f"{row.balance:f}", "hold_trade": f"{row.held:f}"} for row in balances}


def amends_result(amends: Iterable[AmendRecord], pair: PairTexts) -> Json:
    """Return the result of `OrderAmends`, oldest first."""
    entries: list[Json] = [_amend(amend, pair) for amend in amends]
    return {"amends": entries, "count": len(entries)}


def key_info_result(info: KeyInfo, key: str, nonce: int) -> Json:
    """Return the result of `GetApiKeyInfo`; `key` is the public text, `nonce` the highest one so far."""
    named = [name for name, permission in WIRE_PERMISSIONS.items() if permission in info.permissions]
    return {
        "apiKeyName": info.name,
        "apiKey": key,
        "nonce": str(nonce),
        "nonceWindow": info.nonce_window,
        "permissions": [*named, *sorted(info.others)],
        "iban": _IIBAN,
        "validUntil": str(_whole(info.valid_until_ns)),
        "queryFrom": str(_whole(info.query_from_ns)),
        "queryTo": str(_whole(info.query_to_ns)),
        "createdTime": str(_whole(info.created_ns)),
        "modifiedTime": str(_whole(info.modified_ns)),
        "ipAllowlist": list(info.ip_allowlist),
        "lastUsed": None if info.last_used_ns is None else str(_whole(info.last_used_ns)),
    }


# -- entries ---------------------------------------------------------------------


def order_entry(record: OrderRecord, pair: PairTexts, *, trades: bool = False) -> dict[str, Json]:
    """Return one order."""
    words = record_words(record, pair)
    closed: dict[str, Json] = {} if record.close_time_ns is None else {"closetm": _time(record.close_time_ns)}
    entry: dict[str, Json] = {
        "refid": record.ref_id,
        "userref": record.order_userref or 0,
        "cl_ord_id": record.cl_ord_id,
        "status": record.status,
        **({"reason": record.reason} if closed else {}),
        "opentm": _time(record.open_time_ns),
        **closed,
        "starttm": _whole(record.start_time_ns),
        "expiretm": _whole(record.expire_time_ns),
        "descr": {
            "pair": pair.altname,
            "type": record.side,
            "ordertype": record.order_type,
            "price": words.price or "0",
            "price2": words.price2 or "0",
            "leverage": "none" if record.leverage is None else f"{record.leverage}:1",
            "order": words.order,
            "close": words.close,
        },
        "vol": fixed(record.order_qty, VOLUME_DECIMALS),
        "vol_exec": fixed(record.cum_qty, VOLUME_DECIMALS),
        "cost": fixed(record.cum_cost, pair.cost_decimals),
        "fee": fixed(record.fee, pair.cost_decimals),
        "price": _price(record.avg_price, pair),
        "stopprice": _price(record.stop_price, pair),
        "limitprice": _price(record.actual_limit_price, pair),
        "misc": ",".join(record.misc),
        "oflags": order_flags(record),
    }
    return entry | _where_there_is_one(record, trades)


def _where_there_is_one(record: OrderRecord, trades: bool) -> dict[str, Json]:
    """What stands at the end of the orders that have it."""
    found: dict[str, Json] = {
        "timeinforce": record.time_in_force.upper(),
        "trigger": None if record.triggers is None else record.triggers.reference,
        "displayvol": None if record.display_qty is None else fixed(record.display_qty, VOLUME_DECIMALS),
        "sender_sub_id": record.sender_sub_id,
        "reduce_only": record.reduce_only or None,
        "amended": record.amended or None,
        "trades": list(record.exec_ids) if trades and record.exec_ids else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def trade_entry(record: TradeRecord, pair: PairTexts, *, ledgers: bool = False) -> dict[str, Json]:
    """Return one fill."""
    entry: dict[str, Json] = {
        "ordertxid": record.order_id,
        "postxid": record.position_id or NO_POSITION,
        "pair": pair.rest_key,
        "time": _time(record.time_ns),
        "type": record.side,
        "ordertype": record.order_type,
        "price": _price(record.price, pair),
        "cost": fixed(record.cost, pair.cost_decimals),
        "fee": fixed(record.fee, pair.cost_decimals),
        "vol": fixed(record.qty, VOLUME_DECIMALS),
        "margin": fixed(record.margin, pair.cost_decimals),
        "leverage": str(record.leverage or 0),
        "misc": ",".join(record.misc),
        "trade_id": record.trade_id or 0,
        "maker": bool(record.maker),
    }
    return entry | ({"ledgers": list(record.ledger_ids)} if ledgers else {})


def ledger_entry(record: LedgerRecord) -> dict[str, Json]:
    """Return one change of a balance."""
    return {
        "refid": record.ref_id,
        "time": _time(record.time_ns),
        "type": record.type,
        "subtype": record.subtype,
        "aclass": record.asset_class,
        "asset": rest_asset(record.asset),
        "amount": f"{record.amount:f}",
        "fee": f"{record.fee:f}",
        "balance": f"{record.balance:f}",
    }


def _amend(amend: AmendRecord, pair: PairTexts) -> dict[str, Json]:
    members: dict[str, Json] = {
        "amend_id": amend.amend_id,
        "amend_type": amend.amend_type,
        "order_qty": fixed(amend.order_qty, VOLUME_DECIMALS),
        "display_qty": None if amend.display_qty is None else fixed(amend.display_qty, VOLUME_DECIMALS),
        "remaining_qty": fixed(amend.remaining_qty, VOLUME_DECIMALS),
        "limit_price": None if amend.limit_price is None else fixed(amend.limit_price, pair.price_decimals),
        "trigger_price": None if amend.trigger_price is None else fixed(amend.trigger_price, pair.price_decimals),
        "reason": amend.reason,
        "post_only": amend.post_only,
        "timestamp": amend.time_ns,
    }
    return {name: value for name, value in members.items() if value is not None}


# -- inside ----------------------------------------------------------------------


def _orders(orders: Orders, trades: bool) -> dict[str, Json]:
    return {record.order_id: order_entry(record, pair, trades=trades) for record, pair in orders}


def _trades(trades: Trades, ledgers: bool) -> dict[str, Json]:
    return {record.exec_id: trade_entry(record, pair, ledgers=ledgers) for record, pair in trades}


def _ledgers(entries: Iterable[LedgerRecord]) -> dict[str, Json]:
    return {record.ledger_id: ledger_entry(record) for record in entries}


def _price(value: Decimal, pair: PairTexts) -> str:
    return fixed(value, max(PRICE_DECIMALS, pair.price_decimals))


def _whole(ns: int | None) -> int:
    return 0 if ns is None else ns // _SECOND


def _time(ns: int) -> msgspec.Raw:
    seconds, fraction = divmod(ns, _SECOND)
    digits = f"{fraction // _TIME_UNIT:04d}".rstrip("0") or "0"
    return msgspec.Raw(f"{seconds}.{digits}".encode())
