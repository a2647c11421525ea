"""Requests that end orders: one, several, all, or all after a while without a sign of life.

Source: v2 reference, sections 8.5 to 8.7, 8.9 and 9.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from krakenwire import limits
from krakenwire.model.answers import AllCanceled, Answer, BatchCanceled, Canceled, OrderRefused, TimerSet
from krakenwire.model.orders import BatchCancel, CancelAll, CancelAllAfter, CancelOrders
from krakenwire.venue.trading.account_order import AccountOrder
from krakenwire.venue.trading.accounts import Account
from krakenwire.venue.trading.agenda import Agenda
from krakenwire.venue.trading.meant import Meant, charge
from krakenwire.venue.trading.refusals import INVALID, USER_REQUESTED, Refusal

__all__ = ["Ends"]

_SECOND: Final = 1_000_000_000


class Ends:
    """What accounts may do to end their orders.

    Args:
        meant: finds them.
        agenda: where dead man's switches are noted.
        mode: tells the trading mode.
    """

    def __init__(self, meant: Meant, agenda: Agenda, mode: Callable[[], str]) -> None:
        self._meant, self._agenda, self._mode = meant, agenda, mode

    def cancel(self, account: Account, request: CancelOrders, now_ns: int) -> tuple[Answer, ...]:
        """End the orders that some ids mean; each id is answered on its own."""
        self._check_mode()
        answers: list[Answer] = []
        asked = (
            *(("order_id", order_id) for order_id in request.order_ids),
            *(("cl_ord_id", cl_ord_id) for cl_ord_id in request.cl_ord_ids),
            *(("order_userref", userref) for userref in request.order_userrefs),
        )
        for name, value in asked:
            try:
                orders = self._meant.by(account, name, value)
                for order in orders:
                    charge("cancel", account, order.symbol, now_ns, (order,))
                answers.append(msgspec.convert({name: value, "count": self.end(orders, now_ns)}, Canceled))
            except Refusal as refusal:
                answers.append(OrderRefused(str(refusal)))
        return tuple(answers)

    def cancel_all(self, account: Account, _: CancelAll, now_ns: int) -> tuple[Answer, ...]:
        """End every order of an account."""
        self._check_mode()
        charge("cancel_all", account, None, now_ns)
        return (AllCanceled(self.end(account.open_orders.values(), now_ns)),)

    def batch_cancel(self, account: Account, request: BatchCancel, now_ns: int) -> tuple[Answer, ...]:
        """End the orders that some ids mean; ids that mean none are passed over, one count is the answer."""
        self._check_mode()
        found: dict[str, AccountOrder] = {}
        names = (*(("order_id", text) for text in request.order_ids), *(("cl_ord_id", t) for t in request.cl_ord_ids))
        for name, value in names:
            try:
                found.update((order.order_id, order) for order in self._meant.by(account, name, value))
            except Refusal:
                continue
        for order in found.values():
            charge("batch_cancel", account, order.symbol, now_ns, (order,))
        return (BatchCanceled(self.end(found.values(), now_ns)),)

    def cancel_all_after(self, account: Account, request: CancelAllAfter, now_ns: int) -> tuple[Answer, ...]:
        """Wind up the dead man's switch, or disarm it."""
        if not 0 <= request.timeout_s < limits.CANCEL_AFTER_S_MAX:
            raise Refusal(f"{INVALID}:Invalid timeout argument")
        charge("cancel_all_after", account, None, now_ns)
        current_ns = -(-now_ns // _SECOND) * _SECOND
        account.timer_ns = current_ns + request.timeout_s * _SECOND if request.timeout_s else None
        if account.timer_ns is not None:
            self._agenda.note(account.timer_ns, account)
        return (TimerSet(current_ns=current_ns, trigger_ns=account.timer_ns),)

    def fire(self, account: Account, due_ns: int, now_ns: int) -> None:
        """End everything whose owner gave no sign of life until this time."""
        if account.timer_ns == due_ns:
            account.timer_ns = None
            self.end(account.open_orders.values(), now_ns)

    @staticmethod
    def end(orders: Iterable[AccountOrder], now_ns: int) -> int:
        """End orders for their owner; return how many."""
        ended = tuple(orders)
        for order in ended:
            order.desk.cancel(order, USER_REQUESTED, now_ns)
        return len(ended)

    def _check_mode(self) -> None:
        if self._mode() == "maintenance":
            raise Refusal("EService:Unavailable")
