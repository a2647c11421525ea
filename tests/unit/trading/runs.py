"""Runs for the tests of reports: a plausible one drawn from a seed, and rows by hand in few words."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from krakenwire.model.market import OrderSide
from krakenwire.trading.report.run import RunRows
from krakenwire.trading.run_records import DecisionRow, EquityRow, FillRow, NoteRow, OrderRow, RunHead

START_NS = 1_790_000_000_000_000_000
SECOND = 1_000_000_000
BTC = "BTC/USD"


def head(**other: object) -> RunHead:
    values: dict[str, object] = {
        "run": "20260928-fade-1",
        "strategy": "Fade",
        "mode": "backtest",
        "source": "tape",
        "symbols": (BTC,),
        "start_ns": START_NS,
        "version": "0.5.0",
        "parameters": {"fast": 10, "slow": 50},
        "balances": {"USD": Decimal(10_000)},
        "model": {"entry_latency_ns": 20_000_000, "queue": "conservative"},
        "limits": {"order_notional": "1000"},
    }
    return RunHead(**{**values, **other})  # type: ignore[arg-type] # tests say which field they mean


def fill(
    side: OrderSide,
    qty: str,
    price: str,
    *,
    at_s: float = 0,
    id: str = "b1",  # noqa: A002 - as the row calls it
    fee: str = "0",
    maker: bool = True,
    mid: str | None = None,
    position: str | None = None,
    symbol: str = BTC,
    decided_s: float | None = None,
) -> FillRow:
    """A fill; its position is that of an account which had nothing before, unless told."""
    moved = Decimal(qty) if side == "buy" else -Decimal(qty)
    return FillRow(
        time_ns=START_NS + round(at_s * SECOND),
        exec_id=f"{id}-{at_s}",
        id=id,
        symbol=symbol,
        side=side,
        price=Decimal(price),
        qty=Decimal(qty),
        fee=Decimal(fee),
        maker=maker,
        mid=None if mid is None else Decimal(mid),
        position=moved if position is None else Decimal(position),
        decided_ns=0 if decided_s is None else START_NS + round(decided_s * SECOND),
    )


def equity(at_s: float, value: str, position: str = "0", mid: str | None = "100", cash: str = "0") -> EquityRow:
    return EquityRow(
        time_ns=START_NS + round(at_s * SECOND),
        equity=Decimal(value),
        cash=Decimal(cash),
        positions={BTC: Decimal(position)},
        mids={} if mid is None else {BTC: Decimal(mid)},
    )


def order(id: str, state: str, *, at_s: float = 0, decided_s: float | None = None, reason: str = "") -> OrderRow:  # noqa: A002
    return OrderRow(
        time_ns=START_NS + round(at_s * SECOND),
        id=id,
        symbol=BTC,
        side="buy",
        order_type="limit",
        state=state,
        qty=Decimal(1),
        filled=Decimal(0),
        reason=reason,
        decided_ns=0 if decided_s is None else START_NS + round(decided_s * SECOND),
    )


def note(kind: str, text: str = "", *, at_s: float = 0, id: str = "", count: int = 1, symbol: str = "") -> NoteRow:  # noqa: A002
    return NoteRow(time_ns=START_NS + round(at_s * SECOND), kind=kind, text=text, id=id, count=count, symbol=symbol)


class _Account:
    """Buys and sells around a price that wanders; writes down what a bot would."""

    def __init__(self, seed: int, run: RunRows, step_s: float) -> None:
        self.chance, self.run, self.step_ns = Random(seed), run, round(step_s * SECOND)
        self.now, self.mid, self.cash, self.held, self.count = START_NS, Decimal(60_000), Decimal(10_000), Decimal(0), 0

    def step(self) -> None:
        self.now += self.step_ns
        self.mid = max(self.mid + Decimal(self.chance.gauss(0, 8)).quantize(Decimal("0.1")), Decimal(1_000))
        if self.chance.random() < 0.05:
            self.trade("sell" if self.held and self.chance.random() < 0.6 else "buy")
        if self.chance.random() < 0.002:
            self.run.notes.append(NoteRow(time_ns=self.now, kind="gap", text="the book was lost", symbol=BTC))
        self.run.equity.append(
            EquityRow(
                time_ns=self.now,
                equity=self.cash + self.held * self.mid,
                cash=self.cash,
                positions={BTC: self.held},
                mids={BTC: self.mid},
            )
        )

    def trade(self, side: OrderSide) -> None:
        self.count += 1
        key, qty, decided, maker = f"b{self.count}", Decimal("0.0125"), self.now, self.chance.random() < 0.7
        sign = 1 if side == "buy" else -1
        limit = self.mid - sign * Decimal("0.5") if maker else None
        self.run.decisions.append(
            DecisionRow(
                time_ns=decided, action=side, symbol=BTC, id=key, qty=qty, limit=limit, mid=self.mid, tag="fade"
            )
        )
        if side == "buy" and self.cash < qty * self.mid * 2:
            self.state(key, side, "refused", decided, decided, limit, "refused by order_notional: the limit is 1000")
            return
        opened = decided + 20_000_000 + round(self.chance.expovariate(1) * 8e6)
        self.state(key, side, "intent", decided, decided, limit)
        self.state(key, side, "open", opened, decided, limit)
        if maker and self.chance.random() < 0.2:
            self.state(key, side, "canceled", opened + 5 * SECOND, decided, limit)
            return
        done = opened + (round(self.chance.expovariate(1) * 4e8) if maker else 1_000_000)
        price = limit if limit is not None else self.mid + sign * Decimal("0.4")
        fee = price * qty * Decimal("0.0025" if maker else "0.0040") / 10
        self.cash -= sign * price * qty + fee
        self.held += sign * qty
        self.run.fills.append(
            FillRow(
                time_ns=done,
                exec_id=f"{key}-1",
                id=key,
                symbol=BTC,
                side=side,
                price=price,
                qty=qty,
                fee=fee,
                maker=maker,
                mid=self.mid,
                position=self.held,
                decided_ns=decided,
                tag="fade",
            )
        )
        self.state(key, side, "filled", done, decided, limit, filled=qty)

    def state(
        self,
        key: str,
        side: OrderSide,
        state: str,
        at: int,
        decided: int,
        limit: Decimal | None,
        reason: str = "",
        filled: Decimal = Decimal(0),
    ) -> None:
        self.run.orders.append(
            OrderRow(
                time_ns=at,
                id=key,
                symbol=BTC,
                side=side,
                order_type="market" if limit is None else "limit",
                state=state,
                qty=Decimal("0.0125"),
                filled=filled,
                limit=limit,
                reason=reason,
                decided_ns=decided,
                tag="fade",
            )
        )


def plausible_run(seed: int = 1, *, samples: int = 2_000, step_s: float = 10, **other: object) -> RunRows:
    """A run of `samples` samples of equity; the same seed gives the same run to the last digit."""
    run = RunRows(head(**other))
    account = _Account(seed, run, step_s)
    for _ in range(samples):
        account.step()
    run.orders.sort(key=lambda row: row.time_ns)
    run.fills.sort(key=lambda row: row.time_ns)
    return run
