"""The compiled twins themselves, not only their headers, run under the address and undefined-behaviour sanitizers.

They are built once more, into a folder of the test, and pieces of the differential tests run over them in
processes whose every Python object lies in guarded memory. Any report fails. Next: `c_program`, `soak`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from krakenwire import _native

ROOT = Path(__file__).parents[2]
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "src")
CFLAGS = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
REPORTED = 99
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "faulthandler_timeout=3600")
UNITS = ("book/test_l2", "book/test_l3", "venue/test_matching", "trading/test_simulator")
TESTS = (
    *(f"tests/native/test_{name}.py" for name in ("events", "reentrancy", "book_twin", "feed_twin", "matching_twin")),
    "tests/native/test_simulator_twin.py",
    *(f"tests/native/test_level3_{name}.py" for name in ("objects", "reader", "twin")),
    *(f"tests/native/test_wire_{name}.py" for name in ("ends", "frames", "fuzz", "handshake")),
    *(f"tests/unit/{name}.py" for name in UNITS),
)
SOAKED = 20_000
SOAK = f"from tests.native.soak import soak; print(soak(7_000, {SOAKED}))"
BEYOND_A_BYTES_OBJECT = "import ctypes; text = bytes(100); ctypes.string_at(id(text), 1_000)"

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(not _native.ENABLED, reason=f"no compiled twins in use (built: {_native.BUILT})"),
    pytest.mark.skipif(not (ROOT / "setup.py").is_file(), reason="an installed package is not built again"),
]


class Guarded:
    """Runs Python over sanitized twins.

    Args:
        folder: of the build; reports go there, too.
        preloaded: the sanitizers' own libraries.
    """

    def __init__(self, folder: Path, preloaded: str) -> None:
        self.folder = folder
        common = f"halt_on_error=1:exitcode={REPORTED}:log_path={folder / 'report'}"
        self._environment = {
            "LD_PRELOAD": preloaded,
            "ASAN_OPTIONS": f"detect_leaks=0:detect_stack_use_after_return=1:strict_string_checks=1:{common}",
            "UBSAN_OPTIONS": f"print_stacktrace=1:{common}",
            "PYTHONMALLOC": "malloc",
            "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{ROOT}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python; its output and its end are what is judged."""
        environment: Mapping[str, str] = {**os.environ, **self._environment}
        command = (sys.executable, *arguments)
        return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)

    def reports(self) -> str:
        """Return what the sanitizers have said since the last time."""
        found = sorted(self.folder.glob("report.*"))
        texts = [path.read_text(errors="replace") for path in found]
        for path in found:
            path.unlink()
        return "\n".join(texts)

    def must_pass(self, *arguments: str) -> str:
        """Run Python, fail if it does or if there is a report, and return what it printed."""
        done = self.run(*arguments)
        reports = self.reports()
        assert not reports, reports
        assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-5_000:]
        return done.stdout


def built(folder: Path) -> Path:
    """Build the sanitized twins from a copy of the sources."""
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
        else:
            shutil.copy(source, folder / name)
    environment = {**os.environ, "CC": "gcc", "CFLAGS": CFLAGS, "KRAKENWIRE_PURE": "0"}
    command = (sys.executable, "setup.py", "--quiet", "build_ext", "--inplace")
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-5_000:]
    return folder


def libraries() -> str:
    """Return the libraries of gcc's sanitizers; skip the test where they are not."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc here")
    found = []
    for name in ("libasan.so", "libubsan.so"):
        done = subprocess.run(("gcc", f"-print-file-name={name}"), check=True, capture_output=True, text=True)
        path = Path(done.stdout.strip())
        if not path.is_absolute():
            pytest.skip(f"this gcc has no {name}")
        found.append(str(path))
    return " ".join(found)


def test_the_twins_pass_their_tests_and_a_soak_without_a_report(tmp_path: Path) -> None:
    preloaded = libraries()
    guarded = Guarded(built(tmp_path), preloaded)
    native = tmp_path / "src" / "krakenwire" / "_native"
    program = "from krakenwire import _native; print(_native.ENABLED, *_native.__path__)"
    assert guarded.must_pass("-c", program).split() == ["True", str(native)]
    for twin in _native.TWINS:
        (module,) = native.glob(f"{twin}.*.so")
        assert b"__asan_report" in module.read_bytes(), module
    assert guarded.run("-c", BEYOND_A_BYTES_OBJECT).returncode == REPORTED, "nothing is guarded"
    assert "heap-buffer-overflow" in guarded.reports()
    assert " passed" in guarded.must_pass(*PYTEST, *TESTS)
    assert "mutated" in guarded.must_pass("-c", SOAK)
