"""One version 1 client of the local Kraken: order of frames, shared topics, heartbeats, mistakes."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from krakenwire.limits import OHLC_INTERVALS
from krakenwire.model import BookUpdate, Candle, Candles, Trades
from krakenwire.protocol.v1 import ClientCodec
from krakenwire.session.feed import Feed
from krakenwire.venue import Market, Publisher, Venue, VenueConfig, instruments
from krakenwire.venue.gateways.v1 import Gateway

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND
SYMBOLS = ("BTC/USD", "DOGE/USD", "ETH/USD")


class Exchange:
    """A publisher, some quiet markets, and what each client has received."""

    def __init__(self) -> None:
        self.markets = {symbol: quiet_market(symbol) for symbol in SYMBOLS}
        self.publisher: Publisher[Gateway] = Publisher()
        self.status = "online"
        self.received: dict[Gateway, list[str]] = {}

    def client(self, trade_snapshot: bool = False) -> Gateway:
        number = len(self.received)
        gateway = Gateway(self.markets, self.publisher, lambda: self.status, number, trade_snapshot=trade_snapshot)
        self.received[gateway] = []
        gateway.feed_open(NOW)
        return gateway

    def publish(self, symbol: str | None = "BTC/USD", now_ns: int = NOW) -> list[str]:
        sent = []
        for frame, receivers in self.publisher.advance(symbol, now_ns):
            sent.append(frame)
            for gateway in receivers:
                self.received[gateway].append(frame)
        return sent


def quiet_market(symbol: str) -> Market:
    (instrument,) = instruments([symbol])
    market = Market(instrument, time_ns=NOW - 100 * SECOND)
    for step in range(30):
        market.place("buy", 100_000_000 + step, 600_000 - 10 * step, NOW - 90 * SECOND)
        market.place("sell", 200_000_000 + step, 600_010 + 10 * step, NOW - 90 * SECOND)
    for step in range(60):
        market.place("buy" if step % 2 else "sell", 1_000 + step, None, NOW - (61 - step) * SECOND)
    return market


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


def say(gateway: Gateway, now_ns: int = NOW, **message: object) -> list[Any]:
    return [json.loads(frame) for frame in gateway.feed_frame(json.dumps(message), now_ns)]


def subscribe(gateway: Gateway, *pairs: str, reqid: int | None = None, **subscription: object) -> list[Any]:
    more = {} if reqid is None else {"reqid": reqid}
    return say(gateway, event="subscribe", pair=list(pairs), subscription=subscription, **more)


def unsubscribe(gateway: Gateway, *pairs: str, **subscription: object) -> list[Any]:
    return say(gateway, event="unsubscribe", pair=list(pairs), subscription=subscription)


def names(replies: list[Any]) -> list[str]:
    return [reply["channelName"] if isinstance(reply, dict) else f"[{reply[-2]}]" for reply in replies]


# -- connection ------------------------------------------------------------------


def test_the_first_frame_tells_the_mode_and_the_connection(exchange: Exchange) -> None:
    gateway = Gateway(exchange.markets, exchange.publisher, lambda: "post_only", 2**53 - 1, version="1.9.6")
    assert gateway.feed_open(NOW) == [
        (
            '{"event":"systemStatus","version":"1.9.6","status":"post_only","connectionID":9007199254740991,'
            '"upcoming_maintenance":[],"emergency":[]}'
        )
    ]


def test_a_change_of_mode_is_told_to_everybody_without_the_connection_id(exchange: Exchange) -> None:
    first, second = exchange.client(), exchange.client()
    assert exchange.publish(None) == []
    exchange.status = "cancel_only"
    exchange.publish(None)
    assert exchange.received[first] == exchange.received[second]
    (frame,) = map(json.loads, exchange.received[first])
    assert (frame["status"], "connectionID" in frame) == ("cancel_only", False)


def test_ping_works_before_any_subscription(exchange: Exchange) -> None:
    gateway = exchange.client()
    assert gateway.feed_frame('{"event":"ping","reqid":42}', NOW) == ['{"event":"pong","reqid":42}']
    assert gateway.feed_frame(b'{"event":"ping"}', NOW) == ['{"event":"pong"}']


def test_heartbeats_come_each_second_once_something_is_subscribed(exchange: Exchange) -> None:
    gateway = exchange.client()
    assert gateway.poll(NOW + 5 * SECOND) == []
    joined = NOW + 5 * SECOND + SECOND // 3
    say(gateway, joined, event="subscribe", pair=["XBT/USD"], subscription={"name": "trade"})
    beats = []
    for _ in range(5):
        due = gateway.next_deadline_ns()
        assert gateway.poll(due - 1) == []
        assert gateway.poll(due) == ['{"event":"heartbeat"}']
        beats.append(due)
    assert beats[0] - joined <= SECOND
    assert {later - earlier for earlier, later in itertools.pairwise(beats)} == {SECOND}


def test_a_late_poll_skips_heartbeats_and_keeps_the_rhythm(exchange: Exchange) -> None:
    gateway = exchange.client()
    subscribe(gateway, "XBT/USD", name="trade")
    assert gateway.poll(NOW + 7 * SECOND + 5) == ['{"event":"heartbeat"}']
    assert gateway.next_deadline_ns() == NOW + 8 * SECOND


def test_heartbeats_end_with_the_last_subscription(exchange: Exchange) -> None:
    gateway = exchange.client()
    subscribe(gateway, "XBT/USD", name="trade")
    unsubscribe(gateway, "XBT/USD", name="trade")
    assert gateway.poll(NOW + 3 * SECOND) == []


def test_idle_for_a_minute_without_subscription_is_closed(exchange: Exchange) -> None:
    gateway = exchange.client()
    gateway.feed_frame('{"event":"ping"}', NOW + 30 * SECOND)
    gateway.poll(NOW + 89 * SECOND)
    assert gateway.should_close is None
    assert gateway.next_deadline_ns() == NOW + 90 * SECOND
    gateway.poll(NOW + 90 * SECOND)
    assert gateway.should_close is not None


def test_a_subscribed_client_is_never_idle(exchange: Exchange) -> None:
    gateway = exchange.client()
    subscribe(gateway, "XBT/USD", name="spread")
    gateway.poll(NOW + 3600 * SECOND)
    assert gateway.should_close is None


def test_mistakes_never_close(exchange: Exchange) -> None:
    gateway = exchange.client()
    for frame in ("{", "[]", '{"event":"addOrder"}', '{"event":"subscribe"}', b"\xff"):
        (reply,) = gateway.feed_frame(frame, NOW)
        assert "errorMessage" in json.loads(reply)
    assert gateway.should_close is None


@pytest.mark.parametrize(
    ("request_text", "reply"),
    [
        (
            '{"event":"subscribe","subscription":{"token":"WW91","name":"ownTrades"}}',
            '"event":"subscriptionStatus","status":"error","subscription":{"name":"ownTrades","token":"WW91"}}',
        ),
        (
            '{"event":"subscribe","reqid":3,"subscription":{"name":"openOrders","ratecounter":7}}',
            '"event":"subscriptionStatus","reqid":3,"status":"error","subscription":{"name":"openOrders","ratecounter":7}}',
        ),
        (
            '{"event":"unsubscribe","subscription":{"name":"ownTrades","token":"t"}}',
            '"event":"subscriptionStatus","status":"error","subscription":{"name":"ownTrades","token":"t"}}',
        ),
        ('{"event":"cancelAll","token":"t","reqid":4}', '"event":"cancelAllStatus","reqid":4,"status":"error"}'),
        ('{"event":"addOrder","pair":"XBT/USD","nonsense":1}', '"event":"addOrderStatus","status":"error"}'),
    ],
)
def test_private_requests_are_elsewhere_well_formed_or_not(exchange: Exchange, request_text: str, reply: str) -> None:
    elsewhere = "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"
    answer = exchange.client().feed_frame(request_text, NOW)
    assert answer == [f'{{"errorMessage":"{elsewhere}",{reply}']


def test_a_closed_connection_leaves_nothing_behind(exchange: Exchange) -> None:
    gateway = exchange.client()
    subscribe(gateway, *(market.instrument.wsname for market in exchange.markets.values()), name="*")
    gateway.feed_close()
    assert len(exchange.publisher) == 0
    assert exchange.publisher.subscriptions(gateway) == ()


# -- subscribe -------------------------------------------------------------------


def test_all_statuses_come_before_all_snapshots_in_the_order_asked(exchange: Exchange) -> None:
    replies = subscribe(exchange.client(), "ETH/USD", "XBT/USD", name="book", depth=25, reqid=7)
    assert [reply["pair"] if isinstance(reply, dict) else reply[-1] for reply in replies] == 2 * ["ETH/USD", "XBT/USD"]
    assert replies[0] == {
        "channelID": replies[2][0],
        "channelName": "book-25",
        "event": "subscriptionStatus",
        "pair": "ETH/USD",
        "reqid": 7,
        "status": "subscribed",
        "subscription": {"depth": 25, "name": "book"},
    }
    assert [len(replies[2][1][side]) for side in ("as", "bs")] == [25, 25]


def test_bitcoin_and_doge_are_taken_by_their_v2_names_and_answered_by_their_v1_names(exchange: Exchange) -> None:
    replies = subscribe(exchange.client(), "BTC/USD", "DOGE/USD", name="ticker")
    assert [reply["pair"] for reply in replies[:2]] == ["XBT/USD", "XDG/USD"]
    assert [reply[-1] for reply in replies[2:]] == ["XBT/USD", "XDG/USD"]


def test_a_mixed_list_gets_a_mix(exchange: Exchange) -> None:
    replies = subscribe(exchange.client(), "MAG/USD", "XBT/USD", "XBTUSD", name="trade", reqid=1)
    assert [(reply["status"], reply.get("errorMessage"), reply["reqid"]) for reply in replies] == [
        ("error", "Currency pair not supported MAG/USD", 1),
        ("subscribed", None, 1),
        ("error", "Currency pair not in ISO 4217-A3 format XBTUSD", 1),
    ]


def test_a_second_subscription_is_confirmed_without_snapshot_and_without_second_stream(exchange: Exchange) -> None:
    gateway = exchange.client()
    first = subscribe(gateway, "XBT/USD", name="book")
    assert subscribe(gateway, "BTC/USD", name="book", depth=10) == first[:1]
    exchange.markets["BTC/USD"].place("buy", 5, 600_005, NOW)
    assert len(exchange.publish()) == 1
    assert len(exchange.received[gateway]) == 1


def test_two_depths_of_one_pair_are_two_subscriptions(exchange: Exchange) -> None:
    gateway = exchange.client()
    assert names(subscribe(gateway, "XBT/USD", name="book")) == ["book-10", "[book-10]"]
    assert names(subscribe(gateway, "XBT/USD", name="book", depth=25)) == ["book-25", "[book-25]"]


def test_star_means_every_channel_with_its_default(exchange: Exchange) -> None:
    replies = subscribe(exchange.client(), "XBT/USD", name="*")
    assert names(replies) == [
        *("ticker", "ohlc-1", "trade", "spread", "book-10"),
        *("[ticker]", "[ohlc-1]", "[spread]", "[book-10]"),
    ]


def test_channel_ids_are_distinct_small_and_the_same_for_every_connection(exchange: Exchange) -> None:
    def ids(gateway: Gateway) -> dict[tuple[str, str], int]:
        replies = []
        for depth in (10, 25, 100, 500, 1000):
            replies += subscribe(gateway, "XBT/USD", "XDG/USD", "ETH/USD", name="book", depth=depth)
        for interval in OHLC_INTERVALS:
            replies += subscribe(gateway, "XBT/USD", "XDG/USD", "ETH/USD", name="ohlc", interval=interval)
        for name in ("ticker", "trade", "spread"):
            replies += subscribe(gateway, "XBT/USD", "XDG/USD", "ETH/USD", name=name)
        return {(r["channelName"], r["pair"]): r["channelID"] for r in replies if isinstance(r, dict)}

    first = ids(exchange.client())
    assert len(first) == len(set(first.values())) == 3 * 17
    assert max(first.values()) < 2**31
    assert ids(exchange.client()) == first


def test_trades_start_without_snapshot_unless_the_venue_is_told_so(exchange: Exchange) -> None:
    assert names(subscribe(exchange.client(), "XBT/USD", name="trade")) == ["trade"]
    replies = subscribe(exchange.client(trade_snapshot=True), "XBT/USD", name="trade")
    assert names(replies) == ["trade", "[trade]"]
    times = [row[2] for row in replies[1][1]]
    assert (len(times), times) == (50, sorted(times))


# -- unsubscribe -----------------------------------------------------------------


def test_unsubscribe_repeats_what_was_subscribed(exchange: Exchange) -> None:
    gateway = exchange.client()
    (subscribed, _) = subscribe(gateway, "XBT/USD", name="ohlc", interval=5)
    assert unsubscribe(gateway, "BTC/USD", name="ohlc", interval=5) == [subscribed | {"status": "unsubscribed"}]
    exchange.markets["BTC/USD"].place("buy", 5, None, NOW)
    assert exchange.publish() == []


def test_unsubscribe_by_channel_id(exchange: Exchange) -> None:
    gateway = exchange.client()
    (subscribed, *_) = subscribe(gateway, "XBT/USD", "ETH/USD", name="book")
    (reply,) = say(gateway, event="unsubscribe", channelID=subscribed["channelID"], reqid=4)
    assert reply == subscribed | {"status": "unsubscribed", "reqid": 4}
    (again,) = say(gateway, event="unsubscribe", channelID=subscribed["channelID"])
    assert again["errorMessage"] == "Subscription Not Found"


def test_unsubscribe_without_depth_takes_the_default_or_else_all(exchange: Exchange) -> None:
    gateway = exchange.client()
    for depth in (10, 25, 500):
        subscribe(gateway, "XBT/USD", name="book", depth=depth)
    assert names(unsubscribe(gateway, "XBT/USD", name="book")) == ["book-10"]
    assert names(unsubscribe(gateway, "XBT/USD", name="book")) == ["book-25", "book-500"]
    (reply,) = unsubscribe(gateway, "XBT/USD", name="book")
    assert (reply["errorMessage"], reply["subscription"]) == ("Subscription Not Found", {"name": "book"})


def test_unsubscribe_of_everything(exchange: Exchange) -> None:
    gateway = exchange.client()
    subscribe(gateway, "XBT/USD", "ETH/USD", name="*")
    assert names(unsubscribe(gateway, "XBT/USD", name="*")) == ["ticker", "ohlc-1", "trade", "spread", "book-10"]
    assert len(unsubscribe(gateway, "ETH/USD", name="*")) == 5


def test_unsubscribe_of_what_is_not_there(exchange: Exchange) -> None:
    replies = unsubscribe(exchange.client(), "XBT/USD", "FOO/BAR", name="ticker")
    assert [reply["errorMessage"] for reply in replies] == [
        "Subscription Not Found",
        "Currency pair not supported FOO/BAR",
    ]


# -- what is published -----------------------------------------------------------


def test_one_frame_serves_all_subscribers(exchange: Exchange) -> None:
    clients = [exchange.client() for _ in range(3)]
    for gateway in clients:
        subscribe(gateway, "XBT/USD", name="spread")
    exchange.markets["BTC/USD"].place("buy", 5, 600_005, NOW)
    assert len(exchange.publish()) == 1
    assert [len(exchange.received[gateway]) for gateway in clients] == [1, 1, 1]


def test_a_quote_moves_spread_and_book_but_neither_ticker_nor_candles(exchange: Exchange) -> None:
    subscribe(exchange.client(), "XBT/USD", name="*")
    exchange.markets["BTC/USD"].place("buy", 5, 600_005, NOW)
    assert [json.loads(frame)[-2] for frame in exchange.publish()] == ["spread", "book-10"]
    exchange.markets["BTC/USD"].place("sell", 5, None, NOW)
    assert [json.loads(frame)[-2] for frame in exchange.publish()] == ["ticker", "ohlc-1", "trade", "spread", "book-10"]
    assert exchange.publish() == []


def test_several_quotes_of_one_batch_are_told_one_by_one(exchange: Exchange) -> None:
    subscribe(exchange.client(), "XBT/USD", name="spread")
    for price in (600_002, 600_003, 600_004):
        exchange.markets["BTC/USD"].place("buy", 5, price, NOW)
    assert [json.loads(frame)[1][0] for frame in exchange.publish()] == ["60000.20000", "60000.30000", "60000.40000"]


def test_a_taker_that_rests_its_remainder_changes_both_sides_in_five_elements(exchange: Exchange) -> None:
    gateway = exchange.client()
    feed = Feed(ClientCodec())
    request = '{"event":"subscribe","pair":["XBT/USD"],"subscription":{"name":"book"}}'
    for frame in gateway.feed_frame(request, NOW):
        feed.feed(frame)
    exchange.markets["BTC/USD"].place("buy", 900_000_000, 600_020, NOW)
    (frame,) = exchange.publish()
    message = json.loads(frame)
    assert [sorted(part) for part in message[1:3]] == [["a"], ["b", "c"]]
    assert next(level[1:] for level in message[1]["a"] if level[1] != "0.00000000")[-1] == "r"
    (event,) = feed.feed(frame)
    assert isinstance(event, BookUpdate)
    assert event.verified


def test_candles_of_all_ended_intervals_of_a_batch_are_told_to_their_end(exchange: Exchange) -> None:
    gateway, market, codec = exchange.client(), exchange.markets["BTC/USD"], ClientCodec()
    subscribe(gateway, "XBT/USD", name="ohlc")
    seen: dict[int, Candle] = {}
    for step in range(6):
        market.place("buy", 1_000, None, NOW + 45 * step * SECOND)
        if step % 3 == 2:
            for frame in exchange.publish():
                for event in codec.decode(frame):
                    assert isinstance(event, Candles)
                    seen |= {candle.begin_ns: candle for candle in event.candles}
    expected = {candle.begin_ns: candle.trades for candle in market.candles.latest(1) if candle.begin_ns in seen}
    assert {begin: candle.trades for begin, candle in seen.items()} == expected
    assert len(seen) == 4  # trades at 0 and 45, 90, 135, 180 and 225 seconds


@pytest.mark.parametrize("depth", [10, 100, 1000])
def test_every_update_of_a_busy_market_carries_the_checksum_of_the_book_it_makes(depth: int) -> None:
    venue = Venue(VenueConfig(symbols=["BTC/USD", "DOGE/USD"], rate=100, start_ns=NOW, seed=depth))
    markets = {market.symbol: market for market in venue.markets}
    publisher: Publisher[Gateway] = Publisher()
    gateway, feed = Gateway(markets, publisher, lambda: "online", 1), Feed(ClientCodec())
    gateway.feed_open(NOW)
    pairs = '"pair":["XBT/USD","XDG/USD"]'
    frames = gateway.feed_frame(
        f'{{"event":"subscribe",{pairs},"subscription":{{"name":"book","depth":{depth}}}}}', NOW
    )
    updates = republished = 0
    for step in range(1, 300):
        for symbol in venue.step(NOW + step * 10_000_000):
            frames += [frame for frame, _ in publisher.advance(symbol, markets[symbol].time_ns)]
        for frame in frames:
            for event in feed.feed(frame):
                if isinstance(event, BookUpdate) and event.kind == "update":
                    assert event.verified
                    updates += 1
            republished += frame.count(',"r"]')
        frames = []
    assert updates > 300
    assert republished > 0 or depth == 1000
    for symbol, market in markets.items():
        book = feed.book(symbol)
        assert book is not None
        # The venue's next snapshot, the client's book and the market agree on every level.
        scale = 10**market.instrument.price_precision
        assert [int(level.price * scale) for level in book.bids] == [row.price for row in market.levels("buy", depth)]
        assert [int(level.price * scale) for level in book.asks] == [row.price for row in market.levels("sell", depth)]


def test_a_later_subscriber_gets_the_book_that_the_next_update_fits(exchange: Exchange) -> None:
    market = exchange.markets["BTC/USD"]
    early, late = exchange.client(), exchange.client()
    subscribe(early, "XBT/USD", name="book")
    for step in range(5):
        market.place("buy", 10 + step, 600_001 + step, NOW)
        exchange.publish()
    feed = Feed(ClientCodec())
    request = '{"event":"subscribe","pair":["XBT/USD"],"subscription":{"name":"book"}}'
    for frame in late.feed_frame(request, NOW):
        feed.feed(frame)
    market.place("sell", 12, None, NOW)
    (frame,) = exchange.publish()
    (event,) = feed.feed(frame)
    assert isinstance(event, BookUpdate)
    assert event.verified


def test_trades_of_one_batch_share_a_frame_oldest_first(exchange: Exchange) -> None:
    gateway = exchange.client()
    subscribe(gateway, "XBT/USD", name="trade")
    exchange.markets["BTC/USD"].place("buy", 500_000_000, None, NOW)
    (frame,) = exchange.publish()
    (event,) = ClientCodec().decode(frame)
    assert isinstance(event, Trades)
    assert len(event.trades) > 1
    assert [trade.price for trade in event.trades] == sorted(trade.price for trade in event.trades)
    assert {(trade.side, trade.ord_type) for trade in event.trades} == {("buy", "market")}
