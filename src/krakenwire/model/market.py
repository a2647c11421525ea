"""Market data as typed, immutable events: the same for API versions 1 and 2.

Every event has a class attribute `channel` and an attribute `symbol` (None
where there is none), so a consumer can dispatch without `isinstance`. Times
are nanoseconds since 1970 UTC, prices and quantities `Decimal`. Where a
version does not carry a fact the member is None; nothing is made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

import msgspec

from krakenwire.model.numbers import decimal_from_text
from krakenwire.model.times import ns_from_rfc3339

__all__ = [
    "BookReading",
    "BookUpdate",
    "Candle",
    "Candles",
    "Kind",
    "Level",
    "Level3Order",
    "Level3Reading",
    "Level3Update",
    "OrderSide",
    "Spread",
    "Ticker",
    "Trade",
    "Trades",
    "WireLevel",
]

Kind = Literal["snapshot", "update"]
OrderSide = Literal["buy", "sell"]

WireLevel = Sequence[str]
"""Price text and quantity text as they came over the wire, in that order; v1 adds a time and a flag."""


class Level(NamedTuple):
    """One price level: price in quote units, quantity in base units."""

    price: Decimal
    qty: Decimal


class Ticker(msgspec.Struct, frozen=True, kw_only=True):
    """Best prices and the last 24 hours of one symbol.

    `change`, `change_pct` come from v2, or are derived from v1's opening price
    of 24 hours ago. `last_qty` comes from v1 only.
    """

    channel = "ticker"

    symbol: str
    kind: Kind
    bid: Decimal
    bid_qty: Decimal
    ask: Decimal
    ask_qty: Decimal
    last: Decimal
    volume: Decimal
    vwap: Decimal
    low: Decimal
    high: Decimal
    change: Decimal | None = None
    change_pct: Decimal | None = None
    trades: int | None = None
    last_qty: Decimal | None = None
    time_ns: int | None = None


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One public trade; `side` and `ord_type` are the taker's. v1 has no `trade_id`."""

    channel = "trade"

    symbol: str
    side: OrderSide
    price: Decimal
    qty: Decimal
    ord_type: str
    time_ns: int
    trade_id: int | None = None


class Trades(msgspec.Struct, frozen=True, kw_only=True):
    """The trades of one frame, oldest first; a snapshot holds the latest fifty."""

    channel = "trade"

    symbol: str
    kind: Kind
    trades: tuple[Trade, ...]


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """One candle. `closed` is True once a later candle has been seen.

    Args:
        interval: minutes.
        begin_ns, end_ns: the interval, end excluded.
        trades: number of trades in it.
    """

    channel = "ohlc"

    symbol: str
    interval: int
    begin_ns: int
    end_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    vwap: Decimal
    volume: Decimal
    trades: int
    closed: bool = False


class Candles(msgspec.Struct, frozen=True, kw_only=True):
    """The candles of one frame, oldest first; the last one may still be forming."""

    channel = "ohlc"

    symbol: str
    interval: int
    kind: Kind
    candles: tuple[Candle, ...]


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """The best bid and ask of one symbol, sent when either changes."""

    channel = "spread"

    symbol: str
    bid: Decimal
    bid_qty: Decimal
    ask: Decimal
    ask_qty: Decimal
    time_ns: int | None = None


class BookReading(Protocol):
    """What can be read from an L2 book: the live one, or a frozen copy of it.

    Reading anything but `symbol`, `depth`, `state` and the counters of a book
    that is not live raises `StaleData`.
    """

    @property
    def symbol(self) -> str: ...
    @property
    def depth(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def verified(self) -> bool: ...
    @property
    def verified_count(self) -> int: ...
    @property
    def checksum(self) -> int: ...
    @property
    def time_ns(self) -> int | None: ...
    @property
    def best_bid(self) -> Decimal | None: ...
    @property
    def best_ask(self) -> Decimal | None: ...
    @property
    def best_bid_qty(self) -> Decimal | None: ...
    @property
    def best_ask_qty(self) -> Decimal | None: ...
    @property
    def mid(self) -> Decimal | None: ...
    @property
    def spread(self) -> Decimal | None: ...
    @property
    def bids(self) -> tuple[Level, ...]: ...
    @property
    def asks(self) -> tuple[Level, ...]: ...
    def top(self, levels: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]: ...
    def freeze(self) -> BookReading: ...


class BookUpdate(msgspec.Struct, eq=False, gc=False):
    """A snapshot or update of one L2 book, already applied to `book`.

    The `Decimal` views are made when they are read; the wire text is kept.

    Args:
        symbol: v2 spelling.
        kind: ``snapshot`` or ``update``.
        wire_bids, wire_asks: the changed levels as text, in message order.
        checksum: the venue's CRC-32, None where the version sends none (v1 snapshots).
        time: the venue's time of the change as RFC 3339 text or nanoseconds; read it as `time_ns`.
        depth: the subscription's depth where the frame names it (v1), else None.
        verified: True when `checksum` was there and equals the book's own.
        book: the live book after this message, None before it was applied.
    """

    channel = "book"

    symbol: str
    kind: Kind
    wire_bids: Sequence[WireLevel]
    wire_asks: Sequence[WireLevel]
    checksum: int | None
    time: str | int | None = None
    depth: int | None = None
    verified: bool = False
    book: BookReading | None = None

    @property
    def bids(self) -> tuple[Level, ...]:
        """Changed bids in message order, absolute quantities, zero for a removal."""
        return tuple(Level(decimal_from_text(lv[0]), decimal_from_text(lv[1])) for lv in self.wire_bids)

    @property
    def asks(self) -> tuple[Level, ...]:
        """Changed asks in message order, absolute quantities, zero for a removal."""
        return tuple(Level(decimal_from_text(lv[0]), decimal_from_text(lv[1])) for lv in self.wire_asks)

    @property
    def time_ns(self) -> int | None:
        """The venue's time of the change, None where it sent none."""
        if isinstance(self.time, str):
            self.time = ns_from_rfc3339(self.time)
        return self.time

    def _facts(self) -> tuple[object, ...]:
        return (self.symbol, self.kind, self.bids, self.asks, self.checksum, self.verified, self.time_ns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BookUpdate) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def __repr__(self) -> str:
        return (
            f"BookUpdate({self.symbol} {self.kind} bids={len(self.wire_bids)} asks={len(self.wire_asks)} "
            f"checksum={self.checksum} verified={self.verified})"
        )


class Level3Order(msgspec.Struct, frozen=True, kw_only=True):
    """One visible order of the level3 feed.

    Args:
        event: ``add``, ``modify`` or ``delete``; None in a snapshot.
        price_text, qty_text: the wire's digits, which the checksum needs.
        time_ns: when it was inserted or last amended: its place in the queue.
    """

    order_id: str
    price_text: str
    qty_text: str
    time_ns: int
    event: Literal["add", "modify", "delete"] | None = None

    @property
    def price(self) -> Decimal:
        """Limit price in quote units."""
        return decimal_from_text(self.price_text)

    @property
    def qty(self) -> Decimal:
        """Visible remaining quantity in base units; on a delete the last one."""
        return decimal_from_text(self.qty_text)


class Level3Reading(Protocol):
    """What can be read from an L3 book. Reading one that is not live raises `StaleData`."""

    @property
    def symbol(self) -> str: ...
    @property
    def depth(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def verified(self) -> bool: ...
    @property
    def verified_count(self) -> int: ...
    @property
    def checksum(self) -> int: ...
    @property
    def bids(self) -> tuple[Level3Order, ...]: ...
    @property
    def asks(self) -> tuple[Level3Order, ...]: ...
    @property
    def best_bid(self) -> Decimal | None: ...
    @property
    def best_ask(self) -> Decimal | None: ...
    def freeze(self) -> Level3Reading: ...


class Level3Update(msgspec.Struct, kw_only=True, eq=False):
    """A snapshot or update of one L3 book, already applied to `book`, which does not count in comparisons.

    `verified` and `book` are set once, when the book has taken the message.
    """

    channel = "level3"

    symbol: str
    kind: Kind
    bids: tuple[Level3Order, ...]
    asks: tuple[Level3Order, ...]
    checksum: int | None
    time_ns: int | None = None
    verified: bool = False
    book: Level3Reading | None = None

    def _facts(self) -> tuple[object, ...]:
        return (self.symbol, self.kind, self.bids, self.asks, self.checksum, self.verified, self.time_ns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Level3Update) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def __repr__(self) -> str:
        return (
            f"Level3Update({self.symbol} {self.kind} bids={len(self.bids)} asks={len(self.asks)} "
            f"checksum={self.checksum} verified={self.verified})"
        )
