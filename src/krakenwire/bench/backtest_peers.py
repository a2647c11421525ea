"""Backtests of hftbacktest and backtrader over the market of `backtest`, fed by what they take fastest, from memory.

All are given the events that a tape is exported as, one frame a moment, so that
their books are kept to the same depth. Each raises ImportError when it is not
installed, and proves that it did the work. nautilus_trader has `backtest_nautilus`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from krakenwire.bench.generate import START_NS
from krakenwire.bench.timing import Job
from krakenwire.model.rows import Listing
from krakenwire.tape.hftbacktest import EventMaker

if TYPE_CHECKING:
    from krakenwire.apps.market_data import MarketData

__all__ = [
    "ENTRY_NS",
    "QTY",
    "REPORT_NS",
    "Recorded",
    "backtrader",
    "hftbacktest",
    "prove_calls",
    "prove_orders",
    "recorded",
]

ENTRY_NS: Final = 20_000_000
REPORT_NS: Final = 10_000_000
QTY: Final = "0.00001"
_SECOND: Final = 1_000_000_000


class Recorded(NamedTuple):
    """What all peers are given.

    Args:
        frames: each of them is one event for a callback.
        events: of all frames, as hftbacktest takes them.
        listing: ticks and lots.
    """

    frames: int
    events: npt.NDArray[np.void]
    listing: Listing

    @property
    def seconds(self) -> int:
        """How long the market lasts."""
        return int(self.events["local_ts"][-1] - self.events["local_ts"][0]) // _SECOND


def recorded(data: MarketData, frames: int) -> Recorded:
    """Return a market of one symbol for the peers."""
    (listing,) = data.listings
    return Recorded(frames, EventMaker(listing).take(data.rows), listing)


def prove_orders(who: str, placed: int, market: Recorded) -> None:
    """An order for each second; of the last one a timer may fire or not."""
    if not market.seconds - 1 <= placed <= market.seconds:
        raise AssertionError(f"{who} placed {placed} orders in {market.seconds} s")


def prove_calls(who: str, calls: int, market: Recorded) -> None:
    """A callback for each frame."""
    if calls != market.frames:
        raise AssertionError(f"{who} made {calls} callbacks for {market.frames} frames")


# -- hftbacktest ------------------------------------------------------------------------


def hftbacktest(market: Recorded, kind: str) -> Job:
    """Its compiled strategy, an order on a timer.

    Args:
        market: to run over.
        kind: which of its books.
    """
    hft: Any = import_module("hftbacktest")
    tick, lot = (10.0**-decimals for decimals in (market.listing.price_decimals, market.listing.qty_decimals))
    asset = (
        hft.BacktestAsset()
        .data([market.events])
        .linear_asset(1.0)
        .constant_order_latency(ENTRY_NS, REPORT_NS)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0025, 0.0040)
        .tick_size(tick)
        .lot_size(lot)
        .last_trades_capacity(0)
    )
    if kind.startswith("ROI"):
        prices = market.events["px"][market.events["px"] > 0]
        asset = asset.roi_lb(float(prices.min())).roi_ub(float(prices.max()))
    run_over = getattr(hft, kind)([asset])
    done: list[int] = []
    quotes = _compiled_quotes()

    def prove() -> None:
        prove_orders("hftbacktest", done[0], market)
        if not run_over.state_values(0).num_trades:
            raise AssertionError("hftbacktest filled nothing")

    return Job(lambda: done.append(quotes(run_over, float(QTY))), market.frames, prove)


@cache
def _compiled_quotes() -> Any:
    """The same strategy as `backtest`'s, compiled once."""
    hft, njit = import_module("hftbacktest"), import_module("numba").njit
    post_only, limit = hft.GTX, hft.LIMIT

    def quotes(market: Any, qty: float) -> int:
        placed = 0
        while market.elapse(_SECOND) == 0:
            market.clear_inactive_orders(0)
            if placed:
                market.cancel(0, placed, False)
            placed += 1
            market.submit_buy_order(0, placed, market.depth(0).best_bid, qty, post_only, limit, False)
        return placed

    return njit(quotes)


# -- backtrader -----------------------------------------------------------------------------


def backtrader(market: Recorded) -> Job:
    """Its engine in its fastest mode, with a bar for each frame: it knows no book."""
    bt: Any = import_module("backtrader")
    _, first = np.unique(market.events["local_ts"], return_index=True)
    prices = market.events["px"][first].tolist()
    prices[0] = prices[1]  # the first frame begins with a mark that has no price
    begin = datetime.fromtimestamp(START_NS // _SECOND, UTC).replace(tzinfo=None)
    steps = (market.events["local_ts"][first] - START_NS).tolist()
    times = [bt.date2num(begin + timedelta(microseconds=step // 1_000)) for step in steps]
    feed, strategy = _backtrader_classes()
    engine = bt.Cerebro(stdstats=False)
    engine.adddata(feed(rows=list(zip(times, prices, strict=True))))
    engine.addstrategy(strategy)
    done: list[Any] = []

    def prove() -> None:
        prove_calls("backtrader", done[0][0].calls, market)

    return Job(lambda: done.append(engine.run()), market.frames, prove)


@cache
def _backtrader_classes() -> tuple[Any, Any]:
    bt: Any = import_module("backtrader")

    class Bars(bt.feed.DataBase):  # type: ignore[misc]  # the peer's class is not typed for us
        params = (("rows", ()), ("timeframe", bt.TimeFrame.Ticks))

        def start(self) -> None:
            super().start()
            self._rest = iter(self.p.rows)

        def _load(self) -> bool:
            row = next(self._rest, None)
            if row is None:
                return False
            lines = self.lines
            lines.datetime[0], price = row
            lines.open[0] = lines.high[0] = lines.low[0] = lines.close[0] = price
            lines.volume[0] = lines.openinterest[0] = 0.0
            return True

    class Counts(bt.Strategy):  # type: ignore[misc]  # the peer's class is not typed for us
        def start(self) -> None:
            self.calls = 0

        def next(self) -> None:
            self.calls += 1

    return Bars, Counts
