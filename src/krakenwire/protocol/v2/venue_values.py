"""Values inside v2 trading requests: words, numbers, ids and times, each taken or declined.

The members are there and of their kind already; `venue_trading` sees to that.
Source: v2 reference, sections 2.6, 2.7, 8.1, 8.2 and 12.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar, get_args

from krakenwire import limits
from krakenwire.errors import DecodeError
from krakenwire.model import (
    FeePreference,
    OrderSide,
    OrderType,
    PriceType,
    SelfTradePrevention,
    TimeInForce,
    TriggerReference,
)
from krakenwire.model.times import ns_from_rfc3339
from krakenwire.protocol.v2.refusals import Declined

__all__ = [
    "CLIENT_ID",
    "FEE_PREFERENCES",
    "ORDER_TYPES",
    "PREVENTIONS",
    "PRICE_TYPES",
    "REFERENCES",
    "SIDES",
    "TIMES_IN_FORCE",
    "client_id",
    "deadline",
    "exclusive",
    "invalid",
    "number",
    "time",
    "userref",
    "word",
]

ORDER_TYPES: Final[tuple[OrderType, ...]] = get_args(OrderType)
SIDES: Final[tuple[OrderSide, ...]] = get_args(OrderSide)
TIMES_IN_FORCE: Final[tuple[TimeInForce, ...]] = get_args(TimeInForce)
PRICE_TYPES: Final[tuple[PriceType, ...]] = get_args(PriceType)
REFERENCES: Final[tuple[TriggerReference, ...]] = get_args(TriggerReference)
PREVENTIONS: Final[tuple[SelfTradePrevention, ...]] = get_args(SelfTradePrevention)
FEE_PREFERENCES: Final[tuple[FeePreference, ...]] = get_args(FeePreference)

_Given = Mapping[str, Any]
_WordT = TypeVar("_WordT", bound=str)

_NEAREST_NS, _FARTHEST_NS = (ms * 1_000_000 for ms in limits.DEADLINE_MS)
_USERREF_MIN, _USERREF_MAX = -(1 << 31), (1 << 31) - 1

CLIENT_ID: Final = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|[0-9a-fA-F]{32}"
    rf"|[ -~]{{1,{limits.FREE_ID_CHARS_MAX}}}"
)
"""A UUID, 32 hex digits, or free ASCII text."""


_ENGINE_NAMES: Final[Mapping[str, str]] = {
    "order_type": "ordertype",
    "side": "type",
    "order_qty": "volume",
    "cash_order_qty": "volume",
    "display_qty": "displayvol",
    **dict.fromkeys(("limit_price", "limit_price_type"), "price"),
    **dict.fromkeys(("price_type", "trigger_price", "trigger_price_type"), "price"),
    "reference": "trigger",
    "time_in_force": "timeinforce",
    "expire_time": "expiretm",
    "effective_time": "starttm",
    "fee_preference": "oflags",
    "stp_type": "stptype",
    "order_userref": "userref",
}
"""What the engine calls a member where it differs: by REST's name, as the recorded refusals do."""


def invalid(name: str) -> Declined:
    """Return the refusal of a member's value."""
    return Declined(f"EGeneral:Invalid arguments:{_ENGINE_NAMES.get(name, name)}")


def word(given: _Given, name: str, words: tuple[_WordT, ...], default: _WordT) -> _WordT:
    """Return one of the words a member may have."""
    if name not in given:
        return default
    found = given[name]
    for known in words:
        if known == found:
            return known
    raise invalid(name)


def number(given: _Given, name: str, *, signed: bool = False) -> Decimal | None:
    """Return a number of bounded size, not below zero unless `signed`."""
    value: Decimal | None = given.get(name)
    if value is None:
        return None
    if value.adjusted() >= limits.VENUE_NUMBER_DIGITS_MAX or (not signed and value.is_signed() and value):
        raise invalid(name)
    return value


def client_id(given: _Given, name: str) -> str | None:
    """Return an id of the client's choice."""
    value: str | None = given.get(name)
    if value is not None and CLIENT_ID.fullmatch(value) is None:
        raise invalid(name)
    return value


def userref(value: int | None) -> int | None:
    """Return a tag of 32 bits."""
    if value is not None and not _USERREF_MIN <= value <= _USERREF_MAX:
        raise invalid("order_userref")
    return value


def time(given: _Given, name: str) -> int | None:
    """Return a time in nanoseconds."""
    text: str | None = given.get(name)
    if text is None:
        return None
    try:
        return ns_from_rfc3339(text)
    except DecodeError:
        raise invalid(name) from None


def deadline(given: _Given, now_ns: int) -> int | None:
    """Return the deadline when it is neither past nor too near nor too far."""
    deadline_ns = time(given, "deadline")
    if deadline_ns is None:
        return None
    ahead_ns = deadline_ns - now_ns
    if ahead_ns < 0:
        raise Declined("EService:Deadline elapsed")
    if not _NEAREST_NS <= ahead_ns <= _FARTHEST_NS:
        raise invalid("deadline")
    return deadline_ns


def exclusive(given: _Given, one: str, other: str) -> None:
    """Decline two members that rule each other out."""
    if one in given and other in given:
        raise Declined("EGeneral:Invalid arguments")
