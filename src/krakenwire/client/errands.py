"""Short work beside the thread that reads the sockets: resolving a name, fetching a token, opening a connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["ask_beside", "run_beside"]

_T = TypeVar("_T")
_log = logging.getLogger("krakenwire.client")


def run_beside(name: str, work: Callable[[], None]) -> None:
    """Run `work` in a daemon thread; in the present one, which it then holds up, if no thread can be had.

    Python 3.12.0 and 3.12.1 refuse every new thread once the main thread has
    ended, also to a background thread that goes on; a system at its limit
    refuses it anywhere.
    """
    thread = threading.Thread(target=work, name=f"krakenwire-{name}", daemon=True)
    try:
        thread.start()
    except RuntimeError as refusal:
        _log.info("%s holds up its caller: %s", name, refusal)
        work()


async def ask_beside(name: str, work: Callable[[], _T]) -> _T:
    """Return what `work` returns, or raise what it raises; waiting for it can be given up, the work goes on.

    An executor of asyncio's would hold up the end of the loop until the work is
    done, and refuses any once the main thread has ended.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_T] = loop.create_future()

    def settle(result: _T | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # a result, for there is no error

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    run_beside(name, run)
    return await answer
