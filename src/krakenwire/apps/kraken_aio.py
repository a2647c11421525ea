"""The public asyncio client: `krakenwire.client.aio`, with a local Kraken of its own for ``on="local"``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from krakenwire.apps.kraken import embedded_venue
from krakenwire.client import aio

if TYPE_CHECKING:
    from krakenwire.apps.local_venue import LocalVenue

__all__ = ["Kraken"]


class Kraken(aio.Kraken):
    """An asyncio client: `async for` over Kraken's market data. Use it in an ``async with`` statement.

    Args:
        on: ``live``, ``beta``, ``local`` (a venue of its own, in this process), or an address.
        version: API version, 1 or 2.
        **settings: see `krakenwire.client.Settings`.

    Raises:
        UsageError: an argument that cannot be.
    """

    def _start_local(self) -> LocalVenue:
        return embedded_venue()
