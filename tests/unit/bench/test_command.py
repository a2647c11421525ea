"""`krakenwire bench` as a user runs it, with few frames: it measures, proves and prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from krakenwire import _native
from krakenwire.bench.children import Trading, serving, trading
from krakenwire.bench.goals import GOALS
from krakenwire.bench.timing import Job
from krakenwire.bench.venue_lines import exchange, open_line, orders
from krakenwire.cli.main import main
from krakenwire.client.aio import run

OFFLINE = ["--only", "book", "--only", "shapes", "--only", "v1"]


def test_json_is_one_object_with_a_row_for_each_goal_of_the_suites(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--json", *OFFLINE]) == 0
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    names = [name for name, goal in GOALS.items() if goal.suite in ("book", "shapes", "v1")]
    assert [row["name"] for row in result["rows"]] == names
    assert all(row["ratio"] > 0 and row["rounds"] >= 5 for row in result["rows"])
    assert result["machine"]["cores"] >= 1
    assert isinstance(result["noise"]["too_noisy"], bool)
    assert "shapes" in printed.err


def test_the_table_and_the_picture_are_made(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = tmp_path / "bench.svg"
    assert main(["bench", "--quick", "--only", "book", "--plot", str(picture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["what", "median"]
    assert "quick run" in "".join(lines)
    assert picture.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("plot", "why"), [("no/such/place/bench.svg", "No such file"), ("folder.svg", "directory"), ("a.png", ".svg")]
)
def test_a_picture_for_nowhere_is_refused_before_anything_is_measured(
    plot: str, why: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "folder.svg").mkdir()
    assert main(["bench", "--plot", str(tmp_path / plot)]) == 2
    printed = capsys.readouterr()
    assert (why in printed.err, printed.out) == (True, "")


@pytest.mark.skipif(os.name == "nt", reason="no process groups")
def test_ctrl_c_ends_it_and_its_children_without_a_traceback() -> None:
    command = [sys.executable, "-m", "krakenwire", "bench", "--quick", "--only", "e2e", "--only", "memory"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as bench:
        assert bench.stderr is not None
        assert bench.stderr.readline().startswith("e2e")
        os.killpg(bench.pid, signal.SIGINT)  # as a terminal does it
        printed, said = bench.communicate()
    assert (bench.returncode, printed, "Traceback" in said) == (130, "", False)


def test_an_unknown_suite_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "--only", "everything"])
    assert ended.value.code == 2
    assert "everything" in capsys.readouterr().err


def test_check_ends_with_1_exactly_when_a_bound_is_missed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from krakenwire.bench import rows

    arguments = ["bench", "--quick", "--json", "--check", "--only", "v1"]
    for must, code in ((1e9, 0), (0.0, 1)):
        goal = rows.GOALS["v1-depth-10"]
        monkeypatch.setitem(rows.GOALS, "v1-depth-10", type(goal)(goal.suite, goal.title, "<=", must))
        assert main(arguments) == code
    capsys.readouterr()


def test_our_client_is_measured_over_a_socket_and_a_peer_that_is_not_installed_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from krakenwire.bench import loopback

    async def absent(port: int, count: int) -> float:
        raise ModuleNotFoundError("No module", name="peer")

    monkeypatch.setattr(loopback, "SOCKET_PEERS", dict.fromkeys(loopback.SOCKET_PEERS, absent))
    assert main(["bench", "--quick", "--json", "--check", "--only", "e2e", "--only", "echo"]) in (0, 1)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rows["echo-p50"]["ratio"] > 0
    for name in ("e2e-ccxt", "e2e-python-kraken-sdk"):
        assert (rows[name]["value"], rows[name]["met"]) == (None, None)
        assert rows[name]["note"] == "not installed: peer"
    if _native.ENABLED:
        assert rows["e2e-c-loop"]["ratio"] > 0
        assert rows["e2e-batch"]["ratio"] > 0
    else:
        assert "compiled twins" in rows["e2e-c-loop"]["note"]


def test_a_peer_that_fails_costs_only_its_own_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from krakenwire.bench import peers_offline

    def broken(snapshots: list[bytes], updates: list[bytes]) -> Job:
        raise RuntimeError("changed its mind")

    def slow(snapshots: list[bytes], updates: list[bytes]) -> Job:
        return Job(lambda: sum(range(1_000_000)), len(updates))

    monkeypatch.setattr(peers_offline, "PEERS", {"ccxt": broken, "order-book": slow})
    assert main(["bench", "--quick", "--json", "--only", "peers"]) == 0
    first, second = json.loads(capsys.readouterr().out)["rows"]
    assert (first["name"], first["value"], first["met"]) == ("offline-ccxt", None, None)
    assert "changed its mind" in first["note"]
    assert second["ratio"] > 0


def test_matching_engines_are_measured_and_leave_the_same_book(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--json", "--only", "matching"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rows["matching-pure"]["ratio"] > 0
    assert rows["matching-batch"]["value"] > 0
    assert rows["matching-liquibook"]["value"] is not None or rows["matching-liquibook"]["note"]


def test_memory_and_the_pure_twin_are_measured_in_processes_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--json", "--only", "memory", "--only", "pure"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rows["memory-1000-books"]["value"] is None or rows["memory-1000-books"]["value"] > 0
    assert all(rows[f"pure-depth-{depth}"]["ratio"] > 1 for depth in (10, 100, 1000))


def test_the_local_kraken_is_measured_over_a_socket_and_without(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--rounds", "5", "--json", "--only", "venue"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert list(rows) == [name for name, goal in GOALS.items() if goal.suite == "venue"]
    assert all(rows[name]["value"] > 0 for name in ("venue-orders", "venue-orders-told"))
    assert (rows["venue-followers"]["value"], rows["venue-followers"]["met"]) == (0, True)
    for name in ("venue-round-trip", "venue-deep-wire", "venue-deep-book", "venue-stops"):
        assert rows[name]["ratio"] > 0


def test_a_refused_request_ends_the_measuring_of_a_venue() -> None:
    async def refused(venue: Trading) -> None:
        line = await open_line(venue.port)
        try:
            await exchange([line], [orders("no token", "BTC/USD", 50_000.0, 4)], 2)
        finally:
            await line.close()

    with trading(1) as venue, pytest.raises(AssertionError, match="Invalid session"):
        run(refused(venue))


def test_the_server_ends_with_its_block() -> None:
    with serving(1) as ports:
        assert len(set(ports)) == 2
