"""What is at stake when a live bot begins, in a few lines, for a person to read before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from krakenwire.apps.live_handover import assets_of
from krakenwire.client.environments import environment, is_loopback
from krakenwire.trading.recovery import Recovered
from krakenwire.trading.risk_limits import RiskLimits

__all__ = ["stake_lines"]

_FINGERPRINT_CHARS: Final = 12
_LIMITS: Final = (
    "order_notional_max",
    "open_notional_max",
    "position_notional_max",
    "turnover_day_max",
    "daily_loss_max",
)


def stake_lines(
    *,
    on: str,
    account: str,
    strategy: str,
    parameters: Mapping[str, object],
    symbols: Sequence[str],
    balances: Mapping[str, Decimal],
    allowed: Mapping[str, Decimal] | None,
    limits: RiskLimits,
    switch_s: int,
    known: Recovered,
) -> list[str]:
    """Return the lines.

    Args:
        on: the venue.
        account: the fingerprint of its key.
        strategy: its name.
        parameters: as they are set.
        symbols: that it trades.
        balances: of the account.
        allowed: the most of each asset that counts as the bot's.
        limits: of risk.
        switch_s: of the dead man's switch.
        known: what the bot's journal says.
    """
    where = "on this machine" if is_loopback(environment(on).host) else "with real money"
    rows = [
        ("account", f"{account[:_FINGERPRINT_CHARS]}, the fingerprint of its key"),
        ("strategy", f"{strategy}: {_pairs(parameters) or 'no parameters'}"),
        ("symbols", ", ".join(symbols)),
        ("balances", _amounts(balances, assets_of(symbols))),
        ("its part", "all of that" if allowed is None else f"at most {_amounts(allowed, assets_of(symbols))}"),
        ("position", _positions(known.positions)),
        ("orders", f"{len(known.open)} open or unknown from before"),
        ("limits", ", ".join(f"{name} {getattr(limits, name):f}" for name in _LIMITS)),
        ("switch", f"every order of the account is canceled when the bot is silent for {switch_s} s"),
    ]
    if known.stops.stop is not None:
        rows.append(("stopped", f"{known.stops.stop.level.name} by {known.stops.stop.who}: {known.stops.stop.reason}"))
    return [f"live orders at {on}, {where}", *(f"  {name:10}{text}" for name, text in rows)]


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _amounts(amounts: Mapping[str, Decimal], assets: Sequence[str]) -> str:
    return ", ".join(f"{asset} {amounts.get(asset, Decimal(0)):f}" for asset in assets)


def _positions(positions: Mapping[str, Decimal]) -> str:
    made = ", ".join(f"{qty:+f} {symbol.partition('/')[0]}" for symbol, qty in positions.items() if qty)
    return f"{made or 'none'} made by this bot so far"
