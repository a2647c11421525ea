"""Run a program with a terminal of its own, as a person does."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

PATIENCE_S = 60.0


def at_a_terminal(
    arguments: Sequence[str],
    *,
    answer: str = "",
    after: str = "",
    environment: Mapping[str, str] | None = None,
    piped: bool = False,
) -> tuple[int, str, str]:
    """Run a Python program whose input and errors are a terminal; return code, what was shown, and what was piped.

    Args:
        arguments: of the interpreter.
        answer: what is typed once `after` was shown.
        after: the end of the question.
        environment: variables besides this process's.
        piped: whether its output goes to a pipe instead of the terminal.
    """
    near, far = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=far,
        stdout=subprocess.PIPE if piped else far,
        stderr=far,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "160", "LINES": "40"} | dict(environment or {}),
    )
    os.close(far)
    shown, asked = b"", False
    deadline = time.monotonic() + PATIENCE_S
    while (left_s := deadline - time.monotonic()) > 0 and select.select([near], [], [], left_s)[0]:
        try:
            read = os.read(near, 65536)
        except OSError:  # the other end is closed: the process has ended
            break
        if not read:
            break
        shown += read
        if after and not asked and shown.rstrip().endswith(after.encode()):
            asked = True
            os.write(near, answer.encode())
    out, _ = process.communicate(timeout=PATIENCE_S)
    code = process.returncode
    os.close(near)
    return code, shown.decode(errors="replace"), (out or b"").decode()
