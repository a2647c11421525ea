"""What the tests of the client room share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.client.peer import Loopback


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    servers = Loopback()
    yield servers
    servers.close()
