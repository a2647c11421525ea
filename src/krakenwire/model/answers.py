"""How the venue answers requests about orders: one value per request or per order of it.

A refusal is the venue's own words. Made by the local Kraken, read by clients,
who get it inside a `TradingReply`. Source: v2 reference, section 8.
"""

from __future__ import annotations

import msgspec

__all__ = [
    "Added",
    "AllCanceled",
    "Amended",
    "Answer",
    "BatchAdded",
    "BatchCanceled",
    "Canceled",
    "Edited",
    "OrderRefused",
    "TimerSet",
    "TradingReply",
]


class OrderRefused(msgspec.Struct, frozen=True):
    """The venue's text, such as ``EOrder:Insufficient funds``."""

    error: str


class Added(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order was taken in, or found good when only asked to be checked: then `order_id` is empty.

    Args:
        cl_ord_id, order_userref: as given.
        descr: the order in words, as v1 and REST tell it: ``buy 0.01000000 XBTUSD @ limit 50000.0``.
        close: its conditional close in words.
    """

    order_id: str
    cl_ord_id: str | None = None
    order_userref: int | None = None
    descr: str = ""
    close: str = ""
    warnings: tuple[str, ...] = ()


class Amended(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order was amended; of the two ids the one the request used is there."""

    amend_id: str
    order_id: str | None = None
    cl_ord_id: str | None = None
    warnings: tuple[str, ...] = ()


class Edited(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order was replaced by a new one; when only asked to be checked, both ids are empty."""

    order_id: str
    original_order_id: str
    descr: str = ""
    warnings: tuple[str, ...] = ()


class Canceled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order was canceled; the id that the request used is there.

    Args:
        count: orders that this id meant: more than one is possible for a userref.
    """

    order_id: str | None = None
    cl_ord_id: str | None = None
    order_userref: int | None = None
    count: int = 1


class AllCanceled(msgspec.Struct, frozen=True):
    """How many orders were canceled."""

    count: int


class TimerSet(msgspec.Struct, frozen=True, kw_only=True):
    """The dead man's switch after a request: when it will fire, None when it is disarmed."""

    current_ns: int
    trigger_ns: int | None


class BatchAdded(msgspec.Struct, frozen=True):
    """One answer per order of a batch, in its order."""

    orders: tuple[Added | OrderRefused, ...]


class BatchCanceled(msgspec.Struct, frozen=True):
    """How many orders of a batch were canceled."""

    count: int


Answer = OrderRefused | Added | Amended | Edited | Canceled | AllCanceled | TimerSet | BatchAdded | BatchCanceled


class TradingReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue replied to a request about orders, as a client reads it.

    A request to cancel several orders gets one reply per order, all with its number.

    Args:
        method: as v2 names it, such as ``add_order``.
        answer: the outcome; of `batch_add` one per order.
        req_id: the request's number; None when the reply has none.
        time_in_ns, time_out_ns: when the venue read the request and wrote the reply; None when it does not say.
    """

    channel = "reply"
    symbol = None

    method: str
    answer: Answer
    req_id: int | None = None
    time_in_ns: int | None = None
    time_out_ns: int | None = None
