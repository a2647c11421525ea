"""Recordings of the real service and published checksum vectors: every checksum must verify.

The material belongs to others and is read where it lies; without it these tests skip.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from krakenwire.apps.verify import VerifyReport, verify_lines
from krakenwire.book import L2Book, L3Book
from krakenwire.cli.main import main
from krakenwire.model import BookUpdate, Level3Order, Level3Update
from krakenwire.protocol.v1.client import ClientCodec as V1Codec
from krakenwire.protocol.v2.client import ClientCodec as V2Codec
from krakenwire.session.feed import Feed

V1_SESSION = "data/real/session_v1_2021-04-17/KRAKEN.ws.50.0"
V1_BOOK_10 = "data/real/book_v1/python-kraken-sdk_orderbook_2023-05-29.json"
V2_BTC = "data/real/book_v2/kraken_btcusd_l2.cbcap"
V2_ETH = "data/real/book_v2/kraken_ethusd_sample.cbcap"
V2_WITHOUT_ZEROS = "data/real/book_v2/python-kraken-sdk_orderbook-v2.json"
LEVEL3_DOC = "data/real/level3/kraken-docs_level3_snapshot_btcusd.json"


def session_frames(path: Path) -> list[bytes]:
    """Received and sent texts of a cryptofeed recording: `time: text`, `url <- time: text`."""
    lines = path.read_bytes().splitlines()
    return [line.split(b": ", 1)[1] for line in lines if b": " in line]


def captured_frames(path: Path) -> list[bytes]:
    """Payloads of a cbcap file: a header line, then `time size`, newline, payload, newline."""
    frames = []
    with path.open("rb") as file:
        file.readline()
        while header := file.readline():
            frames.append(file.read(int(header.split()[1])))
            file.read(1)
    return frames


def init_and_updates(path: Path) -> list[Any]:
    recording = json.loads(path.read_text(), parse_float=str)
    return [recording["init"], *recording["updates"]]


def number_text(value: object) -> str:
    """JSON of a structure whose number texts were kept as strings, as bare numbers again."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{number_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(number_text, value)) + "]"
    try:
        Decimal(str(value))
    except ArithmeticError:
        return json.dumps(value)
    return str(value)


def without_zeros_frames(shared: Path) -> list[bytes]:
    return [number_text(message).encode() for message in init_and_updates(shared / V2_WITHOUT_ZEROS)]


def v1_book_10_frames(shared: Path) -> list[bytes]:
    return [json.dumps(message).encode() for message in init_and_updates(shared / V1_BOOK_10)]


def counts(report: VerifyReport) -> tuple[int, int, int, int, int]:
    assert (report.malformed, report.unknown, report.skipped) == (0, 0, 0)
    return report.verified, report.failed, report.snapshots, report.updates, report.unverifiable


def test_v1_session_of_ten_pairs_verifies_all_4269_updates(shared: Path) -> None:
    report = verify_lines(session_frames(shared / V1_SESSION))
    assert counts(report) == (4269, 0, 10, 4269, 10)
    assert (report.frames, report.client_lines, report.version, len(report.symbols)) == (4321, 1, 1, 10)


def test_v1_book_of_depth_10_verifies_all_110_updates(shared: Path) -> None:
    assert counts(verify_lines(v1_book_10_frames(shared))) == (110, 0, 1, 110, 1)


def test_v2_eth_usd_of_depth_25_verifies_1128_updates_and_the_snapshot(shared: Path) -> None:
    report = verify_lines(captured_frames(shared / V2_ETH))
    assert counts(report) == (1129, 0, 1, 1128, 0)
    assert (report.frames, report.version) == (1170, 2)


def test_v2_btc_usd_of_depth_10_verifies_296_updates_and_5_snapshots_through_resubscriptions(shared: Path) -> None:
    report = verify_lines(captured_frames(shared / V2_BTC))
    assert counts(report) == (301, 0, 5, 296, 0)
    assert report.frames == 377


def test_v2_recording_that_lost_its_trailing_zeros_verifies_from_the_wire_alone(shared: Path) -> None:
    assert counts(verify_lines(without_zeros_frames(shared))) == (510, 0, 1, 509, 0)


def test_v2_recording_that_lost_its_trailing_zeros_verifies_with_the_instruments_decimals(shared: Path) -> None:
    feed = Feed(V2Codec())
    feed.expect_book("BTC/USD", 10, price_decimals=1, qty_decimals=8)
    for frame in without_zeros_frames(shared):
        feed.feed(frame)
    assert (feed.counters.verified, feed.counters.failed) == (510, 0)


def test_all_recordings_in_one_file_verify_connection_after_connection(shared: Path) -> None:
    lines = [
        *captured_frames(shared / V2_BTC),
        *session_frames(shared / V1_SESSION),
        *captured_frames(shared / V2_ETH),
        *v1_book_10_frames(shared),
        *captured_frames(shared / V2_BTC),
    ]
    report = verify_lines(lines)
    assert (report.verified, report.failed, report.version) == (301 + 4269 + 1129 + 110 + 301, 0, "mixed")


@pytest.mark.parametrize(
    ("path", "verified"), [(V2_BTC, 301), (V2_ETH, 1129), (V1_SESSION, 4269)], ids=["v2-btc", "v2-eth", "v1-session"]
)
def test_the_command_verifies_a_recording(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, verified: int
) -> None:
    frames = (captured_frames if path.endswith("cbcap") else session_frames)(shared / path)
    file = tmp_path / "frames.jsonl"
    file.write_bytes(b"\n".join(frames) + b"\n")
    assert main(["verify", str(file), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["verified"], result["failed"], result["first_failure"]) == (verified, 0, None)


# -- published vectors ---------------------------------------------------------


def vector(shared: Path, name: str) -> Any:
    return json.loads((shared / "protocol" / "vectors" / f"{name}.json").read_text())


def taken(book: L2Book, bids: Any, asks: Any, checksum: int) -> L2Book:
    update = BookUpdate(book.symbol, "snapshot", bids, asks, checksum)
    book.apply(update)
    assert update.verified
    return book


def test_v1_checksum_vectors_verify_at_every_length(shared: Path) -> None:
    vectors = vector(shared, "v1-checksum")["vectors"]
    for one in vectors:
        assert taken(L2Book("BTC/USD", 25), one["bids"], one["asks"], one["checksum"]).checksum == one["checksum"]
    assert len(vectors) == 5


def test_v2_documented_checksum_verifies(shared: Path) -> None:
    one = vector(shared, "v2-book-checksum-doc")
    row = one["snapshot"]["data"][0]
    bids, asks = ([(level["price"], level["qty"]) for level in row[side]] for side in ("bids", "asks"))
    taken(L2Book(row["symbol"], 10), bids, asks, one["expected_checksum"])
    assert one["expected_checksum"] == 3310070434


def test_further_v2_checksums_verify(shared: Path) -> None:
    vectors = vector(shared, "v2-book-checksum-more")["vectors"]
    for one in vectors:
        taken(L2Book(one["symbol"], 10), one["bids"], one["asks"], one["expected_checksum"])
    assert len(vectors) == 3


def test_the_book_pages_example_verifies_though_it_is_printed_without_trailing_zeros(shared: Path) -> None:
    _, snapshot, update = vector(shared, "v2-book-checksum-more")["vectors"]
    feed = Feed(V2Codec())
    feed.expect_book("MATIC/USD", 10, price_decimals=4, qty_decimals=8)
    feed.feed(snapshot["raw_as_printed"])
    (event,) = feed.feed(update["raw_as_printed"])
    assert isinstance(event, BookUpdate)
    assert (feed.counters.verified, event.verified, event.checksum) == (2, True, update["expected_checksum"])


def level3_orders(rows: Any) -> tuple[Level3Order, ...]:
    return tuple(
        Level3Order(order_id=row["order_id"], price_text=row["limit_price"], qty_text=row["order_qty"], time_ns=0)
        for row in rows
    )


def level3_snapshot(row: Any, checksum: int) -> tuple[L3Book, Level3Update]:
    bids, asks = level3_orders(row["bids"]), level3_orders(row["asks"])
    update = Level3Update(symbol=row["symbol"], kind="snapshot", bids=bids, asks=asks, checksum=checksum)
    book = L3Book(row["symbol"], 10)
    book.apply(update)
    return book, update


def test_level3_snapshot_of_the_documentation_verifies(shared: Path) -> None:
    row = json.loads((shared / LEVEL3_DOC).read_text())["data"][0]
    book, update = level3_snapshot(row, row["checksum"])
    assert (update.verified, book.checksum, len(book.bids), len(book.asks)) == (True, 1063832831, 21, 14)


def test_level3_checksum_vector_verifies(shared: Path) -> None:
    one = vector(shared, "v2-level3-checksum-doc")
    _, update = level3_snapshot(one["snapshot"]["data"][0], one["expected_checksum"])
    assert update.verified


@pytest.mark.parametrize(
    ("name", "verified"), [("btcusd-d10", 301), ("btcusd-d25", 382), ("ethusd-d25", 383), ("xrpusd-d25", 382)]
)
def test_stored_v2_recording_verifies_and_ends_with_the_stored_book(shared: Path, name: str, verified: int) -> None:
    one = vector(shared, f"v2-book-recorded-{name}")
    feed = Feed(V2Codec())
    for frame in one["frames"]:
        feed.feed(frame["raw"])
    assert (feed.counters.verified, feed.counters.failed, feed.counters.malformed) == (verified, 0, 0)
    book, final = feed.book(one["symbol"]), one["final_book_after_last_frame"]
    assert book is not None
    assert [[str(price), str(qty)] for price, qty in book.bids] == texts(final["bids"])
    assert [[str(price), str(qty)] for price, qty in book.asks] == texts(final["asks"])


def texts(levels: Any) -> list[list[str]]:
    return [[str(Decimal(price)), str(Decimal(qty))] for price, qty in levels]


def v1_frames(shared: Path) -> Iterator[tuple[str, list[str], int]]:
    """Each stored v1 flow: its name, its frames from the server, its updates."""
    for one in vector(shared, "v1-book-depth10")["vectors"]:
        yield one["id"], one["frames"], sum('"c":' in frame for frame in one["frames"])
    frames = vector(shared, "v1-session-book")["vectors"][0]["frames"]
    received = [frame["raw"] for frame in frames if frame["direction"] == "server->client"]
    yield "session", received, sum('"c":' in frame for frame in received)


def test_stored_v1_flows_verify_every_update(shared: Path) -> None:
    found = {}
    for name, frames, updates in v1_frames(shared):
        feed = Feed(V1Codec())
        for frame in frames:
            feed.feed(frame)
        assert (feed.counters.verified, feed.counters.failed, feed.counters.malformed) == (updates, 0, 0), name
        found[name] = updates
    assert found == {"book10-XDGUSD": 14, "book10-LUNAEUR": 1, "book10-GSTEUR": 1, "session": 394}


def test_the_shortened_level3_recording_fails_its_checksum_and_is_reported_as_such(shared: Path) -> None:
    frames = [frame["raw"].encode() for frame in vector(shared, "v2-level3-recorded")["frames"]]
    report = verify_lines(frames)
    assert (report.failed, report.skipped, report.first_failure is not None, report.ok) == (1, 1, True, False)
