"""pykrakenapi: every answer becomes a table of pandas, keyed and typed by its columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import krakenex
import pytest
from pykrakenapi import KrakenAPI
from pykrakenapi.pykrakenapi import KrakenAPIError

ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "20000"}


@pytest.fixture
def kraken(venue: Any) -> Iterator[KrakenAPI]:
    api = krakenex.API(venue.key, venue.secret)
    api.uri = venue.rest
    yield KrakenAPI(api, tier="Pro", retry=0, crl_sleep=0.001)
    api.close()


def test_the_market_is_in_tables(kraken: KrakenAPI) -> None:
    assert kraken.get_system_status()[0] == "online"
    assert kraken.get_asset_info().loc["XXBT", "altname"] == "XBT"
    assert kraken.get_tradable_asset_pairs().loc["XXBTZUSD", "wsname"] == "XBT/USD"
    candles, last = kraken.get_ohlc_data("XBTUSD", interval=5, ascending=True)
    assert (candles.high >= candles.low).all()
    assert candles.time.iloc[-2] == last
    asks, bids = kraken.get_order_book("XXBTZUSD", count=50, ascending=True)
    assert asks.price.astype(float).min() > bids.price.astype(float).max()
    trades, _ = kraken.get_recent_trades("XBTUSD", ascending=True)
    assert trades.index.is_monotonic_increasing
    assert (kraken.get_recent_spread_data("XBTUSD")[0].spread > 0).all()


def test_orders_fills_and_entries_are_in_tables(kraken: KrakenAPI) -> None:
    (order_id,) = kraken.add_standard_order(**ORDER, userref=77, validate=False)["txid"]
    assert list(kraken.get_open_orders(userref=77).index) == [order_id]
    assert kraken.query_orders_info(order_id).loc[order_id, "descr_price"] == 20_000
    assert kraken.cancel_open_order(order_id) == {"count": 1}
    told = kraken.add_standard_order(**ORDER, close_ordertype="limit", close_price="30000")
    assert told == {
        "descr": {"order": "buy 0.01000000 XBTUSD @ limit 20000.0", "close": "close position @ limit 30000.0"}
    }
    market = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01"}
    (market_id,) = kraken.add_standard_order(**market, validate=False)["txid"]
    trades, count = kraken.get_trades_history()
    mine = trades[trades.ordertxid == market_id]
    assert count >= len(mine) > 0
    assert list(kraken.query_trades_info(mine.txid.iloc[0]).ordertxid) == [market_id]
    entries, _ = kraken.get_ledgers_info()
    assert {"ZUSD", "XXBT"} <= set(entries.asset)
    assert kraken.get_account_balance().loc["XXBT", "vol"] > 1
    assert kraken.get_trade_balance(asset="ZUSD").iloc[0, 0] > 0
    assert kraken.get_trade_volume("XBTUSD")[0] == "ZUSD"
    with pytest.raises(KrakenAPIError, match="EOrder:Insufficient funds"):
        kraken.add_standard_order(**{**ORDER, "volume": "1000"}, validate=False)
