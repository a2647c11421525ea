"""Turns an exception that a strategy's own code raised into a `StrategyError` that names the place."""

from __future__ import annotations

import traceback
from types import TracebackType

from krakenwire.errors import StrategyError

__all__ = ["strategy_error"]

_OURS = __package__ or ""


def strategy_error(strategy: object, error: Exception) -> StrategyError | None:
    """Return what to tell of an exception, None when it did not come out of the strategy's code.

    Args:
        strategy: the object whose callbacks were called.
        error: as it was caught.
    """
    entered = _entered(strategy, error.__traceback__)
    if entered is None:
        return None
    callback, file = entered
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    place = f"{file}:{places[-1].lineno}"
    text = " ".join(str(error).split())
    reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
    told = StrategyError(type(strategy).__name__, callback, place, reason)
    told.__cause__ = error
    return told


def _entered(strategy: object, trace: TracebackType | None) -> tuple[str, str] | None:
    """The strategy's first own function that was called, and the file it stands in."""
    while trace is not None:
        frame = trace.tb_frame
        ours = str(frame.f_globals.get("__name__", "")).startswith(f"{_OURS}.")
        if not ours and frame.f_locals.get("self") is strategy:
            return frame.f_code.co_name, frame.f_code.co_filename
        trace = trace.tb_next
    return None
