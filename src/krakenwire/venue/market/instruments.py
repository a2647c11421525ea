"""What the local Kraken lists: assets and instruments with Kraken's precisions, and how lively each is.

Facts that the `instrument` channel, `AssetPairs` and `Assets` tell are here
and nowhere else, so that all three agree. Prices and quantities that feed the
simulated market are counts of ticks and lots. This module holds tables; the
market made from them is in `market.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from krakenwire.errors import SymbolError
from krakenwire.protocol.symbols import rest_altname, rest_asset, rest_key, to_v1, to_v2

__all__ = [
    "ASSETS",
    "FEES_MAKER",
    "FEES_TAKER",
    "FULL_BOOK_LEVELS",
    "INSTRUMENTS",
    "VenueAsset",
    "VenueInstrument",
    "assets",
    "instruments",
]

FEES_TAKER: Final = (
    (0, Decimal("0.40")),
    (10_000, Decimal("0.35")),
    (50_000, Decimal("0.24")),
    (100_000, Decimal("0.22")),
    (250_000, Decimal("0.20")),
    (500_000, Decimal("0.18")),
    (1_000_000, Decimal("0.16")),
    (2_500_000, Decimal("0.14")),
    (5_000_000, Decimal("0.12")),
    (10_000_000, Decimal("0.10")),
)
"""30-day volume in USD and percent. Source: v2 reference, section 11."""

FEES_MAKER: Final = tuple(
    (volume, Decimal(percent))
    for (volume, _), percent in zip(
        FEES_TAKER, ("0.25", "0.20", "0.14", "0.12", "0.10", "0.08", "0.06", "0.04", "0.02", "0.00"), strict=True
    )
)
"""As `FEES_TAKER`, for the order that rested."""


FULL_BOOK_LEVELS: Final = 1_180
"""Levels a side of a simulated book at start: depth 1000 stays full, whatever a burst takes."""


class VenueAsset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset as REST `Assets` and the `instrument` channel describe it.

    Args:
        id: v2 name, ``BTC``.
        rest_id: ``XXBT``; `altname` is the v1 name ``XBT``.
        decimals: of the ledger; `display_decimals` for people.
        collateral_value: fraction of its value that counts as collateral.
        margin_rate: fee for borrowing it, a fraction; None when it cannot be borrowed.
    """

    id: str
    rest_id: str
    altname: str
    decimals: int
    display_decimals: int
    status: str = "enabled"
    collateral_value: Decimal
    margin_rate: Decimal | None = None

    @property
    def borrowable(self) -> bool:
        """Whether it can be borrowed for margin."""
        return self.margin_rate is not None


class VenueInstrument(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument: its names, precisions, limits, and how its simulated market behaves.

    Args:
        symbol, base, quote: v2 spelling.
        rest_key, altname, wsname: ``XXBTZUSD``, ``XBTUSD``, ``XBT/USD``.
        rest_base, rest_quote: REST asset ids, ``XXBT``, ``ZUSD``.
        price_precision: decimals of a price on v2 and REST (`pair_decimals`); one tick is one unit of the last.
        qty_precision: decimals of a quantity; one lot is one unit of the last.
        cost_precision: decimals of price times quantity.
        v1_price_decimals: decimals of a price on v1, which pads with zeros.
        qty_min, cost_min: smallest order in base and quote units.
        leverage: the levels offered, the same for both sides.
        margin_initial: fraction, None when not marginable.
        position_limit_long, position_limit_short: base units.
        status: ``online`` and the like.
        start_price: where the market begins, in ticks.
        typical_qty: an ordinary order at the touch, in lots.
        actions_per_s: how busy its traders are by default.
        span_permille: how far a full book reaches from the touch, in thousandths of the price.
        wander_permille: how far the price goes away from where it began.
    """

    symbol: str
    base: str
    quote: str
    rest_key: str
    altname: str
    wsname: str
    rest_base: str
    rest_quote: str
    price_precision: int
    qty_precision: int = 8
    cost_precision: int
    v1_price_decimals: int
    qty_min: Decimal
    cost_min: Decimal
    leverage: tuple[int, ...]
    margin_initial: Decimal | None
    position_limit_long: int
    position_limit_short: int
    has_index: bool = True
    margin_call: int = 80
    margin_stop: int = 40
    lot_multiplier: int = 1
    fee_volume_currency: str = "ZUSD"
    fees_taker: tuple[tuple[int, Decimal], ...] = FEES_TAKER
    fees_maker: tuple[tuple[int, Decimal], ...] = FEES_MAKER
    status: str = "online"
    execution_venue: str = "international"
    start_price: int
    typical_qty: int
    actions_per_s: int
    span_permille: int = 25
    wander_permille: int = 250

    @property
    def level_gap(self) -> int:
        """Usual ticks between two levels of a full book."""
        return max(1, self.start_price * self.span_permille // (1_000 * FULL_BOOK_LEVELS))

    @property
    def step_micro(self) -> int:
        """How far the price moves with one action at most, in millionths of a tick."""
        return min(666_667 * self.level_gap, self.start_price * 30)

    @property
    def price_increment(self) -> Decimal:
        """One tick in quote units."""
        return Decimal(1).scaleb(-self.price_precision)

    @property
    def qty_increment(self) -> Decimal:
        """One lot in base units."""
        return Decimal(1).scaleb(-self.qty_precision)

    @property
    def marginable(self) -> bool:
        """Whether margin orders are offered."""
        return self.margin_initial is not None


def _asset(name: str, decimals: int, display: int, collateral: str, margin_rate: str) -> VenueAsset:
    rest_id = rest_asset(name)
    return VenueAsset(
        id=name,
        rest_id=rest_id,
        altname=to_v1(f"{name}/-").partition("/")[0],
        decimals=decimals,
        display_decimals=display,
        collateral_value=Decimal(collateral),
        margin_rate=Decimal(margin_rate),
    )


ASSETS: Final = {
    asset.id: asset
    for asset in (
        _asset("USD", 4, 2, "1.000", "0.025"),
        _asset("EUR", 4, 2, "1.000", "0.020"),
        _asset("BTC", 10, 5, "0.990", "0.010"),
        _asset("ETH", 10, 5, "0.990", "0.020"),
        _asset("SOL", 10, 5, "0.950", "0.020"),
        _asset("XRP", 8, 5, "0.900", "0.020"),
        _asset("DOGE", 8, 2, "0.800", "0.020"),
        _asset("ADA", 8, 6, "0.900", "0.020"),
        _asset("LTC", 10, 5, "0.900", "0.020"),
        _asset("USDT", 8, 4, "0.950", "0.020"),
        _asset("DOT", 10, 8, "0.850", "0.020"),
        _asset("LINK", 10, 5, "0.850", "0.020"),
    )
}
"""Every asset of the listed instruments, by its v2 name."""

_TEN = tuple(range(2, 11))


def _instrument(
    symbol: str,
    decimals: tuple[int, int, int],
    minimums: tuple[str, str],
    margin: tuple[tuple[int, ...], str, int, int],
    market: tuple[str, str, int],
    span_permille: int = 25,
    wander_permille: int = 250,
) -> VenueInstrument:
    base, _, quote = symbol.partition("/")
    price_precision, cost_precision, v1_price_decimals = decimals
    leverage, margin_initial, limit_long, limit_short = margin
    price, qty, actions_per_s = market
    return VenueInstrument(
        symbol=symbol,
        base=base,
        quote=quote,
        rest_key=rest_key(symbol),
        altname=rest_altname(symbol),
        wsname=to_v1(symbol),
        rest_base=rest_asset(base),
        rest_quote=rest_asset(quote),
        price_precision=price_precision,
        cost_precision=cost_precision,
        v1_price_decimals=v1_price_decimals,
        qty_min=Decimal(minimums[0]),
        cost_min=Decimal(minimums[1]),
        leverage=leverage,
        margin_initial=Decimal(margin_initial),
        position_limit_long=limit_long,
        position_limit_short=limit_short,
        start_price=int(Decimal(price).scaleb(price_precision)),
        typical_qty=int(Decimal(qty).scaleb(8)),
        actions_per_s=actions_per_s,
        span_permille=span_permille,
        wander_permille=wander_permille,
    )


_LISTED = (
    # symbol, decimals (price, cost, v1 price), minimums (qty, cost), margin, market (price, usual qty, actions/s)
    _instrument("BTC/USD", (1, 5, 5), ("0.00005", "0.5"), (_TEN, "0.10", 300, 240), ("64820.0", "0.05", 20)),
    _instrument("ETH/USD", (2, 5, 5), ("0.002", "0.5"), (_TEN, "0.10", 4000, 4000), ("1931.40", "1.1", 20)),
    _instrument("SOL/USD", (2, 5, 5), ("0.02", "0.5"), (_TEN, "0.10", 37000, 24000), ("86.20", "14", 15), 140),
    _instrument("XRP/USD", (5, 8, 8), ("1.65", "0.5"), (_TEN, "0.10", 3200000, 1800000), ("1.10400", "1000", 15)),
    _instrument("DOGE/USD", (7, 9, 9), ("13", "0.5"), (_TEN, "0.10", 30000000, 30000000), ("0.0921500", "9000", 12)),
    _instrument("ADA/USD", (6, 6, 6), ("4.4", "0.5"), (_TEN, "0.10", 4000000, 4000000), ("0.264300", "3500", 10)),
    _instrument("LTC/USD", (2, 5, 5), ("0.04", "0.5"), (_TEN, "0.10", 16000, 16000), ("71.45", "9", 8), 180),
    _instrument("BTC/EUR", (1, 5, 5), ("0.00005", "0.45"), (_TEN, "0.10", 130, 100), ("55870.0", "0.04", 15)),
    _instrument("ETH/EUR", (2, 5, 5), ("0.002", "0.45"), (_TEN, "0.10", 2300, 2300), ("1664.70", "0.8", 12)),
    _instrument(
        "ETH/BTC", (5, 10, 6), ("0.002", "0.00002"), ((2, 3, 4, 5), "0.20", 1000, 600), ("0.02980", "1.2", 8), 420
    ),
    _instrument("USDT/USD", (5, 8, 8), ("5", "0.5"), ((2,), "0.50", 3200000, 4600000), ("0.99962", "5000", 10), 15, 3),
    _instrument("DOT/USD", (4, 5, 5), ("0.6", "0.5"), ((2, 3), "0.33", 150000, 150000), ("1.3620", "350", 6), 95),
    _instrument("LINK/USD", (5, 6, 6), ("0.2", "0.5"), (_TEN, "0.10", 65000, 65000), ("8.74100", "90", 6)),
)

INSTRUMENTS: Final = {instrument.symbol: instrument for instrument in _LISTED}
"""Every instrument the local Kraken can list, by v2 symbol, busiest first."""


def instruments(
    symbols: Iterable[str] | None = None, listing: tuple[VenueInstrument, ...] | None = None
) -> tuple[VenueInstrument, ...]:
    """Return the instruments asked for, in that order, each once; all of them by default.

    Args:
        symbols: any spelling: ``BTC/USD``, ``XBT/USD``, ``XBTUSD``, ``XXBTZUSD``.
        listing: what there is to choose from; None for what is built in.

    Raises:
        SymbolError: a spelling that names none of them, or no symbol at all; the text lists what exists.
    """
    there = INSTRUMENTS if listing is None else {instrument.symbol: instrument for instrument in listing}
    if symbols is None:
        return tuple(there.values())
    found: dict[str, VenueInstrument] = {}
    for written in symbols:
        instrument = _listed(written, there)
        found.setdefault(instrument.symbol, instrument)
    if not found:
        raise SymbolError("no symbol was given", hint=_hint(there))
    return tuple(found.values())


def assets(of: Iterable[VenueInstrument]) -> tuple[VenueAsset, ...]:
    """Return the assets that some instruments consist of, each once."""
    names = dict.fromkeys(name for instrument in of for name in (instrument.base, instrument.quote))
    return tuple(ASSETS[name] for name in names)


def _listed(written: str, there: Mapping[str, VenueInstrument]) -> VenueInstrument:
    try:
        return there[to_v2(written, there)]
    except SymbolError as error:
        raise SymbolError(str(error), hint=_hint(there)) from error


def _hint(there: Iterable[str]) -> str:
    return "The local Kraken lists " + ", ".join(there)
