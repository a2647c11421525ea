"""Accounts of the local Kraken as they are configured: money, fees, limits and keys.

Reads tables of a parsed document; opening the accounts is the venue's
business. A venue without any configuration has one account whose key and
secret follow from the seed. Secrets appear in no error.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import sha512
from typing import Final

import msgspec

from krakenwire.errors import ConfigError
from krakenwire.model.rates import TIERS, RateLimit, Tier
from krakenwire.model.secrets import Secret
from krakenwire.protocol.rest_sign import NONCE_MAX, secret_bytes
from krakenwire.venue.access.keys import ApiKey
from krakenwire.venue.access.pace import AccountLimits
from krakenwire.venue.access.permissions import ALL_PERMISSIONS, Permission
from krakenwire.venue.config.reading import Table
from krakenwire.venue.market.instruments import ASSETS
from krakenwire.venue.trading.accounts import FEES, OUTSIDE
from krakenwire.venue.trading.positions import POOL

__all__ = [
    "ACCOUNT_MEMBERS",
    "AccountConfig",
    "account_name_refusal",
    "accounts_from",
    "demo_account",
    "rate_from",
    "rate_limit_from",
]

ACCOUNT_MEMBERS: Final = ("name", "tier", "balances", "fee_volume", "fees", "margin", "limits", "keys")
_KEY_MEMBERS: Final = ("key", "secret", "permissions", "nonce_window", "rate_limits")
_LIMIT_MEMBERS: Final = ("trading", "open_orders", "rest", "level3")
_RATE_MEMBERS: Final = ("threshold", "decay_per_s")

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")
_RESERVED: Final = re.compile(rf"(?:{OUTSIDE}|{FEES}|{POOL}|(?:makers|takers) of .*)")
_KEY_TEXT: Final = re.compile(r"[!-~]{1,128}")

_BALANCE_MAX: Final = "1000000000000"
_VOLUME_MAX: Final = 10**12
_POINTS_MAX: Final = "1000000000"
_OPEN_ORDERS_MAX: Final = 1_000_000

_DEMO_BALANCES: Final = {
    "USD": 100_000,
    "EUR": 100_000,
    "USDT": 100_000,
    "BTC": 5,
    "ETH": 50,
    "SOL": 1_000,
    "XRP": 50_000,
    "DOGE": 500_000,
    "ADA": 200_000,
    "LTC": 500,
    "DOT": 20_000,
    "LINK": 5_000,
}

_ASSET_NAMES: Final = {name: asset.id for asset in ASSETS.values() for name in (asset.id, asset.altname, asset.rest_id)}


class AccountConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One account.

    Args:
        name: unique.
        tier: whose limits it has unless others are given.
        balances: what is deposited at start, by v2 asset, exact.
        fee_volume: what it has traded in the thirty days before, US dollars.
        fees: percent of taker and maker, whatever the volume; None for the schedule.
        margin: whether it may trade on margin.
        limits: how fast it may trade and ask.
        keys: its API keys.
    """

    name: str
    tier: Tier = "pro"
    balances: Mapping[str, Decimal] = msgspec.field(default_factory=dict)
    fee_volume: int = 0
    fees: tuple[Decimal, Decimal] | None = None
    margin: bool = False
    limits: AccountLimits = AccountLimits.of("pro")
    keys: tuple[ApiKey, ...] = ()


def demo_account(seed: int) -> AccountConfig:
    """Return the account of a venue that has no configuration: plenty of money, one key that may do everything.

    Its nonces may come in any order, because programs that count in different units will share it.
    """
    name = "demo"
    key, secret = _made_up(seed, name, 0)
    return AccountConfig(
        name=name,
        balances={asset: Decimal(amount) for asset, amount in _DEMO_BALANCES.items()},
        keys=(ApiKey(key=key, secret=secret, account=name, nonce_window=NONCE_MAX),),
    )


def accounts_from(tables: Iterable[Table], seed: int) -> tuple[AccountConfig, ...]:
    """Return the accounts of a document.

    Args:
        tables: one for each, with `ACCOUNT_MEMBERS`.
        seed: keys that are not given follow from it.

    Raises:
        ConfigError: a value that cannot be, a name or a key twice.
    """
    accounts: dict[str, AccountConfig] = {}
    keys: set[str] = set()
    for table in tables:
        account = _account(table, seed, keys)
        if account.name in accounts:
            raise table.wrong("name", "a name that no other account has")
        accounts[account.name] = account
    return tuple(accounts.values())


def rate_limit_from(table: Table, name: str, default: RateLimit) -> RateLimit | None:
    """Return a limit: a table of `threshold` and `decay_per_s`, false for none, true or nothing for the default."""
    if table.is_off(name) or table.is_unset(name):
        return None if table.is_off(name) else default
    return rate_from(table.table(name, _RATE_MEMBERS), default)


def rate_from(table: Table, default: RateLimit) -> RateLimit:
    """Return the limit that `threshold` and `decay_per_s` of a table make; what is missing is as in the default."""
    threshold = table.number("threshold", default.threshold, most=_POINTS_MAX)
    decay_per_s = table.number("decay_per_s", default.decay_per_s, most=_POINTS_MAX)
    try:
        return RateLimit(threshold, decay_per_s)
    except ConfigError as error:
        raise table.wrong(error.what, error.expected) from None


def account_name_refusal(name: str) -> str | None:
    """Return what was expected when an account cannot have a name, None when it can."""
    if _NAME.fullmatch(name) is None or _RESERVED.fullmatch(name):
        return "at most 64 letters, digits, blanks, and . _ @ -, and none of the venue's own accounts"
    return None


# -- one account ------------------------------------------------------------------


def _account(table: Table, seed: int, keys: set[str]) -> AccountConfig:
    name = table.text("name", "a name")
    expected = account_name_refusal(name)
    if expected is not None:
        raise table.wrong("name", expected)
    tier = table.one_of("tier", tuple(TIERS), "pro")
    return AccountConfig(
        name=name,
        tier=tier,
        balances=_balances(table.table("balances")),
        fee_volume=table.whole("fee_volume", 0, most=_VOLUME_MAX),
        fees=_fees(table.table("fees", ("taker", "maker"))) if "fees" in table else None,
        margin=table.flag("margin", default=False),
        limits=_limits(table, tier),
        keys=tuple(
            _key(key, name, _made_up(seed, name, number), keys)
            for number, key in enumerate(table.tables("keys", _KEY_MEMBERS))
        ),
    )


def _balances(table: Table) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for name in table:
        asset = _ASSET_NAMES.get(name, name)
        if asset in found:
            raise ConfigError(table.path(name), expected="each asset once", found=f"{asset} again")
        found[asset] = table.number(name, most=_BALANCE_MAX)
    return found


def _fees(table: Table) -> tuple[Decimal, Decimal]:
    return table.percent("taker"), table.percent("maker")


def _limits(table: Table, tier: Tier) -> AccountLimits:
    if table.is_off("limits"):
        return AccountLimits()
    if table.is_unset("limits"):
        return AccountLimits.of(tier)
    limits = table.table("limits", _LIMIT_MEMBERS)
    return AccountLimits(
        trading=rate_limit_from(limits, "trading", TIERS[tier].trading),
        open_orders=_open_orders(limits, TIERS[tier].open_orders),
        rest=rate_limit_from(limits, "rest", TIERS[tier].rest),
        level3=rate_limit_from(limits, "level3", TIERS[tier].level3),
    )


def _open_orders(limits: Table, default: int) -> int | None:
    if limits.is_off("open_orders") or limits.is_unset("open_orders"):
        return None if limits.is_off("open_orders") else default
    return limits.whole("open_orders", default, most=_OPEN_ORDERS_MAX)


# -- keys ---------------------------------------------------------------------------


def _key(table: Table, account: str, made_up: tuple[str, Secret], keys: set[str]) -> ApiKey:
    text, secret = _texts(table) if "key" in table or "secret" in table else made_up
    if text in keys:
        raise table.wrong("key", "a text that no other key has")
    keys.add(text)
    return ApiKey(
        key=text,
        secret=secret,
        account=account,
        permissions=_permissions(table),
        nonce_window=table.whole("nonce_window", 0, most=NONCE_MAX),
        rate_limited=table.flag("rate_limits", default=True),
    )


def _texts(table: Table) -> tuple[str, Secret]:
    text = table.text("key", "the public text, beside the secret")
    if _KEY_TEXT.fullmatch(text) is None:
        raise table.wrong("key", "at most 128 visible ASCII characters")
    expected = "the base64 text of the private part, beside the key"
    secret = Secret(table.text("secret", expected, secret=True))
    try:
        secret_bytes(secret)
    except ConfigError:
        raise table.wrong("secret", expected, secret=True) from None
    return text, secret


def _permissions(table: Table) -> frozenset[Permission]:
    expected = "a list of " + ", ".join(Permission)
    names = table.texts("permissions", expected)
    if names is None:
        return ALL_PERMISSIONS
    unknown = [name for name in names if name not in set(Permission)]
    if unknown:
        raise ConfigError(table.path("permissions"), expected=expected, found=f'"{unknown[0]}"')
    return frozenset(Permission(name) for name in names)


def _made_up(seed: int, account: str, number: int) -> tuple[str, Secret]:
    """A key of Kraken's form that follows from the seed: for a venue on one's own machine, and only for that."""

    def drawn(purpose: str) -> bytes:
        return sha512(f"{seed}:{account}:{number}:{purpose}".encode()).digest()

    return b64encode(drawn("key")[:42]).decode(), Secret(b64encode(drawn("secret")).decode())
