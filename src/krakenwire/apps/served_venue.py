"""A venue with its gateways and publishers behind the verbs the server calls.

Only connects rooms: markets move in `venue`, bytes move in `server`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from krakenwire.venue import Publisher, Venue, VenueConfig, gateway_v1, gateway_v2
from krakenwire.venue.gateway_rest import RestGateway

__all__ = ["ServedVenue"]

_CONNECTION_ID_BITS = 53
"""Ids below 2**53 survive clients that read JSON numbers as doubles. Source: v1 reference, section 4.1."""


class ServedVenue:
    """What the server serves.

    Args:
        config: settings of the venue.
    """

    def __init__(self, config: VenueConfig) -> None:
        self.venue = Venue(config)
        self._markets = {market.symbol: market for market in self.venue.markets}
        self._v1: Publisher[gateway_v1.Gateway] = Publisher()
        self._v2: Publisher[gateway_v2.Gateway] = Publisher()
        self._rest = RestGateway(self._markets, self._status)
        self._ids = config.random("", "connections")

    def _status(self) -> str:
        return self.venue.status

    def open_gateway(self, version: int) -> gateway_v1.Gateway | gateway_v2.Gateway:
        """Return a fresh gateway for a connection that speaks API version 1 or 2."""
        number = self._ids.getrandbits(_CONNECTION_ID_BITS)
        if version == 1:
            return gateway_v1.Gateway(
                self._markets, self._v1, self._status, number, version=self.venue.config.version_v1
            )
        return gateway_v2.Gateway(self.venue, self._v2, number)

    def step(self, now_ns: int) -> Iterator[tuple[str, Collection[object]]]:
        """Let the market act up to `now_ns`; yield each frame with its receivers, change by change."""
        self.venue.catch_up(now_ns)
        for symbol in self.venue.step(now_ns):
            yield from self._advance(symbol, self._markets[symbol].time_ns)

    def rest(self, method: str, params: Mapping[str, str], now_ns: int) -> str:
        """Return the JSON text that answers a public REST call."""
        return self._rest.answer(method, params, now_ns)

    def set_status(self, status: str, now_ns: int) -> Iterator[tuple[str, Collection[object]]]:
        """Change the trading mode and yield what announces it."""
        self.venue.set_status(status, now_ns)
        yield from self._advance(None, now_ns)

    def _advance(self, symbol: str | None, now_ns: int) -> Iterator[tuple[str, Collection[object]]]:
        yield from self._v1.advance(symbol, now_ns)
        yield from self._v2.advance(symbol, now_ns)
