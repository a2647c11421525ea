"""The client's side of REST about a key, a token, margin, fees and amendments: answers into values.

Orders, fills and ledger entries are in `rest_records`. An answer with a token
in it never becomes part of an error. Source: v2 reference, sections 4.1 and 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal

import msgspec

from krakenwire.errors import DecodeError
from krakenwire.model import (
    AmendRecord,
    FeeTier,
    KeyInfo,
    PositionRecord,
    TradeBalance,
    TradeVolume,
    WebSocketToken,
)
from krakenwire.model.numbers import decimal_from_text
from krakenwire.model.secrets import Secret
from krakenwire.protocol import flat_telling as flat
from krakenwire.protocol.permissions import WIRE_PERMISSIONS
from krakenwire.protocol.rest_client import rest_result
from krakenwire.protocol.rest_values import JsonTime, TextNumber, exact, exact_ns, known_word, symbol_of
from krakenwire.protocol.symbols import asset_name

__all__ = [
    "read_key_info",
    "read_open_positions",
    "read_order_amends",
    "read_trade_balance",
    "read_trade_volume",
    "read_websocket_token",
]

_UNSHOWN: Final = "the answer to GetWebSocketsToken is not one (it is not shown: a token may be in it)"


class _Token(msgspec.Struct):
    token: str
    expires: int = 900


def read_websocket_token(body: bytes | str) -> WebSocketToken:
    """Return the token of an answer to `GetWebSocketsToken`.

    Raises:
        VenueRefusal: the service refused; so with every call here.
        DecodeError: not such an answer; so with every call here.
    """
    try:
        result = rest_result(body, _Token, "GetWebSocketsToken")
    except DecodeError:
        raise DecodeError(_UNSHOWN) from None
    return WebSocketToken(token=Secret(result.token), expires_s=result.expires)


# -- the key ---------------------------------------------------------------------


class _KeyInfo(msgspec.Struct, rename="camel"):
    permissions: list[str]
    api_key_name: str = ""
    nonce_window: int = 0
    valid_until: TextNumber | None = None
    query_from: TextNumber | None = None
    query_to: TextNumber | None = None
    created_time: TextNumber | None = None
    modified_time: TextNumber | None = None
    last_used: TextNumber | None = None
    ip_allowlist: list[str] | None = None


def read_key_info(body: bytes | str) -> KeyInfo:
    """Return what an answer to `GetApiKeyInfo` tells."""
    row = rest_result(body, _KeyInfo, "GetApiKeyInfo")
    return KeyInfo(
        name=row.api_key_name,
        permissions=frozenset(WIRE_PERMISSIONS[name] for name in row.permissions if name in WIRE_PERMISSIONS),
        others=frozenset(name for name in row.permissions if name not in WIRE_PERMISSIONS),
        nonce_window=row.nonce_window,
        valid_until_ns=flat.time_ns(row.valid_until),
        query_from_ns=flat.time_ns(row.query_from),
        query_to_ns=flat.time_ns(row.query_to),
        created_ns=flat.time_ns(row.created_time),
        modified_ns=flat.time_ns(row.modified_time),
        last_used_ns=flat.time_ns(row.last_used),
        ip_allowlist=tuple(row.ip_allowlist or ()),
    )


# -- margin ----------------------------------------------------------------------


class _TradeBalance(msgspec.Struct):
    eb: TextNumber
    tb: TextNumber
    m: TextNumber
    n: TextNumber
    c: TextNumber
    v: TextNumber
    e: TextNumber
    mf: TextNumber
    uv: TextNumber | None = None
    mfo: TextNumber | None = None
    ml: TextNumber | None = None


def read_trade_balance(body: bytes | str) -> TradeBalance:
    """Return the figures of an answer to `TradeBalance`."""
    row = rest_result(body, _TradeBalance, "TradeBalance")
    return TradeBalance(
        equivalent=exact(row.eb),
        balance=exact(row.tb),
        used=exact(row.m),
        pending=flat.number(row.uv) or Decimal(0),
        net=exact(row.n),
        cost=exact(row.c),
        value=exact(row.v),
        equity=exact(row.e),
        free=exact(row.mf),
        free_for_orders=flat.number(row.mfo),
        level=flat.number(row.ml),
    )


class _Position(msgspec.Struct):
    ordertxid: str
    pair: str
    time: JsonTime
    type: str
    ordertype: str
    cost: TextNumber
    fee: TextNumber
    vol: TextNumber
    vol_closed: TextNumber
    margin: TextNumber
    posstatus: str = "open"
    rollovertm: TextNumber | None = None
    value: TextNumber | None = None
    net: TextNumber | None = None
    terms: str = ""


def read_open_positions(body: bytes | str) -> tuple[PositionRecord, ...]:
    """Return the positions of an answer to `OpenPositions`."""
    rows = rest_result(body, dict[str, _Position], "OpenPositions")
    return tuple(_position(position_id, row) for position_id, row in rows.items())


def _position(position_id: str, row: _Position) -> PositionRecord:
    return PositionRecord(
        position_id=position_id,
        order_id=row.ordertxid,
        symbol=symbol_of(row.pair),
        time_ns=exact_ns(row.time),
        side=known_word(row.type, flat.SIDES, "type"),
        order_type=known_word(row.ordertype, flat.ORDER_TYPES, "ordertype"),
        cost=exact(row.cost),
        fee=exact(row.fee),
        qty=exact(row.vol),
        closed_qty=exact(row.vol_closed),
        margin=exact(row.margin),
        rollover_ns=flat.time_ns(row.rollovertm),
        value=flat.number(row.value),
        net=None if row.net is None else decimal_from_text(str(row.net).removeprefix("+")),
        terms=row.terms,
        status=row.posstatus,
    )


# -- fees ------------------------------------------------------------------------


class _Tier(msgspec.Struct):
    fee: TextNumber
    minfee: TextNumber | None = None
    maxfee: TextNumber | None = None
    nextfee: TextNumber | None = None
    nextvolume: TextNumber | None = None
    tiervolume: TextNumber | None = None


class _TradeVolume(msgspec.Struct):
    currency: str
    volume: TextNumber
    fees: dict[str, _Tier] | None = None
    fees_maker: dict[str, _Tier] | None = None


def read_trade_volume(body: bytes | str) -> TradeVolume:
    """Return what an answer to `TradeVolume` tells."""
    result = rest_result(body, _TradeVolume, "TradeVolume")
    return TradeVolume(
        currency=asset_name(result.currency),
        volume=exact(result.volume),
        taker=_tiers(result.fees),
        maker=_tiers(result.fees_maker),
    )


def _tiers(rows: Mapping[str, _Tier] | None) -> dict[str, FeeTier]:
    return {symbol_of(pair): _tier(row) for pair, row in (rows or {}).items()}


def _tier(row: _Tier) -> FeeTier:
    return FeeTier(
        fee=exact(row.fee),
        fee_min=flat.number(row.minfee),
        fee_max=flat.number(row.maxfee),
        next_fee=flat.number(row.nextfee),
        next_volume=flat.number(row.nextvolume),
        tier_volume=flat.number(row.tiervolume),
    )


# -- amendments ------------------------------------------------------------------

_AmendType = Literal["original", "user", "restated"]


class _Amend(msgspec.Struct):
    amend_id: str
    amend_type: _AmendType
    order_qty: TextNumber
    remaining_qty: TextNumber
    timestamp: int
    display_qty: TextNumber | None = None
    limit_price: TextNumber | None = None
    trigger_price: TextNumber | None = None
    reason: str | None = None
    post_only: bool | None = None


class _Amends(msgspec.Struct):
    amends: list[_Amend]


def read_order_amends(body: bytes | str) -> tuple[AmendRecord, ...]:
    """Return the amendments of an answer to `OrderAmends`, oldest first."""
    return tuple(_amend(row) for row in rest_result(body, _Amends, "OrderAmends").amends)


def _amend(row: _Amend) -> AmendRecord:
    return AmendRecord(
        amend_id=row.amend_id,
        amend_type=row.amend_type,
        order_qty=exact(row.order_qty),
        remaining_qty=exact(row.remaining_qty),
        time_ns=row.timestamp,
        display_qty=flat.number(row.display_qty),
        limit_price=flat.number(row.limit_price),
        trigger_price=flat.number(row.trigger_price),
        reason=flat.said(row.reason),
        post_only=row.post_only,
    )
