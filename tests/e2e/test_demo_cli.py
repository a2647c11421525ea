"""`krakenwire demo`: a living market, proven books, an alert in every run, and a summary."""

from __future__ import annotations

import re
import signal
from decimal import Decimal

import pytest
from tests.e2e.command import one_line, run, run_here, start
from tests.e2e.terminal import at_a_terminal

from krakenwire.apps.demo import _Levels
from krakenwire.cli.exit_codes import OK, USAGE
from krakenwire.watch import Crosses

WORDS_OF_THE_VIEW = (
    "krakenwire demo",
    "last trades",
    "books verified",
    "ALERT",
    "BTC/USD",
    "account",
    "placed",
    "rests",
)
SUMMARY = re.compile(
    r"([\d,]+) frames, ([\d,]+) events, ([\d,]+) books verified, (\d+) failed, (\d+) gaps, (\d+) alerts"
)


@pytest.mark.parametrize(("version", "seed"), [("1", "1"), ("2", "1"), ("2", "4")])
def test_the_demo_ends_with_a_summary_and_code_0_and_has_fired_an_alert(version: str, seed: str) -> None:
    done = run("demo", "--seconds", "4", "--api", version, "--seed", seed)
    assert done.returncode == OK, done.stderr
    lines = done.stdout.splitlines()
    match = SUMMARY.fullmatch(lines[-1])
    assert match is not None, lines[-1]
    frames, events, verified, failed, gaps, alerts = (int(figure.replace(",", "")) for figure in match.groups())
    assert frames > 20
    assert events >= frames
    assert verified > 10
    assert (failed, gaps) == (0, 0)
    assert alerts == sum(line.startswith("ALERT  BTC/USD crosses ") for line in lines) >= 1
    assert any(line.startswith("waiting for: BTC/USD mid crosses ") for line in lines)
    assert any(line.startswith("prices BTC/USD") for line in lines)


@pytest.mark.parametrize("version", ["1", "2"])
def test_its_account_places_amends_fills_and_cancels_between_two_countings(version: str) -> None:
    done = run("demo", "--seconds", "5", "--api", version)
    acts = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("account ")]
    assert [act for act in acts if act not in ("amended", "filled")] == [
        "balances",
        "placed",
        "placed",
        "canceled",
        "balances",
    ]
    assert "amended" in acts
    assert "filled" in acts
    money = [line for line in done.stdout.splitlines() if line.startswith("account  balances")]
    assert money[0].endswith("5 BTC, 100000 USD")
    assert "5.01 BTC (+0.01), 99" in money[1]
    fills = acts.count("filled")
    assert f"orders: 2 placed, {acts.count('amended')} amended, {fills} fills, 1 canceled" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_the_summary_and_code_0(number: signal.Signals) -> None:
    process = start("demo", "--seconds", "60")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == OK
    assert SUMMARY.fullmatch(out.splitlines()[-1])
    assert "Traceback" not in errors


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "1e9"])
def test_a_length_that_cannot_be_is_one_line_and_code_2(seconds: str) -> None:
    code, _, errors = run_here("demo", "--seconds", seconds)
    assert code == USAGE
    assert "--seconds" in one_line(errors)


def test_on_a_terminal_it_draws_a_live_view() -> None:
    pytest.importorskip("rich")
    code, text, _ = at_a_terminal(["-m", "krakenwire", "demo", "--seconds", "3"])
    assert code == OK
    assert all(word in text for word in WORDS_OF_THE_VIEW)
    assert "Traceback" not in text


def test_the_levels_of_the_alert_stand_around_the_price_and_draw_closer() -> None:
    levels = _Levels()
    assert levels.text == ""
    levels.begin(Decimal("100.0"), Decimal("100.4"))
    seen = []
    for _ in range(6):
        assert levels.engine is not None
        seen.append(tuple(rule.condition for rule in levels.engine.rules))
        levels.tighten(Decimal("100.0"), Decimal("100.4"))
    distances = [upper.level - Decimal("100.2") for upper, _ in seen if isinstance(upper, Crosses)]
    assert distances == [Decimal(text) for text in ("1.6", "0.8", "0.4", "0.1", "0.025", "0.025")]
    assert all(upper.level - Decimal("100.2") == Decimal("100.2") - lower.level for upper, lower in seen)
