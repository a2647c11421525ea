"""Small C programs around the native headers: built for a test, or the test is skipped with the reason.

Nothing here needs Python's headers, so the parsers can be judged where no extension was built. Next:
`test_parsers` and `test_parse_fuzz`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HEADERS = HERE.parents[1] / "src" / "krakenwire" / "_native"
SANITIZE = ("-g", "-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")


def build(source: str, folder: Path, *options: str) -> Path:
    """Compile one of this folder's C files; skip the test where that cannot be."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc) here")
    if "-fsanitize=address,undefined" in options:
        _need_sanitizers(compiler, folder)
    program = folder / Path(source).stem
    command = (compiler, "-std=c11", "-Wall", "-Wextra", *options, f"-I{HEADERS}", str(HERE / source), "-o")
    done = subprocess.run((*command, str(program)), check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "warning:" not in done.stderr, done.stderr
    return program


def _need_sanitizers(compiler: str, folder: Path) -> None:
    empty = folder / "empty.c"
    empty.write_text("int main(void) { return 0; }\n")
    command = (compiler, *SANITIZE, str(empty), "-o", str(folder / "empty"))
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("this C compiler has no address and undefined-behaviour sanitizers")
