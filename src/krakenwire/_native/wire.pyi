import asyncio
from collections.abc import Callable

from krakenwire._native.sink import MessageSink

class WireProtocol(asyncio.BufferedProtocol):
    def __init__(
        self,
        url: str,
        sink: MessageSink,
        answered: Callable[[bytes], None],
        opened: Callable[[], None],
        lost: Callable[[Exception | None], None],
        *,
        head_bytes_max: int,
        message_bytes_max: int,
        fragments_max: int,
    ) -> None: ...
    @property
    def failure(self) -> BaseException | None: ...
    @property
    def over(self) -> bool: ...
    def send(self, text: str) -> None: ...
    def pause(self, paused: bool) -> None: ...
    def close(self, code: int, reason: bytes) -> None: ...
    def abort(self) -> bool: ...

class CountingSink(MessageSink):
    messages: int
    size: int
    reads: int
    def __init__(self, enough: int = 0, done: Callable[[], None] | None = None) -> None: ...

def drain(fd: int, sink: MessageSink, messages: int) -> int: ...
