"""The book in C under the sanitizers, beside a plain one, with allocations that fail now and then."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.native.c_program import SANITIZE, build


@pytest.mark.parametrize("clmul", ["", "-DKW_CRC_CLMUL=0"], ids=["this machine's way", "tables only"])
def test_every_message_leaves_the_book_a_plain_one_has_or_the_book_as_it_was(tmp_path: Path, clmul: str) -> None:
    program = build("fuzz_book.c", tmp_path, *SANITIZE, *([clmul] if clmul else []))
    refused = 0
    for seed in range(1, 13):
        done = subprocess.run((str(program), str(seed), "600"), check=False, capture_output=True, timeout=120)
        assert done.returncode == 0, (seed, done.stderr.decode())
        refused += int(done.stdout)
    assert refused
