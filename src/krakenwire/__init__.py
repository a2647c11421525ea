"""Kraken Spot WebSocket API v1 and v2: clients, books proven by checksum, a local Kraken."""

from krakenwire.apps.kraken import Kraken
from krakenwire.client.requests import order
from krakenwire.version import VERSION

__version__ = VERSION

__all__ = ["Kraken", "__version__", "order"]
