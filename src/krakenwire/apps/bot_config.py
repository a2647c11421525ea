"""The configuration of a bot, from a TOML file: parameters, balances, fees, latency, risk limits.

Everything is optional. An unknown key is an error that names the nearest one
there is; units stand in the names of the keys, so a wrong unit is an unknown key.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from krakenwire.errors import ConfigError
from krakenwire.limits import BOT_CONFIG_BYTES_MAX, BOT_REST_LAG_S, SWITCH_TIMEOUT_S
from krakenwire.trading.callbacks import OnError
from krakenwire.trading.risk_limits import RiskLimits, risk_limits_from
from krakenwire.trading.simulator import FillModel
from krakenwire.venue.config.reading import Table, table_of

__all__ = ["BotConfig", "bot_config_from", "read_bot_config"]

_TABLES: Final = ("bot", "parameters", "balances", "fees", "latency", "fills", "risk", "live")
_BOT: Final = ("quote", "on_error", "margin")
_FEES: Final = ("maker_percent", "taker_percent")
_LATENCY: Final = ("entry_ms", "report_ms")
_FILLS: Final = ("queue", "trades_only_spread_ticks", "trades_only_queue_lots")
_LIVE: Final = ("enabled", "switch_s", "lag_s")

_BALANCE_MAX: Final = "1000000000000"
_PERCENT_MAX: Final = "10"
_LATENCY_MS_MAX: Final = "60000"
_START_CASH: Final = Decimal(10_000)
_SWITCH_S_MIN: Final = 15
"""Below it a short silence of the network would cancel everything."""
_SWITCH_S_MAX: Final = 86_400
_LAG_S_MAX: Final = "3600"
_COUNT_MAX: Final = 1 << 40
_MS: Final = 1_000_000


class BotConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything.

    Args:
        parameters: of the strategy, as the file says them.
        quote: the asset that equity is counted in; None for the quote asset of the first symbol.
        balances: at the start of a run whose orders are pretended, None for 10,000 of the quote asset; in live
            the most of each asset that the bot counts as its own, None for all that the account has.
        on_error: what an error of the strategy does.
        margin: whether it may be sold what is not there.
        model: of pretended fills.
        limits: of risk.
        live_enabled: the file's half of the leave to send orders to a venue.
        switch_s: the dead man's switch fires so long after a live bot has gone silent.
        lag_s: so far the venue's REST may be behind; before that is over, an order's absence says nothing.
    """

    parameters: dict[str, object] = {}
    quote: str | None = None
    balances: dict[str, Decimal] | None = None
    on_error: OnError = "stop"
    margin: bool = False
    model: FillModel = FillModel()
    limits: RiskLimits = RiskLimits()
    live_enabled: bool = False
    switch_s: int = SWITCH_TIMEOUT_S
    lag_s: float = BOT_REST_LAG_S

    def quote_of(self, symbols: tuple[str, ...]) -> str:
        """Return the asset that equity is counted in."""
        return self.quote or symbols[0].partition("/")[2]

    def balances_of(self, symbols: tuple[str, ...]) -> dict[str, Decimal]:
        """Return what a pretended account begins with."""
        return {self.quote_of(symbols): _START_CASH} if self.balances is None else dict(self.balances)


def read_bot_config(path: str | os.PathLike[str]) -> BotConfig:
    """Return what a TOML file says.

    Raises:
        ConfigError: it cannot be read, is not TOML, or says what cannot be; the text names the file and the key.
    """
    try:
        with Path(path).open("rb") as file:
            raw = file.read(BOT_CONFIG_BYTES_MAX + 1)
        if len(raw) > BOT_CONFIG_BYTES_MAX:
            raise ConfigError(str(path), expected=f"a file of at most {BOT_CONFIG_BYTES_MAX} bytes")
        document = tomllib.loads(raw.decode(), parse_float=Decimal)
    except OSError as error:
        raise ConfigError(str(path), expected="a readable file", found=error.strerror or str(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), expected="TOML", found=str(error)) from None
    try:
        return bot_config_from(document)
    except ConfigError as error:
        raise ConfigError(
            f"{path}: {error.what}", expected=error.expected, found=error.found, hint=error.hint
        ) from None


def bot_config_from(document: Mapping[str, object]) -> BotConfig:
    """Return the configuration that a parsed document says; an empty one is all defaults.

    Raises:
        ConfigError: an unknown key, with the nearest one there is, or a value that cannot be.
    """
    whole = table_of(document, "", _TABLES)
    bot = whole.table("bot", _BOT)
    live = whole.table("live", _LIVE)
    parameters, risk = document.get("parameters", {}), document.get("risk", {})
    whole.table("parameters")
    whole.table("risk")
    assert isinstance(parameters, Mapping)
    assert isinstance(risk, Mapping)
    return BotConfig(
        parameters=dict(parameters),
        quote=bot.text("quote", "an asset such as USD") if "quote" in bot else None,
        balances=_balances(whole.table("balances")) if "balances" in whole else None,
        on_error=bot.one_of("on_error", ("stop", "continue"), "stop"),
        margin=bot.flag("margin", default=False),
        model=_model(whole),
        limits=risk_limits_from(risk),
        live_enabled=live.flag("enabled", default=False),
        switch_s=live.whole("switch_s", SWITCH_TIMEOUT_S, least=_SWITCH_S_MIN, most=_SWITCH_S_MAX),
        lag_s=float(live.number("lag_s", Decimal(str(BOT_REST_LAG_S)), most=_LAG_S_MAX)),
    )


def _balances(table: Table) -> dict[str, Decimal]:
    return {asset: table.number(asset, most=_BALANCE_MAX) for asset in table}


def _model(whole: Table) -> FillModel:
    fees, latency, fills = whole.table("fees", _FEES), whole.table("latency", _LATENCY), whole.table("fills", _FILLS)
    default = FillModel()
    queue_lots = default.trades_only_queue_lots
    if "trades_only_queue_lots" in fills:
        queue_lots = fills.whole("trades_only_queue_lots", 0, most=_COUNT_MAX)
    return FillModel(
        entry_latency_ns=_nanoseconds(latency, "entry_ms", default.entry_latency_ns),
        report_latency_ns=_nanoseconds(latency, "report_ms", default.report_latency_ns),
        maker_fee=_share(fees, "maker_percent", default.maker_fee),
        taker_fee=_share(fees, "taker_percent", default.taker_fee),
        queue=fills.one_of("queue", ("conservative", "proportional"), default.queue),
        trades_only_spread_ticks=fills.whole(
            "trades_only_spread_ticks", default.trades_only_spread_ticks, most=_COUNT_MAX
        ),
        trades_only_queue_lots=queue_lots,
    )


def _nanoseconds(table: Table, name: str, default_ns: int) -> int:
    return int(table.number(name, Decimal(default_ns) / _MS, most=_LATENCY_MS_MAX) * _MS)


def _share(table: Table, name: str, default: Decimal) -> Decimal:
    return table.number(name, default * 100, most=_PERCENT_MAX) / 100
