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
from krakenwire.limits import VENUE_CATCH_UP_S
from krakenwire.venue.config import STATUSES, VenueConfig
from krakenwire.venue.history import load_history
from krakenwire.venue.instruments import VenueAsset, VenueInstrument, assets
from krakenwire.venue.market import Market
from krakenwire.venue.traders import DEEP, THIN, Traders
from krakenwire.venue.trading import Exchange, Hand, Ledger

__all__ = ["Venue"]

_CATCH_UP_NS: Final = int(VENUE_CATCH_UP_S * 1_000_000_000)
_PLENTY: Final = 10**15
"""Units of each asset that a trader of the crowd begins with."""
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
        skipped_ns: simulated time left out because `step` was not called for too long.

    Args:
        config: settings; the same settings give the same market.
    """

    def __init__(self, config: VenueConfig) -> None:
        self.config = config
        self.now_ns = config.start_ns
        self.status = config.status
        self.status_revision = 0
        self.skipped_ns = 0
        self._origin_ns = config.start_ns
        self.ledger = Ledger({asset.id: asset.decimals for asset in assets(config.listed)})
        self.exchange = Exchange(self.ledger, lambda: self.status)
        self._markets = {instrument.symbol: self._open(instrument) for instrument in config.listed}
        self._traders = {symbol: self._crowd(market) for symbol, market in self._markets.items()}
        self._due = [(traders.next_offset_ns, symbol) for symbol, traders in self._traders.items()]
        heapify(self._due)

    @property
    def instruments(self) -> tuple[VenueInstrument, ...]:
        """What is listed, in listing order."""
        return self.config.listed

    @property
    def assets(self) -> tuple[VenueAsset, ...]:
        """The assets of what is listed."""
        return assets(self.config.listed)

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
        """Return when the next action is due."""
        return self._origin_ns + self._due[0][0]

    def step(self, now_ns: int) -> Iterator[str]:
        """Perform every action due by `now_ns`; after each one yield the v2 symbol of its market.

        Who publishes must advance that symbol's topics before going on, so
        that every change is seen. A pause longer than `VENUE_CATCH_UP_S` is
        left out of the simulation and counted; outside the matching modes the
        crowd waits. The time may stand still but not go back.
        """
        self.now_ns = max(now_ns, self.now_ns)
        if not self._runs():
            self._leave_out(self.now_ns - self.next_deadline_ns())
        late_ns = self.now_ns - self.next_deadline_ns()
        if late_ns > _CATCH_UP_NS:
            self.skipped_ns += self._leave_out(late_ns - _CATCH_UP_NS)
        self.exchange.poll(self.now_ns)
        while self._runs() and self.next_deadline_ns() <= self.now_ns:
            yield self._act()

    def set_status(self, status: str) -> None:
        """Change the trading mode.

        Raises:
            ConfigError: not one of `STATUSES`.
        """
        if status not in STATUSES:
            raise ConfigError("status", expected="one of " + ", ".join(STATUSES), found=status)
        if status != self.status:
            self.status = status
            self.status_revision += 1

    def _open(self, instrument: VenueInstrument) -> Market:
        market = Market(instrument)
        rate = self.config.actions_per_s(instrument)
        load_history(market, self.config.random(instrument.symbol, "history"), self.config.start_ns, rate)
        self.exchange.open_desk(market)
        return market

    def _crowd(self, market: Market) -> Traders:
        shape = THIN if market.symbol in self.config.thin_symbols else DEEP
        rate = self.config.actions_per_s(market.instrument)
        makers, takers = (self._hand(market, who) for who in ("makers", "takers"))
        traders = Traders(makers, takers, self.config.random(market.symbol, "traders"), rate, shape)
        traders.open(self.config.start_ns)
        return traders

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

    def _leave_out(self, ns: int) -> int:
        self._origin_ns += max(0, ns)
        return max(0, ns)

    def _act(self) -> str:
        offset_ns, symbol = self._due[0]
        traders = self._traders[symbol]
        traders.act(self._origin_ns + offset_ns)
        heapreplace(self._due, (traders.next_offset_ns, symbol))
        return symbol
