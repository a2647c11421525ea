"""`krakenwire replay`: a tape on a port, as if it were Kraken."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from typing import Final

from krakenwire.apps.player import PlayerFacts, TapePlayer
from krakenwire.cli.exit_codes import OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.limits import PLAYER_WAIT_S
from krakenwire.model.times import rfc3339_from_ns

__all__ = ["add_parser", "run"]

_PROGRESS_S: Final = 0.5

_EPILOG: Final = """\
Once it is ready it prints its addresses: one line, or with --json one object
{"ws_v1":url,"ws_v2":url,"rest":url,"start":time,"end":time,"records":n}; at the
end it prints, with --json as one object, what it sent. It begins when --clients
have subscribed, waits for the slowest of them, and leaves nothing out.

A client that asks for the very same as the recorded one gets its frames byte for
byte; any other one gets the channels it asks for, of either API version.
With ?tape_clock=1 on its address a client is told the tape's time before each frame.

  krakenwire replay tapes/monday --port 8080 --speed 10
  krakenwire replay tapes/monday --speed max --clients 2 --from +3600 --json"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "replay",
        help="serve a recorded tape as if it were Kraken, at any speed",
        description="Serves a tape as if it were Kraken: WebSocket v1 and v2 on one port.",
        epilog=_EPILOG,
    )
    parser.add_argument("tape", metavar="DIR", help="the tape's folder")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port, 0 for a free one (default: %(default)s)")
    parser.add_argument(
        "--speed", default="1", metavar="X", help="times faster than recorded; 0 or max: as fast as clients read"
    )
    parser.add_argument(
        "--clients", type=int, default=1, metavar="N", help="how many subscribe before it begins (default: 1)"
    )
    parser.add_argument(
        "--from", dest="since", metavar="TIME", help="begin here: 2026-11-28T12:00:00Z, or 90 or 5m from the start"
    )
    parser.add_argument("--to", dest="until", metavar="TIME", help="end before this, written the same way")
    parser.add_argument(
        "--max-pause", type=float, metavar="S", help="shorten pauses of the tape that are longer than S seconds"
    )
    parser.add_argument("--loop", action="store_true", help="begin again at the end")
    parser.add_argument("--stay", action="store_true", help="keep clients at the end, until Ctrl-C")
    parser.add_argument(
        "--wait",
        type=float,
        default=PLAYER_WAIT_S,
        metavar="S",
        help="how long to wait for what the recorded client did (default: %(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="print the addresses, and the end, as JSON objects")
    parser.add_argument("--tls-cert", metavar="FILE", help="serve TLS with this PEM certificate")
    parser.add_argument("--tls-key", metavar="FILE", help="its private key, PEM")


def run(args: argparse.Namespace) -> int:
    """Play until the tape is over, or SIGINT or SIGTERM."""
    logging.basicConfig(level=logging.WARNING, format="krakenwire replay: %(message)s", stream=sys.stderr)
    line = _Line()
    player = TapePlayer(
        args.tape,
        speed=args.speed,
        clients=args.clients,
        since=args.since,
        until=args.until,
        max_pause_s=args.max_pause,
        loop=args.loop,
        stay=args.stay,
        host=args.host,
        port=args.port,
        tls_cert=args.tls_cert,
        tls_key=args.tls_key,
        wait_s=args.wait,
        on_progress=line.surveyed,
    )
    line.clear()
    if player.info.torn:
        print(f"krakenwire: the tape was cut off: its last {player.info.torn} bytes are left out", file=sys.stderr)
    facts = asyncio.run(_serve(player, line, as_json=args.json))
    line.clear()
    (_finish_json if args.json else _finish_line)(facts)
    return OK


async def _serve(player: TapePlayer, line: _Line, *, as_json: bool) -> PlayerFacts:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    telling: list[asyncio.Task[None]] = []

    def announce(ready: TapePlayer) -> None:
        (_announce_json if as_json else _announce_line)(ready)
        if sys.stderr.isatty():
            telling.append(loop.create_task(_tell(ready, line)))

    try:
        return await player.serve(announce, stopping)
    finally:
        for task in telling:
            task.cancel()


async def _tell(player: TapePlayer, line: _Line) -> None:
    while True:
        await asyncio.sleep(_PROGRESS_S)
        line.show(_progress(player, player.facts))


def _progress(player: TapePlayer, facts: PlayerFacts) -> str:
    if not facts.begun:
        return f"waiting for {player.clients_wanted} to subscribe, {facts.clients} connected"
    share = (facts.position_ns - player.start_ns) / max(1, player.end_ns - player.start_ns)
    speed = f"{player.speed:g} times" if player.speed else "as fast as they read"
    position = rfc3339_from_ns(facts.position_ns, 0)
    return f"{position} {share:.0%}  {speed}  {facts.clients} clients  {facts.frames:,} frames"


class _Line:
    """One line on a terminal that is written over; elsewhere nothing."""

    def __init__(self) -> None:
        self._shown = False

    def show(self, text: str) -> None:
        """Write it."""
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            self._shown = True

    def surveyed(self, records: int) -> None:
        """Say how much of the tape has been looked at."""
        self.show(f"looking through the tape: {records:,} records")

    def clear(self) -> None:
        """Take it back."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        self._shown = False


def _span(player: TapePlayer) -> tuple[str, str]:
    return rfc3339_from_ns(player.start_ns), rfc3339_from_ns(min(player.end_ns, player.info.end_ns))


def _announce_json(player: TapePlayer) -> None:
    start, end = _span(player)
    ready = {"ws_v1": player.ws_v1, "ws_v2": player.ws_v2, "rest": player.rest, "start": start, "end": end}
    print(json.dumps(ready | {"records": player.info.records}), flush=True)


def _announce_line(player: TapePlayer) -> None:
    start, end = _span(player)
    print(f"tape ready: v1 {player.ws_v1}  v2 {player.ws_v2}  REST {player.rest}  from {start} to {end}", flush=True)


def _finish_json(facts: PlayerFacts) -> None:
    finished = {"frames": facts.frames, "position": rfc3339_from_ns(facts.position_ns)}
    told = {"shortened_pauses": facts.shortened, "shortened_s": facts.shortened_s, "notes": facts.notes}
    print(json.dumps(finished | told), flush=True)


def _finish_line(facts: PlayerFacts) -> None:
    shortened = f", {facts.shortened} pauses shortened by {facts.shortened_s:.0f} s" if facts.shortened else ""
    print(f"played to {rfc3339_from_ns(facts.position_ns)}: {facts.frames:,} frames sent{shortened}", flush=True)
