"""Books and trades wilder than any market's: odd numbers, odd sides, and still the right checksums.

What the pure twin makes of each message decides its checksum, so that books
stay live through spellings no venue sends. The same seed gives the same
stream. Next: `compare`, which feeds them to both twins.
"""

from __future__ import annotations

from random import Random
from typing import Any

from tests.native.frames import CODECS, SYMBOLS, WSNAMES, Number, Stream, text_of

from krakenwire.book.l2 import L2Book
from krakenwire.errors import DecodeError
from krakenwire.model import BookUpdate, Gap, Level3Update
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.session.feed import Feed


class _Lenient(L2Book):
    """Takes a crossed book: what its checksum will vouch for."""

    __slots__ = ()

    def _refuse_crossed(self) -> None:
        pass


class Sealer:
    """Gives book messages the checksums that a book which takes all of them has: those of the pure twin."""

    def __init__(self, version: int) -> None:
        self._feed = Feed(CODECS[version](), verify=False, native=False)
        self._feed._l2 = _Lenient
        self.live: dict[str, bool] = {}

    def seal(self, tree: Any) -> bytes:
        """Return the frame, and note whether the books it speaks of are live after it."""
        try:
            events = self._feed.feed(text_of(tree).encode())
        except DecodeError:
            events = ()
        for event in events:
            if isinstance(event, BookUpdate | Level3Update) and event.book is not None:
                self.live[event.symbol] = event.book.state == "live"
                if event.checksum is not None:
                    _sign(tree, event.book.checksum)
            elif isinstance(event, Gap) and event.symbol is not None:
                self.live[event.symbol] = False
        return text_of(tree).encode()


def _sign(tree: Any, checksum: int) -> None:
    if isinstance(tree, dict):
        tree["data"][0]["checksum"] = Number(checksum)
    else:
        tree[-3]["c"] = str(checksum)


class Side:
    """One side of a wild book: it knows some of its prices, to remove and change them."""

    def __init__(self, sign: int, mid: int) -> None:
        self.sign, self.mid = sign, mid
        self.known: set[int] = set()

    def change(self, rng: Random) -> tuple[int, int]:
        """A price and a quantity, zero for a removal - of what is not there, now and then."""
        if self.known and rng.random() < 0.45:
            price = rng.choice(sorted(self.known))
            if rng.random() < 0.6:
                self.known.discard(price)
                return price, 0
        else:
            price = max(1, self.mid + self.sign * rng.randint(1, 40) - (rng.random() < 0.01) * self.sign * 60)
        if rng.random() < 0.03:
            return price, 0
        self.known.add(price)
        return price, rng.choice((rng.randint(1, 9), rng.randint(1, 10**8), rng.randint(1, 10**12)))


def spelled(value: int, decimals: int, rng: Random, wildness: float) -> Number:
    """Return a number's text: mostly plain, else one of its other spellings or a little more than it."""
    text = f"{value:0{decimals + 1}d}"
    text = f"{text[:-decimals]}.{text[-decimals:]}" if decimals else text
    if rng.random() >= wildness:
        return Number(text)
    kind = rng.randrange(8)
    if kind == 0:
        return Number(text.rstrip("0").rstrip(".") if "." in text else text)
    if kind == 1:
        return Number(text + ("" if "." in text else ".") + "0" * rng.randint(1, 6))
    if kind == 2:
        return Number(text + ("" if "." in text else ".") + str(rng.randint(1, 10 ** rng.randint(1, 9))))
    if kind == 3:
        return Number(f"{value}{rng.choice('eE')}-{decimals}")
    if kind == 4:
        return Number(f"{text}e{rng.choice(('0', '+0', '-0', '1', '-1', '+2'))}")
    if kind == 5:
        return Number(f"{rng.choice((2**63, 2**64, 10**18, 10**19)) + rng.randint(-2, 2)}"[: rng.randint(17, 20)])
    if kind == 6:
        return Number(f"{value}.{rng.randint(0, 10 ** rng.randint(8, 30))}")
    return Number(f"-{text}" if rng.random() < 0.1 else text)


def wild(version: int, seed: int, frames: int, wildness: float = 0.05) -> Stream:
    """Return books and trades of odd numbers, sealed with the right checksums but for a few."""
    rng = Random(seed)
    places = rng.sample(range(len(SYMBOLS)), 2)
    books = [_WildBook(version, place, rng, wildness) for place in places]
    sealer, told = Sealer(version), []
    for _ in range(frames):
        book = rng.choice(books)
        if rng.random() < 0.08:
            told.append(text_of(book.trade(rng)).encode())
            continue
        lost = not sealer.live.get(SYMBOLS[book.place], False)
        tree = book.message(rng, snapshot=rng.random() < (0.6 if lost else 0.03))
        if rng.random() < 0.01:  # a wrong checksum: the real book is lost
            sealer.live[SYMBOLS[book.place]] = False
            told.append(text_of(tree).encode())
        else:
            told.append(sealer.seal(tree))
    return Stream(f"wild v{version} seed={seed} wildness={wildness}", version, tuple(told))


class _WildBook:
    def __init__(self, version: int, place: int, rng: Random, wildness: float) -> None:
        self.version, self.place, self.wildness = version, place, wildness
        self.symbol = (SYMBOLS if version == 2 else WSNAMES)[place]
        self.decimals, self.qty_decimals = rng.randint(0, 10), rng.choice((0, 5, 8, 8, 8))
        self.depth = rng.choice((10, 10, 10, 25))
        mid = rng.choice((100, 10**6, 10**9, 10**17, 2**63))
        self.sides = {"bids": Side(-1, mid), "asks": Side(1, mid)}
        self.time_us = 1_700_000_000_000_000

    def message(self, rng: Random, *, snapshot: bool) -> Any:
        self.time_us += rng.randint(1, 10**6)
        changes = {name: self._levels(side, rng, snapshot) for name, side in self.sides.items()}
        kind = "snapshot" if snapshot else "update"
        if self.version == 2:
            row = {
                "symbol": self.symbol,
                **changes,
                "checksum": Number(rng.randint(0, 2**32 - 1)),
                "timestamp": self._time(),
            }
            return {"channel": "book", "type": kind, "data": [row]}
        names = {"asks": "as", "bids": "bs"} if snapshot else {"asks": "a", "bids": "b"}
        bodies: list[dict[str, Any]] = [{names[side]: levels} for side, levels in changes.items() if levels or snapshot]
        if snapshot:
            bodies = [bodies[0] | bodies[1]]
        else:
            bodies[-1]["c"] = str(rng.randint(0, 2**32 - 1))
        return [Number(336), *bodies, f"book-{self.depth}", self.symbol]

    def trade(self, rng: Random) -> Any:
        self.time_us += rng.randint(1, 10**6)
        side = rng.choice(list(self.sides.values()))
        price, qty = self._texts(side.mid, rng.randint(1, 10**10), rng)
        if self.version == 1:
            rows = [[str(price), str(qty), self._time(), rng.choice("bs"), rng.choice("ml"), ""]] * rng.randint(1, 3)
            return [Number(337), rows, "trade", self.symbol]
        row = {"symbol": self.symbol, "side": rng.choice(("buy", "sell")), "price": price, "qty": qty}
        more = {"ord_type": rng.choice(("market", "limit")), "trade_id": Number(rng.randint(1, 10**12))}
        rows_v2 = [{**row, **more, "timestamp": self._time()}] * rng.choice((1, 1, 1, 3))
        return {"channel": "trade", "type": rng.choice(("update", "snapshot")), "data": rows_v2}

    def _levels(self, side: Side, rng: Random, snapshot: bool) -> list[Any]:
        if snapshot:
            side.known.clear()
        count = rng.randint(0, self.depth + 2) if snapshot else rng.choice((0, 1, 1, 1, 2, 3, 30))
        if not snapshot and side.sign > 0:
            count = max(1, count)
        levels = (self._level(side.change(rng), rng, snapshot) for _ in range(count))
        return [level for level in levels if level is not None]

    def _level(self, change: tuple[int, int], rng: Random, snapshot: bool) -> Any:
        if snapshot and not change[1] and rng.random() < 0.9:
            return None
        price, qty = self._texts(*change, rng)
        if self.version == 2:
            return {"price": price, "qty": qty}
        return [str(price), str(qty), self._time(), *(["r"] if rng.random() < 0.1 else [])]

    def _texts(self, price: int, qty: int, rng: Random) -> tuple[Number, Number]:
        return spelled(price, self.decimals, rng, self.wildness), spelled(qty, self.qty_decimals, rng, self.wildness)

    def _time(self) -> str:
        if self.version == 1:
            return f"{self.time_us // 10**6}.{self.time_us % 10**6:06d}"
        return rfc3339_from_ns(self.time_us * 1000)
