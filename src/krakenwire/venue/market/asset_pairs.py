"""Instruments from somebody's AssetPairs answer, so that the local Kraken can list what they trade.

Names, precisions, limits and fees are taken as they stand there. How an
unlisted instrument's market behaves is chosen so that a full book fits around
its price. The built-in listing is in `instruments.py`. Source: v2 reference,
section 11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec
from msgspec import structs

from krakenwire.errors import ConfigError, SymbolError
from krakenwire.protocol.symbols import rest_asset, to_v1, to_v2
from krakenwire.venue.config.reading import Table, table_of
from krakenwire.venue.market.instrument_rows import as_asset_pairs
from krakenwire.venue.market.instruments import (
    ASSETS,
    FEES_MAKER,
    FEES_TAKER,
    FULL_BOOK_LEVELS,
    INSTRUMENTS,
    VenueAsset,
    VenueInstrument,
)

__all__ = ["START_TICKS_MIN", "assets_of", "instruments_from"]

_START_TICKS: Final = 100_000
"""Kraken chooses decimals so that a price has five or six digits."""

START_TICKS_MIN: Final = 2 * FULL_BOOK_LEVELS
"""A full book reaches down to half the price at most."""

_START_TICKS_MAX: Final = 10**12
_MINIMUMS: Final = 500
"""An ordinary order is so many of the smallest ones."""

_TYPICAL_COST_MAX: Final = 10**17
_LOTS_MIN_MAX: Final = 10**15
"""Of the smallest order, so that the largest of the crowd stay far below what the engine takes."""

_ACTIONS_PER_S: Final = 5
_V1_DECIMALS_LEAST: Final = 5
_POSITIONS_MAX: Final = 10**15
_DECIMALS_MAX: Final = 12

Fees = tuple[tuple[int, Decimal], ...]


def instruments_from(
    document: object,
    *,
    symbols: Iterable[str] | None = None,
    start_prices: Mapping[str, Decimal] | None = None,
    source: str = "AssetPairs",
) -> tuple[VenueInstrument, ...]:
    """Return the instruments of an AssetPairs answer, or of a snapshot of the `instrument` channel.

    Args:
        document: the whole answer or its `result`, or the message or its `data`, parsed with numbers as int,
            `Decimal` or text.
        symbols: any spelling; only these are read, in this order. None reads all of them.
        start_prices: where a market begins, by v2 symbol, quote units. By default where the built-in
            listing has it, or else at a price of six digits.
        source: how the user knows the document, for errors.

    Raises:
        ConfigError: a member that is missing or cannot be, or a tick that is no power of ten.
        SymbolError: a symbol that the answer does not have.
    """
    entries = _entries(as_asset_pairs(document, source), source)
    wanted = entries if symbols is None else {symbol: entries[symbol] for symbol in _wanted(symbols, entries)}
    prices = start_prices or {}
    return tuple(_instrument(symbol, key, entry, prices.get(symbol)) for symbol, (key, entry) in wanted.items())


def assets_of(instruments: Iterable[VenueInstrument]) -> tuple[VenueAsset, ...]:
    """Return the assets that some instruments consist of, each once.

    Unlisted ones are made up from their names. Each is kept as finely as the quantities traded in it.
    """
    found: dict[str, VenueAsset] = {}
    for instrument in instruments:
        names = ((instrument.base, instrument.rest_base), (instrument.quote, instrument.rest_quote))
        for name, rest_id in names:
            found.setdefault(name, ASSETS.get(name) or _asset(name, rest_id))
        base = found[instrument.base]
        if base.decimals < instrument.qty_precision:
            found[instrument.base] = msgspec.structs.replace(base, decimals=instrument.qty_precision)
    return tuple(found.values())


def _asset(name: str, rest_id: str) -> VenueAsset:
    altname = to_v1(f"{name}/-").partition("/")[0]
    decimals, display = (4, 2) if rest_id == f"Z{altname}" else (10, 5)
    return VenueAsset(
        id=name,
        rest_id=rest_id,
        altname=altname,
        decimals=decimals,
        display_decimals=display,
        collateral_value=Decimal(0),
    )


# -- which entries ------------------------------------------------------------------


def _entries(document: object, source: str) -> dict[str, tuple[str, Table]]:
    """Every entry that has market data, by v2 symbol."""
    answer = table_of(document, source)
    pairs, place = (answer.table("result"), f"{source}.result") if "result" in answer else (answer, source)
    found: dict[str, tuple[str, Table]] = {}
    for key in pairs:
        entry = pairs.table(key)
        if key.endswith(".d"):
            continue
        wsname = entry.text("wsname", "a name such as XBT/USD")
        try:
            symbol = to_v2(wsname)
        except SymbolError as error:
            raise entry.wrong("wsname", "a name such as XBT/USD", hint=error.hint) from None
        if symbol in found:
            raise ConfigError(f"{place}.{key}", expected="each instrument once", found=f"{symbol} again")
        found[symbol] = (key, entry)
    if not found:
        raise ConfigError(place, expected="at least one instrument", found="none")
    return found


def _wanted(symbols: Iterable[str], entries: Mapping[str, object]) -> dict[str, None]:
    return dict.fromkeys(to_v2(written, entries) for written in symbols)


# -- one entry ------------------------------------------------------------------------


def _instrument(symbol: str, key: str, entry: Table, start_price: Decimal | None) -> VenueInstrument:
    base, _, quote = symbol.partition("/")
    precision = _price_precision(entry)
    start_ticks = _start_ticks(symbol, precision, start_price)
    qty_precision = entry.whole("lot_decimals", 8, most=_DECIMALS_MAX)
    lot = Decimal(1).scaleb(-qty_precision)
    qty_min = entry.number("ordermin", lot, most=f"{(_LOTS_MIN_MAX * lot).normalize():f}")
    listed = INSTRUMENTS.get(symbol)
    leverage = _leverage(entry)
    return VenueInstrument(
        symbol=symbol,
        base=base,
        quote=quote,
        rest_key=key,
        altname=entry.text("altname", "a name such as XBTUSD"),
        wsname=entry.text("wsname", "a name such as XBT/USD"),
        rest_base=entry.text("base", "an asset such as XXBT") if "base" in entry else rest_asset(base),
        rest_quote=entry.text("quote", "an asset such as ZUSD") if "quote" in entry else rest_asset(quote),
        price_precision=precision,
        qty_precision=qty_precision,
        cost_precision=entry.whole("cost_decimals", 5, most=2 * _DECIMALS_MAX),
        v1_price_decimals=listed.v1_price_decimals if listed else max(_V1_DECIMALS_LEAST, precision),
        qty_min=qty_min,
        cost_min=entry.number("costmin", Decimal(0), most="1000000000"),
        leverage=leverage,
        margin_initial=(Decimal(1) / leverage[-1]).quantize(Decimal("0.01")) if leverage else None,
        position_limit_long=entry.whole("long_position_limit", 0, most=_POSITIONS_MAX),
        position_limit_short=entry.whole("short_position_limit", 0, most=_POSITIONS_MAX),
        margin_call=entry.whole("margin_call", 80, most=100),
        margin_stop=entry.whole("margin_stop", 40, most=100),
        fees_taker=_fees(entry, "fees", FEES_TAKER),
        fees_maker=_fees(entry, "fees_maker", FEES_MAKER),
        start_price=start_ticks,
        typical_qty=_typical_qty(int(qty_min.scaleb(qty_precision)), start_ticks),
        actions_per_s=listed.actions_per_s if listed else _ACTIONS_PER_S,
        span_permille=max(listed.span_permille if listed else 25, -(-1_050 * FULL_BOOK_LEVELS // start_ticks)),
        wander_permille=listed.wander_permille if listed else 250,
    )


def _price_precision(entry: Table) -> int:
    """Decimals of a tick, where there is one: prices may be told with more."""
    if "tick_size" not in entry:
        return entry.whole("pair_decimals", 0, most=_DECIMALS_MAX)
    tick = entry.number("tick_size", least="0.000000000001", most="1")
    precision = -tick.adjusted()
    if tick != Decimal(1).scaleb(-precision):
        raise entry.wrong("tick_size", "a power of ten", hint="The local Kraken has no other ticks")
    return precision


def _start_ticks(symbol: str, precision: int, start_price: Decimal | None) -> int:
    listed = INSTRUMENTS.get(symbol)
    if start_price is not None:
        ticks = int(start_price.scaleb(precision))
        if not _fits(ticks):
            least, most = (Decimal(bound).scaleb(-precision) for bound in (START_TICKS_MIN, _START_TICKS_MAX))
            expected = f"from {least:f} to {most:f}, so that a full book fits around it"
            raise ConfigError(f"start price of {symbol}", expected=expected, found=start_price)
        return ticks
    ticks = int(Decimal(listed.start_price).scaleb(precision - listed.price_precision)) if listed else 0
    return ticks if _fits(ticks) else _START_TICKS


def beginning_at(instrument: VenueInstrument, ticks: int) -> VenueInstrument:
    """Return an instrument whose market begins at another price.

    Raises:
        ConfigError: a price that no full book fits around.
    """
    _start_ticks(instrument.symbol, instrument.price_precision, Decimal(ticks).scaleb(-instrument.price_precision))
    return structs.replace(
        instrument,
        start_price=ticks,
        span_permille=max(instrument.span_permille, -(-1_050 * FULL_BOOK_LEVELS // ticks)),
        typical_qty=max(1, min(instrument.typical_qty, _TYPICAL_COST_MAX // ticks)),
    )


def _typical_qty(least: int, start_ticks: int) -> int:
    """Lots of an ordinary order: its cost must leave room for whole books in 64 bits."""
    return max(1, least, min(_MINIMUMS * least, _TYPICAL_COST_MAX // start_ticks))


def _fits(ticks: int) -> bool:
    return START_TICKS_MIN <= ticks <= _START_TICKS_MAX


def _leverage(entry: Table) -> tuple[int, ...]:
    levels = entry.wholes("leverage_buy", least=2, most=100)
    return tuple(sorted(set(levels)))


def _fees(entry: Table, name: str, default: Fees) -> Fees:
    """The schedule; the answers of 2026 have empty ones."""
    rows = entry.rows(name, ("volume", "percent"))
    found = tuple((int(row.number("volume", most="1000000000000")), row.percent("percent")) for row in rows)
    volumes = [volume for volume, _ in found]
    if found and (volumes[0] != 0 or volumes != sorted(set(volumes))):
        raise entry.wrong(name, "rising volumes, the first of them 0")
    return found or default
