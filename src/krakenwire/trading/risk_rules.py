"""The rules that an order is judged by, each by itself; what they count with is kept in `risk`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from krakenwire.errors import RiskRefusal
from krakenwire.trading.intents import Intent

if TYPE_CHECKING:
    from krakenwire.trading.risk import Live, Risk, RiskView

__all__ = ["RULES", "Case", "Rule", "same", "worth"]

_MS: Final = 1_000_000
_BPS: Final = 10_000
_ZERO: Final = Decimal(0)
_STOP_TYPES: Final = frozenset({"stop-loss", "stop-loss-limit", "take-profit", "take-profit-limit"})


class Case:
    """One order before the rules, with what several of them need."""

    __slots__ = (
        "amended",
        "base",
        "intent",
        "limits",
        "mid",
        "notional",
        "now_ns",
        "open_more",
        "price",
        "qty_more",
        "quote",
        "risk",
        "view",
    )

    def __init__(self, risk: Risk, intent: Intent, view: RiskView, amended: Live | None) -> None:
        self.risk, self.limits, self.intent, self.view, self.amended = risk, risk.limits, intent, view, amended
        self.now_ns = view.now_ns
        self.base, _, self.quote = intent.symbol.partition("/")
        self.mid = view.mid(intent.symbol)
        self.price = worth(intent, self.mid) or _ZERO
        self.notional = self.open_more = self.price * intent.qty
        self.qty_more = intent.qty
        if amended is not None:
            self.qty_more = intent.qty - amended.filled - amended.left
            self.open_more = (intent.qty - amended.filled) * self.price - amended.left * amended.price


Rule = Callable[[Case], RiskRefusal | None]
"""Returns why an order may not be sent, None where it has nothing to say."""


def _tripped(case: Case) -> RiskRefusal | None:
    return case.risk.tripped


def _symbol(case: Case) -> RiskRefusal | None:
    if case.intent.symbol in case.risk.symbols:
        return None
    return RiskRefusal("symbols", limit="the symbols on the list", found=case.intent.symbol)


def _order_type(case: Case) -> RiskRefusal | None:
    if case.intent.order_type in case.risk.order_types:
        return None
    return RiskRefusal("order_types", limit=", ".join(case.limits.order_types), found=case.intent.order_type)


def _order_qty(case: Case) -> RiskRefusal | None:
    qty, most = case.intent.qty, case.limits.order_qty_max
    return None if 0 < qty <= most else RiskRefusal("order_qty_max", limit=most, found=qty)


def _order_notional(case: Case) -> RiskRefusal | None:
    most = case.limits.order_notional_max
    return None if case.notional <= most else RiskRefusal("order_notional_max", limit=most, found=case.notional)


def _open_orders(case: Case) -> RiskRefusal | None:
    most, found = case.limits.open_orders_max, case.risk.open_orders() + (case.amended is None)
    return None if found <= most else RiskRefusal("open_orders_max", limit=most, found=found)


def _open_notional(case: Case) -> RiskRefusal | None:
    most = case.limits.open_notional_max
    found = case.risk.open_notional(case.quote) + case.open_more
    return None if found <= most else RiskRefusal("open_notional_max", limit=most, found=found)


def _position(case: Case) -> RiskRefusal | None:
    """What would be owned, or owed, if everything on its side were filled; the way back is always open."""
    intent, most = case.intent, case.limits.position_notional_max
    position = case.view.position(intent.symbol)
    open_qty = case.risk.open_qty(case.base, intent.side) + case.qty_more
    worst = open_qty + position if intent.side == "buy" else open_qty - position
    found = worst * (case.mid or case.price)
    return None if found <= most else RiskRefusal("position_notional_max", limit=most, found=found)


def _turnover(case: Case) -> RiskRefusal | None:
    most, risk = case.limits.turnover_day_max, case.risk
    found = risk.traded(case.quote, case.now_ns) + risk.open_notional(case.quote) + case.open_more
    return None if found <= most else RiskRefusal("turnover_day_max", limit=most, found=found)


def _rates(case: Case) -> RiskRefusal | None:
    return case.risk.broken_rate(case.now_ns)


def _price_band(case: Case) -> RiskRefusal | None:
    """How far the price is from the mid, or the limit of a triggered order from its trigger."""
    intent, limits, mid = case.intent, case.limits, case.mid
    if mid is None:
        return RiskRefusal("price_band_bps", limit=limits.price_band_bps, found="no verified price to compare with")
    around = mid
    if intent.order_type in _STOP_TYPES and intent.trigger is not None:
        around = intent.trigger
        if abs(around - mid) * _BPS > mid * limits.price_far_bps:
            return RiskRefusal("price_far_bps", limit=limits.price_far_bps, found=f"{around} beside {mid}")
    if intent.limit is None:
        return None
    worse = intent.limit - around if intent.side == "buy" else around - intent.limit
    rule, most = ("price_band_bps", limits.price_band_bps) if worse > 0 else ("price_far_bps", limits.price_far_bps)
    if abs(worse) * _BPS > around * most:
        return RiskRefusal(rule, limit=most, found=f"{intent.limit} beside {around}")
    return None


def _lookalike(case: Case) -> RiskRefusal | None:
    if case.amended is not None or not case.risk.looks_like(case.intent, case.now_ns):
        return None
    return RiskRefusal("lookalike_window_ms", limit=case.limits.lookalike_window_ms, found="the same order again")


def _book_age(case: Case) -> RiskRefusal | None:
    age_ns, most = case.view.book_age_ns(case.intent.symbol), case.limits.book_age_max_ms
    if age_ns is None or age_ns <= most * _MS:
        return None
    return RiskRefusal("book_age_max_ms", limit=most, found=age_ns // _MS)


def _clock_skew(case: Case) -> RiskRefusal | None:
    skew_ns, most = case.view.clock_skew_ns, case.limits.clock_skew_max_ms
    if skew_ns is None or abs(skew_ns) <= most * _MS:
        return None
    return RiskRefusal("clock_skew_max_ms", limit=most, found=abs(skew_ns) // _MS)


RULES: Final[tuple[Rule, ...]] = (
    _tripped,
    _symbol,
    _order_type,
    _order_qty,
    _order_notional,
    _open_orders,
    _open_notional,
    _position,
    _turnover,
    _rates,
    _price_band,
    _lookalike,
    _book_age,
    _clock_skew,
)


def worth(intent: Intent, mid: Decimal | None) -> Decimal | None:
    """The highest price that it may be worth, quote units a base unit; None where nobody knows."""
    price = intent.trigger if intent.limit is None else intent.limit
    if price is None or (mid is not None and mid > price):
        return mid
    return price


def same(one: Intent, other: Intent) -> bool:
    """Return whether one order is the like of another."""
    return (
        one.symbol == other.symbol
        and one.side == other.side
        and one.order_type == other.order_type
        and one.qty == other.qty
        and one.limit == other.limit
        and one.trigger == other.trigger
    )
