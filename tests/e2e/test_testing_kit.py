"""What users get for their own tests: the fixture and the faults behind it."""

from __future__ import annotations

import json
import urllib.request

import websocket

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.testing.fixtures import kraken_venue

__all__ = ["kraken_venue"]


def test_the_fixture_is_a_running_kraken(kraken_venue: LocalVenue) -> None:
    with urllib.request.urlopen(f"{kraken_venue.rest}/0/public/SystemStatus", timeout=10) as reply:
        assert json.loads(reply.read())["result"]["status"] == "online"
    ws = websocket.create_connection(kraken_venue.ws_v2, timeout=10)
    assert "status" in ws.recv()
    assert kraken_venue.clients == 1
    ws.close()
