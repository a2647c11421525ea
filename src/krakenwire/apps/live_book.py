"""What a live bot's venue tells of its orders, written down once and then told to the desk.

Waits for nothing: `live_broker` sends, listens and asks, and hands over what
came. Each fact goes into the journal first; one that is known already goes nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final, Generic, Literal, Protocol, TypeVar

from krakenwire.apps.live_evidence import fee_in_quote
from krakenwire.model import Fill, OrderState
from krakenwire.storage.bot_folder import Amendable, BotJournal
from krakenwire.trading import records
from krakenwire.trading.reconcile import Evidence, Patience, reconcile
from krakenwire.trading.records import Record
from krakenwire.trading.recovery import BotOrder

__all__ = ["DeskPort", "LiveBook"]

_OrderT = TypeVar("_OrderT", bound=Amendable)
_OrderT_contra = TypeVar("_OrderT_contra", bound=Amendable, contravariant=True)
_SOURCE: Final = "executions"
_OF_ORDERS: Final = (
    records.Ack,
    records.Refused,
    records.Unknown,
    records.Absent,
    records.Resolved,
    records.AmendEnded,
    records.Ended,
)


class DeskPort(Protocol[_OrderT_contra]):
    """Whoever holds the orders of the bot, and is told what becomes of them."""

    def accepted(self, order: _OrderT_contra, venue_id: str) -> None: ...
    def refused(self, order: _OrderT_contra, reason: str) -> None: ...
    def unknown(self, order: _OrderT_contra, reason: str) -> None: ...
    def filled(
        self,
        order: _OrderT_contra,
        exec_id: str,
        price: Decimal,
        qty: Decimal,
        fee: Decimal,
        maker: bool,
        time_ns: int,
    ) -> None: ...
    def ended(self, order: _OrderT_contra, state: Literal["filled", "canceled", "expired"], reason: str) -> None: ...
    def amended(self, order: _OrderT_contra) -> None: ...
    def cancel_refused(self, order: _OrderT_contra, reason: str) -> None: ...
    def amend_refused(self, order: _OrderT_contra, reason: str) -> None: ...


class LiveBook(Generic[_OrderT]):
    """The orders of a live bot as its journal and its desk have them.

    Args:
        journal: of the bot.
        desk: told what becomes of each order.
        adopt: makes the desk's order of one that it does not have: of an earlier life, or of a flatten.
        patience: with what REST does not tell yet.
        on_news: called after anything was written down.
        on_doubt: called when REST should be asked.

    Attributes:
        foreign: open orders of the account that are not ours, by the venue's id.
        surprise: what cannot be and is so; empty while nothing is.
    """

    def __init__(
        self,
        journal: BotJournal,
        desk: DeskPort[_OrderT],
        adopt: Callable[[BotOrder], _OrderT],
        patience: Patience,
        *,
        on_news: Callable[[], object],
        on_doubt: Callable[[], object],
    ) -> None:
        self.journal, self._desk, self._adopt, self._patience = journal, desk, adopt, patience
        self._on_news, self._on_doubt = on_news, on_doubt
        self._orders: dict[str, _OrderT] = {}
        self._ending: dict[str, OrderState] = {}
        self.foreign: dict[str, OrderState] = {}

    @property
    def surprise(self) -> str:
        """A fill of an order that never was, for one."""
        return next(iter(self.journal.known.surprises), "")

    def has(self, name: str) -> bool:
        """Return whether the desk's order is known."""
        return name in self._orders

    def hold(self, order: _OrderT) -> None:
        """Know the desk's order."""
        self._orders[order.id] = order

    def changed(self, state: OrderState) -> None:
        """Take in how an order of the account stands now."""
        known = self.journal.known.order_of(state.cl_ord_id, state.order_id)
        if known is None:
            self.foreign.pop(state.order_id, None)
            if state.is_open:
                self.foreign[state.order_id] = state
            return
        now_ns = self.journal.now_ns()
        if known.unresolved:
            self.take(
                records.Resolved(time_ns=now_ns, id=known.id, accepted=True, evidence=_SOURCE, order_id=state.order_id)
            )
        if not state.is_open:
            self._ending[known.id] = state
            self._end(known)

    def filled(self, fill: Fill) -> None:
        """Take in a fill of the account."""
        known = self.journal.known.order_of(fill.cl_ord_id, fill.order_id)
        if known is not None:
            evidence = Evidence((), (fill,), self.journal.now_ns(), False, _SOURCE)
            result = reconcile(self.journal.known, evidence, self.journal.now_ns(), self._patience)
            self.take(*result.records)
            self._end(known)

    def _end(self, known: BotOrder) -> None:
        """End an order once every fill up to its end is known; REST is asked for those that do not come."""
        state = self._ending.get(known.id)
        if state is None:
            return
        evidence = Evidence((state,), (), self.journal.now_ns(), False, _SOURCE)
        self.take(*reconcile(self.journal.known, evidence, self.journal.now_ns(), self._patience).records)
        if known.is_live:
            self._on_doubt()
        else:
            del self._ending[known.id]

    def cancel_refused(self, name: str, reason: str) -> None:
        """The venue did not cancel an order: mostly because it has ended, which is told apart."""
        if self.journal.known.orders[name].is_live:
            self._desk.cancel_refused(self.order(name), reason)
            self._on_doubt()

    def reconciled(self, evidence: Evidence) -> int | None:
        """Take in what was asked; return when to ask again, None for not at all."""
        now_ns = self.journal.now_ns()
        result = reconcile(self.journal.known, evidence, now_ns, self._patience)
        self.take(*result.records)
        self.foreign = {order.order_id: order for order in result.foreign}
        return result.again_ns

    # -- writing down and telling ----------------------------------------------------------

    def take(self, *found: Record) -> None:
        """Write down what is news, then tell the desk."""
        for record in found:
            if self._is_news(record):
                self.journal.append(record, sync=False)
                self._tell(record)

    def _is_news(self, record: Record) -> bool:
        known = self.journal.known
        if isinstance(record, records.Filled):
            return record.exec_id not in known.exec_ids
        order = known.orders[record.id] if isinstance(record, _OF_ORDERS) else None
        if order is None:
            return True
        if isinstance(record, records.Ack):
            return not order.order_id
        if isinstance(record, records.AmendEnded):
            return record.number in order.amends
        if isinstance(record, records.Unknown):
            return order.step == "intent"
        return order.is_live if isinstance(record, records.Ended) else order.unresolved

    def _tell(self, record: Record) -> None:
        """What the desk hears of each kind of record."""
        self._on_news()
        desk = self._desk
        match record:
            case records.Ack() | records.Resolved(accepted=True):
                desk.accepted(self.order(record.id), record.order_id)
            case records.Refused():
                desk.refused(self.order(record.id), record.reason)
            case records.Resolved():
                desk.refused(self.order(record.id), record.evidence)
            case records.Unknown():
                desk.unknown(self.order(record.id), record.reason)
                self._on_doubt()
            case records.Filled():
                self._tell_fill(record)
            case records.Ended():
                desk.ended(self.order(record.id), record.state, record.reason)
            case records.AmendEnded(outcome="accepted"):
                desk.amended(self.order(record.id))
            case records.AmendEnded(outcome="refused"):
                desk.amend_refused(self.order(record.id), record.reason)
            case records.AmendEnded():
                self._on_doubt()
            case _:
                pass

    def _tell_fill(self, fill: records.Filled) -> None:
        fee = fee_in_quote(fill)
        order = self.order(fill.id)
        self._desk.filled(order, fill.exec_id, fill.price, fill.qty, fee, bool(fill.maker), fill.traded_ns)

    def order(self, name: str) -> _OrderT:
        """Return the desk's order; one that it does not have is made now."""
        order = self._orders.get(name)
        if order is None:
            order = self._orders[name] = self._adopt(self.journal.known.orders[name])
        return order
