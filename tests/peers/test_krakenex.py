"""krakenex: every public REST call it can make, only `uri` changed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import krakenex
import pytest


@pytest.fixture
def api(venue: Any) -> Iterator[krakenex.API]:
    api = krakenex.API()
    api.uri = venue.rest
    yield api
    api.close()


def result(api: krakenex.API, method: str, **params: Any) -> Any:
    answer = api.query_public(method, params, timeout=10)
    assert answer["error"] == []
    return answer["result"]


def test_time_and_status(api: krakenex.API) -> None:
    assert result(api, "Time")["unixtime"] > 1_700_000_000
    assert result(api, "SystemStatus")["status"] == "online"


def test_assets_and_pairs(api: krakenex.API) -> None:
    assert result(api, "Assets", asset="XBT,ETH")["XXBT"]["altname"] == "XBT"
    pairs = result(api, "AssetPairs")
    assert pairs["XXBTZUSD"]["wsname"] == "XBT/USD"
    assert result(api, "AssetPairs", pair="XBTUSD") == {"XXBTZUSD": pairs["XXBTZUSD"]}


def test_ticker_and_depth_agree_on_the_touch_being_uncrossed(api: krakenex.API) -> None:
    ticker = result(api, "Ticker", pair="XBTUSD")["XXBTZUSD"]
    assert Decimal(ticker["b"][0]) < Decimal(ticker["a"][0])
    depth = result(api, "Depth", pair="XBTUSD", count=25)["XXBTZUSD"]
    asks = [Decimal(row[0]) for row in depth["asks"]]
    bids = [Decimal(row[0]) for row in depth["bids"]]
    assert len(asks) == len(bids) == 25
    assert asks == sorted(asks)
    assert bids == sorted(bids, reverse=True)
    assert bids[0] < asks[0]


def test_trades_page_through_by_last(api: krakenex.API) -> None:
    first = result(api, "Trades", pair="XBTUSD", since=0, count=10)
    second = result(api, "Trades", pair="XBTUSD", since=first["last"], count=10)
    ids = [row[6] for row in first["XXBTZUSD"] + second["XXBTZUSD"]]
    assert len(ids) > 10
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def test_candles_and_spreads(api: krakenex.API) -> None:
    candles = result(api, "OHLC", pair="XBTUSD", interval=1)
    rows = candles["XXBTZUSD"]
    assert [row[0] for row in rows] == list(range(rows[0][0], rows[-1][0] + 60, 60))
    assert candles["last"] == rows[-2][0]
    spread = result(api, "Spread", pair="XBTUSD")
    assert all(Decimal(bid) < Decimal(ask) for _, bid, ask in spread["XXBTZUSD"])


def test_a_wrong_pair_is_an_error_in_the_body(api: krakenex.API) -> None:
    assert api.query_public("Depth", {"pair": "NOPE"}) == {"error": ["EQuery:Unknown asset pair"]}


def test_private_calls_are_refused_with_the_known_text(api: krakenex.API) -> None:
    api.key, api.secret = "key", "c2VjcmV0"
    assert api.query_private("Balance") == {"error": ["EAPI:Invalid key"]}
