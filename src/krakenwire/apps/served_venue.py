"""A venue with its gateways and publishers behind the verbs the server calls.

Only connects rooms: markets move in `venue`, bytes move in `server`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from secrets import token_bytes

from krakenwire.apps.kept_venue import KeptVenue
from krakenwire.errors import ConfigError
from krakenwire.model.answers import Answer
from krakenwire.model.orders import TradingRequest
from krakenwire.protocol.rest_sign import SignedCall
from krakenwire.venue import Publisher, Venue, VenueConfig
from krakenwire.venue.access.kept import AccessChange, NonceTaken, TokenGood
from krakenwire.venue.access.keys import Keyring
from krakenwire.venue.access.permits import TokenPermits
from krakenwire.venue.access.tokens import Tokens
from krakenwire.venue.config.accounts_config import account_name_refusal
from krakenwire.venue.config.local_config import ServiceConfig
from krakenwire.venue.front import Front
from krakenwire.venue.gateways import v1, v2
from krakenwire.venue.gateways.hosts import Host
from krakenwire.venue.gateways.line import LineRules
from krakenwire.venue.gateways.private_rest import PrivateRest
from krakenwire.venue.gateways.public_rest import RestGateway
from krakenwire.venue.inputs import Inputs
from krakenwire.venue.trading import Account

__all__ = ["ServedVenue"]

_SERVICE = ServiceConfig()
_CONNECTION_ID_BITS = 53
"""Ids below 2**53 survive clients that read JSON numbers as doubles. Source: v1 reference, section 4.1."""


class ServedVenue:
    """What the server serves.

    Args:
        config: settings of the venue.
        kept: where its inputs are kept and done again from, None to keep nothing.
        service: what holds for connections and keys.
        progress: told the venue's time now and then while what was kept is done again; may raise to give up.

    Attributes:
        restored: records of the journal that were done again.
        ahead_ns: how far the venue's clock was ahead of real time when it was left.
        latest_ns: a time that it had reached by then.

    Raises:
        DecodeError: what was kept is of another venue.
    """

    def __init__(
        self,
        config: VenueConfig,
        kept: KeptVenue | None = None,
        service: ServiceConfig = _SERVICE,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        config = config if kept is None else kept.config
        self.venue = Venue(config)
        self._markets = {market.symbol: market for market in self.venue.markets}
        self._v1: Publisher[v1.Gateway] = Publisher()
        self._v2: Publisher[v2.Gateway] = Publisher()
        self._rest = RestGateway(self._markets, self._status, config.listed_assets)
        self._inputs = Inputs(self.venue) if kept is None else Inputs(self.venue, kept.write)
        note = None if kept is None else self._inputs.note_access
        keys = (key for account in config.members for key in account.keys)
        self._keyring = Keyring(keys, service.lockout, note)
        self.tokens = Tokens(token_bytes, note=note)
        self.restored = 0 if kept is None else self._inputs.redo(kept.inputs(), self._redo_access, progress)
        self.ahead_ns, self.latest_ns = self._inputs.ahead_ns, self._inputs.latest_ns
        self._front = Front(self.venue.exchange, self._inputs, TokenPermits(self.tokens, self.venue.ledger))
        self._private = PrivateRest(
            self._front,
            self._keyring,
            self.tokens,
            config.assets,
            {account.name: account.limits for account in config.members},
            config.start_ns,
        )
        self._ids = config.random("", "connections")
        self._service = service
        self._assets = {name: asset for asset in config.assets for name in (asset.id, asset.altname, asset.rest_id)}

    def _redo_access(self, change: AccessChange) -> None:
        if isinstance(change, NonceTaken):
            self._keyring.redo(change)
        else:
            self.tokens.redo(change, self._keyring.key(change.key) if isinstance(change, TokenGood) else None)

    def _status(self) -> str:
        return self.venue.status

    def open_gateway(self, version: int, host: Host = "any") -> v1.Gateway | v2.Gateway:
        """Return a fresh gateway for a connection that speaks API version 1 or 2 and came to a host."""
        service = self._service
        rules = LineRules(host=host, message_rate=service.message_rate, idle_close_ns=service.idle_close_ns)
        number = self._ids.getrandbits(_CONNECTION_ID_BITS)
        if version == 1:
            return v1.Gateway(
                self._markets,
                self._v1,
                self._status,
                number,
                version=self.venue.config.version_v1,
                front=self._front,
                rules=rules,
            )
        return v2.Gateway(self.venue, self._v2, number, self._front, rules)

    def step(self, now_ns: int) -> Iterator[tuple[str, Collection[object]]]:
        """Let the market act up to `now_ns`; yield each frame with its receivers, change by change."""
        self._inputs.catch_up(now_ns)
        for symbol in self.venue.step(now_ns):
            yield from self._advance(symbol, self._markets[symbol].time_ns)
        yield from self._front.news()

    def rest(self, method: str, params: Mapping[str, str], now_ns: int) -> str:
        """Return the JSON text that answers a public REST call."""
        return self._rest.answer(method, params, now_ns)

    def private(self, call: SignedCall, now_ns: int) -> str:
        """Return the JSON text that answers a private REST call."""
        return self._private.answer(call, now_ns)

    def news(self) -> Iterator[tuple[str, Collection[object]]]:
        """Yield what requests have caused since the last call: first for markets, then for accounts."""
        for symbol in self.venue.take_moved():
            yield from self._advance(symbol, self._markets[symbol].time_ns)
        yield from self._front.news()

    def move_clock(self, ahead_ns: int, now_ns: int) -> None:
        """Take note, before it is done, that the venue's time is moved to so much ahead of real time."""
        self._inputs.move_clock(ahead_ns, now_ns)

    def set_status(self, status: str, now_ns: int) -> Iterator[tuple[str, Collection[object]]]:
        """Change the trading mode and yield what announces it."""
        self._inputs.set_status(status, now_ns)
        yield from self._advance(None, now_ns)

    def deposit(self, account: str, asset: str, amount: Decimal, now_ns: int) -> None:
        """Let money come in from outside.

        Raises:
            ConfigError: an account or asset that there is not, or more decimals than the asset has.
        """
        found, known = self.venue.ledger.account(account), self._assets.get(asset)
        if found is None or account_name_refusal(account) is not None:
            raise ConfigError("account", expected="one that is configured or has acted", found=account)
        if known is None:
            raise ConfigError("asset", expected="an asset of the venue", found=asset)
        units = amount.scaleb(known.decimals)
        if units != int(units):
            raise ConfigError("amount", expected=f"at most {known.decimals} decimals", found=f"{amount:f}")
        self._inputs.pay(found, known.id, int(units), now_ns)

    def act(self, account: str, request: TradingRequest, now_ns: int) -> tuple[Answer, ...]:
        """Do what an account asks for; one of a new name is opened with plenty of money.

        Raises:
            ConfigError: a name that no account can have.
        """
        return self._front.ask(self._actor(account, now_ns), request, now_ns)

    def expire_tokens(self) -> None:
        """End every WebSocket token: subscriptions go on, requests are refused."""
        self.tokens.expire_all()

    def _actor(self, name: str, now_ns: int) -> Account:
        expected = account_name_refusal(name)
        if expected is not None:
            raise ConfigError("account", expected=expected, found=name)
        return self.venue.ledger.account(name) or self._inputs.open_account(name, now_ns)

    def _advance(self, symbol: str | None, now_ns: int) -> Iterator[tuple[str, Collection[object]]]:
        yield from self._v1.advance(symbol, now_ns)
        yield from self._v2.advance(symbol, now_ns)
