"""Whatever users, venue, network and time do in whatever order, a session keeps its promises.

The machine plays a venue that keeps its own list of subscriptions, loses
replies, refuses symbols, spoils checksums, falls silent and cuts connections.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.unit.session.fake import (
    HEARTBEAT,
    SECOND,
    URL,
    Book,
    Driver,
    accepted,
    candles,
    refused,
    status,
    ticker,
    trades,
)

from krakenwire.errors import ConnectError, ConnectionLost
from krakenwire.model import Event, Gap, Refused, Resynced, Subscription, SubscriptionKey
from krakenwire.session import Policy, Stream

GOOD = ("BTC/USD", "ETH/USD", "SOL/USD")
BAD = "NOPE/USD"
DATA = ("book", "ohlc", "spread", "ticker", "trade")
POINTS = ("slow consumer", "trade ids")

SUBSCRIPTIONS = st.one_of(
    st.builds(Subscription, channel=st.just("trade"), symbol=st.sampled_from((*GOOD, BAD))),
    st.builds(Subscription, channel=st.just("spread"), symbol=st.sampled_from((*GOOD, BAD))),
    st.builds(
        Subscription,
        channel=st.just("ticker"),
        symbol=st.sampled_from(GOOD),
        event_trigger=st.sampled_from(("trades", "bbo")),
    ),
    st.builds(
        Subscription, channel=st.just("book"), symbol=st.sampled_from((*GOOD, BAD)), depth=st.sampled_from((10, 25))
    ),
    st.builds(Subscription, channel=st.just("ohlc"), symbol=st.sampled_from(GOOD), interval=st.sampled_from((1, 5))),
)


class Venue:
    """The other side of one connection: requests wait until they are answered."""

    def __init__(self) -> None:
        self.has: dict[SubscriptionKey, dict[str, object]] = {}
        self.waiting: list[tuple[dict[str, object], str]] = []

    def ask(self, requests: list[dict[str, object]]) -> None:
        for request in requests:
            if request["method"] != "ping":
                params = cast("dict[str, list[str]]", request["params"])
                self.waiting += [(request, symbol) for symbol in params["symbol"]]

    def answer(self) -> str:
        """Carry out the oldest request for one symbol and return the reply."""
        request, symbol = self.waiting.pop(0)
        params = cast("dict[str, object]", request["params"])
        req_id = cast("int", request["req_id"])
        key = (str(params["channel"]), symbol, cast("int | None", params.get("interval")))
        method = request["method"]
        if method == "unsubscribe":
            if self.has.pop(key, None) is None:
                return refused("Subscription Not Found", symbol=symbol, req_id=req_id)
        elif symbol == BAD:
            return refused(f"Currency pair not supported {BAD}", symbol=symbol, req_id=req_id)
        elif key in self.has:
            return refused("Already subscribed", symbol=symbol, req_id=req_id)
        else:
            self.has[key] = params
        return accepted(request, symbol)


class SessionMachine(RuleBasedStateMachine):
    """A session, its users and its venue, on virtual time."""

    def __init__(self) -> None:
        super().__init__()
        self.chance = random.Random(7)
        self.driver = Driver(retry_initial=True, malformed_max=1000)
        self.session = self.driver.session
        self.session.start(0)
        self.driver.take_sent()
        self.venue = Venue()
        self.books = {symbol: Book(symbol) for symbol in GOOD}
        self.last_id = dict.fromkeys(GOOD, 0)
        self.seen = 0
        self.open_gaps: set[SubscriptionKey] = set()

    # -- what may happen ---------------------------------------------------------

    @rule(subs=st.lists(SUBSCRIPTIONS, min_size=1, max_size=4))
    def subscribe(self, subs: list[Subscription]) -> None:
        self.driver.subscribe(*subs)

    @rule(subs=st.lists(SUBSCRIPTIONS, min_size=1, max_size=4))
    def unsubscribe(self, subs: list[Subscription]) -> None:
        self.driver.unsubscribe(*subs)
        self.open_gaps -= {sub.key for sub in subs}

    @precondition(lambda self: self.session.state == "opening")
    @rule(works=st.booleans())
    def connect(self, works: bool) -> None:
        self.driver.chance = self.chance.random()
        self.venue = Venue()
        if works:
            self.driver.open()
            self.driver.frame(status())
        else:
            self.driver.cut(ConnectError(URL, "refused"))

    @precondition(lambda self: self.session.state == "open" and self.venue.waiting)
    @rule(count=st.integers(1, 5), lost=st.booleans())
    def reply(self, count: int, lost: bool) -> None:
        for _ in range(min(count, len(self.venue.waiting))):
            text = self.venue.answer()
            if not lost:
                self.driver.frame(text)

    @precondition(lambda self: self.session.state == "open")
    @rule(symbol=st.sampled_from(GOOD), channel=st.sampled_from(DATA), spoiled=st.booleans(), skip=st.integers(0, 2))
    def data(self, symbol: str, channel: str, spoiled: bool, skip: int) -> None:
        """Data comes whether it is wanted or not."""
        if channel == "ticker":
            self.driver.frame(ticker(symbol, bid=f"{skip}.0"))
        elif channel == "ohlc":
            self.driver.frame(candles(symbol, (skip, "100.0"), interval=1))
        elif channel == "book":
            book = self.books[symbol]
            self.driver.frame(book.update(skip + 1, spoiled=spoiled) if skip else book.snapshot(spoiled=spoiled))
        else:
            self.last_id[symbol] += 1 + skip
            self.driver.frame(trades(symbol, self.last_id[symbol]))

    @precondition(lambda self: self.session.state == "open")
    @rule(frame=st.sampled_from(("", "[]", "null", '{"channel":"book"}', '{"method":"subscribe"}', "\ud800", b"\xff")))
    def nonsense(self, frame: str | bytes) -> None:
        self.driver.frame(frame)

    @precondition(lambda self: self.session.state in ("open", "closing"))
    @rule()
    def cut(self) -> None:
        self.driver.cut(ConnectionLost(URL, "reset"))

    @rule(seconds=st.sampled_from((0.01, 0.5, 1, 5, 11, 70, 130)), heartbeats=st.booleans())
    def time_passes(self, seconds: float, heartbeats: bool) -> None:
        self.driver.wait(seconds, heartbeats=heartbeats)

    # -- what always holds -----------------------------------------------------------

    @invariant()
    def everything_wanted_is_confirmed_failed_or_under_way(self) -> None:
        session = self.session
        parts = (session.confirmed.keys(), session.failed.keys(), session.in_flight.keys())
        assert sum(map(len, parts)) == len(session.wanted)
        assert set().union(*parts) == set(session.wanted)

    @invariant()
    def nothing_unwanted_comes_out_and_gaps_alternate_with_resyncs(self) -> None:
        wanted = self.session.wanted
        for event in self.driver.events[self.seen :]:
            key = about(event)
            assert key is None or key in wanted, f"{event} is not wanted"
            if isinstance(event, Gap) and event.reason not in POINTS:
                assert key not in self.open_gaps
                self.open_gaps.add(cast("SubscriptionKey", key))
            elif isinstance(event, Resynced):
                self.open_gaps.remove(cast("SubscriptionKey", key))
        self.seen = len(self.driver.events)

    @invariant()
    def attempts_keep_the_budget(self) -> None:
        opens = self.driver.opens
        assert all(later - opens[index] > 600 for index, later in enumerate(opens[100:]))
        # a random drop is answered at once three times at most; everything else waits five seconds
        assert all(later - opens[index] >= 5 for index, later in enumerate(opens[4:]))

    @invariant()
    def the_next_deadline_is_ahead_once_everything_due_is_done(self) -> None:
        self.driver.poll()
        deadline_ns = self.session.next_deadline_ns()
        assert deadline_ns is None or deadline_ns > self.driver.now_ns

    @invariant()
    def at_most_one_request_and_its_repetition_wait_for_each_subscription(self) -> None:
        """What is sent is taken over by the venue here, so that no step forgets to."""
        if self.session.state != "open":
            self.venue = Venue()
            self.driver.take_sent()
        self.venue.ask(self.driver.take_sent())
        counts: dict[object, int] = defaultdict(int)
        for request, symbol in self.venue.waiting:
            params = cast("dict[str, object]", request["params"])
            counts[request["method"], params["channel"], symbol, params.get("interval")] += 1
        assert all(count <= 4 for count in counts.values())

    @invariant()
    def nothing_stale_is_readable(self) -> None:
        if self.session.state != "open":
            books = [self.session.book(symbol) for symbol in GOOD]
            assert all(book is None or book.state != "live" for book in books)

    # -- and how it ends ---------------------------------------------------------------

    def teardown(self) -> None:
        """Heal everything: soon all that is wanted is confirmed or refused, and the venue has just that."""
        for _ in range(400):
            if self.session.state == "closing":
                self.driver.cut(None)
            if self.session.state == "opening":
                self.venue = Venue()
                self.driver.open()
            self.at_most_one_request_and_its_repetition_wait_for_each_subscription()
            while self.session.state == "open" and self.venue.waiting:
                request, symbol = self.venue.waiting[0]
                had = len(self.venue.has)
                self.driver.frame(self.venue.answer())
                if len(self.venue.has) > had:
                    self.first_data(cast("dict[str, object]", request["params"]), symbol)
                self.venue.ask(self.driver.take_sent())
            self.driver.wait(1, heartbeats=True)
        assert self.session.state == "open"
        assert self.session.in_flight == {}
        assert all(key[1] == BAD for key in self.session.failed)
        assert all(key[1] != BAD for key in self.session.confirmed)
        self.nothing_unwanted_comes_out_and_gaps_alternate_with_resyncs()
        assert set(self.venue.has) == set(self.served())
        for key in self.served():
            book = self.session.book(str(key[1])) if key[0] == "book" else None
            assert key[0] != "book" or (book is not None and book.state == "live")

    def first_data(self, params: dict[str, object], symbol: str) -> None:
        if params["channel"] == "book":
            self.driver.frame(self.books[symbol].snapshot())
        elif params["channel"] == "ticker":
            self.driver.frame(ticker(symbol))

    def served(self) -> list[SubscriptionKey]:
        """The wire subscriptions of everything confirmed, worked out here once more."""
        wanted = self.session.wanted
        found = {key: None for key in self.session.confirmed if key[0] != "spread"}
        for key in self.session.confirmed:
            if key[0] == "spread":
                book, tick = ("book", key[1], None), ("ticker", key[1], None)
                by_ticker = book not in wanted and (tick not in wanted or wanted[tick].event_trigger == "bbo")
                found[tick if by_ticker else book] = None
        return list(found)


def about(event: Event) -> SubscriptionKey | None:
    """The subscription an event is about, None for those about the connection."""
    if event.channel in DATA:
        return (event.channel, event.symbol, getattr(event, "interval", None))
    if isinstance(event, Gap | Resynced):
        return (event.channel_name, event.symbol, event.interval)
    if isinstance(event, Refused) and event.channel_name is not None:
        return (event.channel_name, event.symbol, event.interval)
    return None


TestSession = SessionMachine.TestCase
TestSession.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# -- cutting and interleaving ------------------------------------------------------------


def script(symbol: str) -> list[str]:
    """What the venue says about one symbol, in its order."""
    book = Book(symbol)
    return [
        book.snapshot(),
        trades(symbol, 1, 2),
        book.update(3),
        ticker(symbol),
        trades(symbol, 4),
        candles(symbol, (1, "101.0"), (2, "102.0"), kind="snapshot"),
        book.update(4),
        candles(symbol, (3, "103.0")),
        ticker(symbol, bid="100.5"),
        book.update(5, spoiled=True),
        book.update(6),
        book.snapshot(),
    ]


CHANNELS = ("book", "ohlc", "spread", "ticker", "trade")


def heard(order: list[str], pauses: list[float]) -> dict[str, list[str]]:
    """Play the scripts of all symbols, whose turn it is told by `order`; return what came out of each."""
    driver = Driver().open()
    driver.subscribe(*(Subscription(channel=channel, symbol=symbol) for channel in CHANNELS for symbol in GOOD))
    driver.accept()
    left = {symbol: script(symbol) for symbol in GOOD}
    for symbol, pause in zip(order, pauses, strict=True):
        driver.wait(pause, heartbeats=True)
        driver.frame(left[symbol].pop(0))
    found: dict[str, list[str]] = {symbol: [] for symbol in GOOD}
    for event in driver.events:
        if event.symbol in found:
            found[event.symbol].append(timeless(event))
    return found


def timeless(event: Event) -> str:
    """An event's text without the session's own times, which the pauses of course change."""
    if isinstance(event, Gap | Resynced):
        return f"{event.channel} {event.channel_name} {getattr(event, 'reason', '')} {getattr(event, 'dropped', '')}"
    return repr(event)


TURNS = [symbol for symbol in GOOD for _ in script(symbol)]


@settings(max_examples=40)
@given(
    order=st.permutations(TURNS),
    pauses=st.lists(st.sampled_from((0.0, 0.001, 0.4, 2.5)), min_size=len(TURNS), max_size=len(TURNS)),
)
def test_any_interleaving_of_symbols_and_any_pace_gives_the_same_events_of_each(
    order: list[str], pauses: list[float]
) -> None:
    usual = heard(TURNS, [0.0] * len(TURNS))
    assert len(usual["BTC/USD"]) > 20
    assert heard(order, pauses) == usual


# -- slow consumers ------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    policy=st.sampled_from((Policy.DROP, Policy.CONFLATE)),
    capacity=st.integers(1, 5),
    steps=st.lists(st.one_of(st.sampled_from((*GOOD, "cut", "take"))), max_size=80),
)
def test_a_mailbox_never_outgrows_its_bound_and_ends_on_the_newest(
    policy: Policy, capacity: int, steps: list[str]
) -> None:
    driver = Driver(hub=True, attempts_max=1000).open()
    assert driver.hub is not None
    stream: Stream = driver.hub.open_stream("ticker", GOOD, now_ns=0, policy=policy, capacity=capacity, notices=True)
    driver.accept()
    newest: dict[str, str] = {}
    shown: dict[str, str] = {}
    for number, step in enumerate(steps):
        if step == "cut":
            driver.cut(ConnectionLost(URL, "reset"))
            driver.wait(61)
            driver.open()
            driver.accept()
        elif step == "take":
            note(stream.take(), shown)
        else:
            newest[step] = f"{number}.0"
            driver.frame(ticker(step, bid=newest[step]))
        assert len(stream) <= (capacity + 1 if policy is Policy.DROP else 4 * len(GOOD))
    while (item := stream.take()) is not None:
        note(item, shown)
    if policy is Policy.CONFLATE:
        assert shown == newest
    assert driver.now_ns % SECOND == 0
    assert driver.frame(HEARTBEAT)


def note(item: object, shown: dict[str, str]) -> None:
    bid = getattr(item, "bid", None)
    if bid is not None:
        shown[item.symbol] = str(bid)  # type: ignore[attr-defined]
