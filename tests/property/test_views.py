"""What a subscriber rebuilds from a view is the venue's book, whatever happens and whenever it looks."""

from __future__ import annotations

from random import Random
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.limits import BOOK_DEPTHS, LEVEL3_DEPTHS
from krakenwire.model.numbers import fixed_text
from krakenwire.venue.config.venue_config import VenueConfig
from krakenwire.venue.gateways.views import BookDiff, BookView, Level3View
from krakenwire.venue.market import market as market_module
from krakenwire.venue.market.instruments import INSTRUMENTS
from krakenwire.venue.market.market import Market
from krakenwire.venue.matching.matching import PriceLevel
from krakenwire.venue.venue import Venue

SMALL_DEPTHS = (1, 2, 3, 5, 10)


def text(value: int, decimals: int) -> str:
    return fixed_text(value, decimals).replace(".", "").lstrip("0")


class BookClient:
    """A client as the reference describes it: apply in order, cut to depth, compare the checksum."""

    def __init__(self, view: BookView) -> None:
        self.view = view
        bids, asks = view.snapshot()
        self.bids = {row.price: row.qty for row in bids}
        self.asks = {row.price: row.qty for row in asks}
        self.last_ns = self.looked_ns = view.time_ns

    def follow(self) -> None:
        diff = self.view.advance()
        if diff is not None:
            self.apply(diff)
        self.looked_ns = self.view.market.time_ns

    def apply(self, diff: BookDiff) -> None:
        assert diff.time_ns > self.last_ns
        for side, changes, sign in ((self.bids, diff.bids, -1), (self.asks, diff.asks, 1)):
            removals = [change.qty == 0 for change in changes]
            assert removals == sorted(removals, reverse=True), "removals come first"
            for change in changes:
                assert change.time_ns <= diff.time_ns
                if change.republished:
                    assert change.price not in side
                    assert change.time_ns <= self.looked_ns, "it changed outside the view"
                elif change.qty:
                    assert side.get(change.price) != change.qty, "nothing changed"
                if change.qty:
                    side[change.price] = change.qty
                else:
                    del side[change.price]
            for price in sorted(side, key=lambda price: sign * price)[self.view.depth :]:
                del side[price]
        self.last_ns = diff.time_ns

    def checksum(self, price_decimals: int) -> int:
        more = 10 ** (price_decimals - self.view.market.instrument.price_precision)
        best = sorted(self.asks.items())[:10] + sorted(self.bids.items(), reverse=True)[:10]
        return crc32("".join(text(p * more, price_decimals) + text(q, 8) for p, q in best).encode())

    def check(self) -> None:
        market, depth = self.view.market, self.view.depth
        assert sorted(self.bids.items(), reverse=True) == [(v.price, v.qty) for v in market.levels("buy", depth)]
        assert sorted(self.asks.items()) == [(v.price, v.qty) for v in market.levels("sell", depth)]
        if depth >= 10:
            for decimals in (market.instrument.price_precision, market.instrument.v1_price_decimals):
                assert self.checksum(decimals) == self.view.checksum(decimals)
        rows = [[(v.price, v.qty, v.time_ns) for v in market.levels(side, depth)] for side in ("buy", "sell")]
        assert [[tuple(row) for row in side] for side in self.view.snapshot()] == rows


class Level3Client:
    """Orders by level; what falls out of the depth is cut without being told."""

    def __init__(self, view: Level3View) -> None:
        self.view = view
        self.sides: tuple[dict[int, dict[int, int]], dict[int, dict[int, int]]] = ({}, {})
        for side, rows in zip(self.sides, view.snapshot(), strict=True):
            for row in rows:
                side.setdefault(row.price, {})[row.order_id] = row.qty

    def follow(self) -> None:
        diff = self.view.advance()
        if diff is None:
            return
        for side, changes, sign in ((self.sides[0], diff.bids, -1), (self.sides[1], diff.asks, 1)):
            for change in changes:
                level = side.setdefault(change.price, {})
                assert (change.event == "add") == (change.order_id not in level)
                if change.event == "delete":
                    assert level.pop(change.order_id) == change.qty, "a delete carries the last quantity"
                else:
                    level[change.order_id] = change.qty
                if not level:
                    del side[change.price]
            for price in sorted(side, key=lambda price: sign * price)[self.view.depth :]:
                del side[price]

    def rows(self, side: int) -> list[tuple[int, int, int]]:
        prices = sorted(self.sides[side], reverse=side == 0)
        return [(price, order_id, qty) for price in prices for order_id, qty in self.sides[side][price].items()]

    def checksum(self) -> int:
        decimals = self.view.market.instrument.price_precision
        words = []
        for side in (1, 0):
            best = sorted(self.sides[side], reverse=side == 0)[:10]
            words += [text(price, decimals) + text(qty, 8) for price, _, qty in self.rows(side) if price in best]
        return crc32("".join(words).encode())

    def check(self) -> None:
        market, depth = self.view.market, self.view.depth
        for side, name in enumerate(("buy", "sell")):
            assert self.rows(side) == orders(market.levels(name, depth))
            assert [tuple(row)[:3] for row in self.view.snapshot()[side]] == self.rows(side)
        if depth >= 10:
            assert self.checksum() == self.view.checksum(market.instrument.price_precision)


def orders(levels: list[PriceLevel]) -> list[tuple[int, int, int]]:
    return [(order.price, order.order_id, order.qty) for level in levels for order in level]


places = st.tuples(
    st.just("place"),
    st.sampled_from(["buy", "sell"]),
    st.integers(1, 5),
    st.none() | st.integers(1, 16),
)
which = st.integers(0, 29)
"""Points at one of the resting orders."""

cancels = st.tuples(st.just("cancel"), which)
amends = st.tuples(st.just("amend"), which, st.none() | st.integers(1, 5), st.none() | st.integers(1, 16))
looks = st.tuples(st.just("look"))
commands = st.lists(st.one_of(places, places, places, cancels, amends, looks, looks), min_size=15, max_size=80)


def random_commands(random: Random, count: int) -> list[tuple]:
    """A book that stays around fifteen levels, with every kind of change, looked at now and then."""
    found: list[tuple] = []
    for _ in range(count):
        kind = random.choice(["place"] * 4 + ["cancel", "amend", "look", "look"])
        price = random.choice([None, *range(1, 31)])
        found.append(
            {
                "place": (kind, random.choice(["buy", "sell"]), random.randrange(1, 6), price),
                "cancel": (kind, random.randrange(30)),
                "amend": (kind, random.randrange(30), random.choice([None, *range(1, 6)]), price),
                "look": (kind,),
            }[kind]
        )
    return found


def perform(market: Market, command: tuple) -> None:
    now_ns = market.time_ns + 5_000
    resting = list(market.engine.orders) or [0]
    match command:
        case ("place", side, qty, price):
            market.place(side, qty, price, now_ns)
        case ("cancel", place):
            market.cancel(resting[place % len(resting)], now_ns)
        case ("amend", place, qty, price):
            market.amend(resting[place % len(resting)], now_ns, qty, price)


def followers(market: Market) -> list[BookClient | Level3Client]:
    return [
        *(BookClient(BookView(market, depth)) for depth in SMALL_DEPTHS),
        *(Level3Client(Level3View(market, depth)) for depth in SMALL_DEPTHS),
    ]


def run(given_commands: list[tuple], start: int) -> None:
    market = Market(INSTRUMENTS["BTC/USD"])
    for command in given_commands[:start]:
        perform(market, command)
    clients = followers(market)
    for command in [*given_commands[start:], ("look",)]:
        perform(market, command)
        if command[0] == "look":
            for client in clients:
                client.follow()
                client.check()


@given(commands, st.integers(0, 20))
def test_followers_end_with_the_top_of_the_book_however_rarely_they_look(given_commands: list[tuple], start: int):
    run(given_commands, start)


@pytest.mark.parametrize("seed", range(8))
def test_followers_of_long_random_runs_agree_at_every_look(seed: int):
    run(random_commands(Random(seed), 1_500), 100)


@given(commands)
def test_followers_that_fell_too_far_behind_start_over(given_commands: list[tuple]):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(market_module, "VENUE_CHANGES_KEPT", 2)
        run(given_commands, 0)


@given(commands)
def test_a_snapshot_between_updates_is_the_state_as_last_published(given_commands: list[tuple]):
    market = Market(INSTRUMENTS["BTC/USD"])
    view, deep = BookView(market, 3), Level3View(market, 3)
    published, deep_published = view.snapshot(), deep.snapshot()
    decimals = market.instrument.price_precision
    checksums = (view.checksum(decimals), deep.checksum(decimals))
    for command in given_commands:
        perform(market, command)
        if command[0] == "look":
            view.advance()
            deep.advance()
            published, deep_published = view.snapshot(), deep.snapshot()
            checksums = (view.checksum(decimals), deep.checksum(decimals))
        assert view.snapshot() == published
        assert deep.snapshot() == deep_published
        if command[0] != "look" and len(published[0]) < 3 and len(published[1]) < 3:
            assert (view.checksum(decimals), deep.checksum(decimals)) == checksums


def test_followers_of_a_lively_market_agree_with_it_at_every_step_and_depth(nightly: bool) -> None:
    config = VenueConfig(symbols=["BTC/USD", "ETH/BTC", "DOT/USD"], rate=50, thin=["DOT/USD"])
    venue = Venue(config)
    clients = {
        market.symbol: [
            *(BookClient(BookView(market, depth)) for depth in BOOK_DEPTHS),
            *(Level3Client(Level3View(market, depth)) for depth in LEVEL3_DEPTHS),
        ]
        for market in venue.markets
    }
    steps = 0
    for second in range(1, 300 if nightly else 9):
        for symbol in venue.step(config.start_ns + second * 1_000_000_000):
            steps += 1
            for client in clients[symbol]:
                client.follow()
                if client.view.depth <= 25 or steps % 20 == 0:
                    client.check()
    assert steps > 400
