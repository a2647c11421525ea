"""Whole clients of other people on the bench's server, each with a Python callback per book message.

The clock of every client runs from its first callback to its last. Each
maker's coroutine returns nanoseconds for a frame; it raises ImportError when
the peer is not installed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from importlib import import_module
from typing import Any

from krakenwire.bench.generate import PAIRS, QTY_DECIMALS
from krakenwire.bench.peers_offline import sdk_market

__all__ = ["DEADLINE_S", "SOCKET_PEERS", "Clock", "ccxt", "python_kraken_sdk"]

DEADLINE_S = 120


class Clock:
    """Counts callbacks and keeps the times of the first and the last.

    Args:
        count: how many will come.
    """

    def __init__(self, count: int) -> None:
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._count, self._left = count, count
        self._start = 0

    def hit(self) -> None:
        """Note one callback."""
        if self._left == self._count:
            self._start = time.perf_counter_ns()
        self._left -= 1
        if self._left == 0:
            self.done.set_result((time.perf_counter_ns() - self._start) / self._count)

    async def result(self) -> float:
        """Wait for the last one and return the nanoseconds for each."""
        return await asyncio.wait_for(self.done, DEADLINE_S)


async def ccxt(port: int, count: int) -> float:
    """ccxt.pro, watching all pairs; it hands each message to `handle_order_book`, which we count."""
    exchange = import_module("ccxt.pro").kraken({"newUpdates": True})
    exchange.urls["api"]["ws"]["publicV2"] = f"ws://127.0.0.1:{port}/1/v2"
    exchange.set_markets([_ccxt_market(exchange, symbol, decimals) for symbol, decimals, *_ in PAIRS])
    clock, plain = Clock(count), exchange.handle_order_book

    def counted(client: object, message: object) -> None:
        plain(client, message)
        clock.hit()

    exchange.handle_order_book = counted

    async def watch() -> None:
        while True:
            await exchange.watch_order_book_for_symbols([symbol for symbol, *_ in PAIRS], 10)

    user = asyncio.create_task(watch())
    try:
        return await clock.result()
    finally:
        user.cancel()
        with suppress(Exception, asyncio.CancelledError):  # a future of its own that its closing ends
            await user
        await exchange.close()


def _ccxt_market(exchange: Any, symbol: str, decimals: int) -> Any:
    base, quote = symbol.split("/")
    return exchange.safe_market_structure({
        "id": symbol.replace("/", ""),
        "symbol": symbol,
        "base": base,
        "quote": quote,
        "baseId": base,
        "quoteId": quote,
        "type": "spot",
        "spot": True,
        "active": True,
        "info": {"wsname": symbol},
        "precision": {"price": 10.0**-decimals, "amount": 10.0**-QTY_DECIMALS},
    })  # fmt: skip


async def python_kraken_sdk(port: int, count: int) -> float:
    """python-kraken-sdk's `SpotOrderBookClient`, which verifies updates."""
    base: Any = import_module("kraken.spot").SpotOrderBookClient
    logging.getLogger("kraken").setLevel(logging.ERROR)
    clock = Clock(count)
    failures: list[object] = []

    class Client(base):  # type: ignore[misc]  # the peer's class is not typed for us
        WS_URL = f"ws://127.0.0.1:{port}/1"

        async def on_book_update(self, pair: str, message: dict[str, Any]) -> None:  # noqa: ARG002 - its own signature
            if "error" in message:
                failures.append(message)
            clock.hit()

    client = Client(depth=10)
    client.__dict__["_SpotOrderBookClient__market"] = sdk_market()
    try:
        await client.start()
        await client.add_book(pairs=[symbol for symbol, *_ in PAIRS])
        result = await clock.result()
    finally:
        await client.close()
    if failures:
        raise AssertionError(f"python-kraken-sdk: {failures[0]}")
    return result


SOCKET_PEERS = {"ccxt": ccxt, "python-kraken-sdk": python_kraken_sdk}
"""By the name in `goals`."""
