"""The WebSocket frames in C under the sanitizers: frames of every kind and their ruins, whole and in pieces."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("there is no C compiler (CC)")
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "empty.c").write_text("int main(void) { return 0; }\n")
    if subprocess.run([compiler, *SANITIZED, "empty.c"], cwd=folder, capture_output=True, check=False).returncode:
        pytest.skip("the C compiler has no sanitizers")
    program = folder / "fuzz_websocket"
    include = HERE.parents[1] / "src/krakenwire/_native"
    flags = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", *SANITIZED, f"-I{include}"]
    subprocess.run([compiler, *flags, str(HERE / "fuzz_websocket.c"), "-o", str(program)], check=True)
    return program


def fuzz(program: Path, rounds: int, seed: int) -> None:
    options = {"ASAN_OPTIONS": "quarantine_size_mb=8"}
    done = subprocess.run([program, str(rounds), str(seed)], env=options, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ends = [int(count) for count in done.stdout.split()]
    assert sum(ends) == rounds
    assert all(ends[:9]), "an error of the parser that no round has met"
    assert ends[-1], "no round has met a farewell"


def test_frames_of_every_kind_and_their_ruins_are_read_the_same_whole_and_in_pieces(fuzzer: Path) -> None:
    fuzz(fuzzer, 1500, 1)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 6))
def test_frames_of_every_kind_for_a_long_time(fuzzer: Path, seed: int) -> None:
    fuzz(fuzzer, 100_000, seed)
