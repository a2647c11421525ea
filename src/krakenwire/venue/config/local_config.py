"""The configuration of a local Kraken, read from a parsed document and checked as a whole.

The document is what a TOML reader gives, with decimals as `Decimal`; opening
files is the driver's work, that of AssetPairs included (`listing`). Everything
is optional: an empty document is a venue with one demo account. Accounts are
read in `accounts_config.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal

import msgspec

from krakenwire.errors import ConfigError, SymbolError
from krakenwire.limits import TAPE_SPEED_MAX, VENUE_IDLE_CLOSE_S
from krakenwire.model.rates import RateLimit
from krakenwire.protocol.symbols import to_v2
from krakenwire.venue.access.pace import ATTEMPTS, LOCKOUT, MESSAGE_RATE, BanRule
from krakenwire.venue.config.accounts_config import (
    ACCOUNT_MEMBERS,
    AccountConfig,
    accounts_from,
    demo_account,
    rate_from,
    rate_limit_from,
)
from krakenwire.venue.config.reading import Table, table_of
from krakenwire.venue.config.venue_config import STATUSES
from krakenwire.venue.market.asset_pairs import assets_of, instruments_from
from krakenwire.venue.market.instruments import ASSETS, VenueAsset, VenueInstrument, instruments

__all__ = [
    "FAULTS",
    "InstrumentsConfig",
    "Listing",
    "LocalConfig",
    "ServiceConfig",
    "TapeConfig",
    "config_from",
    "listing",
]

FAULTS: Final[Mapping[str, Literal["seconds", "count"]]] = {
    "corrupt_checksum": "count",
    "cut_connection": "count",
    "delay_ack_s": "seconds",
    "drop_update": "count",
    "garble_frame": "count",
    "lose_ack": "count",
    "refuse_request": "count",
    "stall_s": "seconds",
}
"""Faults that can be set from the start, and what their figure is: how long, or how many times.

So many connections are cut once they have been told the trading mode; the first that is
not has so many frames garbled. Requests are those about orders, updates those of books.
"""

_MEMBERS: Final = ("venue", "accounts", "instruments", "tape", "faults")
_SERVICE_MEMBERS: Final = (
    "seed",
    "symbols",
    "thin",
    "rate",
    "status",
    "strict_hosts",
    "idle_close_s",
    "message_rate",
    "connection_attempts",
    "lockout",
)
_BAN_MEMBERS: Final = ("threshold", "decay_per_s", "ban_s")

_SEED_MAX: Final = 2**63 - 1
_SECONDS_MAX: Final = "86400"
_COUNT_MAX: Final = 10**9
_SECOND: Final = 1_000_000_000


class ServiceConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The venue as a whole.

    Args:
        seed, symbols, thin, rate, status: as for `krakenwire.venue.VenueConfig`.
        strict_hosts: whether public, private and level3 connections have addresses of their own.
        idle_close_ns: when a connection without activity is closed; None for never.
        message_rate: of one connection.
        connection_attempts: of one address. Left out by default, because all the programs
            of one machine share one address; true in a document gives Kraken's figures.
        lockout: for refused keys, signatures and nonces.
    """

    seed: int = 1
    symbols: tuple[str, ...] | None = None
    thin: tuple[str, ...] = ()
    rate: Decimal | None = None
    status: str = "online"
    strict_hosts: bool = False
    idle_close_ns: int | None = int(VENUE_IDLE_CLOSE_S * _SECOND)
    message_rate: RateLimit | None = MESSAGE_RATE
    connection_attempts: BanRule | None = None
    lockout: BanRule | None = LOCKOUT


class InstrumentsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Where instruments come from.

    Args:
        file: an AssetPairs answer, or a snapshot of the `instrument` channel; None for the built-in listing.
        start_prices: where their markets begin, by v2 symbol, quote units.
    """

    file: str | None = None
    start_prices: Mapping[str, Decimal] = msgspec.field(default_factory=dict)


class TapeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Trades that drive prices.

    Args:
        files: CSV files by v2 symbol.
        speed: how many times faster than it was.
    """

    files: Mapping[str, str] = msgspec.field(default_factory=dict)
    speed: Decimal = Decimal(1)


class LocalConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything.

    Args:
        venue: the venue as a whole.
        accounts: who trades there.
        instruments: what is listed.
        tape: what drives prices instead of the crowd.
        faults: what goes wrong from the start: the figures of some of `FAULTS`.
    """

    venue: ServiceConfig
    accounts: tuple[AccountConfig, ...]
    instruments: InstrumentsConfig
    tape: TapeConfig
    faults: Mapping[str, Decimal]


class Listing(msgspec.Struct, frozen=True):
    """What a venue lists, and every asset its ledger must know."""

    instruments: tuple[VenueInstrument, ...]
    assets: tuple[VenueAsset, ...]


def config_from(document: object) -> LocalConfig:
    """Return the configuration that a document says; an empty one is a venue with one demo account.

    Raises:
        ConfigError: a member that is not known, of the wrong type, or impossible; it names the path.
    """
    top = table_of(document, "", _MEMBERS)
    venue = _service(top.table("venue", _SERVICE_MEMBERS))
    accounts = top.tables("accounts", ACCOUNT_MEMBERS)
    return LocalConfig(
        venue=venue,
        accounts=accounts_from(accounts, venue.seed) if "accounts" in top else (demo_account(venue.seed),),
        instruments=_instruments(top.table("instruments", ("file", "start_prices"))),
        tape=_tape(top.table("tape", ("files", "speed"))),
        faults=_faults(top.table("faults", FAULTS)),
    )


def listing(config: LocalConfig, pairs: object = None) -> Listing:
    """Return what a venue of this configuration lists.

    Args:
        config: the configuration.
        pairs: the parsed content of `config.instruments.file`, when there is one.

    Raises:
        ConfigError: a symbol that is not listed, an entry that cannot be, or a balance that no ledger can hold.
    """
    symbols, prices = config.venue.symbols, config.instruments.start_prices
    try:
        listed = (
            instruments(symbols)
            if pairs is None
            else instruments_from(
                pairs, symbols=symbols, start_prices=prices, source=config.instruments.file or "AssetPairs"
            )
        )
    except SymbolError as error:
        raise ConfigError("venue.symbols", expected="listed symbols", found=error.what, hint=error.hint) from error
    unlisted = sorted(set(prices) - {instrument.symbol for instrument in listed})
    if unlisted:
        raise ConfigError("instruments.start_prices", expected="listed symbols", found=unlisted[0])
    known = {asset.id: asset for asset in assets_of(listed)}
    for number, account in enumerate(config.accounts):
        for name, amount in account.balances.items():
            known[name] = _holdable(known.get(name), name, amount, f"accounts[{number}].balances.{name}")
    return Listing(listed, tuple(known.values()))


def _holdable(asset: VenueAsset | None, name: str, amount: Decimal, path: str) -> VenueAsset:
    asset = asset or ASSETS.get(name)
    if asset is None:
        raise ConfigError(path, expected="an asset of a listed instrument", found=name)
    if amount.scaleb(asset.decimals) % 1:
        raise ConfigError(path, expected=f"at most {asset.decimals} decimals", found=f"{amount:f}")
    return asset


# -- sections -----------------------------------------------------------------------


def _service(table: Table) -> ServiceConfig:
    default = ServiceConfig()
    expected = 'a list of symbols such as ["BTC/USD", "ETH/USD"]'
    if "symbols" in table and not table.texts("symbols", expected):
        raise table.wrong("symbols", expected)
    return ServiceConfig(
        seed=table.whole("seed", default.seed, most=_SEED_MAX),
        symbols=table.texts("symbols", expected),
        thin=table.texts("thin", expected) or (),
        rate=table.number("rate", least="0.1", most="1000") if "rate" in table else None,
        status=table.one_of("status", STATUSES, default.status),
        strict_hosts=table.flag("strict_hosts", default.strict_hosts),
        idle_close_ns=_idle_close_ns(table, default.idle_close_ns),
        message_rate=rate_limit_from(table, "message_rate", MESSAGE_RATE),
        connection_attempts=_ban_rule(table, "connection_attempts", None, ATTEMPTS),
        lockout=_ban_rule(table, "lockout", LOCKOUT, LOCKOUT),
    )


def _idle_close_ns(table: Table, default: int | None) -> int | None:
    if table.is_off("idle_close_s") or table.is_unset("idle_close_s"):
        return None if table.is_off("idle_close_s") else default
    return int(table.number("idle_close_s", least="1", most=_SECONDS_MAX) * _SECOND)


def _ban_rule(table: Table, name: str, default: BanRule | None, kraken: BanRule) -> BanRule | None:
    """A table, false for none, true for Kraken's figures, nothing for the default."""
    if table.is_off(name) or table.is_unset(name):
        return None if table.is_off(name) else kraken if name in table else default
    rule = table.table(name, _BAN_MEMBERS)
    ban_s = rule.number("ban_s", Decimal(kraken.ban_ns) / _SECOND, least="1", most=_SECONDS_MAX)
    return BanRule(rate_from(rule, kraken.limit), int(ban_s * _SECOND))


def _instruments(table: Table) -> InstrumentsConfig:
    file = table.text("file", "the name of a JSON file") if "file" in table else None
    prices = table.table("start_prices")
    if file is None and "start_prices" in table:
        raise table.wrong("start_prices", "only beside a file", hint="The built-in listing has prices of its own")
    found = {
        symbol: prices.number(written, least="0.000000000001", most="1000000000000")
        for symbol, written in _by_symbol(prices).items()
    }
    return InstrumentsConfig(file=file, start_prices=found)


def _tape(table: Table) -> TapeConfig:
    files = table.table("files")
    return TapeConfig(
        files={symbol: files.text(written, "the name of a CSV file") for symbol, written in _by_symbol(files).items()},
        speed=table.number("speed", Decimal(1), least="0.000001", most=str(TAPE_SPEED_MAX)),
    )


def _by_symbol(table: Table) -> dict[str, str]:
    """The members of a table of symbols, by their v2 spelling."""
    found: dict[str, str] = {}
    for written in table:
        try:
            symbol = to_v2(written)
        except SymbolError as error:
            raise ConfigError(table.path(written), expected="a symbol such as BTC/USD", hint=error.hint) from None
        if symbol in found:
            raise ConfigError(table.path(written), expected="each symbol once", found=f"{symbol} again")
        found[symbol] = written
    return found


def _faults(table: Table) -> dict[str, Decimal]:
    return {
        name: table.number(name, most=_SECONDS_MAX)
        if FAULTS[name] == "seconds"
        else Decimal(table.whole(name, 0, most=_COUNT_MAX))
        for name in table
    }
