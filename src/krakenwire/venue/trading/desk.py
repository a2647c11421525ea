"""One market with accounts behind its orders: what is submitted, matched, paid, triggered and ended.

Turns the engine's events into fills, movements of money, holds and reports.
It decides nothing about who may ask for what: `exchange.py` does, and
`checks.py` says what an order must be like.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from krakenwire.model import OrderSide
from krakenwire.model.orders import SelfTradePrevention, TriggerReference
from krakenwire.venue.market.market import Market
from krakenwire.venue.matching.orders import (
    Accepted,
    EngineEvent,
    Finished,
    Refused,
    Removed,
    Rested,
    Traded,
)
from krakenwire.venue.trading.account_order import AccountOrder, Fill
from krakenwire.venue.trading.accounts import Account
from krakenwire.venue.trading.needs import lots_at, lots_for_cash, need, sweep
from krakenwire.venue.trading.positions import Positions
from krakenwire.venue.trading.refusals import NO_FUNDS, NO_LIQUIDITY, USER_REQUESTED, reason_of
from krakenwire.venue.trading.reports import Reports
from krakenwire.venue.trading.settlement import Settlement
from krakenwire.venue.trading.terms import Terms
from krakenwire.venue.trading.waiting import Waiting

__all__ = ["Desk"]

POST_ONLY: Final = "Post only order"
POSITION_CLOSED: Final = "Reduce only: Position is closed"
_ENDINGS: Final = {
    "post only": POST_ONLY,
    "cannot fill": "Fill or kill order could not be filled",
    "ioc": "Immediate or cancel order expired",
    "no liquidity": NO_LIQUIDITY,
    "self trade": "Self trade prevention",
}
"""Why an order ended that nobody canceled, in our words where the venue's are not known."""


class Desk:
    """The orders of one instrument.

    Attributes:
        symbol: v2 spelling.
        terms: what its ticks and lots are worth.
        orders: open orders by their engine number, scheduled and untriggered ones, too.
        waiting: those that wait for the market.
        closes: fills whose conditional close is still to be placed.

    Args:
        market: its market; only the desk commands it.
        terms: its arithmetic.
        settlement: what its trades do to accounts.
        positions: of margin accounts.
        reports: who is told.
        changed: told the symbol after each command to the market, before what it caused is settled.
        index: the instrument's index price in ticks; None to go by the last trade.
    """

    def __init__(
        self,
        market: Market,
        terms: Terms,
        settlement: Settlement,
        positions: Positions,
        reports: Reports,
        changed: Callable[[str], None],
        index: Callable[[], int] | None = None,
    ) -> None:
        self.market, self.terms = market, terms
        self.symbol = market.symbol
        self.orders: dict[int, AccountOrder] = {}
        self.waiting = Waiting()
        self.closes: deque[Fill] = deque()
        self._settlement, self._positions, self._reports = settlement, positions, reports
        self._changed, self._index = changed, index
        self._reducing: dict[int, AccountOrder] = {}

    # -- reading ---------------------------------------------------------------

    def rates(self, account: Account, now_ns: int) -> tuple[int, int]:
        """Return what taker and maker pay, in millionths."""
        return self._settlement.rates(account, now_ns)

    def sweep_cost(self, order: AccountOrder) -> tuple[int, int]:
        """Return how many lots an order could take from the other side, and their cost in ticks times lots."""
        other: OrderSide = "sell" if order.side == "buy" else "buy"
        gone = self._giving_way(order.account, other, order.stp_type)
        lots, depth = order.remaining, 16
        while True:
            levels = self.market.levels(other, depth)
            reachable, exact = sweep(levels, lots, gone)
            if reachable == lots or len(levels) < depth:
                return reachable, exact
            depth *= 4

    def lots_for_cash(self, account: Account, cash: int, stp_type: SelfTradePrevention) -> int:
        """Return how many lots an account can buy at once for some ledger units of the quote, fee on top."""
        gone = self._giving_way(account, "sell", stp_type)
        depth = 16
        while True:
            levels = self.market.levels("sell", depth)
            lots = lots_for_cash(levels, cash, 0, self.terms, gone)
            if len(levels) < depth or lots < sum(lots_at(level, gone) for level in levels):
                return lots
            depth *= 4

    def _giving_way(self, account: Account, side: OrderSide, stp_type: SelfTradePrevention) -> Mapping[int, int]:
        """Return the lots by price that rest on one side and that an order of their owner would cancel, not take.

        An order that gives way itself ends at the first of them: what it takes before is not dearer for it.
        """
        gone: dict[int, int] = {}
        if stp_type == "cancel_oldest":
            for order in account.open_orders.values():
                if order.resting and order.desk is self and order.side == side:
                    assert order.price is not None
                    gone[order.price] = gone.get(order.price, 0) + order.remaining
        return gone

    def reference(self, kind: TriggerReference) -> int:
        """Return the price that triggers watch in ticks, 0 before any. Without an index it is the last one."""
        return self._index() if kind == "index" and self._index is not None else self.market.last_price

    # -- money held --------------------------------------------------------------

    def hold(self, order: AccountOrder, held: int, fee: int) -> bool:
        """Hold what an order needs from now on; return False, and hold what was held, if it is not there."""
        more = held + fee - order.hold - order.hold_fee
        if more > 0 and more > order.account.available(order.hold_asset):
            return False
        order.account.hold(order.hold_asset, more)
        order.hold, order.hold_fee = held, fee
        return True

    def _hold_rest(self, order: AccountOrder) -> None:
        """Hold what the rest of a limit order needs."""
        assert order.price is not None
        held = self.hold(order, *need(order, order.price, order.remaining))
        assert held, "the rest of an order never needs more than the whole"

    # -- commands -----------------------------------------------------------------

    def submit(self, order: AccountOrder, now_ns: int) -> list[EngineEvent]:
        """Put an order whose money is held into the book, and settle what that causes."""
        self.orders[order.number] = order
        bound = None
        if order.reduce_only:
            bound = self._positions.reducible(order.account, self.symbol, order.side)
            if not bound:
                self._end(order, "canceled", POSITION_CLOSED, now_ns)
                return []
            self._reducing[order.number] = order
        events = self.market.place(
            order.side,
            order.remaining,
            order.price,
            now_ns,
            order.time_in_force if order.time_in_force != "gtd" else "gtc",
            order.post_only,
            order.number,
            owner=order.account.number,
            self_trade=order.stp_type,
            display_qty=order.display,
            reduce_qty=bound,
        )
        self._changed(self.symbol)
        self._settle(events, order)
        return events

    def cancel(self, order: AccountOrder, reason: str, now_ns: int, phase: str = "canceled") -> list[EngineEvent]:
        """End an open order, wherever it stands."""
        if not order.resting:
            self._end(order, phase, reason, now_ns)
            return []
        events = self.market.cancel(order.number, now_ns)
        self._changed(self.symbol)
        self._end(order, phase, reason, self.market.time_ns)
        return events

    def amend(
        self,
        order: AccountOrder,
        now_ns: int,
        qty: int | None = None,
        price: int | None = None,
        display: int | None = None,
        post_only: bool = False,
    ) -> str:
        """Change a resting order; return the engine's reason if it refuses, else "".

        Args:
            order: resting; the caller has held what the change needs.
            now_ns: the time.
            qty: lots that shall remain; of a reduce-only order no more than its position.
            price: ticks.
            display: lots that an iceberg shows.
            post_only: refuse a new price that would take.
        """
        if qty is not None and order.reduce_only:
            bound = self.market.engine.orders[order.number].reduce_qty
            qty = qty if bound is None else min(qty, bound)
        events = self.market.amend(order.number, now_ns, qty, price, post_only=post_only, display_qty=display)
        if isinstance(events[0], Refused):
            return events[0].reason
        order.qty = order.qty if qty is None else order.filled + qty
        order.price = order.price if price is None else price
        order.display = order.display if display is None else display
        order.amended, order.changed_ns = True, now_ns
        self._changed(self.symbol)
        self._reports.amended(order, USER_REQUESTED, self.market.time_ns)
        self._settle(events, order)
        return ""

    def wait(self, order: AccountOrder) -> None:
        """Let an order wait for its trigger."""
        order.phase = "untriggered"
        self.orders[order.number] = order
        self.waiting.add(order)

    def due(self, now_ns: int) -> AccountOrder | None:
        """Let triggers follow the market; return the oldest that fires now, no longer waiting, or None."""
        if not self.waiting:
            return None
        found = self.waiting.due(self.reference, lambda order: self._reports.trigger_changed(order, now_ns))
        if found is None:
            return None
        order, price = found
        assert order.trigger is not None
        order.trigger.fired_ns, order.trigger.fired_at = now_ns, price
        return order

    def fire(self, order: AccountOrder, now_ns: int) -> None:
        """Put a triggered order into the book, if its account can still pay."""
        assert order.trigger is not None
        order.phase = "live"
        if order.limit_distance is not None:
            order.price = max(1, order.trigger.price + order.limit_distance)
        self._reports.trigger_changed(order, now_ns)
        if self.hold_all(order, now_ns):
            self.submit(order, now_ns)
        else:
            self._end(order, "canceled", reason_of(NO_FUNDS), now_ns)

    def rebound(self, now_ns: int) -> None:
        """Keep resting reduce-only orders no larger than the positions they reduce."""
        for order in tuple(self._reducing.values()):
            if not order.resting:
                continue
            bound = self._positions.reducible(order.account, self.symbol, order.side)
            if not bound:
                self.cancel(order, POSITION_CLOSED, now_ns)
            elif self.market.engine.orders[order.number].reduce_qty != bound:
                self.market.amend(order.number, now_ns, reduce_qty=bound)
                self._changed(self.symbol)
                order.qty = order.filled + min(order.remaining, bound)

    def hold_all(self, order: AccountOrder, now_ns: int) -> bool:
        """Hold what an order needs that goes into the book now."""
        order.fee_rate = self.rates(order.account, now_ns)[0]
        if order.price is not None:
            return self.hold(order, *need(order, order.price, order.remaining))
        if order.side == "sell" or order.leverage:
            return self.hold(order, *need(order, 0, order.remaining))
        held = self.terms.cost_held(self.sweep_cost(order)[1])
        fee = 0 if order.fee_in_base else -(-held * order.fee_rate // 1_000_000)
        return self.hold(order, held, fee)

    # -- what the engine answers ------------------------------------------------------

    def _settle(self, events: list[EngineEvent], order: AccountOrder) -> None:
        """Carry out what a command to the engine has caused, in its order."""
        trade_id = self.market.last_trade_id - sum(isinstance(event, Traded) for event in events)
        for event in events:
            if isinstance(event, Traded):
                trade_id += 1
                self._trade(event, trade_id)
            elif isinstance(event, Rested):
                self._rest(event)
            elif isinstance(event, Removed):
                self._remove(event)
            elif isinstance(event, Finished):
                self._finish(order, event)
            elif isinstance(event, Refused):
                self._end(order, "canceled", _ENDINGS.get(event.reason, event.reason), event.time_ns)
            elif isinstance(event, Accepted):
                order.qty = order.filled + event.qty  # a reduce-only order is cut to its position
                if order.trigger is None:
                    self._reports.went_live(order, event.time_ns)

    def _rest(self, event: Rested) -> None:
        """An order joined a queue; one that had not left the book is an iceberg that shows its next part."""
        order = self.orders[event.order_id]
        if order.resting:
            self._reports.refilled(order, event.qty, event.time_ns)
        order.resting = True

    def _remove(self, event: Removed) -> None:
        """An order left its queue; what has traded in full is ended by its trade."""
        if event.reason == "self trade":
            self._end(self.orders[event.order_id], "canceled", _ENDINGS["self trade"], event.time_ns)
        elif event.reason == "amend":
            self.orders[event.order_id].resting = False

    def _finish(self, order: AccountOrder, event: Finished) -> None:
        """An order that was being matched did not rest."""
        cash_spent = order.cash and event.reason == "no liquidity"
        if event.reason == "filled" or cash_spent:
            self._end(order, "filled", "", event.time_ns)
        else:
            self._end(order, "canceled", _ENDINGS[event.reason], event.time_ns)

    def _trade(self, trade: Traded, trade_id: int) -> None:
        """Settle one trade, and end the resting order if it was its last."""
        maker = self.orders[trade.maker_id]
        for fill in self._settlement.trade(trade, trade_id, self.orders[trade.taker_id], maker):
            if fill.order.conditional is not None:
                self.closes.append(fill)
        if not trade.maker_left:
            self._end(maker, "filled", "", trade.time_ns)

    def _end(self, order: AccountOrder, phase: str, reason: str, time_ns: int) -> None:
        """An order is over: release what is held, write it down, tell."""
        order.phase = phase  # type: ignore[assignment]  # callers pass one of the final phases
        order.reason, order.closed_ns, order.resting = reason, time_ns, False
        self.hold(order, 0, 0)
        del self.orders[order.number]
        self.waiting.discard(order)
        self._reducing.pop(order.number, None)
        order.account.closed(order)
        self._reports.ended(order, order.phase, time_ns)  # type: ignore[arg-type]  # the final phases are exec types
