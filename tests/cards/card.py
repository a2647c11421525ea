"""What an order card is made of: a scenario as a value, written with a few verbs.

A card names its orders by letters. Where a request wants an order id, the
letter stands for it; times are nanoseconds after the card begins. `play`
carries cards out, `render` shows them, the tables are in `cards`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from krakenwire.model import (
    AddOrder,
    AmendOrder,
    BatchAdd,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    Conditional,
    EditOrder,
    TradingRequest,
    Trigger,
)
from krakenwire.venue.access.pace import AccountLimits

SYMBOL: Final = "BTC/USD"
SECOND: Final = 1_000_000_000
FUNDS: Final = {"USD": "10000", "BTC": "1"}
NO_LIMITS: Final = AccountLimits()


@dataclass(frozen=True)
class Ask:
    """The account asks for something.

    Args:
        request: on version 2.
        answers: what comes of it, in the words of `play.told_answers`; empty for the usual yes.
        names: letters for the orders that it places.
        v1: how version 1 says it, where that differs.
        early: whether the client itself refuses it, in the same words, before it is sent.
    """

    request: TradingRequest
    answers: tuple[str, ...] = ()
    names: str = ""
    v1: TradingRequest | None = None
    early: bool = False


@dataclass(frozen=True)
class Other:
    """Somebody else asks for something: ``bob``, ``carol`` or ``dave``, who have plenty."""

    who: str
    request: TradingRequest


@dataclass(frozen=True)
class Prints:
    """Bob and carol trade a little at a price, which is the last one then."""

    price: str


@dataclass(frozen=True)
class Index:
    """The index price moves."""

    price: str


@dataclass(frozen=True)
class Passes:
    """So many seconds pass at the venue."""

    seconds: int


@dataclass(frozen=True)
class Mode:
    """The venue changes its trading mode."""

    status: str


Step = Ask | Other | Prints | Index | Passes | Mode


@dataclass(frozen=True, kw_only=True)
class Card:
    """One scenario and what must come of it.

    Args:
        number: of the card.
        title: a few words.
        shows: what it shows, and where that is written.
        book: resting orders of others, oldest first.
        last: the last price before it begins.
        funds: what the account has.
        margin: whether it may trade on margin.
        limits: how fast it may trade, and how many orders it may have.
        paced: whether the client keeps within the venue's counters.
        steps: what happens, one after the other.
        told: the executions: letters of orders, each followed by the types of its events.
        told_v1: the same on version 1, where that differs.
        orders: what becomes of each order: ``status quantity @ average: reason``.
        fills: one line each: ``letter quantity @ price taker fee asset``.
        balances: what differs from `funds` at the end.
        holds: what is held at the end.
        v1: what version 1 has no word for; empty when it can say all of it.
    """

    number: int
    title: str
    shows: str
    book: tuple[Other, ...] = ()
    last: str = "50000.0"
    funds: Mapping[str, str] = field(default_factory=lambda: FUNDS)
    margin: bool = False
    limits: AccountLimits = NO_LIMITS
    paced: bool = True
    steps: tuple[Step, ...]
    told: str = ""
    told_v1: str = ""
    orders: Mapping[str, str] = field(default_factory=dict)
    fills: tuple[str, ...] = ()
    balances: Mapping[str, str] = field(default_factory=dict)
    holds: Mapping[str, str] = field(default_factory=dict)
    v1: str = ""


# -- verbs -----------------------------------------------------------------------


def order(side: str, qty: str | None, price: str | None = None, **more: Any) -> AddOrder:
    """Return an order of BTC/USD: limit with a price, market without, unless `order_type` says otherwise."""
    kind = more.pop("order_type", "market" if price is None else "limit")
    quantities = {name: Decimal(more.pop(name)) for name in ("display_qty", "cash_order_qty") if name in more}
    return AddOrder(
        symbol=more.pop("symbol", SYMBOL),
        side=side,  # type: ignore[arg-type]  # the tables write literal texts
        order_type=kind,
        order_qty=None if qty is None else Decimal(qty),
        limit_price=None if price is None else Decimal(price),
        **quantities,
        **more,
    )


def place(name: str, side: str, qty: str | None, price: str | None = None, **more: Any) -> Ask:
    """The account places an order, which has this letter from then on."""
    return Ask(order(side, qty, price, **more), names=name)


def refused(error: str, side: str, qty: str | None, price: str | None = None, early: bool = False, **more: Any) -> Ask:
    """The account's order is refused; with `early`, by its own client already."""
    return Ask(order(side, qty, price, **more), answers=(error,), early=early)


def rests(who: str, side: str, qty: str, price: str, **more: Any) -> Other:
    """Somebody else's limit order."""
    return Other(who, order(side, qty, price, **more))


def takes(who: str, side: str, qty: str, **more: Any) -> Other:
    """Somebody else's market order."""
    return Other(who, order(side, qty, **more))


def trigger(price: str, kind: str = "static", reference: str = "last") -> Trigger:
    """What a stop or take-profit waits for."""
    return Trigger(price=Decimal(price), price_type=kind, reference=reference)  # type: ignore[arg-type]


def close(kind: str, limit: str | None = None, at: str | None = None, **more: Any) -> Conditional:
    """The closing order that fills place."""
    return Conditional(
        order_type=kind,  # type: ignore[arg-type]  # the tables write literal texts
        limit_price=None if limit is None else Decimal(limit),
        trigger_price=None if at is None else Decimal(at),
        **more,
    )


def amend(name: str, *answers: str, early: bool = False, **changes: Any) -> Ask:
    """The account amends an order."""
    return Ask(AmendOrder(order_id=name, **_exact(changes)), answers=answers, early=early)


def edit(name: str, new: str, *answers: str, price: str | None = None, **changes: Any) -> Ask:
    """The account replaces an order by a new one."""
    exact = _exact(changes)
    limit = None if price is None else Decimal(price)
    return Ask(
        EditOrder(order_id=name, symbol=SYMBOL, limit_price=limit, **exact),
        answers=answers,
        names=new,
        v1=EditOrder(order_id=name, symbol=SYMBOL, price=limit, **exact),
    )


def cancel(*names: str, answers: tuple[str, ...] = (), **more: Any) -> Ask:
    """The account cancels orders; by default all of them are."""
    return Ask(CancelOrders(order_ids=names, **more), answers=answers)


def cancel_all(count: int) -> Ask:
    """The account cancels everything."""
    return Ask(CancelAll(), answers=(f"canceled {count}",))


def switch(seconds: int) -> Ask:
    """The account sets the dead man's switch; 0 disarms it."""
    return Ask(CancelAllAfter(timeout_s=seconds), answers=("armed" if seconds else "disarmed",))


def batch(names: str, *orders: AddOrder, answers: tuple[str, ...] = (), **more: Any) -> Ask:
    """The account places several orders at once."""
    return Ask(BatchAdd(symbol=SYMBOL, orders=orders, **more), answers=answers, names=names)


def batch_cancel(*names: str, count: int, **more: Any) -> Ask:
    """The account cancels several orders at once."""
    return Ask(BatchCancel(order_ids=names, **more), answers=(f"canceled {count}",))


def _exact(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: Decimal(value) if isinstance(value, str) else value for name, value in changes.items()}
