"""`krakenwire verify`: what it counts, what it says, and with which code it ends."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from zlib import crc32

import pytest

from krakenwire import _native
from krakenwire.apps.verify import Failure, SymbolReport, VerifyReport, verify_lines
from krakenwire.cli.main import main
from krakenwire.errors import UsageError

TIME = "2026-01-02T03:04:05.000006Z"
BID, ASK = "99.9", "100.1"


def crc(bid_qty: str) -> int:
    """Checksum of a book of one level a side, the ask's quantity 1."""
    digits = f"{ASK}{1}00000000{BID}{bid_qty.lstrip('0.')}".replace(".", "")
    return crc32(digits.encode())


def v2(kind: str, qty: str, checksum: int | None = None, symbol: str = "BTC/USD") -> str:
    asks = '{"price":100.1,"qty":1.00000000}' if kind == "snapshot" else ""
    checksum = crc(qty) if checksum is None else checksum
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{symbol}","bids":[{{"price":{BID},"qty":{qty}}}],'
        f'"asks":[{asks}],"checksum":{checksum},"timestamp":"{TIME}"}}]}}'
    )


def status(connection_id: int | None) -> str:
    data = {"system": "online", "api_version": "v2", "version": "2.0.0"}
    if connection_id is not None:
        data["connection_id"] = connection_id  # type: ignore[assignment]
    return json.dumps({"channel": "status", "type": "update", "data": [data]})


V1_SNAPSHOT = json.dumps(
    [0, {"as": [[ASK, "1.00000000", "1.0"]], "bs": [[BID, "2.00000000", "1.0"]]}, "book-10", "XBT/USD"]
)
V1_UPDATE = json.dumps([0, {"b": [[BID, "3.00000000", "2.0"]], "c": str(crc("3.00000000"))}, "book-10", "XBT/USD"])
GOOD = [v2("snapshot", "2.00000000"), v2("update", "3.00000000")]
BROKEN = v2("update", "4.00000000", 7)


def replayed(*frames: str) -> VerifyReport:
    return verify_lines([frame.encode() for frame in frames])


def test_snapshots_and_updates_of_version_2_count_as_verified() -> None:
    report = replayed(status(1), *GOOD, '{"channel":"heartbeat"}')
    assert (report.frames, report.verified, report.failed, report.version, report.ok) == (4, 2, 0, 2, True)
    assert report.symbols == {"BTC/USD": SymbolReport(verified=2, snapshots=1, updates=1)}
    assert report.verdict == "all 2 checksums verified"


def test_snapshots_of_version_1_are_unverifiable() -> None:
    report = replayed(V1_SNAPSHOT, V1_UPDATE)
    assert (report.verified, report.unverifiable, report.version, report.ok) == (1, 1, 1, True)


def test_lines_of_the_client_and_blank_lines_are_passed_over_and_counted() -> None:
    report = replayed(
        "",
        '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"]},"req_id":1}',
        '{"event":"subscribe","pair":["XBT/USD"],"subscription":{"name":"book"}}',
        '{"method":"ping","req_id":3}',
        '{"event":"ping","reqid":4}',
        '{"method":"pong","req_id":3}',
        '{"event":"pong","reqid":4}',
        *GOOD,
    )
    assert (report.blank_lines, report.client_lines, report.frames, report.version) == (1, 4, 4, "mixed")
    assert report.ok


def test_after_a_failure_that_symbol_waits_for_its_snapshot_and_the_rest_goes_on() -> None:
    other = [v2("snapshot", "5.00000000", symbol="ETH/USD"), v2("update", "6.00000000", symbol="ETH/USD")]
    report = replayed(GOOD[0], other[0], BROKEN, GOOD[1], other[1], *GOOD)
    assert report.first_failure == Failure(line=3, symbol="BTC/USD", expected=7, found=crc("4.00000000"))
    assert report.symbols == {
        "BTC/USD": SymbolReport(verified=3, failed=1, snapshots=2, updates=3, skipped=1),
        "ETH/USD": SymbolReport(verified=2, snapshots=1, updates=1),
    }
    assert (report.verified, report.failed, report.skipped, report.ok) == (5, 1, 1, False)
    assert "1 of 6 checksums failed, first at line 3: BTC/USD" in report.verdict


@pytest.mark.parametrize(
    "line",
    ["garbage", '{"channel":"book","type":"update"', '{"channel":"book","type":"update","data":5}', "12", "{}", "[1]"],
)
def test_a_malformed_line_is_counted_and_the_rest_goes_on(line: str) -> None:
    report = replayed(GOOD[0], line, GOOD[1])
    assert (report.malformed, report.verified, report.ok) == (1, 2, False)
    assert report.first_malformed is not None
    assert report.first_malformed.line == 2
    assert "1 of 3 frames are malformed, first at line 2" in report.verdict


def test_a_level_that_is_no_number_is_malformed_and_its_symbol_waits() -> None:
    report = replayed(GOOD[0], v2("update", "-1.0", 7), GOOD[1])
    assert (report.malformed, report.failed, report.skipped, report.verified) == (1, 0, 1, 1)
    assert report.symbols["BTC/USD"].updates == 2


def test_unknown_channels_are_counted_and_do_no_harm() -> None:
    report = replayed('{"channel":"brand_new","type":"update","data":[]}', *GOOD)
    assert (report.unknown, report.ok) == (1, True)


@pytest.mark.skipif(not _native.ENABLED, reason="the compiled twins are not in use")
def test_frames_left_to_the_exact_path_are_counted() -> None:
    assert replayed(*GOOD).fallbacks == 0
    report = replayed(*GOOD, v2("update", "5e-1", crc("0.50000000")))
    assert (report.fallbacks, report.verified, report.ok) == (1, 3, True)


def test_a_new_connection_drops_the_books_of_the_one_before() -> None:
    report = replayed(status(1), *GOOD, status(1), GOOD[1], status(2), GOOD[1], *GOOD)
    assert (report.verified, report.skipped, report.failed) == (5, 1, 0)


def test_a_status_without_a_connection_id_is_no_new_connection() -> None:
    report = replayed(status(1), GOOD[0], status(None), GOOD[1])
    assert (report.verified, report.skipped) == (2, 0)


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([], "no server frame"),
        (['{"method":"ping"}'], "no server frame"),
        ([V1_SNAPSHOT], "carry no checksum"),
        ([GOOD[1]], "no snapshot to start from"),
        (['{"channel":"heartbeat"}'], "none of the 1 frames is a book message"),
    ],
)
def test_a_recording_that_proves_nothing_is_not_ok_and_says_why(frames: list[str], why: str) -> None:
    report = replayed(*frames)
    assert not report.ok
    assert why in report.verdict


def ladder(count: int) -> str:
    return ",".join(f'{{"price":{100 + n}.5,"qty":1.0}}' for n in range(count))


def test_a_given_depth_is_for_books_whose_depth_the_frames_do_not_tell() -> None:
    digits = "".join(f"{100 + n}510" for n in range(10))
    snapshot = (
        f'{{"channel":"book","type":"snapshot","data":[{{"symbol":"BTC/USD","bids":[],"asks":[{ladder(10)}],'
        f'"checksum":{crc32(digits.encode())}}}]}}'
    ).encode()
    pushed = '{"price":99.5,"qty":1.0}'
    removed = '{"price":99.5,"qty":0.0}'
    lines = [snapshot]
    for change, best in ((pushed, "99510" + digits[: -len("109510")]), (removed, digits)):
        lines.append(
            f'{{"channel":"book","type":"update","data":[{{"symbol":"BTC/USD","bids":[],"asks":[{change}],'
            f'"checksum":{crc32(best.encode())}}}]}}'.encode()
        )
    assert verify_lines(lines, depth=25).ok
    assert verify_lines(lines).failed == 1


def test_a_depth_the_venue_does_not_know_is_refused() -> None:
    with pytest.raises(UsageError, match="book depth"):
        verify_lines([], depth=11)


# -- the command -------------------------------------------------------------------


def written(path: Path, *frames: str) -> str:
    path.write_text("\n".join(frames) + "\n")
    return str(path)


def test_the_command_prints_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", written(tmp_path / "f", *GOOD, BROKEN), "--json"]) == 1
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert (result["frames"], result["verified"], result["failed"], result["version"]) == (3, 2, 1, 2)
    assert result["first_failure"] == {"line": 3, "symbol": "BTC/USD", "expected": 7, "found": crc("4.00000000")}
    assert result["symbols"]["BTC/USD"]["failed"] == 1
    assert err.count("\n") == 1


def test_the_command_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", written(tmp_path / "f", *GOOD, '{"method":"ping"}')]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 frames, version 2: all 2 checksums verified"
    assert lines[1] == "client lines 1"
    assert lines[2].split() == ["book", "verified", "failed", "snapshots", "updates", "unverifiable", "skipped"]
    assert lines[3].split() == ["BTC/USD", "2", "0", "1", "1", "0", "0"]


def test_the_command_shows_progress_on_a_terminal_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "f", *GOOD, *['{"channel":"heartbeat"}'] * 6_000)
    assert main(["verify", path]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main(["verify", path]) == 0
    assert "5,000 lines" in capsys.readouterr().err


def test_the_command_reads_gzip_and_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = ("\ufeff" + "\r\n".join(GOOD)).encode()
    (tmp_path / "f.gz").write_bytes(gzip.compress(text))
    assert main(["verify", str(tmp_path / "f.gz")]) == 0
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(text))))  # type: ignore[arg-type]
    assert main(["verify", "-"]) == 0
    assert capsys.readouterr().out.count("all 2 checksums verified") == 2


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04\0\0\0", gzip.compress(b"x" * 9_999, mtime=0)[:40], b"\x1f\x8bnot gzip at all"]
)
def test_a_file_that_is_no_text_is_one_line_and_the_usage_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    assert main(["verify", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "expected a text file with one frame a line" in err


def test_a_missing_file_and_a_directory_are_one_line_and_the_usage_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(tmp_path / "absent")]) == 2
    assert main(["verify", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 2
    assert "No such file" in err
    assert "directory" in err


def test_an_unsupported_depth_is_one_line_and_the_usage_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "whatever", "--depth", "11"]) == 2
    err = capsys.readouterr().err
    assert (err.count("\n"), "10, 25, 100, 500, 1000" in err) == (1, True)
