"""Records of a bot's journal as tests write them: short words for what happened to order ``n``."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from krakenwire.trading import records
from krakenwire.trading.intents import Intent

SECOND = 1_000_000_000
NOON = 1_764_331_200 * SECOND
HEAD = records.Head(time_ns=NOON, account="a" * 64, strategy="Fade", prefix="abc-")
STARTED = records.Started(time_ns=NOON, build="1", config="c" * 64)


def name_of(number: int) -> str:
    return f"abc-{number}"


def intended(number: int, side: str = "buy", qty: str = "1", limit: str = "100", at_ns: int = NOON) -> records.Intended:
    intent = Intent(
        id=name_of(number),
        symbol="BTC/USD",
        side="buy" if side == "buy" else "sell",
        order_type="limit",
        qty=Decimal(qty),
        limit=Decimal(limit),
        created_ns=at_ns,
    )
    return records.Intended(time_ns=at_ns, intent=intent, deadline_ns=at_ns + 5 * SECOND)


def ack(number: int) -> records.Ack:
    return records.Ack(time_ns=NOON, id=name_of(number), order_id=f"O-{number}")


def unknown(number: int) -> records.Unknown:
    return records.Unknown(time_ns=NOON, id=name_of(number), reason="no reply")


def refused(number: int) -> records.Refused:
    return records.Refused(time_ns=NOON, id=name_of(number), reason="EOrder:Insufficient funds")


def fill(
    number: int, exec_id: str, qty: str = "1", price: str = "100", side: str = "buy", **more: Any
) -> records.Filled:
    values: dict[str, Any] = {
        "time_ns": NOON,
        "id": name_of(number),
        "exec_id": exec_id,
        "order_id": f"O-{number}",
        "symbol": "BTC/USD",
        "side": side,
        "price": Decimal(price),
        "qty": Decimal(qty),
        "cost": Decimal(qty) * Decimal(price),
        "traded_ns": NOON,
        "fees": {"USD": Decimal("0.25")},
        "maker": True,
    }
    return records.Filled(**(values | more))


def ended(number: int, state: records.EndState = "filled", filled: str = "1") -> records.Ended:
    return records.Ended(time_ns=NOON, id=name_of(number), state=state, filled=Decimal(filled))
