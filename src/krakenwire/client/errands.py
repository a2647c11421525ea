"""Short work beside the thread that reads the sockets: resolving a name, opening a connection."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

__all__ = ["run_beside"]

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
