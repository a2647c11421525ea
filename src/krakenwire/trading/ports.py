"""What the pure parts of a bot need of the outside, as protocols: a market, a broker, a journal, risk limits.

The four worlds differ in what they plug in here, and in nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, TypeAlias

from krakenwire.errors import RiskRefusal
from krakenwire.trading.intents import Intent

if TYPE_CHECKING:
    from krakenwire.trading.orders import Order

__all__ = ["AllowAll", "BookView", "Broker", "Journal", "NoJournal", "RiskCheck", "RiskView", "StateStore", "Stopwatch"]

Stopwatch: TypeAlias = Callable[[], int]
"""A monotonic clock in nanoseconds: how long callbacks take. Only the worlds that run on a real clock have one."""


class BookView(Protocol):
    """The part of a simulator's book that marks prices and tells its age."""

    @property
    def live(self) -> bool:
        """Whether it may be trusted."""
        ...

    @property
    def time_ns(self) -> int:
        """When it last changed."""
        ...

    @property
    def touch_sum(self) -> int:
        """Best bid and ask added up, in ticks; 0 where one is missing or it may not be trusted."""
        ...

    @property
    def ask_ticks(self) -> int:
        """Best ask; 0 where there is none."""
        ...


class Broker(Protocol):
    """Carries orders to a market. What becomes of them comes back through the desk, never out of these calls."""

    def submit(self, order: Order) -> None:
        """Send a new order, once."""
        ...

    def amend(self, order: Order, limit: Decimal | None, qty: Decimal) -> None:
        """Ask for another limit, and another quantity, what is filled counted in."""
        ...

    def cancel(self, order: Order) -> None:
        """Ask for its end."""
        ...


class Journal(Protocol):
    """Writes down what is about to be sent; returns when it is safe."""

    def intent(self, intent: Intent) -> None:
        """A new order will be sent."""
        ...

    def amend(self, order: Order, limit: Decimal | None, qty: Decimal) -> None:
        """An amend will be sent."""
        ...

    def cancel(self, order: Order) -> None:
        """A cancel will be sent."""
        ...


class RiskView(Protocol):
    """What risk may ask about the moment. The desk answers."""

    @property
    def now_ns(self) -> int:
        """The run's own time."""
        ...

    @property
    def clock_skew_ns(self) -> int | None:
        """How far our clock is from the venue's; None where there is one clock."""
        ...

    def mid(self, symbol: str) -> Decimal | None:
        """Return the last verified mid price, None before there is one."""
        ...

    def book_age_ns(self, symbol: str) -> int | None:
        """Return how long ago its book was last known to be right; None where that cannot grow old."""
        ...

    def position(self, symbol: str) -> Decimal:
        """Return what is owned of the base asset, base units."""
        ...


class RiskCheck(Protocol):
    """The user's limits: asked before anything is sent, told of everything that counts."""

    def check(self, intent: Intent, view: RiskView, /) -> RiskRefusal | None:
        """Return why a new order must not be sent, None when it may."""
        ...

    def check_amend(self, intent: Intent, view: RiskView, /) -> RiskRefusal | None:
        """Return why an order must not get these figures, None when it may."""
        ...

    def observe_sent(self, intent: Intent, view: RiskView, /) -> None:
        """A new order is about to leave."""
        ...

    def observe_amended(self, intent: Intent, view: RiskView, /) -> None:
        """An amendment to these figures is about to leave."""
        ...

    def observe_terms(self, intent: Intent, view: RiskView, /) -> None:
        """The figures of an open order are known to be these."""
        ...

    def observe_unknown(self, intent_id: str, /) -> RiskRefusal | None:
        """Nobody knows what became of an order; the limit that this breaks, if any."""
        ...

    def observe_known(self, intent_id: str, /) -> None:
        """An order is known to be open."""
        ...

    def observe_fill(self, intent_id: str, qty: Decimal, price: Decimal, now_ns: int, /) -> RiskRefusal | None:
        """An order was filled, in part at least; the limit that this breaks, if any."""
        ...

    def observe_end(self, intent_id: str, /) -> None:
        """An order is over."""
        ...

    def observe_equity(self, now_ns: int, equity: Decimal, /) -> RiskRefusal | None:
        """What everything is worth; the limit that this breaks, if any."""
        ...


class StateStore(Protocol):
    """Keeps a strategy's state over restarts."""

    def load(self) -> bytes:
        """Return what was saved last, as JSON; nothing when there was nothing."""
        ...

    def save(self, state: bytes) -> None:
        """Save it, as JSON; called when it has changed."""
        ...


class NoJournal:
    """Of worlds whose orders are pretended: nothing to come back to."""

    def intent(self, intent: Intent) -> None:
        """Do nothing."""

    def amend(self, order: Order, limit: Decimal | None, qty: Decimal) -> None:
        """Do nothing."""

    def cancel(self, order: Order) -> None:
        """Do nothing."""


class AllowAll:
    """No limits: for measuring, and for tests of something else."""

    def check(self, *_: object) -> None:
        """Allow it."""

    check_amend = observe_sent = observe_amended = observe_terms = check
    observe_unknown = observe_known = observe_fill = observe_end = observe_equity = check
