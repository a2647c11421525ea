from __future__ import annotations

from decimal import Decimal
from hashlib import sha256

import pytest

from krakenwire.errors import ConfigError, SymbolError
from krakenwire.model.answers import Added
from krakenwire.model.orders import AddOrder, Trigger
from krakenwire.venue.config.venue_config import VenueConfig
from krakenwire.venue.venue import Venue

SECOND = 1_000_000_000
T0 = 1_790_000_000 * SECOND


def venue_of(*symbols: str, seed: int = 1, rate: float | None = 50, **settings: object) -> Venue:
    return Venue(VenueConfig(symbols=symbols, seed=seed, rate=rate, start_ns=T0, **settings))  # type: ignore[arg-type]


def run(venue: Venue, until_s: float, step_ms: int = 500) -> list[str]:
    end_ns = T0 + int(until_s * SECOND)
    times = [*range(T0, end_ns, step_ms * 1_000_000), end_ns]
    return [symbol for time_ns in times for symbol in venue.step(time_ns)]


def fingerprint(venue: Venue, symbol: str, trades: int) -> str:
    """What a symbol's first trades and its book look like, times as offsets."""
    market = venue.market(symbol)
    assert market is not None
    first = market.last_trade_id - market.trade_revision
    facts = [trade for trade in market.trades() if first < trade.trade_id <= first + trades]
    assert len(facts) == trades
    return sha256(
        repr([(t.trade_id, t.side, t.price, t.qty, t.ord_type, t.time_ns - T0) for t in facts]).encode()
    ).hexdigest()


def book(venue: Venue, symbol: str) -> list[tuple[int, int, int]]:
    market = venue.market(symbol)
    assert market is not None
    return [(level.price, level.qty, level.time_ns) for side in ("buy", "sell") for level in market.levels(side, 2_000)]  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_market_however_time_is_cut() -> None:
    """The first 2,000 trades, in steps of 3 s, 70 ms and single actions."""
    coarse, fine, single = (venue_of("BTC/USD", rate=200) for _ in range(3))
    run(coarse, 120, 3_000)
    run(fine, 120, 70)
    while single.next_deadline_ns() <= T0 + 120 * SECOND:
        assert list(single.step(single.next_deadline_ns())) == ["BTC/USD"]
    prints = {fingerprint(venue, "BTC/USD", 2_000) for venue in (coarse, fine, single)}
    assert len(prints) == 1
    assert book(coarse, "BTC/USD") == book(fine, "BTC/USD") == book(single, "BTC/USD")


def test_another_symbol_beside_it_does_not_change_a_market() -> None:
    alone, together = venue_of("ETH/USD"), venue_of("BTC/USD", "ETH/USD", "XRP/USD")
    run(alone, 10)
    run(together, 10)
    assert book(alone, "ETH/USD") == book(together, "ETH/USD")
    assert alone.markets[0].trades() == together.markets[1].trades()


def test_another_seed_gives_another_market() -> None:
    one, other = venue_of("ETH/USD"), venue_of("ETH/USD", seed=2)
    assert book(one, "ETH/USD") != book(other, "ETH/USD")


def test_the_same_market_at_another_time_is_only_shifted() -> None:
    early = venue_of("ETH/USD")
    late = Venue(VenueConfig(symbols=["ETH/USD"], rate=50, start_ns=T0 + 77 * SECOND))
    run(early, 5)
    for _ in late.step(T0 + 82 * SECOND):
        pass
    shifted = [(price, qty, time_ns + 77 * SECOND) for price, qty, time_ns in book(early, "ETH/USD")]
    assert book(late, "ETH/USD") == shifted


def test_each_action_is_yielded_so_that_it_can_be_published() -> None:
    venue = venue_of("BTC/USD", "ETH/USD")
    revisions = dict.fromkeys(venue.symbols, 0)
    for symbol in venue.step(T0 + 4 * SECOND):
        market = venue.market(symbol)
        assert market is not None
        assert market.book_revision - revisions[symbol] <= 1 or revisions[symbol] == 0
        revisions[symbol] = market.book_revision
    assert all(revisions.values())


@pytest.mark.parametrize("rate", [5, 20, 200])
def test_the_rate_is_kept_on_average(rate: float) -> None:
    seconds = 2_000 // rate
    assert len(run(venue_of("BTC/USD", rate=rate), seconds)) == pytest.approx(2_000, rel=0.15)


def test_most_actions_change_the_book() -> None:
    venue = venue_of("BTC/USD", "LTC/USD")
    before = sum(market.book_revision for market in venue.markets)
    actions = len(run(venue, 20))
    assert sum(market.book_revision for market in venue.markets) - before > 0.9 * actions


def test_the_next_deadline_is_when_the_next_action_happens() -> None:
    venue = venue_of("BTC/USD", "ETH/USD")
    deadline_ns = venue.next_deadline_ns()
    assert list(venue.step(deadline_ns - 1)) == []
    assert len(list(venue.step(deadline_ns))) == 1
    assert venue.next_deadline_ns() >= deadline_ns


def test_a_long_pause_is_left_out_and_counted() -> None:
    venue = venue_of("BTC/USD", rate=20)
    run(venue, 2)
    left_out = venue.leave_out(venue.late_ns(T0 + 3_602 * SECOND))
    performed = len(list(venue.step(T0 + 3_602 * SECOND)))
    assert left_out == venue.skipped_ns
    assert venue.late_ns(T0 + 3_606 * SECOND) == 0
    assert performed < 5 * 20 * 3
    assert 3_590 * SECOND < venue.skipped_ns < 3_600 * SECOND
    assert venue.markets[0].time_ns > T0 + 3_500 * SECOND


def test_the_crowd_waits_while_the_engine_does_not_match() -> None:
    venue = venue_of("BTC/USD")
    run(venue, 2)
    venue.set_status("maintenance")
    assert list(venue.step(T0 + 60 * SECOND)) == []
    venue.set_status("online")
    performed = list(venue.step(T0 + 61 * SECOND))
    assert 10 < len(performed) < 150
    assert (venue.skipped_ns, venue.status_revision) == (0, 2)


def test_setting_the_same_status_is_no_change_and_an_unknown_one_is_refused() -> None:
    venue = venue_of("BTC/USD")
    venue.set_status("online")
    assert venue.status_revision == 0
    with pytest.raises(ConfigError, match="post_only"):
        venue.set_status("closed")


def test_time_may_stand_still_or_be_told_late_but_never_goes_back() -> None:
    venue = venue_of("BTC/USD")
    run(venue, 2)
    assert list(venue.step(T0)) == []
    assert venue.now_ns == T0 + 2 * SECOND


def test_what_is_listed_can_be_read() -> None:
    venue = venue_of("XXBTZUSD", "ETH/XBT")
    assert venue.symbols == ("BTC/USD", "ETH/BTC")
    assert [instrument.symbol for instrument in venue.instruments] == ["BTC/USD", "ETH/BTC"]
    assert [asset.id for asset in venue.assets] == ["BTC", "USD", "ETH"]
    assert venue.market("XBT/USD") is None


REFUSALS: list[tuple[dict[str, object], type[Exception]]] = [
    ({"rate": 0}, ConfigError),
    ({"rate": float("nan")}, ConfigError),
    ({"rate": 2_000}, ConfigError),
    ({"multiplier": -1}, ConfigError),
    ({"status": "asleep"}, ConfigError),
    ({"start_ns": -1}, ConfigError),
    ({"symbols": ["FOO/BAR"]}, SymbolError),
    ({"thin": ["FOO/BAR"]}, SymbolError),
]


@pytest.mark.parametrize(("settings", "error"), REFUSALS)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        VenueConfig(**settings)  # type: ignore[arg-type]


def test_orders_of_accounts_and_of_the_crowd_take_their_turns_in_the_order_of_time() -> None:
    """A user's orders expire, start and trade in the middle of the crowd's actions, however time is cut."""

    def life(step_ms: int) -> tuple[object, ...]:
        venue = venue_of("BTC/USD", "ETH/USD", rate=200)
        ann = venue.ledger.open("ann")
        venue.exchange.deposit(ann, "USD", 10**12, T0)
        run(venue, 1, step_ms)
        for number in range(40):
            request = AddOrder(
                symbol="BTC/USD",
                side="buy",
                order_type="limit",
                order_qty=Decimal("0.01"),
                limit_price=Decimal(64_700 + 15 * number),
                time_in_force="gtd",
                expire_time_ns=venue.now_ns + (number + 1) * SECOND // 3,
                effective_time_ns=venue.now_ns + number * SECOND // 9,
            )
            assert isinstance(venue.exchange.execute(ann, request, venue.now_ns)[0], Added)
        for time_ns in range(T0 + SECOND, T0 + 20 * SECOND + 1, step_ms * 1_000_000):
            for _ in venue.step(time_ns):
                pass
        fills = [(fill.number, fill.price, fill.qty, fill.time_ns) for fill in ann.fills]
        orders = [(order.order_id, order.phase, order.closed_ns) for order in ann.closed_orders]
        return fills, orders, ann.balances, book(venue, "BTC/USD"), book(venue, "ETH/USD")

    lives = [life(5), life(250)]
    assert {phase for _, phase, _ in lives[0][1]} == {"expired", "filled"}  # type: ignore[attr-defined]  # rows of three
    assert lives[0] == lives[1]


def test_what_an_order_of_an_account_moves_is_told_to_who_publishes() -> None:
    venue = venue_of("BTC/USD", "ETH/USD")
    ann = venue.ledger.open("ann")
    venue.exchange.deposit(ann, "USD", 10**12, T0)
    request = AddOrder(symbol="ETH/USD", side="buy", order_type="market", order_qty=Decimal(1))
    venue.exchange.execute(ann, request, T0)
    assert venue.take_moved() == ("ETH/USD",)
    assert venue.take_moved() == ()


def test_an_index_trigger_goes_by_what_the_crowd_thinks_it_is_worth_and_not_by_the_last_trade() -> None:
    venue = venue_of("BTC/USD", rate=200)
    ann = venue.ledger.open("ann")
    venue.exchange.deposit(ann, "BTC", 10**10, T0)
    run(venue, 1)
    desk = venue.exchange.desks["BTC/USD"]
    index = desk.reference("index")
    assert index != desk.reference("last")
    stop = Decimal(index - 1).scaleb(-1)
    request = AddOrder(
        symbol="BTC/USD",
        side="sell",
        order_type="stop-loss",
        order_qty=Decimal("0.01"),
        triggers=Trigger(price=stop, reference="index"),
    )
    (added,) = venue.exchange.execute(ann, request, venue.now_ns)
    assert isinstance(added, Added)
    order = ann.orders_seen[added.order_id]
    while order.phase == "untriggered":
        before = desk.reference("index")
        for _ in venue.step(venue.next_deadline_ns()):
            pass
    assert order.trigger is not None
    assert before >= index
    assert order.trigger.fired_at == desk.reference("index") < index
    assert order.phase == "filled"
