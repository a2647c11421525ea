"""The heartbeat of a venue on a port: steps the market on time and hands out what it publishes.

Never waits for a client. One loop, one thread: gateways need no locks.
"""

from __future__ import annotations

import asyncio
from typing import Final

from krakenwire.limits import VENUE_ADVANCE_S
from krakenwire.server.clock import Clock
from krakenwire.server.connections import Connections
from krakenwire.server.faults import Faults
from krakenwire.server.ports import FanOut, VenuePort

__all__ = ["Driver"]

_SECOND_NS: Final = 1_000_000_000
_LIVED_NS: Final = VENUE_ADVANCE_S * _SECOND_NS


class Driver:
    """Steps a venue every few milliseconds without drifting.

    Args:
        market: the venue.
        connections: who receives what it publishes.
        clock: where `now_ns` comes from.
        step_s: seconds between steps; missed steps are skipped, not made up.
    """

    def __init__(self, market: VenuePort, connections: Connections, clock: Clock, step_s: float = 0.005) -> None:
        self._market, self.connections, self._clock, self._step_s = market, connections, clock, step_s
        self.faults = Faults()
        self.awake = asyncio.Event()
        self.awake.set()

    async def run(self) -> None:
        """Step until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self.awake.wait()
            self.step()
            due += self._step_s
            late = loop.time() - due
            if late > 0:
                due += late
            await asyncio.sleep(-late if late < 0 else 0)

    def step(self) -> None:
        """Let the market act up to now, publish, and poll the gateways that are due."""
        self.publish(self._market.step(self._clock.now_ns()))
        self.connections.poll(self._clock.line_ns())

    def publish(self, frames: FanOut) -> None:
        """Hand out frames, through the faults that are set."""
        publish = self.connections.publish
        for frame, gateways in frames:
            if not self.faults.frames:
                publish(frame, gateways)
                continue
            for spoiled in self.faults.apply(frame):
                publish(spoiled, gateways)

    def advance(self, ns: int) -> None:
        """Move the venue's time forward and let everything happen that is due by then.

        Orders, timers and tokens live through all of it, the crowd through the last
        `VENUE_ADVANCE_S` seconds, as after any long pause.
        """
        lived_ns = min(ns, _LIVED_NS)
        self._clock.advance(ns - lived_ns)
        self.step()
        while lived_ns:
            self._clock.advance(min(lived_ns, _SECOND_NS))
            self.step()
            lived_ns -= min(lived_ns, _SECOND_NS)

    def stall(self, seconds: float) -> None:
        """Send nothing and answer nothing for a while, as a hung service does."""
        self.awake.clear()
        asyncio.get_running_loop().call_later(seconds, self.awake.set)
