"""Other views of the book over REST: `GroupedBook`, which adds levels up, and `PreTrade`, which counts their orders.

Source: Kraken's REST reference, "Get Grouped Order Book" and "Pre-Trade Data", read 2026-11.
"""

from __future__ import annotations

from typing import Final

from krakenwire.model.market import OrderSide
from krakenwire.model.numbers import fixed_text
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol import rest
from krakenwire.protocol.rest import Json
from krakenwire.venue.market.market import Market

__all__ = ["GROUPED_DEPTHS", "GROUPINGS", "grouped_book", "pre_trade"]

GROUPED_DEPTHS: Final = (10, 25, 100, 250, 1000)
GROUPINGS: Final = (1, 5, 10, 25, 50, 100, 250, 500, 1000)

_PRE_TRADE_LEVELS: Final = 10
_SIDES: Final[tuple[tuple[str, OrderSide], ...]] = (("bids", "buy"), ("asks", "sell"))


def grouped_book(market: Market, pair: str, depth: int, grouping: int) -> dict[str, Json]:
    """Return the result of `GroupedBook`.

    Args:
        market: whose book.
        pair: as it was asked for.
        depth: groups a side at most.
        grouping: ticks from one group to the next; a level counts for the next one away from the other side.
    """
    sides: dict[str, Json] = {name: _groups(market, side, depth, grouping) for name, side in _SIDES}
    return {"pair": pair, "grouping": grouping, **sides}


def pre_trade(market: Market) -> dict[str, Json]:
    """Return the result of `PreTrade`: ten levels a side, and how many orders each is made of."""
    instrument = market.instrument
    base, quote = instrument.symbol.split("/")
    sides: dict[str, Json] = {name: _counted(market, side) for name, side in _SIDES}
    return {
        "symbol": instrument.symbol,
        "description": f"{base} / {quote}",
        "base_asset": base,
        "base_notation": "NOML",
        "quote_asset": quote,
        "quote_notation": "MONE",
        "venue": "PGSL",
        "system": "CLOB",
        **sides,
    }


def _groups(market: Market, side: OrderSide, depth: int, grouping: int) -> list[Json]:
    instrument = market.instrument
    decimals = instrument.price_precision
    step = grouping * int(instrument.price_increment.scaleb(decimals))
    groups: dict[int, int] = {}
    for level in market.levels(side, depth * grouping):
        price = level.price // step * step if side == "buy" else -(-level.price // step) * step
        groups[price] = groups.get(price, 0) + level.qty
    return [
        {"price": rest.padded(price, decimals, rest.PRICE_DECIMALS), "qty": fixed_text(qty, instrument.qty_precision)}
        for price, qty in list(groups.items())[:depth]
    ]


def _counted(market: Market, side: OrderSide) -> list[Json]:
    instrument = market.instrument
    return [
        {
            "side": side.upper(),
            "price": fixed_text(level.price, instrument.price_precision),
            "qty": fixed_text(level.qty, instrument.qty_precision),
            "count": level.count,
            "publication_ts": rfc3339_from_ns(level.time_ns),
        }
        for level in market.levels(side, _PRE_TRADE_LEVELS)
    ]
