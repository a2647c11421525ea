"""Which matching engine the venue runs: the compiled one where there is one, else its readable twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from krakenwire import _native

if TYPE_CHECKING or not _native.ENABLED:
    from krakenwire.venue.matching.matching import MatchingEngine
else:
    from krakenwire._native import matching

    MatchingEngine = matching.MatchingEngine

__all__ = ["MatchingEngine"]
