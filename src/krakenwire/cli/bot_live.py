"""`krakenwire bot run --mode live`: the switches, what is at stake, and the signals of a bot that trades."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from krakenwire.cli.account import add_key_file, keys_at
from krakenwire.cli.bot_show import shown
from krakenwire.cli.bot_signals import stops_on_signals
from krakenwire.cli.render import notice
from krakenwire.errors import ConfigError
from krakenwire.limits import BOT_COUNTDOWN_S
from krakenwire.watch.values import duration_from

if TYPE_CHECKING:
    from krakenwire.apps.bot_config import BotConfig
    from krakenwire.apps.bot_runner import Runner
    from krakenwire.trading.run_result import RunResult
    from krakenwire.trading.strategy import Strategy

__all__ = ["LIVE_TEXT", "add_arguments", "run_mode"]

LIVE_TEXT: Final = """\
--mode live sends real orders. It needs three things: `enabled = true` under [live] in
the file of --config, --live on the command line, and --data DIR, the bot's folder, with
which it goes on after whatever has ended it. What is at stake is shown first; on a terminal
it waits 5 seconds then. Ctrl-C ends it in order: its orders are canceled and seen to be gone. A
second Ctrl-C ends it at once, and the dead man's switch cancels them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this mode has."""
    group = parser.add_argument_group("live")
    group.add_argument("--live", action="store_true", help="the second switch: send real orders")
    group.add_argument("--data", metavar="DIR", type=Path, help="the bot's folder: its journal, its lock, its requests")
    group.add_argument(
        "--accept-config", action="store_true", help="go on although build or configuration are not those of last time"
    )
    add_key_file(parser)


def run_mode(config: BotConfig, strategy: type[Strategy], args: argparse.Namespace, run: str) -> RunResult:
    """Run it; `run` is its name."""
    from krakenwire.apps.bot_live import LiveTerms, check_leave, run_live

    on = args.on or "live"
    check_leave(config, on=on, by_flag=args.live)
    if args.data is None:
        raise ConfigError("--mode live", expected="--data DIR beside it, the bot's folder")
    keys = keys_at(on, args.key_file)
    assert keys is not None
    seconds = None if args.seconds is None else duration_from("--seconds", args.seconds) / 1e9
    terms = LiveTerms(
        on=on, keys=keys, folder=args.data, by_flag=args.live, accept_config=args.accept_config, seconds=seconds
    )
    with stops_on_signals() as stopper, shown(args, from_begin=True) as show:

        def ready(runner: Runner) -> None:
            stopper.stop = runner.request_stop
            show.begun(runner)

        return run_live(
            strategy,
            config,
            terms,
            told=notice,
            ask=_ask,
            ready=ready,
            run=run,
            on_rows=show.on_rows,
            on_status=show.on_status,
        )


def _ask(stake: list[str]) -> None:
    """Show what is at stake; a person gets a moment to leave."""
    print("\n".join(stake), file=sys.stderr, flush=True)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    for left in range(BOT_COUNTDOWN_S, 0, -1):
        print(f"\rbegins in {left} s, Ctrl-C to leave ", end="", file=sys.stderr, flush=True)
        time.sleep(1)
    print(file=sys.stderr)
