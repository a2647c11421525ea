"""The reader of level3 frames: whose book a frame is for, what is taken, and what is counted as left."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import msgspec
import pytest
from tests.native.level3_compare import filled, frame_of, message, needs_native, order
from tests.native.level3_twins import STALE, UNVERIFIED, VERIFIED

from krakenwire import _native

if _native.ENABLED:
    from krakenwire._native.level3 import L3Book, Level3Reader


@needs_native
def test_a_snapshot_asks_for_its_book_with_the_prices_it_shows() -> None:
    asked: list[tuple[str, str, int]] = []
    book = L3Book("BTC/USD", 100, verify=False)
    reader = Level3Reader(lambda *what: asked.append(what) or book)
    bids = [order("A", "99.9", "1"), order("B", "99.9", "1"), order("C", "99.90", "1"), order("D", "99.8", "1")]
    assert reader.read(frame_of(message("snapshot", bids, [order("E", "99.9", "1")])))[0] == UNVERIFIED
    assert reader.read(frame_of(message("update", [])))[0] == UNVERIFIED
    assert asked == [("BTC/USD", "snapshot", 3)]


@needs_native
def test_an_update_without_a_book_is_stale() -> None:
    asked: list[tuple[str, str, int]] = []
    reader = Level3Reader(lambda *what: asked.append(what))
    assert reader.read(frame_of(message("update", []))) == (STALE, None)
    assert asked == [("BTC/USD", "update", 0)]
    assert reader.unusual == 0


@needs_native
def test_a_snapshot_that_no_book_takes_is_not_taken() -> None:
    reader = Level3Reader(lambda *_: None)
    assert reader.read(frame_of(message("snapshot", []))) is None
    assert reader.unusual == 1


@needs_native
def test_a_book_that_was_forgotten_or_replaced_is_asked_for_again() -> None:
    books = [filled(), filled()]
    reader = Level3Reader(lambda *_: books[0])
    update = frame_of(message("update", []))
    assert reader.read(update)[1].book is books[0]
    books.reverse()
    assert reader.read(update)[1].book is books[1]
    reader.forget("BTC/USD")
    assert reader.read(update)[1].book is books[0]
    books[0].invalidate()
    books.reverse()
    assert reader.read(update)[1].book is books[0]


@needs_native
def test_many_symbols_find_each_their_own_book() -> None:
    books = {f"A{n}/USD": L3Book(f"A{n}/USD", verify=False) for n in range(300)}
    reader = Level3Reader(lambda symbol, kind, levels: books[symbol])
    for _ in range(2):
        for symbol, book in books.items():
            for kind in ("snapshot", "update"):
                event = reader.read(frame_of(message(kind, [])).replace(b"BTC/USD", symbol.encode()))[1]
                assert (event.book, event.symbol) == (book, symbol)


@needs_native
@pytest.mark.parametrize(
    ("frame", "unusual"),
    [
        (b'{"channel":"heartbeat"}', 0),
        (b'{"channel":"book","type":"update","data":[]}', 0),
        (b'{"method":"subscribe","result":{"channel":"level3"}}', 0),
        (b"", 0),
        (b"[", 0),
        (b'{"channel":"level3"}', 1),
        (b'{"channel":"level3","type":"update","data":[]}', 1),
        (b'{"channel":"level3","type":"update","data":[{}]}', 1),
        (b'{"data":[{}],"channel":"level3","type":"update"}', 1),
        (
            b'{"channel":"level3","type":"update","data":[{"symbol":"A/B","checksum":4294967296,"bids":[],"asks":[]}]}',
            1,
        ),
        (b'{"channel":"level3","type":"update","data":[{"symbol":"A/B","checksum":0,"bids":[],"asks":[]}]} x', 1),
    ],
)
def test_what_is_not_taken_is_counted_when_it_was_level3(frame: bytes, unusual: int) -> None:
    reader = Level3Reader(lambda *_: pytest.fail("no book is needed"))
    assert reader.read(frame) is None
    assert reader.unusual == unusual


@needs_native
def test_the_checksum_of_the_documentation_is_ours(shared: Path) -> None:
    vector = msgspec.json.decode((shared / "protocol/vectors/v2-level3-checksum-doc.json").read_bytes())
    frame = msgspec.json.encode(vector["snapshot"]).decode()
    for name in ("limit_price", "order_qty"):
        pieces = frame.split(f'"{name}":"')
        frame = f'"{name}":'.join([pieces[0], *(piece.replace('"', "", 1) for piece in pieces[1:])])
    book = L3Book("BTC/USD")
    assert Level3Reader(lambda *_: book).read(frame.encode())[0] == VERIFIED
    assert book.checksum == vector["expected_checksum"] == crc32(vector["checksum_input"].encode())
