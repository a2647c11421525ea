"""Reads the configuration of a local Kraken from a TOML file, and what it names: a listing, trade tapes."""

from __future__ import annotations

import gzip
import json
import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from krakenwire.errors import ConfigError
from krakenwire.protocol.symbols import to_v2
from krakenwire.venue import VenueConfig
from krakenwire.venue.config.local_config import LocalConfig, config_from, listing
from krakenwire.venue.market.instruments import VenueInstrument, instruments
from krakenwire.venue.market.tape import Tape, read_tape

__all__ = ["read_local_config", "venue_config"]

_BYTES_MAX = 64 * 1024 * 1024


def read_local_config(path: str | os.PathLike[str]) -> LocalConfig:
    """Return what a TOML file says.

    Raises:
        ConfigError: it cannot be read, is not TOML, or says what cannot be; the text names the member.
    """
    try:
        return config_from(tomllib.loads(_text(Path(path)), parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), expected="TOML", found=str(error)) from None


def venue_config(
    local: LocalConfig,
    folder: Path,
    *,
    seed: int | None,
    symbols: tuple[str, ...] | None,
    rate: float | None,
    tapes: Mapping[str, Path] | None = None,
    tape_speed: float | None = None,
) -> VenueConfig:
    """Return the settings of the venue itself; what is given here counts more than what the file says.

    Args:
        local: what the file says.
        folder: where a listing that it names is looked for.
        seed: of the market; None leaves it to the file.
        symbols: any spelling; None leaves it to the file.
        rate: actions a second; None leaves it to the file.
        tapes: CSV files of trades by symbol, in any spelling; None leaves them to the file.
        tape_speed: how many times faster than it was; None leaves it to the file.

    Raises:
        ConfigError, SymbolError: a value that cannot be.
    """
    pairs = None if local.instruments.file is None else _json(folder / local.instruments.file)
    listed = listing(local, pairs)
    service = local.venue
    wanted = service.symbols if symbols is None else symbols
    files = (
        {symbol: folder / name for symbol, name in local.tape.files.items()}
        if tapes is None
        else {to_v2(written): path for written, path in tapes.items()}
    )
    speed = local.tape.speed if tape_speed is None else Decimal(str(tape_speed))
    played = {
        symbol: _tape(path, instruments((symbol,), listed.instruments)[0], speed) for symbol, path in files.items()
    }
    return VenueConfig(
        seed=service.seed if seed is None else seed,
        symbols=wanted,
        rate=rate if rate is not None or service.rate is None else float(service.rate),
        status=service.status,
        thin=service.thin,
        accounts=local.accounts,
        listing=listed.instruments,
        tapes=played,
        more_assets=listed.assets,
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _BYTES_MAX:
            raise ConfigError(str(path), expected=f"a file of at most {_BYTES_MAX} bytes")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(str(path), expected="a readable file", found=reason) from None


def _tape(path: Path, instrument: VenueInstrument, speed: Decimal) -> Tape:
    """Read a tape, one that is compressed with gzip too."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            return read_tape(lines, instrument, path.name, speed)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a text"
        raise ConfigError(str(path), expected="a readable file", found=reason) from None


def _json(path: Path) -> object:
    try:
        found: object = json.loads(_text(path), parse_float=Decimal)
    except ValueError as error:
        raise ConfigError(str(path), expected="JSON", found=str(error)) from None
    return found
