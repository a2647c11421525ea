"""From the shapes of `wire_private` to events: orders, fills and balances of the account.

Nothing of a report is thrown away because the venue said something new. A word
we do not know counts like a new member: an `exec_type` is read as ``status``
(something changed), an `order_status` as what the `exec_type` and the filled
quantity say, any other word as not there. Source: v2 reference, sections 2.4 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar, get_args

from krakenwire.model import (
    BalanceChange,
    BalanceChanges,
    Balances,
    Contingent,
    Event,
    ExecType,
    Execution,
    Executions,
    Fee,
    OrderSide,
    OrderStatus,
    OrderType,
    PriceType,
    TimeInForce,
    TriggerReference,
    TriggerState,
    Wallet,
    WalletBalance,
)
from krakenwire.model.numbers import decimal_from_text
from krakenwire.model.times import ns_from_rfc3339
from krakenwire.protocol.v2 import wire_private as wire
from krakenwire.protocol.v2.private_words import FEE_PREFERENCES
from krakenwire.protocol.v2.wire import ChannelMessage

__all__ = ["PRIVATE_EVENTS"]

_WordT = TypeVar("_WordT", bound=str)

_EXEC_TYPES: Final[Mapping[str, ExecType]] = {word: word for word in get_args(ExecType)}
_STATUSES: Final[Mapping[str, OrderStatus]] = {word: word for word in get_args(OrderStatus)}
_SIDES: Final[Mapping[str, OrderSide]] = {word: word for word in get_args(OrderSide)}
_ORDER_TYPES: Final[Mapping[str, OrderType]] = {word: word for word in get_args(OrderType)}
_PRICE_TYPES: Final[Mapping[str, PriceType]] = {word: word for word in get_args(PriceType)}
_REFERENCES: Final[Mapping[str, TriggerReference]] = {word: word for word in get_args(TriggerReference)}
_TIMES_IN_FORCE: Final[Mapping[str, TimeInForce]] = {
    spelling: word for word in get_args(TimeInForce) for spelling in (word, word.upper())
}
_LIQUIDITY: Final[Mapping[str, Literal["m", "t"]]] = {"m": "m", "t": "t"}
_POSITIONS: Final[Mapping[str, Literal["opened", "closing", "closed"]]] = {
    "opened": "opened",
    "closing": "closing",
    "closed": "closed",
}
_TRIGGER_STATUSES: Final[Mapping[str, Literal["untriggered", "triggered"]]] = {
    "untriggered": "untriggered",
    "triggered": "triggered",
}


class _Reading:
    """One message on its way; counts the words we do not know."""

    def __init__(self) -> None:
        self.unknown = 0

    def word(self, found: str | None, words: Mapping[str, _WordT]) -> _WordT | None:
        """The word, None when there is none or it is new."""
        if found is None:
            return None
        known = words.get(found)
        if known is None:
            self.unknown += 1
        return known


def _number(value: Any) -> Decimal | None:
    return None if value is None else decimal_from_text(f"{value}")


def _exact(value: Any) -> Decimal:
    return decimal_from_text(f"{value}")


def _time_ns(text: str | None) -> int | None:
    return None if text is None else ns_from_rfc3339(text)


# -- executions ----------------------------------------------------------------


def _status(exec_type: ExecType, cum_qty: Decimal | None) -> OrderStatus:
    """How an order stands when the venue has a new word for it."""
    if exec_type == "trade":
        return "partially_filled"
    return _STATUSES.get(exec_type, "partially_filled" if cum_qty else "new")


def _trigger(reading: _Reading, row: wire.TriggerRow) -> TriggerState:
    return TriggerState(
        reference=reading.word(row.reference, _REFERENCES) or "last",
        price=_number(row.price),
        price_type=reading.word(row.price_type, _PRICE_TYPES) or "static",
        actual_price=_number(row.actual_price),
        peak_price=_number(row.peak_price),
        last_price=_number(row.last_price),
        status=reading.word(row.status, _TRIGGER_STATUSES) or "untriggered",
        time_ns=_time_ns(row.timestamp),
    )


def _contingent(reading: _Reading, row: wire.ContingentRow) -> Contingent | None:
    order_type = reading.word(row.order_type, _ORDER_TYPES)
    if order_type is None:
        return None
    return Contingent(
        order_type=order_type,
        trigger_price=_number(row.trigger_price),
        trigger_price_type=reading.word(row.trigger_price_type, _PRICE_TYPES),
        limit_price=_number(row.limit_price),
        limit_price_type=reading.word(row.limit_price_type, _PRICE_TYPES),
    )


def _execution(reading: _Reading, row: wire.ExecutionRow) -> Execution:
    exec_type = reading.word(row.exec_type, _EXEC_TYPES) or "status"
    cum_qty = _number(row.cum_qty)
    return Execution(
        order_id=row.order_id,
        exec_type=exec_type,
        order_status=reading.word(row.order_status, _STATUSES) or _status(exec_type, cum_qty),
        time_ns=ns_from_rfc3339(row.timestamp),
        symbol=row.symbol,
        side=reading.word(row.side, _SIDES),
        order_type=reading.word(row.order_type, _ORDER_TYPES),
        order_qty=_number(row.order_qty),
        cash_order_qty=_number(row.cash_order_qty),
        limit_price=_number(row.limit_price),
        limit_price_type=reading.word(row.limit_price_type, _PRICE_TYPES),
        time_in_force=reading.word(row.time_in_force, _TIMES_IN_FORCE),
        display_qty=_number(row.display_qty),
        display_qty_remain=_number(row.display_qty_remain),
        effective_time_ns=_time_ns(row.effective_time),
        expire_time_ns=_time_ns(row.expire_time),
        post_only=row.post_only,
        reduce_only=row.reduce_only,
        margin=row.margin,
        fee_preference=reading.word(row.fee_ccy_pref, FEE_PREFERENCES),
        triggers=None if row.triggers is None else _trigger(reading, row.triggers),
        contingent=None if row.contingent is None else _contingent(reading, row.contingent),
        cl_ord_id=row.cl_ord_id,
        order_userref=row.order_userref,
        sender_sub_id=row.sender_sub_id,
        ord_ref_id=row.ord_ref_id,
        cum_qty=cum_qty,
        cum_cost=_number(row.cum_cost),
        avg_price=_number(row.avg_price),
        fee_usd_equiv=_number(row.fee_usd_equiv),
        exec_id=row.exec_id,
        trade_id=row.trade_id,
        last_qty=_number(row.last_qty),
        last_price=_number(row.last_price),
        cost=_number(row.cost),
        liquidity_ind=reading.word(row.liquidity_ind, _LIQUIDITY),
        fees=tuple(Fee(asset=fee.asset, qty=_exact(fee.qty)) for fee in row.fees),
        margin_borrow=row.margin_borrow,
        liquidated=row.liquidated,
        position_status=reading.word(row.position_status, _POSITIONS),
        amended=row.amended,
        reason=row.cancel_reason if row.reason is None else row.reason,
        ratecount=row.ratecount,
    )


def _executions(message: wire.ExecutionsMessage) -> tuple[Event, int]:
    reading = _Reading()
    rows = tuple(_execution(reading, row) for row in message.data)
    return Executions(kind=message.type, executions=rows, sequence=message.sequence), reading.unknown


# -- balances --------------------------------------------------------------------


def _balances(message: wire.BalancesMessage) -> tuple[Event, int]:
    rows = tuple(
        WalletBalance(
            asset=row.asset,
            balance=_exact(row.balance),
            wallets=tuple(Wallet(type=part.type, id=part.id, balance=_exact(part.balance)) for part in row.wallets),
            asset_class=row.asset_class,
        )
        for row in message.data
    )
    return Balances(balances=rows, sequence=message.sequence), 0


def _balance_changes(message: wire.BalanceChangesMessage) -> tuple[Event, int]:
    rows = tuple(
        BalanceChange(
            ledger_id=row.ledger_id,
            ref_id=row.ref_id,
            time_ns=ns_from_rfc3339(row.timestamp),
            type=row.type,
            asset=row.asset,
            amount=_exact(row.amount),
            fee=_exact(row.fee),
            balance=_exact(row.balance),
            category=row.category,
            subtype=row.subtype,
            asset_class=row.asset_class,
            wallet_type=row.wallet_type,
            wallet_id=row.wallet_id,
        )
        for row in message.data
    )
    return BalanceChanges(changes=rows, sequence=message.sequence), 0


PRIVATE_EVENTS: Final[Mapping[tuple[str, str], tuple[type[ChannelMessage], Callable[[Any], tuple[Event, int]]]]] = {
    ("executions", "snapshot"): (wire.ExecutionsMessage, _executions),
    ("executions", "update"): (wire.ExecutionsMessage, _executions),
    ("balances", "snapshot"): (wire.BalancesMessage, _balances),
    ("balances", "update"): (wire.BalanceChangesMessage, _balance_changes),
}
"""By channel and type: the shape of a message, and what makes an event of it and counts its new words."""
