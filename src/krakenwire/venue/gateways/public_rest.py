"""Answers public REST calls from the markets, in Kraken's words and digits.

Reads markets and never commands them; every mistake of a caller is an answer
with a documented error text, never an exception. How numbers are written is
in `krakenwire.protocol.rest`. Source: v2 reference, section 11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final

from krakenwire.errors import DecodeError
from krakenwire.limits import OHLC_INTERVALS
from krakenwire.model.numbers import decimal_from_text, fixed_text
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol import rest
from krakenwire.protocol.rest import Json
from krakenwire.venue.gateways.public_book import GROUPED_DEPTHS, GROUPINGS, grouped_book, pre_trade
from krakenwire.venue.market.instruments import VenueAsset, VenueInstrument, assets
from krakenwire.venue.market.market import Market
from krakenwire.venue.market.statistics import Statistics

__all__ = ["RestGateway"]

_SECOND: Final = 1_000_000_000
_DEPTH_DEFAULT: Final = 100
_DEPTH_MAX: Final = 500
_TRADES_MAX: Final = 1000
_SECONDS_DIGITS_MAX: Final = 11
"""A `since` with more digits before the point than this is nanoseconds."""

Params = Mapping[str, str]


class _ApiError(Exception):
    """An answer that is an error text; never leaves this module."""


class RestGateway:
    """The public REST calls of one venue.

    Args:
        markets: by v2 symbol, in listing order.
        status: tells the venue's trading mode.
        listed: the assets of what is listed; None for those that are built in.
    """

    def __init__(
        self, markets: Mapping[str, Market], status: Callable[[], str], listed: tuple[VenueAsset, ...] | None = None
    ) -> None:
        self._markets, self._status = markets, status
        self._by_name = dict(_pair_names(markets.values()))
        self._assets = assets(market.instrument for market in markets.values()) if listed is None else listed
        self._methods: dict[str, Callable[[Params, int], Json]] = {
            "Time": self._time,
            "SystemStatus": self._system_status,
            "Assets": self._asset_list,
            "AssetPairs": self._asset_pairs,
            "Ticker": self._ticker,
            "Depth": self._depth,
            "GroupedBook": self._grouped_book,
            "PreTrade": self._pre_trade,
            "Trades": self._trades,
            "OHLC": self._ohlc,
            "Spread": self._spread,
        }

    def answer(self, method: str, params: Params, now_ns: int) -> str:
        """Return the JSON text that answers one call.

        Args:
            method: the last part of the path, ``Depth``.
            params: from the query or the body.
            now_ns: the time.
        """
        call = self._methods.get(method)
        if call is None:
            return rest.error_text(rest.UNKNOWN_METHOD)
        try:
            return rest.result_text(call(params, now_ns))
        except _ApiError as error:
            return rest.error_text(str(error))

    # -- the calls -----------------------------------------------------------

    def _time(self, _: Params, now_ns: int) -> Json:
        return {"unixtime": now_ns // _SECOND, "rfc1123": rest.rfc1123_text(now_ns)}

    def _system_status(self, _: Params, now_ns: int) -> Json:
        return {"status": self._status(), "timestamp": rfc3339_from_ns(now_ns, 0)}

    def _asset_list(self, params: Params, _: int) -> Json:
        if not _is_currency(params.get("aclass", "")):
            return {}
        if not params.get("asset"):
            return {asset.rest_id: _asset_entry(asset) for asset in self._assets}
        by_name = {name: asset for asset in self._assets for name in (asset.id, asset.altname, asset.rest_id)}
        found = [by_name.get(name.strip().upper()) for name in params["asset"].split(",")]
        if None in found:
            raise _ApiError(rest.UNKNOWN_ASSET)
        return {asset.rest_id: _asset_entry(asset) for asset in found if asset is not None}

    def _asset_pairs(self, params: Params, _: int) -> Json:
        entry = _PAIR_VIEWS.get(params.get("info") or "info")
        if entry is None:
            raise _ApiError(rest.INVALID_ARGUMENTS)
        if not _is_currency(params.get("aclass_base", "")):
            return {}
        return {key: entry(market.instrument) for key, market in self._asked(params).items()}

    def _ticker(self, params: Params, now_ns: int) -> Json:
        return {key: _ticker_entry(market, now_ns) for key, market in self._asked(params).items()}

    def _depth(self, params: Params, _: int) -> Json:
        key, market = self._one(params)
        count = min(_whole(params, "count", _DEPTH_DEFAULT, 1), _DEPTH_MAX)
        decimals = _decimals(market.instrument)
        sides: dict[str, Json] = {
            name: [
                rest.depth_row(level.price, level.qty, decimals, level.time_ns)
                for level in market.levels("sell" if name == "asks" else "buy", count)
            ]
            for name in ("asks", "bids")
        }
        return {key: sides}

    def _grouped_book(self, params: Params, _: int) -> Json:
        market = self._one(params)[1]
        depth, grouping = _whole(params, "depth", GROUPED_DEPTHS[0], 1), _whole(params, "grouping", GROUPINGS[0], 1)
        if depth not in GROUPED_DEPTHS or grouping not in GROUPINGS:
            raise _ApiError(rest.INVALID_ARGUMENTS)
        return grouped_book(market, params["pair"].strip(), depth, grouping)

    def _pre_trade(self, params: Params, _: int) -> Json:
        return pre_trade(self._one({"pair": params.get("symbol", "")})[1])

    def _trades(self, params: Params, _: int) -> Json:
        key, market = self._one(params)
        count = min(_whole(params, "count", _TRADES_MAX, 1), _TRADES_MAX)
        since_ns = _since_ns(params)
        if since_ns is None:
            found = market.trades(count)
        else:
            found = [trade for trade in market.trades() if trade.time_ns > since_ns][:count]
        decimals = _decimals(market.instrument)
        rows: list[Json] = [
            rest.trade_row(t.price, t.qty, decimals, t.time_ns, t.side, t.ord_type, t.trade_id) for t in found
        ]
        return {key: rows, "last": str(found[-1].time_ns if found else since_ns or 0)}

    def _ohlc(self, params: Params, now_ns: int) -> Json:
        key, market = self._one(params)
        interval = _whole(params, "interval", 1, 1)
        if interval not in OHLC_INTERVALS:
            raise _ApiError(rest.INVALID_ARGUMENTS)
        since_ns = _since_ns(params) or 0
        candles = market.candles.filled(interval, now_ns)
        decimals = _decimals(market.instrument)
        rows: list[Json] = [
            rest.candle_row(c.begin_ns, (c.open, c.high, c.low, c.close, c.vwap()), c.volume, decimals, c.trades)
            for c in candles
            if c.begin_ns > since_ns
        ]
        committed = candles[-2].begin_ns if len(candles) > 1 else 0
        return {key: rows, "last": committed // _SECOND}

    def _spread(self, params: Params, _: int) -> Json:
        key, market = self._one(params)
        since_ns = _since_ns(params) or 0
        quotes = [q for q in market.quotes() if q.bid and q.ask and q.time_ns >= since_ns]
        decimals = market.instrument.price_precision
        rows: list[Json] = [rest.spread_row(quote.time_ns, quote.bid, quote.ask, decimals) for quote in quotes]
        return {key: rows, "last": (quotes[-1].time_ns if quotes else since_ns) // _SECOND}

    # -- which pairs ---------------------------------------------------------

    def _asked(self, params: Params) -> dict[str, Market]:
        """The pairs of a comma list with the keys of their answers; all pairs without a list."""
        if not params.get("pair"):
            return {market.instrument.rest_key: market for market in self._markets.values()}
        return dict(self._named(name) for name in params["pair"].split(","))

    def _one(self, params: Params) -> tuple[str, Market]:
        if not params.get("pair"):
            raise _ApiError(rest.INVALID_ARGUMENTS)
        return self._named(params["pair"])

    def _named(self, name: str) -> tuple[str, Market]:
        """Asked with a slashed name the answer is keyed by exactly that name, else by the REST id."""
        name = name.strip()
        market = self._by_name.get(name.upper())
        if market is None:
            raise _ApiError(rest.UNKNOWN_PAIR)
        return (name if "/" in name else market.instrument.rest_key), market


def _pair_names(markets: Iterable[Market]) -> Iterable[tuple[str, Market]]:
    for market in markets:
        pair = market.instrument
        for name in (pair.rest_key, pair.altname, pair.wsname, pair.symbol, pair.symbol.replace("/", "")):
            yield name, market


def _decimals(pair: VenueInstrument) -> tuple[int, int]:
    return pair.price_precision, pair.qty_precision


# -- parameters ---------------------------------------------------------------


def _whole(params: Params, name: str, default: int, least: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _SECONDS_DIGITS_MAX and int(text) >= least):
        raise _ApiError(rest.INVALID_ARGUMENTS)
    return int(text)


def _since_ns(params: Params) -> int | None:
    """`since` in seconds, whole or not, or in nanoseconds; None when it is not there."""
    text = params.get("since", "")
    if not text:
        return None
    try:
        since = decimal_from_text(text)
    except DecodeError:
        raise _ApiError(rest.INVALID_ARGUMENTS) from None
    if since < 0:
        raise _ApiError(rest.INVALID_ARGUMENTS)
    return int(since if since >= 10**_SECONDS_DIGITS_MAX else since * _SECOND)


def _is_currency(asset_class: str) -> bool:
    """Whether the class asked for is the only one listed here; another known class is an empty answer."""
    if asset_class not in ("", "currency", "tokenized_asset"):
        raise _ApiError(rest.INVALID_ARGUMENTS)
    return asset_class != "tokenized_asset"


# -- entries ------------------------------------------------------------------


def _asset_entry(asset: VenueAsset) -> dict[str, Json]:
    entry: dict[str, Json] = {
        "aclass": "currency",
        "altname": asset.altname,
        "decimals": asset.decimals,
        "display_decimals": asset.display_decimals,
        "collateral_value": rest.number(asset.collateral_value),
        "status": asset.status,
    }
    if asset.margin_rate is not None:
        entry["margin_rate"] = rest.trimmed(asset.margin_rate)
    return entry


def _fee_rows(rows: Iterable[tuple[int, Decimal]]) -> list[Json]:
    return [[volume, rest.number(percent)] for volume, percent in rows]


def _leverage(pair: VenueInstrument) -> dict[str, Json]:
    return {"leverage_buy": pair.leverage, "leverage_sell": pair.leverage}


def _fees(pair: VenueInstrument) -> dict[str, Json]:
    return {
        "fees": _fee_rows(pair.fees_taker),
        "fees_maker": _fee_rows(pair.fees_maker),
        "fee_volume_currency": pair.fee_volume_currency,
    }


def _margin(pair: VenueInstrument) -> dict[str, Json]:
    return {"margin_call": pair.margin_call, "margin_stop": pair.margin_stop}


def _pair_entry(pair: VenueInstrument) -> dict[str, Json]:
    return {
        "altname": pair.altname,
        "wsname": pair.wsname,
        "aclass_base": "currency",
        "base": pair.rest_base,
        "aclass_quote": "currency",
        "quote": pair.rest_quote,
        "lot": "unit",
        "cost_decimals": pair.cost_precision,
        "pair_decimals": pair.price_precision,
        "lot_decimals": pair.qty_precision,
        "lot_multiplier": pair.lot_multiplier,
        **_leverage(pair),
        **_fees(pair),
        **_margin(pair),
        "ordermin": rest.trimmed(pair.qty_min),
        "costmin": rest.trimmed(pair.cost_min),
        "tick_size": rest.trimmed(pair.price_increment),
        "status": pair.status,
        "execution_venue": pair.execution_venue,
        "long_position_limit": pair.position_limit_long,
        "short_position_limit": pair.position_limit_short,
    }


_PAIR_VIEWS: Final[dict[str, Callable[[VenueInstrument], dict[str, Json]]]] = {
    "info": _pair_entry,
    "leverage": _leverage,
    "fees": _fees,
    "margin": _margin,
}


def _ticker_entry(market: Market, now_ns: int) -> dict[str, Json]:
    price_decimals, qty_decimals = _decimals(market.instrument)
    more = max(0, rest.PRICE_DECIMALS - price_decimals)
    day, today, quote = market.last_24_hours(now_ns), market.today(now_ns), market.quote

    def price(value: int) -> str:
        return rest.padded(value, price_decimals, rest.PRICE_DECIMALS)

    def best(value: int, qty: int) -> list[Json]:
        return [price(value), str(qty // 10**qty_decimals), rest.rounded(qty, qty_decimals, 3)]

    def both(figure: Callable[[Statistics], str]) -> list[Json]:
        return [figure(today), figure(day)]

    return {
        "a": best(quote.ask, quote.ask_qty),
        "b": best(quote.bid, quote.bid_qty),
        "c": [price(day.last), fixed_text(market.last_qty, qty_decimals)],
        "v": both(lambda s: fixed_text(s.volume, qty_decimals)),
        "p": both(lambda s: fixed_text(s.vwap(more), price_decimals + more)),
        "t": [today.trades, day.trades],
        "l": both(lambda s: price(s.low)),
        "h": both(lambda s: price(s.high)),
        "o": price(today.open),
    }
