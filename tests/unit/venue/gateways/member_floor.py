"""A venue with accounts and connections to it, for tests: requests in, frames out, and who was told what."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec

from krakenwire.venue import Publisher, Venue, VenueConfig
from krakenwire.venue.front import Front
from krakenwire.venue.gateways import v1, v2
from krakenwire.venue.inputs import Inputs
from krakenwire.venue.trading import Account

SECOND = 1_000_000_000
T0 = 1_790_000_000 * SECOND
INVALID = "ESession:Invalid session"


class Tokens:
    """Every account's name is its token; `readers` may only look."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.readers: set[str] = set()
        self.kept: set[tuple[str, object]] = set()

    def account(self, token: str, asked: str, now_ns: int) -> Account | str:
        del now_ns
        if token in self.readers and asked not in ("executions", "balances", "openOrders", "ownTrades"):
            return "EGeneral:Permission denied"
        return self.accounts.get(token, INVALID)

    def keep(self, token: str, holder: object) -> None:
        self.kept.add((token, holder))

    def release(self, token: str, holder: object) -> None:
        self.kept.discard((token, holder))


class Floor:
    """One venue and its accounts; what followers are told is collected in `got`, frame by frame."""

    def __init__(self) -> None:
        self.venue = Venue(VenueConfig(symbols=["BTC/USD"], rate=0.1, start_ns=T0))
        self.tokens = Tokens()
        self.records: list[bytes] = []
        self.front = Front(self.venue.exchange, Inputs(self.venue, self.records.append), self.tokens)
        self.now_ns = T0 + SECOND
        self.got: dict[object, list[Any]] = defaultdict(list)
        self._v1: Publisher[v1.Gateway] = Publisher()
        self._v2: Publisher[v2.Gateway] = Publisher()

    def account(self, name: str, **balances: int) -> str:
        """Open an account and return its token."""
        account = self.tokens.accounts[name] = self.venue.ledger.open(name)
        for asset, amount in balances.items():
            units = amount * int(10 ** self.venue.ledger.decimals[asset])
            self.venue.exchange.deposit(account, asset, units, self.now_ns)
        self.venue.exchange.take_reports()
        return name

    def connect_v1(self, private: bool = True) -> v1.Gateway:
        markets = {market.symbol: market for market in self.venue.markets}
        front = self.front if private else None
        gateway = v1.Gateway(markets, self._v1, lambda: self.venue.status, 1, front=front)
        gateway.feed_open(self.now_ns)
        return gateway

    def connect_v2(self, private: bool = True) -> v2.Gateway:
        gateway = v2.Gateway(self.venue, self._v2, 1, self.front if private else None)
        gateway.feed_open(self.now_ns)
        return gateway

    def send(self, gateway: v1.Gateway | v2.Gateway, request: dict[str, Any]) -> list[Any]:
        """Send a request; return the frames that answer it, and collect what everybody is told."""
        self.now_ns += SECOND // 100
        answers = [msgspec.json.decode(text) for text in gateway.feed_frame(msgspec.json.encode(request), self.now_ns)]
        self.tell()
        return answers

    def tell(self) -> None:
        """Collect what followers are told."""
        for text, followers in self.front.news():
            for follower in followers:
                self.got[follower].append(msgspec.json.decode(text))
