"""Each kind of rule, judged event by event."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from tests.unit.watch.events import BTC, SECOND, book, spread, ticker, trade, trades

from krakenwire.errors import ConfigError, ConnectionLost
from krakenwire.model import ChecksumFailed, Disconnected, Gap, Heartbeat, Status, Subscription, Trades
from krakenwire.watch import (
    Above,
    Alert,
    Amount,
    Below,
    Condition,
    Crosses,
    Engine,
    Move,
    NoData,
    Rule,
    SpreadWider,
    Volume,
)


def engine_for(condition: Condition, **manners: object) -> Engine:
    return Engine([Rule(symbol=BTC, condition=condition, **manners)])  # type: ignore[arg-type]


def prices_that_fire(engine: Engine, *prices: str) -> list[str]:
    alerts: list[Alert] = []
    for at_s, price in enumerate(prices):
        alerts += engine.feed(trades(price, at_s=at_s), at_s * SECOND)
    return [str(alert.price) for alert in alerts]


D = Decimal


# -- above and below -----------------------------------------------------------


def test_above_fires_once_on_entering_and_again_after_leaving() -> None:
    engine = engine_for(Above(D("100")))
    assert prices_that_fire(engine, "99", "100", "100.1", "105", "100", "100.2") == ["100.1", "100.2"]


def test_above_fires_on_the_first_price_if_that_is_above() -> None:
    assert prices_that_fire(engine_for(Above(D("100"))), "101", "102") == ["101"]


def test_above_with_hysteresis_must_leave_by_it_before_firing_again() -> None:
    engine = engine_for(Above(D("100"), D("5")))
    assert prices_that_fire(engine, "101", "96", "101", "95", "100", "101") == ["101", "101"]


def test_below_is_the_mirror_of_above() -> None:
    engine = engine_for(Below(D("100"), D("5")))
    assert prices_that_fire(engine, "100", "99", "104", "99", "105", "99") == ["99", "99"]


def test_prices_are_compared_exactly_beyond_what_a_float_can_tell_apart() -> None:
    level = "0.100000000000000000000000000001"
    engine = engine_for(Above(D(level)))
    assert prices_that_fire(engine, level, level + "1") == [level + "1"]


# -- crosses -------------------------------------------------------------------


def test_crosses_needs_a_price_before_and_one_after() -> None:
    engine = engine_for(Crosses(D("100")))
    assert prices_that_fire(engine, "101", "102", "99", "98", "103") == ["99", "103"]


def test_a_price_on_the_level_is_on_neither_side() -> None:
    engine = engine_for(Crosses(D("100")))
    assert prices_that_fire(engine, "101", "100", "101", "100", "99") == ["99"]


def test_crosses_with_hysteresis_is_silent_while_the_price_hugs_the_level() -> None:
    engine = engine_for(Crosses(D("100"), D("2")))
    assert prices_that_fire(engine, "99", "101", "99", "101", "99.5", "100.5") == ["101"]


def test_crosses_with_hysteresis_fires_at_the_level_after_the_price_was_away() -> None:
    engine = engine_for(Crosses(D("100"), D("2")))
    assert prices_that_fire(engine, "99", "101", "102", "99") == ["101", "99"]


def test_crosses_with_hysteresis_tells_a_price_that_goes_straight_to_the_far_side() -> None:
    engine = engine_for(Crosses(D("100"), D("2")))
    assert prices_that_fire(engine, "99", "101", "99", "98") == ["101", "98"]


def test_crosses_says_the_direction() -> None:
    engine = engine_for(Crosses(D("100")))
    engine.feed(trades("99"), 0)
    (alert,) = engine.feed(trades("101"), 0)
    assert dict(alert.details) == {"level": D("100"), "direction": "up"}


# -- moves ---------------------------------------------------------------------


def test_move_fires_at_exactly_the_percentage() -> None:
    assert prices_that_fire(engine_for(Move(D("2"), 60 * SECOND)), "100", "101.99", "102") == ["102"]


def test_move_starts_anew_after_it_fired() -> None:
    engine = engine_for(Move(D("2"), 60 * SECOND))
    assert prices_that_fire(engine, "100", "102", "103", "104.04", "102") == ["102", "104.04"]


def test_move_down_ignores_a_rise() -> None:
    engine = engine_for(Move(D("2"), 60 * SECOND, "down"))
    assert prices_that_fire(engine, "100", "105", "103", "102.9") == ["102.9"]


def test_move_up_says_from_where_and_how_much() -> None:
    engine = engine_for(Move(D("2"), 60 * SECOND, "up"))
    engine.feed(trades("300"), 0)
    (alert,) = engine.feed(trades("307"), 0)
    assert dict(alert.details) == {"from": D("300"), "direction": "up", "change_pct": D("2.33")}


def test_move_forgets_prices_no_longer_in_force_within_the_window() -> None:
    engine = engine_for(Move(D("2"), 10 * SECOND))
    for price, at_s in (("100", 0), ("101", 5), ("101.5", 14), ("102.01", 15.5)):
        assert engine.feed(trades(price, at_s=at_s), 0) == []
    assert len(engine.feed(trades("103.1", at_s=16), 0)) == 1, "101 was in force until 14"


def test_move_takes_the_price_in_force_at_the_start_of_the_window() -> None:
    engine = engine_for(Move(D("2"), 10 * SECOND))
    engine.feed(trades("100", at_s=0), 0)
    assert len(engine.feed(trades("102", at_s=500), 0)) == 1


# -- spread --------------------------------------------------------------------


def test_spread_wider_fires_beyond_the_amount_and_re_arms_at_it() -> None:
    engine = engine_for(SpreadWider(Amount(D("5"))))
    fired = [len(engine.feed(spread("100", ask), 0)) for ask in ("105", "105.1", "106", "105", "107")]
    assert fired == [0, 1, 0, 0, 1]


@pytest.mark.parametrize(("amount", "fires"), [(Amount(D("2"), "percent"), 1), (Amount(D("200"), "bps"), 1)])
def test_spread_in_percent_is_of_the_mid(amount: Amount, fires: int) -> None:
    engine = engine_for(SpreadWider(amount))
    assert engine.feed(spread("99", "101"), 0) == []
    (alert,) = engine.feed(spread("98.99", "101"), 0)
    assert alert.price == D("99.995")
    assert alert.source == "mid"


def test_spread_of_a_book_with_one_side_empty_is_not_judged() -> None:
    engine = engine_for(SpreadWider(Amount(D("5"))))
    assert engine.feed(book("100", None), 0) == []


# -- volume --------------------------------------------------------------------


def test_volume_adds_the_trades_of_the_window() -> None:
    engine = engine_for(Volume(D("3"), 10 * SECOND))
    assert engine.feed(trades("100", "100", at_s=0), 0) == []
    (alert,) = engine.feed(trades("101", at_s=10), 0)
    assert (alert.price, dict(alert.details)) == (D("101"), {"volume": D("3")})


def test_volume_fires_again_only_after_the_window_was_under_it() -> None:
    engine = engine_for(Volume(D("3"), 10 * SECOND))
    fired = [bool(engine.feed(trades("100", at_s=at_s, qty="2"), 0)) for at_s in (0, 1, 2, 12.5, 13, 14)]
    assert fired == [False, True, False, False, True, False]


def test_volume_counts_no_trade_of_a_snapshot() -> None:
    engine = engine_for(Volume(D("3"), 10 * SECOND))
    assert engine.feed(trades("100", "100", "100", "100", kind="snapshot"), 0) == []
    assert engine.feed(trades("100", "100"), 0) == []


# -- no data -------------------------------------------------------------------


def test_no_data_fires_at_its_deadline_and_again_only_after_data_came() -> None:
    engine = engine_for(NoData(30 * SECOND))
    engine.feed(trades("100", at_s=5), 5 * SECOND)
    assert engine.poll(34 * SECOND) == []
    assert engine.next_deadline_ns() is not None
    (alert,) = engine.poll(99 * SECOND)
    assert (alert.time_ns, alert.price) == (35 * SECOND, D("100"))
    assert engine.poll(500 * SECOND) == []
    assert engine.next_deadline_ns() is None
    engine.feed(ticker("100"), 600 * SECOND)
    assert [alert.time_ns for alert in engine.poll(630 * SECOND)] == [630 * SECOND]


def test_no_data_counts_from_the_start_of_watching_and_knows_no_price_then() -> None:
    engine = engine_for(NoData(30 * SECOND))
    assert engine.poll(SECOND) == []
    (alert,) = engine.poll(31 * SECOND)
    assert alert.price is None
    assert json.loads(alert.to_json())["price"] is None


def test_no_data_takes_no_heartbeat_and_no_other_symbol_for_data() -> None:
    engine = engine_for(NoData(30 * SECOND))
    engine.poll(SECOND)
    engine.feed(Heartbeat(), 10 * SECOND)
    engine.feed(trades("100", symbol="ETH/USD"), 20 * SECOND)
    assert len(engine.poll(31 * SECOND)) == 1


def test_no_data_is_found_by_a_late_event_just_as_by_a_poll() -> None:
    engine = engine_for(NoData(30 * SECOND))
    engine.feed(trades("100"), SECOND)
    (alert,) = engine.feed(trades("100", at_s=99), 99 * SECOND)
    assert alert.time_ns == 31 * SECOND


def test_no_data_waits_for_a_recording_to_tell_the_time() -> None:
    engine = engine_for(NoData(30 * SECOND))
    assert engine.feed(ticker("100"), 0) == []
    assert engine.next_deadline_ns() is None
    assert engine.feed(trades("100", at_s=99), 99 * SECOND) == []


def test_an_alert_of_a_recording_that_tells_no_time_has_none() -> None:
    (alert,) = engine_for(Above(D("1"))).feed(ticker("2"), 0)
    assert '"time":null' in alert.to_json()


# -- manners ---------------------------------------------------------------------


def test_cooldown_suppresses_and_counts() -> None:
    engine = engine_for(Crosses(D("100")), cooldown_ns=3 * SECOND)
    assert prices_that_fire(engine, "99", "101", "99", "101", "99", "101") == ["101", "99"]
    assert (engine.counters.alerts, engine.counters.suppressed) == (2, 3)


def test_one_shot_is_done_after_its_first_alert() -> None:
    engine = engine_for(Crosses(D("100")), one_shot=True)
    assert not engine.done
    assert prices_that_fire(engine, "99", "101", "99", "101") == ["101"]
    assert engine.done


def test_rules_fire_in_their_order() -> None:
    rules = [Rule(symbol=BTC, condition=Above(D(level))) for level in ("3", "1", "2")]
    assert [alert.index for alert in Engine(rules).feed(trades("5"), 0)] == [0, 1, 2]


def test_no_rules_at_all_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="rules"):
        Engine([])


def test_a_rule_that_could_never_fire_again_is_refused() -> None:
    with pytest.raises(ConfigError, match="hysteresis"):
        Above(D("5"), D("5"))


# -- prices and their sources ------------------------------------------------------


@pytest.mark.parametrize(("source", "price"), [("bid", "99"), ("ask", "102"), ("mid", "100.5")])
def test_the_price_judged_is_the_one_the_rule_names(source: str, price: str) -> None:
    engine = engine_for(Above(D("1")), price=source)
    (alert,) = engine.feed(spread("99", "102"), 0)
    assert (str(alert.price), alert.source) == (price, source)


def test_old_trades_of_a_snapshot_never_fire() -> None:
    engine = engine_for(Above(D("100")))
    assert engine.feed(trades("200", "300", "90", kind="snapshot"), 0) == []
    (alert,) = engine.feed(trades("90", "101", "90"), 0)
    assert alert.price == D("101")


def test_a_history_that_version_1_does_not_mark_never_fires() -> None:
    history = Trades(symbol=BTC, kind="update", trades=(trade("200", 0), trade("99", 60)))
    engine = engine_for(Above(D("100")))
    assert engine.feed(history, 0) == []
    assert len(engine.feed(Trades(symbol=BTC, kind="update", trades=(trade("200", 61), trade("99", 70))), 0)) == 1


def test_a_first_frame_of_several_new_trades_is_judged_trade_by_trade() -> None:
    engine = engine_for(Above(D("100")))
    (alert,) = engine.feed(trades("99", "101", "99"), 0)
    assert alert.price == D("101")


def test_a_snapshot_is_no_crossing_from_what_was_before() -> None:
    engine = engine_for(Crosses(D("100")))
    engine.feed(trades("99"), 0)
    assert engine.feed(trades("101", kind="snapshot"), 0) == []
    assert len(engine.feed(trades("99"), 0)) == 1


def test_the_ticker_tells_the_first_price_and_trades_take_over() -> None:
    engine = engine_for(Crosses(D("100")))
    engine.feed(ticker("99", at_s=1, kind="snapshot"), 0)
    assert len(engine.feed(trades("101", at_s=2), 0)) == 1
    assert engine.feed(ticker("99", at_s=1.5), 0) == [], "a late ticker is not a second crossing"


def test_a_trade_older_than_the_ticker_before_it_is_not_news() -> None:
    engine = engine_for(Crosses(D("100")))
    engine.feed(ticker("101", at_s=5, kind="snapshot"), 0)
    assert engine.feed(trades("99", "101", at_s=4), 0) == []


def test_a_lone_trade_counts_like_a_frame_of_one() -> None:
    engine = engine_for(Above(D("100")))
    assert len(engine.feed(trade("101"), 0)) == 1


def test_a_ticker_alone_is_enough_for_the_last_price() -> None:
    engine = engine_for(Crosses(D("100")))
    engine.feed(ticker("99"), 0)
    (alert,) = engine.feed(ticker("101"), 7 * SECOND)
    assert alert.time_ns == 7 * SECOND, "without a venue time, when it was received"


def test_a_book_that_is_not_live_is_not_read() -> None:
    engine = engine_for(Above(D("1")), price="bid")
    assert engine.feed(book("99", "101", state="resyncing"), 0) == []
    assert len(engine.feed(book("99", "101"), 0)) == 1


def test_prices_shows_what_is_known() -> None:
    engine = engine_for(Above(D("1000")))
    assert engine.prices(BTC) == (None, None, None)
    engine.feed(ticker("100", "99", "101"), 0)
    assert engine.prices(BTC) == (D("100"), D("99"), D("101"))


# -- gaps ----------------------------------------------------------------------------

GAPS = [
    Gap(channel_name="trade", symbol=BTC, reason="trade ids"),
    Gap(channel_name="trade", symbol=None, reason="disconnected"),
    Disconnected(url="", error=ConnectionLost("", "cut"), retry_in_s=1.0),
]


@pytest.mark.parametrize("gap", GAPS)
def test_no_crossing_is_made_up_across_a_gap(gap: Gap) -> None:
    engine = engine_for(Crosses(D("100")))
    engine.feed(trades("99"), 0)
    engine.feed(gap, 0)
    assert engine.feed(trades("101"), 0) == []
    assert engine.counters.gaps == 1


@pytest.mark.parametrize("gap", GAPS)
def test_no_move_and_no_volume_is_made_up_across_a_gap(gap: Gap) -> None:
    engine = Engine(
        [
            Rule(symbol=BTC, condition=Move(D("2"), 60 * SECOND)),
            Rule(symbol=BTC, condition=Volume(D("2"), 60 * SECOND)),
        ]
    )
    engine.feed(trades("100"), 0)
    engine.feed(gap, 0)
    assert engine.feed(trades("110"), 0) == []


def test_above_tells_nothing_twice_because_of_a_gap() -> None:
    engine = engine_for(Above(D("100")))
    assert len(engine.feed(trades("101"), 0)) == 1
    engine.feed(GAPS[0], 0)
    assert engine.feed(trades("102"), 0) == []


def test_above_judges_the_fresh_price_after_a_gap() -> None:
    engine = engine_for(Above(D("100")))
    engine.feed(trades("99"), 0)
    engine.feed(GAPS[0], 0)
    assert len(engine.feed(trades("101"), 0)) == 1


def test_a_gap_of_another_symbol_or_channel_disturbs_nothing() -> None:
    engine = engine_for(Crosses(D("100")))
    engine.feed(trades("99"), 0)
    engine.feed(Gap(channel_name="trade", symbol="ETH/USD", reason="trade ids"), 0)
    engine.feed(ChecksumFailed(symbol=BTC, expected=1, found=2), 0)
    assert len(engine.feed(trades("101"), 0)) == 1


def test_a_wrong_checksum_is_a_gap_of_the_book() -> None:
    engine = engine_for(Crosses(D("100")), price="bid")
    engine.feed(book("99", "102"), 0)
    engine.feed(ChecksumFailed(symbol=BTC, expected=1, found=2), 0)
    assert engine.feed(book("101", "102", kind="snapshot"), 0) == []


def test_a_new_connection_in_a_recording_is_a_gap() -> None:
    engine = engine_for(Crosses(D("100")))
    engine.feed(Status(system="online", connection_id=1), 0)
    engine.feed(trades("99"), 0)
    engine.feed(Status(system="post_only", connection_id=1), 0)
    assert len(engine.feed(trades("101"), 0)) == 1
    engine.feed(Status(system="online", connection_id=2), 0)
    assert engine.feed(trades("99"), 0) == []


# -- what to subscribe ---------------------------------------------------------------


def channels(version: int, *rules: Rule) -> list[tuple[str, str | None]]:
    wanted: tuple[Subscription, ...] = Engine(rules).subscriptions(version)
    return [(sub.channel, sub.event_trigger) for sub in wanted]


def test_rules_on_the_last_price_want_trades_and_a_ticker() -> None:
    rule = Rule(symbol=BTC, condition=Above(D("1")))
    assert channels(2, rule) == [("trade", None), ("ticker", "trades")]
    assert channels(1, rule) == [("trade", None), ("ticker", None)]


def test_rules_on_best_prices_want_every_change_of_them() -> None:
    rule = Rule(symbol=BTC, condition=Above(D("1")), price="mid")
    assert channels(2, rule) == [("ticker", "bbo")]
    assert channels(1, rule) == [("spread", None)]


def test_every_subscription_is_one_the_venue_has() -> None:
    conditions = [Above(D("1")), SpreadWider(Amount(D("1"))), Volume(D("1"), SECOND), NoData(SECOND)]
    engine = Engine([Rule(symbol=BTC, condition=condition) for condition in conditions])
    for version in (1, 2):
        wanted = engine.subscriptions(version)
        assert len({sub.checked().key for sub in wanted}) == len(wanted) >= 2


# -- the alert -----------------------------------------------------------------------


def test_an_alert_is_one_json_object_with_an_exact_price() -> None:
    engine = engine_for(Above(D("70000")))
    (alert,) = engine.feed(trades("70000.10", at_s=1.5), 0)
    line = alert.to_json()
    assert '"price":70000.10,' in line
    assert json.loads(line) == {
        "symbol": BTC,
        "rule": "above 70000",
        "price": 70000.1,
        "time": "1970-01-01T00:00:01.500000Z",
        "condition": "above 70000",
        "source": "last",
        "level": 70000,
        "message": "BTC/USD above 70000: last 70000.10",
    }


def test_a_rule_names_its_alerts_and_words_them() -> None:
    engine = engine_for(Above(D("7")), name="moon", message="{symbol} at {price} ({rule}: {condition}) {time}")
    (alert,) = engine.feed(trades("8", at_s=2), 0)
    assert alert.rule == "moon"
    assert alert.message == "BTC/USD at 8 (moon: above 7) 1970-01-01T00:00:02.000000Z"
