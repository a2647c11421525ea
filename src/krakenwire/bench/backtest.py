"""Whole backtests on one recorded market: ours as a user runs it, and other people's on the same data.

Ours is `run_backtest` with its defaults: risk limits on, every row of the run
kept. One strategy has orders and wakes by a timer, the other only counts what
it is called for. The market is in memory on all sides before the clock starts.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

from krakenwire.apps.backtest import run_backtest
from krakenwire.apps.bot_config import BotConfig
from krakenwire.apps.market_data import MarketData, market_data_of_frames
from krakenwire.bench import backtest_peers
from krakenwire.bench.backtest_nautilus import nautilus
from krakenwire.bench.backtest_peers import Recorded
from krakenwire.bench.generate import PAIRS, one_pair
from krakenwire.bench.rows import Row, compared, unmeasured
from krakenwire.bench.timing import Job, Prepare, take_turns, trouble
from krakenwire.bot import Strategy
from krakenwire.model.market import Trade
from krakenwire.trading.run_result import RunResult
from krakenwire.trading.simulator import FillModel, SimBook

__all__ = ["backtest_rows"]

_STEP_NS: Final = 5_000_000
_DEPTH: Final = 100
_FRAMES: Final = 200_000
_FRAMES_EACH: Final = 80_000
_FRAMES_QUICK: Final = 2_000
_SYMBOL: Final = PAIRS[0][0]
_MODEL: Final = FillModel(entry_latency_ns=backtest_peers.ENTRY_NS, report_latency_ns=backtest_peers.REPORT_NS)


class _Quotes(Strategy):
    """One post-only bid at the touch, cancelled and placed anew each second."""

    symbols = (_SYMBOL,)
    depth = _DEPTH
    qty = Decimal(backtest_peers.QTY)

    def on_start(self) -> None:
        self.placed = 0
        self.bid = None
        self.every(1)

    def on_timer(self, _name: str) -> None:
        self.cancel_all()
        self.buy(_SYMBOL, self.qty, self.book(_SYMBOL).best_bid, post_only=True)


class _Counts(Strategy):
    """Counts what it is called for."""

    symbols = (_SYMBOL,)
    depth = _DEPTH

    def on_start(self) -> None:
        self.calls = 0

    def on_book(self, _book: SimBook) -> None:
        self.calls += 1

    def on_trade(self, _trade: Trade) -> None:
        self.calls += 1

    def on_stop(self) -> None:
        self.log(str(self.calls))


def backtest_rows(rounds: int, quick: bool) -> list[Row]:
    """Return the rows of both strategies beside all peers that are installed."""
    timed = _market(_FRAMES_QUICK if quick else _FRAMES)
    each = _market(_FRAMES_QUICK if quick else _FRAMES_EACH)
    return [*_timer_rows(timed, rounds), *_each_rows(each, rounds)]


class _Market(NamedTuple):
    data: MarketData
    recorded: Recorded


def _market(frames: int) -> _Market:
    data = market_data_of_frames(one_pair(_DEPTH, frames, _STEP_NS))
    return _Market(data, backtest_peers.recorded(data, frames + 1))


# -- a strategy on a timer ------------------------------------------------------------


def _timer_rows(market: _Market, rounds: int) -> list[Row]:
    peers: dict[str, Prepare] = {
        "backtest-hftbacktest": partial(backtest_peers.hftbacktest, market.recorded, "ROIVectorMarketDepthBacktest"),
        "backtest-hftbacktest-map": partial(backtest_peers.hftbacktest, market.recorded, "HashMapMarketDepthBacktest"),
    }
    notes = dict.fromkeys(peers, "numba; nothing of the run kept, no limits of risk")
    return _beside(lambda: _job(_Quotes, market, _prove_orders), peers, notes, rounds)


def _prove_orders(result: RunResult, recorded: Recorded) -> None:
    backtest_peers.prove_orders("krakenwire", sum(row.action == "buy" for row in result.decisions), recorded)
    wrong = [row.text for row in result.notes]
    if wrong or not result.fills:
        raise AssertionError(f"krakenwire: {len(result.fills)} fills, {wrong[:1]}")


# -- a callback for each event ----------------------------------------------------------


def _each_rows(market: _Market, rounds: int) -> list[Row]:
    peers: dict[str, Prepare] = {
        "backtest-nautilus": nautilus(market.recorded),
        "backtest-backtrader": partial(backtest_peers.backtrader, market.recorded),
    }
    notes = {"backtest-nautilus": "", "backtest-backtrader": "knows no book: a bar for each event"}
    return _beside(lambda: _job(_Counts, market, _prove_calls), peers, notes, rounds)


def _prove_calls(result: RunResult, recorded: Recorded) -> None:
    backtest_peers.prove_calls("krakenwire", int(result.notes[-1].text), recorded)


# -- both -------------------------------------------------------------------------------


def _beside(ours: Prepare, peers: dict[str, Prepare], notes: dict[str, str], rounds: int) -> list[Row]:
    """Return a row for each peer, all of them measured in turns."""
    absent = {name: why for name, peer in peers.items() if (why := trouble(peer))}
    there = {name: peer for name, peer in peers.items() if name not in absent}
    costs = take_turns({"ours": ours, **there}, rounds)
    return [
        unmeasured(name, absent[name])
        if name in absent
        else compared(name, costs["ours"], _PEERS[name], costs[name], "ns/event", note=notes[name])
        for name in peers
    ]


_PEERS: Final = {
    "backtest-hftbacktest": "hftbacktest, book in a range of prices",
    "backtest-hftbacktest-map": "hftbacktest, book in hash maps",
    "backtest-nautilus": "nautilus_trader",
    "backtest-backtrader": "backtrader",
}


def _job(strategy: type[Strategy], market: _Market, check: Callable[[RunResult, Recorded], None]) -> Job:
    done: list[RunResult] = []

    def run() -> None:
        done.append(run_backtest(strategy, market.data, config=BotConfig(model=_MODEL)))

    def prove() -> None:
        if done[0].error is not None:
            raise AssertionError(f"krakenwire: {done[0].error}")
        check(done[0], market.recorded)

    return Job(run, market.recorded.frames, prove)
