"""The watch engine: events and time in, alerts out; the same for live data and recordings.

Every rule is judged on exact prices, and nothing is made up across a gap. It
reads no clock: `feed` and `poll` are told the time, `next_deadline_ns` says
when to call `poll`. What each condition means is in `rules.py`; who carries
events here and alerts on is `krakenwire.apps.watcher`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import msgspec

from krakenwire.errors import ConfigError
from krakenwire.limits import WATCH_RULES_MAX
from krakenwire.model import (
    BookUpdate,
    Candle,
    Candles,
    ChecksumFailed,
    Disconnected,
    Event,
    Gap,
    Level3Update,
    Spread,
    Status,
    Subscription,
    Ticker,
    Trade,
    Trades,
)
from krakenwire.watch.alert import Alert, alert_for
from krakenwire.watch.judges import Finding, SilenceJudge, SpreadJudge, VolumeJudge, judge_for
from krakenwire.watch.rules import NoData, Rule, SpreadWider, Volume
from krakenwire.watch.sources import Field, Observation, Quote, SymbolPrices
from krakenwire.watch.values import EXACT

__all__ = ["Engine", "EngineCounters"]

_DATA = (Trades, Trade, Ticker, Spread, BookUpdate, Candles, Candle, Level3Update)


class EngineCounters(msgspec.Struct):
    """What the engine has seen. `suppressed` alerts fell into a cooldown."""

    events: int = 0
    alerts: int = 0
    suppressed: int = 0
    gaps: int = 0


class _Watched:
    """One rule at work: its judge and its manners."""

    __slots__ = ("_quiet_until_ns", "done", "field", "index", "judge", "rule")

    def __init__(self, rule: Rule, index: int) -> None:
        self.rule, self.index = rule, index
        self.judge = judge_for(rule.condition)
        self.field: Field | None = _field_of(rule)
        self.done = False
        self._quiet_until_ns: int | None = None

    def judged(self, seen: Observation, time_ns: int) -> tuple[Finding | None, Decimal]:
        """Return what the judge finds in an observation, and the price it judged."""
        value = seen.value
        if isinstance(value, Quote):
            if isinstance(self.judge, SpreadJudge):
                return self.judge.feed_quote(value.bid, value.ask, time_ns), _mid(value)
            price = _price_of(value, self.rule)
        else:
            price = value
        if isinstance(self.judge, VolumeJudge):
            return self.judge.feed_trade(price, time_ns), price if seen.price is None else seen.price
        assert not isinstance(self.judge, SilenceJudge | SpreadJudge), "a silence judge sees no observation"
        return self.judge.feed(price, time_ns), price

    def may_tell(self, time_ns: int) -> bool:
        """Apply cooldown and one-shot to a finding at a time."""
        if self.done or (self._quiet_until_ns is not None and time_ns < self._quiet_until_ns):
            return False
        if self.rule.cooldown_ns:
            self._quiet_until_ns = time_ns + self.rule.cooldown_ns
        self.done = self.rule.one_shot
        return True


class _Symbol:
    """All rules of one symbol, and the prices they share."""

    __slots__ = ("prices", "silences", "watched")

    def __init__(self) -> None:
        self.prices = SymbolPrices()
        self.watched: list[_Watched] = []
        self.silences: list[_Watched] = []

    def reset(self, fields: Iterable[Field]) -> None:
        lost = set(fields)
        for watched in self.watched:
            if watched.field in lost:
                watched.judge.reset()


class Engine:
    """Judge rules over events.

    Args:
        rules: what to watch, in the order in which alerts of one event come.

    Raises:
        ConfigError: no rule, or more than the bound.

    Cost: constant per event and rule of the event's symbol.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        if not 1 <= len(rules) <= WATCH_RULES_MAX:
            raise ConfigError("rules", expected=f"1 to {WATCH_RULES_MAX} of them", found=len(rules))
        self.rules = tuple(rules)
        self.counters = EngineCounters()
        self._symbols: dict[str, _Symbol] = {}
        self._all = [_Watched(rule, index) for index, rule in enumerate(rules)]
        for watched in self._all:
            symbol = self._symbols.setdefault(watched.rule.symbol, _Symbol())
            (symbol.watched if watched.field else symbol.silences).append(watched)
        self._silences = [watched for watched in self._all if watched.field is None]
        self._deadline_ns: int | None = None
        self._has_begun = False
        self._connection_id: int | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols watched, in the order of the rules."""
        return tuple(self._symbols)

    @property
    def done(self) -> bool:
        """Whether every rule was one-shot and has fired."""
        return all(watched.done for watched in self._all)

    @property
    def forgotten(self) -> int:
        """Values kept less exactly because a window was full."""
        return sum(getattr(watched.judge, "forgotten", 0) for watched in self._all)

    def subscriptions(self, version: int = 2) -> tuple[Subscription, ...]:
        """Return what must be subscribed for these rules.

        Args:
            version: 1 or 2, the API version of the connection.
        """
        wanted: list[Subscription] = []
        for symbol, state in self._symbols.items():
            needs = {watched.field for watched in (*state.watched, *state.silences)}
            wanted += _subscriptions_of(symbol, needs, version)
        return tuple(wanted)

    def prices(self, symbol: str) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        """Return the last price, best bid and best ask known of a watched symbol."""
        prices = self._symbols[symbol].prices
        bid, ask = prices.quote or (None, None)
        return prices.last, bid, ask

    def feed(self, event: Event, now_ns: int) -> list[Alert]:
        """Take one event and return the alerts it fires, with those due before it.

        Args:
            event: anything a feed can say.
            now_ns: when it was received; for a recording without receive
                times, the latest venue time seen, 0 as long as there is none.
        """
        self.counters.events += 1
        alerts = self.poll(now_ns) if now_ns else []
        if isinstance(event, _DATA):
            alerts += self._data(event, now_ns)
        elif isinstance(event, Gap | ChecksumFailed):
            self._gap(event.channel_name, event.symbol)
        elif isinstance(event, Disconnected) or (isinstance(event, Status) and self._is_new_connection(event)):
            self._gap(None, None)
        return alerts

    def poll(self, now_ns: int) -> list[Alert]:
        """Let time pass and return the alerts that became due, oldest first."""
        if not self._has_begun:
            self._has_begun = True
            for watched in self._silences:
                self._hear(watched, now_ns)
        if self._deadline_ns is None or now_ns < self._deadline_ns:
            return []
        due: list[tuple[int, _Watched]] = []
        for watched in self._silences:
            assert isinstance(watched.judge, SilenceJudge)
            since_ns = watched.judge.due_ns
            if since_ns is not None and watched.judge.poll(now_ns) is not None:
                due.append((since_ns, watched))
        left = [
            w.judge.due_ns for w in self._silences if isinstance(w.judge, SilenceJudge) and w.judge.due_ns is not None
        ]
        self._deadline_ns = min(left, default=None)
        due.sort(key=lambda entry: (entry[0], entry[1].index))
        return [alert for due_ns, watched in due for alert in self._silent(watched, due_ns)]

    def next_deadline_ns(self) -> int | None:
        """Return when `poll` may have something to say; None when only events can."""
        return self._deadline_ns

    def _data(self, event: Event, now_ns: int) -> Iterator[Alert]:
        symbol = self._symbols.get(event.symbol or "")
        if symbol is None:
            return
        for watched in symbol.silences if now_ns else ():
            self._hear(watched, now_ns)
        for seen in symbol.prices.feed(event):
            if seen.fresh:
                symbol.reset((seen.field,))
            time_ns = now_ns if seen.time_ns is None else seen.time_ns
            for watched in symbol.watched:
                if watched.field == seen.field:
                    finding, price = watched.judged(seen, time_ns)
                    if finding is not None:
                        yield from self._tell(watched, price, time_ns, finding)

    def _tell(self, watched: _Watched, price: Decimal | None, time_ns: int, finding: Finding) -> Iterator[Alert]:
        if not watched.may_tell(time_ns):
            self.counters.suppressed += not watched.done
            return
        self.counters.alerts += 1
        yield alert_for(watched.rule, watched.index, price, time_ns, _source_of(watched.rule), finding.details)

    def _silent(self, watched: _Watched, due_ns: int) -> Iterator[Alert]:
        return self._tell(watched, self._symbols[watched.rule.symbol].prices.last, due_ns, Finding())

    def _hear(self, watched: _Watched, now_ns: int) -> None:
        assert isinstance(watched.judge, SilenceJudge)
        watched.judge.feed_data(now_ns)
        due_ns = watched.judge.due_ns
        assert due_ns is not None
        self._deadline_ns = due_ns if self._deadline_ns is None else min(self._deadline_ns, due_ns)

    def _gap(self, channel: str | None, symbol: str | None) -> None:
        self.counters.gaps += 1
        concerned = self._symbols.values() if symbol is None else filter(None, (self._symbols.get(symbol),))
        for state in concerned:
            state.reset(state.prices.gap(channel))

    def _is_new_connection(self, status: Status) -> bool:
        """A recording shows a reconnect only by the next connection's id."""
        before, self._connection_id = self._connection_id, status.connection_id
        return before is not None and status.connection_id is not None and before != status.connection_id


def _field_of(rule: Rule) -> Field | None:
    """Return which observations a rule judges; None for rules about time alone."""
    if isinstance(rule.condition, NoData):
        return None
    if isinstance(rule.condition, Volume):
        return "volume"
    return "quote" if isinstance(rule.condition, SpreadWider) or rule.price != "last" else "last"


def _source_of(rule: Rule) -> str:
    if isinstance(rule.condition, SpreadWider):
        return "mid"
    return "last" if isinstance(rule.condition, Volume | NoData) else rule.price


def _mid(quote: Quote) -> Decimal:
    return EXACT.multiply(EXACT.add(quote.bid, quote.ask), Decimal("0.5"))


def _price_of(quote: Quote, rule: Rule) -> Decimal:
    return {"bid": quote.bid, "ask": quote.ask}.get(rule.price) or _mid(quote)


def _subscriptions_of(symbol: str, needs: set[Field | None], version: int) -> Iterator[Subscription]:
    """Trades carry the last price from trade to trade; a ticker tells the first one, and v2's best prices."""
    quotes = "quote" in needs or None in needs
    if "last" in needs or "volume" in needs:
        yield Subscription(channel="trade", symbol=symbol)
    if version == 1 and quotes:
        yield Subscription(channel="spread", symbol=symbol)
    if "last" in needs or (version == 2 and quotes):
        trigger = None if version == 1 else "bbo" if quotes else "trades"
        yield Subscription(channel="ticker", symbol=symbol, event_trigger=trigger)
