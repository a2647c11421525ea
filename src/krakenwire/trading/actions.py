"""What a strategy can do: from its words to intents. Mistakes in the words are errors; limits are the desk's."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal

from krakenwire.errors import UsageError
from krakenwire.model.market import OrderSide
from krakenwire.trading.desk import Desk
from krakenwire.trading.intents import BotOrderType, Intent
from krakenwire.trading.markets import exact
from krakenwire.trading.orders import Order

__all__ = ["Actions", "Tif", "ids_from"]

Tif = Literal["gtc", "ioc", "fok"]

_SECOND: Final = 1_000_000_000
_TIFS: Final = ("gtc", "ioc", "fok")
_TYPES: Final[dict[tuple[bool, bool, bool], BotOrderType]] = {
    (True, False, False): "limit",
    (False, False, False): "market",
    (True, True, False): "stop-loss-limit",
    (False, True, False): "stop-loss",
    (True, False, True): "take-profit-limit",
    (False, False, True): "take-profit",
}
"""By whether there is a limit, a stop, a take-profit."""


def ids_from(prefix: str, first: int = 1) -> Callable[[], str]:
    """Return a maker of ids that are never the same: a prefix and a count."""
    number = first - 1

    def new_id() -> str:
        nonlocal number
        number += 1
        return f"{prefix}{number}"

    return new_id


class Actions:
    """Orders in a strategy's words.

    Args:
        desk: takes them.
        new_id: makes the id of each.
    """

    def __init__(self, desk: Desk, new_id: Callable[[], str]) -> None:
        self._desk, self._new_id = desk, new_id

    def place(
        self,
        side: OrderSide,
        symbol: str,
        qty: Decimal | int | str,
        limit: Decimal | int | str | None,
        post_only: bool = False,
        tif: Tif = "gtc",
        expire_s: float | None = None,
        reduce_only: bool = False,
        stop: Decimal | int | str | None = None,
        take_profit: Decimal | int | str | None = None,
        tag: str = "",
    ) -> Order:
        """Place an order: see `Strategy.buy`.

        Raises:
            UsageError: words that make no order.
        """
        order_type = _TYPES.get((limit is not None, stop is not None, take_profit is not None))
        if order_type is None:
            raise UsageError("stop and take_profit", expected="one of them")
        if tif not in _TIFS:
            raise UsageError("tif", expected="gtc, ioc or fok", found=tif)
        if post_only and (limit is None or tif != "gtc"):
            raise UsageError("post_only", expected="a limit, and no ioc or fok", found=f"{order_type}, {tif}")
        if expire_s is not None and (tif != "gtc" or expire_s <= 0):
            raise UsageError("expire_s", expected="more than 0 seconds, and no ioc or fok", found=expire_s)
        now_ns = self._desk.now_ns
        trigger = stop if take_profit is None else take_profit
        intent = Intent(
            id=self._new_id(),
            symbol=symbol,
            side=side,
            order_type=order_type,
            qty=exact("qty", qty),
            created_ns=now_ns,
            limit=None if limit is None else exact("limit", limit),
            trigger=None if trigger is None else exact("trigger", trigger),
            time_in_force=tif if expire_s is None else "gtd",
            expire_ns=None if expire_s is None else now_ns + round(expire_s * _SECOND),
            post_only=post_only,
            reduce_only=reduce_only,
            tag=tag,
        )
        return self._desk.place(intent)

    def amend(
        self, order: Order, limit: Decimal | int | str | None = None, qty: Decimal | int | str | None = None
    ) -> bool:
        """Change an order: see `Strategy.amend`.

        Raises:
            UsageError: a limit for an order that has none; not a number.
        """
        if limit is not None and order.limit is None:
            raise UsageError("limit", expected="none: the order has no limit", found=limit)
        return self._desk.amend(
            order,
            None if limit is None else exact("limit", limit),
            None if qty is None else exact("qty", qty),
        )
