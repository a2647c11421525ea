"""The `instrument` channel as a source of instruments: its snapshot, told in the words of an AssetPairs answer.

What the channel does not tell - fees, margin levels, v1 names - is as for any
instrument without them. Source: v2 reference, section 6.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from krakenwire.errors import SymbolError
from krakenwire.protocol.symbols import rest_altname, rest_asset, rest_key, to_v1
from krakenwire.venue.config.reading import Table, table_of

__all__ = ["as_asset_pairs"]

_DECIMALS_MAX: Final = 12
_LEVERAGE_MAX: Final = 10
_MOST: Final = "1000000000000000"

_NUMBERS: Final = {"price_increment": "tick_size", "qty_min": "ordermin", "cost_min": "costmin"}
_LIMITS: Final = {"position_limit_long": "long_position_limit", "position_limit_short": "short_position_limit"}
"""What AssetPairs calls the figures that both tell."""


def as_asset_pairs(document: object, source: str) -> object:
    """Return a snapshot of the channel as an AssetPairs document; anything else as it is.

    Args:
        document: the message, its `data`, or something else; parsed with exact numbers.
        source: how the user knows it, for errors.

    Raises:
        ConfigError: a row that is none.
    """
    rows = _rows(document)
    if rows is None:
        return document
    return dict(_entry(table_of(row, f"{source}.pairs[{number}]")) for number, row in enumerate(rows))


def _rows(document: object) -> Sequence[object] | None:
    told = document.get("data", document) if isinstance(document, Mapping) else None
    rows = told.get("pairs") if isinstance(told, Mapping) else None
    return rows if isinstance(rows, list) else None


def _entry(row: Table) -> tuple[str, dict[str, object]]:
    symbol = row.text("symbol", "a symbol such as BTC/USD")
    try:
        key, altname, wsname = rest_key(symbol), rest_altname(symbol), to_v1(symbol)
    except SymbolError as error:
        raise row.wrong("symbol", "a symbol such as BTC/USD", hint=error.hint) from None
    base, _, quote = symbol.partition("/")
    entry: dict[str, object] = {
        "altname": altname,
        "wsname": wsname,
        "base": rest_asset(base),
        "quote": rest_asset(quote),
        "pair_decimals": row.whole("price_precision", 0, most=_DECIMALS_MAX),
        "lot_decimals": row.whole("qty_precision", 8, most=_DECIMALS_MAX),
        "cost_decimals": row.whole("cost_precision", 5, most=2 * _DECIMALS_MAX),
    }
    entry |= {theirs: row.number(name, most=_MOST) for name, theirs in _NUMBERS.items() if name in row}
    entry |= {theirs: row.whole(name, 0, most=int(_MOST)) for name, theirs in _LIMITS.items() if name in row}
    if row.flag("marginable", False) and "margin_initial" in row:
        steps = list(range(2, _steps(row) + 1))
        entry |= {"leverage_buy": steps, "leverage_sell": steps}
    return key, entry


def _steps(row: Table) -> int:
    share = row.number("margin_initial", least="0.01", most="1")
    return min(_LEVERAGE_MAX, int(Decimal(1) / share))
