"""Trades that tell the prices of candles: what a market can be made of where nobody kept the trades.

A candle does not say in which order its prices came, nor how much traded at
each. The path that is made up here is the usual one: open, the extreme that
is against the candle's direction, the other one, close, at the beginning, at
thirds of the interval and just before its end, a quarter of the volume each.
Candles built of these trades have the open, high, low, close and volume that
they were made of. An order that would have filled between two of the four
prices fills as it would have; which of two orders filled first is a guess. Who acts on
these trades one by one knows more than anybody did: each gives the next away.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from krakenwire.tape.imports import Columns, Int64s

__all__ = ["CANDLE_TRADES", "MADE_OF_CANDLES", "trades_of_candles"]

CANDLE_TRADES: Final = 4
"""Trades of one candle."""

MADE_OF_CANDLES: Final = "trades made up from candles: open, the extreme against their direction, the other one, close"
"""What the mark of such a tape says."""

_LAST_NS: Final = 1_000_000
"""The close is so long before the end of the interval."""


def trades_of_candles(candles: Columns, interval_ns: int) -> Columns:
    """Return the trades that tell the prices of some candles, in their order.

    Candles in which nothing traded give none. A trade has one lot at least, so
    that the volume of a candle with less than four lots becomes four.

    Args:
        candles: columns of kind ``candles``.
        interval_ns: their length.
    """
    candles = candles.picked(candles.numbers["volume"] > 0)
    prices = {name: candles.numbers[name] for name in ("open", "high", "low", "close")}
    rises = prices["close"] >= prices["open"]
    first = np.where(rises, prices["low"], prices["high"])
    second = np.where(rises, prices["high"], prices["low"])
    offsets = np.array([0, interval_ns // 3, 2 * interval_ns // 3, interval_ns - _LAST_NS], dtype=np.int64)
    count = len(candles) * CANDLE_TRADES
    return Columns(
        kind="trades",
        time_ns=(candles.time_ns[:, None] + offsets).reshape(count),
        numbers={
            "price": np.stack((prices["open"], first, second, prices["close"]), axis=1).reshape(count),
            "volume": _shared(candles.numbers["volume"]).reshape(count),
        },
        decimals={"price": candles.decimals["open"], "volume": candles.decimals["volume"]},
        side=None,
        ord_type=np.zeros(count, dtype=np.uint8),
        out_of_order=candles.out_of_order,
    )


def _shared(volume: Int64s) -> Int64s:
    """Share each volume out to four trades, alike, what is left over to the last."""
    share = np.maximum(volume // CANDLE_TRADES, 1)
    last = np.maximum(volume - (CANDLE_TRADES - 1) * share, 1)
    return np.stack((share, share, share, last), axis=1)
