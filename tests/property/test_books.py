"""Any sequence of book operations gives the same book and checksum as a plain model.

The model is the slow and obvious way: dicts of integers, sorted when asked,
text made by padding. Books are driven directly and through both wire versions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.book import L2Book, L3Book
from krakenwire.errors import DecodeError, StaleData
from krakenwire.limits import BOOK_DEPTHS, LEVEL3_DEPTHS
from krakenwire.model import BookReading, BookUpdate, ChecksumFailed, Level, Level3Order, Level3Update
from krakenwire.protocol.v1.client import ClientCodec as V1Codec
from krakenwire.protocol.v2.client import ClientCodec as V2Codec
from krakenwire.session.feed import Feed

MID = 50_000  # bids lie below, asks above: the venue never publishes a crossed book
SIDES = ("bids", "asks")
SHALLOW = 25  # compared level by level after each message; deeper books at the end, by checksum before

Change = tuple[str, int, int]  # side, distance from the middle in ticks, lots (0 removes)
Levels = list[tuple[int, int]]


def padded(value: int, decimals: int) -> str:
    text = str(value).zfill(decimals + 1)
    return f"{text[:-decimals]}.{text[-decimals:]}" if decimals else text


def spelled(value: int, decimals: int, how: int) -> str:
    """A number in one of the ways a peer may write it."""
    number = Decimal(value).scaleb(-decimals)
    return (padded(value, decimals), f"{number:E}", f"{number.normalize():f}", f"{number.normalize():e}")[how]


class Model:
    """The book, done plainly."""

    def __init__(self, depth: int, price_decimals: int, qty_decimals: int) -> None:
        self.depth, self.decimals = depth, (price_decimals, qty_decimals)
        self.sides: dict[str, dict[int, int]] = {side: {} for side in SIDES}

    def apply(self, changes: list[tuple[str, int, int]]) -> None:
        for side, price, lots in changes:
            if lots:
                self.sides[side][price] = lots
            else:
                self.sides[side].pop(price, None)
        for side in SIDES:
            self.sides[side] = dict(self.levels(side)[: self.depth])

    def levels(self, side: str) -> Levels:
        return sorted(self.sides[side].items(), reverse=side == "bids")

    def checksum(self) -> int:
        digits = ""
        for side in ("asks", "bids"):
            for level in self.levels(side)[:10]:
                for value, decimals in zip(level, self.decimals, strict=True):
                    digits += padded(value, decimals).replace(".", "").lstrip("0")
        return crc32(digits.encode())

    def reading(self, side: str) -> tuple[Level, ...]:
        price, qty = self.decimals
        return tuple(Level(Decimal(padded(p, price)), Decimal(padded(q, qty))) for p, q in self.levels(side))


def priced(changes: list[Change]) -> list[tuple[str, int, int]]:
    return [(side, MID - away if side == "bids" else MID + away, lots) for side, away, lots in changes]


def agrees(book: BookReading, model: Model) -> None:
    """Equal to the model, digits included; and what must hold of any live book."""
    for side, levels in (("bids", book.bids), ("asks", book.asks)):
        assert [(str(p), str(q)) for p, q in levels] == [(str(p), str(q)) for p, q in model.reading(side)]
        assert len(levels) <= book.depth
        assert all(level.qty > 0 for level in levels)
    assert all(a.price > b.price for a, b in zip(book.bids, book.bids[1:], strict=False))
    assert all(a.price < b.price for a, b in zip(book.asks, book.asks[1:], strict=False))
    assert not (book.bids and book.asks and book.bids[0].price >= book.asks[0].price)
    assert book.checksum == model.checksum()


lots = st.one_of(st.just(0), st.integers(1, 10**9), st.integers(2**63, 2**70))
change = st.tuples(st.sampled_from(SIDES), st.integers(1, 40), lots)
message = st.lists(change, min_size=1, max_size=12)
decimals = st.tuples(st.integers(0, 10), st.integers(0, 12))


def snapshot_changes(bids: int, asks: int, step: int) -> list[Change]:
    """A snapshot that fills the sides to a given number of levels, 0 for an empty side."""
    return [(side, 1 + n * step, 10**8 + n) for side, count in (("bids", bids), ("asks", asks)) for n in range(count)]


@st.composite
def stories(draw: st.DrawFn) -> tuple[int, list[list[Change]]]:
    """A depth, a snapshot that may be thin, empty or full, and messages that push levels over its edge."""
    depth = draw(st.sampled_from((10, 25, *BOOK_DEPTHS)))
    count = st.one_of(st.integers(0, 12), st.integers(max(0, depth - 3), depth))
    snapshot = snapshot_changes(draw(count), draw(count), draw(st.sampled_from((1, 3))))
    return depth, [snapshot, *draw(st.lists(message, max_size=12))]


# -- L2, driven directly ---------------------------------------------------------


def update_of(kind: str, changes: list[Change], model: Model, how: list[int]) -> BookUpdate:
    changed = priced(changes)
    model.apply(changed)
    wire: dict[str, list[tuple[str, str]]] = {side: [] for side in SIDES}
    for n, (side, *values) in enumerate(changed):
        texts = (
            spelled(v, d, how[(n + i) % len(how)]) for i, (v, d) in enumerate(zip(values, model.decimals, strict=True))
        )
        wire[side].append(tuple(texts))  # type: ignore[arg-type]
    return BookUpdate("BTC/USD", kind, wire["bids"], wire["asks"], model.checksum())  # type: ignore[arg-type]


@given(story=stories(), decimals=decimals, how=st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_l2_book_equals_the_model_however_its_numbers_are_written(
    story: tuple[int, list[list[Change]]], decimals: tuple[int, int], how: list[int]
) -> None:
    depth, messages = story
    book, model = L2Book("BTC/USD", depth, *decimals), Model(depth, *decimals)
    for n, changes in enumerate(messages):
        update = update_of("update" if n else "snapshot", changes, model, how)
        book.apply(update)
        assert update.verified
        if depth <= SHALLOW:
            agrees(book, model)
    agrees(book, model)
    assert book.verified_count == len(messages)


@given(story=stories(), decimals=decimals)
def test_frozen_copies_keep_what_the_book_was(story: tuple[int, list[list[Change]]], decimals: tuple[int, int]) -> None:
    depth, messages = story
    book, model = L2Book("BTC/USD", depth), Model(depth, *decimals)
    kept = []
    for n, changes in enumerate(messages):
        book.apply(update_of("update" if n else "snapshot", changes, model, [0]))
        kept.append((book.freeze(), book.top(12), book.checksum))
    for frozen, top, checksum in kept:
        assert (frozen.top(12), frozen.checksum) == (top, checksum)


# -- L2, over the wire -----------------------------------------------------------


def v2_frame(symbol: str, kind: str, changed: list[tuple[str, int, int]], model: Model) -> str:
    def side(name: str) -> str:
        rows = (
            f'{{"price":{padded(price, model.decimals[0])},"qty":{padded(qty, model.decimals[1])}}}'
            for where, price, qty in changed
            if where == name
        )
        return f"[{','.join(rows)}]"

    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{symbol}","bids":{side("bids")},"asks":{side("asks")},'
        f'"checksum":{model.checksum()},"timestamp":"2026-01-02T03:04:05.678901Z"}}]}}'
    )


def v1_frame(symbol: str, kind: str, changed: list[tuple[str, int, int]], model: Model) -> str:
    pair, names = symbol.replace("BTC", "XBT"), {"asks": "as", "bids": "bs"}
    rows = {
        side: [
            [padded(price, model.decimals[0]), padded(qty, model.decimals[1]), "1618678145.920470"]
            for where, price, qty in changed
            if where == side
        ]
        for side in ("asks", "bids")
    }
    if kind == "snapshot":
        containers: list[dict[str, object]] = [{names[side]: levels for side, levels in rows.items()}]
    else:
        containers = [{side[0]: levels} for side, levels in rows.items() if levels]
        containers[-1]["c"] = str(model.checksum())
    return json.dumps([336, *containers, f"book-{model.depth}", pair])


WIRES = {1: (V1Codec, v1_frame), 2: (V2Codec, v2_frame)}


def frames_of(version: int, symbol: str, model: Model, messages: list[list[Change]]) -> Iterator[str]:
    for n, changes in enumerate(messages):
        changed = priced(changes)
        model.apply(changed)
        yield WIRES[version][1](symbol, "update" if n else "snapshot", changed, model)


@pytest.mark.parametrize("version", [1, 2])
@given(story=stories(), decimals=st.tuples(st.integers(1, 10), st.integers(1, 12)))
def test_books_over_the_wire_equal_the_model(
    version: int, story: tuple[int, list[list[Change]]], decimals: tuple[int, int]
) -> None:
    depth, messages = story
    feed, model = Feed(WIRES[version][0]()), Model(depth, *decimals)
    feed.expect_book("BTC/USD", depth)
    for n, frame in enumerate(frames_of(version, "BTC/USD", model, messages)):
        (event,) = feed.feed(frame)
        assert isinstance(event, BookUpdate)
        assert event.book is not None
        assert event.verified == (version == 2 or n > 0)
        if depth <= SHALLOW:
            agrees(event.book, model)
    agrees(event.book, model)
    assert feed.counters.failed == feed.counters.malformed == 0


@given(stories=st.lists(stories(), min_size=2, max_size=3), order=st.randoms(use_true_random=False))
def test_interleaved_symbols_do_not_disturb_each_other(
    stories: list[tuple[int, list[list[Change]]]],
    order: object,
) -> None:
    symbols = ("BTC/USD", "ETH/USD", "XRP/USD")[: len(stories)]
    feed, models, queues = Feed(V2Codec()), {}, []
    for symbol, (depth, messages) in zip(symbols, stories, strict=True):
        feed.expect_book(symbol, depth)
        models[symbol] = Model(depth, 2, 8)
        queues.append(list(frames_of(2, symbol, models[symbol], messages)))
    total = sum(map(len, queues))
    while waiting := [queue for queue in queues if queue]:
        feed.feed(order.choice(waiting).pop(0))  # type: ignore[attr-defined]
    assert (feed.counters.verified, feed.counters.failed) == (total, 0)
    for symbol, model in models.items():
        book = feed.book(symbol)
        assert book is not None
        agrees(book, model)


# -- what damage may do ------------------------------------------------------------


def damaged(frame: str, edits: list[tuple[int, str]]) -> str:
    for place, text in edits:
        at = place % len(frame)
        frame = frame[:at] + text + frame[at + 1 :]
    return frame


@pytest.mark.parametrize("version", [1, 2])
@given(
    story=stories(),
    victim=st.integers(0, 12),
    edits=st.lists(
        st.tuples(
            st.integers(0, 5_000), st.sampled_from(["", "0", "9", "-", "e", ".", '"', "[", "}", ",", "\x00", "é"])
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_a_damaged_frame_never_leaves_a_wrong_book_live_and_a_snapshot_heals_it(
    version: int, story: tuple[int, list[list[Change]]], victim: int, edits: list[tuple[int, str]]
) -> None:
    depth, messages = story
    feed, model = Feed(WIRES[version][0]()), Model(depth, 2, 8)
    other = Model(10, 2, 8)
    frames = list(frames_of(version, "BTC/USD", model, messages))
    neighbour = list(frames_of(version, "ETH/USD", other, [snapshot_changes(3, 3, 1), [("asks", 2, 5)]]))
    feed.expect_book("BTC/USD", depth)
    feed.feed(neighbour[0])
    for n, frame in enumerate(frames):
        try:
            events = feed.feed(damaged(frame, edits) if n == victim % len(frames) else frame)
        except DecodeError:
            continue
        for event in events:
            if isinstance(event, BookUpdate) and event.verified and event.book is not None:
                assert event.book.checksum == event.checksum
            if isinstance(event, ChecksumFailed):
                with pytest.raises(StaleData):
                    assert feed.book(event.symbol).bids  # type: ignore[union-attr]
    assert feed.feed(neighbour[1])
    agrees(feed.book("ETH/USD"), other)  # type: ignore[arg-type]
    rest = [(side, price, lots) for side in SIDES for price, lots in model.levels(side)]
    feed.feed(WIRES[version][1]("BTC/USD", "snapshot", rest, model))
    agrees(feed.book("BTC/USD"), model)  # type: ignore[arg-type]


# -- L3 ------------------------------------------------------------------------------


class Model3:
    """The book of orders, done plainly: a list of (price, id, lots) in the order they queue."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.orders: dict[str, list[tuple[int, str, int]]] = {side: [] for side in SIDES}

    def apply(self, side: str, event: str, order_id: str, price: int, lots: int) -> None:
        orders = self.orders[side]
        at = next((i for i, order in enumerate(orders) if order[1] == order_id), None)
        if event == "modify" and at is not None and lots and orders[at][0] == price:
            orders[at] = (price, order_id, lots)
            return
        if at is not None:
            del orders[at]
        if lots and (event == "add" or (event == "modify" and at is not None)):
            orders.append((price, order_id, lots))

    def truncate(self) -> None:
        for side, orders in self.orders.items():
            kept = sorted({order[0] for order in orders}, reverse=side == "bids")[: self.depth]
            self.orders[side] = [order for order in orders if order[0] in kept]

    def queue(self, side: str) -> list[tuple[int, str, int]]:
        return sorted(self.orders[side], key=lambda order: -order[0] if side == "bids" else order[0])

    def checksum(self) -> int:
        digits = ""
        for side in ("asks", "bids"):
            prices = list(dict.fromkeys(order[0] for order in self.queue(side)))[:10]
            digits += "".join(f"{price}{lots}" for price, _, lots in self.queue(side) if price in prices)
        return crc32(digits.encode())


order_change = st.tuples(
    st.sampled_from(SIDES),
    st.sampled_from(["add", "add", "add", "modify", "delete"]),
    st.integers(0, 30),
    st.integers(1, 14),
    st.integers(0, 10**9),
)


@given(
    depth=st.sampled_from(LEVEL3_DEPTHS),
    messages=st.lists(st.lists(order_change, max_size=15), min_size=1, max_size=10),
)
def test_l3_book_equals_the_model_in_queue_order(
    depth: int, messages: list[list[tuple[str, str, int, int, int]]]
) -> None:
    book, model = L3Book("BTC/USD", depth), Model3(depth)
    for n, changes in enumerate(messages):
        orders: dict[str, list[Level3Order]] = {side: [] for side in SIDES}
        for side, asked, number, away, lots in changes:
            event = asked if n else "add"
            price, order_id = MID + (away if side == "asks" else -away), f"{side}-{number}"
            model.apply(side, event, order_id, price, lots)
            orders[side].append(
                Level3Order(
                    order_id=order_id,
                    price_text=padded(price, 1),
                    qty_text=padded(lots, 8),
                    time_ns=n,
                    event=event if n else None,  # type: ignore[arg-type]
                )
            )
        model.truncate()
        update = Level3Update(
            symbol="BTC/USD",
            kind="update" if n else "snapshot",
            bids=tuple(orders["bids"]),
            asks=tuple(orders["asks"]),
            checksum=model.checksum(),
        )
        book.apply(update)
        assert update.verified
        for side, held in (("bids", book.bids), ("asks", book.asks)):
            expected = [(padded(p, 1), i, padded(q, 8)) for p, i, q in model.queue(side)]
            assert [(order.price_text, order.order_id, order.qty_text) for order in held] == expected
        for levels in (book.bid_levels, book.ask_levels):
            assert len(levels) <= depth
            assert all(level.qty > 0 for level in levels)
