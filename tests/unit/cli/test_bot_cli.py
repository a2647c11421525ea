"""The command line is there without the optional parts of a bot."""

from __future__ import annotations

import subprocess
import sys

CHECK = """
import sys
from krakenwire.cli.main import build_parser
build_parser()
print([name for name in ("numpy", "pyarrow", "plotly", "zstandard", "talib") if name in sys.modules])
"""


def test_no_command_loads_the_parts_of_a_bot_before_it_needs_them() -> None:
    done = subprocess.run([sys.executable, "-c", CHECK], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n"
