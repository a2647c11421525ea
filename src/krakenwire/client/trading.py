"""Typed methods for requests about orders, of the clients that wait in a thread.

Each builds a request, has it sent, and returns what the venue said; a refusal
and an unknown outcome are raised, so that neither can be overlooked. `send`
returns the outcome as a value instead. The twin for asyncio is `aio_trading`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack, cast

from krakenwire.client import requests
from krakenwire.client.requests import AmendOptions, EditOptions, Number, OrderOptions, When
from krakenwire.model import (
    Added,
    AddOrder,
    AllCanceled,
    Amended,
    BatchCanceled,
    CancelAll,
    CancelAllAfter,
    Canceled,
    Edited,
    OrderRefused,
    OrderSide,
    OrderType,
    Outcome,
    TimerSet,
    TradingRequest,
)

__all__ = ["Trading"]


class Trading:
    """Requests about orders. Every method but `send` raises what `Outcome.require` raises."""

    def send(self, request: TradingRequest, *, timeout: float | None = None) -> Outcome:
        """Send a request and return its outcome: accepted, refused, or unknown.

        Args:
            request: made by `krakenwire.order`, or one of the requests of `krakenwire.model`.
            timeout: seconds until it is given up: unsent it is refused, unanswered it is unknown.

        Raises:
            UsageError: it may not or cannot be sent; nothing was.
        """
        raise NotImplementedError

    def add_order(
        self,
        symbol: str,
        side: OrderSide,
        order_type: OrderType = "limit",
        order_qty: Number | None = None,
        limit_price: Number | None = None,
        **options: Unpack[OrderOptions],
    ) -> Added:
        """Place an order.

        Args:
            symbol: any spelling.
            side: ``buy`` or ``sell``.
            order_type: ``limit``, ``market``, ``stop-loss`` and so on.
            order_qty: base units; a str, an int or a Decimal.
            limit_price: quote units.
            **options: see `krakenwire.client.requests.OrderOptions`.

        Raises:
            UsageError: the order cannot be; nothing was sent.
            VenueRefusal: the venue does not take it.
            OutcomeUnknown: it may or may not be there: look before you send it again.
        """
        request = requests.order(symbol, side, order_type, order_qty, limit_price, **options)
        return cast("Added", self.send(request).require())

    def amend_order(
        self, order_id: str | None = None, *, cl_ord_id: str | None = None, **changes: Unpack[AmendOptions]
    ) -> Amended:
        """Change an order that keeps its id and where possible its place in the queue."""
        return cast("Amended", self.send(requests.amendment(order_id, cl_ord_id, changes)).require())

    def edit_order(self, order_id: str, symbol: str, **changes: Unpack[EditOptions]) -> Edited:
        """Replace an order by a new one; `amend_order` keeps its place and its id."""
        return cast("Edited", self.send(requests.edition(order_id, symbol, changes)).require())

    def cancel_order(
        self, *order_ids: str, cl_ord_ids: Iterable[str] = (), order_userrefs: Iterable[int] = ()
    ) -> tuple[Canceled | OrderRefused, ...]:
        """Cancel orders; return one answer for each id, in the order `order_ids`, `cl_ord_ids`, `order_userrefs`.

        Raises:
            VenueRefusal: none was canceled.
            OutcomeUnknown: nobody knows of some of them.
        """
        outcome = self.send(requests.cancellation(order_ids, cl_ord_ids, order_userrefs))
        outcome.require()
        return cast("tuple[Canceled | OrderRefused, ...]", outcome.answers)

    def cancel_all(self) -> int:
        """Cancel every open order of the account; return how many there were."""
        return cast("AllCanceled", self.send(CancelAll()).require()).count

    def cancel_all_after(self, timeout_s: int) -> TimerSet:
        """Have everything canceled unless asked again within `timeout_s` seconds; 0 disarms it.

        `dead_mans_switch` does that for you.
        """
        return cast("TimerSet", self.send(CancelAllAfter(timeout_s=timeout_s)).require())

    def batch_add(
        self, *orders: AddOrder, deadline: When | None = None, validate: bool = False
    ) -> tuple[Added | OrderRefused, ...]:
        """Place 2 to 15 orders of one symbol; return one answer for each. Version 2.

        Args:
            *orders: made by `krakenwire.order`.
            deadline: after it the venue refuses them.
            validate: check only.

        Raises:
            VenueRefusal: none was taken.
            OutcomeUnknown: nobody knows of some of them.
        """
        outcome = self.send(requests.batch(orders, deadline, validate))
        outcome.require()
        return cast("tuple[Added | OrderRefused, ...]", outcome.answers)

    def batch_cancel(self, *order_ids: str, cl_ord_ids: Iterable[str] = ()) -> int:
        """Cancel 2 to 50 orders in one request; return how many were. Version 2."""
        request = requests.batch_cancellation(order_ids, cl_ord_ids)
        return cast("BatchCanceled", self.send(request).require()).count
