"""`krakenwire order`: place, amend, cancel and list orders; nothing is sent unless you say where.

Dry by default: without ``--on`` an order is checked and shown. On this machine
it is sent; anywhere else only after a yes. See `account` for the question.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from krakenwire.apps.kraken import Kraken
from krakenwire.apps.orders import account_at, carry_out, frame_of, is_here, was_refused_anywhere
from krakenwire.cli.account import KEYS_TEXT, add_key_file, add_on, confirm, key_begins, keys_at
from krakenwire.cli.exit_codes import CONNECTION, OK, REFUSED, UNKNOWN
from krakenwire.cli.order_arguments import PRICES_TEXT, add_add, add_amend, add_cancel, request_from
from krakenwire.cli.order_lines import (
    ORDER_COLUMNS,
    lived_lines,
    order_json,
    order_row,
    outcome_json,
    outcome_lines,
    stake_lines,
    words,
    worth,
)
from krakenwire.cli.parsers import Parser, Subparsers
from krakenwire.cli.render import Json, json_line, notice, put, put_table
from krakenwire.client.environments import environment
from krakenwire.model import AddOrder, Outcome, TradingRequest
from krakenwire.model.orders import METHODS

__all__ = ["add_parser", "run"]

_EPILOG: Final = f"""\
Dry by default: without --on nothing is sent, the order is checked and shown.
--on local sends it to a Kraken of its own, which shows the order's whole life
and ends with the command; --on with an address of this machine sends it there.
Anywhere else you are shown what is at stake and asked to type yes, or give --yes;
without a terminal and without --yes nothing is sent. --validate has the venue
check an order and place nothing, and asks nobody. `order list` only reads.

{KEYS_TEXT}

  krakenwire order add BTC/USD buy 0.01 --price 60000               shown, not sent
  krakenwire order add BTC/USD buy 0.01 --type market --on local    its whole life
  krakenwire order add BTC/USD sell 0.01 --price 70000 --on live --validate
  krakenwire order amend OAAAAA-BBBBB-CCCCCC --price 60100 --on live
  krakenwire order cancel OAAAAA-BBBBB-CCCCCC --on live --yes
  krakenwire order list

exit codes: 0 accepted, or shown; 2 usage, an order that cannot be, or not confirmed;
            3 connection, not sent; 5 refused, or some of it;
            7 unknown: it may have been carried out, look before you send it again"""

_LOOK: Final = "it may have been carried out: look at `krakenwire order list` before you send it again"


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "order",
        help="place, amend, cancel and list orders; dry unless you say where",
        description="Orders of your account. Nothing is sent unless you say where.",
        epilog=_EPILOG,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    add_add(_sending(actions, "add", "place an order", f"{PRICES_TEXT}\n\n{KEYS_TEXT}"))
    add_amend(_sending(actions, "amend", "change an order that keeps its place where possible"))
    add_cancel(_sending(actions, "cancel", "end some orders"))
    _sending(actions, "cancel-all", "end every open order of the account")
    listing = actions.add_parser("list", help="show the open orders", epilog=KEYS_TEXT)
    add_on(listing, "live")
    add_key_file(listing)
    listing.add_argument("--json", action="store_true", help="one JSON object on a terminal too")
    parser.commands = dict(actions.choices)


def _sending(actions: Subparsers, name: str, what: str, epilog: str = KEYS_TEXT) -> Parser:
    parser = actions.add_parser(name, help=what, description=f"{what.capitalize()}.", epilog=epilog)
    add_on(parser, None)
    parser.add_argument("--api", type=int, choices=(1, 2), default=2, help="API version (default 2)")
    add_key_file(parser)
    parser.add_argument("--yes", action="store_true", help="send without asking")
    parser.add_argument("--json", action="store_true", help="one JSON object on a terminal too")
    return parser


def run(args: argparse.Namespace) -> int:
    """Do what is asked, as far as it was allowed."""
    if args.action == "list":
        return _list(args)
    request = request_from(args)
    frame = frame_of(request, args.api)
    if args.on is None:
        _show(request, frame, args)
        return OK
    return _send(request, args)


def _as_json(args: argparse.Namespace) -> bool:
    return bool(args.json) or not sys.stdout.isatty()


# -- dry ---------------------------------------------------------------------------------


def _show(request: TradingRequest, frame: str, args: argparse.Namespace) -> None:
    """Show what would be sent."""
    if _as_json(args):
        notice("dry run: nothing was sent; --on says where to")
        shown: dict[str, Json] = {
            "outcome": "dry",
            "method": METHODS[type(request)],
            "on": None,
            "sent": False,
            "words": words(request),
            "notional": worth(request) or None,
            "frame": frame,
        }
        put(json_line(shown))
        return
    put("dry run: nothing was sent, to nobody")
    put(f"  {words(request)}")
    if worth(request):
        put(f"  notional    {worth(request)}")
    put("  checked     as far as that goes without the venue, which knows its increments and your funds")
    put(f"  would send  {frame}")
    put("to send it: --on local to try it on a Kraken of its own, --on live with real money, after a question")
    if isinstance(request, AddOrder) and not request.validate:
        put("to have it checked by the venue: --on live --validate")


# -- sent --------------------------------------------------------------------------------


def _send(request: TradingRequest, args: argparse.Namespace) -> int:
    keys = keys_at(args.on, args.key_file)
    asked = not (is_here(args.on) or (isinstance(request, AddOrder) and request.validate))
    if asked:
        environment(args.on).rest_url()  # a place that cannot be traded at is refused before anybody is asked
        confirm(stake_lines(request, args.on, key_begins(keys)), given=args.yes)
        request = request_from(args)  # its times count from now, not from before the question
    try:
        trading = args.on if asked else None
        with Kraken(args.on, version=args.api, credentials=keys, trading=trading) as kraken:
            outcome, after = carry_out(kraken, request, follow=args.on == "local")
    except KeyboardInterrupt:
        notice(f"interrupted: {_LOOK}")
        return UNKNOWN
    if _as_json(args):
        put(json_line(outcome_json(outcome, args.on, after)))
    else:
        for line in outcome_lines(outcome):
            put(line)
        for line in () if after is None else lived_lines(after):
            put(line)
    if outcome.unknown:
        notice(_LOOK)
    return _code(outcome)


def _code(outcome: Outcome) -> int:
    if outcome.unknown:
        return UNKNOWN
    if outcome.sent_ns is None:
        return CONNECTION
    return REFUSED if was_refused_anywhere(outcome) else OK


# -- listed ------------------------------------------------------------------------------


def _list(args: argparse.Namespace) -> int:
    with account_at(args.on, keys_at(args.on, args.key_file)) as rest:
        orders = rest.open_orders()
    if _as_json(args):
        put(json_line({"on": args.on, "orders": [order_json(order) for order in orders]}))
    elif orders:
        put_table(ORDER_COLUMNS, [order_row(order) for order in orders], numbers=("filled",), wraps=("what",))
    else:
        put("no open orders")
    return OK
