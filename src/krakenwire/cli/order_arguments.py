"""From the command line of `krakenwire order` to a request.

Nothing is judged here but the form: the rules of orders are in `session.order_checks`.
"""

from __future__ import annotations

import argparse
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, cast, get_args

from krakenwire.client import requests
from krakenwire.errors import ConfigError, UsageError
from krakenwire.model import (
    CancelAll,
    Conditional,
    FeePreference,
    OrderSide,
    OrderType,
    PriceType,
    SelfTradePrevention,
    TimeInForce,
    TradingRequest,
    TriggerReference,
)
from krakenwire.watch.values import duration_from

__all__ = ["PRICES_TEXT", "add_add", "add_amend", "add_cancel", "request_from"]

PRICES_TEXT: Final = """\
prices: 65000 is absolute; +100 and -100 are quote units away from the reference,
1.5% and -2% percent, where the order type and the version have that (write
--trigger=-2%). Of a trailing stop the trigger is a distance."""

_TRAILING: Final = ("trailing-stop", "trailing-stop-limit")
_TIMES: Final = {"expire": "expire_time", "start": "effective_time", "deadline": "deadline"}


# -- arguments -----------------------------------------------------------------------


def add_add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a new order."""
    parser.add_argument("symbol", metavar="SYMBOL", help="such as BTC/USD; any spelling")
    parser.add_argument("side", choices=get_args(OrderSide), metavar="SIDE", help="buy or sell")
    parser.add_argument("qty", nargs="?", metavar="QTY", help="base units; none with --cash")
    parser.add_argument(
        "--type",
        choices=get_args(OrderType),
        metavar="TYPE",
        help=f"limit (default), {', '.join(kind for kind in get_args(OrderType) if kind != 'limit')}",
    )
    parser.add_argument("--price", metavar="P", help="limit price, quote units")
    parser.add_argument("--trigger", metavar="P", help="where a stop or take-profit fires")
    parser.add_argument("--reference", choices=get_args(TriggerReference), help="which price is watched for it")
    parser.add_argument("--tif", choices=get_args(TimeInForce), help="time in force (default gtc; gtd with --expire)")
    parser.add_argument("--expire", metavar="WHEN", help="ends after so long: 90s, 10m, 2h30m")
    parser.add_argument("--start", metavar="WHEN", help="starts after so long")
    parser.add_argument("--deadline", metavar="S", help="the venue refuses it later than this from now")
    parser.add_argument("--post-only", action="store_true", help="only rest in the book, never take")
    parser.add_argument("--reduce-only", action="store_true", help="only make a margin position smaller")
    parser.add_argument("--display", metavar="QTY", help="what is shown of it: an iceberg")
    parser.add_argument("--cash", metavar="QUOTE", help="quote units a market buy may spend, instead of QTY")
    parser.add_argument("--margin", action="store_true", help="on margin, with the highest leverage there is")
    parser.add_argument("--leverage", type=int, metavar="N", help="on margin, N to 1 (API 1)")
    parser.add_argument("--fee", choices=get_args(FeePreference), help="the asset that fees are taken from")
    parser.add_argument("--stp", choices=get_args(SelfTradePrevention), metavar="KIND", help="self-trade prevention")
    parser.add_argument("--cl-ord-id", metavar="ID", help="your own id of the order")
    parser.add_argument("--userref", type=int, metavar="N", help="your own number, of one or more orders")
    parser.add_argument("--close", choices=get_args(OrderType), metavar="TYPE", help="what its fills place")
    parser.add_argument("--close-price", metavar="P", help="the limit price of that")
    parser.add_argument("--close-trigger", metavar="P", help="the trigger of that")
    parser.add_argument("--validate", action="store_true", help="have the venue check it, and place nothing")


def add_amend(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of an amendment."""
    parser.add_argument("order_id", nargs="?", metavar="ID", help="of the order; or --cl-ord-id")
    parser.add_argument("--cl-ord-id", metavar="ID", help="your own id of it")
    parser.add_argument("--qty", metavar="QTY", help="its new quantity, what has traded included")
    parser.add_argument("--price", metavar="P", help="its new limit price")
    parser.add_argument("--trigger", metavar="P", help="its new trigger")
    parser.add_argument("--display", metavar="QTY", help="what is shown of it from now on")
    parser.add_argument("--post-only", action="store_true", help="refuse a price at which it would take")
    parser.add_argument("--deadline", metavar="S", help="the venue refuses it later than this from now")


def add_cancel(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a cancellation."""
    parser.add_argument("order_ids", nargs="*", metavar="ID", help="of an order")
    parser.add_argument("--cl-ord-id", action="append", default=[], metavar="ID", help="your own id; more than once")
    parser.add_argument("--userref", action="append", default=[], type=int, metavar="N", help="all that have this one")


# -- requests ------------------------------------------------------------------------


def request_from(args: argparse.Namespace) -> TradingRequest:
    """Return the request that a command line asks for; times in it count from now.

    Raises:
        UsageError: a number, time or symbol that is none.
    """
    return _REQUESTS[args.action](args)


def _add(args: argparse.Namespace) -> TradingRequest:
    kind = args.type or ("market" if args.cash else "iceberg" if args.display else "limit")
    options: dict[str, Any] = {
        "cash_order_qty": args.cash,
        "display_qty": args.display,
        "trigger_reference": args.reference,
        "time_in_force": args.tif or ("gtd" if args.expire else None),
        "post_only": args.post_only,
        "reduce_only": args.reduce_only,
        "margin": args.margin,
        "leverage": args.leverage,
        "fee_preference": args.fee,
        "stp_type": args.stp,
        "cl_ord_id": args.cl_ord_id,
        "order_userref": args.userref,
        "conditional": _close(args),
        "validate": args.validate,
        **_times(args),
    }
    price, price_type = _price("--price", args.price, "static")
    if price_type != "static":
        options["limit_price_type"] = price_type
    trigger, trigger_type = _price("--trigger", args.trigger, "quote" if kind in _TRAILING else "static")
    if trigger is not None:
        options |= {"trigger_price": trigger, "trigger_price_type": trigger_type}
    return requests.order(args.symbol, args.side, cast("OrderType", kind), args.qty, price, **options)


def _close(args: argparse.Namespace) -> Conditional | None:
    if args.close is None:
        if args.close_price or args.close_trigger:
            raise ConfigError("--close-price and --close-trigger", expected="the type of the closing order in --close")
        return None
    trailing = args.close in _TRAILING
    price, price_type = _price("--close-price", args.close_price, "quote" if trailing else "static")
    trigger, trigger_type = _price("--close-trigger", args.close_trigger, "quote" if trailing else "static")
    return Conditional(
        order_type=args.close,
        limit_price=price,
        limit_price_type=price_type,
        trigger_price=trigger,
        trigger_price_type=trigger_type,
    )


def _amend(args: argparse.Namespace) -> TradingRequest:
    price, price_type = _price("--price", args.price, "static")
    trigger, trigger_type = _price("--trigger", args.trigger, "static")
    options: dict[str, Any] = {
        "order_qty": args.qty,
        "limit_price": price,
        "limit_price_type": None if price_type == "static" else price_type,
        "trigger_price": trigger,
        "trigger_price_type": None if trigger_type == "static" else trigger_type,
        "display_qty": args.display,
        "post_only": args.post_only,
        **_times(args),
    }
    return requests.amendment(args.order_id, args.cl_ord_id, cast("requests.AmendOptions", options))


def _cancel(args: argparse.Namespace) -> TradingRequest:
    if not (args.order_ids or args.cl_ord_id or args.userref):
        raise ConfigError("a cancellation", expected="the id of an order", hint="`order cancel-all` ends them all.")
    return requests.cancellation(tuple(args.order_ids), args.cl_ord_id, args.userref)


def _cancel_all(_args: argparse.Namespace) -> TradingRequest:
    return CancelAll()


_REQUESTS: Final = {"add": _add, "amend": _amend, "cancel": _cancel, "cancel-all": _cancel_all}


# -- values --------------------------------------------------------------------------


def _times(args: argparse.Namespace) -> dict[str, timedelta]:
    given = {name: text for name in _TIMES if (text := getattr(args, name, None)) is not None}
    return {
        _TIMES[name]: timedelta(microseconds=duration_from(f"--{name}", text) // 1000) for name, text in given.items()
    }


def _price(flag: str, text: str | None, unsaid: PriceType) -> tuple[Decimal | None, PriceType]:
    """A price, and how it is meant: a sign or a percent sign says that it is relative."""
    if text is None:
        return None, unsaid
    written = text.strip()
    kind: PriceType = "pct" if written.endswith("%") else "quote" if written.startswith(("+", "-")) else unsaid
    try:
        return requests.exact(flag, written.removesuffix("%")), kind
    except UsageError:
        raise ConfigError(flag, expected="a price such as 65000, +100 or 1.5%", found=text) from None
