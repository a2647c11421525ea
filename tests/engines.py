"""Both matching engines, for tests that hold them to the same."""

from __future__ import annotations

from typing import Any

import pytest

from krakenwire import _native
from krakenwire.venue.matching import matching

ABSENT = "the compiled twins are not built, or KRAKENWIRE_PURE forbids them"


def compiled() -> Any:
    """The module of the compiled engine; the test is skipped where there is none."""
    if not _native.ENABLED:
        pytest.skip(ABSENT)
    from krakenwire._native import matching as native

    return native


def engines() -> list[Any]:
    """Parameters of a test over both engine classes."""
    native = [pytest.param(compiled().MatchingEngine, id="compiled")] if _native.ENABLED else []
    missing = [pytest.param(None, id="compiled", marks=pytest.mark.skip(reason=ABSENT))]
    return [pytest.param(matching.MatchingEngine, id="readable"), *(native or missing)]


def simulators() -> list[Any]:
    """Parameters of a test over both simulators: each has the classes `Simulator` and `Order`."""
    from krakenwire.trading.simulator import simulator

    if not _native.ENABLED:
        missing = pytest.param(None, id="compiled", marks=pytest.mark.skip(reason=ABSENT))
        return [pytest.param(simulator, id="readable"), missing]
    from krakenwire._native import simulator as native

    return [pytest.param(simulator, id="readable"), pytest.param(native, id="compiled")]
