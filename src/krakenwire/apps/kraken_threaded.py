"""The public threaded client: `krakenwire.client.threaded`, with a local Kraken of its own for ``on="local"``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from krakenwire.apps.kraken import embedded_venue
from krakenwire.client import threaded

if TYPE_CHECKING:
    from krakenwire.apps.local_venue import LocalVenue

__all__ = ["Kraken"]


class Kraken(threaded.Kraken):  # noqa: D101 - the long list of callbacks is documented once
    __doc__ = threaded.Kraken.__doc__

    def _start_local(self) -> LocalVenue:
        return embedded_venue()
