"""The pytest fixture `kraken_venue`; needs pytest, so nothing else imports this module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.testing.venue import local_kraken

__all__ = ["kraken_venue"]


@pytest.fixture
def kraken_venue() -> Iterator[LocalVenue]:
    """A fresh local Kraken for one test, always the same market at the start."""
    with local_kraken(seed=1) as venue:
        yield venue
