"""A moment that tests set up for risk: time, price, position, book."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from krakenwire.trading.intents import Intent

SECOND = 1_000_000_000
NOON = 1_764_331_200 * SECOND


@dataclass
class Scene:
    """Implements `krakenwire.trading.risk.RiskView`."""

    now_ns: int = NOON
    clock_skew_ns: int | None = None
    price: Decimal | None = Decimal(50_000)
    age_ns: int | None = 0
    positions: dict[str, Decimal] = field(default_factory=dict)

    def mid(self, symbol: str) -> Decimal | None:
        return self.price

    def book_age_ns(self, symbol: str) -> int | None:
        return self.age_ns

    def position(self, symbol: str) -> Decimal:
        return self.positions.get(symbol, Decimal(0))


def intent(name: str, side: str = "buy", qty: str = "0.01", limit: str | None = "50000", **more: Any) -> Intent:
    values = {
        "id": name,
        "symbol": "BTC/USD",
        "side": side,
        "order_type": "market" if limit is None else "limit",
        "qty": Decimal(qty),
        "limit": None if limit is None else Decimal(limit),
        "created_ns": NOON,
    }
    return Intent(**(values | more))
