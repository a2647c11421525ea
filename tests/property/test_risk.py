"""Risk limits see usual orders and samples with less work; whatever happens, the verdict is that of all rules."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from tests.unit.trading.risk_scene import SECOND, Scene, intent

from krakenwire.errors import RiskRefusal
from krakenwire.trading.intents import Intent
from krakenwire.trading.risk import Risk, RiskView
from krakenwire.trading.risk_limits import RiskLimits

D = Decimal
SYMBOLS = ("BTC/USD", "ETH/USD", "ETH/BTC")
LIMITS = RiskLimits(
    order_qty_max=D(2),
    order_notional_max=D(1_000),
    open_orders_max=6,
    open_notional_max=D(1_500),
    position_notional_max=D(1_800),
    turnover_day_max=D(4_000),
    orders_per_second_max=1,
    orders_per_minute_max=2,
    orders_per_day_max=400,
    lookalike_window_ms=30_000,
    daily_loss_max=D(100),
    drawdown_max_bps=D(80),
    symbols=SYMBOLS[:2],
    order_types=("limit", "market", "stop-loss-limit"),
)


class Thorough(Risk):
    """Asks every rule about every order, and adds up every sample."""

    def _surely_fits(self, intent: Intent, view: RiskView) -> bool:
        return False

    def observe_equity(self, now_ns: int, equity: Decimal) -> RiskRefusal | None:
        self._safe_equity = None
        return super().observe_equity(now_ns, equity)


def text(refusal: RiskRefusal | None) -> str:
    return "" if refusal is None else f"{refusal} {refusal.others} {refusal.stops}"


class Life:
    """One life of a bot, told to both."""

    def __init__(self, seed: int) -> None:
        self.chance, self.scene = Random(seed), Scene(price=D(500), positions={"BTC/USD": D(1)})
        self.risks = (Risk(LIMITS), Thorough(LIMITS))
        self.open: dict[str, Intent] = {}
        self.verdicts: list[str] = []
        self.equity = D(10_000)

    def live(self, steps: int) -> None:
        for number in range(steps):
            self.move()
            self.chance.choice((self.order, self.order, self.order, self.end, self.fill, self.sample))(f"o{number}")

    def told(self, *verdicts: RiskRefusal | None) -> bool:
        quick, thorough = map(text, verdicts)
        assert quick == thorough, f"after {self.verdicts[-3:]}"
        self.verdicts.append(quick)
        return not quick

    def move(self) -> None:
        chance, scene = self.chance, self.scene
        scene.now_ns += chance.choice((0, SECOND // 4, SECOND, 5 * SECOND, 20 * SECOND, 60 * SECOND, 4_000 * SECOND))
        scene.price = chance.choice((None, D(500), D("500.5"), D(505), D("0.001"))) if chance.random() < 0.1 else D(500)
        scene.age_ns = chance.choice((None, 0, 4 * SECOND, 6 * SECOND)) if chance.random() < 0.1 else 0
        scene.clock_skew_ns = chance.choice((None, 0, 2 * SECOND)) if chance.random() < 0.1 else None

    def order(self, name: str) -> None:
        chance = self.chance
        side, qty = chance.choice(("buy", "sell")), chance.choice(("0.01", "0.5", "1", "2", "2.1", "0"))
        limit = chance.choice((None, "500", "500", "509.9", "511", "200", "800", "1"))
        more: dict[str, object] = {"symbol": chance.choice((*SYMBOLS, *SYMBOLS[:1] * 8))}
        if chance.random() < 0.1:
            more |= {"order_type": chance.choice(("stop-loss-limit", "take-profit")), "trigger": D(505)}
        wanted = intent(name, side, qty, limit, **more)
        if self.told(*(risk.check(wanted, self.scene) for risk in self.risks)):
            self.open[name] = wanted
            for risk in self.risks:
                risk.observe_sent(wanted, self.scene)

    def end(self, _name: str) -> None:
        if self.open:
            name = self.chance.choice(tuple(self.open))
            del self.open[name]
            for risk in self.risks:
                risk.observe_end(name)

    def fill(self, _name: str) -> None:
        if self.open:
            name = self.chance.choice(tuple(self.open))
            qty = self.open[name].qty * self.chance.choice((D("0.25"), D("0.5"), D(1)))
            now_ns = self.scene.now_ns
            self.told(*(risk.observe_fill(name, qty, D("499.5"), now_ns) for risk in self.risks))
            self.lift()

    def sample(self, _name: str) -> None:
        self.equity += self.chance.choice((-45, -25, -5, D("-0.1"), D("0.1"), 5, 25, 45))
        self.told(*(risk.observe_equity(self.scene.now_ns, self.equity) for risk in self.risks))
        self.lift()

    def lift(self) -> None:
        if self.chance.random() < 0.5:
            for risk in self.risks:
                risk.lift(self.equity)


def test_what_is_let_past_at_a_glance_no_rule_would_have_refused() -> None:
    verdicts: list[str] = []
    for seed in range(24):
        life = Life(seed)
        life.live(600)
        verdicts += life.verdicts
    assert sum(not verdict for verdict in verdicts) > len(verdicts) // 5
    rules = {"order_qty_max", "order_notional_max", "open_orders_max", "open_notional_max", "position_notional_max"}
    rules |= {"turnover_day_max", "orders_per_second_max", "orders_per_minute_max", "price_band_bps", "price_far_bps"}
    rules |= {"lookalike_window_ms", "book_age_max_ms", "clock_skew_max_ms", "symbols", "order_types"}
    rules |= {"daily_loss_max", "drawdown_max_bps", "fills_of_intent"}
    assert not {rule for rule in rules if not any(rule in verdict for verdict in verdicts)}
