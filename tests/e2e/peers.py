"""A client by hand: one WebSocket, JSON in and out, nothing decided for the test."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from urllib.parse import urlencode

import websocket

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.protocol.rest_sign import sign

_NONCES = count(1)
_HEARTBEATS = ({"channel": "heartbeat"}, {"event": "heartbeat"})


class Peer:
    """One connection; frames that were passed over are kept in `seen`."""

    def __init__(self, url: str) -> None:
        self.ws = websocket.create_connection(url, timeout=20)
        self.version = 2 if url.endswith("/v2") else 1
        self.seen: list[Any] = []

    def send(self, **message: Any) -> None:
        self.ws.send(json.dumps(message))

    def ask(self, **message: Any) -> Any:
        """Send a request and return its answer."""
        name, number = ("req_id", next(_NONCES)) if self.version == 2 else ("reqid", next(_NONCES))
        self.send(**message, **{name: number})
        return self.until(lambda frame: isinstance(frame, dict) and frame.get(name) == number)

    def call(self, method: str, **params: Any) -> Any:
        """Send a v2 request with parameters and return its answer."""
        return self.ask(method=method, params=params)

    def text(self) -> str:
        return str(self.ws.recv())

    def until(self, wanted: Callable[[Any], bool], beats: int = 20) -> Any:
        """Return the first frame that is wanted; after so many heartbeats it will not come."""
        while beats:
            frame = json.loads(self.text())
            if wanted(frame):
                return frame
            beats -= frame in _HEARTBEATS
            self.seen.append(frame)
        raise AssertionError("no such frame")

    def of(self, channel: str) -> Any:
        """Return the next v2 message of a channel."""
        return self.until(lambda frame: frame.get("channel") == channel)

    def ended(self) -> bool:
        """Whether the connection ends without a word."""
        try:
            while self.ws.recv_data()[0] != websocket.ABNF.OPCODE_CLOSE:
                pass
        except (OSError, websocket.WebSocketConnectionClosedException):
            return True
        return False


@contextmanager
def peer(url: str) -> Iterator[Peer]:
    connected = Peer(url)
    try:
        yield connected
    finally:
        connected.ws.shutdown()


def http(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Return the status and the JSON of an answer."""
    request = urllib.request.Request(url, body, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


def signed(venue: LocalVenue, method: str, *, secret: str | None = None, **params: str) -> Any:
    """Return the answer to a private REST call, signed with the venue's first key."""
    nonce, path = str(next(_NONCES)), f"/0/private/{method}"
    body = urlencode({"nonce": nonce, **params}).encode()
    signature = sign(path, nonce, body, venue.secret if secret is None else secret)
    return http(venue.rest + path, body, {"API-Key": venue.key, "API-Sign": signature})[1]


def limit_order(qty: str = "0.01", price: int = 20_000, **more: Any) -> dict[str, Any]:
    """Parameters of a v2 bid that nobody will take."""
    base = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": float(qty), "limit_price": price}
    return base | more
