"""The command's frame: help, suggestions, one-line errors and exit codes."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

import krakenwire
from krakenwire import _native, errors
from krakenwire.cli import exit_codes, main, venue
from krakenwire.cli.parsers import Parser
from krakenwire.model.secrets import Secret


def run_command(act: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(venue, "run", lambda args: act())
    return main.main(["venue"])


def test_help_shows_every_command_and_the_first_steps(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert "run a local Kraken" in shown
    assert "first steps" in shown
    assert "Not affiliated" in shown


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["--version"])
    assert ended.value.code == 0
    assert re.fullmatch(
        rf"krakenwire {re.escape(krakenwire.__version__)} "
        rf"\((native|pure: not built|pure: KRAKENWIRE_PURE), Python {re.escape(platform.python_version())}\)\n",
        capsys.readouterr().out,
    )


@pytest.mark.parametrize(
    ("built", "forbidden", "said"),
    [
        (True, False, "native"),
        (True, True, "pure: KRAKENWIRE_PURE"),
        (False, False, "pure: not built"),
        (False, True, "pure: KRAKENWIRE_PURE"),
    ],
)
def test_version_says_which_twins_are_in_use(
    built: bool, forbidden: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_native, "BUILT", built)
    monkeypatch.setattr(_native, "FORBIDDEN", forbidden)
    monkeypatch.setattr(_native, "ENABLED", built and not forbidden)
    assert f"({said}, Python " in main.version_text()


def test_without_a_command_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([]) == exit_codes.USAGE
    assert "commands" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["vanue"], "invalid choice: 'vanue'"),
        (["--versoin"], "did you mean --version?"),
        (["venue", "--sead", "3"], "did you mean --seed?"),
        (["venue", "--se", "3"], "unknown argument --se"),
        (["venue", "--port"], "expected one argument"),
        (["order", "add", "BTC/USD", "buy", "1", "--pirce", "5"], "did you mean --price?"),
        (["order", "ad"], "invalid choice: 'ad'"),
    ],
)
def test_a_wrong_argument_is_one_line_that_explains(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(arguments)
    said = capsys.readouterr().err
    assert ended.value.code == exit_codes.USAGE
    assert words in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.MissingExtraError("the venue", "venue"), 6),
        (errors.ConfigError("port"), 2),
        (errors.SymbolError("you wrote 'x'"), 2),
        (errors.WaitTimeout("", "10 s passed"), 4),
        (errors.ConnectError("wss://h", "unknown name"), 3),
        (errors.DecodeError("not JSON", "{"), 3),
        (errors.ChecksumMismatch("BTC/USD", 1, 2), 1),
        (errors.VenueRefusal("Currency pair not supported"), 5),
        (errors.OutcomeUnknown("add_order", "no reply"), 7),
        (errors.InternalError("broken"), 70),
    ],
)
def test_each_error_is_one_line_and_its_code(
    error: errors.KrakenwireError, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def act() -> int:
        raise error

    assert run_command(act, monkeypatch) == code
    assert capsys.readouterr().err == f"krakenwire: {error}\n"


def test_every_error_of_the_tree_has_a_code() -> None:
    for name in errors.__all__:
        kind = getattr(errors, name)
        assert exit_codes.exit_code_of(kind.__new__(kind)) in {1, 2, 3, 4, 5, 6, 7, 70}


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def act() -> int:
        raise KeyboardInterrupt

    assert run_command(act, monkeypatch) == 130
    assert capsys.readouterr().err == ""


def test_a_bug_shows_its_evidence_and_ends_with_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> int:
        raise ZeroDivisionError

    assert run_command(act, monkeypatch) == 70
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error() -> None:
    program = (
        "import sys; from krakenwire.cli import main, venue\n"
        "def run(args):\n"
        "    while True: print('line', flush=True)\n"
        "venue.run = run; sys.exit(main.main(['venue']))"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=20) == 0


def test_python_m_krakenwire_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "krakenwire", "--version"], capture_output=True, check=True, text=True)
    assert done.stdout.startswith(f"krakenwire {krakenwire.__version__} (")


class ReadyAtOnce:
    """Stands for a local venue that is ready and told to stop in the same moment."""

    ws_v1, ws_v2, rest = "ws://h:1/", "ws://h:1/v2", "http://h:1"
    keys, key, secret = ("one",), "public", Secret("private")
    restored = 0
    shares: tuple[float, ...] = ()
    strict_hosts = has_control = False

    def __init__(self, *, host: str, **settings: object) -> None:
        self.host, self.settings = host, settings

    async def serve(
        self, on_ready: Callable[[ReadyAtOnce], None], stopping: asyncio.Event, on_progress: Callable[[float], None]
    ) -> None:
        for share in self.shares:
            on_progress(share)
        on_ready(self)
        stopping.set()


@pytest.mark.parametrize(
    ("host", "warned"), [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("h", True)]
)
def test_an_address_other_machines_may_reach_is_warned_about(
    host: str, warned: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(venue, "LocalVenue", ReadyAtOnce)
    assert main.main(["venue", "--host", host, "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {
        "ws_v1": "ws://h:1/",
        "ws_v2": "ws://h:1/v2",
        "rest": "http://h:1",
        "key": "public",
        "secret": "private",
    }
    assert shown.out.count("\n") == 1
    assert ("other machines" in shown.err) == warned


@pytest.mark.parametrize(
    ("terminal", "said"),
    [
        (False, "krakenwire: doing again what the folder holds\n"),
        (
            True,
            "\r\x1b[Kdoing again what the folder holds 25%\r\x1b[Kdoing again what the folder holds 99%\r\x1b[K",
        ),
    ],
)
def test_a_long_restart_is_told_on_stderr_once_or_on_a_terminal_as_it_goes_on(
    terminal: bool, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(venue, "LocalVenue", ReadyAtOnce)
    monkeypatch.setattr(ReadyAtOnce, "shares", (0.25, 0.99))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert main.main(["venue", "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err == said
    assert shown.out.count("\n") == 1


def test_symbols_are_separated_by_commas_or_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ReadyAtOnce] = []

    def make(**settings: object) -> ReadyAtOnce:
        made.append(ReadyAtOnce(**settings))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(venue, "LocalVenue", make)
    assert main.main(["venue", "--symbols", "BTC/USD,ETH/USD", "SOL/USD,"]) == 0
    assert made[0].settings["symbols"] == ["BTC/USD", "ETH/USD", "SOL/USD"]


def test_parsers_of_subcommands_do_not_guess_abbreviations() -> None:
    parser = Parser(prog="x")
    parser.add_argument("--interval")
    assert parser.parse_known_args(["--int", "5"]) == (argparse.Namespace(interval=None), ["--int", "5"])
