"""`python -m bench.instructions`: instructions for a frame of the generated stream, against the committed figures.

A small C program over the product's own headers runs the one pass under
callgrind. The figures depend on the compiler, so they are committed for each;
another compiler's figure is shown but not judged. Without valgrind, a compiler
or the sources it says so and ends well.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from krakenwire.bench.generate import stream

HERE = Path(__file__).parent
HEADERS = HERE.parents[1] / "src" / "krakenwire" / "_native"
FIGURES = HERE / "figures.json"
TOLERANCE = 0.03
FRAMES = 5_000
DEPTHS = (10, 100, 1000)


def main(argv: list[str] | None = None) -> int:
    """Count, compare, and return 1 if a figure grew beyond the tolerance."""
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write what is found to figures.json")
    args = parser.parse_args(argv)
    if reason := missing():
        print(f"not counted: {reason}")
        return 0
    with tempfile.TemporaryDirectory() as directory:
        program = built(Path(directory))
        found = {str(depth): count(program, Path(directory), depth) for depth in DEPTHS}
        name = f"{compiler()}, CRC32 by {crc32(program, Path(directory))}"
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    if args.update:
        figures[name] = found
        FIGURES.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
    lines, grown = judged(found, figures.get(name, {}))
    print(f"instructions for a frame, {name}, {FRAMES:,} frames of the mix")
    print("\n".join(lines))
    return int(grown)


def missing() -> str:
    """Return what stands in the way, nothing when all is there."""
    for tool in ("valgrind", "cc"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    return "" if (HEADERS / "book.h").exists() else "the sources are not here"


def built(directory: Path) -> Path:
    """Compile the program and return where it is."""
    program = directory / "one_pass"
    source = HERE / "one_pass.c"
    subprocess.run(["cc", "-std=gnu11", "-O3", "-g", f"-I{HEADERS}", str(source), "-o", str(program)], check=True)
    return program


def count(program: Path, directory: Path, depth: int) -> float:
    """Return instructions for a frame after the snapshots."""
    frames, out = directory / f"stream-{depth}.jsonl", directory / f"callgrind-{depth}"
    lines = list(stream(depth, FRAMES))
    heads = directory / "heads.jsonl"
    frames.write_bytes(b"".join(line + b"\n" for line in lines))
    heads.write_bytes(b"".join(line + b"\n" for line in lines if b'"type":"snapshot"' in line[:40]))
    whole, alone = (total(program, path, out, depth) for path in (frames, heads))
    return round((whole - alone) / FRAMES, 1)


def total(program: Path, frames: Path, out: Path, depth: int) -> int:
    """Return the instructions of `one_pass` over a file; the program itself checks that all books verify."""
    tool = ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=one_pass", "--quiet"]
    subprocess.run(
        [*tool, f"--callgrind-out-file={out}", str(program), str(frames), str(depth)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    summary = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)
    assert summary is not None
    return int(summary[1])


def crc32(program: Path, directory: Path) -> str:
    """Return which CRC32 this processor gets."""
    done = subprocess.run(
        [str(program), str(directory / "heads.jsonl"), "1000"], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def compiler() -> str:
    """Return the compiler's name, major version and target."""
    version, target = (
        subprocess.run(["cc", flag], check=True, capture_output=True, text=True).stdout.strip()
        for flag in ("-dumpversion", "-dumpmachine")
    )
    about = subprocess.run(["cc", "--version"], check=True, capture_output=True, text=True).stdout
    kind = "clang" if "clang" in about else "gcc"
    return f"{kind} {version.partition('.')[0]} {target}"


def judged(found: dict[str, float], committed: dict[str, float]) -> tuple[list[str], bool]:
    """Return a line for each depth, and whether one grew beyond the tolerance."""
    lines, grown = [], False
    for depth, figure in found.items():
        before = committed.get(depth)
        if before is None:
            lines.append(f"depth {depth:>4}: {figure:8,.1f}   no figure of this compiler to compare with")
            continue
        change = figure / before - 1
        verdict = "as committed" if abs(change) <= TOLERANCE else "GREW" if change > 0 else "fell: commit it"
        grown |= change > TOLERANCE
        lines.append(f"depth {depth:>4}: {figure:8,.1f}   committed {before:,.1f}, {change:+.1%}: {verdict}")
    return lines, grown


if __name__ == "__main__":
    sys.exit(main())
