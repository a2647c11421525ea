"""Which simulator runs: the compiled one where there is one, else its readable twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from krakenwire import _native

if TYPE_CHECKING or not _native.ENABLED:
    from krakenwire.trading.simulator.book import SimBook
    from krakenwire.trading.simulator.orders import Order, Report
    from krakenwire.trading.simulator.simulator import Simulator
else:
    from krakenwire._native import simulator

    Order, Report = simulator.Order, simulator.Report
    SimBook, Simulator = simulator.SimBook, simulator.Simulator

__all__ = ["Order", "Report", "SimBook", "Simulator"]
