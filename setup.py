"""Builds the compiled twins in `krakenwire/_native`; everything else about the package is in pyproject.toml.

Without a working C compiler the package installs all the same and runs on its
pure-Python twins. `KRAKENWIRE_PURE=1` builds it so on purpose, `KRAKENWIRE_PURE=0`
insists on the compiled ones.
"""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

NATIVE = Path("src/krakenwire/_native")
ASKED = os.environ.get("KRAKENWIRE_PURE", "")
PURE, INSIST = ASKED not in ("", "0"), ASKED == "0"
# Whoever sets CFLAGS knows better, as for a build with sanitizers or for a debugger.
OPTIONS = (
    []
    if os.name == "nt"
    else [
        "-fvisibility=hidden",
        "-Werror=implicit-function-declaration",
        *([] if "CFLAGS" in os.environ else ["-O3", "-g0"]),
    ]
)

WARNING = """
================================================================================
krakenwire: the compiled twins were NOT built: {reason}
The package works without them, in pure Python, with the same results, but slower.
They need a C compiler and Python's headers (Debian, Ubuntu: build-essential and
python3-dev). `krakenwire --version` shows what an installation has.
================================================================================
"""

INSISTED = "krakenwire: KRAKENWIRE_PURE=0 insists on the compiled twins, and they cannot be built:"


class BuildTwins(build_ext):
    """All the compiled twins, or with a warning none: half of them would be of no use."""

    def run(self) -> None:
        """Build; take back what there is of it when something is missing."""
        folders = [self.build_lib, "src"] if self.inplace else [self.build_lib]
        try:
            self.translate()
            super().run()
        except (ImportError, OSError, BaseError, CCompilerError) as error:
            if INSIST:
                print(INSISTED, file=sys.stderr, flush=True)
                raise
            self.take_back(folders)
            print(WARNING.format(reason=error), file=sys.stderr, flush=True)

    def translate(self) -> None:
        """Turn the .pyx files to C, out of the source tree and apart for every Python: several may build at a time."""
        from Cython.Build import cythonize

        folder = f"build/cython-{sys.implementation.cache_tag}"
        options = {"build_dir": folder, "include_path": ["src"], "force": self.force, "quiet": not self.verbose}
        for ready in cythonize(self.extensions, **options):
            self.ext_map[ready.name].sources = ready.sources

    def take_back(self, folders: list[str]) -> None:
        """Remove what was built, also by an earlier build of other sources."""
        for extension in self.extensions:
            built = Path(self.get_ext_filename(self.get_ext_fullname(extension.name)))
            for folder in folders:
                Path(folder, built).unlink(missing_ok=True)
        self.extensions = []


def extensions() -> list[Extension]:
    """Return one extension for each .pyx file; a changed header makes all of them anew."""
    if PURE:
        return []
    return [
        Extension(
            f"krakenwire._native.{source.stem}",
            [str(source)],
            include_dirs=[str(NATIVE)],
            depends=[str(path) for path in sorted(NATIVE.glob("*.h"))],
            extra_compile_args=OPTIONS,
        )
        for source in sorted(NATIVE.glob("*.pyx"))
    ]


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildTwins})
