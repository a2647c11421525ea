"""The local Kraken: every listed market, the accounts that trade there, and the simulated crowd that moves it.

A pure state machine: `step` takes the time and performs what is due, one
action after the other; `next_deadline_ns` says when to call again. Gateways
and servers are built around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heapreplace
from typing import Final

from krakenwire.errors import ConfigError
from krakenwire.limits import VENUE_CATCH_UP_S, VENUE_STRANGER_UNITS
from krakenwire.venue.access.pace import AccountPace
from krakenwire.venue.config.accounts_config import AccountConfig
from krakenwire.venue.config.venue_config import STATUSES, VenueConfig
from krakenwire.venue.market.history import load_history
from krakenwire.venue.market.instruments import VenueAsset, VenueInstrument
from krakenwire.venue.market.market import Market
from krakenwire.venue.market.tape_traders import TapeTraders
from krakenwire.venue.market.traders import DEEP, THIN, Traders
from krakenwire.venue.trading import Account, Exchange, Hand, Ledger
from krakenwire.venue.trading.terms import fee_rate

__all__ = ["Venue"]

_CATCH_UP_NS: Final = int(VENUE_CATCH_UP_S * 1_000_000_000)
_PLENTY: Final = 10**15
"""Units of each asset that a trader of the crowd begins with."""
_NEVER_NS: Final = 1 << 62
_MATCHING: Final = ("online", "limit_only")
"""Modes in which orders match; in the others the crowd waits."""


class Venue:
    """A local Kraken: markets, accounts, traders, trading mode.

    Attributes:
        config: what it was made from.
        ledger: every account; the crowd of each market trades for two of them.
        exchange: where accounts trade.
        now_ns: the latest time it was told.
        status: trading mode, one of `STATUSES`; change it with `set_status`.
        status_revision: counts the changes of `status`.
        skipped_ns: simulated time left out because nobody called `step` for too long.

    Args:
        config: settings; the same settings give the same market.
    """

    def __init__(self, config: VenueConfig) -> None:
        self.config = config
        self.now_ns = config.start_ns
        self.status = config.status
        self.status_revision = 0
        self.skipped_ns = 0
        self._origin_ns = self._paused_ns = config.start_ns
        self._moved: dict[str, None] = {}
        self.ledger = Ledger({asset.id: asset.decimals for asset in config.assets})
        self.exchange = Exchange(
            self.ledger,
            lambda: self.status,
            self._note_moved,
            {asset.id: asset.collateral_value for asset in config.assets},
        )
        self._markets = {instrument.symbol: self._open(instrument) for instrument in config.listed}
        self._traders = {symbol: self._crowd(market) for symbol, market in self._markets.items()}
        self._due = [(traders.next_offset_ns, symbol) for symbol, traders in self._traders.items()]
        heapify(self._due)
        for member in config.members:
            self._admit(member)
        self._moved.clear()

    @property
    def instruments(self) -> tuple[VenueInstrument, ...]:
        """What is listed, in listing order."""
        return self.config.listed

    @property
    def assets(self) -> tuple[VenueAsset, ...]:
        """The assets of what is listed."""
        return self.config.listed_assets

    @property
    def symbols(self) -> tuple[str, ...]:
        """The v2 symbols listed, in listing order."""
        return tuple(self._markets)

    @property
    def markets(self) -> tuple[Market, ...]:
        """Every market, in listing order."""
        return tuple(self._markets.values())

    def market(self, symbol: str) -> Market | None:
        """Return the market of a v2 symbol, None when it is not listed."""
        return self._markets.get(symbol)

    def next_deadline_ns(self) -> int:
        """Return when something is due next: an action of the crowd, or an order's or an account's time."""
        return min(self._crowd_ns(), self.exchange.next_deadline_ns())

    def step(self, now_ns: int) -> Iterator[str]:
        """Do everything that is due by `now_ns`, in its order; after each piece yield the v2 symbol it changed.

        Who publishes must advance that symbol's topics before going on, so
        that every change is seen. The time may stand still but not go back;
        how it is cut makes no difference to what happens. After a long pause
        see `late_ns` first. Outside the matching modes the crowd waits.
        """
        self.now_ns = max(now_ns, self.now_ns)
        while (due_ns := self.next_deadline_ns()) <= self.now_ns:
            if self.exchange.next_deadline_ns() <= self._crowd_ns():
                self.exchange.poll(due_ns)
            else:
                yield self._act()
            yield from self.take_moved()

    def take_moved(self) -> tuple[str, ...]:
        """Return the markets that orders of accounts have changed since the last call, in that order."""
        moved = tuple(self._moved)
        self._moved.clear()
        return moved

    def late_ns(self, now_ns: int) -> int:
        """Return how much of a pause is beyond `VENUE_CATCH_UP_S`, 0 when there was none that long."""
        return max(0, now_ns - self._crowd_ns() - _CATCH_UP_NS)

    def leave_out(self, ns: int) -> int:
        """Leave some time out of the crowd's life, counted in `skipped_ns`; return it."""
        self._origin_ns += ns
        self.skipped_ns += ns
        return ns

    def set_status(self, status: str, now_ns: int | None = None) -> None:
        """Change the trading mode.

        Args:
            status: one of `STATUSES`.
            now_ns: when; None for the latest time that was told.

        Raises:
            ConfigError: not one of `STATUSES`.
        """
        if status not in STATUSES:
            raise ConfigError("status", expected="one of " + ", ".join(STATUSES), found=status)
        if status == self.status:
            return
        self.now_ns = max(self.now_ns, now_ns or 0)
        if (status in _MATCHING) != self._runs():
            if self._runs():
                self._paused_ns = self.now_ns
            else:
                self._origin_ns += self.now_ns - self._paused_ns
        self.status = status
        self.status_revision += 1

    def welcome(self, name: str, now_ns: int) -> Account:
        """Open an account for somebody new: plenty of every listed asset, fees as for everybody, no limits."""
        account = self.ledger.open(name)
        for asset in self.assets:
            units = VENUE_STRANGER_UNITS * int(10 ** self.ledger.decimals[asset.id])
            self.exchange.deposit(account, asset.id, units, now_ns)
        return account

    def _open(self, instrument: VenueInstrument) -> Market:
        market = Market(instrument)
        rate = self.config.actions_per_s(instrument)
        load_history(market, self.config.random(instrument.symbol, "history"), self.config.start_ns, rate)
        self.exchange.open_desk(market, lambda: self._traders[market.symbol].fair_price)
        return market

    def _crowd(self, market: Market) -> Traders:
        shape = THIN if market.symbol in self.config.thin_symbols else DEEP
        rate = self.config.actions_per_s(market.instrument)
        makers, takers = (self._hand(market, who) for who in ("makers", "takers"))
        random, tape = self.config.random(market.symbol, "traders"), self.config.tapes.get(market.symbol)
        traders = (
            Traders(makers, takers, random, rate, shape)
            if tape is None
            else TapeTraders(makers, takers, random, rate, shape, tape)
        )
        traders.open(self.config.start_ns)
        return traders

    def _admit(self, member: AccountConfig) -> None:
        """Open an account as it is configured, with its first deposits."""
        account = self.ledger.open(member.name)
        account.margin, account.pace = member.margin, AccountPace(member.limits)
        account.volume.add(member.fee_volume * 100, self.config.start_ns)
        if member.fees is not None:
            account.fixed_fees = fee_rate(member.fees[0]), fee_rate(member.fees[1])
        for asset, amount in member.balances.items():
            units = int(amount.scaleb(self.ledger.decimals[asset]))
            self.exchange.deposit(account, asset, units, self.config.start_ns)

    def _hand(self, market: Market, who: str) -> Hand:
        """A trader's account, with more of both assets than it can ever trade, and no fees to pay."""
        account = self.ledger.open(f"{who} of {market.symbol}", keeps_history=False)
        account.fixed_fees = (0, 0)
        for asset in (market.instrument.base, market.instrument.quote):
            self.exchange.deposit(
                account, asset, _PLENTY * int(10 ** self.ledger.decimals[asset]), self.config.start_ns
            )
        return Hand(self.exchange, account, market.symbol)

    def _runs(self) -> bool:
        return self.status in _MATCHING

    def _crowd_ns(self) -> int:
        """When the crowd acts next; never while it waits."""
        return self._origin_ns + self._due[0][0] if self._runs() else _NEVER_NS

    def _act(self) -> str:
        offset_ns, symbol = self._due[0]
        traders = self._traders[symbol]
        traders.act(self._origin_ns + offset_ns)
        self.exchange.market_moved(symbol, self._origin_ns + offset_ns)  # what it is worth may have changed alone
        heapreplace(self._due, (traders.next_offset_ns, symbol))
        self._moved.pop(symbol, None)
        return symbol

    def _note_moved(self, symbol: str) -> None:
        self._moved[symbol] = None
