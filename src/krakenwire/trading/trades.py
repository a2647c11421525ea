"""Trades out of rows of a market, as a strategy is told them. Those of a snapshot are no news and are left out.

The compiled twin is `krakenwire._native.trades`; it makes the numbers of a
trade when they are read.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, Literal

from krakenwire.model.market import Trade
from krakenwire.model.rows import BUY, MARKET, SNAPSHOT, Listing

__all__ = ["TradeMaker", "amounts_of"]

_ROW: Final = Struct("<qqqqqHBBI")
"""A row of `model.rows.ROW` as it lies in memory: taking bytes apart costs a fraction of what an array asks for it."""

_SIDES: Final[dict[bool, Literal["buy", "sell"]]] = {True: "buy", False: "sell"}


def amounts_of(data: memoryview, first: int, end: int) -> list[tuple[int, int]]:
    """Return ticks and lots of each trade.

    Args:
        data: the bytes of rows.
        first: the first row of trades.
        end: behind the last.
    """
    rows = _ROW.iter_unpack(data[first * _ROW.size : end * _ROW.size])
    return [(price, qty) for _, _, price, qty, _, _, _, flags, _ in rows if not flags & SNAPSHOT]


class TradeMaker:
    """Makes the trades of one instrument.

    Args:
        listing: its ticks and lots.
    """

    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    def one_of(self, data: memoryview, row: int) -> Trade | None:
        """Return the trade of a row, None where it is no news: what nearly every frame of trades asks for."""
        news = self.trades_of(data, row, row + 1)
        return news[0] if news else None

    def trades_of(self, data: memoryview, first: int, end: int) -> list[Trade]:
        """Return the trades; arguments as for `amounts_of`."""
        rows = _ROW.iter_unpack(data[first * _ROW.size : end * _ROW.size])
        return [_trade(self._listing, row) for row in rows if not row[7] & SNAPSHOT]


def _trade(listing: Listing, row: tuple[int, ...]) -> Trade:
    time_ns, venue_ns, price, qty, aux, _, kind, flags, _ = row
    return Trade(
        symbol=listing.symbol,
        side=_SIDES[kind == BUY],
        price=listing.price(price),
        qty=listing.qty(qty),
        ord_type="market" if flags & MARKET else "limit",
        time_ns=venue_ns or time_ns,
        trade_id=aux if aux >= 0 else None,
    )
