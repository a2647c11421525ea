"""A venue is a function of its settings and its inputs: written down and done again they give the same."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest

from krakenwire.errors import DecodeError, JournalError
from krakenwire.model.orders import AddOrder, AmendOrder, CancelAll, CancelAllAfter, CancelOrders, TradingRequest
from krakenwire.venue import Venue, VenueConfig
from krakenwire.venue.inputs import Inputs, decode, seen_until
from krakenwire.venue.trading import Account

SECOND = 1_000_000_000
T0 = 1_790_000_000 * SECOND
NAMES = ("ann", "bob")


class Life:
    """A venue with two accounts whose inputs are written down."""

    def __init__(self, records: list[bytes] | None = None) -> None:
        self.venue = Venue(VenueConfig(symbols=["BTC/USD", "ETH/USD"], rate=100, start_ns=T0))
        self.records: list[bytes] = []
        for name in NAMES:
            self.venue.ledger.open(name)
        self.inputs = Inputs(self.venue, self.records.append)
        if records is None:
            for name in NAMES:
                for asset, amount in (("USD", 10**6), ("BTC", 10), ("ETH", 100)):
                    units = amount * int(10 ** self.venue.ledger.decimals[asset])
                    self.inputs.pay(self.account(name), asset, units, T0)
        else:
            self.inputs.redo(records)

    def account(self, name: str) -> Account:
        account = self.venue.ledger.account(name)
        assert account is not None
        return account

    def step(self, now_ns: int) -> None:
        for _ in self.venue.step(now_ns):
            pass

    def state(self) -> list[object]:
        """All that anybody could find out, of accounts and of the market."""
        facts: list[object] = [self.venue.now_ns, self.venue.status, self.venue.ledger.last_entry]
        for name in NAMES:
            account = self.account(name)
            orders = [*account.open_orders.values(), *account.closed_orders]
            facts += [account.balances, {asset: held for asset, held in account.holds.items() if held}]
            facts.append([(o.order_id, o.phase, o.qty, o.filled, o.price, o.closed_ns, o.reason) for o in orders])
            facts.append([fill._replace(order=None) for fill in account.fills])  # type: ignore[arg-type]  # its own
            facts += [list(account.entries), account.timer_ns]
        for market in self.venue.markets:
            levels = [(level.price, level.qty) for level in market.levels("buy", 2_000)]
            facts += [market.quote, market.trades(50), levels]
        return facts


def some_request(life: Life, account: Account, random: Random, now_ns: int) -> TradingRequest:
    kind = random.random()
    open_ids = list(account.open_orders) or ["OAAAAA-AAAAA-AAAAAA"]
    if kind < 0.1:
        return CancelOrders(order_ids=(random.choice(open_ids),))
    if kind < 0.2:
        return AmendOrder(order_id=random.choice(open_ids), order_qty=Decimal("0.02"))
    if kind < 0.23:
        return CancelAllAfter(timeout_s=random.randrange(30))
    if kind < 0.24:
        return CancelAll()
    market = random.choice(life.venue.markets)
    quote = market.quote
    price = random.choice((quote.bid, quote.ask, quote.bid - random.randrange(50)))
    return AddOrder(
        symbol=market.symbol,
        side=random.choice(("buy", "sell")),
        order_type="limit",
        order_qty=Decimal(random.randrange(1, 30)) / 100,
        limit_price=market.instrument.price_increment * price,
        time_in_force="gtd",
        expire_time_ns=now_ns + random.randrange(1, 20) * SECOND,
    )


def live(life: Life, seconds: float, seed: int, step_ms: int = 7) -> None:
    """Let the venue run as a driver does, with requests at any time between the steps."""
    random = Random(seed)
    now_ns = max(life.venue.now_ns, T0)
    for _ in range(int(seconds * 1_000 / step_ms)):
        now_ns += step_ms * 1_000_000
        while random.random() < 0.1:
            account = life.account(random.choice(NAMES))
            asked_ns = now_ns - random.randrange(step_ms * 1_000_000)
            life.inputs.ask(account, some_request(life, account, random, asked_ns), asked_ns)
        life.inputs.catch_up(now_ns)
        life.step(now_ns)
    life.inputs.reached()


@pytest.mark.parametrize("seed", range(3))
def test_inputs_done_again_give_the_same_venue_to_the_last_unit(seed: int) -> None:
    life = Life()
    live(life, 12, seed)
    assert sum(len(life.account(name).fills) for name in NAMES) > 20
    again = Life(life.records)
    assert again.state() == life.state()


def test_a_venue_that_begins_again_goes_on_as_if_it_had_never_stopped() -> None:
    life = Life()
    live(life, 4, seed=8)
    again = Life(life.records)
    for each in (life, again):
        live(each, 4, seed=9)
    assert again.state() == life.state()
    assert Life([*life.records]).state() == life.state()


def test_how_far_doing_it_again_has_got_is_told_to_the_last_input() -> None:
    life = Life()
    live(life, 1, seed=1)
    life.step(life.venue.now_ns + 600 * SECOND)
    life.inputs.reached()
    again, told = Life([]), list[int]()
    assert again.inputs.redo(life.records, progress=told.append) == len(life.records)
    assert told == sorted(told)
    assert len(told) > len(life.records) + 8, "with each minute of the pause, too"
    assert told[-1] == seen_until(life.records) == life.venue.now_ns
    assert again.state() == life.state()


def test_modes_and_pauses_are_inputs_too() -> None:
    life = Life()
    live(life, 1, seed=1)
    life.inputs.set_status("maintenance", life.venue.now_ns + SECOND)
    life.inputs.set_status("maintenance", life.venue.now_ns + SECOND)
    life.step(life.venue.now_ns + 20 * SECOND)
    life.inputs.set_status("online", life.venue.now_ns)
    live(life, 1, seed=2)
    far_ns = life.venue.now_ns + 5_000 * SECOND
    life.inputs.catch_up(far_ns)
    assert life.venue.skipped_ns > 4_990 * SECOND
    life.step(far_ns)
    live(life, 1, seed=3)
    again = Life(life.records)
    assert again.state() == life.state()
    assert again.venue.skipped_ns == life.venue.skipped_ns


def test_where_the_clock_was_moved_to_is_known_again() -> None:
    life = Life()
    live(life, 1, seed=1)
    life.inputs.move_clock(3_600 * SECOND, life.venue.now_ns + 3_600 * SECOND)
    later_ns = life.venue.now_ns + 3_601 * SECOND
    life.inputs.move_clock(-5 * SECOND, later_ns)
    again = Life(life.records)
    assert (again.inputs.ahead_ns, again.inputs.latest_ns) == (-5 * SECOND, later_ns)
    assert again.state() == life.state()


def test_the_latest_time_that_was_told_is_known_again() -> None:
    life = Life()
    asked_ns = T0 + SECOND
    life.inputs.ask(life.account("ann"), CancelAll(), asked_ns)
    assert Life(life.records).inputs.latest_ns == asked_ns
    life.step(asked_ns + SECOND)
    life.inputs.reached()
    assert Life(life.records).inputs.latest_ns == asked_ns + SECOND


def test_nothing_happens_that_could_not_be_written_down() -> None:
    life = Life()
    live(life, 1, seed=1)
    before = life.state()

    def full_disk(_: bytes) -> None:
        raise JournalError("journal", "No space left on device")

    inputs = Inputs(life.venue, full_disk)
    with pytest.raises(JournalError):
        inputs.ask(life.account("ann"), CancelAll(), life.venue.now_ns)
    with pytest.raises(JournalError):
        inputs.set_status("maintenance", life.venue.now_ns)
    with pytest.raises(JournalError):
        inputs.move_clock(SECOND, life.venue.now_ns)
    assert inputs.ahead_ns == 0
    assert life.state() == before


def test_how_far_it_got_is_written_once_and_only_when_it_got_further() -> None:
    life = Life()
    count = len(life.records)
    life.inputs.reached()
    assert len(life.records) == count
    life.step(T0 + SECOND)
    life.inputs.reached()
    life.inputs.reached()
    assert len(life.records) == count + 1


@pytest.mark.parametrize("record", [b"", b"\xc1", b"\x93\xa5asked\x01\x02", b"{}"])
def test_a_record_that_is_no_input_is_refused(record: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(record)


def test_an_input_of_an_unknown_account_is_refused() -> None:
    life = Life()
    live(life, 1, seed=1)
    venue = Venue(VenueConfig(symbols=["BTC/USD", "ETH/USD"], rate=100, start_ns=T0))
    with pytest.raises(DecodeError, match="ann"):
        Inputs(venue).redo(life.records)
