"""Which stream a frame belongs to, from a look at its text: quick, and never sure of a frame's worth.

For counting and choosing frames of either version; what a frame means is
`krakenwire.protocol`'s business.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Seen", "seen"]

_V2_CHANNEL: Final = re.compile(rb'"channel"\s*:\s*"([^"]*)"')
_V2_SYMBOL: Final = re.compile(rb'"symbol"\s*:\s*"([^"]*)"')
_V2_SNAPSHOT: Final = re.compile(rb'"type"\s*:\s*"snapshot"')
_V1_END: Final = re.compile(rb'"([^"]*)"\s*,\s*"([^"]*)"\s*\]\s*$')
_V1_PRIVATE_END: Final = re.compile(rb'"([^"]*)"\s*,\s*\{[^{}]*\}\s*\]\s*$')
_V1_SNAPSHOT: Final = re.compile(rb'"[ab]s"\s*:')
_V1_EVENT: Final = re.compile(rb'"event"\s*:\s*"([^"]*)"')
_V2_METHOD: Final = re.compile(rb'"method"\s*:\s*"([^"]*)"')


class Seen(NamedTuple):
    """What a frame seems to be.

    Args:
        channel: its channel as the wire writes it, such as ``book`` or ``book-10``; empty where it has none.
        symbol: as the wire writes it, empty where it has none.
        snapshot: whether a stream begins anew with it.
        event: what it is instead of data: a method or event such as ``subscribe`` or ``systemStatus``.
    """

    channel: str = ""
    symbol: str = ""
    snapshot: bool = False
    event: str = ""


def seen(frame: bytes) -> Seen:
    """Return what a frame of a venue seems to be; all empty for one that is neither version's."""
    if frame.startswith(b"["):
        return _v1(frame)
    method = _V2_METHOD.search(frame)
    channel = None if method is not None else _V2_CHANNEL.search(frame)
    if channel is None:
        event = method or _V1_EVENT.search(frame)
        return Seen() if event is None else Seen(event=_text(event[1]))
    symbol = _V2_SYMBOL.search(frame)
    return Seen(_text(channel[1]), "" if symbol is None else _text(symbol[1]), _V2_SNAPSHOT.search(frame) is not None)


def _v1(frame: bytes) -> Seen:
    public = _V1_END.search(frame)
    if public is not None:
        return Seen(_text(public[1]), _text(public[2]), _V1_SNAPSHOT.search(frame) is not None)
    private = _V1_PRIVATE_END.search(frame)
    return Seen() if private is None else Seen(_text(private[1]))


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
