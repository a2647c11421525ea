"""One v2 connection of the local Kraken: replies, snapshots, updates, heartbeats, refusals."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from krakenwire.book import L2Book, L3Book
from krakenwire.model import BookUpdate, Candles, Event, Instruments, Level3Update, Subscribed, Ticker, Trades
from krakenwire.protocol.v2 import ClientCodec
from krakenwire.protocol.v2.venue import PRIVATE_METHODS
from krakenwire.venue.config.venue_config import VenueConfig
from krakenwire.venue.gateways.publisher import Publisher
from krakenwire.venue.gateways.v2 import Gateway
from krakenwire.venue.venue import Venue

START_NS = 1_800_000_000_000_000_000
SECOND = 1_000_000_000
CONNECTION_ID = 123_456_789


class Connection:
    """A gateway with the time, and the frames its client got."""

    def __init__(self, venue: Venue, publisher: Publisher[Gateway]) -> None:
        self.venue, self.publisher = venue, publisher
        self.gateway = Gateway(venue, publisher, CONNECTION_ID)
        self.now_ns = venue.now_ns
        self.opening = self.gateway.feed_open(self.now_ns)

    def send(self, frame: str) -> list[dict[str, Any]]:
        return [json.loads(frame) for frame in self.gateway.feed_frame(frame, self.now_ns)]

    def raw(self, method: str, channel: str, symbols: list[str] | None, **params: object) -> list[str]:
        body = {"channel": channel, **({"symbol": symbols} if symbols else {}), **params}
        request = json.dumps({"method": method, "params": body, "req_id": 5})
        return self.gateway.feed_frame(request, self.now_ns)

    def ask(self, method: str, channel: str, symbols: list[str] | None, **params: object) -> list[dict[str, Any]]:
        return [json.loads(frame) for frame in self.raw(method, channel, symbols, **params)]

    def live(self, seconds: float, step_ns: int = 20_000_000) -> Iterator[str]:
        """Let the market run; yield the frames for this client."""
        end_ns = self.now_ns + int(seconds * SECOND)
        while self.now_ns < end_ns:
            self.now_ns += step_ns
            for symbol in self.venue.step(self.now_ns):
                for frame, receivers in self.publisher.advance(symbol, self.now_ns):
                    if self.gateway in receivers:
                        yield frame
            yield from self.gateway.poll(self.now_ns)


@pytest.fixture(scope="module")
def venue() -> Venue:
    """One market for all: opening it costs more than any test, and each continues where the last left it."""
    return Venue(VenueConfig(start_ns=START_NS, symbols=["BTC/USD", "ETH/USD"], rate=100, seed=3))


@pytest.fixture
def connection(venue: Venue) -> Connection:
    return Connection(venue, Publisher())


def decoded(frames: list[str] | Iterator[str]) -> list[Event]:
    codec = ClientCodec()
    events = [event for frame in frames for event in codec.decode(frame)]
    assert codec.unknown_members == 0
    return events


# -- opening -------------------------------------------------------------------


def test_the_status_is_told_before_anything_is_asked(connection: Connection) -> None:
    assert connection.opening == [
        (
            '{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online","api_version":"v2",'
            f'"connection_id":{CONNECTION_ID},"upcoming_maintenance":[],"emergency":[]}}]}}'
        )
    ]


def test_everybody_is_told_when_the_trading_mode_changes(connection: Connection) -> None:
    assert connection.publisher.advance(None, connection.now_ns) == []
    connection.venue.set_status("maintenance")
    ((frame, receivers),) = connection.publisher.advance(None, connection.now_ns)
    connection.venue.set_status("online")
    assert json.loads(frame)["data"][0]["system"] == "maintenance"
    assert list(receivers) == [connection.gateway]


def test_a_ping_is_answered_with_its_number_when_it_had_one(connection: Connection) -> None:
    (pong,) = connection.send('{"method":"ping","req_id":0}')
    assert list(pong) == ["method", "req_id", "time_in", "time_out"]
    (pong,) = connection.send('{"method":"ping"}')
    assert list(pong) == ["method", "time_in", "time_out"]


# -- subscribing -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "params", "result"),
    [
        ("ticker", {}, {"channel": "ticker", "event_trigger": "trades", "snapshot": True, "symbol": "BTC/USD"}),
        (
            "ticker",
            {"event_trigger": "bbo"},
            {"channel": "ticker", "event_trigger": "bbo", "snapshot": True, "symbol": "BTC/USD"},
        ),
        ("book", {}, {"channel": "book", "depth": 10, "snapshot": True, "symbol": "BTC/USD"}),
        (
            "book",
            {"depth": 1000, "snapshot": False},
            {"channel": "book", "depth": 1000, "snapshot": False, "symbol": "BTC/USD"},
        ),
        ("level3", {"token": "t", "depth": 100}, {"channel": "level3", "snapshot": True, "symbol": "BTC/USD"}),
        (
            "ohlc",
            {"interval": 5},
            {
                "channel": "ohlc",
                "interval": 5,
                "snapshot": True,
                "symbol": "BTC/USD",
                "warnings": ["timestamp is deprecated, use interval_begin"],
            },
        ),
        ("trade", {}, {"channel": "trade", "snapshot": False, "symbol": "BTC/USD"}),
        (
            "instrument",
            {},
            {"channel": "instrument", "snapshot": True, "warnings": ["tick_size is deprecated, use price_increment"]},
        ),
    ],
)
def test_the_reply_holds_the_effective_parameters(
    connection: Connection, channel: str, params: dict[str, object], result: dict[str, object]
) -> None:
    symbols = None if channel == "instrument" else ["BTC/USD"]
    reply, *rest = connection.ask("subscribe", channel, symbols, **params)
    assert list(reply) == ["method", "req_id", "result", "success", "time_in", "time_out"]
    assert (reply["method"], reply["req_id"], reply["success"]) == ("subscribe", 5, True)
    assert list(reply["result"].items()) == list(result.items())
    assert [frame["type"] for frame in rest] == (["snapshot"] if result["snapshot"] else [])
    ended = connection.ask("unsubscribe", channel, symbols, **params)
    assert [frame["result"] for frame in ended] == [
        {name: value for name, value in result.items() if name not in ("snapshot", "warnings")}
    ]


def test_each_symbol_has_its_own_reply_and_snapshot_and_a_bad_one_hurts_no_other(connection: Connection) -> None:
    frames = connection.ask("subscribe", "book", ["BTC/USD", "XBT/USD", "ETH/USD"])
    replies, snapshots = frames[:3], frames[3:]
    assert [reply["success"] for reply in replies] == [True, False, True]
    assert list(replies[1]) == ["error", "method", "req_id", "success", "symbol", "time_in", "time_out"]
    assert (replies[1]["error"], replies[1]["symbol"]) == ("Currency pair not supported XBT/USD", "XBT/USD")
    assert [snapshot["data"][0]["symbol"] for snapshot in snapshots] == ["BTC/USD", "ETH/USD"]


def test_a_second_subscription_is_refused_even_at_another_depth(connection: Connection) -> None:
    connection.ask("subscribe", "book", ["BTC/USD"], depth=10)
    (reply,) = connection.ask("subscribe", "book", ["BTC/USD"], depth=25)
    assert (reply["error"], reply["symbol"], reply["method"]) == ("Already subscribed", "BTC/USD", "subscribe")
    connection.ask("subscribe", "instrument", None)
    (reply,) = connection.ask("subscribe", "instrument", None)
    assert reply["error"] == "Already subscribed"
    assert "symbol" not in reply


def test_candles_of_several_intervals_live_side_by_side(connection: Connection) -> None:
    assert connection.ask("subscribe", "ohlc", ["BTC/USD"], interval=1)[0]["success"]
    assert connection.ask("subscribe", "ohlc", ["BTC/USD"], interval=5)[0]["success"]
    assert connection.ask("unsubscribe", "ohlc", ["BTC/USD"], interval=5)[0]["success"]
    assert not connection.ask("unsubscribe", "ohlc", ["BTC/USD"], interval=5)[0]["success"]
    assert connection.ask("unsubscribe", "ohlc", ["BTC/USD"], interval=1)[0]["success"]


def test_ending_what_is_not_subscribed_is_refused_as_a_subscribe(connection: Connection) -> None:
    (reply,) = connection.ask("unsubscribe", "book", ["BTC/USD"])
    assert (reply["error"], reply["method"], reply["symbol"]) == ("Subscription Not Found", "subscribe", "BTC/USD")
    (reply,) = connection.ask("unsubscribe", "book", ["FOO/USD"])
    assert reply["error"] == "Currency pair not supported FOO/USD"


def test_an_unsubscribe_must_name_the_depth_that_is_held_or_none(connection: Connection) -> None:
    connection.ask("subscribe", "book", ["BTC/USD"], depth=100)
    assert connection.ask("unsubscribe", "book", ["BTC/USD"], depth=10)[0]["error"] == "Subscription Not Found"
    assert connection.ask("unsubscribe", "book", ["BTC/USD"])[0]["result"]["depth"] == 100
    connection.ask("subscribe", "ticker", ["BTC/USD"], event_trigger="bbo")
    assert not connection.ask("unsubscribe", "ticker", ["BTC/USD"], event_trigger="trades")[0]["success"]
    assert connection.ask("unsubscribe", "ticker", ["BTC/USD"])[0]["result"]["event_trigger"] == "bbo"


# -- refusals ------------------------------------------------------------------------


def test_no_mistake_ends_the_connection(connection: Connection) -> None:
    for frame in ("nonsense", "{}", '{"method":"dance"}', '{"method":"ping","params":{}}', "[]", '{"method":[]}'):
        (reply,) = connection.send(frame)
        assert reply["success"] is False
        assert list(reply) == sorted(reply)
    assert connection.ask("subscribe", "level3", ["BTC/USD"])[0]["error"] == "Token(s) not found"
    assert connection.gateway.should_close is None
    assert connection.ask("subscribe", "trade", ["BTC/USD"])[0]["success"] is True


def test_a_malformed_request_has_no_number(connection: Connection) -> None:
    (reply,) = connection.send('{"method":"ping","req_id":5')
    assert reply == {"error": "Malformed request", "method": "error", "success": False} | {
        name: reply[name] for name in ("time_in", "time_out")
    }


def test_wrong_parameters_are_refused_for_each_symbol(connection: Connection) -> None:
    replies = connection.ask("subscribe", "book", ["BTC/USD", "ETH/USD"], depth=11)
    assert [(reply["error"], reply["symbol"], reply["req_id"]) for reply in replies] == [
        ("Subscription depth not supported", "BTC/USD", 5),
        ("Subscription depth not supported", "ETH/USD", 5),
    ]


def test_asking_for_the_status_tells_it_and_refuses(connection: Connection) -> None:
    status, refusal = connection.ask("subscribe", "status", None)
    assert status["channel"] == "status"
    assert refusal["error"] == "Symbol(s) not found"


# -- market data ---------------------------------------------------------------------


@pytest.mark.parametrize("depth", [10, 25, 100, 500, 1000])
def test_a_book_follows_the_market_and_verifies_at_every_depth(connection: Connection, depth: int) -> None:
    books = {symbol: L2Book(symbol, depth) for symbol in connection.venue.symbols}
    frames = connection.raw("subscribe", "book", list(books), depth=depth)
    verified = 0
    for event in decoded([*frames, *connection.live(3)]):
        if isinstance(event, BookUpdate):
            books[event.symbol].apply(event)
            assert event.verified
            verified += 1
    assert verified > 100
    for market in connection.venue.markets:
        bids, asks = books[market.symbol].top(depth)
        assert len(bids) == min(depth, len(market.levels("buy", depth)))
        assert [int(level.price.scaleb(market.instrument.price_precision)) for level in asks] == [
            level.price for level in market.levels("sell", depth)
        ]


@pytest.mark.parametrize("depth", [10, 100, 1000])
def test_level3_follows_the_market_and_verifies_at_every_depth(connection: Connection, depth: int) -> None:
    books = {symbol: L3Book(symbol, depth) for symbol in connection.venue.symbols}
    frames = connection.raw("subscribe", "level3", list(books), depth=depth, token="any")
    verified = 0
    for event in decoded([*frames, *connection.live(2)]):
        if isinstance(event, Level3Update):
            books[event.symbol].apply(event)
            assert event.verified
            verified += 1
    assert verified > 100


def test_updates_begin_where_a_snapshot_left_off_for_who_joins_later(connection: Connection) -> None:
    connection.raw("subscribe", "book", ["BTC/USD"])
    for _ in connection.live(0.5):
        pass
    late = Connection(connection.venue, connection.publisher)
    book = L2Book("BTC/USD", 10)
    for event in decoded([*late.raw("subscribe", "book", ["BTC/USD"]), *late.live(1)]):
        if isinstance(event, BookUpdate):
            book.apply(event)
            assert event.verified


def test_a_frame_is_written_once_for_all_who_follow(connection: Connection) -> None:
    other = Connection(connection.venue, connection.publisher)
    for each in (connection, other):
        each.raw("subscribe", "book", ["BTC/USD"])
    now_ns = connection.now_ns + SECOND
    sent = [
        (frame, list(receivers))
        for symbol in connection.venue.step(now_ns)
        for frame, receivers in connection.publisher.advance(symbol, now_ns)
    ]
    assert sent
    assert all(receivers == [connection.gateway, other.gateway] for _, receivers in sent)


def test_trades_come_once_each_in_order_and_the_latest_fifty_when_asked(connection: Connection) -> None:
    for _ in connection.live(20, step_ns=SECOND):
        pass
    frames = connection.raw("subscribe", "trade", ["BTC/USD"], snapshot=True)
    events = [event for event in decoded([*frames, *connection.live(20)]) if isinstance(event, Trades)]
    assert (events[0].kind, len(events[0].trades)) == ("snapshot", 50)
    ids = [trade.trade_id for event in events for trade in event.trades]
    assert all(isinstance(trade_id, int) for trade_id in ids)
    assert ids == list(range(ids[0] or 0, (ids[0] or 0) + len(ids)))
    assert len(events) > 1


def test_a_ticker_speaks_on_trades_or_on_quotes(connection: Connection) -> None:
    by_trade = [*connection.raw("subscribe", "ticker", ["BTC/USD"]), *connection.live(10)]
    other = Connection(connection.venue, connection.publisher)
    other.now_ns = connection.now_ns
    by_quote = [*other.raw("subscribe", "ticker", ["BTC/USD"], event_trigger="bbo"), *other.live(10)]
    tickers = [[event for event in decoded(frames) if isinstance(event, Ticker)] for frames in (by_trade, by_quote)]
    for events in tickers:
        assert [event.kind for event in events] == ["snapshot"] + ["update"] * (len(events) - 1)
        assert len(events) > 2
        assert all(event.bid < event.ask for event in events)
    assert all(a.trades != b.trades for a, b in zip(tickers[0][1:], tickers[0][2:], strict=False))
    quotes = [(event.bid, event.bid_qty, event.ask, event.ask_qty) for event in tickers[1][1:]]
    assert all(a != b for a, b in itertools.pairwise(quotes))
    assert len(tickers[1]) > len(tickers[0])


def test_a_candle_is_told_after_each_trade(connection: Connection) -> None:
    for _ in connection.live(120, step_ns=SECOND):
        pass
    frames = [*connection.raw("subscribe", "ohlc", ["BTC/USD"], interval=1), *connection.live(65)]
    connection.raw("subscribe", "trade", ["BTC/USD"])
    events = [event for event in decoded(frames) if isinstance(event, Candles)]
    assert events[0].kind == "snapshot"
    assert 2 <= len(events[0].candles) <= 10
    rows = [candle for event in events for candle in event.candles]
    assert all(a.begin_ns <= b.begin_ns for a, b in itertools.pairwise(rows))
    assert all(candle.low <= min(candle.open, candle.close, candle.vwap) for candle in rows)
    assert all(candle.high >= max(candle.open, candle.close, candle.vwap) for candle in rows)
    final = {candle.begin_ns: candle for candle in rows}
    market = connection.venue.market("BTC/USD")
    assert market is not None
    for candle in market.candles.latest(1, 2):
        told = final[candle.begin_ns]
        assert (told.trades, int(told.volume.scaleb(8))) == (candle.trades, candle.volume)


def test_instruments_tell_what_the_venue_lists(connection: Connection) -> None:
    events = decoded(connection.raw("subscribe", "instrument", None))
    assert isinstance(events[0], Subscribed)
    (snapshot,) = (event for event in events if isinstance(event, Instruments))
    assert [pair.symbol for pair in snapshot.pairs] == ["BTC/USD", "ETH/USD"]
    assert {asset.id for asset in snapshot.assets} == {"BTC", "ETH", "USD"}
    for pair, listed in zip(snapshot.pairs, connection.venue.instruments, strict=True):
        assert (pair.price_increment, pair.qty_increment) == (listed.price_increment, listed.qty_increment)
        assert (pair.qty_min, pair.cost_min) == (listed.qty_min, listed.cost_min)


# -- time ------------------------------------------------------------------------------


def test_heartbeats_come_each_second_while_something_is_subscribed(connection: Connection) -> None:
    assert connection.gateway.poll(connection.now_ns + 5 * SECOND) == []
    connection.ask("subscribe", "instrument", None)
    beats = []
    for _ in range(3):
        due_ns = connection.gateway.next_deadline_ns()
        assert connection.gateway.poll(due_ns - 1) == []
        assert connection.gateway.poll(due_ns) == ['{"channel":"heartbeat"}']
        beats.append(due_ns)
    assert beats == [connection.now_ns + n * SECOND for n in (1, 2, 3)]
    late_ns = beats[-1] + 7 * SECOND + 300_000_000
    assert connection.gateway.poll(late_ns) == ['{"channel":"heartbeat"}']
    assert connection.gateway.next_deadline_ns() == beats[-1] + 8 * SECOND
    connection.ask("unsubscribe", "instrument", None)
    assert connection.gateway.poll(late_ns + 5 * SECOND) == []


def test_an_idle_connection_is_to_be_closed_after_a_minute_and_a_ping_keeps_it(connection: Connection) -> None:
    gateway, start_ns = connection.gateway, connection.now_ns
    assert gateway.next_deadline_ns() == start_ns + 60 * SECOND
    gateway.poll(start_ns + 60 * SECOND - 1)
    assert gateway.should_close is None
    gateway.feed_frame('{"method":"ping"}', start_ns + 59 * SECOND)
    gateway.poll(start_ns + 60 * SECOND)
    assert gateway.should_close is None
    assert gateway.poll(start_ns + 119 * SECOND) == []
    assert gateway.should_close == "nothing subscribed and no request for 60 s"


def test_a_subscribed_connection_is_never_idle(connection: Connection) -> None:
    connection.ask("subscribe", "instrument", None)
    connection.gateway.poll(connection.now_ns + 600 * SECOND)
    assert connection.gateway.should_close is None


def test_a_closed_connection_gets_nothing_more_and_leaves_no_topic(connection: Connection) -> None:
    connection.raw("subscribe", "book", ["BTC/USD"])
    connection.raw("subscribe", "trade", ["ETH/USD"])
    connection.gateway.feed_close()
    assert len(connection.publisher) == 0
    assert list(connection.live(1)) == []


# -- private requests ------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "params"),
    [
        *((method, params) for method in PRIVATE_METHODS for params in ("{}", '{"token":"t"}', "7")),
        ("cancel_all_orders_after", '{"timeout":60,"token":"t"}'),
        ("subscribe", '{"channel":"executions","token":"t","snap_trades":true}'),
        ("subscribe", '{"channel":"executions"}'),
        ("unsubscribe", '{"channel":"balances","token":"t"}'),
        ("unsubscribe", '{"channel":"balances","token":7}'),
    ],
)
def test_private_requests_well_made_or_not_belong_elsewhere(connection: Connection, method: str, params: str) -> None:
    (reply,) = connection.send(f'{{"method":"{method}","params":{params},"req_id":3}}')
    assert {name: value for name, value in reply.items() if not name.startswith("time_")} == {
        "error": "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com",
        "method": method,
        "req_id": 3,
        "success": False,
    }
