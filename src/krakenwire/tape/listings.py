"""Which instruments the rows of a market are of, and in what ticks and lots: told, found or inferred.

An instrument's decimals come from the caller, else from the venue's own list,
else from the digits of its first message. They never change afterwards: rows
that were written before would mean something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from krakenwire.errors import ListingChanged, UsageError
from krakenwire.model.instruments import Instrument, Instruments
from krakenwire.model.numbers import decimals_in
from krakenwire.model.rows import Listing

__all__ = ["Listings", "Number", "decimals_of", "listing_of"]

Number: TypeAlias = "str | int | Decimal"
"""A number as text of the wire, or exactly."""

QTY_DECIMALS_LEAST: Final = 8
"""Of an instrument nobody describes: the first message may show fewer than there are."""

SYMBOLS_MAX: Final = 65_535
"""A row counts its symbol with two bytes."""


def decimals_of(number: Number) -> int:
    """Return how many decimals a number is written with.

    Raises:
        DecodeError: text that is no number.
    """
    if isinstance(number, Decimal):
        exponent = number.as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0
    return decimals_in(number)


def listing_of(pair: Instrument) -> Listing:
    """Return what the venue's description of an instrument says about its ticks and lots."""
    return Listing(
        symbol=pair.symbol,
        price_decimals=pair.price_precision,
        qty_decimals=pair.qty_precision,
        tick=max(1, int(pair.price_increment.scaleb(pair.price_precision))),
        lot=max(1, int(pair.qty_increment.scaleb(pair.qty_precision))),
        qty_min=pair.qty_min,
        cost_min=pair.cost_min or Decimal(0),
    )


class Listings:
    """The instruments of some rows, by their place.

    Args:
        given: instruments that are known before anything is read.
        symbols: the only ones that get rows; None for all.

    Attributes:
        listed: the instruments so far, in the order rows count them.
    """

    def __init__(self, given: Sequence[Listing] = (), symbols: Sequence[str] | None = None) -> None:
        self.listed: list[Listing] = list(given)
        self._places = {listing.symbol: place for place, listing in enumerate(self.listed)}
        self._wanted = None if symbols is None else frozenset(symbols)
        self._described: dict[str, Listing] = {}
        self._as_described: set[str] = set()

    def wants(self, symbol: str | None) -> bool:
        """Return whether a symbol gets rows; what concerns no symbol does."""
        return self._wanted is None or symbol is None or symbol in self._wanted

    def place(self, symbol: str) -> int | None:
        """Return the place of an instrument that has rows already."""
        return self._places.get(symbol)

    def add(self, symbol: str, prices: Iterable[Number], quantities: Iterable[Number]) -> int:
        """List an instrument: as the venue described it, else with the decimals its first numbers show.

        Raises:
            DecodeError: text that is no number.
            UsageError: more instruments than rows can count.
        """
        if len(self.listed) == SYMBOLS_MAX:
            raise UsageError("symbols", expected=f"at most {SYMBOLS_MAX}")
        listing = self._described.get(symbol)
        if listing is not None:
            self._as_described.add(symbol)
        else:
            qty_decimals = max(QTY_DECIMALS_LEAST, *map(decimals_of, quantities), 0)
            price_decimals = max(map(decimals_of, prices), default=0)
            listing = Listing(symbol=symbol, price_decimals=price_decimals, qty_decimals=qty_decimals)
        self._places[symbol] = len(self.listed)
        self.listed.append(listing)
        return len(self.listed) - 1

    def describe(self, event: Instruments) -> None:
        """Take what the venue says of its instruments.

        Raises:
            ListingChanged: other decimals than those an instrument's rows were made with.
        """
        for pair in event.pairs:
            if not self.wants(pair.symbol):
                continue
            new, old = listing_of(pair), self._described.get(pair.symbol)
            if old is not None and pair.symbol in self._as_described:
                before, after = ((one.price_decimals, one.qty_decimals) for one in (old, new))
                if before != after:
                    raise ListingChanged(pair.symbol, before, after)
            self._described[pair.symbol] = new
