"""Kraken Spot WebSocket API v1 and v2: clients, books proven by checksum, a local Kraken."""

from krakenwire.apps.kraken import Kraken
from krakenwire.version import __version__

__all__ = ["Kraken", "__version__"]
