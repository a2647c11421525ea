"""The C of level3 alone, under the sanitizers: no frame is read beyond its end, and every book stays whole."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.native.c_program import SANITIZE, build


def test_mutated_frames_give_no_sanitizer_report_and_leave_books_whole(tmp_path: Path, nightly: bool) -> None:
    program = build("fuzz_level3.c", tmp_path, *SANITIZE)
    frames = 10_000_000 if nightly else 60_000
    command, limit_s = (program, "1", str(frames)), 3600 if nightly else 100
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=limit_s)
    assert done.returncode == 0, done.stderr
    taken, refused = map(int, done.stdout.split())
    assert taken > frames // 10
    assert refused > frames // 10
