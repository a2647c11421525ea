"""What can be traded: assets and instruments, as the venue describes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

__all__ = ["Asset", "Instrument", "Instruments"]


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of the `instrument` channel. Source: v2 reference, `instrument`."""

    id: str
    status: str
    precision: int
    precision_display: int
    borrowable: bool = False
    collateral_value: Decimal | None = None
    margin_rate: Decimal | None = None


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument of the `instrument` channel.

    `price_precision` and `qty_precision` count decimals; the increments and
    minimums are in quote and base units. Source: v2 reference, `instrument`.
    """

    symbol: str
    base: str
    quote: str
    status: str
    price_precision: int
    qty_precision: int
    cost_precision: int
    price_increment: Decimal
    qty_increment: Decimal
    qty_min: Decimal
    cost_min: Decimal | None = None
    marginable: bool = False
    has_index: bool = False
    margin_initial: Decimal | None = None
    position_limit_long: int | None = None
    position_limit_short: int | None = None


class Instruments(msgspec.Struct, frozen=True, kw_only=True):
    """Reference data: everything (`snapshot`) or the rows that changed (`update`)."""

    channel = "instrument"
    symbol = None

    kind: Literal["snapshot", "update"]
    assets: tuple[Asset, ...]
    pairs: tuple[Instrument, ...]
