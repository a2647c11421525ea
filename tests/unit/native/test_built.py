"""What is in use is what was built: where there is a compiler, nobody runs on the slow twins unawares."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from krakenwire import _native

SOURCES = sorted(path.stem for path in Path(_native.__file__).parent.glob("*.pyx"))


def can_compile(folder: Path) -> bool:
    """Whether this machine's C compiler makes a module out of Python's headers."""
    command = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if shutil.which(command[0]) is None:
        return False
    source = folder / "probe.c"
    source.write_text("#include <Python.h>\n")
    command += [f"-I{sysconfig.get_path('include')}", "-c", str(source), "-o", str(folder / "probe.o")]
    return subprocess.run(command, check=False).returncode == 0


@pytest.mark.skipif(_native.FORBIDDEN, reason="KRAKENWIRE_PURE asks for the pure twins")
def test_the_compiled_twins_are_in_use_where_they_can_be_built(tmp_path: Path) -> None:
    if not can_compile(tmp_path):
        pytest.skip("no C compiler here")
    assert _native.ENABLED, "the compiled twins are not built: make native, and see what it says"


@pytest.mark.skipif(not SOURCES, reason="an installed package has no sources of the twins")
def test_the_list_of_twins_is_that_of_their_sources() -> None:
    assert sorted(_native.TWINS) == SOURCES


@pytest.mark.parametrize(("asked", "forbidden"), [("", False), ("0", False), ("1", True), ("yes", True)])
def test_the_environment_forbids_the_compiled_twins(asked: str, forbidden: bool) -> None:
    program = "from krakenwire import _native; print(_native.FORBIDDEN, _native.ENABLED)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "KRAKENWIRE_PURE": asked},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout.split() == [str(forbidden), str(_native.BUILT and not forbidden)]
