"""The two plain websocket-client programs, unchanged but for the address, and the command they run against."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
VENUE = [sys.executable, "-m", "krakenwire", "venue", "--port", "0"]
PAIRS = {"XBT/USD", "XRP/USD"}


@contextmanager
def running(*arguments: str, expect_code: int = 0, stop_with: int = signal.SIGTERM) -> Iterator[str]:
    """Run the command; yield its first line; stop it and check how it ended."""
    process = subprocess.Popen([*VENUE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline()
        finally:
            process.send_signal(stop_with)
            out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (expect_code, "", "")


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    with running("--json", "--symbols", "BTC/USD,XRP/USD", "--rate", "25") as line:
        yield json.loads(line)


def run_program(name: str, url: str, messages: int) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), url, str(messages)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", ["article_blocking.py", "article_threaded.py"])
def test_the_program_prints_status_two_acknowledgements_then_trades_and_heartbeats(
    name: str, addresses: dict[str, str]
) -> None:
    messages = run_program(name, addresses["ws_v1"], 30)
    assert len(messages) == 30
    status, first, second, *rest = messages
    assert (status["event"], status["status"]) == ("systemStatus", "online")
    for acknowledgement, pair in ((first, "XBT/USD"), (second, "XRP/USD")):
        assert acknowledgement["event"] == "subscriptionStatus"
        assert acknowledgement["status"] == "subscribed"
        assert (acknowledgement["channelName"], acknowledgement["pair"]) == ("trade", pair)
    trades = [message for message in rest if isinstance(message, list)]
    heartbeats = [message for message in rest if message == {"event": "heartbeat"}]
    assert len(trades) + len(heartbeats) == len(rest)
    assert trades
    assert heartbeats
    assert {trade[-1] for trade in trades} == PAIRS
    assert {trade[-2] for trade in trades} == {"trade"}


def test_the_command_tells_its_addresses_once_it_is_ready(addresses: dict[str, str]) -> None:
    assert list(addresses) == ["ws_v1", "ws_v2", "rest", "key", "secret"]
    with urllib.request.urlopen(addresses["rest"] + "/0/public/Time", timeout=10) as reply:
        assert json.loads(reply.read())["error"] == []


def test_without_json_the_addresses_are_one_line() -> None:
    with running("--symbols", "BTC/USD", "ETH/USD", stop_with=signal.SIGINT) as line:
        assert line.startswith("local Kraken ready: v1 ws://127.0.0.1:")
        assert line.count("127.0.0.1") == 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--symbols", "NO/PE"], 2, "NO/PE"),
        (["--symbols", ","], 2, "no symbol"),
        (["--rate", "-1"], 2, "actions a second"),
        (["--port", "123456"], 2, "0 to 65535"),
        (["--port", "http"], 2, "invalid int value"),
        (["--tls-cert", "missing.pem"], 2, "together"),
        (["--tls-cert", "missing.pem", "--tls-key", "missing.pem"], 2, "missing.pem"),
        (["--host", "host.invalid"], 2, "host.invalid"),
        (["--sybmols", "BTC/USD"], 2, "did you mean --symbols"),
    ],
)
def test_a_mistake_is_one_line_and_a_documented_code(arguments: list[str], code: int, words: str) -> None:
    done = subprocess.run([*VENUE, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == code
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_in_use_is_one_line_and_a_documented_code() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*VENUE, "--port", port], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "Another program listens there" in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_aiohttp_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'aiohttp' else find(name, *more)\n"
    )
    done = subprocess.run(
        VENUE, capture_output=True, text=True, timeout=30, check=False, env={**os.environ, "PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 6
    assert "pip install 'krakenwire[venue]'" in done.stderr
    assert done.stderr.count("\n") == 1
