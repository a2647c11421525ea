"""The cards as a page for people: ``python -m tests.cards.render`` writes it, a test sees that it is in step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
from tests.cards.card import FUNDS, NO_LIMITS, SECOND, SYMBOL, Ask, Card, Index, Mode, Other, Passes, Prints, Step
from tests.cards.cards import CARDS
from tests.cards.words import usual_answers

from krakenwire.model import AddOrder, BatchAdd, TradingRequest
from krakenwire.model.orders import METHODS
from krakenwire.venue.access.pace import AccountLimits

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "order-cards.md"

HEAD: Final = """\
# Order cards

What orders do, as numbered scenarios. Each is played against a local Kraken by all three client styles on both
versions of the API, and what comes of it is compared with the card: the answers, the executions and their order, the
state of each order, the fills, the balances with their fees, what is held, and what REST says of all that.

The market is BTC/USD with nobody else in it; the account has 10,000 USD and 1 BTC unless a card says otherwise, and
pays 0.40 % as taker and 0.25 % as maker. Letters name orders; A1 is the first order that a fill of A has placed.
`v2 8.2` is the section of the protocol reference. Where version 1 has no word for something, its clients say so before
anything is sent.
"""

_LEFT_OUT: Final = ("symbol", "side", "order_type", "order_qty", "limit_price", "orders")
_TIMES: Final = {"deadline_ns": "deadline", "expire_time_ns": "expires", "effective_time_ns": "starts"}


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(text for card in CARDS for text in section(card))])


def section(card: Card) -> Iterator[str]:
    yield f"## {card.number}. {card.title}\n"
    yield f"{card.shows}.\n"
    yield "```text"
    yield from _set_up(card)
    yield from map(_step, card.steps)
    yield "```\n"
    yield from _outcome(card)
    yield ""


def _set_up(card: Card) -> Iterator[str]:
    if card.funds != FUNDS:
        yield "has       " + _money(card.funds)
    if card.margin:
        yield "has       margin"
    if card.limits != NO_LIMITS:
        yield "may       " + _limits(card.limits)
    if card.last != "50000.0":
        yield f"last      {card.last}"
    for other in card.book:
        yield _step(other)


def _limits(limits: AccountLimits) -> str:
    if limits.open_orders is not None:
        return f"have {limits.open_orders} open orders"
    assert limits.trading is not None
    return f"trade at a counter of {limits.trading.threshold}, falling by {limits.trading.decay_per_s} a second"


def _step(step: Step) -> str:
    if isinstance(step, Ask):
        names = f"{step.names} = " if step.names else ""
        answers = ", ".join(step.answers or usual_answers(step.request))
        return f"account   {names}{request_text(step.request)} -> {answers}"
    if isinstance(step, Other):
        return f"{step.who:9} {request_text(step.request)}"
    texts = {
        Prints: "a trade at {}",
        Index: "the index moves to {}",
        Passes: "{} seconds pass",
        Mode: "the mode becomes {}",
    }
    (value,) = vars(step).values()
    return f"{'venue':9} " + texts[type(step)].format(value)


def request_text(request: TradingRequest) -> str:
    """A request in one line."""
    if isinstance(request, AddOrder):
        return _order_text(request)
    if isinstance(request, BatchAdd):
        return "; ".join(["batch_add", *map(_order_text, request.orders), *_members(request, _LEFT_OUT)])
    return " ".join([METHODS[type(request)], *_members(request, ("symbol",))])


def _order_text(order: AddOrder) -> str:
    qty = "" if order.order_qty is None else f"{order.order_qty} "
    limit = "" if order.limit_price is None else f" {order.limit_price}"
    head = f"{order.side} {qty}{order.order_type}{limit}"
    symbol = [] if order.symbol == SYMBOL else [order.symbol]
    return " ".join([head, *symbol, *_members(order, _LEFT_OUT)])


def _members(request: Any, left_out: Iterable[str]) -> Iterator[str]:
    """What a request says beyond its defaults."""
    for field in msgspec.structs.fields(type(request)):
        value = getattr(request, field.name)
        if field.name in left_out or value == field.default:
            continue
        yield f"{_TIMES.get(field.name, field.name)}={_value(field.name, value)}"


def _value(name: str, value: Any) -> str:
    if name in _TIMES:
        return f"{value // SECOND:+d} s"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, msgspec.Struct):
        return "(" + " ".join(f"{word}" for word in _members(value, ())) + ")"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _outcome(card: Card) -> Iterator[str]:
    if card.told:
        yield f"- told: {card.told}"
        yield "- orders: " + "; ".join(f"{name} {text}" for name, text in card.orders.items())
    if card.fills:
        yield "- fills: " + "; ".join(card.fills)
    yield "- then has: " + (_money({**card.funds, **card.balances}) if card.balances else "what it had")
    if card.holds:
        yield "- of that held: " + _money(card.holds)
    if card.v1:
        yield f"- version 1 has no word for it: *{card.v1} does not exist on API version 1*"


def _money(amounts: Any) -> str:
    return ", ".join(f"{amount} {asset}" for asset, amount in amounts.items())


if __name__ == "__main__":
    PAGE.write_text(page())
