"""The watcher against plain models: one alert per crossing, none made up, exact windows, live equals replayed."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.watch.events import BTC, SECOND, spread, ticker, trades

from krakenwire.model import Disconnected, Event, Gap
from krakenwire.watch import Above, Alert, Below, Condition, Crosses, Engine, Move, NoData, Rule, SpreadWider, Volume
from krakenwire.watch.values import Amount

D = Decimal
LEVEL = 100
prices = st.lists(st.integers(90, 110), max_size=60)
hysteresis = st.integers(0, 6)
steps = st.lists(st.tuples(st.integers(90, 110), st.integers(0, 4)), max_size=60)


def fired(condition: Condition, series: list[int]) -> list[int]:
    """Positions in the series at which the rule fired."""
    engine = Engine([Rule(symbol=BTC, condition=condition)])
    return [at for at, price in enumerate(series) if engine.feed(trades(str(price), at_s=at), at * SECOND)]


@given(prices, hysteresis)
def test_above_fires_once_per_visit_to_the_region(series: list[int], away: int) -> None:
    expected: list[int] = []
    for at, price in enumerate(series):
        before = series[expected[-1] : at] if expected else []
        has_left = not expected or any(earlier <= LEVEL - away for earlier in before)
        if price > LEVEL and has_left:
            expected.append(at)
    assert fired(Above(D(LEVEL), D(away)), series) == expected


@given(prices, hysteresis)
def test_below_mirrors_above(series: list[int], away: int) -> None:
    mirrored = [2 * LEVEL - price for price in series]
    assert fired(Below(D(LEVEL), D(away)), series) == fired(Above(D(LEVEL), D(away)), mirrored)


@given(prices)
def test_each_crossing_without_hysteresis_fires_exactly_once(series: list[int]) -> None:
    off_level = [(at, price > LEVEL) for at, price in enumerate(series) if price != LEVEL]
    expected = [at for (_, before), (at, after) in itertools.pairwise(off_level) if before != after]
    assert fired(Crosses(D(LEVEL)), series) == expected


@given(prices, hysteresis)
def test_crossings_with_hysteresis_alternate_and_the_price_was_away_in_between(series: list[int], away: int) -> None:
    positions = fired(Crosses(D(LEVEL), D(away)), series)
    sides = [series[at] > LEVEL for at in positions]
    assert all(one != two for one, two in itertools.pairwise(sides))
    for one, two in itertools.pairwise(positions):
        assert any(abs(price - LEVEL) >= away for price in series[one : two + 1])
    off_level = [price > LEVEL for price in series if price != LEVEL]
    far = [price > LEVEL for price in series if abs(price - LEVEL) >= max(away, 1)]
    told = sides[-1] if sides else (off_level[0] if off_level else None)
    assert not far or told is not None
    last_far = next((at for at in reversed(range(len(series))) if abs(series[at] - LEVEL) >= max(away, 1)), None)
    if last_far is not None and (not positions or positions[-1] <= last_far):
        assert told == (series[last_far] > LEVEL), "a price clearly beyond the level has been told"


@given(steps, st.integers(1, 8), st.integers(0, 12))
def test_a_move_is_judged_against_every_price_in_force_within_the_window(
    series: list[tuple[int, int]], percent: int, window: int
) -> None:
    window = max(window, 1)
    times, at = [], 0
    for _, wait in series:
        at += wait
        times.append(at)
    start, expected = 0, []
    for index, (price, _) in enumerate(series):
        in_force = [
            series[older][0]
            for older in range(start, index + 1)
            if older == index or times[older + 1] >= times[index] - window
        ]
        if any(Fraction(abs(price - other), other) * 100 >= percent for other in in_force):
            expected.append(index)
            start = index
    engine = Engine([Rule(symbol=BTC, condition=Move(D(percent), window * SECOND))])
    found = [i for i, (price, _) in enumerate(series) if engine.feed(trades(str(price), at_s=times[i]), 0)]
    assert found == expected


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4)), max_size=60), st.integers(2, 20), st.integers(1, 10))
def test_volume_is_the_plain_sum_of_the_window(series: list[tuple[int, int]], at_least: int, window: int) -> None:
    engine = Engine([Rule(symbol=BTC, condition=Volume(D(at_least), window * SECOND))])
    seen: list[tuple[int, int]] = []
    at, armed = 0, True
    for qty, wait in series:
        at += wait
        armed = armed or sum(q for q, t in seen if t >= at - window) < at_least
        seen.append((qty, at))
        total = sum(q for q, t in seen if t >= at - window)
        alerts = engine.feed(trades("100", at_s=at, qty=str(qty)), 0)
        assert bool(alerts) == (armed and total >= at_least)
        if alerts:
            assert dict(alerts[0].details)["volume"] == total
            armed = False


# -- gaps, and live against replayed -----------------------------------------------

RULES = (
    Rule(symbol=BTC, condition=Above(D(104), D(2))),
    Rule(symbol=BTC, condition=Crosses(D(LEVEL), D(1))),
    Rule(symbol=BTC, condition=Crosses(D(LEVEL)), price="mid", cooldown_ns=5 * SECOND),
    Rule(symbol=BTC, condition=Move(D(5), 8 * SECOND)),
    Rule(symbol=BTC, condition=Volume(D(6), 5 * SECOND)),
    Rule(symbol=BTC, condition=SpreadWider(Amount(D(3)))),
    Rule(symbol=BTC, condition=NoData(6 * SECOND)),
)


def market_events() -> st.SearchStrategy[list[tuple[Event, int]]]:
    price = st.integers(90, 110).map(str)
    event = st.one_of(
        st.builds(lambda p: ("trades", p), price),
        st.builds(lambda p: ("ticker", p), price),
        st.builds(lambda p: ("spread", p), price),
        st.builds(lambda p: ("snapshot", p), price),
    )

    def build(rows: list[tuple[tuple[str, str], int]]) -> list[tuple[Event, int]]:
        now, made = 1, []
        for (kind, price), wait in rows:
            now += wait
            higher = str(int(price) + 1 + now % 4)
            events: dict[str, Event] = {
                "trades": trades(price, at_s=now),
                "snapshot": trades(price, at_s=now, kind="snapshot"),
                "ticker": ticker(price, price, higher, at_s=now),
                "spread": spread(price, higher, at_s=now),
            }
            made.append((events[kind], now * SECOND))
        return made

    return st.lists(st.tuples(event, st.integers(0, 9)), max_size=50).map(build)


def run(events: list[tuple[Event, int]], engine: Engine) -> list[Alert]:
    return [alert for event, now_ns in events for alert in engine.feed(event, now_ns)]


def cuts(by_channel: bool) -> list[Event]:
    """A lost connection, as the session tells it in one event or channel by channel."""
    if not by_channel:
        return [Disconnected(url="", error=None, retry_in_s=None)]
    return [Gap(channel_name=name, symbol=BTC, reason="silence") for name in ("trade", "ticker", "spread", "book")]


def found_by(condition: type, alerts: list[Alert]) -> list[tuple[int, int]]:
    return [(alert.index, alert.time_ns) for alert in alerts if isinstance(RULES[alert.index].condition, condition)]


@given(market_events(), st.integers(0, 50), st.booleans())
def test_what_happened_before_a_gap_fires_nothing_after_it(
    events: list[tuple[Event, int]], at: int, by_channel: bool
) -> None:
    before, after = events[:at], events[at:]
    engine, newcomer = Engine(RULES), Engine(RULES)
    run(before, engine)
    run([(cut, before[-1][1]) for cut in cuts(by_channel)] if before else [], engine)
    told, possible = run(after, engine), run(after, newcomer)
    assert found_by(Move, told) == found_by(Move, possible), "windows hold nothing from before"
    for condition in (Crosses, Volume, Above, SpreadWider):
        told_first, possible_first = found_by(condition, told)[:1], found_by(condition, possible)[:1]
        assert not told_first or possible_first, f"{condition.__name__} made up across a gap"
        assert not told_first or told_first[0][1] >= possible_first[0][1]


@given(market_events(), st.lists(st.integers(0, 400), max_size=40))
def test_polling_at_any_times_changes_no_alert(events: list[tuple[Event, int]], polls: list[int]) -> None:
    replayed = run(events, Engine(RULES))
    first, last = (events[0][1], events[-1][1]) if events else (0, 0)
    moments: list[tuple[int, Event | None]] = [(now_ns, event) for event, now_ns in events]
    moments += [(at * SECOND, None) for at in polls if first < at * SECOND <= last]
    engine = Engine(RULES)
    live: list[Alert] = []
    for now_ns, event in sorted(moments, key=lambda moment: moment[0]):
        live += engine.poll(now_ns) if event is None else engine.feed(event, now_ns)
    assert live == replayed
