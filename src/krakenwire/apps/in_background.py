"""A server with a thread of its own: started, stopped, and what had broken in it told to who stops it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar, Self

from krakenwire.errors import UsageError

__all__ = ["InBackground"]


class InBackground:
    """What serves in a thread of its own between `start` and `stop`; a context manager.

    Deriving classes name themselves in `what`, and serve in `serve`, where they set `_loop` and `_stopping`
    while they can be stopped.
    """

    what: ClassVar[str]

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._outcome: concurrent.futures.Future[None] | None = None

    async def serve(self, on_ready: Callable[[Self], None], stopping: asyncio.Event) -> object:
        """Serve until `stopping` is set; call `on_ready` once clients can connect."""
        raise NotImplementedError

    def start(self) -> Self:
        """Run in a background thread; return when it listens.

        Raises:
            ConfigError: the address cannot be used.
            UsageError: it runs already.
        """
        if self._thread is not None:
            raise UsageError(f"this {self.what} runs already")
        ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        outcome: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._outcome = outcome
        self._thread = threading.Thread(
            target=self._run, args=(ready, outcome), name=f"krakenwire {self.what}", daemon=True
        )
        self._thread.start()
        try:
            ready.result()
        except Exception:
            self._thread.join()
            self._thread = None
            raise
        return self

    def _run(self, ready: concurrent.futures.Future[None], outcome: concurrent.futures.Future[None]) -> None:
        async def main() -> None:
            await self.serve(lambda _: ready.set_result(None), asyncio.Event())

        try:
            asyncio.run(main())
        except Exception as error:  # noqa: BLE001 - handed to the thread that started this one
            (outcome if ready.done() else ready).set_exception(error)
        else:
            outcome.set_result(None)

    def stop(self) -> None:
        """Say goodbye to all clients, close the port, end the thread. Harmless when it is not running.

        Raises:
            KrakenwireError: what it had broken with before.
        """
        thread, outcome = self._thread, self._outcome
        if thread is None or outcome is None:
            return
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None:
            with contextlib.suppress(RuntimeError):  # it ended a moment ago: its loop is closed
                loop.call_soon_threadsafe(stopping.set)
        thread.join()
        self._thread = None
        outcome.result()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
