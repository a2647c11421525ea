"""Puts a venue on a port: WebSocket v1 and v2, REST and TLS through aiohttp."""

from krakenwire.server.clock import Clock
from krakenwire.server.faults import Faults
from krakenwire.server.operations import ConnectionFacts, Operations, Which
from krakenwire.server.ports import FanOut, Gateway, VenuePort
from krakenwire.server.server import VenueServer
from krakenwire.server.tls import server_tls

__all__ = [
    "Clock",
    "ConnectionFacts",
    "FanOut",
    "Faults",
    "Gateway",
    "Operations",
    "VenuePort",
    "VenueServer",
    "Which",
    "server_tls",
]
