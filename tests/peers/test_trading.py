"""Trading by krakenex, ccxt, ccxt.pro and python-kraken-sdk: only addresses and the key are set."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import ccxt
import ccxt.pro
import krakenex
import pytest
from kraken.spot import SpotAsyncClient, SpotClient, SpotWSClient, Trade, User
from kraken.spot.websocket import SpotWSClientBase

from conftest import within

SYMBOL = "BTC/USD"
PACE = {"rateLimit": 5}
"""Milliseconds between the calls of ccxt: the account here has no limits."""


# -- krakenex --------------------------------------------------------------------


def test_krakenex_places_shows_and_cancels(venue: Any) -> None:
    api = krakenex.API(venue.key, venue.secret)
    api.uri = venue.rest

    def result(method: str, **params: Any) -> Any:
        answer = api.query_private(method, params)
        assert answer["error"] == []
        return answer["result"]

    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.01"}
    (txid,) = result("AddOrder", **order)["txid"]
    assert result("OpenOrders")["open"][txid]["descr"]["order"] == "buy 0.01000000 XBTUSD @ limit 20000.0"
    assert result("CancelOrder", txid=txid) == {"count": 1}
    assert result("QueryOrders", txid=txid)[txid]["status"] == "canceled"
    assert float(result("Balance")["XXBT"]) > 1
    api.close()


# -- ccxt ------------------------------------------------------------------------


def with_account(exchange: Any, venue: Any) -> Any:
    exchange.apiKey, exchange.secret = venue.key, venue.secret
    api = exchange.urls["api"]
    api["public"] = api["private"] = venue.rest
    if "ws" in api:
        api["ws"] |= {"public": venue.ws_v1, "private": venue.ws_v1, "publicV2": venue.ws_v2, "privateV2": venue.ws_v2}
    return exchange


def test_ccxt_trades_over_rest(venue: Any) -> None:
    kraken = with_account(ccxt.kraken(PACE), venue)
    before = kraken.fetch_balance()
    order = kraken.create_order(SYMBOL, "limit", "buy", 0.01, 20_000)
    assert order["id"] in {found["id"] for found in kraken.fetch_open_orders(SYMBOL)}
    assert kraken.fetch_balance()["USD"]["free"] < before["USD"]["free"]
    kraken.cancel_order(order["id"], SYMBOL)
    assert kraken.fetch_order(order["id"], SYMBOL)["status"] == "canceled"
    bought = kraken.create_order(SYMBOL, "market", "buy", 0.002)
    filled = kraken.fetch_order(bought["id"], SYMBOL)
    assert (filled["status"], filled["filled"]) == ("closed", 0.002)
    trades = [trade for trade in kraken.fetch_my_trades(SYMBOL) if trade["order"] == bought["id"]]
    assert sum(trade["amount"] for trade in trades) == pytest.approx(0.002)
    assert all(trade["fee"]["cost"] > 0 for trade in trades)
    assert kraken.fetch_closed_orders(SYMBOL)
    assert kraken.fetch_ledger("USD")


def pro(venue: Any, use: Callable[[Any], Awaitable[Any]]) -> Any:
    async def work() -> Any:
        exchange = with_account(ccxt.pro.kraken(PACE), venue)
        try:
            return await use(exchange)
        finally:
            await exchange.close()

    return within(work(), 40)


def test_ccxt_pro_trades_and_watches_over_the_websocket(venue: Any) -> None:
    async def use(kraken: Any) -> None:
        await kraken.load_markets()
        watching = asyncio.ensure_future(kraken.watch_orders(SYMBOL))
        mine = asyncio.ensure_future(kraken.watch_my_trades(SYMBOL))
        await asyncio.sleep(1)
        order = await kraken.create_order_ws(SYMBOL, "limit", "buy", 0.01, 20_000)
        seen = await watching
        assert order["id"] in {found["id"] for found in seen}
        await kraken.cancel_order_ws(order["id"])
        bought = await kraken.create_order_ws(SYMBOL, "market", "buy", 0.002)
        trades = await mine
        assert bought["id"] in {trade["order"] for trade in trades}
        balance = await kraken.watch_balance()
        assert balance["BTC"]["total"] > 1

    pro(venue, use)


# -- python-kraken-sdk -------------------------------------------------------------


@pytest.fixture
def _addresses(venue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for client in (SpotClient, SpotAsyncClient):
        monkeypatch.setattr(client, "URL", venue.rest)
    monkeypatch.setattr(SpotWSClientBase, "WS_URL", venue.ws_v1.rstrip("/"))
    monkeypatch.setattr(SpotWSClientBase, "AUTH_WS_URL", venue.ws_v1.rstrip("/"))


@pytest.mark.usefixtures("_addresses")
def test_the_sdk_trades_over_rest(venue: Any) -> None:
    trade, user = Trade(venue.key, venue.secret), User(venue.key, venue.secret)
    placed = trade.create_order(
        ordertype="limit", side="buy", pair="XBTUSD", volume=0.01, price=20_000, oflags=["post"], userref=12
    )
    (txid,) = placed["txid"]
    assert user.get_open_orders(userref=12)["open"][txid]["status"] == "open"
    assert trade.amend_order(extra_params={"txid": txid, "order_qty": "0.02"})["amend_id"]
    assert user.get_orders_info(txid=txid)[txid]["vol"] == "0.02000000"
    assert trade.cancel_order(txid=txid) == {"count": 1}
    assert txid in user.get_closed_orders()["closed"]
    assert float(user.get_account_balance()["ZUSD"]) > 1_000
    assert user.get_balances()["ZUSD"]
    assert user.get_trade_balance()["e"]
    assert trade.cancel_all_orders_after_x(timeout=0)["triggerTime"] == "0"
    assert "count" in user.get_trades_history()
    assert "count" in user.get_ledgers_info()
    assert user.get_trade_volume(pair="XBTUSD")["currency"] == "ZUSD"
    assert user.get_open_positions() == {}


@pytest.mark.usefixtures("_addresses")
def test_the_sdk_trades_over_the_websocket(venue: Any) -> None:
    kinds: list[str] = []
    replies: list[dict[str, Any]] = []
    answered, done = asyncio.Event(), asyncio.Event()

    async def take(message: dict[str, Any]) -> None:
        if message.get("channel") == "executions" and message["type"] == "update":
            kinds.extend(row["exec_type"] for row in message["data"])
        if message.get("method") in ("add_order", "cancel_all"):
            replies.append(message)
            answered.set()
        if "canceled" in kinds:
            done.set()

    async def work() -> None:
        client = SpotWSClient(key=venue.key, secret=venue.secret, callback=take)
        await client.start()
        await client.subscribe(params={"channel": "executions"})
        await client.subscribe(params={"channel": "balances"})
        order = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.01, "limit_price": 20_000}
        await client.send_message({"method": "add_order", "params": order})
        await answered.wait()
        await client.send_message({"method": "cancel_all"})
        await done.wait()
        await client.close()

    within(work(), 30)
    assert replies[0]["success"]
    assert kinds[:2] == ["pending_new", "new"]
