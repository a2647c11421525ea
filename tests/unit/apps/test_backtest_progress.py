"""Progress of a backtest: it is told in whole frames up to the end, and changes nothing of the run."""

from __future__ import annotations

import random

import msgspec
import pytest
from tests.unit.trading.markets import LISTING, START, Tape

from krakenwire.apps import backtest as module
from krakenwire.apps.backtest import run_backtest
from krakenwire.apps.bot_config import BotConfig
from krakenwire.bot import Strategy
from krakenwire.model.rows import BUY, SELL
from krakenwire.trading.risk_limits import RiskLimits

FREE = RiskLimits(orders_per_second_max=10**6, orders_per_minute_max=10**6, lookalike_window_ms=0)


class Trader(Strategy):
    symbols = ("BTC/USD",)

    def on_start(self) -> None:
        self.every(7)

    def on_timer(self, name: str) -> None:
        self.buy("BTC/USD", "0.01")

    def on_trade(self, trade: object) -> None:
        if self.portfolio.position("BTC/USD") > 0:
            self.sell("BTC/USD", "0.01")


def market() -> Tape:
    chance, tape, price = random.Random(5), Tape(msgspec.structs.replace(LISTING, depth=0)), 100.0
    for step in range(3_000):
        price = max(10.0, price + chance.choice((-0.1, 0.0, 0.1)))
        tape.trade(step * 0.5, chance.choice((BUY, SELL)), round(price, 1), 1)
    return tape


def test_a_run_is_the_same_with_progress_and_all_rows_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SLICE_ROWS", 7)
    told: list[tuple[int, int, int]] = []
    data, config = market().data(), BotConfig(limits=FREE)
    plain = run_backtest(Trader, data, config=config)
    shown = run_backtest(Trader, data, config=config, progress=lambda *each: told.append(each))
    assert len(plain.fills) > 100
    assert shown.rows == plain.rows
    assert [done for done, _, _ in told] == sorted({done for done, _, _ in told})
    assert told[0][0] < 10
    assert told[-1] == (3_000, 3_000, int(data.rows["time_ns"][-1]))
    assert told[0][2] >= START


def test_a_slice_ends_where_a_frame_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SLICE_ROWS", 2)
    monkeypatch.setattr(module, "_AHEAD_ROWS", 3)
    tape = Tape()
    tape.book(0, {100 - step: 1 for step in range(9)}, {101 + step: 1 for step in range(9)})
    tape.book(1, {100: 2}, {101: 2})
    told: list[int] = []
    data = tape.data()
    run_backtest(Trader, data, config=BotConfig(limits=FREE), progress=lambda done, _total, _time_ns: told.append(done))
    ends = set(range(1, len(data.rows) + 1))
    ends = {row for row in ends if data.rows["flags"][row - 1] & 1}
    assert set(told) <= ends
    assert told[-1] == len(data.rows)
