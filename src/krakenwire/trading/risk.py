"""The last gate before an order leaves: the limits of its user, counted here and nowhere else.

What it counts comes from what was sent and what the venue has reported, not
from the strategy. An order whose fate nobody knows counts as open and as
filled in full, whichever is worse; so does every order that is open. All rules
look at an order; the first that stops the bot wins, else the first of all. A
cancel is nobody's business here: it is always allowed. The figures are in `risk_limits`, the rules in `risk_rules`.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Final, Protocol

from krakenwire.errors import InternalError, RiskRefusal
from krakenwire.trading.intents import Intent
from krakenwire.trading.risk_limits import RiskLimits
from krakenwire.trading.risk_rules import RULES, Case, same, worth

__all__ = ["Risk", "RiskView"]

_MS: Final = 1_000_000
_SECOND: Final = 1_000 * _MS
_MINUTE: Final = 60 * _SECOND
_DAY: Final = 86_400 * _SECOND
_BPS: Final = 10_000
_BP: Final = Decimal("0.0001")
_ZERO: Final = Decimal(0)


class RiskView(Protocol):
    """What risk asks about the moment; whoever drives a strategy knows it."""

    @property
    def now_ns(self) -> int:
        """The run's own time."""

    @property
    def clock_skew_ns(self) -> int | None:
        """How far our clock is from the venue's; None where there is one clock."""

    def mid(self, symbol: str) -> Decimal | None:
        """Return the last verified mid price; the last price where there is no book; None before either."""

    def book_age_ns(self, symbol: str) -> int | None:
        """Return how long ago its book was last known to be right; None where that cannot grow old."""

    def position(self, symbol: str) -> Decimal:
        """Return what is owned of the base asset, base units."""


class Live:
    """An order that is open, or may be; `most` is what it may fill, whatever becomes of an amendment."""

    __slots__ = ("filled", "intent", "left", "most", "price", "quote", "side", "unknown")

    def __init__(self, intent: Intent, price: Decimal, base: str, quote: str) -> None:
        self.intent, self.price, self.left = intent, price, intent.qty
        self.most = intent.qty
        self.quote, self.side = quote, (base, intent.side)
        self.filled, self.unknown = _ZERO, False


class Risk:
    """The limits of one bot.

    Hand it what happens: `observe_sent` when an order is about to leave, then its fills and its end.

    Args:
        limits: of the user.
        symbols: that the strategy names; they may be traded unless the limits name others.

    Attributes:
        limits: as given.
        symbols, order_types: that may be sent.
        rates: how many orders may leave in how long, with the limit's name.
        sent_ns: when the last ones left, oldest first.
        tripped: the limit that has stopped the bot: it refuses everything until `lift`; None while it has not.
    """

    def __init__(self, limits: RiskLimits, symbols: tuple[str, ...] = ()) -> None:
        self.limits = limits
        self.tripped: RiskRefusal | None = None
        self.symbols = frozenset(symbols if limits.symbols is None else limits.symbols)
        self.order_types = frozenset(limits.order_types)
        self.rates: Final = (
            (limits.orders_per_second_max, _SECOND, "orders_per_second_max"),
            (limits.orders_per_minute_max, _MINUTE, "orders_per_minute_max"),
            (limits.orders_per_day_max, _DAY, "orders_per_day_max"),
        )
        self._looked_at: tuple[Intent | None, Decimal] = (None, _ZERO)
        """The order that was looked at last, and what a unit of it may be worth."""
        self._near_bps = min(limits.price_band_bps, limits.price_far_bps)
        self._assets: dict[str, tuple[str, str]] = {}
        self._live: dict[str, Live] = {}
        self._foreign: dict[str, Intent] = {}
        self._unknown = 0
        self._open_notional: dict[str, Decimal] = {}
        self._open_qty: dict[tuple[str, str], Decimal] = {}
        self.sent_ns: deque[int] = deque(maxlen=max(1, limits.orders_per_day_max))
        self._recent: deque[tuple[int, Intent]] = deque()
        self._fills: deque[tuple[int, str, Decimal]] = deque()
        self._traded: dict[str, Decimal] = {}
        self._day = -1
        self.day_equity = self.peak_equity = _ZERO
        self._safe_equity: Decimal | None = None
        """Between this and the peak no loss is too large today; None until that is counted."""

    # -- judging ---------------------------------------------------------------------

    def check(self, intent: Intent, view: RiskView) -> RiskRefusal | None:
        """Judge a new order; return why it may not be sent, None when it may."""
        if intent.id in self._live:
            return RiskRefusal("intent_once", limit=1, found="an intent that was sent already", stops=True)
        if self._surely_fits(intent, view):
            return None
        return self._judge(Case(self, intent, view, None))

    def check_amend(self, intent: Intent, view: RiskView) -> RiskRefusal | None:
        """Judge an amendment like a new order of its new figures, in place of the old ones.

        Args:
            intent: the order's own, with the quantity and the limit that it is to have.
            view: the moment.
        """
        live = self._live.get(intent.id)
        if live is None:
            return RiskRefusal("amend_open", limit="an order that is open", found=intent.id)
        return self._judge(Case(self, intent, view, live))

    def _surely_fits(self, intent: Intent, view: RiskView) -> bool:
        """Return True only where none of the rules has a word to say: what is usual, seen with half the work."""
        limits, price, mid = self.limits, intent.limit, view.mid(intent.symbol)
        if price is None or mid is None or intent.trigger is not None or self.tripped is not None:
            return False
        if intent.symbol not in self.symbols or intent.order_type not in self.order_types:
            return False
        base, quote = self._assets_of(intent.symbol)
        now_ns, qty, most = view.now_ns, intent.qty, max(price, mid)
        notional = most * qty
        self._looked_at = intent, most
        open_more = self._open_notional.get(quote, _ZERO) + notional
        owned = view.position(intent.symbol)
        owned_more = self._open_qty.get((base, intent.side), _ZERO) + qty
        worst = (owned_more + owned if intent.side == "buy" else owned_more - owned) * mid
        age_ns = view.book_age_ns(intent.symbol)
        return (
            _ZERO < qty <= limits.order_qty_max
            and notional <= limits.order_notional_max
            and len(self._live) + len(self._foreign) < limits.open_orders_max
            and open_more <= limits.open_notional_max
            and worst <= limits.position_notional_max
            and self.traded(quote, now_ns) + open_more <= limits.turnover_day_max
            and abs(price - mid) * _BPS <= mid * self._near_bps
            and (age_ns is None or age_ns <= limits.book_age_max_ms * _MS)
            and view.clock_skew_ns is None
            and self.broken_rate(now_ns) is None
            and not self.looks_like(intent, now_ns)
        )

    def _judge(self, case: Case) -> RiskRefusal | None:
        broken = [refusal for rule in RULES if (refusal := rule(case)) is not None]
        if not broken:
            return None
        first = next((refusal for refusal in broken if refusal.stops), broken[0])
        others = tuple(refusal for refusal in broken if refusal is not first)
        return RiskRefusal(first.rule, limit=first.limit, found=first.found, stops=first.stops, others=others)

    # -- what happens ------------------------------------------------------------------

    def observe_sent(self, intent: Intent, view: RiskView) -> None:
        """An order is about to leave: from now on it counts."""
        now_ns = view.now_ns
        looked_at, most = self._looked_at
        if looked_at is not intent:
            most = worth(intent, view.mid(intent.symbol)) or _ZERO
        self._open(intent, most)
        self.sent_ns.append(now_ns)
        self._recent.append((now_ns, intent))

    def restore_sent(self, sent_ns: int) -> None:
        """An order of an earlier life left then. Hand them over oldest first."""
        self.sent_ns.append(sent_ns)

    def restore_traded(self, symbol: str, cost: Decimal, traded_ns: int) -> None:
        """An order of an earlier life has traded that much, quote units, until then. Hand them over oldest first."""
        self._trade(self._assets_of(symbol)[1], cost, traded_ns)

    def restore_live(self, intent: Intent, filled: Decimal, *, unknown: bool, mid: Decimal | None = None) -> None:
        """An order of an earlier life is open, or may be."""
        self._open(intent, worth(intent, mid) or _ZERO)
        self._take(self._live[intent.id], filled)
        if unknown:
            self.observe_unknown(intent.id)

    def _open(self, intent: Intent, price: Decimal) -> None:
        if intent.id in self._live:
            raise InternalError(f"intent {intent.id} was sent twice")
        live = self._live[intent.id] = Live(intent, price, *self._assets_of(intent.symbol))
        self._count(live, live.left)

    def observe_amended(self, intent: Intent, view: RiskView) -> None:
        """An amendment to the figures of `intent` is about to leave: until its fate is known the worse ones count."""
        live = self._live[intent.id]
        self.sent_ns.append(view.now_ns)
        self._count(live, -live.left)
        live.price = max(live.price, worth(intent, view.mid(intent.symbol)) or _ZERO)
        live.intent, live.left = intent, max(live.left, intent.qty - live.filled)
        live.most = max(live.most, intent.qty)
        self._count(live, live.left)

    def observe_terms(self, intent: Intent, view: RiskView) -> None:
        """The figures of an open order are known to be these, after an amendment that was taken or refused."""
        live = self._live.get(intent.id)
        if live is not None:
            self._count(live, -live.left)
            live.intent, live.left = intent, max(_ZERO, intent.qty - live.filled)
            live.most = intent.qty
            live.price = worth(intent, view.mid(intent.symbol)) or _ZERO
            self._count(live, live.left)

    def observe_unknown(self, intent_id: str) -> RiskRefusal | None:
        """Nobody knows what became of an order; return the limit that this breaks."""
        live = self._live.get(intent_id)
        if live is not None and not live.unknown:
            live.unknown = True
            self._unknown += 1
        if self._unknown > self.limits.unknown_orders_max:
            return self._trip("unknown_orders_max", self.limits.unknown_orders_max, self._unknown)
        return None

    def observe_known(self, intent_id: str) -> None:
        """An order is known to be open."""
        live = self._live.get(intent_id)
        if live is not None and live.unknown:
            live.unknown = False
            self._unknown -= 1

    def observe_fill(self, intent_id: str, qty: Decimal, price: Decimal, now_ns: int) -> RiskRefusal | None:
        """The venue has reported a fill; return the limit that this breaks: more has filled than was ever wanted."""
        live = self._live.get(intent_id)
        if live is None:
            return self._trip("fills_of_intent", "fills of an order that is open", intent_id)
        self._trade(live.quote, qty * price, now_ns)
        self._take(live, qty)
        if live.filled > live.most:
            return self._trip("fills_of_intent", live.most, live.filled)
        return None

    def observe_end(self, intent_id: str) -> None:
        """An order has ended, was refused, or never was."""
        live = self._live.pop(intent_id, None)
        if live is None:
            return
        if live.unknown:
            self._unknown -= 1
        if live.left:
            self._count(live, -live.left)

    def observe_foreign(self, orders: tuple[Intent, ...]) -> None:
        """These orders of the account are open and not ours, all of them: they count and are never touched."""
        for intent in self._foreign.values():
            self._count_foreign(intent, -1)
        self._foreign = {intent.id: intent for intent in orders}
        for intent in orders:
            self._count_foreign(intent, 1)

    def observe_equity(self, now_ns: int, equity: Decimal) -> RiskRefusal | None:
        """Equity is known; return the limit that this breaks. A day's loss counts from the first of the day, UTC."""
        day = now_ns // _DAY
        safe = self._safe_equity
        if safe is not None and safe <= equity <= self.peak_equity and day == self._day:
            return None
        if day != self._day:
            self._day, self.day_equity = day, equity
        self.peak_equity = max(self.peak_equity, equity)
        self._safe_equity = max(
            self.day_equity - self.limits.daily_loss_max,
            self.peak_equity - self.peak_equity * self.limits.drawdown_max_bps * _BP,
        )
        loss, fall = self.day_equity - equity, self.peak_equity - equity
        if loss > self.limits.daily_loss_max:
            return self._trip("daily_loss_max", self.limits.daily_loss_max, loss)
        if fall * _BPS > self.peak_equity * self.limits.drawdown_max_bps:
            return self._trip("drawdown_max_bps", self.limits.drawdown_max_bps, f"{fall} below {self.peak_equity}")
        return None

    def restore_day(self, now_ns: int, day_equity: Decimal, peak_equity: Decimal) -> None:
        """The day had begun with that equity, and the highest was that."""
        self._day, self.day_equity, self.peak_equity = now_ns // _DAY, day_equity, peak_equity
        self._safe_equity = None

    def lift(self, equity: Decimal | None = None) -> None:
        """A person has lifted the stop: losses count from here."""
        self.tripped = None
        if equity is not None:
            self.day_equity = self.peak_equity = equity
            self._safe_equity = None

    # -- inside --------------------------------------------------------------------------

    def _trip(self, rule: str, limit: object, found: object) -> RiskRefusal:
        self.tripped = RiskRefusal(rule, limit=limit, found=found, stops=True)
        return self.tripped

    def _trade(self, quote: str, cost: Decimal, now_ns: int) -> None:
        self._fills.append((now_ns, quote, cost))
        self._traded[quote] = self._traded.get(quote, _ZERO) + cost

    def _take(self, live: Live, qty: Decimal) -> None:
        """A part of an order has filled."""
        taken = min(qty, live.left)
        self._count(live, -taken)
        live.left -= taken
        live.filled += qty

    def _count(self, live: Live, qty: Decimal) -> None:
        self._add(live.quote, live.side, qty, qty * live.price)

    def _count_foreign(self, intent: Intent, sign: int) -> None:
        base, quote = self._assets_of(intent.symbol)
        qty = sign * intent.qty
        self._add(quote, (base, intent.side), qty, qty * (worth(intent, None) or _ZERO))

    def _add(self, quote: str, side: tuple[str, str], qty: Decimal, notional: Decimal) -> None:
        self._open_notional[quote] = self._open_notional.get(quote, _ZERO) + notional
        self._open_qty[side] = self._open_qty.get(side, _ZERO) + qty

    def _assets_of(self, symbol: str) -> tuple[str, str]:
        """Return the base and the quote asset of a symbol."""
        assets = self._assets.get(symbol)
        if assets is None:
            base, _, quote = symbol.partition("/")
            assets = self._assets[symbol] = base, quote
        return assets

    def broken_rate(self, now_ns: int) -> RiskRefusal | None:
        """Return why no other order may leave now, None when one may."""
        sent = self.sent_ns
        for most, span_ns, rule in self.rates:
            if most == 0 or (len(sent) >= most and sent[-most] > now_ns - span_ns):
                return RiskRefusal(rule, limit=most, found=most + 1)
        return None

    def open_orders(self) -> int:
        """Return how many orders count as open, those that are not ours included."""
        return len(self._live) + len(self._foreign)

    def unknown_orders(self) -> int:
        """Return of how many orders nobody knows the fate."""
        return self._unknown

    def open_qty(self, base: str, side: str) -> Decimal:
        """Return what open orders may still buy or sell of an asset."""
        return self._open_qty.get((base, side), _ZERO)

    def open_notional(self, quote: str) -> Decimal:
        """Return what open orders are worth in a quote asset."""
        return self._open_notional.get(quote, _ZERO)

    def traded(self, quote: str, now_ns: int) -> Decimal:
        """Return what has traded in the last 24 hours, in a quote asset."""
        while self._fills and self._fills[0][0] <= now_ns - _DAY:
            _, asset, notional = self._fills.popleft()
            self._traded[asset] -= notional
        return self._traded.get(quote, _ZERO)

    def looks_like(self, intent: Intent, now_ns: int) -> bool:
        """Return whether the like of it was sent within the window."""
        recent = self._recent
        if not recent:
            return False
        begin_ns = now_ns - self.limits.lookalike_window_ms * _MS
        while recent and recent[0][0] <= begin_ns:
            recent.popleft()
        return bool(recent) and any(same(intent, other) for _, other in recent)
