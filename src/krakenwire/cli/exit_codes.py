"""Exit codes of the command `krakenwire`, and which error of the tree gives which.

Scripts rely on these numbers; they never change meaning.
"""

from __future__ import annotations

from typing import Final

from krakenwire.errors import (
    IntegrityError,
    InternalError,
    JournalError,
    KrakenwireError,
    MissingExtraError,
    OutcomeUnknown,
    PermissionMissing,
    RiskRefusal,
    SlowConsumer,
    StrategyError,
    TapeDamaged,
    TapeError,
    TransportError,
    UsageError,
    VenueRefusal,
    WaitTimeout,
)

__all__ = [
    "CONNECTION",
    "FAILED",
    "INTERNAL",
    "INTERRUPTED",
    "MISSING_EXTRA",
    "OK",
    "REFUSED",
    "TIMEOUT",
    "UNKNOWN",
    "USAGE",
    "exit_code_of",
]

OK: Final = 0
FAILED: Final = 1
"""Something that was to be verified did not hold."""
USAGE: Final = 2
"""The command line, a file it names, or a symbol is not acceptable."""
CONNECTION: Final = 3
"""No connection, a lost one, or a peer that does not speak the protocol."""
TIMEOUT: Final = 4
"""The time allowed ran out."""
REFUSED: Final = 5
"""The venue said no."""
MISSING_EXTRA: Final = 6
"""An optional part is not installed."""
UNKNOWN: Final = 7
"""An order was sent, and what became of it is not known: it may have been carried out."""
INTERNAL: Final = 70
"""A bug in krakenwire."""
INTERRUPTED: Final = 130
"""Ctrl-C, as shells write it."""

_CODES: Final[tuple[tuple[type[KrakenwireError], int], ...]] = (
    (MissingExtraError, MISSING_EXTRA),
    (UsageError, USAGE),
    (JournalError, USAGE),
    (TapeDamaged, FAILED),
    (TapeError, USAGE),
    (RiskRefusal, REFUSED),
    (StrategyError, FAILED),
    (WaitTimeout, TIMEOUT),
    (TransportError, CONNECTION),
    (IntegrityError, FAILED),
    (SlowConsumer, FAILED),
    (VenueRefusal, REFUSED),
    (PermissionMissing, REFUSED),
    (OutcomeUnknown, UNKNOWN),
    (InternalError, INTERNAL),
    (KrakenwireError, CONNECTION),
)


def exit_code_of(error: KrakenwireError) -> int:
    """Return the exit code for an error; the most special type decides."""
    return next(code for kind, code in _CODES if isinstance(error, kind))
