"""The life of an order: wanted, judged, written down, sent, and what the market says of it, in all worlds alike.

    place ── form, funds, risk ──▶ journal ──▶ broker.submit
    accepted, refused, unknown, filled, amended, ended ──▶ portfolio, risk, log ──▶ the strategy

Nothing is sent before it was written down, and nothing is sent twice. An order
whose fate is unknown stays among the open ones, its money held. Who speaks for
the market: a broker (`sim_broker`, the live one). Who speaks for the strategy: `actions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from krakenwire.errors import InternalError, RiskRefusal, SymbolError
from krakenwire.limits import BOT_MARKET_RESERVE
from krakenwire.trading.clock import Timed
from krakenwire.trading.intents import Intent
from krakenwire.trading.markets import SymbolMarket
from krakenwire.trading.orders import ENDED, Fill, Order, OrderEnd, OrderState
from krakenwire.trading.portfolio import EXACT, Portfolio
from krakenwire.trading.ports import Broker, Journal, NoJournal, RiskCheck
from krakenwire.trading.run_result import RunLog

__all__ = ["Desk", "FeeRates"]

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


class FeeRates(msgspec.Struct, frozen=True):
    """Fees as shares of the cost."""

    maker: Decimal = Decimal("0.0025")
    taker: Decimal = Decimal("0.0040")


def _nobody(_told: object) -> None:
    """Nobody listens."""


class Desk:
    """All orders of one bot.

    Args:
        clock: the run's time.
        markets: the symbols of the run.
        portfolio: what there is to spend.
        log: the rows of the run.
        risk: the user's limits.
        journal: where intents are written down.
        fees: what an order may cost at most, held with it.
        margin: whether it may be sold what is not there.

    Attributes:
        open: orders that are not over, by id, oldest first.
        broker: who carries orders; set before the first.
        on_order: called with an order whose state has changed, by the market and not by us.
        on_fill: called with each fill, before `on_order`.
        on_stop: called with the limit that stops the bot.
        clock_skew_ns: how far our clock is from the venue's; None where there is one clock.
        book_age: tells how long ago a symbol's book was last known to be right; None where only its changes tell.
    """

    def __init__(
        self,
        clock: Timed,
        markets: Sequence[SymbolMarket],
        portfolio: Portfolio,
        log: RunLog,
        *,
        risk: RiskCheck,
        journal: Journal | None = None,
        fees: FeeRates | None = None,
        margin: bool = False,
    ) -> None:
        self._clock, self._portfolio, self._log = clock, portfolio, log
        self._markets = {market.listing.symbol: market for market in markets}
        self._risk = risk
        self._journal = NoJournal() if journal is None else journal
        rates = FeeRates() if fees is None else fees
        self._rates = {True: _ONE + rates.maker, False: _ONE + max(rates.maker, rates.taker)}
        self._margin = margin
        self._broker: Broker | None = None
        self.open: dict[str, Order] = {}
        self.on_order: Callable[[Order], None] = _nobody
        self.on_fill: Callable[[Fill], None] = _nobody
        self.on_stop: Callable[[RiskRefusal], None] = _nobody
        self.clock_skew_ns: int | None = None
        self.book_age: Callable[[str], int | None] | None = None

    @property
    def broker(self) -> Broker:
        """Who carries orders."""
        if self._broker is None:
            raise InternalError("the desk has no broker")
        return self._broker

    @broker.setter
    def broker(self, broker: Broker) -> None:
        self._broker = broker

    @property
    def markets(self) -> Mapping[str, SymbolMarket]:
        """The symbols of the run."""
        return self._markets

    # -- what risk asks: `RiskView` -----------------------------------------------

    @property
    def now_ns(self) -> int:
        """The run's own time."""
        return self._clock.now_ns

    def mid(self, symbol: str) -> Decimal | None:
        """Return the last verified mid price, None before there is one."""
        return self.market(symbol).last_mid()

    def book_age_ns(self, symbol: str) -> int | None:
        """Return how long ago its book was last known to be right; None where there is no book."""
        market = self.market(symbol)
        if self.book_age is not None:
            return self.book_age(symbol)
        return self._clock.now_ns - market.book_time_ns if market.listing.depth else None

    def position(self, symbol: str) -> Decimal:
        """Return what is owned of the base asset."""
        return self._portfolio.position(symbol)

    def market(self, symbol: str) -> SymbolMarket:
        """Return one symbol.

        Raises:
            SymbolError: not one of the run.
        """
        market = self._markets.get(symbol)
        if market is None:
            raise SymbolError(symbol, expected="one of the strategy's symbols: " + ", ".join(self._markets))
        return market

    # -- asked by the strategy ----------------------------------------------------

    def place(self, intent: Intent) -> Order:
        """Judge a new order and send it; of one that is refused here nothing is sent.

        Returns:
            The order: ``sent``, or ``refused`` with its reason.
        """
        market = self.market(intent.symbol)
        order = Order(intent, market.mid())
        self._log.decision(intent.created_ns, intent.side, order, intent.qty, intent.limit, order.mid)
        refusal = self._refusal(order, market)
        if refusal is not None:
            self._refuse(order, refusal)
            return order
        self.open[order.id] = order
        self._rehold(order, market)
        self._log.order(intent.created_ns, order)
        self._risk.observe_sent(intent, self)
        self._journal.intent(intent)
        order.state = "sent"
        self._log.order(self._clock.now_ns, order)
        self.broker.submit(order)
        return order

    def amend(self, order: Order, limit: Decimal | None, qty: Decimal | None) -> bool:
        """Judge other figures of an open order like a new order, and ask for them.

        Args:
            order: one of ours.
            limit: the new limit, None to keep it.
            qty: the new quantity, what is filled counted in; None to keep it.

        Returns:
            Whether it was asked for: not of an order that is over or has another change under way, nor when
            a limit forbids it.
        """
        if order.state in ENDED or order.canceling or order.wanted is not None:
            return False
        market = self.market(order.symbol)
        figures = (order.limit if limit is None else limit, order.qty if qty is None else qty)
        if figures == (order.limit, order.qty):
            return False
        order.decided_ns, order.mid = self._clock.now_ns, market.mid()
        self._log.decision(order.decided_ns, "amend", order, figures[1], figures[0], order.mid)
        wanted = msgspec.structs.replace(order.intent, limit=figures[0], qty=figures[1])
        refusal = self._amend_refusal(order, wanted, market)
        if refusal is not None:
            self._note_refusal(order, refusal)
            return False
        order.wanted = figures
        self._rehold(order, market)
        self._risk.observe_amended(wanted, self)
        self._journal.amend(order, *figures)
        self.broker.amend(order, *figures)
        return True

    def cancel(self, order: Order) -> bool:
        """Ask for an order's end, once; return whether it was asked for now."""
        if order.state in ENDED or order.canceling:
            return False
        now_ns = self._clock.now_ns
        order.canceling, order.decided_ns = True, now_ns
        self._log.decision(now_ns, "cancel", order, None, None, self.market(order.symbol).mid())
        self._journal.cancel(order)
        self.broker.cancel(order)
        return True

    def cancel_all(self, symbol: str | None = None) -> int:
        """Ask for the end of all open orders, or of one symbol's; return of how many."""
        if not self.open:
            return 0
        orders = [order for order in self.open.values() if symbol in {None, order.symbol}]
        return sum(map(self.cancel, orders))

    def adopt(self, order: Order) -> None:
        """Take in an order that stands already: of an earlier life, or placed past the strategy. Risk knows it."""
        market = self.market(order.symbol)
        order.place = market.place
        self.open[order.id] = order
        order.price_ticks = 0 if order.limit is None else market.ticks(order.limit) or 0
        order.qty_lots = market.lots(order.qty) or 0
        order.unit = self._unit(order, market, order.limit) or order.unit
        self._rehold(order, market)
        self._log.order(self._clock.now_ns, order)

    # -- told by a broker ------------------------------------------------------------

    def accepted(self, order: Order, venue_id: str = "") -> None:
        """The market has it."""
        order.venue_id = venue_id or order.venue_id
        if order.state == "unknown":
            self._risk.observe_known(order.id)
        if order.state in {"sent", "intent", "unknown"}:
            self._tell(order, "partly_filled" if order.filled else "open", "")

    def refused(self, order: Order, reason: str) -> None:
        """The market does not take it."""
        self.ended(order, "refused", reason)

    def unknown(self, order: Order, reason: str) -> None:
        """Nobody knows what became of it: it stays open, its money held, until there is evidence."""
        if order.state in ENDED:
            return
        broken = self._risk.observe_unknown(order.id)
        self._tell(order, "unknown", reason)
        if broken is not None:
            self.on_stop(broken)

    def triggered(self, order: Order) -> None:
        """The trigger of a stop or take-profit order was reached."""
        if order.state not in ENDED:
            self._tell(order, order.state, "triggered")

    def filled(
        self,
        order: Order,
        exec_id: str,
        price: Decimal,
        qty: Decimal,
        fee: Decimal,
        maker: bool,
        time_ns: int,
    ) -> None:
        """A part of it was filled, or all. A fill that was told before changes nothing.

        Args:
            order: one of ours.
            exec_id: unique.
            price: quote units.
            qty: base units.
            fee: in the symbol's quote asset.
            maker: whether our order was the one that rested.
            time_ns: when it happened.
        """
        applied = order.exec_ids
        if applied is None:
            applied = order.exec_ids = set()
        elif exec_id in applied:
            return
        applied.add(exec_id)
        market = self._markets[order.symbol]
        position = self._portfolio.apply(market, order.side, price, qty, fee)
        order.take_fill(price, qty, fee)
        fill = Fill(order, order.symbol, order.side, price, qty, fee, maker, time_ns, exec_id, position)
        self._log.fill(fill)
        if order.side == "buy" and self._portfolio.balances[market.quote] < 0 and not self._margin:
            self._note_overdrawn(order, market.quote)
        broken = self._risk.observe_fill(order.id, qty, price, self._clock.now_ns)
        told = order.state not in ENDED
        if told:
            self._advance(order, market)
        self.on_fill(fill)
        if told:
            self.on_order(order)
        if broken is not None:
            self.on_stop(broken)

    def amended(self, order: Order, limit: Decimal | None = None, qty: Decimal | None = None) -> None:
        """It has the figures that were asked for, or those that are given."""
        if order.state in ENDED:
            return
        wanted = order.wanted or (order.limit, order.qty)
        order.limit = wanted[0] if limit is None else limit
        order.qty = wanted[1] if qty is None else qty
        order.wanted = None
        self._settle_terms(order)
        self._tell(order, order.state, "amended")

    def amend_refused(self, order: Order, reason: str) -> None:
        """It keeps the figures it has."""
        if order.state in ENDED or order.wanted is None:
            return
        order.wanted = None
        self._settle_terms(order)
        self._tell(order, order.state, reason)

    def cancel_refused(self, order: Order, reason: str) -> None:
        """It was not canceled: mostly because it is over, which is told apart."""
        if order.state in ENDED:
            return
        order.canceling = False
        self._tell(order, order.state, reason)

    def ended(self, order: Order, state: OrderEnd, reason: str = "") -> None:
        """It is over."""
        if order.state in ENDED:
            return
        self._close(order)
        self._tell(order, state, reason)

    # -- inside ------------------------------------------------------------------------

    def _tell(self, order: Order, state: OrderState, reason: str) -> None:
        order.state, order.reason = state, reason
        self._log.order(self._clock.now_ns, order)
        self.on_order(order)

    def _advance(self, order: Order, market: SymbolMarket) -> None:
        """A fill has made an order partly filled, or has ended it."""
        if order.filled < order.qty:
            order.state = "partly_filled" if order.state != "unknown" else "unknown"
            self._rehold(order, market)
        else:
            order.state = "filled"
            self._close(order)
        order.reason = ""
        self._log.order(self._clock.now_ns, order)

    def _close(self, order: Order) -> None:
        if order.held:
            self._portfolio.hold(_held_asset(order, self._markets[order.symbol]), order.held.copy_negate())
            order.held = _ZERO
        order.canceling, order.wanted = False, None
        self.open.pop(order.id, None)
        self._risk.observe_end(order.id)

    def _settle_terms(self, order: Order) -> None:
        market = self._markets[order.symbol]
        order.price_ticks = 0 if order.limit is None else market.ticks(order.limit) or 0
        order.qty_lots = market.lots(order.qty) or 0
        order.unit = self._unit(order, market, order.limit) or order.unit
        self._rehold(order, market)
        self._risk.observe_terms(msgspec.structs.replace(order.intent, limit=order.limit, qty=order.qty), self)

    # -- money --------------------------------------------------------------------------

    def _unit(self, order: Order, market: SymbolMarket, limit: Decimal | None) -> Decimal | None:
        """What one base unit of an order takes at most; None where no price is known to tell it."""
        if order.side == "sell":
            return _ONE
        rate = self._rates[order.intent.post_only]
        if limit is not None:
            return EXACT.multiply(limit, rate)
        price = order.intent.trigger or market.ask()
        return None if price is None else EXACT.multiply(price, rate * BOT_MARKET_RESERVE)

    def _rehold(self, order: Order, market: SymbolMarket) -> None:
        """Hold what an order may still take: with a change under way, the worse of before and after."""
        need = EXACT.multiply(order.unit, order.qty - order.filled if order.filled else order.qty)
        if order.wanted is not None:
            limit, qty = order.wanted
            unit = self._unit(order, market, limit)
            need = max(need, EXACT.multiply(unit or order.unit, qty - order.filled))
        self._hold(order, market, need)

    def _hold(self, order: Order, market: SymbolMarket, need: Decimal) -> None:
        if need != order.held:
            more = EXACT.subtract(need, order.held) if order.held else need
            self._portfolio.hold(_held_asset(order, market), more)
            order.held = need

    def _funds(self, order: Order, market: SymbolMarket, unit: Decimal, left: Decimal) -> RiskRefusal | None:
        if self._margin:
            return None
        asset = _held_asset(order, market)
        need = EXACT.multiply(unit, left)
        if order.held:
            need = EXACT.subtract(need, order.held)
        there = self._portfolio.available(asset)
        if need <= there:
            return None
        return RiskRefusal(
            "no_short" if order.side == "sell" else "cash", limit=f"{there:f} {asset}", found=f"{need:f}"
        )

    # -- refusals -------------------------------------------------------------------------

    def _refusal(self, order: Order, market: SymbolMarket) -> RiskRefusal | None:
        intent = order.intent
        steps = market.steps(intent.limit, intent.qty)
        if isinstance(steps, tuple) and intent.trigger is not None:
            trigger = market.steps(intent.trigger, intent.qty)
            steps = trigger if isinstance(trigger, RiskRefusal) else steps
        if isinstance(steps, RiskRefusal):
            return steps
        order.price_ticks, order.qty_lots = steps
        order.place = market.place
        unit = self._unit(order, market, intent.limit)
        if unit is None:
            return RiskRefusal("price_known", limit="a symbol whose price is known", found=order.symbol)
        order.unit = unit
        funds = self._funds(order, market, unit, intent.qty)
        return funds or self._reduces(order, intent.qty) or self._risk.check(intent, self)

    def _amend_refusal(self, order: Order, wanted: Intent, market: SymbolMarket) -> RiskRefusal | None:
        steps = market.steps(wanted.limit, wanted.qty)
        if isinstance(steps, RiskRefusal):
            return steps
        if wanted.qty <= order.filled:
            return RiskRefusal(
                "amend_qty", limit=f"more than {order.filled:f}, which is filled", found=f"{wanted.qty:f}"
            )
        unit = self._unit(order, market, wanted.limit) or order.unit
        left = wanted.qty - order.filled
        reduces = self._reduces(order, left) if wanted.qty > order.qty else None
        return self._funds(order, market, unit, left) or reduces or self._risk.check_amend(wanted, self)

    def _reduces(self, order: Order, left: Decimal) -> RiskRefusal | None:
        """A reduce-only order is no larger than the position it makes smaller, others of its side counted."""
        if not order.intent.reduce_only:
            return None
        base, position = self.market(order.symbol).base, self._portfolio.position(order.symbol)
        room = position if order.side == "sell" else -position
        for each in self.open.values():
            if each is not order and each.side == order.side and self._markets[each.symbol].base == base:
                room -= max(each.qty, each.qty if each.wanted is None else each.wanted[1]) - each.filled
        if left <= room:
            return None
        return RiskRefusal("reduce_only", limit=f"{max(room, _ZERO):f}", found=f"{left:f}")

    def _refuse(self, order: Order, refusal: RiskRefusal) -> None:
        order.state = "refused"
        order.reason = str(refusal)
        self._log.order(order.decided_ns, order)
        self._note_refusal(order, refusal)

    def _note_overdrawn(self, order: Order, asset: str) -> None:
        """A market order has walked up the book beyond what was held for it: no venue would have let it."""
        below = f"{self._portfolio.balances[asset]:f} {asset} after a fill of {order.id}: more than was held for it"
        self._log.note(self._clock.now_ns, "overdrawn", below, order.symbol, order.id)

    def _note_refusal(self, order: Order, refusal: RiskRefusal) -> None:
        self._log.note(self._clock.now_ns, "risk", str(refusal), order.symbol, order.id, rule=refusal.rule)
        if refusal.stops:
            self.on_stop(refusal)


def _held_asset(order: Order, market: SymbolMarket) -> str:
    return market.quote if order.side == "buy" else market.base
