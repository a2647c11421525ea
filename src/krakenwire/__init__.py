"""Kraken Spot WebSocket API v1 and v2: clients, books proven by checksum, a local Kraken."""

__version__ = "0.1.0"
