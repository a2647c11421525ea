"""Ctrl-C in a program that waits for market data: the program ends at once, and nothing is left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from krakenwire.testing import local_kraken

BLOCKING = """
from krakenwire import Kraken
with Kraken({url!r}) as kraken:
    try:
        for status in kraken.status():
            print("ready", flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""
THREADED = """
import time
from krakenwire.threaded import Kraken
with Kraken({url!r}, on_status=lambda _: print("ready", flush=True)) as kraken:
    try:
        while True:
            time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""
AIO = """
import asyncio
from krakenwire.aio import Kraken
async def main():
    async with Kraken({url!r}) as kraken:
        async for status in kraken.status():
            print("ready", flush=True)
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("program", [BLOCKING, THREADED, AIO], ids=["blocking", "threaded", "aio"])
def test_ctrl_c_ends_a_program_that_waits(program: str) -> None:
    with local_kraken(symbols=["BTC/USD"]) as venue:
        process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-W", "error", "-c", program.format(url=venue.ws_v2)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (out, err, process.returncode) == ("interrupted\n", "", 0)
    assert time.monotonic() - start < 10
