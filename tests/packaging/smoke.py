"""A short look at an installed krakenwire: which twins it has, and whether its books verify.

usage: smoke.py TWINS - what `krakenwire --version` shall say of them, as "native" or "pure: not built".
Run from outside the source tree by the Python that krakenwire is installed for.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import krakenwire
from krakenwire import _native
from krakenwire.venue import Publisher, Venue, VenueConfig
from krakenwire.venue.gateways.v2 import Gateway

REQUEST = '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"]}}'


def command(*arguments: str) -> str:
    """What the installed command prints."""
    program = [str(Path(sys.executable).with_name("krakenwire")), *arguments]
    return subprocess.run(program, check=True, capture_output=True, text=True).stdout


def frames(seconds: int) -> Iterator[str]:
    """What the local Kraken tells a subscriber of one book."""
    venue = Venue(VenueConfig(symbols=["BTC/USD"], rate=50, seed=7))
    publisher: Publisher[Gateway] = Publisher()
    gateway, now_ns = Gateway(venue, publisher, connection_id=1), venue.now_ns
    yield from gateway.feed_open(now_ns)
    yield from gateway.feed_frame(REQUEST, now_ns)
    for symbol in venue.step(now_ns + seconds * 1_000_000_000):
        yield from (frame for frame, _ in publisher.advance(symbol, venue.now_ns))


def main() -> None:
    wanted = sys.argv[1]
    said = command("--version")
    assert f"({wanted}, " in said, f"{wanted!r} expected: {said}"
    package = Path(krakenwire.__file__).parent
    assert package.is_relative_to(sys.prefix), f"not the installed one: {package}"
    assert (package / "py.typed").is_file()
    sources = [path.name for path in (package / "_native").iterdir() if path.suffix in {".c", ".h", ".pyx", ".pxd"}]
    assert not sources, f"sources in the installed package: {sources}"
    assert _native.ENABLED is (wanted == "native")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "frames.jsonl")
        file.write_text("\n".join(frames(seconds=5)))
        report = json.loads(command("verify", "--json", str(file)))
    assert report["failed"] == report["malformed"] == 0
    assert report["verified"] > 100
    print(f"{said.strip()}: {report['verified']} books verified")


if __name__ == "__main__":
    main()
