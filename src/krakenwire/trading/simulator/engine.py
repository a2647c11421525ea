"""Which simulator runs: the compiled one where there is one, else its readable twin."""

from __future__ import annotations

from krakenwire.trading.simulator.book import SimBook
from krakenwire.trading.simulator.orders import Order, Report
from krakenwire.trading.simulator.simulator import Simulator

__all__ = ["Order", "Report", "SimBook", "Simulator"]
