"""The market as rows of integers: what tapes become for analysis and what a strategy's market is driven by.

One row is one price level that changed, one public trade, or a mark. The rows
of one frame follow each other and the last of them carries `LAST`: there the
market is whole again. Prices are ticks, quantities lots, of the `Listing`
that `symbol` counts to; nothing is rounded. The C side of it is `_native/rows.h`.
Needs NumPy, so nothing of the core imports it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from krakenwire.model.numbers import scaled_to_decimal

__all__ = [
    "ASK",
    "BID",
    "BUY",
    "CLEAR",
    "EVENT",
    "GAP",
    "LAST",
    "MARKET",
    "QUIET",
    "ROW",
    "SELL",
    "SNAPSHOT",
    "UNVERIFIED",
    "Listing",
    "Rows",
]

ROW: Final = np.dtype(
    [
        ("time_ns", "<i8"),
        ("venue_ns", "<i8"),
        ("price", "<i8"),
        ("qty", "<i8"),
        ("aux", "<i8"),
        ("symbol", "<u2"),
        ("kind", "u1"),
        ("flags", "u1"),
        ("connection", "<u4"),
    ]
)
"""48 bytes.

`time_ns`: when it was received; never falls from one row to the next. `venue_ns`: the venue's own time, 0 where
it sent none. `price`: ticks. `qty`: lots; of a level the new quantity, 0 when it is gone. `aux`: of a trade its id,
-1 where there is none; of a level the checksum of its message, -1 where there is none; of an `EVENT` its place in the
list of objects beside the rows. `symbol`: place in the list of listings. `connection`: as on the tape, 0 elsewhere.
"""

Rows: TypeAlias = npt.NDArray[np.void]
"""A one-dimensional contiguous array of dtype `ROW`."""

BID: Final = 1
"""Kind: a bid level."""
ASK: Final = 2
"""Kind: an ask level."""
BUY: Final = 3
"""Kind: a trade whose taker bought."""
SELL: Final = 4
"""Kind: a trade whose taker sold."""
CLEAR: Final = 5
"""Kind: the book is empty from here; the levels of a snapshot follow."""
GAP: Final = 6
"""Kind: the book is not to be trusted until the next `CLEAR`, and trades may be missing."""
EVENT: Final = 7
"""Kind: an event that has no rows of its own (ticker, candles): see `aux`."""

LAST: Final = 1
"""Flag: the last row of its frame."""
SNAPSHOT: Final = 2
"""Flag: from a snapshot: a state, or trades that were there before, not news."""
MARKET: Final = 4
"""Flag: a trade whose taker sent a market order."""
UNVERIFIED: Final = 8
"""Flag: a level of a message whose checksum was not there or not compared."""
QUIET: Final = 16
"""Flag, on the last row of a frame of a book: the frame counts in full, but nobody is called for it."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument of some rows, with what turns ticks and lots into numbers.

    Args:
        symbol: v2 spelling.
        price_decimals, qty_decimals: a tick is ``10**-price_decimals`` quote units, a lot ``10**-qty_decimals``
            base units: the precisions, not the increments.
        tick: smallest step of an order's price, in ticks.
        lot: smallest step of an order's quantity, in lots.
        qty_min: smallest order, base units.
        cost_min: smallest order, quote units.
        depth: levels a side that the book is kept to; 0 where there is no book.
    """

    symbol: str
    price_decimals: int
    qty_decimals: int = 8
    tick: int = 1
    lot: int = 1
    qty_min: Decimal = Decimal(0)
    cost_min: Decimal = Decimal(0)
    depth: int = 0

    @property
    def base(self) -> str:
        """The asset that is traded."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The asset it is paid with."""
        return self.symbol.partition("/")[2]

    def price(self, ticks: int) -> Decimal:
        """Return a price in quote units."""
        return scaled_to_decimal(ticks, self.price_decimals)

    def qty(self, lots: int) -> Decimal:
        """Return a quantity in base units."""
        return scaled_to_decimal(lots, self.qty_decimals)

    def cost(self, ticks: int, lots: int) -> Decimal:
        """Return what a quantity costs at a price, in quote units, exactly."""
        return scaled_to_decimal(ticks * lots, self.price_decimals + self.qty_decimals)
