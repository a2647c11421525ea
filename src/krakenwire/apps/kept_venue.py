"""A local Kraken that lives on: its inputs are kept in a folder, and it begins where it was left.

The folder holds one journal. Its first record says with which settings the
venue was made, the others are its inputs (`krakenwire.venue.inputs`), written
before they take effect: whatever was answered is there, however the process
ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from krakenwire.errors import ConfigError, DecodeError, JournalError
from krakenwire.storage import Journal
from krakenwire.venue import VenueConfig
from krakenwire.venue.inputs import seen_until
from krakenwire.version import VERSION

__all__ = ["GivenUp", "KeptVenue", "Restoring"]

_FILE: Final = "venue.journal"
_QUIET_NS: Final = 1_000_000_000
"""Of what takes no longer nothing is said."""

_PAUSE_NS: Final = 200_000_000
"""Between two things that are said."""


class _Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue of a journal was made from; only with the same settings its inputs mean the same."""

    version: str
    start_ns: int
    seed: int
    symbols: tuple[str, ...]
    thin: tuple[str, ...]
    rates: tuple[str, ...]
    status: str
    accounts: tuple[str, ...]
    tapes: tuple[str, ...] = ()


class KeptVenue:
    """The folder of one venue. A context manager.

    Args:
        folder: where it is kept; made if there is none.
        config: settings of the venue; a venue that is there must have been made with the same.
        sync: wait for the disk with each input, so that nothing is lost with the machine either.

    Attributes:
        config: the settings, with the time at which the venue began.
        journal: where inputs are written.

    Raises:
        ConfigError: the folder holds a venue of other settings.
        JournalError: the folder cannot be used.
    """

    def __init__(self, folder: str | os.PathLike[str], config: VenueConfig, *, sync: bool = False) -> None:
        path = Path(folder)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalError(str(path), error.strerror or str(error)) from error
        self.journal = Journal(path / _FILE, sync=sync)
        try:
            self.config = self._begun(config)
        except BaseException:
            self.journal.close()
            raise

    def inputs(self) -> Iterator[bytes]:
        """Read the inputs there are, oldest first."""
        return islice(iter(self.journal), 1, None)

    def write(self, record: bytes) -> None:
        """Keep one more input."""
        self.journal.append(record)

    def close(self) -> None:
        """Let go of the folder."""
        self.journal.close()

    def _begun(self, config: VenueConfig) -> VenueConfig:
        """Return the settings with which the venue began: now, if the folder is new."""
        first = next(iter(self.journal), None)
        if first is None:
            self.journal.append(msgspec.json.encode(_settings(config)))
            return config
        try:
            kept = msgspec.json.decode(first, type=_Settings)
        except msgspec.MsgspecError as error:
            raise DecodeError(f"{self.journal.path} is no venue's: {error}", first) from None
        wanted = _settings(replace(config, start_ns=kept.start_ns))
        for name in _Settings.__struct_fields__:
            if getattr(kept, name) != getattr(wanted, name):
                raise ConfigError(
                    f"the venue in {self.journal.path.parent}",
                    expected=f"{name} as it began, {_shown(getattr(kept, name))}",
                    found=_shown(getattr(wanted, name)),
                    hint="Use those settings, or another folder",
                )
        return replace(config, start_ns=kept.start_ns)


class GivenUp(Exception):
    """Doing again what was kept was given up."""


class Restoring:
    """Says how far a venue has got with doing again what was kept, once that takes longer than a second.

    Args:
        kept: the folder of the venue.
        tell: told the share that is done, 0 to 1, a few times a second; None for nobody.
        over: whether to give up.
        clock_ns: counts nanoseconds.
    """

    def __init__(
        self,
        kept: KeptVenue,
        tell: Callable[[float], None] | None,
        over: Callable[[], bool],
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._kept, self._tell, self._over, self._clock_ns = kept, tell, over, clock_ns
        self._due_ns = clock_ns() + _QUIET_NS
        self._until_ns = 0

    def __call__(self, now_ns: int) -> None:
        """Take note of the venue's time.

        Raises:
            GivenUp: it is over.
        """
        if self._over():
            raise GivenUp
        if self._tell is None or self._clock_ns() < self._due_ns:
            return
        start_ns = self._kept.config.start_ns
        self._until_ns = self._until_ns or seen_until(self._kept.inputs())
        self._tell((now_ns - start_ns) / max(1, self._until_ns - start_ns))
        self._due_ns = self._clock_ns() + _PAUSE_NS


def _settings(config: VenueConfig) -> _Settings:
    """What of the settings shapes orders and markets; keys and limits of access may change."""
    return _Settings(
        version=VERSION,
        start_ns=config.start_ns,
        seed=config.seed,
        symbols=tuple(instrument.symbol for instrument in config.listed),
        thin=tuple(sorted(config.thin_symbols)),
        rates=tuple(f"{config.actions_per_s(instrument):g}" for instrument in config.listed),
        status=config.status,
        accounts=tuple(
            f"{a.name}: {dict(a.balances)}, {a.fee_volume}, {a.fees}, {a.margin}, "
            f"{a.limits.trading}, {a.limits.open_orders}"
            for a in config.members
        ),
        tapes=tuple(f"{symbol} {tape.digest}" for symbol, tape in sorted(config.tapes.items())),
    )


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
