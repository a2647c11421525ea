"""`krakenwire venue`: the local Kraken on a port until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import logging
import signal
import sys
from typing import Final

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.cli.exit_codes import OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.errors import ConfigError

__all__ = ["add_parser", "run"]

_EPILOG = """\
Once it is ready it prints its addresses and a key: one line, or with --json one object
{"ws_v1":url,"ws_v2":url,"rest":url,"key":text,"secret":text}. The REST address of a
call is rest + "/0/public/Time"; key and secret are those of the demo account.
With --strict-hosts it also has "ws_v1_private", "ws_v2_private" and "ws_v2_level3",
with --control "control" and "control_token".
It runs until Ctrl-C or SIGTERM and then ends with code 0.

  krakenwire venue --port 8080
  krakenwire venue --port 0 --seed 7 --symbols BTC/USD,ETH/USD --json"""


_RESTORING: Final = "doing again what the folder holds"


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "venue",
        help="run a local Kraken: WebSocket v1 and v2, and REST, on one port",
        description="A Kraken on your own machine, with seeded simulated traders. It is not Kraken.",
        epilog=_EPILOG,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port, 0 for a free one (default: %(default)s)")
    parser.add_argument(
        "--strict-hosts",
        action="store_true",
        default=None,
        help="ports of their own for public, private, level3 and REST, from --port on; each refuses what Kraken's does",
    )
    parser.add_argument(
        "--control",
        nargs="?",
        type=int,
        const=0,
        metavar="PORT",
        help="offer a control interface on a loopback port of its own: clock, faults, orders of others",
    )
    parser.add_argument(
        "--symbols", nargs="+", metavar="SYMBOL", help="what to list, separated by commas or spaces (default: all)"
    )
    parser.add_argument("--seed", type=int, help="the same seed gives the same market (default: 1)")
    parser.add_argument(
        "--rate", type=float, metavar="R", help="trader actions a second for every symbol (default: each its own)"
    )
    parser.add_argument(
        "--tape",
        action="append",
        metavar="SYMBOL=FILE",
        help="drive the price of a symbol with the trades of a CSV file: time, price, volume",
    )
    parser.add_argument("--tape-speed", type=float, metavar="X", help="how many times faster than it was (default: 1)")
    parser.add_argument("--config", metavar="FILE", help="TOML file with accounts, keys, limits and what is listed")
    parser.add_argument(
        "--data", metavar="DIR", help="live on in this folder: orders, fills and balances survive whatever ends it"
    )
    parser.add_argument("--json", action="store_true", help="print the addresses as one JSON object")
    parser.add_argument("--tls-cert", metavar="FILE", help="serve TLS with this PEM certificate")
    parser.add_argument("--tls-key", metavar="FILE", help="its private key, PEM")


def run(args: argparse.Namespace) -> int:
    """Run the venue until SIGINT or SIGTERM."""
    logging.basicConfig(level=logging.WARNING, format="krakenwire venue: %(message)s", stream=sys.stderr)
    venue = LocalVenue(
        symbols=_symbols(args.symbols),
        seed=args.seed,
        rate=args.rate,
        tape=_tapes(args.tape),
        tape_speed=args.tape_speed,
        config=args.config,
        data=args.data,
        host=args.host,
        port=args.port,
        strict_hosts=args.strict_hosts,
        control=args.control,
        tls_cert=args.tls_cert,
        tls_key=args.tls_key,
    )
    asyncio.run(_serve(venue, as_json=args.json))
    return OK


async def _serve(venue: LocalVenue, *, as_json: bool) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    restoring = _Restoring()

    def announce(ready: LocalVenue) -> None:
        restoring.end()
        (_announce_json if as_json else _announce_line)(ready)

    try:
        await venue.serve(announce, stopping, restoring.tell)
    finally:
        restoring.end()


class _Restoring:
    """Says on stderr how far doing again what was kept has got: once, or on a terminal as it goes on."""

    def __init__(self) -> None:
        self._told = False

    def tell(self, share: float) -> None:
        """Say which share is done."""
        if sys.stderr.isatty():
            print(f"\r\x1b[K{_RESTORING} {share:.0%}", end="", file=sys.stderr, flush=True)
        elif not self._told:
            print(f"krakenwire: {_RESTORING}", file=sys.stderr, flush=True)
        self._told = True

    def end(self) -> None:
        """Take back what stands on a terminal."""
        if self._told and sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        self._told = False


def _announce_json(venue: LocalVenue) -> None:
    _warn_if_exposed(venue.host)
    ready: dict[str, str | int] = {"ws_v1": venue.ws_v1, "ws_v2": venue.ws_v2}
    if venue.strict_hosts:
        ready |= {
            "ws_v1_private": venue.ws_v1_private,
            "ws_v2_private": venue.ws_v2_private,
            "ws_v2_level3": venue.ws_v2_level3,
        }
    ready["rest"] = venue.rest
    if venue.has_control:
        ready |= {"control": venue.control, "control_token": venue.control_token.reveal()}
    if venue.restored:
        ready |= {"restored": venue.restored}
    if venue.keys:
        ready |= {"key": venue.key, "secret": venue.secret.reveal()}
    print(json.dumps(ready), flush=True)


def _announce_line(venue: LocalVenue) -> None:
    _warn_if_exposed(venue.host)
    said = [f"local Kraken ready: v1 {venue.ws_v1}", f"v2 {venue.ws_v2}"]
    if venue.strict_hosts:
        said += [
            f"private v1 {venue.ws_v1_private}",
            f"private v2 {venue.ws_v2_private}",
            f"level3 {venue.ws_v2_level3}",
        ]
    said.append(f"REST {venue.rest}")
    if venue.has_control:
        said += [f"control {venue.control}", f"token {venue.control_token.reveal()}"]
    if venue.keys:  # they open nothing but this venue
        said += [f"key {venue.key}", f"secret {venue.secret.reveal()}"]
    if venue.restored:
        said.append(f"({venue.restored} inputs restored)")
    print("  ".join(said), flush=True)


def _symbols(written: list[str] | None) -> list[str] | None:
    if written is None:
        return None
    return [symbol for part in written for symbol in part.split(",") if symbol.strip()]


def _tapes(written: list[str] | None) -> dict[str, str] | None:
    if written is None:
        return None
    for part in written:
        if "=" not in part:
            raise ConfigError("--tape", expected="a symbol and a file, such as BTC/USD=trades.csv", found=part)
    return {symbol: file for symbol, _, file in (part.partition("=") for part in written)}


def _warn_if_exposed(host: str) -> None:
    if not _is_loopback(host):
        print(f"krakenwire: warning: {host} may be reachable by other machines", file=sys.stderr)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
