"""One symbol as a bot sees it: its listing, its book, the price it was last seen at; and numbers in its steps.

Prices and quantities become whole ticks and lots here, once, on their way to
a broker. Nothing is rounded unless it was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from math import ceil
from typing import Final, Literal

from krakenwire.errors import RiskRefusal, UsageError
from krakenwire.model.rows import Listing
from krakenwire.trading.ports import BookView

__all__ = ["Rounding", "SymbolMarket", "exact"]

Rounding = Literal["nearest", "down", "up"]

_ROUNDINGS: Final = {"nearest": ROUND_HALF_EVEN, "down": ROUND_FLOOR, "up": ROUND_CEILING}


def exact(what: str, value: object) -> Decimal:
    """Return a number that a strategy gave, exactly: a Decimal, a whole number or text.

    Raises:
        UsageError: a float, or not a finite number.
    """
    if type(value) is Decimal and value.is_finite():
        return value
    if isinstance(value, float):
        raise UsageError(
            what,
            expected="an exact number",
            found=repr(value),
            hint="self.round_price(symbol, x) and self.round_qty(symbol, x) make a float one that may be ordered",
        )
    if isinstance(value, int | str) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except ArithmeticError:
            number = Decimal("nan")
        if number.is_finite():
            return number
    raise UsageError(what, expected="a number", found=repr(value))


class SymbolMarket:
    """One symbol.

    Args:
        place: among the symbols of the run.
        listing: its precisions and smallest orders.
        book: the simulator's, which it reads and never changes.
    """

    __slots__ = (
        "_book",
        "_cost_min",
        "_half_tick",
        "_last_lots",
        "_last_qty",
        "_lots",
        "_lots_min",
        "_marked",
        "_ticks",
        "base",
        "listing",
        "mark",
        "place",
        "quote",
    )

    def __init__(self, place: int, listing: Listing, book: BookView) -> None:
        self.place, self.listing, self._book = place, listing, book
        self.base, self.quote = listing.base, listing.quote
        self._ticks = Decimal(10**listing.price_decimals)
        self._lots = Decimal(10**listing.qty_decimals)
        self._lots_min = max(1, ceil(listing.qty_min * self._lots))
        self._cost_min = ceil(listing.cost_min * self._ticks * self._lots)
        self._half_tick = Decimal(5).scaleb(-listing.price_decimals - 1)
        self._marked = 0
        self._last_qty: Decimal | None = None
        self._last_lots: int | None = None
        self.mark: Decimal | None = None

    @property
    def live(self) -> bool:
        """Whether its book may be trusted."""
        return self._book.live

    @property
    def book_time_ns(self) -> int:
        """When its book last changed; 0 before it was there."""
        return self._book.time_ns

    def mid(self) -> Decimal | None:
        """Return the middle of its book, exactly; None while the book is not live or has one side only."""
        twice = self._book.touch_sum
        if not twice:
            return None
        if twice != self._marked:
            self._marked = twice
            self.mark = twice * self._half_tick
        return self.mark

    def last_mid(self) -> Decimal | None:
        """Return the middle of its book now, or when it was last known; None when it never was."""
        twice = self._book.touch_sum
        if twice and twice != self._marked:
            self._marked = twice
            self.mark = twice * self._half_tick
        return self.mark

    def set_mark(self, price: Decimal) -> None:
        """Mark it where there is no book to mark it by: at the close of a candle."""
        self._marked, self.mark = -1, price

    def ask(self) -> Decimal | None:
        """Return what a buyer would have to pay now, None where nothing is known."""
        ticks = self._book.ask_ticks if self._book.live else 0
        return self.listing.price(ticks) if ticks else self.last_mid()

    def ticks(self, price: Decimal) -> int | None:
        """Return a price in ticks, None when it is not one that may be ordered at."""
        return _steps(price * self._ticks, self.listing.tick)

    def lots(self, qty: Decimal) -> int | None:
        """Return a quantity in lots, None when it is not one that may be ordered."""
        return _steps(qty * self._lots, self.listing.lot)

    def steps(self, price: Decimal | None, qty: Decimal) -> tuple[int, int] | RiskRefusal:
        """Return the figures of an order in ticks, 0 without a price, and lots; or why no venue would take them."""
        listing = self.listing
        if qty is not self._last_qty:
            self._last_qty, self._last_lots = qty, self.lots(qty)
        lots = self._last_lots
        if lots is None:
            return RiskRefusal("qty_step", limit=f"steps of {listing.qty(listing.lot):f}", found=f"{qty:f}")
        if lots < self._lots_min:
            return RiskRefusal("qty_min", limit=f"{listing.qty(self._lots_min):f}", found=f"{qty:f}")
        if price is None:
            return 0, lots
        ticks = self.ticks(price)
        if ticks is None or ticks <= 0:
            return RiskRefusal("price_step", limit=f"steps of {listing.price(listing.tick):f}", found=f"{price:f}")
        if ticks * lots < self._cost_min:
            return RiskRefusal("cost_min", limit=f"{listing.cost_min:f}", found=f"{price * qty:f}")
        return ticks, lots

    def round_price(self, value: Decimal | float, rounding: Rounding) -> Decimal:
        """Return the price that may be ordered at beside a value."""
        return self._rounded(value, _ROUNDINGS[rounding], self.listing.price, self.listing.tick)

    def round_qty(self, value: Decimal | float) -> Decimal:
        """Return the largest quantity that may be ordered and is no more than a value."""
        return self._rounded(value, ROUND_DOWN, self.listing.qty, self.listing.lot)

    @staticmethod
    def _rounded(value: Decimal | float, rounding: str, of: Callable[[int], Decimal], step: int) -> Decimal:
        size = of(step)
        return of(int((Decimal(value) / size).to_integral_value(rounding)) * step)


def _steps(scaled: Decimal, step: int) -> int | None:
    whole = int(scaled)
    return whole if whole == scaled and not whole % step else None
