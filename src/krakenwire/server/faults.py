"""Faults a local venue commits on demand, so that clients can be tested against them.

Tables of what is still to go wrong, and nothing that waits: `application`
and `driver` ask here, and only while something is set. Faults spoil what is
said, never what is true: the venue itself stays right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from krakenwire.errors import ConfigError
from krakenwire.server.frames import text_frame, text_of

__all__ = [
    "GARBLES",
    "FaultSet",
    "Faults",
    "FrameFault",
    "FrameFaultKind",
    "RequestFault",
    "RequestFaultKind",
    "garbled",
]

FrameFaultKind = Literal["drop_updates", "duplicate_updates", "corrupt_checksums"]
RequestFaultKind = Literal["delay_ack", "lose_ack", "lose_request", "fail"]


class FrameFault(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to updates of one channel.

    Args:
        kind: what.
        channel: by its v2 or v1 name; `book` and its like are the same on both.
        count: how many more.
    """

    kind: FrameFaultKind
    channel: str
    count: int


class RequestFault(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to requests.

    Args:
        kind: what.
        method: by its v2, v1 or REST name; None for every request about orders.
        count: how many more.
        seconds: for how long an answer is held back.
        error: the text a request is refused with.
    """

    kind: RequestFaultKind
    method: str | None
    count: int
    seconds: float = 0.0
    error: str = ""


FaultSet = tuple[FrameFault | RequestFault, ...]

# -- what a request and a frame are called ----------------------------------------

_SAME: Final = {"batchadd": "addorderbatch", "batchcancel": "cancelorderbatch"}
"""What REST calls otherwise than the WebSocket API."""

_ORDERS: Final = frozenset(
    {
        *("addorder", "amendorder", "editorder", "cancelorder", "cancelall", "cancelallordersafter"),
        *_SAME.values(),
    }
)


def _plain(method: str) -> str:
    """One name for what v2 calls ``add_order``, v1 ``addOrder`` and REST ``AddOrder``."""
    name = method.replace("_", "").lower()
    return _SAME.get(name, name)


class _Head(msgspec.Struct):
    """What tells one request from another."""

    method: object = None
    event: object = None


_HEAD: Final = msgspec.json.Decoder(_Head)


def _method_of(frame: str | bytes) -> str:
    """The method of a v2 request or the event of a v1 one; empty for what is neither."""
    try:
        head = _HEAD.decode(frame)
    except (ValueError, RecursionError):
        return ""
    named = head.event if head.method is None else head.method
    return named if isinstance(named, str) else ""


_V2_UPDATE: Final = re.compile(r'\{"channel":"(\w+)","type":"update"')
_V1_UPDATE: Final = re.compile(r',"([a-zA-Z]+)(?:-\d+)?",(?:"[^"]*"|\{"sequence":\d+\})\]\Z')
_V1_TAIL_CHARS: Final = 64
_CHECKSUM: Final = re.compile(r'("checksum":|"c":")(\d+)')


def _channel_of(frame: str) -> str | None:
    """The channel of an update, None for other frames."""
    found = _V2_UPDATE.match(frame) or _V1_UPDATE.search(frame[-_V1_TAIL_CHARS:])
    return None if found is None else found[1]


# -- what goes wrong --------------------------------------------------------------


class Faults:
    """Everything that is still to go wrong; with nothing set, the venue is a faithful one.

    Attributes:
        frames, requests: whether anything is set for published frames, and for requests.
    """

    def __init__(self) -> None:
        self._set: dict[tuple[str, str | None], FrameFault | RequestFault] = {}
        self.frames = self.requests = False

    @property
    def all(self) -> FaultSet:
        """What is set, with the counts that are left."""
        return tuple(self._set.values())

    def add(self, fault: FrameFault | RequestFault) -> None:
        """Set a fault; it replaces one of its kind for the same channel or method, and a count of 0 ends it."""
        subject = fault.channel if isinstance(fault, FrameFault) else fault.method and _plain(fault.method)
        self._keep((fault.kind, subject), fault)

    def clear(self) -> None:
        """Let nothing more go wrong."""
        self._set.clear()
        self.frames = self.requests = False

    def apply(self, frame: str) -> tuple[str, ...]:
        """Return the frames to publish instead of one: none to swallow it, two to say it twice."""
        channel = _channel_of(frame)
        for key, fault in tuple(self._set.items()):
            if not isinstance(fault, FrameFault) or fault.channel != channel:
                continue
            spoiled = _SPOILERS[fault.kind](frame)
            if spoiled is not None:
                self._keep(key, msgspec.structs.replace(fault, count=fault.count - 1))
                return spoiled
        return (frame,)

    def of_frame(self, frame: str | bytes) -> RequestFault | None:
        """Return what shall go wrong with a WebSocket request, and count it; None for nothing."""
        return self.of_request(_method_of(frame))

    def of_request(self, method: str) -> RequestFault | None:
        """Return what shall go wrong with a request of this name, and count it; None for nothing."""
        plain = _plain(method)
        for key, fault in self._set.items():
            if isinstance(fault, RequestFault) and (key[1] == plain or (key[1] is None and plain in _ORDERS)):
                self._keep(key, msgspec.structs.replace(fault, count=fault.count - 1))
                return fault
        return None

    def _keep(self, key: tuple[str, str | None], fault: FrameFault | RequestFault) -> None:
        if fault.count > 0:
            self._set[key] = fault
        else:
            self._set.pop(key, None)
        self.frames = any(isinstance(fault, FrameFault) for fault in self._set.values())
        self.requests = any(isinstance(fault, RequestFault) for fault in self._set.values())


def _corrupted(frame: str) -> tuple[str, ...] | None:
    """The frame with a checksum that is wrong by one; None when it has none."""
    found = _CHECKSUM.search(frame)
    if found is None:
        return None
    return (f"{frame[: found.start()]}{found[1]}{(int(found[2]) + 1) % (1 << 32)}{frame[found.end() :]}",)


_SPOILERS: Final[Mapping[FrameFaultKind, Callable[[str], tuple[str, ...] | None]]] = {
    "drop_updates": lambda _: (),
    "duplicate_updates": lambda frame: (frame, frame),
    "corrupt_checksums": _corrupted,
}

# -- one connection's bytes ---------------------------------------------------------


def _flipped(text: str) -> str:
    """The text with one bit of its middle character turned over."""
    middle = len(text) // 2
    return text[:middle] + chr(ord(text[middle]) ^ 1) + text[middle + 1 :]


GARBLES: Final[Mapping[str, Callable[[str], str]]] = {
    "cut": lambda text: text[: len(text) // 2],
    "flip": _flipped,
    "not_json": lambda _: "CloudFlare WebSocket proxy restarting",
}
"""How a frame is garbled. The last is what a proxy in between was seen to say. Source: v2 reference, section 3.2."""


def garbled(frame: bytes, how: str) -> bytes:
    """Return an encoded frame garbled: a sound WebSocket frame with unsound text.

    Raises:
        ConfigError: not one of `GARBLES`.
    """
    if how not in GARBLES:
        raise ConfigError("how a frame is garbled", expected="one of " + ", ".join(GARBLES), found=how)
    return text_frame(GARBLES[how](text_of(frame)))
