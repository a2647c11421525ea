"""What a live bot asks REST about its orders, and how its intents and fills are said in the venue's terms."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from krakenwire.errors import VenueRefusal
from krakenwire.model import AddOrder, Fill, OrderState, Trigger
from krakenwire.model.records import OrderRecord, TradeRecord
from krakenwire.session.merging import fee_in_base, fill_of_record, order_of_record
from krakenwire.trading.intents import Intent
from krakenwire.trading.reconcile import Evidence
from krakenwire.trading.records import Filled

if TYPE_CHECKING:
    from krakenwire.client.rest import RestClient

__all__ = ["asked_of_rest", "entry_of", "fee_in_quote", "foreign_intents"]

_SOURCE = "REST: open orders, closed orders, fills"


def entry_of(intent: Intent, deadline_ns: int) -> AddOrder:
    """Return the request that places an order."""
    trigger = None if intent.trigger is None else Trigger(price=intent.trigger)
    return AddOrder(
        symbol=intent.symbol,
        side=intent.side,
        order_type=intent.order_type,
        order_qty=intent.qty,
        limit_price=intent.limit,
        triggers=trigger,
        time_in_force=intent.time_in_force,
        expire_time_ns=intent.expire_ns,
        deadline_ns=deadline_ns,
        post_only=intent.post_only,
        reduce_only=intent.reduce_only,
        cl_ord_id=intent.id,
    )


def asked_of_rest(
    rest: RestClient, orders: Sequence[tuple[str, str]], known_fills: frozenset[str], asked_ns: int
) -> Evidence:
    """Ask for everything about some orders. Calls go out one after another, and wait.

    Args:
        rest: of the account.
        orders: the `cl_ord_id` and the venue's id of each, the latter empty where it is not known.
        known_fills: fills that need not be told again.
        asked_ns: when the asking began.
    """
    found: dict[str, OrderRecord] = {record.order_id: record for record in rest.open_orders(trades=True)}
    named = {record.cl_ord_id for record in found.values()}
    for cl_ord_id, order_id in orders:
        if cl_ord_id not in named and order_id not in found:
            found |= {record.order_id: record for record in _closed(rest, cl_ord_id, order_id)}
    ours = {name for pair in orders for name in pair if name}
    wanted = [
        exec_id
        for record in found.values()
        if record.order_id in ours or record.cl_ord_id in ours
        for exec_id in record.exec_ids
        if exec_id not in known_fills
    ]
    trades, complete = _trades(rest, wanted)
    fills = tuple(_fill(trade, found.get(trade.order_id)) for trade in sorted(trades, key=lambda trade: trade.time_ns))
    return Evidence(tuple(map(_state, found.values())), fills, asked_ns, complete, _SOURCE)


def _closed(rest: RestClient, cl_ord_id: str, order_id: str) -> Sequence[OrderRecord]:
    """Orders that have ended; one that the venue does not know is none."""
    if not order_id:
        return rest.closed_orders(cl_ord_id=cl_ord_id, trades=True).records
    try:
        return rest.query_orders([order_id], trades=True)
    except VenueRefusal:
        return ()


def _trades(rest: RestClient, exec_ids: Sequence[str]) -> tuple[Sequence[TradeRecord], bool]:
    """Fills by their ids, and whether all were told: a list may be behind the orders that name them."""
    if not exec_ids:
        return (), True
    try:
        found = rest.query_trades(exec_ids)
    except VenueRefusal:
        return (), False
    return found, len(found) == len(exec_ids)


def _state(record: OrderRecord) -> OrderState:
    return order_of_record(record)


def _fill(trade: TradeRecord, order: OrderRecord | None) -> Fill:
    fill = fill_of_record(trade)
    return fee_in_base(fill) if order is not None and order.fee_preference == "base" else fill


def fee_in_quote(fill: Filled) -> Decimal:
    """Return what a fill cost on top, quote units; what is charged in the base asset at the price of the fill."""
    base, _, quote = fill.symbol.partition("/")
    return fill.fees.get(quote, Decimal(0)) + fill.fees.get(base, Decimal(0)) * fill.price


def foreign_intents(orders: Sequence[OrderState]) -> tuple[Intent, ...]:
    """Return orders that are not ours as risk counts them; one that tells no quantity counts as none."""
    return tuple(
        Intent(
            id=order.order_id,
            symbol=order.symbol or "",
            side=order.side or "buy",
            order_type="limit",
            qty=order.remaining_qty or Decimal(0),
            created_ns=order.opened_ns or 0,
            limit=order.limit_price,
        )
        for order in orders
    )
