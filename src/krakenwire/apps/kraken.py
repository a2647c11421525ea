"""The public clients: those of `krakenwire.client`, with a local Kraken of their own for ``on="local"``.

Each style is a class of the same name, `Kraken`; this is the blocking one, and
what all three start. The asyncio and threaded ones are in `kraken_aio` and `kraken_threaded`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from krakenwire.client import blocking

if TYPE_CHECKING:
    from krakenwire.apps.local_venue import LocalVenue

__all__ = ["Kraken", "embedded_venue"]


def embedded_venue() -> LocalVenue:
    """Start a local Kraken in this process, on a free loopback port.

    Raises:
        MissingExtraError: its server is not installed.
    """
    from krakenwire.apps.local_venue import LocalVenue

    return LocalVenue().start()


class Kraken(blocking.Kraken):
    """A blocking client: a `for` loop over Kraken's market data.

    Nothing happens before the first stream is opened, or the ``with`` statement
    is entered; close it, or use it as a context manager.

    Args:
        on: ``live``, ``beta``, ``local`` (a venue of its own, in this process), or an address.
        version: API version, 1 or 2.
        **settings: see `krakenwire.client.Settings`.

    Raises:
        UsageError: an argument that cannot be.
    """

    def _start_local(self) -> LocalVenue:
        return embedded_venue()
