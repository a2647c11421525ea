"""What the records of a journal add up to: orders, fills, money, stops and the strategy's own state.

A pure fold: the same records give the same, from whatever prefix it goes on,
and a record that comes twice changes nothing. The running bot keeps the same
object up to date by the records that it writes, so recovery is not another way
of knowing but the only one.

    intent ──▶ unknown ──▶ open ──▶ filled, canceled, expired
       └──────────┴──▶ refused, never          an order only ever goes to the right
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from msgspec import structs

from krakenwire.trading import records
from krakenwire.trading.intents import Intent
from krakenwire.trading.records import Record
from krakenwire.trading.risk import Risk
from krakenwire.trading.stops import Stop, StopLevel, Stops

__all__ = ["BotOrder", "OrderStep", "Recovered", "recover", "restore_risk"]

OrderStep = Literal["intent", "unknown", "open", "filled", "canceled", "expired", "refused", "never"]

_UNRESOLVED: Final = ("intent", "unknown")
_ZERO: Final = Decimal(0)


@dataclass(slots=True, kw_only=True)
class BotOrder:
    """One order of the bot.

    Args:
        intent: with the terms as last known.
        deadline_ns: of its entry.
        order_id: the venue's id, empty until it is known.
        filled: base units; `cost` quote units; `traded_ns` when it last traded.
        absences: when nothing that was asked knew of it, oldest first.
        amends: amendments without a known outcome, by number; `amended` counts all.
        canceling: an end of it was asked for.
    """

    intent: Intent
    deadline_ns: int
    sent_ns: int
    step: OrderStep = "intent"
    order_id: str = ""
    filled: Decimal = _ZERO
    cost: Decimal = _ZERO
    traded_ns: int = 0
    reason: str = ""
    absences: list[int] = field(default_factory=list)
    amends: dict[int, records.AmendIntended] = field(default_factory=dict)
    amended: int = 0
    canceling: bool = False

    @property
    def id(self) -> str:
        """Its `cl_ord_id`."""
        return self.intent.id

    @property
    def unresolved(self) -> bool:
        """Whether nobody knows what became of it."""
        return self.step in _UNRESOLVED

    @property
    def is_live(self) -> bool:
        """Whether it is open, or may be."""
        return self.step == "open" or self.step in _UNRESOLVED


@dataclass(slots=True)
class Recovered:
    """All that the records say.

    Args:
        head, started: whose journal it is, and its last start.
        orders: every one, by its id, oldest first; `open` those that are, or may be.
        exec_ids: of the fills that are applied.
        positions: what fills have changed, base units by symbol.
        changes: what fills have changed since `baseline`, by asset; `totals` since the journal began.
        baseline: what the account had when it was last found right; `baselines_ns` when that ever was;
            `fills_since` how many fills came after it.
        state: of the strategy.
        day: of the equity.
        surprises: what cannot be: fills of orders that never were.
        last_number: the highest number of an order id.
    """

    head: records.Head | None = None
    started: records.Started | None = None
    orders: dict[str, BotOrder] = field(default_factory=dict)
    open: dict[str, BotOrder] = field(default_factory=dict)
    by_order_id: dict[str, str] = field(default_factory=dict)
    exec_ids: set[str] = field(default_factory=set)
    positions: dict[str, Decimal] = field(default_factory=dict)
    changes: dict[str, Decimal] = field(default_factory=dict)
    totals: dict[str, Decimal] = field(default_factory=dict)
    baseline: Mapping[str, Decimal] | None = None
    baselines_ns: set[int] = field(default_factory=set)
    fills_since: int = 0
    state: Mapping[str, object] = field(default_factory=dict)
    stops: Stops = field(default_factory=Stops)
    day: records.DayBegan | None = None
    surprises: list[str] = field(default_factory=list)
    last_number: int = 0

    # -- reading -----------------------------------------------------------------------

    @property
    def live(self) -> list[BotOrder]:
        """Orders that are open, or may be, oldest first."""
        return list(self.open.values())

    @property
    def unresolved(self) -> list[BotOrder]:
        """Orders of which nobody knows what became, oldest first."""
        return [order for order in self.open.values() if order.unresolved]

    def order_of(self, cl_ord_id: str | None, order_id: str) -> BotOrder | None:
        """Return our order by one of its ids; None for one that is not ours."""
        return self.orders.get(cl_ord_id or self.by_order_id.get(order_id, ""))

    # -- folding -----------------------------------------------------------------------

    def apply(self, record: Record) -> None:
        """Take in one record; one that is known already changes nothing."""
        _APPLY[type(record)](self, record)

    def _head(self, record: records.Head) -> None:
        self.head = self.head or record

    def _started(self, record: records.Started) -> None:
        self.started = record

    def _intended(self, record: records.Intended) -> None:
        intent = record.intent
        if intent.id not in self.orders:
            order = BotOrder(intent=intent, deadline_ns=record.deadline_ns, sent_ns=record.time_ns)
            self.orders[intent.id] = self.open[intent.id] = order
            self.last_number = max(self.last_number, self._number(intent.id))

    def _number(self, name: str) -> int:
        number = name.removeprefix(self.head.prefix if self.head else "")
        return int(number) if number.isdecimal() else 0

    def _opened(self, name: str, order_id: str) -> None:
        """The venue has it, or had it."""
        order = self.orders.get(name)
        if order is None:
            return
        if order_id:
            order.order_id = order_id
            self.by_order_id[order_id] = name
        if order.unresolved:
            order.step = "open"

    def _ack(self, record: records.Ack) -> None:
        self._opened(record.id, record.order_id)

    def _refused(self, record: records.Refused) -> None:
        self._over(record.id, "refused", record.reason)

    def _unknown(self, record: records.Unknown) -> None:
        order = self.orders.get(record.id)
        if order is not None and order.step == "intent":
            order.step, order.reason = "unknown", record.reason

    def _absent(self, record: records.Absent) -> None:
        order = self.orders.get(record.id)
        if order is not None and order.unresolved and record.time_ns not in order.absences:
            order.absences.append(record.time_ns)

    def _resolved(self, record: records.Resolved) -> None:
        if record.accepted:
            self._opened(record.id, record.order_id)
        else:
            self._over(record.id, "never", record.evidence)

    def _over(self, name: str, step: Literal["refused", "never"], reason: str) -> None:
        """It is not at the venue and never was."""
        order = self.orders.get(name)
        if order is not None and order.unresolved:
            order.step, order.reason = step, reason
            del self.open[name]

    def _amend_intended(self, record: records.AmendIntended) -> None:
        order = self.orders.get(record.id)
        if order is not None and record.number > order.amended:
            order.amended, order.amends[record.number] = record.number, record

    def _amend_ended(self, record: records.AmendEnded) -> None:
        order = self.orders.get(record.id)
        if order is None or record.outcome == "unknown":
            return
        amend = order.amends.pop(record.number, None)
        if amend is not None and record.outcome == "accepted":
            limit = order.intent.limit if amend.limit is None else amend.limit
            order.intent = structs.replace(order.intent, limit=limit, qty=amend.qty or order.intent.qty)

    def _cancel_intended(self, record: records.CancelIntended) -> None:
        order = self.orders.get(record.id)
        if order is not None:
            order.canceling = True

    def _filled(self, record: records.Filled) -> None:
        if record.exec_id in self.exec_ids:
            return
        self.exec_ids.add(record.exec_id)
        self.fills_since += 1
        self._opened(record.id, record.order_id)
        order = self.orders.get(record.id)
        if order is None or order.step in ("refused", "never"):
            self.surprises.append(f"fill {record.exec_id} of {record.id or record.order_id}, which never was")
        if order is not None:
            order.filled += record.qty
            order.cost += record.cost
            order.traded_ns = max(order.traded_ns, record.traded_ns)
        sign = 1 if record.side == "buy" else -1
        base, _, quote = record.symbol.partition("/")
        self.positions[record.symbol] = self.positions.get(record.symbol, _ZERO) + sign * record.qty
        self._change(base, sign * record.qty)
        self._change(quote, -sign * record.cost)
        for asset, fee in record.fees.items():
            self._change(asset, -fee)
            if asset == base:
                self.positions[record.symbol] -= fee

    def _change(self, asset: str, amount: Decimal) -> None:
        self.changes[asset] = self.changes.get(asset, _ZERO) + amount
        self.totals[asset] = self.totals.get(asset, _ZERO) + amount

    def _ended(self, record: records.Ended) -> None:
        order = self.orders.get(record.id)
        if order is not None and order.is_live:
            order.step, order.reason = record.state, record.reason
            order.amends.clear()
            del self.open[record.id]

    def _state_saved(self, record: records.StateSaved) -> None:
        self.state = record.state

    def _stopped(self, record: records.Stopped) -> None:
        stop = Stop(time_ns=record.time_ns, level=StopLevel(record.level), reason=record.reason, who=record.who)
        self.stops.raise_to(stop)

    def _resumed(self, record: records.Resumed) -> None:
        """Losses count from here on, as they do in a bot that runs on."""
        self.stops.lift(record.who)
        self.day = None

    def _day_began(self, record: records.DayBegan) -> None:
        self.day = record

    def _baseline(self, record: records.Baseline) -> None:
        if record.time_ns in self.baselines_ns:
            return
        self.baselines_ns.add(record.time_ns)
        self.baseline, self.fills_since = record.balances, 0
        self.changes.clear()


_APPLY: Final[dict[type, Callable[[Recovered, Any], None]]] = {
    records.Head: Recovered._head,
    records.Started: Recovered._started,
    records.Intended: Recovered._intended,
    records.Ack: Recovered._ack,
    records.Refused: Recovered._refused,
    records.Unknown: Recovered._unknown,
    records.Absent: Recovered._absent,
    records.Resolved: Recovered._resolved,
    records.AmendIntended: Recovered._amend_intended,
    records.AmendEnded: Recovered._amend_ended,
    records.CancelIntended: Recovered._cancel_intended,
    records.Filled: Recovered._filled,
    records.Ended: Recovered._ended,
    records.StateSaved: Recovered._state_saved,
    records.Stopped: Recovered._stopped,
    records.Resumed: Recovered._resumed,
    records.DayBegan: Recovered._day_began,
    records.Baseline: Recovered._baseline,
}


def recover(written: Iterable[Record]) -> Recovered:
    """Return what some records add up to."""
    recovered = Recovered()
    for record in written:
        recovered.apply(record)
    return recovered


def restore_risk(risk: Risk, known: Recovered) -> None:
    """Tell new limits what an earlier life has left behind: orders, turnover, the day; before it is reconciled."""
    orders = list(known.orders.values())
    for order in orders:
        risk.restore_sent(order.sent_ns)
    for order in sorted(orders, key=lambda order: order.traded_ns):
        if order.cost:
            risk.restore_traded(order.intent.symbol, order.cost, order.traded_ns)
    for order in known.live:
        risk.restore_live(order.intent, order.filled, unknown=order.unresolved)
    if known.day is not None:
        risk.restore_day(known.day.time_ns, known.day.equity, known.day.peak)
