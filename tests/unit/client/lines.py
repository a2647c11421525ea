"""Connections of every transport under one face, for the suite that all of them pass."""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import pytest

from krakenwire import _native
from krakenwire.client import picows as aio_transport
from krakenwire.client import websocket_client as blocking_transport
from krakenwire.client.attempt import Attempt
from krakenwire.errors import (
    KrakenwireError,
)


class Line(Protocol):
    """What the suite needs of a transport."""

    def send(self, text: str) -> None: ...
    def wait(self, messages: int) -> list[bytes]: ...
    def end(self) -> KrakenwireError: ...
    def close(self) -> None: ...


class BlockingLine:
    def __init__(self, url: str, timeout_s: float) -> None:
        self.wire = blocking_transport.Wire(url, None, timeout_s, "a hint")
        self.frames: list[bytes] = []

    def send(self, text: str) -> None:
        self.wire.send(text)

    def _read(self) -> KrakenwireError | None:
        assert select.select([self.wire], [], [], 10)[0], "nothing came"
        frames, error = self.wire.receive()
        self.frames += frames
        return error

    def wait(self, messages: int) -> list[bytes]:
        while len(self.frames) < messages:
            error = self._read()
            assert error is None, error
        return self.frames

    def end(self) -> KrakenwireError:
        while (error := self._read()) is None:
            pass
        return error

    def close(self) -> None:
        self.wire.close()


class AsyncLine:
    """An asyncio transport; the subclasses say which, and in which loop."""

    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None

    def __init__(
        self,
        url: str,
        timeout_s: float = 5.0,
        context: ssl.SSLContext | None = None,
        taken: Callable[[AsyncLine], object] = lambda _: None,
        opened: Callable[[Any], object] = lambda _: None,
    ) -> None:
        self.runner = asyncio.Runner(loop_factory=type(self).new_loop)
        self.frames: list[bytes] = []
        self.wire: Any = None
        self.taken, self.opened = taken, opened
        try:
            self.runner.run(self.open(Attempt(url, context, timeout_s, "a hint")))
        except BaseException:
            self.runner.close()
            raise

    def take(self, data: bytes, last: bool) -> None:
        self.frames.append(data)
        self.taken(self)

    def met(self, wire: Any) -> None:
        self.wire = wire
        self.opened(wire)

    async def open(self, attempt: Attempt) -> object:
        raise NotImplementedError

    def send(self, text: str) -> None:
        async def send() -> None:
            self.wire.send(text)

        self.runner.run(send())

    def wait(self, messages: int) -> list[bytes]:
        async def wait() -> None:
            async with asyncio.timeout(10):
                while len(self.frames) < messages:  # noqa: ASYNC110  # a transport has no signal but its callback
                    await asyncio.sleep(0.001)

        self.runner.run(wait())
        return self.frames

    def end(self) -> KrakenwireError:
        return self.runner.run(asyncio.wait_for(self.wire.ended(), 10))

    def close(self) -> None:
        async def close() -> None:
            self.wire.close()
            await asyncio.wait_for(self.wire.ended(), 10)

        self.runner.run(close())
        self.runner.close()


def _new_uvloop() -> asyncio.AbstractEventLoop:
    return pytest.importorskip("uvloop").new_event_loop()


class PicowsLine(AsyncLine):
    async def open(self, attempt: Attempt) -> object:
        return await aio_transport.open_wire(attempt, self.met, self.take)


class UvloopPicowsLine(PicowsLine):
    new_loop = staticmethod(_new_uvloop)


class NativeLine(AsyncLine):
    async def open(self, attempt: Attempt) -> object:
        from krakenwire._native.sink import CallableSink
        from krakenwire.client import native_wire

        return await native_wire.open_wire(attempt, self.met, CallableSink(self.take))


class UvloopLine(NativeLine):
    new_loop = staticmethod(_new_uvloop)


class LoopTlsLine(NativeLine):
    """With the TLS of the loop, which serves where picows brings none."""

    async def open(self, attempt: Attempt) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("krakenwire.client.fastnet.INSTALLED", False)
            return await super().open(attempt)


Open = Callable[..., Line]

needs_native = pytest.mark.skipif(not _native.ENABLED, reason="the compiled twins are not in use")
NATIVE = [
    pytest.param(NativeLine, id="native", marks=needs_native),
    pytest.param(UvloopLine, id="native on uvloop", marks=needs_native),
]
LOOP_TLS = [pytest.param(LoopTlsLine, id="native, the loop's TLS", marks=needs_native)]
ASYNC = [
    pytest.param(PicowsLine, id="picows"),
    pytest.param(UvloopPicowsLine, id="picows on uvloop"),
    *NATIVE,
]


Make = Callable[..., AsyncLine]


class Tls(NamedTuple):
    """Settings of both ends that trust each other, and a client's that trusts nobody."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    stranger: ssl.SSLContext
