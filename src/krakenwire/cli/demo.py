"""`krakenwire demo`: a living market on your screen, no network needed."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from krakenwire.apps.demo import Demo, Step, SymbolState
from krakenwire.apps.demo_act import ActLine
from krakenwire.apps.watcher import Notice
from krakenwire.cli.exit_codes import OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import LiveView, ends_on_signals, fixed, has_live_view, notice, put
from krakenwire.cli.stream_lines import plain_lines
from krakenwire.errors import ConfigError
from krakenwire.model import Trade
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.watch import Alert

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

__all__ = ["add_parser", "run"]

_REFRESH_S: Final = 0.15
_PRICES_EVERY_S: Final = 2.0
_SECONDS_MAX: Final = 86_400
_QTY_WIDTH: Final = 15
_ACT_LINES: Final = 9
_ACT_LINES_LOW: Final = 4
_HIGH_TERMINAL: Final = 36
"""Lines from which on the whole act is shown."""
_ACT_STYLES: Final = {
    "balances": "cyan",
    "placed": "yellow",
    "amended": "yellow",
    "filled": "bold green",
    "canceled": "magenta",
    "refused": "bold red",
}
_OTHER_LINES: Final = 19
"""Lines of the view besides the trades and the act, when the tables stand one above the other."""

_EPILOG: Final = """\
It starts a local Kraken in this process on a free loopback port, connects to
it over a real WebSocket, proves every order book by its checksum, and fires a
price alert when the moving market crosses a level near its first price. Its demo
account places an order, amends it until it fills, cancels another, and counts its money.

  krakenwire demo
  krakenwire demo --seconds 60 --api 1 --seed 7"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="see a living market: local Kraken, client, price alert",
        description="A living market on your screen. No network, no account.",
        epilog=_EPILOG,
    )
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="how long (default 20)")
    parser.add_argument("--api", type=int, choices=(1, 2), default=2, help="API version (default 2)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed gives the same market")


def run(args: argparse.Namespace) -> int:
    """Run the demo to its end."""
    if not 0 < args.seconds <= _SECONDS_MAX:
        raise ConfigError("--seconds", expected=f"above 0, at most {_SECONDS_MAX}", found=args.seconds)
    demo = Demo(seconds=args.seconds, version=args.api, seed=args.seed)
    with ends_on_signals(), contextlib.closing(demo.run()) as steps:
        if has_live_view():
            _live(demo, steps)
        else:
            _plain(demo, steps)
    put(_account_summary(demo))
    put(_summary(demo))
    return OK


# -- plain lines -----------------------------------------------------------------


def _plain(demo: Demo, steps: Iterable[Step]) -> None:
    """Trades and alerts as they come, the prices now and then."""
    due_s = 0.0
    waiting_for = ""
    for step in steps:
        if isinstance(step, Trade):
            put(next(plain_lines(step)))
        elif isinstance(step, Alert):
            put(f"ALERT  {step.message}")
        elif isinstance(step, ActLine):
            put(f"account  {step.kind:<8}  {step.text}")
        elif isinstance(step, Notice):
            notice(step.text)
        if demo.waiting_for != waiting_for:
            waiting_for = demo.waiting_for
            put(f"waiting for: {waiting_for}")
        if time.monotonic() >= due_s:
            due_s = time.monotonic() + _PRICES_EVERY_S
            for symbol, state in demo.symbols.items():
                if state.bid is not None:
                    put(_prices(symbol, state))


def _prices(symbol: str, state: SymbolState) -> str:
    return (
        f"prices {symbol:<9} last {fixed(state.last)}  bid {fixed(state.bid)}  ask {fixed(state.ask)}  "
        f"spread {_spread(state)}  books verified {state.books_verified}"
    )


def _spread(state: SymbolState) -> str:
    return "-" if state.bid is None or state.ask is None else fixed(state.ask - state.bid)


def _summary(demo: Demo) -> str:
    counted = demo.counters
    return (
        f"{counted.frames:,} frames, {demo.events:,} events, {counted.verified:,} books verified, "
        f"{counted.checksum_failures} failed, {counted.gaps} gaps, {len(demo.alerts)} alerts"
    )


def _account_summary(demo: Demo) -> str:
    traded = demo.traded
    return f"orders: {traded.placed} placed, {traded.amended} amended, {traded.fills} fills, {traded.canceled} canceled"


# -- live view -------------------------------------------------------------------


def _live(demo: Demo, steps: Iterable[Step]) -> None:
    until_s = time.monotonic() + demo.seconds
    drawn_s = 0.0
    with LiveView(lambda: _view(demo, until_s)) as view:
        for step in steps:
            if isinstance(step, Notice):
                view.put(f"krakenwire: {step.text}", "dim")
            if time.monotonic() - drawn_s >= _REFRESH_S:
                view.refresh()
                drawn_s = time.monotonic()
        view.refresh()


def _view(demo: Demo, until_s: float) -> RenderableType:
    from rich.columns import Columns
    from rich.console import Group
    from rich.text import Text

    left_s = max(0.0, until_s - time.monotonic())
    counted = demo.counters
    head = Text.assemble(
        ("krakenwire demo", "bold"), (f"  local Kraken at {demo.url}, {left_s:.0f} s left, Ctrl-C ends", "dim")
    )
    proof = Text.assemble(
        (f"{counted.verified:,} books verified", "green"),
        (f", {counted.checksum_failures} failed", "red" if counted.checksum_failures else "dim"),
        (f", {counted.gaps} gaps, {counted.frames:,} frames", "dim"),
    )
    return Group(head, proof, _alert_line(demo), *_act_lines(demo), Columns([_price_table(demo), _trade_table(demo)]))


def _act_lines(demo: Demo) -> list[Text]:
    """The account's latest doings, as many lines all the time, so that the tables stay where they are."""
    from rich.text import Text

    room = _act_room()
    lines = [
        Text.assemble(("account  ", "dim"), (f"{line.kind:<10}", _ACT_STYLES[line.kind]), line.text)
        for line in demo.act[-room:]
    ]
    for line in lines:
        line.truncate(shutil.get_terminal_size().columns, overflow="ellipsis")
    return [*lines, *(Text("") for _ in range(room - len(lines)))]


def _act_room() -> int:
    return _ACT_LINES if shutil.get_terminal_size().lines >= _HIGH_TERMINAL else _ACT_LINES_LOW


def _price_table(demo: Demo) -> Table:
    from rich.table import Table

    table = Table(title="prices", title_justify="left")
    table.add_column("symbol", style="bold", no_wrap=True)
    for name in ("last", "bid", "ask", "spread", "verified"):
        table.add_column(name, justify="right", no_wrap=True)
    for symbol, state in demo.symbols.items():
        table.add_row(
            symbol, fixed(state.last), fixed(state.bid), fixed(state.ask), _spread(state), f"{state.books_verified:,}"
        )
    return table


def _trade_table(demo: Demo) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="last trades", title_justify="left")
    for name in ("time", "symbol", "side"):
        table.add_column(name, no_wrap=True)
    table.add_column("price", justify="right", no_wrap=True)
    table.add_column("quantity", justify="right", no_wrap=True, min_width=_QTY_WIDTH)
    room = max(1, shutil.get_terminal_size().lines - _OTHER_LINES - _act_room())
    for trade in tuple(demo.trades)[: -room - 1 : -1]:
        clock = rfc3339_from_ns(trade.time_ns, 0)[11:19]
        side = Text(trade.side, "green" if trade.side == "buy" else "red")
        table.add_row(clock, trade.symbol, side, fixed(trade.price), fixed(trade.qty))
    return table


def _alert_line(demo: Demo) -> RenderableType:
    from rich.text import Text

    if demo.alerts:
        latest = demo.alerts[-1]
        return Text.assemble(("ALERT ", "bold white on red"), (f" {latest.message}", "bold red"))
    return Text(f"waiting for: {demo.waiting_for}" if demo.waiting_for else "waiting for the first book", "yellow")
