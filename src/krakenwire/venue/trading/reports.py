"""What an account is told: executions and balance changes, as model values with the wire's precision.

Made only for accounts that somebody follows, in the order in which things
happened. Source: v2 reference, section 7.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, Literal

from krakenwire.model.executions import BalanceChange, ExecType, Execution, Fee, OrderStatus
from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.venue.text_ids import TextIds
from krakenwire.venue.trading.account_order import AccountOrder, Fill
from krakenwire.venue.trading.accounts import Account, LedgerEntry
from krakenwire.venue.trading.figures import (
    average_of,
    contingent_of,
    cost_of,
    fee_of,
    price_of,
    qty_of,
    trigger_state,
)

__all__ = ["Report", "Reports", "status_of"]

Report = Execution | BalanceChange
PositionStatus = Literal["opened", "closing", "closed"]

_STATUS: Final[dict[str, OrderStatus]] = {
    "scheduled": "pending_new",
    "filled": "filled",
    "canceled": "canceled",
    "expired": "expired",
}


class Reports:
    """Collects what is to be told, account by account in one order.

    Args:
        decimals: of the ledger, by asset.
        usd: what some ledger units of an asset are worth in US dollars.
    """

    def __init__(self, decimals: dict[str, int], usd: Callable[[str, int], Decimal]) -> None:
        self._decimals, self._usd = decimals, usd
        self._waiting: list[tuple[Account, Report]] = []
        self.exec_ids = TextIds("T", "fills")
        self.entry_ids = TextIds("L", "ledger")

    def take(self) -> list[tuple[Account, Report]]:
        """Return what has been collected since the last call, in order."""
        waiting, self._waiting = self._waiting, []
        return waiting

    # -- what happened ---------------------------------------------------------

    def placed(self, order: AccountOrder, time_ns: int) -> None:
        """An order was accepted: the one event that describes it in full."""
        if order.account.followed:
            zero = self._usd_text(order, 0)
            self._tell(order, self.description(order, "pending_new", "pending_new", time_ns, fee_usd_equiv=zero))

    def went_live(self, order: AccountOrder, time_ns: int) -> None:
        """An order is in the book, or waits for its trigger."""
        if order.account.followed:
            self._tell(order, self._event(order, "new", "new", time_ns))

    def traded(self, fill: Fill, time_ns: int, position_status: PositionStatus | None) -> None:
        """An order has traded."""
        order = fill.order
        if order.account.followed:
            event = self.fill(fill, "partially_filled", time_ns, cumulative=True, position_status=position_status)
            self._tell(order, event)

    def ended(self, order: AccountOrder, exec_type: ExecType, time_ns: int) -> None:
        """An order is filled, canceled or expired."""
        if order.account.followed:
            totals = self._totals(order)
            reason = order.reason or None
            self._tell(order, self._event(order, exec_type, status_of(order), time_ns, reason=reason, **totals))

    def amended(self, order: AccountOrder, reason: str, time_ns: int) -> None:
        """An order asks for something else now."""
        if order.account.followed:
            members = self._terms_of(order)
            qty = qty_of(order, order.filled)
            event = self._event(
                order, "amended", status_of(order), time_ns, reason=reason, amended=True, cum_qty=qty, **members
            )
            self._tell(order, event)

    def refilled(self, order: AccountOrder, shown: int, time_ns: int) -> None:
        """An iceberg shows its next part."""
        if order.account.followed:
            remain = qty_of(order, shown)
            self._tell(
                order, self._event(order, "iceberg_refill", status_of(order), time_ns, display_qty_remain=remain)
            )

    def trigger_changed(self, order: AccountOrder, time_ns: int) -> None:
        """The trigger of an order moved or fired."""
        if order.account.followed:
            self._tell(order, self._event(order, "status", status_of(order), time_ns, triggers=trigger_state(order)))

    def entered(self, account: Account, entry: LedgerEntry, time_ns: int) -> None:
        """A balance changed."""
        if account.followed:
            self._waiting.append((account, self.change(entry, time_ns)))

    # -- as model values -----------------------------------------------------------

    def description(
        self, order: AccountOrder, exec_type: ExecType, status: OrderStatus, time_ns: int, **more: Any
    ) -> Execution:
        """Return an order in full."""
        return Execution(
            order_id=order.order_id,
            exec_type=exec_type,
            order_status=status,
            time_ns=time_ns,
            symbol=order.symbol,
            side=order.side,
            order_type=order.order_type,
            time_in_force=order.time_in_force,
            fee_preference="base" if order.fee_in_base else "quote",
            post_only=order.post_only,
            reduce_only=order.reduce_only,
            margin=bool(order.leverage),
            leverage=order.leverage or None,
            effective_time_ns=order.effective_ns or None,
            expire_time_ns=order.expire_ns or None,
            cl_ord_id=order.cl_ord_id,
            order_userref=order.userref,
            sender_sub_id=order.sender_sub_id,
            ord_ref_id=order.parent_id,
            contingent=contingent_of(order),
            triggers=trigger_state(order),
            cum_cost=cost_of(order, order.exact),
            **self._terms_of(order),
            **more,
        )

    def snapshot(self, order: AccountOrder) -> Execution:
        """Return an open order as a snapshot shows it, totals included."""
        totals = self._totals(order)
        del totals["cum_cost"]
        return self.description(order, "new", status_of(order), order.changed_ns, amended=order.amended, **totals)

    def fill(
        self,
        fill: Fill,
        status: OrderStatus,
        time_ns: int,
        *,
        cumulative: bool,
        position_status: PositionStatus | None = None,
    ) -> Execution:
        """Return one fill; with the totals of its order, if it has just happened."""
        order = fill.order
        totals = self._totals(order) if cumulative else {"fee_usd_equiv": self._usd_text(order, fill.fee)}
        return self._event(
            order,
            "trade",
            status,
            time_ns,
            symbol=order.symbol,
            side=order.side,
            order_type=order.order_type,
            margin=bool(order.leverage),
            liquidated=order.liquidates,
            position_status=position_status,
            exec_id=self.exec_ids.text(fill.number),
            trade_id=fill.trade_id,
            last_qty=qty_of(order, fill.qty),
            last_price=price_of(order, fill.price),
            liquidity_ind="m" if fill.is_maker else "t",
            cost=cost_of(order, fill.exact),
            fees=(Fee(asset=fill.fee_asset, qty=fee_of(order, fill.fee)),),
            **totals,
        )

    def change(self, entry: LedgerEntry, time_ns: int) -> BalanceChange:
        """Return one ledger entry."""
        decimals = self._decimals[entry.asset]
        ref_ids = self.exec_ids if entry.kind in ("trade", "margin") else self.entry_ids
        return BalanceChange(
            ledger_id=self.entry_ids.text(entry.number),
            ref_id=ref_ids.text(entry.ref),
            time_ns=time_ns,
            type=entry.kind,
            category=entry.kind,
            asset=entry.asset,
            amount=scaled_to_decimal(entry.amount, decimals),
            fee=scaled_to_decimal(entry.fee, decimals),
            balance=scaled_to_decimal(entry.balance, decimals),
        )

    # -- inside --------------------------------------------------------------------

    def _tell(self, order: AccountOrder, report: Report) -> None:
        self._waiting.append((order.account, report))

    def _event(
        self, order: AccountOrder, exec_type: ExecType, status: OrderStatus, time_ns: int, **more: Any
    ) -> Execution:
        return Execution(
            order_id=order.order_id,
            exec_type=exec_type,
            order_status=status,
            time_ns=time_ns,
            cl_ord_id=order.cl_ord_id,
            order_userref=order.userref,
            **more,
        )

    def _terms_of(self, order: AccountOrder) -> dict[str, Any]:
        """What can be amended: quantities and prices."""
        members: dict[str, Any] = {"order_qty": qty_of(order, order.qty) if order.qty else None}
        if order.cash:
            members["cash_order_qty"] = scaled_to_decimal(order.cash, order.desk.terms.quote_decimals)
        if order.limit_distance is not None and order.price is None:
            members |= {"limit_price": price_of(order, order.limit_distance), "limit_price_type": "quote"}
        elif order.price is not None:
            members |= {"limit_price": price_of(order, order.price), "limit_price_type": "static"}
        if order.display is not None:
            members["display_qty"] = qty_of(order, order.display)
        return members

    def _totals(self, order: AccountOrder) -> dict[str, Any]:
        return {
            "cum_qty": qty_of(order, order.filled),
            "cum_cost": cost_of(order, order.exact),
            "avg_price": average_of(order),
            "cum_fee": fee_of(order, order.fee),
            "fee_usd_equiv": self._usd_text(order, order.fee),
        }

    def _usd_text(self, order: AccountOrder, fee: int) -> Decimal:
        shown = order.desk.terms.instrument.cost_precision
        return self._usd(order.fee_asset, fee).quantize(Decimal(1).scaleb(-shown))


def status_of(order: AccountOrder) -> OrderStatus:
    """How an order stands, in the wire's words."""
    return _STATUS.get(order.phase) or ("partially_filled" if order.filled else "new")
