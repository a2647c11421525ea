"""One strategy on a clock of the test's own, and a market in a few words, as events."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from krakenwire.apps.bot_inbox import Inbox
from krakenwire.apps.bot_runner import Runner
from krakenwire.model import BookUpdate, Trade, Trades
from krakenwire.model.rows import Listing
from krakenwire.tape.row_writer import RowWriter
from krakenwire.trading.engine import Engine, EngineSettings
from krakenwire.trading.run_records import RunHead
from krakenwire.trading.simulator import FillModel, Simulator
from krakenwire.trading.strategy import Strategy

SYMBOL = "BTC/USD"
MS = 1_000_000
SECOND = 1_000 * MS
START = 1_600_000_000 * SECOND
LISTING = Listing(symbol=SYMBOL, price_decimals=1, qty_decimals=8, depth=10)
NO_DELAY = FillModel(entry_latency_ns=0, report_latency_ns=0)


def snapshot(bid: str = "99.0", ask: str = "101.0", symbol: str = SYMBOL) -> BookUpdate:
    """Tell a whole book of one level a side."""
    return BookUpdate(symbol, "snapshot", [(bid, "1.0")], [(ask, "1.0")], 1, START, None, True, None)


def level(bid: str, qty: str = "1.0", symbol: str = SYMBOL) -> BookUpdate:
    """Tell a bid."""
    return BookUpdate(symbol, "update", [(bid, qty)], [], 1, START, None, True, None)


def trade(price: str = "100.0", time_ns: int = START, symbol: str = SYMBOL) -> Trades:
    """Tell a trade of a buyer."""
    told = Trade(
        symbol=symbol, side="buy", price=Decimal(price), qty=Decimal(1), ord_type="limit", time_ns=time_ns, trade_id=1
    )
    return Trades(symbol=symbol, kind="update", trades=(told,))


class World:
    """A strategy, its runner and its inbox; the clock stands still until it is set.

    Args:
        strategy: the class.
        listings: of the market.
        events_max: that may wait.
        runner: further arguments of `Runner`.
    """

    def __init__(
        self,
        strategy: type[Strategy],
        *listings: Listing,
        events_max: int = 1_000_000,
        on_error: Any = "stop",
        **runner: Any,
    ) -> None:
        self.now_ns = START
        listed = listings or (LISTING,)
        simulator = Simulator(listed, NO_DELAY, now_ns=START)
        settings = EngineSettings(balances={"USD": Decimal(10_000)}, on_error=on_error)
        self.watch_ns = 0
        self.strategy = strategy()
        self.engine = Engine(self.strategy, simulator, settings, stopwatch=lambda: self.watch_ns)
        self.engine.use_simulated_broker(NO_DELAY)
        self.inbox = Inbox(events_max=events_max)
        head = RunHead(run="test", strategy="", mode="paper", source="", symbols=(SYMBOL,), start_ns=START, version="0")
        self.steps: list[Callable[[], None]] = []
        defaults: dict[str, Any] = {"settle_ns": 0, "on_step": self._step}
        self.runner = Runner(
            self.engine,
            RowWriter(listed),
            self.inbox,
            head=head,
            clock_ns=lambda: self.now_ns,
            stopwatch=lambda: self.watch_ns,
            **{**defaults, **runner},
        )

    def put(self, *events: Any, at_ns: int | None = None) -> None:
        """Leave one batch."""
        self.inbox.put(self.now_ns if at_ns is None else at_ns, 0, events)

    def run(self, *steps: Callable[[], None]) -> Any:
        """Run: after each step of the runner comes the next of these, after the last one the end."""
        self.steps = list(steps)
        return self.runner.run()

    def _step(self) -> None:
        if self.steps:
            self.steps.pop(0)()
            self.inbox.post(lambda: None)
        else:
            self.runner.request_stop("over")
