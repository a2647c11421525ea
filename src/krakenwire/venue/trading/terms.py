"""What an instrument's ticks and lots are worth in the units of the ledger.

Every asset is kept in whole units of its own precision. A cost is price times
quantity in ticks times lots, exact; what is posted of it is cut to the
ledger's unit, the same for both parties, so that no trade makes or loses
money. What must be held for it is rounded up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from krakenwire.errors import ConfigError
from krakenwire.venue.market.instruments import VenueInstrument

__all__ = ["PPM", "Terms", "fee_rate", "rounded_up"]

PPM: Final = 1_000_000


def fee_rate(percent: Decimal) -> int:
    """Return a fee of so many percent in millionths.

    Raises:
        ConfigError: negative, more than the whole, or finer than a millionth.
    """
    rate = percent * 10_000
    if rate != int(rate) or not 0 <= rate < PPM:
        raise ConfigError("fee", expected="a percentage from 0 to 100 with at most four decimals", found=percent)
    return int(rate)


def rounded_up(value: int, unit: int) -> int:
    """Return how many units hold a value."""
    return -(-value // unit)


class Terms:
    """One instrument's arithmetic.

    Attributes:
        instrument: whose.
        base, quote: assets, v2 names.
        base_decimals, quote_decimals: of the ledger.
        exact_decimals: of ticks times lots.

    Args:
        instrument: what is traded.
        decimals: of the ledger, by asset.

    Raises:
        ConfigError: a lot is finer than the ledger of its asset.
    """

    def __init__(self, instrument: VenueInstrument, decimals: dict[str, int]) -> None:
        self.instrument = instrument
        self.base, self.quote = instrument.base, instrument.quote
        self.base_decimals, self.quote_decimals = decimals[self.base], decimals[self.quote]
        self.exact_decimals = instrument.price_precision + instrument.qty_precision
        finer = self.base_decimals - instrument.qty_precision
        if finer < 0:
            raise ConfigError(
                f"asset {self.base}",
                expected=f"at least the {instrument.qty_precision} decimals of {instrument.symbol}'s quantities",
                found=self.base_decimals,
            )
        self._lot = int(10**finer)
        shift = self.exact_decimals - self.quote_decimals
        self._divisor, self._factor = (int(10**shift), 1) if shift >= 0 else (1, int(10**-shift))

    def base_units(self, lots: int) -> int:
        """Return the ledger units of some lots."""
        return lots * self._lot

    def lots(self, base_units: int) -> int:
        """Return how many lots some ledger units of the base are, cut."""
        return base_units // self._lot

    def cost(self, exact: int) -> int:
        """Return the ledger units of ticks times lots, cut."""
        return exact * self._factor // self._divisor

    def cost_held(self, exact: int) -> int:
        """Return the ledger units of ticks times lots, rounded up."""
        return rounded_up(exact * self._factor, self._divisor)

    def exact(self, quote_units: int) -> int:
        """Return the most ticks times lots that some ledger units of the quote pay for."""
        return quote_units * self._divisor // self._factor
