"""Complete states of what an account has had, for who asks: orders, fills, ledger entries.

Source: v2 reference, section 11; v1 reference, section 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from krakenwire.errors import DecodeError
from krakenwire.model import AmendRecord, LedgerRecord, OrderRecord, TradeRecord
from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.model.records import RecordStatus
from krakenwire.venue.text_ids import TextIds
from krakenwire.venue.trading.account_order import AccountOrder, Fill, Terms
from krakenwire.venue.trading.accounts import LedgerEntry
from krakenwire.venue.trading.figures import (
    average_of,
    contingent_of,
    cost_of,
    fee_of,
    price_of,
    qty_of,
    trigger_state,
)

__all__ = ["Records"]

_STATUSES: Final[dict[str, RecordStatus]] = {
    "scheduled": "pending",
    "untriggered": "open",
    "live": "open",
    "filled": "closed",
    "canceled": "canceled",
    "expired": "expired",
}


_OF_FILLS: Final = ("trade", "margin")
"""Kinds of ledger entries that a fill causes."""


class Records:
    """Makes records of what an exchange knows.

    Args:
        decimals: of the ledger, by asset.
        exec_ids: text form of the fills' numbers.
        entry_ids: text form of the ledger entries' numbers.
        amend_ids: text form of the amendments' numbers.
    """

    def __init__(self, decimals: dict[str, int], exec_ids: TextIds, entry_ids: TextIds, amend_ids: TextIds) -> None:
        self._decimals = decimals
        self._exec_ids, self._entry_ids, self._amend_ids = exec_ids, entry_ids, amend_ids

    def exec_id(self, fill: Fill) -> str:
        """Return the id of a fill."""
        return self._exec_ids.text(fill.number)

    def fill_number(self, exec_id: str) -> int | None:
        """Return the number of a fill by its id, None when it can be no fill's."""
        return _number(self._exec_ids, exec_id)

    def entry_number(self, ledger_id: str) -> int | None:
        """Return the number of a ledger entry by its id, None when it can be no entry's."""
        return _number(self._entry_ids, ledger_id)

    def order(self, order: AccountOrder) -> OrderRecord:
        """Return an order as it stands."""
        terms, trigger = order.desk.terms, order.trigger
        in_quote = order.cash > 0
        return OrderRecord(
            order_id=order.order_id,
            status=_STATUSES[order.phase],
            symbol=order.symbol,
            side=order.side,
            order_type=order.order_type,
            order_qty=scaled_to_decimal(order.cash, terms.quote_decimals) if in_quote else qty_of(order, order.qty),
            in_quote=in_quote,
            triggers=trigger_state(order),
            conditional=contingent_of(order),
            time_in_force=order.time_in_force,
            open_time_ns=order.opened_ns,
            start_time_ns=order.effective_ns or None,
            expire_time_ns=order.expire_ns or None,
            close_time_ns=order.closed_ns or None,
            updated_ns=order.closed_ns or order.changed_ns,
            cum_qty=qty_of(order, order.filled),
            cum_cost=cost_of(order, order.exact),
            fee=fee_of(order, order.fee),
            avg_price=average_of(order),
            stop_price=price_of(order, trigger.price if trigger is not None and trigger.trails else 0),
            actual_limit_price=price_of(order, order.price or 0 if trigger is not None and trigger.fired_ns else 0),
            display_qty=None if order.display is None else qty_of(order, order.display),
            post_only=order.post_only,
            reduce_only=order.reduce_only,
            leverage=order.leverage or None,
            fee_preference="base" if order.fee_in_base else "quote",
            misc=_misc(order),
            reason=order.reason or None,
            amended=order.amended,
            exec_ids=tuple(map(self._exec_ids.text, order.fills)),
            order_userref=order.userref,
            cl_ord_id=order.cl_ord_id,
            sender_sub_id=order.sender_sub_id,
            ref_id=order.parent_id,
            **_limit(order),
        )

    def trade(self, fill: Fill, *, entries: bool = False) -> TradeRecord:
        """Return one fill; `entries` asks for the ids of the ledger entries it caused."""
        order = fill.order
        cost = cost_of(order, fill.exact)
        return TradeRecord(
            exec_id=self._exec_ids.text(fill.number),
            order_id=order.order_id,
            symbol=order.symbol,
            time_ns=fill.time_ns,
            side=order.side,
            order_type=order.order_type,
            price=price_of(order, fill.price),
            cost=cost,
            fee=fee_of(order, fill.fee),
            qty=qty_of(order, fill.qty),
            margin=(cost / order.leverage).quantize(cost) if order.leverage else Decimal(0).quantize(cost),
            leverage=order.leverage or None,
            trade_id=fill.trade_id,
            ledger_ids=tuple(self._entry_ids.text(entry.number) for entry in _caused(fill)) if entries else (),
            maker=fill.is_maker,
            order_userref=order.userref,
            cl_ord_id=order.cl_ord_id,
        )

    def entry(self, entry: LedgerEntry) -> LedgerRecord:
        """Return one ledger entry."""
        decimals = self._decimals[entry.asset]
        ref_ids = self._exec_ids if entry.kind in _OF_FILLS else self._entry_ids
        return LedgerRecord(
            ledger_id=self._entry_ids.text(entry.number),
            ref_id=ref_ids.text(entry.ref),
            time_ns=entry.time_ns,
            type=entry.kind,
            asset=entry.asset,
            amount=scaled_to_decimal(entry.amount, decimals),
            fee=scaled_to_decimal(entry.fee, decimals),
            balance=scaled_to_decimal(entry.balance, decimals),
        )

    def amends(self, order: AccountOrder) -> list[AmendRecord]:
        """Return what an order asked for, as placed and after each amendment; one state without any."""
        return [self._amend(order, terms) for terms in order.amends or [order.terms(0, order.opened_ns)]]

    def _amend(self, order: AccountOrder, terms: Terms) -> AmendRecord:
        return AmendRecord(
            amend_id=self._amend_ids.text(terms.number),
            amend_type="user" if terms.number else "original",
            order_qty=qty_of(order, terms.qty),
            remaining_qty=qty_of(order, terms.remaining),
            time_ns=terms.time_ns,
            display_qty=None if terms.display is None else qty_of(order, terms.display),
            limit_price=None if terms.price is None else price_of(order, terms.price),
            trigger_price=None if terms.trigger_price is None else price_of(order, terms.trigger_price),
            reason="User requested" if terms.number else None,
            post_only=terms.post_only,
        )


def _caused(fill: Fill) -> Iterator[LedgerEntry]:
    """The entries of a fill that are still kept: they follow one another."""
    kept = fill.order.account.entries
    for at in range(kept.at(fill.entry), len(kept)):
        entry = kept[at]
        if entry.ref != fill.number or entry.kind not in _OF_FILLS:
            return
        yield entry


def _limit(order: AccountOrder) -> dict[str, Any]:
    if order.limit_distance is not None:
        return {"limit_price": price_of(order, order.limit_distance), "limit_price_type": "quote"}
    return {} if order.price is None else {"limit_price": price_of(order, order.price)}


def _misc(order: AccountOrder) -> tuple[str, ...]:
    partly = order.filled and not order.is_open and order.phase != "filled"
    said = {"liquidation": order.liquidates, "partial": partly, "stopped": order.trigger and order.trigger.fired_ns}
    return tuple(name for name, holds in said.items() if holds)


def _number(ids: TextIds, text: str) -> int | None:
    try:
        return ids.number(text)
    except DecodeError:
        return None
