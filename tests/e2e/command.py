"""Run the command line as a process of its own, the way a person or a script does."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

from krakenwire.cli.main import main

PATIENCE_S = 60
COMMAND = (sys.executable, "-m", "krakenwire")


def run(*arguments: str, given: str | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], input=given, capture_output=True, text=True, timeout=PATIENCE_S, cwd=cwd, check=False
    )


def run_here(*arguments: str) -> tuple[int, str, str]:
    """Run the command in this process, where many short runs are to be quick; return code, output and errors."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(str(ended.code))
    return code, out.getvalue(), errors.getvalue()


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the command with its output on pipes."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def one_line(text: str) -> str:
    """Return the only line there is, and make sure that it is no traceback."""
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    assert "Traceback" not in text
    return lines[0]
