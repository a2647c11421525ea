"""What a person and programs see of a bot that runs on the local Kraken: a terminal, a pipe, and a scraper."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.request
from pathlib import Path

import pytest
from tests.e2e.command import PATIENCE_S, one_line, run_here, start
from tests.e2e.terminal import at_a_terminal

from krakenwire.cli.exit_codes import OK, USAGE

STRATEGY = """
from krakenwire.bot import Strategy

class Buyer(Strategy):
    symbols = ["BTC/USD"]

    def on_start(self):
        self.every(0.25, "buy")

    def on_timer(self, name):
        if self.book("BTC/USD").live and not self.orders:
            self.buy("BTC/USD", "0.001")

    def on_fill(self, fill):
        self.log("bought some")
        print("printed by the strategy")
"""
KINDS = {"head", "decision", "order", "fill", "equity", "note", "result"}


@pytest.fixture
def bot(tmp_path: Path) -> tuple[str, ...]:
    file = tmp_path / "buyer.py"
    file.write_text(STRATEGY)
    config = tmp_path / "bot.toml"
    config.write_text("[risk]\nlookalike_window_ms = 0\n")
    return ("bot", "run", str(file), "--config", str(config), "--on", "local")


def test_on_a_terminal_the_screen_is_drawn_given_back_and_followed_by_the_sums(bot: tuple[str, ...]) -> None:
    pytest.importorskip("rich")
    code, shown, _ = at_a_terminal(["-m", "krakenwire", *bot, "--seconds", "3"])
    assert code == OK
    during, _, after = shown.partition("\x1b[?1049l")  # the terminal's own screen is back
    assert "\x1b[?1049h" in during
    for part in (" PAPER  Buyer on local", "use of limits", "open orders", "bought some", "printed by the strategy"):
        assert part in during
    assert "Buyer on local: BTC/USD" in after
    assert "net profit" in after
    assert "printed" not in after


def test_on_a_pipe_each_line_is_an_object_and_the_last_one_is_the_result(bot: tuple[str, ...]) -> None:
    process = start(*bot)
    assert process.stdout is not None
    assert process.stderr is not None
    told = []
    for line in process.stdout:
        told.append(json.loads(line))
        if told[-1]["kind"] == "fill":
            break
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=PATIENCE_S)
    told += map(json.loads, out.splitlines())
    assert process.returncode == OK
    assert {line["kind"] for line in told} <= KINDS
    assert (told[0]["kind"], told[0]["mode"], told[-1]["kind"]) == ("head", "paper", "result")
    assert told[-1]["fills"] == sum(line["kind"] == "fill" for line in told)
    times = [line["time_ns"] for line in told[:-1]]
    assert all(isinstance(time_ns, int) for time_ns in times)
    assert set(errors.splitlines()) == {"printed by the strategy"}


def test_a_bot_whose_reader_has_gone_ends_in_order(bot: tuple[str, ...]) -> None:
    process = start(*bot)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["kind"] == "head"
    process.stdout.close()
    process.wait(PATIENCE_S)
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors


def test_metrics_are_there_while_it_runs_and_gone_after(bot: tuple[str, ...]) -> None:
    pytest.importorskip("prometheus_client")
    process = start(*bot, "--metrics", "0")
    assert process.stdout is not None
    assert process.stderr is not None
    said = process.stderr.readline()
    address = re.search(r"http://127\.0\.0\.1:(\d+)/metrics", said)
    assert address is not None, said
    for line in process.stdout:
        if json.loads(line)["kind"] == "fill":
            break
    with urllib.request.urlopen(address[0], timeout=PATIENCE_S) as answer:
        page = answer.read().decode()
    assert 'krakenwire_bot_info{mode="paper"' in page
    assert re.search(r'^krakenwire_bot_fills_total\{.*symbol="BTC/USD"\} [1-9]', page, re.MULTILINE)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == OK
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(address[1])), timeout=PATIENCE_S)


def test_a_port_that_is_in_use_ends_it_before_it_begins(bot: tuple[str, ...]) -> None:
    pytest.importorskip("prometheus_client")
    with socket.create_server(("127.0.0.1", 0)) as other:
        code, out, errors = run_here(*bot, "--metrics", str(other.getsockname()[1]))
    assert (code, out) == (USAGE, "")
    assert "--metrics: expected a free port" in one_line(errors)


def test_metrics_of_a_backtest_make_no_sense(bot: tuple[str, ...]) -> None:
    code, _, errors = run_here(*bot[:3], "--mode", "backtest", "--tape", "none", "--metrics", "0")
    assert code == USAGE
    assert "--metrics" in one_line(errors)


def test_a_backtest_tells_on_a_terminal_how_far_it_is(bot: tuple[str, ...], tmp_path: Path) -> None:
    pytest.importorskip("rich")
    trades = tmp_path / "trades.csv"
    trades.write_text("".join(f"{1_700_000_000 + second},100.5,1\n" for second in range(2_000)))
    code, shown, out = at_a_terminal(
        ["-m", "krakenwire", *bot[:3], "--mode", "backtest", "--tape", str(trades)], piped=True
    )
    assert code == OK
    assert re.search(r"running.*2,001 rows .*/s .*2023-11-14T22:46:39Z", shown)
    assert "net profit" in out
