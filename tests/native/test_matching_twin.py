"""The compiled matching engine beside its readable twin: any commands, every event, every level, every queue."""

from __future__ import annotations

import array
import subprocess
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.engines import compiled
from tests.native.c_program import SANITIZE, build

from krakenwire.venue.matching.matching import MatchingEngine
from krakenwire.venue.matching.orders import PRICE_MAX, QTY_MAX, REFUSALS, SIDES, BatchResult, Command, OrderFlag

HOSTILE = (0, -1, 1, 2**62, 2**62 + 1, 2**62 - 1, 2**63 - 1, -(2**63), -(2**63) + 1, 1_000, 1_001)
LONG = 120_000
LONG_RUNS = {"wild": 40, "hostile": 40, "deep": 8}
"""Seeds of each flow for a night, ten million commands in all: each reading of a deep book takes long."""
_MILD = {"Refused not positive", "Refused too large", "Refused nothing to reduce"}
NEVER = {"hostile": set(), "wild": _MILD, "deep": _MILD | {"Refused display too small", "Finished no liquidity"}}
"""What a flow need not meet."""


class Draw:
    """Commands for both engines, from a seed: mostly sensible ones near a touch that moves.

    `kind`: ``wild`` has orders of extreme size and price, which often sweep the book; ``hostile``
    has numbers that no command may have, too; ``deep`` has neither, and a book of thousands of levels.
    """

    def __init__(self, seed: int, kind: str) -> None:
        self.random = Random(seed)
        self.hostile = kind == "hostile"
        self.deep = kind == "deep"
        self.mid = 1_000
        self.number = 0

    def some(self, usual: int) -> int:
        return self.random.choice(HOSTILE) if self.hostile and self.random.random() < 0.03 else usual

    def price(self, side: str) -> int:
        self.mid = max(50, self.mid + self.random.choice((-1, 0, 0, 1)))
        if self.deep:
            away = round(self.random.expovariate(0.0002)) - 2
            return 10**9 + self.mid + (away if side == "sell" else -away)
        if self.random.random() < 0.02:
            return self.random.choice((1, PRICE_MAX, self.random.randrange(1, PRICE_MAX)))
        return self.some(self.mid + round(self.random.gauss(0, 6)))

    def qty(self) -> int:
        return QTY_MAX if self.random.random() < 0.01 and not self.deep else self.some(self.random.randrange(1, 40))

    def order_id(self) -> int:
        self.number += 1
        return self.some(self.number * self.random.choice((1, 1, 1, 2**20, 2**40 + 1)) % 2**62)

    def known(self, ids: list[int]) -> int:
        return self.some(self.random.choice(ids) if ids else 1)

    def maybe(self, share: float, value: int) -> int | None:
        return value if self.random.random() < share else None

    def place(self) -> tuple[Any, ...]:
        random = self.random
        side = random.choice(SIDES)
        return (
            side,
            self.qty(),
            None if random.random() < 0.06 else self.price(side),
            random.choice(("gtc",) * 8 + ("ioc", "fok")),
            random.random() < 0.1,
            random.choice((0, 0, 1, 2, 3)),
            random.choice(("cancel_newest", "cancel_oldest", "cancel_both")),
            self.maybe(0.3, self.some(random.randrange(1, 9))),
            self.maybe(0.1, self.some(random.randrange(1, 60))),
        )

    def amend(self) -> tuple[Any, ...]:
        return (
            self.maybe(0.6, self.qty()),
            self.maybe(0.4, self.price(self.random.choice(SIDES))),
            self.random.random() < 0.1,
            self.maybe(0.2, self.some(self.random.randrange(1, 9))),
            self.maybe(0.2, self.some(self.random.randrange(1, 60))),
        )


def order_state(order: Any) -> tuple[Any, ...]:
    return (
        order.order_id,
        order.side,
        order.price,
        order.qty,
        order.hidden,
        order.remaining,
        order.time_ns,
        order.post_only,
        order.owner,
        order.self_trade,
        order.display_qty,
        order.reduce_qty,
    )


def level_state(level: Any) -> tuple[Any, ...]:
    orders = [order_state(order) for order in level]
    assert orders[0] == order_state(level.first)
    assert orders[-1] == order_state(level.last)
    return level.price, level.qty, level.hidden, level.count, level.time_ns, orders


def book_state(engine: Any) -> list[Any]:
    return [[level_state(level) for level in side.top(len(side))] for side in (engine.bids, engine.asks)]


def check_readings(pure: Any, native: Any, random: Random) -> None:
    assert book_state(native) == book_state(pure)
    assert sorted(native.orders) == sorted(pure.orders)
    assert len(native.orders) == len(pure.orders)
    for order_id in list(pure.orders)[:3]:
        assert order_state(native.orders[order_id]) == order_state(pure.orders[order_id])
    for price in (random.randrange(900, 1_100), *HOSTILE):
        for side in SIDES:
            mine, theirs = native.side(side), pure.side(side)
            assert mine.rank(price) == theirs.rank(price)
            assert (mine.level(price) is None) == (theirs.level(price) is None)
            assert native.crosses(side, price) == pure.crosses(side, price)
            for owner, kind in ((0, "cancel_newest"), (1, "cancel_newest"), (2, "cancel_oldest")):
                asked = (side, random.choice((None, price)), random.choice((-5, 0, 3, 300, 2**63 - 1)), owner, kind)
                assert native.fillable(*asked) == pure.fillable(*asked)
            for rank in range(min(len(theirs), 3)):
                assert mine.price_at(rank) == theirs.price_at(rank) == mine.at(rank).price


def step(engine: Any, draw: Draw, ids: list[int]) -> tuple[str, tuple[Any, ...]]:
    kind = draw.random.choices(("place", "cancel", "amend"), (60, 20, 20))[0]
    if kind == "place":
        return kind, (draw.order_id() if draw.random.random() < 0.98 or not ids else draw.known(ids), *draw.place())
    return kind, (draw.known(ids), *(draw.amend() if kind == "amend" else ()))


def run_events(seed: int, count: int, flow: str) -> Counter[str]:
    pure, native, draw = MatchingEngine(), compiled().MatchingEngine(), Draw(seed, flow)
    seen: Counter[str] = Counter()
    ids: list[int] = []
    for now in range(1, count + 1):
        kind, values = step(pure, draw, ids)
        if kind == "place":
            order_id, side, qty, price, *rest = values
            events = pure.place(order_id, side, qty, price, now, *rest)
            assert native.place(order_id, side, qty, price, now, *rest) == events
            ids.append(order_id)
        else:
            order_id, *rest = values
            events = getattr(pure, kind)(order_id, now, *rest)
            assert getattr(native, kind)(order_id, now, *rest) == events
        seen.update(f"{type(event).__name__} {getattr(event, 'reason', '')}".strip() for event in events)
        if now % (1_000 if flow == "deep" else 100) == 0:
            check_readings(pure, native, draw.random)
            ids = list(pure.orders)
    assert flow != "deep" or len(pure.bids) > 1_000
    return seen


def compact_flags(place: tuple[Any, ...]) -> tuple[int, int, int, int, int, int, int]:
    side, qty, price, force, post_only, owner, self_trade, display, bound = place
    flags = {"gtc": 0, "ioc": OrderFlag.IOC, "fok": OrderFlag.FOK}[force] | (OrderFlag.POST_ONLY if post_only else 0)
    flags |= {"cancel_oldest": OrderFlag.CANCEL_OLDEST, "cancel_both": OrderFlag.CANCEL_BOTH}.get(self_trade, 0)
    flags |= OrderFlag.MARKET if price is None else 0
    flags |= 0 if bound is None else OrderFlag.REDUCE_ONLY
    return int(side == "sell"), price or 0, qty, int(flags), owner, display or 0, bound or 0


def compact_rows(seed: int, count: int, flow: str) -> list[tuple[int, ...]]:
    """Rows of a batch; which orders rest is found out by running along."""
    draw, guide = Draw(seed, flow), MatchingEngine()
    rows: list[tuple[int, ...]] = []
    ids: list[int] = []
    for now in range(1, count + 1):
        kind, (order_id, *values) = step(guide, draw, ids)
        if kind == "place":
            is_sell, price, qty, flags, owner, display, bound = compact_flags(tuple(values))
            flags = draw.some(flags)
            row = (Command.SUBMIT, order_id, is_sell, price, qty, now, flags, owner, display, bound)
            ids.append(order_id)
        elif kind == "cancel":
            row = (Command.WITHDRAW, order_id, 0, 0, 0, now, 0, 0, 0, 0)
        else:
            qty, price, post_only, display, bound = (value or 0 for value in values)
            flags = OrderFlag.POST_ONLY if post_only else draw.some(0)
            row = (Command.REVISE, order_id, 0, price, qty, now, flags, 0, display, bound)
        rows.append(tuple(map(int, row if draw.random.random() < 0.99 else (draw.some(7), *row[1:]))))
        if now % 200 == 0:
            guide.batch(array.array("q", [number for row in rows[now - 200 : now] for number in row]), 10)
            ids = list(guide.orders)
    return rows


def answer(engine: Any, row: tuple[int, ...]) -> int | bool | None:
    command, order_id, is_sell, price, qty, now, flags, owner, display, bound = row
    if command == Command.SUBMIT:
        return engine.submit(order_id, is_sell, price, qty, now, flags, owner, display, bound)
    if command == Command.WITHDRAW:
        return engine.withdraw(order_id, now)
    if command == Command.REVISE:
        return engine.revise(order_id, price, qty, now, flags, display, bound)
    return None


@pytest.mark.parametrize("flow", ["wild", "hostile", "deep"])
def test_any_commands_give_the_same_events_levels_and_queues(flow: str, nightly: bool) -> None:
    seen: Counter[str] = Counter()
    for seed in range(LONG_RUNS[flow] if nightly else 1):
        seen += run_events(seed, LONG if nightly else 12_000, flow)
    reasons = {
        "Refused": set(REFUSALS) - {"", "bad flags"},
        "Changed": {"trade", "amend"},
        "Removed": {"trade", "cancel", "amend", "self trade", "refill"},
        "Finished": {"filled", "ioc", "no liquidity", "self trade"},
    }
    expected = {f"{name} {reason}" for name, some in reasons.items() for reason in some} - NEVER[flow]
    assert seen.keys() >= expected | {"Accepted", "Rested", "Traded", "Amended"}


@pytest.mark.parametrize("flow", ["wild", "hostile", "deep"])
def test_compact_calls_give_the_same_answers_trades_and_book(flow: str, nightly: bool) -> None:
    for seed in range(100, 100 + (LONG_RUNS[flow] if nightly else 1)):
        pure, native = MatchingEngine(record_trades=True), compiled().MatchingEngine(record_trades=True)
        answers: Counter[object] = Counter()
        for number, row in enumerate(compact_rows(seed, LONG if nightly else 12_000, flow)):
            mine = answer(pure, row)
            assert answer(native, row) == mine, row
            answers[mine] += 1
            if number % 1_000 == 0:
                assert native.take_trades() == pure.take_trades()
                check_readings(pure, native, Random(number))
        assert native.take_trades() == pure.take_trades()
        codes = set(range(-len(REFUSALS) + 1, 0)) - {-REFUSALS.index("unknown order")}
        assert {code for code in answers if isinstance(code, int) and code < 0} >= (
            codes if flow == "hostile" else {-9, -8}
        )


def test_a_batch_is_its_commands_one_by_one() -> None:
    rows = compact_rows(7, 6_000, "hostile")
    flat = array.array("q", [number for row in rows for number in row])
    pure, native, single = MatchingEngine(True), compiled().MatchingEngine(True), compiled().MatchingEngine(True)
    answers = [answer(single, row) for row in rows]
    trades = single.take_trades()
    refused = sum(got is None or got is False or (got is not True and got < 0) for got in answers)
    expected = BatchResult(len(rows) - refused, refused, len(trades))
    assert trades
    for engine, buffer in ((pure, flat), (native, flat)):
        assert engine.batch(buffer, 10) == expected
        assert engine.take_trades() == trades
        assert engine.take_trades() == []
        assert book_state(engine) == book_state(single)
    again = compiled().MatchingEngine()
    assert again.batch(b"x" * 0, 10) == BatchResult(0, 0, 0)
    assert again.batch(flat.tobytes(), 10) == expected, "bytes may lie anywhere"
    assert again.batch(memoryview(b"." + flat.tobytes())[1:], 10).done >= 0, "unaligned"
    assert again.take_trades() == [], "nothing is kept unless asked for"


@pytest.mark.nightly
def test_ten_million_commands_give_the_same_book(nightly: bool) -> None:
    pure, native = MatchingEngine(), compiled().MatchingEngine()
    for seed in range(100):
        flat = array.array(
            "q",
            [number for row in compact_rows(seed, 100_000, ("wild", "hostile", "deep")[seed % 3]) for number in row],
        )
        assert native.batch(flat, 10) == pure.batch(flat, 10)
        assert book_state(native) == book_state(pure)


@pytest.mark.parametrize("failures", [(), ("3",)], ids=["plenty", "scarce memory"])
def test_random_commands_in_c_keep_the_book_whole_under_the_sanitizers(
    failures: tuple[str, ...], tmp_path: Path, nightly: bool
) -> None:
    program = build("fuzz_matching.c", tmp_path, *SANITIZE, "-Wno-unused-function")
    for seed in range(1, 101 if nightly else 3):
        command = [str(program), str(seed), "1000000" if nightly else "60000", *failures]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
        assert (done.returncode, done.stderr) == (0, "")
        quiet, refused, traded, resting = map(int, done.stdout.split())
        assert min(quiet, refused, traded, resting) > 100
