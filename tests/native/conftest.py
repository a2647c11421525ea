"""What the tests of the compiled twins share."""

from __future__ import annotations

import pytest
from tests.native.wire_client import HEAD, Client


@pytest.fixture
async def client() -> Client:
    """A native WebSocket client whose handshake is over."""
    return Client().feed(HEAD)
