"""`krakenwire watch` as a process: alerts, exit codes, rules files, notifications, recordings, its document."""

from __future__ import annotations

import gzip
import json
import re
import shlex
import signal
import sys
import threading
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.e2e.command import one_line, run, run_here, start

from krakenwire import Kraken
from krakenwire.apps.local_venue import LocalVenue
from krakenwire.apps.watcher import watch_live, watch_recording
from krakenwire.cli.exit_codes import CONNECTION, OK, REFUSED, TIMEOUT, USAGE
from krakenwire.errors import StreamEnded
from krakenwire.model import Event
from krakenwire.testing import local_kraken
from krakenwire.watch import Alert, Engine, Move, NoData, Rule, Volume, rules_from

# One of apprise's plug-ins imports a module that newer Pythons have deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*imghdr.*:DeprecationWarning")

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "watcher.md").read_text()
SECOND = 1_000_000_000
SECRET = "hunter2"


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD", "ETH/USD"], seed=3, rate=50) as running:
        yield running


def trade_frame(kind: str, *rows: tuple[str, str, str]) -> str:
    data = ",".join(
        f'{{"symbol":"BTC/USD","side":"buy","price":{price},"qty":{qty},"ord_type":"limit","trade_id":{1},'
        f'"timestamp":"2026-01-05T{at}.000000Z"}}'
        for price, qty, at in rows
    )
    return f'{{"channel":"trade","type":"{kind}","data":[{data}]}}'


def status_frame(connection_id: int) -> str:
    return (
        '{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online","api_version":"v2",'
        f'"connection_id":{connection_id}}}]}}'
    )


RECORDING = "\n".join(
    [
        '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"]}}',
        status_frame(1),
        trade_frame("snapshot", ("70500.0", "9.00000000", "09:59:00"), ("69990.0", "0.10000000", "09:59:59")),
        '{"channel":"heartbeat"}',
        "",
        trade_frame("update", ("70000.0", "0.50000000", "10:00:01"), ("70000.1", "0.50000000", "10:00:01")),
        trade_frame("update", ("59999.9", "1.00000000", "10:01:00")),
        status_frame(2),
        trade_frame("update", ("70000.2", "1.00000000", "10:01:10")),
    ]
)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording.jsonl"
    path.write_text(RECORDING + "\n")
    return path


# -- live ------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "2"])
def test_once_ends_with_the_first_alert_and_code_0(venue: LocalVenue, version: str) -> None:
    done = run("watch", "XBT/USD", "--above", "1", "--once", "--on", venue.ws_v2, "--api", version, "--timeout", "30")
    alert = json.loads(one_line(done.stdout))
    assert done.returncode == OK, done.stderr
    assert (alert["symbol"], alert["rule"], alert["source"]) == ("BTC/USD", "above 1", "last")
    assert alert["price"] > 1
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", alert["time"])


@pytest.mark.parametrize("price", ["bid", "ask", "mid"])
def test_best_prices_can_be_watched(venue: LocalVenue, price: str) -> None:
    done = run("watch", "BTC/USD", "--above", "1", "--price", price, "--once", "--on", venue.ws_v2, "--timeout", "30")
    assert json.loads(done.stdout)["source"] == price


def test_no_alert_before_the_time_is_up_has_a_code_of_its_own(venue: LocalVenue) -> None:
    done = run("watch", "BTC/USD", "--below", "1", "--once", "--on", venue.ws_v2, "--timeout", "0.5")
    assert (done.returncode, done.stdout) == (TIMEOUT, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_summary_and_code_0(venue: LocalVenue, number: signal.Signals) -> None:
    process = start("watch", "BTC/USD", "ETH/USD", "--above", "1", "--on", venue.ws_v2)
    assert process.stdout is not None
    first, second = process.stdout.readline(), process.stdout.readline()
    process.send_signal(number)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == OK, errors
    assert {json.loads(line)["symbol"] for line in (first, second)} == {"BTC/USD", "ETH/USD"}
    assert "krakenwire: alerts 2" in errors
    assert "Traceback" not in out + errors


def test_a_cut_connection_is_a_notice_and_the_watch_goes_on() -> None:
    with local_kraken(symbols=["BTC/USD"], rate=50) as venue:
        process = start("watch", "BTC/USD", "--volume", "0.00000001", "--window", "1ms", "--on", venue.ws_v2)
        assert process.stdout is not None
        process.stdout.readline()
        venue.cut_connections()
        assert process.stderr is not None
        told = ""
        while "complete again" not in told:
            told += process.stderr.readline()
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
    assert process.returncode == OK
    assert "connection trouble" in told
    assert "gap: trade BTC/USD (disconnected)" in told
    assert "Traceback" not in told + rest


def test_a_reader_that_goes_away_is_a_quiet_end(venue: LocalVenue) -> None:
    process = start("watch", "BTC/USD", "--volume", "0.00000001", "--window", "1ms", "--on", venue.ws_v2)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == OK
    assert "Traceback" not in errors


# -- what can be wrong -------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("BTC/USD --above nan", ["--above", "a number above zero", "nan"]),
        ("BTC/USD --above -1", ["--above", "a number above zero", "-1"]),
        ("BTC/USD --above 1e400", ["--above", "out of range"]),
        ("BTC/USD --above ''", ["--above", "a number above zero"]),
        ("BTC/USD --above 70_OOO", ["--above", "70_OOO"]),
        ("BTC/USD --abov 5", ["--abov", "did you mean --above"]),
        ("BTC/USD --move 2%", ["--window", "5m"]),
        ("BTC/USD --move 2bps --window 5m", ["--move", "0.5%"]),
        ("BTC/USD --move 2% --window 5x", ["--window", "5x"]),
        ("BTC/USD --above 5 --window 5m", ["--window", "--move, --volume"]),
        ("BTC/USD --above 5 --hysteresis 5", ["--hysteresis", "less than 5"]),
        ("BTC/USD --above 5 --price midd", ["--price", "last, bid, ask, mid", '"mid"']),
        ("BTC/USD --above 5 --notify hunter2", ["--notify", "mailto://"]),
        ("BTC/USD --above 5 --notify nosuchservice://hunter2", ["notify", "nosuchservice://***"]),
        ("BTC/USD --above 5 --exec 'a \"'", ["--exec", "balanced quotes"]),
        ("BTC/USD --above 5 --exec ''", ["--exec", "a command"]),
        ("BTC/USD --above 5 --timeout soon", ["--timeout", "soon"]),
        ("BTC/USD --above 5 --from x --on local", ["--from and --on"]),
        ("BTC/USD --above 5 --from /no/such/file", ["/no/such/file", "No such file"]),
        ("BTC/USD --above 5 --on ftp://x", ["ws://127.0.0.1"]),
        ("BTC_USD --above 5", ["BTC/USD", "BTC_USD"]),
        ("BTC/USD", ["nothing to watch for", "--above"]),
        ("--above 5", ["no symbol", "BTC/USD"]),
        ("", ["nothing to watch for", "--rules"]),
        ("--rules /no/such/rules.toml", ["/no/such/rules.toml", "No such file"]),
        ("--rules / ", ["a rules file"]),
        ("--rules x.toml --cooldown 5", ["--cooldown", "[defaults]"]),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line_and_code_2(arguments: str, words: list[str]) -> None:
    code, _, errors = run_here("watch", *shlex.split(arguments))
    line = one_line(errors)
    assert code == USAGE
    assert all(word in line for word in words), line
    assert SECRET not in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[rule]\n", ["rules.toml", "TOML", "line 1"]),
        ("\xff", ["rules.toml", "TOML"]),
        ('[[rule]]\nsymbol = "BTC/USD"\nabove = 1\n[[rule]]\nabov = 2', ["rules.toml: rule 2", "abov", '"above"']),
        ("x = " + "[" * 5000, ["rules.toml", "TOML"]),
        ('[[rule]]\nsymbol = "BTC/USD"\nabove = 1e999999999999999999999', ["rules.toml"]),
    ],
)
def test_a_mistake_in_a_rules_file_is_one_line_and_code_2(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "rules.toml").write_bytes(text.encode("latin-1"))
    done = run("watch", "--rules", "rules.toml", cwd=tmp_path)
    line = one_line(done.stderr)
    assert done.returncode == USAGE
    assert all(word in line for word in words), line


def test_no_connection_is_one_line_and_code_3() -> None:
    done = run("watch", "BTC/USD", "--above", "1", "--on", "ws://127.0.0.1:9")
    assert done.returncode == CONNECTION
    assert "refused" in one_line(done.stderr)


def test_symbols_the_venue_does_not_list_are_code_5(venue: LocalVenue) -> None:
    done = run("watch", "FOO/BAR", "--above", "1", "--on", venue.ws_v2)
    assert done.returncode == REFUSED
    assert "FOO/BAR" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_symbol_the_venue_does_not_list_is_a_notice(venue: LocalVenue) -> None:
    done = run("watch", "FOO/BAR", "BTC/USD", "--above", "1", "--once", "--on", venue.ws_v2, "--timeout", "30")
    assert (done.returncode, json.loads(done.stdout)["symbol"]) == (OK, "BTC/USD")
    assert "refused: FOO/BAR" in done.stderr


# -- being told ----------------------------------------------------------------------


def test_a_command_is_run_with_the_alert(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    script = tmp_path / "told.py"
    script.write_text(
        "import json, os, sys\n"
        f"with open({str(out)!r}, 'w') as out:\n"
        "    json.dump([json.load(sys.stdin), os.environ['KRAKENWIRE_PRICE'], sys.argv[1:]], out)\n"
    )
    command = shlex.join([sys.executable, str(script), "two words"])
    done = run("watch", "BTC/USD", "--above", "70000", "--one-shot", "--from", str(recording), "--exec", command)
    assert done.returncode == OK, done.stderr
    given, price, arguments = json.loads(out.read_text())
    assert (given, price, arguments) == (json.loads(done.stdout), "70000.1", ["two words"])
    assert "notifications sent 1" in done.stderr


class Refusing(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        pass


def test_a_notification_that_fails_loses_no_alert_and_shows_no_secret(recording: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"json://me:{SECRET}@127.0.0.1:{server.server_port}/{SECRET}"
        done = run("watch", "BTC/USD", "--above", "70000", "--one-shot", "--from", str(recording), "--notify", address)
        server.shutdown()
        thread.join()
    assert (done.returncode, json.loads(done.stdout)["price"]) == (OK, 70000.1)
    assert "json://***: not delivered; given up after 3 attempts" in done.stderr
    assert "not delivered 1" in done.stderr
    assert SECRET not in done.stdout + done.stderr


# -- recordings ------------------------------------------------------------------------


def fired(*arguments: str, recording: Path) -> list[tuple[str, str]]:
    done = run("watch", "BTC/USD", *arguments, "--from", str(recording))
    assert done.returncode == OK, done.stderr
    alerts = [json.loads(line, parse_float=str) for line in done.stdout.splitlines()]
    return [(alert["price"], alert["time"][11:19]) for alert in alerts]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("--above 70000", [("70000.1", "10:00:01"), ("70000.2", "10:01:10")]),
        ("--above 70000 --cooldown 5m", [("70000.1", "10:00:01")]),
        ("--below 60000", [("59999.9", "10:01:00")]),
        ("--crosses 70000", [("70000.1", "10:00:01"), ("59999.9", "10:01:00")]),
        ("--move 2% --window 5m", [("59999.9", "10:01:00")]),
        ("--move 2% --window 5m --direction up", []),
        ("--volume 2 --window 5m", [("59999.9", "10:01:00")]),
        ("--no-data 30", [("70000.1", "10:00:31")]),
    ],
)
def test_each_condition_over_a_recording(recording: Path, arguments: str, expected: list[tuple[str, str]]) -> None:
    assert fired(*arguments.split(), recording=recording) == expected


def test_a_recording_may_be_compressed_or_come_from_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl.gz"
    path.write_bytes(gzip.compress(RECORDING.encode()))
    from_file = run("watch", "BTC/USD", "--below", "60000", "--from", str(path))
    from_pipe = run("watch", "BTC/USD", "--below", "60000", "--from", "-", given=RECORDING)
    assert from_file.stdout == from_pipe.stdout != ""


def test_once_over_a_recording_without_an_alert_is_a_time_out(recording: Path) -> None:
    assert run("watch", "BTC/USD", "--below", "1", "--once", "--from", str(recording)).returncode == TIMEOUT


def test_a_frame_that_cannot_be_decoded_is_counted_and_is_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    path.write_text(RECORDING.replace('{"channel":"heartbeat"}', '{"channel":"trade","type":5}\ngarbage'))
    done = run("watch", "BTC/USD", "--crosses", "70000", "--from", str(path))
    assert [json.loads(line)["direction"] for line in done.stdout.splitlines()] == ["down"]
    assert "undecodable 2" in done.stderr


@pytest.mark.parametrize("version", [1, 2])
def test_a_recording_of_a_live_watch_gives_the_same_alerts(version: int, tmp_path: Path) -> None:
    """With a cut in the middle: live the session tells of the gap, in the recording the next connection does."""
    rules = [
        Rule(symbol="BTC/USD", condition=Move(Decimal("0.0005"), 10 * SECOND)),
        Rule(symbol="BTC/USD", condition=Volume(Decimal("0.01"), SECOND)),
        Rule(symbol="ETH/USD", condition=Move(Decimal("0.0005"), 10 * SECOND)),
    ]
    with local_kraken(symbols=["BTC/USD", "ETH/USD"], seed=5, rate=100) as venue:
        kraken = Kraken(venue.ws_v2, version=version)
        frames, events = kraken.frames(), kraken.events()
        kraken.subscribe("trade", "BTC/USD", "ETH/USD")
        raw = []
        for number in range(80):
            raw.append(frames.next(timeout=30).frame)
            if number == 40:
                venue.cut_connections()
        kraken.close()
        raw += [frame.frame for frame in frames]
        seen: list[Event] = []
        while True:
            try:
                seen.append(events.next(timeout=0))
            except StreamEnded:
                break
    path = tmp_path / "recording.jsonl"
    path.write_text("\n".join(raw))
    engine = Engine(rules)
    live = [alert for event in seen for alert in engine.feed(event, 1)]
    replayed = [step for step in watch_recording(Engine(rules), path) if isinstance(step, Alert)]
    assert replayed == live
    assert len(live) >= 3
    assert engine.counters.gaps >= 1


def test_the_live_watcher_polls_for_silence() -> None:
    with local_kraken(symbols=["BTC/USD"]) as venue, Kraken(venue.ws_v2) as kraken:
        engine = Engine([Rule(symbol="BTC/USD", condition=NoData(SECOND))])
        steps = watch_live(engine, kraken)
        for _ in range(20):
            next(steps)
        venue.stall(3)
        assert any(isinstance(step, Alert) for step, _ in zip(steps, range(400), strict=False))


# -- the documentation ---------------------------------------------------------------------


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


def test_the_alert_in_the_document_is_what_is_printed(recording: Path) -> None:
    done = run("watch", "BTC/USD", "--above", "70000", "--once", "--from", str(recording))
    assert [done.stdout] == blocks("json")


def test_every_rules_file_in_the_document_is_accepted(tmp_path: Path, recording: Path) -> None:
    for text in blocks("toml"):
        read = rules_from(tomllib.loads(text, parse_float=Decimal), "rules.toml")
        assert {type(rule.condition).__name__ for rule in read.rules} >= {"Above", "Move", "Crosses", "NoData"}
        (tmp_path / "rules.toml").write_text(re.sub(r"^(notify|run) = .*$", "", text, flags=re.MULTILINE))
        done = run("watch", "--rules", str(tmp_path / "rules.toml"), "--from", str(recording))
        assert done.returncode == OK, done.stderr
        assert json.loads(done.stdout.splitlines()[0])["rule"] == "moon"


def test_the_complaint_in_the_document_is_what_is_said(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text('[[rule]]\nsymbol = "BTC/USD"\nabove = 1\n[[rule]]\nabov = 2')
    (shown,) = blocks("text")
    begin, end = shown.strip().split("..., ")
    line = one_line(run("watch", "--rules", "rules.toml", cwd=tmp_path).stderr).removeprefix("krakenwire: ")
    assert line.startswith(begin)
    assert line.endswith(end)


COMMANDS = [line[2:] for text in blocks("console") for line in text.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_the_document_runs(command: str, venue: LocalVenue, tmp_path: Path, recording: Path) -> None:
    (tmp_path / "rules.toml").write_text('[[rule]]\nsymbol = "BTC/USD"\nabove = 1\n')
    words = [word for word in shlex.split(command)[1:] if word not in ("--on", "local")]
    words = [{"1h": "0.5", "60": "1"}.get(word, word) for word in words]
    if "--from" not in words:
        words += ["--on", venue.ws_v2]
        words += [] if "--timeout" in words or "--seconds" in words else ["--timeout", "0.5"]
    done = run(*words, cwd=recording.parent)
    assert done.returncode in (OK, TIMEOUT), done.stderr
