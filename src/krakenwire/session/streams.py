"""One consumer's view of a session: the items it asked for, waiting in its mailbox.

A stream takes events of its own channel and symbols from the `Hub`, turns them
into the items of its kind, and ends with a typed error or without one. It
subscribes to nothing and waits for nothing. Next: `hub`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, Literal, cast

import msgspec

from krakenwire.errors import KrakenwireError, UsageError, VenueRefusal
from krakenwire.model import (
    AccountChanged,
    BalanceChange,
    BalanceChanges,
    Balances,
    BookReading,
    BookUpdate,
    Candle,
    Candles,
    ChecksumFailed,
    Event,
    Execution,
    Executions,
    Fill,
    Gap,
    Instruments,
    Level3Reading,
    Level3Update,
    OrderState,
    RawFrame,
    Refused,
    Resynced,
    Spread,
    Status,
    Subscription,
    SubscriptionKey,
    Ticker,
    Trade,
    Trades,
    WalletBalance,
)
from krakenwire.model.subscription import one_of
from krakenwire.session.intake import NO_REPLY
from krakenwire.session.mailbox import Mailbox, Policy

__all__ = ["KINDS", "Stream", "StreamItem", "StreamKind", "refusal_error"]

StreamKind = Literal[
    "trades",
    "ticker",
    "books",
    "level3",
    "ohlc",
    "spread",
    "instruments",
    "executions",
    "orders",
    "fills",
    "balances",
    "status",
    "raw",
    "events",
]

StreamItem = (
    Trade
    | Ticker
    | BookReading
    | Level3Reading
    | Candle
    | Spread
    | Instruments
    | Execution
    | OrderState
    | Fill
    | WalletBalance
    | BalanceChange
    | Status
    | RawFrame
    | Event
)


class _Kind(msgspec.Struct, frozen=True):
    """What is fixed for a kind of stream: its channel on the wire, and what a slow consumer gets by default."""

    channel: str | None
    policy: Policy


KINDS: Final[Mapping[str, _Kind]] = {
    "trades": _Kind("trade", Policy.BLOCK),
    "ticker": _Kind("ticker", Policy.BLOCK),
    "books": _Kind("book", Policy.BLOCK),
    "level3": _Kind("level3", Policy.BLOCK),
    "ohlc": _Kind("ohlc", Policy.BLOCK),
    "spread": _Kind("spread", Policy.BLOCK),
    "instruments": _Kind("instrument", Policy.BLOCK),
    "executions": _Kind("executions", Policy.BLOCK),
    "orders": _Kind("executions", Policy.BLOCK),
    "fills": _Kind("executions", Policy.BLOCK),
    "balances": _Kind("balances", Policy.BLOCK),
    "status": _Kind(None, Policy.BLOCK),
    "raw": _Kind(None, Policy.BLOCK),
    "events": _Kind(None, Policy.BLOCK),
}
"""Every kind of stream."""

_ACCOUNT = ("balances", "executions", "fills", "orders")
_NO_CONFLATE = ("trades", "raw", "events", "instruments", *_ACCOUNT)


class Stream:
    """Items of one kind for one consumer. Made by `Hub.open_stream`; not safe to share between threads.

    Attributes:
        kind: what it yields, see `KINDS`.
        subscriptions: by symbol (None where the channel has none).
        gaps: gaps of its subscriptions so far.
        refused: refusals by symbol, as long as they stand.
        ended: nothing more will come; what waits can still be taken.
        error: why it ended, None for a clean end.
    """

    def __init__(
        self,
        kind: str,
        subscriptions: Iterable[Subscription],
        *,
        policy: Policy | None,
        capacity: int,
        freeze: bool | None,
        notices: bool,
    ) -> None:
        one_of("stream", kind, KINDS)
        policy = policy or KINDS[kind].policy
        if policy is Policy.CONFLATE and kind in _NO_CONFLATE:
            raise UsageError(f"policy conflate for {kind}", expected="block or drop", hint="Each of them counts")
        if policy is Policy.DROP and kind in _ACCOUNT:
            raise UsageError(f"policy drop for {kind}", expected="block", hint="None of them may be lost")
        if capacity < 1:
            raise UsageError("capacity", expected="at least 1", found=capacity)
        self.kind = kind
        self.notices = notices
        self.subscriptions = {sub.symbol: sub for sub in subscriptions}
        self.gaps = 0
        self.refused: dict[str | None, Refused] = {}
        self.ended = False
        self.error: KrakenwireError | None = None
        self._freeze = policy is not Policy.CONFLATE if freeze is None else freeze
        self._mail: Mailbox[StreamItem] = Mailbox(policy, capacity, KINDS[kind].channel or kind)
        self._items = _ITEMS.get(kind)

    @property
    def policy(self) -> Policy:
        """What happens when its consumer is too slow."""
        return self._mail.policy

    @property
    def full(self) -> bool:
        """Whether the connection has to wait for this stream's consumer."""
        return self._mail.full

    @property
    def dropped(self) -> int:
        """Items given up under the policy ``drop``."""
        return self._mail.dropped

    def __len__(self) -> int:
        return len(self._mail)

    def take(self) -> StreamItem | None:
        """Return the next item, None when nothing waits.

        A live book that is no longer live when its turn comes is passed over:
        its next snapshot brings it back.
        """
        while True:
            item = self._mail.take()
            if item is None or self._readable(item):
                return item

    def offer(self, event: Event, key: SubscriptionKey) -> None:
        """Let the items of an event wait; a book that is not live gives none."""
        if self._items is None:
            self._mail.put(event, key)
            return
        for item in self._items(event, self._freeze):
            self._mail.put(item, key)

    def prime_book(self, book: BookReading | None) -> None:
        """Begin with a book that is live already."""
        if book is not None and book.state == "live":
            self._mail.put(book.freeze() if self._freeze else book, ("book", book.symbol, None))

    def prime_level3(self, book: Level3Reading | None) -> None:
        """Begin with a level3 book that is live already."""
        if book is not None and book.state == "live":
            self._mail.put(book.freeze() if self._freeze else book, ("level3", book.symbol, None))

    def notice(self, event: Gap | Resynced | Refused | ChecksumFailed, key: SubscriptionKey) -> None:
        """Take what the session has to say about this stream's subscriptions."""
        if isinstance(event, Gap):
            self.gaps += 1
        elif isinstance(event, Refused):
            self._take_refusal(event)
        if self.notices:
            self._tell(event, key)

    def sink(self, key: SubscriptionKey) -> Callable[[Event], object]:
        """Return what is to be called with the plain events of one subscription."""
        return partial(self.offer, key=key)

    def end(self, error: KrakenwireError | None) -> None:
        """Nothing more comes; the first reason stays."""
        if not self.ended:
            self.ended, self.error = True, error

    def discard(self) -> None:
        """End at once and throw away what waits."""
        self.end(None)
        self._mail.clear()

    def _tell(self, event: Gap | Resynced | Refused | ChecksumFailed, key: SubscriptionKey) -> None:
        self._mail.put_notice(event, key)

    def _take_refusal(self, event: Refused) -> None:
        if event.symbol not in self.subscriptions:
            return
        self.refused[event.symbol] = event
        sure = all(refusal.error != NO_REPLY for refusal in self.refused.values())
        if sure and self.refused.keys() == self.subscriptions.keys():
            self.end(refusal_error(event))

    def _readable(self, item: StreamItem) -> bool:
        return self.kind not in ("books", "level3") or getattr(item, "state", "live") == "live"


def refusal_error(refused: Refused) -> VenueRefusal:
    """Return a refusal as the error to raise."""
    return VenueRefusal(refused.error, method=refused.method, symbol=refused.symbol, hint=refused.hint)


# -- what an event means for each kind -------------------------------------------


def _trades(event: Event, freeze: bool) -> Sequence[StreamItem]:
    del freeze
    return cast("Trades", event).trades


def _candles(event: Event, freeze: bool) -> Sequence[StreamItem]:
    del freeze
    return cast("Candles", event).candles


def _books(event: Event, freeze: bool) -> Sequence[StreamItem]:
    book = cast("BookUpdate", event).book
    if book is None or book.state != "live":
        return ()
    return (book.freeze() if freeze else book,)


def _level3(event: Event, freeze: bool) -> Sequence[StreamItem]:
    book = cast("Level3Update", event).book
    if book is None or book.state != "live":
        return ()
    return (book.freeze() if freeze else book,)


def _executions(event: Event, freeze: bool) -> Sequence[StreamItem]:
    del freeze
    return event.executions if isinstance(event, Executions) else ()


def _orders(event: Event, freeze: bool) -> Sequence[StreamItem]:
    del freeze
    return [change for change in _changes(event) if isinstance(change, OrderState)]


def _fills(event: Event, freeze: bool) -> Sequence[StreamItem]:
    del freeze
    return [change for change in _changes(event) if isinstance(change, Fill)]


def _changes(event: Event) -> Sequence[OrderState | Fill]:
    return event.changes if isinstance(event, AccountChanged) else ()


def _balances(event: Event, freeze: bool) -> Sequence[StreamItem]:
    del freeze
    return event.balances if isinstance(event, Balances) else cast("BalanceChanges", event).changes


_ITEMS: Final[Mapping[str, Callable[[Event, bool], Sequence[StreamItem]]]] = {
    "balances": _balances,
    "books": _books,
    "executions": _executions,
    "fills": _fills,
    "level3": _level3,
    "ohlc": _candles,
    "orders": _orders,
    "trades": _trades,
}
