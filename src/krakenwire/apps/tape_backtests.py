"""What a sweep runs: one strategy over one tape, or over a part of its time.

Each process reads the tape itself and keeps the part it is at, since runs come
part by part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from krakenwire.apps.backtest import run_backtest
from krakenwire.apps.bot_config import BotConfig
from krakenwire.apps.strategy_file import load_strategy
from krakenwire.apps.sweep import Grid, Span
from krakenwire.errors import InternalError
from krakenwire.trading.parameters import read_parameters
from krakenwire.trading.report.run import RunRows
from krakenwire.trading.strategy import Strategy

if TYPE_CHECKING:
    from krakenwire.apps.market_data import MarketData

__all__ = ["TapeBacktests"]


@dataclass(slots=True)
class _Opened:
    strategy: type[Strategy]
    parts: dict[Span | None, MarketData] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TapeBacktests:
    """Backtests of a strategy's file over a tape's folder.

    Args:
        file: of the strategy.
        tape: the folder.
        config: as for one backtest; what the sweep tries counts more than its parameters.
        name: of the class, where the file has several.
    """

    file: str
    tape: str
    config: BotConfig
    name: str | None = None

    def check(self, grid: Grid) -> None:
        """Refuse a grid with a parameter that the strategy does not have, or a value it does not accept.

        Raises:
            ConfigError: as said.
        """
        strategy = load_strategy(self.file, self.name)
        for name, values in grid.items():
            for value in values:
                read_parameters(strategy, {name: value})

    def span(self) -> Span:
        """Return the tape's time.

        Raises:
            TapeError: it is no tape, or cannot be read.
        """
        from krakenwire.storage.tape_reader import Tape

        load_strategy(self.file, self.name)
        info = Tape(self.tape).info
        return info.start_ns, info.end_ns + 1

    def open(self) -> object:
        """Return the strategy with a place for the market, which is read when the first run wants it."""
        return _Opened(load_strategy(self.file, self.name))

    def run(self, market: object, parameters: Mapping[str, str], span: Span | None) -> RunRows:
        """Run once; the first error of the strategy is raised."""
        if not isinstance(market, _Opened):
            raise InternalError("a sweep ran over a market that it did not open")
        result = run_backtest(market.strategy, self._part(market, span), parameters=parameters, config=self.config)
        if result.error is not None:
            raise result.error
        return RunRows.of(result.all_rows())

    def _part(self, market: _Opened, span: Span | None) -> MarketData:
        if span not in market.parts:
            market.parts.clear()
            market.parts[span] = self._read(market.strategy, span)
        return market.parts[span]

    def _read(self, strategy: type[Strategy], span: Span | None) -> MarketData:
        from krakenwire.apps.market_data import market_data
        from krakenwire.storage.tape_reader import Tape

        start_ns, end_ns = span or (None, None)
        return market_data(Tape(self.tape), symbols=tuple(strategy.symbols) or None, start_ns=start_ns, end_ns=end_ns)
