"""What a player sends of a tape, decided without a socket: recorded connections again, and channels."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from krakenwire.book import book_checksum, level_digits
from krakenwire.errors import UsageError
from krakenwire.model import BookUpdate, Candles, Event, Level3Order, Level3Update, Ticker, Trade, Trades
from krakenwire.model.numbers import decimal_from_text as number
from krakenwire.protocol.v2 import encode
from krakenwire.session.feed import Feed
from krakenwire.tape.pace import Pace, speed_from
from krakenwire.tape.player import START, Client, Delivery, Player
from krakenwire.tape.record import Kind, TapeRecord
from krakenwire.tape.tape_streams import Survey, codec_of, label_of

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
STATUS = '{"channel":"status","type":"update","data":[{"system":"online","connection_id":7}]}'
SUBSCRIBE = '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":25},"req_id":1}'
ACK = (
    '{"method":"subscribe","req_id":1,"result":{"channel":"book","depth":25,"snapshot":true,"symbol":"BTC/USD"},'
    '"success":true,"time_in":"2026-11-28T00:00:00.000000Z","time_out":"2026-11-28T00:00:00.000000Z"}'
)

Rows = list[tuple[str, str]]


class RecordedBook:
    """A venue's book of 25 levels, which writes its frames with right checksums."""

    def __init__(self, levels: int = 25) -> None:
        self.bids = {f"{100 - place}.0": f"{place + 1}.00000000" for place in range(levels)}
        self.asks = {f"{101 + place}.0": f"{place + 1}.00000000" for place in range(levels)}

    def _sides(self) -> tuple[Rows, Rows]:
        by_price = {text: number(text) for text in (*self.bids, *self.asks)}
        bids = sorted(self.bids.items(), key=lambda level: -by_price[level[0]])[:25]
        return bids, sorted(self.asks.items(), key=lambda level: by_price[level[0]])[:25]

    def _frame(self, kind: str, bids: Rows, asks: Rows) -> str:
        best_bids, best_asks = self._sides()
        checksum = book_checksum(
            [level_digits(*level) for level in best_asks[:10]], [level_digits(*level) for level in best_bids[:10]]
        )
        return encode.book(BookUpdate("BTC/USD", kind, bids, asks, checksum, NOW))  # type: ignore[arg-type]  # a literal

    def snapshot(self) -> str:
        return self._frame("snapshot", *self._sides())

    def update(self, bids: Rows, asks: Rows) -> str:
        for side, changes in ((self.bids, bids), (self.asks, asks)):
            for price, qty in changes:
                if float(qty):
                    side[price] = qty
                else:
                    side.pop(price, None)
        frame = self._frame("update", bids, asks)
        for side, kept in ((self.bids, dict(self._sides()[0])), (self.asks, dict(self._sides()[1]))):
            for price in [price for price in side if price not in kept]:
                del side[price]
        return frame


def trade(number_: int, price: str = "100.5") -> str:
    row = Trade(
        symbol="BTC/USD",
        side="buy",
        price=number(price),
        qty=number("0.50000000"),
        ord_type="limit",
        time_ns=NOW,
        trade_id=number_,
    )
    return encode.trades(Trades(symbol="BTC/USD", kind="update", trades=(row,)))


def ticker(symbol: str, last: str) -> str:
    one = number("1.0")
    event = Ticker(
        symbol=symbol,
        kind="update",
        bid=one,
        bid_qty=one,
        ask=one,
        ask_qty=one,
        last=number(last),
        volume=one,
        vwap=one,
        low=one,
        high=one,
    )
    return encode.ticker(event)


def record_of(entries: Iterable[tuple[int, Kind, str]]) -> list[TapeRecord]:
    """Records of connections, a tenth of a second apart."""
    return [
        TapeRecord(NOW + place * SECOND // 10, place, connection, kind, payload.encode())
        for place, (connection, kind, payload) in enumerate(entries)
    ]


OPENED = '{"url":"ws://here/v2","version":2,"name":"public"}'


def book_tape() -> list[TapeRecord]:
    """One connection that follows a book of 25 levels, then ends."""
    book = RecordedBook()
    received = [
        book.snapshot(),
        book.update([("100.0", "9.00000000")], []),
        book.update([("100.0", "0.00000000")], []),  # the eleventh comes into the window of ten
        trade(1),
        book.update([("100.5", "2.00000000")], [("110.0", "0.00000000")]),
        '{"channel":"heartbeat"}',
        book.update([("80.0", "3.00000000")], []),  # below the best ten
        book.update([], [("100.8", "1.00000000"), ("101.0", "0.00000000")]),
    ]
    return record_of(
        [
            (1, Kind.OPENED, OPENED),
            (1, Kind.FRAME_IN, STATUS),
            (1, Kind.FRAME_OUT, SUBSCRIBE),
            (1, Kind.FRAME_IN, ACK),
            *((1, Kind.FRAME_IN, frame) for frame in received),
            (1, Kind.CLOSED, '{"reason":"done","code":1000}'),
        ]
    )


class Stage:
    """A player and what each of its clients has received."""

    def __init__(self, records: list[TapeRecord], *, clients: int = 1, verbatim: bool = True) -> None:
        self.records = records
        self.player = Player(Survey().read(records), clients=clients, verbatim=verbatim)
        self.received: dict[Client, list[str]] = {}
        self.closed: dict[Client, int] = {}

    def connect(self, version: int = 2, **settings: bool) -> Client:
        client = Client(version, **settings)
        self.received[client] = self.player.open(client)
        return client

    def ask(self, client: Client, frame: str) -> list[str]:
        answers = self.player.ask(client, frame.encode(), NOW)
        self.received[client] += answers
        return answers

    def play(self, until: int | None = None, begin: int = 0) -> None:
        for record in self.records[begin:until]:
            assert not self.player.waits(record)
            self.deliver(self.player.take(record))

    def deliver(self, deliveries: Iterable[Delivery]) -> None:
        for client, frames, code in deliveries:
            self.received[client] += [frame.decode() for frame in frames]
            if code is not None:
                self.closed[client] = code

    def data(self, client: Client, channel: str = "book") -> list[str]:
        return [frame for frame in self.received[client] if label_of(client.version, frame.encode()).channel == channel]


def frames_in(records: list[TapeRecord]) -> list[str]:
    return [record.payload.decode() for record in records if record.kind is Kind.FRAME_IN]


def subscribe(channel: str, symbol: str = "BTC/USD", **params: object) -> str:
    wanted = {"channel": channel, "symbol": [symbol], **params}
    return json.dumps({"method": "subscribe", "params": wanted, "req_id": 5})


def proven(version: int, frames: list[str], depth: int) -> Feed:
    """Feed a client's books with frames, each of which must be right."""
    feed = Feed(codec_of(version))
    feed.expect_book("BTC/USD", depth)
    for frame in frames:
        feed.feed(frame)
    assert not feed.counters.failed
    return feed


def test_a_client_that_asks_the_same_is_played_the_recorded_connection_byte_for_byte() -> None:
    stage = Stage(book_tape())
    client = stage.connect()
    assert stage.ask(client, SUBSCRIBE) == []
    stage.play()
    assert stage.received[client] == frames_in(stage.records)
    assert stage.closed == {client: 1000}


def test_a_status_that_came_after_the_first_request_is_played_once() -> None:
    records = book_tape()
    records[1], records[2] = records[2], records[1]
    stage = Stage(records)
    client = stage.connect()
    stage.ask(client, SUBSCRIBE)
    stage.play()
    assert stage.received[client] == frames_in(records)


def test_a_request_that_was_recorded_is_waited_for() -> None:
    stage = Stage(book_tape())
    client = stage.connect()
    stage.play(2)
    assert stage.player.waits(stage.records[2])
    stage.ask(client, SUBSCRIBE)
    assert not stage.player.waits(stage.records[2])


def test_a_client_that_does_not_ask_in_time_goes_on_with_channels() -> None:
    stage = Stage(book_tape())
    client = stage.connect()
    stage.play(2)
    stage.player.give_up(stage.records[2], NOW)
    stage.play(begin=2)
    assert stage.received[client] == [STATUS]


def test_tokens_do_not_count_when_requests_are_compared() -> None:
    masked = '{"method":"subscribe","params":{"channel":"level3","symbol":["BTC/USD"],"token":"***"},"req_id":1}'
    level3 = '{"channel":"level3","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[],"checksum":0}]}'
    records = record_of(
        [
            (1, Kind.OPENED, OPENED.replace("public", "level3")),
            (1, Kind.FRAME_OUT, masked),
            (1, Kind.FRAME_IN, level3),
        ]
    )
    stage = Stage(records)
    client = stage.connect()
    stage.ask(client, masked.replace("***", "secret of today"))
    stage.play()
    assert stage.received[client] == [level3]


def test_pings_that_the_tape_answers_are_not_answered_twice() -> None:
    ping, pong = '{"method":"ping","req_id":2}', '{"method":"pong","req_id":2}'
    records = book_tape()
    records[-1:] = record_of([(1, Kind.FRAME_OUT, ping), (1, Kind.FRAME_IN, pong)])
    stage = Stage(records)
    client = stage.connect()
    stage.ask(client, SUBSCRIBE)
    assert stage.ask(client, ping) == []
    assert len(stage.ask(client, ping)) == 1
    stage.play()
    assert stage.received[client].count(pong) == 1


def test_the_same_depth_is_told_with_the_recorded_bytes() -> None:
    stage = Stage(book_tape())
    client = stage.connect()
    answers = stage.ask(client, subscribe("book", depth=25))
    assert [json.loads(answer)["success"] for answer in answers] == [True]
    stage.play()
    assert stage.data(client) == [frame for frame in frames_in(stage.records) if '"book"' in frame[:20]]
    assert client not in stage.closed


@pytest.mark.parametrize("late", [0, 5, 9])
@pytest.mark.parametrize("depth", [10, 25])
@pytest.mark.parametrize("version", [1, 2])
def test_every_depth_and_version_ends_with_the_recorded_book(version: int, depth: int, late: int) -> None:
    stage = Stage(book_tape(), verbatim=False)
    stage.play(late)
    client = stage.connect(version)
    request = subscribe("book", depth=depth)
    if version == 1:
        request = json.dumps(
            {"event": "subscribe", "pair": ["XBT/USD"], "subscription": {"name": "book", "depth": depth}}
        )
    stage.ask(client, request)
    stage.play(begin=late, until=-1)
    told = proven(version, stage.data(client), depth).book("BTC/USD")
    recorded = proven(2, frames_in(book_tape()), 25).book("BTC/USD")
    assert told is not None
    assert recorded is not None
    assert told.top(depth) == recorded.top(depth)


def test_a_change_below_the_window_is_not_told() -> None:
    stage = Stage(book_tape(), verbatim=False)
    client = stage.connect()
    stage.ask(client, subscribe("book", depth=10))
    stage.play()
    assert len(stage.data(client)) == 5  # a snapshot, and four of the five updates


def test_version_1_is_told_of_the_spread_by_the_book() -> None:
    stage = Stage(book_tape(), verbatim=False)
    client = stage.connect(1)
    stage.ask(client, '{"event":"subscribe","pair":["XBT/USD"],"subscription":{"name":"spread"}}')
    stage.play()
    assert json.loads(stage.data(client, "spread")[-1])[1][:2] == ["100.50000", "100.80000"]


def test_what_one_client_follows_of_the_same_recorded_book_is_told_all() -> None:
    stage = Stage(book_tape(), verbatim=False)
    client = stage.connect(1)
    for wanted in ({"name": "book", "depth": 10}, {"name": "book", "depth": 25}, {"name": "spread"}):
        stage.ask(client, json.dumps({"event": "subscribe", "pair": ["XBT/USD"], "subscription": wanted}))
    stage.play()
    told = [json.loads(frame)[-2] for frame in stage.received[client] if frame.startswith("[")]
    assert [told.count(name) for name in ("book-10", "book-25", "spread")] == [5, 6, 5]


def told_of(stage: Stage, version: int, channel: str, **wanted: object) -> list[Event]:
    """What a client of this version decodes of a channel of a whole tape."""
    client = stage.connect(version)
    names = {"name": channel, **wanted}
    v1 = json.dumps({"event": "subscribe", "pair": ["XBT/USD"], "subscription": names})
    stage.ask(client, v1 if version == 1 else subscribe(channel, "BTC/USD", **wanted))
    stage.play()
    codec = codec_of(version)
    return [event for frame in stage.data(client, channel) for event in codec.decode(frame)]


OPENED_V1 = '{"url":"ws://here/","version":1,"name":"public"}'
TICKER_V1 = (
    '[5,{"a":["101.00000",2,"2.00000000"],"b":["100.00000",1,"1.50000000"],"c":["100.50000","0.25000000"],'
    '"v":["3.00000000","30.00000000"],"p":["100.10000","100.20000"],"t":[4,40],"l":["99.00000","98.00000"],'
    '"h":["102.00000","103.00000"],"o":["100.00000","97.50000"]},"ticker","XBT/USD"]'
)
OHLC_V1 = (
    '[6,["1700000010.000000","1700000040.000000","100.0","103.0","99.0","101.5","100.75","2.50000000",7],'
    '"ohlc-1","XBT/USD"]'
)


def test_a_ticker_of_version_1_says_the_same_to_version_2() -> None:
    stage = Stage(record_of([(1, Kind.OPENED, OPENED_V1), (1, Kind.FRAME_IN, TICKER_V1)]), verbatim=False)
    (told,) = told_of(stage, 2, "ticker")
    (recorded,) = codec_of(1).decode(TICKER_V1)
    assert isinstance(told, Ticker)
    assert isinstance(recorded, Ticker)
    names = ("symbol", "bid", "bid_qty", "ask", "ask_qty", "last", "volume", "vwap", "low", "high")
    assert [getattr(told, name) for name in names] == [getattr(recorded, name) for name in names]


def test_a_ticker_of_version_2_says_the_same_to_version_1() -> None:
    stage = Stage(record_of([(1, Kind.OPENED, OPENED), (1, Kind.FRAME_IN, ticker("BTC/USD", "2.50"))]), verbatim=False)
    (told,) = told_of(stage, 1, "ticker")
    assert isinstance(told, Ticker)
    one = number("1.0")
    assert (told.symbol, told.last, told.bid, told.ask_qty) == ("BTC/USD", number("2.50"), one, one)
    assert (told.volume, told.vwap, told.low, told.high) == (one, one, one, one)


@pytest.mark.parametrize(("recorded", "spoken"), [(1, 2), (2, 1)])
def test_a_candle_says_the_same_to_the_other_version(recorded: int, spoken: int) -> None:
    (event,) = codec_of(1).decode(OHLC_V1)
    assert isinstance(event, Candles)
    frame = OHLC_V1 if recorded == 1 else encode.ohlc(event, NOW)
    records = record_of([(1, Kind.OPENED, OPENED_V1 if recorded == 1 else OPENED), (1, Kind.FRAME_IN, frame)])
    (told,) = told_of(Stage(records, verbatim=False), spoken, "ohlc", interval=1)
    assert isinstance(told, Candles)
    (ours,), (theirs,) = told.candles, event.candles
    names = ("symbol", "interval", "begin_ns", "end_ns", "open", "high", "low", "close", "vwap", "volume", "trades")
    assert [getattr(ours, name) for name in names] == [getattr(theirs, name) for name in names]


def level3(kind: str, book: dict[str, tuple[str, str]], change: tuple[str, str, str, str] | None = None) -> str:
    """A level3 frame of bids by order id, and one ask, with its checksum; prices and quantities as texts."""
    asks = [Level3Order(order_id="A", price_text="101.0", qty_text="1.00000000", time_ns=NOW)]
    bids = [Level3Order(order_id=key, price_text=p, qty_text=q, time_ns=NOW) for key, (p, q) in book.items()]
    bids.sort(key=lambda order: -order.price)
    texts = [[level_digits(order.price_text, order.qty_text) for order in side] for side in (asks, bids)]
    told = bids
    if change is not None:
        event, key, price, qty = change
        told = [Level3Order(order_id=key, price_text=price, qty_text=qty, time_ns=NOW, event=event)]  # type: ignore[arg-type]  # a literal
    shown = Level3Update(
        symbol="BTC/USD",
        kind=kind,  # type: ignore[arg-type]  # a literal
        bids=tuple(told),
        asks=() if change else tuple(asks),
        checksum=book_checksum(*texts),
        time_ns=NOW,
    )
    return encode.level3(shown)


def test_a_late_follower_of_level3_begins_with_the_orders_as_they_stand() -> None:
    one, two = ("100.0", "1.00000000"), ("99.0", "2.00000000")
    frames = [
        level3("snapshot", {"X": one, "Y": two}),
        level3("update", {"X": one, "Y": two, "Z": ("99.5", "3.00000000")}, ("add", "Z", "99.5", "3.00000000")),
        level3("update", {"Y": two, "Z": ("99.5", "3.00000000")}, ("delete", "X", "100.0", "1.00000000")),
    ]
    opened = OPENED.replace("public", "level3")
    stage = Stage(record_of([(1, Kind.OPENED, opened), *((1, Kind.FRAME_IN, frame) for frame in frames)]))
    stage.play(3)
    client = stage.connect(clock=True)
    refused = stage.ask(client, subscribe("level3", depth=100, token="any"))
    assert "depth not supported" in refused[0]  # what lies between ten levels and a hundred is not on the tape
    stage.ask(client, subscribe("level3", depth=10, token="any"))
    stage.play(begin=3)
    feed = Feed(codec_of(2))
    feed.expect_level3("BTC/USD", 10)
    for frame in stage.data(client, "level3"):
        feed.feed(frame)
    book = feed.level3("BTC/USD")
    assert (feed.counters.verified, feed.counters.failed) == (2, 0)
    assert book is not None
    assert [order.order_id for order in book.bids] == ["Z", "Y"]


def test_after_a_loss_a_late_follower_of_a_book_waits_for_the_next_snapshot() -> None:
    records = book_tape()
    lost = record_of([(0, Kind.MARK, '{"mark":"lost","count":3}')])
    stage = Stage([*records[:6], *lost, *records[6:]], verbatim=False)
    stage.play(7)
    client = stage.connect()
    stage.ask(client, subscribe("book", depth=25))
    assert stage.data(client) == []


def test_trades_of_a_version_1_tape_are_numbered_for_version_2() -> None:
    row = '["100.50000","0.50000000","1700000000.000000","b","l",""]'
    opened = OPENED.replace('"version":2', '"version":1')
    frames = [(1, Kind.FRAME_IN, f'[4,[{row}],"trade","XBT/USD"]')] * 3
    stage = Stage(record_of([(1, Kind.OPENED, opened), *frames]), verbatim=False)
    client = stage.connect()
    stage.ask(client, subscribe("trade"))
    stage.play()
    assert [json.loads(frame)["data"][0]["trade_id"] for frame in stage.data(client, "trade")] == [1, 2, 3]


def test_a_late_follower_of_trades_gets_the_latest_when_it_wants_them() -> None:
    records = record_of([(1, Kind.OPENED, OPENED), *((1, Kind.FRAME_IN, trade(i)) for i in range(1, 61))])
    stage = Stage(records, verbatim=False)
    stage.play()
    wanting, other = stage.connect(), stage.connect()
    stage.ask(wanting, subscribe("trade", snapshot=True))
    stage.ask(other, subscribe("trade"))
    (snapshot,) = stage.data(wanting, "trade")
    assert [row["trade_id"] for row in json.loads(snapshot)["data"]] == list(range(11, 61))
    assert stage.data(other, "trade") == []


def test_of_a_frame_with_several_symbols_only_the_rows_that_were_asked_for_are_sent() -> None:
    rows = [
        ticker(symbol, "2.50")[len('{"channel":"ticker","type":"update","data":[') : -2] for symbol in ("A/B", "C/D")
    ]
    frame = '{"channel":"ticker","type":"update","data":[' + ",".join(rows) + "]}"
    stage = Stage(record_of([(1, Kind.OPENED, OPENED), (1, Kind.FRAME_IN, frame)]), verbatim=False)
    client = stage.connect()
    stage.ask(client, subscribe("ticker", "C/D"))
    stage.play()
    assert stage.data(client, "ticker") == ['{"channel":"ticker","type":"update","data":[' + rows[1] + "]}"]


def test_the_same_stream_on_two_connections_is_told_once_and_goes_on_when_one_ends() -> None:
    records = record_of(
        [
            (1, Kind.OPENED, OPENED),
            (2, Kind.OPENED, OPENED),
            (1, Kind.FRAME_IN, trade(1)),
            (2, Kind.FRAME_IN, trade(1)),
            (1, Kind.CLOSED, "{}"),
            (2, Kind.FRAME_IN, trade(2)),
        ]
    )
    stage = Stage(records, verbatim=False)
    client = stage.connect()
    stage.ask(client, subscribe("trade"))
    stage.play()
    assert stage.data(client, "trade") == [trade(1), trade(2)]


def test_the_tapes_clock_stands_before_each_frame_and_tells_of_its_marks_and_its_end() -> None:
    records = book_tape()
    records[-1:] = record_of([(1, Kind.MARK, '{"mark":"gap"}')])
    stage = Stage(records)
    client = stage.connect(clock=True)
    stage.ask(client, subscribe("book", depth=25))
    stage.ask(client, subscribe("trade"))
    stage.play()
    stage.deliver(stage.player.end())
    told = [json.loads(frame) for frame in stage.received[client][3:]]
    played = [record for record in records if label_of(2, record.payload).channel in ("book", "trade")]
    clocks, frames = told[:-2:2], told[1:-2:2]
    assert [clock["sequence"] for clock in clocks] == [record.sequence for record in played]
    assert [clock["time_ns"] for clock in clocks] == [record.time_ns for record in played]
    assert frames == [json.loads(record.payload) for record in played]
    assert told[-2]["mark"] == {"mark": "gap"}
    assert told[-1] == {"channel": "tape", "end": True}


def test_a_private_connection_is_not_played() -> None:
    private = OPENED.replace("public", "private")
    executions = '{"channel":"executions","type":"snapshot","data":[]}'
    records = [*book_tape(), *record_of([(2, Kind.OPENED, private), (2, Kind.FRAME_IN, executions)])]
    survey = Survey().read(records)
    assert list(survey.lines) == [1]
    assert {key.channel for key in survey.streams} == {"book", "trade"}


@pytest.mark.parametrize(
    ("request_text", "error"),
    [
        (subscribe("book", "XRP/USD"), "Currency pair not supported XRP/USD"),
        (subscribe("book", depth=100), "Subscription depth not supported"),
        (subscribe("executions", token="x"), "Private data and trading are unavailable on this endpoint"),
        ('{"method":"cancel_all","params":{"token":"x"}}', "Private data and trading are unavailable on this endpoint"),
        ("nonsense", "Malformed request"),
        (subscribe("book").replace('"subscribe"', '"unsubscribe"', 1), "Subscription Not Found"),
    ],
)
def test_what_is_not_on_the_tape_is_refused_in_the_venues_words(request_text: str, error: str) -> None:
    stage = Stage(book_tape())
    answer = json.loads(stage.ask(stage.connect(), request_text)[-1])
    assert answer["success"] is False
    assert answer["error"].startswith(error)


def test_a_subscription_ends_when_it_is_unsubscribed() -> None:
    stage = Stage(book_tape(), verbatim=False)
    client = stage.connect()
    stage.ask(client, subscribe("book", depth=25))
    stage.play(6)
    told = len(stage.data(client))
    answer = stage.ask(client, subscribe("book", depth=25).replace('"subscribe"', '"unsubscribe"', 1))
    assert json.loads(answer[0])["success"] is True
    stage.play(begin=6)
    assert len(stage.data(client)) == told


def test_a_client_that_deviates_keeps_what_the_tape_had_confirmed() -> None:
    stage = Stage(book_tape())
    client = stage.connect()
    stage.ask(client, SUBSCRIBE)
    stage.play(6)
    stage.ask(client, subscribe("trade"))
    stage.play(begin=6)
    assert stage.data(client) == [frame for frame in frames_in(stage.records) if '"book"' in frame[:20]]
    assert stage.data(client, "trade") == [trade(1)]


def test_it_begins_when_enough_clients_have_subscribed_and_none_goes_on_asking() -> None:
    stage = Stage(book_tape(), clients=2)
    first, second = stage.connect(), stage.connect()
    stage.ask(first, subscribe("trade"))
    assert not stage.player.ready(NOW + SECOND)
    stage.ask(second, subscribe("trade"))
    assert not stage.player.ready(NOW + 1)
    assert stage.player.ready(NOW + SECOND)


def test_a_client_that_says_when_it_begins_is_not_begun_without() -> None:
    stage = Stage(book_tape())
    client = stage.connect(clock=True, starts=True)
    stage.ask(client, subscribe("trade"))
    assert not stage.player.ready(NOW + SECOND)
    stage.ask(client, START.decode())
    assert stage.player.ready(NOW)


def test_played_again_books_are_whole_again() -> None:
    stage = Stage(book_tape())
    client = stage.connect()
    stage.ask(client, SUBSCRIBE)
    stage.play(-1)
    stage.deliver(stage.player.rewind(NOW))
    stage.play(-1)
    proven(2, stage.data(client), 25)
    assert len(stage.data(client)) == 2 * 6


def test_an_instrument_list_is_made_of_what_the_tape_shows() -> None:
    stage = Stage(book_tape())
    client = stage.connect()
    stage.ask(client, '{"method":"subscribe","params":{"channel":"instrument"}}')
    (listing,) = stage.data(client, "instrument")
    (pair,) = json.loads(listing)["data"]["pairs"]
    assert (pair["symbol"], pair["price_precision"], pair["qty_precision"]) == ("BTC/USD", 1, 8)


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "inf", "1e9", ""])
def test_a_speed_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="speed"):
        speed_from(text)


def test_records_are_due_at_their_distance_and_long_pauses_are_shortened() -> None:
    pace = Pace(10, max_pause_ns=2 * SECOND)
    pace.start(NOW, 0)
    assert [pace.due_ns(NOW + s * SECOND) for s in (0, 1, 61, 62)] == [
        0,
        SECOND // 10,
        3 * SECOND // 10,
        4 * SECOND // 10,
    ]
    assert (pace.shortened, pace.shortened_ns) == (1, 58 * SECOND)
    assert speed_from("max") == 0
