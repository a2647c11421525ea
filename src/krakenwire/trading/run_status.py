"""How a running bot stands, now: what a terminal shows, Prometheus asks for, and another terminal reads.

Made by the runner a few times a second from what the parts know; nothing here is kept.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from krakenwire.model.market import OrderSide
from krakenwire.trading.run_records import Mode

__all__ = ["FeedHealth", "OpenOrder", "RecentFill", "RiskUse", "RunStatus"]


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order that is not over; `state` as in `orders.OrderState`."""

    id: str
    symbol: str
    side: OrderSide
    qty: Decimal
    filled: Decimal
    state: str
    limit: Decimal | None = None
    tag: str = ""


class RecentFill(msgspec.Struct, frozen=True, kw_only=True):
    """One of the last fills, oldest first."""

    time_ns: int
    symbol: str
    side: OrderSide
    price: Decimal
    qty: Decimal
    fee: Decimal
    maker: bool


class FeedHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The market data of one symbol.

    Args:
        live: whether its book may be trusted.
        age_ns: since the last frame of it; None before the first.
        gaps, conflated: since the run began.
    """

    symbol: str
    live: bool
    age_ns: int | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    gaps: int = 0
    conflated: int = 0


class RiskUse(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one limit is used; both in the limit's own unit."""

    rule: str
    used: Decimal
    limit: Decimal


class RunStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One moment of a run.

    Args:
        time_ns: by the run's clock.
        state: ``starting``, ``running``, ``stopping`` or ``ended``.
        stop: why no new order leaves, empty while orders pass.
        alarm: what a person has to look at, empty while nothing is.
        equity, day_profit, profit: in the quote asset; the last since the run began.
        frames, verified, failed: of the feed so far; book messages whose checksum was right, and wrong.
        dropped: market events that were given up because the strategy did not come to them.
        backlog: market events that wait for the strategy now.
        slow: calls of the strategy that took too long.
        refused: orders refused by limits.
        latency_us: of the last orders, from the market event to the order's frame: median; None where none was.
    """

    run: str
    strategy: str
    mode: Mode
    source: str
    time_ns: int
    started_ns: int
    state: str
    quote: str
    equity: Decimal | None = None
    day_profit: Decimal | None = None
    profit: Decimal | None = None
    cash: Decimal | None = None
    balances: dict[str, Decimal] = {}
    positions: dict[str, Decimal] = {}
    orders: tuple[OpenOrder, ...] = ()
    fills: tuple[RecentFill, ...] = ()
    feeds: tuple[FeedHealth, ...] = ()
    risk: tuple[RiskUse, ...] = ()
    notes: tuple[str, ...] = ()
    stop: str = ""
    alarm: str = ""
    frames: int = 0
    verified: int = 0
    failed: int = 0
    dropped: int = 0
    backlog: int = 0
    conflated: int = 0
    slow: int = 0
    refused: int = 0
    orders_sent: int = 0
    fills_total: int = 0
    fees: Decimal = Decimal(0)
    latency_us: float | None = None
