"""WebSocket API version 1, both directions; see `client` for requests and events, `venue` for the other side."""

from krakenwire.protocol.v1.client import ClientCodec

__all__ = ["ClientCodec"]
