"""`krakenwire bot run`: one strategy in one of the worlds, and its sums."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from krakenwire.cli import bot_live, bot_show
from krakenwire.cli.bot_live import LIVE_TEXT
from krakenwire.cli.bot_progress import backtest_progress
from krakenwire.cli.bot_show import shown, tells_json
from krakenwire.cli.bot_signals import stops_on_signals
from krakenwire.cli.exit_codes import OK, exit_code_of
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import json_line, notice, put
from krakenwire.errors import ConfigError, MissingExtraError
from krakenwire.watch.values import duration_from

if TYPE_CHECKING:
    from krakenwire.apps.bot_config import BotConfig
    from krakenwire.apps.bot_replay import Replay
    from krakenwire.apps.bot_runner import Runner
    from krakenwire.trading.run_result import RunResult
    from krakenwire.trading.strategy import Strategy

__all__ = ["MODES", "add_parser", "run"]

_EPILOG: Final = """\
FILE is a Python file with a class that derives from krakenwire.bot.Strategy;
FILE:CLASS names one of several. With --json the last line is one object with the
sums of the run. With --out the run is kept: rows as Parquet, report.html.

  krakenwire bot run grid.py                          paper: the live feed, pretended orders; Ctrl-C ends it
  krakenwire bot run grid.py --on local --seconds 60 --out runs/1
  krakenwire bot run grid.py --mode backtest --tape tapes/monday
  krakenwire bot run grid.py --mode replay --tape tapes/monday
  krakenwire bot run ma_cross.py --mode backtest --tape tapes/monday --set fast=5 --set slow=20

exit codes: 0 ended well; 1 the strategy raised, or the tape is damaged; 2 usage; 3 no connection; 5 refused"""

_SUMS: Final = (
    "equity_start",
    "equity",
    "net_profit",
    "return",
    "fees",
    "turnover",
    "maker_share",
    "max_drawdown",
    "decisions",
    "orders",
    "open_orders",
    "fills",
)


def _backtest(config: BotConfig, strategy: type[Strategy], args: argparse.Namespace) -> RunResult:
    from krakenwire.apps.backtest import read_market_of, run_backtest

    if args.tape is None:
        raise ConfigError("--mode backtest", expected="--tape beside it")
    with backtest_progress() as told:
        data = read_market_of(args.tape, strategy.symbols, None if told is None else told.read)
        progress = None if told is None else told.run
        return run_backtest(strategy, data, config=config, run=_name(args), progress=progress)


def _paper(config: BotConfig, strategy: type[Strategy], args: argparse.Namespace) -> RunResult:
    from krakenwire.apps.bot_paper import run_paper

    seconds = None if args.seconds is None else duration_from("--seconds", args.seconds) / 1e9
    with stops_on_signals() as stopper, shown(args) as show:

        def begun(runner: Runner) -> None:
            stopper.stop = runner.request_stop
            show.begun(runner)

        return run_paper(
            strategy,
            on=args.on or "live",
            config=config,
            run=_name(args),
            seconds=seconds,
            on_begin=begun,
            on_rows=show.on_rows,
            on_status=show.on_status,
        )


def _replay(config: BotConfig, strategy: type[Strategy], args: argparse.Namespace) -> RunResult:
    from krakenwire.apps.bot_replay import run_replay

    if (args.tape is None) == (args.on is None):
        expected = "--tape DIR beside it, or --on with the address of a running `krakenwire replay`"
        raise ConfigError("--mode replay", expected=expected)
    with stops_on_signals() as stopper, shown(args) as show:

        def begun(replay: Replay) -> None:
            stopper.stop = replay.request_stop
            show.begun(replay)

        return run_replay(
            strategy,
            args.tape,
            on=args.on,
            config=config,
            run=_name(args),
            on_begin=begun,
            on_rows=show.on_rows,
            on_status=show.on_status,
        )


def _live(config: BotConfig, strategy: type[Strategy], args: argparse.Namespace) -> RunResult:
    return bot_live.run_mode(config, strategy, args, _name(args))


def _name(args: argparse.Namespace) -> str:
    return args.out.name if args.out else str(args.mode)


MODES: Final[Mapping[str, Callable[[BotConfig, type[Strategy], argparse.Namespace], RunResult]]] = {
    "backtest": _backtest,
    "replay": _replay,
    "paper": _paper,
    "live": _live,
}
"""The worlds, by name: each runs a strategy to its end."""

_TAKEN: Final[Mapping[str, tuple[str, ...]]] = {
    "backtest": ("tape",),
    "replay": ("tape", "on", "metrics"),
    "paper": ("on", "seconds", "metrics"),
    "live": ("on", "seconds", "metrics", "live", "data", "accept_config", "key_file"),
}
"""The options that only some worlds take."""


def add_parser(actions: Subparsers) -> None:
    """Add the action."""
    parser = actions.add_parser(
        "run",
        help="run a strategy",
        description="Run a strategy in one of the worlds, and say what came of it.",
        epilog=f"{_EPILOG}\n\n{LIVE_TEXT}",
    )
    parser.add_argument("file", metavar="FILE", help="the strategy's Python file, or FILE:CLASS")
    parser.add_argument("--mode", choices=tuple(MODES), default="paper", help="the world it runs in (default paper)")
    parser.add_argument("--tape", metavar="DIR|CSV", type=Path, help="the recorded market, for backtest and replay")
    parser.add_argument("--on", metavar="WHERE", help="live (default), beta, local, or an address")
    parser.add_argument("--seconds", metavar="S", help="end after so long, such as 90 or 5m; else Ctrl-C does")
    parser.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="NAME=VALUE", help="a parameter; repeatable"
    )
    parser.add_argument("--config", metavar="FILE", type=Path, help="balances, fees, latency, limits, as TOML")
    parser.add_argument("--out", metavar="DIR", type=Path, help="keep the run in this folder, with its report")
    parser.add_argument("--json", action="store_true", help="JSON lines; the last is one object of results")
    bot_show.add_arguments(parser)
    bot_live.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the strategy, keep the run, print its sums."""
    _need_numpy()
    from krakenwire.apps.strategy_file import load_strategy
    from krakenwire.storage.run_folder import check_run_folder

    file, _, name = args.file.partition(":")
    strategy = load_strategy(file, name or None)
    if not strategy.symbols:
        raise ConfigError(f"{strategy.__name__}.symbols", expected="at least one symbol, such as BTC/USD")
    config = _config(args)
    for option in dict.fromkeys(option for taken in _TAKEN.values() for option in taken):
        given = getattr(args, option)
        if given is not None and given is not False and option not in _TAKEN[args.mode]:
            raise ConfigError(f"--{option.replace('_', '-')}", expected=f"another mode than {args.mode}")
    if args.out is not None:
        check_run_folder(args.out)
    result = MODES[args.mode](config, strategy, args)
    if args.out is not None:
        from krakenwire.apps.report import keep_run

        keep_run(args.out, result)
    _tell(result.summary(), args.json or (args.mode != "backtest" and tells_json(args)))
    if result.error is None:
        return OK
    notice(str(result.error))
    return exit_code_of(result.error)


def _need_numpy() -> None:
    from importlib.util import find_spec

    if find_spec("numpy") is None:
        raise MissingExtraError("krakenwire bot", "bot")


def _config(args: argparse.Namespace) -> BotConfig:
    import msgspec

    from krakenwire.apps.bot_config import BotConfig, read_bot_config

    config = BotConfig() if args.config is None else read_bot_config(args.config)
    return msgspec.structs.replace(config, parameters={**config.parameters, **_settings(args.settings)})


def _settings(given: list[str]) -> dict[str, object]:
    settings: dict[str, object] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise ConfigError("--set", expected="NAME=VALUE, such as fast=5", found=text)
        settings[name.strip()] = value.strip()
    return settings


def _tell(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        put(json_line({"kind": "result", **summary}))
        return
    put(f"{summary['strategy']} on {summary['source']}: {', '.join(summary['symbols'])}")
    for name in _SUMS:
        put(f"  {name.replace('_', ' '):14}{_shown(summary[name])}")
    if summary["stopped"]:
        put(f"  stopped: {summary['stopped']}")
    for rule, count in summary["refusals"].items():
        put(f"  refused by {rule}: {count}")
    for kind, count in summary["notes"].items():
        put(f"  note: {kind:8}{count}")


def _shown(value: object) -> str:
    return "-" if value is None else format(value, "f") if hasattr(value, "as_tuple") else str(value)
