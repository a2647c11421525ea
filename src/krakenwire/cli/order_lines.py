"""Orders as text: in words before they are sent, as lines and as JSON afterwards.

Numbers have all their digits. It sends nothing and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from krakenwire.apps.orders import Aftermath
from krakenwire.cli.render import Json, fixed
from krakenwire.model import (
    Added,
    AddOrder,
    AllCanceled,
    Amended,
    AmendOrder,
    Answer,
    AssetBalance,
    CancelAll,
    Canceled,
    CancelOrders,
    Conditional,
    OrderRecord,
    OrderRefused,
    Outcome,
    PriceType,
    TradeRecord,
    TradingRequest,
    Unanswered,
)
from krakenwire.model.times import rfc3339_from_ns

__all__ = [
    "ORDER_COLUMNS",
    "balance_json",
    "lived_lines",
    "order_json",
    "order_row",
    "outcome_json",
    "outcome_lines",
    "stake_lines",
    "words",
    "worth",
]

ORDER_COLUMNS: Final = ("order", "what", "filled", "opened")


# -- requests in words -----------------------------------------------------------------


def words(request: TradingRequest) -> str:
    """Return what a request asks for, as one reads it."""
    return _WORDS[type(request)](request)


def _add(order: AddOrder) -> str:
    quote = order.symbol.partition("/")[2]
    size = f"{order.side} {_text(order.order_qty)} {order.symbol}"
    if order.cash_order_qty is not None:
        size = f"{order.side} {order.symbol} for {fixed(order.cash_order_qty)} {quote}"
    parts = [
        f"{size} {_kind(order)}",
        "" if order.time_in_force in ("gtc", "gtd") else _TIF_WORDS[order.time_in_force],
        _when("until", order.expire_time_ns),
        _when("from", order.effective_time_ns),
        "post-only" if order.post_only else "",
        "reduce-only" if order.reduce_only else "",
        "" if order.display_qty is None else f"shows {fixed(order.display_qty)}",
        "on margin" if order.margin else "" if order.leverage is None else f"leverage {order.leverage}",
        "" if order.conditional is None else _closing(order.conditional),
        "" if order.cl_ord_id is None else f"cl_ord_id {order.cl_ord_id}",
        "" if order.order_userref is None else f"userref {order.order_userref}",
        _when("refused after", order.deadline_ns),
        "to be checked only" if order.validate else "",
    ]
    return ", ".join(filter(None, parts))


def _kind(order: AddOrder) -> str:
    """Its type and prices: ``limit at 60000``, ``stop loss limit at 59000 (trigger 59100, last)``."""
    trigger = order.triggers
    price = "" if order.limit_price is None else f" {_priced(order.limit_price, order.limit_price_type)}"
    fires = "" if trigger is None else f" (trigger {_priced(trigger.price, trigger.price_type)}, {trigger.reference})"
    return f"{order.order_type.replace('-', ' ')}{price}{fires}"


def _closing(close: Conditional) -> str:
    trigger = (
        "" if close.trigger_price is None else f" trigger {_priced(close.trigger_price, close.trigger_price_type)}"
    )
    price = "" if close.limit_price is None else f" {_priced(close.limit_price, close.limit_price_type)}"
    return f"closed by {close.order_type.replace('-', ' ')}{trigger}{price}"


def _amend(amend: AmendOrder) -> str:
    which = f"cl_ord_id {amend.cl_ord_id}" if amend.order_id is None else amend.order_id
    kind = amend.limit_price_type or "static"
    changes = [
        "" if amend.order_qty is None else f"quantity {fixed(amend.order_qty)}",
        "" if amend.limit_price is None else f"price {_priced(amend.limit_price, kind)}",
        "" if amend.trigger_price is None else f"trigger {_priced(amend.trigger_price, amend.trigger_price_type)}",
        "" if amend.display_qty is None else f"shows {fixed(amend.display_qty)}",
        "post-only" if amend.post_only else "",
        _when("refused after", amend.deadline_ns),
    ]
    return f"amend {which}: " + ", ".join(filter(None, changes))


def _cancel(cancel: CancelOrders) -> str:
    return "cancel " + ", ".join(_names(cancel))


def _names(cancel: CancelOrders) -> list[str]:
    """The ids of a cancellation in the order of its answers."""
    own = [f"cl_ord_id {text}" for text in cancel.cl_ord_ids]
    return [*cancel.order_ids, *own, *(f"userref {number}" for number in cancel.order_userrefs)]


_TIF_WORDS: Final = {"ioc": "immediate or cancel", "fok": "fill or kill"}
_WORDS: Final[Mapping[type[TradingRequest], Callable[[Any], str]]] = {
    AddOrder: _add,
    AmendOrder: _amend,
    CancelOrders: _cancel,
    CancelAll: lambda _all: "cancel every open order of the account",
}


def _text(value: Decimal | None) -> str:
    return fixed(value, "no quantity of")


def _priced(value: Decimal, kind: PriceType) -> str:
    return {"static": "at {}", "pct": "{}% away", "quote": "{} away"}[kind].format(fixed(value))


def _when(word: str, time_ns: int | None) -> str:
    return "" if time_ns is None else f"{word} {rfc3339_from_ns(time_ns, 0)}"


# -- what is at stake --------------------------------------------------------------------


def worth(request: TradingRequest) -> str:
    """Return what an order is worth, in words; empty for other requests."""
    if not isinstance(request, AddOrder):
        return ""
    quote = request.symbol.partition("/")[2]
    if request.cash_order_qty is not None:
        return f"{fixed(request.cash_order_qty)} {quote}"
    price = request.limit_price if request.limit_price_type == "static" else None
    if price is None and request.triggers is not None and request.triggers.price_type == "static":
        price = request.triggers.price
    if price is None or request.order_qty is None:
        return "whatever the market gives"
    about = "" if request.order_type in ("limit", "iceberg") else "about "
    return f"{about}{fixed(price * request.order_qty)} {quote}"


def stake_lines(request: TradingRequest, on: str, key: str) -> list[str]:
    """Return what is at stake: the request, what it is worth, where, and whose account."""
    lines = [f"about to send to {on}, with real money:", f"  {words(request)}"]
    if isinstance(request, AddOrder):
        price = "none" if request.limit_price is None else _priced(request.limit_price, request.limit_price_type)
        lines += [
            f"  symbol    {request.symbol}",
            f"  side      {request.side}",
            f"  quantity  {fixed(request.order_qty)}",
            f"  price     {price}",
            f"  notional  {worth(request)}",
        ]
    return [*lines, f"  key       {key}"]


# -- outcomes ----------------------------------------------------------------------------


def outcome_lines(outcome: Outcome) -> Iterator[str]:
    """Yield one line for each answer."""
    request = outcome.request
    names = _names(request) if isinstance(request, CancelOrders) else [words(request)]
    for name, answer in zip(names, outcome.answers, strict=False):
        if isinstance(answer, Unanswered):
            yield f"unknown: {name}: {answer.reason}"
        elif isinstance(answer, OrderRefused):
            yield f"{'not sent' if outcome.sent_ns is None else 'refused'}: {name}: {answer.error}"
        else:
            yield _yes(answer, name)


def _yes(answer: Answer, name: str) -> str:
    match answer:
        case Added(order_id=""):
            return f"good: {name}"
        case Added():
            return f"accepted: {answer.order_id}: {name}"
        case Amended():
            return f"amended: {name.removeprefix('amend ')}"
        case AllCanceled():
            return f"canceled: {answer.count} orders"
        case Canceled():
            return f"canceled: {name}" + ("" if answer.count == 1 else f" ({answer.count} orders)")
        case _:
            return f"done: {name}"


def lived_lines(after: Aftermath) -> Iterator[str]:
    """Yield what became of an order: its fills, how it stands, and the balances."""
    order = after.order
    quote = order.symbol.partition("/")[2]
    for fill in after.fills:
        role = "" if fill.maker is None else ", maker" if fill.maker else ", taker"
        yield f"  fill      {_tidy(fill.qty)} at {_tidy(fill.price)}, fee {_tidy(fill.fee)}{role}"
    stands = f"  order     {order.status}, {_tidy(order.cum_qty)} of {_tidy(order.order_qty)} filled"
    if order.cum_qty:
        stands += f" at {_tidy(order.avg_price)} on average, cost {_tidy(order.cum_cost)} {quote}"
    yield stands + (f" ({order.reason})" if order.reason else "")
    yield f"  balances  {', '.join(_balance_words(after.balances, order.symbol.split('/')))}"


def _balance_words(balances: Iterable[AssetBalance], assets: Iterable[str]) -> Iterator[str]:
    """Some balances: ``5.01 BTC``, ``99350.2 USD (600 held)``."""
    wanted = frozenset(assets)
    for row in balances:
        if row.asset in wanted:
            yield f"{_tidy(row.balance)} {row.asset}" + (f" ({_tidy(row.held)} held)" if row.held else "")


def _tidy(value: Decimal) -> str:
    """A number without the zeros at its end."""
    return fixed(value.normalize())


# -- JSON --------------------------------------------------------------------------------


def outcome_json(outcome: Outcome, on: str, after: Aftermath | None) -> dict[str, Json]:
    """Return an outcome as an object; what followed of an order in ``order``, ``fills`` and ``balances``."""
    object_: dict[str, Json] = {
        "outcome": outcome.state,
        "method": outcome.method,
        "on": on,
        "sent": outcome.sent_ns is not None,
        "error": outcome.error or None,
        "answers": [_answer_json(answer) for answer in outcome.answers],
    }
    if after is not None:
        object_ |= {
            "order": order_json(after.order),
            "fills": [_fill_json(fill) for fill in after.fills],
            "balances": [balance_json(row) for row in after.balances],
        }
    return object_


def _answer_json(answer: Answer | Unanswered) -> dict[str, Json]:
    kind = (
        "unknown" if isinstance(answer, Unanswered) else "refused" if isinstance(answer, OrderRefused) else "accepted"
    )
    return {"outcome": kind, **msgspec.to_builtins(answer)}


def order_json(order: OrderRecord) -> dict[str, Json]:
    """Return an order as an object."""
    trigger = order.triggers
    return {
        "order_id": order.order_id,
        "status": order.status,
        "symbol": order.symbol,
        "side": order.side,
        "order_type": order.order_type,
        "order_qty": order.order_qty,
        "cum_qty": order.cum_qty,
        "cum_cost": order.cum_cost,
        "avg_price": order.avg_price,
        "fee": order.fee,
        "limit_price": order.limit_price,
        "limit_price_type": order.limit_price_type,
        "trigger_price": None if trigger is None else trigger.price,
        "trigger_price_type": None if trigger is None else trigger.price_type,
        "trigger_reference": None if trigger is None else trigger.reference,
        "time_in_force": order.time_in_force,
        "opened": rfc3339_from_ns(order.open_time_ns, 6),
        "reason": order.reason,
        "cl_ord_id": order.cl_ord_id,
        "userref": order.order_userref,
    }


def _fill_json(fill: TradeRecord) -> dict[str, Json]:
    return {
        "exec_id": fill.exec_id,
        "time": rfc3339_from_ns(fill.time_ns, 6),
        "qty": fill.qty,
        "price": fill.price,
        "cost": fill.cost,
        "fee": fill.fee,
        "maker": fill.maker,
    }


def balance_json(row: AssetBalance) -> dict[str, Json]:
    """Return a balance as an object."""
    return {"asset": row.asset, "balance": row.balance, "held": row.held, "available": row.balance - row.held}


def order_row(order: OrderRecord) -> tuple[str, ...]:
    """Return an order as a row of `ORDER_COLUMNS`."""
    trigger = order.triggers
    fires = (
        "" if trigger is None or trigger.price is None else f" (trigger {_priced(trigger.price, trigger.price_type)})"
    )
    price = "" if order.limit_price is None else f" {_priced(order.limit_price, order.limit_price_type)}"
    kind = order.order_type.replace("-", " ")
    return (
        order.order_id,
        f"{order.side} {_tidy(order.order_qty)} {order.symbol} {kind}{price}{fires}",
        _tidy(order.cum_qty),
        rfc3339_from_ns(order.open_time_ns, 0).replace("T", " ").removesuffix("Z"),
    )
