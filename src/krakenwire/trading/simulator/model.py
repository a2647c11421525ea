"""What the pretended market assumes, and the words it is spoken to with.

Assumptions are values of `FillModel`, so that a run can say which ones it was
made with. What they mean for a fill: docs/decisions/0009-fill-model.md.
"""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum, IntFlag
from typing import Final, Literal

import msgspec

from krakenwire.errors import UsageError

__all__ = [
    "AHEAD_UNKNOWN",
    "AMOUNT_MAX",
    "FillModel",
    "OrderFlag",
    "OrderState",
    "OrderType",
    "ReportKind",
    "What",
]

AMOUNT_MAX: Final = 1 << 61
"""Largest price in ticks and quantity in lots: sums of two still fit a signed 64-bit number."""

AHEAD_UNKNOWN: Final = 1 << 62
"""The queue before an order whose level is not displayed: nothing that trades there fills it."""


class FillModel(msgspec.Struct, frozen=True, kw_only=True):
    """How orders of a pretended account meet a market that does not know of them.

    Args:
        entry_latency_ns: from the decision until the order acts on the market as the rows show it.
        report_latency_ns: from then until the strategy hears of it.
        maker_fee, taker_fee: shares of the cost; Kraken's lowest tier. Whoever keeps the balances computes fees.
        queue: what a level that shrinks without a trade says of the queue before an order: ``conservative``,
            those behind it left as long as that is possible; ``proportional``, all alike.
        trades_only_spread_ticks: where there is no book, a taker trades this many steps beyond the last price.
        trades_only_queue_lots: where there is no book, the queue before a new order; None when only a trade
            beyond its price fills it.

    Raises:
        UsageError: a negative latency, spread or queue.
    """

    entry_latency_ns: int = 20_000_000
    report_latency_ns: int = 10_000_000
    maker_fee: Decimal = Decimal("0.0025")
    taker_fee: Decimal = Decimal("0.0040")
    queue: Literal["conservative", "proportional"] = "conservative"
    trades_only_spread_ticks: int = 1
    trades_only_queue_lots: int | None = None

    def __post_init__(self) -> None:
        for name in ("entry_latency_ns", "report_latency_ns", "trades_only_spread_ticks", "trades_only_queue_lots"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < AMOUNT_MAX:
                raise UsageError(name, expected="0 or more, below 2**61", found=value)


class What(IntEnum):
    """What a strategy is called for when a frame of its symbol is whole."""

    BOOK = 0
    TRADE = 1
    GAP = 2


class OrderType(IntEnum):
    """As `intents.BotOrderType`. From `STOP_LOSS` on they wait for their trigger."""

    LIMIT = 0
    MARKET = 1
    STOP_LOSS = 2
    STOP_LOSS_LIMIT = 3
    TAKE_PROFIT = 4
    TAKE_PROFIT_LIMIT = 5


class OrderFlag(IntFlag):
    """What an order asks for beyond resting until it is canceled; add them up."""

    POST_ONLY = 1
    IOC = 2
    FOK = 4


OrderState = Literal["new", "sent", "waiting", "open", "filled", "canceled", "expired", "refused"]
"""Not submitted; on its way; for its trigger; in the book; and how it ended. As the venue knows it, before reports."""


class ReportKind(IntEnum):
    """What a report is about; the last two leave the order as it was."""

    ACCEPTED = 0
    REFUSED = 1
    FILL = 2
    AMENDED = 3
    CANCELED = 4
    EXPIRED = 5
    TRIGGERED = 6
    AMEND_REFUSED = 7
    CANCEL_REFUSED = 8
