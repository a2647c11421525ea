"""What every style's stream shows of its tap, whichever way it waits for items."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

from krakenwire.client.taps import Tap
from krakenwire.model import Refused

__all__ = ["Outlet"]


class Outlet:
    """The part of a stream or queue that does not wait; end it with `close` or a ``with`` statement."""

    def __init__(self, tap: Tap, timeout: float | None, lock: AbstractContextManager[object] | None = None) -> None:
        self._tap, self._timeout = tap, timeout
        self._lock: AbstractContextManager[object] = nullcontext() if lock is None else lock

    def _change(self, change: Callable[[], None]) -> None:
        """Make a change that the connection has to hear of."""
        raise NotImplementedError

    def add(self, *symbols: str) -> None:
        """Add symbols."""
        self._change(lambda: self._tap.add(symbols))

    def remove(self, *symbols: str) -> None:
        """Take symbols out; what waits of them still comes."""
        self._change(lambda: self._tap.remove(symbols))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Its symbols now, in v2 spelling."""
        with self._lock:
            return self._tap.symbols

    @property
    def refused(self) -> dict[str, Refused]:
        """The venue's refusals by symbol; when all are refused, it ends with `VenueRefusal`."""
        with self._lock:
            return self._tap.refused

    @property
    def dropped(self) -> int:
        """Items given up under the policy ``drop``."""
        return self._tap.dropped

    @property
    def gaps(self) -> int:
        """Times when something may have been missed."""
        return self._tap.gaps

    def close(self) -> None:
        """End it and unsubscribe what nothing else needs."""
        self._change(self._tap.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._tap.kind} {' '.join(self._tap.symbols)})"
