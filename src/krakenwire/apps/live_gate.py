"""Between the thread of a strategy and the loop of its live broker: orders one way, what becomes of them the other.

The journal belongs to the loop alone. An order is handed over without
waiting; in the loop all that wait are written down with one write and one
sync, and only then sent. So a strategy never waits for a disk, and the journal needs no lock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from krakenwire.apps.live_book import DeskPort
from krakenwire.apps.live_broker import LiveBroker
from krakenwire.errors import JournalError
from krakenwire.storage.bot_folder import BotJournal
from krakenwire.trading.desk import Desk
from krakenwire.trading.orders import Order
from krakenwire.trading.records import Record

__all__ = ["OrderGate", "PostedDesk"]

_UNWRITTEN: Final = "it could not be written down, so nothing was sent: "


class _Asked(NamedTuple):
    """What a desk asks of its broker."""

    kind: Literal["submit", "amend", "cancel"]
    order: Order
    limit: Decimal | None = None
    qty: Decimal | None = None


class PostedDesk(DeskPort[Order]):
    """Passes on what becomes of orders to a desk in another thread.

    Args:
        post: leaves a call for that thread, in order.

    Attributes:
        desk: None while nobody is to be told: what happens before a strategy begins is in its balances.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None]) -> None:
        self._post = post
        self.desk: Callable[[], Desk] | None = None

    def _tell(self, order: Order, call: Callable[[Desk], None]) -> None:
        """An order of a symbol that the strategy has traded once and trades no more is nothing to the desk."""
        if (desk := self.desk) is not None:
            self._post(lambda: call(desk()) if order.symbol in desk().markets else None)

    def adopted(self, order: Order, before: Callable[[], object]) -> None:
        """An order was placed past the strategy; `before` is called first."""

        def adopt(desk: Desk) -> None:
            before()
            desk.adopt(order)

        self._tell(order, adopt)

    def accepted(self, order: Order, venue_id: str) -> None:
        self._tell(order, lambda desk: desk.accepted(order, venue_id))

    def refused(self, order: Order, reason: str) -> None:
        self._tell(order, lambda desk: desk.refused(order, reason))

    def unknown(self, order: Order, reason: str) -> None:
        self._tell(order, lambda desk: desk.unknown(order, reason))

    def filled(
        self, order: Order, exec_id: str, price: Decimal, qty: Decimal, fee: Decimal, maker: bool, time_ns: int
    ) -> None:
        self._tell(order, lambda desk: desk.filled(order, exec_id, price, qty, fee, maker, time_ns))

    def ended(self, order: Order, state: Literal["filled", "canceled", "expired"], reason: str) -> None:
        self._tell(order, lambda desk: desk.ended(order, state, reason))

    def amended(self, order: Order) -> None:
        self._tell(order, lambda desk: desk.amended(order))

    def cancel_refused(self, order: Order, reason: str) -> None:
        self._tell(order, lambda desk: desk.cancel_refused(order, reason))

    def amend_refused(self, order: Order, reason: str) -> None:
        self._tell(order, lambda desk: desk.amend_refused(order, reason))


class OrderGate:
    """The broker of a desk in another thread than the live broker's. Implements the broker port.

    Args:
        broker: in its loop.
        journal: of the broker; only the loop writes it.
        told: hears of what could not be written down.
        loop: the broker's.
    """

    def __init__(
        self,
        broker: LiveBroker[Order],
        journal: BotJournal,
        told: DeskPort[Order],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._broker, self._journal, self._told, self._loop = broker, journal, told, loop
        self._asked: deque[_Asked] = deque()
        self._called = False

    # -- the strategy's thread ---------------------------------------------------------

    def submit(self, order: Order) -> None:
        """Have a new order written down and sent, once."""
        self._ask(_Asked("submit", order))

    def amend(self, order: Order, limit: Decimal | None, qty: Decimal) -> None:
        """Have other terms written down and asked for."""
        self._ask(_Asked("amend", order, limit, qty))

    def cancel(self, order: Order) -> None:
        """Have its end asked for."""
        self._ask(_Asked("cancel", order))

    def _ask(self, asked: _Asked) -> None:
        self._asked.append(asked)
        if not self._called:
            self._called = True
            self._loop.call_soon_threadsafe(self.pass_on)

    # -- the broker's loop ---------------------------------------------------------------

    def pass_on(self) -> None:
        """Write down all that waits, then send it."""
        self._called = False  # first: what comes from here on calls again
        asked = []
        while self._asked:
            asked.append(self._asked.popleft())
        if not asked:
            return
        try:
            harmless = all(each.kind == "cancel" for each in asked)
            self._journal.append(*map(self._record, asked), sync=False if harmless else None)
        except JournalError as error:
            for each in asked:
                self._give_up(each, f"{_UNWRITTEN}{error}")
            return
        for each in asked:
            self._send(each)

    def _record(self, asked: _Asked) -> Record:
        if asked.kind == "submit":
            return self._journal.intended(asked.order.intent)
        if asked.kind == "amend":
            return self._journal.amending(asked.order, asked.limit, asked.qty)
        return self._journal.canceling(asked.order)

    def _send(self, asked: _Asked) -> None:
        if asked.kind == "submit":
            self._broker.submit(asked.order)
        elif asked.kind == "amend":
            self._broker.amend(asked.order, asked.limit, asked.qty)
        else:
            self._broker.cancel(asked.order)

    def _give_up(self, asked: _Asked, reason: str) -> None:
        """Without a journal only ends are asked for."""
        if asked.kind == "submit":
            self._told.refused(asked.order, reason)
        elif asked.kind == "amend":
            self._told.amend_refused(asked.order, reason)
        else:
            self._broker.cancel(asked.order)
