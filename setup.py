"""Builds the compiled twins in `krakenwire/_native`; everything else about the package is in pyproject.toml.

Without a working C compiler the package installs all the same and runs on its
pure-Python twins. `KRAKENWIRE_PURE=1` builds without them on purpose.
"""

import os
from pathlib import Path

from setuptools import Extension, setup

NATIVE = Path("src/krakenwire/_native")


def extensions() -> list[Extension]:
    if os.environ.get("KRAKENWIRE_PURE", "") not in ("", "0"):
        return []
    from Cython.Build import cythonize

    headers = [str(path) for path in sorted(NATIVE.glob("*.h"))]
    modules = [
        Extension(
            f"krakenwire._native.{source.stem}",
            [str(source)],
            include_dirs=[str(NATIVE)],
            depends=headers,
            extra_compile_args=[] if os.name == "nt" else ["-O3", "-fvisibility=hidden"],
            optional=True,
        )
        for source in sorted(NATIVE.glob("*.pyx"))
    ]
    return cythonize(modules, nthreads=0, build_dir="build/cython", include_path=["src"])


setup(ext_modules=extensions())
