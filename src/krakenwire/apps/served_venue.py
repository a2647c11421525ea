"""A venue with its gateways and publishers behind the verbs the server calls.

Only connects rooms: markets move in `venue`, bytes move in `server`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from secrets import token_bytes

from krakenwire.apps.kept_venue import KeptVenue
from krakenwire.protocol.rest_sign import SignedCall
from krakenwire.venue import Publisher, Venue, VenueConfig
from krakenwire.venue.access.keys import Keyring
from krakenwire.venue.access.permits import TokenPermits
from krakenwire.venue.access.tokens import Tokens
from krakenwire.venue.front import Front
from krakenwire.venue.gateways import v1, v2
from krakenwire.venue.gateways.private_rest import PrivateRest
from krakenwire.venue.gateways.public_rest import RestGateway
from krakenwire.venue.inputs import Inputs

__all__ = ["ServedVenue"]

_CONNECTION_ID_BITS = 53
"""Ids below 2**53 survive clients that read JSON numbers as doubles. Source: v1 reference, section 4.1."""


class ServedVenue:
    """What the server serves.

    Args:
        config: settings of the venue.
        kept: where its inputs are kept and done again from, None to keep nothing.

    Attributes:
        restored: inputs that were done again.

    Raises:
        DecodeError: what was kept is of another venue.
    """

    def __init__(self, config: VenueConfig, kept: KeptVenue | None = None) -> None:
        config = config if kept is None else kept.config
        self.venue = Venue(config)
        self._markets = {market.symbol: market for market in self.venue.markets}
        self._v1: Publisher[v1.Gateway] = Publisher()
        self._v2: Publisher[v2.Gateway] = Publisher()
        self._rest = RestGateway(self._markets, self._status, config.listed_assets)
        self._inputs = Inputs(self.venue) if kept is None else Inputs(self.venue, kept.write)
        self.restored = 0 if kept is None else self._inputs.redo(kept.inputs())
        self.tokens = Tokens(token_bytes)
        self._front = Front(self.venue.exchange, self._inputs, TokenPermits(self.tokens, self.venue.ledger))
        self._private = PrivateRest(
            self._front,
            Keyring(key for account in config.members for key in account.keys),
            self.tokens,
            config.assets,
            {account.name: account.limits for account in config.members},
            config.start_ns,
        )
        self._ids = config.random("", "connections")

    def _status(self) -> str:
        return self.venue.status

    def open_gateway(self, version: int) -> v1.Gateway | v2.Gateway:
        """Return a fresh gateway for a connection that speaks API version 1 or 2."""
        number = self._ids.getrandbits(_CONNECTION_ID_BITS)
        if version == 1:
            return v1.Gateway(
                self._markets,
                self._v1,
                self._status,
                number,
                version=self.venue.config.version_v1,
                front=self._front,
            )
        return v2.Gateway(self.venue, self._v2, number, self._front)

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

    def set_status(self, status: str, now_ns: int) -> Iterator[tuple[str, Collection[object]]]:
        """Change the trading mode and yield what announces it."""
        self._inputs.set_status(status, now_ns)
        yield from self._advance(None, now_ns)

    def _advance(self, symbol: str | None, now_ns: int) -> Iterator[tuple[str, Collection[object]]]:
        yield from self._v1.advance(symbol, now_ns)
        yield from self._v2.advance(symbol, now_ns)
