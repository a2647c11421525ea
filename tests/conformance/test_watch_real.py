"""The watcher over a real session: every crossing of the recorded trades, and no other."""

from __future__ import annotations

import itertools
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from krakenwire.apps.watcher import watch_recording
from krakenwire.protocol.symbols import to_v2
from krakenwire.watch import Alert, Crosses, Engine, Rule

SESSION = "session_v1_2021-04-17"
TRADES, TICKER, BOOK = "KRAKEN.ws.48.0", "KRAKEN.ws.49.0", "KRAKEN.ws.50.0"


def received(path: Path) -> list[tuple[str, str]]:
    """The venue's frames of one recorded connection, each with its time of receipt."""
    found = re.findall(r"^(\d+\.\d+): (.*)$", path.read_text(), re.MULTILINE)
    assert found, path
    return found


def last_prices(frames: list[tuple[str, str]]) -> dict[str, list[Decimal]]:
    """The prices of the recorded trades by pair, read without any of our decoders."""
    prices: dict[str, list[Decimal]] = {}
    for _, frame in frames:
        message = json.loads(frame)
        if isinstance(message, list) and message[-2] == "trade":
            prices.setdefault(message[-1], []).extend(Decimal(row[0]) for row in message[1])
    return prices


def crossings(prices: list[Decimal], level: Decimal) -> list[Decimal]:
    """A price on the other side of the level than the one before that was not on it."""
    beside = [price for price in prices if price != level]
    return [after for before, after in itertools.pairwise(beside) if (before > level) != (after > level)]


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data" / "real" / SESSION


@pytest.mark.parametrize("connections", [(TRADES,), (TRADES, BOOK), (TRADES, TICKER, BOOK)])
def test_every_recorded_crossing_fires_once(connections: tuple[str, ...], folder: Path, tmp_path: Path) -> None:
    prices = last_prices(received(folder / TRADES))
    watched = [(pair, level) for pair, seen in prices.items() for level in sorted(set(seen))]
    expected = [crossings(prices[pair], level) for pair, level in watched]
    merged = sorted((row for name in connections for row in received(folder / name)), key=lambda row: float(row[0]))
    path = tmp_path / "frames.jsonl"
    # Three connections in one file would look like reconnects: their greetings are left out.
    path.write_text("\n".join(frame for _, frame in merged if '"systemStatus"' not in frame))
    engine = Engine([Rule(symbol=to_v2(pair), condition=Crosses(level)) for pair, level in watched])
    fired: list[list[Decimal]] = [[] for _ in watched]
    for step in watch_recording(engine, path):
        if isinstance(step, Alert) and step.price is not None:
            fired[step.index].append(step.price)
    assert sum(map(len, expected)) >= 10
    if TICKER not in connections:
        assert fired == expected
    for told, wanted in zip(fired, expected, strict=True):
        # A ticker may tell of the price before the first trade: at most one crossing more, at the start.
        assert told[len(told) - len(wanted) :] == wanted
        assert len(told) - len(wanted) in (0, 1)
