"""Backtests for the tests of sweeps; apart, because other processes import it and it should weigh little."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tests.unit.trading.runs import START_NS, equity, head

from krakenwire.apps.sweep import Span
from krakenwire.errors import StrategyError, TapeError
from krakenwire.trading.report.run import RunRows


@dataclass(frozen=True)
class Pretended:
    """Backtests that earn what their parameters say: best at fast=10, slow=100; in folder, who opened the market."""

    folder: str = ""
    fails_at: str = ""
    breaks_at: str = ""
    missing: bool = False

    def span(self) -> Span:
        if self.missing:
            raise TapeError("monday", "there is no tape")
        return START_NS, START_NS + 1_000

    def open(self) -> object:
        if self.folder:
            (Path(self.folder) / str(os.getpid())).touch()
        return "market"

    def run(self, market: object, parameters: Mapping[str, str], span: Span | None) -> RunRows:
        assert market == "market"
        fast, slow = int(parameters["fast"]), int(parameters.get("slow", "0"))
        if parameters["fast"] == self.fails_at:
            raise StrategyError("Cross", "on_trade", "cross.py:7", "ZeroDivisionError")
        if parameters["fast"] == self.breaks_at:
            os._exit(9)
        gain = 100 - abs(fast - 10) + slow // 10 - (0 if span is None else fast * (span[0] - START_NS) // 1_000)
        return RunRows(head(), equity=[equity(0, "1000"), equity(10, str(Decimal(1_000) + gain))])
