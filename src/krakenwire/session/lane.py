"""What one wire subscription lets pass without a second look.

The session says when a subscription is calm, the hub who wants its events;
the compiled pass then hands plain data straight over. In pure Python everything
takes the long way, and a lane only keeps these facts. Next: `subscriptions`, `hub`.
"""

from __future__ import annotations

from collections.abc import Callable

from krakenwire.model import Event

__all__ = ["Lane"]


class Lane:
    """The facts of one lane.

    Attributes:
        calm: nothing but plain data is due: the next message needs no second look.
        heard_ns: when its last data came.
        next_trade_id: number of the trade that has to come next, -1 where that is not known.
        sinks: called with each plain event; None when the session has to see them all.
    """

    __slots__ = ("calm", "heard_ns", "next_trade_id", "sinks")

    def __init__(self) -> None:
        self.calm = False
        self.heard_ns = 0
        self.next_trade_id = -1
        self.sinks: tuple[Callable[[Event], object], ...] | None = None
