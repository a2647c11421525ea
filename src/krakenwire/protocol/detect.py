"""Which API version a recorded frame is of, and who sent it.

Looks at the frame alone. Says nothing about whether it is well-formed beyond
that: the version's codec decides. Next: `v1.client`, `v2.client`.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

__all__ = ["Origin", "origin_of"]

Origin = Literal["v1", "v2", "client", "unknown"]
"""A server's frame of version 1 or 2, a client's request of either, or nothing of the kind."""


class _Head(msgspec.Struct, gc=False):
    """The members that tell what an object frame is, whatever their types."""

    event: Any = None
    channel: Any = None
    method: Any = None
    success: Any = None
    error: Any = None
    error_message: Any = msgspec.field(name="errorMessage", default=None)


_read_head = msgspec.json.Decoder(_Head).decode
_ANSWERS: Final = ("pong", "error")
_V1_REQUESTS: Final = frozenset(
    (
        "subscribe",
        "unsubscribe",
        "ping",
        "addOrder",
        "editOrder",
        "amendOrder",
        "cancelOrder",
        "cancelAll",
        "cancelAllOrdersAfter",
    )
)


def origin_of(frame: bytes) -> Origin:
    """Return whose frame this is; ``unknown`` when it is no JSON object or array, or names nothing.

    Source: v2 reference, section 2.1; v1 reference, section 3.
    """
    if frame.startswith(b"["):
        return "v1"
    if frame.startswith(b'{"channel":'):
        return "v2"
    try:
        return _origin_of_object(_read_head(frame))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return "unknown"


def _origin_of_object(head: _Head) -> Origin:
    if head.event is not None:
        return "client" if isinstance(head.event, str) and head.event in _V1_REQUESTS else "v1"
    if head.method is not None:
        answered = head.success is not None or head.error is not None or head.method in _ANSWERS
        return "v2" if answered else "client"
    if head.channel is not None:
        return "v2"
    return "unknown" if head.error_message is None else "v1"
