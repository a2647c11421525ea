"""A realistic v2 stream with valid checksums, made anew from a seed.

Ten pairs with Kraken-like precisions; 85 % book updates, 10 % trades, 5 %
tickers. The venue's side of a book: levels pushed out of the depth get no
removal, levels that come into view are sent along with what let them in.
It uses none of the code that is measured but for writing numbers and times.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from zlib import crc32

from krakenwire.model.numbers import fixed_text
from krakenwire.model.times import rfc3339_from_ns

__all__ = ["PAIRS", "QTY_DECIMALS", "Market", "Side", "one_pair", "stream"]

START_NS = 1_700_000_000 * 1_000_000_000
QTY_DECIMALS = 8
PAIRS = (  # symbol, price decimals, price in ticks, share of the updates
    ("BTC/USD", 1, 624_105, 28),
    ("ETH/USD", 2, 318_240, 20),
    ("SOL/USD", 2, 14_872, 12),
    ("XRP/USD", 5, 60_233, 10),
    ("DOGE/USD", 7, 1_204_410, 8),
    ("ADA/USD", 6, 451_300, 6),
    ("LTC/USD", 2, 8_431, 5),
    ("BTC/EUR", 1, 571_902, 5),
    ("ETH/BTC", 5, 5_104, 3),
    ("USDT/USD", 5, 99_981, 3),
)
SPARE = 80  # levels kept beyond the depth, so that there is always one to come into view


@dataclass
class Side:
    """All levels of one side, also those beyond the subscribed depth; keys ascend from the best."""

    rng: random.Random
    sign: int
    keys: list[int] = field(default_factory=list)
    qty: dict[int, int] = field(default_factory=dict)

    def fill(self, best: int, levels: int) -> None:
        """Make the levels of a new book, with gaps between them."""
        key = best * self.sign
        while len(self.keys) < levels and (self.sign > 0 or key < 0):
            self.keys.append(key)
            self.qty[key] = self.lots()
            key += self.rng.choice((1, 1, 2, 3, 5))

    def lots(self) -> int:
        """Return a quantity: small ones are as frequent as large ones."""
        return max(1, int(10 ** self.rng.uniform(4, 11)))

    def place(self, depth: int) -> int:
        """Where something happens: mostly near the best, at times anywhere in view."""
        shown = min(depth, len(self.keys))
        near = min(int(self.rng.expovariate(0.3)), shown - 1)
        return near if self.rng.random() < 0.7 else self.rng.randrange(shown)

    def change(self, depth: int, limit: int) -> list[tuple[int, int]]:
        """Do one thing and return the levels that a subscriber is told."""
        at, kind = self.place(depth), self.rng.random()
        if kind < 0.25 and len(self.keys) > depth + 10:
            return self._remove(at, depth)
        if kind < 0.5 and (key := self._gap_before(at, limit)) is not None:
            self.keys.insert(at, key)
            self.qty[key] = self.lots()
            return [(key, self.qty[key])]
        key = self.keys[at]
        self.qty[key] = self.lots()
        return [(key, self.qty[key])]

    def _remove(self, at: int, depth: int) -> list[tuple[int, int]]:
        key = self.keys.pop(at)
        del self.qty[key]
        entered = self.keys[depth - 1]
        return [(key, 0), (entered, self.qty[entered])]

    def _gap_before(self, at: int, limit: int) -> int | None:
        lower = self.keys[at - 1] if at else limit
        return self.keys[at] - 1 if self.keys[at] - lower > 1 else None

    def refill(self, depth: int) -> None:
        """Keep levels beyond the depth, which no subscriber sees."""
        while len(self.keys) < depth + SPARE // 2 and (self.sign > 0 or self.keys[-1] < -1):
            key = self.keys[-1] + 1
            self.keys.append(key)
            self.qty[key] = self.lots()


class Market:
    """One pair's two sides and the frames about it."""

    def __init__(self, rng: random.Random, symbol: str, decimals: int, ticks: int, depth: int) -> None:
        self.trade_id = 1_000_000 + ticks  # consecutive for each symbol, as the venue numbers them
        self.rng, self.symbol, self.decimals, self.depth = rng, symbol, decimals, depth
        self.asks, self.bids = Side(rng, 1), Side(rng, -1)
        self.asks.fill(ticks + 2, depth + SPARE)
        self.bids.fill(ticks, depth + SPARE)

    def price(self, key: int) -> str:
        """Return a price as the wire spells it."""
        return fixed_text(abs(key), self.decimals)

    def level(self, key: int, qty: int) -> str:
        """Return one level of a book message."""
        return f'{{"price":{self.price(key)},"qty":{fixed_text(qty, QTY_DECIMALS)}}}'

    def checksum(self) -> int:
        """Return the CRC32 of the ten best levels of each side, asks first."""
        best = ((side, key) for side in (self.asks, self.bids) for key in side.keys[:10])
        return crc32("".join(f"{abs(key)}{side.qty[key]}" for side, key in best).encode())

    def book(self, kind: str, bids: list[tuple[int, int]], asks: list[tuple[int, int]], time: str) -> bytes:
        """Return one book message."""
        sides = [",".join(self.level(key, qty) for key, qty in side) for side in (bids, asks)]
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{self.symbol}","bids":[{sides[0]}],'
            f'"asks":[{sides[1]}],"checksum":{self.checksum()},"timestamp":"{time}"}}]}}'
        ).encode()

    def snapshot(self, time: str) -> bytes:
        """Return the whole book as a subscriber sees it."""
        bids, asks = ([(key, side.qty[key]) for key in side.keys[: self.depth]] for side in (self.bids, self.asks))
        return self.book("snapshot", bids, asks, time)

    def update(self, time: str) -> bytes:
        """Do one to three things to the book and return the message that tells of them."""
        told: dict[int, list[tuple[int, int]]] = {1: [], -1: []}
        for _ in range(self.rng.choices((1, 2, 3), (7, 2, 1))[0]):
            side, other = self.rng.sample((self.asks, self.bids), 2)
            told[side.sign] += side.change(self.depth, -other.keys[0])
            side.refill(self.depth)
        return self.book("update", told[-1], told[1], time)

    def trade(self, time: str) -> bytes:
        """Return one trade at the touch."""
        self.trade_id += 1
        side = self.rng.choice((self.asks, self.bids))
        taker = "buy" if side.sign > 0 else "sell"
        price, qty = self.price(side.keys[0]), fixed_text(side.lots(), QTY_DECIMALS)
        row = (
            f'"symbol":"{self.symbol}","side":"{taker}","price":{price},"qty":{qty},'
            f'"ord_type":"market","trade_id":{self.trade_id},"timestamp":"{time}"'
        )
        return f'{{"channel":"trade","type":"update","data":[{{{row}}}]}}'.encode()

    def ticker(self) -> bytes:
        """Return a ticker; it has no time, as the venue's had none for years."""
        bid, ask = self.bids.keys[0], self.asks.keys[0]
        numbers = {
            "bid": self.price(bid),
            "bid_qty": fixed_text(self.bids.qty[bid], QTY_DECIMALS),
            "ask": self.price(ask),
            "ask_qty": fixed_text(self.asks.qty[ask], QTY_DECIMALS),
            "last": self.price(ask),
            "volume": fixed_text(self.bids.lots() * 1000, QTY_DECIMALS),
            "vwap": self.price(ask + 3),
            "low": self.price(ask - 40 if ask > 40 else ask),
            "high": self.price(ask + 60),
            "change": fixed_text(-7, self.decimals),
            "change_pct": "-0.21",
        }
        row = ",".join(f"{json.dumps(name)}:{text}" for name, text in numbers.items())
        return f'{{"channel":"ticker","type":"update","data":[{{"symbol":"{self.symbol}",{row}}}]}}'.encode()


def stream(depth: int, frames: int, seed: int = 1) -> Iterator[bytes]:
    """Yield a snapshot of each pair, then `frames` frames of the mix."""
    rng = random.Random(seed)
    markets = [Market(rng, symbol, decimals, ticks, depth) for symbol, decimals, ticks, _ in PAIRS]
    shares = [share for *_, share in PAIRS]
    now_ns = START_NS
    for market in markets:
        yield market.snapshot(rfc3339_from_ns(now_ns))
    for _ in range(frames):
        now_ns += rng.randrange(20_000, 900_000)
        market, kind, time = rng.choices(markets, shares)[0], rng.random(), rfc3339_from_ns(now_ns)
        if kind < 0.85:
            yield market.update(time)
        elif kind < 0.95:
            yield market.trade(time)
        else:
            yield market.ticker()


def one_pair(depth: int, frames: int, step_ns: int, seed: int = 1) -> Iterator[tuple[int, bytes]]:
    """Yield a snapshot of the first pair, then its updates and trades, each with the time it is received.

    There are as many updates for a trade as in `stream`.

    Args:
        depth: levels a side.
        frames: after the snapshot.
        step_ns: between two frames.
        seed: the same one gives the same frames.
    """
    rng = random.Random(seed)
    symbol, decimals, ticks, _ = PAIRS[0]
    market = Market(rng, symbol, decimals, ticks, depth)
    yield START_NS, market.snapshot(rfc3339_from_ns(START_NS))
    for now_ns in range(START_NS + step_ns, START_NS + (frames + 1) * step_ns, step_ns):
        make = market.update if rng.random() < 0.895 else market.trade
        yield now_ns, make(rfc3339_from_ns(now_ns))
