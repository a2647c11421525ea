"""The life of the connection: opened, lost, tried again inside a budget, given up with a reason."""

from __future__ import annotations

import pytest
from tests.unit.session.fake import HEARTBEAT, SECOND, URL, Book, Driver, asked, status, trades

from krakenwire.errors import (
    ConfigError,
    ConnectError,
    ConnectionBudgetError,
    ConnectionLost,
    DecodeError,
    FrameTooBig,
    HandshakeError,
    SilenceError,
    TlsError,
)
from krakenwire.model import Connected, Disconnected, Gap, Latency, Malformed, Subscription
from krakenwire.session import SessionConfig

TRADES = Subscription(channel="trade", symbol="BTC/USD")


def lost() -> ConnectionLost:
    return ConnectionLost(URL, "reset by peer")


def waits(driver: Driver) -> list[float | None]:
    return [event.retry_in_s for event in driver.events if isinstance(event, Disconnected)]


def test_nothing_is_asked_for_before_start() -> None:
    driver = Driver()
    driver.subscribe(TRADES)
    driver.wait(100)
    assert (driver.opens, driver.sent, driver.session.state) == ([], [], "idle")


def test_start_opens_one_connection_and_says_so_when_it_is_there() -> None:
    driver = Driver().start()
    assert (driver.opens, driver.session.state) == ([0.0], "opening")
    driver.open()
    assert driver.session.state == "open"
    assert driver.events == [Connected(url=URL, attempt=1)]


def test_a_second_start_changes_nothing() -> None:
    driver = Driver().open()
    driver.start()
    assert driver.opens == [0.0]


def test_nothing_is_sent_before_the_connection_is_open() -> None:
    driver = Driver().start()
    driver.subscribe(TRADES)
    assert driver.sent == []
    driver.open()
    assert asked(driver.take_sent(), "subscribe") == [("trade", "BTC/USD")]


def test_the_first_failure_is_final() -> None:
    driver = Driver().start()
    driver.cut(ConnectError(URL, "refused"))
    assert driver.session.state == "down"
    assert isinstance(driver.session.failure, ConnectError)
    assert waits(driver) == [None]
    driver.wait(1000)
    assert driver.opens == [0.0]


def test_with_retry_initial_the_first_failure_is_tried_again_after_a_pause() -> None:
    driver = Driver(retry_initial=True).start()
    driver.cut(ConnectError(URL, "refused"))
    driver.wait(10)
    assert len(driver.opens) == 2
    assert driver.opens[1] >= 5.0


def test_a_random_drop_of_a_stable_connection_is_answered_at_once_three_times() -> None:
    driver = Driver().open()
    driver.wait(40, heartbeats=True)
    driver.cut(lost())
    for _ in range(3):
        driver.wait(1)
        driver.cut(ConnectError(URL, "refused"))
    driver.wait(11)
    times = [at - 40 for at in driver.opens[1:]]
    assert all(at < 3.1 for at in times[:3])
    assert len(times) == 4
    assert times[3] - times[2] >= 5.0


def test_a_short_lived_connection_is_not_renewed_at_once() -> None:
    driver = Driver().open()
    driver.wait(2)
    driver.cut(lost())
    driver.wait(20)
    assert driver.opens[1] >= 7.0


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_pauses_grow_to_a_minute_and_never_fall_below_five_seconds(chance: float) -> None:
    driver = Driver(chance=chance).open()
    driver.cut(lost())
    for _ in range(8):
        driver.wait(60)
        driver.cut(ConnectError(URL, "refused"))
    pauses = [wait for wait in waits(driver) if wait is not None]
    assert len(pauses) == 9
    assert pauses == sorted(pauses)
    assert min(pauses) >= 5.0
    assert 30.0 <= pauses[-1] <= 60.0


def test_after_maintenance_nothing_is_tried_at_once() -> None:
    driver = Driver().open()
    driver.frame(status("maintenance"))
    driver.wait(40, heartbeats=True)
    driver.cut(lost())
    assert waits(driver)[0] >= 5.0  # type: ignore[operator]


def test_the_venue_s_mode_is_kept_and_delivered() -> None:
    driver = Driver().open()
    events = driver.frame(status("cancel_only"))
    assert [event.channel for event in events] == ["status"]
    assert driver.session.status is not None
    assert driver.session.status.system == "cancel_only"


@pytest.mark.parametrize("code", [429, 503])
def test_a_busy_venue_is_tried_again_but_not_at_once(code: int) -> None:
    driver = Driver().open()
    driver.wait(40, heartbeats=True)
    driver.cut(lost())
    driver.wait(1)
    driver.cut(HandshakeError(URL, code))
    assert driver.session.state == "waiting"
    assert waits(driver)[-1] >= 5.0  # type: ignore[operator]


@pytest.mark.parametrize(
    "error",
    [
        HandshakeError(URL, 404),
        HandshakeError(URL, 403),
        TlsError(URL, "wrong host"),
        ConnectionLost(URL, "x", code=1008),
    ],
    ids=["404", "403", "tls", "1008"],
)
def test_what_another_attempt_cannot_cure_is_final(error: Exception) -> None:
    driver = Driver().open()
    driver.wait(40, heartbeats=True)
    driver.cut(error)  # type: ignore[arg-type]
    assert driver.session.state == "down"
    assert driver.session.failure is error
    driver.wait(600)
    assert len(driver.opens) == 1


def test_never_more_than_a_hundred_attempts_in_ten_minutes() -> None:
    driver = Driver(chance=0.0, stable_s=0.5, pause_s=0.01, pause_max_s=0.01).open()
    while driver.now_s < 2000:
        driver.wait(0.6)
        if driver.session.state == "opening":
            driver.open()
        elif driver.session.state == "open":
            driver.cut(lost())
    assert len(driver.opens) > 300
    for index, at in enumerate(driver.opens[100:]):
        assert at - driver.opens[index] > 600.0
    assert driver.session.counters.attempts == len(driver.opens)


def test_a_used_up_budget_can_be_a_failure() -> None:
    driver = Driver(on_budget="fail", attempts_max=2, retry_initial=True).start()
    driver.cut(ConnectError(URL, "refused"))
    driver.wait(60)
    driver.cut(ConnectError(URL, "refused"))
    assert driver.session.state == "down"
    assert isinstance(driver.session.failure, ConnectionBudgetError)


def test_stop_closes_and_ends_without_a_failure_or_gaps() -> None:
    driver = Driver().open()
    driver.subscribe(TRADES)
    driver.accept()
    driver.session.stop(driver.now_ns)
    driver.take_sent()
    assert driver.closes == [1000]
    driver.frame(HEARTBEAT)
    assert driver.session.counters.frames_ignored == 1
    driver.cut(None)
    assert (driver.session.state, driver.session.failure) == ("down", None)
    assert driver.of("gap") == []
    assert driver.session.next_deadline_ns() is None


def test_stop_while_waiting_makes_no_further_attempt() -> None:
    driver = Driver().open()
    driver.cut(lost())
    driver.session.stop(driver.now_ns)
    driver.wait(600)
    assert driver.session.state == "down"
    assert driver.opens == [0.0]


def test_stop_while_opening_gives_up_the_attempt() -> None:
    driver = Driver().start()
    driver.session.stop(0)
    driver.take_sent()
    assert driver.closes == [1000]
    driver.open()
    assert driver.session.state == "closing"
    driver.cut(ConnectError(URL, "given up"))
    assert (driver.session.state, driver.session.failure) == ("down", None)


def test_an_undecodable_frame_renews_the_connection_and_is_reported() -> None:
    driver = Driver().open()
    driver.subscribe(TRADES)
    driver.accept()
    events = driver.frame("<html>busy</html>")
    assert isinstance(events[0], Malformed)
    assert driver.closes == [1002]
    assert driver.frame(trades("BTC/USD", 1)) == []
    events = driver.cut(None)
    assert [event.reason for event in events if isinstance(event, Gap)] == ["malformed"]
    assert isinstance(driver.of("disconnected")[0].error, DecodeError)  # type: ignore[union-attr]
    assert driver.session.state == "waiting"
    assert driver.session.counters.malformed == 1


def test_a_time_that_cannot_be_read_ends_the_connection_too() -> None:
    driver = Driver().open()
    driver.subscribe(Subscription(channel="spread", symbol="BTC/USD"), Subscription(channel="book", symbol="BTC/USD"))
    driver.accept()
    events = driver.frame(Book("BTC/USD").snapshot().replace("2026-01-02T", "yesterday "))
    assert [type(event) for event in events] == [Malformed]
    assert driver.closes == [1002]


def test_three_connections_ended_by_undecodable_frames_are_enough() -> None:
    driver = Driver().open()
    for _ in range(2):
        driver.frame(b"\xff\xfe")
        driver.cut(None)
        driver.wait(60)
        driver.open()
    driver.frame("nonsense")
    driver.cut(None)
    assert driver.session.state == "down"
    assert isinstance(driver.session.failure, ConnectionBudgetError)
    assert isinstance(driver.session.failure.__cause__, DecodeError)
    assert "3 connections" in str(driver.session.failure)


def test_undecodable_frames_far_apart_never_end_the_session() -> None:
    driver = Driver().open()
    for _ in range(5):
        driver.wait(400, heartbeats=True)
        driver.frame("nonsense")
        driver.cut(None)
        driver.wait(60)
        driver.open()
    assert driver.session.state == "open"
    assert driver.session.counters.malformed == 5


def test_a_frame_beyond_the_limit_is_never_decoded() -> None:
    driver = Driver(frame_bytes_max=10).open()
    events = driver.frame(" " * 11)
    assert isinstance(events[0], Malformed)
    assert isinstance(events[0].error, FrameTooBig)


def test_a_silent_connection_is_probed_then_ended_within_its_limit() -> None:
    driver = Driver().open()
    driver.subscribe(TRADES)
    driver.accept()
    driver.wait(6)
    assert [request["method"] for request in driver.take_sent()] == ["ping"]
    driver.wait(4)
    assert driver.closes == [1001]
    events = driver.cut(None)
    assert [event.reason for event in events if isinstance(event, Gap)] == ["silence"]
    assert isinstance(driver.of("disconnected")[0].error, SilenceError)  # type: ignore[union-attr]
    assert driver.session.counters.silence == 1


def test_heartbeats_keep_a_connection_alive() -> None:
    driver = Driver().open()
    driver.subscribe(TRADES)
    driver.accept()
    driver.wait(300, heartbeats=True)
    assert (driver.session.state, driver.closes) == ("open", [])


def test_a_connection_without_subscriptions_may_be_silent_as_long_as_pings_are_answered() -> None:
    driver = Driver().open()
    for _ in range(10):
        driver.wait(20)
        for request in driver.take_sent():
            driver.frame(f'{{"method":"pong","req_id":{request["req_id"]}}}')
    assert driver.session.state == "open"
    driver.wait(31)
    assert driver.closes == [1001]


def test_pings_that_go_on_unanswered_do_not_put_off_the_end() -> None:
    driver = Driver(ping_interval_s=3.0).open()
    driver.wait(12.5)
    assert driver.closes == []
    driver.wait(1)
    assert driver.closes == [1001]


def test_without_pings_and_subscriptions_nothing_is_due() -> None:
    driver = Driver(ping_interval_s=None).open()
    assert driver.session.next_deadline_ns() is None


def test_the_answer_to_our_ping_gives_the_latency() -> None:
    driver = Driver().open()
    req_id = driver.session.ping(driver.now_ns)
    driver.wait(0.25)
    events = driver.frame(f'{{"method":"pong","req_id":{req_id}}}')
    assert Latency(round_trip_ns=SECOND // 4) in events
    assert driver.session.latency_ns == SECOND // 4


def test_a_foreign_pong_gives_no_latency() -> None:
    driver = Driver().open()
    driver.session.ping(driver.now_ns)
    assert [event.channel for event in driver.frame('{"method":"pong","req_id":999}', '{"method":"pong"}')] == [
        "pong"
    ] * 2


def test_unknown_channels_and_methods_are_counted_and_passed_over() -> None:
    driver = Driver().open()
    events = driver.frame('{"channel":"weather","type":"update","data":[{"rain":true}]}', '{"method":"dance"}')
    assert [event.channel for event in events] == ["unknown", "unknown"]
    assert driver.session.counters.unknown == 2
    assert driver.session.state == "open"


def test_reconnects_and_attempts_are_counted_apart() -> None:
    driver = Driver().open()
    driver.cut(lost())
    driver.wait(30)
    driver.cut(ConnectError(URL, "refused"))
    driver.wait(30)
    driver.open()
    assert (driver.session.counters.attempts, driver.session.counters.reconnects) == (3, 1)
    assert driver.events[-1] == Connected(url=URL, attempt=2)


def test_frames_of_a_closed_connection_are_ignored() -> None:
    driver = Driver().open()
    driver.cut(lost())
    assert driver.frame(HEARTBEAT) == []
    assert driver.session.counters.frames_ignored == 1


def test_a_driver_that_reads_nothing_for_a_while_does_not_blame_the_venue() -> None:
    driver = Driver().open()
    driver.subscribe(TRADES)
    driver.accept()
    driver.session.hold(driver.now_ns)
    driver.wait(100)
    assert driver.closes == []
    driver.session.release(driver.now_ns)
    driver.wait(9)
    assert driver.closes == []
    driver.wait(2)
    assert driver.closes == [1001]


def test_silence_is_counted_from_a_frame_that_was_read_before_the_driver_knew_that_it_was_away() -> None:
    driver = Driver().open()
    driver.subscribe(TRADES)
    driver.accept()
    driver.session.hold(driver.now_ns)
    driver.wait(100)
    driver.frame(HEARTBEAT)
    driver.session.hold(driver.now_ns - 100_000_000_000)
    driver.session.release(driver.now_ns)
    driver.wait(9)
    assert driver.closes == []
    driver.wait(2)
    assert driver.closes == [1001]


@pytest.mark.parametrize(
    ("field", "value"),
    [("version", 3), ("silence_s", 0), ("on_budget", "pray"), ("pause_max_s", 1.0), ("ping_interval_s", -1.0)],
)
def test_settings_no_session_can_keep_are_refused(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=field):
        SessionConfig(url=URL, **{field: value})  # type: ignore[arg-type]
