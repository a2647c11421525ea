"""Kraken Spot WebSocket API v1 and v2: clients, books proven by checksum, a local Kraken."""

from krakenwire.apps.kraken import Kraken
from krakenwire.version import VERSION

__version__ = VERSION

__all__ = ["Kraken", "__version__"]
