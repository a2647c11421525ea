"""One market with accounts behind its orders: what is submitted, matched, paid, triggered and ended.

Turns the engine's events into fills, movements of money, holds and reports.
It decides nothing about who may ask for what: `exchange.py` does, and
`checks.py` says what an order must be like.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from krakenwire.model import OrderSide
from krakenwire.model.orders import TriggerReference
from krakenwire.venue.market import Market
from krakenwire.venue.orders import (
    Accepted,
    EngineEvent,
    Finished,
    Refused,
    Removed,
    Rested,
    Traded,
)
from krakenwire.venue.trading.account_order import AccountOrder, Fill
from krakenwire.venue.trading.accounts import Account, Ledger
from krakenwire.venue.trading.fees import FeeSchedule, fee_of
from krakenwire.venue.trading.needs import lots_for_cash, need, sweep
from krakenwire.venue.trading.reports import Reports
from krakenwire.venue.trading.terms import Terms

__all__ = ["Desk", "FillCounter"]

POST_ONLY: Final = "Post only order"
NO_FUNDS: Final = "Insufficient funds"
_ENDINGS: Final = {
    "post only": POST_ONLY,
    "cannot fill": "Fill or kill order could not be filled",
    "ioc": "Immediate or cancel order expired",
    "no liquidity": "No liquidity",
    "self trade": "Self trade prevention",
}
"""Why an order ended that nobody canceled, in our words where the venue's are not known."""


class FillCounter(Protocol):
    """Numbers fills over all desks."""

    def next_fill(self) -> int: ...


class Desk:
    """The orders of one instrument.

    Attributes:
        symbol: v2 spelling.
        terms: what its ticks and lots are worth.
        orders: open orders by their engine number, scheduled and untriggered ones, too.
        untriggered: those that wait for the market, by number, oldest first.
        closes: fills of orders with a conditional close, whose closing order is still to be placed.

    Args:
        market: its market; only the desk commands it.
        terms: its arithmetic.
        ledger: who owns what.
        reports: who is told.
        counter: numbers the fills.
        usd_cents: what some ledger units of the quote are worth in cents.
        changed: told the symbol after each command to the market, before what it caused is settled.
        index: the instrument's index price in ticks; None to go by the last trade.
    """

    def __init__(
        self,
        market: Market,
        terms: Terms,
        ledger: Ledger,
        reports: Reports,
        counter: FillCounter,
        usd_cents: Callable[[str, int], int],
        changed: Callable[[str], None],
        index: Callable[[], int] | None = None,
    ) -> None:
        self.market, self.terms = market, terms
        self.symbol = market.symbol
        self.orders: dict[int, AccountOrder] = {}
        self.untriggered: dict[int, AccountOrder] = {}
        self.closes: deque[tuple[AccountOrder, int, int]] = deque()
        self._ledger, self._reports, self._counter, self._usd_cents = ledger, reports, counter, usd_cents
        self._changed, self._index = changed, index
        self._looked_at: tuple[int, int] | None = None
        self._fees = FeeSchedule(terms.instrument.fees_taker, terms.instrument.fees_maker)

    # -- reading ---------------------------------------------------------------

    def rates(self, account: Account, now_ns: int) -> tuple[int, int]:
        """Return what taker and maker pay, in millionths."""
        if account.fixed_fees is not None:
            return account.fixed_fees
        volume = account.volume.dollars(now_ns)
        return self._fees.taker(volume), self._fees.maker(volume)

    def sweep_cost(self, side: OrderSide, lots: int) -> tuple[int, int]:
        """Return how many lots an order could take from the other side, and their cost in ticks times lots."""
        other: OrderSide = "sell" if side == "buy" else "buy"
        depth = 16
        while True:
            levels = self.market.levels(other, depth)
            reachable, exact = sweep(levels, lots)
            if reachable == lots or len(levels) < depth:
                return reachable, exact
            depth *= 4

    def lots_for_cash(self, cash: int) -> int:
        """Return how many lots can be bought at once for some ledger units of the quote, fee on top."""
        depth = 16
        while True:
            levels = self.market.levels("sell", depth)
            lots = lots_for_cash(levels, cash, 0, self.terms)
            if len(levels) < depth or lots < sum(level.qty + level.hidden for level in levels):
                return lots
            depth *= 4

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
            qty: lots that shall remain.
            price: ticks.
            display: lots that an iceberg shows.
            post_only: refuse a new price that would take.
        """
        events = self.market.amend(order.number, now_ns, qty, price, post_only=post_only, display_qty=display)
        if isinstance(events[0], Refused):
            return events[0].reason
        order.qty = order.qty if qty is None else order.filled + qty
        order.price = order.price if price is None else price
        order.display = order.display if display is None else display
        order.amended, order.changed_ns = True, now_ns
        self._changed(self.symbol)
        self._reports.amended(order, "User requested", self.market.time_ns)
        self._settle(events, order)
        return ""

    def wait(self, order: AccountOrder) -> None:
        """Let an order wait for its trigger."""
        order.phase = "untriggered"
        self.orders[order.number] = self.untriggered[order.number] = order
        self.look_again()

    def look_again(self) -> None:
        """A trigger is new or has changed: it may fire though the market has not moved."""
        self._looked_at = None

    def due(self, now_ns: int) -> AccountOrder | None:
        """Let triggers follow the market; return the oldest that fires now, no longer waiting, or None."""
        if not self.untriggered:
            return None
        references = self.reference("last"), self.reference("index")
        if references == self._looked_at:
            return None
        for order in self.untriggered.values():
            trigger = order.trigger
            assert trigger is not None
            reference = self.reference(trigger.reference)
            if trigger.trails and reference and trigger.follow(reference):
                self._reports.trigger_changed(order, now_ns)
            if trigger.reached(reference):
                trigger.fired_ns, trigger.fired_at = now_ns, reference
                del self.untriggered[order.number]
                return order
        self._looked_at = references
        return None

    def fire(self, order: AccountOrder, now_ns: int) -> None:
        """Put a triggered order into the book, if its account can still pay."""
        assert order.trigger is not None
        order.phase = "live"
        if order.limit_distance is not None:
            away = order.limit_distance if order.side == "buy" else -order.limit_distance
            order.price = max(1, order.trigger.price + away)
        self._reports.trigger_changed(order, now_ns)
        if self.hold_all(order, now_ns):
            self.submit(order, now_ns)
        else:
            self._end(order, "canceled", NO_FUNDS, now_ns)

    def hold_all(self, order: AccountOrder, now_ns: int) -> bool:
        """Hold what an order needs that goes into the book now."""
        order.fee_rate = self.rates(order.account, now_ns)[0]
        if order.price is not None:
            return self.hold(order, *need(order, order.price, order.remaining))
        if order.side == "sell":
            return self.hold(order, *need(order, 0, order.remaining))
        held = self.terms.cost_held(self.sweep_cost("buy", order.remaining)[1])
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
                self._end(order, "canceled", _ENDINGS[event.reason], event.time_ns)
            elif isinstance(event, Accepted) and order.trigger is None:
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
        """Let money and goods of one trade change hands, charge the fees, and tell both sides."""
        taker, maker = self.orders[trade.taker_id], self.orders[trade.maker_id]
        buyer, seller = (taker, maker) if trade.taker_side == "buy" else (maker, taker)
        exact = trade.price * trade.qty
        base, quote = self.terms.base_units(trade.qty), self.terms.cost(exact)
        taker.filled += trade.qty
        maker.filled += trade.qty
        self._ledger.move(seller.account, buyer.account, self.terms.base, base)
        self._ledger.move(buyer.account, seller.account, self.terms.quote, quote)
        for order in (taker, maker):
            self._book(order, trade, trade_id, exact, base, quote, order is maker)
        if not trade.maker_left:
            self._end(maker, "filled", "", trade.time_ns)

    def _book(
        self, order: AccountOrder, trade: Traded, trade_id: int, exact: int, base: int, quote: int, is_maker: bool
    ) -> None:
        """One side of a trade: fee, hold, entries, fill."""
        account, terms, buys = order.account, self.terms, order.side == "buy"
        fee = self._fee(order, trade, base, quote, is_maker)
        order.exact += exact
        order.fee += fee
        number = self._counter.next_fill()
        legs = ((terms.base, base if buys else -base), (terms.quote, -quote if buys else quote))
        fill = Fill(
            number, order, trade_id, trade.price, trade.qty, exact, quote, fee, order.fee_asset, is_maker, trade.time_ns
        )
        self._reports.traded(fill, trade.time_ns)
        for asset, amount in legs:
            charged = fee if asset == fill.fee_asset else 0
            entry = self._ledger.enter(account, asset, "trade", number, amount, charged, trade.time_ns)
            if entry is not None:
                self._reports.entered(account, entry, trade.time_ns)
        if account.keeps_history:
            account.fills.append(fill)
            order.fills.append(number)
        if account.fixed_fees is None:
            account.volume.add(self._usd_cents(terms.quote, quote), trade.time_ns)
        if order.conditional is not None:
            self.closes.append((order, trade.qty, trade.price))

    def _fee(self, order: AccountOrder, trade: Traded, base: int, quote: int, is_maker: bool) -> int:
        """Charge the fee of one side of a trade and release what was held for it; return the fee.

        A fee on top is never more than what was held for it, a fee on what comes in never more than that.
        """
        rate = self.rates(order.account, trade.time_ns)[1 if is_maker else 0]
        fee = fee_of(base if order.fee_in_base else quote, rate)
        buys = order.side == "buy"
        if order.price is not None or not buys:
            held, held_fee = need(order, order.price or 0, order.remaining)
        else:
            held, held_fee = order.hold - quote, max(0, order.hold_fee - fee)
        extra = order.fee_in_base != buys
        fee = min(fee, order.hold_fee - held_fee) if extra else min(fee, base if order.fee_in_base else quote)
        self._ledger.move(order.account, self._ledger.fees, order.fee_asset, fee)
        order.account.hold(order.hold_asset, held + held_fee - order.hold - order.hold_fee)
        order.hold, order.hold_fee = held, held_fee
        return fee

    def _end(self, order: AccountOrder, phase: str, reason: str, time_ns: int) -> None:
        """An order is over: release what is held, write it down, tell."""
        order.phase = phase  # type: ignore[assignment]  # callers pass one of the final phases
        order.reason, order.closed_ns, order.resting = reason, time_ns, False
        self.hold(order, 0, 0)
        del self.orders[order.number]
        self.untriggered.pop(order.number, None)
        order.account.closed(order)
        self._reports.ended(order, order.phase, time_ns)  # type: ignore[arg-type]  # the final phases are exec types
