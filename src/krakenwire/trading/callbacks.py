"""Calls a strategy's callbacks: keeps its first error, ends or goes on by setting, measures where there is a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, ParamSpec

from krakenwire.errors import StrategyError
from krakenwire.limits import BOT_SLOW_CALLBACK_MS
from krakenwire.trading.clock import Clock
from krakenwire.trading.failures import strategy_error
from krakenwire.trading.ports import Stopwatch
from krakenwire.trading.run_result import RunLog
from krakenwire.trading.strategy import Strategy

__all__ = ["Callbacks", "OnError"]

OnError = Literal["stop", "continue"]

_SLOW_NS: Final = BOT_SLOW_CALLBACK_MS * 1_000_000
_P = ParamSpec("_P")


class Callbacks:
    """The callbacks of one strategy.

    Args:
        strategy: whose they are.
        clock: the market's time.
        log: where errors and slow calls are noted.
        on_error: what an error does.
        stop: called with the reason when the run has to end.
        stopwatch: measures each call; None where time is not real.

    Attributes:
        error: the first one, None while there is none.
        errors: how many there were.
        open: whether the strategy is called at all.
        slowest_ns: the longest call of each callback that was measured.
        between: called after each callback that is measured: what must not wait for the rest of the rows.
    """

    def __init__(
        self,
        strategy: Strategy,
        clock: Clock,
        log: RunLog,
        *,
        on_error: OnError,
        stop: Callable[[str], None],
        stopwatch: Stopwatch | None = None,
    ) -> None:
        self._strategy, self._clock, self._log = strategy, clock, log
        self._on_error, self._stop, self._stopwatch = on_error, stop, stopwatch
        self.error: StrategyError | None = None
        self.errors = 0
        self.open = True
        self.slowest_ns: dict[str, int] = {}
        self.between: Callable[[], None] = _nothing

    def of(self, name: str) -> Callable[..., None] | None:
        """Return a callback that the strategy overrides, measured where there is a stopwatch; None for the others."""
        if not self._strategy.overrides(name):
            return None
        call: Callable[..., None] = getattr(self._strategy, name)
        return call if self._stopwatch is None else self._measured(name, call, self._stopwatch)

    def call(self, call: Callable[_P, None], *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Call the strategy; what it raises ends here."""
        if not self.open:
            return
        try:
            call(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """Take an exception that came out of a callback.

        Raises:
            Exception: the same, where it was not the strategy that failed.
        """
        told = strategy_error(self._strategy, error)
        if told is None:
            raise error
        self.errors += 1
        self.error = self.error or told
        self._log.note(self._clock.now_ns, "error", str(told))
        if self._on_error == "stop":
            self.open = False
            self._stop(str(told))

    def _measured(self, name: str, call: Callable[..., None], stopwatch: Stopwatch) -> Callable[..., None]:
        def measured(*args: object) -> None:
            begin_ns = stopwatch()
            try:
                call(*args)
            finally:
                took_ns = stopwatch() - begin_ns
                if took_ns > self.slowest_ns.get(name, 0):
                    self.slowest_ns[name] = took_ns
                if took_ns > _SLOW_NS:
                    self._log.note(self._clock.now_ns, "slow", f"{name} took {took_ns / 1e6:.0f} ms")
            self.between()

        return measured


def _nothing() -> None:
    """Nothing waits."""
