"""The floor under the end-to-end rows: a blocking receive loop in C with the same pass and callback.

No event loop, no session, no subscriptions: a socket past its handshake, the
compiled pass, and the Python callback of the other cases. Only where the
compiled twins are in use.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NoReturn

from krakenwire.bench.generate import PAIRS
from krakenwire.limits import FRAME_BYTES_MAX
from krakenwire.model import Event
from krakenwire.protocol.v2.client import ClientCodec
from krakenwire.session.feed import Feed

__all__ = ["receive"]

_UPGRADE = (
    "GET /raw/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def receive(port: int, passes: int, count: int, callback: Callable[[Event], object]) -> None:
    """Receive a burst and have the callback called with each event; raise unless all were verified.

    Args:
        port: of the bench's server.
        passes: of its stream.
        count: frames these are.
        callback: called with each event.
    """
    from krakenwire._native.feed import FeedSink
    from krakenwire._native.wire import drain

    feed = Feed(ClientCodec())
    assert feed.fast is not None
    feed.fast.open = True
    for symbol, *_ in PAIRS:
        lane = feed.lane("book", symbol)
        lane.sinks, lane.calm = (callback,), True
    sink = FeedSink(
        feed.fast,
        clock=lambda: 0,
        take_events=_unexpected,
        take_frame=_unexpected,
        take_unusual=_unexpected,
        heard=lambda *_: None,
        failed=_unexpected,
        after_read=lambda: None,
        frame_bytes_max=FRAME_BYTES_MAX,
    )
    sink.direct = True
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(_UPGRADE.format(passes).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        drain(sock.fileno(), sink, count)
    if (feed.counters.verified, feed.counters.failed, feed.counters.fallbacks) != (count, 0, 0):
        raise AssertionError(f"expected {count} verified books, found {feed.counters}")


def _unexpected(*what: object) -> NoReturn:
    raise AssertionError(f"not in plain form: {what[0]!r}")
