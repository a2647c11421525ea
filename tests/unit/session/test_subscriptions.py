"""Wanted against confirmed: every order of asking and answering ends with what is wanted."""

from __future__ import annotations

import pytest
from tests.unit.session.fake import HEARTBEAT, URL, Book, Driver, accepted, asked, refused, ticker, trades

from krakenwire.errors import ConnectionLost, UsageError
from krakenwire.model import Refused, Subscribed, Subscription
from krakenwire.session import NO_REPLY

SYMBOLS = ("BTC/USD", "ETH/USD", "SOL/USD")


def trade(symbol: str = "BTC/USD") -> Subscription:
    return Subscription(channel="trade", symbol=symbol)


def book(symbol: str = "BTC/USD", depth: int = 10) -> Subscription:
    return Subscription(channel="book", symbol=symbol, depth=depth)


def names(view: object) -> list[tuple[str, str | None]]:
    return [(key[0], key[1]) for key in view]  # type: ignore[attr-defined]


def test_one_request_carries_all_symbols_of_a_channel_and_each_is_confirmed_alone() -> None:
    driver = Driver().open()
    driver.subscribe(*(trade(symbol) for symbol in SYMBOLS))
    (request,) = driver.take_sent()
    assert names(driver.session.in_flight) == [("trade", symbol) for symbol in SYMBOLS]
    driver.frame(accepted(request, "ETH/USD"))
    assert names(driver.session.confirmed) == [("trade", "ETH/USD")]
    driver.frame(accepted(request, "BTC/USD"), accepted(request, "SOL/USD"))
    assert names(driver.session.confirmed) == [("trade", symbol) for symbol in SYMBOLS]
    assert driver.session.in_flight == {}


def test_long_lists_are_cut_into_several_requests() -> None:
    driver = Driver().open()
    driver.subscribe(*(trade(f"A{number}/USD") for number in range(250)))
    sizes = [len(request["params"]["symbol"]) for request in driver.take_sent()]  # type: ignore[index]
    assert sizes == [100, 100, 50]


def test_a_partial_refusal_is_reported_for_its_symbol_with_a_hint_and_the_others_go_on() -> None:
    driver = Driver().open()
    driver.subscribe(trade("BTC/USD"), trade("NOPE/USD"))
    (request,) = driver.take_sent()
    error = "Currency pair not supported NOPE/USD"
    req_id = request["req_id"]
    assert isinstance(req_id, int)
    events = driver.frame(accepted(request, "BTC/USD"), refused(error, symbol="NOPE/USD", req_id=req_id))
    (refusal,) = [event for event in events if isinstance(event, Refused)]
    assert (refusal.error, refusal.symbol, refusal.channel_name) == (error, "NOPE/USD", "trade")
    assert "NOPE/USD" in refusal.hint
    assert names(driver.session.confirmed) == [("trade", "BTC/USD")]
    assert names(driver.session.failed) == [("trade", "NOPE/USD")]
    assert driver.session.counters.refused == 1


def test_a_refused_symbol_is_asked_for_again_on_the_next_connection_only() -> None:
    driver = Driver().open()
    driver.subscribe(trade("NOPE/USD"))
    driver.take_sent()
    driver.frame(refused("Currency pair not supported NOPE/USD", symbol="NOPE/USD"))
    driver.subscribe(trade("NOPE/USD"))
    driver.wait(30, heartbeats=True)
    assert asked(driver.take_sent(), "subscribe") == []
    driver.cut(ConnectionLost(URL, "reset"))
    driver.wait(20)
    driver.open()
    assert asked(driver.take_sent(), "subscribe") == [("trade", "NOPE/USD")]


def test_a_refusal_without_symbol_answers_every_symbol_of_its_request() -> None:
    driver = Driver().open()
    driver.subscribe(*(trade(symbol) for symbol in SYMBOLS))
    (request,) = driver.take_sent()
    events = driver.frame(refused("Subscription name invalid", req_id=request["req_id"]))  # type: ignore[arg-type]
    assert [event.symbol for event in events] == list(SYMBOLS)
    assert len(driver.session.failed) == 3


def test_a_refusal_that_names_nothing_is_passed_on_and_settles_nothing() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    driver.take_sent()
    assert [event.channel for event in driver.frame(refused("Malformed request", method="error"))] == ["refused"]
    assert len(driver.session.in_flight) == 1


def test_already_subscribed_counts_as_confirmed() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    (request,) = driver.take_sent()
    events = driver.frame(refused("Already subscribed", symbol="BTC/USD", req_id=request["req_id"]))  # type: ignore[arg-type]
    assert [type(event) for event in events] == [Subscribed]
    assert names(driver.session.confirmed) == [("trade", "BTC/USD")]
    assert driver.session.counters.refused == 0


def test_replies_without_an_id_are_matched_by_symbol() -> None:
    driver = Driver().open()
    driver.subscribe(trade("BTC/USD"), trade("ETH/USD"))
    (request,) = driver.take_sent()
    driver.frame(accepted(request, "BTC/USD", with_id=False), refused("No", symbol="ETH/USD"))
    assert names(driver.session.confirmed) == [("trade", "BTC/USD")]
    assert names(driver.session.failed) == [("trade", "ETH/USD")]


def test_a_reply_with_a_foreign_id_is_counted_and_settles_nothing() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    (request,) = driver.take_sent()
    assert driver.frame(accepted(request | {"req_id": 77}, "BTC/USD")) == []
    assert driver.session.counters.replies_late == 1
    assert len(driver.session.in_flight) == 1


def test_without_a_reply_the_request_is_sent_once_more_then_reported() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    driver.take_sent()
    driver.wait(10, heartbeats=True)
    assert asked(driver.take_sent(), "subscribe") == [("trade", "BTC/USD")]
    events = driver.wait(10, heartbeats=True)
    (refusal,) = [event for event in events if isinstance(event, Refused)]
    assert refusal.error == NO_REPLY
    driver.wait(100, heartbeats=True)
    assert asked(driver.take_sent(), "subscribe") == []


def test_a_late_reply_still_confirms() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    (request,) = driver.take_sent()
    driver.wait(25, heartbeats=True)
    assert len(driver.session.failed) == 1
    driver.frame(accepted(request, "BTC/USD"))
    assert names(driver.session.confirmed) == [("trade", "BTC/USD")]
    assert driver.session.failed == {}


def test_the_second_reply_to_a_request_sent_twice_is_only_counted() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    (first,) = driver.take_sent()
    driver.wait(10, heartbeats=True)
    (again,) = (request for request in driver.take_sent() if request["method"] == "subscribe")
    driver.frame(accepted(first, "BTC/USD"))
    assert driver.frame(refused("Already subscribed", symbol="BTC/USD", req_id=again["req_id"])) == []  # type: ignore[arg-type]
    assert driver.session.counters.replies_late == 1
    assert len(driver.session.confirmed) == 1


def test_data_without_a_reply_confirms_instead_of_asking_again() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    driver.take_sent()
    driver.frame(trades("BTC/USD", 1))
    driver.wait(10, heartbeats=True)
    assert asked(driver.take_sent(), "subscribe") == []
    assert names(driver.session.confirmed) == [("trade", "BTC/USD")]


def test_unsubscribe_while_the_subscribe_is_in_flight_follows_its_reply() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    (request,) = driver.take_sent()
    driver.unsubscribe(trade())
    assert driver.take_sent() == []
    assert driver.frame(accepted(request, "BTC/USD")) == []
    assert asked(driver.take_sent(), "unsubscribe") == [("trade", "BTC/USD")]


def test_subscribe_while_the_unsubscribe_is_in_flight_follows_its_reply() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    driver.accept()
    driver.unsubscribe(trade())
    (request,) = driver.take_sent()
    driver.subscribe(trade())
    assert driver.take_sent() == []
    driver.frame(accepted(request, "BTC/USD"))
    assert asked(driver.accept_all(), "subscribe") == [("trade", "BTC/USD")]
    assert names(driver.session.confirmed) == [("trade", "BTC/USD")]


def test_asking_twice_sends_once() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    driver.subscribe(trade())
    assert len(driver.take_sent()) == 1


def test_unsubscribe_of_what_the_venue_does_not_have_is_done() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    driver.accept()
    driver.unsubscribe(trade())
    (request,) = driver.take_sent()
    # the venue's method reads `subscribe` here
    driver.frame(refused("Subscription Not Found", symbol="BTC/USD", req_id=request["req_id"]))  # type: ignore[arg-type]
    driver.wait(60, heartbeats=True)
    assert asked(driver.take_sent(), "unsubscribe") == []
    assert (driver.session.wanted, driver.of("refused")) == ({}, [])


def test_an_end_that_nobody_asked_for_is_a_gap_and_is_subscribed_again() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    (request,) = driver.take_sent()
    driver.frame(accepted(request, "BTC/USD"))
    events = driver.frame(accepted(request | {"method": "unsubscribe"}, "BTC/USD", with_id=False))
    assert [event.channel for event in events] == ["gap", "unsubscribed"]
    assert asked(driver.take_sent(), "subscribe") == [("trade", "BTC/USD")]


def test_a_venue_that_keeps_ending_a_subscription_is_asked_no_faster_than_the_limit() -> None:
    driver = Driver(resyncs_per_minute=3).open()
    driver.subscribe(trade())
    sent = 0
    for _ in range(60):
        for request in driver.take_sent():
            if request["method"] == "subscribe":
                sent += 1
                driver.frame(accepted(request, "BTC/USD"))
                driver.frame(accepted(request | {"method": "unsubscribe"}, "BTC/USD", with_id=False))
        driver.wait(1, heartbeats=True)
    assert sent <= 4


def test_another_depth_is_an_unsubscribe_then_a_subscribe() -> None:
    driver = Driver().open()
    driver.subscribe(book(depth=10))
    driver.accept()
    driver.subscribe(book(depth=100))
    (request,) = driver.take_sent()
    assert (request["method"], request["params"]["depth"]) == ("unsubscribe", 10)  # type: ignore[index]
    driver.frame(accepted(request, "BTC/USD"))
    (request,) = driver.take_sent()
    assert (request["method"], request["params"]["depth"]) == ("subscribe", 100)  # type: ignore[index]


def test_everything_wanted_is_subscribed_again_after_a_cut() -> None:
    driver = Driver().open()
    driver.subscribe(*(trade(symbol) for symbol in SYMBOLS), book("ETH/USD", 25))
    driver.accept()
    driver.unsubscribe(trade("SOL/USD"))
    driver.take_sent()
    driver.cut(ConnectionLost(URL, "reset"))
    driver.wait(20)
    driver.open()
    requests = driver.take_sent()
    assert asked(requests, "subscribe") == [("trade", "BTC/USD"), ("trade", "ETH/USD"), ("book", "ETH/USD")]
    assert [request["params"].get("depth") for request in requests] == [None, 25]  # type: ignore[attr-defined]


def test_subscriptions_may_change_while_there_is_no_connection() -> None:
    driver = Driver().open()
    driver.subscribe(trade("BTC/USD"))
    driver.accept()
    driver.cut(ConnectionLost(URL, "reset"))
    driver.unsubscribe(trade("BTC/USD"))
    driver.subscribe(trade("ETH/USD"))
    driver.wait(20)
    driver.open()
    assert asked(driver.take_sent(), "subscribe") == [("trade", "ETH/USD")]


def test_data_nobody_wants_gets_nowhere() -> None:
    driver = Driver().open()
    driver.subscribe(trade("BTC/USD"))
    driver.accept()
    frames = (trades("ETH/USD", 1), ticker("BTC/USD"), Book("BTC/USD").snapshot())
    assert driver.frame(*frames) == []
    assert driver.session.counters.unwanted == 3


def test_data_after_unsubscribe_gets_nowhere() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    driver.accept()
    driver.unsubscribe(trade())
    assert driver.frame(trades("BTC/USD", 1)) == []


def test_a_confirmation_of_what_was_never_asked_for_is_passed_over() -> None:
    driver = Driver().open()
    request = {"method": "subscribe", "params": {"channel": "trade"}, "req_id": 5}
    driver.frame(*(accepted(request, f"A{number}/USD") for number in range(50)))
    assert driver.take_sent() == []
    assert driver.session.counters.replies_late == 50


def test_too_many_requests_is_answered_by_asking_again_later() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    (request,) = driver.take_sent()
    driver.frame(refused("Exceeded msg rate", req_id=request["req_id"]))  # type: ignore[arg-type]
    assert len(driver.session.in_flight) == 1
    driver.wait(10, heartbeats=True)
    assert asked(driver.take_sent(), "subscribe") == [("trade", "BTC/USD")]


def test_candles_of_several_intervals_are_several_subscriptions() -> None:
    driver = Driver().open()
    driver.subscribe(*(Subscription(channel="ohlc", symbol="BTC/USD", interval=minutes) for minutes in (1, 5)))
    assert len(driver.take_sent()) == 2


@pytest.mark.parametrize(
    "sub",
    [
        Subscription(channel="weather", symbol="BTC/USD"),
        Subscription(channel="trade"),
        Subscription(channel="book", symbol="BTC/USD", depth=11),
        Subscription(channel="book", symbol="BTC/USD", snapshot=False),
        Subscription(channel="ohlc", symbol="BTC/USD", interval=7),
    ],
    ids=["channel", "symbol", "depth", "no-snapshot", "interval"],
)
def test_what_cannot_be_subscribed_is_refused_at_once_and_nothing_is_taken(sub: Subscription) -> None:
    driver = Driver().open()
    with pytest.raises(UsageError):
        driver.subscribe(trade(), sub)
    assert (driver.take_sent(), driver.session.wanted) == ([], {})


@pytest.mark.parametrize(
    "sub",
    [
        Subscription(channel="level3", symbol="BTC/USD"),
        Subscription(channel="instrument"),
        Subscription(channel="ticker", symbol="BTC/USD", event_trigger="bbo"),
    ],
    ids=["level3", "instrument", "bbo"],
)
def test_what_version_1_does_not_have_names_version_2(sub: Subscription) -> None:
    driver = Driver(version=1).open()
    with pytest.raises(UsageError, match="version 2"):
        driver.subscribe(sub)


def test_version_1_subscribes_in_its_own_words() -> None:
    driver = Driver(version=1).open()
    driver.subscribe(trade("BTC/USD"), book("DOGE/USD"), Subscription(channel="spread", symbol="BTC/USD"))
    requests = driver.sent
    assert [request["pair"] for request in requests] == [["XBT/USD"], ["XDG/USD"], ["XBT/USD"]]
    driver.accept()
    assert len(driver.session.confirmed) == 3
    driver.frame('{"event":"heartbeat"}')
    assert driver.events[-1].channel == "heartbeat"


def test_a_token_goes_into_requests_of_its_own_connection_only() -> None:
    driver = Driver().start()
    driver.subscribe(Subscription(channel="level3", symbol="BTC/USD"))
    driver.session.feed_opened(0, token="first")
    (request,) = driver.take_sent()
    assert request["params"]["token"] == "first"  # type: ignore[index]
    driver.cut(ConnectionLost(URL, "reset"))
    assert driver.session.token is None
    driver.wait(20)
    driver.open()
    (request,) = driver.take_sent()
    assert "token" not in request["params"]  # type: ignore[operator]


def test_heartbeats_settle_nothing() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    driver.frame(HEARTBEAT)
    assert len(driver.session.in_flight) == 1


def test_status_needs_no_request() -> None:
    driver = Driver().open()
    driver.subscribe(Subscription(channel="status"))
    assert driver.take_sent() == []
    assert names(driver.session.confirmed) == [("status", None)]


def test_a_late_already_subscribed_confirms_too() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    driver.take_sent()
    driver.wait(10, heartbeats=True)
    (again,) = (request for request in driver.take_sent() if request["method"] == "subscribe")
    driver.wait(15, heartbeats=True)
    assert names(driver.session.failed) == [("trade", "BTC/USD")]
    driver.frame(refused("Already subscribed", symbol="BTC/USD", req_id=again["req_id"]))  # type: ignore[arg-type]
    assert names(driver.session.confirmed) == [("trade", "BTC/USD")]


def test_a_late_refusal_replaces_the_missing_reply() -> None:
    driver = Driver().open()
    driver.subscribe(trade("NOPE/USD"))
    (request,) = driver.take_sent()
    driver.wait(25, heartbeats=True)
    error = "Currency pair not supported NOPE/USD"
    driver.frame(refused(error, symbol="NOPE/USD", req_id=request["req_id"]))  # type: ignore[arg-type]
    assert [refusal.error for refusal in driver.session.failed.values()] == [error]


def test_what_was_never_answered_is_ended_when_it_is_wanted_no_more() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    driver.wait(25, heartbeats=True)
    driver.take_sent()
    driver.unsubscribe(trade())
    assert asked(driver.take_sent(), "unsubscribe") == [("trade", "BTC/USD")]


def test_what_was_never_answered_is_ended_before_it_is_asked_for_otherwise() -> None:
    driver = Driver().open()
    driver.subscribe(book(depth=10))
    driver.wait(25, heartbeats=True)
    driver.take_sent()
    driver.subscribe(book(depth=25))
    (request,) = driver.take_sent()
    assert (request["method"], request["params"]["depth"]) == ("unsubscribe", 10)  # type: ignore[index]


def test_a_book_the_venue_has_unasked_is_renewed_because_its_depth_is_not_known() -> None:
    driver = Driver().open()
    driver.subscribe(book(depth=100))
    (request,) = driver.take_sent()
    driver.frame(refused("Already subscribed", symbol="BTC/USD", req_id=request["req_id"]))  # type: ignore[arg-type]
    assert asked(driver.take_sent(), "unsubscribe") == [("book", "BTC/USD")]


def test_requests_that_were_not_taken_yet_are_not_sent_on_a_closing_connection() -> None:
    driver = Driver().open()
    driver.session.subscribe([trade()], 0)
    driver.session.feed_frame("nonsense", 0)
    assert [type(effect).__name__ for effect in driver.session.take_effects()] == ["Close"]


def test_requests_of_a_lost_connection_are_not_sent_on_the_next() -> None:
    driver = Driver().open()
    driver.session.subscribe([trade()], 0)
    driver.session.feed_closed(ConnectionLost(URL, "reset"), 0)
    assert driver.session.take_effects() == []


def test_a_reply_is_not_missed_while_the_driver_does_not_read() -> None:
    driver = Driver().open()
    driver.subscribe(trade())
    driver.take_sent()
    driver.session.hold(driver.now_ns)
    driver.wait(100)
    driver.session.release(driver.now_ns)
    driver.wait(9, heartbeats=True)
    assert asked(driver.take_sent(), "subscribe") == []
    driver.wait(2, heartbeats=True)
    assert asked(driver.take_sent(), "subscribe") == [("trade", "BTC/USD")]
