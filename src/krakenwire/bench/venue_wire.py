"""The local Kraken under load over loopback: requests a second, round trips, followers of market data.

The venue is a process of its own, as `krakenwire venue` is one; whoever loads
it is another. Every answer is looked at, every book verified, every update
counted: a row without that work done is an error, not a figure.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from krakenwire.bench.children import Trading, spinning, trading
from krakenwire.bench.rows import Row, compared, measured
from krakenwire.bench.timing import Series
from krakenwire.bench.venue_lines import TIMEOUT_S, Line, batch_adds, cpu_s, exchange, open_line, orders, token
from krakenwire.client.aio import run
from krakenwire.protocol.v2.client import ClientCodec
from krakenwire.session.feed import Feed

__all__ = ["wire_rows"]

_T = TypeVar("_T")

ECHO: Final = "JSON echo of the same sizes on the same server"
_SYMBOL, _OTHER_SYMBOL = "BTC/USD", "ETH/USD"
_PRICES: Final = {_SYMBOL: 50_000.0, _OTHER_SYMBOL: 1_500.0}
_LINES: Final = 20
_WINDOW: Final = 16
"""Requests under way on one connection: a pipelined client, and no more than it could keep track of."""
_UPDATES_PER_S: Final = 20
_END_S: Final = 900.0
_PATIENCE_S: Final = 10.0
"""After the last request of a round; what has not come by then is missed."""


def wire_rows(rounds: int, quick: bool) -> list[Row]:
    """Return the rows that need a socket."""
    with trading(_LINES) as venue:
        plain, told = _run(_rates(venue, rounds, 100 if quick else 1_000))
        with spinning() as awake:
            trips = _run(_round_trips(venue, rounds, 100 if quick else 2_000))
            deep = _run(_deep_book(venue, rounds, 300 if quick else 100_000, 100 if quick else 1_000))
    with trading(1, "post_only") as venue:
        missed, late = _run(_followers(venue, rounds, 20 if quick else 500, 6 if quick else 40))
    note = "" if awake else "the cores were not kept awake"
    return [
        measured("venue-orders", plain.series, "requests/s", note=plain.note),
        measured("venue-orders-told", told.series, "requests/s", note=told.note),
        compared("venue-round-trip", trips["order"], ECHO, trips["echo"], "us", note=note),
        compared(
            "venue-deep-wire", deep["deep"], "beside the orders of the crowd alone", deep["plain"], "us", note=note
        ),
        measured("venue-followers", missed, "frames", note=f"99 of 100 came within {late.median:.1f} ms"),
    ]


def _run(measuring: Coroutine[Any, Any, _T]) -> _T:
    """Measure in a loop of its own; what never ends is an error, too."""
    return run(asyncio.wait_for(measuring, _END_S))


def _p50_us(took_ns: list[int]) -> float:
    """The median, without the first tenth."""
    return statistics.median(took_ns[len(took_ns) // 10 :]) / 1e3


def _follow(channel: str, token: str) -> bytes:
    return msgspec.json.encode({"method": "subscribe", "params": {"channel": channel, "token": token}})


# -- many requests -------------------------------------------------------------------


class _Rates(NamedTuple):
    """Requests a second, and what one of them costs of the venue's processor time."""

    series: Series
    cost_us: float

    @property
    def note(self) -> str:
        return f"{self.cost_us:.0f} us of the venue's processor time each"


async def _rates(venue: Trading, rounds: int, count: int) -> tuple[_Rates, _Rates]:
    """Requests of all connections together, with nobody told of orders, and with everybody."""
    tokens = [token(venue, number) for number in range(_LINES)]
    lines = [await open_line(venue.port) for _ in tokens]
    frames = [orders(text, _SYMBOL, _PRICES[_SYMBOL], count) for text in tokens]
    plain = await _rate(venue, lines, frames, rounds)
    for line, text in zip(lines, tokens, strict=True):
        line.send(_follow("executions", text))
    told = await _rate(venue, lines, frames, rounds)
    for line in lines:
        await line.close()
    return plain, told


async def _rate(venue: Trading, lines: list[Line], frames: list[list[bytes]], rounds: int) -> _Rates:
    count = sum(map(len, frames))
    before = cpu_s(venue)
    rates = [count / await exchange(lines, frames, _WINDOW) for _ in range(rounds)]
    return _Rates(Series(tuple(rates)), (cpu_s(venue) - before) / (count * rounds) * 1e6)


# -- one request after the other -------------------------------------------------------


async def _alone(line: Line, frame: bytes, number: int) -> int:
    """Nanoseconds of one round trip; its request has this `req_id`."""
    done: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

    def back(answer: bytes) -> None:
        if b'"req_id":' in answer:
            done.set_result((time.perf_counter_ns(), answer))

    line.on_frame = back
    start_ns = time.perf_counter_ns()
    line.send(frame)
    came_ns, answer = await done
    if b'"req_id":%d' % number not in answer or b'"success":false' in answer:
        raise AssertionError(f"request {number} was answered with {answer.decode()}")
    return came_ns - start_ns


async def _round_trips(venue: Trading, rounds: int, count: int) -> dict[str, Series]:
    """Medians of add_order and of the echo, one in turn with the other, microseconds."""
    line, echo = await open_line(venue.port), await open_line(venue.echo, "/")
    frames = orders(token(venue, 0), _SYMBOL, _PRICES[_SYMBOL], 2 * count)
    p50: dict[str, list[float]] = {"order": [], "echo": []}
    reply = await _reply_size(line, frames)
    for _ in range(rounds):
        took: dict[str, list[int]] = {"order": [], "echo": []}
        for number in range(0, len(frames), 2):
            asked = {"req_id": number, "reply": reply, "pad": ""}
            asked["pad"] = "x" * (len(frames[number]) - len(msgspec.json.encode(asked)))
            took["echo"].append(await _alone(echo, msgspec.json.encode(asked), number))
            took["order"].append(await _alone(line, frames[number], number))
            await _alone(line, frames[number + 1], number + 1)
        for name, values in took.items():
            p50[name].append(_p50_us(values))
    await line.close()
    await echo.close()
    return {name: Series(tuple(values)) for name, values in p50.items()}


async def _reply_size(line: Line, frames: list[bytes]) -> int:
    """Bytes of what answers an order."""
    sizes: list[int] = []
    taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def back(answer: bytes) -> None:
        if b'"req_id":' in answer:
            sizes.append(len(answer))
            if len(sizes) == 2:
                taken.set_result(None)

    line.on_frame = back
    for frame in frames[:2]:
        line.send(frame)
    await asyncio.wait_for(taken, TIMEOUT_S)
    return sizes[0] - len('{"req_id":0,"pad":""}')


async def _deep_book(venue: Trading, rounds: int, resting: int, count: int) -> dict[str, Series]:
    """Medians of add_order beside very many resting orders and beside those of the crowd alone, in turn."""
    text = token(venue, 1)
    line = await open_line(venue.port)
    await exchange([line], [batch_adds(text, _OTHER_SYMBOL, _PRICES[_OTHER_SYMBOL], resting)], _WINDOW)
    cases = {
        "plain": orders(text, _SYMBOL, _PRICES[_SYMBOL], 2 * count),
        "deep": orders(text, _OTHER_SYMBOL, _PRICES[_OTHER_SYMBOL], 2 * count),
    }
    p50: dict[str, list[float]] = {"plain": [], "deep": []}
    for _ in range(rounds):
        took: dict[str, list[int]] = {"plain": [], "deep": []}
        for number in range(0, 2 * count, 2):
            for name, frames in cases.items():
                took[name].append(await _alone(line, frames[number], number))
                await _alone(line, frames[number + 1], number + 1)
        for name, values in took.items():
            p50[name].append(_p50_us(values))
    await line.close()
    return {name: Series(tuple(values)) for name, values in p50.items()}


# -- many who follow --------------------------------------------------------------------


class _Tally:
    """Counts what comes, whoever it comes to."""

    def __init__(self) -> None:
        self._left = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def expect(self, count: int) -> asyncio.Future[None]:
        """Return what is done when so many more have come."""
        self._left, self._done = count, asyncio.get_running_loop().create_future()
        return self._done

    def note(self) -> None:
        """One has come."""
        self._left -= 1
        if not self._left:
            self._done.set_result(None)


class _Follower:
    """Verifies the book of one connection and notes when each message came."""

    def __init__(self, line: Line, tally: _Tally) -> None:
        self.line, self.feed, self._tally = line, Feed(ClientCodec()), tally
        self.came_ns: list[int] = []
        line.on_frame = self._take

    def _take(self, frame: bytes) -> None:
        if b'"channel":"book","type":' in frame:
            self.came_ns.append(time.perf_counter_ns())
            self._tally.note()
        self.feed.feed(frame)


async def _followers(venue: Trading, rounds: int, followers: int, updates: int) -> tuple[Series, Series]:
    """Frames that were missed, and how late the latest hundredth came, in milliseconds.

    The crowd waits, so that each request of the one account that is left changes the book once.
    """
    tally = _Tally()
    everyone = [_Follower(await open_line(venue.port), tally) for _ in range(followers)]
    mover = await open_line(venue.port)
    snapshots = tally.expect(followers)
    asked = {"channel": "book", "symbol": [_SYMBOL], "depth": 10}
    for follower in everyone:
        follower.line.send(msgspec.json.encode({"method": "subscribe", "params": asked}))
    await asyncio.wait_for(snapshots, TIMEOUT_S)
    frames = _moves(token(venue, 0), everyone[0].feed, updates)
    missed, late = [], []
    for _ in range(rounds):
        for follower in everyone:
            follower.came_ns.clear()
        everything = tally.expect(followers * updates)
        sent_ns = await _move(mover, frames)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(everything, _PATIENCE_S)
        missed.append(sum(abs(updates - len(follower.came_ns)) for follower in everyone))
        late.append(_latest_hundredth_ms(sent_ns, everyone))
    for follower in everyone:
        counters = follower.feed.counters
        assert counters.failed == 0, counters
        assert counters.verified <= 1 + rounds * updates, counters
        await follower.line.close()
    await mover.close()
    return Series(tuple(map(float, missed))), Series(tuple(late))


def _latest_hundredth_ms(sent_ns: list[int], everyone: Sequence[_Follower]) -> float:
    delays = sorted(came - sent for each in everyone for sent, came in zip(sent_ns, each.came_ns, strict=False))
    return delays[len(delays) * 99 // 100] / 1e6


def _moves(token: str, feed: Feed, updates: int) -> list[bytes]:
    """Requests that each change the best bid."""
    book = feed.book(_SYMBOL)
    assert book is not None
    assert updates % 2 == 0, "an order that is left over would be in the way of the next round"
    frames = orders(token, _SYMBOL, 0.0, updates)
    for number in range(0, len(frames), 2):
        asked = msgspec.json.decode(frames[number])
        asked["params"] |= {"limit_price": float(book.bids[0].price), "post_only": True}
        frames[number] = msgspec.json.encode(asked)
    return frames


async def _move(line: Line, frames: list[bytes]) -> list[int]:
    """Send the requests, twenty a second; return when."""
    loop, sent_ns = asyncio.get_running_loop(), []
    due = loop.time()
    for frame in frames:
        due += 1 / _UPDATES_PER_S
        await asyncio.sleep(due - loop.time())
        sent_ns.append(time.perf_counter_ns())
        line.send(frame)
    return sent_ns
