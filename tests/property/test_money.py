"""Money at the local Kraken, under random requests of every kind: none is made, none is lost, nobody owes."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.unit.venue.trading.crowd import Crowd
from tests.unit.venue.trading.desks import Floor

from krakenwire.model.answers import BatchAdded, OrderRefused
from krakenwire.model.executions import BalanceChange, Execution
from krakenwire.venue.trading import Account

ASSETS = ("USD", "BTC", "ETH")
KINDS = {
    "pending_new",
    "new",
    "trade",
    "filled",
    "canceled",
    "expired",
    "amended",
    "iceberg_refill",
    "status",
}


class Books:
    """What every account should have, kept from what it was told alone."""

    def __init__(self, accounts: list[Account], floor: Floor) -> None:
        self.floor = floor
        self.balances = {account.name: dict(account.balances) for account in accounts}
        self.kinds: Counter[str] = Counter()
        self.ends: dict[str, str] = {}
        self.fills: set[str] = set()

    def read(self) -> None:
        for account, report in self.floor.exchange.take_reports():
            if isinstance(report, BalanceChange):
                self.change(account, report)
            else:
                self.event(report)

    def change(self, account: Account, change: BalanceChange) -> None:
        decimals = self.floor.ledger.decimals[change.asset]
        moved, total = (int(number.scaleb(decimals)) for number in (change.amount - change.fee, change.balance))
        balances = self.balances[account.name]
        balances[change.asset] = balances.get(change.asset, 0) + moved
        assert balances[change.asset] == total

    def event(self, event: Execution) -> None:
        self.kinds[event.exec_type] += 1
        assert event.order_id not in self.ends, f"{event.exec_type} after {self.ends[event.order_id]}"
        if event.exec_type in ("filled", "canceled", "expired"):
            self.ends[event.order_id] = event.exec_type
        if event.exec_id is not None:
            assert event.exec_id not in self.fills
            self.fills.add(event.exec_id)


@pytest.mark.parametrize("seed", range(4))
def test_no_request_makes_or_loses_money_or_lets_anybody_owe(seed: int, nightly: bool) -> None:
    floor = Floor()
    crowd = Crowd(floor, seed)
    books = Books(crowd.accounts, floor)
    for number in range(2_500_000 if nightly else 6_000):
        crowd.act()
        assert not any(map(floor.ledger.total, ASSETS))
        if number % 100 == 0:
            floor.check()
        books.read()
        if len(books.fills) > 1_000_000:
            books.fills.clear()
            books.ends.clear()
    for account in crowd.accounts:
        assert {name: units for name, units in books.balances[account.name].items() if units} == {
            name: units for name, units in account.balances.items() if units
        }
    assert books.kinds.keys() == KINDS


def test_the_same_requests_give_the_same_orders_fills_and_balances_whoever_listens() -> None:
    def run(followed: bool) -> tuple[object, ...]:
        floor = Floor()
        crowd = Crowd(floor, 11)
        for account in crowd.accounts:
            account.followed = followed
        answers = []
        for _ in range(4_000):
            account, request = crowd.act()
            answers.append((account.name, request))
        fills = [(fill.number, fill.price, fill.qty, fill.fee) for a in crowd.accounts for fill in a.fills]
        orders = [order.order_id for a in crowd.accounts for order in a.closed_orders]
        return answers, fills, orders, [a.balances for a in crowd.accounts], floor.ledger.last_entry

    assert run(True) == run(False)


def test_the_crowd_is_refused_for_many_reasons_and_lets_nothing_out() -> None:
    floor = Floor()
    crowd = Crowd(floor, 3)
    refusals: Counter[str] = Counter()
    execute = floor.exchange.execute

    def watched(*asked: object) -> object:
        answers = execute(*asked)  # type: ignore[arg-type]  # as it is called
        for answer in answers:
            rows = answer.orders if isinstance(answer, BatchAdded) else (answer,)
            refusals.update(row.error for row in rows if isinstance(row, OrderRefused))
        return answers

    floor.exchange.execute = watched  # type: ignore[method-assign,assignment]  # a listener in between
    for _ in range(4_000):
        crowd.act()
    assert len(refusals) > 12
    assert refusals["EOrder:Insufficient funds"] > 100
