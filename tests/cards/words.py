"""What happened, in the words that cards use: answers, orders, fills, sequences of events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from krakenwire.model import (
    Added,
    AddOrder,
    AllCanceled,
    Amended,
    AmendOrder,
    Answer,
    BatchAdd,
    BatchCanceled,
    Canceled,
    Edited,
    Execution,
    Fill,
    OrderRefused,
    OrderState,
    Outcome,
    TimerSet,
    TradeRecord,
    TradingRequest,
    Unanswered,
)

V1_WORDS: Final = {"EGeneral:Invalid arguments:volume minimum not met": "EOrder:Order minimum not met"}
"""Refusals that version 1 words otherwise. Source: v1 reference, section 10.1."""


def told_answers(outcome: Outcome) -> tuple[str, ...]:
    """What came of a request, answer by answer."""
    return tuple(map(answer_text, outcome.answers))


_TEXTS: Final[dict[type, Callable[[Any], str]]] = {
    Added: lambda _: "added",
    Amended: lambda _: "amended",
    Edited: lambda _: "replaced",
    Canceled: lambda _: "canceled",
    AllCanceled: lambda answer: f"canceled {answer.count}",
    BatchCanceled: lambda answer: f"canceled {answer.count}",
    TimerSet: lambda answer: "disarmed" if answer.trigger_ns is None else "armed",
    OrderRefused: lambda answer: answer.error,
    Unanswered: lambda answer: f"unknown: {answer.reason}",
}


def answer_text(answer: Answer | Unanswered) -> str:
    return _TEXTS[type(answer)](answer)


def usual_answers(request: TradingRequest) -> tuple[str, ...]:
    """What a request is answered with when all is well."""
    if isinstance(request, BatchAdd):
        return ("added",) * len(request.orders)
    if isinstance(request, AddOrder):
        return ("added",)
    if isinstance(request, AmendOrder):
        return ("amended",)
    ids = getattr(request, "order_ids", None)
    if ids is None:
        return ("replaced",)
    return ("canceled",) * (len(ids) + len(request.cl_ord_ids) + len(getattr(request, "order_userrefs", ())))


def new_ids(outcome: Outcome) -> list[str]:
    return [answer.order_id if isinstance(answer, Added | Edited) else "" for answer in outcome.answers]


def worded(answers: tuple[str, ...], version: int) -> tuple[str, ...]:
    """Answers as a version words them."""
    return answers if version == 2 else tuple(V1_WORDS.get(text, text) for text in answers)


def plain(value: Decimal | None) -> str:
    return f"{(value or Decimal(0)).normalize():f}"


def order_text(state: OrderState) -> str:
    """Where an order stands: ``status quantity @ average: reason``."""
    text = state.status
    if state.cum_qty:
        text += f" {plain(state.cum_qty)} @ {plain(state.avg_price)}"
    return text + (f": {state.reason}" if state.reason else "")


def fill_text(fill: Fill, letter: str) -> str:
    role = {True: " maker", False: " taker", None: ""}[fill.maker]
    fees = " ".join(f"{plain(fee.qty)} {fee.asset}" for fee in fill.fees)
    return f"{letter} {plain(fill.qty)} @ {plain(fill.price)}{role} fee {fees}"


def spoken(rows: Iterable[Execution], letters: Mapping[str, str]) -> str:
    """A sequence of events: each letter once for the events that follow one another."""
    return _joined((f"{letters[row.order_id]}:", row.exec_type) for row in rows)


def _joined(events: Iterable[tuple[str, str]]) -> str:
    words, last = [], ""
    for letter, event in events:
        words += [event] if letter == last else [letter, event]
        last = letter
    return " ".join(words)


def _events(text: str) -> Iterator[tuple[str, str]]:
    letter = ""
    for word in text.split():
        if word.endswith(":"):
            letter = word
        else:
            yield letter, word


def without(text: str, *types: str) -> str:
    return _joined(event for event in _events(text) if event[1] not in types)


def only(text: str, *types: str) -> str:
    return _joined(event for event in _events(text) if event[1] in types)


def trade_facts(trade: TradeRecord) -> tuple[object, ...]:
    return trade.order_id, trade.side, trade.qty, trade.price, trade.cost, trade.fee


def fill_facts(fill: Fill) -> tuple[object, ...]:
    return fill.order_id, fill.side, fill.qty, fill.price, fill.cost, sum((fee.qty for fee in fill.fees), Decimal(0))


def check_statuses(rows: Iterable[Execution]) -> None:
    """The word that goes with each kind of event: the trade that completes an order does not say filled."""
    traded: set[str] = set()
    for row in rows:
        if row.exec_type == "trade":
            traded.add(row.order_id)
        so_far = "partially_filled" if row.order_id in traded else "new"
        ends = row.exec_type if row.exec_type in ("pending_new", "filled", "canceled", "expired") else so_far
        assert row.order_status == ends
