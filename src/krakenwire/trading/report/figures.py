"""The figures of a run: what it earned, at what risk, with which trades, and how well its orders did.

A figure that the run is too short or too still for is None, never a made-up
number. The formulas are written out in docs/howto/report.md. Next: `orders`,
`trades` and `series`, which they are made from.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec
import numpy as np

from krakenwire.limits import REPORT_ANNUALISED_S, REPORT_RATIO_RETURNS, REPORT_RATIO_S
from krakenwire.trading.report.orders import (
    Latency,
    Slippage,
    first_fill_ns,
    latency,
    opened_ns,
    outcomes,
    refusals,
    slippage,
)
from krakenwire.trading.report.run import Run
from krakenwire.trading.report.series import Floats, Times, equity_of, exposure_of, held_share, sampled, under_peak
from krakenwire.trading.report.trades import RoundTrip, round_trips
from krakenwire.trading.run_records import EquityRow, FillRow

__all__ = ["Drawdown", "Exposure", "Figures", "Trips", "figures", "trips_of"]

_YEAR_S: Final = 365 * 86_400
_SECOND: Final = 1_000_000_000

_INTERVALS: Final = ((60 * 86_400, 86_400), (3 * 86_400, 3_600), (0, 300))
"""(length of a run from here on, seconds between the samples of its returns), both seconds."""


class Drawdown(msgspec.Struct, frozen=True, kw_only=True):
    """The deepest fall of equity from a high, as a share of that high.

    Args:
        value: quote units.
        share: 0 to 1 of the high, more where equity went below 0.
        peak_ns, trough_ns: of the high and of the lowest point after it.
        recovered_ns: when the high was reached again; None where the run ended before.
        duration_s: from the high until then, or until the end.
    """

    value: Decimal
    share: float
    peak_ns: int
    trough_ns: int
    recovered_ns: int | None
    duration_s: float


class Trips(msgspec.Struct, frozen=True, kw_only=True):
    """Round trips, first in first out.

    Args:
        won: those with a profit after fees.
        hit_rate: `won` as a share of all; None where there are none.
        profit_factor: profits of the won ones to losses of the lost ones; None where nothing was lost.
        average_win, average_loss: quote units; None where there is none.
    """

    count: int
    won: int
    hit_rate: float | None
    profit_factor: float | None
    average_win: Decimal | None
    average_loss: Decimal | None


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """How much was at stake.

    Args:
        time_in_market: the share of time with a position.
        average, highest: gross notional as a share of equity; `average` over time.
    """

    time_in_market: float
    average: float
    highest: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """A run in figures; shares are 0 to 1, money is in the run's quote asset.

    Args:
        length_s: from the first sample of equity to the last.
        annualised_return: the total return compounded to 365 days; None below `REPORT_ANNUALISED_S`.
        sharpe, sortino: of returns over `interval_s`, annualised for 365 days, without a risk-free rate.
        interval_s: what they are sampled at; None where the run is too short for them.
        other_quote: fills of symbols with another quote asset, left out of round trips, fees, turnover, slippage.
        turnover: bought and sold, quote units. `turnover_ratio`: as a multiple of the mean equity.
        maker_share: of the turnover; None without fills.
        to_open, to_fill, to_taker_fill: from the decision; of fills the first of each order.
        orders: by their last state. `refusals`: by reason. `notes`: by kind.
    """

    length_s: float = 0.0
    first_equity: Decimal | None = None
    last_equity: Decimal | None = None
    net_profit: Decimal | None = None
    total_return: float | None = None
    annualised_return: float | None = None
    drawdown: Drawdown | None = None
    interval_s: int | None = None
    sharpe: float | None = None
    sortino: float | None = None
    trips: Trips
    decisions: int
    fills: int
    other_quote: int = 0
    fees: Decimal
    turnover: Decimal
    turnover_ratio: float | None = None
    maker_share: float | None = None
    exposure: Exposure | None = None
    slippage: Slippage | None = None
    to_open: Latency | None = None
    to_fill: Latency | None = None
    to_taker_fill: Latency | None = None
    orders: dict[str, int]
    refusals: dict[str, int]
    notes: dict[str, int]


class _Returns(msgspec.Struct, frozen=True):
    total: float | None
    annualised: float | None
    interval_s: int | None
    sharpe: float | None
    sortino: float | None


def figures(run: Run, *, interval_s: int | None = None) -> Figures:
    """Return the figures of a run.

    Args:
        run: its rows.
        interval_s: sample returns at this interval, seconds; by default one that suits the run's length: five
            minutes, from three days on an hour, from sixty days on a day.
    """
    times, equity = equity_of(run.equity)
    length_s = float(times[-1] - times[0]) / _SECOND if len(times) else 0.0
    first, last = (run.equity[0].equity, run.equity[-1].equity) if run.equity else (None, None)
    returns = _returns(times, equity, length_s, interval_s)
    fills = _in_quote(run)
    turnover = _turnover(fills)
    mean_equity = held_share(times, equity)
    return Figures(
        length_s=length_s,
        first_equity=first,
        last_equity=last,
        net_profit=None if first is None or last is None else last - first,
        total_return=returns.total,
        annualised_return=returns.annualised,
        drawdown=_drawdown(run.equity, times, equity),
        interval_s=returns.interval_s,
        sharpe=returns.sharpe,
        sortino=returns.sortino,
        trips=_trips(trips_of(run)),
        decisions=len(run.decisions),
        fills=len(run.fills),
        other_quote=len(run.fills) - len(fills),
        fees=sum((fill.fee for fill in fills), Decimal(0)),
        turnover=turnover,
        turnover_ratio=float(turnover) / mean_equity if mean_equity is not None and mean_equity > 0 else None,
        maker_share=float(_turnover([fill for fill in fills if fill.maker]) / turnover) if turnover else None,
        exposure=_exposure(run.equity, times, run.head.quote),
        slippage=slippage(fills),
        to_open=latency([*opened_ns(run).values()]),
        to_fill=latency([*first_fill_ns(run.fills).values()]),
        to_taker_fill=latency([*first_fill_ns(run.fills, maker=False).values()]),
        orders=outcomes(run),
        refusals=refusals(run),
        notes=_counted((note.kind, note.count) for note in run.notes),
    )


def trips_of(run: Run) -> Sequence[RoundTrip]:
    """Return a run's round trips; what it held at the start counts from the first mid that it was told."""
    return round_trips(_in_quote(run), _first_mids(run.equity))


def _first_mids(rows: Sequence[EquityRow]) -> Mapping[str, Decimal]:
    mids: dict[str, Decimal] = {}
    for row in rows:
        if len(row.mids) > len(mids):
            mids = {**row.mids, **mids}
        if len(mids) == len(row.positions):
            break
    return mids


def _in_quote(run: Run) -> Sequence[FillRow]:
    return [fill for fill in run.fills if fill.symbol.partition("/")[2] == run.head.quote]


def _turnover(fills: Sequence[FillRow]) -> Decimal:
    return sum((fill.price * fill.qty for fill in fills), Decimal(0))


def _returns(times: Times, equity: Floats, length_s: float, interval_s: int | None) -> _Returns:
    if len(equity) < 2 or equity[0] <= 0:
        return _Returns(None, None, None, None, None)
    total = float(equity[-1] / equity[0]) - 1
    interval = interval_s or next(step for length, step in _INTERVALS if length_s >= length)
    sharpe, sortino = _ratios(times, equity, length_s, interval)
    used = interval if sharpe is not None or sortino is not None else None
    return _Returns(total, _annualised(total, length_s), used, sharpe, sortino)


def _annualised(total: float, length_s: float) -> float | None:
    if length_s < REPORT_ANNUALISED_S or total <= -1:
        return None
    exponent = math.log1p(total) * _YEAR_S / length_s
    return math.expm1(exponent) if exponent < 700 else None


def _ratios(times: Times, equity: Floats, length_s: float, interval_s: int) -> tuple[float | None, float | None]:
    if length_s < REPORT_RATIO_S or equity.min() <= 0:
        return None, None
    values = sampled(times, equity, interval_s * _SECOND)
    returns = np.diff(values) / values[:-1]
    if len(returns) < REPORT_RATIO_RETURNS:
        return None, None
    year = math.sqrt(_YEAR_S / interval_s)
    mean, spread = float(returns.mean()), float(returns.std(ddof=1))
    below = math.sqrt(float(np.square(np.minimum(returns, 0)).mean()))
    return _ratio(mean, spread, year), _ratio(mean, below, year)


def _ratio(mean: float, risk: float, year: float) -> float | None:
    # Returns that are all alike leave a spread of nothing but rounding.
    return mean / risk * year if risk > abs(mean) * 1e-9 else None


def _drawdown(rows: Sequence[EquityRow], times: Times, equity: Floats) -> Drawdown | None:
    if not len(equity):
        return None
    fallen = under_peak(equity)
    trough = int(fallen.argmax())
    if not fallen[trough]:
        return None
    peak = int(np.flatnonzero(equity[:trough] == equity[:trough].max())[-1])
    back = np.flatnonzero(equity[trough:] >= equity[peak])
    end = trough + int(back[0]) if len(back) else len(equity) - 1
    return Drawdown(
        value=rows[peak].equity - rows[trough].equity,
        share=float(fallen[trough]),
        peak_ns=int(times[peak]),
        trough_ns=int(times[trough]),
        recovered_ns=int(times[end]) if len(back) else None,
        duration_s=float(times[end] - times[peak]) / _SECOND,
    )


def _trips(trips: Sequence[RoundTrip]) -> Trips:
    won = [trip.profit for trip in trips if trip.profit > 0]
    lost = [trip.profit for trip in trips if trip.profit < 0]
    gain, loss = sum(won, Decimal(0)), sum(lost, Decimal(0))
    return Trips(
        count=len(trips),
        won=len(won),
        hit_rate=len(won) / len(trips) if trips else None,
        profit_factor=float(gain / -loss) if loss else None,
        average_win=gain / len(won) if won else None,
        average_loss=loss / len(lost) if lost else None,
    )


def _exposure(rows: Sequence[EquityRow], times: Times, quote: str) -> Exposure | None:
    shares = exposure_of(rows, quote)
    held = np.fromiter((any(row.positions.values()) for row in rows), np.float64, len(rows))
    average, time_in_market = held_share(times, shares), held_share(times, held)
    if average is None or time_in_market is None:
        return None
    return Exposure(time_in_market=time_in_market, average=average, highest=float(shares.max()))


def _counted(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for name, count in pairs:
        counts[name] += count
    return dict(counts.most_common())
