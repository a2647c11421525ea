"""What every test may use: the shared reference material, and the switch for long runs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# What the cards compare is shown where it differs, whoever plays them.
pytest.register_assert_rewrite("tests.cards.play", "tests.cards.words")

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("default", deadline=None, derandomize=True, max_examples=100)
settings.register_profile("nightly", deadline=None, max_examples=5_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="also run the long tests")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("nightly" if config.getoption("--nightly") else "default")
    # Started in the background of a script, Ctrl-C is ignored, and would be by every program the tests start.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--nightly"):
        return
    skip = pytest.mark.skip(reason="a long run: use --nightly")
    for item in items:
        if item.get_closest_marker("nightly"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material that belongs to others; never copied, only read."""
    path = Path(os.environ.get("KRAKENWIRE_SHARED", ROOT.parent / "shared"))
    if not (path / "protocol").is_dir():
        pytest.skip("the shared reference material is not here (KRAKENWIRE_SHARED)")
    return path


@pytest.fixture(scope="session")
def nightly(request: pytest.FixtureRequest) -> bool:
    """Whether this is the long run."""
    return bool(request.config.getoption("--nightly"))
