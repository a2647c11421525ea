"""Addresses of the local Kraken that `run.sh` started; without it nothing here is collected."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Coroutine
from dataclasses import dataclass
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


def within(work: Coroutine[Any, Any, Any], seconds: float = WAIT_S) -> Any:
    """Run to the end, or fail when it takes too long."""

    async def limited() -> Any:
        async with asyncio.timeout(seconds):
            return await work

    return asyncio.run(limited())
