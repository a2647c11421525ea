"""An order's figures as the wire shows them: ticks, lots and ledger units as decimals of their precision."""

from __future__ import annotations

from decimal import Decimal

from krakenwire.model.executions import Contingent, TriggerState
from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.venue.trading.account_order import AccountOrder

__all__ = ["average_of", "contingent_of", "cost_of", "fee_of", "price_of", "qty_of", "trigger_state"]


def qty_of(order: AccountOrder, lots: int) -> Decimal:
    """Return some lots in base units."""
    return scaled_to_decimal(lots, order.desk.terms.instrument.qty_precision)


def price_of(order: AccountOrder, ticks: int) -> Decimal:
    """Return some ticks in quote units."""
    return scaled_to_decimal(ticks, order.desk.terms.instrument.price_precision)


def cost_of(order: AccountOrder, exact: int) -> Decimal:
    """Return ticks times lots in quote units, rounded half up to the decimals of a cost."""
    terms = order.desk.terms
    shown = terms.instrument.cost_precision
    finer = terms.exact_decimals - shown
    if finer <= 0:
        return scaled_to_decimal(exact * int(10**-finer), shown)
    unit = int(10**finer)
    return scaled_to_decimal((2 * exact + unit) // (2 * unit), shown)


def average_of(order: AccountOrder) -> Decimal:
    """Return the average price of what has traded, rounded half up to a tick; 0 before the first fill."""
    ticks = (2 * order.exact + order.filled) // (2 * order.filled) if order.filled else 0
    return price_of(order, ticks)


def fee_of(order: AccountOrder, units: int) -> Decimal:
    """Return some ledger units of an order's fee; in the quote with the decimals of a cost at least."""
    terms = order.desk.terms
    if order.fee_in_base:
        return scaled_to_decimal(units, terms.base_decimals)
    more = max(0, terms.instrument.cost_precision - terms.quote_decimals)
    return scaled_to_decimal(units * int(10**more), terms.quote_decimals + more)


def trigger_state(order: AccountOrder) -> TriggerState | None:
    """Return what an order waits or has waited for, None for one that does not."""
    trigger = order.trigger
    if trigger is None:
        return None
    percent = trigger.price_type == "pct"
    moves = trigger.trails or trigger.price_type != "static"
    return TriggerState(
        reference=trigger.reference,
        price=scaled_to_decimal(trigger.asked, 2) if percent else price_of(order, trigger.asked),
        price_type=trigger.price_type,
        actual_price=price_of(order, trigger.price) if moves else None,
        peak_price=price_of(order, trigger.peak) if trigger.trails else None,
        last_price=price_of(order, trigger.fired_at) if trigger.fired_ns else None,
        status="triggered" if trigger.fired_ns else "untriggered",
        time_ns=trigger.fired_ns or None,
    )


def contingent_of(order: AccountOrder) -> Contingent | None:
    """Return the closing order that fills will place, None when there is none."""
    close = order.conditional
    if close is None:
        return None
    return Contingent(
        order_type=close.order_type,
        trigger_price=close.trigger_price,
        trigger_price_type=close.trigger_price_type if close.trigger_price is not None else None,
        limit_price=close.limit_price,
        limit_price_type=close.limit_price_type if close.limit_price is not None else None,
    )
