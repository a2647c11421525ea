"""How much of each limit is used now: what a person watches, before an order is refused.

It asks `risk.Risk` what it has counted, and changes nothing. A limit that
counts for each asset or symbol by itself is told for the one nearest to it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from krakenwire.trading.risk import Risk, RiskView
from krakenwire.trading.run_status import RiskUse

__all__ = ["risk_use"]

_ZERO: Final = Decimal(0)
_MS: Final = 1_000_000
_BPS: Final = 10_000


def risk_use(risk: Risk, view: RiskView, symbols: Sequence[str], equity: Decimal | None) -> tuple[RiskUse, ...]:
    """Return the use of each limit that fills up, always in the same order.

    Args:
        risk: of the run.
        view: the moment.
        symbols: of the run.
        equity: the latest; None before the first price.
    """
    quotes = dict.fromkeys(symbol.partition("/")[2] for symbol in symbols)
    limits, now_ns = risk.limits, view.now_ns
    open_notional = {quote: risk.open_notional(quote) for quote in quotes}
    traded = [risk.traded(quote, now_ns) + open_notional[quote] for quote in quotes]
    used: list[tuple[str, Decimal | int, Decimal | int]] = [
        ("open_orders_max", risk.open_orders(), limits.open_orders_max),
        ("open_notional_max", max(open_notional.values(), default=_ZERO), limits.open_notional_max),
        ("position_notional_max", _worst_position(risk, view, symbols), limits.position_notional_max),
        ("turnover_day_max", max(traded, default=_ZERO), limits.turnover_day_max),
        *((rule, _sent_since(risk, now_ns - span_ns), most) for most, span_ns, rule in risk.rates),
        ("daily_loss_max", _fall(risk.day_equity, equity), limits.daily_loss_max),
        ("drawdown_max_bps", _share(_fall(risk.peak_equity, equity), risk.peak_equity), limits.drawdown_max_bps),
        ("book_age_max_ms", _oldest_book_ms(view, symbols), limits.book_age_max_ms),
        ("clock_skew_max_ms", abs(view.clock_skew_ns or 0) // _MS, limits.clock_skew_max_ms),
        ("unknown_orders_max", risk.unknown_orders(), limits.unknown_orders_max),
    ]
    return tuple(RiskUse(rule=rule, used=Decimal(found), limit=Decimal(most)) for rule, found, most in used)


def _worst_position(risk: Risk, view: RiskView, symbols: Sequence[str]) -> Decimal:
    """The most that would be owned, or owed, of one asset if the open orders of one side were filled."""
    worst = _ZERO
    for symbol in symbols:
        base, mid, position = symbol.partition("/")[0], view.mid(symbol), view.position(symbol)
        qty = max(position + risk.open_qty(base, "buy"), risk.open_qty(base, "sell") - position)
        worst = max(worst, qty * (mid or _ZERO))
    return worst


def _sent_since(risk: Risk, since_ns: int) -> int:
    return len(risk.sent_ns) - bisect_right(risk.sent_ns, since_ns)


def _fall(high: Decimal, equity: Decimal | None) -> Decimal:
    return _ZERO if equity is None else max(_ZERO, high - equity)


def _share(part: Decimal, whole: Decimal) -> Decimal:
    return part * _BPS / whole if whole else _ZERO


def _oldest_book_ms(view: RiskView, symbols: Sequence[str]) -> int:
    return max((view.book_age_ns(symbol) or 0 for symbol in symbols), default=0) // _MS
