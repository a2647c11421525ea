"""A strategy that does anything at any time on a market from a seed, and a ledger that follows its account.

The three symbols share their assets: what is bought for dollars may be sold for
euros, and euros are worth what they cost in dollars. The ledger knows the
balances at the start and the rows of the run, and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, ClassVar

from tests.native.simulator_world import MS, market

from krakenwire.apps.backtest import run_backtest
from krakenwire.apps.bot_config import BotConfig
from krakenwire.apps.market_data import MarketCounters, MarketData
from krakenwire.model.rows import Listing
from krakenwire.trading.orders import Order
from krakenwire.trading.ports import AllowAll
from krakenwire.trading.risk_limits import RiskLimits
from krakenwire.trading.run_records import EquityRow, FillRow
from krakenwire.trading.run_result import RunResult
from krakenwire.trading.simulator import FillModel
from krakenwire.trading.strategy import Strategy

LISTINGS = (
    Listing(symbol="BTC/USD", price_decimals=1, qty_decimals=3, depth=5, qty_min=Decimal("0.002")),
    Listing(symbol="EUR/USD", price_decimals=3, qty_decimals=2, depth=10, tick=5, lot=2),
    Listing(symbol="BTC/EUR", price_decimals=1, qty_decimals=3, cost_min=Decimal("0.5")),
)
BALANCES = {"USD": Decimal("20.1"), "BTC": Decimal("0.05"), "EUR": Decimal(7)}
SLOWER = 20
"""So much longer than the market of the simulator's tests: seconds pass, equity is sampled."""


class Anything(Strategy):
    """Draws what it does from a seed each time it is called."""

    symbols = tuple(listing.symbol for listing in LISTINGS)
    seed: ClassVar[int] = 0
    look: ClassVar[Callable[[Anything], None] | None] = None
    hears_books: ClassVar[bool] = True
    made: ClassVar[Anything | None] = None

    def on_start(self) -> None:
        type(self).made = self
        self.chance = Random(self.seed)
        self.placed: list[Order] = []
        self.every(0.035, "act")

    def on_book(self, book: Any) -> None:
        if self.hears_books:
            self.act(0.3)

    def on_trade(self, trade: Any) -> None:
        self.act(0.2)

    def on_fill(self, fill: Any) -> None:
        self.act(0.3)

    def on_order(self, order: Any) -> None:
        self.act(0.1)

    def on_timer(self, name: str) -> None:
        self.act(0.7)

    def act(self, share: float) -> None:
        if self.look is not None:
            self.look()
        chance = self.chance
        if chance.random() > share:
            return
        kind = chance.random()
        old = chance.choice(self.placed[-8:]) if self.placed else None
        if old is None or kind < 0.6:
            self.order()
        elif kind < 0.8:
            self.amend(
                old,
                limit=None if old.limit is None else self.price(old.symbol),
                qty=chance.choice((None, self.size(old.symbol))),
            )
        elif kind < 0.93:
            self.cancel(old)
        elif kind < 0.95:
            self.cancel_all(chance.choice((None, *self.symbols)))
        else:
            self.target_position(chance.choice(self.symbols[:2]), self.size("BTC/USD") * chance.randrange(3))

    def order(self) -> None:
        chance = self.chance
        symbol = chance.choice(self.symbols)
        kind = chance.choice(
            ("limit",) * 5 + ("post", "ioc", "fok", "expire", "market", "stop", "profit", "stop-limit")
        )
        more: dict[str, Any] = {
            "post": {"post_only": True},
            "ioc": {"tif": "ioc"},
            "fok": {"tif": "fok"},
            "expire": {"expire_s": chance.choice((0.001, 0.05, 0.3))},
            "stop": {"stop": self.price(symbol)},
            "profit": {"take_profit": self.price(symbol)},
            "stop-limit": {"stop": self.price(symbol)},
        }.get(kind, {})
        limit = None if kind in {"market", "stop", "profit"} else self.price(symbol)
        more["reduce_only"] = chance.random() < 0.1
        act = chance.choice((self.buy, self.sell))
        self.placed.append(act(symbol, self.size(symbol), limit, **more))

    def price(self, symbol: str) -> Decimal:
        market = self._engine.desk.market(symbol)
        return self.round_price(
            symbol, (market.last_mid() or Decimal(1)) * (1000 + self.chance.randrange(-7, 8)) / 1000
        )

    def size(self, symbol: str) -> Decimal:
        lots = self.chance.choice((1, 2, 4, 7, 10, 24, 40))
        return self._engine.desk.market(symbol).listing.qty(lots)


def world(seed: int, frames: int = 150) -> tuple[MarketData, FillModel, bool]:
    """Return a market, what is assumed of it, and whether it is on margin."""
    random = Random(seed)
    rows = market(random, frames)
    rows["time_ns"] *= SLOWER
    rows["venue_ns"] *= SLOWER
    model = FillModel(
        entry_latency_ns=random.choice((0, 1, 20 * MS, 90 * MS)),
        report_latency_ns=random.choice((0, 2, 10 * MS, 50 * MS)),
        maker_fee=Decimal(random.choice(("0", "0.0025", "0.00123456789"))),
        taker_fee=Decimal(random.choice(("0", "0.0040", "0.00987654321"))),
        queue=random.choice(("conservative", "proportional")),
        trades_only_queue_lots=random.choice((None, 0, 7)),
    )
    times = rows["time_ns"]
    data = MarketData(rows, LISTINGS, [None] * 9, int(times[0]), int(times[-1]), "a seed", MarketCounters())  # type: ignore[list-item]
    return data, model, random.random() < 0.3


def run_world(
    seed: int,
    data: MarketData,
    model: FillModel,
    margin: bool,
    *,
    limits: RiskLimits | None = None,
    look: Callable[[Anything], None] | None = None,
) -> tuple[RunResult, Anything]:
    """Run a strategy over a market; without limits nothing of risk is asked."""
    strategy = type("Drawn", (Anything,), {"seed": seed, "look": look})
    config = BotConfig(balances=BALANCES, model=model, margin=margin, quote="USD", limits=limits or RiskLimits())
    result = run_backtest(strategy, data, config=config, risk=AllowAll() if limits is None else None)
    made: Anything = strategy.made  # type: ignore[attr-defined]  # a class made here
    return result, made


def live(
    seed: int,
    *,
    frames: int = 150,
    limits: RiskLimits | None = None,
    look: Callable[[Anything], None] | None = None,
) -> tuple[RunResult, Anything]:
    """Run it all from a seed, and return the run and the strategy as it was left."""
    data, model, margin = world(seed, frames)
    return run_world(seed, data, model, margin, limits=limits, look=look)


class Ledger:
    """Balances as the rows of a run tell them, in fractions.

    Args:
        result: of the run.
    """

    def __init__(self, result: RunResult) -> None:
        self.balances = defaultdict(Fraction, {asset: Fraction(amount) for asset, amount in BALANCES.items()})
        self.fees: defaultdict[str, Fraction] = defaultdict(Fraction)
        self.turnover: defaultdict[str, Fraction] = defaultdict(Fraction)
        self.rates = {
            True: Fraction(str(result.head.model["maker_fee"])),
            False: Fraction(str(result.head.model["taker_fee"])),
        }

    def fill(self, row: FillRow) -> None:
        """Take a fill."""
        base, _, quote = row.symbol.partition("/")
        sign, cost = 1 if row.side == "buy" else -1, Fraction(row.price) * Fraction(row.qty)
        assert Fraction(row.fee) == cost * self.rates[row.maker]
        self.balances[base] += sign * Fraction(row.qty)
        self.balances[quote] -= sign * cost + Fraction(row.fee)
        self.fees[quote] += Fraction(row.fee)
        self.turnover[quote] += cost
        assert Fraction(row.position) == self.balances[base]

    def check(self, row: EquityRow) -> None:
        """Compare a sample of equity."""
        assert Fraction(row.cash) == self.balances["USD"]
        worth = self.balances["USD"]
        for asset, symbol in (("BTC", "BTC/USD"), ("EUR", "EUR/USD")):
            if self.balances[asset]:
                worth += self.balances[asset] * Fraction(row.mids[symbol])
        assert Fraction(row.equity) == worth
        for symbol, held in row.positions.items():
            assert Fraction(held) == self.balances[symbol.partition("/")[0]]
