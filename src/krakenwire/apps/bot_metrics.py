"""A running bot as Prometheus sees it: `http://127.0.0.1:PORT/metrics`.

The strategy's thread only counts; the page is made when somebody asks for it,
from the counts and the latest status. It has a registry of its own, listens
on the loopback interface only, and tells nothing that a key could be made of.
The names are in docs/reference/bot-metrics.md. Next: `trading.run_status`.
"""

from __future__ import annotations

import errno
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import accumulate
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from krakenwire.errors import ConfigError, MissingExtraError
from krakenwire.trading.run_records import FillRow, NoteRow, OrderRow, RunRow
from krakenwire.trading.run_status import RunStatus
from krakenwire.version import VERSION

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ["METRIC_NAMES", "BotMetrics"]

_HOST: Final = "127.0.0.1"
_PORT_MAX: Final = 65_535
_SECOND: Final = 1_000_000_000
_PREFIX: Final = "krakenwire_bot_"
_LATENCY: Final = "order_latency_seconds"
_STATES: Final = ("starting", "running", "stopping", "ended")
_TAKEN: Final = frozenset({"open", "partly_filled", "filled"})
_BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""From a venue in the same machine to one that hardly answers."""

Sample = tuple[Sequence[str], float | Decimal | None]


class BotMetrics:
    """Metrics of one run on a loopback port, open from now until `close`.

    Hand `on_rows` and `on_status` to whoever runs the bot.

    Args:
        port: 0 for a free one.

    Attributes:
        port: where it listens.

    Raises:
        ConfigError: the port is not one, is in use, or is not ours to take.
        MissingExtraError: prometheus-client is not installed.
    """

    def __init__(self, port: int) -> None:
        if not 0 <= port <= _PORT_MAX:
            raise ConfigError("--metrics", expected=f"a port, 0 to {_PORT_MAX}", found=port)
        try:
            from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
        except ImportError:
            raise MissingExtraError("metrics of a bot", "bot") from None
        self._tally = _Tally()
        self._status: RunStatus | None = None
        self._told_s = time.monotonic()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        ProcessCollector(registry=registry)
        try:
            self._server, self._thread = start_http_server(port, _HOST, registry)
        except OSError as error:
            found = "in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
            raise ConfigError("--metrics", expected="a free port", found=f"{port}: {found}") from error
        self.port = int(self._server.server_port)

    @property
    def address(self) -> str:
        """Where a scraper finds it."""
        return f"http://{_HOST}:{self.port}/metrics"

    def on_rows(self, rows: Iterable[RunRow]) -> None:
        """Count what has happened."""
        self._tally.take(rows)

    def on_status(self, status: RunStatus) -> None:
        """Keep how the bot stands."""
        self._status, self._told_s = status, time.monotonic()

    def collect(self) -> Iterator[Metric]:
        """Yield everything that is known; called by the registry, on a thread of the server."""
        status = self._status
        if status is not None:
            for each in _OF_STATUS:
                yield each.metric(each.samples(status))
            yield _AGE.metric([((), time.monotonic() - self._told_s)])
        with self._tally.lock:
            yield from [each.metric(each.samples(self._tally)) for each in _OF_ROWS]
            yield self._tally.latency.metric()

    def close(self) -> None:
        """Close the port. Again it does nothing."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


# -- counted row by row ---------------------------------------------------------


class _Latency:
    """From the decision until the venue has the order, in buckets."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_BUCKETS_S) + 1)
        self._sum_s = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(_BUCKETS_S, seconds)] += 1
        self._sum_s += seconds

    def metric(self) -> Metric:
        from prometheus_client.metrics_core import HistogramMetricFamily

        made = HistogramMetricFamily(_PREFIX + _LATENCY, "From the decision of an order until the venue had taken it.")
        names = [*map(str, _BUCKETS_S), "+Inf"]
        made.add_metric([], list(zip(names, accumulate(self._counts), strict=True)), self._sum_s)
        return made


class _Tally:
    """Counts of rows; the lock is held for a scrape, too."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.latency = _Latency()
        self.sent: Counter[tuple[str, str]] = Counter()
        self.refused: Counter[tuple[str]] = Counter()
        self.fills: Counter[tuple[str, str, str]] = Counter()
        self.notes: Counter[tuple[str]] = Counter()
        self.fees: dict[tuple[str], Decimal] = {}
        self.turnover: dict[tuple[str], Decimal] = {}
        self._waiting: set[str] = set()
        self._takers: dict[type, Callable[[Any], None]] = {
            OrderRow: self._order,
            FillRow: self._fill,
            NoteRow: self._note,
        }

    def take(self, rows: Iterable[RunRow]) -> None:
        with self.lock:
            for row in rows:
                taker = self._takers.get(type(row))
                if taker is not None:
                    taker(row)

    def _order(self, row: OrderRow) -> None:
        if row.state == "sent":
            self.sent[row.symbol, row.side] += 1
            self._waiting.add(row.id)
        elif row.state not in {"intent", "unknown"} and row.id in self._waiting:
            self._waiting.remove(row.id)
            if row.state in _TAKEN:
                self.latency.add((row.time_ns - row.decided_ns) / _SECOND)
            elif row.state == "refused":
                self.refused["venue",] += 1

    def _fill(self, row: FillRow) -> None:
        quote = (row.symbol.partition("/")[2],)
        self.fills[row.symbol, row.side, "maker" if row.maker else "taker"] += 1
        self.fees[quote] = self.fees.get(quote, Decimal(0)) + row.fee
        self.turnover[quote] = self.turnover.get(quote, Decimal(0)) + row.price * row.qty

    def _note(self, row: NoteRow) -> None:
        self.notes[row.kind,] += row.count
        if row.rule:
            self.refused[row.rule,] += 1


# -- the tables of what is told -------------------------------------------------


class _Told(NamedTuple):
    """One metric: a name with its unit, what it means, its labels, and where its samples come from."""

    name: str
    about: str
    labels: tuple[str, ...]
    samples: Callable[[Any], Iterable[Sample]]
    counts: bool = False

    def metric(self, samples: Iterable[Sample]) -> Metric:
        from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

        family = CounterMetricFamily if self.counts else GaugeMetricFamily
        made = family(_PREFIX + self.name, self.about, labels=self.labels)
        for labels, value in samples:
            if value is not None:
                made.add_metric(list(labels), float(value))
        return made


def _one(of: Callable[[RunStatus], float | Decimal | None]) -> Callable[[RunStatus], list[Sample]]:
    return lambda status: [((), of(status))]


def _quoted(of: Callable[[RunStatus], Decimal | None]) -> Callable[[RunStatus], list[Sample]]:
    return lambda status: [((status.quote,), of(status))]


def _each_feed(of: Callable[[Any], float | None]) -> Callable[[RunStatus], list[Sample]]:
    return lambda status: [((feed.symbol,), of(feed)) for feed in status.feeds]


def _info(status: RunStatus) -> list[Sample]:
    return [((status.run, status.strategy, status.mode, VERSION), 1)]


def _states(status: RunStatus) -> list[Sample]:
    return [((state,), state == status.state) for state in _STATES]


def _open_orders(status: RunStatus) -> list[Sample]:
    counts = Counter((order.symbol, order.side) for order in status.orders)
    symbols = dict.fromkeys([*(feed.symbol for feed in status.feeds), *(symbol for symbol, _ in counts)])
    return [((symbol, side), counts[symbol, side]) for symbol in symbols for side in ("buy", "sell")]


def _risk_use(status: RunStatus) -> list[Sample]:
    return [((use.rule,), use.used / use.limit) for use in status.risk if use.limit]


def _age_s(age_ns: int | None) -> float | None:
    return None if age_ns is None else age_ns / _SECOND


_BY_QUOTE: Final = ("quote",)
_BY_SYMBOL: Final = ("symbol",)

_OF_STATUS: Final = (
    _Told("info", "What runs; always 1.", ("run", "strategy", "mode", "version"), _info),
    _Told("state", "1 for the state that the bot is in.", ("state",), _states),
    _Told("stopped", "1 while no new order may leave.", (), _one(lambda status: bool(status.stop))),
    _Told("alarm", "1 while something waits for a person.", (), _one(lambda status: bool(status.alarm))),
    _Told("start_time_seconds", "When the run began, since 1970.", (), _one(lambda s: s.started_ns / _SECOND)),
    _Told("time_seconds", "The run's own clock, since 1970.", (), _one(lambda s: s.time_ns / _SECOND)),
    _Told("equity_quote_units", "All that is owned, at mid prices.", _BY_QUOTE, _quoted(lambda s: s.equity)),
    _Told("profit_quote_units", "Equity since the run began.", _BY_QUOTE, _quoted(lambda s: s.profit)),
    _Told("day_profit_quote_units", "Equity since the day began, UTC.", _BY_QUOTE, _quoted(lambda s: s.day_profit)),
    _Told("cash_quote_units", "Of the quote asset, held or not.", _BY_QUOTE, _quoted(lambda s: s.cash)),
    _Told("balance_units", "What is owned of an asset.", ("asset",), lambda s: _by_key(s.balances)),
    _Told("position_base_units", "What is owned of a base asset.", _BY_SYMBOL, lambda s: _by_key(s.positions)),
    _Told("open_orders", "Orders that are not over.", ("symbol", "side"), _open_orders),
    _Told("risk_use_ratio", "How much of a limit is used; 1 is all.", ("rule",), _risk_use),
    _Told("feed_live", "1 while a book may be trusted.", _BY_SYMBOL, _each_feed(lambda feed: feed.live)),
    _Told("feed_age_seconds", "Since a feed was last heard of.", _BY_SYMBOL, _each_feed(lambda f: _age_s(f.age_ns))),
    _Told("feed_gaps", "Gaps of a feed.", _BY_SYMBOL, _each_feed(lambda feed: feed.gaps), counts=True),
    _Told(
        "feed_conflated",
        "Books that the strategy was not called for because a newer one was there.",
        _BY_SYMBOL,
        _each_feed(lambda feed: feed.conflated),
        counts=True,
    ),
    _Told("feed_frames", "Frames of the feed.", (), _one(lambda s: s.frames), counts=True),
    _Told("checksums_verified", "Books whose checksum was right.", (), _one(lambda s: s.verified), counts=True),
    _Told("checksums_failed", "Books whose checksum was wrong.", (), _one(lambda s: s.failed), counts=True),
    _Told("events_dropped", "Market events given up for a slow strategy.", (), _one(lambda s: s.dropped), counts=True),
    _Told("events_waiting", "Market events that wait for the strategy.", (), _one(lambda s: s.backlog)),
    _Told("slow_callbacks", "Calls of the strategy that took too long.", (), _one(lambda s: s.slow), counts=True),
    _Told(
        "event_to_order_seconds",
        "From the market's event to the order's frame, median of the last orders.",
        (),
        _one(lambda s: None if s.latency_us is None else s.latency_us / 1e6),
    ),
)

_AGE: Final = _Told("status_age_seconds", "Since the strategy's thread last told how it stands.", (), lambda _: ())

_OF_ROWS: Final = (
    _Told("orders_sent", "Orders that left.", ("symbol", "side"), lambda t: t.sent.items(), counts=True),
    _Told(
        "orders_refused",
        "Orders and amendments refused, by the limit that did; venue for the venue.",
        ("rule",),
        lambda t: t.refused.items(),
        counts=True,
    ),
    _Told("fills", "Fills.", ("symbol", "side", "liquidity"), lambda t: t.fills.items(), counts=True),
    _Told("fees_quote_units", "Fees paid.", _BY_QUOTE, lambda t: t.fees.items(), counts=True),
    _Told(
        "turnover_quote_units", "Price times quantity of fills.", _BY_QUOTE, lambda t: t.turnover.items(), counts=True
    ),
    _Told("notes", "What a reader of the run should know, by kind.", ("kind",), lambda t: t.notes.items(), counts=True),
)


def _by_key(amounts: dict[str, Decimal]) -> list[Sample]:
    return [((name,), amount) for name, amount in amounts.items()]


METRIC_NAMES: Final = tuple(
    _PREFIX + name
    for name in (*(each.name + "_total" * each.counts for each in (*_OF_STATUS, _AGE, *_OF_ROWS)), _LATENCY)
)
"""Every name that is told, as Prometheus spells it."""
