"""typed-kraken: every answer and every frame is held against the types of Kraken's documentation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import typed_kraken.core.base
from typed_core.exceptions import ApiError, AuthError, BadRequest
from typed_kraken import Kraken

from conftest import within

LIMIT = {"ordertype": "limit", "type": "buy", "pair": "XBTUSD", "price": "20000", "volume": "0.01"}
MARKET = {"ordertype": "market", "type": "sell", "pair": "XBTUSD", "volume": "0.01"}
WS_LIMIT = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "limit_price": 20_000.0, "order_qty": 0.01}

WS_MARKET = {"order_type": "market", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.01}


@pytest.fixture(autouse=True)
def _addresses(venue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    base = typed_kraken.core.base
    monkeypatch.setattr(base, "SPOT_API_URL", venue.rest)
    monkeypatch.setattr(base, "SPOT_WS_URL", venue.ws_v2)
    monkeypatch.setattr(base, "SPOT_WS_AUTH_URL", venue.ws_v2)


def use(venue: Any, work: Callable[[Any], Awaitable[None]], seconds: float = 20) -> None:
    async def connected() -> None:
        async with Kraken.new(api_key=venue.key, private_key=venue.secret) as kraken:
            await work(kraken)

    within(connected(), seconds)


def test_public_rest_is_of_the_documented_types(venue: Any) -> None:
    async def work(kraken: Any) -> None:
        market = kraken.spot.market_data
        assert (await market.system_status())["status"] == "online"
        assert (await market.time())["unixtime"]
        assert "XXBT" in await market.assets()
        for info in ("info", "leverage", "fees", "margin"):
            assert await market.asset_pairs(pair="XBTUSD", info=info)
        assert len((await market.depth("XBTUSD", count=10))["XXBTZUSD"]["bids"]) == 10
        assert len((await market.grouped_book("XBTUSD", depth=25, grouping=10))["asks"]) == 25
        assert (await market.pre_trade("BTC/USD"))["bids"][0]["count"] >= 1
        for call in (market.ticker, market.ohlc, market.trades, market.spread):
            assert await call("XBTUSD")

    use(venue, work)


def test_private_rest_is_of_the_documented_types(venue: Any) -> None:
    async def work(kraken: Any) -> None:
        trading, account = kraken.spot.trading, kraken.spot.account
        (order_id,) = (await trading.add_order(LIMIT))["txid"]
        assert order_id in (await account.open_orders(trades=True))["open"]
        assert (await trading.amend_order(txid=order_id, order_qty="0.02"))["amend_id"]
        assert (await account.order_amends(order_id))["count"] == 2
        edited = await trading.edit_order(txid=order_id, pair="XBTUSD", price="20005", volume="0.02")
        assert (await account.query_orders(edited["txid"]))[edited["txid"]]["status"] == "open"
        unpaired = {name: value for name, value in LIMIT.items() if name != "pair"}
        batch = await trading.add_order_batch([unpaired, {**unpaired, "price": "20001"}], pair="XBTUSD")
        assert await trading.cancel_order_batch([row["txid"] for row in batch["orders"]]) == {"count": 2}
        (market_id,) = (await trading.add_order(MARKET))["txid"]
        history = await account.trades_history(trades=True)
        trade_id = next(name for name, row in history["trades"].items() if row["ordertxid"] == market_id)
        assert await account.query_trades(trade_id)
        assert await account.query_ledgers(next(iter((await account.ledgers())["ledger"])))
        assert (await account.trade_volume("XBTUSD"))["inputs"]["domain_spot_volume_30d"]
        assert (await trading.cancel_all())["count"] == 1
        for call in (account.balance, account.balance_ex, account.trade_balance, account.api_key_info):
            assert await call()

    use(venue, work)


def test_refusals_become_its_errors(venue: Any) -> None:
    async def work(kraken: Any) -> None:
        trading = kraken.spot.trading
        for error, order in (
            (ApiError, {**LIMIT, "volume": "1000"}),
            (BadRequest, {**LIMIT, "volume": "0.000001"}),
            (BadRequest, {**LIMIT, "price": "20000.05"}),
        ):
            with pytest.raises(error):
                await trading.add_order(order)
        async with Kraken.new(api_key=venue.key, private_key="AAAA") as stranger:
            with pytest.raises(AuthError, match="EAPI:Invalid signature"):
                await stranger.spot.account.balance()

    use(venue, work)


def test_public_frames_are_of_the_documented_types(venue: Any) -> None:
    async def work(kraken: Any) -> None:
        streams = kraken.streams.market_data
        for stream in (
            streams.book(["BTC/USD"], depth=25),
            streams.ticker(["BTC/USD"], event_trigger="bbo"),
            streams.trade(["BTC/USD"], snapshot=True),
            streams.ohlc(["BTC/USD"], interval=1),
        ):
            async with stream as frames:
                rows = aiter(frames)
                assert [(await anext(rows))["type"] for _ in range(2)] == ["snapshot", "update"]
        async with streams.instrument() as frames:
            assert (await anext(aiter(frames)))["data"]["pairs"]

    use(venue, work, 40)


@asynccontextmanager
async def collected(stream: Any) -> AsyncIterator[list[Any]]:
    """What a stream says from its snapshot on, growing."""
    frames: list[Any] = []
    begun = asyncio.Event()

    async def collect() -> None:
        async with stream as said:
            async for frame in said:
                frames.append(frame)
                begun.set()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(collect())
        await begun.wait()
        yield frames
        task.cancel()


def test_orders_over_the_websocket_are_of_the_documented_types(venue: Any) -> None:
    async def work(kraken: Any) -> None:
        trading, private = kraken.trading_ws, kraken.streams.private
        async with collected(private.executions(ratecounter=True)) as said, collected(private.balances()) as money:
            placed = await trading.add_order(WS_LIMIT)
            assert (await trading.amend_order(order_id=placed["order_id"], order_qty=0.02))["amend_id"]
            edited = await trading.edit_order(
                order_id=placed["order_id"], symbol="BTC/USD", limit_price=20_001.0, order_qty=0.02
            )
            await trading.cancel_order(order_id=[edited["order_id"]])
            batch = [{name: value for name, value in WS_LIMIT.items() if name != "symbol"}] * 2
            ids = [row["order_id"] for row in await trading.batch_add(symbol="BTC/USD", orders=batch)]
            assert (await trading.batch_cancel(orders=ids))["orders_cancelled"] == 2
            bought = await trading.add_order(WS_MARKET)
            assert (await trading.cancel_all_orders_after(60))["triggerTime"]
            assert (await trading.cancel_all())["count"] == 0
        events = [(row["order_id"], row["exec_type"]) for frame in said for row in frame["data"]]
        assert [kind for order, kind in events if order == placed["order_id"]] == [
            *("pending_new", "new", "amended", "canceled")
        ]
        assert (bought["order_id"], "filled") in events
        assert [frame["type"] for frame in money][:2] == ["snapshot", "update"]

    use(venue, work)
