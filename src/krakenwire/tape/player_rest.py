"""What a player answers to REST: the time, the trading mode, and what the tape tells of assets and pairs.

A tape has no account: every key is given a token, and nothing else that is
private. How numbers are written is in `krakenwire.protocol.rest`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from krakenwire.errors import SymbolError
from krakenwire.model import Asset, Instrument, Instruments
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol import rest
from krakenwire.protocol.rest import Json
from krakenwire.protocol.symbols import rest_altname, rest_asset, rest_key, to_v1, to_v2

__all__ = ["PlayerRest"]

_SECOND: Final = 1_000_000_000
_TOKEN_S: Final = 900
_DENIED: Final = "EGeneral:Permission denied"

Params = Mapping[str, str]


class PlayerRest:
    """REST of a player.

    Args:
        listing: what the tape tells of its pairs.
    """

    def __init__(self, listing: Instruments) -> None:
        self._pairs = {pair.symbol: pair for pair in listing.pairs}
        self._assets = {asset.id: asset for asset in listing.assets}
        self._methods: dict[str, Callable[[Params, int], Json]] = {
            "Time": lambda _, now_ns: {"unixtime": now_ns // _SECOND, "rfc1123": rest.rfc1123_text(now_ns)},
            "SystemStatus": lambda _, now_ns: {"status": "online", "timestamp": rfc3339_from_ns(now_ns, 0)},
            "Assets": self._asset_list,
            "AssetPairs": self._asset_pairs,
        }

    def answer(self, method: str, params: Params, now_ns: int) -> str:
        """Return the JSON text that answers a public call."""
        call = self._methods.get(method)
        if call is None:
            return rest.error_text(rest.UNKNOWN_METHOD)
        try:
            return rest.result_text(call(params, now_ns))
        except LookupError as error:
            return rest.error_text(str(error.args[0]))

    def private(self, method: str) -> str:
        """Return the JSON text that answers a private call."""
        if method == "GetWebSocketsToken":
            return rest.result_text({"token": "tape", "expires": _TOKEN_S})
        return rest.error_text(_DENIED)

    def _asset_list(self, params: Params, _: int) -> Json:
        if not params.get("asset"):
            return {rest_asset(name): _asset_entry(asset) for name, asset in self._assets.items()}
        by_name = {rest_asset(name): name for name in self._assets} | {name: name for name in self._assets}
        found = [by_name.get(name.strip().upper()) for name in params["asset"].split(",")]
        if None in found:
            raise LookupError(rest.UNKNOWN_ASSET)
        return {rest_asset(name): _asset_entry(self._assets[name]) for name in found if name is not None}

    def _asset_pairs(self, params: Params, _: int) -> Json:
        if not params.get("pair"):
            return {rest_key(symbol): _pair_entry(pair) for symbol, pair in self._pairs.items()}
        return dict(self._named(name.strip()) for name in params["pair"].split(","))

    def _named(self, name: str) -> tuple[str, Json]:
        try:
            symbol = to_v2(name, self._pairs)
        except SymbolError:
            raise LookupError(rest.UNKNOWN_PAIR) from None
        pair = self._pairs.get(symbol)
        if pair is None:
            raise LookupError(rest.UNKNOWN_PAIR)
        return (name if "/" in name else rest_key(symbol)), _pair_entry(pair)


def _asset_entry(asset: Asset) -> dict[str, Json]:
    return {
        "aclass": "currency",
        "altname": asset.id,
        "decimals": asset.precision,
        "display_decimals": asset.precision_display,
        "status": asset.status,
    }


def _pair_entry(pair: Instrument) -> dict[str, Json]:
    entry: dict[str, Json] = {
        "altname": rest_altname(pair.symbol),
        "wsname": to_v1(pair.symbol),
        "aclass_base": "currency",
        "base": rest_asset(pair.base),
        "aclass_quote": "currency",
        "quote": rest_asset(pair.quote),
        "lot": "unit",
        "cost_decimals": pair.cost_precision,
        "pair_decimals": pair.price_precision,
        "lot_decimals": pair.qty_precision,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "ordermin": rest.trimmed(pair.qty_min),
        "tick_size": rest.trimmed(pair.price_increment),
        "status": pair.status,
    }
    if pair.cost_min is not None:
        entry["costmin"] = rest.trimmed(pair.cost_min)
    return entry
