"""Accounts of the local Kraken: what they own, what is held for their orders, and the books kept of both.

Money moves in one place, `Ledger.move`: every amount leaves one account and
enters another, so the sum over all accounts of each asset is always zero. What
comes from outside and what fees go to are accounts, too.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from krakenwire.limits import VENUE_RECORDS_KEPT
from krakenwire.venue.trading.fees import Volume
from krakenwire.venue.trading.history import History

if TYPE_CHECKING:
    from krakenwire.venue.access.pace import AccountPace
    from krakenwire.venue.trading.account_order import AccountOrder, Fill

__all__ = ["FEES", "OUTSIDE", "Account", "EntryKind", "Ledger", "LedgerEntry"]

OUTSIDE: Final = "outside"
"""Where deposits come from and withdrawals go to; the only account that may owe."""

_TIME: Final = attrgetter("time_ns")

FEES: Final = "fees"
"""What the venue earns."""

EntryKind = str
"""``trade``, ``deposit``, ``withdrawal``, ``margin``, ``rollover``, ``settled`` ... as on the wire."""


class LedgerEntry(NamedTuple):
    """One change of one balance, in ledger units.

    `amount` is the change before the fee, `balance` the total after both. `ref` tells what
    caused it: the number of the fill for a trade.
    """

    number: int
    asset: str
    kind: EntryKind
    ref: int
    amount: int
    fee: int
    balance: int
    time_ns: int


class Account:
    """One account: balances, holds, orders and their history.

    Attributes:
        name: unique.
        number: unique and above zero; the engine knows orders of one owner by it.
        balances, holds: ledger units by asset; what is held is part of the balance.
        open_orders: by order id, oldest first.
        by_cl_ord_id: open orders that have one.
        by_userref: open orders that have one, which is not unique; each by its order id, oldest first.
        closed_orders, fills, entries: history, oldest first, the latest `VENUE_RECORDS_KEPT` of each.
        orders_seen: every order that is still known, by id.
        followed: whether anybody wants to be told what happens.
        timer_ns: when the dead man's switch fires, None while it is disarmed.
        volume: of the last thirty days; it decides the fees.
        fixed_fees: the rates of taker and maker in millionths, whatever the volume; None for the schedule.
        margin: whether it may trade on margin.
        pace: how fast it may trade, None for as fast as it likes.

    Args:
        keeps_history: whether closed orders, fills and entries are kept.
    """

    def __init__(self, name: str, number: int, *, keeps_history: bool = True) -> None:
        self.name, self.number = name, number
        self.keeps_history = keeps_history
        self.balances: dict[str, int] = {}
        self.holds: dict[str, int] = {}
        self.open_orders: dict[str, AccountOrder] = {}
        self.by_cl_ord_id: dict[str, AccountOrder] = {}
        self.by_userref: dict[int, dict[str, AccountOrder]] = {}
        self.closed_orders: History[AccountOrder] = History(attrgetter("closed_ns"))
        self.fills: History[Fill] = History(_TIME)
        self.entries: History[LedgerEntry] = History(_TIME)
        self.orders_seen: dict[str, AccountOrder] = {}
        self.open_by_symbol: dict[str, int] = {}
        self.followed = False
        self.timer_ns: int | None = None
        self.volume = Volume()
        self.fixed_fees: tuple[int, int] | None = None
        self.margin = False
        self.pace: AccountPace | None = None

    def __repr__(self) -> str:
        return f"Account({self.name})"

    def balance(self, asset: str) -> int:
        """Return what is owned of an asset, held or not."""
        return self.balances.get(asset, 0)

    def available(self, asset: str) -> int:
        """Return what is owned and not held."""
        return self.balances.get(asset, 0) - self.holds.get(asset, 0)

    def hold(self, asset: str, amount: int) -> None:
        """Hold more of an asset, or less of it."""
        self.holds[asset] = self.holds.get(asset, 0) + amount

    def opened(self, order: AccountOrder) -> None:
        """Take note of a new order."""
        self.open_orders[order.order_id] = self.orders_seen[order.order_id] = order
        if order.cl_ord_id is not None:
            self.by_cl_ord_id[order.cl_ord_id] = order
        if order.userref is not None:
            self.by_userref.setdefault(order.userref, {})[order.order_id] = order
        self.open_by_symbol[order.symbol] = self.open_by_symbol.get(order.symbol, 0) + 1

    def closed(self, order: AccountOrder) -> None:
        """Take note that an order has ended; without history, or beyond its bound, the oldest is forgotten."""
        del self.open_orders[order.order_id]
        self.open_by_symbol[order.symbol] -= 1
        if order.cl_ord_id is not None and self.by_cl_ord_id.get(order.cl_ord_id) is order:
            del self.by_cl_ord_id[order.cl_ord_id]
        if order.userref is not None:
            tagged = self.by_userref[order.userref]
            del tagged[order.order_id]
            if not tagged:
                del self.by_userref[order.userref]
        if not self.keeps_history:
            del self.orders_seen[order.order_id]
            return
        if len(self.closed_orders) == VENUE_RECORDS_KEPT:
            del self.orders_seen[self.closed_orders[0].order_id]
        self.closed_orders.keep(order)


class Ledger:
    """Every account and every movement between them.

    Attributes:
        decimals: ledger precision by asset.
        last_entry: number of the latest entry, 0 before the first.
    """

    def __init__(self, decimals: dict[str, int]) -> None:
        self.decimals = dict(decimals)
        self.last_entry = 0
        self._accounts: dict[str, Account] = {}
        self.outside = self.open(OUTSIDE, keeps_history=False)
        self.fees = self.open(FEES, keeps_history=False)

    def open(self, name: str, *, keeps_history: bool = True) -> Account:
        """Open an account; its number is the next one."""
        assert name not in self._accounts
        account = self._accounts[name] = Account(name, len(self._accounts) + 1, keeps_history=keeps_history)
        return account

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Every account, the venue's own two first."""
        return tuple(self._accounts.values())

    def account(self, name: str) -> Account | None:
        """Return an account by its name."""
        return self._accounts.get(name)

    def total(self, asset: str) -> int:
        """Return the sum over all accounts: zero, always."""
        return sum(account.balance(asset) for account in self._accounts.values())

    def move(self, source: Account, target: Account, asset: str, amount: int) -> None:
        """Let an amount change hands."""
        source.balances[asset] = source.balances.get(asset, 0) - amount
        target.balances[asset] = target.balances.get(asset, 0) + amount

    def enter(
        self, account: Account, asset: str, kind: EntryKind, ref: int, amount: int, fee: int, time_ns: int
    ) -> LedgerEntry | None:
        """Write down a change that has happened; None where nobody would read it."""
        self.last_entry += 1  # whoever reads: the same commands give the same numbers
        if not (account.keeps_history or account.followed):
            return None
        balance = account.balance(asset)
        entry = LedgerEntry(self.last_entry, asset, kind, ref, amount, fee, balance, time_ns)
        if account.keeps_history:
            account.entries.keep(entry)
        return entry
