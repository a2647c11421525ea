"""Orders of a pretended account, what is told of them, and the words of a venue that says no.

Plain integers, ticks and lots. Who owns an order may hang anything on its
`user`; whatever else is written here, only the fill engine writes. Next: `fills`.
"""

from __future__ import annotations

from typing import Final

from krakenwire.errors import UsageError
from krakenwire.model.rows import BID
from krakenwire.trading.simulator.model import OrderState, OrderType, ReportKind

__all__ = ["Order", "Report"]

TICK: Final = "EOrder:Tick size check failed"
MINIMUM: Final = "EGeneral:Invalid arguments:volume minimum not met"
COST: Final = "EOrder:Cost minimum not met"
LOT: Final = "EGeneral:Invalid arguments:volume"
EXPIRED: Final = "EGeneral:Invalid arguments:expiretm"
INVALID: Final = "EGeneral:Invalid arguments"
UNKNOWN: Final = "EOrder:Unknown order"
UNAVAILABLE: Final = "EService:Unavailable"
AMEND_POST_ONLY: Final = "EOrder:Post only order"
POST_ONLY: Final = "Post only order"
CANNOT_FILL: Final = "Fill or kill order could not be filled"
IOC: Final = "Immediate or cancel order expired"
NO_LIQUIDITY: Final = "Insufficient liquidity"
SELF_TRADE: Final = "Self trade prevention"
TIME_OVER: Final = "Order expired"
CANCELED: Final = "User requested"

_INT64: Final = 1 << 63

MARKET_TYPES: Final = (OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT)


class Order:
    """One order.

    Args:
        symbol: place in the list of listings.
        side: `BID` to buy, `ASK` to sell.
        order_type: an `OrderType`.
        price: the limit in ticks; 0 for types without one.
        qty: lots.
        trigger: ticks of the last trade, of the types that wait for one.
        flags: of `OrderFlag`.
        expire_ns: when it ends by itself; 0 for never.
        user: anything; never looked at.

    Raises:
        UsageError: a number that no signed 64-bit number holds.

    Attributes:
        ref: counts the orders of a simulator from 1; 0 before it is submitted.
        left, filled: lots.
        queue_ahead: lots of others before it; `AHEAD_UNKNOWN` where its level is not displayed.
    """

    __slots__ = (
        "credit",
        "credit_ns",
        "expire_ns",
        "filled",
        "flags",
        "left",
        "order_type",
        "place",
        "price",
        "qty",
        "queue_ahead",
        "ref",
        "side",
        "state",
        "symbol",
        "told",
        "traded",
        "trigger",
        "user",
    )

    def __init__(
        self,
        symbol: int,
        side: int,
        order_type: int,
        price: int,
        qty: int,
        *,
        trigger: int = 0,
        flags: int = 0,
        expire_ns: int = 0,
        user: object = None,
    ) -> None:
        if not all(-_INT64 <= number < _INT64 for number in (price, qty, trigger, expire_ns)):
            raise UsageError("number of an order", expected="less than 2**63", found=(price, qty, trigger, expire_ns))
        self.symbol, self.side, self.order_type, self.price, self.qty = symbol, side, order_type, price, qty
        self.trigger, self.flags, self.expire_ns, self.user = trigger, flags, expire_ns, user
        self.ref = self.filled = self.queue_ahead = 0
        self.left = qty
        self.state: OrderState = "new"
        self.place = self.credit = self.credit_ns = self.traded = 0
        self.told = True

    def __repr__(self) -> str:
        side = "buy" if self.side == BID else "sell"
        return f"Order({self.ref} {side} {self.filled}/{self.qty} at {self.price} {self.state})"


class Report:
    """One thing that became of an order.

    Attributes:
        kind: a `ReportKind`.
        price, qty: ticks and lots: of a fill; of an amended order its new limit and quantity; else its limit
            and what was left of it.
        filled, left: of the order then.
        maker: whether a fill was of a resting order.
        time_ns: when it happened; it is told `report_latency_ns` later.
        reason: of an end or a refusal, in the venue's words where they are known.
    """

    __slots__ = ("filled", "kind", "left", "maker", "order", "price", "qty", "reason", "time_ns")

    def __init__(self, kind: int, order: Order, price: int, qty: int, maker: bool, time_ns: int, reason: str) -> None:
        self.kind, self.order, self.price, self.qty, self.maker = kind, order, price, qty, maker
        self.time_ns, self.reason = time_ns, reason
        self.filled, self.left = order.filled, order.left

    def __repr__(self) -> str:
        return f"Report({ReportKind(self.kind).name} {self.order.ref} {self.qty} at {self.price} {self.reason})"
