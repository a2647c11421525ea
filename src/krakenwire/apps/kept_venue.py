"""A local Kraken that lives on: its inputs are kept in a folder, and it begins where it was left.

The folder holds one journal. Its first record says with which settings the
venue was made, the others are its inputs (`krakenwire.venue.inputs`), written
before they take effect: whatever was answered is there, however the process
ended.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from krakenwire.errors import ConfigError, DecodeError, JournalError
from krakenwire.storage import Journal
from krakenwire.venue import VenueConfig
from krakenwire.version import VERSION

__all__ = ["KeptVenue"]

_FILE: Final = "venue.journal"


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
