"""Recordings of the real service on the compiled path: verified as by the pure one, and without its help.

The material belongs to others and is read where it lies; without it these tests skip.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conformance import test_real_recordings as recordings
from tests.native.compare import compare
from tests.native.frames import Stream

from krakenwire import _native
from krakenwire.protocol.detect import origin_of

pytestmark = pytest.mark.skipif(not _native.ENABLED, reason=f"no compiled twins in use (built: {_native.BUILT})")

BOOKS: dict[str, tuple[int, Callable[[Path], list[bytes]]]] = {
    "v1-session": (4269, lambda shared: recordings.session_frames(shared / recordings.V1_SESSION)),
    "v1-book-10": (110, recordings.v1_book_10_frames),
    "v2-btc": (301, lambda shared: recordings.captured_frames(shared / recordings.V2_BTC)),
    "v2-eth": (1129, lambda shared: recordings.captured_frames(shared / recordings.V2_ETH)),
    "v2-without-zeros": (510, recordings.without_zeros_frames),
}
STORED = {
    "v1-session-book": 394,
    "v1-session-trade": 0,
    "v1-session-ticker": 0,
    "v2-book-recorded-btcusd-d10": 301,
    "v2-book-recorded-btcusd-d25": 382,
    "v2-book-recorded-ethusd-d25": 383,
    "v2-book-recorded-xrpusd-d25": 382,
    "v2-level3-recorded": 0,
    "v2-public-recorded": 0,
}

FALLBACKS: dict[str, tuple[int, str]] = {}
"""How many frames of which recording may need the exact path, and why: none does."""


def check(name: str, frames: list[bytes], verified: int) -> None:
    """Compare both feeds over what the venue sent, and count."""
    version = 1 if name.startswith("v1") else 2
    sent = tuple(frame for frame in frames if origin_of(frame) == f"v{version}")
    assert sent
    counters = compare(Stream(name, version, sent), every=250, brief=True).counters
    assert (counters.verified, counters.malformed) == (verified, 0)
    allowed, _ = FALLBACKS.get(name, (0, ""))
    assert counters.fallbacks == allowed


@pytest.mark.parametrize("name", BOOKS)
def test_a_recording_verifies_on_the_compiled_path_alone(shared: Path, name: str) -> None:
    verified, load = BOOKS[name]
    check(name, load(shared), verified)


@pytest.mark.parametrize("name", STORED)
def test_a_stored_session_needs_no_exact_path(shared: Path, name: str) -> None:
    stored = json.loads((shared / "protocol" / "vectors" / f"{name}.json").read_text())
    check(name, list(raw_frames(stored)), STORED[name])


def raw_frames(stored: Any) -> Iterator[bytes]:
    """The raw texts of a file of vectors, in its order."""
    if isinstance(stored, dict):
        if isinstance(stored.get("raw"), str):
            yield stored["raw"].encode()
        stored = list(stored.values())
    if isinstance(stored, list):
        for value in stored:
            yield from raw_frames(value)
