"""python-kraken-sdk: its order book client verifies our checksums; only URL attributes are changed."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from kraken.exceptions import KrakenUnknownAssetError
from kraken.spot import Market, SpotAsyncClient, SpotClient, SpotOrderBookClient, SpotWSClient
from kraken.spot.websocket import SpotWSClientBase

from conftest import within

SYMBOLS = ["BTC/USD", "ETH/USD", "XRP/USD", "DOGE/USD"]


@pytest.fixture(autouse=True)
def _addresses(venue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for client in (SpotClient, SpotAsyncClient):
        monkeypatch.setattr(client, "URL", venue.rest)
    monkeypatch.setattr(SpotWSClientBase, "WS_URL", venue.ws_v1.rstrip("/"))


@pytest.mark.parametrize("depth", [10, 25, 100, 1000])
def test_order_books_verify_on_every_update(depth: int) -> None:
    updates: Counter[str] = Counter()
    errors: list[Any] = []
    enough = asyncio.Event()

    class Books(SpotOrderBookClient):
        async def on_book_update(self, pair: str, message: dict[str, Any]) -> None:
            book = self.get(pair)
            if "error" in message or not book["valid"] or len(book["bid"]) != depth or len(book["ask"]) != depth:
                errors.append(message)
            updates[pair] += message.get("type") == "update"
            if errors or min(updates[symbol] for symbol in SYMBOLS) >= 25:
                enough.set()

    async def work() -> None:
        books = Books(depth=depth)
        await books.start()
        await books.add_book(pairs=SYMBOLS)
        await enough.wait()
        await books.close()

    within(work(), 40)
    assert errors == []


def test_ws_client_receives_every_public_channel() -> None:
    channels: Counter[str] = Counter()
    wanted = {"ticker", "trade", "ohlc", "book", "instrument", "status", "heartbeat"}

    refusals: list[Any] = []
    enough = asyncio.Event()

    async def take(message: dict[str, Any]) -> None:
        channels[message.get("channel", "")] += 1
        if not message.get("success", True):
            refusals.append(message)
        if refusals or wanted <= set(channels):
            enough.set()

    async def work() -> None:
        client = SpotWSClient(callback=take)
        await client.start()
        for channel in ("ticker", "trade", "ohlc", "book"):
            await client.subscribe(params={"channel": channel, "symbol": ["BTC/USD"]})
        await client.subscribe(params={"channel": "instrument"})
        await enough.wait()
        await client.unsubscribe(params={"channel": "ticker", "symbol": ["BTC/USD"]})
        await client.close()

    within(work())
    assert refusals == []


def test_market_client_reads_every_public_rest_call() -> None:
    market = Market()
    assert market.get_asset_pairs(pair="BTC/USD")["BTC/USD"]["pair_decimals"] == 1
    assert "XXBT" in market.get_assets(assets="XBT")
    assert "XXBTZUSD" in market.get_ticker(pair="XBTUSD")
    assert len(market.get_ohlc(pair="XBTUSD", interval=1)["XXBTZUSD"]) > 100
    assert len(market.get_order_book(pair="XBTUSD", count=10)["XXBTZUSD"]["asks"]) == 10
    assert market.get_recent_trades(pair="XBTUSD")["XXBTZUSD"]
    assert market.get_recent_spreads(pair="XBTUSD")["XXBTZUSD"]
    assert market.get_system_status()["status"] == "online"
    with pytest.raises(KrakenUnknownAssetError, match="EQuery:Unknown asset pair"):
        market.get_order_book(pair="NOPE")
