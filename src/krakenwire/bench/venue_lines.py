"""Connections to a local Kraken that cost next to nothing, so that the venue is what is measured.

Frames are made before the clock runs; an answer is told by its `req_id` and
its success, letter by letter, and the next frame goes out from inside the
callback. On uvloop where it is installed.
"""

from __future__ import annotations

import asyncio
import itertools
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import picows

from krakenwire.bench.children import Trading
from krakenwire.bench.venue_child import SECRET
from krakenwire.protocol.rest_sign import sign

__all__ = ["TIMEOUT_S", "Line", "Trips", "batch_adds", "cpu_s", "exchange", "open_line", "orders", "token"]

TIMEOUT_S: Final = 120.0
_TOKEN_PATH: Final = "/0/private/GetWebSocketsToken"
_nonces: Final = itertools.count(time.time_ns())

OnFrame = Callable[[bytes], None]


def token(venue: Trading, number: int) -> str:
    """Return a token for the account of that number."""
    nonce = str(next(_nonces))
    body = f"nonce={nonce}".encode()
    headers = {"API-Key": venue.keys[number], "API-Sign": sign(_TOKEN_PATH, nonce, body, SECRET)}
    request = urllib.request.Request(f"http://127.0.0.1:{venue.port}{_TOKEN_PATH}", body, headers)
    with urllib.request.urlopen(request) as answer:
        text: str = msgspec.json.decode(answer.read())["result"]["token"]
    return text


def cpu_s(venue: Trading) -> float:
    """Return the processor time of the venue's process so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{venue.echo}/cpu") as answer:
        return float(answer.read())


class Line(picows.WSListener):
    """One connection; each text frame goes to whoever listens at that time."""

    def __init__(self) -> None:
        self.on_frame: OnFrame = lambda _: None
        self.transport: picows.WSTransport | None = None

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.TEXT:
            self.on_frame(frame.get_payload_as_bytes())
        elif frame.msg_type == picows.WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())

    def send(self, text: bytes) -> None:
        """Send a text frame."""
        assert self.transport is not None
        self.transport.send(picows.WSMsgType.TEXT, text)

    async def close(self) -> None:
        """End the connection."""
        assert self.transport is not None
        self.transport.disconnect(graceful=False)
        await self.transport.wait_disconnected()


async def open_line(port: int, path: str = "/v2") -> Line:
    """Open a connection."""
    _, line = await picows.ws_connect(Line, f"ws://127.0.0.1:{port}{path}")
    assert isinstance(line, Line)
    return line


# -- frames ------------------------------------------------------------------------


def _request(method: str, req_id: int, **params: object) -> bytes:
    return msgspec.json.encode({"method": method, "params": params, "req_id": req_id})


def orders(token: str, symbol: str, price: float, count: int) -> list[bytes]:
    """Return that many requests with the ids 0, 1, 2 ...: an order below the market, its end, the next one.

    Args:
        token: of the account.
        symbol: v2 spelling.
        price: of the first order; the others step down from it and start over.
        count: even.
    """
    frames: list[bytes] = []
    plain = {"order_type": "limit", "side": "buy", "symbol": symbol, "order_qty": 0.01, "token": token}
    for number in range(0, count, 2):
        name = f"own {number}"
        limit_price = msgspec.Raw(f"{price - number % 200 / 2:.1f}".encode())
        frames.append(_request("add_order", number, **plain, limit_price=limit_price, cl_ord_id=name))
        frames.append(_request("cancel_order", number + 1, cl_ord_id=[name], token=token))
    return frames


def batch_adds(token: str, symbol: str, price: float, count: int) -> list[bytes]:
    """Return requests that rest that many orders, fifteen each, on a thousand levels below a price."""
    frames: list[bytes] = []
    for first in range(0, count, 15):
        rows = [
            {
                "order_type": "limit",
                "side": "buy",
                "order_qty": 0.01,
                "limit_price": msgspec.Raw(f"{price - (first + number) % 1_000 / 10:.1f}".encode()),
            }
            for number in range(15)
        ]
        frames.append(_request("batch_add", len(frames), symbol=symbol, orders=rows, token=token))
    return frames


# -- exchanges of requests and answers -------------------------------------------------


class Trips:
    """Requests over one line, each answered before the clock of the next one stops.

    Args:
        line: where; it is listened to from now on.
        frames: the request of ``req_id`` 0, that of 1, and so on.
        window: how many are under way at once.
        done: called when all have been answered well, or with what was not.

    Attributes:
        took_ns: from sending to answer, of each; with a window above 1 they wait for each other.
    """

    def __init__(self, line: Line, frames: Sequence[bytes], window: int, done: Callable[[str], None]) -> None:
        self._line, self._frames, self._window, self._done = line, frames, window, done
        self._answered = self._sent = 0
        self._sent_ns = [0] * len(frames)
        self.took_ns: list[int] = []
        line.on_frame = self._take

    def start(self) -> None:
        """Send the first ones."""
        for _ in range(min(self._window, len(self._frames))):
            self._send()

    def _send(self) -> None:
        self._sent_ns[self._sent] = time.perf_counter_ns()
        self._line.send(self._frames[self._sent])
        self._sent += 1

    def _take(self, frame: bytes) -> None:
        if b'"req_id":' not in frame:
            return  # the status, a heartbeat, what the account is told
        now_ns, number = time.perf_counter_ns(), self._answered
        if b'"req_id":%d,' % number not in frame or b'"success":true' not in frame:
            self._done(f"request {number} was answered with {frame.decode()}")
            return
        self.took_ns.append(now_ns - self._sent_ns[number])
        self._answered += 1
        if self._sent < len(self._frames):
            self._send()
        elif self._answered == len(self._frames):
            self._done("")


async def exchange(lines: Sequence[Line], frames: Sequence[Sequence[bytes]], window: int) -> float:
    """Send everything over its lines at once; return the seconds until all of it was answered.

    Raises:
        AssertionError: something was refused.
    """
    done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    left = len(lines)
    start = time.perf_counter()

    def one(refused: str) -> None:
        nonlocal left
        left -= 1
        if refused and not done.done():
            done.set_exception(AssertionError(refused))
        elif not left and not done.done():
            done.set_result(time.perf_counter() - start)

    trips = [Trips(line, texts, window, one) for line, texts in zip(lines, frames, strict=True)]
    start = time.perf_counter()
    for trip in trips:
        trip.start()
    return await asyncio.wait_for(done, TIMEOUT_S)
