"""API version 2: `client` speaks as a client, `venue` as the venue."""

from krakenwire.protocol.v2.client import ClientCodec

__all__ = ["ClientCodec"]
