"""Keeps a client inside the venue's rate counters: says how long to wait before a request may be sent.

Counts as the venue does, one counter for each pair and one for what concerns
the whole account, and is corrected by what the venue tells. Where it does not
know - how old an order is, which pair it is of - it assumes the dearest. Sends
nothing and refuses nothing. Source: v2 reference, section 9.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Final

from krakenwire import limits
from krakenwire.errors import ConfigError, UsageError
from krakenwire.model import (
    Added,
    AddOrder,
    AmendOrder,
    BatchAdd,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    Canceled,
    CancelOrders,
    Edited,
    EditOrder,
    Execution,
    Executions,
    Outcome,
    TradingRequest,
)
from krakenwire.model.account import ENDED
from krakenwire.model.rates import (
    AGES_S,
    ALWAYS_ACCEPTED,
    POINT,
    TIERS,
    RateCounter,
    RateLimit,
    Transaction,
    cost,
    rest_cost,
)

__all__ = ["Pacer", "RestPacer"]

_SECOND: Final = 1_000_000_000
_FLIGHT_NS: Final = int(limits.PACE_FLIGHT_S * _SECOND)

_TRANSACTIONS: Final[Mapping[type[TradingRequest], Transaction]] = {
    AddOrder: "add",
    AmendOrder: "amend",
    EditOrder: "edit",
    CancelOrders: "cancel",
    CancelAll: "cancel_all",
    CancelAllAfter: "cancel_all_after",
    BatchAdd: "batch_add",
    BatchCancel: "batch_cancel",
}

_PROTECTIVE: Final = ("cancel", "batch_cancel", "cancel_all", "cancel_all_after")
"""What the margin is kept free for."""

_ACCOUNT: Final = ""
"""The counter of what concerns all pairs."""

_UNKNOWN: Final = "?"
"""Some pair, nobody knows which: it counts against every one."""


@dataclass(slots=True)
class _Paced:
    """What a pacer knows of an order; without a time it counts as just placed."""

    symbol: str | None = None
    changed_ns: int | None = None
    cl_ord_id: str | None = None
    order_userref: int | None = None


_Load = list[int | None]
"""What a request adds to one counter: when each order it touches was placed or last amended."""


class Pacer:
    """The trading counters of one account.

    Args:
        limit: of each counter; None waits for nothing until `limit_told`.
        margin: the share of the counter that new orders and changes leave free, so that there is room to cancel.
        orders_kept: how many orders' ages are known.

    Raises:
        ConfigError: a margin that is not a share, or leaves nothing.
    """

    def __init__(
        self,
        limit: RateLimit | None = None,
        *,
        margin: Decimal = Decimal("0.1"),
        orders_kept: int = limits.PACED_ORDERS_KEPT,
    ) -> None:
        if not 0 <= margin < 1:
            raise ConfigError("the margin of a pacer", expected="a share from 0 to below 1", found=margin)
        self._margin, self._orders_kept = margin, orders_kept
        self._limit = limit
        self._counters: dict[str, RateCounter] = {}
        self._orders: dict[str, _Paced] = {}
        self._by_cl_ord_id: dict[str, str] = {}
        self._lately: deque[tuple[int, str, int]] = deque()

    @property
    def limit(self) -> RateLimit | None:
        """Of each counter, as far as it is known."""
        return self._limit

    def value(self, symbol: str, now_ns: int) -> Decimal:
        """Return the points of a pair, as far as we know."""
        return Decimal(0) if self._limit is None else self._counter(symbol, now_ns).value(now_ns)

    # -- requests ------------------------------------------------------------------

    def wait_ns(self, request: TradingRequest, now_ns: int) -> int:
        """Return how long a request has to wait, 0 when it may be sent now.

        Counts the decay, and that orders become cheaper to touch as they age. Cancellations may use the margin;
        a `BatchCancel` is always accepted and never waits.

        Raises:
            UsageError: it costs more than the whole counter holds, now and later.
        """
        transaction = _TRANSACTIONS[request.__class__]
        if self._limit is None or transaction in ALWAYS_ACCEPTED:
            return 0
        kept = 0 if transaction in _PROTECTIVE else int(self._limit.threshold * self._margin * POINT)
        at_ns = now_ns
        for symbol, load in self._loads(request).items():
            for counter in self._charged(symbol, now_ns):
                at_ns = max(at_ns, self._free_at(counter, request, load, kept, now_ns))
        return at_ns - now_ns

    def sent(self, request: TradingRequest, now_ns: int) -> None:
        """Count a request that is being sent."""
        if self._limit is None:
            return
        for symbol, load in self._loads(request).items():
            points = _points(request, load, now_ns)
            for counter in self._charged(symbol, now_ns):
                counter.charge(points, now_ns)
            self._forget_flights(now_ns)
            self._lately.append((now_ns, symbol, points))

    def answered(self, outcome: Outcome, now_ns: int) -> None:
        """Learn from what became of a request which orders there are, and how old."""
        request = outcome.request
        if isinstance(request, AmendOrder):
            if not outcome.refused:
                self.amended(now_ns, order_id=request.order_id, cl_ord_id=request.cl_ord_id)
            return
        if isinstance(request, CancelOrders):
            ids = (*request.order_ids, *(self._by_cl_ord_id.get(text, "") for text in request.cl_ord_ids))
            for order_id, answer in zip(ids, outcome.answers, strict=False):
                if isinstance(answer, Canceled):
                    self.ended(order_id)
            return
        asked: Iterable[TradingRequest] = request.orders if isinstance(request, BatchAdd) else (request,)
        for one, answer in zip(asked, outcome.answers, strict=False):
            if isinstance(answer, Added) and isinstance(one, AddOrder) and answer.order_id:
                self.placed(answer.order_id, one.symbol, one.cl_ord_id, now_ns, one.order_userref)
            elif isinstance(answer, Edited) and isinstance(one, EditOrder) and answer.order_id:
                before = self._orders.get(answer.original_order_id, _Paced())
                self.ended(answer.original_order_id)
                self.placed(answer.order_id, one.symbol or before.symbol, None, now_ns, one.order_userref)

    # -- orders --------------------------------------------------------------------

    def placed(
        self, order_id: str, symbol: str | None, cl_ord_id: str | None, at_ns: int, order_userref: int | None = None
    ) -> None:
        """Note an order; of one that is known only what was not.

        Args:
            order_id: its id.
            symbol: its pair, None when nobody said.
            cl_ord_id: its other id, if it has one.
            at_ns: when it was placed or last amended, by the clock that tells `now_ns`.
            order_userref: its tag, if it has one.
        """
        known = self._orders.get(order_id)
        if known is None:
            known = self._orders[order_id] = _Paced(changed_ns=at_ns)
            if len(self._orders) > self._orders_kept:
                self.ended(next(iter(self._orders)))
        known.symbol = known.symbol or symbol
        known.order_userref = order_userref if known.order_userref is None else known.order_userref
        if cl_ord_id is not None:
            known.cl_ord_id = cl_ord_id
            self._by_cl_ord_id[cl_ord_id] = order_id

    def amended(self, at_ns: int, *, order_id: str | None = None, cl_ord_id: str | None = None) -> None:
        """Note that an order was amended: it is as dear to touch as a new one again."""
        order = self._order(order_id, cl_ord_id)
        if order is not None:
            order.changed_ns = at_ns

    def ended(self, order_id: str) -> None:
        """Forget an order."""
        order = self._orders.pop(order_id, None)
        if order is not None and order.cl_ord_id is not None and self._by_cl_ord_id.get(order.cl_ord_id) == order_id:
            del self._by_cl_ord_id[order.cl_ord_id]

    def heard(self, executions: Executions, now_ns: int) -> None:
        """Learn from private events: orders, their ages, and the counter where it is told."""
        for row in executions.executions:
            self._heard(row, now_ns)

    def _heard(self, row: Execution, now_ns: int) -> None:
        order = self._orders.get(row.order_id)
        symbol = row.symbol or (None if order is None else order.symbol)
        if row.ratecount is not None and symbol is not None:
            self.told(symbol, row.ratecount, now_ns)
        if row.exec_type == "trade":
            return
        if row.order_status in ENDED:
            self.ended(row.order_id)
            return
        at_ns = min(row.time_ns, now_ns) or now_ns
        self.placed(row.order_id, row.symbol, row.cl_ord_id, at_ns, row.order_userref)
        if row.exec_type == "amended":
            self.amended(at_ns, order_id=row.order_id)

    # -- what the venue tells -------------------------------------------------------------

    def told(self, symbol: str, ratecount: int, now_ns: int) -> None:
        """Correct a pair's counter by what the venue counts.

        It tells whole points, and may not have counted yet what was sent in the last seconds; so ours is
        moved no further than to where both can be true.
        """
        if self._limit is None:
            return
        self._forget_flights(now_ns)
        under_way = sum(points for _, where, points in self._lately if where in (symbol, _UNKNOWN))
        least = ratecount * POINT
        counter = self._counter(symbol, now_ns)
        ours = ceil(counter.value(now_ns) * POINT)
        counter.correct(min(max(ours, least), least + POINT + under_way), now_ns)

    def limit_told(self, maxratecount: int, now_ns: int) -> None:
        """Take in the threshold that a subscription tells; with one that no tier has, the slowest decay goes."""
        threshold = Decimal(maxratecount)
        decays = {tier.trading.threshold: tier.trading.decay_per_s for tier in TIERS.values()}
        self._limit = RateLimit(threshold, decays.get(threshold, min(decays.values())))
        counters = {}
        for symbol, before in self._counters.items():
            counters[symbol] = RateCounter(self._limit)
            counters[symbol].charge(ceil(before.value(now_ns) * POINT), now_ns)
        self._counters = counters

    # -- inside ------------------------------------------------------------------------

    def _loads(self, request: TradingRequest) -> dict[str, _Load]:
        """What a request adds, by counter."""
        if isinstance(request, AddOrder | BatchAdd):
            return {request.symbol: []}
        if isinstance(request, CancelAll | CancelAllAfter):
            return {_ACCOUNT: []}
        loads: dict[str, _Load] = {}
        said = request.symbol if isinstance(request, AmendOrder | EditOrder) else None
        for order in self._touched(request):
            loads.setdefault(order.symbol or said or _UNKNOWN, []).append(order.changed_ns)
        return loads

    def _touched(self, request: AmendOrder | EditOrder | CancelOrders | BatchCancel) -> list[_Paced]:
        """The orders that a request names; one that is not known where nothing is."""
        if isinstance(request, AmendOrder):
            return [self._order(request.order_id, request.cl_ord_id) or _Paced()]
        if isinstance(request, EditOrder):
            return self._named(request.order_id)
        orders = [order for text in request.order_ids for order in self._named(text)]
        orders += [self._order(None, text) or _Paced() for text in request.cl_ord_ids]
        if isinstance(request, CancelOrders):
            orders += [order for userref in request.order_userrefs for order in self._tagged(str(userref))]
        return orders

    def _order(self, order_id: str | None, cl_ord_id: str | None) -> _Paced | None:
        if order_id is None and cl_ord_id is not None:
            order_id = self._by_cl_ord_id.get(cl_ord_id)
        return None if order_id is None else self._orders.get(order_id)

    def _named(self, text: str) -> list[_Paced]:
        """The orders that an order id means, or a userref written as text."""
        order = self._orders.get(text)
        return self._tagged(text) if order is None else [order]

    def _tagged(self, text: str) -> list[_Paced]:
        return [order for order in self._orders.values() if str(order.order_userref) == text] or [_Paced()]

    def _counter(self, symbol: str, now_ns: int) -> RateCounter:
        """The counter of a pair; a new one begins with what may have been of any pair."""
        counter = self._counters.get(symbol)
        if counter is None:
            assert self._limit is not None
            counter = self._counters[symbol] = RateCounter(self._limit)
            anywhere = self._counters.get(_UNKNOWN)
            if anywhere is not None and symbol != _ACCOUNT:
                counter.charge(ceil(anywhere.value(now_ns) * POINT), now_ns)
        return counter

    def _charged(self, symbol: str, now_ns: int) -> list[RateCounter]:
        """The counters that a request about a pair counts against."""
        counter = self._counter(symbol, now_ns)
        if symbol != _UNKNOWN:
            return [counter]
        return [counter for name, counter in self._counters.items() if name != _ACCOUNT]

    @staticmethod
    def _free_at(counter: RateCounter, request: TradingRequest, load: _Load, kept: int, now_ns: int) -> int:
        """The first moment at which a request fits into a counter; it becomes cheaper step by step."""
        whole = int(counter.limit.threshold * POINT)
        ages = {changed + age_s * _SECOND for changed in load if changed is not None for age_s in AGES_S}
        steps = [now_ns, *sorted(step for step in ages if step > now_ns)]
        for start_ns, end_ns in zip(steps, [*steps[1:], None], strict=True):
            points = _points(request, load, start_ns)
            free_ns = counter.free_at(max(points, min(points + kept, whole)), start_ns)
            if free_ns is not None and (end_ns is None or free_ns < end_ns):
                return free_ns
        hint = "Split it; a BatchCancel is always accepted"
        found = Decimal(_points(request, load, now_ns)) / POINT
        raise UsageError("the rate cost of a request", expected=f"at most {whole // POINT}", found=found, hint=hint)

    def _forget_flights(self, now_ns: int) -> None:
        while self._lately and self._lately[0][0] <= now_ns - _FLIGHT_NS:
            self._lately.popleft()


def _points(request: TradingRequest, load: _Load, at_ns: int) -> int:
    """What a request costs at some time, in millionths of a point."""
    ages_ns = [0 if changed is None else max(0, at_ns - changed) for changed in load]
    orders = len(request.orders) if isinstance(request, BatchAdd) else max(1, len(ages_ns))
    return cost(_TRANSACTIONS[request.__class__], ages_ns, orders=orders)


class RestPacer:
    """The counter of one key's REST calls; those about orders do not count here.

    Args:
        limit: None waits for nothing.
    """

    def __init__(self, limit: RateLimit | None = None) -> None:
        self._counter = None if limit is None else RateCounter(limit)

    def wait_ns(self, method: str, now_ns: int) -> int:
        """Return how long a call has to wait, 0 when it may be sent now.

        Args:
            method: the last part of its path, ``Ledgers``.
            now_ns: the time.

        Raises:
            UsageError: it costs more than the whole counter holds.
        """
        points = rest_cost(method)
        if self._counter is None or not points:
            return 0
        free_ns = self._counter.free_at(points, now_ns)
        if free_ns is None:
            expected = f"at most {self._counter.limit.threshold}"
            raise UsageError(f"the rate cost of {method}", expected=expected, found=Decimal(points) / POINT)
        return free_ns - now_ns

    def sent(self, method: str, now_ns: int) -> None:
        """Count a call that is being sent."""
        if self._counter is not None:
            self._counter.charge(rest_cost(method), now_ns)
