"""The heartbeat of a venue on a port: steps the market on time and hands out what it publishes.

Never waits for a client. One loop, one thread: gateways need no locks.
"""

from __future__ import annotations

import asyncio
import logging

from krakenwire.server.clock import Clock
from krakenwire.server.connections import Connections
from krakenwire.server.faults import Faults
from krakenwire.server.ports import FanOut, VenuePort

__all__ = ["Driver"]

_log = logging.getLogger("krakenwire.server")


class Driver:
    """Steps a venue every few milliseconds without drifting.

    Args:
        market: the venue.
        connections: who receives what it publishes.
        clock: where `now_ns` comes from.
        step_s: seconds between steps; missed steps are skipped, not made up.
    """

    def __init__(self, market: VenuePort, connections: Connections, clock: Clock, step_s: float = 0.005) -> None:
        self._market, self._connections, self._clock, self._step_s = market, connections, clock, step_s
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
        now_ns = self._clock.now_ns()
        self.publish(self._market.step(now_ns))
        self._connections.poll(now_ns)

    def publish(self, frames: FanOut) -> None:
        """Hand out frames, through the faults that are set."""
        for frame, gateways in frames:
            sent = frame if self.faults.idle else self.faults.apply(frame)
            if sent is not None:
                self._connections.publish(sent, gateways)

    def set_status(self, status: str) -> None:
        """Change the venue's trading mode and announce it."""
        self.publish(self._market.set_status(status, self._clock.now_ns()))

    def stall(self, seconds: float) -> None:
        """Send nothing and answer nothing for a while, as a hung service does."""
        self.awake.clear()
        asyncio.get_running_loop().call_later(seconds, self.awake.set)
