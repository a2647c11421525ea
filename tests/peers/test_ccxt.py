"""ccxt and ccxt.pro: public REST and WebSocket calls, only `urls` and the pace changed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import ccxt
import ccxt.pro
import pytest

from conftest import within

SYMBOL = "BTC/USD"
PACE = {"rateLimit": 5}
"""Milliseconds between calls: nothing here limits those without an account."""


@pytest.fixture
def kraken(venue: Any) -> ccxt.kraken:
    return with_addresses(ccxt.kraken(PACE), venue)


def with_addresses(exchange: Any, venue: Any) -> Any:
    api = exchange.urls["api"]
    api["public"] = api["private"] = venue.rest
    if "ws" in api:
        api["ws"] |= {"public": venue.ws_v1, "publicV2": venue.ws_v2}
    return exchange


def watch(venue: Any, use: Callable[[Any], Awaitable[Any]]) -> Any:
    async def work() -> Any:
        exchange = with_addresses(ccxt.pro.kraken(PACE), venue)
        try:
            return await use(exchange)
        finally:
            await exchange.close()

    return within(work())


# -- REST ----------------------------------------------------------------------


def test_load_markets_knows_precisions_and_limits(kraken: ccxt.kraken) -> None:
    market = kraken.load_markets()[SYMBOL]
    assert (market["id"], market["info"]["wsname"]) == ("XXBTZUSD", "XBT/USD")
    assert market["active"]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 1e-8)
    assert market["limits"]["amount"]["min"] == 0.00005
    assert {"ETH/USD", "SOL/USD", "XRP/USD", "DOGE/USD", "ETH/BTC", "USDT/USD"} <= set(kraken.markets)


def test_fetch_currencies_knows_bitcoin(kraken: ccxt.kraken) -> None:
    kraken.load_markets()
    assert kraken.currencies["BTC"]["id"] == "XXBT"


def test_fetch_order_book(kraken: ccxt.kraken) -> None:
    book = kraken.fetch_order_book(SYMBOL, 50)
    assert len(book["bids"]) == len(book["asks"]) == 50
    assert book["bids"][0][0] < book["asks"][0][0]
    assert all(amount > 0 for _, amount, *_ in book["bids"] + book["asks"])


def test_fetch_trades_and_since(kraken: ccxt.kraken) -> None:
    trades = kraken.fetch_trades(SYMBOL, limit=20)
    assert len(trades) == 20
    assert {trade["side"] for trade in trades} <= {"buy", "sell"}
    assert all(trade["id"] for trade in trades)
    since = trades[10]["timestamp"]
    assert all(trade["timestamp"] >= since for trade in kraken.fetch_trades(SYMBOL, since=since, limit=5))


def test_fetch_ohlcv(kraken: ccxt.kraken) -> None:
    rows = kraken.fetch_ohlcv(SYMBOL, "5m", limit=100)
    assert len(rows) == 100
    assert rows[-1][0] <= time.time() * 1000 < rows[-1][0] + 300_000
    assert all(low <= min(opened, close) <= max(opened, close) <= high for _, opened, high, low, close, _ in rows)
    since = rows[50][0]
    assert kraken.fetch_ohlcv(SYMBOL, "5m", since=since)[0][0] == since


def test_fetch_ticker_and_tickers(kraken: ccxt.kraken) -> None:
    ticker = kraken.fetch_ticker(SYMBOL)
    assert ticker["bid"] < ticker["ask"]
    assert ticker["low"] <= ticker["last"] <= ticker["high"]
    assert set(kraken.fetch_tickers(["ETH/USD", "XRP/USD"])) == {"ETH/USD", "XRP/USD"}


def test_fetch_time_and_status(kraken: ccxt.kraken) -> None:
    assert abs(kraken.fetch_time() - time.time() * 1000) < 60_000
    assert kraken.fetch_status()["status"] == "ok"


def test_errors_are_mapped_by_their_text(kraken: ccxt.kraken) -> None:
    kraken.load_markets()
    with pytest.raises(ccxt.ExchangeError, match="EQuery:Unknown asset pair"):
        kraken.publicGetDepth({"pair": "NOPE"})
    kraken.apiKey, kraken.secret = "key", "c2VjcmV0"
    with pytest.raises(ccxt.AuthenticationError):
        kraken.fetch_balance()


# -- WebSocket -------------------------------------------------------------------


def test_watch_trades(venue: Any) -> None:
    async def use(exchange: Any) -> list[Any]:
        seen: list[Any] = []
        while len(seen) < 5:
            seen += await exchange.watch_trades(SYMBOL)
        return seen

    assert all(trade["symbol"] == SYMBOL and trade["amount"] > 0 for trade in watch(venue, use))


def test_watch_trades_for_several_symbols(venue: Any) -> None:
    async def use(exchange: Any) -> set[str]:
        seen: set[str] = set()
        while len(seen) < 3:
            seen |= {
                trade["symbol"] for trade in await exchange.watch_trades_for_symbols([SYMBOL, "ETH/USD", "SOL/USD"])
            }
        return seen

    assert watch(venue, use) == {SYMBOL, "ETH/USD", "SOL/USD"}


def test_watch_ticker_and_tickers(venue: Any) -> None:
    async def use(exchange: Any) -> Any:
        await exchange.watch_tickers([SYMBOL, "ETH/USD"])
        await exchange.watch_ticker("XRP/USD")
        return await exchange.watch_ticker(SYMBOL)

    ticker = watch(venue, use)
    assert ticker["symbol"] == SYMBOL
    assert ticker["bid"] < ticker["ask"]


def test_watch_bids_asks(venue: Any) -> None:
    async def use(exchange: Any) -> Any:
        return await exchange.watch_bids_asks([SYMBOL])

    assert SYMBOL in watch(venue, use)


@pytest.mark.parametrize("symbol", [SYMBOL, "DOGE/USD", "USDT/USD"])
@pytest.mark.parametrize("depth", [10, 100])
def test_watch_order_book_stays_sound(venue: Any, symbol: str, depth: int) -> None:
    async def use(exchange: Any) -> None:
        # ccxt's own checksum option takes numbers for texts and fails on Python; the SDK's test verifies checksums.
        for _ in range(25):
            book = await exchange.watch_order_book(symbol, depth)
            assert len(book["bids"]) == len(book["asks"]) == depth
            assert book["bids"][0][0] < book["asks"][0][0]

    watch(venue, use)


def test_watch_order_book_for_several_symbols(venue: Any) -> None:
    async def use(exchange: Any) -> set[str]:
        seen: set[str] = set()
        while len(seen) < 2:
            seen.add((await exchange.watch_order_book_for_symbols([SYMBOL, "ETH/USD"], 25))["symbol"])
        return seen

    assert watch(venue, use) == {SYMBOL, "ETH/USD"}


def test_watch_ohlcv(venue: Any) -> None:
    async def use(exchange: Any) -> Any:
        for _ in range(3):
            candles = await exchange.watch_ohlcv(SYMBOL, "1m")
        return candles

    candle = watch(venue, use)[-1]
    assert candle[0] % 60_000 == 0
    assert candle[3] <= candle[4] <= candle[2]
