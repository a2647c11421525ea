"""Other clients fed the same frames without a socket, each by its nearest offline entry.

Each maker returns a job like any other case's, or raises ImportError when the
peer is not installed. What a peer does not verify is said in `NOTES`.
"""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import msgspec

from krakenwire.bench.generate import PAIRS, QTY_DECIMALS
from krakenwire.bench.timing import Job

__all__ = ["NOTES", "PEERS", "ccxt", "order_book", "python_kraken_sdk"]

_DEPTH = 10

NOTES = {
    "ccxt": "verifies no checksum",
    "python-kraken-sdk": "does not verify snapshots",
    "order-book": "fed by msgspec with Decimal",
}


class _Level(msgspec.Struct, gc=False):
    price: Decimal
    qty: Decimal


class _Book(msgspec.Struct, gc=False):
    symbol: str
    bids: list[_Level]
    asks: list[_Level]
    checksum: int


class _BookMessage(msgspec.Struct, gc=False):
    type: str
    data: list[_Book]


_decode_book = msgspec.json.Decoder(_BookMessage).decode


def ccxt(snapshots: list[bytes], updates: list[bytes]) -> Job:
    """ccxt.pro's `handle_message`, called as its own client does."""
    decode = import_module("orjson").loads
    exchange = import_module("ccxt.pro").kraken({"newUpdates": True})
    client = SimpleNamespace(subscriptions={}, resolve=lambda *_: None, url="", lastPong=0)
    for symbol, *_ in PAIRS:
        client.subscriptions[exchange.get_message_hash("orderbook", None, symbol)] = {"limit": _DEPTH}

    def feed(frames: list[bytes]) -> None:
        for frame in frames:
            exchange.handle_message(client, decode(frame))

    feed(snapshots)

    def prove() -> None:
        missing = [symbol for symbol, *_ in PAIRS if not exchange.orderbooks[symbol]["bids"]]
        if missing:
            raise AssertionError(f"ccxt has no book of {missing}")

    return Job(lambda: feed(updates), len(updates), prove)


def python_kraken_sdk(snapshots: list[bytes], updates: list[bytes]) -> Job:
    """python-kraken-sdk's `SpotOrderBookClient.on_message`, with json.loads as its connector does."""
    base: Any = import_module("kraken.spot").SpotOrderBookClient
    done = [0, 0]

    class Client(base):  # type: ignore[misc]  # the peer's class is not typed for us
        async def on_book_update(self, pair: str, message: dict[str, Any]) -> None:  # noqa: ARG002 - its own signature
            done["error" in message] += 1

    client = object.__new__(Client)  # its constructor wants a connection
    private = "_SpotOrderBookClient__"
    client.__dict__ |= {private + "book": {}, private + "depth": _DEPTH, private + "callback": None}
    client.__dict__[private + "market"] = sdk_market()

    async def feed(frames: list[bytes]) -> None:
        for frame in frames:
            await client.on_message(json.loads(frame))

    asyncio.run(feed(snapshots))

    def prove() -> None:
        books = sum(b'"channel":"book"' in frame[:20] for frame in updates) + len(snapshots)
        if done != [books, 0]:
            raise AssertionError(f"python-kraken-sdk: {done} of {books} book messages")

    return Job(lambda: asyncio.run(feed(updates)), len(updates), prove)


def sdk_market() -> SimpleNamespace:
    """Return what python-kraken-sdk would have asked the REST service for."""
    decimals = {symbol: {"pair_decimals": decimals, "lot_decimals": QTY_DECIMALS} for symbol, decimals, *_ in PAIRS}
    return SimpleNamespace(get_asset_pairs=lambda pair: {pair: decimals[pair]})


def order_book(snapshots: list[bytes], updates: list[bytes]) -> Job:
    """The C extension order-book, with msgspec in front of it and every checksum compared."""
    make: Any = import_module("order_book").OrderBook
    books: dict[str, Any] = {}

    def feed(frames: list[bytes]) -> None:
        for frame in frames:
            if not frame.startswith(b'{"channel":"book"'):
                continue
            message = _decode_book(frame)
            row = message.data[0]
            if message.type == "snapshot":
                books[row.symbol] = make(max_depth=_DEPTH, max_depth_strict=True, checksum_format="KRAKEN")
            book = books[row.symbol]
            for side, levels in ((book.asks, row.asks), (book.bids, row.bids)):
                for level in levels:
                    if level.qty:
                        side[level.price] = level.qty
                    elif level.price in side:
                        del side[level.price]
            if book.checksum() != row.checksum:
                raise AssertionError(f"order-book: wrong checksum of {row.symbol}")

    feed(snapshots)
    return Job(lambda: feed(updates), len(updates))


PEERS = {"ccxt": ccxt, "python-kraken-sdk": python_kraken_sdk, "order-book": order_book}
"""By the name in `goals`."""
