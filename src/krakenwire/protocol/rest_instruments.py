"""What REST tells of instruments, read by a client: the answer to `AssetPairs`.

Its figures are those of v2's `instrument` channel under other names, and it
costs no connection. Source: v2 reference, section 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from krakenwire.errors import DecodeError, SymbolError
from krakenwire.limits import NUMBER_EXPONENT_MAX
from krakenwire.model import Instrument
from krakenwire.protocol.rest_client import rest_result
from krakenwire.protocol.rest_values import exact
from krakenwire.protocol.symbols import asset_name, to_v2

__all__ = ["read_instruments"]


class _Pair(msgspec.Struct):
    base: str
    quote: str
    pair_decimals: int
    lot_decimals: int
    ordermin: str
    wsname: str = ""
    altname: str = ""
    status: str = "online"
    cost_decimals: int | None = None
    costmin: str | None = None
    tick_size: str | None = None
    leverage_buy: list[int] = []


def read_instruments(body: bytes) -> Mapping[str, Instrument]:
    """Return the instruments in the answer to ``AssetPairs``, by v2 symbol, without those whose name we cannot read.

    Raises:
        VenueRefusal: it says no.
        DecodeError: not such an answer.
    """
    pairs = rest_result(body, dict[str, _Pair], "AssetPairs")
    found: dict[str, Instrument] = {}
    for key, pair in pairs.items():
        try:
            symbol = to_v2(pair.wsname or pair.altname or key)
        except SymbolError:
            continue
        found[symbol] = _instrument(symbol, pair)
    return found


def _instrument(symbol: str, pair: _Pair) -> Instrument:
    step = _step(pair.pair_decimals)
    return Instrument(
        symbol=symbol,
        base=asset_name(pair.base),
        quote=asset_name(pair.quote),
        status=pair.status,
        price_precision=pair.pair_decimals,
        qty_precision=pair.lot_decimals,
        cost_precision=pair.pair_decimals if pair.cost_decimals is None else pair.cost_decimals,
        price_increment=step if pair.tick_size is None else exact(pair.tick_size),
        qty_increment=_step(pair.lot_decimals),
        qty_min=exact(pair.ordermin),
        cost_min=None if pair.costmin is None else exact(pair.costmin),
        marginable=bool(pair.leverage_buy),
        has_index=True,  # not told here: whether a trigger may watch it is left to the venue
    )


def _step(decimals: int) -> Decimal:
    if not 0 <= decimals <= NUMBER_EXPONENT_MAX:
        raise DecodeError("a number of decimals out of range", str(decimals))
    return Decimal(1).scaleb(-decimals)
