"""Kraken Spot WebSocket API v1 and v2: clients, books proven by checksum, a local Kraken."""

__version__ = "0.1.0"

from krakenwire.apps.kraken import Kraken

__all__ = ["Kraken", "__version__"]
