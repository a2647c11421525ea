"""Requests about orders as v1 and REST write them, by the client: what `flat_orders` reads.

Only what differs from the venue's default is written, by REST's names; v1
renames some (`v1.trading`). What the flat form has no place for is a
`UsageError`; whether a request makes sense is not judged here.
"""

from __future__ import annotations

from decimal import Decimal

from krakenwire.errors import SymbolError, UsageError
from krakenwire.model import AddOrder, AmendOrder, Conditional, EditOrder, FeePreference, PriceType
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol.flat_orders import LIMITED
from krakenwire.protocol.flat_values import moment_text, number_text, price_text
from krakenwire.protocol.symbols import to_v1

__all__ = ["amend_texts", "deadline_text", "edit_texts", "order_texts", "pair_text"]

_Texts = dict[str, str]


def pair_text(symbol: str) -> str:
    """Return the ``XBT/USD`` of a v2 symbol.

    Raises:
        UsageError: it is none.
    """
    try:
        return to_v1(symbol)
    except SymbolError:
        raise UsageError("the symbol of an order", expected="BASE/QUOTE such as BTC/USD", found=symbol) from None


def deadline_text(ns: int | None) -> str | None:
    """Return a deadline, cut to milliseconds."""
    return None if ns is None else rfc3339_from_ns(ns, 3)


def order_texts(order: AddOrder) -> _Texts:
    """Return the members of a new order but for its pair, deadline and validation, which a batch has once.

    Raises:
        UsageError: a price that the order type has no place for, a quantity in both units or none,
            a number below zero or not finite.
    """
    volume = order.cash_order_qty if order.order_qty is None else order.order_qty
    if volume is None or (order.order_qty is not None and order.cash_order_qty is not None):
        raise UsageError("the quantity of an order", expected="order_qty or cash_order_qty", found=order)
    trigger = order.triggers
    price, price2 = _places(
        order.order_type,
        _maybe_price(order.limit_price, order.limit_price_type),
        None if trigger is None else price_text(trigger.price, trigger.price_type),
    )
    unsaid = order.time_in_force == "gtc" and order.expire_time_ns is None
    return _said(
        ordertype=order.order_type,
        type=order.side,
        volume=number_text(volume),
        price=price,
        price2=price2,
        trigger=None if trigger is None or trigger.reference == "last" else trigger.reference,
        leverage=None if order.leverage is None else str(order.leverage),
        margin=_yes(order.margin),
        reduce_only=_yes(order.reduce_only),
        oflags=_flag_list(order.fee_preference, order.post_only, order.order_qty is None) or None,
        timeinforce=None if unsaid else order.time_in_force.upper(),
        starttm=_moment(order.effective_time_ns),
        expiretm=_moment(order.expire_time_ns),
        displayvol=_maybe_number(order.display_qty),
        stptype=None if order.stp_type == "cancel_newest" else order.stp_type.replace("_", "-"),
        userref=None if order.order_userref is None else str(order.order_userref),
        cl_ord_id=order.cl_ord_id,
        sender_sub_id=order.sender_sub_id,
    ) | ({} if order.conditional is None else _close(order.conditional))


def amend_texts(amend: AmendOrder) -> _Texts:
    """Return the members of an amendment; a limit price of no said type is written as an absolute one."""
    return _said(
        txid=amend.order_id,
        cl_ord_id=amend.cl_ord_id,
        order_qty=_maybe_number(amend.order_qty),
        display_qty=_maybe_number(amend.display_qty),
        limit_price=_maybe_price(amend.limit_price, amend.limit_price_type or "static"),
        trigger_price=_maybe_price(amend.trigger_price, amend.trigger_price_type),
        post_only=_yes(amend.post_only),
        pair=None if amend.symbol is None else pair_text(amend.symbol),
        deadline=deadline_text(amend.deadline_ns),
    )


def edit_texts(edit: EditOrder) -> _Texts:
    """Return the members of a replacement.

    Prices have places there, and what stands first is the limit of a plain order, but the trigger of one that
    waits for it. So a limit price alone could move the trigger: give the first price as `EditOrder.price`, and
    the limit price only behind it or behind `triggers`.

    Raises:
        UsageError: no symbol, a limit price alone, a trigger on the index, two first prices, `reduce_only`, a fee
            preference that leaves `post_only` open.
    """
    if edit.symbol is None:
        raise UsageError("an edit on API version 1 and REST", expected="the symbol of the order", found=None)
    if edit.triggers is not None and (edit.price is not None or edit.triggers.reference != "last"):
        found = "price" if edit.price is not None else edit.triggers.reference
        raise UsageError("the trigger of an edit", expected="triggers on the last price alone", found=found)
    if edit.reduce_only is not None:
        raise UsageError("reduce_only cannot be edited on API version 1 and REST", found=edit.reduce_only)
    limit = _maybe_price(edit.limit_price, edit.limit_price_type)
    first = _maybe_price(edit.price, edit.price_type)
    if edit.triggers is not None:
        first = price_text(edit.triggers.price, edit.triggers.price_type)
    if first is None and limit is not None:
        hint = "Give the limit of a plain order as price; with a trigger, give that along."
        raise UsageError("the limit price of an edit", expected="price or triggers before it", found=limit, hint=hint)
    if edit.fee_preference is not None and edit.post_only is None:
        raise UsageError("post_only of an edit with a fee_preference", expected="True or False", found=None)
    return _said(
        txid=edit.order_id,
        pair=pair_text(edit.symbol),
        volume=_maybe_number(edit.order_qty),
        displayvol=_maybe_number(edit.display_qty),
        price=first,
        price2=limit,
        oflags=None if edit.post_only is None else _flag_list(edit.fee_preference, edit.post_only),
        userref=None if edit.order_userref is None else str(edit.order_userref),
        deadline=deadline_text(edit.deadline_ns),
        validate=_yes(edit.validate),
    )


# -- parts -----------------------------------------------------------------------


def _said(**members: str | None) -> _Texts:
    return {name: text for name, text in members.items() if text is not None}


def _yes(value: bool) -> str | None:
    return "true" if value else None


def _moment(ns: int | None) -> str | None:
    return None if ns is None else moment_text(ns)


def _maybe_number(value: Decimal | None) -> str | None:
    return None if value is None else number_text(value)


def _maybe_price(value: Decimal | None, kind: PriceType) -> str | None:
    return None if value is None else price_text(value, kind)


def _places(order_type: str, limit: str | None, trigger: str | None) -> tuple[str | None, str | None]:
    """The prices of an order of some type by their places."""
    if (limit is not None) != (order_type in LIMITED):
        raise UsageError(f"the limit price of a {order_type} order", expected=_expected(limit is None), found=limit)
    takes_trigger = order_type not in ("limit", "iceberg", "market", "settle-position")
    if (trigger is not None) != takes_trigger:
        raise UsageError(f"the trigger of a {order_type} order", expected=_expected(trigger is None), found=trigger)
    return (limit, None) if trigger is None else (trigger, limit)


def _expected(wanted: bool) -> str:
    return "one" if wanted else "none"


def _flag_list(fee_preference: FeePreference | None, post_only: bool, in_quote: bool = False) -> str:
    flags = [] if fee_preference is None else ["fcib" if fee_preference == "base" else "fciq"]
    return ",".join(flags + (["post"] if post_only else []) + (["viqc"] if in_quote else []))


def _close(close: Conditional) -> _Texts:
    limit = _maybe_price(close.limit_price, close.limit_price_type)
    price, price2 = _places(close.order_type, limit, _maybe_price(close.trigger_price, close.trigger_price_type))
    named = {"close[ordertype]": close.order_type, "close[price]": price, "close[price2]": price2}
    return {name: text for name, text in named.items() if text is not None}
