"""Requests about orders as v1 and REST write them, read by the venue: flat texts into one request.

Prices have places there, not names: ``price`` is the trigger price of a type
that has one and else the limit price, ``price2`` the limit price behind a
trigger. Which members a version has and how it calls them is for
`v1.venue_trading` and `rest_trading`; what takes the market or the account to
know is for the exchange. Source: v1 reference, section 10; v2 reference, 8.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from krakenwire.model import (
    AddOrder,
    AmendOrder,
    Conditional,
    EditOrder,
    FeePreference,
    OrderType,
    SelfTradePrevention,
    TimeInForce,
    Trigger,
)
from krakenwire.model.market import OrderSide
from krakenwire.protocol.flat_values import (
    Price,
    flag,
    flags,
    invalid,
    leverage,
    moment,
    number,
    price,
    require,
    rises,
    userref,
    word,
)
from krakenwire.protocol.v2.venue_values import (
    ORDER_TYPES,
    PREVENTIONS,
    REFERENCES,
    SIDES,
    TIMES_IN_FORCE,
    client_id,
    deadline,
    exclusive,
)

__all__ = ["LIMITED", "TRIGGERED", "amend_of", "edit_of", "order_of"]

LIMITED: Final = ("limit", "iceberg", "stop-loss-limit", "take-profit-limit", "trailing-stop-limit")
TRIGGERED: Final = (
    *("stop-loss", "stop-loss-limit", "take-profit", "take-profit-limit"),
    *("trailing-stop", "trailing-stop-limit"),
)
_CLOSES: Final = ("limit", *TRIGGERED)
_HYPHENED: Final[Mapping[str, SelfTradePrevention]] = {name.replace("_", "-"): name for name in PREVENTIONS}
_OTHER: Final[Mapping[OrderSide, OrderSide]] = {"buy": "sell", "sell": "buy"}

Texts = Mapping[str, str]


def order_of(given: Texts, symbol: str, now_ns: int, deadline_ns: int | None = None) -> AddOrder:
    """Return the new order that some members describe.

    Args:
        given: by REST's names, self-trade prevention as ``stptype``; an empty text counts as absent.
        symbol: v2 spelling.
        now_ns: for times that count from now.
        deadline_ns: of the request.

    Raises:
        Declined: with the venue's text.
    """
    require(given, "ordertype", "type", "volume")
    order_type = word(given, "ordertype", ORDER_TYPES, "limit")
    side = word(given, "type", SIDES, "buy")
    limit, first = _prices(given, order_type, side)
    oflags = flags(given)
    volume = number(given, "volume")
    exclusive(_said(given), "cl_ord_id", "userref")
    if order_type == "iceberg":
        require(given, "displayvol")
    expire_time_ns = moment(given, "expiretm", now_ns)
    unsaid: TimeInForce = "gtc" if expire_time_ns is None else "gtd"
    time_in_force = word(given, "timeinforce", TIMES_IN_FORCE, unsaid)
    if time_in_force == "gtd" and expire_time_ns is None:
        raise invalid("expiretm")
    return AddOrder(
        symbol=symbol,
        side=side,
        order_type=order_type,
        order_qty=None if "viqc" in oflags else volume,
        cash_order_qty=volume if "viqc" in oflags else None,
        limit_price=None if limit is None else limit.value,
        limit_price_type="static" if limit is None else limit.kind,
        triggers=None if first is None else _trigger(given, first),
        time_in_force=time_in_force,
        expire_time_ns=expire_time_ns,
        effective_time_ns=moment(given, "starttm", now_ns),
        deadline_ns=deadline_ns,
        display_qty=number(given, "displayvol"),
        post_only="post" in oflags,
        reduce_only=flag(given, "reduce_only"),
        margin=flag(given, "margin"),
        leverage=leverage(given),
        fee_preference=_fee_preference(oflags),
        stp_type=_HYPHENED[word(given, "stptype", tuple(_HYPHENED), "cancel-newest")],
        cl_ord_id=client_id(_said(given), "cl_ord_id"),
        order_userref=userref(given),
        conditional=_close(given, _OTHER[side]),
        validate=flag(given, "validate"),
        sender_sub_id=client_id(_said(given), "sender_sub_id"),
    )


def amend_of(given: Texts, symbol: str | None, now_ns: int) -> AmendOrder:
    """Return the amendment that some members describe, by REST's names; `symbol` in v2 spelling.

    Raises:
        Declined: with the venue's text.
    """
    said = _said(given)
    exclusive(said, "txid", "cl_ord_id")
    if "cl_ord_id" not in said:
        require(given, "txid")
    limit, trigger = price(given, "limit_price"), price(given, "trigger_price")
    return AmendOrder(
        order_id=said.get("txid"),
        cl_ord_id=client_id(said, "cl_ord_id"),
        order_qty=_renamed(given, "order_qty", "volume"),
        limit_price=None if limit is None else limit.value,
        limit_price_type=None if limit is None else limit.kind,
        trigger_price=None if trigger is None else trigger.value,
        trigger_price_type="static" if trigger is None else trigger.kind,
        display_qty=_renamed(given, "display_qty", "displayvol"),
        post_only=flag(given, "post_only"),
        deadline_ns=deadline(said, now_ns),
        symbol=symbol,
    )


def edit_of(given: Texts, symbol: str, now_ns: int) -> EditOrder:
    """Return the replacement that some members describe, by REST's names; `symbol` in v2 spelling.

    Flags that are given, even as an empty text, say whether the new order is post-only.

    Raises:
        Declined: with the venue's text.
    """
    require(given, "txid")
    said = _said(given)
    oflags = flags(given)
    if "viqc" in oflags:
        raise invalid("oflags")
    first, second = price(given, "price"), price(given, "price2")
    return EditOrder(
        order_id=given["txid"],
        symbol=symbol,
        order_qty=number(given, "volume"),
        limit_price=None if second is None else second.value,
        limit_price_type="static" if second is None else second.kind,
        display_qty=number(given, "displayvol"),
        post_only="post" in oflags if "oflags" in given else None,
        fee_preference=_fee_preference(oflags),
        order_userref=userref(given),
        price=None if first is None else first.value,
        price_type="static" if first is None else first.kind,
        deadline_ns=deadline(said, now_ns),
        validate=flag(given, "validate"),
    )


# -- parts -----------------------------------------------------------------------


def _said(given: Texts) -> dict[str, str]:
    """The members that are not empty."""
    return {name: text for name, text in given.items() if text}


def _renamed(given: Texts, name: str, engine_name: str) -> Decimal | None:
    """A number whose refusal has the engine's name."""
    return number({engine_name: given.get(name, "")}, engine_name)


def _prices(
    given: Texts, order_type: OrderType, side: OrderSide, name: str = "price", second: str = "price2"
) -> tuple[Price | None, Price | None]:
    """The limit price and the trigger price of an order of some type; what the type has no use for is passed over."""
    limit = trigger = None
    if order_type in TRIGGERED:
        require(given, name)
        trigger = price(given, name, rises(order_type, side))
        if order_type in LIMITED:
            require(given, second)
            # Behind a trigger, the limit leaves room to trade: a buyer's is above.
            limit = price(given, second, None if order_type == "trailing-stop-limit" else side == "buy")
    elif order_type in LIMITED:
        require(given, name)
        limit = price(given, name, rises(order_type, side))
    return limit, trigger


def _trigger(given: Texts, first: Price) -> Trigger:
    return Trigger(price=first.value, price_type=first.kind, reference=word(given, "trigger", REFERENCES, "last"))


def _fee_preference(oflags: frozenset[str]) -> FeePreference | None:
    if "fcib" in oflags:
        return "base"
    return "quote" if "fciq" in oflags else None


def _close(given: Texts, side: OrderSide) -> Conditional | None:
    if not any(given.get(f"close[{name}]") for name in ("ordertype", "price", "price2")):
        return None
    require(given, "close[ordertype]")
    order_type = word(given, "close[ordertype]", ORDER_TYPES, "limit")
    if order_type not in _CLOSES:
        raise invalid("close[ordertype]")
    limit, trigger = _prices(given, order_type, side, "close[price]", "close[price2]")
    return Conditional(
        order_type=order_type,
        limit_price=None if limit is None else limit.value,
        limit_price_type="static" if limit is None else limit.kind,
        trigger_price=None if trigger is None else trigger.value,
        trigger_price_type="static" if trigger is None else trigger.kind,
    )
