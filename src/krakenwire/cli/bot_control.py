"""`krakenwire bot stop`, `status`, `resume` and `flatten`: a live bot from another terminal, through its folder."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from krakenwire.cli.bot_lines import status_lines
from krakenwire.cli.exit_codes import OK, TIMEOUT
from krakenwire.cli.parsers import Parser, Subparsers
from krakenwire.cli.render import notice, put
from krakenwire.limits import BOT_ASK_S
from krakenwire.storage.bot_folder import (
    is_running,
    pending_requests,
    read_status,
    request_flatten,
    request_resume,
    request_stop,
)
from krakenwire.trading.run_status import RunStatus
from krakenwire.trading.stops import StopLevel

__all__ = ["add_parser", "run"]

_LOOK_S: Final = 0.05
_SHOWN_S: Final = 2.0
_LEVELS: Final[Mapping[str, StopLevel]] = {level.name.lower().replace("_", "-"): level for level in StopLevel}

_LEVELS_TEXT: Final = """\
DIR is the folder that the bot was run with, as --data. No port is needed, and the
bot need not run: what is asked then waits for its next start. A stop holds until
`krakenwire bot resume`, over restarts too.

levels, each with what stands before it:
  paused      the strategy is not called; its orders stay
  no-orders   no new order leaves, nor an amendment
  cancel-own  the bot's orders are canceled
  cancel-all  every order of the account is, and the dead man's switch runs out

exit codes: 0 done, or left for the next start; 2 not the folder of a bot;
            4 the bot runs and has not done it in time: the request stands"""

_DONE: Final[Mapping[str, str]] = {
    "stop": "stopped",
    "resume": "resumed: orders pass",
    "flatten": "stopped, its orders canceled, its position closed",
}
_WAITS: Final[Mapping[str, str]] = {
    "stop": "the bot is not running: the stop waits for its next start",
    "resume": "the bot is not running: its stop is lifted at its next start",
    "flatten": "the bot is not running: its next start cancels its orders, closes its position and stays stopped",
}


def add_parser(actions: Subparsers) -> None:
    """Add the actions."""
    stop = _action(actions, "stop", "stop a live bot, until it is resumed")
    stop.add_argument("--level", choices=tuple(_LEVELS), default="cancel-own", help="how far (default: %(default)s)")
    _reason(stop)
    status = _action(actions, "status", "show how a live bot stands")
    status.add_argument("--json", action="store_true", help="one JSON object")
    _reason(_action(actions, "resume", "lift the stop of a live bot; what the account has now counts as right"))
    _reason(_action(actions, "flatten", "stop a live bot, cancel its orders, and close the position it has made"))


def _action(actions: Subparsers, name: str, what: str) -> Parser:
    parser = actions.add_parser(name, help=what, description=f"{what.capitalize()}.", epilog=_LEVELS_TEXT)
    parser.add_argument("folder", metavar="DIR", type=Path, help="the bot's folder")
    return parser


def _reason(parser: Parser) -> None:
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the journal")


def run(args: argparse.Namespace) -> int:
    """Ask what is asked, or show how it stands."""
    if args.action == "status":
        return _show(args.folder, as_json=args.json)
    asked = _REQUESTS[args.action](args)
    return _follow(args.action, args.folder, asked)


def _stop(args: argparse.Namespace) -> Path:
    return request_stop(args.folder, _LEVELS[args.level], args.reason)


def _resume(args: argparse.Namespace) -> Path:
    return request_resume(args.folder, args.reason)


def _flatten(args: argparse.Namespace) -> Path:
    return request_flatten(args.folder, args.reason)


_REQUESTS: Final[Mapping[str, Callable[[argparse.Namespace], Path]]] = {
    "stop": _stop,
    "resume": _resume,
    "flatten": _flatten,
}


def _follow(action: str, folder: Path, asked: Path) -> int:
    """Wait until a bot that runs has done it."""
    if not is_running(folder):
        put(_WAITS[action])
        return OK
    until = time.monotonic() + BOT_ASK_S
    while asked.exists():
        if time.monotonic() > until:
            notice(f"not done in {BOT_ASK_S:.0f} s; the request stands: {asked}")
            return TIMEOUT
        if not is_running(folder):
            put(_WAITS[action])
            return OK
        time.sleep(_LOOK_S)
    put(_DONE[action])
    alarm = _status_after(folder, stopped=action != "resume").get("alarm")
    if alarm:
        notice(f"alarm: {alarm}")
    return OK


def _status_after(folder: Path, *, stopped: bool) -> dict[str, Any]:
    """Return how the bot stands once it says so itself; it may have ended meanwhile."""
    until = time.monotonic() + _SHOWN_S
    while True:
        status = read_status(folder) or {}
        if bool(status.get("stop")) == stopped or time.monotonic() > until:
            return status
        time.sleep(_LOOK_S)


def _show(folder: Path, *, as_json: bool) -> int:
    running, waiting = is_running(folder), [request.kind for request in pending_requests(folder)]
    status: dict[str, Any] = read_status(folder) or {}
    if as_json:
        put(msgspec.json.encode({"running": running, "waiting": waiting, **status}).decode())
        return OK
    for line in _lines(status, running=running, waiting=waiting):
        put(line)
    return OK


def _lines(status: dict[str, Any], *, running: bool, waiting: Sequence[str]) -> list[str]:
    """A bot's status in words."""
    asked = [f"waiting for it: {', '.join(waiting)}"] * bool(waiting)
    if not status:
        return [f"it has never said how it stands; running: {_yes(running)}", *asked]
    told = msgspec.convert(status, RunStatus, strict=False)
    if not running and told.state != "ended":
        told = msgspec.structs.replace(told, state="gone without a word")
    return [*status_lines(told), *asked]


def _yes(value: bool) -> str:
    return "yes" if value else "no"
