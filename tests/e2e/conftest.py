"""What the tests over real sockets share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
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
