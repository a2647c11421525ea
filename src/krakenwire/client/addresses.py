"""From a host name to a connected TCP socket, within a deadline.

A resolver can hang far longer than anyone wants to wait and cannot be
interrupted, so it runs in a daemon thread of its own and is left behind when
the time is over; it holds up neither the caller nor the end of the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import socket
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from krakenwire.client.errands import run_beside

__all__ = ["Address", "connect", "connect_async", "forget", "target"]

_PORTS = {"ws": 80, "wss": 443}


class Address(NamedTuple):
    """One way to reach a host: an address family and what `socket.connect` takes."""

    family: int
    sockaddr: tuple[str | int, ...] | tuple[int, bytes]


_Answer = list[Address] | Exception


def target(url: str) -> tuple[str, int]:
    """Return host and port of a WebSocket address."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


def connect(host: str, port: int, timeout_s: float) -> socket.socket:
    """Return a connected, blocking socket.

    Raises:
        OSError: the name has no address, or none of them answered. `TimeoutError` at the deadline.
    """
    deadline = time.monotonic() + timeout_s
    failure: Exception = OSError("the host name has no address")
    for address in _resolved(host, port, timeout_s):
        sock = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            sock.settimeout(max(0.001, deadline - time.monotonic()))
            sock.connect(address.sockaddr)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


async def connect_async(host: str, port: int) -> socket.socket:
    """Return a connected, non-blocking socket; the caller sets the deadline by cancelling.

    Raises:
        OSError: the name has no address, or none of them answered.
    """
    loop = asyncio.get_running_loop()
    failure: Exception = OSError("the host name has no address")
    for address in await _resolved_async(loop, host, port):
        sock = socket.socket(address.family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, address.sockaddr)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def forget(sock: socket.socket) -> None:
    """Let go of a socket that a transport, already gone, has had: closing it may close another one.

    uvloop takes hold of a socket's object one step after its descriptor; where the connection ends in between,
    the object keeps the number of a descriptor that is closed.
    """
    sock.detach()


def _resolved(host: str, port: int, timeout_s: float) -> list[Address]:
    answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
    run_beside("resolver", lambda: _look_up(host, port, answers.put))
    try:
        answer = answers.get(timeout=timeout_s)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


async def _resolved_async(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[Address]:
    future: asyncio.Future[list[Address]] = loop.create_future()

    def settle(answer: _Answer) -> None:
        if future.done():
            return
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)

    def report(answer: _Answer) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
            loop.call_soon_threadsafe(settle, answer)

    run_beside("resolver", lambda: _look_up(host, port, report))
    return await future


def _look_up(host: str, port: int, report: Callable[[_Answer], None]) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        report(error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, str(error)))
        return
    report([Address(family, sockaddr) for family, _, _, _, sockaddr in found])
