from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from krakenwire._native.sink import MessageSink
from krakenwire.model import Event
from krakenwire.session.lane import Lane as PureLane

class Lane(PureLane): ...

class Pass:
    open: bool
    frames: int
    events: int
    verified: int
    failed: int
    unverified: int
    ignored: int
    malformed: int
    heartbeats: int
    fallbacks: int
    unknown_members: int
    def __init__(
        self,
        version: int,
        books: dict[Any, Any],
        book_for: Callable[[str, int | None, int], object],
        level3_for: Callable[[str, str, int], object],
        symbol_of: Callable[[str], str] | None,
        slow: Callable[[bytes | str], tuple[Event, ...]],
    ) -> None: ...
    def feed(self, frame: bytes | str) -> tuple[Event, ...]: ...
    def lane(self, channel: str, symbol: str | None) -> Lane: ...
    def changed(self) -> None: ...
    def forget_level3(self, symbol: str) -> None: ...

class FeedSink(MessageSink):
    direct: bool
    def __init__(
        self,
        feed_pass: Pass,
        *,
        clock: Callable[[], int],
        take_events: Callable[[tuple[Event, ...], int, int], object],
        take_frame: Callable[[bytes, int], object],
        take_unusual: Callable[[bytes, int], object],
        heard: Callable[[int, int, int, int], object],
        failed: Callable[[object, Exception], object],
        after_read: Callable[[], object],
        frame_bytes_max: int,
        guard: AbstractContextManager[object] | None = None,
        seen: Callable[[bytes, int], object] | None = None,
    ) -> None: ...
