"""Notifications: retried, reported, bounded, never in the way, never showing a secret."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from tests.unit.watch.events import BTC, trades

from krakenwire.apps.notify import Address, Bell, Command, Notifier, NotifyFailed, Target, targets_of
from krakenwire.errors import ConfigError
from krakenwire.watch import Above, Alert, Engine, NotifyUrl, Rule

RULE = Rule(symbol=BTC, condition=Above(Decimal(100)))
SECRET = "hunter2"

# One of apprise's plug-ins imports a module that newer Pythons have deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*imghdr.*:DeprecationWarning")


def alert() -> Alert:
    return Engine([RULE]).feed(trades("100.50", at_s=1), 0)[0]


class Flaky:
    """A target that fails a number of times, then delivers; it can be made to hang."""

    name = "flaky"

    def __init__(self, failures: int = 0, hangs: bool = False) -> None:
        self.failures = failures
        self.received: list[Alert] = []
        self.release = threading.Event()
        self.entered = threading.Event()
        self.delivered = threading.Semaphore(0)
        if not hangs:
            self.release.set()

    def send(self, alert: Alert) -> None:
        self.entered.set()
        self.release.wait(30)
        if self.failures:
            self.failures -= 1
            raise NotifyFailed("no such host")
        self.received.append(alert)
        self.delivered.release()

    def abandon(self) -> None:
        self.release.set()


def notifier(*targets: Target, **settings: float) -> tuple[Notifier, list[str]]:
    reports: list[str] = []
    return Notifier([targets], reports.append, pause_s=0.001, **settings), reports  # type: ignore[arg-type]


def test_a_notification_that_fails_twice_is_delivered_by_the_third_attempt() -> None:
    target = Flaky(failures=2)
    told, reports = notifier(target)
    told.tell(alert())
    told.close()
    assert len(target.received) == 1
    assert (told.counters.sent, told.counters.retried, told.counters.failed) == (1, 2, 0)
    assert reports == []


def test_a_notification_that_fails_three_times_is_reported_and_the_next_one_is_tried() -> None:
    target = Flaky(failures=3)
    told, reports = notifier(target)
    told.tell(alert())
    told.tell(alert())
    told.close()
    assert (told.counters.failed, told.counters.sent) == (1, 1)
    assert len(reports) == 1
    assert "flaky: no such host; given up after 3 attempts" in reports[0]
    assert "BTC/USD above 100" in reports[0]


def test_a_target_that_hangs_delays_neither_the_caller_nor_another_target() -> None:
    slow, quick = Flaky(hangs=True), Flaky()
    told, reports = notifier(slow, quick, queue_max=2)
    for _ in range(5):
        told.tell(alert())
        assert quick.delivered.acquire(timeout=10), "the quick target waits for nobody"
        assert slow.entered.wait(10)
    assert told.counters.dropped == 2, "one is being sent, two wait"
    told.close(grace_s=0.05)
    assert [line for line in reports if "alerts are waiting" in line] == reports[:2]
    assert any("given up at the end, 2 more were waiting" in line for line in reports)


def test_close_waits_for_what_is_under_way() -> None:
    target = Flaky(hangs=True)
    told, _ = notifier(target)
    told.tell(alert())
    threading.Timer(0.05, target.release.set).start()
    told.close(grace_s=10)
    assert len(target.received) == 1


def test_more_targets_than_the_bound_are_refused() -> None:
    with pytest.raises(ConfigError, match="at most 64"):
        notifier(*(Flaky() for _ in range(65)))


# -- commands --------------------------------------------------------------------------


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_a_command_gets_the_alert_as_json_and_in_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRAKEN_API_SECRET", SECRET)
    out = tmp_path / "out.json"
    code = (
        "import json,os,sys\n"
        "given = json.load(sys.stdin)\n"
        "env = {k: v for k, v in os.environ.items() if 'KRAKEN' in k}\n"
        "json.dump([given, env, sys.argv[1:]], open(os.environ['OUT'], 'w'))"
    )
    monkeypatch.setenv("OUT", str(out))
    Command((*python(code), "$HOME; `id`")).send(alert())
    given, env, arguments = json.loads(out.read_text())
    assert (given["symbol"], given["price"], env["KRAKENWIRE_PRICE"]) == (BTC, 100.5, "100.50")
    assert env["KRAKENWIRE_RULE"] == "above 100"
    assert env["KRAKENWIRE_TIME"] == "1970-01-01T00:00:01.000000Z"
    assert arguments == ["$HOME; `id`"], "no shell looks at it"
    assert "KRAKEN_API_SECRET" not in env


def test_a_command_that_fails_says_its_code_and_its_complaint() -> None:
    with pytest.raises(NotifyFailed, match="ended with code 3: oh no"):
        Command(python("import sys; sys.stderr.write('oh no'); sys.exit(3)")).send(alert())


def test_a_command_that_is_not_there_says_so() -> None:
    with pytest.raises(NotifyFailed, match="cannot be run"):
        Command(("/no/such/command",)).send(alert())


def test_a_command_that_does_not_end_is_ended() -> None:
    with pytest.raises(NotifyFailed, match=r"did not end within 0\.2 s"):
        Command(python("import time; time.sleep(60)"), timeout_s=0.2).send(alert())


def test_giving_up_ends_a_command_that_still_runs(tmp_path: Path) -> None:
    mark = tmp_path / "started"
    command = Command(python(f"import time; open({str(mark)!r}, 'w'); time.sleep(60)"))
    told, reports = notifier(command)
    told.tell(alert())
    deadline = time.monotonic() + 20
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    told.close(grace_s=0.01)
    assert command._running is not None
    assert command._running.wait(10) == -9
    assert any("given up" in line for line in reports)


def test_the_bell_rings() -> None:
    terminal = io.StringIO()
    Bell(terminal).send(alert())
    assert terminal.getvalue() == "\a"


def test_a_bell_on_a_closed_terminal_is_a_failed_notification() -> None:
    terminal = io.StringIO()
    terminal.close()
    with pytest.raises(NotifyFailed):
        Bell(terminal).send(alert())


# -- addresses --------------------------------------------------------------------------


class Listener(BaseHTTPRequestHandler):
    bodies: ClassVar[list[dict[str, str]]] = []
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).bodies.append(json.loads(body))
        self.send_response(type(self).status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        pass


@pytest.fixture
def listener() -> Iterator[tuple[str, type[Listener]]]:
    class Fresh(Listener):
        bodies: ClassVar[list[dict[str, str]]] = []

    with HTTPServer(("127.0.0.1", 0), Fresh) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"json://user:{SECRET}@127.0.0.1:{server.server_port}/{SECRET}", Fresh
        server.shutdown()
        thread.join()


def test_an_address_is_told_through_apprise(listener: tuple[str, type[Listener]]) -> None:
    pytest.importorskip("apprise")
    url, received = listener
    target = Address(NotifyUrl(url))
    target.send(alert())
    assert [body["message"] for body in received.bodies] == ["BTC/USD above 100: last 100.50"]
    assert target.name == "json://***"


def test_a_failing_address_shows_no_secret(
    listener: tuple[str, type[Listener]], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("apprise")
    url, received = listener
    received.status = 500
    told, reports = notifier(Address(NotifyUrl(url)), attempts=1)
    caplog.set_level(logging.INFO)
    told.tell(alert())
    told.close()
    assert reports == ["json://***: not delivered; given up after 1 attempts (BTC/USD above 100: last 100.50)"]
    output = capfd.readouterr()
    assert SECRET not in output.out + output.err + caplog.text + "".join(reports)


def test_an_address_that_apprise_does_not_know_is_refused_without_showing_it() -> None:
    pytest.importorskip("apprise")
    with pytest.raises(ConfigError) as caught:
        Address(NotifyUrl(f"nosuchservice://{SECRET}"))
    assert SECRET not in str(caught.value)
    assert "nosuchservice://***" in str(caught.value)


def test_rules_share_their_targets() -> None:
    rules = [
        Rule(symbol=BTC, condition=Above(Decimal(1)), run=("a", "b")),
        Rule(symbol=BTC, condition=Above(Decimal(2)), run=("a", "b")),
        Rule(symbol=BTC, condition=Above(Decimal(3))),
    ]
    first, second, third = targets_of(rules, run=("c",), bell=io.StringIO())
    assert [target.name for target in first] == ["command c", "command a", "bell"]
    assert first == second
    assert third == (first[0], first[2])
