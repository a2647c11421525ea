"""What a player does on the wire besides playing once: reconnects, close codes, stalls, rounds, parts, pauses."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

pytest.importorskip("zstandard")

import websocket
from tests.e2e.command import PATIENCE_S

from krakenwire.apps.player import TapePlayer
from krakenwire.book import book_checksum, level_digits
from krakenwire.model import BookUpdate
from krakenwire.protocol.v2 import encode
from krakenwire.session.feed import Feed
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.record import Kind
from krakenwire.tape.tape_streams import codec_of

SECOND = 1_000_000_000
START_NS = 1_790_000_000 * SECOND
TRADES = '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"]},"req_id":1}'
BOOK = '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":10},"req_id":2}'
OPENED = '{"url":"ws://here/v2","version":2,"name":"public"}'

Entry = tuple[float, int, Kind, str]


def trade(number: int, *, filler: str = "") -> str:
    row = (
        f'{{"symbol":"BTC/USD","side":"buy","price":1.0,"qty":1.0,"ord_type":"limit","trade_id":{number},'
        f'"timestamp":"2026-11-28T00:00:00.000000Z"}}'
    )
    return f'{{"channel":"trade","type":"update",{filler}"data":[{row}]}}'


def book(qty: int, *, kind: str = "update") -> str:
    """A book of one level a side; an update changes the bid's quantity."""
    bids, asks = [("100.0", f"{qty}.00000000")], [("101.0", "1.00000000")]
    checksum = book_checksum([level_digits(*level) for level in asks], [level_digits(*level) for level in bids])
    told = asks if kind == "snapshot" else []
    return encode.book(BookUpdate("BTC/USD", kind, bids, told, checksum, START_NS))  # type: ignore[arg-type]  # a literal


def tape_of(folder: Path, entries: Iterable[Entry]) -> Path:
    with TapeWriter(folder) as tape:
        for second, connection, kind, payload in entries:
            tape.write(START_NS + int(second * SECOND), connection, kind, payload)
    return folder


class Client:
    """A program with a plain WebSocket."""

    def __init__(self, url: str, *requests: str, small: bool = False) -> None:
        sizes = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096),) if small else ()
        self.socket = websocket.create_connection(url, timeout=PATIENCE_S, sockopt=sizes)
        for request in requests:
            self.socket.send(request)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.shutdown()  # type: ignore[no-untyped-call]  # websocket-client leaves it out

    def take(self, channel: str, count: int) -> list[str]:
        """The next frames of a channel."""
        found: list[str] = []
        while len(found) < count:
            frame = self.socket.recv()
            assert isinstance(frame, str)
            if frame.startswith(f'{{"channel":"{channel}"'):
                found.append(frame)
        return found

    def rest(self) -> tuple[list[str], int]:
        """All that still comes, and the close code; 1006 where there was none."""
        frames: list[str] = []
        try:
            while True:
                opcode, data = self.socket.recv_data()
                if opcode == websocket.ABNF.OPCODE_CLOSE:
                    return frames, int.from_bytes(data[:2], "big")
                frames.append(data.decode())
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            return frames, 1006


def all_told(url: str, *requests: str) -> tuple[list[str], int]:
    with Client(url, *requests) as client:
        return client.rest()


def with_a_reconnect(folder: Path, codes: tuple[int, int]) -> Path:
    ends = [json.dumps({"reason": "as it was", "code": code}) for code in codes]
    entries: list[Entry] = []
    for connection, end in enumerate(ends, 1):
        entries += [
            (connection, connection, Kind.OPENED, OPENED),
            (connection, connection, Kind.FRAME_OUT, TRADES),
            (connection, connection, Kind.FRAME_IN, trade(connection)),
            (connection + 0.5, connection, Kind.CLOSED, end),
        ]
    return tape_of(folder, entries)


@pytest.mark.parametrize("codes", [(1006, 4001), (1012, 1006), (1000, 1000)])
def test_a_reconnect_on_the_tape_is_waited_for_and_both_ends_are_as_recorded(
    tmp_path: Path, codes: tuple[int, int]
) -> None:
    with TapePlayer(with_a_reconnect(tmp_path / "tape", codes), speed="max") as player:
        told = [all_told(player.ws_v2, TRADES) for _ in codes]
    assert told == [([trade(1)], codes[0]), ([trade(2)], codes[1])]


def test_a_client_that_does_not_come_back_is_waited_for_so_long_and_the_tape_goes_on(tmp_path: Path) -> None:
    tape = with_a_reconnect(tmp_path / "tape", (1000, 1000))
    with TapePlayer(tape, speed="max", clients=2, wait_s=0.05, stay=True) as player:
        with Client(f"{player.ws_v2}?tape_clock=1", TRADES) as follower:
            assert all_told(player.ws_v2, TRADES) == ([trade(1)], 1000)
            assert follower.take("trade", 2) == [trade(1), trade(2)]
        assert [note for note in player.facts.notes if "waited 0.05 s" in note]


def test_a_client_that_reads_nothing_is_dropped_and_the_others_get_everything(tmp_path: Path) -> None:
    filler = f'"filler":"{"x" * 200_000}",'
    entries: list[Entry] = [(0, 1, Kind.OPENED, OPENED)]
    entries += [(0, 1, Kind.FRAME_IN, trade(number, filler=filler)) for number in range(1, 31)]
    tape = tape_of(tmp_path / "tape", entries)
    with TapePlayer(tape, speed="max", clients=2, stall_s=0.5, stay=True) as player:
        url = player.ws_v2
        with Client(url, TRADES, small=True) as stalled, Client(url, TRADES) as reading:
            assert len(reading.take("trade", 30)) == 30
            assert player.facts.notes == ("a client was dropped: it read nothing for 0.5 s",)
            assert stalled.rest()[1] == 1006


def book_and_trades() -> list[Entry]:
    """A snapshot, then every second a change of the book and a trade."""
    entries: list[Entry] = [(0, 1, Kind.OPENED, OPENED), (0, 1, Kind.FRAME_IN, book(1, kind="snapshot"))]
    for second in range(1, 6):
        entries += [(second, 1, Kind.FRAME_IN, book(second + 1)), (second, 1, Kind.FRAME_IN, trade(second))]
    return entries


def proven(frames: list[str]) -> Feed:
    feed = Feed(codec_of(2))
    feed.expect_book("BTC/USD", 10)
    for frame in frames:
        feed.feed(frame)
    assert not feed.counters.failed
    return feed


def test_in_a_loop_the_second_round_is_the_first_one_again(tmp_path: Path) -> None:
    tape = tape_of(tmp_path / "tape", book_and_trades())
    with TapePlayer(tape, speed="max", loop=True) as player, Client(player.ws_v2, BOOK) as client:
        books = client.take("book", 12)
    assert books == 2 * [entry[3] for entry in book_and_trades() if entry[3].startswith('{"channel":"book"')]
    assert proven(books).counters.verified == 12


def test_a_recorded_client_goes_on_in_the_second_round(tmp_path: Path) -> None:
    entries = book_and_trades()
    entries[1:1] = [(0, 1, Kind.FRAME_OUT, TRADES)]
    tape = tape_of(tmp_path / "tape", entries)
    with TapePlayer(tape, speed="max", loop=True) as player, Client(player.ws_v2, TRADES) as client:
        trades = client.take("trade", 10)
    assert trades == 2 * [trade(number) for number in range(1, 6)]


def test_clients_with_different_wishes_each_get_all_of_theirs(tmp_path: Path) -> None:
    with TapePlayer(tape_of(tmp_path / "tape", book_and_trades()), speed="max", clients=3) as player:
        url = player.ws_v2
        with Client(url, BOOK) as first, Client(url, TRADES) as second, Client(url, TRADES, BOOK) as third:
            told = [
                [f for f in client.rest()[0] if f[12:17] in ('book"', "trade")] for client in (first, second, third)
            ]
    both = [entry[3] for entry in book_and_trades()[1:]]
    assert told == [[f for f in both if "book" in f[:20]], [f for f in both if "trade" in f[:20]], both]


def test_a_part_begins_with_the_book_as_it_stood_and_ends_before_its_end(tmp_path: Path) -> None:
    tape = tape_of(tmp_path / "tape", book_and_trades())
    with TapePlayer(tape, speed="max", since="+3", until="+5") as player:
        frames, code = all_told(player.ws_v2, TRADES, BOOK)
    data = [frame for frame in frames if '"type":' in frame[:40] and "status" not in frame[:20]]
    assert data[1:] == [book(4), trade(3), book(5), trade(4)]
    assert json.loads(data[0])["data"][0]["bids"] == [{"price": 100.0, "qty": 3.0}]
    proven(data)
    assert code == 1000


def test_a_pause_of_an_hour_is_shortened_and_told(tmp_path: Path) -> None:
    entries = [*book_and_trades(), (3_600, 1, Kind.FRAME_IN, trade(6))]
    with TapePlayer(tape_of(tmp_path / "tape", entries), speed=100, max_pause_s=2, stay=True) as player:
        with Client(player.ws_v2, TRADES) as client:
            assert client.take("trade", 6)[-1] == trade(6)
        facts = player.facts
    assert (facts.shortened, facts.shortened_s) == (1, 3_593.0)
