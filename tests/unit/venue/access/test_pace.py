"""Limits of the venue: each refuses in Kraken's words, each can be adjusted or left out, none hurts a neighbour."""

from __future__ import annotations

from decimal import Decimal

import pytest

from krakenwire.errors import ConfigError
from krakenwire.model.rates import RateLimit, Tier
from krakenwire.venue.access.pace import ATTEMPTS, AccountLimits, AccountPace, BanRule, Bans, MessagePace, RestPace

SECOND = 1_000_000_000
START_NS = 1_800_000_000 * SECOND


def limit(threshold: int, decay_per_s: str) -> RateLimit:
    return RateLimit(Decimal(threshold), Decimal(decay_per_s))


@pytest.mark.parametrize(("tier", "threshold"), [("starter", 60), ("intermediate", 125), ("pro", 180)])
def test_orders_of_one_pair_are_refused_at_the_threshold_of_the_tier(tier: Tier, threshold: int) -> None:
    pace = AccountPace(AccountLimits.of(tier))
    assert pace.max_rate_count == threshold
    refusals = [pace.refusal("add", "BTC/USD", START_NS) for _ in range(threshold + 2)]
    assert refusals == [None] * threshold + ["EOrder:Rate limit exceeded"] * 2
    assert pace.rate_count("BTC/USD", START_NS) == threshold
    assert pace.refusal("add", "ETH/USD", START_NS) is None
    assert pace.refusal("add", "BTC/USD", START_NS + SECOND) is None


def test_batch_cancel_is_accepted_and_charged_over_the_threshold() -> None:
    pace = AccountPace(AccountLimits.of("starter"))
    assert pace.refusal("batch_cancel", "BTC/USD", START_NS, ages_ns=[0] * 50) is None
    assert pace.refusal("batch_cancel", "BTC/USD", START_NS, ages_ns=[0] * 50) is None
    assert pace.rate_count("BTC/USD", START_NS) == 800
    assert pace.refusal("cancel", "BTC/USD", START_NS, ages_ns=[400 * SECOND]) == "EOrder:Rate limit exceeded"


def test_batch_add_counts_half_a_point_an_order() -> None:
    pace = AccountPace(AccountLimits.of("starter"))
    assert pace.refusal("batch_add", "BTC/USD", START_NS, orders=15) is None
    assert pace.rate_count("BTC/USD", START_NS) == Decimal("7.5")


def test_requests_about_all_pairs_have_a_counter_and_a_text_of_their_own() -> None:
    pace = AccountPace(AccountLimits(trading=limit(2, "1")))
    refusals = [pace.refusal(kind, None, START_NS) for kind in ("cancel_all", "cancel_all_after", "cancel_all")]
    assert refusals == [None, None, "EOrder:Domain rate limit exceeded"]
    assert pace.refusal("add", "BTC/USD", START_NS) is None


def test_open_orders_of_a_pair_are_limited() -> None:
    pace = AccountPace(AccountLimits.of("starter"))
    assert pace.orders_refusal(59) is None
    assert pace.orders_refusal(60) == "EOrder:Orders limit exceeded"
    assert pace.orders_refusal(45, more=15) is None
    assert pace.orders_refusal(46, more=15) == "EOrder:Orders limit exceeded"


def test_account_without_limits_is_never_refused() -> None:
    pace = AccountPace(AccountLimits())
    assert {pace.refusal("add", "BTC/USD", START_NS) for _ in range(500)} == {None}
    assert pace.orders_refusal(100_000) is None
    assert pace.rate_count("BTC/USD", START_NS) == 0
    assert pace.max_rate_count == 180


def test_rest_calls_are_refused_over_the_maximum_and_come_back_with_time() -> None:
    pace = RestPace(AccountLimits.of("starter").rest)
    assert [pace.refusal("Ledgers", START_NS) for _ in range(4)] == [None] * 3 + ["EAPI:Rate limit exceeded"]
    assert [pace.refusal("Balance", START_NS) for _ in range(4)] == [None] * 3 + ["EAPI:Rate limit exceeded"]
    assert pace.refusal("AddOrder", START_NS) is None
    assert pace.refusal("Balance", START_NS + 3 * SECOND) == "EAPI:Rate limit exceeded"
    assert pace.refusal("Balance", START_NS + 4 * SECOND) is None


def test_key_without_a_rest_limit_is_never_refused() -> None:
    pace = RestPace(None)
    assert {pace.refusal("Ledgers", START_NS) for _ in range(100)} == {None}


def test_messages_of_a_connection_come_at_once_up_to_the_limit_and_then_at_its_rate() -> None:
    pace = MessagePace(limit(10, "5"))
    assert [pace.admits(START_NS) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [pace.admits(START_NS + SECOND) for _ in range(6)] == [True] * 5 + [False]


def test_connection_without_a_limit_may_say_anything() -> None:
    pace = MessagePace(None)
    assert all(pace.admits(START_NS) for _ in range(1_000))


def test_address_is_banned_for_ten_minutes_after_150_attempts() -> None:
    bans = Bans(ATTEMPTS)
    assert [bans.strike("a", START_NS) for _ in range(152)] == [False] * 150 + [True] * 2
    assert bans.holds("a", START_NS + 600 * SECOND - 1)
    assert not bans.holds("b", START_NS)
    assert not bans.strike("b", START_NS)
    assert not bans.holds("a", START_NS + 600 * SECOND)
    assert not bans.strike("a", START_NS + 600 * SECOND)


def test_150_attempts_in_ten_minutes_are_never_banned() -> None:
    bans = Bans(ATTEMPTS)
    assert not any(bans.strike("a", START_NS + n * 4 * SECOND) for n in range(1_000))


def test_without_a_rule_nobody_is_banned() -> None:
    bans = Bans(None)
    assert not any(bans.strike("a", START_NS) for _ in range(1_000))
    assert not bans.holds("a", START_NS)


def test_lifted_ban_is_gone() -> None:
    bans = Bans(BanRule(limit(1, "0"), SECOND))
    assert [bans.strike("a", START_NS) for _ in range(2)] == [False, True]
    bans.lift()
    assert not bans.holds("a", START_NS)
    assert not bans.strike("a", START_NS)


def test_only_so_many_names_are_remembered() -> None:
    bans = Bans(BanRule(limit(1, "0"), SECOND), names_max=2)
    for name in "abcd":
        assert not bans.strike(name, START_NS)
    assert [bans.strike(name, START_NS) for name in "dca"] == [True, True, False]


def test_ban_of_no_time_is_refused() -> None:
    with pytest.raises(ConfigError, match="ban"):
        BanRule(limit(1, "1"), 0)


def test_after_a_ban_one_may_begin_anew() -> None:
    bans = Bans(BanRule(limit(2, "0"), SECOND))
    assert [bans.strike("a", START_NS) for _ in range(3)] == [False, False, True]
    assert [bans.strike("a", START_NS + SECOND) for _ in range(3)] == [False, False, True]
