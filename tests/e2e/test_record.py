"""Recording over real sockets: the command as a process, its ends, its disks, and that it records what came."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("zstandard")

from tests.e2e.command import PATIENCE_S, one_line, run, run_here, start

from krakenwire import Kraken, _native
from krakenwire.apps.local_venue import LocalVenue
from krakenwire.apps.recording import Recording, wanted_from
from krakenwire.apps.verify_tape import verify_tape
from krakenwire.cli.exit_codes import CONNECTION, FAILED, OK, REFUSED, USAGE
from krakenwire.client.options import Transport
from krakenwire.errors import KrakenwireError
from krakenwire.model import Event
from krakenwire.storage.tape_reader import Tape
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.marks import closed_from, mark_from
from krakenwire.tape.record import Kind
from krakenwire.testing import local_kraken
from krakenwire.testing.proxy import FaultProxy

CANARY = "CANARY0123456789abcdefABCDEF"


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD", "ETH/USD"], seed=3, rate=60) as running:
        yield running


def marks(folder: Path) -> list[str]:
    return [mark_from(record.payload).mark for record in Tape(folder).records(kinds=(Kind.MARK,))]


def close_codes(folder: Path) -> list[int | None]:
    return [closed_from(record.payload).code for record in Tape(folder).records(kinds=(Kind.CLOSED,))]


@pytest.mark.parametrize(
    ("api", "channels", "streams"),
    [
        ("2", "book:25,trade,ticker,ohlc:5,instrument", {"book BTC/USD", "book ETH/USD", "ticker BTC/USD"}),
        ("1", "book,trade,spread,ohlc", {"book-10 XBT/USD", "book-10 ETH/USD", "ohlc-1 XBT/USD"}),
    ],
)
def test_what_is_recorded_is_verified_shown_and_cut(
    venue: LocalVenue, tmp_path: Path, api: str, channels: str, streams: set[str]
) -> None:
    tape, part = str(tmp_path / "tape"), str(tmp_path / "part")
    arguments = ("--channels", channels, "--api", api, "--on", venue.ws_v2, "--seconds", "1.5", "--out", tape)
    code, out, errors = run_here("record", "BTC/USD", "XETHZUSD", *arguments)
    assert (code, errors) == (OK, "")
    assert "0 failed; nothing lost" in one_line(out)
    code, out, _ = run_here("tape", "info", tape, "--json", "--deep")
    facts = json.loads(out)
    assert code == OK
    assert facts["streams"].keys() >= streams
    assert facts["info"]["versions"] == [int(api)]
    assert (facts["marks"], facts["lost"], facts["disconnects"]) == ({"stopped": 1}, 0, 1)
    assert facts["books"]["failed"] == 0 < facts["books"]["verified"]
    assert run_here("tape", "cut", tape, "--from", "1", "--out", part)[0] == OK
    for folder in (tape, part):
        code, out, errors = run_here("verify", folder, "--json")
        assert (code, errors) == (OK, "")
        assert json.loads(out)["symbols"].keys() == {"BTC/USD", "ETH/USD"}
    assert run_here("tape", "info", tape)[0] == OK


class Witnessed:
    """Keeps what a client's only connection told its witness."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.sent_frames: list[str] = []
        self.ends: list[str] = []

    def __call__(self, name: str, url: str, version: Literal[1, 2]) -> Witnessed:
        self.ends.append(f"{name} {version}")
        return self

    def received(self, frame: str | bytes, now_ns: int) -> None:
        self.frames.append(frame if isinstance(frame, str) else frame.decode())

    def sent(self, frame: str) -> None:
        self.sent_frames.append(frame)

    def opened(self, now_ns: int) -> None:
        self.ends.append("opened")

    def closed(self, error: KrakenwireError | None, now_ns: int) -> None:
        self.ends.append("closed" if error is None else f"closed: {error}")

    def noted(self, event: Event, now_ns: int) -> None:
        return


@pytest.mark.parametrize("transport", ["websocket-client", "picows", "native"])
@pytest.mark.parametrize("raw", [True, False])
def test_a_witness_sees_every_frame_whichever_way_it_takes(venue: LocalVenue, transport: Transport, raw: bool) -> None:
    if transport == "native" and not _native.ENABLED:
        pytest.skip("the compiled parts are not in use")
    witness = Witnessed()
    with Kraken(venue.ws_v2, transport=transport, witness=witness) as kraken:
        frames = kraken.frames() if raw else None
        books = kraken.books("BTC/USD", policy="block")
        for _ in range(20):
            next(books)
        taken = [frames.next().frame for _ in range(20)] if frames is not None else []
        verified = kraken.counters.verified
    assert witness.ends == ["public 2", "opened", "closed"]
    assert [json.loads(frame)["method"] for frame in witness.sent_frames] == ["subscribe"]
    assert witness.frames[: len(taken)] == taken
    assert sum(frame.startswith('{"channel":"book"') for frame in witness.frames) >= verified >= 20


def test_a_cut_connection_and_a_wrong_checksum_stand_on_the_tape(venue: LocalVenue, tmp_path: Path) -> None:
    port = int(venue.ws_v2.split(":")[2].split("/")[0])
    with FaultProxy(port) as proxy:
        url = proxy.url + "/v2"
        with Recording(tmp_path / "tape", ["BTC/USD"], wanted_from("book"), on=url) as recording:
            steps = recording.steps(PATIENCE_S)
            while next(steps).verified < 3:
                pass
            proxy.tamper(rb'"checksum":(\d+)', lambda match: b'"checksum":1'.ljust(len(match[0]), b"1"))
            while not recording.account.checksum_failures or not recording.account.resyncs:
                next(steps)
            proxy.cut()
            while recording.account.connections < 2 or recording.account.resyncs < 2:
                next(steps)
    kinds = [record.kind for record in Tape(tmp_path / "tape").records() if record.kind >= Kind.OPENED]
    assert kinds.count(Kind.OPENED) == kinds.count(Kind.CLOSED) == 2
    assert close_codes(tmp_path / "tape") == [1006, 1000]  # the proxy cut one, we have closed the other
    found = marks(tmp_path / "tape")
    assert found.count("checksum") == 1
    assert found.count("resynced") >= 2
    report = verify_tape(Tape(tmp_path / "tape"))
    assert report.failed == 1
    assert report.first_failure is not None
    assert "at record" in report.verdict


class SlowDisk:
    """A disk that takes nothing while it is shut."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()

    def __call__(self, file: int, data: memoryview) -> int:
        self.open.wait(PATIENCE_S)
        return os.write(file, data)


def test_after_a_loss_the_books_are_asked_for_anew(
    venue: LocalVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, tape = SlowDisk(), tmp_path / "tape"
    monkeypatch.setattr("krakenwire.apps.recording.TapeWriter", partial(TapeWriter, write=disk))
    wanted = wanted_from("book,trade")
    with Recording(tape, ["BTC/USD", "ETH/USD"], wanted, on=venue.ws_v2, queue_records=40) as recording:
        steps = recording.steps(PATIENCE_S)
        while next(steps).verified < 3:
            pass
        disk.open.clear()
        while not recording.account.lost:
            next(steps)
        disk.open.set()
        while sum(b'"type":"snapshot"' in frame for frame in frames_after_a_loss(tape)) < 2:
            next(steps)
    report = verify_tape(Tape(tape))
    assert report.ok, report.verdict
    assert report.skipped > 0  # between the loss and the next snapshot


def frames_after_a_loss(folder: Path) -> list[bytes]:
    records = iter(Tape(folder).records())
    for record in records:
        if record.kind is Kind.MARK and mark_from(record.payload).mark == "lost":
            break
    return [record.payload for record in records if record.payload.startswith(b'{"channel":"book"')]


def test_a_recorder_that_is_killed_leaves_every_complete_record(venue: LocalVenue, tmp_path: Path) -> None:
    tape = tmp_path / "tape"
    child = start("record", "BTC/USD", "ETH/USD", "--on", venue.ws_v2, "--out", str(tape), "--json")
    assert child.stdout is not None
    told = [json.loads(child.stdout.readline()) for _ in range(2)]
    child.send_signal(signal.SIGKILL)
    child.communicate()
    left = Tape(tape)
    assert left.info.records >= told[-1]["written"] > 0
    assert [record.sequence for record in left.records()] == list(range(left.info.records))
    assert verify_tape(left).ok
    assert list(tape.glob("*.raw"))
    code, out, _ = run_here("record", "BTC/USD", "--on", venue.ws_v2, "--out", str(tape), "--seconds", "0.7")
    assert code == OK, out
    ends = [(record.connection, record.kind) for record in Tape(tape).records(kinds=(Kind.OPENED, Kind.CLOSED))]
    assert ends == [(1, Kind.OPENED), (1, Kind.CLOSED), (2, Kind.OPENED), (2, Kind.CLOSED)]
    assert not list(tape.glob("*.raw"))
    assert verify_tape(Tape(tape)).ok


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_recording_well(venue: LocalVenue, tmp_path: Path, number: signal.Signals) -> None:
    tape = tmp_path / "tape"
    child = start("record", "BTC/USD", "--on", venue.ws_v2, "--out", str(tape), "--json")
    assert child.stdout is not None
    child.stdout.readline()
    child.send_signal(number)
    out, errors = child.communicate()
    assert (child.returncode, errors) == (OK, "")
    ending = json.loads(out.splitlines()[-1])
    assert (ending["type"], ending["lost"]) == ("end", 0)
    assert ending["written"] == Tape(tape).info.records
    assert marks(tape) == ["stopped"]


_LIMITED = """
import resource, sys
from krakenwire.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))
sys.exit(main(sys.argv[1:]))
"""


def test_a_disk_that_is_full_ends_the_recording_with_a_statement_and_a_whole_tape(
    venue: LocalVenue, tmp_path: Path
) -> None:
    pytest.importorskip("resource")
    tape = tmp_path / "tape"
    arguments = ("record", "BTC/USD", "ETH/USD", "--channels", "book:100", "--on", venue.ws_v2, "--out", str(tape))
    done = subprocess.run([sys.executable, "-c", _LIMITED, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == FAILED, done.stderr
    assert "File too large" in one_line(done.stderr)
    assert "the tape is whole, but everything after" in one_line(done.stdout)
    assert Tape(tape).info.torn == 0
    assert list(Tape(tape).records())


def test_a_token_never_reaches_the_tape(venue: LocalVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRAKEN_WS_TOKEN", CANARY)
    tape = tmp_path / "tape"
    code, out, errors = run_here(
        "record", "BTC/USD", "--channels", "level3", "--on", venue.ws_v2, "--out", str(tape), "--seconds", "20"
    )
    assert code == REFUSED, out
    assert CANARY not in out + errors
    payloads = [record.payload for record in Tape(tape).records()]
    assert any(b'"token":"***"' in payload for payload in payloads)
    assert not any(CANARY.encode() in payload for payload in payloads)
    assert not any(CANARY.encode() in path.read_bytes() for path in tape.iterdir())
    assert "redacted" in marks(tape)


def test_private_channels_are_recorded_without_their_token(
    venue: LocalVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRAKEN_API_KEY", venue.key)
    monkeypatch.setenv("KRAKEN_API_SECRET", venue.secret.reveal())
    with Recording(tmp_path / "tape", [], wanted_from("executions,balances"), on=venue.ws_v2) as recording:
        for step in recording.steps(PATIENCE_S):
            if step.account.frames >= 6:
                break
    payloads = [record.payload for record in Tape(tmp_path / "tape").records(kinds=(Kind.FRAME_OUT,))]
    assert payloads
    assert all(b'"token":"***"' in payload for payload in payloads if b"subscribe" in payload)
    assert any(b'"executions"' in record.payload for record in Tape(tmp_path / "tape").records(kinds=(Kind.FRAME_IN,)))


def test_mistakes_are_one_line_and_leave_no_tape(venue: LocalVenue, tmp_path: Path) -> None:
    out = ("--on", venue.ws_v2, "--out", str(tmp_path / "tape"))
    for arguments, text in [
        (("BTC/USD", "--channels", "bok"), "Did you mean book?"),
        (("BTC/USD", "--channels", "trade:5"), "book:DEPTH"),
        (("BTC/USD", "--channels", "book:x"), "book:DEPTH"),
        (("--channels", "book"), "at least one symbol"),
        (("BTC/USD", "--channels", "instrument"), "expected no symbol"),
        (("BTC/USD", "--seconds", "soon"), "--seconds"),
    ]:
        code, _, errors = run_here("record", *arguments, *out)
        assert (code, text in one_line(errors)) == (USAGE, True), errors
    assert not (tmp_path / "tape").exists()


def test_a_folder_in_use_or_of_something_else_is_refused(venue: LocalVenue, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    code, _, errors = run_here("record", "BTC/USD", "--on", venue.ws_v2, "--out", str(tmp_path))
    assert (code, "no tape but notes.txt" in one_line(errors)) == (USAGE, True)
    with TapeWriter(tmp_path / "tape"):
        code, _, errors = run_here("record", "BTC/USD", "--on", venue.ws_v2, "--out", str(tmp_path / "tape"))
    assert (code, "another process is recording" in one_line(errors)) == (USAGE, True)
    for command in (("verify",), ("tape", "info")):
        code, _, errors = run_here(*command, str(tmp_path))
        assert (code, "no tape in this folder" in one_line(errors)) == (USAGE, True)


def test_no_venue_and_no_such_pair_are_told_apart(venue: LocalVenue, tmp_path: Path) -> None:
    done = run("record", "BTC/USD", "--on", "ws://127.0.0.1:1", "--out", str(tmp_path / "none"))
    assert (done.returncode, "refused" in one_line(done.stderr)) == (CONNECTION, True)
    code, _, errors = run_here("record", "NO/PAIR", "--on", venue.ws_v2, "--out", str(tmp_path / "pair"))
    assert (code, "NO/PAIR" in one_line(errors)) == (REFUSED, True)
    assert os.listdir(tmp_path / "none") == ["000000.tape"]


def test_a_damaged_tape_is_told_with_its_file_and_place(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "tape") as writer:
        writer.write_many((1_700_000_000_000_000_000 + at, 1, Kind.FRAME_IN, b"x" * at) for at in range(100))
    path = tmp_path / "tape" / "000000.tape"
    data = bytearray(path.read_bytes())
    data[200] ^= 4
    path.write_bytes(data)
    for command in (("verify",), ("tape", "info")):
        code, _, errors = run_here(*command, str(tmp_path / "tape"))
        assert (code, "000000.tape: a block is not what was written at byte" in one_line(errors)) == (FAILED, True)
    assert path.read_bytes() == bytes(data)
