"""What the tests of the client room share."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import trustme
from tests.unit.client.lines import (
    ASYNC,
    LOOP_TLS,
    AsyncLine,
    BlockingLine,
    Line,
    Make,
    Open,
    Tls,
)
from tests.unit.client.peer import Loopback


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    servers = Loopback()
    yield servers
    servers.close()


@pytest.fixture(params=[pytest.param(BlockingLine, id="websocket-client"), *ASYNC])
def open_line(request: pytest.FixtureRequest) -> Iterator[Open]:
    opened: list[Line] = []

    def open_line(port: int, timeout_s: float = 5.0) -> Line:
        opened.append(request.param(f"ws://127.0.0.1:{port}/v2", timeout_s))
        return opened[-1]

    yield open_line
    for line in opened:
        line.close()


@pytest.fixture(params=[*ASYNC, *LOOP_TLS])
def make_line(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Opens asyncio lines with everything they take; those that opened are closed in the end."""
    opened: list[AsyncLine] = []

    def make(*args: Any, **options: Any) -> AsyncLine:
        opened.append(request.param(*args, **options))
        return opened[-1]

    yield make
    for line in opened:
        line.close()


@pytest.fixture(scope="module")
def tls() -> Tls:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return Tls(server, client, ssl.create_default_context())
