"""Addresses of the local Krakens that `run.sh` started; without them nothing here is collected."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_VENUE = os.environ.get("KRAKENWIRE_PEERS_VENUE")

collect_ignore_glob = [] if _VENUE else ["test_*.py"]

WAIT_S = 20


@dataclass(frozen=True)
class Addresses:
    """Where the local Kraken is, and the key of its demo account."""

    ws_v1: str
    ws_v2: str
    rest: str
    key: str
    secret: str


@pytest.fixture(scope="session")
def venue() -> Addresses:
    assert _VENUE is not None
    return Addresses(**json.loads(_VENUE))


@dataclass(frozen=True)
class ByName:
    """The local Kraken that is reached by the names of Kraken's hosts, over TLS: its key, and how programs are started.

    Attributes:
        key, secret: of its demo account.
        environ: for a program that is to trust its certificate.
    """

    key: str
    secret: str
    environ: dict[str, str]

    def command(self, program: str, *args: str) -> list[str]:
        """What starts a program of the clients so that it finds this Kraken."""
        return [sys.executable, str(Path(__file__).with_name("by_name.py")), program, *args]


@pytest.fixture(scope="session")
def hosts() -> ByName:
    addresses = json.loads(os.environ["KRAKENWIRE_HOSTS"])
    authority = os.environ["KRAKENWIRE_PEERS_CA"]
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "WEBSOCKET_CLIENT_CA_BUNDLE"), authority)
    return ByName(addresses["key"], addresses["secret"], {**os.environ, **trust})


@pytest.fixture
def led_here(hosts: ByName, monkeypatch: pytest.MonkeyPatch) -> ByName:
    """In this process, too, Kraken's hosts are the local ones and their certificate is trusted."""
    from by_name import led

    monkeypatch.setattr(socket, "getaddrinfo", led(json.loads(os.environ["KRAKENWIRE_HOSTS"])))
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "WEBSOCKET_CLIENT_CA_BUNDLE"):
        monkeypatch.setenv(name, hosts.environ[name])
    return hosts


def within(work: Coroutine[Any, Any, Any], seconds: float = WAIT_S) -> Any:
    """Run to the end, or fail when it takes too long."""

    async def limited() -> Any:
        async with asyncio.timeout(seconds):
            return await work

    return asyncio.run(limited())
