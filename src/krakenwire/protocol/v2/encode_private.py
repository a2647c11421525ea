"""The venue's side of v2's private half, outbound: answers, executions and balances into frames.

Reports are sparse, and the order of their members depends on what happened, as
in the recordings; a member without a recorded place stands where its kind
does. Numbers are written with the decimals they have. The sequence, which
differs by connection, comes last: bodies are made once and shared.
Source: v2 reference, sections 2.3 to 2.6, 7, 8 and 13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, TypeAlias

import msgspec

from krakenwire.model import (
    BalanceChange,
    BalanceChanges,
    Balances,
    Contingent,
    Execution,
    Executions,
    Fee,
    Kind,
    TriggerState,
    WalletBalance,
)
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol.v2.encode import reply_frame
from krakenwire.protocol.v2.private_words import FEE_PREFERENCES
from krakenwire.protocol.v2.venue_private import PrivateSubscribe, PrivateUnsubscribe

__all__ = [
    "EXECUTIONS_WARNINGS",
    "balance_changes_body",
    "balances_body",
    "balances_subscribed",
    "executions_body",
    "executions_subscribed",
    "unsubscribed",
    "with_sequence",
]

EXECUTIONS_WARNINGS: Final = (
    "cancel_reason is deprecated, use reason",
    "stop_price is deprecated, use triggers.price",
    "trigger is deprecated use triggers.reference",
    "triggered_price is deprecated use triggers.last_price",
)
"""What every confirmation of `executions` warns of, letter by letter."""


# -- messages ------------------------------------------------------------------


def with_sequence(body: str, sequence: int) -> str:
    """Return the frame of a body for one connection."""
    return f"{body}{sequence}}}"


def executions_body(event: Executions) -> str:
    """Return an `executions` message up to its sequence.

    Cost: a few microseconds a row.
    """
    kind = event.kind
    rows = ",".join([_execution(row, kind) for row in event.executions])
    return f'{{"channel":"executions","type":"{kind}","data":[{rows}],"sequence":'


def balances_body(event: Balances) -> str:
    """Return a snapshot of `balances` up to its sequence."""
    rows = ",".join(map(_balance, event.balances))
    return f'{{"channel":"balances","type":"{event.kind}","data":[{rows}],"sequence":'


def balance_changes_body(event: BalanceChanges) -> str:
    """Return an update of `balances` up to its sequence."""
    rows = ",".join(map(_change, event.changes))
    return f'{{"channel":"balances","type":"{event.kind}","data":[{rows}],"sequence":'


# -- replies -------------------------------------------------------------------


def executions_subscribed(request: PrivateSubscribe, maxratecount: int, time_in_ns: int, time_out_ns: int) -> str:
    """Return the confirmation of `executions`; `maxratecount` is the threshold of the trading counter."""
    result = {
        "channel": request.channel,
        "maxratecount": maxratecount,
        "snap_orders": request.snap_orders,
        "snap_trades": request.snap_trades,
        "snapshot": request.snapshot,
        "warnings": EXECUTIONS_WARNINGS,
    }
    return _confirmed("subscribe", request.req_id, result, time_in_ns, time_out_ns)


def balances_subscribed(request: PrivateSubscribe, time_in_ns: int, time_out_ns: int) -> str:
    """Return the confirmation of `balances`."""
    result = {"channel": request.channel, "snapshot": request.snapshot}
    return _confirmed("subscribe", request.req_id, result, time_in_ns, time_out_ns)


def unsubscribed(request: PrivateUnsubscribe, time_in_ns: int, time_out_ns: int) -> str:
    """Return the confirmation of the end of a private subscription."""
    return _confirmed("unsubscribe", request.req_id, {"channel": request.channel}, time_in_ns, time_out_ns)


def _confirmed(method: str, req_id: int | None, result: Mapping[str, object], time_in_ns: int, time_out_ns: int) -> str:
    members = {"method": method, "req_id": req_id, "result": result, "success": True}
    return reply_frame(members, time_in_ns, time_out_ns)


# -- values --------------------------------------------------------------------


def _text(value: str) -> str:
    return msgspec.json.encode(value).decode()


def _number(value: Decimal) -> str:
    text = str(value)
    return f"{value:f}" if "E" in text else text


def _object(**members: str | None) -> str:
    """A JSON object of the texts that are not None."""
    return "{" + ",".join([f'"{name}":{text}' for name, text in members.items() if text is not None]) + "}"


def _word(value: str | None) -> str | None:
    return None if value is None else f'"{value}"'


def _maybe_number(value: Decimal | None) -> str | None:
    return None if value is None else _number(value)


# -- members of a report ---------------------------------------------------------

_Writer: TypeAlias = Callable[[Any], str]
"""Writes one member with a comma behind it, or nothing when there is nothing to say."""


def _numbers(name: str) -> _Writer:
    prefix = f'"{name}":'
    return lambda value: f"{prefix}{_number(value)},"


def _words(name: str) -> _Writer:
    prefix = f'"{name}":"'
    return lambda value: f'{prefix}{value}",'


def _texts(name: str) -> _Writer:
    prefix = f'"{name}":'
    return lambda value: f"{prefix}{_text(value)},"


def _integers(name: str) -> _Writer:
    prefix = f'"{name}":'
    return lambda value: f"{prefix}{value},"


def _flags(name: str) -> _Writer:
    member = f'"{name}":true,'
    return lambda _: member


def _times(name: str) -> _Writer:
    prefix = f'"{name}":"'
    return lambda value: f'{prefix}{rfc3339_from_ns(value)}",'


def _time_in_force(value: str) -> str:
    return f'"time_in_force":"{value.upper()}",'


_FEE_WORDS: Final[Mapping[str, str]] = {preference: word for word, preference in FEE_PREFERENCES.items()}


def _fee_preference(value: str) -> str:
    return f'"fee_ccy_pref":"{_FEE_WORDS[value]}",'


def _fees(fees: tuple[Fee, ...]) -> str:
    if not fees:
        return ""
    rows = ",".join([f'{{"asset":{_text(fee.asset)},"qty":{_number(fee.qty)}}}' for fee in fees])
    return f'"fees":[{rows}],'


def _contingent(close: Contingent) -> str:
    members = _object(
        order_type=_word(close.order_type),
        trigger_price=_maybe_number(close.trigger_price),
        trigger_price_type=_word(close.trigger_price_type),
        limit_price=_maybe_number(close.limit_price),
        limit_price_type=_word(close.limit_price_type),
    )
    return f'"contingent":{members},'


def _triggers(state: TriggerState) -> str:
    members = _object(
        price=_maybe_number(state.price),
        price_type=_word(state.price_type),
        reference=_word(state.reference),
        actual_price=_maybe_number(state.actual_price),
        peak_price=_maybe_number(state.peak_price),
        last_price=_maybe_number(state.last_price),
        status=_word(state.status),
        timestamp=None if state.time_ns is None else _word(rfc3339_from_ns(state.time_ns)),
    )
    return f'"triggers":{members},'


def _triggers_with_stop(state: TriggerState) -> str:
    stop = "" if state.price is None else f'"stop_price":{_number(state.price)},'
    return _triggers(state) + stop


def _trigger(state: TriggerState) -> str:
    fired = "" if state.last_price is None else f'"triggered_price":{_number(state.last_price)},'
    return f'"trigger":"{state.reference}",{fired}'


def _limit_without_stop(price: Decimal) -> str:
    """The limit price of a plain order, whose `stop_price` is a zero of as many decimals."""
    text = _number(price)
    _, point, decimals = text.partition(".")
    return f'"limit_price":{text},"stop_price":0{point}{"0" * len(decimals)},'


def _reason_of_end(reason: str) -> str:
    text = _text(reason)
    return f'"cancel_reason":{text},"reason":{text},'


_MEMBERS: Final[Mapping[str, tuple[str, _Writer]]] = {
    "order_id": ("order_id", _texts("order_id")),
    "cl_ord_id": ("cl_ord_id", _texts("cl_ord_id")),
    "order_userref": ("order_userref", _integers("order_userref")),
    "ord_ref_id": ("ord_ref_id", _texts("ord_ref_id")),
    "sender_sub_id": ("sender_sub_id", _texts("sender_sub_id")),
    "exec_id": ("exec_id", _texts("exec_id")),
    "exec_type": ("exec_type", _words("exec_type")),
    "trade_id": ("trade_id", _integers("trade_id")),
    "symbol": ("symbol", _texts("symbol")),
    "side": ("side", _words("side")),
    "order_type": ("order_type", _words("order_type")),
    "order_qty": ("order_qty", _numbers("order_qty")),
    "cash_order_qty": ("cash_order_qty", _numbers("cash_order_qty")),
    "display_qty": ("display_qty", _numbers("display_qty")),
    "display_qty_remain": ("display_qty_remain", _numbers("display_qty_remain")),
    "time_in_force": ("time_in_force", _time_in_force),
    "effective_time": ("effective_time_ns", _times("effective_time")),
    "expire_time": ("expire_time_ns", _times("expire_time")),
    "post_only": ("post_only", _flags("post_only")),
    "reduce_only": ("reduce_only", _flags("reduce_only")),
    "limit_price_type": ("limit_price_type", _words("limit_price_type")),
    "limit_price": ("limit_price", _numbers("limit_price")),
    "triggers": ("triggers", _triggers),
    "contingent": ("contingent", _contingent),
    "last_qty": ("last_qty", _numbers("last_qty")),
    "last_price": ("last_price", _numbers("last_price")),
    "liquidity_ind": ("liquidity_ind", _words("liquidity_ind")),
    "margin": ("margin", _flags("margin")),
    "margin_borrow": ("margin_borrow", _flags("margin_borrow")),
    "liquidated": ("liquidated", _flags("liquidated")),
    "position_status": ("position_status", _words("position_status")),
    "cost": ("cost", _numbers("cost")),
    "amended": ("amended", _flags("amended")),
    "reason": ("reason", _texts("reason")),
    "cum_qty": ("cum_qty", _numbers("cum_qty")),
    "cum_cost": ("cum_cost", _numbers("cum_cost")),
    "avg_price": ("avg_price", _numbers("avg_price")),
    "order_status": ("order_status", _words("order_status")),
    "fee_usd_equiv": ("fee_usd_equiv", _numbers("fee_usd_equiv")),
    "fee_ccy_pref": ("fee_preference", _fee_preference),
    "fees": ("fees", _fees),
    "ratecount": ("ratecount", _integers("ratecount")),
    "timestamp": ("time_ns", _times("timestamp")),
}
"""Every member of a report: where its value is, and what writes it."""

_OLD_MEMBERS: Final[Mapping[str, tuple[str, _Writer]]] = {
    "limit_price stop_price": ("limit_price", _limit_without_stop),
    "triggers stop_price": ("triggers", _triggers_with_stop),
    "trigger triggered_price": ("triggers", _trigger),
    "cancel_reason reason": ("reason", _reason_of_end),
}
"""Members with deprecated ones beside them."""


# -- reports ---------------------------------------------------------------------


class _Layout:
    """Reads and writes the members of a report in one order.

    Most reports have only the members that their kind is known for, so one
    comparison says whether the others need a look.

    Args:
        members: their names in order; ``...`` stands for all others, ``+`` joins a member and its deprecated one.
    """

    def __init__(self, members: str) -> None:
        names = [name.replace("+", " ") for name in members.split()]
        known = {**_MEMBERS, **_OLD_MEMBERS}
        at = names.index("...")
        usual = [known[name] for name in names if name != "..."]
        said = {attribute for attribute, _ in usual}
        others = [member for member in _MEMBERS.values() if member[0] not in said]
        self._others = _getter(others)
        self._no_others = self._others(_NOTHING_SAID)
        self._usual = _getter(usual), [write for _, write in usual]
        full = usual[:at] + others + usual[at:]
        self._full = _getter(full), [write for _, write in full]

    def __call__(self, row: Execution) -> str:
        """Return the report as a JSON object."""
        get, writers = self._usual if self._others(row) == self._no_others else self._full
        members = [
            write(value)
            for value, write in zip(get(row), writers, strict=True)
            if value is not None and value is not False
        ]
        return f"{{{''.join(members)[:-1]}}}"


def _getter(members: Sequence[tuple[str, _Writer]]) -> Callable[[Execution], tuple[Any, ...]]:
    return attrgetter(*(attribute for attribute, _ in members))


_NOTHING_SAID: Final = Execution(order_id="", exec_type="status", order_status="new", time_ns=0)

_DESCRIBED: Final = _Layout(
    "order_id symbol order_qty cash_order_qty cum_qty cum_cost avg_price time_in_force exec_type side order_type "
    "cl_ord_id order_userref ... limit_price_type limit_price+stop_price order_status fee_usd_equiv fee_ccy_pref "
    "timestamp"
)
_DESCRIBED_WITH_TRIGGER: Final = _Layout(
    "order_id symbol order_qty cash_order_qty cum_qty cum_cost avg_price time_in_force exec_type side order_type "
    "cl_ord_id order_userref ... limit_price_type triggers+stop_price limit_price trigger+triggered_price "
    "order_status fee_usd_equiv fee_ccy_pref timestamp"
)
_FILL: Final = _Layout(
    "order_id cl_ord_id order_userref exec_id exec_type trade_id symbol side last_qty last_price liquidity_ind "
    "margin margin_borrow liquidated ... cost order_type timestamp order_status cum_qty cum_cost avg_price "
    "fee_usd_equiv fees"
)
_PAST_FILL: Final = _Layout(
    "order_id cl_ord_id order_userref exec_id exec_type trade_id symbol side last_qty last_price liquidity_ind "
    "margin margin_borrow liquidated cost order_status order_type sender_sub_id ... timestamp fee_usd_equiv fees"
)
_STEP: Final = _Layout(
    "timestamp order_status exec_type cum_qty cum_cost fee_usd_equiv avg_price ... cl_ord_id order_userref reason "
    "order_id"
)
_END: Final = _Layout(
    "timestamp order_status exec_type cum_qty cum_cost fee_usd_equiv avg_price ... cl_ord_id order_userref "
    "cancel_reason+reason order_id"
)
_CHANGE: Final = _Layout(
    "timestamp exec_type order_status cum_qty cum_cost fee_usd_equiv avg_price reason amended order_qty limit_price "
    "limit_price_type ... cl_ord_id order_userref order_id"
)

_UPDATES: Final = {
    "trade": _FILL,
    "canceled": _END,
    "expired": _END,
    "amended": _CHANGE,
    "restated": _CHANGE,
}
"""How reports of a stream are laid out but for descriptions and plain steps."""


def _execution(row: Execution, kind: Kind) -> str:
    exec_type = row.exec_type
    if exec_type == "pending_new" or (kind == "snapshot" and exec_type != "trade"):
        return (_DESCRIBED if row.triggers is None else _DESCRIBED_WITH_TRIGGER)(row)
    if kind == "snapshot":
        return _PAST_FILL(row)
    return _UPDATES.get(exec_type, _STEP)(row)


# -- balances --------------------------------------------------------------------


def _balance(row: WalletBalance) -> str:
    wallets = ",".join(
        [
            f'{{"type":{_text(wallet.type)},"id":{_text(wallet.id)},"balance":{_number(wallet.balance)}}}'
            for wallet in row.wallets
        ]
    )
    return (
        f'{{"asset":{_text(row.asset)},"asset_class":{_text(row.asset_class)},"wallets":[{wallets}],'
        f'"balance":{_number(row.balance)}}}'
    )


def _change(row: BalanceChange) -> str:
    subtype = "" if row.subtype is None else f'"subtype":{_text(row.subtype)},'
    return (
        f'{{"ledger_id":{_text(row.ledger_id)},"ref_id":{_text(row.ref_id)},'
        f'"timestamp":"{rfc3339_from_ns(row.time_ns)}","type":{_text(row.type)},{subtype}'
        f'"asset":{_text(row.asset)},"asset_class":{_text(row.asset_class)},"category":{_text(row.category)},'
        f'"wallet_type":{_text(row.wallet_type)},"wallet_id":{_text(row.wallet_id)},'
        f'"amount":{_number(row.amount)},"fee":{_number(row.fee)},"balance":{_number(row.balance)}}}'
    )
