"""Settings of a local Kraken, checked when they are made.

Everything that shapes the simulated market is here; the same settings give
the same market. Drivers add what concerns ports and connections.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Final

from krakenwire.errors import ConfigError
from krakenwire.venue.config.accounts_config import AccountConfig, demo_account
from krakenwire.venue.market.asset_pairs import beginning_at
from krakenwire.venue.market.instruments import ASSETS, VenueAsset, VenueInstrument, instruments
from krakenwire.venue.market.tape import Tape

__all__ = ["STATUSES", "VenueConfig"]

STATUSES: Final = ("online", "post_only", "limit_only", "cancel_only", "maintenance")
"""Trading modes. Source: v2 reference, section 3.3."""

_RATE_MIN, _RATE_MAX = 0.1, 1_000.0


@dataclass(frozen=True, kw_only=True)
class VenueConfig:
    """What a local Kraken is made from.

    Args:
        seed: the same seed gives the same market.
        symbols: any spelling, in listing order; None lists everything.
        rate: trader actions a second for every instrument alike, usually 5 to 200;
            None lets each instrument have its own.
        multiplier: factor on top of that.
        start_ns: time at which the market begins, nanoseconds since 1970.
        status: trading mode at start, one of `STATUSES`.
        thin: symbols, any spelling, whose books shall have a few levels only.
        accounts: who trades there besides the crowd; None for one demo account with plenty of money.
        listing: what can be listed; None for the instruments that are built in.
        tapes: by v2 symbol, trades that drive the price instead of the crowd; such a market begins at its first.
        more_assets: assets that accounts may have beyond those of what is listed.
        version_v1, version_v2: service versions the status messages tell.

    Raises:
        ConfigError: a value that cannot be.
        SymbolError: a symbol that is not listed.
    """

    seed: int = 1
    symbols: Sequence[str] | None = None
    rate: float | None = None
    multiplier: float = 1.0
    start_ns: int = 1_767_225_600_000_000_000
    status: str = "online"
    thin: Collection[str] = ()
    accounts: tuple[AccountConfig, ...] | None = None
    listing: tuple[VenueInstrument, ...] | None = None
    tapes: Mapping[str, Tape] = field(default_factory=dict)
    more_assets: tuple[VenueAsset, ...] = ()
    version_v1: str = "1.9.6"
    version_v2: str = "2.0.10"
    listed: tuple[VenueInstrument, ...] = field(init=False, repr=False)
    thin_symbols: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ConfigError("status", expected="one of " + ", ".join(STATUSES), found=self.status)
        if self.start_ns < 0:
            raise ConfigError("start_ns", expected="nanoseconds since 1970", found=self.start_ns)
        listed = instruments(self.symbols, self.listing)
        unlisted = set(self.tapes) - {instrument.symbol for instrument in listed}
        if unlisted:
            raise ConfigError("tape", expected="a listed symbol", found=", ".join(sorted(unlisted)))
        begun = (
            beginning_at(instrument, tape.row(0).price)
            if (tape := self.tapes.get(instrument.symbol)) is not None
            else instrument
            for instrument in listed
        )
        object.__setattr__(self, "listed", tuple(begun))
        thin = instruments(self.thin, self.listing) if self.thin else ()
        object.__setattr__(self, "thin_symbols", frozenset(instrument.symbol for instrument in thin))
        for instrument in self.listed:
            self.actions_per_s(instrument)

    @property
    def members(self) -> tuple[AccountConfig, ...]:
        """The accounts, the demo account where none are given."""
        return (demo_account(self.seed),) if self.accounts is None else self.accounts

    @property
    def assets(self) -> tuple[VenueAsset, ...]:
        """Every asset that the venue knows: of what is listed, and of what accounts begin with."""
        held = {name: self._known[name] for account in self.members for name in account.balances}
        return tuple(({asset.id: asset for asset in self.listed_assets} | held).values())

    @property
    def listed_assets(self) -> tuple[VenueAsset, ...]:
        """The assets that the listed instruments consist of, each once."""
        names = dict.fromkeys(name for instrument in self.listed for name in (instrument.base, instrument.quote))
        return tuple(self._known[name] for name in names)

    @property
    def _known(self) -> dict[str, VenueAsset]:
        return ASSETS | {asset.id: asset for asset in self.more_assets}

    def actions_per_s(self, instrument: VenueInstrument) -> float:
        """Return how many actions a second the traders of an instrument take on average.

        Raises:
            ConfigError: beyond what is allowed.
        """
        rate = (instrument.actions_per_s if self.rate is None else self.rate) * self.multiplier
        if not _RATE_MIN <= rate <= _RATE_MAX:
            expected = f"{_RATE_MIN:g} to {_RATE_MAX:g} actions a second"
            raise ConfigError(f"rate of {instrument.symbol}", expected=expected, found=f"{rate:g}")
        return rate

    def random(self, symbol: str, purpose: str) -> Random:
        """Return a generator that depends on the seed, the symbol and the purpose alone."""
        digest = sha256(f"{self.seed}:{symbol}:{purpose}".encode()).digest()
        return Random(int.from_bytes(digest[:16], "big"))  # noqa: S311 - a simulated market, no secret
