"""What a session needs of a codec; `protocol.v1` and `protocol.v2` both have it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from krakenwire.model import Event, Subscription
from krakenwire.protocol.requests import Request

__all__ = ["Codec"]


class Codec(Protocol):
    """Requests out, events in, for one version of the API."""

    @property
    def version(self) -> int: ...

    def subscribe(
        self, subs: Sequence[Subscription], req_ids: Iterator[int], token: str | None = None
    ) -> list[Request]: ...

    def unsubscribe(
        self, subs: Sequence[Subscription], req_ids: Iterator[int], token: str | None = None
    ) -> list[Request]: ...

    def ping(self, req_id: int) -> str: ...

    def decode(self, frame: bytes | str) -> tuple[Event, ...]: ...
