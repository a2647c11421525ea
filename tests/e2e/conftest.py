"""What the tests over real sockets share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.cards import play
from tests.cards.stage import Loop, Stage, ann, running
from tests.conformance.styles import STYLES, Style


@pytest.fixture(params=STYLES)
def make(request: pytest.FixtureRequest) -> Iterator[Callable[..., Style]]:
    """Make clients of each style; they are closed at the end."""
    made: list[Style] = []

    def make(on: str, **settings: Any) -> Style:
        made.append(STYLES[request.param](on, **settings))
        return made[-1]

    yield make
    for style in made:
        style.close()


# -- the stage of the order cards, for what goes wrong while clients trade


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    running_loop = Loop()
    yield running_loop
    running_loop.close()


@pytest.fixture
def stage(loop: Loop) -> Iterator[Stage]:
    with running(loop, ann()) as venue:
        venue.print("50000.0")
        yield venue


@pytest.fixture(params=play.STYLES)
def style(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=play.VERSIONS, ids=lambda version: f"v{version}")
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)
