"""Whether a market of candles has any that a strategy waits for; else it would wait in vain and look well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from krakenwire.errors import ConfigError
from krakenwire.model.market import Candles
from krakenwire.trading.candles import interval_ns
from krakenwire.trading.strategy import Strategy

__all__ = ["check_intervals"]

_MINUTE_NS: Final = 60_000_000_000


def check_intervals(strategy: type[Strategy], objects: Sequence[object]) -> None:
    """Refuse a market of candles that has none of the intervals of a strategy with `on_candle`.

    Args:
        strategy: the class.
        objects: what the market's rows of events point to.

    Raises:
        ConfigError: as said.
    """
    if strategy.on_candle is Strategy.on_candle:
        return
    there = sorted({told.interval for told in objects if isinstance(told, Candles)})
    if not {interval_ns(interval) for interval in strategy.candles} & {minutes * _MINUTE_NS for minutes in there}:
        raise ConfigError(
            f"{strategy.__name__}.candles",
            expected="one of the intervals there are: " + ", ".join(f"{minutes}m" for minutes in there),
            found=", ".join(strategy.candles),
        )
