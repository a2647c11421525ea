"""One trade at a time: goods, money and fees change hands, holds are released, both sides are told.

What an order has traded on margin moves between the counterparty and the
venue's pool instead (`positions.py`); only fees and results reach the account.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from krakenwire.venue.matching.orders import Traded
from krakenwire.venue.trading.account_order import AccountOrder, Fill
from krakenwire.venue.trading.accounts import Account, Ledger
from krakenwire.venue.trading.fees import FeeSchedule, fee_of
from krakenwire.venue.trading.needs import need
from krakenwire.venue.trading.positions import Positions
from krakenwire.venue.trading.reports import Reports
from krakenwire.venue.trading.terms import Terms

__all__ = ["FillCounter", "Settlement"]


class FillCounter(Protocol):
    """Numbers fills over all markets."""

    def next_fill(self) -> int: ...


class Settlement:
    """What trades of one instrument do to accounts.

    Args:
        terms: the instrument's arithmetic.
        ledger: who owns what.
        positions: of margin accounts.
        reports: who is told.
        counter: numbers the fills.
        usd_cents: what some ledger units of an asset are worth in cents.
    """

    def __init__(
        self,
        terms: Terms,
        ledger: Ledger,
        positions: Positions,
        reports: Reports,
        counter: FillCounter,
        usd_cents: Callable[[str, int], int],
    ) -> None:
        self._terms, self._ledger, self._positions = terms, ledger, positions
        self._reports, self._counter, self._usd_cents = reports, counter, usd_cents
        self._fees = FeeSchedule(terms.instrument.fees_taker, terms.instrument.fees_maker)

    def rates(self, account: Account, now_ns: int) -> tuple[int, int]:
        """Return what taker and maker pay, in millionths."""
        if account.fixed_fees is not None:
            return account.fixed_fees
        volume = account.volume.dollars(now_ns)
        return self._fees.taker(volume), self._fees.maker(volume)

    def trade(self, trade: Traded, trade_id: int, taker: AccountOrder, maker: AccountOrder) -> tuple[Fill, Fill]:
        """Settle one trade; return the fills of taker and maker."""
        terms = self._terms
        buyer, seller = (taker, maker) if trade.taker_side == "buy" else (maker, taker)
        base, quote = terms.base_units(trade.qty), terms.cost(trade.price * trade.qty)
        taker.filled += trade.qty
        maker.filled += trade.qty
        receiver, deliverer = self._positions.owner(buyer), self._positions.owner(seller)
        self._ledger.move(deliverer, receiver, terms.base, base)
        self._ledger.move(receiver, deliverer, terms.quote, quote)
        return (
            self._book(taker, trade, trade_id, base, quote, is_maker=False),
            self._book(maker, trade, trade_id, base, quote, is_maker=True),
        )

    def _book(
        self, order: AccountOrder, trade: Traded, trade_id: int, base: int, quote: int, *, is_maker: bool
    ) -> Fill:
        """One side of a trade: fee, hold, totals, entries, position."""
        account, time_ns = order.account, trade.time_ns
        fee = self._charge(order, trade, base, quote, is_maker)
        exact = trade.price * trade.qty
        order.exact += exact
        order.fee += fee
        number = self._counter.next_fill()
        fill = Fill(
            number,
            order,
            trade_id,
            trade.price,
            trade.qty,
            exact,
            quote,
            fee,
            order.fee_asset,
            is_maker,
            time_ns,
            self._ledger.last_entry + 1,
        )
        change = self._positions.fill(fill) if order.leverage else None
        self._reports.traded(fill, time_ns, None if change is None else change.status)
        if change is None:
            self._enter_legs(fill, base, quote)
        else:
            self._enter(account, self._terms.quote, "margin", number, change.result, fee + change.fee, time_ns)
        if account.keeps_history:
            account.fills.keep(fill)
            order.fills.append(number)
        if account.fixed_fees is None:
            account.volume.add(self._usd_cents(self._terms.quote, quote), time_ns)
        return fill

    def _enter_legs(self, fill: Fill, base: int, quote: int) -> None:
        """Write down both legs of a trade, the fee on the leg it is charged in."""
        terms, buys = self._terms, fill.order.side == "buy"
        for asset, amount in ((terms.base, base if buys else -base), (terms.quote, -quote if buys else quote)):
            fee = fill.fee if asset == fill.fee_asset else 0
            self._enter(fill.order.account, asset, "trade", fill.number, amount, fee, fill.time_ns)

    def _enter(self, account: Account, asset: str, kind: str, ref: int, amount: int, fee: int, time_ns: int) -> None:
        entry = self._ledger.enter(account, asset, kind, ref, amount, fee, time_ns)
        if entry is not None:
            self._reports.entered(account, entry, time_ns)

    def _charge(self, order: AccountOrder, trade: Traded, base: int, quote: int, is_maker: bool) -> int:
        """Charge the fee of one side of a trade and release what was held for it; return the fee.

        A fee on top is never more than what was held for it, a fee on what comes in never more than that.
        """
        rate = self.rates(order.account, trade.time_ns)[1 if is_maker else 0]
        fee = fee_of(base if order.fee_in_base else quote, rate)
        buys = order.side == "buy"
        if order.leverage:
            held = held_fee = 0
        elif order.price is not None or not buys:
            held, held_fee = need(order, order.price or 0, order.remaining)
        else:
            held, held_fee = order.hold - quote, max(0, order.hold_fee - fee)
        if not order.leverage:
            extra = order.fee_in_base != buys
            fee = min(fee, order.hold_fee - held_fee) if extra else min(fee, base if order.fee_in_base else quote)
        self._ledger.move(order.account, self._ledger.fees, order.fee_asset, fee)
        order.account.hold(order.hold_asset, held + held_fee - order.hold - order.hold_fee)
        order.hold, order.hold_fee = held, held_fee
        return fee
