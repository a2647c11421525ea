"""Every Python block in the documents runs against the local Kraken; every command in them is one that exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import krakenwire
from krakenwire.apps.bot_config import BotConfig, bot_config_from
from krakenwire.cli.main import build_parser
from krakenwire.testing import local_kraken
from krakenwire.venue.config.local_config import config_from

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(krakenwire.__file__).parent
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LINES_ENOUGH = 8
PATIENCE_S = 60


def blocks(language: str) -> list[tuple[str, str]]:
    """Every fenced block of one language: (where, text)."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text()
        for match in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, match.start()) + 1
            found.append((f"{path.relative_to(ROOT)}:{line}", match[1]))
    return found


PROGRAMS = blocks("python")
CONFIGURATIONS = [
    (where, text)
    for where, text in blocks("toml")
    if where.startswith(("docs/howto/venue.md", "docs/howto/other-clients.md"))
]
BOT_CONFIGURATIONS = [(where, text) for where, text in blocks("toml") if where.startswith("docs/howto/bot")]
COMMANDS = [
    (where, line[2:])
    for where, text in blocks("console")
    for line in text.splitlines()
    if line.startswith("$ krakenwire")
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with local_kraken(seed=11) as venue:
        yield venue.ws_v2


def run_until_enough(program: Path) -> tuple[int, list[str], str]:
    """Run a program until it ends, or has printed enough lines; return (code, lines, errors)."""
    process = subprocess.Popen(
        [sys.executable, "-u", str(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=program.parent,  # some write files
    )
    killer = threading.Timer(PATIENCE_S, process.kill)
    killer.start()
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if len(lines) >= LINES_ENOUGH:
            process.terminate()
            break
    _, errors = process.communicate()
    killer.cancel()
    stopped = process.returncode == -15 and len(lines) >= LINES_ENOUGH
    return 0 if stopped else process.returncode, lines, errors


@pytest.mark.parametrize(("where", "text"), PROGRAMS, ids=[where for where, _ in PROGRAMS])
def test_the_program_in_the_document_runs(where: str, text: str, address: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    there = text.replace("Kraken()", f'Kraken("{address}")').replace("Kraken(on_", f'Kraken("{address}", on_')
    program.write_text(there)
    code, lines, errors = run_until_enough(program)
    assert code == 0, f"{where}\n{''.join(lines)}\n{errors}"
    assert "Traceback" not in errors


@pytest.mark.parametrize(("where", "command"), COMMANDS, ids=[where for where, _ in COMMANDS])
def test_the_command_in_the_document_exists(where: str, command: str) -> None:
    assert where
    arguments = shlex.split(command, comments=True)
    build_parser().parse_args(arguments[1:])


@pytest.mark.parametrize(("where", "text"), CONFIGURATIONS, ids=[where for where, _ in CONFIGURATIONS])
def test_the_configuration_in_the_document_is_one(where: str, text: str) -> None:
    assert config_from(tomllib.loads(text, parse_float=Decimal)) != config_from({}), where


@pytest.mark.parametrize(("where", "text"), BOT_CONFIGURATIONS, ids=[where for where, _ in BOT_CONFIGURATIONS])
def test_the_configuration_of_a_bot_in_the_document_is_one(where: str, text: str) -> None:
    assert bot_config_from(tomllib.loads(text, parse_float=Decimal)) != BotConfig(), where


def test_the_links_in_the_documents_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in DOCUMENTS
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text())
        if not (path.parent / target).exists()
    ]
    assert broken == []


def test_every_file_the_architecture_names_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`?\b([a-z_0-9]+(?:/[a-z_0-9]+)*\.py)\b", text))
    assert named
    assert [name for name in sorted(named) if not (PACKAGE / name).exists()] == []
