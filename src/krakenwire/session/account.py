"""How an account stands, kept up to date from what the venue says: open orders, fills, balances.

Fed with the private events of a connection in the order in which they came.
Totals are taken as told and never summed up, and each fill is known by its id,
so nothing counts twice. On v1 orders come from `openOrders` and fills from
`ownTrades` alone, so that it does not matter which of the two is ahead.

After a reconnect the snapshot says what is open now. An order that is not
there any more has ended, but nobody said how: it is *adrift* until a record
from REST or its fills tell. Source: v2 reference, section 7; v1 reference, section 9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, TypeVar

from msgspec import structs

from krakenwire import limits
from krakenwire.model import (
    AccountChange,
    BalanceChanges,
    Balances,
    Execution,
    Executions,
    Fill,
    Kind,
    OrderRecord,
    OrderState,
    TradeRecord,
)
from krakenwire.session.merging import fee_in_base, fill_of, fill_of_record, filled, merged, order_of_record

__all__ = ["AccountCounters", "AccountState", "Step"]

Step = Literal["waiting", "live", "stale"]
"""``waiting`` for the first snapshot, ``live``, or ``stale``: as it was when the line or a message was lost."""

_SNAPSHOT_FILLS: Final = 50
"""How many fills a snapshot tells at most."""

_V = TypeVar("_V")


@dataclass(slots=True)
class AccountCounters:
    """What was not as it should be.

    Attributes:
        duplicates: fills told again outside a snapshot.
        unknown_orders: orders whose beginning was not seen.
        late: events about orders that had ended.
        incomplete: trades without what a fill cannot be without.
        gaps: lost messages, by the sequence.
        fill_gaps: snapshots that tell only fills we did not know, and as many as a snapshot holds: there may be
            more. `learn` them from REST.
    """

    duplicates: int = 0
    unknown_orders: int = 0
    late: int = 0
    incomplete: int = 0
    gaps: int = 0
    fill_gaps: int = 0


class _Source:
    """How far one private channel has been followed."""

    __slots__ = ("sequence", "snapshot", "step")

    def __init__(self) -> None:
        self.step: Step = "waiting"
        self.sequence: int | None = None
        self.snapshot = False
        """Whether its last message was one: a long one may be cut into several."""


class AccountState:
    """What is known of one account.

    Attributes:
        counters: what was not as it should be.

    Args:
        sources: the channels it is fed from: ``executions`` (with its snapshot of orders) and ``balances``, or
            v1's ``openOrders`` and ``ownTrades``.
        fills_kept, closed_kept: the newest so many are kept.
    """

    def __init__(
        self,
        sources: Iterable[str] = ("executions", "balances"),
        *,
        fills_kept: int = limits.FILLS_KEPT,
        closed_kept: int = limits.CLOSED_KEPT,
    ) -> None:
        self._sources = {name: _Source() for name in sources}
        self._fills_kept, self._closed_kept = fills_kept, closed_kept
        self._open: dict[str, OrderState] = {}
        self._closed: dict[str, OrderState] = {}
        self._adrift: dict[str, OrderState] = {}
        self._fills: dict[str, Fill] = {}
        self._balances: dict[str, Decimal] = {}
        self._missed_since_ns: int | None = None
        self.counters = AccountCounters()

    # -- how it stands -----------------------------------------------------------

    @property
    def open_orders(self) -> Mapping[str, OrderState]:
        """Orders that have not ended, by their id."""
        return MappingProxyType(self._open)

    @property
    def closed_orders(self) -> Mapping[str, OrderState]:
        """Orders that have ended, by their id, in the order of their ends; the newest."""
        return MappingProxyType(self._closed)

    @property
    def adrift(self) -> Mapping[str, OrderState]:
        """Orders that have ended unseen, as they were last known, by their id: `settle` them."""
        return MappingProxyType(self._adrift)

    @property
    def fills(self) -> Mapping[str, Fill]:
        """Each fill once, by its id, in the order in which they were told; the newest."""
        return MappingProxyType(self._fills)

    @property
    def missed_since_ns(self) -> int | None:
        """The time of the last fill before some that nobody has told: `learn` all since then.

        0 if none was known before; None when nothing is missing.
        """
        return self._missed_since_ns

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be missing: neither the end of an order nor a fill."""
        return not self._adrift and self._missed_since_ns is None

    @property
    def balances(self) -> Mapping[str, Decimal]:
        """The total of each asset, open orders' holds included."""
        return MappingProxyType(self._balances)

    @property
    def state(self) -> Step:
        """How far it can be trusted as a whole: ``live`` when every channel is."""
        steps = {source.step for source in self._sources.values()}
        if "stale" in steps:
            return "stale"
        return "waiting" if "waiting" in steps else "live"

    @property
    def in_step(self) -> bool:
        """Whether all of it is live."""
        return self.state == "live"

    def step(self, source: str) -> Step:
        """Return how far one channel can be trusted."""
        return self._sources[source].step

    # -- what it is told ------------------------------------------------------------

    def feed(self, event: Executions | Balances | BalanceChanges) -> tuple[AccountChange, ...]:
        """Take in an event; return the orders it changed and the fills that were not known, in its order.

        After a lost message the channel is ``stale``, and what comes is still taken in, until a snapshot.
        """
        if isinstance(event, Executions):
            return self._executions(event)
        if isinstance(event, Balances):
            self._follow("balances", "snapshot", event.sequence)
            self._balances = {row.asset: row.balance for row in event.balances}
        else:
            self._follow("balances", "update", event.sequence)
            self._balances.update((change.asset, change.balance) for change in event.changes)
        return ()

    def disconnected(self) -> None:
        """Note that the connection is gone: everything stays as it was, and is stale until its next snapshot."""
        for source in self._sources.values():
            source.sequence, source.snapshot = None, False
            if source.step == "live":
                source.step = "stale"

    def settle(self, record: OrderRecord) -> OrderState | None:
        """Take in what REST says of an order that is adrift; return it, None when it is not adrift any more.

        One that REST calls open is adrift still: the record is older than the snapshot, so ask again.
        """
        if record.order_id not in self._adrift:
            return None
        order = order_of_record(record)
        if order.is_open:
            self._adrift[order.order_id] = order
        else:
            self._close(order)
        return order

    def learn(self, records: Iterable[TradeRecord], *, all_: bool = True) -> tuple[AccountChange, ...]:
        """Take in fills that REST tells of, oldest first; return those that were not known, and what they settle.

        Args:
            records: of fills.
            all_: they are all that were missed; not so when more may have been since they were asked for.
        """
        if all_:
            self._missed_since_ns = None
        changes: list[AccountChange] = []
        for record in records:
            if record.exec_id not in self._fills:
                self._filled(self._with_fee_asset(fill_of_record(record)), changes)
        return tuple(changes)

    # -- inside ----------------------------------------------------------------------

    def _follow(self, name: str, kind: Kind, sequence: int) -> bool:
        """Note a message of a channel; return whether it goes on with the snapshot before it."""
        source = self._sources.setdefault(name, _Source())
        expected = None if source.sequence is None else source.sequence + 1
        goes_on = source.snapshot and sequence == expected
        source.sequence, source.snapshot = sequence, kind == "snapshot"
        if kind == "snapshot" or (name == "ownTrades" and source.step == "waiting"):
            source.step = "live"
        elif expected is not None and sequence != expected:
            self.counters.gaps += 1
            source.step = "stale"
        return goes_on

    def _executions(self, event: Executions) -> tuple[AccountChange, ...]:
        source = self._sources.get(event.source)
        again = source is not None and source.step != "waiting"
        goes_on = self._follow(event.source, event.kind, event.sequence)
        changes: list[AccountChange] = []
        if event.kind == "update":
            for row in event.executions:
                if row.exec_type != "trade" or self._moves(row, event.source, changes):
                    self._told(row, changes)
            return tuple(changes)
        if event.source != "ownTrades":
            self._snapshot([row for row in event.executions if row.exec_type != "trade"], goes_on, changes)
        self._trade_snapshot([row for row in event.executions if row.exec_type == "trade"], again, changes)
        return tuple(changes)

    def _moves(self, row: Execution, source: str, changes: list[AccountChange]) -> bool:
        """One trade: whether its order hears of it. REST may have been faster with the fill, and knows no order."""
        fresh = self._traded(row, changes)
        order = self._open.get(row.order_id)
        ahead = order is not None and row.cum_qty is not None and row.cum_qty > (order.cum_qty or 0)
        return (fresh or ahead) and source == "executions"

    def _told(self, row: Execution, changes: list[AccountChange]) -> None:
        """One event of one order."""
        order_id = row.order_id
        if order_id in self._closed:
            self.counters.late += 1
            return
        before = self._open.get(order_id) or self._adrift.pop(order_id, None)
        if before is None and row.exec_type != "pending_new":
            self.counters.unknown_orders += 1
        self._stands(merged(before, row), changes)

    def _stands(self, order: OrderState, changes: list[AccountChange]) -> None:
        if order.is_open:
            self._open[order.order_id] = order
        else:
            self._close(order)
        changes.append(order)

    def _close(self, order: OrderState) -> None:
        self._open.pop(order.order_id, None)
        self._adrift.pop(order.order_id, None)
        _keep(self._closed, order.order_id, order, self._closed_kept)

    def _snapshot(self, rows: list[Execution], goes_on: bool, changes: list[AccountChange]) -> None:
        """What is open now; what was and is not any more is adrift."""
        before = self._open
        if not goes_on:
            self._open = {}
        for row in rows:
            order_id = row.order_id
            known = before.get(order_id) or self._adrift.pop(order_id, None) or self._closed.pop(order_id, None)
            order = merged(None, row)
            if known is not None:
                order = structs.replace(order, opened_ns=known.opened_ns)
            if order == known:
                self._open[order_id] = order
            else:
                self._stands(order, changes)
        vanished = [order for name, order in before.items() if name not in self._open and name not in self._closed]
        for order in vanished:
            _keep(self._adrift, order.order_id, order, self._closed_kept)
        self._settle_by_fills(vanished, changes)

    def _trade_snapshot(self, rows: list[Execution], again: bool, changes: list[AccountChange]) -> None:
        """The last fills: some are known already, unless there are more new ones than a snapshot holds."""
        known = any(row.exec_id in self._fills for row in rows)
        if again and not known and len(rows) >= _SNAPSHOT_FILLS:
            self.counters.fill_gaps += 1
            if self._missed_since_ns is None:
                self._missed_since_ns = max((fill.time_ns for fill in self._fills.values()), default=0)
        for row in sorted(rows, key=lambda row: row.time_ns):
            if row.exec_id not in self._fills:
                self._traded(row, changes)

    def _traded(self, row: Execution, changes: list[AccountChange]) -> bool:
        """One trade; return whether it was not known."""
        fill = fill_of(row)
        if fill is None:
            self.counters.incomplete += 1
            return True
        if fill.exec_id in self._fills:
            self.counters.duplicates += 1
            return False
        self._filled(self._with_fee_asset(fill) if "ownTrades" in self._sources else fill, changes)
        return True

    def _with_fee_asset(self, fill: Fill) -> Fill:
        """What a fill cost is told on v1 and by REST, but not in what: its order says that."""
        order_id = fill.order_id
        order = self._open.get(order_id) or self._closed.get(order_id) or self._adrift.get(order_id)
        return fee_in_base(fill) if order is not None and order.fee_preference == "base" else fill

    def _filled(self, fill: Fill, changes: list[AccountChange]) -> None:
        _keep(self._fills, fill.exec_id, fill, self._fills_kept)
        changes.append(fill)
        order = self._adrift.get(fill.order_id)
        if order is not None:
            self._settle_by_fills([order], changes)

    def _settle_by_fills(self, orders: list[OrderState], changes: list[AccountChange]) -> None:
        """End the orders adrift whose fills account for all of them."""
        fills: dict[str, list[Fill]] = {order.order_id: [] for order in orders}
        if not fills:
            return
        for fill in self._fills.values():
            if fill.order_id in fills:
                fills[fill.order_id].append(fill)
        for order in orders:
            settled = filled(order, fills[order.order_id])
            if settled is not None:
                self._close(settled)
                changes.append(settled)


def _keep(kept: dict[str, _V], key: str, value: _V, most: int) -> None:
    """Put a value at the end, and let go of what has been there longest."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]
