"""Spoilt frames by the hundred thousand under the sanitizers: no read outside a frame, no nonsense taken.

What is taken must also be right: `test_parsers` compares that with the codecs. Next: `fuzz_parse.c`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest
from tests.native.c_program import build
from tests.native.parse_frames import ODD_V1, ODD_V2, PLAIN_V1, PLAIN_V2, in_version_1, reordered

from krakenwire.bench.generate import stream

OPTIONS = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
FRAMES = 200_000
NIGHTLY_FRAMES = 2_500_000


@pytest.fixture(scope="module")
def fuzz_parse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz_parse")
    program = build("fuzz_parse.c", folder, *OPTIONS)
    rng = Random(1)
    frames = list(stream(10, 600, seed=2))
    frames += list(stream(100, 4, seed=3))
    frames += [reordered(rng, frame, spaced=True, extra=2) for frame in frames[:200]]
    frames += [*in_version_1(frames[:400]), *PLAIN_V1, *PLAIN_V2, *(frame for _, frame in (*ODD_V1, *ODD_V2))]
    (folder / "seeds").write_bytes(b"".join(b"%d\n%b" % (len(frame), frame) for frame in frames))
    return program


def _fuzz(program: Path, frames: int, seed: int) -> dict[str, list[int]]:
    command = (str(program), str(program.parent / "seeds"), str(frames), str(seed))
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=7_000)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-4_000:]}"
    lines = (line.split() for line in done.stdout.splitlines())
    return {name: [int(count) for count in counts] for name, *counts in lines}


def _check(counts: dict[str, list[int]], frames: int) -> None:
    for version in ("v1", "v2"):
        assert sum(counts[version]) == frames
        assert min(counts[version]) > frames // 100, counts  # each outcome was met, and often
    assert counts["book"][0] > frames // 20


def test_no_spoilt_frame_leads_the_parsers_or_a_book_astray(fuzz_parse: Path) -> None:
    _check(_fuzz(fuzz_parse, FRAMES, seed=1), FRAMES)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_no_spoilt_frame_of_millions_leads_the_parsers_or_a_book_astray(fuzz_parse: Path, seed: int) -> None:
    _check(_fuzz(fuzz_parse, NIGHTLY_FRAMES, seed), NIGHTLY_FRAMES)
