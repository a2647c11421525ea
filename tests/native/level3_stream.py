"""A level3 feed made for tests: orders come, change and go around a wandering price.

The pure book is the venue here: it says which orders are there and what the checksum is. Nothing in it is
recorded; one seed gives one stream. Next: `test_level3_twin`, which feeds both twins with it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Literal

from krakenwire.book.l3 import L3Book
from krakenwire.model import Level3Order, Level3Update
from krakenwire.model.numbers import fixed_text
from krakenwire.protocol.v2 import encode

__all__ = ["Level3Stream"]

START_NS = 1_900_000_000_000_000_000
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Level3Stream:
    """Level3 frames of one symbol.

    Args:
        seed: of everything.
        depth: levels a side.
        price_decimals, qty_decimals: shown by every number.
        odd: one event in so many makes no sense (a stray, a double, a zero quantity); 0 for none.
    """

    def __init__(
        self, seed: int, depth: int = 10, price_decimals: int = 1, qty_decimals: int = 8, odd: int = 0
    ) -> None:
        self._random = random.Random(seed)
        self._decimals = price_decimals, qty_decimals
        self._odd = odd
        self._mid = 600_000
        self._depth = depth
        self._now_ns = START_NS
        self._gone = ["O00000-00000-000000"]
        self.book = L3Book("BTC/USD", depth)

    def snapshot(self) -> bytes:
        """Return the snapshot that starts a new book: full depth, one to four orders a level."""
        self.book = L3Book("BTC/USD", self._depth)
        sides = [
            [
                self._order(self._mid + sign * n * self._random.choice((1, 1, 2, 7)) + sign, None)
                for n in range(self._depth)
                for _ in range(self._random.choice((1, 1, 2, 4)))
            ]
            for sign in (-1, 1)
        ]
        for side, sign in zip(sides, (-1, 1), strict=True):
            side.sort(key=lambda order: sign * order.price)
        return self._told("snapshot", *sides)

    def update(self) -> bytes:
        """Return an update of one to four order events."""
        self._mid += self._random.choice((-1, 0, 0, 1))
        bids: list[Level3Order] = []
        asks: list[Level3Order] = []
        for _ in range(self._random.choice((1, 1, 1, 2, 2, 4))):
            sign = self._random.choice((-1, 1))
            (bids if sign < 0 else asks).append(self._event(sign))
        return self._told("update", bids, asks)

    def frames(self, updates: int) -> Iterator[bytes]:
        """Yield a snapshot and so many updates."""
        yield self.snapshot()
        for _ in range(updates):
            yield self.update()

    def _event(self, sign: int) -> Level3Order:
        chance = self._random
        here = [*(self.book.bids if sign < 0 else self.book.asks)]
        place = abs(int(chance.expovariate(1 / 12)))
        if self._odd and not chance.randrange(self._odd):
            return self._nonsense(sign, here)
        crowded = len(here) > 3 * self._depth
        kind = chance.choices(("add", "delete", "modify", "move"), (25 if crowded else 55, 40, 10, 5))[0]
        if kind == "add" or place >= len(here):
            return self._order(self._mid + sign * (1 + place // 2), "add")
        old = here[place]
        if kind == "delete":
            self._gone.append(old.order_id)
            return self._order(0, "delete", old.order_id, old.price_text, old.qty_text)
        price = (
            old.price_text if kind == "modify" else fixed_text(self._mid + sign * (1 + place // 2), self._decimals[0])
        )
        return self._order(0, "modify", old.order_id, price)

    def _nonsense(self, sign: int, here: list[Level3Order]) -> Level3Order:
        chance = self._random
        event = chance.choice(("add", "modify", "delete", None))
        known = [order.order_id for order in here[:20]] + self._gone[-3:]
        qty = chance.choice((None, fixed_text(0, self._decimals[1])))
        return self._order(self._mid + sign * chance.randrange(30), event, chance.choice(known), qty=qty)

    def _order(
        self,
        price: int,
        event: Literal["add", "modify", "delete"] | None,
        order_id: str | None = None,
        price_text: str | None = None,
        qty: str | None = None,
    ) -> Level3Order:
        self._now_ns += self._random.randrange(1, 10**8)
        letters = "".join(self._random.choices(_LETTERS, k=16))
        return Level3Order(
            order_id=order_id or f"O{letters[:5]}-{letters[5:10]}-{letters[10:]}",
            price_text=price_text or fixed_text(price, self._decimals[0]),
            qty_text=qty or fixed_text(int(self._random.expovariate(1e-7)) + 1, self._decimals[1]),
            time_ns=self._now_ns,
            event=event,
        )

    def _told(self, kind: Literal["snapshot", "update"], bids: list[Level3Order], asks: list[Level3Order]) -> bytes:
        told = Level3Update(
            symbol="BTC/USD", kind=kind, bids=tuple(bids), asks=tuple(asks), checksum=None, time_ns=self._now_ns
        )
        self.book.apply(told)
        told.checksum = self.book.checksum
        return encode.level3(told).encode()
