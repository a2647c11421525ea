"""Nonces of signed calls: each above the last, whoever in this process uses the key.

The venue keeps one highest nonce for each key and refuses whatever is not
above it, so the numbers of one key are counted in one place, and calls take
turns: two that travel at once may arrive the other way round.

Nanoseconds since 1970, because clients count in seconds, milliseconds,
microseconds and nanoseconds, and a key that one of them has used takes only
what is above: nothing in use counts finer. What has begun with nanoseconds
cannot go back, so a key is best used by one program. Source: v2 reference,
section 4.2; what other clients do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from krakenwire.errors import WaitTimeout

__all__ = ["Nonces", "nonces_of"]


class Nonces:
    """The nonces of one key.

    Args:
        clock_ns: nanoseconds since 1970; it may stand still or go back.
    """

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._last = 0
        self._counting = threading.Lock()
        self._turn = threading.Lock()

    def take(self) -> int:
        """Return a nonce above all before it. Any thread may call."""
        with self._counting:
            self._last = max(self._last + 1, self._clock_ns())
            return self._last

    @contextmanager
    def turn(self, timeout_s: float) -> Iterator[int]:
        """Hold back all other turns, and give a nonce, so that calls arrive in the order of their nonces.

        Args:
            timeout_s: how long to wait for the others.

        Raises:
            WaitTimeout: the others took too long; the nonce was not taken, nothing was sent.
        """
        if not self._turn.acquire(timeout=timeout_s):
            raise WaitTimeout("", "other calls with this API key took too long, so this one was not sent")
        try:
            yield self.take()
        finally:
            self._turn.release()


_known: WeakValueDictionary[str, Nonces] = WeakValueDictionary()
_knowing = threading.Lock()


def nonces_of(key: str) -> Nonces:
    """Return the nonces of a key, the same for everybody in this process as long as anybody holds them.

    Args:
        key: its public text.
    """
    with _knowing:
        nonces = _known.get(key)
        if nonces is None:
            nonces = _known[key] = Nonces()
        return nonces
