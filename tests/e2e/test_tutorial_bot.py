"""The tutorial of the bot, as a reader follows it: its files are saved, its commands run one after another."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from tests.e2e.command import run_here

from krakenwire.cli.exit_codes import FAILED, OK, USAGE
from krakenwire.testing import local_kraken

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial-bot.md"
SECONDS = 4

_CODES = {"krakenwire bot drift runs/paper runs/live": {OK, FAILED}}
"""Two runs at two times differ, or by chance do not; all else ends well."""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps() -> list[tuple[str, str]]:
    """What the reader does: (name of a file, its text), or ("", a command)."""
    text, done, found = TUTORIAL.read_text(), 0, []
    for block in _BLOCK.finditer(text):
        named = re.findall(r"Save this as `([\w.]+)`:", text[done : block.start()])
        done = block.end()
        if named:
            found.append((named[-1], block[2]))
        elif block[1] == "console":
            found += [("", line[2:]) for line in block[2].splitlines() if line.startswith("$ krakenwire ")]
    return found


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder after all steps, each of which has ended well."""
    folder, said = tmp_path_factory.mktemp("tutorial"), []
    with local_kraken(seed=6) as venue, pytest.MonkeyPatch.context() as patch, contextlib.chdir(folder):
        patch.setenv("KRAKEN_API_KEY", venue.key)
        patch.setenv("KRAKEN_API_SECRET", venue.secret.reveal())
        for name, text in steps():
            if name:
                (folder / name).write_text(text)
            elif not text.startswith("krakenwire venue"):
                command = re.sub(r"--seconds \d+", f"--seconds {SECONDS}", text)
                command = command.replace("ws://127.0.0.1:8080", venue.ws_v2)
                code, out, errors = run_here(*command.split()[1:])
                assert code in _CODES.get(text, {OK}), f"{command}\n{out}\n{errors}"
                said.append(out)
    (folder / "said.txt").write_text("".join(said))
    return folder


def test_every_step_ends_well_and_leaves_what_the_text_says(followed: Path) -> None:
    for name in (
        "runs/backtest/report.html",
        "runs/replay/run.json",
        "runs/paper/run.json",
        "runs/live/run.json",
        "sweep/sweep.html",
    ):
        assert (followed / name).stat().st_size > 0
    assert "checksums verified" in (followed / "said.txt").read_text()


def test_what_goes_wrong_is_one_line(followed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("bot", "run", "broken.py", "--mode", "backtest", "--tape", "tape", "--config")
    strategy = (followed / "scalper.py").read_text()
    (followed / "broken.py").write_text(
        strategy.replace("        symbol = self", "        1 / 0\n        symbol = self", 1)
    )
    monkeypatch.chdir(followed)
    code, _, errors = run_here(*command, "bot.toml")
    assert code == FAILED
    assert re.fullmatch(r"krakenwire: Scalper\.on_timer failed at .*broken\.py:\d+: ZeroDivisionError.*\n", errors)
    misspelt = (followed / "bot.toml").read_text().replace("daily_loss_max", "dayly_loss_max")
    (followed / "wrong.toml").write_text(misspelt)
    code, _, errors = run_here(*command, "wrong.toml")
    assert code == USAGE
    assert 'Did you mean "daily_loss_max"?' in errors
