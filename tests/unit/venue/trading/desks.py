"""An exchange with two markets and a few accounts, for tests: money in, requests in, what happened out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from krakenwire.model.answers import Added, Answer, OrderRefused
from krakenwire.model.executions import BalanceChange, Execution
from krakenwire.model.orders import AddOrder, TradingRequest
from krakenwire.venue.market.instruments import ASSETS, INSTRUMENTS
from krakenwire.venue.market.market import Market
from krakenwire.venue.trading import Account, AccountOrder, Exchange, Ledger

START_NS = 1_767_225_600_000_000_000
SECOND = 1_000_000_000


class Floor:
    """BTC/USD and ETH/BTC, with accounts that have what they are given; the clock is its own."""

    def __init__(self, *symbols: str) -> None:
        self.now_ns = START_NS
        self.mode = "online"
        self.ledger = Ledger({name: asset.decimals for name, asset in ASSETS.items()})
        self.exchange = Exchange(self.ledger, lambda: self.mode)
        for symbol in symbols or ("BTC/USD", "ETH/BTC"):
            self.exchange.open_desk(Market(INSTRUMENTS[symbol], time_ns=START_NS))

    def account(self, name: str, **balances: str) -> Account:
        account = self.ledger.open(name)
        account.followed = True
        for asset, amount in balances.items():
            units = int(Decimal(amount).scaleb(self.ledger.decimals[asset]))
            self.exchange.deposit(account, asset, units, self.now_ns)
        self.exchange.take_reports()
        return account

    def ask(self, account: Account, request: TradingRequest) -> tuple[Answer, ...]:
        self.now_ns += 1_000_000
        answers = self.exchange.execute(account, request, self.now_ns)
        self.check()
        return answers

    def place(self, account: Account, side: str, qty: str, price: str | None = None, **more: Any) -> AccountOrder:
        """Place an order that must be taken in, and return it."""
        answer = self.try_to_place(account, side, qty, price, **more)
        assert isinstance(answer, Added), answer
        return account.orders_seen[answer.order_id]

    def refusal(self, account: Account, side: str, qty: str | None, price: str | None = None, **more: Any) -> str:
        """Place an order that must be refused, and return the text."""
        held, before = dict(account.holds), dict(account.balances)
        answer = self.try_to_place(account, side, qty, price, **more)
        assert isinstance(answer, OrderRefused), answer
        assert ({k: v for k, v in account.holds.items() if v}, account.balances) == (
            {k: v for k, v in held.items() if v},
            before,
        )
        return answer.error

    def try_to_place(
        self, account: Account, side: str, qty: str | None, price: str | None = None, **more: Any
    ) -> Answer:
        kind = more.pop("order_type", "market" if price is None else "limit")
        request = AddOrder(
            symbol=more.pop("symbol", "BTC/USD"),
            side=side,  # type: ignore[arg-type]  # tests pass literal texts
            order_type=kind,
            order_qty=None if qty is None else Decimal(qty),
            limit_price=None if price is None else Decimal(price),
            **more,
        )
        return self.ask(account, request)[0]

    def pass_time(self, seconds: float) -> None:
        self.now_ns += int(seconds * SECOND)
        self.exchange.poll(self.now_ns)
        self.check()

    def told(self, account: Account) -> list[Execution | BalanceChange]:
        """What everybody was told since the last look, of one account."""
        return [report for whose, report in self.exchange.take_reports() if whose is account]

    def events(self, account: Account) -> list[str]:
        """The kinds of executions that an account was told since the last look."""
        return [report.exec_type for report in self.told(account) if isinstance(report, Execution)]

    def available(self, account: Account, asset: str) -> Decimal:
        return Decimal(account.available(asset)).scaleb(-self.ledger.decimals[asset])

    def balance(self, account: Account, asset: str) -> Decimal:
        return Decimal(account.balance(asset)).scaleb(-self.ledger.decimals[asset])

    def check(self) -> None:
        """What must hold after every command, whatever it was."""
        for asset in self.ledger.decimals:
            assert self.ledger.total(asset) == 0
        for account in self.ledger.accounts:
            if account not in (self.ledger.outside, self.exchange.positions.pool):
                check_account(account)
        self.check_pool()

    def check_pool(self) -> None:
        """The venue lends what positions need, and nothing else."""
        owed: dict[str, int] = {}
        for account in self.ledger.accounts:
            for position in self.exchange.positions.of(account):
                terms, sign = position.order.desk.terms, 1 if position.side == "buy" else -1
                owed[terms.base] = owed.get(terms.base, 0) + sign * terms.base_units(position.open_qty)
                owed[terms.quote] = owed.get(terms.quote, 0) - sign * position.cost_left
        pool = self.exchange.positions.pool.balances
        assert {asset: units for asset, units in pool.items() if units} == {
            asset: units for asset, units in owed.items() if units
        }


def check_account(account: Account) -> None:
    held: dict[str, int] = {}
    for order in account.open_orders.values():
        assert order.is_open
        assert order.hold >= 0
        assert order.hold_fee >= 0
        assert 0 <= order.filled < order.qty, order
        if order.resting:
            assert order.remaining == order.desk.market.engine.orders[order.number].remaining
        held[order.hold_asset] = held.get(order.hold_asset, 0) + order.hold + order.hold_fee
    for asset, amount in account.holds.items():
        assert amount == held.get(asset, 0), f"{account} holds {amount} {asset} for orders that need {held.get(asset)}"
    for asset, balance in account.balances.items():
        assert account.holds.get(asset, 0) >= 0
        assert balance >= account.holds.get(asset, 0) or account.margin
