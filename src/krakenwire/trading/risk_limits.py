"""The limits of a user's own that every order must keep, and how they are read from a configuration.

All of them hold unless the user says otherwise. A figure here is meant to be
too small for most: raising it is a decision, running into it costs nothing.
What each does is in `risk`; nothing here judges.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from krakenwire.errors import ConfigError

__all__ = ["RiskLimits", "risk_limits_from"]


class RiskLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a bot may do at most. Quote units count for each quote asset by itself.

    Args:
        order_qty_max: base units of one order. Catches a quantity given in another unit, such as satoshis.
        order_notional_max: quote units of one order: what one mistaken order may cost.
        open_orders_max: at one time, unknown ones included. A loop that only ever places stops here.
        open_notional_max: quote units of all open orders: what may be bought or sold while nobody looks.
        position_notional_max: quote units of one asset, every open and unknown order counted as filled.
        turnover_day_max: quote units traded in any 24 hours, open orders counted as traded: bounds the fees.
        orders_per_second_max: new orders and amendments. A strategy that answers its own orders stops here.
        orders_per_minute_max: the same, well within the venue's own counters.
        orders_per_day_max: in any 24 hours.
        price_band_bps: how far a price may be on the side that costs - a buy above the mid, a sell below it.
        price_far_bps: how far on the other side, and a trigger on either: beyond it is a typing error.
        lookalike_window_ms: no second order of the same symbol, side, type, quantity and price so soon.
        daily_loss_max: quote units of equity below the start of the day (UTC). Stops the bot.
        drawdown_max_bps: of equity below its highest. Stops the bot.
        book_age_max_ms: no order while what was last heard of its book is older. Above a heartbeat by far.
        clock_skew_max_ms: no order while our clock is that far from the venue's: a deadline would mean another time.
        unknown_orders_max: orders whose fate nobody knows, at one time. One more stops the bot.
        symbols: that may be traded; None for those that the strategy names.
        order_types: that may be sent.
    """

    order_qty_max: Decimal = Decimal(100_000)
    order_notional_max: Decimal = Decimal(1_000)
    open_orders_max: int = 20
    open_notional_max: Decimal = Decimal(5_000)
    position_notional_max: Decimal = Decimal(5_000)
    turnover_day_max: Decimal = Decimal(50_000)
    orders_per_second_max: int = 5
    orders_per_minute_max: int = 60
    orders_per_day_max: int = 5_000
    price_band_bps: Decimal = Decimal(200)
    price_far_bps: Decimal = Decimal(5_000)
    lookalike_window_ms: int = 500
    daily_loss_max: Decimal = Decimal(250)
    drawdown_max_bps: Decimal = Decimal(1_000)
    book_age_max_ms: int = 5_000
    clock_skew_max_ms: int = 1_000
    unknown_orders_max: int = 3
    symbols: tuple[str, ...] | None = None
    order_types: tuple[str, ...] = (
        "limit",
        "market",
        "stop-loss",
        "stop-loss-limit",
        "take-profit",
        "take-profit-limit",
    )


_FIELDS: Final = {field.name: field for field in msgspec.structs.fields(RiskLimits)}


def risk_limits_from(table: Mapping[str, object], source: str = "[risk]") -> RiskLimits:
    """Return the limits of a parsed table; what it does not name keeps its default.

    Args:
        table: from TOML, numbers as `int` or `Decimal`.
        source: where it stands, for errors.

    Raises:
        ConfigError: an unknown key, with the nearest one there is, or a value that cannot be.
    """
    values: dict[str, object] = {}
    for key, value in table.items():
        if key not in _FIELDS:
            raise _unknown(key, source)
        values[key] = _READERS[_FIELDS[key].type](value, f'{source}: "{key}"')
    return RiskLimits(**values)  # type: ignore[arg-type]  # each was read by the reader of its own type


def _unknown(key: str, source: str) -> ConfigError:
    near = difflib.get_close_matches(key, _FIELDS, 1, 0.5)
    hint = f'Did you mean "{near[0]}"?' if near else ""
    return ConfigError(f'{source}: "{key}" is not known', expected="one of " + ", ".join(_FIELDS), hint=hint)


def _amount(value: object, what: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite() or value < 0:
        raise ConfigError(what, expected="a number of at least zero, without a unit", found=value)
    return Decimal(value)


def _count(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(what, expected="a whole number of at least zero, without a unit", found=value)
    return value


def _texts(value: object, what: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value or not all(isinstance(item, str) for item in value):
        raise ConfigError(what, expected="a list of texts", found=value)
    return tuple(value)


_READERS: Final[dict[object, Callable[[object, str], object]]] = {
    Decimal: _amount,
    int: _count,
    tuple[str, ...]: _texts,
    tuple[str, ...] | None: _texts,
}
"""How a value is read, by the type of its field."""
