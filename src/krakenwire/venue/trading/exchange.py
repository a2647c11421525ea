"""The trading half of the local Kraken: requests of accounts in, answers and reports out.

A pure state machine: the same requests at the same times give the same orders,
fills, ids and balances. It trusts its caller about who is asking; keys, tokens
and wire text are the gateways' business. What a request must be like is in
`checks.py`, what happens in a market in `desk.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from krakenwire.model import OrderSide
from krakenwire.model.answers import (
    Added,
    Amended,
    Answer,
    BatchAdded,
    Edited,
    OrderRefused,
)
from krakenwire.model.orders import (
    AddOrder,
    AmendOrder,
    BatchAdd,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    EditOrder,
    TradingRequest,
)
from krakenwire.venue.market.market import Market
from krakenwire.venue.text_ids import TextIds
from krakenwire.venue.trading import amending, replacing
from krakenwire.venue.trading.account_order import AccountOrder, Fill
from krakenwire.venue.trading.accounts import Account, Ledger
from krakenwire.venue.trading.agenda import Agenda
from krakenwire.venue.trading.checks import check_deadline, check_mode, check_price, check_size, draft
from krakenwire.venue.trading.closing import closing_order
from krakenwire.venue.trading.desk import Desk
from krakenwire.venue.trading.ends import Ends
from krakenwire.venue.trading.margin import Margin
from krakenwire.venue.trading.meant import Meant, charge
from krakenwire.venue.trading.positions import Position, Positions
from krakenwire.venue.trading.refusals import (
    INVALID,
    NEVER_WAS,
    NO_FUNDS,
    NO_LIQUIDITY,
    UNKNOWN,
    Refusal,
    reason_of,
)
from krakenwire.venue.trading.reports import Report, Reports
from krakenwire.venue.trading.settlement import Settlement
from krakenwire.venue.trading.terms import Terms

__all__ = ["Exchange"]

NO_PAIR: Final = "EQuery:Unknown asset pair"


class Exchange:
    """Accounts, desks and what the requests of the one do at the other.

    Attributes:
        ledger: every account.
        desks: by v2 symbol.
        mode: trading mode of the whole venue.
        amend_ids: text form of the amendments' numbers.
        unplaced_closes: closing orders of fills that could not be placed.

    Args:
        ledger: the accounts' books.
        mode: tells the trading mode.
        changed: told the symbol after each command to a market.
        collateral: share of its worth that each asset counts as collateral; all of it where none is given.
    """

    def __init__(
        self,
        ledger: Ledger,
        mode: Callable[[], str] = lambda: "online",
        changed: Callable[[str], None] = lambda _: None,
        collateral: dict[str, Decimal] | None = None,
    ) -> None:
        self.ledger, self.mode = ledger, mode
        self.desks: dict[str, Desk] = {}
        self.reports = Reports(ledger.decimals, self.usd)
        self._changed = changed
        self.amend_ids = TextIds("T", "amends")
        self._fills = self._amends = 0
        self._agenda = Agenda()
        self._meant = Meant(self.desks)
        self._ends = Ends(self._meant, self._agenda, mode)
        self.unplaced_closes = 0
        self._moving: set[str] = set()
        self.positions = Positions(ledger, lambda position: self._agenda.note(position.rollover_ns, position))
        self.margin = Margin(self.positions, self.usd, collateral or {})
        self._liquidating: set[str] = set()
        self._methods: dict[type, Callable[..., tuple[Answer, ...]]] = {
            AddOrder: self._add,
            AmendOrder: self._amend,
            EditOrder: self._edit,
            CancelOrders: self._ends.cancel,
            CancelAll: self._ends.cancel_all,
            CancelAllAfter: self._ends.cancel_all_after,
            BatchAdd: self._batch_add,
            BatchCancel: self._ends.batch_cancel,
        }

    def open_desk(self, market: Market, index: Callable[[], int] | None = None) -> Desk:
        """Take in a market; from now on it is commanded here only."""
        terms = Terms(market.instrument, self.ledger.decimals)
        settlement = Settlement(terms, self.ledger, self.positions, self.reports, self, self._usd_cents)
        desk = Desk(market, terms, settlement, self.positions, self.reports, self._changed, index)
        self.desks[market.symbol] = desk
        return desk

    # -- what a driver calls --------------------------------------------------------

    def execute(self, account: Account, request: TradingRequest, now_ns: int) -> tuple[Answer, ...]:
        """Do what an account asks for; return one answer, for a cancellation one per id.

        Everything that it causes is done when this returns: `take_reports` tells what.
        """
        try:
            return self._methods[request.__class__](account, request, now_ns)
        except Refusal as refusal:
            return (OrderRefused(str(refusal)),)

    def take_reports(self) -> list[tuple[Account, Report]]:
        """Return what followed accounts are to be told since the last call, in order."""
        return self.reports.take()

    def next_deadline_ns(self) -> int:
        """Return when `poll` is to be called next."""
        return self._agenda.next_ns()

    def poll(self, now_ns: int) -> None:
        """Do what has become due: scheduled starts, expiries, dead man's switches."""
        while self._agenda.next_ns() <= now_ns:
            due_ns, item = self._agenda.take()
            if isinstance(item, Position):
                self._roll_over(item, now_ns)
            elif isinstance(item, Account):
                self._ends.fire(item, due_ns, now_ns)
            elif item.is_open and item.phase == "scheduled" and item.effective_ns == due_ns:
                self._begin(item, now_ns)
            elif item.is_open and item.expire_ns == due_ns:
                item.desk.cancel(item, "", now_ns, "expired")

    def market_moved(self, symbol: str, now_ns: int) -> None:
        """See to what trades in a market have made due: triggers, and orders that fills shall place.

        What these move in turn, the call under way sees to: chains of them may be of any length.
        """
        if symbol in self._moving:
            return
        desk = self.desks[symbol]
        self._moving.add(symbol)
        try:
            while True:
                desk.rebound(now_ns)
                if desk.closes:
                    self._place_close(desk.closes.popleft(), now_ns)
                elif (order := desk.due(now_ns)) is not None:
                    desk.fire(order, now_ns)
                else:
                    break
        finally:
            self._moving.discard(symbol)
        for name in self.positions.holders(symbol):
            self._liquidate(name, now_ns)

    def deposit(self, account: Account, asset: str, amount: int, now_ns: int, kind: str = "deposit") -> None:
        """Let money come in from outside, or with a negative amount go out."""
        self.ledger.move(self.ledger.outside, account, asset, amount)
        entry = self.ledger.enter(account, asset, kind, self.ledger.last_entry + 1, amount, 0, now_ns)
        if entry is not None:
            self.reports.entered(account, entry, now_ns)

    def next_fill(self) -> int:
        """Return the number of the next fill."""
        self._fills += 1
        return self._fills

    @staticmethod
    def number(order: AccountOrder) -> None:
        """Give an order its number and its id, and let its account know it."""
        market = order.desk.market
        order.number = market.take_order_id()
        order.order_id = market.order_ids.text(order.number)
        order.account.opened(order)

    def usd(self, asset: str, units: int) -> Decimal:
        """Return what ledger units of an asset are worth in US dollars; 0 when no market tells."""
        amount = Decimal(units).scaleb(-self.ledger.decimals[asset])
        if asset == "USD":
            return amount
        desk = self.desks.get(f"{asset}/USD")
        if desk is None:
            return Decimal(0)
        return amount * Decimal(desk.market.last_price).scaleb(-desk.terms.instrument.price_precision)

    # -- new orders ---------------------------------------------------------------------

    def _add(self, account: Account, request: AddOrder, now_ns: int) -> tuple[Answer, ...]:
        charge("add", account, request.symbol, now_ns)
        order = self._checked(account, request, now_ns)
        if request.validate:
            return (self._added(order),)
        self._enter(order, now_ns)
        return (self._added(order),)

    def _checked(self, account: Account, request: AddOrder, now_ns: int) -> AccountOrder:
        """Return the order that a request asks for, found good but for the money and the bound on open orders."""
        desk = self.desks.get(request.symbol)
        if desk is None:
            raise Refusal(NO_PAIR)
        check_deadline(request.deadline_ns, now_ns)
        for mode in (self.mode(), desk.terms.instrument.status):
            check_mode(mode, request.order_type, request.post_only)
        order = draft(request, account, desk, now_ns)
        self._set_margin(order, request)
        check_size(order)
        check_price(order)
        _check_unique(order)
        return order

    def _set_margin(self, order: AccountOrder, request: AddOrder) -> None:
        """Make an order a margin order if it is to be one, and see whether its account may have it."""
        settles = order.order_type == "settle-position"
        if not (request.margin or request.leverage or order.reduce_only or settles):
            return
        order.reduce_only = order.reduce_only or settles
        if order.reduce_only and not self.positions.reducible(order.account, order.symbol, order.side):
            raise Refusal("EOrder:Unknown position" if settles else "EOrder:Reduce only:No position exists")
        order.leverage = self.margin.leverage(order, request.leverage)
        order.fee_in_base = False
        self.margin.check(order)

    def _enter(self, order: AccountOrder, now_ns: int) -> None:
        """Hold the money and let an order begin its life."""
        _check_unique(order)
        account = order.account
        if account.pace is not None and not order.liquidates:
            refusal = account.pace.orders_refusal(account.open_by_symbol.get(order.symbol, 0))
            if refusal is not None:
                raise Refusal(refusal)
        if not self._hold(order, now_ns):
            raise Refusal(NO_FUNDS)
        desk = order.desk
        self.number(order)
        if order.effective_ns > now_ns:
            order.phase = "scheduled"
            desk.orders[order.number] = order
            self._agenda.note(order.effective_ns, order)
        if order.expire_ns:
            self._agenda.note(order.expire_ns, order)
        self.reports.placed(order, now_ns)
        if order.phase != "scheduled":
            self._start(order, now_ns)

    def _hold(self, order: AccountOrder, now_ns: int) -> bool:
        """Hold what a new order needs: at its trigger's price if it waits for one."""
        if order.trigger is None or order.price is not None:
            return order.desk.hold_all(order, now_ns)
        return amending.hold_at(order, order.trigger.price, now_ns)

    def _begin(self, order: AccountOrder, now_ns: int) -> None:
        """Start a scheduled order, if its account can pay what the market wants by now."""
        desk = order.desk
        lots = desk.lots_for_cash(order.account, order.cash, order.stp_type) if order.cash else order.qty
        order.qty = lots or order.qty
        if not lots:
            desk.cancel(order, NO_LIQUIDITY, now_ns)
        elif order.trigger is None and not desk.hold_all(order, now_ns):
            desk.cancel(order, reason_of(NO_FUNDS), now_ns)
        else:
            self._start(order, now_ns)

    def _start(self, order: AccountOrder, now_ns: int) -> None:
        """Put an order into the book, or let it wait for its trigger."""
        desk, trigger = order.desk, order.trigger
        order.phase = "live"
        if trigger is not None:
            self.reports.went_live(order, now_ns)
            desk.wait(order)
            if not trigger.trails and trigger.reached(desk.reference(trigger.reference)):
                desk.cancel(order, "Order would trigger immediately", now_ns)
        else:
            desk.submit(order, now_ns)
        self.market_moved(desk.symbol, now_ns)

    def _place_close(self, fill: Fill, now_ns: int) -> None:
        """Place the closing order of one fill; one that is refused is told as an order that is canceled at once.

        One that cannot even be described, because its price would be none, is only counted.
        """
        parent = fill.order
        assert parent.conditional is not None
        request = closing_order(parent, parent.conditional, fill.qty, fill.price)
        order: AccountOrder | None = None
        try:
            order = draft(request, parent.account, parent.desk, now_ns)
            order.parent_id = parent.order_id
            self._set_margin(order, request)
            self._enter(order, now_ns)
        except Refusal as refusal:
            self.unplaced_closes += 1
            if order is not None:
                self._refuse_openly(order, reason_of(str(refusal)), now_ns)

    def _refuse_openly(self, order: AccountOrder, reason: str, now_ns: int) -> None:
        """Tell the owner of an order that nobody asked for just now why it did not come to be."""
        self.number(order)
        order.desk.orders[order.number] = order
        self.reports.placed(order, now_ns)
        order.desk.cancel(order, reason, now_ns)

    def _batch_add(self, account: Account, request: BatchAdd, now_ns: int) -> tuple[Answer, ...]:
        charge("batch_add", account, request.symbol, now_ns, orders=len(request.orders))
        orders = [self._checked(account, asked, now_ns) for asked in request.orders]
        if request.validate:
            return (BatchAdded(tuple(map(self._added, orders))),)
        answers: list[Added | OrderRefused] = []
        for order in orders:
            try:
                self._enter(order, now_ns)
                answers.append(self._added(order))
            except Refusal as refusal:
                answers.append(OrderRefused(str(refusal)))
        return (BatchAdded(tuple(answers)),)

    @staticmethod
    def _added(order: AccountOrder) -> Added:
        return Added(order_id=order.order_id, cl_ord_id=order.cl_ord_id, order_userref=order.userref)

    # -- changes ------------------------------------------------------------------------

    def _amend(self, account: Account, request: AmendOrder, now_ns: int) -> tuple[Answer, ...]:
        check_deadline(request.deadline_ns, now_ns)
        order = self._meant.one(account, request.order_id, request.cl_ord_id)
        charge("amend", account, order.symbol, now_ns, (order,))
        for mode in (self.mode(), order.desk.terms.instrument.status):
            check_mode(mode, order.order_type, order.post_only or request.post_only)
        before = order.terms(0, order.opened_ns)
        amending.amend(order, request, self.reports, now_ns)
        self._amends += 1
        order.amends = order.amends or [before]
        order.amends.append(order.terms(self._amends, now_ns))
        self.market_moved(order.symbol, now_ns)
        amend_id = self.amend_ids.text(self._amends)
        return (Amended(amend_id=amend_id, order_id=request.order_id, cl_ord_id=request.cl_ord_id),)

    def _edit(self, account: Account, request: EditOrder, now_ns: int) -> tuple[Answer, ...]:
        old = self._edited(account, request)
        charge("edit", account, old.symbol, now_ns, (old,))
        new = self._checked(account, replacing.request_of(old, request), now_ns)
        if request.validate:
            return (Edited(order_id="", original_order_id=""),)
        held = old.hold, old.hold_fee
        old.desk.hold(old, 0, 0)
        enough = self._hold(new, now_ns)
        new.desk.hold(new, 0, 0)
        old.desk.hold(old, *held)
        if not enough:
            raise Refusal(NO_FUNDS)
        old.desk.cancel(old, "Order replaced", now_ns)
        self._enter(new, now_ns)
        return (Edited(order_id=new.order_id, original_order_id=old.order_id),)

    def _edited(self, account: Account, request: EditOrder) -> AccountOrder:
        """The order that an edit means, if it may be edited."""
        order = self._meant.by_order_id(account, request.order_id)[0]
        if request.symbol is not None and request.symbol != order.symbol:
            raise Refusal(UNKNOWN)
        fired = order.trigger is not None and order.trigger.fired_ns
        if fired or order.conditional is not None or order.cl_ord_id is not None:
            raise Refusal(NEVER_WAS)
        return order

    # -- positions -------------------------------------------------------------------------

    def _roll_over(self, position: Position, now_ns: int) -> None:
        """Charge a position for staying open."""
        if not position.open_qty:
            return
        account, quote = position.order.account, position.order.desk.terms.quote
        fee = self.positions.roll_over(position)
        entry = self.ledger.enter(account, quote, "rollover", position.fills[0], 0, fee, now_ns)
        if entry is not None:
            self.reports.entered(account, entry, now_ns)
        self._agenda.note(position.rollover_ns, position)

    def _liquidate(self, name: str, now_ns: int) -> None:
        """Close the positions of an account whose margin level has fallen too far, as the venue does."""
        account = self.ledger.account(name)
        assert account is not None
        if name in self._liquidating or not self.margin.must_liquidate(account):
            return
        self._liquidating.add(name)
        for position in self.positions.of(account):
            desk = position.order.desk
            side: OrderSide = "sell" if position.side == "buy" else "buy"
            order = AccountOrder(account, desk, side, "market", position.open_qty, None)
            order.leverage, order.reduce_only, order.liquidates = position.order.leverage, True, True
            order.opened_ns = order.changed_ns = now_ns
            self._enter(order, now_ns)
        self._liquidating.discard(name)

    # -- money ------------------------------------------------------------------------------------

    def _usd_cents(self, asset: str, units: int) -> int:
        return int(self.usd(asset, units) * 100)


def _check_unique(order: AccountOrder) -> None:
    """Refuse a `cl_ord_id` that another open order has."""
    if order.cl_ord_id is not None and order.cl_ord_id in order.account.by_cl_ord_id:
        raise Refusal(f"{INVALID}:cl_ord_id not unique")
