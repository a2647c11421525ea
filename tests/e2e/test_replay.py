"""A tape on a port: recorded from a local Kraken, played, and recorded again."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket
from tests.e2e.command import PATIENCE_S, one_line, run, run_here, start

from krakenwire import Kraken
from krakenwire.apps.player import moment_ns
from krakenwire.errors import KrakenwireError
from krakenwire.model import Trade, Trades
from krakenwire.session.feed import Feed
from krakenwire.storage.tape_reader import Tape
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.record import Kind
from krakenwire.tape.tape_streams import codec_of, label_of
from krakenwire.testing import local_kraken, replayed_tape

FRAMES = 150
REQUESTS = {
    1: [
        '{"event":"subscribe","reqid":1,"pair":["XBT/USD"],"subscription":{"name":"book","depth":25}}',
        '{"event":"subscribe","reqid":2,"pair":["XBT/USD"],"subscription":{"name":"trade"}}',
        '{"event":"subscribe","reqid":3,"pair":["XBT/USD"],"subscription":{"name":"ticker"}}',
    ],
    2: [
        '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":25},"req_id":1}',
        '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"],"snapshot":true},"req_id":2}',
        '{"method":"subscribe","params":{"channel":"ticker","symbol":["BTC/USD"]},"req_id":3}',
        '{"method":"subscribe","params":{"channel":"ohlc","symbol":["BTC/USD"],"interval":5},"req_id":4}',
        '{"method":"subscribe","params":{"channel":"instrument"},"req_id":5}',
    ],
}


def frames_of(url: str, requests: list[str], *, most: int | None = None) -> Iterator[str]:
    """Ask for something and yield what comes, until the other side says goodbye."""
    client = websocket.create_connection(url, timeout=PATIENCE_S)
    try:
        for request in requests:
            client.send(request)
        left = most
        while left is None or left > 0:
            opcode, data = client.recv_data()
            if opcode != websocket.ABNF.OPCODE_TEXT:
                return
            yield data.decode()
            left = None if left is None else left - 1
    finally:
        client.shutdown()  # type: ignore[no-untyped-call]  # websocket-client leaves it out


def record(version: int, url: str, folder: Path) -> list[str]:
    """Record a connection the plain way."""
    frames = []
    with TapeWriter(folder) as tape:
        opened = {"url": url, "version": version, "name": "public"}
        tape.write(time.time_ns(), 1, Kind.OPENED, json.dumps(opened))
        for request in REQUESTS[version]:
            tape.write(time.time_ns(), 1, Kind.FRAME_OUT, request)
        for frame in frames_of(url, REQUESTS[version], most=FRAMES):
            tape.write(time.time_ns(), 1, Kind.FRAME_IN, frame)
            frames.append(frame)
    return frames


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A tape of each version."""
    folders = {version: tmp_path_factory.mktemp("tapes") / f"v{version}" for version in (1, 2)}
    with local_kraken(symbols=["BTC/USD"], rate=300) as venue:
        record(1, venue.ws_v1, folders[1])
        record(2, venue.ws_v2, folders[2])
    return folders


def recorded(folder: Path) -> list[str]:
    return [record.payload.decode() for record in Tape(folder).records(kinds=(Kind.FRAME_IN,))]


def of_channel(version: int, frames: list[str], *channels: str) -> list[str]:
    return [frame for frame in frames if label_of(version, frame.encode()).channel in channels]


@pytest.mark.parametrize("version", [1, 2])
def test_a_record_of_a_replay_has_the_recorded_frames_byte_for_byte(tapes: dict[int, Path], version: int) -> None:
    with replayed_tape(tapes[version]) as player:
        url = player.ws_v1 if version == 1 else player.ws_v2
        assert list(frames_of(url, REQUESTS[version])) == recorded(tapes[version])


def test_what_our_recorder_records_of_a_replay_are_the_frames_it_had_recorded(tmp_path: Path) -> None:
    wanted = ("record", "BTC/USD", "ETH/USD", "--channels", "book:25,trade,ticker,ohlc:5", "--seconds", "2")
    assert run(*wanted, "--on", "local", "--out", str(tmp_path / "first")).returncode == 0
    with replayed_tape(tmp_path / "first") as player:
        run(*wanted, "--on", player.ws_v2, "--out", str(tmp_path / "second"))
    assert recorded(tmp_path / "second") == recorded(tmp_path / "first")
    assert len(recorded(tmp_path / "first")) > 10


@pytest.mark.parametrize("depth", [10, 25])
@pytest.mark.parametrize("spoken", [1, 2])
@pytest.mark.parametrize("version", [1, 2])
def test_every_client_gets_proven_books_that_end_alike(
    tapes: dict[int, Path], version: int, spoken: int, depth: int
) -> None:
    request = {
        1: f'{{"event":"subscribe","pair":["XBT/USD"],"subscription":{{"name":"book","depth":{depth}}}}}',
        2: f'{{"method":"subscribe","params":{{"channel":"book","symbol":["BTC/USD"],"depth":{depth}}}}}',
    }[spoken]
    with replayed_tape(tapes[version]) as player:
        told = list(frames_of(player.ws_v1 if spoken == 1 else player.ws_v2, [request]))
    ours, theirs = fed(spoken, told, depth), fed(version, recorded(tapes[version]), 25)
    assert ours.counters.failed == theirs.counters.failed == 0
    assert ours.counters.verified > 10
    our_book, their_book = ours.book("BTC/USD"), theirs.book("BTC/USD")
    assert our_book is not None
    assert their_book is not None
    assert our_book.top(depth) == their_book.top(depth)


def fed(version: int, frames: list[str], depth: int) -> Feed:
    feed = Feed(codec_of(version))
    feed.expect_book("BTC/USD", depth)
    for frame in frames:
        feed.feed(frame)
    return feed


@pytest.mark.parametrize("version", [1, 2])
def test_our_own_client_reads_a_tape_of_either_version_to_its_end(tapes: dict[int, Path], version: int) -> None:
    with replayed_tape(tapes[3 - version]) as player:
        url = player.ws_v1 if version == 1 else player.ws_v2
        with Kraken(url, version=version, attempts_max=1, on_budget="fail") as kraken:
            seen: list[Trade] = []
            with pytest.raises(KrakenwireError):
                seen.extend(trade for trade in kraken.trades("BTC/USD"))
    rows = of_channel(3 - version, recorded(tapes[3 - version]), "trade")
    traded = [event for row in rows for event in codec_of(3 - version).decode(row) if isinstance(event, Trades)]
    assert [trade.price for trade in seen] == [trade.price for event in traded for trade in event.trades]
    assert seen


def test_with_the_tapes_clock_all_frames_come_in_its_order(tapes: dict[int, Path]) -> None:
    with replayed_tape(tapes[2]) as player:
        told = list(frames_of(f"{player.ws_v2}?tape_clock=1", REQUESTS[2][:2]))
    start_of_tape = next(place for place, frame in enumerate(told) if frame.startswith('{"channel":"tape"'))
    clocks, frames = told[start_of_tape:-1:2], told[start_of_tape + 1 : -1 : 2]
    assert frames == of_channel(2, recorded(tapes[2]), "book", "trade")
    numbers = [json.loads(clock)["sequence"] for clock in clocks]
    assert numbers == sorted(numbers)
    assert json.loads(told[-1]) == {"channel": "tape", "end": True}


def test_two_clients_that_are_waited_for_get_the_same(tapes: dict[int, Path]) -> None:
    request = '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"]}}'
    with replayed_tape(tapes[2], clients=2) as player:
        clients = [websocket.create_connection(player.ws_v2, timeout=PATIENCE_S) for _ in range(2)]
        for client in clients:
            client.send(request)
        told = [of_channel(2, received_by(client), "trade") for client in clients]
    assert told[0] == told[1]
    assert told[0]


def received_by(client: websocket.WebSocket) -> list[str]:
    frames: list[str] = []
    while True:
        opcode, data = client.recv_data()
        if opcode != websocket.ABNF.OPCODE_TEXT:
            client.shutdown()  # type: ignore[no-untyped-call]  # websocket-client leaves it out
            return frames
        frames.append(data.decode())


def test_rest_tells_what_the_tape_knows_of_its_pairs(tapes: dict[int, Path]) -> None:
    with replayed_tape(tapes[2]) as player:
        pairs = called(f"{player.rest}/0/public/AssetPairs?pair=XBTUSD")
        assert pairs["result"]["XXBTZUSD"]["wsname"] == "XBT/USD"
        assert called(f"{player.rest}/0/public/SystemStatus")["result"]["status"] == "online"
        assert called(f"{player.rest}/0/public/AssetPairs?pair=NONE")["error"] == ["EQuery:Unknown asset pair"]
        assert called(f"{player.rest}/0/private/Balance")["error"] == ["EGeneral:Permission denied"]


def called(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as reply:
        return json.loads(reply.read())


def test_the_command_says_where_it_listens_plays_and_says_what_it_sent(tapes: dict[int, Path]) -> None:
    process = start("replay", str(tapes[2]), "--port", "0", "--speed", "max", "--json")
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert list(frames_of(ready["ws_v2"], REQUESTS[2])) == recorded(tapes[2])
    rest, errors = process.communicate(timeout=PATIENCE_S)
    assert json.loads(rest)["frames"] == FRAMES - 1  # the first greets the client
    assert (process.returncode, errors) == (0, "")


def test_the_command_ends_well_when_it_is_told_to_stop(tapes: dict[int, Path]) -> None:
    process = start("replay", str(tapes[2]), "--port", "0", "--loop")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("tape ready: v1 ws://127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0


def torn(folder: Path) -> Path:
    """A tape whose last record was being written when everything stopped."""
    tape = TapeWriter(folder)
    tape.write(1_000, 1, Kind.OPENED, '{"url":"ws://here/v2","version":2,"name":"public"}')
    trade = '{"symbol":"BTC/USD","side":"buy","price":1.0,"qty":1.0,"ord_type":"limit","trade_id":1,'
    for place in range(2):
        frame = '{"channel":"trade","type":"update","data":[' + trade + '"timestamp":"2026-11-28T00:00:00.000000Z"}]}'
        tape.write(2_000 + place, 1, Kind.FRAME_IN, frame)
    tape.flush()
    copy = folder.with_suffix(".torn")
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    tape.close()
    (last,) = copy.glob("*.raw")
    last.write_bytes(last.read_bytes()[:-10])
    return copy


def test_of_a_torn_tape_the_whole_part_is_played(tmp_path: Path) -> None:
    request = '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"]}}'
    with replayed_tape(torn(tmp_path / "tape")) as player:
        assert player.info.torn > 0
        told = list(frames_of(player.ws_v2, [request]))
    assert len(of_channel(2, told, "trade")) == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--speed", "quick"], "speed"),
        (["--from", "yesterday"], "moment of the tape"),
        (["--from", "+9999"], "part of the tape"),
        (["--clients", "0"], "clients"),
        (["--max-pause", "0"], "max pause"),
        (["--port", "70000"], "port"),
    ],
)
def test_a_setting_that_cannot_be_is_one_clear_line(tapes: dict[int, Path], arguments: list[str], problem: str) -> None:
    code, _, errors = run_here("replay", str(tapes[2]), *arguments)
    assert code == 2
    assert problem in one_line(errors)


@pytest.mark.parametrize("text", ["90", "+90", "1m30s", "+1m30s", "2023-11-14T22:14:50Z"])
def test_a_moment_of_a_tape_can_be_written_in_several_ways(text: str) -> None:
    assert moment_ns(text, 1_700_000_000 * 1_000_000_000) == 1_700_000_090 * 1_000_000_000


def test_what_is_no_tape_is_said_before_a_port_is_opened(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing"):
        code, out, errors = run_here("replay", str(folder), "--port", "0")
        assert (code, out) == (2, "")
        assert str(folder) in one_line(errors)


def test_a_port_in_use_is_an_error_with_a_way_out(tapes: dict[int, Path]) -> None:
    with replayed_tape(tapes[2]) as player:
        code, _, errors = run_here("replay", str(tapes[2]), "--port", str(player.port))
    assert code == 2
    assert "choose another port" in one_line(errors)
