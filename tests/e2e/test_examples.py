"""Every krakenwire program in `examples/` runs against the local Kraken, on both ways of naming it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.testing import local_kraken

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PATIENCE_S = 60

RUNS = [
    ("three_lines_blocking.py", "3", "/USD ", 3),
    ("three_lines_threaded.py", "3", "main thread at work, second 3", 4),
    ("asyncio_books.py", "5", "verified True", 5),
    ("market_watch.py", "4", "reconnects 0, gaps 0, unknown 0", 5),
    ("place_an_order.py", "blocking", "USD, 0 open orders", 3),
    ("place_an_order.py", "threaded", "USD, 0 open orders", 4),
    ("place_an_order.py", "asyncio", "USD, 0 open orders", 3),
]


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(seed=3, rate=60) as venue:
        yield venue


@pytest.mark.parametrize(("name", "amount", "shown", "lines"), RUNS, ids=[f"{run[0]}-{run[1]}" for run in RUNS])
def test_the_example_runs_and_ends_well(name: str, amount: str, shown: str, lines: int, venue: LocalVenue) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), venue.ws_v2, amount],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=os.environ | {"KRAKEN_API_KEY": venue.key, "KRAKEN_API_SECRET": venue.secret.reveal()},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert shown in done.stdout
    assert len(done.stdout.splitlines()) >= lines


def test_no_example_is_left_out() -> None:
    elsewhere = {"article_blocking.py", "article_threaded.py"}  # see test_article_programs
    assert {path.name for path in EXAMPLES.glob("*.py")} == elsewhere | {run[0] for run in RUNS}
