"""A tape that plays for the length of a `with` statement."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from krakenwire.apps.player import TapePlayer

__all__ = ["replayed_tape"]


@contextmanager
def replayed_tape(
    folder: str | os.PathLike[str],
    *,
    speed: float | str = "max",
    clients: int = 1,
    since: str | None = None,
    until: str | None = None,
    loop: bool = False,
    stay: bool = False,
) -> Iterator[TapePlayer]:
    """Serve a tape as if it were Kraken, on a free loopback port.

    Args:
        folder: the tape.
        speed: how many times faster than recorded; ``max`` for as fast as the clients read.
        clients: how many must have subscribed before it begins.
        since: RFC 3339, or ``+`` and seconds from the tape's start.
        until: the same.
        loop: begin again at the end.
        stay: keep the clients at the end.

    Yields:
        The player: `ws_v1`, `ws_v2`, `rest` are its addresses.

    Raises:
        UsageError: a setting that cannot be.
        TapeError: no tape, or one that cannot be read.
    """
    with TapePlayer(folder, speed=speed, clients=clients, since=since, until=until, loop=loop, stay=stay) as player:
        yield player
