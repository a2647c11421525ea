"""The pretended market: a fill engine over rows of a real one, with latency, queues and partial fills."""

from krakenwire.trading.simulator.engine import Order, Report, SimBook, Simulator
from krakenwire.trading.simulator.model import (
    AHEAD_UNKNOWN,
    FillModel,
    OrderFlag,
    OrderState,
    OrderType,
    ReportKind,
    What,
)

__all__ = [
    "AHEAD_UNKNOWN",
    "FillModel",
    "Order",
    "OrderFlag",
    "OrderState",
    "OrderType",
    "Report",
    "ReportKind",
    "SimBook",
    "Simulator",
    "What",
]
